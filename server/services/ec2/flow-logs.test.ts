// CreateFlowLogs and its neighbours: what is checked, in which order and in whose words.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FlowLog } from '@aws-sdk/client-ec2';
import { buildSnapshot } from '../../control/snapshot.ts';
import { awsError, testAccountId, testNow } from '../../testing.ts';
import { makeSubnet, makeVpc, makeWorld, putInterface, type World } from './testing.ts';

interface Made {
  ClientToken: string;
  FlowLogIds: string[];
  Unsuccessful: { Error: { Code: string; Message: string }; ResourceId: string }[];
}

async function makeNetwork() {
  const world = makeWorld();
  world.store.transact((tx) =>
    tx.put('bucket', {
      ...{ id: 'logs', accountId: testAccountId, region: 'us-east-1', creationDate: testNow.toISOString() },
      ownership: 'BucketOwnerEnforced',
      settings: {},
    }),
  );
  const vpcId = await makeVpc(world);
  const subnetId = await makeSubnet(world, vpcId);
  const { networkInterfaceId } = putInterface(world, vpcId, subnetId, '10.0.0.10', { instance: 'running' });
  const what = {
    ResourceType: 'VPC',
    ResourceIds: [vpcId] as string[],
    TrafficType: 'ALL',
    LogDestinationType: 's3',
    LogDestination: 'arn:aws:s3:::logs',
  };
  const create = (input: object = {}) => world.run<Made>('CreateFlowLogs', { ...what, ...input });
  return { ...world, world, vpcId, subnetId, networkInterfaceId, create };
}

async function described(world: World, input: object = {}): Promise<FlowLog[]> {
  return (await world.run<{ FlowLogs: FlowLog[] }>('DescribeFlowLogs', input)).FlowLogs;
}

test('[L6] a log is described as AWS describes one', async () => {
  const { world, create, vpcId } = await makeNetwork();
  const { FlowLogIds: [id = ''], Unsuccessful, ClientToken } = await create({ TagSpecifications: [{ ResourceType: 'vpc-flow-log', Tags: [{ Key: 'a', Value: 'b' }] }] }); // biome-ignore format: few words
  assert.deepEqual(Unsuccessful, []);
  assert.match(ClientToken, /^[0-9a-f-]{36}$/);
  assert.deepEqual(await described(world), [
    {
      CreationTime: testNow,
      DeliverLogsStatus: 'SUCCESS',
      FlowLogId: id,
      FlowLogStatus: 'ACTIVE',
      ResourceId: vpcId,
      TrafficType: 'ALL',
      LogDestinationType: 's3',
      LogDestination: 'arn:aws:s3:::logs',
      LogFormat: ['version', 'account-id', 'interface-id', 'srcaddr', 'dstaddr', 'srcport', 'dstport', 'protocol', 'packets', 'bytes', 'start', 'end', 'action', 'log-status'].map((name) => `\${${name}}`).join(' '),
      Tags: [{ Key: 'a', Value: 'b' }],
      MaxAggregationInterval: 600,
      DestinationOptions: { FileFormat: 'plain-text', HiveCompatiblePartitions: false, PerHourPartition: false },
    },
  ]); // biome-ignore format: a long list
});

