// Labs F1, F2 and G7 with the AWS CLI: a private subnet behind a NAT gateway, what the internet sees of it, wrong orders, and what is left.
// What an instance is seen as is told by another one on the internet, in a VPC of its own.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { EC2, type InstanceNetworkInterfaceSpecification } from '@aws-sdk/client-ec2';
import { aws, awsCommand } from './aws-cli.ts';
import { attempt, inside, patient, postern } from './inside.ts';
import { bringUp, type Own } from './own-cloud.ts';

const hasCli = spawnSync(awsCommand, ['--version']).status === 0;
const idleTimeoutSeconds = 3;

let own: Own;
let ec2: EC2;

const run = (...args: readonly string[]) => aws(own, ['ec2', ...args, '--output', 'text']);

/** What the command prints. */
async function ec2Cli(...args: readonly string[]): Promise<string> {
  const { code, output } = await run(...args);
  assert.equal(code, 0, `aws ec2 ${args.join(' ')}: ${output}`);
  return output.trim();
}

/** The error's code. */
async function refused(...args: readonly string[]): Promise<string | undefined> {
  return /An error occurred \(([^)]+)\)/.exec((await run(...args)).stderr)?.[1];
}

async function settled(): Promise<void> {
  const ran = await postern(own.directory, 'wait');
  assert.equal(ran.status, 0, ran.out);
}

interface Network {
  readonly vpc: string;
  readonly igw: string;
  readonly publicSubnet: string;
  readonly publicTable: string;
  readonly group: string;
}

/** What the labs begin with is made by the SDK, which is faster. */
async function network(cidr: string, subnetCidr: string): Promise<Network> {
  const vpc = id((await ec2.createVpc({ CidrBlock: cidr })).Vpc?.VpcId);
  const igw = id((await ec2.createInternetGateway({})).InternetGateway?.InternetGatewayId);
  const publicSubnet = await subnetOf(vpc, subnetCidr);
  const publicTable = await tableOf(vpc, publicSubnet);
  const group = id((await ec2.createSecurityGroup({ VpcId: vpc, GroupName: 'open', Description: 'open' })).GroupId);
  const IpPermissions = [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }];
  await ec2.authorizeSecurityGroupIngress({ GroupId: group, IpPermissions });
  await ec2.attachInternetGateway({ InternetGatewayId: igw, VpcId: vpc });
  await ec2.createRoute({ RouteTableId: publicTable, DestinationCidrBlock: '0.0.0.0/0', GatewayId: igw });
  return { vpc, igw, publicSubnet, publicTable, group };
}

async function subnetOf(VpcId: string, CidrBlock: string, AvailabilityZone = 'us-east-1a'): Promise<string> {
  return id((await ec2.createSubnet({ VpcId, CidrBlock, AvailabilityZone })).Subnet?.SubnetId);
}

/** A route table of its own for the subnet. */
async function tableOf(VpcId: string, SubnetId: string): Promise<string> {
  const RouteTableId = id((await ec2.createRouteTable({ VpcId })).RouteTable?.RouteTableId);
  await ec2.associateRouteTable({ RouteTableId, SubnetId });
  return RouteTableId;
}

async function launch(subnetId: string, groupId: string, card: Partial<InstanceNetworkInterfaceSpecification> = {}) {
  const made = await ec2.runInstances({
    ImageId: 'ami-0abcdef1234567890', InstanceType: 't3.micro', MinCount: 1, MaxCount: 1,
    NetworkInterfaces: [{ DeviceIndex: 0, SubnetId: subnetId, Groups: [groupId], ...card }],
  }); // biome-ignore format: few words
  return id(made.Instances?.[0]?.InstanceId);
}

async function publicIpOf(instanceId: string): Promise<string> {
  const { Reservations } = await ec2.describeInstances({ InstanceIds: [instanceId] });
  return id(Reservations?.[0]?.Instances?.[0]?.PublicIpAddress);
}

function id(value: string | undefined): string {
  assert.ok(value);
  return value;
}

function clientOf(cloud: Own): EC2 {
  const [accessKeyId, secretAccessKey] = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].map(
    (name) => cloud.environment[name] ?? '',
  );
  return new EC2({
    endpoint: cloud.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: id(accessKeyId), secretAccessKey: id(secretAccessKey) },
  });
}

/** Says to whoever connects to port 8080 which address it is seen as, and once more for each line. */
const mirror = `perl -e '
use Socket; socket(S, 2, 1, 6); setsockopt(S, 1, 2, 1); bind(S, sockaddr_in(8080, INADDR_ANY)) or die $!; listen(S, 64) or die $!;
exit if fork; while ($peer = accept(C, S)) { next if fork; ($port, $address) = sockaddr_in($peer); $| = 1; select(C); $| = 1;
print inet_ntoa($address) . "\\n"; print inet_ntoa($address) . "\\n" while <C>; exit }
' </dev/null >/dev/null 2>&1`;

