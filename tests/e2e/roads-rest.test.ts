// The rest of a VPC's parts with their effect on packets and inside instances: interfaces and addresses that come and go while an instance runs,
// DHCP options, groups of another VPC, and the instance connect endpoint. One cloud for all; every change is followed by `postern wait`.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { EC2 } from '@aws-sdk/client-ec2';
import { IAM } from '@aws-sdk/client-iam';
import { inside, patient, postern } from './inside.ts';
import { bringUp, command, type Own } from './own-cloud.ts';
import { message, nextMessage, openWebSocket, type TunnelRequest } from './web-socket-client.ts';

let own: Own;
let ec2: EC2;

function id(value: string | undefined): string {
  assert.ok(value);
  return value;
}

async function settled(): Promise<void> {
  const { status, out } = await postern(own.directory, 'wait');
  assert.equal(status, 0, out);
}

async function vpcOf(cidr: string): Promise<string> {
  return id((await ec2.createVpc({ CidrBlock: cidr })).Vpc?.VpcId);
}

async function subnetOf(VpcId: string, CidrBlock: string): Promise<string> {
  return id((await ec2.createSubnet({ VpcId, CidrBlock, AvailabilityZone: 'us-east-1a' })).Subnet?.SubnetId);
}

async function groupOf(VpcId: string, name: string, ...ports: number[]): Promise<string> {
  const GroupId = id((await ec2.createSecurityGroup({ VpcId, GroupName: name, Description: name })).GroupId);
  for (const port of ports)
    await ec2.authorizeSecurityGroupIngress({
      GroupId,
      IpPermissions: [
        port < 0
          ? { IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }
          : { IpProtocol: 'tcp', FromPort: port, ToPort: port, IpRanges: [{ CidrIp: '0.0.0.0/0' }] },
      ],
    });
  return GroupId;
}

interface Launched {
  readonly id: string;
  readonly address: string;
}

async function launch(SubnetId: string, groupId: string, more: object = {}): Promise<Launched> {
  const run = await ec2.runInstances({
    ImageId: 'ami-0abcdef1234567890',
    InstanceType: 't3.small',
    MinCount: 1,
    MaxCount: 1,
    SubnetId,
    SecurityGroupIds: [groupId],
    ...more,
  });
  const instance = run.Instances?.[0];
  return { id: id(instance?.InstanceId), address: id(instance?.PrivateIpAddress) };
}

async function inState(instanceId: string, state: string): Promise<void> {
  for (const deadline = Date.now() + 60_000; ; ) {
    const described = await ec2.describeInstances({ InstanceIds: [instanceId] });
    const seen = described.Reservations?.[0]?.Instances?.[0]?.State?.Name;
    if (seen === state) return;
    assert.ok(Date.now() < deadline, `${instanceId} is ${seen}, not ${state}`);
    await delay(50);
  }
}

/** What a shell script says inside; it must end well. */
async function said(instance: Launched, script: string): Promise<string> {
  const { status, out } = await inside(own.directory, instance.id, script);
  assert.equal(status, 0, `${script}: ${out}`);
  return out;
}

/** @param waits seconds: patient with an answer that must come, brief with one that must not */
async function pings(from: Launched, to: string, source = '', waits = patient): Promise<boolean> {
  const option = source === '' ? '' : `-I ${source}`;
  return (await inside(own.directory, from.id, `ping -n -c 1 -W ${waits} ${option} ${to}`)).status === 0;
}

async function noPing(from: Launched, to: string, source = '', why = 'no ping'): Promise<void> {
  assert.equal(await pings(from, to, source, 1), false, why);
}

interface Net {
  readonly vpc: string;
  readonly near: string;
  readonly far: string;
  readonly open: string;
  readonly closed: string;
  readonly main: Launched;
  readonly other: Launched;
}

let net: Net;

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
  const vpc = await vpcOf('10.20.0.0/16');
  const near = await subnetOf(vpc, '10.20.0.0/24');
  const far = await subnetOf(vpc, '10.20.1.0/24');
  const [open, closed] = [await groupOf(vpc, 'open', -1), await groupOf(vpc, 'closed')];
  const [main, other] = [await launch(near, open), await launch(far, open)];
  await inState(main.id, 'running');
  await inState(other.id, 'running');
  net = { vpc, near, far, open, closed, main, other };
});

after(async () => {
  ec2?.destroy();
  await own?.end();
});

