// `postern check` from end to end: the example file on lab F's network, with packets; a failure, mended by the command that it tells; then the same network as a real account's
// answers, with no cloud running.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { EC2 } from '@aws-sdk/client-ec2';
import { IAM } from '@aws-sdk/client-iam';
import type { CheckReport } from '@postern/check/report.ts';
import { bringUp, command, newDirectory, type Own, root } from './own-cloud.ts';

const example = join(root, 'examples', 'private-subnets.check.yaml');
const files = newDirectory();
let own: Own;
let ec2: EC2;
let iam: IAM;
let door: string;

before(async () => {
  own = await bringUp();
  const credentials = {
    accessKeyId: own.environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: own.environment['AWS_SECRET_ACCESS_KEY'] ?? '',
  };
  const client = { endpoint: own.endpoint, region: 'us-east-1', maxAttempts: 1, credentials };
  [ec2, iam] = [new EC2(client), new IAM(client)];
  await buildLab();
});

after(async () => {
  ec2?.destroy();
  iam?.destroy();
  await own?.end();
  rmSync(files, { recursive: true, force: true });
});

/** What lab F has after F4, with one NAT-less private table and an instance. */
async function buildLab(): Promise<void> {
  const VpcId = (await ec2.createVpc({ CidrBlock: '10.0.0.0/16' })).Vpc?.VpcId;
  await ec2.modifyVpcAttribute({ VpcId, EnableDnsHostnames: { Value: true } });
  const subnet = async (CidrBlock: string) => (await ec2.createSubnet({ VpcId, CidrBlock })).Subnet?.SubnetId ?? '';
  const [open, closed] = [await subnet('10.0.0.0/24'), await subnet('10.0.10.0/24')];
  const InternetGatewayId = (await ec2.createInternetGateway({})).InternetGateway?.InternetGatewayId;
  await ec2.attachInternetGateway({ VpcId, InternetGatewayId });
  const table = async (SubnetId: string) => {
    const RouteTableId = (await ec2.createRouteTable({ VpcId })).RouteTable?.RouteTableId ?? '';
    await ec2.associateRouteTable({ RouteTableId, SubnetId });
    return RouteTableId;
  };
  const [openTable, closedTable] = [await table(open), await table(closed)];
  await ec2.createRoute({ RouteTableId: openTable, DestinationCidrBlock: '0.0.0.0/0', GatewayId: InternetGatewayId });
  for (const service of ['s3', 'dynamodb'])
    await ec2.createVpcEndpoint({
      VpcId,
      ServiceName: `com.amazonaws.us-east-1.${service}`,
      RouteTableIds: [openTable, closedTable],
    });
  const group = async (GroupName: string) =>
    (await ec2.createSecurityGroup({ VpcId, GroupName, Description: GroupName })).GroupId ?? '';
  const lab = await group('lab');
  door = await group('door');
  await ec2.authorizeSecurityGroupIngress({
    GroupId: lab,
    IpPermissions: [{ IpProtocol: 'tcp', FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: '0.0.0.0/0' }] }],
  });
  await ec2.authorizeSecurityGroupIngress({
    GroupId: door,
    IpPermissions: [{ IpProtocol: 'tcp', FromPort: 443, ToPort: 443, IpRanges: [{ CidrIp: '10.0.0.0/16' }] }],
  });
  await ec2.createVpcEndpoint({
    VpcId,
    VpcEndpointType: 'Interface',
    ServiceName: 'com.amazonaws.us-east-1.sts',
    SubnetIds: [closed],
    SecurityGroupIds: [door],
    PrivateDnsEnabled: true,
  });
  await ec2.runInstances({
    ImageId: 'ami-0abcdef1234567890',
    MinCount: 1,
    MaxCount: 1,
    SubnetId: closed,
    SecurityGroupIds: [lab],
  });
  const trust = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
  };
  const policy = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: ['s3:*', 'dynamodb:*', 'ec2:Describe*'], Resource: '*' }],
  };
  await iam.createRole({ RoleName: 'lab-role', AssumeRolePolicyDocument: JSON.stringify(trust) });
  await iam.putRolePolicy({ RoleName: 'lab-role', PolicyName: 'lab', PolicyDocument: JSON.stringify(policy) });
  assert.equal((await postern('wait')).code, 0);
}

function run(
  program: string,
  args: readonly string[],
  directory = own.directory,
): Promise<{ code: number | null; output: string; errors: string }> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, POSTERN_DATA: directory, NO_COLOR: '1' },
  });
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output, errors })));
}

const postern = (...args: readonly string[]) => run(process.execPath, [command, ...args]);

test('the example holds on its network, and packets say the same', async () => {
  const { code, output, errors } = await postern('check', example, '--live', '--json');
  assert.equal(code, 0, output + errors);
  const { results } = JSON.parse(output) as CheckReport;
  assert.deepEqual(
    results.filter(({ outcome }) => outcome !== 'holds'),
    [],
  );
  const probed = results.flatMap(({ live }) => live?.probed ?? []);
  assert.ok(probed.filter(({ seen }) => seen === 'open').length >= 4, JSON.stringify(probed));
  assert.ok(probed.filter(({ seen }) => seen === 'dropped').length >= 2, JSON.stringify(probed));
});

