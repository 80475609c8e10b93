import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  DescribeInstanceStatusResult,
  DescribeInstancesResult,
  Reservation,
  TerminateInstancesResult,
} from '@aws-sdk/client-ec2';
import { AwsError } from '../../errors.ts';
import type { BaseCall } from '../../service.ts';
import type { Store } from '../../store/store.ts';
import { awsError, makeStore, runOperation, testNow } from '../../testing.ts';
import { ensureRegion } from './default-vpc.ts';
import { ec2 } from './index.ts';

const account = '123456789012';
const ami = 'ami-0123456789abcdef0';

function world(): Store {
  return makeStore((tx) => {
    ensureRegion(tx, account, 'us-east-1', testNow);
  });
}

const one = { ImageId: ami, InstanceType: 't3.micro', MinCount: 1, MaxCount: 1 };

function run(store: Store, input: object = {}, overrides: Partial<BaseCall> = {}): Promise<Reservation> {
  return runOperation<Reservation>(store, ec2, 'RunInstances', { ...one, ...input }, overrides);
}

async function first(store: Store, input: object = {}, overrides: Partial<BaseCall> = {}) {
  const instance = (await run(store, input, overrides)).Instances?.[0];
  assert.ok(instance?.InstanceId);
  return { ...instance, InstanceId: instance.InstanceId };
}

async function describeOne(store: Store, instanceId: string) {
  const { Reservations } = await runOperation<DescribeInstancesResult>(store, ec2, 'DescribeInstances', {
    InstanceIds: [instanceId],
  });
  const instance = Reservations?.[0]?.Instances?.[0];
  assert.ok(instance);
  return instance;
}

function subnetsOf(store: Store) {
  return store.read((tx) => tx.list('subnet'));
}

/** A VPC of its own with one subnet and its default group; written as rows, so that this file tests instances alone. */
function otherNetwork(store: Store, cidr: `${string}/${number}` = '10.0.0.0/24') {
  const { value } = store.transact((tx) => {
    const scope = { accountId: account, region: 'us-east-1', tags: {} };
    const vpcId = tx.newId('vpc');
    const groupId = tx.newId('sg');
    const subnetId = tx.newId('subnet');
    tx.put('vpc', {
      ...scope, id: vpcId, cidrBlocks: [{ associationId: 'vpc-cidr-assoc-1', cidr }], isDefault: false, instanceTenancy: 'default',
      enableDnsSupport: true, enableDnsHostnames: false, enableNetworkAddressUsageMetrics: false, dhcpOptionsId: 'default',
    }); // biome-ignore format: a row
    tx.put('security-group', {
      ...scope,
      id: groupId,
      vpcId,
      groupName: 'default',
      description: 'default VPC security group',
    });
    tx.put('subnet', {
      ...scope, id: subnetId, vpcId, cidrBlock: cidr, availabilityZone: 'us-east-1b', availabilityZoneId: 'use1-az2', defaultForAz: false,
      mapPublicIpOnLaunch: false, privateDnsHostnameType: 'ip-name', enableResourceNameDnsARecord: false,
    }); // biome-ignore format: a row
    return { vpcId, groupId, subnetId };
  });
  return value;
}

test('an instance without a subnet goes to the default subnet, with the default group, a private and a public address', async () => {
  const store = world();
  const instance = await first(store);
  const [subnet] = subnetsOf(store);
  assert.equal(instance.SubnetId, subnet?.id);
  assert.equal(instance.PrivateIpAddress, '172.31.0.4');
  assert.equal(instance.PrivateDnsName, 'ip-172-31-0-4.ec2.internal');
  assert.match(instance.PublicIpAddress ?? '', /^198\.19\./);
  assert.equal(instance.PublicDnsName, `ec2-${instance.PublicIpAddress?.replaceAll('.', '-')}.compute-1.amazonaws.com`);
  assert.deepEqual(instance.State, { Code: 0, Name: 'pending' });
  assert.equal(instance.SecurityGroups?.[0]?.GroupName, 'default');
  assert.equal(instance.NetworkInterfaces?.length, 1);
  assert.equal(instance.NetworkInterfaces?.[0]?.Attachment?.DeleteOnTermination, true);
  assert.equal(instance.BlockDeviceMappings?.[0]?.DeviceName, '/dev/xvda');
});