describe('labs F1, F2 and G7: NAT gateways', { skip: hasCli ? false : 'the AWS CLI is not installed' }, () => {
  let lab: Network;
  let seer: string;
  let seerIp: string;
  let privateSubnet: string;
  let privateTable: string;
  let instance: string;
  let eip: string;
  let allocation: string;
  let gateway: string;

  before(async () => {
    own = await bringUp({ args: ['--nat-idle-timeout', String(idleTimeoutSeconds)] });
    ec2 = clientOf(own);
    const outside = await network('10.9.0.0/16', '10.9.0.0/24');
    lab = await network('10.0.0.0/16', '10.0.0.0/24');
    privateSubnet = await subnetOf(lab.vpc, '10.0.1.0/24', 'us-east-1b');
    privateTable = await tableOf(lab.vpc, privateSubnet);
    seer = await launch(outside.publicSubnet, outside.group, { AssociatePublicIpAddress: true });
    instance = await launch(privateSubnet, lab.group);
    await settled();
    seerIp = await publicIpOf(seer);
    await inside(own.directory, seer, mirror);
  });

  after(async () => {
    ec2?.destroy();
    await own?.end();
  });

  const seenAs = async () =>
    (
      await inside(own.directory, instance, `timeout 15 bash -c 'exec 3<>/dev/tcp/${seerIp}/8080; head -1 <&3'`)
    ).out.trim();
  const s3 = (waits: number) => `curl -s -m ${waits} -o /dev/null https://s3.us-east-1.amazonaws.com/`;
  /** @param waits seconds: patient with answers that must come, brief with those that must not */
  const reach = (waits = 2) =>
    attempt(own.directory, instance, {
      s3: s3(waits),
      http: `curl -s -m ${waits} -o /dev/null http://203.0.113.50/`,
      ping: `ping -n -c 1 -W ${waits} 198.51.100.7`,
    });
  const everything = { s3: true, http: true, ping: true };
  const nothing = { s3: false, http: false, ping: false };

  test('[F1] [G1] a gateway with an Elastic IP becomes available, as the waiter sees it, and its interface is AWS’s', async () => {
    assert.deepEqual(await reach(), nothing);
    allocation = await ec2Cli('allocate-address', '--query', 'AllocationId');
    eip = await ec2Cli('describe-addresses', '--allocation-ids', allocation, '--query', 'Addresses[0].PublicIp');
    gateway = await ec2Cli(
      'create-nat-gateway',
      '--subnet-id',
      lab.publicSubnet,
      '--allocation-id',
      allocation,
      '--tag-specifications',
      'ResourceType=natgateway,Tags=[{Key=Name,Value=lab}]',
      '--query',
      'NatGateway.NatGatewayId',
    );
    await ec2Cli('wait', 'nat-gateway-available', '--nat-gateway-ids', gateway);
    const eni = await ec2Cli(
      'describe-network-interfaces',
      '--filters',
      `Name=description,Values=Interface for NAT Gateway ${gateway}`,
      '--query',
      'NetworkInterfaces[0].NetworkInterfaceId',
    );
    assert.match(eni, /^eni-/);
    assert.equal(await refused('delete-network-interface', '--network-interface-id', eni), 'InvalidParameterValue');
    assert.equal(await refused('release-address', '--allocation-id', allocation), 'InvalidIPAddress.InUse');
  });

  test('[F1] a private instance reaches the internet, seen there as the Elastic IP, and nothing from there reaches it', async () => {
    const route = ['--route-table-id', privateTable, '--destination-cidr-block', '0.0.0.0/0'];
    await ec2Cli('create-route', ...route, '--nat-gateway-id', gateway);
    await settled();
    assert.deepEqual(await reach(patient), everything);
    assert.equal(await seenAs(), eip);
    const fromOutside = await attempt(own.directory, seer, {
      ssh: `timeout 2 bash -c 'exec 3<>/dev/tcp/${eip}/22'`,
      ping: `ping -n -c 1 -W 1 ${eip}`,
    });
    assert.deepEqual(fromOutside, { ssh: false, ping: false });
  });

  test('[G7] an idle connection is reset at its next packet', async () => {
    const { out } = await inside(
      own.directory,
      instance,
      `bash -c 'exec 3<>/dev/tcp/${seerIp}/8080; read -r a <&3; sleep ${idleTimeoutSeconds + 2}; echo x >&3; read -r b <&3 && echo "still $b" || echo ended'`,
    );
    assert.match(out, /ended/);
  });

  test('[F2] without the route the internet and S3 time out; with it they are back', async () => {
    const route = ['--route-table-id', privateTable, '--destination-cidr-block', '0.0.0.0/0'];
    await ec2Cli('delete-route', ...route);
    await settled();
    assert.deepEqual(await reach(), nothing);
    await ec2Cli('create-route', ...route, '--nat-gateway-id', gateway);
    await settled();
    assert.equal(await seenAs(), eip);
  });

  test('[G2] a public gateway in a subnet without an internet route drops in silence', async () => {
    const route = ['--route-table-id', lab.publicTable, '--destination-cidr-block', '0.0.0.0/0'];
    await ec2Cli('delete-route', ...route);
    await settled();
    assert.deepEqual(await reach(), nothing);
    await ec2Cli('create-route', ...route, '--gateway-id', lab.igw);
    await settled();
    assert.equal(await seenAs(), eip);
  });

  test('[BPA] ingress-only blocking leaves the NAT gateway, bidirectional takes it too, an exclusion gives it back', async () => {
    // By the SDK: the CLI may be older than these operations.
    const block = (mode: 'off' | 'block-ingress' | 'block-bidirectional') =>
      ec2.modifyVpcBlockPublicAccessOptions({ InternetGatewayBlockMode: mode }).then(settled);
    await block('block-ingress');
    assert.deepEqual(
      [await reach(patient), await attempt(own.directory, seer, { s3: s3(2) })],
      [everything, { s3: false }],
    );
    await block('block-bidirectional');
    assert.deepEqual(await reach(), nothing);
    await ec2.createVpcBlockPublicAccessExclusion({ VpcId: lab.vpc, InternetGatewayExclusionMode: 'allow-egress' });
    await settled();
    assert.deepEqual(await reach(patient), everything);
    await block('off');
  });

  test('[G4] [R3] a private gateway: what it sends to the internet gateway is dropped, inside the VPC it is the source', async () => {
    const hidden = await ec2Cli(
      'create-nat-gateway',
      '--connectivity-type',
      'private',
      '--subnet-id',
      lab.publicSubnet,
      '--private-ip-address',
      '10.0.0.200',
      '--query',
      'NatGateway.NatGatewayId',
    );
    const route = ['--route-table-id', privateTable, '--destination-cidr-block'];
    const witness = await launch(lab.publicSubnet, lab.group, { PrivateIpAddress: '10.0.0.50' });
    await settled();
    await inside(own.directory, witness, mirror);
    await ec2Cli('replace-route', ...route, '0.0.0.0/0', '--nat-gateway-id', hidden);
    await ec2Cli('replace-route', ...route, '10.0.0.0/16', '--nat-gateway-id', hidden);
    await settled();
    assert.deepEqual(await reach(), nothing);
    const inVpc = async () =>
      (
        await inside(own.directory, instance, "timeout 15 bash -c 'exec 3<>/dev/tcp/10.0.0.50/8080; head -1 <&3'")
      ).out.trim();
    assert.equal(await inVpc(), '10.0.0.200');
    await ec2Cli('replace-route', ...route, '10.0.0.0/16', '--local-target');
    await ec2Cli('replace-route', ...route, '0.0.0.0/0', '--nat-gateway-id', gateway);
    await settled();
    assert.notEqual(await inVpc(), '10.0.0.200');
    assert.equal(await seenAs(), eip);
    await ec2.deleteNatGateway({ NatGatewayId: hidden });
    await ec2.terminateInstances({ InstanceIds: [witness] });
  });

  test('the cloud killed and brought up again: gateway and translation are back', { timeout: 300_000 }, async () => {
    const { directory } = own;
    own.launcher.kill('SIGKILL');
    await own.ended;
    ec2.destroy();
    own = await bringUp({ directory, args: ['--nat-idle-timeout', String(idleTimeoutSeconds)] });
    ec2 = clientOf(own);
    await settled();
    await inside(own.directory, seer, mirror);
    seerIp = await publicIpOf(seer);
    assert.equal(await seenAs(), eip);
  });

  test('[G1] each wrong order of cleaning up is refused, the right one leaves nothing', async () => {
    const detach = ['detach-internet-gateway', '--internet-gateway-id', lab.igw, '--vpc-id', lab.vpc];
    assert.equal(await refused(...detach), 'DependencyViolation');
    assert.equal(await refused('delete-subnet', '--subnet-id', lab.publicSubnet), 'DependencyViolation');
    await ec2Cli('delete-nat-gateway', '--nat-gateway-id', gateway);
    await ec2Cli('wait', 'nat-gateway-deleted', '--nat-gateway-ids', gateway);
    await settled();
    assert.deepEqual(await reach(), nothing);
    const state = ['describe-route-tables', '--route-table-ids', privateTable, '--query'];
    assert.equal(await ec2Cli(...state, `RouteTables[0].Routes[?NatGatewayId=='${gateway}'].State`), 'blackhole');
    await ec2Cli('release-address', '--allocation-id', allocation);
    await ec2.terminateInstances({ InstanceIds: [instance] });
    await settled();
    await ec2Cli(...detach);
    for (const SubnetId of [lab.publicSubnet, privateSubnet]) await ec2.deleteSubnet({ SubnetId });
    for (const RouteTableId of [lab.publicTable, privateTable]) await ec2.deleteRouteTable({ RouteTableId });
    await ec2.deleteSecurityGroup({ GroupId: lab.group });
    await ec2Cli('delete-vpc', '--vpc-id', lab.vpc);
  });
});
