import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  AccessScopeAnalysisFinding,
  NetworkInsightsAccessScope,
  NetworkInsightsAccessScopeAnalysis,
  NetworkInsightsAccessScopeContent,
} from '@aws-sdk/client-ec2';
import type { Scope, ScopePath } from '@postern/network/insights/access-scope.ts';
import { findPaths } from '@postern/network/insights/findings.ts';
import type { Hop } from '@postern/network/insights/hops.ts';
import type { Snapshot, Vpc } from '@postern/network/snapshot.ts';
import { indexNetwork } from '@postern/network/walk/network-index.ts';
import type { Packet } from '@postern/network/walk/packet.ts';
import { walk } from '@postern/network/walk/walk.ts';
import {
  cidrPeer,
  eni,
  group,
  local,
  nat,
  peered,
  s3Endpoint,
  s3Route,
  snapshot,
  subnet,
  table,
  tcp,
  toIgw,
  toNat,
  toPeer,
  udp,
  vpc,
} from '../../../tests/flows/snapshots.ts';
import { awsError } from '../../testing.ts';
import { makeGateway, makeGroup, makeRouteTable, makeSubnet, makeVpc, makeWorld, putInterface } from './testing.ts';

/** a is public and takes 22 and 80, b is private behind a NAT gateway and takes 5432 from a's subnet; both reach S3 by an endpoint. */
function site(more: Partial<Vpc> = {}): Vpc {
  const { gateway, card } = nat('n', '1', '10.0.0.20', { publicAddress: '198.19.0.20' });
  return vpc({
    internetGatewayId: 'igw-1',
    subnets: [subnet('1', '10.0.0.0/24', { routeTableId: 'rtb-1' }), subnet('2', '10.0.1.0/24')],
    routeTables: [
      table('rtb-main', local('10.0.0.0/16'), toNat('n'), s3Route),
      table('rtb-1', local('10.0.0.0/16'), toIgw),
    ],
    natGateways: [gateway],
    gatewayEndpoints: [s3Endpoint],
    networkInterfaces: [
      eni('a', '1', '10.0.0.10', { publicAddress: '198.19.0.10', groupIds: ['sg-web'] }),
      eni('b', '2', '10.0.1.10', { groupIds: ['sg-db'] }),
      card,
    ],
    securityGroups: [
      group('sg-web', [tcp(22, cidrPeer('203.0.113.0/24')), tcp(80), udp(53)]),
      group('sg-db', [tcp(5432, cidrPeer('10.0.0.0/24'))], [tcp(443)]),
    ],
    ...more,
  });
}

const igw = { resource: { types: ['AWS::EC2::InternetGateway'] } };
const path = (
  source?: ScopePath['source'],
  destination?: ScopePath['destination'],
  through: ScopePath['through'] = [],
) => ({
  ...(source && { source }),
  ...(destination && { destination }),
  through,
});
const ids = (...list: string[]) => ({ resource: { ids: list } });

function find(network: Vpc | Snapshot, match: ScopePath[], exclude: ScopePath[] = []): readonly (readonly Hop[])[] {
  const whole = 'vpcs' in network ? network : snapshot(network);
  const scope: Scope = { match, exclude };
  const found = findPaths(indexNetwork(whole), scope);
  assert.equal(found.isCut, false);
  return found.paths;
}

/** `igw-1 → eni-a tcp 22` */
function short(hops: readonly Hop[]): string {
  const first = hops[0];
  const header = first?.inbound ?? first?.outbound;
  const ports = header?.destinationPorts?.map(({ from, to }) => (from === to ? from : `${from}-${to}`)).join(',');
  return `${first?.component} → ${hops.at(-1)?.component} ${header?.protocol === 6 ? 'tcp' : 'udp'} ${ports}`;
}

const all = (paths: readonly (readonly Hop[])[]) => paths.map(short).sort();