test('[L6] what does not go together is refused', async () => {
  const { create } = await makeNetwork();
  const refused = async (input: object, code: string, message?: string | RegExp) =>
    assert.rejects(create(input), awsError(code, message));
  await refused({ LogGroupName: 'x' }, 'InvalidParameter', 'Please only provide LogGroupName or only provide LogDestination.'); // biome-ignore format: few words
  await refused({ LogDestination: undefined }, 'InvalidParameter', "LogDestination can't be empty if LogGroupName is not provided."); // biome-ignore format: few words
  await refused({ LogDestination: undefined, LogGroupName: 'x' }, 'InvalidParameter', 'LogDestination type must be cloud-watch-logs if LogGroupName is provided.'); // biome-ignore format: few words
  await refused({ DeliverLogsPermissionArn: 'arn:aws:iam::123456789012:role/r' }, 'InvalidParameter', 'DeliverLogsPermissionArn is not applicable for s3 delivery'); // biome-ignore format: few words
  await refused({ MaxAggregationInterval: 300 }, 'InvalidParameter', 'Invalid Flow Log Max Aggregation Interval');
  await refused({ LogFormat: 'version' }, 'InvalidParameter', /has an invalid format$/);
  await refused({ LogFormat: `\${version} \${what}` }, 'InvalidParameter', /what/);
  await refused({ LogDestination: 'arn:aws:s3:::logs/AWSLogs/' }, 'InvalidParameter');
  await refused({ TrafficType: 'SOME' }, 'InvalidParameterValue');
  await refused({ TrafficType: undefined }, 'MissingParameter');
  await refused({ ResourceIds: [] }, 'MissingParameter');
  await refused({ ResourceIds: ['vpc-00000000'] }, 'InvalidVpcID.NotFound');
  await refused({ DestinationOptions: { FileFormat: 'parquet' } }, 'UnsupportedOperation', /parquet/);
  await refused({ ResourceType: 'TransitGateway' }, 'UnsupportedOperation', /TransitGateway/);
  const group = { LogDestinationType: 'cloud-watch-logs', LogDestination: undefined, LogGroupName: 'g' };
  await refused(group, 'InvalidParameter', "DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs."); // biome-ignore format: few words
  const nobody = 'arn:aws:iam::123456789012:role/nobody';
  await refused({ ...group, DeliverLogsPermissionArn: nobody }, 'InvalidParameter', `Unable to assume given IAM role: '${nobody}'`); // biome-ignore format: few words
  await refused({ LogDestinationType: 'kinesis-data-firehose' }, 'UnsupportedOperation', /kinesis-data-firehose/);
});

test('[L6] the same configuration for the same resource is there already, another one is another log', async () => {
  const { create } = await makeNetwork();
  await create();
  await assert.rejects(create(), awsError('FlowLogAlreadyExists'));
  for (const other of [
    { TrafficType: 'REJECT' },
    { LogDestination: 'arn:aws:s3:::logs/a' },
    { MaxAggregationInterval: 60 },
  ])
    assert.equal((await create(other)).FlowLogIds.length, 1);
  const token = { ClientToken: 't', LogDestination: 'arn:aws:s3:::logs/b' };
  const { FlowLogIds } = await create(token);
  assert.deepEqual((await create(token)).FlowLogIds, FlowLogIds);
});

test('a bucket that is not there, or lets nobody in, makes no log, and it says so of each resource', async () => {
  const { world, create, vpcId } = await makeNetwork();
  const gone = await create({ LogDestination: 'arn:aws:s3:::nowhere' });
  const failed = (Message: string) => [{ Error: { Code: '400', Message }, ResourceId: vpcId }];
  assert.deepEqual([gone.FlowLogIds, gone.Unsuccessful], [[], failed('LogDestination: nowhere does not exist')]);
  const mayNotChange = { allows: () => false };
  const input = { ResourceType: 'VPC', ResourceIds: [vpcId], TrafficType: 'ALL', LogDestinationType: 's3', LogDestination: 'arn:aws:s3:::logs' }; // biome-ignore format: few words
  const denied = await world.run<Made>('CreateFlowLogs', input, mayNotChange);
  assert.deepEqual(denied.Unsuccessful, failed('Access Denied for LogDestination: logs. Please check LogDestination permission')); // biome-ignore format: few words
  assert.deepEqual(await described(world), []);
  assert.equal(world.store.read((tx) => tx.get('bucket', 'logs'))?.policy, undefined);
  await create();
  assert.match(world.store.read((tx) => tx.get('bucket', 'logs'))?.policy ?? '', /delivery\.logs\.amazonaws\.com/);
  // Now the policy is enough.
  assert.equal((await world.run<Made>('CreateFlowLogs', { ...input, TrafficType: 'REJECT' }, mayNotChange)).FlowLogIds.length, 1); // biome-ignore format: few words
});

