import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makeStore, testAccountId } from '../testing.ts';
import { EventHistory, type HistoryQuestion } from './event-history.ts';
import { JsonLines } from './json-lines.ts';
import { served } from './testing.ts';

const store = makeStore();
const everything = (): HistoryQuestion => ({ accountId: testAccountId, region: 'us-east-1', now: new Date() });

function withDirectory(work: (directory: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const directory = mkdtempSync(join(tmpdir(), 'postern-history-'));
    try {
      await work(directory);
    } finally {
      rmSync(directory, { recursive: true });
    }
  };
}

const open = (directory: string) =>
  new EventHistory({
    directory,
    store,
    onError: (error) => {
      throw error;
    },
  });

async function names(history: EventHistory, question: Partial<HistoryQuestion> = {}): Promise<string[]> {
  const found: string[] = [];
  for await (const { text } of history.find({ ...everything(), ...question }))
    found.push((JSON.parse(text) as { eventName: string }).eventName);
  return found;
}

describe('event history', () => {
  it(
    '[L5] tells management calls, the newest first, whether they read or write, and no data events',
    withDirectory(async (directory) => {
      const history = open(directory);
      for (const name of ['ec2:CreateVpc', 'ec2:DescribeVpcs', 's3:PutObject', 'dynamodb:GetItem', 's3:ListBuckets'])
        history.record(...served(name));
      history.record(...served('iam:CreateUser'));
      assert.deepEqual(await names(history), ['CreateUser', 'ListBuckets', 'DescribeVpcs', 'CreateVpc']);
      assert.deepEqual(await names(history, { readOnly: true }), ['ListBuckets', 'DescribeVpcs']);
      const kept = ['CreateUser', 'ListBuckets', 'DescribeVpcs', 'CreateVpc'];
      assert.deepEqual(await names(history, { withData: true }), kept, 'no trail wants data events, so none is kept');
      assert.deepEqual(await names(history, { containing: '"eventName":"CreateVpc"' }), ['CreateVpc']);
    }),
  );

  it(
    'keeps accounts and Regions apart; IAM’s calls are in us-east-1 wherever they were signed for',
    withDirectory(async (directory) => {
      const history = open(directory);
      history.record(...served('ec2:CreateVpc', { event: { region: 'eu-west-1' } }));
      history.record(...served('iam:CreateUser', { event: { region: 'eu-west-1' } }));
      history.record(...served('sts:GetCallerIdentity', { event: { region: 'eu-west-1' } }));
      assert.deepEqual(await names(history), ['CreateUser']);
      assert.deepEqual(await names(history, { region: 'eu-west-1' }), ['GetCallerIdentity', 'CreateVpc']);
      assert.deepEqual(await names(history, { accountId: '210987654321' }), []);
    }),
  );

  it(
    'goes on where a page ended, and ends at the oldest time that is wanted',
    withDirectory(async (directory) => {
      const history = open(directory);
      for (const name of ['CreateVpc', 'CreateSubnet', 'CreateRouteTable']) history.record(...served(`ec2:${name}`));
      const places: number[] = [];
      for await (const { place } of history.find(everything())) places.push(place);
      assert.equal(places.length, 3);
      assert.deepEqual(await names(history, { before: places[1] ?? 0 }), ['CreateVpc']);
      assert.deepEqual(await names(history, { since: new Date(Date.now() + 60_000) }), []);
      const inNinetyDays = new Date(Date.now() + 90 * 24 * 3600 * 1000 + 60_000);
      assert.deepEqual(await names(history, { now: inNinetyDays }), []);
    }),
  );

  it(
    'finds its records again after a restart, also after an end that cut a line off, in files for the owner alone',
    withDirectory(async (directory) => {
      const first = open(directory);
      first.record(...served('ec2:CreateVpc'));
      await first.flush();
      first.record(...served('ec2:CreateSubnet'));
      first.close();
      const file = join(directory, 'events-write.jsonl');
      assert.equal(statSync(file).mode & 0o777, 0o600);
      appendFileSync(file, `[${Date.now() * 1000},"${testAccountId}","us-east-1",{"eventName":"Torn`);
      const second = open(directory);
      second.record(...served('ec2:CreateRouteTable'));
      assert.deepEqual(await names(second), ['CreateRouteTable', 'CreateSubnet', 'CreateVpc']);
    }),
  );

  it(
    'forgets everything when it is cleared',
    withDirectory(async (directory) => {
      const history = open(directory);
      history.record(...served('ec2:CreateVpc'));
      history.record(...served('ec2:DescribeVpcs'));
      await history.clear();
      assert.deepEqual(await names(history), []);
    }),
  );
});

describe('lines of a file and its predecessor', () => {
  it(
    'come newest first, however long they are',
    withDirectory(async (directory) => {
      const lines = new JsonLines<string>({
        file: join(directory, 'lines.jsonl'),
        maxFileBytes: 900_000,
        onError: (error) => {
          throw error;
        },
      });
      // Shorter and longer than what is read at a time, and a file that has become the predecessor.
      const values = [10, 300_000, 1, 200_000, 600_000, 5, 400_000, 7].map(
        (length, index) => `${index}-${'é'.repeat(length)}`,
      );
      for (const value of values) {
        lines.append(value);
        await lines.flush();
      }
      const read: string[] = [];
      for await (const line of lines.linesNewestFirst()) read.push(JSON.parse(line) as string);
      assert.ok(read.length >= 4, `${read.length} lines`);
      assert.deepEqual(read, values.slice(-read.length).reverse());
    }),
  );
});
