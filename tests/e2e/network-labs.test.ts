// Labs G1 to G6: a VPC from its parts, by the API and with packets between instances. Every change is followed by `settled`, so that what is probed
// is what was asked for; every probe is a ping or a TCP handshake that an instance makes by itself.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { EC2, type RunInstancesCommandInput } from '@aws-sdk/client-ec2';
import { bringUp, command, type Own } from './own-cloud.ts';

let own: Own;
let ec2: EC2;

before(async () => {
  own = await bringUp();
  ec2 = new EC2({
    endpoint: own.endpoint,
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: {
      accessKeyId: own.environment['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: own.environment['AWS_SECRET_ACCESS_KEY'] ?? '',
    },
  });
});

after(async () => {
  ec2?.destroy();
  await own?.end();
});

function postern(...args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [command, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, POSTERN_DATA: own.directory },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })));
}

async function settled(): Promise<void> {
  const ran = await postern('wait');
  assert.equal(ran.code, 0, ran.output);
}

type Reached = 'open' | 'timeout' | 'refused';

/** The sshd that every instance has, or nothing. */
async function ssh(from: string, to: string): Promise<Reached> {
  const { code, output } = await postern(
    ...['exec', from, '--', 'timeout', '1', 'bash', '-c', `exec 3<>/dev/tcp/${to}/22`],
  );
  if (code !== 0 && code !== 124) assert.match(output, /refused/);
  return code === 0 ? 'open' : code === 124 ? 'timeout' : 'refused';
}

async function ping(from: string, to: string): Promise<Reached> {
  const { code } = await postern('exec', from, '--', 'ping', '-n', '-c', '1', '-W', '1', to);
  return code === 0 ? 'open' : 'timeout';
}

function id(value: string | undefined): string {
  assert.ok(value);
  return value;
}

async function refused(work: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(work, (error: Error) => error.name === code || assert.equal(error.name, code));
}

/** A VPC with an attached gateway, a table that leads to it, and a group that lets everything in. */
async function network(cidr: string) {
  const vpcId = id((await ec2.createVpc({ CidrBlock: cidr })).Vpc?.VpcId);
  const gatewayId = id((await ec2.createInternetGateway({})).InternetGateway?.InternetGatewayId);
  await ec2.attachInternetGateway({ InternetGatewayId: gatewayId, VpcId: vpcId });
  const tables = await ec2.describeRouteTables({ Filters: [{ Name: 'vpc-id', Values: [vpcId] }] });
  const mainTableId = id(tables.RouteTables?.[0]?.RouteTableId);
  const open = await group(vpcId, 'open');
  await ec2.authorizeSecurityGroupIngress({
    GroupId: open,
    IpPermissions: [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }],
  });
  return { vpcId, gatewayId, mainTableId, open };
}

async function group(vpcId: string, name: string): Promise<string> {
  return id((await ec2.createSecurityGroup({ GroupName: name, Description: name, VpcId: vpcId })).GroupId);
}

async function subnet(vpcId: string, cidr: string, zone = 'us-east-1a'): Promise<string> {
  const made = await ec2.createSubnet({ VpcId: vpcId, CidrBlock: cidr, AvailabilityZone: zone });
  return id(made.Subnet?.SubnetId);
}

const gatewayRoute = { DestinationCidrBlock: '0.0.0.0/0' };

interface Launched {
  readonly id: string;
  readonly eni: string;
  readonly privateIp: string;
  readonly publicIp: string | undefined;
}

async function launch(subnetId: string, groupIds: string[], more: Partial<RunInstancesCommandInput> = {}) {
  const { NetworkInterfaces, ...rest } = more;
  const run = await ec2.runInstances({
    ImageId: 'ami-0abcdef1234567890',
    InstanceType: 't3.micro',
    MinCount: 1,
    MaxCount: 1,
    ...(NetworkInterfaces
      ? { NetworkInterfaces: NetworkInterfaces.map((one) => ({ SubnetId: subnetId, Groups: groupIds, ...one })) }
      : { SubnetId: subnetId, SecurityGroupIds: groupIds }),
    ...rest,
  });
  return inState(id(run.Instances?.[0]?.InstanceId), 'running');
}

const publicly = { NetworkInterfaces: [{ DeviceIndex: 0, AssociatePublicIpAddress: true }] };

async function inState(instanceId: string, state: string): Promise<Launched> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const described = await ec2.describeInstances({ InstanceIds: [instanceId] });
    const instance = described.Reservations?.[0]?.Instances?.[0];
    if (instance?.State?.Name === state)
      return {
        id: instanceId,
        eni: instance.NetworkInterfaces?.[0]?.NetworkInterfaceId ?? '',
        privateIp: instance.PrivateIpAddress ?? '',
        publicIp: instance.PublicIpAddress,
      };
    assert.ok(
      Date.now() < deadline,
      `${instanceId} is ${instance?.State?.Name} (${instance?.StateReason?.Message}), not ${state}`,
    );
    await delay(50);
  }
}