test('[D3] without DNS host names an instance has no public DNS name', async () => {
  const store = world();
  const { subnetId } = otherNetwork(store);
  const spec = { DeviceIndex: 0, SubnetId: subnetId, AssociatePublicIpAddress: true };
  const instance = await first(store, { NetworkInterfaces: [spec] });
  assert.match(instance.PublicIpAddress ?? '', /^198\.19\./);
  assert.equal(instance.PublicDnsName, '');
});

test('the launch parameter overrides the subnet about a public address', async () => {
  const store = world();
  const without = await first(store, { NetworkInterfaces: [{ DeviceIndex: 0, AssociatePublicIpAddress: false }] });
  assert.equal(without.PublicIpAddress, undefined);
  const { subnetId } = otherNetwork(store);
  assert.equal((await first(store, { SubnetId: subnetId })).PublicIpAddress, undefined);
});

test('[S5] a security group of another VPC is refused in the words of AWS', async () => {
  const store = world();
  const { subnetId } = otherNetwork(store);
  const group = store.read((tx) => tx.list('security-group').find((row) => row.groupName === 'default'));
  await assert.rejects(
    run(store, { SubnetId: subnetId, SecurityGroupIds: [group?.id] }),
    awsError('InvalidParameter', `Security group ${group?.id} and subnet ${subnetId} belong to different networks.`),
  );
});

test('several instances are one reservation with launch indexes and addresses of their own', async () => {
  const store = world();
  const { Instances, ReservationId } = await run(store, { MinCount: 3, MaxCount: 3 });
  assert.match(ReservationId ?? '', /^r-0/);
  assert.deepEqual(Instances?.map((row) => [row.AmiLaunchIndex, row.PrivateIpAddress]), [
    [0, '172.31.0.4'], [1, '172.31.0.5'], [2, '172.31.0.6'],
  ]); // biome-ignore format: pairs
  assert.equal(new Set(Instances?.map((row) => row.PublicIpAddress)).size, 3);
});

test('a full subnet gives as many as it has room for above the minimum, and else InsufficientFreeAddressesInSubnet', async () => {
  const store = world();
  const { subnetId } = otherNetwork(store, '10.0.0.0/28');
  const { Instances } = await run(store, { SubnetId: subnetId, MinCount: 1, MaxCount: 50 });
  assert.equal(Instances?.length, 11);
  await assert.rejects(run(store, { SubnetId: subnetId }), awsError('InsufficientFreeAddressesInSubnet'));
  assert.equal(
    store.read((tx) => tx.list('instance').length),
    11,
    'a launch that fails leaves nothing',
  );
});

