// Systems Manager with real agents: they run inside the instances, and all that they do goes over the VPC's packets with their role's credentials. One VPC
// without an internet: interface endpoints are the only road (F4, F5, F6 of the labs).

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { EC2 } from '@aws-sdk/client-ec2';
import { IAM } from '@aws-sdk/client-iam';
import { S3 } from '@aws-sdk/client-s3';
import { SSM } from '@aws-sdk/client-ssm';
import { openWebSocket } from '@postern/guest/wire/websocket.ts';
import { inside, postern } from './inside.ts';
import { bringUp, type Own, command as posternCommand } from './own-cloud.ts';

let own: Own;
let ec2: EC2;
let iam: IAM;
let s3: S3;
let ssm: SSM;
let managed: string;
let plain: string;
let ssmEndpoint: string;
const bucket = 'command-output';

function id(value: string | undefined): string {
  assert.ok(value);
  return value;
}

/** Asks until the answer is there; a minute is for a busy machine. */
async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + 60_000; ; ) {
    const found = await ask();
    if (found !== undefined) return found;
    if (Date.now() > deadline) assert.fail(`${what}; the agent says:\n${await agentLog()}`);
    await delay(100);
  }
}

const agentLog = async () => (await inside(own.directory, managed, 'cat /var/log/amazon/ssm/amazon-ssm-agent.log')).out;

async function pingStatus(): Promise<string | undefined> {
  const told = await ssm.describeInstanceInformation({ Filters: [{ Key: 'InstanceIds', Values: [managed] }] });
  return told.InstanceInformationList?.[0]?.PingStatus;
}

const hasStatus = (status: string) =>
  until(`the node to be ${status}`, async () => ((await pingStatus()) === status ? true : undefined));

async function settled(): Promise<void> {
  const { status, out } = await postern(own.directory, 'wait');
  assert.equal(status, 0, out);
}

/** Sends a script and waits for its end. */
async function run(commands: string[], more: object = {}) {
  const sent = await ssm.sendCommand({
    DocumentName: 'AWS-RunShellScript',
    InstanceIds: [managed],
    Parameters: { commands },
    ...more,
  });
  const CommandId = id(sent.Command?.CommandId);
  return until('the command to end', async () => {
    const told = await ssm.getCommandInvocation({ CommandId, InstanceId: managed });
    return ['Pending', 'InProgress', 'Cancelling'].includes(told.Status ?? '') ? undefined : told;
  });
}

before(async () => {
  own = await bringUp();
  const options = {
    endpoint: own.endpoint,
    region: 'us-east-1',
    credentials: {
      accessKeyId: own.environment['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: own.environment['AWS_SECRET_ACCESS_KEY'] ?? '',
    },
  };
  ec2 = new EC2(options);
  iam = new IAM(options);
  s3 = new S3({ ...options, forcePathStyle: true });
  ssm = new SSM(options);

  const AssumeRolePolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
  });
  await iam.createRole({ RoleName: 'node', AssumeRolePolicyDocument });
  await iam.attachRolePolicy({
    RoleName: 'node',
    PolicyArn: 'arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore',
  });
  await iam.createInstanceProfile({ InstanceProfileName: 'node' });
  await iam.addRoleToInstanceProfile({ InstanceProfileName: 'node', RoleName: 'node' });

  const VpcId = id((await ec2.createVpc({ CidrBlock: '10.0.0.0/16' })).Vpc?.VpcId);
  await ec2.modifyVpcAttribute({ VpcId, EnableDnsHostnames: { Value: true } });
  const subnet = await ec2.createSubnet({ VpcId, CidrBlock: '10.0.0.0/24', AvailabilityZone: 'us-east-1a' });
  const SubnetId = id(subnet.Subnet?.SubnetId);
  const door = id((await ec2.createSecurityGroup({ VpcId, GroupName: 'door', Description: 'door' })).GroupId);
  await ec2.authorizeSecurityGroupIngress({
    GroupId: door,
    IpPermissions: [{ IpProtocol: 'tcp', FromPort: 443, ToPort: 443, IpRanges: [{ CidrIp: '10.0.0.0/16' }] }],
  });
  const endpoint = async (service: string) =>
    id(
      (
        await ec2.createVpcEndpoint({
          VpcId,
          VpcEndpointType: 'Interface',
          ServiceName: `com.amazonaws.us-east-1.${service}`,
          SubnetIds: [SubnetId],
          SecurityGroupIds: [door],
          PrivateDnsEnabled: true,
        })
      ).VpcEndpoint?.VpcEndpointId,
    );
  ssmEndpoint = await endpoint('ssm');
  await endpoint('ssmmessages');
  const tables = await ec2.describeRouteTables({ Filters: [{ Name: 'vpc-id', Values: [VpcId] }] });
  await ec2.createVpcEndpoint({
    VpcId,
    ServiceName: 'com.amazonaws.us-east-1.s3',
    RouteTableIds: [id(tables.RouteTables?.[0]?.RouteTableId)],
  });
  await s3.createBucket({ Bucket: bucket });
  const launch = async (more: object) => {
    const launched = await ec2.runInstances({
      ImageId: 'ami-0abcdef1234567890',
      InstanceType: 't3.micro',
      MinCount: 1,
      MaxCount: 1,
      SubnetId,
      ...more,
    });
    return id(launched.Instances?.[0]?.InstanceId);
  };
  plain = await launch({});
  managed = await launch({
    IamInstanceProfile: { Name: 'node' },
    TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'Name', Value: 'managed' }] }],
  });
  await settled();
});

