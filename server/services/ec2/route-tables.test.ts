import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DescribeRouteTablesResult, Route, RouteTable } from '@aws-sdk/client-ec2';
import { awsError } from '../../testing.ts';
import { makeGateway, makeRouteTable, makeSubnet, makeVpc, makeWorld, putInterface, type World } from './testing.ts';

async function tableOf(world: World, RouteTableId: string): Promise<RouteTable> {
  const { RouteTables = [] } = await world.run<DescribeRouteTablesResult>('DescribeRouteTables', {
    RouteTableIds: [RouteTableId],
  });
  const [table] = RouteTables;
  assert.ok(table);
  return table;
}

async function mainOf(world: World, VpcId: string): Promise<RouteTable> {
  const { RouteTables = [] } = await world.run<DescribeRouteTablesResult>('DescribeRouteTables', {
    Filters: [
      { Name: 'vpc-id', Values: [VpcId] },
      { Name: 'association.main', Values: ['true'] },
    ],
  });
  assert.equal(RouteTables.length, 1);
  return RouteTables[0] as RouteTable;
}

async function routeTo(world: World, RouteTableId: string, destination: string): Promise<Route | undefined> {
  const { Routes = [] } = await tableOf(world, RouteTableId);
  return Routes.find(
    (route) => route.DestinationCidrBlock === destination || route.DestinationPrefixListId === destination,
  );
}

async function makePlace() {
  const world = makeWorld();
  const vpcId = await makeVpc(world);
  return { world, vpcId, subnetId: await makeSubnet(world, vpcId), table: await makeRouteTable(world, vpcId) };
}

test('[R3] a new table has the local route, shown as AWS shows it', async () => {
  const { world, vpcId, table } = await makePlace();
  assert.deepEqual(await tableOf(world, table), {
    RouteTableId: table,
    VpcId: vpcId,
    OwnerId: '123456789012',
    Associations: [],
    PropagatingVgws: [],
    Routes: [{ DestinationCidrBlock: '10.0.0.0/16', GatewayId: 'local', Origin: 'CreateRouteTable', State: 'active' }],
    Tags: [],
  });
});

test('[R3] a local route is neither created nor deleted; its target can be an interface and come back', async () => {
  const { world, vpcId, subnetId, table } = await makePlace();
  const local = { RouteTableId: table, DestinationCidrBlock: '10.0.0.0/16' };
  await assert.rejects(
    world.run('DeleteRoute', local),
    awsError('InvalidParameterValue', `cannot remove local route 10.0.0.0/16 in route table ${table}`),
  );
  const { networkInterfaceId: NetworkInterfaceId } = putInterface(world, vpcId, subnetId, '10.0.0.4', {
    instance: 'running',
  });
  await world.run('ReplaceRoute', { ...local, NetworkInterfaceId });
  assert.equal((await routeTo(world, table, '10.0.0.0/16'))?.NetworkInterfaceId, NetworkInterfaceId);
  await assert.rejects(world.run('DeleteRoute', local), awsError('InvalidParameterValue'));
  await world.run('ReplaceRoute', { ...local, LocalTarget: true });
  assert.equal((await routeTo(world, table, '10.0.0.0/16'))?.GatewayId, 'local');
});

test('[R4] a route inside the VPC needs an interface and the block of a whole subnet', async () => {
  const { world, vpcId, subnetId, table } = await makePlace();
  const GatewayId = await makeGateway(world, vpcId);
  const { networkInterfaceId: NetworkInterfaceId } = putInterface(world, vpcId, subnetId, '10.0.0.4', {
    instance: 'running',
  });
  for (const DestinationCidrBlock of ['10.0.0.0/24', '10.0.0.0/16'])
    await assert.rejects(
      world.run('CreateRoute', { RouteTableId: table, DestinationCidrBlock, GatewayId }),
      awsError(
        'InvalidParameterValue',
        `The destination CIDR block ${DestinationCidrBlock} is equal to or more specific than one of this VPC's CIDR blocks. This route can target only an interface or an instance.`,
      ),
    );
  await assert.rejects(
    world.run('CreateRoute', { RouteTableId: table, DestinationCidrBlock: '10.0.0.0/25', NetworkInterfaceId }),
    awsError('InvalidParameterValue'),
  );
  await assert.rejects(
    world.run('CreateRoute', { RouteTableId: table, DestinationCidrBlock: '10.0.0.0/16', NetworkInterfaceId }),
    awsError('RouteAlreadyExists'),
  );
  await world.run('CreateRoute', { RouteTableId: table, DestinationCidrBlock: '10.0.0.0/24', NetworkInterfaceId });
});

