// The operator's endpoints, `/_postern/…`: what AWS has no API for. Served on the loopback listener only, never to an instance.
// A row per endpoint; what they do is given in from main.ts.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type AdmissionRules, refuse } from './admission.ts';
import type {
  AccountSummary,
  ConnectTarget,
  ReachAnswer,
  ReachQuestion,
  RequestEvent,
  RequestTraceAnswer,
  Status,
  TraceAnswer,
  TraceQuestion,
  WhyAnswer,
  WhyQuestion,
} from './api.ts';

/** A failure the person can act on; answered as JSON with its status. */
export class OperatorFailure extends Error {
  readonly status: number;
  readonly cure: string | undefined;

  constructor(status: number, message: string, cure?: string) {
    super(message);
    this.name = 'OperatorFailure';
    this.status = status;
    this.cure = cure;
  }
}

export interface ExecRequest {
  readonly instanceId: string;
  readonly argv: readonly string[];
  readonly tty: boolean;
  /** Of the terminal, when there is one. */
  readonly size?: { readonly columns: number; readonly rows: number };
  /** Its type, as TERM says it. */
  readonly term?: string;
}

export interface Cloud {
  status(): Status;
  /** @param accountId whose root's key; the default account's when absent   @throws OperatorFailure when there is no such account */
  environment(accountId?: string): Record<string, string>;
  accounts(): readonly AccountSummary[];
  /** Resolves when it is on disk. */
  createAccount(name: string | undefined): Promise<AccountSummary>;
  /**
   * The keys that tokens of an OpenID Connect provider are checked with, instead of those before. Resolves when it is on disk.
   * @param providerArn of a provider that IAM made   @param keys JSON Web Keys, public ones
   * @throws OperatorFailure when there is no such provider
   */
  setProviderKeys(providerArn: string, keys: readonly ProviderKey[]): Promise<void>;
  /** Settles when the first state is on disk; `settled` tells when the old machines are gone. @returns how long it took, in ms */
  reset(): Promise<number>;
  shutdown(): void;
  /** Resolves with the revision that the kernel carries, when it carries everything answered so far. */
  settled(): Promise<number>;
  /** Resolves when the records of everything that passed until now are in their destinations, or their logs say why not. */
  flushFlowLogs(): Promise<void>;
  /** The newest `limit` that fit, the oldest first. */
  requests(filter: { readonly limit: number; readonly denied: boolean }): readonly RequestEvent[];
  follow(listener: (event: RequestEvent) => void): () => void;
  /** @param via an instance connect endpoint; without one the instance's public address, else an endpoint of its VPC */
  connectTarget(instanceId: string, user: string, publicKey: string, via: string | undefined): ConnectTarget;
  /** A TCP connection by the same road. Rejects with OperatorFailure when it times out or is refused. */
  tunnel(instanceId: string, port: number, via: string | undefined): Promise<Duplex>;
  /** What would become of a flow, or of a request to a service. @throws OperatorFailure when an end does not exist */
  trace(question: TraceQuestion): TraceAnswer | RequestTraceAnswer;
  /** Why a request was answered as it was. @throws OperatorFailure when none is known */
  why(question: WhyQuestion): WhyAnswer;
  /** Holds a check file (docs/check.md) against the cloud. @param text YAML   @returns the report, or what is wrong with the file */
  check(text: string): unknown;
  /** Who can reach whom. @throws OperatorFailure when an end does not exist */
  reach(question: ReachQuestion): ReachAnswer;
  /** Carries the frames of api.ts over `stream` until the process ends. @throws OperatorFailure before the first frame */
  exec(request: ExecRequest): (stream: Duplex) => void;
  caCertificate(): string;
}

/** A JSON Web Key, RFC 7517. */
export type ProviderKey = Readonly<Record<string, unknown>>;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly cloud: Cloud;
}

type Handler = (exchange: Exchange) => unknown;

const largestCheckFile = 1_048_576;