test('each rule that lets the internet in is a finding of its own, with the packets that it lets in', () => {
  const paths = find(site(), [path(igw)]);
  assert.deepEqual(all(paths), ['igw-1 → eni-a tcp 22', 'igw-1 → eni-a tcp 80', 'igw-1 → eni-a udp 53']);
  const ssh = paths.find((each) => short(each).endsWith('tcp 22'));
  assert.deepEqual(ssh?.[0]?.inbound?.sourceAddresses, ['203.0.113.0/24']);
  assert.deepEqual(
    ssh?.map((hop) => hop.component),
    ['igw-1', 'acl-open', 'sg-web', 'eni-a'],
  );
});

test('an exclusion takes packets away, and a finding of which nothing is left', () => {
  const office = { source: { header: { sources: ['203.0.113.0/24'] } } } as const;
  const left = find(site(), [path(igw)], [{ ...office, through: [] }]);
  assert.deepEqual(all(left), ['igw-1 → eni-a tcp 80', 'igw-1 → eni-a udp 53']);
  const [web] = left;
  assert.equal(
    web?.[0]?.inbound?.sourceAddresses?.some((cidr) => cidr.startsWith('203.0.113.')),
    false,
  );
  const noWeb = path(undefined, { header: { destinationPorts: [{ from: 80, to: 80 }] } });
  assert.deepEqual(all(find(site(), [path(igw)], [noWeb])), ['igw-1 → eni-a tcp 22', 'igw-1 → eni-a udp 53']);
  const noTcp = path({ header: { protocols: [6] } });
  assert.deepEqual(all(find(site(), [path(igw)], [noTcp])), ['igw-1 → eni-a udp 53']);
  assert.deepEqual(find(site(), [path(igw)], [path(ids('igw-1'))]), []);
});

test('what lies between the ends is asked for by type or id', () => {
  const out = path(undefined, igw);
  const roads = all(find(site(), [out]));
  assert.deepEqual(roads, ['eni-a → igw-1 tcp 0-65535', 'eni-a → igw-1 udp 0-65535', 'eni-b → igw-1 tcp 443']);
  const byNat = { types: ['AWS::EC2::NatGateway'] };
  assert.deepEqual(all(find(site(), [out], [path(undefined, undefined, [byNat])])), roads.slice(0, 2));
  assert.deepEqual(all(find(site(), [path(undefined, igw, [{ ids: ['nat-n'] }])])), roads.slice(2));
  const [hops] = find(site(), [path(undefined, igw, [byNat])]);
  assert.deepEqual(
    hops?.map((hop) => hop.component),
    ['eni-b', 'sg-db', 'acl-open', 'rtb-main', 'acl-open', 'eni-nat-n', 'nat-n', 'acl-open', 'rtb-1', 'igw-1'],
  );
});

test('headers at the destination are of the packet as it comes there', () => {
  const privately = path(undefined, { header: { destinations: ['10.0.0.0/8'] } });
  assert.deepEqual(all(find(site(), [path(igw)], [privately])), []);
  const asNat = path(undefined, { ...igw, header: { sources: ['198.19.0.20/32'] } });
  assert.deepEqual(all(find(site(), [asNat])), ['eni-b → igw-1 tcp 443']);
});

test('interfaces are meant by instance, subnet, VPC and group; endpoints by type', () => {
  const between = ['eni-a → eni-b tcp 5432'];
  assert.deepEqual(all(find(site(), [path(ids('subnet-1'), ids('subnet-2'))])), between);
  assert.deepEqual(all(find(site(), [path(ids('i-a'), ids('sg-db'))])), between);
  assert.deepEqual(all(find(site(), [path(ids('subnet-2'), ids('subnet-1'))])), []);
  const toEndpoint = path(undefined, { resource: { types: ['AWS::EC2::VPCEndpoint'] } });
  assert.deepEqual(all(find(site(), [toEndpoint])), ['eni-b → vpce-s3 tcp 443']);
});

