import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  CreateNatGatewayResult,
  DescribeNatGatewaysResult,
  DescribeNetworkInterfacesResult,
  DescribeRouteTablesResult,
  DescribeTagsResult,
  NatGateway,
} from '@aws-sdk/client-ec2';
import { buildSnapshot } from '../../control/snapshot.ts';
import { awsError, testNow } from '../../testing.ts';
import { makeGateway, makeRouteTable, makeSubnet, makeVpc, makeWorld, putInterface } from './testing.ts';

async function makePlace(withGateway = true) {
  const world = makeWorld();
  const vpcId = await makeVpc(world);
  const subnetId = await makeSubnet(world, vpcId);
  const igw = await makeGateway(world, withGateway ? vpcId : undefined);
  const table = await makeRouteTable(world, vpcId);
  const allocate = async () =>
    (await world.run<{ AllocationId: string }>('AllocateAddress', { Domain: 'vpc' })).AllocationId;
  const create = async (input: object = {}, overrides = {}): Promise<NatGateway> => {
    const made = await world.run<CreateNatGatewayResult>(
      'CreateNatGateway',
      { SubnetId: subnetId, ...input },
      overrides,
    );
    assert.ok(made.NatGateway);
    return made.NatGateway;
  };
  const shown = async (id: string | undefined, overrides = {}): Promise<NatGateway> => {
    const answer = await world.run<DescribeNatGatewaysResult>(
      'DescribeNatGateways',
      { NatGatewayIds: [id] },
      overrides,
    );
    assert.ok(answer.NatGateways?.[0]);
    return answer.NatGateways[0];
  };
  const cards = async () =>
    (
      await world.run<DescribeNetworkInterfacesResult>('DescribeNetworkInterfaces', {
        Filters: [{ Name: 'interface-type', Values: ['nat_gateway'] }],
      })
    ).NetworkInterfaces ?? [];
  const addToVpc = async () => create({ AllocationId: await allocate() });
  return { world, vpcId, subnetId, igw, table, allocate, create, shown, cards, addToVpc };
}

const notYours = awsError('AuthFailure', 'You do not have permission to access the specified resource.');

test('[G1] [G2] a public gateway is pending in the answer, then available, with its Elastic IP on an interface of AWS’s', async () => {
  const { vpcId, subnetId, allocate, create, shown, cards } = await makePlace();
  const AllocationId = await allocate();
  const made = await create({
    AllocationId,
    TagSpecifications: [{ ResourceType: 'natgateway', Tags: [{ Key: 'Name', Value: 'n' }] }],
  });
  assert.deepEqual(
    [made.State, made.ConnectivityType, made.VpcId, made.SubnetId],
    ['pending', 'public', vpcId, subnetId],
  );
  const { State, NatGatewayAddresses, Tags } = await shown(made.NatGatewayId);
  assert.deepEqual([State, Tags], ['available', [{ Key: 'Name', Value: 'n' }]]);
  const [address] = NatGatewayAddresses ?? [];
  const [card, ...others] = await cards();
  assert.deepEqual(others, []);
  assert.deepEqual(
    [address?.AllocationId, address?.IsPrimary, address?.Status, address?.PrivateIp, address?.NetworkInterfaceId, address?.PublicIp],
    [AllocationId, true, 'succeeded', card?.PrivateIpAddress, card?.NetworkInterfaceId, card?.Association?.PublicIp],
  ); // biome-ignore format: pairs
  assert.deepEqual(
    [card?.Description, card?.RequesterManaged, card?.Status, card?.SourceDestCheck, card?.Groups],
    [`Interface for NAT Gateway ${made.NatGatewayId}`, true, 'in-use', false, []],
  );
});

