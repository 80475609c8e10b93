// Messages of Systems Manager's channels: bytes ↔ AgentMessage. Everything is big-endian, and the two halves of an id change places.
// Source: aws/amazon-ssm-agent, agent/session/contracts/agentmessage.go and aws/session-manager-plugin, src/message (read 2026-11-21).

import { createHash, randomUUID } from 'node:crypto';

export const payloadTypes = {
  output: 1,
  error: 2,
  size: 3,
  parameter: 4,
  handshakeRequest: 5,
  handshakeResponse: 6,
  handshakeComplete: 7,
  flag: 10,
  stderr: 11,
  exitCode: 12,
} as const;

/** What a payload of type `flag` says, as an unsigned 32-bit number. */
export const flags = { disconnectToPort: 1, terminateSession: 2, connectToPortError: 3 } as const;

export interface AgentMessage {
  /** `agent_job`, `input_stream_data` … */
  readonly messageType: string;
  readonly createdAtMs: number;
  readonly sequenceNumber: number;
  /** Bit 0 begins a stream, bit 1 ends it; acknowledgements have both. */
  readonly flags: number;
  readonly messageId: string;
  readonly payloadType: number;
  readonly payload: Buffer;
}

/** Where the length of the payload stands; the header's own first field says it too. */
const headerLength = 116;
const schemaVersion = 1;
export const bothFlags = 3;

/** A message with everything that is usual. */
export function agentMessage(
  messageType: string,
  payload: Buffer | string | object,
  rest: Partial<AgentMessage> = {},
): AgentMessage {
  const bytes =
    payload instanceof Buffer ? payload : Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
  const usual = { createdAtMs: Date.now(), sequenceNumber: 0, flags: 0, payloadType: 0, messageId: randomUUID() };
  return { ...usual, ...rest, messageType, payload: bytes };
}

export function encode(message: AgentMessage): Buffer {
  const bytes = Buffer.alloc(headerLength + 4 + message.payload.length);
  bytes.writeUInt32BE(headerLength, 0);
  bytes.write(message.messageType.padEnd(32), 4, 32, 'latin1');
  bytes.writeUInt32BE(schemaVersion, 36);
  bytes.writeBigUInt64BE(BigInt(message.createdAtMs), 40);
  bytes.writeBigInt64BE(BigInt(message.sequenceNumber), 48);
  bytes.writeBigUInt64BE(BigInt(message.flags), 56);
  const id = Buffer.from(message.messageId.replaceAll('-', ''), 'hex');
  id.copy(bytes, 64, 8, 16);
  id.copy(bytes, 72, 0, 8);
  createHash('sha256').update(message.payload).digest().copy(bytes, 80);
  bytes.writeUInt32BE(message.payloadType, 112);
  bytes.writeUInt32BE(message.payload.length, headerLength);
  message.payload.copy(bytes, headerLength + 4);
  return bytes;
}

/** @throws Error when the bytes are no message */
export function decode(bytes: Buffer): AgentMessage {
  const header = bytes.length >= 4 ? bytes.readUInt32BE(0) : 0;
  // A header without the type of the payload ends four bytes earlier.
  if (header < headerLength - 4 || header > 1024 || bytes.length < header + 4) throw new Error('not an agent message');
  const length = bytes.readUInt32BE(header);
  if (bytes.length < header + 4 + length) throw new Error('an agent message is cut off');
  const id = Buffer.concat([bytes.subarray(72, 80), bytes.subarray(64, 72)]).toString('hex');
  const payload = bytes.subarray(header + 4, header + 4 + length);
  if (!createHash('sha256').update(payload).digest().equals(bytes.subarray(80, 112)))
    throw new Error('the payload of an agent message is not the one that its digest is of');
  return {
    messageType: bytes.toString('latin1', 4, 36).replace(/[ \0]+$/, ''),
    createdAtMs: Number(bytes.readBigUInt64BE(40)),
    sequenceNumber: Number(bytes.readBigInt64BE(48)),
    flags: Number(bytes.readBigUInt64BE(56)),
    messageId: id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
    payloadType: header >= headerLength ? bytes.readUInt32BE(112) : 0,
    payload,
  };
}
