import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NetworkInsightsAnalysis, NetworkInsightsPath } from '@aws-sdk/client-ec2';
import { awsError, testAccountId } from '../../testing.ts';
import {
  makeGateway,
  makeGroup,
  makeRouteTable,
  makeSubnet,
  makeVpc,
  makeWorld,
  putInterface,
  type World,
} from './testing.ts';

interface Site {
  readonly vpc: `vpc-${string}`;
  readonly igw: string;
  readonly table: string;
  readonly group: string;
  readonly web: { networkInterfaceId: string; instanceId: string };
}

/** A public subnet with one instance that takes ssh. */
async function makeSite(world: World): Promise<Site> {
  const vpc = await makeVpc(world);
  const subnet = await makeSubnet(world, vpc);
  const igw = await makeGateway(world, vpc);
  const table = await makeRouteTable(world, vpc);
  await world.run('AssociateRouteTable', { RouteTableId: table, SubnetId: subnet });
  await world.run('CreateRoute', { RouteTableId: table, DestinationCidrBlock: '0.0.0.0/0', GatewayId: igw });
  const group = await makeGroup(world, vpc);
  const IpPermissions = [{ IpProtocol: 'tcp', FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: '0.0.0.0/0' }] }];
  await world.run('AuthorizeSecurityGroupIngress', { GroupId: group, IpPermissions });
  const groupIds = [group as `sg-${string}`];
  const web = putInterface(world, vpc, subnet, '10.0.0.10', {
    groupIds,
    autoPublicIp: '198.19.0.7',
    instance: 'running',
  });
  return { vpc, igw, table, group, web };
}

async function makePath(world: World, input: object): Promise<string> {
  const made = await world.run<{ NetworkInsightsPath: NetworkInsightsPath }>('CreateNetworkInsightsPath', {
    Protocol: 'tcp',
    ...input,
  });
  return made.NetworkInsightsPath.NetworkInsightsPathId ?? '';
}

async function analyse(world: World, path: string, more: object = {}): Promise<NetworkInsightsAnalysis> {
  const started = await world.run<{ NetworkInsightsAnalysis: NetworkInsightsAnalysis }>(
    'StartNetworkInsightsAnalysis',
    {
      NetworkInsightsPathId: path,
      ...more,
    },
  );
  assert.equal(started.NetworkInsightsAnalysis.Status, 'running');
  const ids = [started.NetworkInsightsAnalysis.NetworkInsightsAnalysisId];
  const { NetworkInsightsAnalyses: found } = await world.run<{ NetworkInsightsAnalyses: NetworkInsightsAnalysis[] }>(
    'DescribeNetworkInsightsAnalyses',
    { NetworkInsightsAnalysisIds: ids },
  );
  assert.ok(found[0]);
  return found[0];
}

const codesOf = (analysis: NetworkInsightsAnalysis) =>
  (analysis.Explanations ?? []).map((each) => each.ExplanationCode);
const idsOf = (components: NetworkInsightsAnalysis['ForwardPathComponents']) =>
  (components ?? []).map((each) => each.Component?.Id);

test('a path that works shows each component of both ways, and headers where they change', async () => {
  const world = makeWorld();
  const { igw, table, group, web } = await makeSite(world);
  const path = await makePath(world, { Source: igw, Destination: web.instanceId, DestinationPort: 22 });
  const analysis = await analyse(world, path);
  assert.equal(analysis.Status, 'succeeded');
  assert.equal(analysis.NetworkPathFound, true);
  assert.equal(analysis.Explanations, undefined);
  const there = analysis.ForwardPathComponents ?? [];
  const acl = there[1]?.Component?.Id;
  assert.match(acl ?? '', /^acl-/);
  assert.deepEqual(idsOf(there), [igw, acl, group, web.networkInterfaceId, web.instanceId]);
  const back = analysis.ReturnPathComponents ?? [];
  assert.deepEqual(idsOf(back), [web.instanceId, web.networkInterfaceId, group, acl, table, igw]);
  assert.deepEqual(there[0]?.InboundHeader?.DestinationAddresses, ['198.19.0.7/32']);
  assert.deepEqual(there[0]?.InboundHeader?.DestinationPortRanges, [{ From: 22, To: 22 }]);
  assert.deepEqual(there[0]?.OutboundHeader, { DestinationAddresses: ['10.0.0.10/32'] });
  // Public addresses only, as blocks: 10.0.0.0/8 is left out.
  assert.ok(there[0]?.InboundHeader?.SourceAddresses?.includes('11.0.0.0/8'));
  assert.deepEqual(there[2]?.SecurityGroupRule, {
    Cidr: '0.0.0.0/0',
    Direction: 'ingress',
    PortRange: { From: 22, To: 22 },
    Protocol: 'tcp',
  });
  assert.equal(there[3]?.AttachedTo?.Id, web.instanceId);
  assert.deepEqual(back[4]?.RouteTableRoute, {
    DestinationCidr: '0.0.0.0/0',
    GatewayId: igw,
    Origin: 'createroute',
    State: 'active',
  });
  assert.deepEqual(back[5]?.OutboundHeader?.SourceAddresses, ['198.19.0.7/32']);
});

