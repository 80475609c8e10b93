// The process of the tables ends when it must not: kill -9 at any moment, and what nobody foresaw. Nothing acknowledged is lost.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import {
  BatchWriteItemCommand,
  CreateTableCommand,
  DescribeTableCommand,
  ListTablesCommand,
  PutItemCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { Engine } from './engine.ts';
import { makeDynamodb, outcome } from './testing.ts';

const table = new CreateTableCommand({
  TableName: 'writes',
  AttributeDefinitions: [
    { AttributeName: 'pk', AttributeType: 'S' },
    { AttributeName: 'even', AttributeType: 'S' },
  ],
  KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'by-even',
      KeySchema: [{ AttributeName: 'even', KeyType: 'HASH' }],
      Projection: { ProjectionType: 'ALL' },
    },
  ],
  BillingMode: 'PAY_PER_REQUEST',
});

it('kill -9 in the middle of writes loses nothing that was acknowledged, and an index never differs from its table', {
  timeout: 120_000,
}, async (t) => {
  const world = await makeDynamodb(t);
  const client = world.client();
  await client.send(table);
  const acknowledged = new Set<string>();
  const failures = new Set<string>();
  let stopped = false;
  const writer = async (name: string) => {
    for (let n = 0; !stopped; n++) {
      const pk = `${name}-${n}`;
      const Item = { pk: { S: pk }, even: { S: String(n % 2) } };
      const put = n % 3 === 0 ? batch(Item, pk) : new PutItemCommand({ TableName: 'writes', Item });
      const became = await outcome(client.send(put as PutItemCommand));
      if (became === 'ok') acknowledged.add(pk);
      else failures.add(became);
    }
  };
  const batch = (Item: Record<string, { S: string }>, pk: string) =>
    new BatchWriteItemCommand({
      RequestItems: {
        writes: [{ PutRequest: { Item } }, { PutRequest: { Item: { ...Item, pk: { S: `${pk}-twin` } } } }],
      },
    });
  const writers = ['a', 'b', 'c', 'd'].map(writer);
  for (let kill = 1; kill <= 4; kill++) {
    await until(() => acknowledged.size >= kill * 40);
    const id = world.dynamodb.processId();
    if (id !== undefined) process.kill(id, 'SIGKILL');
  }
  await until(() => acknowledged.size >= 200);
  stopped = true;
  await Promise.all(writers);
  const items =
    (await client.send(new ScanCommand({ TableName: 'writes' }))).Items?.map((one) => one['pk']?.S ?? '') ?? [];
  const kept = new Set(items);
  assert.deepEqual(
    [...acknowledged].filter((pk) => !kept.has(pk)),
    [],
  );
  const twins = items.filter((pk) => pk.endsWith('-twin'));
  assert.deepEqual(
    twins.filter((pk) => !kept.has(pk.replace('-twin', ''))),
    [],
    'a batch is whole',
  );
  const index = await client.send(new ScanCommand({ TableName: 'writes', IndexName: 'by-even' }));
  assert.deepEqual(index.Items?.map((one) => one['pk']?.S).sort(), [...items].sort());
  assert.deepEqual(
    [...failures].filter((text) => !text.startsWith('InternalServerError: ')),
    [],
  );
  assert.ok(world.notices.length >= 3 && world.notices.every((text) => /ended \(SIGKILL\)/.test(text)), 'it is told');
});

it('a reset leaves no table, and the next use starts again', async (t) => {
  const world = await makeDynamodb(t);
  const client = world.client();
  await client.send(table);
  await Promise.all([world.dynamodb.reset(), outcome(client.send(new ListTablesCommand({})))]);
  assert.deepEqual((await client.send(new ListTablesCommand({}))).TableNames, []);
  assert.match(
    await outcome(client.send(new DescribeTableCommand({ TableName: 'writes' }))),
    /^ResourceNotFoundException/,
  );
  assert.deepEqual(world.notices, [], 'nobody is told of an end that was wanted');
});

/** An engine's program that answers with its own number of requests, and ends at `Crash` as the real one does. */
const crashing = `
let count = 0;
process.on('message', ({ id, operation }) => {
  count++;
  if (operation === 'Crash') setTimeout(() => {
    process.stderr.write('Error: nobody foresaw this\\n');
    process.send({ id, crashed: 'nobody foresaw this' }, undefined, undefined, () => process.exit(1));
  }, 50);
  else if (operation === 'Slow') setTimeout(() => process.send({ id, output: { count } }), 100);
  else process.send({ id, output: { count } });
});
`;

it('what ends the process is answered InternalServerError; those behind it are asked again of the next', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-engine-'));
  const program = join(directory, 'engine.mjs');
  writeFileSync(program, crashing);
  const notices: string[] = [];
  const engine = new Engine({ file: join(directory, 'tables.db'), program, notice: (text) => notices.push(text) });
  t.after(async () => {
    await engine.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const space = { partition: 'aws', accountId: '123456789012', region: 'us-east-1' };
  assert.deepEqual(await engine.run(space, 'Any', {}), { count: 1 });
  const before = engine.processId;
  const [crash, behind] = await Promise.allSettled([engine.run(space, 'Crash', {}), engine.run(space, 'Slow', {})]);
  assert.equal(crash.status === 'rejected' && crash.reason.code, 'InternalServerError');
  assert.deepEqual(behind, { status: 'fulfilled', value: { count: 1 } });
  assert.notEqual(engine.processId, before);
  assert.equal(notices.length, 1);
  assert.match(notices[0] ?? '', /ended \(status 1\nError: nobody foresaw this/);
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
