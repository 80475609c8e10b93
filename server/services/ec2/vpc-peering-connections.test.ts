import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DescribeVpcPeeringConnectionsResult, VpcPeeringConnection } from '@aws-sdk/client-ec2';
import type { VpcId } from '@postern/network/snapshot.ts';
import { buildSnapshot } from '../../control/snapshot.ts';
import type { BaseCall } from '../../service.ts';
import { awsError, testNow } from '../../testing.ts';
import { makeWorld, type World } from './testing.ts';

const stranger: Partial<BaseCall> = { accountId: '210987654321' };
const europe: Partial<BaseCall> = { region: 'eu-west-1' };
const missing = 'pcx-00000000000000000';
const hourMs = 3_600_000;
const after = (hours: number): Partial<BaseCall> => ({ now: new Date(testNow.getTime() + hours * hourMs) });
const strict: Partial<BaseCall> = {
  settings: { auth: 'strict', strictImages: false, quotas: 'aws', dataDirectory: '/nonexistent' },
};

async function vpc(world: World, CidrBlock: string, at: Partial<BaseCall> = {}): Promise<VpcId> {
  return (await world.run<{ Vpc: { VpcId: VpcId } }>('CreateVpc', { CidrBlock }, at)).Vpc.VpcId;
}

async function request(world: World, input: object, at: Partial<BaseCall> = {}): Promise<VpcPeeringConnection> {
  const made = await world.run<{ VpcPeeringConnection: VpcPeeringConnection }>('CreateVpcPeeringConnection', input, at);
  return made.VpcPeeringConnection;
}

async function shown(world: World, input: object = {}, at: Partial<BaseCall> = {}): Promise<VpcPeeringConnection[]> {
  const answer = await world.run<DescribeVpcPeeringConnectionsResult>('DescribeVpcPeeringConnections', input, at);
  return answer.VpcPeeringConnections ?? [];
}

const codes = async (world: World, at: Partial<BaseCall> = {}) =>
  (await shown(world, {}, at)).map((one) => one.Status?.Code);

/** Two VPCs, the second one at `at`, and a request from the first. */
async function pair(world: World, at: Partial<BaseCall> = {}) {
  const [VpcId, PeerVpcId] = [await vpc(world, '10.20.0.0/16'), await vpc(world, '10.21.0.0/16', at)];
  const peer = { ...(at.accountId && { PeerOwnerId: at.accountId }), ...(at.region && { PeerRegion: at.region }) };
  const { VpcPeeringConnectionId: id = '' } = await request(world, { VpcId, PeerVpcId, ...peer });
  const act = (operation: string, call: Partial<BaseCall> = at) =>
    world.run(`${operation}VpcPeeringConnection`, { VpcPeeringConnectionId: id }, call);
  return { VpcId, PeerVpcId, id, act };
}

test('[P1] a request is initiated, waits, is provisioned and becomes active; each side is shown what AWS shows', async () => {
  const world = makeWorld();
  const [VpcId, PeerVpcId] = [await vpc(world, '10.0.0.0/16'), await vpc(world, '10.1.0.0/16', stranger)];
  const made = await request(world, { VpcId, PeerVpcId, PeerOwnerId: stranger.accountId });
  assert.deepEqual(made.Status, { Code: 'initiating-request', Message: 'Initiating Request to 210987654321' });
  const [own] = await shown(world);
  const expected = {
    VpcPeeringConnectionId: made.VpcPeeringConnectionId,
    RequesterVpcInfo: {
      CidrBlock: '10.0.0.0/16',
      CidrBlockSet: [{ CidrBlock: '10.0.0.0/16' }],
      OwnerId: '123456789012',
      VpcId,
      Region: 'us-east-1',
      PeeringOptions: {
        AllowDnsResolutionFromRemoteVpc: false,
        AllowEgressFromLocalClassicLinkToRemoteVpc: false,
        AllowEgressFromLocalVpcToRemoteClassicLink: false,
      },
    },
    AccepterVpcInfo: { OwnerId: '210987654321', VpcId: PeerVpcId, Region: 'us-east-1' },
    Status: { Code: 'pending-acceptance', Message: 'Pending Acceptance by 210987654321' },
    ExpirationTime: new Date(testNow.getTime() + 168 * hourMs),
    Tags: [],
  };
  assert.deepEqual(own, expected);
  assert.deepEqual(await shown(world, {}, stranger), [expected]);
  assert.deepEqual(await shown(world, {}, europe), []);
  const id = { VpcPeeringConnectionId: made.VpcPeeringConnectionId };
  const accepted = await world.run<{ VpcPeeringConnection: VpcPeeringConnection }>(
    ...(['AcceptVpcPeeringConnection', id, stranger] as const),
  );
  assert.deepEqual(accepted.VpcPeeringConnection.Status, { Code: 'provisioning', Message: 'Provisioning' });
  const [active] = await shown(world);
  assert.deepEqual(active?.Status, { Code: 'active', Message: 'Active' });
  assert.equal(active?.ExpirationTime, undefined);
  assert.equal(active?.AccepterVpcInfo?.CidrBlock, '10.1.0.0/16');
});