test('every obstacle is told, in the shape that real analyses have', async () => {
  const world = makeWorld();
  const { vpc, igw, table, group, web } = await makeSite(world);
  await world.run('DeleteRoute', { RouteTableId: table, DestinationCidrBlock: '0.0.0.0/0' });
  const path = await makePath(world, { Source: igw, Destination: web.instanceId, DestinationPort: 80 });
  const analysis = await analyse(world, path);
  assert.equal(analysis.NetworkPathFound, false);
  assert.equal(analysis.ForwardPathComponents, undefined);
  const at = 'arn:aws:ec2:us-east-1:123456789012:';
  const [route, rule] = analysis.Explanations ?? [];
  assert.deepEqual(route, {
    ExplanationCode: 'NO_ROUTE_TO_DESTINATION',
    Destination: { Id: igw, Arn: `${at}internet-gateway/${igw}` },
    RouteTable: { Id: table, Arn: `${at}route-table/${table}` },
    Vpc: { Id: vpc, Arn: `${at}vpc/${vpc}` },
  });
  assert.equal(rule?.ExplanationCode, 'ENI_SG_RULES_MISMATCH');
  assert.equal(rule?.Direction, 'ingress');
  assert.equal(rule?.NetworkInterface?.Id, web.networkInterfaceId);
  assert.deepEqual(
    rule?.SecurityGroups?.map((each) => each.Id),
    [group],
  );
});

test('an analysis is of the network as it was when it began', async () => {
  const world = makeWorld();
  const { igw, table, web } = await makeSite(world);
  const path = await makePath(world, { Source: igw, Destination: web.networkInterfaceId });
  const before = await analyse(world, path);
  await world.run('DeleteRoute', { RouteTableId: table, DestinationCidrBlock: '0.0.0.0/0' });
  const after = await analyse(world, path);
  const input = { NetworkInsightsPathId: path };
  const { NetworkInsightsAnalyses: both } = await world.run<{ NetworkInsightsAnalyses: NetworkInsightsAnalysis[] }>(
    'DescribeNetworkInsightsAnalyses',
    input,
  );
  assert.deepEqual(both, [before, after]);
  assert.deepEqual([before.NetworkPathFound, after.NetworkPathFound], [true, false]);
  const found = { ...input, Filters: [{ Name: 'path-found', Values: ['true'] }] };
  const { NetworkInsightsAnalyses: one } = await world.run<{ NetworkInsightsAnalyses: object[] }>(
    'DescribeNetworkInsightsAnalyses',
    found,
  );
  assert.deepEqual(one, [before]);
});

