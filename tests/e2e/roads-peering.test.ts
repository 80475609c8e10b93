// Lab G8: VPC peering in one account, across accounts and across regions. The VPCs and instances are made by the SDK, everything about peering by the AWS
// CLI, each call by the account and in the region that it belongs to; what is probed are packets between instances. Each test goes on where the last one left off.
//
//   a (10.0, us-east-1) ── b (10.1, us-east-1) ── c (10.2, us-east-1, another account)        a ── d (10.3, eu-west-1)
//   a's VPC has an internet gateway and a gateway endpoint for S3.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { EC2, waitUntilInstanceRunning } from '@aws-sdk/client-ec2';
import { IAM } from '@aws-sdk/client-iam';
import { STS } from '@aws-sdk/client-sts';
import { aws as runAws } from './aws-cli.ts';
import { ear, inside, postern } from './inside.ts';
import { bringUp, type Own } from './own-cloud.ts';

interface Site {
  readonly account: string;
  readonly region: string;
  readonly ec2: EC2;
  readonly cidr: string;
  readonly vpcId: string;
  readonly subnetId: string;
  readonly tableId: string;
  readonly groupId: string;
  readonly instanceId: string;
  readonly ip: string;
  readonly publicIp: string | undefined;
}

const defaultAccount = '123456789012';
let own: Own;
let other: { accountId: string; environment: Record<string, string> };
let [a, b, c, d] = [] as unknown as [Site, Site, Site, Site];
const peerings: Record<string, string> = {};

before(async () => {
  own = await bringUp();
  const { accountId } = JSON.parse(await ok('account', 'create', '--name', 'other', '--json')) as { accountId: string };
  other = { accountId, environment: JSON.parse(await ok('env', '--account', accountId, '--json')) };
  [a, b, c, d] = await Promise.all([
    site(defaultAccount, 'us-east-1', '10.0', true),
    site(defaultAccount, 'us-east-1', '10.1'),
    site(accountId, 'us-east-1', '10.2'),
    site(defaultAccount, 'eu-west-1', '10.3'),
  ]);
  await settled();
});

after(async () => {
  for (const each of [a, b, c, d]) each?.ec2.destroy();
  await own?.end();
});

function credentials(environment: Readonly<Record<string, string | undefined>>) {
  return {
    accessKeyId: environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'] ?? '',
  };
}

function environmentOf(account: string) {
  return account === defaultAccount ? own.environment : other.environment;
}

/** A VPC with one subnet, one instance, and a group that lets everything in. */
async function site(account: string, region: string, net: string, isPublic = false): Promise<Site> {
  const options = { endpoint: own.endpoint, region, maxAttempts: 1, credentials: credentials(environmentOf(account)) };
  const ec2 = new EC2(options);
  const vpcId = id((await ec2.createVpc({ CidrBlock: `${net}.0.0/16` })).Vpc?.VpcId);
  await ec2.modifyVpcAttribute({ VpcId: vpcId, EnableDnsHostnames: { Value: true } });
  const subnetId = id((await ec2.createSubnet({ VpcId: vpcId, CidrBlock: `${net}.1.0/24` })).Subnet?.SubnetId);
  const tables = await ec2.describeRouteTables({ Filters: [{ Name: 'vpc-id', Values: [vpcId] }] });
  const tableId = id(tables.RouteTables?.[0]?.RouteTableId);
  const made = await ec2.createSecurityGroup({ GroupName: 'open', Description: 'open', VpcId: vpcId });
  const groupId = id(made.GroupId);
  const everything = [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }];
  await ec2.authorizeSecurityGroupIngress({ GroupId: groupId, IpPermissions: everything });
  if (isPublic) {
    const gateway = id((await ec2.createInternetGateway({})).InternetGateway?.InternetGatewayId);
    await ec2.attachInternetGateway({ VpcId: vpcId, InternetGatewayId: gateway });
    await ec2.createRoute({ RouteTableId: tableId, DestinationCidrBlock: '0.0.0.0/0', GatewayId: gateway });
    const ServiceName = `com.amazonaws.${region}.s3`;
    await ec2.createVpcEndpoint({ VpcId: vpcId, ServiceName, RouteTableIds: [tableId] });
  }
  const run = await ec2.runInstances({
    ImageId: 'ami-0abcdef1234567890',
    InstanceType: 't3.micro',
    MinCount: 1,
    MaxCount: 1,
    NetworkInterfaces: [{ DeviceIndex: 0, SubnetId: subnetId, Groups: [groupId], AssociatePublicIpAddress: isPublic }],
  });
  const instanceId = id(run.Instances?.[0]?.InstanceId);
  const waiter = { client: ec2, maxWaitTime: 30, minDelay: 1, maxDelay: 1 };
  await waitUntilInstanceRunning(waiter, { InstanceIds: [instanceId] });
  const instance = (await ec2.describeInstances({ InstanceIds: [instanceId] })).Reservations?.[0]?.Instances?.[0];
  const ip = id(instance?.PrivateIpAddress);
  const publicIp = instance?.PublicIpAddress;
  return { account, region, ec2, cidr: `${net}.0.0/16`, vpcId, subnetId, tableId, groupId, instanceId, ip, publicIp };
}

