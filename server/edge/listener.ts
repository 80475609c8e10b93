// The HTTP server of the edge: reads heads, hands them on, sends answers, and survives every client.
// Sockets come from its own port or from elsewhere: the front door gives it accepted (and decrypted) sockets with `server.emit('connection', socket)`.
// Which path a socket came by is asked of `pathOf`, never of anything the client says.

import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { Protocol } from '../catalogue/shapes.ts';
import type { RequestPath } from '../path.ts';
import type { Answer } from './answer.ts';
import { beforeFirstRead } from './body.ts';
import { renderError } from './codec.ts';
import { headOf, type RequestHead } from './head.ts';
import { sendFiles } from './send-file.ts';

/** One request, as it reaches the pipeline. */
export interface Exchange {
  readonly head: RequestHead;
  readonly path: RequestPath;
  /** The body; nothing of it is read, and no `100 Continue` sent, until somebody reads. */
  readonly request: IncomingMessage;
  /** Fires when the client goes away before its answer is sent. Made when first asked for. */
  readonly signal: AbortSignal;
}

export interface EdgeOptions {
  /** Answers one request; should turn every error into an answer itself. */
  readonly handle: (exchange: Exchange) => Promise<Answer>;
  /** The path of a socket: from its addresses, or where the front door registered it. */
  readonly pathOf: (socket: Socket) => RequestPath;
  /** Told of what `handle` threw, which is a bug. */
  readonly onBug?: (error: unknown, requestId: string) => void;
}

const maxHeaderBytes = 64 * 1024;
const idleSocketMs = 120_000;
const keepAliveMs = 60_000;

/** A server that is not listening yet: call `listen`, or emit `connection`. */
export function createEdge(options: EdgeOptions): Server {
  const server = createServer({
    maxHeaderSize: maxHeaderBytes,
    keepAliveTimeout: keepAliveMs,
    headersTimeout: keepAliveMs,
    // A body may take as long as its object is large; an idle socket is what ends it.
    requestTimeout: 0,
    noDelay: true,
    highWaterMark: 256 * 1024,
  });
  server.setTimeout(idleSocketMs);
  server.on('request', (request, response) => void serve(options, request, response));
  server.on('checkContinue', (request, response) => {
    let continued = false;
    beforeFirstRead(request, () => {
      continued = true;
      response.writeContinue();
    });
    void serve(options, request, response, () => continued);
  });
  server.on('clientError', refuseSocket);
  return server;
}

/** What cannot be parsed as HTTP never becomes a request; it is answered on the socket. */
function refuseSocket(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
  // The rest of an over-long head may still be on its way: without reading it, the close would reset the answer away.
  socket.resume();
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroySoon());
}

async function serve(
  options: EdgeOptions,
  request: IncomingMessage,
  response: ServerResponse,
  continued?: () => boolean,
): Promise<void> {
  const exchange = new OpenExchange(options, request, response);
  let answer: Answer;
  try {
    answer = await options.handle(exchange);
  } catch (error) {
    const requestId = newRequestId('rest-json');
    options.onBug?.(error, requestId);
    answer = renderError({ protocol: 'rest-json' }, error, requestId);
  }
  try {
    // The client waits for a word before it sends its body, and this answer is instead of it: what follows on the socket is unknown.
    await send(request, response, answer, continued !== undefined && !continued());
  } catch {
    // The client went away, or the file did: either way the answer cannot be completed, and a cut connection says so.
    response.destroy();
  }
}

class OpenExchange implements Exchange {
  readonly head: RequestHead;
  readonly path: RequestPath;
  readonly request: IncomingMessage;
  readonly #response: ServerResponse;
  #controller: AbortController | undefined;

  constructor(options: EdgeOptions, request: IncomingMessage, response: ServerResponse) {
    this.head = headOf(request);
    this.path = options.pathOf(request.socket);
    this.request = request;
    this.#response = response;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      const response = this.#response;
      const made = new AbortController();
      this.#controller = made;
      if (response.destroyed) made.abort();
      response.once('close', () => {
        if (!response.writableFinished) made.abort();
      });
    }
    return this.#controller.signal;
  }
}

/** Sends an answer; settles when it is handed to the socket. @throws when the client goes away in the middle */
async function send(request: IncomingMessage, response: ServerResponse, answer: Answer, close: boolean): Promise<void> {
  // A stream is not left without a reader meanwhile.
  if (!(answer.body instanceof Readable)) await turnsEnd();
  if (response.destroyed) {
    discard(answer.body);
    return;
  }
  const headers: Record<string, string | number> = { ...answer.headers };
  if (close) headers.Connection = 'close';
  const { status, body } = answer;
  if (!request.complete) response.once('finish', () => drain(request));
  const bodiless = request.method === 'HEAD' || status === 204 || status === 304;
  if (bodiless || body === undefined) {
    discard(body);
    if (!bodiless) headers['Content-Length'] = 0;
    response.writeHead(status, headers);
    response.end();
    return;
  }
  if (typeof body === 'string' || body instanceof Uint8Array) {
    headers['Content-Length'] = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
    response.writeHead(status, headers);
    response.end(body);
    return;
  }
  if (body instanceof Readable) await sendStream(response, status, headers, body);
  else await sendFiles(response, status, headers, body);
}

let endOfTurn: Promise<void> | undefined;

/**
 * Settles when the event loop has looked at every socket once. Answers go out together then: a client that sleeps is woken once for all of them, and waking
 * one by one costs as much as the rest of a small call (docs/decisions/0025).
 */
function turnsEnd(): Promise<void> {
  endOfTurn ??= new Promise((resolve) => {
    setImmediate(() => {
      endOfTurn = undefined;
      resolve();
    });
  });
  return endOfTurn;
}

function discard(body: Answer['body']): void {
  if (body instanceof Readable) body.destroy();
}

/** Takes what is left of a body that nobody wanted, so that the connection can go on. */
function drain(request: IncomingMessage): void {
  if (!request.destroyed) request.resume();
}

async function sendStream(
  response: ServerResponse,
  status: number,
  headers: Record<string, string | number>,
  body: Readable,
): Promise<void> {
  response.writeHead(status, headers);
  const gone = () => body.destroy();
  response.once('close', gone);
  try {
    for await (const piece of body) await write(response, piece as Uint8Array);
    response.end();
  } finally {
    response.off('close', gone);
  }
}

/** Writes and waits while the client is slower than we are. */
function write(response: ServerResponse, piece: Uint8Array): Promise<void> | undefined {
  if (response.destroyed) throw new Error('the client went away');
  if (response.write(piece)) return undefined;
  return new Promise((resolve, reject) => {
    const drained = () => {
      response.off('close', closed);
      resolve();
    };
    const closed = () => {
      response.off('drain', drained);
      reject(new Error('the client went away'));
    };
    response.once('drain', drained).once('close', closed);
  });
}

/** An id in the form of the service: S3's are 16 capitals and digits, DynamoDB's 52, the others' are UUIDs. */
export function newRequestId(protocol: Protocol): string {
  switch (protocol) {
    case 'rest-xml': {
      // Node makes UUIDs from a reserve; `randomBytes` asks the kernel each time. The digits that are the same in all are left out.
      const id = randomUUID();
      return (id.slice(0, 8) + id.slice(24, 32)).toUpperCase();
    }
    case 'aws-json-1.0':
      return randomBytes(26).toString('hex').toUpperCase();
    default:
      return randomUUID();
  }
}
