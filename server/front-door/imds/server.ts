// The instance metadata service, v1 and v2 (H1–H7). Order of checks: who asks (by address) → endpoint enabled → method → token → path.
// The hop limit (H4) is not here: it is the TTL of our packets, which the fabric sets.

import { createPrivateKey, generateKeyPair, randomBytes, sign } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { InstanceId, Ipv4, Ipv6, VpcId } from '@postern/network/snapshot.ts';
import type { Store } from '../../store/store.ts';
import { instanceAt, instanceFacts } from './facts.ts';
import { parseTtl, Tokens, tokenHeader, ttlHeader } from './tokens.ts';
import { type InstanceFacts, identityDocument, lookUp, metadataTree } from './tree.ts';

export type Delivery = '1.0' | '2.0';

/** As the session service issues them; see H5 for the document. */
export type IssuedCredentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly roleName: string; readonly code: string; readonly message: string }
  | {
      readonly kind: 'issued';
      readonly roleName: string;
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
      readonly token: string;
      readonly lastUpdated: string;
      readonly expiration: string;
    };

export interface MetadataOptions {
  readonly store: Pick<Store, 'read'>;
  /** The role's credentials, durable before they are given out; `privateIp` is the primary interface's. */
  readonly credentials: (instanceId: InstanceId, delivery: Delivery, privateIp: Ipv4) => Promise<IssuedCredentials>;
  /** Where the key that signs identity documents is kept. */
  readonly dataDirectory: string;
  readonly now?: () => Date;
}

export interface MetadataService {
  /** Serves a connection of whoever holds `sourceIp` in that VPC. */
  accept(socket: Socket, from: { readonly vpcId: VpcId; readonly sourceIp: Ipv4 | Ipv6 }): void;
}

/** Version directories that clients name; all show the same tree. */
const versions = [
  '1.0',
  '2007-01-19',
  '2007-03-01',
  '2009-04-04',
  '2011-05-01',
  '2012-01-12',
  '2014-02-25',
  '2016-09-02',
  '2018-09-24',
  '2019-10-01',
  '2020-10-27',
  '2021-01-03',
  '2021-03-23',
  '2021-07-15',
  '2022-07-09',
  '2022-09-24',
  'latest',
];

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found', 405: 'Method Not Allowed', 500: 'Internal Server Error',
}; // biome-ignore format: a table

function errorPage(status: number): string {
  const title = `${status} - ${titles[status] ?? 'Error'}`;
  return `<?xml version="1.0" encoding="iso-8859-1"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"
	"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
 <head>
  <title>${title}</title>
 </head>
 <body>
  <h1>${title}</h1>
 </body>
</html>
`;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Record<string, string>;
}

const fail = (status: number, headers?: Record<string, string>): Answer => ({
  status,
  body: errorPage(status),
  headers: { 'Content-Type': 'text/html', ...headers },
});
const succeed = (body: string, headers?: Record<string, string>): Answer => ({
  status: 200,
  body,
  headers: { 'Content-Type': 'text/plain', ...headers },
});

/** The credentials as the SDKs read them. */
export function credentialsDocument(issued: Exclude<IssuedCredentials, { kind: 'none' }>, now: Date): string {
  const document =
    issued.kind === 'failed'
      ? { Code: issued.code, Message: issued.message, LastUpdated: `${now.toISOString().slice(0, 19)}Z` }
      : {
          Code: 'Success',
          LastUpdated: issued.lastUpdated,
          Type: 'AWS-HMAC',
          AccessKeyId: issued.accessKeyId,
          SecretAccessKey: issued.secretAccessKey,
          Token: issued.token,
          Expiration: issued.expiration,
        };
  return JSON.stringify(document, null, 2);
}

