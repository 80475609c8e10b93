// The service's operations over rows; packets are in tests/flows/load-balancer-cases.ts, health in server/control/health-checks.test.ts.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { AwsError } from '../../errors.ts';
import { runOperation } from '../../testing.ts';
import { makeWorld as makeEc2, makeGateway, makeGroup, makeSubnet, makeVpc, type World } from '../ec2/testing.ts';
import { elasticLoadBalancing } from './index.ts';

let ec2: World;
let vpcId: string;
let subnetId: string;
let otherSubnetId: string;

beforeEach(async () => {
  ec2 = makeEc2();
  vpcId = await makeVpc(ec2);
  subnetId = await makeSubnet(ec2, vpcId);
  const input = { VpcId: vpcId, CidrBlock: '10.0.1.0/24', AvailabilityZone: 'us-east-1b' };
  otherSubnetId = (await ec2.run<{ Subnet: { SubnetId: string } }>('CreateSubnet', input)).Subnet.SubnetId;
});

interface Balancer {
  LoadBalancerArn: string;
  DNSName: string;
  State: { Code: string };
  SecurityGroups?: string[];
  AvailabilityZones: {
    ZoneName: string;
    LoadBalancerAddresses: { PrivateIPv4Address?: string; IpAddress?: string }[];
  }[];
}

const run = <O = Record<string, unknown>>(name: string, input: object = {}) =>
  runOperation<O>(ec2.store, elasticLoadBalancing, name, input);

async function create(more: object = {}): Promise<Balancer> {
  const input = { Name: 'lb', Type: 'network', Scheme: 'internal', Subnets: [subnetId], ...more };
  const { LoadBalancers } = await run<{ LoadBalancers: Balancer[] }>('CreateLoadBalancer', input);
  return LoadBalancers[0] as Balancer;
}

async function createGroup(more: object = {}): Promise<string> {
  const input = { Name: 'tg', Protocol: 'TCP', Port: 80, VpcId: vpcId, TargetType: 'ip', ...more };
  const { TargetGroups } = await run<{ TargetGroups: { TargetGroupArn: string }[] }>('CreateTargetGroup', input);
  return TargetGroups[0]?.TargetGroupArn ?? '';
}

const listener = (LoadBalancerArn: string, TargetGroupArn: string, more: object = {}) =>
  run('CreateListener', {
    LoadBalancerArn,
    Protocol: 'TCP',
    Port: 80,
    DefaultActions: [{ Type: 'forward', TargetGroupArn }],
    ...more,
  });

async function refused(code: string, work: Promise<unknown>): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof AwsError, String(error));
    assert.equal(error.code, code, error.message);
    return true;
  });
}

const cards = () => ec2.store.read((tx) => tx.list('network-interface').filter((each) => each.service !== undefined));

test('[B1] a node has an interface in each subnet, which its owner may not delete', async () => {
  const made = await create({
    SubnetMappings: [{ SubnetId: subnetId, PrivateIPv4Address: '10.0.0.77' }, { SubnetId: otherSubnetId }],
    Subnets: [],
  });
  assert.equal(made.State.Code, 'provisioning');
  assert.deepEqual(
    made.AvailabilityZones.map((each) => each.ZoneName),
    ['us-east-1a', 'us-east-1b'],
  );
  assert.match(made.DNSName, /^lb-[0-9a-f]{16}\.elb\.us-east-1\.amazonaws\.com$/);
  const [first, second] = cards();
  assert.deepEqual(
    [first?.privateAddresses[0]?.address, first?.interfaceType, first?.requesterManaged],
    ['10.0.0.77', 'network_load_balancer', true],
  );
  assert.equal(`ELB ${made.LoadBalancerArn.split('loadbalancer/')[1]}`, first?.description);
  await refused('InvalidParameterValue', ec2.run('DeleteNetworkInterface', { NetworkInterfaceId: second?.id }));
  const { LoadBalancers } = await run<{ LoadBalancers: Balancer[] }>('DescribeLoadBalancers');
  assert.equal(LoadBalancers[0]?.State.Code, 'active');
  await run('DeleteLoadBalancer', { LoadBalancerArn: made.LoadBalancerArn });
  assert.deepEqual(cards(), []);
  await run('DeleteLoadBalancer', { LoadBalancerArn: made.LoadBalancerArn });
});

