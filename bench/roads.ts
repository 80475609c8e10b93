// The roads of a VPC: throughput and latency by each, beside one bare veth pair of the same run; new connections through a NAT gateway; and a cloud of a
// thousand instances: how long it takes to come up, what it weighs, and how fast it still answers and changes.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EC2 } from '@aws-sdk/client-ec2';
import { GetObjectCommand, S3 } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { type BenchCloud, command, memoryOf } from './cloud.ts';
import { bareVeth, gbits } from './network.ts';

const region = 'us-east-1';

export interface RoadRow {
  readonly road: string;
  readonly gbits: readonly number[];
  /** Absent where nothing answers a ping. */
  readonly roundTripMs?: number;
}

export interface RoadFigures {
  readonly bare: { readonly gbits: readonly number[]; readonly roundTripMs: number };
  readonly rows: readonly RoadRow[];
  readonly natConnectionsPerSecond: number;
}

export interface ScaleFigures {
  readonly instances: number;
  readonly vpcs: number;
  readonly groups: number;
  /** First RunInstances sent → every instance is `running`, and packets see it. */
  readonly upSeconds: number;
  readonly memoryBytes: number;
  readonly describeMs: readonly number[];
  /** A rule authorized → packets see it. */
  readonly changeMs: readonly number[];
  /** A thousand rules authorized, 32 at once: the first sent → the last answered, and → packets see all of them. */
  readonly burst: { readonly answeredMs: number; readonly carriedMs: number };
}

function clients(cloud: BenchCloud): { ec2: EC2; s3: S3 } {
  const credentials = {
    accessKeyId: cloud.environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: cloud.environment['AWS_SECRET_ACCESS_KEY'] ?? '',
  };
  const shared = { region, credentials, endpoint: cloud.endpoint, maxAttempts: 1 };
  return { ec2: new EC2(shared), s3: new S3({ ...shared, forcePathStyle: true }) };
}

function postern(cloud: BenchCloud, ...args: string[]): string {
  const [name = '', ...rest] = args;
  const words = [command, name, '--data', cloud.directory, ...rest];
  const result = spawnSync(process.execPath, words, { encoding: 'utf8', timeout: 120_000 });
  if (result.status !== 0)
    throw new Error(`postern ${args.join(' ')} ended with ${result.status}: ${result.stderr}${result.stdout}`);
  return result.stdout;
}

const inside = (cloud: BenchCloud, id: string, script: string) =>
  postern(cloud, 'exec', id, '--', 'bash', '-c', script);

/** Middle round trip of many pings, ms. */
function roundTrip(output: string): number {
  const average = /= [\d.]+\/([\d.]+)\//.exec(output)?.[1];
  if (average === undefined) throw new Error(`ping said ${output.slice(-300)}`);
  return Number(average);
}
const pings = '-n -q -c 200 -i 0.002';

/** Connects, closes, again, for some seconds; prints how many a second. */
const connector = (host: string, seconds: number) =>
  `perl -e 'use Socket; use Time::HiRes "time"; my ($n, $t) = (0, time); while (time - $t < ${seconds}) { socket(my $s, PF_INET, SOCK_STREAM, 0); connect($s, sockaddr_in(7000, inet_aton("${host}"))) or die "connect: $!"; close $s; $n++ } printf "%.1f\\n", $n / (time - $t)'`;
const acceptor = `setsid perl -e 'use Socket; socket(my $s, PF_INET, SOCK_STREAM, 0); setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1); bind($s, sockaddr_in(7000, INADDR_ANY)) or die; listen($s, 1024); while (accept(my $c, $s)) { close $c }' >/dev/null 2>&1 &`;

