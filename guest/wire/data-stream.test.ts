import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { agentMessage, decode, encode, payloadTypes } from './agent-message.ts';
import { DataStream } from './data-stream.ts';

const open: DataStream[] = [];
after(() => {
  for (const one of open) one.close();
});

/** A client and an agent; `carry` decides what becomes of each message on its way. */
function pair(carry: (bytes: Buffer, deliver: (bytes: Buffer) => void) => void) {
  const got = { agent: '', client: '' };
  const ends: { agent?: DataStream; client?: DataStream } = {};
  const make = (side: 'agent' | 'client') => {
    const other = side === 'agent' ? 'client' : 'agent';
    ends[side] = new DataStream({
      writes: side === 'agent' ? 'output_stream_data' : 'input_stream_data',
      send: (bytes) => carry(bytes, (arrived) => ends[other]?.take(arrived)),
      received: (_type, payload) => {
        got[side] += payload.toString();
      },
    });
    open.push(ends[side]);
    return ends[side];
  };
  return { agent: make('agent'), client: make('client'), got };
}

const text = Array.from({ length: 3000 }, (_, index) => `line ${index}\n`).join('');

async function until(done: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 20_000; !done(); ) {
    assert.ok(Date.now() < deadline, 'it never came');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('[MGS] what is written comes in chunks of 1,024 bytes, numbered from 0, the first with SYN, each acknowledged', () => {
  const seen: { number: number; flags: number; length: number }[] = [];
  const { agent, got } = pair((bytes, deliver) => {
    const { messageType, sequenceNumber, flags, payload } = decode(bytes);
    if (messageType === 'output_stream_data') seen.push({ number: sequenceNumber, flags, length: payload.length });
    deliver(bytes);
  });
  agent.write(payloadTypes.output, 'x'.repeat(2050));
  assert.deepEqual(seen, [
    { number: 0, flags: 1, length: 1024 },
    { number: 1, flags: 0, length: 1024 },
    { number: 2, flags: 0, length: 2 },
  ]);
  assert.equal(got.client.length, 2050);
  assert.ok(agent.isFlushed);
});

test('[MGS] messages that are lost, doubled and out of order arrive once and in order', async () => {
  let count = 0;
  const held: (() => void)[] = [];
  const { agent, client, got } = pair((bytes, deliver) => {
    count += 1;
    if (count % 7 === 0) return;
    if (count % 5 === 0) return void held.push(() => deliver(bytes));
    deliver(bytes);
    if (count % 3 === 0) deliver(bytes);
    if (held.length > 2) for (const one of held.splice(0).reverse()) one();
  });
  agent.write(payloadTypes.output, text);
  client.write(payloadTypes.output, text);
  await until(() => got.client.length >= text.length && got.agent.length >= text.length);
  assert.equal(got.client, text);
  assert.equal(got.agent, text);
});

test('a writer whose messages nobody acknowledges is told to wait', () => {
  const { agent } = pair(() => {});
  let writes = 0;
  while (agent.write(payloadTypes.output, 'x')) writes += 1;
  assert.equal(writes, 127);
  assert.ok(!agent.isFlushed);
});

test('[MGS] while publication is paused nothing is sent, and afterwards everything is', async () => {
  let sent = 0;
  const { agent, got } = pair((bytes, deliver) => {
    sent += 1;
    deliver(bytes);
  });
  agent.take(encode(agentMessage('pause_publication', {})));
  agent.write(payloadTypes.output, 'hello');
  assert.equal(sent, 0);
  agent.take(encode(agentMessage('start_publication', {})));
  await until(() => got.client === 'hello');
});