test('[B1] an internet-facing balancer needs a gateway, and has public addresses, its own or the caller’s', async () => {
  await refused('InvalidSubnet', create({ Scheme: 'internet-facing' }));
  await makeGateway(ec2, vpcId);
  const { AllocationId, PublicIp } = await ec2.run<{ AllocationId: string; PublicIp: string }>('AllocateAddress', {
    Domain: 'vpc',
  });
  await refused(
    'InvalidConfigurationRequest',
    create({ Subnets: [], SubnetMappings: [{ SubnetId: subnetId, AllocationId }] }),
  );
  const made = await create({
    Scheme: 'internet-facing',
    Subnets: [],
    SubnetMappings: [{ SubnetId: subnetId, AllocationId }, { SubnetId: otherSubnetId }],
  });
  assert.equal(made.AvailabilityZones[0]?.LoadBalancerAddresses[0]?.IpAddress, PublicIp);
  assert.ok(cards()[1]?.privateAddresses[0]?.autoPublicIp);
  await run('SetSubnets', { LoadBalancerArn: made.LoadBalancerArn, Subnets: [otherSubnetId] });
  assert.equal(cards().length, 1);
  await ec2.run('ReleaseAddress', { AllocationId });
});

test('[B4] groups are given at creation or never, and the interfaces carry them', async () => {
  const group = await makeGroup(ec2, vpcId);
  const other = await makeGroup(ec2, vpcId, 'other');
  const without = await create();
  assert.equal(without.SecurityGroups, undefined);
  await refused(
    'InvalidConfigurationRequest',
    run('SetSecurityGroups', { LoadBalancerArn: without.LoadBalancerArn, SecurityGroups: [group] }),
  );
  const made = await create({ Name: 'with', SecurityGroups: [group] });
  assert.deepEqual(
    cards().map((each) => each.groupIds),
    [[], [group]],
  );
  await run('SetSecurityGroups', { LoadBalancerArn: made.LoadBalancerArn, SecurityGroups: [other] });
  assert.deepEqual(cards()[1]?.groupIds, [other]);
  await refused(
    'InvalidSecurityGroup',
    run('SetSecurityGroups', { LoadBalancerArn: made.LoadBalancerArn, SecurityGroups: ['sg-00000000000000001'] }),
  );
});

test('what is wrong or not served is refused by AWS’s code, and leaves nothing', async () => {
  const group = await createGroup();
  const { LoadBalancerArn } = await create();
  const cases: [string, string, object][] = [
    ['OperationNotPermitted', 'CreateLoadBalancer', { Name: 'x', Subnets: [subnetId] }],
    ['OperationNotPermitted', 'CreateLoadBalancer', { Name: 'x', Type: 'network', Subnets: [subnetId], IpAddressType: 'dualstack' }],
    ['ValidationError', 'CreateLoadBalancer', { Name: 'x', Type: 'network', Scheme: 'internal' }],
    ['ValidationError', 'CreateLoadBalancer', { Name: '-x', Type: 'network', Subnets: [subnetId] }],
    ['SubnetNotFound', 'CreateLoadBalancer', { Name: 'x', Type: 'network', Subnets: ['subnet-00000000000000001'] }],
    ['InvalidSubnet', 'CreateLoadBalancer', { Name: 'x', Type: 'network', Scheme: 'internal', SubnetMappings: [{ SubnetId: subnetId }, { SubnetId: otherSubnetId, PrivateIPv4Address: '10.9.0.1' }] }],
    ['InvalidConfigurationRequest', 'CreateLoadBalancer', { Name: 'x', Type: 'network', Scheme: 'internal', Subnets: [subnetId, subnetId] }],
    ['DuplicateLoadBalancerName', 'CreateLoadBalancer', { Name: 'lb', Type: 'network', Scheme: 'internal', Subnets: [otherSubnetId] }],
    ['LoadBalancerNotFound', 'DescribeLoadBalancers', { Names: ['nobody'] }],
    ['OperationNotPermitted', 'CreateTargetGroup', { Name: 'x', Protocol: 'UDP', Port: 53, VpcId: vpcId }],
    ['OperationNotPermitted', 'CreateTargetGroup', { Name: 'x', Protocol: 'TCP', Port: 80, VpcId: vpcId, TargetType: 'alb' }],
    ['ValidationError', 'CreateTargetGroup', { Name: 'x', Protocol: 'TCP', Port: 80, VpcId: vpcId, HealthCheckIntervalSeconds: 4 }],
    ['DuplicateTargetGroupName', 'CreateTargetGroup', { Name: 'tg', Protocol: 'TCP', Port: 81, VpcId: vpcId, TargetType: 'ip' }],
    ['InvalidTarget', 'RegisterTargets', { TargetGroupArn: group, Targets: [{ Id: '8.8.8.8' }] }],
    ['ValidationError', 'RegisterTargets', { TargetGroupArn: group, Targets: [{ Id: '172.16.0.9' }] }],
    ['UnsupportedProtocol', 'CreateListener', { LoadBalancerArn, Protocol: 'HTTP', Port: 80, DefaultActions: [{ Type: 'forward', TargetGroupArn: group }] }],
    ['OperationNotPermitted', 'CreateListener', { LoadBalancerArn, Protocol: 'TLS', Port: 80, DefaultActions: [{ Type: 'forward', TargetGroupArn: group }] }],
    ['InvalidLoadBalancerAction', 'CreateListener', { LoadBalancerArn, Protocol: 'TCP', Port: 80, DefaultActions: [{ Type: 'redirect' }] }],
    ['TargetGroupNotFound', 'CreateListener', { LoadBalancerArn, Protocol: 'TCP', Port: 80, DefaultActions: [{ Type: 'forward', TargetGroupArn: `${group}0` }] }],
    ['OperationNotPermitted', 'ModifyTargetGroupAttributes', { TargetGroupArn: group, Attributes: [{ Key: 'proxy_protocol_v2.enabled', Value: 'true' }] }],
    ['ValidationError', 'ModifyLoadBalancerAttributes', { LoadBalancerArn, Attributes: [{ Key: 'idle_timeout.timeout_seconds', Value: '60' }] }],
  ]; // biome-ignore format: a table
  const count = cards().length;
  for (const [code, name, input] of cases) await refused(code, run(name, input));
  assert.equal(cards().length, count);
});

