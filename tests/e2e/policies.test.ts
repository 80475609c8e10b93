// Denials and permissions on the real road: signed requests over HTTP from the laptop, and from an instance whose packets the kernel carries. What each
// layer says is read in AWS's own words in the answer, and in `postern requests`. Section 7 and table 6.5 of the rules.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  CreateVpcEndpointCommand,
  DescribeInstancesCommand,
  DescribeRouteTablesCommand,
  DescribeVpcsCommand,
  EC2Client,
  ModifyVpcEndpointCommand,
  RunInstancesCommand,
  waitUntilInstanceRunning,
} from '@aws-sdk/client-ec2';
import {
  AddRoleToInstanceProfileCommand,
  CreateAccessKeyCommand,
  CreateInstanceProfileCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserPermissionsBoundaryCommand,
  GetAccessKeyLastUsedCommand,
  GetRoleCommand,
  IAMClient,
  ListUsersCommand,
  PutRolePolicyCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import {
  CreateBucketCommand,
  DeleteBucketPolicyCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  AssumeRoleCommand,
  type Credentials,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { RequestEvent } from '@postern/server/operator/api.ts';
import { bringUp, command, type Own } from './own-cloud.ts';

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const account = '123456789012';
const stranger = '210987654321';
const bucket = 'policies';
const bucketArn = `arn:aws:s3:::${bucket}`;
const laptopAddress = '203.0.113.10';

let own: Own;
let root: Keys;

function options(credentials: Keys) {
  return { endpoint: own.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 };
}
const s3 = (keys: Keys = root) => new S3Client({ ...options(keys), forcePathStyle: true });
const iam = (keys: Keys = root) => new IAMClient(options(keys));
const sts = (keys: Keys = root) => new STSClient(options(keys));
const ec2 = (keys: Keys = root) => new EC2Client(options(keys));

type Effect = 'Allow' | 'Deny';
type Statement = Record<string, unknown> & { readonly Effect: Effect };

function policy(...statements: Statement[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

const allow = (action: string, resource = '*'): Statement => ({ Effect: 'Allow', Action: action, Resource: resource });
const deny = (action: string, resource = '*'): Statement => ({ Effect: 'Deny', Action: action, Resource: resource });

async function putBucketPolicy(...statements: Statement[]): Promise<void> {
  await s3().send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: policy(...statements) }));
}

/** What became of a call: `ok`, or AWS's code and message. */
async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'ok';
  } catch (error) {
    const { name, message } = error as Error;
    return `${name}: ${message}`;
  }
}

const read = (keys: Keys, key = 'file') => outcome(s3(keys).send(new GetObjectCommand({ Bucket: bucket, Key: key })));

async function newUser(name: string, document?: string, as: Keys = root): Promise<Keys> {
  await iam(as).send(new CreateUserCommand({ UserName: name }));
  if (document)
    await iam(as).send(new PutUserPolicyCommand({ UserName: name, PolicyName: 'own', PolicyDocument: document }));
  const { AccessKey } = await iam(as).send(new CreateAccessKeyCommand({ UserName: name }));
  return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
}

async function newRole(name: string, trusted: Record<string, string>, document?: string): Promise<string> {
  const { Role } = await iam().send(
    new CreateRoleCommand({
      RoleName: name,
      AssumeRolePolicyDocument: policy({ Effect: 'Allow', Principal: trusted, Action: 'sts:AssumeRole' }),
    }),
  );
  if (document)
    await iam().send(new PutRolePolicyCommand({ RoleName: name, PolicyName: 'own', PolicyDocument: document }));
  return Role?.Arn ?? '';
}

function keysOf(given: Partial<Credentials> | undefined): Keys {
  return {
    accessKeyId: given?.AccessKeyId ?? '',
    secretAccessKey: given?.SecretAccessKey ?? '',
    sessionToken: given?.SessionToken ?? '',
  };
}

/** The newest event of an operation, as `postern requests` tells it. */
async function lastEvent(operation: string): Promise<RequestEvent> {
  const text = await posternOutput(['requests', '--json', '--limit', '50']);
  const events = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RequestEvent);
  const event = events.findLast((one) => one.operation === operation);
  assert.ok(event, `${operation} is in the trail`);
  return event;
}