test('[G3] what is wrong with gateway or address makes a failed one, seen for an hour, and takes nothing', async () => {
  const rows: [string, string, (place: Awaited<ReturnType<typeof makePlace>>) => Promise<object>, boolean?][] = [
    ['Gateway.NotAttached', 'has no Internet gateway attached', async (p) => ({ AllocationId: await p.allocate() }), false],
    ['InvalidAllocationID.NotFound', 'could not be associated with this NAT gateway', async () => ({ AllocationId: 'eipalloc-0123456789abcdef0' })],
    ['Resource.AlreadyAssociated', 'is already associated', async (p) => ({ AllocationId: (await p.addToVpc()).NatGatewayAddresses?.[0]?.AllocationId })],
    ['InsufficientFreeAddressesInSubnet', 'Subnet has insufficient free addresses to create this NAT gateway', async (p) => {
      const small = await makeSubnet(p.world, p.vpcId, '10.0.1.0/28');
      for (let host = 4; host < 15; host += 1) putInterface(p.world, p.vpcId as `vpc-${string}`, small, `10.0.1.${host}`);
      return { SubnetId: small, AllocationId: await p.allocate() };
    }],
  ]; // biome-ignore format: a table
  for (const [code, words, inputOf, withGateway] of rows) {
    const place = await makePlace(withGateway);
    const input = await inputOf(place);
    const before = (await place.cards()).length;
    const made = await place.create(input);
    assert.equal(made.State, 'pending');
    const failed = await place.shown(made.NatGatewayId);
    assert.deepEqual([failed.State, failed.FailureCode], ['failed', code]);
    assert.match(failed.FailureMessage ?? '', new RegExp(words));
    assert.equal((await place.cards()).length, before);
    const later = { now: new Date(testNow.getTime() + 3_600_001) };
    await assert.rejects(
      place.shown(made.NatGatewayId, later),
      awsError('NatGatewayNotFound', `NatGateway ${made.NatGatewayId} was not found`),
    );
  }
});

test('[G4] [G6] a private gateway has no Elastic IP, and up to eight addresses', async () => {
  const { world, allocate, create, shown } = await makePlace(false);
  const AllocationId = await allocate();
  await assert.rejects(
    create({ ConnectivityType: 'private', AllocationId }),
    awsError('InvalidParameter', 'You cannot specify an Elastic IP address with a private NAT gateway.'),
  );
  await assert.rejects(
    create({ ConnectivityType: 'private', SecondaryPrivateIpAddressCount: 8 }),
    awsError('InvalidParameterValue', 'A NAT gateway can have at most 8 IPv4 addresses.'),
  );
  const made = await create({
    ConnectivityType: 'private',
    PrivateIpAddress: '10.0.0.100',
    SecondaryPrivateIpAddressCount: 1,
  });
  const ips = async () => (await shown(made.NatGatewayId)).NatGatewayAddresses?.map((one) => one.PrivateIp);
  assert.deepEqual(await ips(), ['10.0.0.100', '10.0.0.4']);
  await world.run('AssignPrivateNatGatewayAddress', {
    NatGatewayId: made.NatGatewayId,
    PrivateIpAddresses: ['10.0.0.101'],
  });
  await world.run('UnassignPrivateNatGatewayAddress', {
    NatGatewayId: made.NatGatewayId,
    PrivateIpAddresses: ['10.0.0.4'],
  });
  assert.deepEqual(await ips(), ['10.0.0.100', '10.0.0.101']);
  await assert.rejects(
    world.run('UnassignPrivateNatGatewayAddress', {
      NatGatewayId: made.NatGatewayId,
      PrivateIpAddresses: ['10.0.0.100'],
    }),
    awsError(
      'InvalidParameter',
      `The primary address 10.0.0.100 of NAT gateway ${made.NatGatewayId} cannot be removed.`,
    ),
  );
  await assert.rejects(
    world.run('AssociateNatGatewayAddress', { NatGatewayId: made.NatGatewayId, AllocationIds: [AllocationId] }),
    awsError('InvalidParameter', `This operation is for public NAT gateways; ${made.NatGatewayId} is private.`),
  );
});