export async function measureRoads(
  cloud: BenchCloud,
  options: { repeats: number; seconds: number; progress: (text: string) => void },
): Promise<RoadFigures | string> {
  const iperf = ['/usr/bin/iperf3', '/usr/local/bin/iperf3'].find((path) => existsSync(path));
  if (iperf === undefined) return 'iperf3 is not installed (apt-get install iperf3)';
  const { ec2, s3 } = clients(cloud);
  const wait = () => postern(cloud, 'wait');
  const must = (value: string | undefined): string => {
    if (value === undefined) throw new Error('an answer without an id');
    return value;
  };
  const everything = [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }];
  const network = async (CidrBlock: string) => {
    const vpc = must((await ec2.createVpc({ CidrBlock })).Vpc?.VpcId);
    await ec2.modifyVpcAttribute({ VpcId: vpc, EnableDnsHostnames: { Value: true } });
    const gateway = must((await ec2.createInternetGateway({})).InternetGateway?.InternetGatewayId);
    await ec2.attachInternetGateway({ InternetGatewayId: gateway, VpcId: vpc });
    const tables = await ec2.describeRouteTables({ Filters: [{ Name: 'vpc-id', Values: [vpc] }] });
    const groups = await ec2.describeSecurityGroups({ Filters: [{ Name: 'vpc-id', Values: [vpc] }] });
    const group = must(groups.SecurityGroups?.[0]?.GroupId);
    await ec2.authorizeSecurityGroupIngress({ GroupId: group, IpPermissions: everything });
    return { vpc, gateway, table: must(tables.RouteTables?.[0]?.RouteTableId), group };
  };
  const subnet = async (VpcId: string, CidrBlock: string) =>
    must((await ec2.createSubnet({ VpcId, CidrBlock, AvailabilityZone: `${region}a` })).Subnet?.SubnetId);
  const launch = async (SubnetId: string, isPublic = false) => {
    const run = await ec2.runInstances({
      ImageId: 'ami-0abcdef1234567890',
      MinCount: 1,
      MaxCount: 1,
      NetworkInterfaces: [{ DeviceIndex: 0, SubnetId, AssociatePublicIpAddress: isPublic }],
    });
    const id = must(run.Instances?.[0]?.InstanceId);
    wait();
    const seen = (await ec2.describeInstances({ InstanceIds: [id] })).Reservations?.[0]?.Instances?.[0];
    return { id, privateIp: must(seen?.PrivateIpAddress), publicIp: seen?.PublicIpAddress ?? '' };
  };

  options.progress('building the roads');
  const [a, b] = [await network('10.61.0.0/16'), await network('10.62.0.0/16')];
  const [front, back, far] = [
    await subnet(a.vpc, '10.61.0.0/24'),
    await subnet(a.vpc, '10.61.1.0/24'),
    await subnet(b.vpc, '10.62.0.0/24'),
  ];
  const peering = must(
    (await ec2.createVpcPeeringConnection({ VpcId: a.vpc, PeerVpcId: b.vpc })).VpcPeeringConnection
      ?.VpcPeeringConnectionId,
  );
  await ec2.acceptVpcPeeringConnection({ VpcPeeringConnectionId: peering });
  const pcx = { VpcPeeringConnectionId: peering };
  await ec2.createRoute({ RouteTableId: a.table, DestinationCidrBlock: '10.62.0.0/16', ...pcx });
  await ec2.createRoute({ RouteTableId: b.table, DestinationCidrBlock: '10.61.0.0/16', ...pcx });
  for (const each of [a, b])
    await ec2.createRoute({ RouteTableId: each.table, DestinationCidrBlock: '0.0.0.0/0', GatewayId: each.gateway });
  const { AllocationId } = await ec2.allocateAddress({});
  const nat = must((await ec2.createNatGateway({ SubnetId: front, AllocationId })).NatGateway?.NatGatewayId);
  const inner = must((await ec2.createRouteTable({ VpcId: a.vpc })).RouteTable?.RouteTableId);
  await ec2.associateRouteTable({ RouteTableId: inner, SubnetId: back });
  wait();
  await ec2.createRoute({ RouteTableId: inner, DestinationCidrBlock: '0.0.0.0/0', NatGatewayId: nat });
  const [near, nearPeer, across, peer] = [
    await launch(front),
    await launch(front),
    await launch(back),
    await launch(far, true),
  ];
  const service = (name: string) => `com.amazonaws.${region}.${name}`;
  await ec2.createVpcEndpoint({ VpcId: a.vpc, ServiceName: service('s3'), RouteTableIds: [inner] });
  const door = await ec2.createVpcEndpoint({
    VpcEndpointType: 'Interface',
    VpcId: a.vpc,
    ServiceName: service('s3'),
    SubnetIds: [back],
    SecurityGroupIds: [a.group],
    PrivateDnsEnabled: false,
  });
  wait();
  const doorName = must(door.VpcEndpoint?.DnsEntries?.[0]?.DnsName).replace(/^\*/, 'bucket');

  const Bucket = `bench-${process.pid}`;
  await s3.createBucket({ Bucket });
  await s3.putObject({ Bucket, Key: 'eight', Body: Buffer.alloc(8 * 2 ** 20, 7) });
  const url = async (endpoint: string) => {
    const client = new S3({ region, endpoint, forcePathStyle: true, credentials: await s3.config.credentials() });
    const signed = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'eight' }));
    client.destroy();
    return signed;
  };

  for (const one of [nearPeer, across, peer]) inside(cloud, one.id, `setsid ${iperf} -s -D >/dev/null 2>&1`);
  inside(cloud, peer.id, acceptor);
  const iperfTo = (from: string, host: string) =>
    gbits(inside(cloud, from, `${iperf} -c ${host} -t ${options.seconds} -J`));
  const objects = (from: string, address: string) => {
    const many = Array.from({ length: 12 }, () => `-o /dev/null '${address}'`).join(' ');
    const output = inside(cloud, from, `curl -sS --fail -w '%{time_total} ' ${many}`);
    const seconds = output.trim().split(' ').map(Number);
    return (seconds.length * 8 * 2 ** 20 * 8) / 1e9 / seconds.reduce((sum, each) => sum + each, 0);
  };
  const s3Url = await url(`https://s3.${region}.amazonaws.com`);
  const doorUrl = await url(`https://${doorName}`);
  const roads: { road: string; measure: () => number; ping?: () => number }[] = [
    { road: 'same subnet', measure: () => iperfTo(near.id, nearPeer.privateIp), ping: () => roundTrip(inside(cloud, near.id, `ping ${pings} ${nearPeer.privateIp}`)) },
    { road: 'across subnets', measure: () => iperfTo(near.id, across.privateIp), ping: () => roundTrip(inside(cloud, near.id, `ping ${pings} ${across.privateIp}`)) },
    { road: 'peering', measure: () => iperfTo(near.id, peer.privateIp), ping: () => roundTrip(inside(cloud, near.id, `ping ${pings} ${peer.privateIp}`)) },
    { road: 'NAT and internet gateways', measure: () => iperfTo(across.id, peer.publicIp), ping: () => roundTrip(inside(cloud, across.id, `ping ${pings} ${peer.publicIp}`)) },
    { road: 'gateway endpoint, 8 MiB objects of S3', measure: () => objects(across.id, s3Url), ping: () => roundTrip(inside(cloud, across.id, `ping ${pings} s3.${region}.amazonaws.com`)) },
    { road: 'interface endpoint, 8 MiB objects of S3', measure: () => objects(across.id, doorUrl) },
  ]; // biome-ignore format: a table
  const bareGbits: number[] = [];
  const seen = new Map<string, number[]>(roads.map(({ road }) => [road, []]));
  for (let repeat = 0; repeat < options.repeats; repeat += 1) {
    bareGbits.push(gbits(bareVeth(iperf, options.seconds)));
    for (const { road, measure } of roads) {
      options.progress(`${road}, ${repeat + 1} of ${options.repeats}`);
      seen.get(road)?.push(measure());
    }
  }
  const rows = roads.map(
    ({ road, ping }): RoadRow => ({
      road,
      gbits: seen.get(road) ?? [],
      ...(ping && { roundTripMs: ping() }),
    }),
  );
  options.progress('new connections through the NAT gateway');
  const natConnectionsPerSecond = Number(inside(cloud, across.id, connector(peer.publicIp, 3)));
  ec2.destroy();
  s3.destroy();
  return { bare: { gbits: bareGbits, roundTripMs: barePing() }, rows, natConnectionsPerSecond };
}