function posternOutput(args: readonly string[], input = ''): Promise<string> {
  const child = spawn(process.execPath, [command, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, POSTERN_DATA: own.directory },
  });
  child.stdin.end(input);
  let output = '';
  let complaints = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    output += piece;
  });
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    complaints += piece;
  });
  return new Promise((resolve, reject) => {
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`postern ${args.join(' ')} ended with ${code}: ${output}${complaints}`));
    });
  });
}

before(async () => {
  own = await bringUp({ args: ['--auth', 'open'] });
  root = {
    accessKeyId: own.environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: own.environment['AWS_SECRET_ACCESS_KEY'] ?? '',
  };
  await s3().send(new CreateBucketCommand({ Bucket: bucket }));
  await s3().send(new PutObjectCommand({ Bucket: bucket, Key: 'file', Body: 'content' }));
});
after(() => own.end());

describe('who one is', () => {
  const dummy = (accessKeyId: string): Keys => ({ accessKeyId, secretAccessKey: 'test' });
  const identity = async (keys: Keys) => (await sts(keys).send(new GetCallerIdentityCommand({}))).Arn;
  const defaultVpc = async (keys: Keys) => (await ec2(keys).send(new DescribeVpcsCommand({}))).Vpcs?.[0]?.VpcId;

  it('with open auth a dummy key is the default account’s root, and a 12-digit one that account’s', async () => {
    assert.equal(await identity(dummy('test')), `arn:aws:iam::${account}:root`);
    assert.equal(await identity(dummy(stranger)), `arn:aws:iam::${stranger}:root`);
  });

  it('accounts have a default VPC each and do not see each other’s', async () => {
    const mine = await defaultVpc(dummy('test'));
    const theirs = await defaultVpc(dummy(stranger));
    assert.ok(mine && theirs && mine !== theirs);
    assert.match(
      await outcome(ec2(dummy(stranger)).send(new DescribeVpcsCommand({ VpcIds: [mine] }))),
      /^InvalidVpcID.NotFound/,
    );
  });

  it('a key that was issued keeps its identity, its secret is checked, and deleted it is no one’s', async () => {
    const ana = await newUser('issued');
    assert.equal(await identity(ana), `arn:aws:iam::${account}:user/issued`);
    assert.match(await outcome(identity({ ...ana, secretAccessKey: 'test' })), /^SignatureDoesNotMatch/);
    const used = await iam().send(new GetAccessKeyLastUsedCommand({ AccessKeyId: ana.accessKeyId }));
    assert.equal(used.UserName, 'issued');
    assert.equal(used.AccessKeyLastUsed?.ServiceName, 'sts');
    await iam().send(new DeleteAccessKeyCommand({ UserName: 'issued', AccessKeyId: ana.accessKeyId }));
    assert.match(await outcome(identity(ana)), /^InvalidClientTokenId/);
    const refused = await lastEvent('GetCallerIdentity');
    assert.deepEqual([refused.principalArn, refused.accessKeyId], ['anonymous', ana.accessKeyId]);
  });

  it('partition and region come from the signature; a region that there is not is refused', async () => {
    const at = (region: string) => new STSClient({ ...options(root), region }).send(new GetCallerIdentityCommand({}));
    assert.equal((await at('cn-north-1')).Arn, `arn:aws-cn:iam::${account}:root`);
    assert.equal((await at('us-gov-west-1')).Arn, `arn:aws-us-gov:iam::${account}:root`);
    assert.equal(
      await outcome(at('mars-north-1')),
      "SignatureDoesNotMatch: Credential should be scoped to a valid region, not 'mars-north-1'.",
    );
  });
});