describe('a second interface', () => {
  let eni: string;
  let attachment: string;
  const second = '10.20.1.50';

  test('[R15] attached to a running instance, it has its own addresses, and replies leave by the interface they came to', async () => {
    const made = await ec2.createNetworkInterface({
      SubnetId: net.far,
      PrivateIpAddress: second,
      Groups: [net.open],
      Description: 'second',
    });
    eni = id(made.NetworkInterface?.NetworkInterfaceId);
    const attached = await ec2.attachNetworkInterface({
      NetworkInterfaceId: eni,
      InstanceId: net.main.id,
      DeviceIndex: 1,
    });
    attachment = id(attached.AttachmentId);
    await settled();
    assert.match(await said(net.main, 'ip -o -4 addr show dev eth1'), /inet 10\.20\.1\.50\/24/);
    assert.ok(await pings(net.other, second), 'asked at the second');
    assert.ok(await pings(net.other, net.main.address), 'asked at the first');
    assert.ok(await pings(net.main, net.other.address, second), 'from the second’s address');
    // The source check of the first interface: the second's address has no business there.
    // Each address only by its own interface: the router drops it elsewhere.
    await said(net.main, `ip rule del from ${second}; ip rule del from ${net.main.address}`);
    await said(net.main, `ip route add ${net.other.address} via 10.20.0.1 dev eth0`);
    assert.ok(await pings(net.main, net.other.address, net.main.address), 'by the first, with its own');
    await noPing(net.main, net.other.address, second, 'by the first, with the second’s');
    await said(net.main, `ip route del ${net.other.address} via 10.20.0.1 dev eth0`);
    await said(net.main, `ip rule add from ${second} lookup 10001; ip rule add from ${net.main.address} lookup 10000`);
  });

  test('secondary private addresses come and go while it runs', async () => {
    const assigned = await ec2.assignPrivateIpAddresses({
      NetworkInterfaceId: eni,
      PrivateIpAddresses: ['10.20.1.60', '10.20.1.61'],
    });
    assert.equal(assigned.AssignedPrivateIpAddresses?.length, 2);
    await settled();
    assert.match(await said(net.main, 'ip -o -4 addr show dev eth1'), /10\.20\.1\.60[\s\S]*10\.20\.1\.61/);
    assert.ok(await pings(net.other, '10.20.1.60'));
    assert.ok(await pings(net.main, net.other.address, '10.20.1.61'));
    await ec2.unassignPrivateIpAddresses({ NetworkInterfaceId: eni, PrivateIpAddresses: ['10.20.1.60'] });
    await settled();
    assert.doesNotMatch(await said(net.main, 'ip -o -4 addr show dev eth1'), /10\.20\.1\.60/);
    await noPing(net.other, '10.20.1.60');
    assert.ok(await pings(net.other, '10.20.1.61'));
    // Taken back inside, it is still nobody's outside.
    await said(net.main, 'ip addr add 10.20.1.60/24 dev eth1');
    await noPing(net.other, '10.20.1.60');
    await said(net.main, 'ip addr del 10.20.1.60/24 dev eth1');
  });

  test('[S15] its groups change at once, and only its own', async () => {
    await ec2.modifyNetworkInterfaceAttribute({ NetworkInterfaceId: eni, Groups: [net.closed] });
    await settled();
    await noPing(net.other, second);
    assert.ok(await pings(net.other, net.main.address));
    await ec2.modifyNetworkInterfaceAttribute({ NetworkInterfaceId: eni, Groups: [net.open] });
    await settled();
    assert.ok(await pings(net.other, second));
  });

  test('it is there again after stop and start', async () => {
    await ec2.stopInstances({ InstanceIds: [net.main.id] });
    await inState(net.main.id, 'stopped');
    await ec2.startInstances({ InstanceIds: [net.main.id] });
    await inState(net.main.id, 'running');
    await settled();
    assert.ok(await pings(net.other, second));
    assert.ok(await pings(net.other, '10.20.1.61'));
  });

  test('detached from one running instance and attached to another, it takes its addresses along', async () => {
    await ec2.detachNetworkInterface({ AttachmentId: attachment });
    await settled();
    assert.notEqual((await inside(own.directory, net.main.id, 'ip link show eth1')).status, 0);
    assert.doesNotMatch(await said(net.main, 'ip rule'), /10\.20\.1\.50/);
    await noPing(net.main, second);
    const attached = await ec2.attachNetworkInterface({
      NetworkInterfaceId: eni,
      InstanceId: net.other.id,
      DeviceIndex: 2,
    });
    attachment = id(attached.AttachmentId);
    await settled();
    assert.match(await said(net.other, 'ip -o -4 addr show dev eth2'), /10\.20\.1\.50/);
    assert.ok(await pings(net.main, second));
  });

  test('DeleteOnTermination decides what becomes of it', async () => {
    const doomed = await launch(net.near, net.open);
    const made = await ec2.createNetworkInterface({ SubnetId: net.near, Groups: [net.open] });
    const goes = id(made.NetworkInterface?.NetworkInterfaceId);
    await inState(doomed.id, 'running');
    await ec2.detachNetworkInterface({ AttachmentId: attachment });
    await ec2.attachNetworkInterface({ NetworkInterfaceId: eni, InstanceId: doomed.id, DeviceIndex: 1 });
    const { AttachmentId } = await ec2.attachNetworkInterface({
      NetworkInterfaceId: goes,
      InstanceId: doomed.id,
      DeviceIndex: 2,
    });
    await ec2.modifyNetworkInterfaceAttribute({
      NetworkInterfaceId: goes,
      Attachment: { AttachmentId, DeleteOnTermination: true },
    });
    await ec2.terminateInstances({ InstanceIds: [doomed.id] });
    await inState(doomed.id, 'terminated');
    const left = await ec2.describeNetworkInterfaces({ NetworkInterfaceIds: [eni] });
    assert.equal(left.NetworkInterfaces?.[0]?.Status, 'available');
    await assert.rejects(ec2.describeNetworkInterfaces({ NetworkInterfaceIds: [goes] }), {
      name: 'InvalidNetworkInterfaceID.NotFound',
    });
  });
});

