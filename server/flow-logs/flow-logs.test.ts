// From counted packets to files in a bucket: the loop with a clock that stands still, a fabric that tells what it is told, and S3 as it is.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { FlowCount, FlowCounts } from '@postern/fabric/types.ts';
import { createServiceCaller } from '../as-service.ts';
import { createAuthorizer } from '../authorize/authorize.ts';
import { FakeClock } from '../control/testing.ts';
import { managedPolicyDocument } from '../managed-policies.ts';
import type { StreamingBody } from '../service.ts';
import { ensureRegion } from '../services/ec2/default-vpc.ts';
import { ec2 } from '../services/ec2/index.ts';
import { makeSubnet, makeVpc, putInterface } from '../services/ec2/testing.ts';
import { logs } from '../services/logs/index.ts';
import { bytesOf, makeS3 } from '../services/s3/testing.ts';
import { awsError, makeBaseCall, runOperation, testAccountId, testNow } from '../testing.ts';
import { FlowLogs } from './flow-logs.ts';

const nothing: FlowCounts = { flows: [], skipped: [], failures: [] };

async function makeCloud(t: TestContext) {
  const { store, s3, run } = makeS3(t);
  await store.transact((tx) => ensureRegion(tx, testAccountId, 'us-east-1', testNow)).durable;
  const services = new Map([ec2, logs, s3.service].map((service) => [service.name, service]));
  const authorizer = createAuthorizer({ managedPolicyDocument, serviceOf: (prefix) => services.get(prefix) });
  const clock = new FakeClock(testNow);
  const logged: string[] = [];
  const fabric = { counts: nothing, flowCounts: async () => fabric.counts };
  const call = createServiceCaller({ store, services, authorizer, settings: makeBaseCall().settings });
  const flowLogs = new FlowLogs({ ...{ store, fabric, call, clock }, partitionOf: () => 'aws', log: (text) => logged.push(text) }); // biome-ignore format: few words
  const world = { store, run: <O>(name: string, input: unknown = {}) => runOperation<O>(store, ec2, name, input) };
  const vpcId = await makeVpc(world as never);
  const subnetId = await makeSubnet(world as never, vpcId);
  const { networkInterfaceId, instanceId } = putInterface(world as never, vpcId, subnetId, '10.0.0.10', { instance: 'running' }); // biome-ignore format: few words
  await run('CreateBucket', { Bucket: 'logs' });
  const create = async (input: object = {}) => {
    const what = { ResourceType: 'VPC', ResourceIds: [vpcId], TrafficType: 'ALL', LogDestinationType: 's3', LogDestination: 'arn:aws:s3:::logs/net/' };
    const made = await world.run<{ FlowLogIds: string[] }>('CreateFlowLogs', { ...what, ...input });
    return made.FlowLogIds[0] ?? '';
  }; // biome-ignore format: few words
  const files = async () => {
    const { Contents = [] } = await run<{ Contents?: { Key: string }[] }>('ListObjectsV2', { Bucket: 'logs' });
    return Contents.map(({ Key }) => Key);
  };
  const lines = async (key: string) => {
    const { Body } = await run<{ Body: StreamingBody }>('GetObject', { Bucket: 'logs', Key: key });
    return gunzipSync(await bytesOf(Body))
      .toString()
      .trimEnd()
      .split('\n');
  };
  const flow = (options: Partial<FlowCount> = {}): FlowCount => ({
    ...{ networkInterfaceId, direction: 'egress', action: 'ACCEPT', path: 'vpc', protocol: 17, tcpFlags: 0 },
    ...{ sourceAddress: '10.0.0.10', destinationAddress: '10.0.0.11', sourcePort: 5000, destinationPort: 53 },
    ...{ packets: 2, bytes: 100, firstAtMs: clock.now().getTime() },
    ...options,
  });
  return { ...world, s3: run, clock, fabric, flowLogs, create, files, lines, flow, logged, vpcId, subnetId, networkInterfaceId, instanceId }; // biome-ignore format: few words
}

/** Time goes on by a minute, and what that starts is over. */
async function minute({ clock, flowLogs }: Awaited<ReturnType<typeof makeCloud>>, times = 1) {
  for (let index = 0; index < times; index += 1) {
    clock.advance(60_000);
    await flowLogs.settled();
  }
}

test('[L13] records are in a gzipped file under AWS’s key, with the names of the fields first', async (t) => {
  const cloud = await makeCloud(t);
  const id = await cloud.create();
  cloud.fabric.counts = { ...nothing, flows: [cloud.flow()] };
  await cloud.flowLogs.flush();
  const [key = '', ...others] = await cloud.files();
  assert.deepEqual(others, []);
  assert.match(
    key,
    new RegExp(
      `^net/AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/11/21/123456789012_vpcflowlogs_us-east-1_${id}_20261121T0800Z_[0-9a-f]{8}\\.log\\.gz$`,
    ),
  );
  const [heading, ...records] = await cloud.lines(key);
  assert.equal(heading, 'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'); // biome-ignore format: one line
  const at = testNow.getTime() / 1000;
  assert.deepEqual(records, [
    `2 123456789012 ${cloud.networkInterfaceId} 10.0.0.10 10.0.0.11 5000 53 17 2 100 ${at} ${at} ACCEPT OK`,
  ]);
});

