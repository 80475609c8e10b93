import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AgentMessage, agentMessage, decode, encode } from '@postern/guest/wire/agent-message.ts';
import type { WebSocketEnd } from '@postern/guest/wire/websocket.ts';
import { OpenChannels } from '../open-channels.ts';
import type { PipelineParts } from '../pipeline.ts';
import type { SsmSessionRow } from '../store/rows/ssm.ts';
import { makeStore, testAccountId, testNow } from '../testing.ts';
import { JoinedSessions } from './joined-sessions.ts';

const target = 'i-0000000000000000a';
const row: SsmSessionRow = {
  ...{ id: 'ann-1', accountId: testAccountId, region: 'us-east-1', target, reason: '', owner: 'ann', ownerUserId: 'a' },
  ...{ documentName: 'AWS-StartInteractiveCommand', parameters: { command: ['top'] }, clientToken: 't' },
  ...{ startedAt: testNow.toISOString(), state: 'Connecting' },
};

/** A cloud with one session that was just started. */
function cloud() {
  const told: AgentMessage[] = [];
  const channels = new OpenChannels();
  channels.opened(target, { close: () => {}, send: (message) => void told.push(message) });
  const store = makeStore();
  const sessions = new JoinedSessions({ store, clock: () => testNow } as PipelineParts, channels);
  store.onChange((changes) => sessions.changed(changes.filter(({ kind }) => kind === 'ssm-session')));
  const begin = () => store.transact((tx) => tx.put('ssm-session', row));
  const state = () => store.read((tx) => tx.get('ssm-session', row.id)?.state);
  return { told, channels, sessions, begin, state };
}

/** An end that keeps what it is sent. */
function end() {
  const got: string[] = [];
  const send = (payload: Buffer) => {
    const { messageType, payload: content } = decode(payload);
    got.push(messageType === 'output_stream_data' ? content.toString() : messageType);
  };
  return { got, socket: { send, close: () => got.push('closed') } as unknown as WebSocketEnd };
}

const output = (text: string) => encode(agentMessage('output_stream_data', text));

test('the agent is told when there is a client, once, and reads a text as itself', () => {
  const { told, sessions, begin, state } = cloud();
  begin();
  assert.equal(told.length, 0);
  sessions.join(row.id, 'client', end().socket);
  sessions.join(row.id, 'client', end().socket);
  assert.equal(state(), 'Connected');
  assert.equal(told.length, 1);
  assert.equal(told[0]?.messageType, 'interactive_shell');
  const { Content } = JSON.parse(String(told[0]?.payload)) as { Content: string };
  const task = JSON.parse(Content) as { Parameters: object; DocumentContent: { sessionType: string } };
  assert.deepEqual(task.Parameters, { command: 'top' });
  assert.equal(task.DocumentContent.sessionType, 'InteractiveCommands');
});

test('what one end says while the other is away is kept for it', () => {
  const { sessions, begin } = cloud();
  begin();
  const [agent, client] = [end(), end()];
  sessions.join(row.id, 'client', client.socket);
  const say = sessions.join(row.id, 'agent', agent.socket);
  sessions.left(row.id, 'client', client.socket);
  say(output('one'));
  say(output('two'));
  assert.deepEqual(client.got, []);
  const again = end();
  sessions.join(row.id, 'client', again.socket);
  assert.deepEqual(again.got, ['one', 'two']);
});

test('when the agent leaves, the session is over and its client is told', () => {
  const { sessions, begin, state } = cloud();
  begin();
  const [agent, client] = [end(), end()];
  sessions.join(row.id, 'client', client.socket);
  sessions.join(row.id, 'agent', agent.socket);
  sessions.left(row.id, 'agent', agent.socket);
  assert.equal(state(), 'Terminated');
  assert.deepEqual(client.got, ['channel_closed', 'closed']);
});

test('an agent that comes to a server which knows nothing of its sessions ends them; those that are there go on', () => {
  const before = cloud();
  before.begin();
  before.sessions.agentCame(target);
  assert.equal(before.state(), 'Connecting');
  const { channels } = cloud();
  const store = makeStore((tx) => tx.put('ssm-session', row));
  const restarted = new JoinedSessions({ store, clock: () => testNow } as PipelineParts, channels);
  restarted.agentCame(target);
  assert.equal(
    store.read((tx) => tx.get('ssm-session', row.id)?.state),
    'Terminated',
  );
});

test('a client that comes when the agent is gone finds the session’s end', () => {
  const { channels, sessions, begin, state } = cloud();
  begin();
  channels.closed(target, channels.control(target) ?? assert.fail());
  const client = end();
  sessions.join(row.id, 'client', client.socket);
  assert.equal(state(), 'Terminated');
  assert.deepEqual(client.got, ['channel_closed', 'closed']);
});
