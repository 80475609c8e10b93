import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type {
  AssociateIamInstanceProfileResult,
  DescribeAvailabilityZonesResult,
  DescribeIamInstanceProfileAssociationsResult,
  DescribeImagesResult,
  DescribeInstanceTypesResult,
  DescribeRegionsResult,
  DescribeVolumesModificationsResult,
  DescribeVolumesResult,
  GetConsoleOutputResult,
  InstanceAttribute,
  Reservation,
} from '@aws-sdk/client-ec2';
import { type BaseCall, instanceDisk } from '../../service.ts';
import { awsError, makeStore, runOperation, testNow } from '../../testing.ts';
import { ensureRegion } from './default-vpc.ts';
import { ec2 } from './index.ts';

const account = '123456789012';

async function world() {
  const store = makeStore((tx) => {
    ensureRegion(tx, account, 'us-east-1', testNow);
    for (const name of ['app', 'web'])
      tx.put('instance-profile', {
        id: `${account}/${name}`, accountId: account, region: 'global', path: '/', createDate: testNow.toISOString(), instanceProfileName: name,
        instanceProfileId: `AIPA${name}`, roleNames: [], tags: {},
      }); // biome-ignore format: a row
  });
  const call = <O = Record<string, unknown>>(name: string, input: object = {}, overrides: Partial<BaseCall> = {}) =>
    runOperation<O>(store, ec2, name, input, overrides);
  const request = { ImageId: 'ami-0123456789abcdef0', InstanceType: 't3.small', MinCount: 1, MaxCount: 1 };
  const InstanceId = (await call<Reservation>('RunInstances', request)).Instances?.[0]?.InstanceId ?? '';
  const setState = (state: 'running' | 'stopped' | 'terminated') =>
    store.transact((tx) => {
      const row = tx.get('instance', InstanceId);
      if (row) tx.put('instance', { ...row, state });
    });
  setState('running');
  const read = (Attribute: string) => call<InstanceAttribute>('DescribeInstanceAttribute', { InstanceId, Attribute });
  const modify = (input: object) => call('ModifyInstanceAttribute', { InstanceId, ...input });
  return { store, call, InstanceId, setState, read, modify };
}

test('an attribute that was changed is described, in both forms of the request', async () => {
  const { read, modify } = await world();
  assert.equal((await read('disableApiTermination')).DisableApiTermination?.Value, false);
  await modify({ DisableApiTermination: { Value: true } });
  assert.equal((await read('disableApiTermination')).DisableApiTermination?.Value, true);
  await modify({ Attribute: 'disableApiTermination', Value: 'false' });
  assert.equal((await read('disableApiTermination')).DisableApiTermination?.Value, false);
  await modify({ InstanceInitiatedShutdownBehavior: { Value: 'terminate' } });
  assert.equal((await read('instanceInitiatedShutdownBehavior')).InstanceInitiatedShutdownBehavior?.Value, 'terminate');
  await modify({ SourceDestCheck: { Value: false } });
  assert.equal((await read('sourceDestCheck')).SourceDestCheck?.Value, false);
  await assert.rejects(
    read('colour'),
    awsError('InvalidParameterValue', 'Value (colour) for parameter attribute is invalid. Unknown attribute.'),
  );
  await assert.rejects(
    modify({ DisableApiStop: { Value: true }, EbsOptimized: { Value: true } }),
    awsError('InvalidParameterCombination', 'Fields for multiple attribute types specified'),
  );
});

test('type and user data change only while the instance is stopped', async () => {
  const { read, modify, setState, InstanceId } = await world();
  const wrong = awsError('IncorrectInstanceState', `The instance '${InstanceId}' is not in the 'stopped' state.`);
  await assert.rejects(modify({ InstanceType: { Value: 't3.micro' } }), wrong);
  await assert.rejects(modify({ UserData: { Value: Buffer.from('x') } }), wrong);
  setState('stopped');
  await modify({ InstanceType: { Value: 't3.micro' } });
  await modify({ UserData: { Value: Buffer.from('#!/bin/sh\n') } });
  assert.equal((await read('instanceType')).InstanceType?.Value, 't3.micro');
  assert.equal((await read('userData')).UserData?.Value, Buffer.from('#!/bin/sh\n').toString('base64'));
  await assert.rejects(
    modify({ InstanceType: { Value: 't9.huge' } }),
    awsError('InvalidParameterValue', "Invalid value 't9.huge' for InstanceType."),
  );
});