describe('DHCP options', () => {
  const nameServer = `perl -e '
use Socket; socket(S, 2, 2, 17) or die; bind(S, sockaddr_in(53, INADDR_ANY)) or die $!; exit if fork;
while (1) { my $from = recv(S, my $q, 512, 0); my ($end) = $q =~ /^.{12}((?:[^\\0].*?)?\\0.{4})/s;
my $type = unpack("n", substr($end, -4, 2));
send(S, substr($q, 0, 2) . pack("n5", 0x8580, 1, $type == 1 ? 1 : 0, 0, 0) . $end . ($type == 1 ? pack("nnnNna4", 0xc00c, 1, 1, 60, 4, inet_aton("192.0.2.77")) : ""), 0, $from) }
' </dev/null >/dev/null 2>&1`;

  async function give(...configurations: [string, string[]][]): Promise<void> {
    const made = await ec2.createDhcpOptions({
      DhcpConfigurations: configurations.map(([Key, Values]) => ({ Key, Values })),
    });
    await ec2.associateDhcpOptions({ VpcId: net.vpc, DhcpOptionsId: id(made.DhcpOptions?.DhcpOptionsId) });
    await settled();
  }

  test('a running instance has the new ones at once: domain, name servers, time servers', async () => {
    await give(
      ['domain-name', ['corp.example']],
      ['domain-name-servers', [net.other.address, 'AmazonProvidedDNS']],
      ['ntp-servers', ['10.20.0.9']],
    );
    assert.equal(
      await said(net.main, 'grep -v options /etc/resolv.conf; cat /run/chrony.d/dhcp.sources'),
      `search corp.example\nnameserver ${net.other.address}\nnameserver 10.20.0.2\nserver 10.20.0.9 iburst\n`,
    );
    assert.match(
      await said(net.main, 'curl -s http://169.254.169.254/latest/meta-data/local-hostname'),
      new RegExp(`^ip-${net.main.address.replaceAll('.', '-')}\\.corp\\.example$`),
    );
  });

  test('a custom name server is the one that is asked', async () => {
    await said(net.other, nameServer);
    assert.match(await said(net.main, 'getent ahostsv4 db'), /^192\.0\.2\.77 /);
  });

  test('they are there after a start too, and an instance of a resource-name subnet is called by its id', async () => {
    await ec2.modifySubnetAttribute({ SubnetId: net.near, PrivateDnsHostnameTypeOnLaunch: 'resource-name' });
    const named = await launch(net.near, net.open);
    await inState(named.id, 'running');
    assert.equal(await said(named, 'hostname; hostname -f'), `${named.id}\n${named.id}.corp.example\n`);
    assert.match(await said(named, 'cat /etc/resolv.conf'), /^search corp\.example\nnameserver 10\.20\.1\./);
    await ec2.terminateInstances({ InstanceIds: [named.id] });
  });

  test('[D4] `default` stands for no options at all: no name server', async () => {
    await ec2.associateDhcpOptions({ VpcId: net.vpc, DhcpOptionsId: 'default' });
    await settled();
    assert.doesNotMatch(await said(net.main, 'cat /etc/resolv.conf'), /nameserver|search/);
    await give(['domain-name-servers', ['AmazonProvidedDNS']]);
    assert.match(await said(net.main, 'cat /etc/resolv.conf'), /^nameserver 10\.20\.0\.2\n/);
  });
});

