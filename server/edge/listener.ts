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
import type { Soon } from './soon.ts';

/** One request, as it reaches the pipeline. */
export interface Exchange {
  readonly head: RequestHead;
  readonly path: RequestPath;
  /** The body; nothing of it is read, and no `100 Continue` sent, until somebody reads. */
  readonly request: IncomingMessage;
}

export interface EdgeOptions {
  /** Answers one request; should turn every error into an answer itself. */
  readonly handle: (exchange: Exchange) => Soon<Answer>;
  /** The path of a socket: from its addresses, or where the front door registered it. */
  readonly pathOf: (socket: Socket) => RequestPath;
  /** Told of what `handle` threw, which is a bug. */
  readonly onBug?: (error: unknown, requestId: string) => void;
  /**
   * Told why an answer ended in its middle, where that was not the client's doing.
   * @param request method and path: a query may carry what signs it
   */
  readonly onCut?: (error: Error, request: string) => void;
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
  // A client that closes its side after a request still waits for the answer, which comes later than Node would end the connection.
  Object.assign(server, { httpAllowHalfOpen: true });
  const serve = servedInTurns(options);
  server.on('request', (request, response) => serve({ request, response }));
  server.on('checkContinue', (request, response) => {
    let continued = false;
    beforeFirstRead(request, () => {
      continued = true;
      response.writeContinue();
    });
    serve({ request, response, continued: () => continued });
  });
  // AWS takes an Expect that it does not know for nothing; Node by itself would answer 417.
  server.on('checkExpectation', (request, response) => serve({ request, response }));
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

interface Arrived {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Where the client waits for a word before it sends its body: whether it got it. */
  readonly continued?: () => boolean;
}

/**
 * Short requests that arrive in one turn of the event loop are served at its end, one after the other: a small body, which comes in one packet with its head, is
 * there then, and what serves them stays in the processor's cache. Short answers go out at the end of a turn too: a client that sleeps is woken once for all
 * of them, and waking one by one costs as much as the rest of a small call (docs/decisions/0025).
 */
function servedInTurns(options: EdgeOptions): (one: Arrived) => void {
  const answered = new TurnsEnd<readonly [Arrived, Answer]>((all) => {
    for (const [one, answer] of all) sendOff(options, one, answer);
  });
  const send = (one: Arrived, answer: Answer) => {
    if (isSentAlone(answer)) sendOff(options, one, answer);
    else answered.add([one, answer]);
  };
  const serve = (one: Arrived) => {
    const answer = answerOf(options, one);
    if (answer instanceof Promise) void answer.then((late) => send(one, late));
    else send(one, answer);
  };
  const arrived = new TurnsEnd<Arrived>((all) => {
    for (const one of all) serve(one);
    // What promises come to that wait for nothing outside still belongs to this turn: a tick comes after all of them.
    queueMicrotask(() => process.nextTick(() => answered.end()));
  });
  return (one) => {
    if (isShort(one.request)) arrived.add(one);
    else serve(one);
  };
}

/** Collects what comes up in a turn of the event loop, and works it off at its end. */
class TurnsEnd<T> {
  readonly #work: (all: readonly T[]) => void;
  #all: T[] = [];
  #immediate: NodeJS.Immediate | undefined;

  constructor(work: (all: readonly T[]) => void) {
    this.#work = work;
  }

  add(one: T): void {
    this.#all.push(one);
    this.#immediate ??= setImmediate(() => this.end());
  }

  end(): void {
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    const all = this.#all;
    this.#all = [];
    this.#work(all);
  }
}

/** Has it no body, or one that fits into a packet or two? Any other is read from its first packet on. */
function isShort({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) <= longBytes;
}

/** Of a body or an answer. */
const longBytes = 64 * 1024;

/** A stream is not left without a reader meanwhile; sixteen long answers beside each other would be fresh memory, which costs more than waking the client. */
function isSentAlone({ body }: Answer): boolean {
  if (typeof body === 'string' || body instanceof Uint8Array) return body.length > longBytes;
  return body instanceof Readable;
}

/** Neither throws nor rejects. */
function answerOf(options: EdgeOptions, { request }: Arrived): Soon<Answer> {
  const bug = (error: unknown): Answer => {
    const requestId = newRequestId('rest-json');
    options.onBug?.(error, requestId);
    return renderError({ protocol: 'rest-json' }, error, requestId);
  };
  try {
    const answer = options.handle({ head: headOf(request), path: options.pathOf(request.socket), request });
    return answer instanceof Promise ? answer.catch(bug) : answer;
  } catch (error) {
    return bug(error);
  }
}

function sendOff(options: EdgeOptions, { request, response, continued }: Arrived, answer: Answer): void {
  // The client went away, or the file did: either way the answer cannot be completed, and a cut connection says so.
  const cut = (error: Error) => {
    if (!response.destroyed) options.onCut?.(error, `${request.method} ${request.url?.split('?')[0]}`);
    response.destroy();
  };
  try {
    // This answer is instead of the word that the client waits for: what follows on the socket is unknown.
    send(request, response, answer, continued !== undefined && !continued())?.catch(cut);
  } catch (error) {
    cut(error as Error);
  }
}

/**
 * Sends an answer.
 * @returns undefined when it is with the socket, or what settles when it is   @throws when the client goes away in the middle
 */
function send(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  close: boolean,
): Promise<void> | undefined {
  const { status } = answer;
  const body = typeof answer.body === 'string' && answer.body.length > longText ? bytesOf(answer.body) : answer.body;
  if (response.destroyed) {
    discard(body);
    return undefined;
  }
  if (!request.complete) response.once('finish', () => drain(request));
  const bodiless = request.method === 'HEAD' || status === 204 || status === 304;
  if (bodiless || body === undefined) {
    discard(body);
    response.writeHead(status, headerList(answer.headers, bodiless ? undefined : 0, close));
    response.end();
    return undefined;
  }
  if (typeof body === 'string' || body instanceof Uint8Array) {
    const sizeBytes = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
    response.writeHead(status, headerList(answer.headers, sizeBytes, close));
    // One byte to a character: all of it is ASCII, which is copied as it is.
    if (sizeBytes === body.length) response.end(body, 'latin1');
    else response.end(body);
    return undefined;
  }
  const headers: Record<string, string | number> = { ...answer.headers };
  if (close) headers.Connection = 'close';
  return body instanceof Readable
    ? sendStream(response, status, headers, body)
    : sendFiles(response, status, headers, body);
}

const longText = 32 * 1024;

/**
 * A long text was put together from many thousand pieces and is flat only once it was written somewhere. To measure it first walks through the pieces, and to
 * write it after its head walks through them again.
 */
function bytesOf(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  return Buffer.byteLength(text) === text.length ? bytes : Buffer.from(text);
}

/** Names and values in turn: so they are written as they are, where an object's names would be looked up once more each. */
function headerList(headers: Answer['headers'], sizeBytes: number | undefined, close: boolean): string[] {
  const list: string[] = [];
  for (const name in headers)
    if (sizeBytes === undefined || name !== 'Content-Length') list.push(name, headers[name] as string);
  if (sizeBytes !== undefined) list.push('Content-Length', String(sizeBytes));
  if (close) list.push('Connection', 'close');
  return list;
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