function barePing(): number {
  const script = `ip netns add a; ip netns add b; ip link add va netns a type veth peer name vb netns b
    ip -n a addr add 10.0.0.1/24 dev va; ip -n b addr add 10.0.0.2/24 dev vb; ip -n a link set va up; ip -n b link set vb up
    nsenter --net=/run/netns/a ping ${pings} 10.0.0.2`;
  const world = ['--import', 'tsx', 'fabric/in-world.ts', '--', 'sh', '-c', script];
  return roundTrip(spawnSync(process.execPath, world, { encoding: 'utf8' }).stdout);
}

/** A thousand instances, unless told otherwise, spread over VPCs that each have ten groups. */
export async function measureScale(
  cloud: BenchCloud,
  options: { vpcs: number; instancesPerVpc: number; progress: (text: string) => void },
): Promise<ScaleFigures> {
  const { ec2 } = clients(cloud);
  const groupsPerVpc = 10;
  const weight = () => memoryOf(cloud.directory).reduce((sum, each) => sum + each.bytes, 0);
  const startedAt = performance.now();
  let firstGroup = '';
  for (let index = 0; index < options.vpcs; index += 1) {
    options.progress(`VPC ${index + 1} of ${options.vpcs}`);
    const VpcId = (await ec2.createVpc({ CidrBlock: `10.${index}.0.0/16` })).Vpc?.VpcId;
    const SubnetId = (await ec2.createSubnet({ VpcId, CidrBlock: `10.${index}.0.0/22` })).Subnet?.SubnetId;
    const groups: string[] = [];
    for (let number = 0; number < groupsPerVpc; number += 1) {
      const GroupId =
        (await ec2.createSecurityGroup({ VpcId, GroupName: `g${number}`, Description: 'bench' })).GroupId ?? '';
      groups.push(GroupId);
      const UserIdGroupPairs = [{ GroupId: groups[number - 1] ?? GroupId }];
      await ec2.authorizeSecurityGroupIngress({
        GroupId,
        IpPermissions: [{ IpProtocol: 'tcp', FromPort: 22, ToPort: 22, UserIdGroupPairs }],
      });
    }
    firstGroup ||= groups[0] ?? '';
    const perGroup = Math.ceil(options.instancesPerVpc / groupsPerVpc);
    for (const group of groups)
      await ec2.runInstances({
        ImageId: 'ami-0abcdef1234567890',
        MinCount: perGroup,
        MaxCount: perGroup,
        SubnetId,
        SecurityGroupIds: [group],
      });
  }
  options.progress('waiting for all of them');
  const deadline = performance.now() + 600_000;
  let running = 0;
  const instances = options.vpcs * Math.ceil(options.instancesPerVpc / groupsPerVpc) * groupsPerVpc;
  while (running < instances) {
    if (performance.now() > deadline) throw new Error(`${running} of ${instances} instances run after ten minutes`);
    const seen = await describeAll(ec2);
    running = seen.filter((state) => state === 'running').length;
    if (running < instances) await new Promise((resolve) => setTimeout(resolve, 500));
  }
  postern(cloud, 'wait');
  const upSeconds = (performance.now() - startedAt) / 1000;
  const memoryBytes = weight();
  const describeMs: number[] = [];
  const changeMs: number[] = [];
  for (let repeat = 0; repeat < 10; repeat += 1) {
    const describedAt = performance.now();
    await describeAll(ec2);
    describeMs.push(performance.now() - describedAt);
    const changedAt = performance.now();
    await ec2.authorizeSecurityGroupIngress({
      GroupId: firstGroup,
      IpPermissions: [
        { IpProtocol: 'tcp', FromPort: 9000 + repeat, ToPort: 9000 + repeat, IpRanges: [{ CidrIp: '10.0.0.0/8' }] },
      ],
    });
    await settled(cloud);
    changeMs.push(performance.now() - changedAt);
  }
  options.progress('a thousand rules');
  const burst = await measureBurst(cloud, ec2);
  ec2.destroy();
  return {
    instances,
    vpcs: options.vpcs,
    groups: options.vpcs * groupsPerVpc,
    upSeconds,
    memoryBytes,
    describeMs,
    changeMs,
    burst,
  };
}