test('[H4] metadata options change one by one and are checked', async () => {
  const { call, store, InstanceId } = await world();
  const modify = (input: object) => call('ModifyInstanceMetadataOptions', { InstanceId, ...input });
  await modify({ HttpTokens: 'required', HttpPutResponseHopLimit: 3 });
  await modify({ InstanceMetadataTags: 'enabled' });
  assert.deepEqual(store.read((tx) => tx.get('instance', InstanceId))?.metadataOptions, {
    httpTokens: 'required',
    httpEndpoint: 'enabled',
    httpPutResponseHopLimit: 3,
    instanceMetadataTags: 'enabled',
    httpProtocolIpv6: 'disabled',
  });
  await assert.rejects(modify({ HttpPutResponseHopLimit: 0 }), awsError('InvalidParameterValue'));
  await assert.rejects(modify({ HttpTokens: 'sometimes' }), awsError('InvalidParameterValue'));
});

test('an instance profile: associate once, replace, disassociate', async () => {
  const { call, InstanceId, setState } = await world();
  const associate = (Name: string) =>
    call<AssociateIamInstanceProfileResult>('AssociateIamInstanceProfile', {
      InstanceId,
      IamInstanceProfile: { Name },
    });
  const { IamInstanceProfileAssociation: made } = await associate('app');
  assert.equal(made?.State, 'associating');
  assert.match(made?.AssociationId ?? '', /^iip-assoc-0/);
  await assert.rejects(
    associate('web'),
    awsError('IncorrectState', `There is an existing association for instance ${InstanceId}`),
  );
  const describe = () =>
    call<DescribeIamInstanceProfileAssociationsResult>('DescribeIamInstanceProfileAssociations', {
      Filters: [{ Name: 'instance-id', Values: [InstanceId] }],
    });
  assert.equal((await describe()).IamInstanceProfileAssociations?.[0]?.State, 'associated');
  const replaced = await call<AssociateIamInstanceProfileResult>('ReplaceIamInstanceProfileAssociation', {
    AssociationId: made?.AssociationId,
    IamInstanceProfile: { Arn: `arn:aws:iam::${account}:instance-profile/web` },
  });
  const AssociationId = replaced.IamInstanceProfileAssociation?.AssociationId;
  assert.notEqual(AssociationId, made?.AssociationId);
  await call('DisassociateIamInstanceProfile', { AssociationId });
  assert.deepEqual((await describe()).IamInstanceProfileAssociations, []);
  await assert.rejects(
    call('DisassociateIamInstanceProfile', { AssociationId }),
    awsError('InvalidAssociationID.NotFound', `An invalid association-id of '${AssociationId}' was given`),
  );
  setState('terminated');
  await assert.rejects(associate('app'), awsError('IncorrectInstanceState'));
});

test('images: by owner and name as people look them up; the newest Amazon Linux asks for IMDSv2', async () => {
  const { call } = await world();
  const find = async (input: object) => (await call<DescribeImagesResult>('DescribeImages', input)).Images ?? [];
  const al2023 = await find({ Owners: ['amazon'], Filters: [{ Name: 'name', Values: ['al2023-ami-2023.*-x86_64'] }] });
  assert.equal(al2023.length, 1);
  const ImageId = al2023[0]?.ImageId;
  const { Instances } = await call<Reservation>('RunInstances', {
    ImageId,
    InstanceType: 't3.micro',
    MinCount: 1,
    MaxCount: 1,
  });
  assert.equal(Instances?.[0]?.MetadataOptions?.HttpTokens, 'required');
  assert.equal(Instances?.[0]?.MetadataOptions?.HttpPutResponseHopLimit, 2);
  await assert.rejects(
    call('RunInstances', { ImageId, InstanceType: 't4g.micro', MinCount: 1, MaxCount: 1 }),
    awsError(
      'InvalidParameterValue',
      /^The architecture 'arm64' of the specified instance type does not match the architecture 'x86_64' of the specified AMI\./,
    ),
  );
  assert.deepEqual(await find({ Owners: ['self'] }), []);
  await assert.rejects(
    find({ ImageIds: ['not_an_ami_id'] }),
    awsError('InvalidAMIID.Malformed', 'Invalid id: "not_an_ami_id" (expecting "ami-...")'),
  );
  // An id that RunInstances takes can be described.
  assert.equal((await find({ ImageIds: ['ami-test'] }))[0]?.ImageId, 'ami-test');
  const settings = { auth: 'strict', strictImages: true, quotas: 'off', dataDirectory: '/nonexistent' } as const;
  await assert.rejects(
    call('DescribeImages', { ImageIds: ['ami-abcd1234', 'ami-1234abcd'] }, { settings }),
    awsError('InvalidAMIID.NotFound', "The image ids '[ami-abcd1234, ami-1234abcd]' do not exist"),
  );
});

