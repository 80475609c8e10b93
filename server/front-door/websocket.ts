// A WebSocket's server end as a stream of bytes (RFC 6455): what clients send in binary messages is read, what is written goes out as binary messages.
// No extensions and no subprotocols. By hand, because this is all of it that Postern needs.

import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';

const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
/** Why a connection is closed (RFC 6455, 7.4.1). */
export const closeCodes = {
  normal: 1000,
  protocolError: 1002,
  unacceptable: 1003,
  tooLarge: 1009,
  failed: 1011,
} as const;
const magic = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const maxFrameBytes = 1 << 20;

/** The key of a request that asks for a WebSocket; undefined when it asks for something else. */
export function webSocketKey(request: IncomingMessage): string | undefined {
  const { upgrade, 'sec-websocket-key': key, 'sec-websocket-version': version } = request.headers;
  return upgrade?.toLowerCase() === 'websocket' && version === '13' ? key : undefined;
}

/** Answers the upgrade. @param head what the client sent behind its request */
export function acceptWebSocket(key: string, socket: Duplex, head: Buffer, requestId: string): WebSocketStream {
  const accept = createHash('sha1')
    .update(key + magic)
    .digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nx-amzn-RequestId: ${requestId}\r\n\r\n`,
  );
  if (head.length > 0) socket.unshift(head);
  return new WebSocketStream(socket);
}

interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
}

export class WebSocketStream extends Duplex {
  readonly #socket: Duplex;
  #rest: Buffer = Buffer.alloc(0);
  #closed = false;

  constructor(socket: Duplex) {
    super();
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('end', () => this.push(null));
    socket.on('error', () => this.destroy());
    socket.on('close', () => this.destroy());
  }

  /** Ends the connection with a reason that the client shows. */
  close(code: number, reason = ''): void {
    if (this.#closed) return;
    this.#closed = true;
    const payload = Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]);
    this.#socket.end(frame(opcodes.close, payload));
    this.push(null);
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#closed || this.#socket.destroyed) done();
    else this.#socket.write(frame(opcodes.binary, chunk), (error) => done(error));
  }

  override _final(done: (error?: Error | null) => void): void {
    this.close(closeCodes.normal);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #take(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (let one = this.#next(); one && !this.#closed; one = this.#next()) {
      switch (one.opcode) {
        case opcodes.binary:
        case opcodes.continuation:
          if (one.payload.length > 0 && !this.push(one.payload)) this.#socket.pause();
          break;
        case opcodes.ping:
          this.#socket.write(frame(opcodes.pong, one.payload));
          break;
        case opcodes.pong:
          break;
        case opcodes.close:
          this.close(closeCodes.normal);
          break;
        case opcodes.text:
          this.close(closeCodes.unacceptable, 'binary messages only');
          break;
        default:
          this.close(closeCodes.protocolError);
      }
    }
  }

  /** The next whole frame, unmasked. */
  #next(): Frame | undefined {
    const bytes = this.#rest;
    if (bytes.length < 2) return undefined;
    const [first = 0, second = 0] = bytes;
    const short = second & 127;
    const head = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (bytes.length < head + 4) return undefined;
    const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
    // Clients mask what they send, and nobody agreed to an extension.
    if ((second & 128) === 0 || (first & 0x70) !== 0) {
      this.close(closeCodes.protocolError);
      return undefined;
    }
    if (length > maxFrameBytes) {
      this.close(closeCodes.tooLarge);
      return undefined;
    }
    if (bytes.length < head + 4 + length) return undefined;
    const mask = bytes.subarray(head, head + 4);
    const payload = Buffer.from(bytes.subarray(head + 4, head + 4 + length));
    for (let at = 0; at < length; at += 1) payload[at] = (payload[at] ?? 0) ^ (mask[at & 3] ?? 0);
    this.#rest = bytes.subarray(head + 4 + length);
    return { opcode: first & 15, payload };
  }
}

/** One whole message of the server: unmasked, in one frame. */
function frame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const size = length < 126 ? Buffer.from([length]) : Buffer.alloc(length < 65_536 ? 3 : 9);
  if (size.length === 3) {
    size[0] = 126;
    size.writeUInt16BE(length, 1);
  } else if (size.length === 9) {
    size[0] = 127;
    size.writeBigUInt64BE(BigInt(length), 1);
  }
  return Buffer.concat([Buffer.from([0x80 | opcode]), size, payload]);
}