test('[G6] secondary Elastic IPs come with the gateway, later, and go by their association', async () => {
  const { world, allocate, create, shown, cards } = await makePlace();
  const [one, two, three] = [await allocate(), await allocate(), await allocate()];
  const { NatGatewayId } = await create({ AllocationId: one, SecondaryAllocationIds: [two] });
  await world.run('AssociateNatGatewayAddress', {
    NatGatewayId,
    AllocationIds: [three],
    PrivateIpAddresses: ['10.0.0.77'],
  });
  const all = (await shown(NatGatewayId)).NatGatewayAddresses ?? [];
  assert.deepEqual(
    all.map((each) => [each.AllocationId, each.IsPrimary]),
    [
      [one, true],
      [two, false],
      [three, false],
    ],
  );
  assert.deepEqual(
    (await cards())[0]?.PrivateIpAddresses?.map((each) => each.Association?.PublicIp),
    all.map((each) => each.PublicIp),
  );
  const AssociationIds = [all[1]?.AssociationId];
  await world.run('DisassociateNatGatewayAddress', { NatGatewayId, AssociationIds });
  assert.deepEqual(
    (await shown(NatGatewayId)).NatGatewayAddresses?.map((each) => each.AllocationId),
    [one, three],
  );
  await world.run('ReleaseAddress', { AllocationId: two });
  await assert.rejects(
    world.run('DisassociateNatGatewayAddress', { NatGatewayId, AssociationIds }),
    awsError('InvalidAssociationID.NotFound', `The association ID '${AssociationIds[0]}' does not exist`),
  );
});

test('its interface and addresses are AWS’s: nobody else detaches, deletes, moves or releases them', async () => {
  const { world, allocate, cards, addToVpc, shown, vpcId, subnetId } = await makePlace();
  const { NatGatewayId } = await addToVpc();
  const [card] = await cards();
  const NetworkInterfaceId = card?.NetworkInterfaceId;
  const [address] = (await shown(NatGatewayId)).NatGatewayAddresses ?? [];
  await assert.rejects(
    world.run('DeleteNetworkInterface', { NetworkInterfaceId }),
    awsError('InvalidParameterValue', `Network interface '${NetworkInterfaceId}' is currently in use.`),
  );
  await assert.rejects(
    world.run('DetachNetworkInterface', { AttachmentId: card?.Attachment?.AttachmentId }),
    awsError('OperationNotPermitted', "You are not allowed to manage 'ela-attach' attachments."),
  );
  await assert.rejects(world.run('DisassociateAddress', { AssociationId: address?.AssociationId }), notYours);
  await assert.rejects(world.run('AssociateAddress', { AllocationId: await allocate(), NetworkInterfaceId }), notYours);
  const other = putInterface(world, vpcId, subnetId, '10.0.0.50');
  await assert.rejects(
    world.run('AssociateAddress', {
      AllocationId: address?.AllocationId,
      NetworkInterfaceId: other.networkInterfaceId,
    }),
    notYours,
  );
  await assert.rejects(
    world.run('ReleaseAddress', { AllocationId: address?.AllocationId }),
    awsError('InvalidIPAddress.InUse', `Address ${address?.PublicIp} is in use.`),
  );
});