test('[B8] no listener forwards to a group whose targets are to see the client’s address, as those of instances do by default', async () => {
  const { LoadBalancerArn } = await create();
  const TargetGroupArn = await createGroup({ TargetType: 'instance' });
  await refused('OperationNotPermitted', listener(LoadBalancerArn, TargetGroupArn));
  const set = (Value: string) =>
    run('ModifyTargetGroupAttributes', { TargetGroupArn, Attributes: [{ Key: 'preserve_client_ip.enabled', Value }] });
  await set('false');
  await listener(LoadBalancerArn, TargetGroupArn);
  await refused('OperationNotPermitted', set('true'));
});

test('a target group serves one balancer, a port one listener, and what is used is not deleted', async () => {
  const { LoadBalancerArn } = await create();
  const other = await create({ Name: 'other' });
  const group = await createGroup();
  await listener(LoadBalancerArn, group);
  await refused('DuplicateListener', listener(LoadBalancerArn, group));
  await refused('TargetGroupAssociationLimit', listener(other.LoadBalancerArn, group));
  await refused('ResourceInUse', run('DeleteTargetGroup', { TargetGroupArn: group }));
  const protect = (Value: string) =>
    run('ModifyLoadBalancerAttributes', {
      LoadBalancerArn,
      Attributes: [{ Key: 'deletion_protection.enabled', Value }],
    });
  await protect('true');
  await refused('OperationNotPermitted', run('DeleteLoadBalancer', { LoadBalancerArn }));
  await protect('false');
  await run('DeleteLoadBalancer', { LoadBalancerArn });
  await run('DeleteTargetGroup', { TargetGroupArn: group });
});

test('an address of a balancer in the same VPC is no target', async () => {
  await create({ Subnets: [], SubnetMappings: [{ SubnetId: subnetId, PrivateIPv4Address: '10.0.0.77' }] });
  await refused(
    'InvalidTarget',
    run('RegisterTargets', { TargetGroupArn: await createGroup(), Targets: [{ Id: '10.0.0.77' }] }),
  );
});

test('tags are added, told and taken away', async () => {
  const { LoadBalancerArn } = await create({ Tags: [{ Key: 'a', Value: '1' }] });
  const ResourceArns = [LoadBalancerArn, await createGroup()];
  await run('AddTags', { ResourceArns, Tags: [{ Key: 'b', Value: '2' }] });
  await run('RemoveTags', { ResourceArns: [LoadBalancerArn], TagKeys: ['a'] });
  const { TagDescriptions } = await run<{ TagDescriptions: { Tags: unknown[] }[] }>('DescribeTags', { ResourceArns });
  assert.deepEqual(
    TagDescriptions.map((each) => each.Tags),
    [[{ Key: 'b', Value: '2' }], [{ Key: 'b', Value: '2' }]],
  );
  await refused(
    'DuplicateTagKeys',
    run('AddTags', {
      ResourceArns,
      Tags: [
        { Key: 'c', Value: '' },
        { Key: 'c', Value: '' },
      ],
    }),
  );
});
