// S3 behind a real edge and pipeline on a loopback port, for tests that need real sockets. Keys are not checked, so that a request can be written by hand.

import fs from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { ensureFirstState } from '@postern/server/accounts.ts';
import { createAuthorizer } from '@postern/server/authorize/authorize.ts';
import { createEdge } from '@postern/server/edge/edge.ts';
import { managedPolicyDocument } from '@postern/server/managed-policies.ts';
import type { RequestEvent } from '@postern/server/operator/api.ts';
import { createPipeline } from '@postern/server/pipeline.ts';
import { createS3, type S3Service } from '@postern/server/services/s3/index.ts';
import { Store } from '@postern/server/store/store.ts';

export interface S3Server {
  readonly client: S3Client;
  readonly port: number;
  readonly store: Store;
  readonly s3: S3Service;
  /** One for each request that was answered or given up. */
  readonly events: RequestEvent[];
  /** What was logged: bugs. */
  readonly bugs: string[];
  /** Every body that is kept, in a file or, when small, in the database. */
  bodies(): string[];
  /** Settles when this many requests have an event. */
  requests(count: number): Promise<void>;
  close(): Promise<void>;
}

/** @param dataDirectory a fresh one by default, which goes with the server */
export async function startS3(dataDirectory?: string): Promise<S3Server> {
  const directory = dataDirectory ?? fs.mkdtempSync(join(tmpdir(), 'postern-s3-wire-'));
  const store = new Store(':memory:');
  const s3 = createS3(store, directory);
  const events: RequestEvent[] = [];
  const bugs: string[] = [];
  let told = () => {};
  store.transact((tx) => ensureFirstState(tx, new Date()));
  const handle = createPipeline({
    store,
    services: new Map([['s3', s3.service]]),
    authorizer: createAuthorizer({ managedPolicyDocument }),
    settings: { auth: 'open', strictImages: false, quotas: 'off', dataDirectory: directory },
    openAccount: () => '123456789012',
    prepare: () => {},
    record: (event) => {
      events.push(event);
      told();
    },
    clock: () => new Date(),
    log: (text) => bugs.push(text),
  });
  const server = createEdge({ handle, pathOf: () => ({ kind: 'internet', sourceIp: '203.0.113.10', secure: false }) });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' },
  });
  const objects = join(directory, 'objects');
  return {
    client,
    port,
    store,
    s3,
    events,
    bugs,
    bodies: () => [...filesIn(objects), ...store.bytesIds()].sort(),
    requests: async (count) => {
      while (events.length < count) await new Promise<void>((resolve) => (told = resolve));
    },
    close: async () => {
      client.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      s3.close();
      store.close();
      if (dataDirectory === undefined) fs.rmSync(directory, { recursive: true, force: true });
    },
  };
}

function filesIn(directory: string): string[] {
  if (!fs.existsSync(directory)) return [];
  return fs
    .readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The head of a request as a client writes it; any signature does. */
export function headOf(method: string, url: string, headers: Readonly<Record<string, string | number>>): string {
  const time = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
  const all = {
    host: '127.0.0.1',
    'x-amz-date': time,
    'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
    authorization: `AWS4-HMAC-SHA256 Credential=AKIATEST/${time.slice(0, 8)}/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${url} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** Sends bytes and cuts the connection once the kernel has them. */
export function sendAndCut(port: number, ...pieces: readonly (string | Uint8Array)[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.write(Buffer.concat(pieces.map((piece) => Buffer.from(piece))), () => socket.destroy());
    });
    socket.on('error', reject).on('close', () => resolve());
  });
}
