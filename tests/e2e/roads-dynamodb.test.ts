// Lab F3, DynamoDB's part, on the real road: an instance without any internet reaches its tables through a gateway endpoint, policies decide by that road,
// and the process that holds the tables, or the whole server, may be killed in the middle of writes.

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CreateTableCommand,
  DynamoDBClient,
  ListTablesCommand,
  PutItemCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { EC2, waitUntilInstanceRunning } from '@aws-sdk/client-ec2';
import { IAM } from '@aws-sdk/client-iam';
import type { RequestEvent } from '@postern/server/operator/api.ts';
import { inside, postern } from './inside.ts';
import { bringUp, familyOf, newDirectory, type Own, processesOf, survivors } from './own-cloud.ts';

const account = '123456789012';
const directory = newDirectory();
let own: Own;
let ec2: EC2;
let iam: IAM;
let laptop: DynamoDBClient;
const made = { vpcId: '', tableId: '', instanceId: '', privateIp: '', endpointId: '' };

function connect(): void {
  const credentials = {
    accessKeyId: own.environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: own.environment['AWS_SECRET_ACCESS_KEY'] ?? '',
  };
  const options = { endpoint: own.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 };
  ec2 = new EC2(options);
  iam = new IAM(options);
  laptop = new DynamoDBClient(options);
}

/** The process that holds the tables, seen from the machine. */
function engineProcess(): number | undefined {
  const line = processesOf(directory).find((one) => one.includes('dynamodb-engine.mjs'));
  return line === undefined ? undefined : Number(line.split(' ')[0]);
}

/** Calls made one after the other by botocore, which is the AWS CLI's own, with the credentials of the instance's role. */
const caller = `
import json, sys, botocore.session, botocore.config
config = botocore.config.Config(connect_timeout=1, read_timeout=5, retries={'max_attempts': 0})
client = botocore.session.Session().create_client('dynamodb', region_name='us-east-1', config=config)
for name, given in json.loads(sys.argv[1]):
    try:
        answer = getattr(client, name)(**given)
        answer.pop('ResponseMetadata')
        print(json.dumps(answer, default=str))
    except Exception as error:
        print(type(error).__name__ + ': ' + str(error))
`;

/** @returns for each call the answer as JSON, or the error */
async function fromInstance(...calls: readonly [string, object][]): Promise<string[]> {
  const ran = await inside(directory, made.instanceId, 'python3 -c "$1" "$2"', caller, JSON.stringify(calls));
  return ran.out.trim().split('\n');
}