/** A handler's value is answered as JSON; `undefined` means that it answered by itself. */
const routes: Readonly<Record<string, Handler>> = {
  'GET /status': ({ cloud }) => cloud.status(),
  'GET /env': ({ cloud, query }) => cloud.environment(query.get('account') ?? undefined),
  'GET /accounts': ({ cloud }) => cloud.accounts(),
  'POST /accounts': async ({ cloud, request }) => {
    const { name } = (await readJson(request)) as Record<string, unknown>;
    return cloud.createAccount(name === undefined ? undefined : accountName(name));
  },
  'POST /provider-keys': async ({ cloud, request }) => {
    const body = (await readJson(request)) as Record<string, unknown>;
    const keys = publicKeys(body.keys);
    await cloud.setProviderKeys(text(body, 'providerArn'), keys);
    return { keys: keys.length };
  },
  'POST /reset': async ({ cloud }) => ({ elapsedMs: await cloud.reset() }),
  'POST /shutdown': ({ cloud, response }) => {
    response.on('finish', () => cloud.shutdown());
    return { ending: true };
  },
  'GET /settled': async ({ cloud }) => {
    const startedAt = performance.now();
    return { revision: await cloud.settled(), elapsedMs: performance.now() - startedAt };
  },
  'POST /flow-logs': async ({ cloud }) => {
    const startedAt = performance.now();
    await cloud.flushFlowLogs();
    return { elapsedMs: performance.now() - startedAt };
  },
  'GET /requests': answerRequests,
  'POST /connect': async ({ cloud, request }) => {
    const body = (await readJson(request)) as Record<string, unknown>;
    return cloud.connectTarget(
      text(body, 'instanceId'),
      text(body, 'user'),
      text(body, 'publicKey'),
      optionalText(body, 'via'),
    );
  },
  'POST /trace': async ({ cloud, request }) => {
    const body = (await readJson(request)) as Record<string, unknown>;
    const [action, as] = [optionalText(body, 'action'), optionalText(body, 'as')];
    return cloud.trace({
      from: text(body, 'from'),
      to: text(body, 'to'),
      ...traffic(body),
      ...(action !== undefined && { action }),
      ...(as !== undefined && { as }),
    });
  },
  'POST /why': async ({ cloud, request }) => {
    const requestId = optionalText((await readJson(request)) as Record<string, unknown>, 'requestId');
    return cloud.why(requestId === undefined ? {} : { requestId });
  },
  'POST /check': async ({ cloud, request }) => {
    const body = (await readJson(request, largestCheckFile)) as Record<string, unknown>;
    return cloud.check(text(body, 'text'));
  },
  'POST /reach': async ({ cloud, request }) => {
    const body = (await readJson(request)) as Record<string, unknown>;
    const [from, to] = [optionalText(body, 'from'), optionalText(body, 'to')];
    return cloud.reach({ ...(from !== undefined && { from }), ...(to !== undefined && { to }), ...askedTraffic(body) });
  },
  'GET /ca.pem': ({ cloud, response }) => {
    response.writeHead(200, { 'Content-Type': 'application/x-pem-file' }).end(cloud.caCertificate());
  },
};

function traffic({ protocol, port }: Record<string, unknown>): Pick<TraceQuestion, 'protocol' | 'port'> {
  if (protocol === 'icmp') return { protocol };
  if (protocol !== 'tcp' && protocol !== 'udp') throw new OperatorFailure(400, 'protocol is tcp, udp or icmp.');
  if (typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535) return { protocol, port };
  throw new OperatorFailure(400, `${protocol} needs a port, 1 to 65535.`);
}

/** A protocol without a port is all of it. */
function askedTraffic({ protocol, port }: Record<string, unknown>): Pick<ReachQuestion, 'protocol' | 'port'> {
  if (protocol === undefined && port === undefined) return {};
  if (port !== undefined || protocol === 'icmp') return traffic({ protocol, port });
  if (protocol === 'tcp' || protocol === 'udp') return { protocol };
  throw new OperatorFailure(400, 'protocol is tcp, udp or icmp.');
}

/** As AWS Organizations takes it: 1 to 50 characters, none of them a control character. */
function accountName(value: unknown): string {
  if (typeof value === 'string' && /^[\u0020-\u007E]{1,50}$/.test(value) && value.trim() !== '') return value;
  throw new OperatorFailure(400, 'An account’s name is 1 to 50 printable characters.');
}

function publicKeys(value: unknown): ProviderKey[] {
  const isKey = (one: unknown): one is ProviderKey =>
    typeof one === 'object' && one !== null && 'kty' in one && (one.kty === 'RSA' || one.kty === 'EC') && !('d' in one);
  if (Array.isArray(value) && value.every(isKey)) return value;
  throw new OperatorFailure(
    400,
    'keys is a list of public JSON Web Keys (RSA or EC), as the jwks_uri of a provider answers it.',
  );
}

function answerRequests({ cloud, response, query }: Exchange): undefined {
  const limit = Number(query.get('limit') ?? 20);
  if (!Number.isInteger(limit) || limit < 0)
    throw new OperatorFailure(400, `limit is a whole number, not '${query.get('limit')}'.`);
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  const denied = query.get('denied') === '1';
  const write = (event: RequestEvent) => response.write(`${JSON.stringify(event)}\n`);
  for (const event of cloud.requests({ limit, denied })) write(event);
  if (query.get('follow') !== '1') {
    response.end();
    return;
  }
  response.flushHeaders();
  const stop = cloud.follow((event) => {
    if (!denied || event.decision?.allowed === false) write(event);
  });
  response.on('close', stop);
}