test('a path may end or begin at a peering connection', () => {
  const other = vpc({
    vpcId: 'vpc-b',
    cidrBlocks: ['10.1.0.0/16'],
    subnets: [subnet('c', '10.1.0.0/24', { routeTableId: 'rtb-c' })],
    routeTables: [table('rtb-c', local('10.1.0.0/16'), toPeer('10.0.0.0/16'))],
    networkInterfaces: [eni('c', 'c', '10.1.0.10', { groupIds: ['sg-c'] })],
    securityGroups: [group('sg-c', [tcp(8080)])],
  });
  const routeTables = [
    table('rtb-main', local('10.0.0.0/16')),
    table('rtb-1', local('10.0.0.0/16'), toIgw, toPeer('10.1.0.0/16')),
  ];
  const network = peered(snapshot(site({ routeTables }), other), { ab: ['vpc-a', 'vpc-b'] });
  const type = { resource: { types: ['AWS::EC2::VPCPeeringConnection'] } };
  const found = all(find(network, [path(undefined, type)]));
  assert.ok(found.includes('eni-a → pcx-ab tcp 0-65535'), found.join('\n'));
  assert.ok(all(find(network, [path(type, ids('eni-c'))])).includes('pcx-ab → eni-c tcp 8080'));
  assert.deepEqual(all(find(network, [path(ids('vpc-a'), ids('vpc-b'))])), ['eni-a → eni-c tcp 8080']);
});

test('what is left out of a road of very many rules is said', () => {
  const ingress = Array.from({ length: 101 }, (_, index) => tcp(1000 + 2 * index));
  const securityGroups = [group('sg-web', ingress), group('sg-db', [])];
  const scope: Scope = { match: [path(igw)], exclude: [] };
  const { paths, isCut } = findPaths(indexNetwork(snapshot(site({ securityGroups }))), scope);
  assert.deepEqual([paths.length, isCut], [100, true]);
});

test('every packet that a finding shows gets through, as the walk sees it', () => {
  const network = indexNetwork(snapshot(site()));
  const { paths } = findPaths(network, { match: [path(igw), path(undefined, igw), path(ids('vpc-a'))], exclude: [] });
  assert.ok(paths.length >= 7);
  for (const hops of paths) {
    const [first] = hops;
    const header = first?.inbound ?? first?.outbound;
    assert.ok(first && header);
    for (const source of [header.sourceAddresses?.[0], header.sourceAddresses?.at(-1)])
      for (const destination of [header.destinationAddresses?.[0], header.destinationAddresses?.at(-1)])
        for (const sourcePort of [header.sourcePorts?.[0]?.from, header.sourcePorts?.at(-1)?.to])
          for (const destinationPort of [header.destinationPorts?.[0]?.from, header.destinationPorts?.at(-1)?.to]) {
            const packet: Packet = {
              protocol: header.protocol ?? 0,
              source: source?.split('/')[0] ?? '',
              destination: destination?.split('/')[0] ?? '',
              sourcePort: sourcePort ?? -1,
              destinationPort: destinationPort ?? -1,
            };
            const from = first.component.startsWith('igw-')
              ? ({ kind: 'internet' } as const)
              : ({ kind: 'network-interface', networkInterfaceId: first.component as `eni-${string}` } as const);
            const trace = walk(network, { from, packet });
            assert.equal(
              trace.verdict,
              'open',
              `${short(hops)} ${JSON.stringify(packet)} ${JSON.stringify(trace.blockers)}`,
            );
          }
  }
});

interface Analysed {
  readonly analysis: NetworkInsightsAccessScopeAnalysis | undefined;
  readonly findings: AccessScopeAnalysisFinding[];
}