test('[G1] [R8] deleted, it frees its addresses, its routes are blackholes, and what it lay on can go in AWS’s order', async () => {
  const { world, vpcId, subnetId, igw, table, addToVpc, shown, cards } = await makePlace();
  const { NatGatewayId } = await addToVpc();
  await world.run('CreateRoute', { RouteTableId: table, DestinationCidrBlock: '0.0.0.0/0', NatGatewayId });
  const state = async () => {
    const { RouteTables } = await world.run<DescribeRouteTablesResult>('DescribeRouteTables', {
      Filters: [{ Name: 'route.nat-gateway-id', Values: [NatGatewayId] }],
    });
    return RouteTables?.[0]?.Routes?.find((route) => route.NatGatewayId === NatGatewayId)?.State;
  };
  assert.equal(await state(), 'active');
  await assert.rejects(
    world.run('DeleteSubnet', { SubnetId: subnetId }),
    awsError('DependencyViolation', `The subnet '${subnetId}' has dependencies and cannot be deleted.`),
  );
  await assert.rejects(
    world.run('DetachInternetGateway', { InternetGatewayId: igw, VpcId: vpcId }),
    awsError(
      'DependencyViolation',
      `Network ${vpcId} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.`,
    ),
  );
  await assert.rejects(
    world.run('DeleteVpc', { VpcId: vpcId }),
    awsError('DependencyViolation', `The vpc '${vpcId}' has dependencies and cannot be deleted.`),
  );
  await world.run('DeleteNatGateway', { NatGatewayId });
  assert.equal(await state(), 'blackhole');
  const deleted = await shown(NatGatewayId);
  assert.deepEqual([deleted.State, deleted.DeleteTime instanceof Date, (await cards()).length], ['deleted', true, 0]);
  await world.run('ReleaseAddress', { AllocationId: deleted.NatGatewayAddresses?.[0]?.AllocationId });
  await assert.rejects(
    world.run('DeleteNatGateway', { NatGatewayId }),
    awsError('NatGatewayNotFound', `NatGateway ${NatGatewayId} was not found`),
  );
  await assert.rejects(
    world.run('CreateRoute', { RouteTableId: table, DestinationCidrBlock: '192.0.2.0/24', NatGatewayId }),
    awsError('InvalidNatGatewayID.NotFound', `The natGateway ID '${NatGatewayId}' does not exist`),
  );
  await world.run('DetachInternetGateway', { InternetGatewayId: igw, VpcId: vpcId });
  await world.run('DeleteSubnet', { SubnetId: subnetId });
});

test('[R4] a route inside the VPC’s block may go to a NAT gateway when it is a subnet’s, and the local route may be replaced by it and restored', async () => {
  const { world, table, addToVpc } = await makePlace();
  const { NatGatewayId } = await addToVpc();
  await world.run('CreateRoute', { RouteTableId: table, DestinationCidrBlock: '10.0.0.0/24', NatGatewayId });
  await assert.rejects(
    world.run('CreateRoute', { RouteTableId: table, DestinationCidrBlock: '10.0.0.0/25', NatGatewayId }),
    awsError(
      'InvalidParameterValue',
      "The destination CIDR block 10.0.0.0/25 is more specific than one of this VPC's CIDR blocks and does not match the CIDR block of a subnet.",
    ),
  );
  await world.run('ReplaceRoute', { RouteTableId: table, DestinationCidrBlock: '10.0.0.0/16', NatGatewayId });
  await world.run('ReplaceRoute', { RouteTableId: table, DestinationCidrBlock: '10.0.0.0/16', LocalTarget: true });
  const { RouteTables } = await world.run<DescribeRouteTablesResult>('DescribeRouteTables', { RouteTableIds: [table] });
  assert.deepEqual(
    RouteTables?.[0]?.Routes?.map((route) => [route.DestinationCidrBlock, route.GatewayId ?? route.NatGatewayId]),
    [
      ['10.0.0.0/16', 'local'],
      ['10.0.0.0/24', NatGatewayId],
    ],
  );
});