describe('the layers, each in its own words', () => {
  it('[E1] a user without policies, then with one', async () => {
    const keys = await newUser('ana');
    const arn = `arn:aws:iam::${account}:user/ana`;
    assert.equal(
      await read(keys),
      `AccessDenied: User: ${arn} is not authorized to perform: s3:GetObject on resource: "${bucketArn}/file" because no identity-based policy allows the s3:GetObject action`,
    );
    const { decision, path } = await lastEvent('GetObject');
    assert.deepEqual(decision, { allowed: false, layer: 'identity', explicit: false });
    assert.deepEqual(path, { kind: 'internet', sourceIp: laptopAddress, secure: false });
    const document = policy(allow('s3:GetObject', `${bucketArn}/*`));
    await iam().send(new PutUserPolicyCommand({ UserName: 'ana', PolicyName: 'own', PolicyDocument: document }));
    assert.equal(await read(keys), 'ok');
    assert.match(await outcome(ec2(keys).send(new DescribeVpcsCommand({}))), /^UnauthorizedOperation: You are not/);
  });

  it('a boundary limits, and its end gives back', async () => {
    const keys = await newUser('bounded', policy(allow('s3:*')));
    const { Policy } = await iam().send(
      new CreatePolicyCommand({ PolicyName: 'only-ec2', PolicyDocument: policy(allow('ec2:*')) }),
    );
    const boundary = { UserName: 'bounded', PermissionsBoundary: Policy?.Arn ?? '' };
    await iam().send(new PutUserPermissionsBoundaryCommand(boundary));
    assert.match(await read(keys), /because no permissions boundary allows the s3:GetObject action$/);
    assert.equal((await lastEvent('GetObject')).decision?.layer, 'boundary');
    await iam().send(new DeleteUserPermissionsBoundaryCommand({ UserName: 'bounded' }));
    assert.equal(await read(keys), 'ok');
  });

  it('a session policy narrows a role’s session, by silence and by a deny', async () => {
    const RoleArn = await newRole('narrowed', { AWS: account }, policy(allow('s3:*')));
    const user = await newUser('assumer', policy(allow('sts:AssumeRole')));
    const session = async (Policy?: string) => {
      const assume = new AssumeRoleCommand({ RoleArn, RoleSessionName: 'one', ...(Policy && { Policy }) });
      return keysOf((await sts(user).send(assume)).Credentials);
    };
    assert.equal(await read(await session()), 'ok');
    assert.match(
      await read(await session(policy(allow('s3:ListBucket')))),
      /assumed-role\/narrowed\/one is not authorized .* because no session policy allows the s3:GetObject action$/,
    );
    const denying = await session(policy(allow('s3:*'), deny('s3:GetObject')));
    assert.match(await read(denying), /with an explicit deny in a session policy$/);
    assert.equal((await lastEvent('GetObject')).decision?.layer, 'session');
    const { Role } = await iam().send(new GetRoleCommand({ RoleName: 'narrowed' }));
    assert.equal(Role?.RoleLastUsed?.Region, 'us-east-1');
  });

  it('a federated user of root has what its session policy gives, and IAM not even then', async () => {
    const federated = async (Policy?: string) => {
      const ask = new GetFederationTokenCommand({ Name: 'guest', ...(Policy && { Policy }) });
      return keysOf((await sts().send(ask)).Credentials);
    };
    const keys = await federated(policy(allow('*')));
    assert.equal(await read(keys), 'ok');
    assert.match(await outcome(iam(keys).send(new ListUsersCommand({}))), /^InvalidClientTokenId/);
    assert.match(await read(await federated()), /federated-user\/guest .* because no session policy allows/);
  });

  it('NotPrincipal with Deny spares whom it names, and nobody else', async () => {
    const spared = await newUser('spared', policy(allow('s3:*')));
    const other = await newUser('other', policy(allow('s3:*')));
    const names = [`arn:aws:iam::${account}:user/spared`, `arn:aws:iam::${account}:root`];
    await putBucketPolicy({ ...deny('s3:GetObject', `${bucketArn}/*`), NotPrincipal: { AWS: names } });
    assert.equal(await read(spared), 'ok');
    assert.match(await read(other), /with an explicit deny in a resource-based policy$/);
    const { decision } = await lastEvent('GetObject');
    assert.deepEqual([decision?.layer, decision?.policyId], ['resource', `bucket-policy of ${bucket}`]);
    await s3().send(new DeleteBucketPolicyCommand({ Bucket: bucket }));
  });

  it('[T5] a key that is not there is 404 for who may list, 403 for who may not', async () => {
    const lister = await newUser('lister', policy(allow('s3:GetObject'), allow('s3:ListBucket')));
    const reader = await newUser('reader', policy(allow('s3:GetObject')));
    assert.match(await read(lister, 'nothing'), /^NoSuchKey/);
    assert.match(await read(reader, 'nothing'), /^AccessDenied: .* s3:ListBucket /);
  });

  it('[T4] ListBucket is the bucket’s and GetObject the objects’', async () => {
    const keys = await newUser('mistaken', policy(allow('s3:ListBucket', `${bucketArn}/*`)));
    assert.match(
      await outcome(s3(keys).send(new ListObjectsV2Command({ Bucket: bucket }))),
      new RegExp(`s3:ListBucket on resource: "${bucketArn}" because no identity-based policy allows`),
    );
  });
});