test('[P2] only the accepter answers, in its own region, and only while the request waits', async () => {
  const world = makeWorld();
  const abroad = await pair(world, europe);
  await assert.rejects(
    abroad.act('Accept', {}),
    awsError(
      'OperationNotPermitted',
      `Incorrect region (us-east-1) specified for this request. VPC peering connection ${abroad.id} must be accepted in region eu-west-1`,
    ),
  );
  await assert.rejects(abroad.act('Reject', {}), awsError('OperationNotPermitted', /must be rejected in region/));
  const { id, act } = await pair(world, stranger);
  await assert.rejects(
    act('Accept', {}),
    awsError('OperationNotPermitted', `User 123456789012 cannot accept peering ${id}`),
  );
  await assert.rejects(act('Delete', stranger), awsError('OperationNotPermitted'));
  await act('Accept');
  const transition = (from: string, to: string) =>
    awsError(
      'InvalidStateTransition',
      `Invalid state transition for ${id}, attempted to transition from ${from} to ${to}`,
    );
  await assert.rejects(act('Accept'), transition('active', 'provisioning'));
  await assert.rejects(act('Reject'), transition('active', 'rejected'));
  await act('Delete');
  for (const name of ['Accept', 'Reject', 'Delete'] as const)
    await assert.rejects(act(name), awsError('InvalidStateTransition', /from deleted/));
  assert.equal((await shown(world, { VpcPeeringConnectionIds: [id] }))[0]?.Status?.Message, 'Deleted by 210987654321');
});

test('[P1] a request expires after seven days, and what has ended disappears side by side', async () => {
  const world = makeWorld();
  const { act } = await pair(world, stranger);
  const seen = async (hours: number) => [
    ...(await codes(world, after(hours))),
    ...(await codes(world, { ...stranger, ...after(hours) })),
  ];
  assert.deepEqual(await seen(167), ['pending-acceptance', 'pending-acceptance']);
  assert.deepEqual(await seen(168), ['expired', 'expired']);
  await assert.rejects(
    act('Accept', { ...stranger, ...after(168) }),
    awsError('InvalidStateTransition', /from expired/),
  );
  await assert.rejects(act('Delete', after(168)), awsError('InvalidStateTransition'));
  assert.deepEqual(await seen(168 + 47), ['expired', 'expired']);
  assert.deepEqual(await seen(168 + 48), []);
  await act('Reject');
  assert.deepEqual(await seen(1), ['rejected', 'rejected']);
  assert.deepEqual(await seen(3), ['rejected']);
  assert.deepEqual(await codes(world, { ...stranger, ...after(3) }), []);
  assert.deepEqual(await seen(48), []);
  const second = await pair(world, stranger);
  await second.act('Accept');
  await second.act('Delete', {});
  assert.deepEqual(await codes(world, after(3)), ['rejected']);
  assert.deepEqual(await codes(world, { ...stranger, ...after(3) }), ['deleted']);
  await assert.rejects(
    world.run('DescribeVpcPeeringConnections', { VpcPeeringConnectionIds: [second.id] }, after(3)),
    awsError('InvalidVpcPeeringConnectionID.NotFound', `The vpcPeeringConnection ID '${second.id}' does not exist`),
  );
  // Dropped for good by the next request.
  const later = await vpc(world, '10.7.0.0/16', after(200));
  await request(world, { VpcId: later, PeerVpcId: await vpc(world, '10.8.0.0/16') }, after(200));
  assert.equal(
    world.store.read((tx) => tx.list('vpc-peering-connection').length),
    1,
  );
});