const mistakes: readonly [title: string, input: object, code: string, message: RegExp][] = [
  ['no image', { ImageId: undefined }, 'MissingParameter', /ImageId/],
  ['a malformed image', { ImageId: 'debian' }, 'InvalidAMIID.Malformed', /^Invalid id: "debian" \(expecting "ami-\.\.\."\)$/],
  ['an unknown type', { InstanceType: 't9.huge' }, 'InvalidParameterValue', /^Invalid value 't9.huge' for InstanceType\.$/],
  ['no such key', { KeyName: 'nobody' }, 'InvalidKeyPair.NotFound', /^The key pair 'nobody' does not exist$/],
  ['no such subnet', { SubnetId: 'subnet-0123456789abcdef0' }, 'InvalidSubnetID.NotFound', /does not exist$/],
  ['no such group', { SecurityGroupIds: ['sg-0123456789abcdef0'] }, 'InvalidGroup.NotFound', /^The security group 'sg-0123456789abcdef0' does not exist$/],
  ['no such group name', { SecurityGroups: ['web'] }, 'InvalidGroup.NotFound', /^The security group 'web' does not exist in default VPC 'vpc-0/],
  ['user data that is no base64', { UserData: '!!' }, 'InvalidUserData.Malformed', /^Invalid BASE64 encoding of user data\.$/],
  ['user data above 16 KB', { UserData: Buffer.alloc(16_385).toString('base64') }, 'InvalidParameterValue', /^User data is limited to 16384 bytes$/],
  ['interfaces beside a subnet', { SubnetId: 'subnet-1', NetworkInterfaces: [{ DeviceIndex: 0 }] }, 'InvalidParameterCombination', /^Network interfaces and an instance-level subnet ID may not be specified on the same request$/],
  ['interfaces beside groups', { SecurityGroupIds: ['sg-1'], NetworkInterfaces: [{ DeviceIndex: 0 }] }, 'InvalidParameterCombination', /instance-level security groups/],
  ['an interface without an index', { NetworkInterfaces: [{ Description: 'x' }] }, 'InvalidParameterCombination', /device index/],
  ['more interfaces than the type has', { NetworkInterfaces: [0, 1, 2].map((DeviceIndex) => ({ DeviceIndex })) }, 'AttachmentLimitExceeded', /^Interface count 3 exceeds the limit for t3\.micro$/],
  ['more addresses than the type has', { NetworkInterfaces: [{ DeviceIndex: 0, SecondaryPrivateIpAddressCount: 2 }] }, 'PrivateIpAddressLimitExceeded', /exceed limit/],
  ['an address outside the subnet', { PrivateIpAddress: '10.9.9.9' }, 'InvalidParameterValue', /does not fall within the subnet's address range/],
  ['a reserved address', { PrivateIpAddress: '172.31.0.2' }, 'InvalidParameterValue', /reserved/],
  ['an unknown profile', { IamInstanceProfile: { Name: 'nobody' } }, 'InvalidParameterValue', /Invalid IAM Instance Profile name$/],
  ['a minimum above the maximum', { MinCount: 2, MaxCount: 1 }, 'InvalidParameterValue', /minCount/],
  ['nothing at all', { MinCount: 0, MaxCount: 0 }, 'InvalidParameterValue', /minCount/],
  ['a hop limit of 65', { MetadataOptions: { HttpPutResponseHopLimit: 65 } }, 'InvalidParameterValue', /HttpPutResponseHopLimit/],
  ['a data volume', { BlockDeviceMappings: [{ DeviceName: '/dev/sdf', Ebs: { VolumeSize: 1 } }] }, 'UnsupportedOperation', /\/dev\/sdf/],
  ['a launch template', { LaunchTemplate: { LaunchTemplateName: 'x' } }, 'UnsupportedOperation', /LaunchTemplate/],
  ['a spot instance', { InstanceMarketOptions: { MarketType: 'spot' } }, 'UnsupportedOperation', /InstanceMarketOptions/],
  ['tags of a wrong resource', { TagSpecifications: [{ ResourceType: 'vpc', Tags: [{ Key: 'a', Value: 'b' }] }] }, 'InvalidParameter', /'vpc' is not a valid taggable resource type/],
]; // biome-ignore format: a table

for (const [title, input, code, message] of mistakes) {
  test(`RunInstances with ${title} answers ${code} and launches nothing`, async () => {
    const store = world();
    await assert.rejects(run(store, input), awsError(code, message));
    assert.equal(
      store.read((tx) => tx.list('instance').length + tx.list('network-interface').length),
      0,
    );
  });
}

test('an unknown image runs the default one, unless images are strict', async () => {
  const store = world();
  await first(store, { ImageId: 'ami-0feedfacefeedface' });
  const settings = { auth: 'strict', strictImages: true, quotas: 'off', dataDirectory: '/nonexistent' } as const;
  await assert.rejects(
    run(store, {}, { settings }),
    awsError('InvalidAMIID.NotFound', `The image id '[${ami}]' does not exist`),
  );
});

test('the same client token launches once; with another request it is a mismatch', async () => {
  const store = world();
  const before = await run(store, { ClientToken: 'token' });
  const again = await run(store, { ClientToken: 'token' });
  assert.deepEqual(
    again.Instances?.map((row) => row.InstanceId),
    before.Instances?.map((row) => row.InstanceId),
  );
  assert.equal(
    store.read((tx) => tx.list('instance').length),
    1,
  );
  await assert.rejects(run(store, { ClientToken: 'token', MaxCount: 2 }), awsError('IdempotentParameterMismatch'));
});

test('a dry run launches nothing', async () => {
  const store = world();
  await assert.rejects(run(store, { DryRun: true }), awsError('DryRunOperation'));
  assert.equal(
    store.read((tx) => tx.list('instance').length),
    0,
  );
});

test('an instance profile is asked for by iam:PassRole on its role', async () => {
  const store = world();
  store.transact((tx) => {
    const common = { accountId: account, region: 'global', path: '/', createDate: testNow.toISOString(), tags: {} };
    tx.put('role', {
      ...common, id: `${account}/app`, roleName: 'app', roleId: 'AROA1', maxSessionDuration: 3600, assumeRolePolicyDocument: '{}',
      attachedPolicyArns: [], inlinePolicies: {},
    }); // biome-ignore format: a row
    tx.put('instance-profile', {
      ...common,
      id: `${account}/app`,
      instanceProfileName: 'app',
      instanceProfileId: 'AIPA1',
      roleNames: ['app'],
    });
  });
  const asked: string[] = [];
  const require: BaseCall['require'] = (_tx, action, resource, context) => {
    asked.push(`${action} ${resource} ${JSON.stringify(context)}`);
  };
  const instance = await first(store, { IamInstanceProfile: { Name: 'app' } }, { require });
  assert.deepEqual(asked, [
    `iam:PassRole arn:aws:iam::${account}:role/app {"iam:PassedToService":["ec2.amazonaws.com"]}`,
  ]);
  assert.equal(instance.IamInstanceProfile?.Arn, `arn:aws:iam::${account}:instance-profile/app`);
  const deny: BaseCall['require'] = () => {
    throw new AwsError('UnauthorizedOperation', 403, 'no');
  };
  await assert.rejects(
    run(store, { IamInstanceProfile: { Name: 'app' } }, { require: deny }),
    awsError('UnauthorizedOperation'),
  );
});

test('tags reach the instance, its interface and its volume', async () => {
  const store = world();
  const tags = (ResourceType: string) => ({ ResourceType, Tags: [{ Key: 'Name', Value: ResourceType }] });
  const instance = await first(store, {
    TagSpecifications: [tags('instance'), tags('network-interface'), tags('volume')],
  });
  assert.deepEqual(instance.Tags, [{ Key: 'Name', Value: 'instance' }]);
  const [networkInterface] = store.read((tx) => tx.list('network-interface'));
  assert.deepEqual(networkInterface?.tags, { Name: 'network-interface' });
  assert.deepEqual(store.read((tx) => tx.get('instance', instance.InstanceId as `i-${string}`))?.rootVolume?.tags, {
    Name: 'volume',
  });
});

test('two interfaces of one instance: the first is primary, no public address comes by itself', async () => {
  const store = world();
  const [subnet] = subnetsOf(store);
  const specs = [
    { DeviceIndex: 1, SubnetId: subnet?.id, Description: 'second', NetworkCardIndex: 0 },
    { DeviceIndex: 0, SubnetId: subnet?.id, Description: 'first', SecondaryPrivateIpAddressCount: 1 },
  ];
  const instance = await first(store, { InstanceType: 't3.small', NetworkInterfaces: specs });
  assert.deepEqual(
    instance.NetworkInterfaces?.map((row) => row.Description),
    ['first', 'second'],
  );
  assert.equal(instance.NetworkInterfaces?.[0]?.PrivateIpAddresses?.length, 2);
  assert.equal(instance.PublicIpAddress, undefined);
  await assert.rejects(
    run(store, { NetworkInterfaces: [{ DeviceIndex: 0, NetworkCardIndex: 1 }] }),
    awsError('UnsupportedOperation', 'The parameter NetworkCardIndex of RunInstances is not supported by Postern.'),
  );
});

test('DescribeInstances filters by state, tag, address, subnet and interface; an unknown filter is refused', async () => {
  const store = world();
  const a = await first(store, {
    TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'role', Value: 'web' }] }],
  });
  const b = await first(store);
  const find = async (Name: string, ...Values: (string | undefined)[]) => {
    const { Reservations } = await runOperation<DescribeInstancesResult>(store, ec2, 'DescribeInstances', {
      Filters: [{ Name, Values }],
    });
    return Reservations?.flatMap((one) => one.Instances?.map((row) => row.InstanceId) ?? []);
  };
  assert.deepEqual(await find('tag:role', 'w*'), [a.InstanceId]);
  assert.deepEqual(await find('private-ip-address', b.PrivateIpAddress), [b.InstanceId]);
  assert.deepEqual(await find('ip-address', a.PublicIpAddress), [a.InstanceId]);
  assert.deepEqual(await find('instance-state-name', 'pending'), [a.InstanceId, b.InstanceId]);
  assert.deepEqual(await find('instance-state-name', 'running'), []);
  assert.deepEqual(await find('network-interface.network-interface-id', b.NetworkInterfaces?.[0]?.NetworkInterfaceId), [
    b.InstanceId,
  ]);
  assert.deepEqual(await find('vpc-id', a.VpcId), [a.InstanceId, b.InstanceId]);
  await assert.rejects(find('colour', 'red'), awsError('InvalidParameterValue', "The filter 'colour' is invalid"));
});