test('an end that is gone, stopped or detached is told as such', async () => {
  const world = makeWorld();
  const { vpc, igw, web } = await makeSite(world);
  const path = await makePath(world, { Source: web.instanceId, Destination: igw });
  assert.equal((await analyse(world, path)).NetworkPathFound, true);
  const change = (state: 'stopped' | 'terminated') =>
    world.store.transact((tx) => {
      const row = tx.get('instance', web.instanceId);
      if (row) tx.put('instance', { ...row, state });
    }).durable;
  await change('stopped');
  const stopped = await analyse(world, path);
  assert.deepEqual(codesOf(stopped), ['BAD_STATE']);
  assert.equal(stopped.Explanations?.[0]?.State, 'stopped');
  await change('terminated');
  assert.deepEqual(codesOf(await analyse(world, path)), ['UNASSOCIATED_COMPONENT']);
  await world.store.transact((tx) => tx.delete('network-interface', web.networkInterfaceId)).durable;
  await world.run('DetachInternetGateway', { InternetGatewayId: igw, VpcId: vpc });
  assert.deepEqual(codesOf(await analyse(world, path)), ['UNASSOCIATED_COMPONENT', 'UNASSOCIATED_COMPONENT']);
  await world.run('DeleteInternetGateway', { InternetGatewayId: igw });
  assert.deepEqual(codesOf(await analyse(world, path)), ['UNASSOCIATED_COMPONENT', 'NO_SOURCE_OR_DESTINATION']);
});

const other = '210987654321';

/** The default account manages an organization that the other account belongs to. */
async function makeOrganization(world: World): Promise<void> {
  const where = { accountId: testAccountId, region: 'global', organizationId: 'o-1' };
  await world.store.transact((tx) => {
    const policies = { policyIds: [], tags: {} };
    tx.put('organization', {
      ...where,
      id: 'o-1',
      featureSet: 'ALL',
      rootId: 'r-1',
      enabledPolicyTypes: [],
      serviceAccess: {},
    });
    for (const id of [testAccountId, other])
      tx.put('organization-member', {
        ...where,
        ...policies,
        id,
        parentId: 'r-1',
        name: id,
        email: id,
        joinedMethod: 'CREATED',
        joinedAt: '',
      });
  }).durable;
}

test('what is in another account is looked at only from the management account of its organization, and when it is named', async () => {
  const world = makeWorld();
  const { vpc, table, web } = await makeSite(world);
  const their = { accountId: other };
  const { Vpc } = await world.run<{ Vpc: { VpcId: `vpc-${string}` } }>(
    'CreateVpc',
    { CidrBlock: '10.1.0.0/16' },
    their,
  );
  const peering = await world.run<{ VpcPeeringConnection: { VpcPeeringConnectionId: string } }>(
    'CreateVpcPeeringConnection',
    { VpcId: vpc, PeerVpcId: Vpc.VpcId, PeerOwnerId: other },
  );
  const { VpcPeeringConnectionId } = peering.VpcPeeringConnection;
  await world.run('AcceptVpcPeeringConnection', { VpcPeeringConnectionId }, their);
  const route = { RouteTableId: table, DestinationCidrBlock: '10.1.0.0/16', VpcPeeringConnectionId };
  await world.run('CreateRoute', route);
  const toPeering = await makePath(world, { Source: web.instanceId, Destination: VpcPeeringConnectionId });
  assert.equal((await analyse(world, toPeering)).NetworkPathFound, true);
  const FilterAtSource = { DestinationAddress: '10.1.0.9' };
  const beyond = await makePath(world, { Source: web.instanceId, FilterAtSource });
  const unseen = await analyse(world, beyond, { AdditionalAccounts: [other] });
  assert.deepEqual(codesOf(unseen), ['UNKNOWN_DESTINATION']);
  assert.equal(unseen.Explanations?.[0]?.ComponentAccount, other);
  assert.deepEqual(unseen.SuggestedAccounts, [other]);
  const gone = { Source: `arn:aws:ec2:us-east-1:${other}:instance/i-0123456789abcdef0`, Destination: web.instanceId };
  const byArn = await makePath(world, gone);
  assert.deepEqual(codesOf(await analyse(world, byArn)), ['UNKNOWN_RESOURCE']);
  const enable = (as?: object) => world.run('EnableReachabilityAnalyzerOrganizationSharing', {}, as);
  await assert.rejects(enable(), awsError('OperationNotPermitted'));
  await makeOrganization(world);
  await assert.rejects(enable(their), awsError('OperationNotPermitted'));
  assert.deepEqual(await enable(), { ReturnValue: true });
  assert.deepEqual(codesOf(await analyse(world, beyond)), ['UNKNOWN_DESTINATION']);
  const seen = await analyse(world, beyond, { AdditionalAccounts: [other] });
  assert.deepEqual(codesOf(seen), ['NO_POSSIBLE_DESTINATION']);
  assert.equal(seen.SuggestedAccounts, undefined);
  assert.deepEqual(codesOf(await analyse(world, byArn)), ['NO_SOURCE_OR_DESTINATION']);
});