after(() => own.end());

describe('the agent', () => {
  test('[Q2] registers through the endpoint, from its private address, and is Online', async () => {
    await hasStatus('Online');
    const { out } = await postern(own.directory, 'requests', '--json', '--limit', '200');
    const event = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { operation: string; path: Record<string, string> })
      .find((one) => one.operation === 'UpdateInstanceInformation');
    assert.equal(event?.path['vpcEndpointId'], ssmEndpoint);
    assert.match(event?.path['sourceIp'] ?? '', /^10\.0\.0\./);
    await until('the channel', async () => {
      const { Status } = await ssm.getConnectionStatus({ Target: managed });
      return Status === 'connected' ? true : undefined;
    });
  });

  test('is no process of an instance without a role', async () => {
    const processes = async (instance: string) => (await inside(own.directory, instance, 'ps -eo args')).out;
    assert.match(await processes(managed), /amazon-ssm-agent/);
    assert.doesNotMatch(await processes(plain), /amazon-ssm-agent/);
    const nodes = await ssm.describeInstanceInformation({});
    assert.deepEqual(
      nodes.InstanceInformationList?.map((one) => one.InstanceId),
      [managed],
    );
    await assert.rejects(
      ssm.sendCommand({
        DocumentName: 'AWS-RunShellScript',
        InstanceIds: [plain],
        Parameters: { commands: ['ls'] },
      }),
      { name: 'InvalidInstanceId', message: /not in a valid state for account/ },
    );
  });
});

describe('Run Command', () => {
  test('[U1] [U2] runs a script as root and brings its output back', async () => {
    const told = await run(['id -u', 'echo no >&2', 'exit 3'], { Comment: 'three' });
    assert.deepEqual(
      [told.Status, told.ResponseCode, told.StandardOutputContent, told.StandardErrorContent],
      ['Failed', 3, '0\n', 'no\nfailed to run commands: exit status 3'],
    );
    const by = await run(['echo $AWS_SSM_INSTANCE_ID'], {
      InstanceIds: undefined,
      Targets: [{ Key: 'tag:Name', Values: ['managed'] }],
    });
    assert.deepEqual([by.Status, by.StandardOutputContent], ['Success', `${managed}\n`]);
  });

  test('[U3] a script that takes too long, and one that is cancelled, end with all their children', async () => {
    const slow = { commands: ['sleep 1000 & sleep 1001; wait'], executionTimeout: ['1'] };
    const late = await run([], { Parameters: slow });
    assert.deepEqual([late.Status, late.StatusDetails], ['TimedOut', 'ExecutionTimedOut']);
    const sent = await ssm.sendCommand({
      DocumentName: 'AWS-RunShellScript',
      InstanceIds: [managed],
      Parameters: { commands: ['sleep 1002'] },
    });
    const CommandId = id(sent.Command?.CommandId);
    const status = async () => (await ssm.getCommandInvocation({ CommandId, InstanceId: managed })).Status;
    await until('the command to begin', async () => ((await status()) === 'InProgress' ? true : undefined));
    await ssm.cancelCommand({ CommandId });
    await until('the command to end', async () => ((await status()) === 'Cancelled' ? true : undefined));
    const left = await inside(own.directory, managed, 'ps -eo args | grep "[s]leep 100"');
    assert.equal(left.out, '');
  });

  test('puts the output into a bucket when the role may, by the instance’s own road', async () => {
    const where = { OutputS3BucketName: bucket, OutputS3KeyPrefix: 'out' };
    const denied = await run(['echo one'], where);
    assert.equal(denied.Status, 'Success');
    assert.equal((await s3.listObjectsV2({ Bucket: bucket })).KeyCount, 0);
    const Statement = [{ Effect: 'Allow', Action: 's3:PutObject', Resource: `arn:aws:s3:::${bucket}/*` }];
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
    await iam.putRolePolicy({ RoleName: 'node', PolicyName: 'out', PolicyDocument });
    const told = await run(['echo two'], where);
    const [, Key = ''] = (told.StandardOutputUrl ?? '').split(`/${bucket}/`);
    const object = await s3.getObject({ Bucket: bucket, Key });
    assert.equal(await object.Body?.transformToString(), 'two\n');
  });
});

