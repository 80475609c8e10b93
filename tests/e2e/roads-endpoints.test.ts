// Labs F3, F4, F6, F7 and F8: a private subnet without NAT, gateway and interface endpoints, with the AWS CLI on the laptop and in the instance, and
// what one interface endpoint is for and what it is not. One cloud, one road after the other: each test goes on where the one before left off.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { EC2, waitUntilInstanceRunning } from '@aws-sdk/client-ec2';
import { IAM } from '@aws-sdk/client-iam';
import { S3 } from '@aws-sdk/client-s3';
import { aws } from './aws-cli.ts';
import { inside, postern } from './inside.ts';
import { bringUp, type Own } from './own-cloud.ts';

const bucket = 'roads-endpoints';
const region = '--region us-east-1';
const inTime = 'timeout 20';
/** A packet that is dropped: curl gives up after this. */
const briefly = 'curl -sS -o /dev/null -m 2';

let own: Own;
let ec2: EC2;
let iam: IAM;
let s3Client: S3;
let vpcId: string;
let [subnetA, subnetB, tableId, door, instanceId] = ['', '', '', '', ''];
const endpoints: Record<string, string> = {};

before(async () => {
  own = await bringUp();
  const credentials = {
    accessKeyId: own.environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: own.environment['AWS_SECRET_ACCESS_KEY'] ?? '',
  };
  const options = { endpoint: own.endpoint, region: 'us-east-1', maxAttempts: 1, credentials };
  [ec2, iam, s3Client] = [new EC2(options), new IAM(options), new S3({ ...options, forcePathStyle: true })];
  vpcId = id((await ec2.createVpc({ CidrBlock: '10.0.0.0/16' })).Vpc?.VpcId);
  await ec2.modifyVpcAttribute({ VpcId: vpcId, EnableDnsHostnames: { Value: true } });
  [subnetA, subnetB] = [await subnet(vpcId, '10.0.1.0/24', 'a'), await subnet(vpcId, '10.0.2.0/24', 'b')];
  tableId = await mainTable(vpcId);
  door = id((await ec2.createSecurityGroup({ GroupName: 'door', Description: 'door', VpcId: vpcId })).GroupId);
  await openDoor('10.0.0.0/16');
  const trust = { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' };
  await iam.createRole({ RoleName: 'app', AssumeRolePolicyDocument: policy(trust) });
  const everything = { Effect: 'Allow', Action: '*', Resource: '*' };
  await iam.putRolePolicy({ RoleName: 'app', PolicyName: 'all', PolicyDocument: policy(everything) });
  await iam.createInstanceProfile({ InstanceProfileName: 'app' });
  await iam.addRoleToInstanceProfile({ InstanceProfileName: 'app', RoleName: 'app' });
  instanceId = await launch(subnetA);
  await s3Client.createBucket({ Bucket: bucket });
  await s3Client.putObject({ Bucket: bucket, Key: 'photo.jpg', Body: 'a picture' });
});

after(async () => {
  ec2?.destroy();
  iam?.destroy();
  s3Client?.destroy();
  await own?.end();
});

function id(value: string | undefined): string {
  assert.ok(value);
  return value;
}

function policy(...statements: object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

async function subnet(vpc: string, CidrBlock: string, zone: string): Promise<string> {
  const made = await ec2.createSubnet({ VpcId: vpc, CidrBlock, AvailabilityZone: `us-east-1${zone}` });
  return id(made.Subnet?.SubnetId);
}

async function mainTable(vpc: string): Promise<string> {
  const tables = await ec2.describeRouteTables({ Filters: [{ Name: 'vpc-id', Values: [vpc] }] });
  return id(tables.RouteTables?.[0]?.RouteTableId);
}

const https = (CidrIp: string) => [{ IpProtocol: 'tcp', FromPort: 443, ToPort: 443, IpRanges: [{ CidrIp }] }];
const openDoor = (cidr: string) => ec2.authorizeSecurityGroupIngress({ GroupId: door, IpPermissions: https(cidr) });

async function launch(SubnetId: string): Promise<string> {
  const run = await ec2.runInstances({
    ImageId: 'ami-0abcdef1234567890',
    InstanceType: 't3.micro',
    MinCount: 1,
    MaxCount: 1,
    SubnetId,
    IamInstanceProfile: { Name: 'app' },
  });
  const made = id(run.Instances?.[0]?.InstanceId);
  await waitUntilInstanceRunning({ client: ec2, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { InstanceIds: [made] });
  return made;
}

/** The AWS CLI on the laptop. @returns what it printed; must succeed */
async function laptop(...args: string[]): Promise<string> {
  const { code, output } = await aws(own, [...args, '--output', 'text']);
  assert.equal(code, 0, output);
  return output.trim();
}

/** A script in the instance, once the kernel has what was asked for. */
async function there(script: string, from = instanceId): Promise<string> {
  const { status, out } = await postern(own.directory, 'wait');
  assert.equal(status, 0, out);
  return (await inside(own.directory, from, script)).out.trim();
}

function createEndpoint(service: string, ...more: string[]): Promise<string> {
  const name = `com.amazonaws.us-east-1.${service}`;
  const query = ['--query', 'VpcEndpoint.VpcEndpointId'];
  return laptop('ec2', 'create-vpc-endpoint', '--vpc-id', vpcId, '--service-name', name, ...more, ...query);
}

async function createInterface(service: string, ...subnets: string[]): Promise<void> {
  const where = ['--vpc-endpoint-type', 'Interface', '--subnet-ids', ...subnets, '--security-group-ids', door];
  endpoints[service] = await createEndpoint(service, ...where);
}

const modify = (service: string, ...args: string[]) =>
  laptop('ec2', 'modify-vpc-endpoint', '--vpc-endpoint-id', id(endpoints[service]), ...args);

/** The regional name, without the star of S3's. */
async function nameOf(service: string): Promise<string> {
  const shown = await ec2.describeVpcEndpoints({ VpcEndpointIds: [id(endpoints[service])] });
  return id(shown.VpcEndpoints?.[0]?.DnsEntries?.[0]?.DnsName).replace('*.', '');
}

const whoAmI = `${inTime} aws sts get-caller-identity --query Arn --output text ${region}`;

describe('labs F3 to F8: endpoints without NAT', () => {
  test('[F3] a gateway endpoint reaches S3 from a private subnet, and the internet is not there', async () => {
    const list = `${inTime} aws s3 ls s3://${bucket}/ ${region}`;
    assert.match(await there(`${briefly} https://s3.us-east-1.amazonaws.com`), /timed out/);
    endpoints['gateway'] = await createEndpoint('s3', '--route-table-ids', tableId);
    assert.match(await there(list), /photo\.jpg/);
    assert.match(await there(`${briefly} https://example.com`), /timed out/);
  });

  test('[K2] an access point of a VPC is reached through its gateway endpoint and from nowhere else', async () => {
    const account = '123456789012';
    const point = ['--account-id', account, '--name', 'inside'];
    await laptop(
      's3control',
      'create-access-point',
      ...point,
      '--bucket',
      bucket,
      '--vpc-configuration',
      `VpcId=${vpcId}`,
    );
    const arn = `arn:aws:s3:us-east-1:${account}:accesspoint/inside`;
    const read = `${inTime} aws s3 cp s3://${arn}/photo.jpg - ${region}`;
    assert.equal(await there(read), 'a picture');
    const outside = await aws(own, ['s3', 'cp', `s3://${arn}/photo.jpg`, '-']);
    assert.notEqual(outside.code, 0);
    assert.match(outside.output, /403|AccessDenied|Forbidden/);
    const onlyByAnother = {
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:*',
      Resource: `${arn}/object/*`,
      Condition: { StringNotEquals: { 'aws:SourceVpce': 'vpce-00000000000000000' } },
    };
    await laptop('s3control', 'put-access-point-policy', ...point, '--policy', policy(onlyByAnother));
    assert.match(await there(read), /403|Forbidden/);
    const byThis = policy({
      ...onlyByAnother,
      Condition: { StringNotEquals: { 'aws:SourceVpce': endpoints['gateway'] } },
    });
    await laptop('s3control', 'put-access-point-policy', ...point, '--policy', byThis);
    assert.equal(await there(read), 'a picture');
    await laptop('s3control', 'delete-access-point', ...point);
  });

  test('[F4] [X1] [X5] interface endpoints have an address per subnet, and the service’s own name means those', async () => {
    assert.match(await there(`${briefly} https://sts.us-east-1.amazonaws.com`), /timed out/);
    await createInterface('sts', subnetA, subnetB);
    await createInterface('ssm', subnetA);
    // X4: another one comes first each time. (getaddrinfo would sort them by nearness.)
    const first = 'for n in 1 2; do perl -MSocket -e "print inet_ntoa(scalar gethostbyname shift)" NAME; echo; done';
    const addresses = (await there(first.replace('NAME', 'sts.us-east-1.amazonaws.com'))).split('\n').sort();
    assert.deepEqual(addresses, ['10.0.1.5', '10.0.2.4']);
    assert.match(await there(whoAmI), new RegExp(`^arn:aws:sts::123456789012:assumed-role/app/${instanceId}$`));
    const { out } = await postern(own.directory, 'requests', '--json', '--limit', '5');
    assert.ok(out.includes(id(endpoints['sts'])) && out.includes('"10.0.1.'), out);
    const enis = await ec2.describeNetworkInterfaces({
      Filters: [{ Name: 'interface-type', Values: ['vpc_endpoint'] }],
    });
    assert.equal(enis.NetworkInterfaces?.length, 3);
  });

  test('[X3] an endpoint answers no ping, and nothing but HTTP', async () => {
    const address = (await there('getent ahostsv4 ssm.us-east-1.amazonaws.com')).split(' ')[0] ?? '';
    const tries = `ping -c 1 -W 1 ${address}; timeout 1 bash -c 'exec 3<>/dev/tcp/${address}/22' || echo closed`;
    assert.match(await there(tries), /100% packet loss(.|\n)*closed/);
  });

  test('one endpoint is for one service: another’s name is not on its certificate, and another’s signature is refused', async () => {
    const sts = await nameOf('sts');
    const other = `curl -sS -m 15 --connect-to ::${sts}:443 https://s3.us-east-1.amazonaws.com/`;
    assert.match(await there(other), /SSL: no alternative certificate subject name matches target host name/);
    const wrong = await there(
      `${inTime} aws s3api list-buckets ${region} --endpoint-url https://sts.us-east-1.amazonaws.com`,
    );
    assert.match(wrong, /incorrect service "s3"\. This endpoint belongs to "sts"\./);
    const atSsm = await there(`${whoAmI} --endpoint-url https://ssm.us-east-1.amazonaws.com`);
    assert.match(atSsm, /SignatureDoesNotMatch.*Credential should be scoped to correct service: 'ssm'/);
    await createInterface('secretsmanager', subnetA);
    const unserved = await there(`${inTime} aws secretsmanager list-secrets ${region}`);
    assert.match(unserved, /Postern does not serve secretsmanager/);
  });

  test('[X7] [K1] [K2] the endpoint’s policy and the keys of its path decide', async () => {
    const onlyAssume = policy({ Effect: 'Allow', Principal: '*', Action: 'sts:AssumeRole', Resource: '*' });
    const VpcEndpointId = id(endpoints['sts']);
    await ec2.modifyVpcEndpoint({ VpcEndpointId, PolicyDocument: onlyAssume });
    assert.match(await there(whoAmI), /because no VPC endpoint policy allows the sts:GetCallerIdentity action/);
    await ec2.modifyVpcEndpoint({ VpcEndpointId, ResetPolicy: true });
    await createInterface('s3', subnetB);
    const s3 = await nameOf('s3');
    const through = `${inTime} aws s3 ls s3://${bucket}/ ${region} --endpoint-url https://bucket.${s3}`;
    assert.match(await there(through), /photo\.jpg/, 'X8: the bucket in the path');
    const resources = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`];
    const unless = (Condition: object) =>
      policy({
        Effect: 'Deny',
        NotPrincipal: { AWS: 'arn:aws:iam::123456789012:root' },
        Action: 's3:List*',
        Resource: resources,
        Condition,
      });
    const put = (Policy: string) => s3Client.putBucketPolicy({ Bucket: bucket, Policy });
    await put(unless({ StringNotEquals: { 'aws:SourceVpce': endpoints['s3'] } }));
    assert.match(await there(through), /photo\.jpg/);
    const byGateway = `${inTime} aws s3 ls s3://${bucket}/ ${region}`;
    assert.match(await there(byGateway), /explicit deny in a resource-based policy/, 'the other endpoint’s id');
    await put(unless({ NotIpAddress: { 'aws:VpcSourceIp': '10.0.1.0/24' } }));
    assert.match(await there(through), /photo\.jpg/, 'the private address is the caller’s');
    await put(unless({ NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }));
    assert.match(await there(through), /explicit deny in a resource-based policy/, 'K1: there is no aws:SourceIp');
    await s3Client.deleteBucketPolicy({ Bucket: bucket });
  });

  test('[X6] [X5] a peered VPC reaches the endpoint by its own name, and not by the service’s', async () => {
    const peer = id((await ec2.createVpc({ CidrBlock: '10.7.0.0/16' })).Vpc?.VpcId);
    await ec2.modifyVpcAttribute({ VpcId: peer, EnableDnsHostnames: { Value: true } });
    const made = await ec2.createVpcPeeringConnection({ VpcId: vpcId, PeerVpcId: peer });
    const VpcPeeringConnectionId = id(made.VpcPeeringConnection?.VpcPeeringConnectionId);
    await ec2.acceptVpcPeeringConnection({ VpcPeeringConnectionId });
    const peerTable = await mainTable(peer);
    await ec2.createRoute({ RouteTableId: peerTable, DestinationCidrBlock: '10.0.0.0/16', VpcPeeringConnectionId });
    await ec2.createRoute({ RouteTableId: tableId, DestinationCidrBlock: '10.7.0.0/16', VpcPeeringConnectionId });
    const neighbour = await launch(await subnet(peer, '10.7.1.0/24', 'a'));
    const name = `https://${await nameOf('sts')}`;
    assert.match(await there(`${briefly} ${name}`, neighbour), /timed out/, 'the endpoint’s group does not know it');
    await openDoor('10.7.0.0/16');
    // The neighbour has no road to AWS but this one: its credentials come from the metadata service.
    assert.match(await there(`${whoAmI} --endpoint-url ${name}`, neighbour), new RegExp(`app/${neighbour}$`));
    assert.match(await there(`${briefly} https://sts.us-east-1.amazonaws.com`, neighbour), /timed out/);
    const { out } = await postern(own.directory, 'requests', '--json', '--limit', '3');
    assert.match(out, new RegExp(`"10\\.7\\.1\\.\\d+"[^\\n]*${vpcId}|${vpcId}[^\\n]*"10\\.7\\.1\\.\\d+"`));
  });

  test('[F6] without 443 in the endpoint’s group nobody gets in', async () => {
    await ec2.revokeSecurityGroupIngress({ GroupId: door, IpPermissions: https('10.0.0.0/16') });
    assert.match(await there(`${briefly} https://sts.us-east-1.amazonaws.com`), /timed out/);
    await openDoor('10.0.0.0/16');
    assert.match(await there(whoAmI), /assumed-role/);
  });

  test('[F7] with private DNS off the name is public again and leads nowhere; the endpoint’s own names still work', async () => {
    await modify('sts', '--no-private-dns-enabled');
    const resolved = await there('getent hosts sts.us-east-1.amazonaws.com');
    assert.match(resolved, /^198\.18\.1\.131/);
    assert.match(await there(`${briefly} https://sts.us-east-1.amazonaws.com`), /timed out/);
    assert.match(await there(`${whoAmI} --endpoint-url https://${await nameOf('sts')}`), /assumed-role/);
    const zonal = (await nameOf('sts')).replace('.sts.', '-us-east-1b.sts.');
    assert.match(await there(`getent hosts ${zonal}`), /^10\.0\.2\./);
  });

  test('[F8] an outside host cannot be reached, a file in S3 can', async () => {
    assert.match(await there(`${briefly} https://example.com/`), /timed out/);
    const fetched = await there(`cd /tmp && ${inTime} aws s3 cp s3://${bucket}/photo.jpg . ${region} && ls photo.jpg`);
    assert.match(fetched, /photo\.jpg$/);
  });

  test('[W11] what an endpoint uses cannot go before it, and nothing is left after it', async () => {
    const busy = await postern(own.directory, 'aws', 'ec2', 'delete-security-group', '--group-id', door);
    assert.match(busy.out, /DependencyViolation/);
    const deleted = await ec2.deleteVpcEndpoints({ VpcEndpointIds: [...Object.values(endpoints), 'vpce-00000000'] });
    assert.deepEqual(
      deleted.Unsuccessful?.map((one) => [one.ResourceId, one.Error?.Code]),
      [['vpce-00000000', 'InvalidVpcEndpointId.NotFound']],
    );
    assert.match(await there(`${briefly} https://s3.us-east-1.amazonaws.com`), /timed out/);
    const enis = await ec2.describeNetworkInterfaces({
      Filters: [{ Name: 'interface-type', Values: ['vpc_endpoint'] }],
    });
    assert.deepEqual(enis.NetworkInterfaces, []);
    await laptop('ec2', 'delete-security-group', '--group-id', door);
  });
});