test('[L13] the folders have names for Hive, and one more for the hour, where the log says so', async (t) => {
  const cloud = await makeCloud(t);
  await cloud.create({ DestinationOptions: { HiveCompatiblePartitions: true, PerHourPartition: true } });
  await cloud.flowLogs.flush();
  const [key = ''] = await cloud.files();
  assert.match(
    key,
    /^net\/AWSLogs\/aws-account-id=123456789012\/aws-service=vpcflowlogs\/aws-region=us-east-1\/year=2026\/month=11\/day=21\/hour=08\/123456789012_/,
  );
});

test('[L13] without being asked it delivers every five minutes, what was counted in one minute as one record', async (t) => {
  const cloud = await makeCloud(t);
  await cloud.create({ MaxAggregationInterval: 60 });
  cloud.fabric.counts = { ...nothing, flows: [cloud.flow()] };
  await minute(cloud);
  cloud.fabric.counts = nothing;
  await minute(cloud, 3);
  assert.deepEqual(await cloud.files(), []);
  await minute(cloud);
  const [key = ''] = await cloud.files();
  const statuses = (await cloud.lines(key)).slice(1).map((line) => line.split(' ').at(-1));
  assert.deepEqual(statuses, ['OK', 'NODATA', 'NODATA', 'NODATA', 'NODATA']);
});

test('[L13] ten minutes are one window, but on an instance of Nitro none is longer than a minute', async (t) => {
  const cloud = await makeCloud(t);
  cloud.store.transact((tx) => {
    const row = tx.get('instance', cloud.instanceId);
    if (row) tx.put('instance', { ...row, instanceType: 't2.micro' });
  });
  await cloud.create({ MaxAggregationInterval: 600 });
  cloud.fabric.counts = { ...nothing, flows: [cloud.flow()] };
  await minute(cloud, 10);
  const [key = ''] = await cloud.files();
  const records = (await cloud.lines(key)).slice(1).map((line) => line.split(' ').slice(8, 10).join(' '));
  assert.deepEqual(records, ['20 1000']);
});

test('[L6] a log of one action, of one subnet or interface, is told of that alone', async (t) => {
  const cloud = await makeCloud(t);
  await cloud.create({ TrafficType: 'REJECT', LogDestination: 'arn:aws:s3:::logs/vpc' });
  await cloud.create({ ResourceType: 'NetworkInterface', ResourceIds: [cloud.networkInterfaceId], LogDestination: 'arn:aws:s3:::logs/eni' }); // biome-ignore format: few words
  const rejected = cloud.flow({ action: 'REJECT', direction: 'ingress' });
  const unknown = cloud.flow({ networkInterfaceId: 'eni-00000000000000000' });
  cloud.fabric.counts = { ...nothing, flows: [cloud.flow(), rejected, unknown] };
  await cloud.flowLogs.flush();
  const [ofEni = '', ofVpc = ''] = await cloud.files();
  const actions = async (key: string) => (await cloud.lines(key)).slice(1).map((line) => line.split(' ').at(-2));
  assert.deepEqual([ofEni.slice(0, 3), await actions(ofEni)], ['eni', ['ACCEPT', 'REJECT']]);
  assert.deepEqual([ofVpc.slice(0, 3), await actions(ofVpc)], ['vpc', ['REJECT']]);
});

test('[L9] what found no room is told as skipped', async (t) => {
  const cloud = await makeCloud(t);
  await cloud.create();
  cloud.fabric.counts = { ...nothing, skipped: [{ networkInterfaceId: cloud.networkInterfaceId, packets: 7 }] };
  await cloud.flowLogs.flush();
  const [key = ''] = await cloud.files();
  assert.match((await cloud.lines(key))[1] ?? '', / - SKIPDATA$/);
});

test('an interface that was deleted is still told of, with what it was', async (t) => {
  const cloud = await makeCloud(t);
  const format = ['interface-id', 'subnet-id', 'packets', 'log-status'].map((name) => `\${${name}}`).join(' ');
  await cloud.create({ LogFormat: format });
  cloud.fabric.counts = { ...nothing, flows: [cloud.flow()] };
  cloud.store.transact((tx) => tx.delete('network-interface', cloud.networkInterfaceId));
  await cloud.flowLogs.flush();
  const [key = ''] = await cloud.files();
  assert.deepEqual((await cloud.lines(key)).slice(1), [`${cloud.networkInterfaceId} ${cloud.subnetId} 2 OK`]);
});