function id(value: string | undefined): string {
  assert.ok(value);
  return value;
}

async function ok(...args: string[]): Promise<string> {
  const { status, out } = await postern(own.directory, ...args);
  assert.equal(status, 0, out);
  return out.trim();
}

async function settled(): Promise<void> {
  await ok('wait');
}

/** The AWS CLI as the root of the site's account, in its region. */
async function aws(where: Site, ...args: string[]): Promise<string> {
  const { code, output } = await runAws(own, ['--region', where.region, ...args, '--output', 'text'], where.account);
  assert.equal(code, 0, output);
  return output.trim();
}

async function refused(where: Site, code: string, ...args: string[]): Promise<void> {
  const { code: status, output } = await runAws(own, ['--region', where.region, ...args], where.account);
  assert.notEqual(status, 0, output);
  assert.match(output, new RegExp(`\\(${code}\\)`));
}

async function request(from: Site, to: Site, ...more: string[]): Promise<string> {
  const query = ['--query', 'VpcPeeringConnection.VpcPeeringConnectionId'];
  const vpcs = ['--vpc-id', from.vpcId, '--peer-vpc-id', to.vpcId];
  return aws(from, 'ec2', 'create-vpc-peering-connection', ...vpcs, ...more, ...query);
}

const on = (pcx: string) => ['--vpc-peering-connection-id', pcx];
const accept = (where: Site, pcx: string) => aws(where, 'ec2', 'accept-vpc-peering-connection', ...on(pcx));
const route = (where: Site, cidr: string, VpcPeeringConnectionId: string) =>
  where.ec2.createRoute({ RouteTableId: where.tableId, DestinationCidrBlock: cidr, VpcPeeringConnectionId });
const statusOf = (where: Site, pcx: string) =>
  aws(
    where,
    ...'ec2 describe-vpc-peering-connections --query VpcPeeringConnections[].Status.Code'.split(' '),
    '--vpc-peering-connection-ids',
    pcx,
  );

/** The sshd that every instance has, or silence. */
async function reaches(from: Site, to: Site | string, port = 22): Promise<'open' | 'timeout'> {
  const host = typeof to === 'string' ? to : to.ip;
  const { status } = await inside(
    own.directory,
    from.instanceId,
    `timeout 2 bash -c 'exec 3<>/dev/tcp/${host}/${port}'`,
  );
  return status === 0 ? 'open' : 'timeout';
}

async function pairs(...probes: [Site, Site | string, number?][]): Promise<string[]> {
  await settled();
  return Promise.all(probes.map(([from, to, port]) => reaches(from, to, port)));
}

test('[G8] [P1] [P4] in one account: request, acceptance, and a route on each side, or nothing passes', async () => {
  const pcx = await request(
    a,
    b,
    '--tag-specifications',
    'ResourceType=vpc-peering-connection,Tags=[{Key=Name,Value=ab}]',
  );
  peerings['ab'] = pcx;
  await aws(a, 'ec2', 'wait', 'vpc-peering-connection-exists', '--vpc-peering-connection-ids', pcx);
  assert.equal(await statusOf(a, pcx), 'pending-acceptance');
  await route(a, b.cidr, pcx);
  await accept(b, pcx);
  assert.equal(await statusOf(b, pcx), 'active');
  assert.deepEqual(await pairs([a, b], [b, a]), ['timeout', 'timeout']);
  await route(b, a.cidr, pcx);
  assert.deepEqual(await pairs([a, b], [b, a]), ['open', 'open']);
});