const policy = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement });
const always = { Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' };
const grant = (Condition?: object) =>
  iam.putRolePolicy({
    RoleName: 'machine',
    PolicyName: 'own',
    PolicyDocument: policy({ Effect: 'Allow', Action: 'dynamodb:*', Resource: '*', ...(Condition && { Condition }) }),
  });
const key = (id: string) => ({ id: { S: id } });
const table = {
  TableName: 'lab',
  AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' as const }],
  KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' as const }],
  BillingMode: 'PAY_PER_REQUEST' as const,
};

before(async () => {
  own = await bringUp({ directory });
  connect();
  made.vpcId = (await ec2.createVpc({ CidrBlock: '10.60.0.0/16' })).Vpc?.VpcId ?? '';
  const { Subnet } = await ec2.createSubnet({ VpcId: made.vpcId, CidrBlock: '10.60.1.0/24' });
  const { RouteTables } = await ec2.describeRouteTables({ Filters: [{ Name: 'vpc-id', Values: [made.vpcId] }] });
  made.tableId = RouteTables?.[0]?.RouteTableId ?? '';
  const trust = { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' };
  await iam.createRole({ RoleName: 'machine', AssumeRolePolicyDocument: policy(trust) });
  await grant();
  await iam.createInstanceProfile({ InstanceProfileName: 'machine' });
  await iam.addRoleToInstanceProfile({ InstanceProfileName: 'machine', RoleName: 'machine' });
  const { Instances } = await ec2.runInstances({
    ImageId: 'ami-12345678',
    MinCount: 1,
    MaxCount: 1,
    SubnetId: Subnet?.SubnetId,
    IamInstanceProfile: { Name: 'machine' },
  });
  made.instanceId = Instances?.[0]?.InstanceId ?? '';
  made.privateIp = Instances?.[0]?.PrivateIpAddress ?? '';
  await waitUntilInstanceRunning(
    { client: ec2, maxWaitTime: 60, minDelay: 1, maxDelay: 1 },
    { InstanceIds: [made.instanceId] },
  );
});

after(async () => {
  for (const client of [ec2, iam, laptop]) client?.destroy();
  await own?.end();
  rmSync(directory, { recursive: true, force: true });
});

describe('the road', () => {
  it('[lab F3] without an endpoint there is no way to DynamoDB, and no process for it', async () => {
    const [answer] = await fromInstance(['list_tables', {}]);
    assert.match(answer ?? '', /^ConnectTimeoutError/);
    assert.equal(engineProcess(), undefined);
  });

  it('[lab F3] [W1] through a gateway endpoint tables are made, written, read and queried; the internet stays shut', async () => {
    const { VpcEndpoint } = await ec2.createVpcEndpoint({
      VpcId: made.vpcId,
      ServiceName: 'com.amazonaws.us-east-1.dynamodb',
      RouteTableIds: [made.tableId],
    });
    made.endpointId = VpcEndpoint?.VpcEndpointId ?? '';
    const { RouteTables } = await ec2.describeRouteTables({ RouteTableIds: [made.tableId] });
    assert.deepEqual(
      RouteTables?.[0]?.Routes?.filter((route) => route.GatewayId === made.endpointId).map(
        (route) => route.DestinationPrefixListId,
      ),
      ['pl-02cd2c6b'],
    );
    await postern(directory, 'wait');
    const query = { KeyConditionExpression: 'id = :i', ExpressionAttributeValues: { ':i': { S: 'a' } } };
    const [created, put, got, found] = await fromInstance(
      ['create_table', table],
      ['put_item', { TableName: 'lab', Item: { ...key('a'), n: { N: '1' } } }],
      ['get_item', { TableName: 'lab', Key: key('a') }],
      ['query', { TableName: 'lab', ...query }],
    );
    assert.match(created ?? '', new RegExp(`arn:aws:dynamodb:us-east-1:${account}:table/lab`));
    assert.equal(put, '{}');
    assert.deepEqual(JSON.parse(got ?? ''), { Item: { ...key('a'), n: { N: '1' } } });
    assert.equal(JSON.parse(found ?? '').Count, 1);
    const web = await inside(directory, made.instanceId, 'curl -sS -m 1 http://example.com');
    assert.match(web.out, /timed out/);
  });

  it('[lab F9] the trail has the endpoint, the private address and who asked', async () => {
    const { out } = await postern(directory, 'requests', '--json', '--limit', '20');
    const events = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as RequestEvent);
    const event = events.findLast((one) => one.operation === 'PutItem');
    const { endpointId: vpcEndpointId, vpcId, privateIp: sourceIp } = made;
    assert.ok(event);
    const { tls, ...road } = event.path;
    assert.deepEqual(road, { kind: 'endpoint', vpcEndpointId, vpcId, sourceIp, secure: true });
    assert.match(tls?.version ?? '', /^TLSv1\.[23]$/);
    assert.equal(event.resource, `arn:aws:dynamodb:us-east-1:${account}:table/lab`);
    assert.match(event.principalArn, new RegExp(`assumed-role/machine/${made.instanceId}$`));
  });

  it('[K2] [F6] an identity policy on the road decides, and the endpoint’s own policy is named', async () => {
    await grant({ StringEquals: { 'aws:SourceVpce': 'vpce-00000000000000000' } });
    const [elsewhere] = await fromInstance(['get_item', { TableName: 'lab', Key: key('a') }]);
    assert.match(
      elsewhere ?? '',
      /AccessDeniedException.*because no identity-based policy allows the dynamodb:GetItem/,
    );
    await grant({ StringEquals: { 'aws:SourceVpce': made.endpointId, 'aws:SourceVpc': made.vpcId } });
    const guard = (...statements: object[]) =>
      ec2.modifyVpcEndpoint({ VpcEndpointId: made.endpointId, PolicyDocument: policy(...statements) });
    await guard(always, { ...always, Effect: 'Deny', Action: 'dynamodb:DeleteItem' });
    const [got, removed] = await fromInstance(
      ['get_item', { TableName: 'lab', Key: key('a') }],
      ['delete_item', { TableName: 'lab', Key: key('a') }],
    );
    assert.match(got ?? '', /"Item"/);
    assert.match(
      removed ?? '',
      /AccessDeniedException.*dynamodb:DeleteItem on resource: .*table\/lab with an explicit deny in a VPC endpoint policy$/,
    );
    await guard(always);
  });
});

describe('ends that nobody wanted', { timeout: 600_000 }, () => {
  const acknowledged = new Set<string>();

  /** Writes until told to stop. @returns what stops it */
  function write(name: string): () => Promise<void> {
    let stopped = false;
    const writing = (async () => {
      for (let n = 0; !stopped; n++) {
        const id = `${name}-${n}`;
        await laptop.send(new PutItemCommand({ TableName: 'lab', Item: key(id) })).then(
          () => acknowledged.add(id),
          () => delay(5),
        );
      }
    })();
    return () => {
      stopped = true;
      return writing;
    };
  }

  async function nothingLost(): Promise<void> {
    const kept = new Set<string>();
    let ExclusiveStartKey: Record<string, { S: string }> | undefined;
    do {
      const page = await laptop.send(
        new ScanCommand({ TableName: 'lab', ConsistentRead: true, ...(ExclusiveStartKey && { ExclusiveStartKey }) }),
      );
      for (const item of page.Items ?? []) kept.add(item['id']?.S ?? '');
      ExclusiveStartKey = page.LastEvaluatedKey as typeof ExclusiveStartKey;
    } while (ExclusiveStartKey);
    assert.deepEqual(
      [...acknowledged].filter((id) => !kept.has(id)),
      [],
    );
    assert.ok(kept.has('a'));
  }

  it('kill -9 of the tables’ process in the middle of writes: it is back with everything, and the cloud has not noticed', async () => {
    const stops = ['x', 'y', 'z'].map(write);
    for (let kill = 1; kill <= 2; kill++) {
      while (acknowledged.size < kill * 30) await delay(2);
      const engine = engineProcess();
      assert.ok(engine);
      process.kill(engine, 'SIGKILL');
    }
    while (acknowledged.size < 100) await delay(2);
    await Promise.all(stops.map((stop) => stop()));
    await nothingLost();
    assert.match(own.complaints(), /the process that holds DynamoDB's tables ended \(SIGKILL\)/);
    const { out } = await postern(directory, 'exec', made.instanceId, '--', 'echo', 'still here');
    assert.match(out, /still here/);
  });

  it('kill -9 of the server: nothing is left, and the next `up` brings the tables back, its process only with the first request', async () => {
    const before = acknowledged.size;
    const stop = write('w');
    while (acknowledged.size < before + 20) await delay(2);
    const family = familyOf(own.launcher.pid ?? 0);
    const server = family.find((one) => one.commandLine.includes('/server.mjs'));
    assert.ok(server && family.some((one) => one.commandLine.includes('dynamodb-engine')));
    process.kill(server.id, 'SIGKILL');
    await own.ended;
    await stop();
    while (survivors(family).length > 0) await delay(10);
    assert.deepEqual(processesOf(directory), []);
    for (const client of [ec2, iam, laptop]) client.destroy();
    own = await bringUp({ directory });
    connect();
    assert.equal(engineProcess(), undefined);
    await nothingLost();
  });

  it('a reset empties it, and `down` leaves no process', async () => {
    assert.equal((await postern(directory, 'reset')).status, 0);
    assert.deepEqual((await laptop.send(new ListTablesCommand({}))).TableNames, []);
    await laptop.send(new CreateTableCommand(table));
    assert.ok(engineProcess());
    const family = familyOf(own.launcher.pid ?? 0);
    assert.equal((await postern(directory, 'down')).status, 0);
    await own.ended;
    while (survivors(family).length > 0) await delay(10);
    assert.deepEqual(processesOf(directory), []);
  });
});
