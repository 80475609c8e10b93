// IPv6 from the AWS CLI to the packets: a dual-stack VPC whose one subnet has the internet gateway and whose other the egress-only one. Neither has a way to
// the internet by IPv4, so what gets through here is IPv6. Each test goes on where the last one left off; every change is followed by `postern wait`.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { aws } from './aws-cli.ts';
import { inside, patient, postern } from './inside.ts';
import { bringUp, command, type Own } from './own-cloud.ts';

let own: Own;
let prefix = '';
const ids: Record<string, string> = {};
const of = (name: string) => ids[name] ?? '';

async function ok(...args: string[]): Promise<string> {
  const { status, out } = await postern(own.directory, ...args);
  assert.equal(status, 0, `${args.join(' ')}: ${out}`);
  return out.trim();
}

async function cli(...args: string[]): Promise<string> {
  const { code, output } = await aws(own, [...args, '--output', 'text']);
  assert.equal(code, 0, `${args.join(' ')}: ${output}`);
  return output.trim();
}

const ec2 = (...args: string[]) => cli('ec2', ...args);

async function changed(...args: string[]): Promise<void> {
  await ec2(...args);
  await ok('wait');
}

async function works(instance: string, script: string): Promise<boolean> {
  return (await inside(own.directory, of(instance), script)).status === 0;
}

async function said(instance: string, script: string): Promise<string> {
  const { status, out } = await inside(own.directory, of(instance), script);
  assert.equal(status, 0, `${script}: ${out}`);
  return out.trim();
}

/** @param waits seconds: patient with an answer that must come, brief with one that must not */
const ping = (host: string, waits = patient) => `ping -6 -n -c 1 -W ${waits} ${host}`;

/** The first words of what listens on port 22, asked from the terminal's own address; else what the tunnel says. */
function knock(instance: string): Promise<string> {
  const child = spawn(process.execPath, [command, 'tunnel', of(instance), '--port', '22', '--stdio'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, POSTERN_DATA: own.directory },
  });
  return new Promise((resolve) => {
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint += text;
    });
    child.stdout.setEncoding('utf8').once('data', (text: string) => {
      child.stdin.end();
      resolve(text.trim());
    });
    child.once('close', () => resolve(complaint.trim()));
  });
}

async function makeSubnet(name: string, number: number, routeTarget: readonly string[]): Promise<void> {
  const blocks = ['--cidr-block', `10.0.${number}.0/24`, '--ipv6-cidr-block', `${prefix}0${number}::/64`];
  const query = ['--query', 'Subnet.SubnetId'];
  ids[`${name} subnet`] = await ec2('create-subnet', '--vpc-id', of('vpc'), ...blocks, ...query);
  const table = await ec2('create-route-table', '--vpc-id', of('vpc'), '--query', 'RouteTable.RouteTableId');
  const everywhere = ['--destination-ipv6-cidr-block', '::/0'];
  await ec2('create-route', '--route-table-id', table, ...everywhere, ...routeTarget);
  await ec2('associate-route-table', '--route-table-id', table, '--subnet-id', of(`${name} subnet`));
  const launch = ['--image-id', 'ami-0abcdef1234567890', '--instance-type', 't3.small', '--ipv6-address-count', '1'];
  const where = ['--subnet-id', of(`${name} subnet`), '--security-group-ids', of('group')];
  ids[name] = await ec2('run-instances', ...launch, ...where, '--query', 'Instances[0].InstanceId');
}

async function addressOf(instance: string): Promise<string> {
  return ec2(
    'describe-instances',
    '--instance-ids',
    of(instance),
    '--query',
    'Reservations[0].Instances[0].Ipv6Address',
  );
}

before(async () => {
  own = await bringUp();
  const cidrs = ['--cidr-block', '10.0.0.0/16', '--amazon-provided-ipv6-cidr-block'];
  ids['vpc'] = await ec2('create-vpc', ...cidrs, '--query', 'Vpc.VpcId');
  const block = await ec2(
    'describe-vpcs',
    '--vpc-ids',
    of('vpc'),
    '--query',
    'Vpcs[0].Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock',
  );
  assert.match(block, /^2001:db8:101[0-9a-f]:[0-9a-f]{1,2}00::\/56$/);
  prefix = block.replace('00::/56', '');
  ids['igw'] = await ec2('create-internet-gateway', '--query', 'InternetGateway.InternetGatewayId');
  await ec2('attach-internet-gateway', '--internet-gateway-id', of('igw'), '--vpc-id', of('vpc'));
  const query = ['--query', 'EgressOnlyInternetGateway.EgressOnlyInternetGatewayId'];
  ids['eigw'] = await ec2('create-egress-only-internet-gateway', '--vpc-id', of('vpc'), ...query);
  const named = ['--group-name', 'six', '--description', 'six', '--query', 'GroupId'];
  ids['group'] = await ec2('create-security-group', '--vpc-id', of('vpc'), ...named);
  const ssh = 'IpProtocol=tcp,FromPort=22,ToPort=22,Ipv6Ranges=[{CidrIpv6=::/0}]';
  await ec2('authorize-security-group-ingress', '--group-id', of('group'), '--ip-permissions', ssh);
  await makeSubnet('public', 1, ['--gateway-id', of('igw')]);
  await makeSubnet('private', 2, ['--egress-only-internet-gateway-id', of('eigw')]);
  await ec2('wait', 'instance-running', '--instance-ids', of('public'), of('private'));
  await ok('wait');
});

after(() => own?.end());

test('an instance has the address that the API says, and the router where AWS has it', async () => {
  for (const name of ['public', 'private']) {
    const address = await addressOf(name);
    assert.ok((await said(name, 'ip -6 -o addr show dev eth0 scope global')).includes(`${address}/128`));
    assert.match(await said(name, 'ip -6 route show default'), /^default via fe80:ec2::1 dev eth0/);
  }
});