test('[R5] link-local AWS services are no destination', async () => {
  const { world, vpcId, table } = await makePlace();
  const GatewayId = await makeGateway(world, vpcId);
  const create = (DestinationCidrBlock: string) =>
    world.run('CreateRoute', { RouteTableId: table, DestinationCidrBlock, GatewayId });
  await assert.rejects(create('169.254.169.254/32'), awsError('InvalidParameterValue'));
  await create('169.254.172.0/24');
});

test('[R6] an endpoint is no target, and targets that Postern does not carry are refused by name', async () => {
  const { world, table } = await makePlace();
  const create = (input: object) =>
    world.run('CreateRoute', { RouteTableId: table, DestinationCidrBlock: '0.0.0.0/0', ...input });
  const vpce = 'vpce-00000000000000000';
  const unsupported = awsError(
    'RouteNotSupported',
    `Route table contains unsupported route target: ${vpce}. VPC Endpoints of this type cannot be used as route targets.`,
  );
  await assert.rejects(create({ VpcEndpointId: vpce }), unsupported);
  await assert.rejects(create({ GatewayId: vpce }), unsupported);
  for (const name of ['LocalGatewayId', 'CarrierGatewayId', 'CoreNetworkArn'])
    await assert.rejects(create({ [name]: 'x-1' }), awsError('UnsupportedOperation', new RegExp(name)));
  await assert.rejects(create({}), awsError('MissingParameter'));
  await assert.rejects(
    create({ GatewayId: 'igw-00000000000000000' }),
    awsError('InvalidGatewayID.NotFound', "The gateway ID 'igw-00000000000000000' does not exist"),
  );
  await assert.rejects(
    create({ InstanceId: 'i-00000000000000000', GatewayId: 'igw-1' }),
    awsError('InvalidParameterCombination'),
  );
});

test('[R6] a gateway of another VPC, or of none, is no target', async () => {
  const { world, table } = await makePlace();
  const GatewayId = await makeGateway(world);
  await assert.rejects(
    world.run('CreateRoute', { RouteTableId: table, DestinationCidrBlock: '0.0.0.0/0', GatewayId }),
    awsError(
      'InvalidParameterValue',
      `route table ${table} and network gateway ${GatewayId} belong to different networks`,
    ),
  );
});

test('[R7] host bits of a destination are cleared and the same destination is taken once', async () => {
  const { world, vpcId, table } = await makePlace();
  const GatewayId = await makeGateway(world, vpcId);
  const create = (DestinationCidrBlock: string) =>
    world.run('CreateRoute', { RouteTableId: table, DestinationCidrBlock, GatewayId });
  await create('100.68.0.18/18');
  assert.ok(await routeTo(world, table, '100.68.0.0/18'));
  await assert.rejects(
    create('100.68.0.0/18'),
    awsError('RouteAlreadyExists', 'The route identified by 100.68.0.0/18 already exists.'),
  );
  await assert.rejects(
    create('300.0.0.0/8'),
    awsError(
      'InvalidParameterValue',
      'Value (300.0.0.0/8) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.',
    ),
  );
});

test('[R8] [I6] a route to a detached or deleted gateway is a blackhole, and active again when it is attached', async () => {
  const { world, vpcId, table } = await makePlace();
  const GatewayId = await makeGateway(world, vpcId);
  await world.run('CreateRoute', { RouteTableId: table, DestinationCidrBlock: '0.0.0.0/0', GatewayId });
  const state = async () => (await routeTo(world, table, '0.0.0.0/0'))?.State;
  const gateway = { InternetGatewayId: GatewayId, VpcId: vpcId };
  assert.equal(await state(), 'active');
  await world.run('DetachInternetGateway', gateway);
  assert.equal(await state(), 'blackhole');
  await world.run('AttachInternetGateway', gateway);
  assert.equal(await state(), 'active');
  await world.run('DetachInternetGateway', gateway);
  await world.run('DeleteInternetGateway', { InternetGatewayId: GatewayId });
  assert.deepEqual(await routeTo(world, table, '0.0.0.0/0'), {
    DestinationCidrBlock: '0.0.0.0/0',
    GatewayId,
    Origin: 'CreateRoute',
    State: 'blackhole',
  });
});