test('[P3] overlapping blocks, an unknown VPC, owner or region fail; a VPC is not its own peer; one peering per pair', async () => {
  const world = makeWorld();
  const [VpcId, same, abroad] = [
    await vpc(world, '10.0.0.0/16'),
    await vpc(world, '10.0.128.0/20'),
    await vpc(world, '10.1.0.0/16', europe),
  ];
  for (const input of [
    { VpcId, PeerVpcId: same },
    { VpcId, PeerVpcId: 'vpc-00000000000000000' },
    { VpcId, PeerVpcId: abroad },
    { VpcId, PeerVpcId: abroad, PeerRegion: 'eu-west-1', PeerOwnerId: '210987654321' },
  ])
    assert.equal((await request(world, input)).Status?.Code, 'initiating-request');
  const failed = await shown(world);
  assert.deepEqual(new Set(failed.map((one) => one.Status?.Code)), new Set(['failed']));
  assert.match(failed[0]?.Status?.Message ?? '', /overlapping CIDR range/);
  assert.deepEqual(await codes(world, after(2)), []);
  await assert.rejects(
    world.run('DeleteVpcPeeringConnection', { VpcPeeringConnectionId: failed[0]?.VpcPeeringConnectionId }),
    awsError('InvalidStateTransition', /from failed to deleting/),
  );
  await assert.rejects(request(world, { VpcId, PeerVpcId: VpcId }), awsError('InvalidParameterValue'));
  const good = { VpcId, PeerVpcId: abroad, PeerRegion: 'eu-west-1' };
  const { VpcPeeringConnectionId } = await request(world, good);
  const again = awsError('VpcPeeringConnectionAlreadyExists');
  await assert.rejects(request(world, good), again);
  const back = { VpcId: abroad, PeerVpcId: VpcId, PeerRegion: 'us-east-1' };
  await assert.rejects(request(world, back, europe), again);
  await world.run('DeleteVpcPeeringConnection', { VpcPeeringConnectionId });
  assert.ok(await request(world, back, europe));
});

test('[C13] blocks that are added: none to the requester while it waits, none that overlaps an active peer', async () => {
  const world = makeWorld();
  const { VpcId, PeerVpcId, id, act } = await pair(world);
  const add = (to: string, CidrBlock: string) => world.run('AssociateVpcCidrBlock', { VpcId: to, CidrBlock });
  await assert.rejects(add(VpcId, '10.30.0.0/16'), awsError('OperationNotPermitted', /pending acceptance/));
  const ipv6 = { VpcId, AmazonProvidedIpv6CidrBlock: true };
  await assert.rejects(world.run('AssociateVpcCidrBlock', ipv6), awsError('OperationNotPermitted'));
  await add(PeerVpcId, '10.30.0.0/16');
  await act('Accept');
  await assert.rejects(add(VpcId, '10.30.0.0/20'), awsError('InvalidVpc.Conflict', new RegExp(id)));
  await assert.rejects(add(PeerVpcId, '10.20.0.0/20'), awsError('InvalidVpc.Conflict'));
  await add(VpcId, '10.31.0.0/16');
  // Overlap that came about while the request waited: acceptance fails.
  const second = makeWorld();
  const late = await pair(second);
  await second.run('AssociateVpcCidrBlock', { VpcId: late.PeerVpcId, CidrBlock: '10.20.0.0/20' });
  const answer = (await late.act('Accept')) as { VpcPeeringConnection: VpcPeeringConnection };
  assert.equal(answer.VpcPeeringConnection.Status?.Code, 'failed');
  assert.deepEqual(await codes(second), ['failed']);
});