test('the bucket’s policy decides each delivery; the log says that it failed, and that it succeeds again', async (t) => {
  const cloud = await makeCloud(t);
  const id = await cloud.create();
  const status = async () => {
    const { FlowLogs: [log] } = await cloud.run<{ FlowLogs: [Record<string, unknown>] }>('DescribeFlowLogs', { FlowLogIds: [id] }); // biome-ignore format: few words
    return [log.DeliverLogsStatus, log.DeliverLogsErrorMessage];
  };
  const { Policy } = await cloud.s3<{ Policy: string }>('GetBucketPolicy', { Bucket: 'logs' });
  await cloud.s3('DeleteBucketPolicy', { Bucket: 'logs' });
  await cloud.flowLogs.flush();
  assert.deepEqual(await status(), ['FAILED', 'Access error']);
  assert.deepEqual(await cloud.files(), []);
  await cloud.s3('PutBucketPolicy', { Bucket: 'logs', Policy });
  await cloud.flowLogs.flush();
  assert.deepEqual(await status(), ['SUCCESS', undefined]);
  assert.equal((await cloud.files()).length, 1);
});

test('without a flow log there is no timer; a kernel that cannot be read is told once', async (t) => {
  const cloud = await makeCloud(t);
  assert.equal(cloud.clock.timers, 0);
  const id = await cloud.create();
  assert.equal(cloud.clock.timers, 1);
  cloud.fabric.counts = { ...nothing, failures: [{ cause: cloud.vpcId as `vpc-${string}`, message: 'no' }] };
  await minute(cloud, 2);
  assert.deepEqual(cloud.logged, [`flow logs are not read: ${cloud.vpcId}: no`]);
  await cloud.run('DeleteFlowLogs', { FlowLogIds: [id] });
  await minute(cloud);
  assert.equal(cloud.clock.timers, 0);
});

const trusting = (Service: string) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service }, Action: 'sts:AssumeRole' }] }); // biome-ignore format: few words

test('[L6] to a log group the role that trusts the service writes, a stream for each interface; what it may not do is an access error', async (t) => {
  const cloud = await makeCloud(t);
  const roleArn = 'arn:aws:iam::123456789012:role/flow';
  const putRole = (Service: string, ...Action: string[]) =>
    cloud.store.transact((tx) =>
      tx.put('role', {
        ...{ id: `${testAccountId}/flow`, accountId: testAccountId, region: 'global', path: '/', roleName: 'flow', roleId: 'AROAFLOW' },
        ...{ createDate: testNow.toISOString(), assumeRolePolicyDocument: trusting(Service), maxSessionDuration: 3600, attachedPolicyArns: [], tags: {} },
        inlinePolicies: Action.length === 0 ? {} : { own: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] }) },
      } as never),
    ); // biome-ignore format: a row
  const toGroup = { LogDestinationType: 'cloud-watch-logs', LogDestination: undefined, LogGroupName: '/flow', DeliverLogsPermissionArn: roleArn }; // biome-ignore format: few words
  putRole('ec2.amazonaws.com', 'logs:*');
  await assert.rejects(cloud.create(toGroup), awsError('InvalidParameter', `Unable to assume given IAM role: '${roleArn}'`)); // biome-ignore format: few words
  putRole('vpc-flow-logs.amazonaws.com', 'logs:CreateLogStream', 'logs:PutLogEvents');
  const id = await cloud.create(toGroup);
  cloud.fabric.counts = { ...nothing, flows: [cloud.flow()] };
  const status = async () => {
    await cloud.flowLogs.flush();
    const { FlowLogs: [log] } = await cloud.run<{ FlowLogs: [Record<string, unknown>] }>('DescribeFlowLogs', { FlowLogIds: [id] }); // biome-ignore format: few words
    return log.DeliverLogsErrorMessage;
  };
  // It may not make the group, which is not there yet.
  assert.equal(await status(), 'Access error');
  putRole('vpc-flow-logs.amazonaws.com', 'logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents');
  assert.equal(await status(), undefined);
  const events = async () =>
    (await runOperation<{ events: object[] }>(cloud.store, logs, 'FilterLogEvents', { logGroupName: '/flow' })).events;
  const [event, ...others] = await events();
  assert.deepEqual(others, []);
  const { logStreamName, timestamp, message } = event as Record<string, unknown>;
  assert.deepEqual([logStreamName, timestamp], [`${cloud.networkInterfaceId}-all`, testNow.getTime()]);
  assert.match(String(message), / 10\.0\.0\.10 10\.0\.0\.11 5000 53 17 2 100 \d+ \d+ ACCEPT OK$/);
  putRole('ec2.amazonaws.com', 'logs:*');
  assert.equal(await status(), 'Access error');
  assert.equal((await events()).length, 1);
});