async function measureBurst(cloud: BenchCloud, ec2: EC2): Promise<ScaleFigures['burst']> {
  const found = await ec2.describeSecurityGroups({ Filters: [{ Name: 'group-name', Values: ['g*'] }] });
  const groups = (found.SecurityGroups ?? []).map(({ GroupId }) => GroupId ?? '');
  const changes = Array.from({ length: 1000 }, (_, index) => ({
    GroupId: groups[index % groups.length] ?? '',
    IpPermissions: [
      { IpProtocol: 'tcp', FromPort: 20_000 + index, ToPort: 20_000 + index, IpRanges: [{ CidrIp: '10.0.0.0/8' }] },
    ],
  }));
  const startedAt = performance.now();
  const lane = async () => {
    for (let next = changes.pop(); next !== undefined; next = changes.pop())
      await ec2.authorizeSecurityGroupIngress(next);
  };
  await Promise.all(Array.from({ length: 32 }, lane));
  const answeredMs = performance.now() - startedAt;
  await settled(cloud);
  return { answeredMs, carriedMs: performance.now() - startedAt };
}

async function describeAll(ec2: EC2): Promise<(string | undefined)[]> {
  const states: (string | undefined)[] = [];
  let NextToken: string | undefined;
  do {
    const page = await ec2.describeInstances({ MaxResults: 1000, ...(NextToken && { NextToken }) });
    for (const { Instances } of page.Reservations ?? [])
      for (const one of Instances ?? []) states.push(one.State?.Name);
    NextToken = page.NextToken;
  } while (NextToken);
  return states;
}

/** As `postern wait`, without the start of a process. */
async function settled(cloud: BenchCloud): Promise<void> {
  const token = readFileSync(join(cloud.directory, 'operator-token'), 'utf8').trim();
  const response = await fetch(`${cloud.endpoint}/_postern/settled`, { headers: { Authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`the cloud does not settle: ${await response.text()}`);
  await response.arrayBuffer();
}