test('[P10] [P11] a route over a waiting peering is a blackhole, an active one carries, and a deleted one leaves a blackhole', async () => {
  const world = makeWorld();
  const { VpcId, PeerVpcId, id, act } = await pair(world);
  const Filters = [{ Name: 'vpc-id', Values: [VpcId] }];
  const described = () =>
    world.run<{
      RouteTables: { RouteTableId: string; Routes: { State: string; VpcPeeringConnectionId?: string }[] }[];
    }>(...(['DescribeRouteTables', { Filters }] as const));
  const [{ RouteTableId = '' } = {}] = (await described()).RouteTables;
  const route = { RouteTableId, DestinationCidrBlock: '10.21.0.0/16', VpcPeeringConnectionId: id };
  const routeState = async () =>
    (await described()).RouteTables[0]?.Routes.find((one) => one.VpcPeeringConnectionId === id)?.State;
  await world.run('CreateRoute', route);
  assert.equal(await routeState(), 'blackhole');
  const carried = () => world.store.read((tx) => buildSnapshot(tx, 1));
  assert.deepEqual(carried().peeringConnections, []);
  await act('Accept');
  assert.equal(await routeState(), 'active');
  assert.deepEqual(carried().peeringConnections, [
    {
      vpcPeeringConnectionId: id,
      requester: { vpcId: VpcId, allowDnsResolutionFromRemoteVpc: false },
      accepter: { vpcId: PeerVpcId, allowDnsResolutionFromRemoteVpc: false },
    },
  ]);
  const byPeering = { Filters: [{ Name: 'route.vpc-peering-connection-id', Values: [id] }] };
  assert.equal((await world.run<{ RouteTables: object[] }>('DescribeRouteTables', byPeering)).RouteTables.length, 1);
  await world.run('ReplaceRoute', route);
  const ipv6 = { RouteTableId, DestinationIpv6CidrBlock: '2001:db8::/56', VpcPeeringConnectionId: id };
  await world.run('CreateRoute', ipv6);
  await world.run('DeleteRoute', ipv6);
  await act('Delete');
  assert.equal(await routeState(), 'blackhole');
  assert.deepEqual(carried().peeringConnections, []);
  const states = carried()
    .vpcs.find((each) => each.vpcId === VpcId)
    ?.routeTables[0]?.routes.map((each) => each.state);
  assert.deepEqual(states, ['active', 'blackhole']);
  await assert.rejects(
    world.run('CreateRoute', { ...route, DestinationCidrBlock: '10.9.0.0/16' }),
    awsError('InvalidVpcPeeringConnectionID.NotFound'),
  );
  const third = await pair(makeWorld());
  await assert.rejects(
    world.run('CreateRoute', { ...route, VpcPeeringConnectionId: third.id }),
    awsError('InvalidVpcPeeringConnectionID.NotFound'),
  );
  const elsewhere = await vpc(world, '10.3.0.0/16');
  const last = await request(world, { VpcId: elsewhere, PeerVpcId });
  await assert.rejects(
    world.run('CreateRoute', { ...route, VpcPeeringConnectionId: last.VpcPeeringConnectionId }),
    awsError(
      'InvalidParameterValue',
      `route table ${RouteTableId} and network gateway ${last.VpcPeeringConnectionId} belong to different networks`,
    ),
  );
});