test('[R8] a route to an instance follows its state', async () => {
  const { world, vpcId, subnetId, table } = await makePlace();
  const states = { pending: 'active', running: 'active', stopped: 'blackhole', terminated: 'blackhole' } as const;
  let last = 3;
  for (const [instance, expected] of Object.entries(states) as [keyof typeof states, string][]) {
    last += 1;
    const { instanceId, networkInterfaceId } = putInterface(world, vpcId, subnetId, `10.0.0.${last}`, { instance });
    const destination = `192.0.2.${last}/32`;
    await world.run('CreateRoute', { RouteTableId: table, DestinationCidrBlock: destination, InstanceId: instanceId });
    const route = await routeTo(world, table, destination);
    assert.deepEqual(
      [route?.State, route?.InstanceId, route?.NetworkInterfaceId],
      [expected, instanceId, networkInterfaceId],
      instance,
    );
  }
  const { networkInterfaceId: NetworkInterfaceId } = putInterface(world, vpcId, subnetId, '10.0.0.99');
  await world.run('CreateRoute', { RouteTableId: table, DestinationCidrBlock: '192.0.2.99/32', NetworkInterfaceId });
  assert.equal((await routeTo(world, table, '192.0.2.99/32'))?.State, 'blackhole');
});

test('a missing route is not replaced and not deleted', async () => {
  const { world, vpcId, table } = await makePlace();
  const GatewayId = await makeGateway(world, vpcId);
  const route = { RouteTableId: table, DestinationCidrBlock: '0.0.0.0/0' };
  await assert.rejects(
    world.run('ReplaceRoute', { ...route, GatewayId }),
    awsError(
      'InvalidParameterValue',
      "There is no route defined for '0.0.0.0/0' in the route table. Use CreateRoute instead.",
    ),
  );
  await assert.rejects(
    world.run('DeleteRoute', route),
    awsError('InvalidRoute.NotFound', `no route with destination-cidr-block 0.0.0.0/0 in route table ${table}`),
  );
  await world.run('CreateRoute', { ...route, GatewayId });
  await world.run('DeleteRoute', route);
  assert.equal(await routeTo(world, table, '0.0.0.0/0'), undefined);
});

test('[R11] the main table is not deleted or disassociated, a table with associations is not deleted', async () => {
  const { world, vpcId, subnetId: SubnetId, table: RouteTableId } = await makePlace();
  const main = await mainOf(world, vpcId);
  const violation = (id: string | undefined) =>
    awsError('DependencyViolation', `The routeTable '${id}' has dependencies and cannot be deleted.`);
  await assert.rejects(
    world.run('DeleteRouteTable', { RouteTableId: main.RouteTableId }),
    violation(main.RouteTableId),
  );
  await assert.rejects(
    world.run('DisassociateRouteTable', { AssociationId: main.Associations?.[0]?.RouteTableAssociationId }),
    awsError('InvalidParameterValue'),
  );
  const { AssociationId } = await world.run<{ AssociationId: string }>('AssociateRouteTable', {
    RouteTableId,
    SubnetId,
  });
  await assert.rejects(world.run('DeleteRouteTable', { RouteTableId }), violation(RouteTableId));
  await world.run('DisassociateRouteTable', { AssociationId });
  await world.run('DeleteRouteTable', { RouteTableId });
  await assert.rejects(tableOf(world, RouteTableId), awsError('InvalidRouteTableID.NotFound'));
});

test('[R11] replacing the main association makes another table the main one', async () => {
  const { world, vpcId, table: RouteTableId } = await makePlace();
  const main = await mainOf(world, vpcId);
  const AssociationId = main.Associations?.[0]?.RouteTableAssociationId;
  const { NewAssociationId } = await world.run<{ NewAssociationId: string }>('ReplaceRouteTableAssociation', {
    AssociationId,
    RouteTableId,
  });
  assert.notEqual(NewAssociationId, AssociationId);
  assert.equal((await mainOf(world, vpcId)).RouteTableId, RouteTableId);
  await world.run('DeleteRouteTable', { RouteTableId: main.RouteTableId });
  await assert.rejects(
    world.run('ReplaceRouteTableAssociation', { AssociationId, RouteTableId }),
    awsError('InvalidAssociationID.NotFound'),
  );
});