test('[G13] a route of IPv6 may go to a NAT gateway: the well-known prefix, made, replaced and told', async () => {
  const { world, table, addToVpc } = await makePlace();
  const { NatGatewayId } = await addToVpc();
  const DestinationIpv6CidrBlock = '64:ff9b::/96';
  const told = async () =>
    (
      await world.run<DescribeRouteTablesResult>('DescribeRouteTables', { RouteTableIds: [table] })
    ).RouteTables?.[0]?.Routes?.filter((route) => route.DestinationIpv6CidrBlock !== undefined);
  const route = { DestinationIpv6CidrBlock, NatGatewayId, Origin: 'CreateRoute', State: 'active' };
  await world.run('CreateRoute', { RouteTableId: table, DestinationIpv6CidrBlock: '64:FF9B::7/96', NatGatewayId });
  assert.deepEqual(await told(), [route]);
  const second = await addToVpc();
  await world.run('ReplaceRoute', { RouteTableId: table, DestinationIpv6CidrBlock, NatGatewayId: second.NatGatewayId });
  assert.deepEqual(await told(), [{ ...route, NatGatewayId: second.NatGatewayId }]);
  const { vpcs } = world.store.read((tx) => buildSnapshot(tx, 1));
  const inSnapshot = vpcs.flatMap((vpc) => vpc.routeTables).flatMap(({ routes }) => routes);
  const target = { kind: 'nat-gateway', natGatewayId: second.NatGatewayId };
  const destination = { kind: 'cidr', cidr: DestinationIpv6CidrBlock };
  assert.deepEqual(
    inSnapshot.filter((each) => each.target.kind === 'nat-gateway'),
    [{ destination, target, state: 'active' }],
  );
});

test('[G11] [G12] quotas, kinds that are not carried, and requests that are wrong', async () => {
  const { allocate, create } = await makePlace();
  const AllocationId = await allocate();
  const aws = { settings: { auth: 'strict', strictImages: false, quotas: 'aws', dataDirectory: '/' } } as const;
  for (let count = 0; count < 5; count += 1) await create({ ConnectivityType: 'private' }, aws);
  await assert.rejects(
    create({ ConnectivityType: 'private' }, aws),
    awsError('NatGatewayLimitExceeded', 'Performing this operation would exceed the limit of 5 NAT gateways'),
  );
  await assert.rejects(
    create({ AvailabilityMode: 'regional' }),
    awsError('UnsupportedOperation', 'The AvailabilityMode regional of CreateNatGateway is not supported by Postern.'),
  );
  await assert.rejects(
    create(),
    awsError(
      'MissingParameter',
      'The request must include the AllocationId parameter. Add the required parameter and retry the request.',
    ),
  );
  await assert.rejects(
    create({ SubnetId: 'subnet-0123456789abcdef0', AllocationId }),
    awsError('InvalidSubnetID.NotFound', "The subnet ID 'subnet-0123456789abcdef0' does not exist"),
  );
  await assert.rejects(
    create({ AllocationId, SecondaryAllocationIds: [AllocationId] }),
    awsError('InvalidParameterValue', 'Duplicate allocation IDs specified.'),
  );
  await assert.rejects(
    create({ AllocationId, DryRun: true }),
    awsError('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.'),
  );
});

test('a token makes one gateway, filters and pages show them, tags are the resource type natgateway', async () => {
  const { world, allocate, create, subnetId } = await makePlace();
  const input = { AllocationId: await allocate(), ClientToken: 'once' };
  const made = await create(input);
  assert.equal((await create(input)).NatGatewayId, made.NatGatewayId);
  for (let count = 0; count < 6; count += 1) await create({ ConnectivityType: 'private' });
  const list = (more: object) => world.run<DescribeNatGatewaysResult>('DescribeNatGateways', more);
  const first = await list({
    MaxResults: 5,
    Filter: [
      { Name: 'subnet-id', Values: [subnetId] },
      { Name: 'state', Values: ['available'] },
    ],
  });
  assert.equal(first.NatGateways?.length, 5);
  assert.equal((await list({ MaxResults: 5, NextToken: first.NextToken })).NatGateways?.length, 2);
  await world.run('CreateTags', { Resources: [made.NatGatewayId], Tags: [{ Key: 'a', Value: 'b' }] });
  assert.equal((await list({ Filter: [{ Name: 'tag:a', Values: ['b'] }] })).NatGateways?.length, 1);
  assert.equal((await world.run<DescribeTagsResult>('DescribeTags')).Tags?.[0]?.ResourceType, 'natgateway');
  await assert.rejects(
    list({ NatGatewayIds: ['nat-x'] }),
    awsError('NatGatewayMalformed', 'Invalid id: "nat-x" (expecting "nat-...")'),
  );
});