test('[P8] each owner sets the DNS option of its side, on an active peering of VPCs with DNS host names', async () => {
  const world = makeWorld();
  const { VpcId, PeerVpcId, id, act } = await pair(world, stranger);
  const allow = { AllowDnsResolutionFromRemoteVpc: true };
  const modify = (input: object, at: Partial<BaseCall> = {}) =>
    world.run('ModifyVpcPeeringConnectionOptions', { VpcPeeringConnectionId: id, ...input }, at);
  await assert.rejects(
    modify({ RequesterPeeringConnectionOptions: allow }),
    awsError(
      'OperationNotPermitted',
      `Peering ${id} is not active. Peering options can be added only to active peerings.`,
    ),
  );
  await act('Accept');
  await assert.rejects(
    modify({ RequesterPeeringConnectionOptions: allow }),
    awsError('InvalidVpcPeeringConnectionState.DnsHostnamesDisabled'),
  );
  await world.run('ModifyVpcAttribute', { VpcId, EnableDnsHostnames: { Value: true } });
  await world.run('ModifyVpcAttribute', { VpcId: PeerVpcId, EnableDnsHostnames: { Value: true } }, stranger);
  await assert.rejects(
    modify({ AccepterPeeringConnectionOptions: allow }),
    awsError(
      'OperationNotPermitted',
      'User 123456789012 does not have permission to modify the accepter side peering options',
    ),
  );
  await assert.rejects(modify({}), awsError('MissingParameter'));
  await assert.rejects(
    modify({ RequesterPeeringConnectionOptions: { AllowEgressFromLocalClassicLinkToRemoteVpc: true } }),
    awsError('UnsupportedOperation'),
  );
  const changed = await modify({ RequesterPeeringConnectionOptions: allow });
  assert.deepEqual(Object.keys(changed), ['RequesterPeeringConnectionOptions']);
  const [one] = await shown(world, {}, stranger);
  assert.equal(one?.RequesterVpcInfo?.PeeringOptions?.AllowDnsResolutionFromRemoteVpc, true);
  assert.equal(one?.AccepterVpcInfo?.PeeringOptions?.AllowDnsResolutionFromRemoteVpc, false);
});

test('tags belong to each side; filters, pages, DryRun and bad ids are as everywhere', async () => {
  const world = makeWorld();
  const [VpcId, PeerVpcId] = [await vpc(world, '10.0.0.0/16'), await vpc(world, '10.1.0.0/16', stranger)];
  const TagSpecifications = [{ ResourceType: 'vpc-peering-connection', Tags: [{ Key: 'side', Value: 'ours' }] }];
  const input = { VpcId, PeerVpcId, PeerOwnerId: stranger.accountId };
  await assert.rejects(request(world, { ...input, DryRun: true }), awsError('DryRunOperation'));
  assert.deepEqual(await shown(world), []);
  const { VpcPeeringConnectionId: id = '' } = await request(world, { ...input, TagSpecifications });
  await world.run('CreateTags', { Resources: [id], Tags: [{ Key: 'side', Value: 'theirs' }] }, stranger);
  assert.deepEqual((await shown(world))[0]?.Tags, [{ Key: 'side', Value: 'ours' }]);
  assert.deepEqual((await shown(world, {}, stranger))[0]?.Tags, [{ Key: 'side', Value: 'theirs' }]);
  const described = await world.run<{ Tags: object[] }>('DescribeTags', {}, stranger);
  assert.deepEqual(described.Tags, [
    { ResourceId: id, ResourceType: 'vpc-peering-connection', Key: 'side', Value: 'theirs' },
  ]);
  const filtered = async (Name: string, value: string, at: Partial<BaseCall> = {}) =>
    (await shown(world, { Filters: [{ Name, Values: [value] }] }, at)).length;
  assert.equal(await filtered('tag:side', 'theirs'), 0);
  assert.equal(await filtered('tag:side', 'theirs', stranger), 1);
  assert.equal(await filtered('status-code', 'pending-*'), 1);
  assert.equal(await filtered('status-code', 'active'), 0);
  assert.equal(await filtered('requester-vpc-info.cidr-block', '10.0.0.0/16', stranger), 1);
  assert.equal(await filtered('accepter-vpc-info.owner-id', '210987654321'), 1);
  assert.equal(await filtered('requester-vpc-info.vpc-id', PeerVpcId), 0);
  await assert.rejects(filtered('vpc-id', VpcId), awsError('InvalidParameterValue', "The filter 'vpc-id' is invalid"));
  for (let index = 0; index < 6; index += 1)
    await request(world, { VpcId, PeerVpcId: await vpc(world, `10.${20 + index}.0.0/16`) });
  const first = await world.run<DescribeVpcPeeringConnectionsResult>('DescribeVpcPeeringConnections', {
    MaxResults: 5,
  });
  assert.equal(first.VpcPeeringConnections?.length, 5);
  assert.equal((await shown(world, { MaxResults: 5, NextToken: first.NextToken })).length, 2);
  const notFound = awsError('InvalidVpcPeeringConnectionID.NotFound');
  for (const name of ['Accept', 'Reject', 'Delete'])
    await assert.rejects(world.run(`${name}VpcPeeringConnection`, { VpcPeeringConnectionId: missing }), notFound);
  await assert.rejects(
    world.run('AcceptVpcPeeringConnection', { VpcPeeringConnectionId: 'pcx-x' }),
    awsError('InvalidVpcPeeringConnectionId.Malformed'),
  );
  await assert.rejects(world.run('AcceptVpcPeeringConnection'), awsError('MissingParameter'));
  await assert.rejects(request(world, { VpcId }), awsError('MissingParameter'));
  await assert.rejects(request(world, { VpcId, PeerVpcId: 'x' }), awsError('InvalidVpcID.Malformed'));
  await assert.rejects(request(world, { ...input, PeerRegion: 'mars-1' }), awsError('InvalidParameterValue'));
  await assert.rejects(request(world, { ...input, PeerOwnerId: 'me' }), awsError('InvalidParameterValue'));
  await assert.rejects(request(world, { VpcId: PeerVpcId, PeerVpcId: VpcId }), awsError('InvalidVpcID.NotFound'));
});

