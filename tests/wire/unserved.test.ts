// What the API has and Postern has not is refused by name, in the service's own form: asked by the SDK's client with what it requires, through the
// real edge and pipeline. Of many operations every fourth: one line refuses them all, and the client's own work is what takes the time.

import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ensureFirstState } from '@postern/server/accounts.ts';
import { createAuthorizer } from '@postern/server/authorize/authorize.ts';
import { services as catalogued, loadService } from '@postern/server/catalogue/catalogue.ts';
import type { Protocol } from '@postern/server/catalogue/shapes.ts';
import { createEdge } from '@postern/server/edge/edge.ts';
import { managedPolicyDocument } from '@postern/server/managed-policies.ts';
import { createPipeline } from '@postern/server/pipeline.ts';
import { createServices } from '@postern/server/services.ts';
import { Store } from '@postern/server/store/store.ts';
import { generateInput } from './generate.ts';
import { makeClient } from './world.ts';

const answers: Readonly<Record<Protocol, readonly [code: string, status: number]>> = {
  'ec2-query': ['UnsupportedOperation', 400],
  'aws-query': ['NotImplemented', 501],
  'rest-xml': ['NotImplemented', 501],
  'aws-json-1.0': ['UnknownOperationException', 400],
  'aws-json-1.1': ['UnknownOperationException', 400],
  'rest-json': ['UnknownOperationException', 400],
};

const store = new Store(':memory:');
const dataDirectory = join(tmpdir(), 'postern-unserved');
const { all, s3 } = createServices({ store, dataDirectory, log: () => {} });
const { rootKey } = store.transact((tx) => ensureFirstState(tx, new Date())).value;
const edge = createEdge({
  handle: createPipeline({
    store,
    services: all,
    authorizer: createAuthorizer({ managedPolicyDocument }),
    settings: { auth: 'strict', strictImages: false, quotas: 'off', dataDirectory },
    openAccount: () => undefined,
    prepare: () => {},
    record: () => {},
    clock: () => new Date(),
    log: () => {},
  }),
  pathOf: () => ({ kind: 'internet', sourceIp: '203.0.113.10', secure: false }),
});

before(() => new Promise<void>((resolve) => edge.listen(0, '127.0.0.1', resolve)));
after(() => {
  edge.closeAllConnections();
  edge.close();
  s3.close();
  store.close();
});

/** Only what is required: the least that a client sends. */
const least = () => 0.99;

describe('an operation that is not served says so and names itself', () => {
  for (const { name, operations, protocol } of catalogued()) {
    // CreateBucket of S3 Control is of Outposts and known by its host alone.
    const every = operations.filter(
      (operation) =>
        all.get(name)?.operations[operation] === undefined && `${name}:${operation}` !== 's3-control:CreateBucket',
    );
    const unserved = every.length > 100 ? every.filter((_, at) => at % 4 === 0) : every;
    it(`${name}: ${unserved.length} operations`, async () => {
      const model = loadService(name);
      const { client, command } = await makeClient(name, `http://127.0.0.1:${(edge.address() as AddressInfo).port}`, {
        credentials: { accessKeyId: rootKey.id, secretAccessKey: rootKey.secretAccessKey },
      });
      const [code, status] = answers[protocol];
      const wrong: string[] = [];
      const ask = async (operation: string) => {
        const asked = model.operation(operation);
        assert.ok(asked);
        const wanted = `${code} ${status} Postern does not implement ${name}:${operation}.`;
        const heard = await client
          .send(
            command(
              asked,
              generateInput(asked, least, () => false),
            ),
          )
          .then(
            () => 'an answer',
            (error: Error & { $metadata?: { httpStatusCode?: number } }) =>
              `${error.name} ${error.$metadata?.httpStatusCode} ${error.message}`,
          );
        if (heard !== wanted) wrong.push(`${operation}: ${heard}`);
      };
      for (let at = 0; at < unserved.length; at += 16) await Promise.all(unserved.slice(at, at + 16).map(ask));
      client.destroy();
      assert.deepEqual(wrong, []);
    });
  }
});