describe('two accounts', () => {
  const theirRoot: Keys = { accessKeyId: stranger, secretAccessKey: 'test' };

  it('[E2] [F2] both sides must allow, and the denial says no more than that', async () => {
    const cleared = await newUser('cleared', policy(allow('s3:*')), theirRoot);
    const plain = await newUser('plain', undefined, theirRoot);
    assert.equal(await read(cleared), 'AccessDenied: Access Denied');
    await putBucketPolicy({
      ...allow('s3:GetObject', `${bucketArn}/*`),
      Principal: { AWS: `arn:aws:iam::${stranger}:root` },
    });
    assert.equal(await read(cleared), 'ok');
    assert.equal(await read(plain), 'AccessDenied: Access Denied');
    assert.equal(await read(theirRoot), 'ok');
    await s3().send(new DeleteBucketPolicyCommand({ Bucket: bucket }));
    assert.equal(await read(theirRoot), 'AccessDenied: Access Denied');
  });
});

describe('nobody in particular', () => {
  const anonymously = async () => (await fetch(`${own.endpoint}/${bucket}/file`)).status;
  const everybody: Statement = { ...allow('s3:GetObject', `${bucketArn}/*`), Principal: '*' };
  const block = (BlockPublicPolicy: boolean, RestrictPublicBuckets: boolean) =>
    s3().send(
      new PutPublicAccessBlockCommand({
        Bucket: bucket,
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          IgnorePublicAcls: true,
          BlockPublicPolicy,
          RestrictPublicBuckets,
        },
      }),
    );

  it('[T6] [T7] [F3] gets in by a public policy alone, which a bucket does not take or heed by default', async () => {
    assert.equal(await anonymously(), 403);
    assert.match(
      await outcome(putBucketPolicy(everybody)),
      /^AccessDenied: .* because public policies are blocked by the BlockPublicPolicy block public access setting/,
    );
    await block(false, false);
    await putBucketPolicy(everybody);
    assert.equal(await anonymously(), 200);
    assert.equal((await lastEvent('GetObject')).principalArn, 'anonymous');
    await block(false, true);
    assert.equal(await anonymously(), 403);
    assert.equal(await read(root), 'ok');
    await s3().send(new DeleteBucketPolicyCommand({ Bucket: bucket }));
    await block(true, true);
  });
});

describe('TLS', () => {
  it('aws:SecureTransport is false over http and true over https, on the same port', async () => {
    const keys = await newUser('tls', policy(allow('s3:*')));
    await putBucketPolicy({
      ...deny('s3:GetObject', `${bucketArn}/*`),
      Principal: '*',
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    });
    assert.match(await read(keys), /with an explicit deny in a resource-based policy$/);
    const secure = new S3Client({
      ...options(keys),
      endpoint: own.endpoint.replace('http:', 'https:'),
      forcePathStyle: true,
      requestHandler: { httpsAgent: new Agent({ ca: readFileSync(join(own.directory, 'ca.pem')) }) },
    });
    assert.equal(await outcome(secure.send(new GetObjectCommand({ Bucket: bucket, Key: 'file' }))), 'ok');
    assert.equal((await lastEvent('GetObject')).path.secure, true);
    await s3().send(new DeleteBucketPolicyCommand({ Bucket: bucket }));
  });
});