async function publicSite() {
  const world = makeWorld();
  const vpcId = await makeVpc(world);
  const subnetId = await makeSubnet(world, vpcId);
  const gateway = await makeGateway(world, vpcId);
  const RouteTableId = await makeRouteTable(world, vpcId);
  await world.run('AssociateRouteTable', { RouteTableId, SubnetId: subnetId });
  await world.run('CreateRoute', { RouteTableId, DestinationCidrBlock: '0.0.0.0/0', GatewayId: gateway });
  const groupId = await makeGroup(world, vpcId);
  const IpPermissions = [{ IpProtocol: 'tcp', FromPort: 22, ToPort: 23, IpRanges: [{ CidrIp: '0.0.0.0/0' }] }];
  await world.run('AuthorizeSecurityGroupIngress', { GroupId: groupId, IpPermissions });
  const groupIds = [groupId as `sg-${string}`];
  const web = putInterface(world, vpcId, subnetId, '10.0.0.10', {
    groupIds,
    autoPublicIp: '198.19.0.7',
    instance: 'running',
  });
  const create = async (input: object) =>
    world.run<{
      NetworkInsightsAccessScope: NetworkInsightsAccessScope;
      NetworkInsightsAccessScopeContent: NetworkInsightsAccessScopeContent;
    }>('CreateNetworkInsightsAccessScope', input);
  const analyse = async (input: object): Promise<Analysed> => {
    const { NetworkInsightsAccessScope: scope } = await create(input);
    const NetworkInsightsAccessScopeId = scope.NetworkInsightsAccessScopeId;
    const started = await world.run<{ NetworkInsightsAccessScopeAnalysis: NetworkInsightsAccessScopeAnalysis }>(
      'StartNetworkInsightsAccessScopeAnalysis',
      { NetworkInsightsAccessScopeId },
    );
    assert.equal(started.NetworkInsightsAccessScopeAnalysis.Status, 'running');
    const { NetworkInsightsAccessScopeAnalyses } = await world.run<{
      NetworkInsightsAccessScopeAnalyses: NetworkInsightsAccessScopeAnalysis[];
    }>('DescribeNetworkInsightsAccessScopeAnalyses', { NetworkInsightsAccessScopeId });
    const NetworkInsightsAccessScopeAnalysisId =
      started.NetworkInsightsAccessScopeAnalysis.NetworkInsightsAccessScopeAnalysisId;
    const { AnalysisFindings } = await world.run<{ AnalysisFindings: AccessScopeAnalysisFinding[] }>(
      'GetNetworkInsightsAccessScopeAnalysisFindings',
      { NetworkInsightsAccessScopeAnalysisId },
    );
    return { analysis: NetworkInsightsAccessScopeAnalyses[0], findings: AnalysisFindings };
  };
  return { world, create, analyse, gateway, web, subnetId };
}

const types = (...list: string[]) => ({ ResourceStatement: { ResourceTypes: list } });
/** Amazon's own scopes, as their pages describe them. */
const amazons = {
  'All-IGW-Ingress': [{ Source: types('AWS::EC2::InternetGateway') }],
  'AWS-IGW-Egress': [{ Destination: types('AWS::EC2::InternetGateway') }],
  'AWS-VPC-Ingress': [{ Source: types('AWS::EC2::InternetGateway', 'AWS::EC2::VPCPeeringConnection', 'AWS::EC2::VPCEndpointService', 'AWS::EC2::VPNGateway', 'AWS::EC2::TransitGatewayAttachment') }],
  'AWS-VPC-Egress': [{ Destination: types('AWS::EC2::InternetGateway', 'AWS::EC2::VPCPeeringConnection', 'AWS::EC2::VPCEndpoint', 'AWS::EC2::VPNGateway', 'AWS::EC2::TransitGatewayAttachment') }],
}; // biome-ignore format: a table

test('Amazon’s four scopes are accepted, and find what they speak of', async () => {
  const { analyse, gateway, web } = await publicSite();
  for (const [name, MatchPaths] of Object.entries(amazons)) {
    const { analysis, findings } = await analyse({ MatchPaths });
    assert.equal(analysis?.Status, 'succeeded', name);
    assert.equal(analysis?.FindingsFound, 'true', name);
    assert.equal(analysis?.AnalyzedEniCount, 1, name);
    const ends = findings.map(({ FindingComponents: path = [] }) => [
      path[0]?.Component?.Id,
      path.at(-1)?.Component?.Id,
    ]);
    const expected = name.includes('Ingress') ? [gateway, web.networkInterfaceId] : [web.networkInterfaceId, gateway];
    for (const each of ends) assert.deepEqual(each, expected, name);
  }
});

