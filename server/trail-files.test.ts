// Trails to the bytes: what is recorded is in the bucket, as the bucket's policy lets it.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createServiceCaller } from './as-service.ts';
import { createAuthorizer } from './authorize/authorize.ts';
import { managedPolicyDocument } from './managed-policies.ts';
import type { StreamingBody } from './service.ts';
import { createS3 } from './services/s3/index.ts';
import { bytesOf } from './services/s3/testing.ts';
import type { TrailRow, TrailSelector } from './store/rows/cloudtrail.ts';
import { makeBaseCall, makeStore, runOperation, testAccountId } from './testing.ts';
import { TrailDelivery } from './trail/delivery.ts';
import { EventHistory } from './trail/event-history.ts';
import { served } from './trail/testing.ts';
import { putLogFile } from './trail-files.ts';

const arn = `arn:aws:cloudtrail:us-east-1:${testAccountId}:trail/main`;
const policy = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { Service: 'cloudtrail.amazonaws.com' },
      Action: 's3:PutObject',
      Resource: `arn:aws:s3:::logs/net/AWSLogs/${testAccountId}/*`,
      Condition: { StringEquals: { 'aws:SourceArn': arn, 's3:x-amz-acl': 'bucket-owner-full-control' } },
    },
  ],
});

type Told = Record<string, unknown>;
const names = (records: readonly Told[]) => records.map((record) => record['eventName']);

async function world(t: TestContext, more: Partial<TrailRow> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'postern-trail-files-'));
  const store = makeStore();
  const s3 = createS3(store, directory);
  const services = new Map([['s3', s3.service]]);
  const fail = (error: Error): never => {
    throw error;
  };
  const history = new EventHistory({ directory, store, onError: fail });
  const authorizer = createAuthorizer({ managedPolicyDocument, serviceOf: (prefix) => services.get(prefix) });
  const call = createServiceCaller({ store, services, authorizer, settings: makeBaseCall().settings });
  const start = () =>
    new TrailDelivery({
      ...{ store, history, clock: () => new Date() },
      log: (text) => fail(new Error(text)),
      put: (trail, Key, Body, now) => putLogFile(store, call, trail, { Key, Body }, now),
    });
  const run = <O = object>(name: string, input: object) => runOperation<O>(store, s3.service, name, input);
  const allow = (text: string) => run('PutBucketPolicy', { Bucket: 'logs', Policy: text });
  await run('CreateBucket', { Bucket: 'logs' });
  await allow(policy);
  const row: TrailRow = {
    id: arn,
    accountId: testAccountId,
    region: 'us-east-1',
    name: 'main',
    bucket: 'logs',
    prefix: 'net',
    includeGlobalServiceEvents: true,
    isMultiRegion: true,
    tags: {},
    isLogging: true,
    startedAt: '2026-11-21T08:00:00.000Z',
    deliveredPlace: Date.now() * 1000 - 1,
    ...more,
  };
  store.transact((tx) => tx.put('trail', row));
  const deliveries = [start()];
  t.after(async () => {
    for (const each of deliveries) await each.close();
    s3.close();
    store.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    store,
    history,
    allow,
    deliver: () => deliveries.at(-1)?.deliver(),
    restart: () => deliveries.push(start()),
    trail: () => store.read((tx) => tx.get('trail', arn)),
    /** Key → records, of every file. */
    async files(): Promise<Map<string, Told[]>> {
      const { Contents = [] } = await run<{ Contents?: { Key: string }[] }>('ListObjectsV2', { Bucket: 'logs' });
      const files = new Map<string, Told[]>();
      for (const { Key } of Contents) {
        const { Body } = await run<{ Body: unknown }>('GetObject', { Bucket: 'logs', Key });
        const { Records } = JSON.parse(gunzipSync(await bytesOf(Body as StreamingBody)).toString()) as {
          Records: Told[];
        };
        files.set(Key, Records);
      }
      return files;
    },
  };
}

test('records come into the bucket, a file for each Region, the oldest first, and each once', async (t) => {
  const { history, deliver, files, restart } = await world(t);
  history.record(...served('ec2:CreateVpc'));
  history.record(...served('ec2:DescribeVpcs'));
  history.record(...served('ec2:CreateSubnet', { event: { region: 'eu-west-1' } }));
  history.record(...served('s3:PutObject'));
  await deliver();
  const found = [...(await files())].sort();
  assert.deepEqual(
    found.map(([, records]) => names(records)),
    [['CreateSubnet'], ['CreateVpc', 'DescribeVpcs']],
  );
  const form = new RegExp(
    `^net/AWSLogs/${testAccountId}/CloudTrail/us-east-1/\\d{4}/\\d\\d/\\d\\d/${testAccountId}_CloudTrail_us-east-1_\\d{8}T\\d{4}Z_[A-Za-z0-9]{16}\\.json\\.gz$`,
  );
  assert.match(found[1]?.[0] ?? '', form);
  restart();
  await deliver();
  assert.equal((await files()).size, 2, 'nothing new, no file');
});

test('object-level calls are there when they are selected, with the road that they took', async (t) => {
  const dataResources = [{ type: 'AWS::S3::Object', values: ['arn:aws:s3:::notes/'] }];
  const selectors: TrailSelector[] = [
    { readWriteType: 'All', includeManagementEvents: false, dataResources, excludedSources: [] },
  ];
  const { history, deliver, files } = await world(t, { selectors });
  const path = {
    kind: 'endpoint',
    vpcEndpointId: 'vpce-1',
    vpcId: 'vpc-1',
    sourceIp: '10.0.0.7',
    secure: true,
  } as const;
  const put = (resource: string) => served('s3:PutObject', { event: { resource, path: path as never } });
  history.record(...put('arn:aws:s3:::notes/a'));
  history.record(...put('arn:aws:s3:::others/a'));
  history.record(...served('ec2:CreateVpc'));
  await deliver();
  const [records = []] = (await files()).values();
  assert.equal(records.length, 1);
  const { eventName, eventCategory, vpcEndpointId, sourceIPAddress } = records[0] ?? {};
  assert.deepEqual(
    [eventName, eventCategory, vpcEndpointId, sourceIPAddress],
    ['PutObject', 'Data', 'vpce-1', '10.0.0.7'],
  );
});

test('a bucket that no longer lets CloudTrail write is told of, and gets everything when it does again', async (t) => {
  const { history, allow, deliver, files, trail } = await world(t);
  await allow(policy.replace(arn, `${arn}-other`));
  history.record(...served('ec2:CreateVpc'));
  await deliver();
  assert.equal(trail()?.deliveryError, 'AccessDenied');
  assert.equal((await files()).size, 0);
  await allow(policy);
  await deliver();
  assert.deepEqual([...(await files()).values()].map(names), [['CreateVpc']]);
  assert.equal(trail()?.deliveryError, undefined);
  assert.ok(trail()?.deliveredAt);
});

test('what was recorded before the end of logging is delivered, what comes after is not', async (t) => {
  const { history, deliver, files, store, trail } = await world(t);
  history.record(...served('ec2:CreateVpc'));
  let place = 0;
  for await (const one of history.find({ accountId: testAccountId, now: new Date() })) place = one.place;
  const row = trail();
  assert.ok(row);
  store.transact((tx) => tx.put('trail', { ...row, isLogging: false, lastPlace: place }));
  history.record(...served('ec2:CreateSubnet'));
  await deliver();
  await deliver();
  assert.deepEqual([...(await files()).values()].map(names), [['CreateVpc']]);
  assert.equal(trail()?.lastPlace, undefined);
});