async function stopAndStart(instanceId: string): Promise<Launched> {
  await ec2.stopInstances({ InstanceIds: [instanceId] });
  const stopped = await inState(instanceId, 'stopped');
  await ec2.startInstances({ InstanceIds: [instanceId] });
  const started = await inState(instanceId, 'running');
  assert.equal(started.privateIp, stopped.privateIp);
  return started;
}

/** Public addresses outside AWS that answer. */
const [outside, otherOutside] = ['198.51.100.7', '203.0.113.99'];

describe('lab G', { timeout: 600_000, concurrency: 3 }, () => {
  test('[G1] the address plan: sizes, overlaps, five reserved addresses', async () => {
    for (const cidr of ['10.0.0.0/15', '10.0.0.0/29'])
      await refused(ec2.createVpc({ CidrBlock: cidr }), 'InvalidVpc.Range');
    await refused(ec2.createVpc({ CidrBlock: '10.0.0.0/33' }), 'InvalidParameterValue');
    const { vpcId, open } = await network('10.10.0.0/16');
    const made = await ec2.createSubnet({ VpcId: vpcId, CidrBlock: '10.10.1.0/24' });
    assert.equal(made.Subnet?.AvailableIpAddressCount, 251);
    await refused(ec2.createSubnet({ VpcId: vpcId, CidrBlock: '10.10.1.128/25' }), 'InvalidSubnet.Conflict');
    await refused(ec2.createSubnet({ VpcId: vpcId, CidrBlock: '10.11.0.0/24' }), 'InvalidSubnet.Range');
    await refused(ec2.createSubnet({ VpcId: vpcId, CidrBlock: '10.10.2.0/29' }), 'InvalidSubnet.Range');
    const small = await subnet(vpcId, '10.10.3.0/28');
    const run = { ImageId: 'ami-0abcdef1234567890', MinCount: 1, MaxCount: 1, SubnetId: small };
    for (const last of [0, 1, 2, 3, 15])
      await refused(ec2.runInstances({ ...run, PrivateIpAddress: `10.10.3.${last}` }), 'InvalidParameterValue');
    await refused(ec2.runInstances({ ...run, MinCount: 12, MaxCount: 12 }), 'InsufficientFreeAddressesInSubnet');
    const first = await launch(small, [open]);
    const last = await launch(small, [open], { PrivateIpAddress: '10.10.3.14' });
    assert.equal(first.privateIp, '10.10.3.4');
    const described = await ec2.describeSubnets({ SubnetIds: [small] });
    assert.equal(described.Subnets?.[0]?.AvailableIpAddressCount, 9);
    assert.equal(await ping(first.id, last.privateIp), 'open');
    await ec2.terminateInstances({ InstanceIds: [first.id, last.id] });
  });

  test('[G2] an internet gateway carries packets only while it is attached, routed to, and the instance has a public address', async () => {
    const vpcId = id((await ec2.createVpc({ CidrBlock: '10.20.0.0/16' })).Vpc?.VpcId);
    const InternetGatewayId = id((await ec2.createInternetGateway({})).InternetGateway?.InternetGatewayId);
    const described = await ec2.describeInternetGateways({ InternetGatewayIds: [InternetGatewayId] });
    assert.deepEqual(described.InternetGateways?.[0]?.Attachments, []);
    const subnetId = await subnet(vpcId, '10.20.0.0/24');
    await ec2.attachInternetGateway({ InternetGatewayId, VpcId: vpcId });
    await refused(ec2.attachInternetGateway({ InternetGatewayId, VpcId: vpcId }), 'Resource.AlreadyAssociated');
    const second = id((await ec2.createInternetGateway({})).InternetGateway?.InternetGatewayId);
    await refused(ec2.attachInternetGateway({ InternetGatewayId: second, VpcId: vpcId }), 'InvalidParameterValue');
    const groupId = await group(vpcId, 'out');
    const [withPublic, without] = await Promise.all([
      launch(subnetId, [groupId], publicly),
      launch(subnetId, [groupId]),
    ]);
    assert.equal(await ping(withPublic.id, outside), 'timeout');
    const tables = await ec2.describeRouteTables({ Filters: [{ Name: 'vpc-id', Values: [vpcId] }] });
    const RouteTableId = id(tables.RouteTables?.[0]?.RouteTableId);
    await ec2.createRoute({ RouteTableId, ...gatewayRoute, GatewayId: InternetGatewayId });
    await settled();
    assert.equal(await ping(withPublic.id, outside), 'open');
    assert.equal(await ping(without.id, outside), 'timeout');
    await refused(ec2.detachInternetGateway({ InternetGatewayId, VpcId: vpcId }), 'DependencyViolation');
    await ec2.terminateInstances({ InstanceIds: [withPublic.id, without.id] });
  });

  test('[G3] main and custom tables, longest prefix, and a blackhole that drops', async () => {
    const { vpcId, gatewayId, mainTableId, open } = await network('10.30.0.0/16');
    const [a, b] = [await subnet(vpcId, '10.30.0.0/24'), await subnet(vpcId, '10.30.1.0/24', 'us-east-1b')];
    const [inA, inB, target] = await Promise.all([
      launch(a, [open], publicly),
      launch(b, [open], publicly),
      launch(b, [open]),
    ]);
    const custom = id((await ec2.createRouteTable({ VpcId: vpcId })).RouteTable?.RouteTableId);
    await ec2.createRoute({ RouteTableId: custom, ...gatewayRoute, GatewayId: gatewayId });
    const association = await ec2.associateRouteTable({ RouteTableId: custom, SubnetId: a });
    await settled();
    assert.deepEqual([await ping(inA.id, outside), await ping(inB.id, outside)], ['open', 'timeout']);
    assert.equal(await ping(inA.id, inB.privateIp), 'open');

    // The other way round: the explicit table moves, then the main one is replaced.
    await ec2.replaceRouteTableAssociation({ AssociationId: id(association.AssociationId), RouteTableId: mainTableId });
    const main = (await ec2.describeRouteTables({ RouteTableIds: [mainTableId] })).RouteTables?.[0]?.Associations;
    const mainAssociation = id(main?.find((one) => one.Main)?.RouteTableAssociationId);
    const explicit = id(main?.find((one) => one.SubnetId === a)?.RouteTableAssociationId);
    await ec2.replaceRouteTableAssociation({ AssociationId: mainAssociation, RouteTableId: custom });
    await settled();
    assert.deepEqual([await ping(inA.id, outside), await ping(inB.id, outside)], ['timeout', 'open']);
    await ec2.disassociateRouteTable({ AssociationId: explicit });
    await settled();
    assert.equal(await ping(inA.id, outside), 'open', 'without an association of its own it follows the main table');

    await ec2.createRoute({
      RouteTableId: custom,
      DestinationCidrBlock: '198.51.100.0/24',
      NetworkInterfaceId: target.eni,
    });
    await ec2.terminateInstances({ InstanceIds: [target.id] });
    await inState(target.id, 'terminated');
    await settled();
    const routes = (await ec2.describeRouteTables({ RouteTableIds: [custom] })).RouteTables?.[0]?.Routes;
    assert.equal(routes?.find((one) => one.DestinationCidrBlock === '198.51.100.0/24')?.State, 'blackhole');
    assert.deepEqual([await ping(inA.id, outside), await ping(inA.id, otherOutside)], ['timeout', 'open']);
    await ec2.replaceRoute({ RouteTableId: custom, DestinationCidrBlock: '198.51.100.0/24', GatewayId: gatewayId });
    await settled();
    assert.equal(await ping(inA.id, outside), 'open');
    await ec2.terminateInstances({ InstanceIds: [inA.id, inB.id] });
  });

  test('[G4] an auto-assigned address changes over stop and start, an Elastic IP stays, and after it there is another', async () => {
    const { vpcId, gatewayId, mainTableId, open } = await network('10.40.0.0/16');
    await ec2.createRoute({ RouteTableId: mainTableId, ...gatewayRoute, GatewayId: gatewayId });
    const subnetId = await subnet(vpcId, '10.40.0.0/24');
    await ec2.modifySubnetAttribute({ SubnetId: subnetId, MapPublicIpOnLaunch: { Value: true } });
    const [one, other] = await Promise.all([launch(subnetId, [open]), launch(subnetId, [open])]);
    assert.equal(await ssh(other.id, id(one.publicIp)), 'open');
    const again = await stopAndStart(one.id);
    assert.notEqual(id(again.publicIp), one.publicIp);
    await settled();
    assert.notEqual(await ssh(other.id, id(one.publicIp)), 'open');
    assert.equal(await ssh(other.id, id(again.publicIp)), 'open');

    const { AllocationId, PublicIp } = await ec2.allocateAddress({});
    const { AssociationId } = await ec2.associateAddress({ AllocationId, InstanceId: one.id });
    const elastic = await stopAndStart(one.id);
    assert.equal(elastic.publicIp, PublicIp);
    await settled();
    assert.equal(await ssh(other.id, id(PublicIp)), 'open');
    assert.notEqual(await ssh(other.id, id(again.publicIp)), 'open');

    await ec2.disassociateAddress({ AssociationId });
    const back = id((await inState(one.id, 'running')).publicIp);
    assert.notEqual(back, PublicIp);
    await settled();
    assert.equal(await ssh(other.id, back), 'open');
    assert.notEqual(await ssh(other.id, id(PublicIp)), 'open');
    await ec2.modifyNetworkInterfaceAttribute({ NetworkInterfaceId: one.eni, AssociatePublicIpAddress: false });
    await settled();
    assert.notEqual(await ssh(other.id, back), 'open');
    assert.equal(await ping(one.id, outside), 'timeout');
    await ec2.modifyNetworkInterfaceAttribute({ NetworkInterfaceId: one.eni, AssociatePublicIpAddress: true });
    await settled();
    assert.equal(await ping(one.id, outside), 'open');
    await ec2.terminateInstances({ InstanceIds: [one.id, other.id] });
  });

  test('[G5] groups are stateful, and a reference follows membership at once', async () => {
    const { vpcId } = await network('10.50.0.0/16');
    const subnetId = await subnet(vpcId, '10.50.0.0/24');
    const [web, client] = [await group(vpcId, 'web'), await group(vpcId, 'client')];
    const permission = { IpProtocol: 'tcp', FromPort: 22, ToPort: 22, UserIdGroupPairs: [{ GroupId: client }] };
    await ec2.authorizeSecurityGroupIngress({ GroupId: web, IpPermissions: [permission] });
    const bystander = await group(vpcId, 'bystander');
    const [server, caller] = await Promise.all([launch(subnetId, [web]), launch(subnetId, [bystander])]);
    assert.equal(await ssh(caller.id, server.privateIp), 'timeout');
    await ec2.modifyInstanceAttribute({ InstanceId: caller.id, Groups: [bystander, client] });
    await settled();
    assert.equal(await ssh(caller.id, server.privateIp), 'open', 'no rule lets the reply in: it is of a known flow');
    assert.equal(await ssh(server.id, caller.privateIp), 'timeout', 'a reference is one-way');
    await ec2.modifyInstanceAttribute({ InstanceId: caller.id, Groups: [bystander] });
    await settled();
    assert.equal(await ssh(caller.id, server.privateIp), 'timeout');
    await refused(ec2.deleteSecurityGroup({ GroupId: client }), 'DependencyViolation');
    await ec2.terminateInstances({ InstanceIds: [server.id, caller.id] });
  });

  test('[G6] ACLs are stateless and ordered, and see nothing inside a subnet', async () => {
    const { vpcId, open } = await network('10.60.0.0/16');
    const [a, b] = [await subnet(vpcId, '10.60.0.0/24'), await subnet(vpcId, '10.60.1.0/24')];
    const [server, neighbour, caller] = await Promise.all([launch(a, [open]), launch(a, [open]), launch(b, [open])]);
    const acl = id((await ec2.createNetworkAcl({ VpcId: vpcId })).NetworkAcl?.NetworkAclId);
    const acls = await ec2.describeNetworkAcls({ Filters: [{ Name: 'association.subnet-id', Values: [a] }] });
    const before = acls.NetworkAcls?.[0]?.Associations?.find((one) => one.SubnetId === a);
    await ec2.replaceNetworkAclAssociation({ AssociationId: id(before?.NetworkAclAssociationId), NetworkAclId: acl });
    const entry = (RuleNumber: number, Egress: boolean, RuleAction: 'allow' | 'deny', from: number, to: number) =>
      ec2.createNetworkAclEntry({
        NetworkAclId: acl,
        RuleNumber,
        Egress,
        RuleAction,
        Protocol: '6',
        CidrBlock: '10.60.1.0/24',
        PortRange: { From: from, To: to },
      });
    await settled();
    assert.equal(await ssh(caller.id, server.privateIp), 'timeout', 'a new ACL lets nothing pass');
    assert.equal(await ssh(neighbour.id, server.privateIp), 'open', 'nothing is filtered inside the subnet');
    await entry(100, false, 'allow', 22, 22);
    await settled();
    assert.equal(await ssh(caller.id, server.privateIp), 'timeout', 'the reply to an ephemeral port is dropped');
    await entry(100, true, 'allow', 1024, 65535);
    await settled();
    assert.equal(await ssh(caller.id, server.privateIp), 'open');
    await entry(110, false, 'deny', 22, 22);
    await settled();
    assert.equal(await ssh(caller.id, server.privateIp), 'open', 'a later deny is never reached');
    await entry(90, false, 'deny', 22, 22);
    await settled();
    assert.equal(await ssh(caller.id, server.privateIp), 'timeout', 'the lower number wins');
    await refused(ec2.deleteNetworkAcl({ NetworkAclId: acl }), 'DependencyViolation');
    await ec2.terminateInstances({ InstanceIds: [server.id, neighbour.id, caller.id] });
  });
});
