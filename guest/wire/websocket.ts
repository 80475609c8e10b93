// WebSocket (RFC 6455), both ends, whole messages. No extensions and no subprotocols. By hand, because this is all of it that Postern needs.

import { createHash, randomBytes } from 'node:crypto';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';

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
const maxMessageBytes = 1 << 20;

export interface WebSocketListener {
  message(payload: Buffer, isText: boolean): void;
  /** Once, whoever ended it. @param reason of the other end, when it gave one */
  close(reason: string): void;
  /** A frame came, whatever it was: the other end lives. */
  heard?(): void;
}

/** The key of a request that asks for a WebSocket; undefined when it asks for something else. */
export function webSocketKey(request: IncomingMessage): string | undefined {
  const { upgrade, 'sec-websocket-key': key, 'sec-websocket-version': version } = request.headers;
  return upgrade?.toLowerCase() === 'websocket' && version === '13' ? key : undefined;
}

const acceptOf = (key: string) =>
  createHash('sha1')
    .update(key + magic)
    .digest('base64');

/** Answers the upgrade. @param head what the client sent behind its request */
export function acceptWebSocket(key: string, socket: Duplex, head: Buffer, requestId: string): WebSocketEnd {
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptOf(key)}\r\nx-amzn-RequestId: ${requestId}\r\n\r\n`,
  );
  if (head.length > 0) socket.unshift(head);
  return new WebSocketEnd(socket, 'server');
}

/** The upgrade was answered with something else. */
export class UpgradeRefused extends Error {
  readonly status: number;
  constructor(status: number, body: string) {
    super(`the upgrade was answered with ${status} ${body}`);
    this.status = status;
  }
}

/**
 * Opens a connection as a client.
 * @param url `ws:` or `wss:` @throws UpgradeRefused, or what the network says
 */
export function openWebSocket(
  url: URL,
  headers: Readonly<Record<string, string>> = {},
  timeoutMs = 20_000,
): Promise<WebSocketEnd> {
  const key = randomBytes(16).toString('base64');
  const secure = url.protocol === 'wss:';
  const target = new URL(url.href.replace(/^ws/, 'http'));
  return new Promise((resolve, reject) => {
    const request = (secure ? https : http).request(target, {
      // A connection of its own: it never goes back to a pool.
      agent: false,
      timeout: timeoutMs,
      headers: {
        ...headers,
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': key,
      },
    });
    request.on('timeout', () => request.destroy(new Error(`connecting to ${url.host} timed out`)));
    request.on('error', reject);
    request.on('response', (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => reject(new UpgradeRefused(response.statusCode ?? 0, body)));
      response.on('error', reject);
    });
    request.on('upgrade', (response, socket, head) => {
      if (response.headers['sec-websocket-accept'] !== acceptOf(key)) {
        socket.destroy();
        return reject(new Error(`${url.host} does not speak WebSocket`));
      }
      socket.setTimeout(0);
      if (head.length > 0) socket.unshift(head);
      resolve(new WebSocketEnd(socket, 'client'));
    });
    request.end();
  });
}

interface Frame {
  readonly opcode: number;
  readonly isLast: boolean;
  readonly payload: Buffer;
}

/** One end of an open connection. Nothing is read before `listen`. */
export class WebSocketEnd {
  readonly #socket: Duplex;
  readonly #role: 'client' | 'server';
  #listener: WebSocketListener | undefined;
  #rest: Buffer = Buffer.alloc(0);
  /** Pieces of a message that has not ended. */
  #pieces: { readonly isText: boolean; readonly parts: Buffer[]; length: number } | undefined;
  #closed = false;
  #reason = '';

  constructor(socket: Duplex, role: 'client' | 'server') {
    this.#socket = socket;
    this.#role = role;
    socket.on('error', () => socket.destroy());
  }

  listen(listener: WebSocketListener): void {
    this.#listener = listener;
    const socket = this.#socket;
    const gone = () => {
      this.#closed = true;
      this.#listener?.close(this.#reason);
      this.#listener = undefined;
    };
    if (socket.destroyed) return void gone();
    socket.on('close', gone);
    socket.on('end', () => this.close(closeCodes.normal));
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  get isClosed(): boolean {
    return this.#closed || this.#socket.destroyed;
  }

  send(payload: Buffer | string, done?: (error?: Error | null) => void): void {
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    if (this.isClosed) done?.();
    else this.#write(typeof payload === 'string' ? opcodes.text : opcodes.binary, bytes, done);
  }

  ping(): void {
    if (!this.isClosed) this.#write(opcodes.ping, Buffer.alloc(0));
  }

  /** Ends the connection with a reason that the other end may show. */
  close(code: number, reason = ''): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#write(opcodes.close, Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]));
    this.#socket.end();
    // The other end may be gone without a word.
    const timer = setTimeout(() => this.#socket.destroy(), 2000);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  destroy(): void {
    this.#socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #write(opcode: number, payload: Buffer, done?: (error?: Error | null) => void): void {
    this.#socket.write(frame(opcode, payload, this.#role === 'client'), done);
  }

  #take(chunk: Buffer): void {
    this.#listener?.heard?.();
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (let one = this.#next(); one && !this.#closed; one = this.#next()) {
      switch (one.opcode) {
        case opcodes.text:
        case opcodes.binary:
        case opcodes.continuation:
          this.#piece(one);
          break;
        case opcodes.ping:
          this.#write(opcodes.pong, one.payload);
          break;
        case opcodes.pong:
          break;
        case opcodes.close:
          this.#reason = one.payload.subarray(2).toString();
          this.close(closeCodes.normal);
          break;
        default:
          this.close(closeCodes.protocolError);
      }
    }
  }

  #piece({ opcode, isLast, payload }: Frame): void {
    const begins = opcode !== opcodes.continuation;
    if (begins === (this.#pieces !== undefined)) return void this.close(closeCodes.protocolError);
    const pieces = this.#pieces ?? { isText: opcode === opcodes.text, parts: [], length: 0 };
    pieces.parts.push(payload);
    pieces.length += payload.length;
    if (pieces.length > maxMessageBytes) return void this.close(closeCodes.tooLarge);
    this.#pieces = isLast ? undefined : pieces;
    if (isLast) this.#listener?.message(begins ? payload : Buffer.concat(pieces.parts), pieces.isText);
  }

  /** The next whole frame, unmasked. */
  #next(): Frame | undefined {
    const bytes = this.#rest;
    if (bytes.length < 2) return undefined;
    const [first = 0, second = 0] = bytes;
    const masked = (second & 128) !== 0;
    const short = second & 127;
    const head = (short === 126 ? 4 : short === 127 ? 10 : 2) + (masked ? 4 : 0);
    if (bytes.length < head) return undefined;
    const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
    // Clients mask what they send, servers don't, and nobody agreed to an extension.
    if (masked !== (this.#role === 'server') || (first & 0x70) !== 0) {
      this.close(closeCodes.protocolError);
      return undefined;
    }
    if (length > maxMessageBytes) {
      this.close(closeCodes.tooLarge);
      return undefined;
    }
    if (bytes.length < head + length) return undefined;
    const payload = Buffer.from(bytes.subarray(head, head + length));
    if (masked) mask(payload, bytes.subarray(head - 4, head));
    this.#rest = bytes.subarray(head + length);
    return { opcode: first & 15, isLast: (first & 128) !== 0, payload };
  }
}

function mask(payload: Buffer, key: Buffer): void {
  for (let at = 0; at < payload.length; at += 1) payload[at] = (payload[at] ?? 0) ^ (key[at & 3] ?? 0);
}

/** One whole message in one frame. */
function frame(opcode: number, payload: Buffer, isMasked: boolean): Buffer {
  const { length } = payload;
  const size = length < 126 ? Buffer.from([length]) : Buffer.alloc(length < 65_536 ? 3 : 9);
  if (size.length === 3) {
    size[0] = 126;
    size.writeUInt16BE(length, 1);
  } else if (size.length === 9) {
    size[0] = 127;
    size.writeBigUInt64BE(BigInt(length), 1);
  }
  if (!isMasked) return Buffer.concat([Buffer.from([0x80 | opcode]), size, payload]);
  size[0] = (size[0] ?? 0) | 128;
  const key = randomBytes(4);
  const hidden = Buffer.from(payload);
  mask(hidden, key);
  return Buffer.concat([Buffer.from([0x80 | opcode]), size, key, hidden]);
}