test('a VPC with an active peering or a request of its own is not deleted; what others ask of it does not hold it', async () => {
  const world = makeWorld();
  const { VpcId, PeerVpcId, act } = await pair(world, stranger);
  const violation = awsError('DependencyViolation');
  await assert.rejects(world.run('DeleteVpc', { VpcId }), violation);
  await act('Accept');
  await assert.rejects(world.run('DeleteVpc', { VpcId: PeerVpcId }, stranger), violation);
  await act('Delete');
  await world.run('DeleteVpc', { VpcId });
  const asked = await pair(world, stranger);
  await world.run('DeleteVpc', { VpcId: asked.PeerVpcId }, stranger);
  await asked.act('Accept');
  assert.equal((await shown(world, { VpcPeeringConnectionIds: [asked.id] }))[0]?.Status?.Code, 'failed');
});

test('with --quotas aws a VPC has 25 requests under way and 50 peerings', async () => {
  const world = makeWorld();
  const VpcId = await vpc(world, '10.0.0.0/16');
  const peers = await Promise.all(Array.from({ length: 51 }, (_, index) => vpc(world, `10.${index + 1}.0.0/16`)));
  const ids: string[] = [];
  const ask = async (PeerVpcId: string) =>
    ids.push((await request(world, { VpcId, PeerVpcId }, strict)).VpcPeeringConnectionId ?? '');
  const accept = (id: string) => world.run('AcceptVpcPeeringConnection', { VpcPeeringConnectionId: id }, strict);
  for (const peer of peers.slice(0, 25)) await ask(peer);
  await assert.rejects(ask(peers[25] ?? ''), awsError('OutstandingVpcPeeringConnectionLimitExceeded'));
  for (const id of ids.splice(0)) await accept(id);
  for (const peer of peers.slice(25, 50)) await ask(peer);
  for (const id of ids.splice(0)) await accept(id);
  await ask(peers[50] ?? '');
  await assert.rejects(accept(ids[0] ?? ''), awsError('VpcPeeringConnectionsPerVpcLimitExceeded'));
});