/** The path's parts, without empty ones; undefined when it cannot be read. */
function partsOf(url: string): string[] | undefined {
  try {
    return (url.split('?')[0] ?? '')
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

interface Request {
  readonly method: string;
  readonly url: string;
  readonly header: (name: string) => string | undefined;
}

class Metadata implements MetadataService {
  readonly #options: MetadataOptions;
  readonly #tokens = new Tokens(randomBytes(32));
  readonly #froms = new WeakMap<Socket, { vpcId: VpcId; sourceIp: Ipv4 | Ipv6 }>();
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  #signer: Promise<string> | undefined;

  constructor(options: MetadataOptions) {
    this.#options = options;
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  accept(socket: Socket, from: { vpcId: VpcId; sourceIp: Ipv4 | Ipv6 }): void {
    this.#froms.set(socket, from);
    this.#server.emit('connection', socket);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume();
    const from = this.#froms.get(request.socket);
    const header = (name: string) => {
      const value = request.headers[name];
      return Array.isArray(value) ? value[0] : value;
    };
    let answer: Answer;
    try {
      answer = from
        ? await this.#answer({ method: request.method ?? '', url: request.url ?? '/', header }, from)
        : fail(404);
    } catch (error) {
      process.stderr.write(`postern: metadata: ${(error as Error).stack ?? String(error)}\n`);
      answer = fail(500);
    }
    // Latin-1: user data is bytes, and every other text is ASCII but for tags, which are encoded as UTF-8 before they come here.
    const body = Buffer.from(answer.body, 'latin1');
    response.writeHead(answer.status, {
      ...answer.headers,
      'Content-Length': body.length,
      Server: 'EC2ws',
      'Accept-Ranges': 'none',
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  async #answer(request: Request, from: { vpcId: VpcId; sourceIp: Ipv4 | Ipv6 }): Promise<Answer> {
    const now = this.#options.now?.() ?? new Date();
    const facts = this.#options.store.read((tx) => {
      const instance = instanceAt(tx, from.vpcId, from.sourceIp);
      return instance && instanceFacts(tx, instance, now);
    });
    if (!facts) return fail(404);
    const { id, metadataOptions } = facts.instance;
    if (metadataOptions.httpEndpoint === 'disabled') return fail(403);
    const parts = partsOf(request.url);
    if (!parts) return fail(400);
    if (request.method === 'PUT') return this.#issueToken(request, parts, id, now);
    if (request.method !== 'GET' && request.method !== 'HEAD') return fail(405, { Allow: 'OPTIONS, GET, HEAD, PUT' });
    const token = request.header(tokenHeader);
    const left = token === undefined ? undefined : this.#tokens.check(id, token, now);
    if (left === undefined && (token !== undefined || metadataOptions.httpTokens === 'required')) return fail(401);
    const answer = await this.#find(facts, parts, token === undefined ? '1.0' : '2.0');
    return left === undefined
      ? answer
      : { ...answer, headers: { ...answer.headers, 'X-Aws-Ec2-Metadata-Token-Ttl-Seconds': String(left) } };
  }

  #issueToken(request: Request, parts: readonly string[], instanceId: string, now: Date): Answer {
    // A dated version's path is refused; so is anything that a proxy forwarded (H2).
    if (parts.join('/') !== 'latest/api/token') return fail(403);
    if (request.header('x-forwarded-for') !== undefined) return fail(403);
    const ttlSeconds = parseTtl(request.header(ttlHeader));
    if (ttlSeconds === undefined) return fail(400);
    const { status, body, headers } = succeed(this.#tokens.issue(instanceId, ttlSeconds, now));
    // First: the fabric knows this answer, the only one with a hop limit (H4), by how it begins (tokenAnswerBeginning).
    return { status, body, headers: { 'X-Aws-Ec2-Metadata-Token-Ttl-Seconds': String(ttlSeconds), ...headers } };
  }

  async #find(facts: InstanceFacts, parts: readonly string[], delivery: Delivery): Promise<Answer> {
    const [version, ...rest] = parts;
    if (version === undefined) return succeed(versions.join('\n'));
    if (!versions.includes(version)) return fail(404);
    const found = lookUp(metadataTree(facts), rest);
    if (found.kind === 'missing') return fail(404);
    if (found.kind === 'text') {
      const text =
        found.contentType === 'application/octet-stream' ? found.text : Buffer.from(found.text).toString('latin1');
      return succeed(text, { 'Content-Type': found.contentType });
    }
    if (found.what === 'signature') return succeed(await this.#sign(identityDocument(facts)));
    const privateIp = facts.interfaces[0]?.row.privateAddresses[0]?.address ?? '';
    const issued = await this.#options.credentials(facts.instance.id, delivery, privateIp);
    return issued.kind === 'none' ? fail(404) : succeed(credentialsDocument(issued, facts.now));
  }

  /** Base64 in lines of 64, as AWS's. Gap: the key is Postern's own, so AWS's certificate does not verify it. */
  async #sign(document: string): Promise<string> {
    this.#signer ??= identityKey(this.#options.dataDirectory);
    const signature = sign('sha256', Buffer.from(document), createPrivateKey(await this.#signer)).toString('base64');
    return (signature.match(/.{1,64}/g) ?? []).join('\n');
  }
}

async function identityKey(directory: string): Promise<string> {
  const file = join(directory, 'instance-identity-key.pem');
  if (existsSync(file)) return readFileSync(file, 'utf8');
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const text = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  writeFileSync(file, text, { mode: 0o600 });
  return text;
}

/** The metadata service; give it connections by `accept`. */
export function createMetadata(options: MetadataOptions): MetadataService {
  return new Metadata(options);
}
