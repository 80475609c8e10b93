// DynamoDB behind a real edge and pipeline on a loopback port, with the SDK's client in front of it. Used by tests only.

import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ensureFirstState } from '../../accounts.ts';
import { createAuthorizer } from '../../authorize/authorize.ts';
import { createEdge } from '../../edge/edge.ts';
import { managedPolicyDocument } from '../../managed-policies.ts';
import type { RequestEvent } from '../../operator/api.ts';
import type { RequestPath } from '../../path.ts';
import { createPipeline } from '../../pipeline.ts';
import { Store, type Transaction } from '../../store/store.ts';
import { createDynamodb, type DynamodbService } from './index.ts';

export const overInternet: RequestPath = { kind: 'internet', sourceIp: '203.0.113.10', secure: false };

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface DynamodbWorld {
  readonly store: Store;
  readonly dynamodb: DynamodbService;
  /** What was noticed of the engine's ends. */
  readonly notices: string[];
  readonly events: RequestEvent[];
  readonly root: Keys;
  /** The road of the requests from now on. */
  come(path: RequestPath): void;
  client(keys?: Keys, region?: string): DynamoDBClient;
  /** A user with one inline policy. */
  user(name: string, ...statements: object[]): Keys;
  /** Another account's root. */
  account(id: string): Keys;
}

/** Everything goes with the test. */
export async function makeDynamodb(t: Pick<TestContext, 'after'>): Promise<DynamodbWorld> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-dynamodb-'));
  const store = new Store(':memory:');
  const notices: string[] = [];
  const events: RequestEvent[] = [];
  const dynamodb = createDynamodb(directory, (text) => notices.push(text));
  const { rootKey } = store.transact((tx) => ensureFirstState(tx, new Date())).value;
  let path = overInternet;
  const handle = createPipeline({
    store,
    services: new Map([['dynamodb', dynamodb.service]]),
    authorizer: createAuthorizer({ managedPolicyDocument }),
    settings: { auth: 'strict', strictImages: false, quotas: 'off', dataDirectory: directory },
    openAccount: () => undefined,
    prepare: () => {},
    record: (event) => events.push(event),
    clock: () => new Date(),
    log: (text) => notices.push(text),
  });
  const server = createEdge({ handle, pathOf: () => path });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const clients: DynamoDBClient[] = [];
  t.after(async () => {
    for (const client of clients) client.destroy();
    server.closeAllConnections();
    server.close();
    await dynamodb.close();
    store.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const root = { accessKeyId: rootKey.id, secretAccessKey: rootKey.secretAccessKey };
  let lastKey = 0;
  const newKey = (
    tx: Transaction,
    accountId: string,
    owner: { kind: 'root' } | { kind: 'user'; userName: string },
  ): Keys => {
    const id = `AKIATEST${++lastKey}`;
    const secretAccessKey = `secret-${lastKey}`;
    tx.put('access-key', {
      id,
      accountId,
      region: 'global',
      secretAccessKey,
      status: 'Active',
      createDate: new Date().toISOString(),
      owner,
    });
    return { accessKeyId: id, secretAccessKey };
  };
  return {
    store,
    dynamodb,
    notices,
    events,
    root,
    come: (road) => {
      path = road;
    },
    client: (keys = root, region = 'us-east-1') => {
      const client = new DynamoDBClient({
        endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        region,
        credentials: keys,
        maxAttempts: 1,
      });
      clients.push(client);
      return client;
    },
    user: (userName, ...statements) =>
      store.transact((tx) => {
        const accountId = rootKey.accountId;
        tx.put('user', {
          id: `${accountId}/${userName}`,
          accountId,
          region: 'global',
          userName,
          userId: `AIDA${userName.toUpperCase()}`,
          path: '/',
          createDate: new Date().toISOString(),
          attachedPolicyArns: [],
          inlinePolicies: { own: JSON.stringify({ Version: '2012-10-17', Statement: statements }) },
          tags: {},
        });
        return newKey(tx, accountId, { kind: 'user', userName });
      }).value,
    account: (id) => store.transact((tx) => newKey(tx, id, { kind: 'root' })).value,
  };
}

/** What became of a call: `ok`, or AWS's code and message. */
export async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'ok';
  } catch (error) {
    const { name, message } = error as Error;
    return `${name}: ${message}`;
  }
}