describe('Session Manager', () => {
  /** A session of `postern session` with this typed into it. */
  async function typed(text: string, ...command: string[]): Promise<{ status: number | null; out: string }> {
    const args = [posternCommand, 'session', managed, ...command];
    const child = spawn(process.execPath, args, { env: { ...process.env, POSTERN_DATA: own.directory } });
    let out = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (words: string) => {
        out += words;
      });
    child.stdin.end(text);
    const [status] = (await once(child, 'close')) as [number | null];
    return { status, out };
  }

  test('a shell at a terminal, in the instance, as ssm-user; every byte comes', async () => {
    const { status, out } = await typed('tty; pwd; echo $USER; hostname; seq 1 20000 | tail -n +19000\nexit\n');
    assert.equal(status, 0, out);
    assert.match(out, /\/dev\/pts\/\d+\r\n\/usr\/bin\r\nssm-user\r\nip-10-0-0-/);
    assert.ok(out.includes(Array.from({ length: 1001 }, (_, index) => `${19_000 + index}\r\n`).join('')), out);
    const { out: log } = await postern(own.directory, 'requests', '--json', '--limit', '50');
    assert.match(log, /"operation":"OpenDataChannel"/);
  });

  test('a command of AWS-StartInteractiveCommand', async () => {
    const { status, out } = await typed('', '--', 'echo', 'one', '$((1 + 1))');
    assert.equal(status, 0, out);
    assert.match(out, /one 2\r\n/);
  });

  test('TerminateSession ends it at both ends, and DescribeSessions tells it', async () => {
    const begun = typed('sleep 1003\n');
    const active = async () => (await ssm.describeSessions({ State: 'Active' })).Sessions?.[0];
    const session = await until('the session', async () => {
      const found = await active();
      return found?.Status === 'Connected' ? found : undefined;
    });
    assert.equal(session.Target, managed);
    const sleeping = () => inside(own.directory, managed, 'ps -eo args | grep "^sleep 1003"');
    await until('the command', async () => ((await sleeping()).out === '' ? undefined : true));
    await ssm.terminateSession({ SessionId: session.SessionId });
    assert.equal((await begun).status, 0);
    assert.equal(await active(), undefined);
    await until('the end of the command', async () => ((await sleeping()).out === '' ? true : undefined));
  });

  test('a token that is not the session’s opens nothing', async () => {
    const started = await ssm.startSession({ Target: managed });
    const url = new URL(started.StreamUrl ?? '');
    const first = (TokenValue: string | undefined) =>
      JSON.stringify({ MessageSchemaVersion: '1.0', RequestId: 'r', ClientId: 'c', TokenValue });
    const answer = async (token: string | undefined) => {
      const end = await openWebSocket(url);
      const heard = new Promise<string>((resolve) => {
        end.listen({ message: () => resolve('a message'), close: (reason) => resolve(reason) });
      });
      end.send(first(token));
      const what = await heard;
      end.destroy();
      return what;
    };
    assert.equal(await answer('another'), 'the token is not valid');
    assert.equal(await answer(undefined), 'the token is not valid');
    assert.equal(await answer(started.TokenValue), 'a message');
    await ssm.terminateSession({ SessionId: started.SessionId });
    assert.equal(await answer(started.TokenValue), 'the token is not valid');
    assert.equal(await answer(''), 'the token is not valid', 'the session has ended');
    url.pathname = '/v1/data-channel/nobody-0123456789abcdef0';
    assert.equal(await answer(''), 'the token is not valid', 'there is no such session');
  });
});

describe('what is in the way', () => {
  test('the endpoint’s policy decides: without UpdateInstanceInformation the node is lost, with it it comes back', async () => {
    const deny = { Effect: 'Deny', Principal: '*', Action: 'ssm:UpdateInstanceInformation', Resource: '*' };
    const allow = { Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' };
    const policy = (...Statement: object[]) => ({
      VpcEndpointId: ssmEndpoint,
      PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement }),
    });
    await ec2.modifyVpcEndpoint(policy(deny, allow));
    await ec2.rebootInstances({ InstanceIds: [managed] });
    await settled();
    await until('the agent to be refused', async () =>
      /UpdateInstanceInformation.*explicit deny in a VPC endpoint policy/.test(await agentLog()) ? true : undefined,
    );
    await hasStatus('ConnectionLost');
    await assert.rejects(run(['ls']), { name: 'InvalidInstanceId' });
    await assert.rejects(ssm.startSession({ Target: managed }), {
      name: 'TargetNotConnected',
      message: `${managed} is not connected.`,
    });
    await ec2.modifyVpcEndpoint(policy(allow));
    await hasStatus('Online');
    assert.equal((await run(['echo back'])).StandardOutputContent, 'back\n');
  });
});