test('a path is made once per token, shown as it was asked for, found by its filters, and goes after its analyses', async () => {
  const world = makeWorld();
  const { igw, web } = await makeSite(world);
  const input = {
    Source: `arn:aws:ec2:us-east-1:123456789012:internet-gateway/${igw}`,
    Destination: web.instanceId,
    FilterAtSource: { DestinationPortRange: { FromPort: 22, ToPort: 22 } },
    FilterAtDestination: { DestinationAddress: '10.0.0.10' },
    TagSpecifications: [{ ResourceType: 'network-insights-path', Tags: [{ Key: 'Name', Value: 'ssh' }] }],
    ClientToken: 'once',
  };
  const path = await makePath(world, input);
  assert.equal(await makePath(world, input), path);
  await assert.rejects(makePath(world, { ...input, Protocol: 'udp' }), awsError('IdempotentParameterMismatch'));
  const describe = async (more: object) =>
    (await world.run<{ NetworkInsightsPaths: NetworkInsightsPath[] }>('DescribeNetworkInsightsPaths', more))
      .NetworkInsightsPaths;
  const [shown] = await describe({ NetworkInsightsPathIds: [path] });
  assert.equal(shown?.Source, igw);
  assert.equal(shown?.SourceArn, input.Source);
  assert.deepEqual(shown?.FilterAtSource, input.FilterAtSource);
  assert.deepEqual(shown?.FilterAtDestination, input.FilterAtDestination);
  assert.deepEqual(shown?.Tags, [{ Key: 'Name', Value: 'ssh' }]);
  const by = (Name: string, value: string) => describe({ Filters: [{ Name, Values: [value] }] });
  assert.equal((await by('source', igw)).length, 1);
  assert.equal((await by('filter-at-source.destination-port-range', '22')).length, 1);
  assert.equal((await by('filter-at-destination.destination-address', '10.0.0.11')).length, 0);
  await assert.rejects(by('nope', 'x'), awsError('InvalidParameterValue'));
  const analysis = await analyse(world, path);
  assert.equal(analysis.NetworkPathFound, true);
  const remove = () => world.run('DeleteNetworkInsightsPath', { NetworkInsightsPathId: path });
  await assert.rejects(remove(), awsError('AnalysisExistsForNetworkInsightsPath'));
  const gone = { NetworkInsightsAnalysisId: analysis.NetworkInsightsAnalysisId };
  assert.deepEqual(await world.run('DeleteNetworkInsightsAnalysis', gone), gone);
  await assert.rejects(
    world.run('DeleteNetworkInsightsAnalysis', gone),
    awsError('InvalidNetworkInsightsAnalysisId.NotFound'),
  );
  assert.deepEqual(await remove(), { NetworkInsightsPathId: path });
  await assert.rejects(remove(), awsError('InvalidNetworkInsightsPathId.NotFound'));
});

test('what no path can be made of is refused', async () => {
  const world = makeWorld();
  const { igw, web } = await makeSite(world);
  const refused = (input: object, code: string, message?: string) =>
    assert.rejects(makePath(world, input), message === undefined ? awsError(code) : awsError(code, message));
  await refused({}, 'MissingParameter');
  await refused(
    { Source: igw },
    'MissingParameter',
    'The request must include either the Destination parameter or the FilterAtSource.DestinationAddress parameter. Add the required parameter and retry the request.',
  );
  const both = { Source: web.instanceId, Destination: igw };
  await refused({ ...both, Source: 'i-0123456789abcdef0' }, 'NetworkInsightsSource.NotFound');
  await refused({ ...both, Destination: 'igw-0123456789abcdef0' }, 'NetworkInsightsDestination.NotFound');
  await refused({ ...both, Source: 'tgw-0123456789abcdef0' }, 'NetworkInsightsSource.NotFound');
  await refused({ ...both, Source: 'subnet-0123456789abcdef0' }, 'InvalidParameterValue');
  await refused({ ...both, Protocol: 'icmp' }, 'InvalidParameterValue');
  await refused({ ...both, DestinationPort: 65_536 }, 'InvalidParameterValue');
  await refused({ ...both, SourceIp: '10.0.0.300' }, 'InvalidParameterValue');
  await refused({ ...both, DestinationPort: 1, FilterAtSource: {} }, 'InvalidParameterCombination');
  await refused({ ...both, SourceIp: '10.0.0.10', FilterAtSource: {} }, 'InvalidParameterCombination');
  await refused({ ...both, DestinationIp: '1.1.1.1', FilterAtDestination: {} }, 'InvalidParameterCombination');
  const ports = { SourcePortRange: { FromPort: 9, ToPort: 8 } };
  await refused({ ...both, FilterAtSource: ports }, 'InvalidParameterValue');
});