describe('a group of another VPC', () => {
  test('[S15] decides where it is carried, and follows its rules also when its own VPC has no instance', async () => {
    const home = await vpcOf('10.21.0.0/16');
    const away = await vpcOf('10.22.0.0/16');
    const GroupId = await groupOf(home, 'lent');
    const subnet = await subnetOf(away, '10.22.0.0/24');
    await ec2.associateSecurityGroupVpc({ GroupId, VpcId: away });
    const local = await groupOf(away, 'local');
    const [asked, asker] = [await launch(subnet, GroupId), await launch(subnet, local)];
    await inState(asked.id, 'running');
    await inState(asker.id, 'running');
    await noPing(asker, asked.address);
    const IpPermissions = [{ IpProtocol: 'icmp', FromPort: -1, ToPort: -1, IpRanges: [{ CidrIp: '10.22.0.0/24' }] }];
    await ec2.authorizeSecurityGroupIngress({ GroupId, IpPermissions });
    await settled();
    assert.ok(await pings(asker, asked.address));
    await ec2.revokeSecurityGroupIngress({ GroupId, IpPermissions });
    await settled();
    await noPing(asker, asked.address);
    await ec2.terminateInstances({ InstanceIds: [asked.id, asker.id] });
  });
});

describe('an instance connect endpoint', () => {
  let eice: string;
  let dnsName: string;
  let door: string;
  let box: string;
  let hidden: Launched;

  const request = (query: Record<string, string> = {}, more: Partial<TunnelRequest> = {}): TunnelRequest => ({
    endpoint: own.endpoint,
    host: dnsName,
    region: 'us-east-1',
    accessKeyId: own.environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: own.environment['AWS_SECRET_ACCESS_KEY'] ?? '',
    query: { instanceConnectEndpointId: eice, remotePort: '22', privateIpAddress: hidden.address, ...query },
    ...more,
  });

  before(async () => {
    const vpc = await vpcOf('10.23.0.0/16');
    const [near, far] = [await subnetOf(vpc, '10.23.0.0/24'), await subnetOf(vpc, '10.23.1.0/24')];
    [door, box] = [await groupOf(vpc, 'door'), await groupOf(vpc, 'box')];
    hidden = await launch(far, box);
    const made = await ec2.createInstanceConnectEndpoint({ SubnetId: near, SecurityGroupIds: [door] });
    eice = id(made.InstanceConnectEndpoint?.InstanceConnectEndpointId);
    dnsName = id(made.InstanceConnectEndpoint?.DnsName);
    await inState(hidden.id, 'running');
    await settled();
  });

  test('[J4] `connect` to an instance without a public address goes through it, and says which rule is missing', async () => {
    const before = await postern(own.directory, 'connect', hidden.id, '--', 'hostname');
    assert.equal(before.status, 1);
    assert.match(before.out, new RegExp(`through ${eice}`));
    const cure = new RegExp(`--group-id ${box} --protocol tcp --port 22 --source-group ${door}`);
    assert.match(before.out.replace(/\s+/g, ' '), cure);
    await ec2.authorizeSecurityGroupIngress({
      GroupId: box,
      IpPermissions: [{ IpProtocol: 'tcp', FromPort: 22, ToPort: 22, UserIdGroupPairs: [{ GroupId: door }] }],
    });
    await settled();
    const connected = await postern(own.directory, 'connect', hidden.id, '--', 'hostname; echo $SSH_CONNECTION');
    assert.equal(connected.status, 0, connected.out);
    assert.match(connected.out, new RegExp(`ip-${hidden.address.replaceAll('.', '-')}`));
  });

  test('`tunnel --stdio` is ssh’s ProxyCommand, `--listen` a local port, and only AWS’s two ports are open', async () => {
    const banner = await new Promise<string>((resolve, reject) => {
      const child = spawn(process.execPath, [command, 'tunnel', hidden.id, '--stdio', '--via', eice], {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: { ...process.env, POSTERN_DATA: own.directory },
      });
      child.stdout.once('data', (data) => {
        child.stdin.end();
        child.kill();
        resolve(String(data));
      });
      child.once('exit', (code) => reject(new Error(`tunnel ended with ${code}`)));
    });
    assert.match(banner, /^SSH-2\.0-/);
    const listener = spawn(process.execPath, [command, 'tunnel', hidden.id, '--listen', '0'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, POSTERN_DATA: own.directory },
    });
    const [line] = (await once(listener.stdout, 'data')) as [Buffer];
    const port = Number(/port (\d+)/.exec(String(line))?.[1]);
    const greetings = [1, 2].map(async () => {
      const socket = connect({ host: '127.0.0.1', port });
      const [data] = (await once(socket, 'data')) as [Buffer];
      socket.destroy();
      return String(data);
    });
    for (const greeting of await Promise.all(greetings)) assert.match(greeting, /^SSH-2\.0-/);
    listener.kill('SIGINT');
    await once(listener, 'exit');
    const other = await postern(own.directory, 'tunnel', hidden.id, '--stdio', '--port', '5432');
    assert.match(other.out, /reaches ports 22 and 3389, not 5432/);
  });

  test('[J4] the CLI’s presigned WebSocket carries TCP, pings are answered, and the trail has the call', async () => {
    const opened = await openWebSocket(request());
    assert.equal(opened.kind, 'open');
    if (opened.kind !== 'open') return;
    const greeting = await nextMessage(opened.socket, opened.head);
    assert.equal(greeting.opcode, 2);
    assert.match(String(greeting.payload), /^SSH-2\.0-/);
    opened.socket.write(message(9, Buffer.from('are you there')));
    opened.socket.write(message(2, Buffer.from('SSH-2.0-probe\r\n')));
    const pong = await nextMessage(opened.socket, Buffer.alloc(0));
    assert.deepEqual([pong.opcode, String(pong.payload)], [10, 'are you there']);
    assert.equal((await nextMessage(opened.socket, Buffer.alloc(0))).opcode, 2);
    opened.socket.write(message(8, Buffer.from([3, 232])));
    assert.equal((await nextMessage(opened.socket, Buffer.alloc(0))).opcode, 8);
    opened.socket.destroy();
    const { out } = await postern(own.directory, 'requests', '--json', '-n', '5');
    assert.match(out, /"operation":"OpenTunnel"/);
  });

  test('refusals are JSON: port, address, duration, endpoint, signature; a target out of reach is a connection that closes', async () => {
    const refusal = async (query: Record<string, string>, more: Partial<TunnelRequest> = {}) => {
      const asked = await openWebSocket(request(query, more));
      assert.equal(asked.kind, 'refused');
      return asked.kind === 'refused' ? `${asked.status} ${asked.body}` : '';
    };
    assert.equal(
      await refusal({ remotePort: '5432' }),
      '400 {"ErrorCode":"InvalidParameter","Message":"The specified RemotePort is not valid. Specify either 22 or 3389 as the RemotePort and retry your request."}',
    );
    assert.match(await refusal({ privateIpAddress: 'here' }), /^400 .*PrivateIpAddress/);
    assert.match(await refusal({ maxTunnelDuration: '3601' }), /^400 .*MaxTunnelDuration/);
    assert.match(
      await refusal({ instanceConnectEndpointId: 'eice-0123456789abcdef0' }),
      /^400 .*InstanceConnectEndpointId/,
    );
    assert.match(await refusal({}, { secretAccessKey: 'wrong' }), /^400 .*InvalidSignature/);
    const outside = await openWebSocket(request({ privateIpAddress: '192.0.2.1' }));
    assert.equal(outside.kind, 'open');
    if (outside.kind !== 'open') return;
    const closed = await nextMessage(outside.socket, outside.head);
    assert.deepEqual([closed.opcode, String(closed.payload.subarray(2))], [8, 'Unable to connect to target']);
    outside.socket.destroy();
  });

  test('[J4] ec2-instance-connect:OpenTunnel is asked, with its own condition keys', async () => {
    const credentials = {
      accessKeyId: own.environment['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: own.environment['AWS_SECRET_ACCESS_KEY'] ?? '',
    };
    const iam = new IAM({ endpoint: own.endpoint, region: 'us-east-1', credentials });
    await iam.createUser({ UserName: 'tunneller' });
    const { AccessKey } = await iam.createAccessKey({ UserName: 'tunneller' });
    const key = { accessKeyId: id(AccessKey?.AccessKeyId), secretAccessKey: id(AccessKey?.SecretAccessKey) };
    const denied = await openWebSocket(request({}, key));
    assert.equal(denied.kind, 'refused');
    if (denied.kind === 'refused') {
      assert.equal(denied.status, 403);
      assert.match(
        denied.body,
        /"ErrorCode":"AccessDenied".*not authorized to perform: ec2-instance-connect:OpenTunnel on resource: arn:aws:ec2:us-east-1:\d+:instance-connect-endpoint\/eice-/,
      );
    }
    const allow = (condition: object) =>
      iam.putUserPolicy({
        UserName: 'tunneller',
        PolicyName: 'tunnel',
        PolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            { Effect: 'Allow', Action: 'ec2-instance-connect:OpenTunnel', Resource: '*', Condition: condition },
          ],
        }),
      });
    const answered = async (query: Record<string, string> = {}) => {
      const asked = await openWebSocket(request(query, key));
      if (asked.kind === 'open') asked.socket.destroy();
      return asked.kind;
    };
    await allow({
      NumericEquals: { 'ec2-instance-connect:remotePort': '22' },
      IpAddress: { 'ec2-instance-connect:privateIpAddress': '10.23.1.0/24' },
      NumericLessThanEquals: { 'ec2-instance-connect:maxTunnelDuration': '600' },
    });
    assert.equal(await answered({ maxTunnelDuration: '600' }), 'open');
    assert.equal(await answered(), 'refused');
    assert.equal(await answered({ maxTunnelDuration: '60', remotePort: '3389' }), 'refused');
    assert.equal(await answered({ maxTunnelDuration: '60', privateIpAddress: '10.23.0.9' }), 'refused');
    iam.destroy();
  });

  test('[S15] its outbound rules count at once, and a deleted one carries nothing', async () => {
    const held = await openWebSocket(request());
    assert.equal(held.kind, 'open');
    if (held.kind !== 'open') return;
    assert.equal((await nextMessage(held.socket, held.head)).opcode, 2);
    const out = { IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] };
    await ec2.revokeSecurityGroupEgress({ GroupId: door, IpPermissions: [out] });
    await settled();
    const blocked = await postern(own.directory, 'connect', hidden.id, '--', 'true');
    assert.equal(blocked.status, 1);
    assert.match(
      blocked.out.replace(/\s+/g, ' '),
      new RegExp(`No rule of ${door}, the endpoint's, lets tcp port 22 out`),
    );
    const dialled = await postern(own.directory, 'tunnel', hidden.id, '--stdio');
    assert.match(dialled.out, /timed out/);
    // The one that was open before went on (S11), and ends with the endpoint.
    held.socket.write(message(2, Buffer.from('SSH-2.0-probe\r\n')));
    assert.equal((await nextMessage(held.socket, Buffer.alloc(0))).opcode, 2);
    const last = nextMessage(held.socket, Buffer.alloc(0));
    await ec2.deleteInstanceConnectEndpoint({ InstanceConnectEndpointId: eice });
    assert.equal((await last).opcode, 8);
    held.socket.destroy();
    await settled();
    const gone = await postern(own.directory, 'tunnel', hidden.id, '--stdio');
    assert.match(gone.out, /no public address, and its VPC no instance connect endpoint/);
  });

  test('[J4] with PreserveClientIp the instance’s group is asked about the client’s address', async () => {
    const { Subnets } = await ec2.describeSubnets({ Filters: [{ Name: 'cidr-block', Values: ['10.23.0.0/24'] }] });
    await ec2.authorizeSecurityGroupEgress({
      GroupId: door,
      IpPermissions: [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }],
    });
    await ec2.createInstanceConnectEndpoint({
      SubnetId: Subnets?.[0]?.SubnetId,
      SecurityGroupIds: [door],
      PreserveClientIp: true,
    });
    await settled();
    const before = await postern(own.directory, 'connect', hidden.id, '--', 'true');
    assert.match(
      before.out.replace(/\s+/g, ' '),
      new RegExp(`--group-id ${box} --protocol tcp --port 22 --cidr 203.0.113.10/32`),
    );
    await ec2.authorizeSecurityGroupIngress({
      GroupId: box,
      IpPermissions: [{ IpProtocol: 'tcp', FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: '203.0.113.10/32' }] }],
    });
    await settled();
    const after = await postern(own.directory, 'connect', hidden.id, '--', 'hostname');
    assert.equal(after.status, 0, after.out);
  });
});