test('a scope is shown as it was given, and goes with its analyses', async () => {
  const { world, create, analyse } = await publicSite();
  const input = {
    MatchPaths: [{ Source: types('AWS::EC2::InternetGateway') }],
    ExcludePaths: [
      { Source: { PacketHeaderStatement: { SourceAddresses: ['0.0.0.0/0'], DestinationPorts: ['22', '23-24'] } } },
    ],
    ClientToken: 'once',
  };
  const made = await create(input);
  const again = await create(input);
  assert.deepEqual(again, made);
  const { NetworkInsightsAccessScopeId } = made.NetworkInsightsAccessScope;
  const { MatchPaths, ExcludePaths } = input;
  const content = { NetworkInsightsAccessScopeContent: { NetworkInsightsAccessScopeId, MatchPaths, ExcludePaths } };
  assert.deepEqual(await world.run('GetNetworkInsightsAccessScopeContent', { NetworkInsightsAccessScopeId }), content);
  const { analysis, findings } = await analyse(input);
  assert.equal(analysis?.FindingsFound, 'false');
  assert.deepEqual(findings, []);
  const gone = { NetworkInsightsAccessScopeId };
  assert.deepEqual(await world.run('DeleteNetworkInsightsAccessScope', gone), gone);
  await assert.rejects(
    world.run('GetNetworkInsightsAccessScopeAnalysisFindings', {
      NetworkInsightsAccessScopeAnalysisId: analysis?.NetworkInsightsAccessScopeAnalysisId,
    }),
    awsError('InvalidNetworkInsightsAccessScopeAnalysisId.NotFound'),
  );
  await assert.rejects(
    world.run('DeleteNetworkInsightsAccessScope', gone),
    awsError('InvalidNetworkInsightsAccessScopeId.NotFound'),
  );
});

test('findings come in pages', async () => {
  const { world, analyse } = await publicSite();
  const { analysis, findings } = await analyse({ MatchPaths: [{ Source: types('AWS::EC2::NetworkInterface') }] });
  assert.equal(findings.length, 2);
  const input = { NetworkInsightsAccessScopeAnalysisId: analysis?.NetworkInsightsAccessScopeAnalysisId, MaxResults: 1 };
  const get = (more: object) =>
    world.run<{ AnalysisFindings: object[]; NextToken?: string }>('GetNetworkInsightsAccessScopeAnalysisFindings', {
      ...input,
      ...more,
    });
  const first = await get({});
  const second = await get({ NextToken: first.NextToken });
  assert.deepEqual([...first.AnalysisFindings, ...second.AnalysisFindings], findings);
  assert.equal(second.NextToken, undefined);
});

test('what no scope can be made of is refused', async () => {
  const { create } = await publicSite();
  const refused = (MatchPaths: object[], code: string) =>
    assert.rejects(create({ MatchPaths }), awsError(code), JSON.stringify(MatchPaths));
  const header = (statement: object) => [{ Source: { PacketHeaderStatement: statement } }];
  const resource = (statement: object) => [{ Source: { ResourceStatement: statement } }];
  await refused([], 'MissingParameter');
  await refused([{}], 'MissingParameter');
  await refused([{ Source: {} }], 'MissingParameter');
  await refused(resource({}), 'MissingParameter');
  await refused(
    resource({ Resources: ['igw-0123456789abcdef0'], ResourceTypes: ['AWS::EC2::InternetGateway'] }),
    'InvalidParameterCombination',
  );
  await refused(resource({ ResourceTypes: ['AWS::EC2::NatGateway'] }), 'InvalidParameterValue');
  await refused(resource({ ResourceTypes: ['AWS::EC2::Banana'] }), 'InvalidParameterValue');
  await refused(resource({ Resources: ['nat-0123456789abcdef0'] }), 'InvalidParameterValue');
  await refused(resource({ Resources: ['banana'] }), 'InvalidParameterValue');
  await refused(header({}), 'MissingParameter');
  await refused(
    header({ SourceAddresses: ['10.0.0.0/8'], SourcePrefixLists: ['pl-0123456789abcdef0'] }),
    'InvalidParameterCombination',
  );
  await refused(header({ SourceAddresses: ['10.0.0.0/33'] }), 'InvalidParameterValue');
  await refused(header({ DestinationPorts: ['80-22'] }), 'InvalidParameterValue');
  await refused(header({ Protocols: ['icmp'] }), 'InvalidParameterValue');
  await refused(header({ SourcePrefixLists: ['pl-x'] }), 'InvalidParameterValue');
});