test('[P4] the other side sees the true source address', async () => {
  await inside(own.directory, b.instanceId, ear);
  const say = `perl -e 'use Socket; socket(S, 2, 2, 17); send(S, "hello", 0, sockaddr_in(9999, inet_aton("${b.ip}")))'`;
  await inside(own.directory, a.instanceId, say);
  const heard = 'for n in $(seq 200); do grep . /tmp/heard && break; sleep 0.1; done';
  assert.equal((await inside(own.directory, b.instanceId, heard)).out.trim(), `${a.ip} hello`);
});

test('[P8] a public host name of the peer means its private address once its owner allows it', async () => {
  const name = `ec2-${id(a.publicIp).replaceAll('.', '-')}.compute-1.amazonaws.com`;
  const resolved = async () => (await inside(own.directory, b.instanceId, `getent hosts ${name}`)).out.split(' ')[0];
  assert.equal(await resolved(), a.publicIp);
  const options = ['--requester-peering-connection-options', 'AllowDnsResolutionFromRemoteVpc=true'];
  await aws(a, 'ec2', 'modify-vpc-peering-connection-options', ...on(id(peerings['ab'])), ...options);
  assert.equal(await resolved(), a.ip);
});

test('[G8] [P2] across accounts: the other account accepts, each sees its own side, and A–B with B–C gives no A–C', async () => {
  const pcx = await request(b, c, '--peer-owner-id', other.accountId);
  peerings['bc'] = pcx;
  await refused(b, 'OperationNotPermitted', 'ec2', 'accept-vpc-peering-connection', ...on(pcx));
  await accept(c, pcx);
  const seen = 'VpcPeeringConnections[0].[RequesterVpcInfo.OwnerId,AccepterVpcInfo.OwnerId,AccepterVpcInfo.CidrBlock]';
  const expected = `${defaultAccount}\t${other.accountId}\t${c.cidr}`;
  const ids = ['--vpc-peering-connection-ids', pcx];
  for (const side of [b, c])
    assert.equal(await aws(side, 'ec2', 'describe-vpc-peering-connections', ...ids, '--query', seen), expected);
  await route(b, c.cidr, pcx);
  await route(c, b.cidr, pcx);
  // The routes that would be needed if it were transitive.
  await route(a, c.cidr, id(peerings['ab']));
  await route(c, a.cidr, pcx);
  assert.deepEqual(await pairs([b, c], [c, b], [a, b], [a, c], [c, a]), ['open', 'open', 'open', 'timeout', 'timeout']);
});

test('[G8] [S7] [P9] across regions: accepted where the accepter is; no group of the other region can be named', async () => {
  const pcx = await request(a, d, '--peer-region', 'eu-west-1');
  peerings['ad'] = pcx;
  await refused(a, 'OperationNotPermitted', 'ec2', 'accept-vpc-peering-connection', ...on(pcx));
  await accept(d, pcx);
  await route(a, d.cidr, pcx);
  await route(d, a.cidr, pcx);
  assert.deepEqual(await pairs([a, d], [d, a], [b, d]), ['open', 'open', 'timeout']);
  const rule = ['--group-id', d.groupId, '--protocol', 'tcp', '--port', '22', '--source-group', a.groupId];
  await refused(d, 'InvalidGroup.NotFound', 'ec2', 'authorize-security-group-ingress', ...rule);
});

test('[G8] [P5] a peer uses neither our internet gateway nor our gateway endpoint', async () => {
  await route(b, '0.0.0.0/0', id(peerings['ab']));
  const [outside, s3] = ['203.0.113.50', '198.18.1.1'];
  const reached = await pairs([a, outside, 80], [a, s3, 443], [b, outside, 80], [b, s3, 443], [b, id(a.publicIp), 22]);
  assert.deepEqual(reached, ['open', 'open', 'timeout', 'timeout', 'timeout']);
});

test('[G8] [P3] a peering of overlapping VPCs fails', async () => {
  const { Vpc } = await a.ec2.createVpc({ CidrBlock: '10.0.128.0/20' });
  const pcx = await request(a, { ...a, vpcId: id(Vpc?.VpcId) });
  assert.equal(await statusOf(a, pcx), 'failed');
  await refused(a, 'InvalidStateTransition', 'ec2', 'accept-vpc-peering-connection', ...on(pcx));
});