export class Operator {
  readonly #cloud: Cloud;
  readonly #rules: AdmissionRules;
  readonly #log: (text: string) => void;

  constructor(cloud: Cloud, rules: AdmissionRules, log: (text: string) => void) {
    this.#cloud = cloud;
    this.#rules = rules;
    this.#log = log;
  }

  /** Answers one request below `/_postern/`. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refusal = refuse(request.headers, this.#rules);
    if (refusal) {
      request.resume();
      answerJson(response, refusal.status, { message: refusal.message });
      return;
    }
    const { path, query } = locate(request);
    const handler = routes[`${request.method} ${path}`];
    try {
      if (!handler) throw new OperatorFailure(404, `There is no ${request.method} /_postern${path}.`);
      const value = await handler({ request, response, query, cloud: this.#cloud });
      if (value !== undefined) answerJson(response, 200, value);
    } catch (error) {
      const failure = this.#failureOf(error);
      answerJson(response, failure.status, { message: failure.message, ...(failure.cure && { cure: failure.cure }) });
    }
  }

  /** Two-way streams: `/_postern/exec` and `/_postern/tunnel`. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    try {
      const refusal = refuse(request.headers, this.#rules);
      if (refusal) throw new OperatorFailure(refusal.status, refusal.message);
      const { path, query } = locate(request);
      const start = await this.#stream(path, query);
      if (socket.destroyed) return;
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: postern\r\n\r\n');
      if (head.length > 0) socket.unshift(head);
      start(socket);
    } catch (error) {
      const failure = this.#failureOf(error);
      const body = JSON.stringify({ message: failure.message, ...(failure.cure && { cure: failure.cure }) });
      socket.end(
        `HTTP/1.1 ${failure.status} Refused\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      );
    }
  }

  /** What is no failure of the operator's making is a bug, or the kernel's refusal: logged whole, and said in a sentence. */
  #failureOf(error: unknown): OperatorFailure {
    if (error instanceof OperatorFailure) return error;
    this.#log((error as Error).stack ?? String(error));
    return new OperatorFailure(500, `Postern failed: ${(error as Error).message}`);
  }

  async #stream(path: string, query: URLSearchParams): Promise<(socket: Duplex) => void> {
    const instanceId = query.get('instance') ?? '';
    if (path === '/tunnel') {
      const port = Number(query.get('port'));
      if (!Number.isInteger(port) || port < 1 || port > 65535)
        throw new OperatorFailure(400, `port is 1 to 65535, not '${query.get('port')}'.`);
      const far = await this.#cloud.tunnel(instanceId, port, query.get('via') ?? undefined);
      return (socket) => {
        socket.pipe(far).pipe(socket);
        far.on('error', () => socket.destroy());
        far.on('close', () => socket.destroy());
        socket.on('close', () => far.destroy());
      };
    }
    if (path === '/exec') {
      const [columns, rows] = (query.get('size') ?? '').split('x').map(Number);
      return this.#cloud.exec({
        instanceId,
        argv: argvOf(query.get('argv')),
        tty: query.get('tty') === '1',
        ...(columns && rows && { size: { columns, rows } }),
        ...(/^[\w.+-]{1,64}$/.test(query.get('term') ?? '') && { term: query.get('term') ?? '' }),
      });
    }
    throw new OperatorFailure(404, `There is no stream /_postern${path}.`);
  }
}

function argvOf(json: string | null): string[] {
  let value: unknown;
  try {
    value = JSON.parse(json ?? '');
  } catch {
    value = undefined;
  }
  if (Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string')) return value;
  throw new OperatorFailure(400, 'argv is a JSON list of at least one text.');
}

function locate(request: IncomingMessage): { path: string; query: URLSearchParams } {
  const [path = '', query = ''] = (request.url ?? '').slice('/_postern'.length).split('?', 2);
  return { path, query: new URLSearchParams(query) };
}

function answerJson(response: ServerResponse, status: number, value: unknown): void {
  if (response.headersSent) {
    response.end();
    return;
  }
  const body = JSON.stringify(value);
  response
    .writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
    .end(body);
}

function text(body: Record<string, unknown>, name: string): string {
  const value = body[name];
  if (typeof value !== 'string' || value === '') throw new OperatorFailure(400, `${name} is missing.`);
  return value;
}

function optionalText(body: Record<string, unknown>, name: string): string | undefined {
  return body[name] === undefined ? undefined : text(body, name);
}

async function readJson(request: IncomingMessage, most = 65_536): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += (chunk as Buffer).length;
    if (length > most) throw new OperatorFailure(413, 'The body is too large.');
    chunks.push(chunk as Buffer);
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // falls through: the same answer as for JSON that is no object
  }
  throw new OperatorFailure(400, 'The body is no JSON object.');
}