test('[H1] [D2] metadata and resolver answer by IPv6: the one when it is to, the other always', async () => {
  const service = 'http://[fd00:ec2::254]/latest';
  const asks = (waits: number | string) => `
    token=$(curl -sf -m ${waits} -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' ${service}/api/token) || exit 1
    curl -sf -m ${waits} -H "X-aws-ec2-metadata-token: $token" ${service}/meta-data/instance-id`;
  assert.equal(await works('private', asks(3)), false);
  await changed('modify-instance-metadata-options', '--instance-id', of('private'), '--http-protocol-ipv6', 'enabled');
  assert.equal(await said('private', asks(patient)), of('private'));
  const { out } = await inside(
    own.directory,
    of('private'),
    'cp /etc/resolv.conf /tmp/; echo nameserver fd00:ec2::253 > /etc/resolv.conf; getent ahostsv6 s3.dualstack.us-east-1.amazonaws.com; cat /tmp/resolv.conf > /etc/resolv.conf',
  );
  assert.match(out, /^2001:db8:0:1::1 /);
});

test('[I7] by the internet gateway: nothing is translated, and the terminal’s own IPv6 address may come in', async () => {
  const address = await addressOf('public');
  assert.ok(await works('public', ping('example.com')));
  assert.equal(await said('public', 'curl -6 -s -m 15 https://ifconfig.me'), address);
  assert.match(await said('public', 'curl -s -m 15 http://example.com'), new RegExp(`came from ${address}`));
  assert.match(await knock('public'), /^SSH-2/);
});

test('[I7] [S13] by the egress-only gateway: out, and nothing in, though the group would let it', async () => {
  assert.ok(await works('private', ping('example.com')));
  assert.equal(await said('private', 'curl -6 -s -m 15 http://ifconfig.me'), await addressOf('private'));
  assert.match(await knock('private'), /timed out/);
  // Inside the VPC the same group lets it in.
  assert.ok(await works('public', `timeout 15 bash -c '</dev/tcp/${await addressOf('private')}/22'`));
});

test('aws:SourceIp is the IPv6 address, for a service’s dual-stack name', async () => {
  await cli('s3api', 'create-bucket', '--bucket', 'six');
  const statement = {
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:ListBucket',
    Resource: 'arn:aws:s3:::six',
    Condition: { NotIpAddress: { 'aws:SourceIp': [`${prefix}01::/64`, '203.0.113.10/32'] } },
  };
  const policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await cli('s3api', 'put-bucket-policy', '--bucket', 'six', '--policy', policy);
  const environment = JSON.parse(await ok('env', '--json')) as Record<string, string>;
  const keys = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].map((name) => `${name}='${environment[name]}'`).join(' ');
  const list = `${keys} AWS_DEFAULT_REGION=us-east-1 AWS_USE_DUALSTACK_ENDPOINT=true AWS_MAX_ATTEMPTS=1 aws s3api list-objects-v2 --bucket six 2>&1`;
  await said('public', list);
  const { out } = await inside(own.directory, of('private'), list);
  assert.match(out, /AccessDenied/);
});

test('[S2] [N1] groups and ACLs decide for IPv6 by rules of their own', async () => {
  const all = ['--group-id', of('group'), '--ip-permissions', 'IpProtocol=-1,Ipv6Ranges=[{CidrIpv6=::/0}]'];
  await changed('revoke-security-group-egress', ...all);
  assert.equal(await works('public', ping('example.com', 1)), false);
  await changed('authorize-security-group-egress', ...all);
  assert.ok(await works('public', ping('example.com')));
  const filter = ['--filters', `Name=vpc-id,Values=${of('vpc')}`, '--query', 'NetworkAcls[0].NetworkAclId'];
  const acl = await ec2('describe-network-acls', ...filter);
  const entry = ['--network-acl-id', acl, '--ingress', '--rule-number', '50'];
  const echoReply = ['--protocol', '58', '--icmp-type-code', 'Type=129,Code=-1', '--ipv6-cidr-block', '::/0'];
  await changed('create-network-acl-entry', ...entry, ...echoReply, '--rule-action', 'deny');
  assert.equal(await works('public', ping('example.com', 1)), false);
  assert.equal(await said('public', 'curl -6 -s -m 15 http://ifconfig.me'), await addressOf('public'));
  await changed('delete-network-acl-entry', ...entry);
  assert.ok(await works('public', ping('example.com')));
});

test('an address comes to a running instance and goes again', async () => {
  const query = ['--query', 'Reservations[0].Instances[0].NetworkInterfaces[0].NetworkInterfaceId'];
  const card = await ec2('describe-instances', '--instance-ids', of('public'), ...query);
  const second = `${prefix}01::22`;
  await changed('assign-ipv6-addresses', '--network-interface-id', card, '--ipv6-addresses', second);
  assert.ok(await works('public', ping(`-I ${second} example.com`)));
  await changed('unassign-ipv6-addresses', '--network-interface-id', card, '--ipv6-addresses', second);
  assert.ok(!(await said('public', 'ip -6 addr show dev eth0')).includes(second));
  assert.ok(await works('public', ping('example.com')));
});

test('[R8] [R9] a deleted egress-only gateway leaves a blackhole', async () => {
  await changed('delete-egress-only-internet-gateway', '--egress-only-internet-gateway-id', of('eigw'));
  assert.equal(await works('private', ping('example.com', 1)), false);
  assert.equal(await works('private', ping(await addressOf('public'), 1)), false, 'the group lets no ping in');
  assert.ok(await works('private', `timeout 15 bash -c '</dev/tcp/${await addressOf('public')}/22'`));
});