test('a component that must be passed and does not exist is told with the ARN that it was named by', async () => {
  const world = makeWorld();
  const { igw, web } = await makeSite(world);
  const path = await makePath(world, { Source: web.instanceId, Destination: igw });
  const Arn = 'arn:aws:ec2:us-east-1:123456789012:natgateway/nat-0123456789abcdef0';
  const { NetworkPathFound, Explanations, FilterInArns } = await analyse(world, path, { FilterInArns: [Arn] });
  assert.equal(NetworkPathFound, false);
  assert.deepEqual(FilterInArns, [Arn]);
  assert.deepEqual(Explanations?.[0], {
    ExplanationCode: 'COMPONENT_FILTER_RESTRICTION',
    Component: { Id: 'nat-0123456789abcdef0', Arn },
  });
  assert.equal(Explanations?.[1]?.ExplanationCode, 'NO_ROUTE_TO_DESTINATION');
  const without = await analyse(world, path, {
    FilterOutArns: [`arn:aws:ec2:us-east-1:123456789012:internet-gateway/${igw}`],
  });
  assert.deepEqual(codesOf(without), ['COMPONENT_FILTER_RESTRICTION_REMOVED_COMPONENT']);
  for (const more of [{ FilterInArns: ['nat-1'] }, { AdditionalAccounts: ['12'] }])
    await assert.rejects(analyse(world, path, more), awsError('InvalidParameterValue'));
});

test('an analysis looks with the eyes of its caller, and fails where they may not look', async () => {
  const world = makeWorld();
  const { igw, web } = await makeSite(world);
  const NetworkInsightsPathId = await makePath(world, { Source: igw, Destination: web.instanceId });
  const start = (overrides: object) => world.run('StartNetworkInsightsAnalysis', { NetworkInsightsPathId }, overrides);
  const denied = new Error('denied');
  const require = (_tx: unknown, action: string) => {
    if (action === 'tiros:CreateQuery') throw denied;
  };
  await assert.rejects(start({ require }), denied);
  await start({ allows: (_tx: unknown, action: string) => action !== 'ec2:DescribeSubnets' });
  const { NetworkInsightsAnalyses: all } = await world.run<{ NetworkInsightsAnalyses: NetworkInsightsAnalysis[] }>(
    'DescribeNetworkInsightsAnalyses',
    { NetworkInsightsPathId },
  );
  assert.equal(all.length, 1);
  assert.equal(all[0]?.Status, 'failed');
  assert.match(all[0]?.StatusMessage ?? '', /ec2:DescribeSubnets/);
  assert.equal(all[0]?.NetworkPathFound, undefined);
});

test('an analysis is forgotten after 120 days', async () => {
  const world = makeWorld();
  const { igw, web } = await makeSite(world);
  const path = await makePath(world, { Source: igw, Destination: web.instanceId });
  const { NetworkInsightsAnalysisId, StartDate } = await analyse(world, path);
  const now = new Date((StartDate?.getTime() ?? 0) + 120 * 86_400_000);
  const answer = await world.run('DescribeNetworkInsightsAnalyses', { NetworkInsightsPathId: path }, { now });
  assert.deepEqual(answer, { NetworkInsightsAnalyses: [] });
  await world.run('StartNetworkInsightsAnalysis', { NetworkInsightsPathId: path }, { now });
  assert.equal(
    world.store.read((tx) => tx.get('network-insights-analysis', NetworkInsightsAnalysisId ?? '')),
    undefined,
  );
});