test('ids that do not exist are named together; a malformed one is refused first', async () => {
  const store = world();
  const describe = (...InstanceIds: string[]) => runOperation(store, ec2, 'DescribeInstances', { InstanceIds });
  await assert.rejects(
    describe('i-12345678'),
    awsError('InvalidInstanceID.NotFound', "The instance ID 'i-12345678' does not exist"),
  );
  await assert.rejects(
    describe('i-12345678', 'i-12345668'),
    awsError('InvalidInstanceID.NotFound', "The instance IDs 'i-12345678, i-12345668' do not exist"),
  );
  await assert.rejects(describe('web'), awsError('InvalidInstanceID.Malformed'));
});

test('status: only running ones unless all are asked for', async () => {
  const store = world();
  const a = await first(store);
  const status = async (input: object) =>
    (await runOperation<DescribeInstanceStatusResult>(store, ec2, 'DescribeInstanceStatus', input)).InstanceStatuses ??
    [];
  assert.deepEqual(await status({}), []);
  assert.equal((await status({ IncludeAllInstances: true }))[0]?.InstanceStatus?.Status, 'not-applicable');
  setState(store, a.InstanceId, 'running');
  const [running] = await status({ InstanceIds: [a.InstanceId] });
  assert.equal(running?.InstanceStatus?.Status, 'ok');
  assert.equal(running?.SystemStatus?.Status, 'ok');
});

