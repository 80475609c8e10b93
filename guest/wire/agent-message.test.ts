import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { agentMessage, decode, encode } from './agent-message.ts';

const messageId = '00112233-4455-6677-8899-aabbccddeeff';

test('[MGS] each field lies where AWS’s agent has it, and the halves of the id change places', () => {
  const payload = Buffer.from('hello');
  const bytes = encode(
    agentMessage('input_stream_data', payload, {
      createdAtMs: 0x0102030405,
      sequenceNumber: 7,
      flags: 3,
      payloadType: 1,
      messageId,
    }),
  );
  assert.equal(bytes.length, 125);
  assert.equal(bytes.readUInt32BE(0), 116);
  assert.equal(bytes.toString('latin1', 4, 36), 'input_stream_data               ');
  assert.equal(bytes.readUInt32BE(36), 1);
  assert.equal(bytes.toString('hex', 40, 48), '0000000102030405'.padStart(16, '0'));
  assert.equal(bytes.readBigInt64BE(48), 7n);
  assert.equal(bytes.readBigUInt64BE(56), 3n);
  assert.equal(bytes.toString('hex', 64, 80), '8899aabbccddeeff0011223344556677');
  assert.equal(bytes.toString('hex', 80, 112), createHash('sha256').update(payload).digest('hex'));
  assert.equal(bytes.readUInt32BE(112), 1);
  assert.equal(bytes.readUInt32BE(116), 5);
  assert.equal(bytes.toString('latin1', 120), 'hello');
});

test('[MGS] what is written is what is read', () => {
  const message = agentMessage(
    'agent_job',
    { a: 'ü' },
    { sequenceNumber: 2 ** 40, flags: 1, payloadType: 12, messageId },
  );
  assert.deepEqual(decode(encode(message)), message);
});

test('[MGS] bytes that are no message, cut off or changed are refused', () => {
  const bytes = encode(agentMessage('agent_job', 'hello'));
  assert.throws(() => decode(Buffer.from('hello')), /not an agent message/);
  assert.throws(() => decode(bytes.subarray(0, -1)), /cut off/);
  bytes.writeUInt8(bytes.readUInt8(121) ^ 1, 121);
  assert.throws(() => decode(bytes), /digest/);
});