test('[R12] a subnet has one table; a replaced association moves it', async () => {
  const { world, vpcId, subnetId: SubnetId, table: RouteTableId } = await makePlace();
  const { AssociationId } = await world.run<{ AssociationId: string }>('AssociateRouteTable', {
    RouteTableId,
    SubnetId,
  });
  const other = await makeRouteTable(world, vpcId);
  for (const id of [RouteTableId, other])
    await assert.rejects(
      world.run('AssociateRouteTable', { RouteTableId: id, SubnetId }),
      awsError('Resource.AlreadyAssociated'),
    );
  await world.run('ReplaceRouteTableAssociation', { AssociationId, RouteTableId: other });
  assert.deepEqual((await tableOf(world, RouteTableId)).Associations, []);
  assert.deepEqual(
    (await tableOf(world, other)).Associations?.map((one) => [one.SubnetId, one.Main]),
    [[SubnetId, false]],
  );
});

test('a table and a subnet of different VPCs are not associated', async () => {
  const { world, table: RouteTableId } = await makePlace();
  const SubnetId = await makeSubnet(world, await makeVpc(world));
  await assert.rejects(
    world.run('AssociateRouteTable', { RouteTableId, SubnetId }),
    awsError('InvalidParameterValue', /belong to different networks/),
  );
});

test('a customer’s prefix list is a destination, one of AWS’s is not', async () => {
  const { world, vpcId, table: RouteTableId } = await makePlace();
  const GatewayId = await makeGateway(world, vpcId);
  const made = await world.run<{ PrefixList: { PrefixListId: string } }>('CreateManagedPrefixList', {
    PrefixListName: 'office', AddressFamily: 'IPv4', MaxEntries: 2, Entries: [{ Cidr: '192.0.2.0/24' }],
  }); // biome-ignore format: one list
  const DestinationPrefixListId = made.PrefixList.PrefixListId;
  const create = (id: string) => world.run('CreateRoute', { RouteTableId, GatewayId, DestinationPrefixListId: id });
  await create(DestinationPrefixListId);
  await assert.rejects(
    create(DestinationPrefixListId),
    awsError(
      'RouteAlreadyExists',
      `route table ${RouteTableId} already has a route with destination-prefix-list-id ${DestinationPrefixListId}`,
    ),
  );
  await assert.rejects(create('pl-63a5400a'), awsError('InvalidParameterValue'));
  await world.run('DeleteRoute', { RouteTableId, DestinationPrefixListId });
});

test('[I5] one gateway per VPC and one VPC per gateway', async () => {
  const { world, vpcId: VpcId } = await makePlace();
  const InternetGatewayId = await makeGateway(world);
  await assert.rejects(
    world.run('DetachInternetGateway', { InternetGatewayId, VpcId }),
    awsError('Gateway.NotAttached', `resource ${InternetGatewayId} is not attached to network ${VpcId}`),
  );
  await world.run('AttachInternetGateway', { InternetGatewayId, VpcId });
  const again = awsError('Resource.AlreadyAssociated');
  await assert.rejects(world.run('AttachInternetGateway', { InternetGatewayId, VpcId }), again);
  await assert.rejects(
    world.run('AttachInternetGateway', { InternetGatewayId: await makeGateway(world), VpcId }),
    awsError('InvalidParameterValue', `Network ${VpcId} already has an internet gateway attached`),
  );
  await assert.rejects(
    world.run('DeleteInternetGateway', { InternetGatewayId }),
    awsError(
      'DependencyViolation',
      `The internetGateway '${InternetGatewayId}' has dependencies and cannot be deleted.`,
    ),
  );
});

test('a gateway stays while a public address is mapped', async () => {
  const { world, vpcId: VpcId, subnetId } = await makePlace();
  const InternetGatewayId = await makeGateway(world, VpcId);
  const { networkInterfaceId } = putInterface(world, VpcId, subnetId, '10.0.0.4', { autoPublicIp: '198.19.0.20' });
  await assert.rejects(
    world.run('DetachInternetGateway', { InternetGatewayId, VpcId }),
    awsError(
      'DependencyViolation',
      `Network ${VpcId} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.`,
    ),
  );
  world.store.transact((tx) => tx.delete('network-interface', networkInterfaceId));
  await world.run('DetachInternetGateway', { InternetGatewayId, VpcId });
});