function setState(store: Store, id: string, state: 'running' | 'stopped' | 'terminated'): void {
  store.transact((tx) => {
    const row = tx.get('instance', id);
    assert.ok(row);
    tx.put('instance', { ...row, state });
  });
}

test('terminate: shutting-down once, and not when the instance is protected', async () => {
  const store = world();
  const a = await first(store);
  setState(store, a.InstanceId, 'running');
  const terminate = (InstanceIds: string[]) =>
    runOperation<TerminateInstancesResult>(store, ec2, 'TerminateInstances', { InstanceIds });
  const { TerminatingInstances } = await terminate([a.InstanceId]);
  assert.deepEqual(TerminatingInstances, [
    {
      InstanceId: a.InstanceId,
      CurrentState: { Code: 32, Name: 'shutting-down' },
      PreviousState: { Code: 16, Name: 'running' },
    },
  ]);
  const instance = await describeOne(store, a.InstanceId);
  assert.equal(instance.StateReason?.Code, 'Client.UserInitiatedShutdown');
  assert.equal(instance.StateTransitionReason, 'User initiated (2026-11-21 08:00:00 GMT)');
  const b = await first(store, { DisableApiTermination: true });
  await assert.rejects(
    terminate([b.InstanceId]),
    awsError(
      'OperationNotPermitted',
      `The instance '${b.InstanceId}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`,
    ),
  );
});

test('[G4] stop and start: the states that may, and a new public address at the next start', async () => {
  const store = world();
  const a = await first(store);
  setState(store, a.InstanceId, 'running');
  const call = (name: string) => runOperation(store, ec2, name, { InstanceIds: [a.InstanceId] });
  await call('StopInstances');
  assert.equal((await describeOne(store, a.InstanceId)).State?.Name, 'stopping');
  await assert.rejects(
    call('StartInstances'),
    awsError(
      'IncorrectInstanceState',
      `The instance '${a.InstanceId}' is not in a state from which it can be started.`,
    ),
  );
  setState(store, a.InstanceId, 'stopped');
  // What control does when the machine has stopped.
  store.transact((tx) => {
    for (const row of tx.list('network-interface'))
      tx.put('network-interface', {
        ...row,
        privateAddresses: row.privateAddresses.map(({ address, primary }) => ({ address, primary })),
      });
  });
  await assert.rejects(call('RebootInstances'), awsError('IncorrectInstanceState'));
  await call('StartInstances');
  const started = await describeOne(store, a.InstanceId);
  assert.equal(started.State?.Name, 'pending');
  assert.match(started.PublicIpAddress ?? '', /^198\.19\./);
  assert.equal(started.PrivateIpAddress, a.PrivateIpAddress);
});