describe('the road decides', () => {
  let instanceId = '';
  let publicIp = '';
  let privateIp = '';
  let vpcId = '';
  let endpointId = '';
  let roleArn = '';
  let roleId = '';
  let session: Keys;
  /** Only presigns: its requests are sent by the instance, to the name that the resolver there knows. */
  const regional = (keys: Keys) => new S3Client({ region: 'us-east-1', credentials: keys });
  const presign = (client: S3Client, key: string) =>
    getSignedUrl(client, new GetObjectCommand({ Bucket: bucket, Key: key }));
  const inside = (script: string) => posternOutput(['exec', instanceId, '--', 'bash', '-s'], script);
  /** Status and body of each key, asked for inside the instance. */
  const fromInstance = async (keys: readonly string[], who: Keys = session) => {
    const urls = await Promise.all(keys.map((key) => presign(regional(who), key)));
    const lines = urls.map((url) => `curl -sS -m 20 -w ' %{http_code}\\n' '${url}' | tr -d '\\r\\n'; echo`);
    return (await inside(lines.join('\n'))).trim().split('\n');
  };
  const fromLaptop = async (key: string) => {
    const answer = await fetch(await presign(s3(session), key));
    return `${await answer.text()} ${answer.status}`;
  };
  const readers = () => ({ AWS: roleArn });
  const allowIf = (condition: Record<string, Record<string, string>>): Statement => ({
    ...allow('s3:GetObject', `${bucketArn}/*`),
    Principal: readers(),
    Condition: condition,
  });
  const denyIf = (condition: Record<string, Record<string, string>>): Statement => ({
    ...deny('s3:GetObject', `${bucketArn}/*`),
    Principal: readers(),
    Condition: condition,
  });
  const always: Statement = { Effect: 'Allow', Action: 's3:GetObject', Resource: `${bucketArn}/*` };
  /** In by which roads? */
  const roads = async () => {
    const [instance = ''] = await fromInstance(['file']);
    return { laptop: (await fromLaptop('file')).slice(-3), instance: instance.slice(-3) };
  };

  /** Table 6.5: the key, its value from the instance over the internet and through the endpoint; null where it must be absent, '' where any value is right. */
  const table = (): readonly (readonly [key: string, internet: string | null, endpoint: string | null])[] => [
    ['aws:SourceIp', publicIp, null],
    ['aws:VpcSourceIp', null, privateIp],
    ['aws:SourceVpc', null, vpcId],
    ['aws:SourceVpcArn', null, `arn:aws:ec2:us-east-1:${account}:vpc/${vpcId}`],
    ['aws:SourceVpce', null, endpointId],
    ['aws:VpceAccount', null, account],
    ['aws:Ec2InstanceSourceVpc', vpcId, vpcId],
    ['aws:Ec2InstanceSourcePrivateIPv4', privateIp, privateIp],
    ['ec2:SourceInstanceArn', `arn:aws:ec2:us-east-1:${account}:instance/${instanceId}`, `arn:aws:ec2:us-east-1:${account}:instance/${instanceId}`],
    ['aws:SecureTransport', 'true', 'true'],
    ['aws:RequestedRegion', 'us-east-1', 'us-east-1'],
    ['aws:PrincipalArn', roleArn, roleArn],
    ['aws:PrincipalAccount', account, account],
    ['aws:PrincipalType', 'AssumedRole', 'AssumedRole'],
    ['aws:userid', `${roleId}:${instanceId}`, `${roleId}:${instanceId}`],
    ['aws:ViaAWSService', 'false', 'false'],
    ['aws:UserAgent', '', ''],
    ['aws:CurrentTime', '', ''],
    ['aws:EpochTime', '', ''],
    ['aws:username', null, null],
  ]; // biome-ignore format: a table

  const checkTable = async (road: 1 | 2) => {
    const rows = table();
    const statements = rows.flatMap(([key, internet, endpoint], index): Statement[] => {
      const value = road === 1 ? internet : endpoint;
      const on = (name: string, condition: Record<string, Record<string, string>>): Statement => ({
        ...always,
        Resource: `${bucketArn}/${index}/${name}`,
        Principal: readers(),
        Condition: condition,
      });
      const present = on('present', { Null: { [key]: 'false' } });
      return value ? [present, on('value', { StringEquals: { [key]: value } })] : [present];
    });
    await putBucketPolicy(...statements);
    const names = rows.flatMap((_, index) => [`${index}/present`, `${index}/value`]);
    const statuses = (await fromInstance(names)).map((line) => line.slice(-3));
    const seen = rows.map(([key], index) => [key, statuses[2 * index], statuses[2 * index + 1]]);
    const expected = rows.map(([key, internet, endpoint]) => {
      const value = road === 1 ? internet : endpoint;
      return [key, value === null ? '403' : '200', value ? '200' : '403'];
    });
    assert.deepEqual(seen, expected);
  };

  before(async () => {
    roleArn = await newRole('machine', { Service: 'ec2.amazonaws.com' });
    roleId = (await iam().send(new GetRoleCommand({ RoleName: 'machine' }))).Role?.RoleId ?? '';
    await iam().send(new CreateInstanceProfileCommand({ InstanceProfileName: 'machine' }));
    await iam().send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: 'machine', RoleName: 'machine' }));
    const run = await ec2().send(
      new RunInstancesCommand({
        ImageId: 'ami-0abcdef1234567890',
        InstanceType: 't3.micro',
        MinCount: 1,
        MaxCount: 1,
        IamInstanceProfile: { Name: 'machine' },
      }),
    );
    instanceId = run.Instances?.[0]?.InstanceId ?? '';
    await waitUntilInstanceRunning(
      { client: ec2(), maxWaitTime: 30, minDelay: 1, maxDelay: 1 },
      { InstanceIds: [instanceId] },
    );
    const { Reservations } = await ec2().send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }));
    const instance = Reservations?.[0]?.Instances?.[0];
    publicIp = instance?.PublicIpAddress ?? '';
    privateIp = instance?.PrivateIpAddress ?? '';
    vpcId = instance?.VpcId ?? '';
    const given = await inside(
      [
        'base=http://169.254.169.254/latest',
        'token=$(curl -sS -X PUT -H "X-aws-ec2-metadata-token-ttl-seconds: 60" $base/api/token)',
        'curl -sS -H "X-aws-ec2-metadata-token: $token" $base/meta-data/iam/security-credentials/machine',
      ].join('\n'),
    );
    const { AccessKeyId, SecretAccessKey, Token } = JSON.parse(given) as Record<string, string>;
    session = keysOf({
      AccessKeyId: AccessKeyId ?? '',
      SecretAccessKey: SecretAccessKey ?? '',
      SessionToken: Token ?? '',
    });
    const names = ['file', ...table().flatMap((_, index) => [`${index}/present`, `${index}/value`])];
    await Promise.all(names.map((Key) => s3().send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'content' }))));
  });

  it('[E5] the instance’s role is denied in its own name', async () => {
    const [denied = ''] = await fromInstance(['file']);
    assert.match(denied, new RegExp(`assumed-role/machine/${instanceId} is not authorized to perform: s3:GetObject`));
    assert.match(denied, /because no identity-based policy allows the s3:GetObject action.* 403$/);
    const { tls, ...road } = (await lastEvent('GetObject')).path;
    assert.deepEqual(road, { kind: 'internet', sourceIp: publicIp, secure: true });
    assert.match(tls?.version ?? '', /^TLSv1\.[23]$/);
  });

  it('[6.5] over the internet: every key is there or absent as the table says', () => checkTable(1));

  it('aws:SourceIp is the laptop’s address or the instance’s public one', async () => {
    await putBucketPolicy(allowIf({ IpAddress: { 'aws:SourceIp': `${laptopAddress}/32` } }));
    assert.deepEqual(await roads(), { laptop: '200', instance: '403' });
    await putBucketPolicy(allowIf({ IpAddress: { 'aws:SourceIp': `${publicIp}/32` } }));
    assert.deepEqual(await roads(), { laptop: '403', instance: '200' });
    await putBucketPolicy(allowIf({ IpAddress: { 'aws:SourceIp': `${privateIp}/32` } }));
    assert.deepEqual(await roads(), { laptop: '403', instance: '403' });
  });

  it('[K3] [K4] without an endpoint nobody has aws:SourceVpc, also not from inside the VPC', async () => {
    await putBucketPolicy(allowIf({ StringEquals: { 'aws:SourceVpc': vpcId } }));
    assert.deepEqual(await roads(), { laptop: '403', instance: '403' });
  });

  it('[6.5] through a gateway endpoint: every key is there or absent as the table says', async () => {
    const { RouteTables } = await ec2().send(
      new DescribeRouteTablesCommand({ Filters: [{ Name: 'vpc-id', Values: [vpcId] }] }),
    );
    const { VpcEndpoint } = await ec2().send(
      new CreateVpcEndpointCommand({
        VpcId: vpcId,
        ServiceName: 'com.amazonaws.us-east-1.s3',
        RouteTableIds: [RouteTables?.[0]?.RouteTableId ?? ''],
      }),
    );
    endpointId = VpcEndpoint?.VpcEndpointId ?? '';
    await posternOutput(['wait']);
    await checkTable(2);
    const { tls, ...road } = (await lastEvent('GetObject')).path;
    assert.match(tls?.version ?? '', /^TLSv1\.[23]$/);
    assert.deepEqual(road, {
      kind: 'endpoint',
      vpcEndpointId: endpointId,
      vpcId,
      sourceIp: privateIp,
      secure: true,
    });
  });

  it('behind the endpoint is its own region alone, whatever a client signs and calls the host', async () => {
    const foreign = new S3Client({ region: 'eu-west-1', credentials: session });
    const url = await getSignedUrl(foreign, new ListBucketsCommand({}));
    const [road = '', direct = ''] = (
      await inside(
        [
          `curl -sS -m 20 --connect-to ::s3.us-east-1.amazonaws.com: -k '${url}' | tr -d '\\r\\n'; echo`,
          `curl -sS -m 20 -o /dev/null -w '%{http_code}' '${url}'`,
        ].join('\n'),
      )
    ).split('\n');
    assert.match(road, /AuthorizationHeaderMalformed.*the region 'eu-west-1' is wrong; expecting 'us-east-1'/);
    // Over the internet it is a question of permission only.
    assert.equal(direct, '403');
    const event = await lastEvent('ListBuckets');
    assert.deepEqual([event.path.kind, event.errorCode], ['internet', 'AccessDenied']);
  });

  it('[K1] aws:SourceIp is absent: NotIpAddress denies, IpAddress neither denies nor allows', async () => {
    const everybody: Statement = { ...always, Principal: readers() };
    await putBucketPolicy(everybody, denyIf({ NotIpAddress: { 'aws:SourceIp': `${laptopAddress}/32` } }));
    assert.deepEqual(await roads(), { laptop: '200', instance: '403' });
    await putBucketPolicy(everybody, denyIf({ IpAddress: { 'aws:SourceIp': '0.0.0.0/0' } }));
    assert.deepEqual(await roads(), { laptop: '403', instance: '200' });
    await putBucketPolicy(allowIf({ IpAddress: { 'aws:SourceIp': '172.31.0.0/16' } }));
    assert.deepEqual(await roads(), { laptop: '403', instance: '403' });
    await putBucketPolicy(allowIf({ IpAddress: { 'aws:VpcSourceIp': `${privateIp}/32` } }));
    assert.deepEqual(await roads(), { laptop: '403', instance: '200' });
  });

  it('[K2] a Deny unless the endpoint’s id is right shuts the laptop out, and root too', async () => {
    await putBucketPolicy(
      { ...always, Principal: readers() },
      {
        ...deny('s3:GetObject', `${bucketArn}/*`),
        Principal: '*',
        Condition: { StringNotEquals: { 'aws:SourceVpce': endpointId } },
      },
    );
    assert.deepEqual(await roads(), { laptop: '403', instance: '200' });
    assert.match(await read(root), /with an explicit deny in a resource-based policy$/);
  });

  it('the endpoint’s own policy is a gate of its own, by silence and by a deny', async () => {
    await putBucketPolicy({ ...always, Principal: readers() });
    const guard = (...statements: Statement[]) =>
      ec2().send(new ModifyVpcEndpointCommand({ VpcEndpointId: endpointId, PolicyDocument: policy(...statements) }));
    await guard({ ...allow('s3:ListBucket'), Principal: '*' });
    const [silent = ''] = await fromInstance(['file']);
    assert.match(silent, /because no VPC endpoint policy allows the s3:GetObject action.* 403$/);
    assert.equal((await fromLaptop('file')).slice(-3), '200');
    await guard({ ...allow('*'), Principal: '*' }, { ...deny('s3:GetObject'), Principal: '*', Sid: 'NoReading' });
    const [denied = ''] = await fromInstance(['file']);
    assert.match(denied, /with an explicit deny in a VPC endpoint policy.* 403$/);
    const { decision } = await lastEvent('GetObject');
    assert.deepEqual([decision?.layer, decision?.explicit, decision?.statement], ['endpoint', true, 'NoReading']);
  });
});

describe('a reset', () => {
  it('takes everything but root’s key, which terminals have exported, and other accounts’ too', async () => {
    const before = (await ec2().send(new DescribeVpcsCommand({}))).Vpcs?.map((vpc) => vpc.VpcId);
    await posternOutput(['reset']);
    assert.equal((await posternOutput(['requests', '--json'])).trim(), '');
    assert.deepEqual((await s3().send(new ListBucketsCommand({}))).Buckets ?? [], []);
    assert.deepEqual((await iam().send(new ListUsersCommand({}))).Users, []);
    assert.deepEqual(
      (await ec2().send(new DescribeVpcsCommand({}))).Vpcs?.map((vpc) => vpc.VpcId),
      before,
    );
    const strangers = { accessKeyId: stranger, secretAccessKey: 'test' };
    assert.deepEqual((await iam(strangers).send(new ListUsersCommand({}))).Users, []);
  });
});