test('instance types, zones, regions', async () => {
  const { call } = await world();
  const types = await call<DescribeInstanceTypesResult>('DescribeInstanceTypes', { InstanceTypes: ['m5.large'] });
  assert.equal(types.InstanceTypes?.[0]?.NetworkInfo?.MaximumNetworkInterfaces, 3);
  assert.equal(types.InstanceTypes?.[0]?.MemoryInfo?.SizeInMiB, 8192);
  const strategies = types.InstanceTypes?.[0]?.PlacementGroupInfo?.SupportedStrategies;
  assert.deepEqual(strategies, ['cluster', 'partition', 'spread']);
  await assert.rejects(
    call('DescribeInstanceTypes', { InstanceTypes: ['t1.non_existent'] }),
    awsError('InvalidInstanceType', 'The following supplied instance types do not exist: [t1.non_existent]'),
  );
  const zones = await call<DescribeAvailabilityZonesResult>('DescribeAvailabilityZones', {});
  assert.deepEqual(
    zones.AvailabilityZones?.map((zone) => zone.ZoneId),
    [1, 2, 3, 4, 5, 6].map((n) => `use1-az${n}`),
  );
  assert.equal(zones.AvailabilityZones?.[0]?.GroupLongName, 'US East (N. Virginia) 1');
  const china = await call<DescribeRegionsResult>('DescribeRegions', {}, { region: 'cn-north-1', partition: 'aws-cn' });
  assert.deepEqual(
    china.Regions?.map((region) => region.Endpoint),
    ['ec2.cn-north-1.amazonaws.com.cn', 'ec2.cn-northwest-1.amazonaws.com.cn'],
  );
});

test('the root volume is told as it was asked for, and changes at once, never to less', async () => {
  const { call } = await world();
  const BlockDeviceMappings = [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 10, VolumeType: 'gp3', Iops: 4000 } }];
  const launch = { ImageId: 'ami-0123456789abcdef0', MinCount: 1, MaxCount: 1, BlockDeviceMappings };
  const made = (await call<Reservation>('RunInstances', { ...launch, InstanceType: 't3.small' })).Instances?.[0];
  const VolumeId = made?.BlockDeviceMappings?.[0]?.Ebs?.VolumeId ?? '';
  const shown = async () => {
    const { Volumes } = await call<DescribeVolumesResult>('DescribeVolumes', { VolumeIds: [VolumeId] });
    return [Volumes?.[0]?.Size, Volumes?.[0]?.VolumeType, Volumes?.[0]?.Iops, Volumes?.[0]?.Throughput];
  };
  assert.deepEqual(await shown(), [10, 'gp3', 4000, 125]);
  const modifications = () =>
    call<DescribeVolumesModificationsResult>('DescribeVolumesModifications', { VolumeIds: [VolumeId] });
  await assert.rejects(modifications(), awsError('InvalidVolumeModification.NotFound'));
  await call('ModifyVolume', { VolumeId, Size: 20, Throughput: 250 });
  assert.deepEqual(await shown(), [20, 'gp3', 4000, 250]);
  const told = (await modifications()).VolumesModifications?.[0];
  assert.deepEqual([told?.ModificationState, told?.OriginalSize, told?.TargetSize], ['completed', 10, 20]);
  await call('ModifyVolume', { VolumeId, VolumeType: 'gp2' });
  assert.deepEqual(await shown(), [20, 'gp2', 100, undefined]);
  await assert.rejects(
    call('ModifyVolume', { VolumeId, Size: 19 }),
    awsError('InvalidParameterValue', 'New size cannot be smaller than existing size'),
  );
});

test('the root volume is described while its instance is there', async () => {
  const { call, InstanceId, setState } = await world();
  const find = async () =>
    (
      await call<DescribeVolumesResult>('DescribeVolumes', {
        Filters: [{ Name: 'attachment.instance-id', Values: [InstanceId] }],
      })
    ).Volumes ?? [];
  assert.equal((await find())[0]?.Attachments?.[0]?.Device, '/dev/xvda');
  assert.equal((await find())[0]?.Size, 8);
  setState('terminated');
  assert.deepEqual(await find(), []);
  await assert.rejects(call('DescribeVolumes', { VolumeIds: ['vol-1'] }), awsError('InvalidVolume.NotFound'));
});

test('console output is what the machine printed, in base64; a screenshot is refused', async (t) => {
  const { call, InstanceId } = await world();
  const dataDirectory = mkdtempSync(join(tmpdir(), 'postern-console-'));
  t.after(() => rmSync(dataDirectory, { recursive: true }));
  const settings = { auth: 'strict', strictImages: false, quotas: 'off', dataDirectory } as const;
  const read = () => call<GetConsoleOutputResult>('GetConsoleOutput', { InstanceId }, { settings });
  assert.equal((await read()).Output, undefined);
  mkdirSync(instanceDisk(dataDirectory, InstanceId), { recursive: true });
  writeFileSync(join(instanceDisk(dataDirectory, InstanceId), 'console.log'), 'hello\n');
  assert.equal(Buffer.from((await read()).Output ?? '', 'base64').toString(), 'hello\n');
  await assert.rejects(call('GetConsoleScreenshot', { InstanceId }), awsError('UnsupportedOperation'));
});