test('[S6] [S7] [S8] [P10] another account’s group as the source, until the peering goes: traffic ends at once, rule and route stay', async () => {
  const everything = ['--group-id', c.groupId, '--protocol', 'all', '--cidr', '0.0.0.0/0'];
  await aws(c, 'ec2', 'revoke-security-group-ingress', ...everything);
  assert.deepEqual(await pairs([b, c]), ['timeout']);
  const rule = ['--group-id', c.groupId, '--protocol', 'tcp', '--port', '22'];
  const source = ['--source-group', b.groupId, '--group-owner', defaultAccount];
  await aws(c, 'ec2', 'authorize-security-group-ingress', ...rule, ...source);
  assert.deepEqual(await pairs([b, c]), ['open']);
  const pcx = id(peerings['bc']);
  assert.match(
    await aws(b, 'ec2', 'describe-security-group-references', '--group-id', b.groupId),
    new RegExp(`${c.vpcId}\\s+${pcx}`),
  );
  await aws(c, 'ec2', 'delete-vpc-peering-connection', ...on(pcx));
  await aws(b, 'ec2', 'wait', 'vpc-peering-connection-deleted', '--vpc-peering-connection-ids', pcx);
  assert.deepEqual(await pairs([b, c], [a, b]), ['timeout', 'open']);
  assert.match(await aws(c, 'ec2', 'describe-stale-security-groups', '--vpc-id', c.vpcId), new RegExp(b.groupId));
  const { RouteTables } = await c.ec2.describeRouteTables({ RouteTableIds: [c.tableId] });
  const state = RouteTables?.[0]?.Routes?.find((one) => one.DestinationCidrBlock === b.cidr)?.State;
  assert.equal(state, 'blackhole');
});

test('[E2] a user assumes a role of another account when both sides allow it, and sees that account’s VPCs only', async () => {
  const region = 'us-east-1';
  const client = (account: string) => ({
    endpoint: own.endpoint,
    region,
    credentials: credentials(environmentOf(account)),
  });
  const [iam, theirs] = [new IAM(client(defaultAccount)), new IAM(client(other.accountId))];
  const policy = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement });
  const RoleName = 'network';
  const trust = {
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${defaultAccount}:root` },
    Action: 'sts:AssumeRole',
  };
  const { Role } = await theirs.createRole({ RoleName, AssumeRolePolicyDocument: policy(trust) });
  const look = policy({ Effect: 'Allow', Action: 'ec2:Describe*', Resource: '*' });
  await theirs.putRolePolicy({ RoleName, PolicyName: 'look', PolicyDocument: look });
  await iam.createUser({ UserName: 'ana' });
  const { AccessKey } = await iam.createAccessKey({ UserName: 'ana' });
  const key = { accessKeyId: id(AccessKey?.AccessKeyId), secretAccessKey: id(AccessKey?.SecretAccessKey) };
  const sts = new STS({ endpoint: own.endpoint, region, credentials: key });
  const assume = () => sts.assumeRole({ RoleArn: id(Role?.Arn), RoleSessionName: 'ana' });
  await assert.rejects(assume(), { name: 'AccessDenied' });
  const PolicyDocument = policy({ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: id(Role?.Arn) });
  await iam.putUserPolicy({ UserName: 'ana', PolicyName: 'assume', PolicyDocument });
  const { Credentials } = await assume();
  const session = {
    accessKeyId: id(Credentials?.AccessKeyId),
    secretAccessKey: id(Credentials?.SecretAccessKey),
    sessionToken: id(Credentials?.SessionToken),
  };
  const ec2 = new EC2({ endpoint: own.endpoint, region, credentials: session });
  const owners = (await ec2.describeVpcs({})).Vpcs?.map((vpc) => vpc.OwnerId);
  assert.deepEqual(new Set(owners), new Set([other.accountId]));
  await assert.rejects(ec2.describeVpcs({ VpcIds: [a.vpcId] }), { name: 'InvalidVpcID.NotFound' });
  for (const each of [iam, theirs, sts, ec2]) each.destroy();
});