test('packets that disagree with the model are a failure: here a guest that drops what it should send', async () => {
  const { Reservations } = await ec2.describeInstances({});
  const id = Reservations?.[0]?.Instances?.[0]?.InstanceId ?? '';
  const { NetworkInterfaces } = await ec2.describeNetworkInterfaces({});
  const address =
    NetworkInterfaces?.find(({ InterfaceType }) => InterfaceType === 'vpc_endpoint')?.PrivateIpAddress ?? '';
  const ip = (verb: string) => postern('exec', id, '--', 'ip', 'route', verb, 'unreachable', address);
  assert.equal((await ip('add')).code, 0);
  const { code, output } = await postern('check', example, '--live');
  assert.equal((await ip('del')).code, 0);
  assert.equal(code, 1, output);
  assert.match(
    output,
    /✓ STS by its private name[^✓]*✗ tcp 443 from i-\S+ to\s+\S+ is\s+dropped[^✓]*the\s+model\s+says\s+open/,
  );
});

test('a failure tells the step that decides and the command that mends it; after that command it holds', async () => {
  await ec2.revokeSecurityGroupIngress({
    GroupId: door,
    IpPermissions: [{ IpProtocol: 'tcp', FromPort: 443, ToPort: 443, IpRanges: [{ CidrIp: '10.0.0.0/16' }] }],
  });
  const [junit, sarif] = [join(files, 'junit.xml'), join(files, 'check.sarif')];
  const broken = await postern('check', example, '--junit', junit, '--sarif', sarif);
  assert.equal(broken.code, 1, broken.output + broken.errors);
  assert.match(broken.output, /✗ STS by its private name, through the interface endpoint\n/);
  assert.match(broken.output, /\(SG_HAS_NO_RULES\)\s+◀/);
  assert.match(readFileSync(junit, 'utf8'), /failures="2"/);
  const log = JSON.parse(readFileSync(sarif, 'utf8')) as { runs: { results: { kind: string }[] }[] };
  assert.equal(log.runs[0]?.results.filter(({ kind }) => kind === 'fail').length, 2);
  // As it is printed, in a shell.
  const [, mend = ''] = /to mend it: (.*)/.exec(broken.output) ?? [];
  assert.match(mend, /aws ec2 authorize-security-group-ingress --group-id sg-/);
  const mended = await run('sh', ['-c', mend]);
  assert.equal(mended.code, 0, mend + mended.errors);
  const after = await postern('check', example, '--json');
  const { results } = JSON.parse(after.output) as CheckReport;
  assert.equal(results.find(({ name }) => name.startsWith('STS'))?.outcome, 'holds', after.output);
});

test('a file that is none, one that is not there, ends that mean nothing', async () => {
  const bad = join(files, 'bad.yaml');
  writeFileSync(bad, 'checks:\n  - { from: internet, does-not-reech: sg door }\n');
  const wrong = await postern('check', bad);
  assert.equal(wrong.code, 2);
  assert.match(wrong.errors, /bad\.yaml:2:23: unknown key 'does-not-reech'; did you mean 'does-not-reach'\?/);
  assert.equal((await postern('check', join(files, 'nothing.yaml'))).code, 2);
  writeFileSync(bad, 'checks:\n  - { from: internet, does-not-reach: sg dor }\n');
  const missing = await postern('check', bad);
  assert.equal(missing.code, 2);
  assert.match(missing.output, /there is no security group dor; did you mean 'door'\?/);
});

test('the same network as AWS’s answers, without a cloud', async () => {
  const directory = join(files, 'snapshot');
  mkdirSync(directory);
  const calls = {
    describeVpcs: 'Vpcs', describeSubnets: 'Subnets', describeRouteTables: 'RouteTables', describeNetworkAcls: 'NetworkAcls', describeSecurityGroups: 'SecurityGroups',
    describeNetworkInterfaces: 'NetworkInterfaces', describeInstances: 'Reservations', describeInternetGateways: 'InternetGateways', describeVpcEndpoints: 'VpcEndpoints',
    describePrefixLists: 'PrefixLists', describeTransitGateways: 'TransitGateways',
  } as const; // biome-ignore format: a table
  for (const [call, list] of Object.entries(calls)) {
    const answer = (await ec2[call as keyof typeof calls]({})) as unknown as Record<string, unknown>;
    writeFileSync(join(directory, `${call}.json`), JSON.stringify({ [list]: answer[list] }));
  }
  writeFileSync(
    join(directory, 'iam.json'),
    JSON.stringify(await iam.getAccountAuthorizationDetails({}), (key, value: unknown) =>
      key === '$metadata' ? undefined : value,
    ),
  );
  const nobody = join(files, 'nobody');
  mkdirSync(nobody);
  const without = await run(process.execPath, [command, 'check', example], nobody);
  assert.equal(without.code, 3, 'no cloud is there');
  const held = await run(process.execPath, [command, 'check', example, '--snapshot', directory], nobody);
  assert.equal(held.code, 0, held.output + held.errors);
  assert.match(held.output, /✓ S3 and DynamoDB by the gateway endpoints alone/);
  rmSync(join(directory, 'describeInternetGateways.json'));
  const cut = await run(process.execPath, [command, 'check', example, '--snapshot', directory], nobody);
  assert.equal(cut.code, 0, 'the private subnets have no route to it');
  rmSync(join(directory, 'describeSubnets.json'));
  const broken = await run(process.execPath, [command, 'check', example, '--snapshot', directory], nobody);
  assert.equal(broken.code, 2);
  assert.match(broken.errors, /has no Subnets: aws ec2 describe-subnets >/);
});