test('the caller of a log to S3 may create log deliveries', async () => {
  const { world, vpcId } = await makeNetwork();
  const asked: string[] = [];
  const input = { ResourceType: 'VPC', ResourceIds: [vpcId], TrafficType: 'ALL', LogDestinationType: 's3', LogDestination: 'arn:aws:s3:::logs' }; // biome-ignore format: few words
  await world.run('CreateFlowLogs', input, { require: (_tx, action) => void asked.push(action) });
  assert.deepEqual(asked, ['logs:CreateLogDelivery']);
});

test('logs are found by their filters, by page and by id, and deleted together or not at all', async () => {
  const { world, create, subnetId, networkInterfaceId } = await makeNetwork();
  const [a = ''] = (await create()).FlowLogIds;
  const [b = ''] = (await create({ ResourceType: 'Subnet', ResourceIds: [subnetId], TrafficType: 'REJECT' }))
    .FlowLogIds;
  const [c = ''] = (await create({ ResourceType: 'NetworkInterface', ResourceIds: [networkInterfaceId] })).FlowLogIds;
  const ids = async (input: object) => (await described(world, input)).map(({ FlowLogId }) => FlowLogId);
  const by = (Name: string, ...Values: string[]) => ids({ Filter: [{ Name, Values }] });
  assert.deepEqual(await by('traffic-type', 'REJECT'), [b]);
  assert.deepEqual(await by('resource-id', networkInterfaceId), [c]);
  assert.deepEqual(await by('log-destination-type', 's3'), [a, b, c]);
  assert.deepEqual(await by('deliver-log-status', 'FAILED'), []);
  assert.deepEqual(await ids({ FlowLogIds: [b] }), [b]);
  const page = await world.run<{ FlowLogs: FlowLog[]; NextToken: string }>('DescribeFlowLogs', { MaxResults: 2 });
  assert.equal(page.FlowLogs.length, 2);
  assert.deepEqual(await ids({ MaxResults: 2, NextToken: page.NextToken }), [c]);
  await assert.rejects(by('name', 'x'), awsError('InvalidParameterValue'));
  await assert.rejects(
    world.run('DeleteFlowLogs', { FlowLogIds: [a, 'fl-1a2b3c4d'] }),
    awsError(
      'InvalidFlowLogId.NotFound',
      'These flow log ids in the input list are not found: [TotalCount: 1] fl-1a2b3c4d',
    ),
  );
  assert.deepEqual(await ids({}), [a, b, c]);
  assert.deepEqual(await world.run('DeleteFlowLogs', { FlowLogIds: [a, b] }), { Unsuccessful: [] });
  assert.deepEqual(await ids({}), [c]);
});

test('[L6] the Snapshot says what the logs of an interface, its subnet and its VPC want to know together', async () => {
  const { world, create, subnetId, networkInterfaceId } = await makeNetwork();
  const logged = () =>
    world.store
      .read((tx) => buildSnapshot(tx, 1))
      .vpcs.flatMap((vpc) => vpc.networkInterfaces)
      .find((eni) => eni.networkInterfaceId === networkInterfaceId)?.loggedTraffic;
  assert.equal(logged(), undefined);
  const [reject = ''] = (await create({ ResourceType: 'Subnet', ResourceIds: [subnetId], TrafficType: 'REJECT' })).FlowLogIds; // biome-ignore format: few words
  assert.equal(logged(), 'REJECT');
  const [accept = ''] = (await create({ TrafficType: 'ACCEPT' })).FlowLogIds;
  assert.equal(logged(), 'ALL');
  await world.run('DeleteFlowLogs', { FlowLogIds: [reject] });
  assert.equal(logged(), 'ACCEPT');
  await world.run('DeleteFlowLogs', { FlowLogIds: [accept] });
  assert.equal(logged(), undefined);
});
