import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DescribeRouteTablesResult } from '@aws-sdk/client-ec2';
import { buildSnapshot } from '../../control/snapshot.ts';
import { awsError } from '../../testing.ts';
import { makeGateway, makeRouteTable, makeSubnet, makeVpc, makeWorld, putInterface } from './testing.ts';

async function makePlace() {
  const world = makeWorld();
  const vpcId = await makeVpc(world);
  const subnetId = await makeSubnet(world, vpcId);
  const igw = await makeGateway(world, vpcId);
  const table = await makeRouteTable(world, vpcId);
  const box = putInterface(world, vpcId, subnetId, '10.0.0.10', { instance: 'running' }).networkInterfaceId;
  const associate = (input: object = {}) =>
    world.run<{ AssociationId: string }>('AssociateRouteTable', { RouteTableId: table, GatewayId: igw, ...input });
  const route = (input: object, operation = 'CreateRoute') => world.run(operation, { RouteTableId: table, ...input });
  const edgeOfSnapshot = () =>
    world.store.read((tx) => buildSnapshot(tx, 1)).vpcs.find((one) => one.vpcId === vpcId)?.gatewayRouteTableId;
  return { world, vpcId, subnetId, igw, table, box, associate, route, edgeOfSnapshot };
}

const wrong = (words: RegExp) => awsError('InvalidParameterValue', words);

test('[R14] a table is associated with an internet gateway, shown and found by it, and the network knows', async () => {
  const { world, igw, table, associate, edgeOfSnapshot } = await makePlace();
  assert.equal(edgeOfSnapshot(), undefined);
  const { AssociationId } = await associate();
  assert.equal(edgeOfSnapshot(), table);
  const { RouteTables } = await world.run<DescribeRouteTablesResult>('DescribeRouteTables', {
    Filters: [{ Name: 'association.gateway-id', Values: [igw] }],
  });
  assert.deepEqual(RouteTables?.[0]?.Associations, [
    {
      RouteTableAssociationId: AssociationId,
      RouteTableId: table,
      Main: false,
      GatewayId: igw,
      AssociationState: { State: 'associated' },
    },
  ]);
  await assert.rejects(
    associate(),
    awsError(
      'Resource.AlreadyAssociated',
      `the specified association for route table ${table} conflicts with an existing association`,
    ),
  );
  await assert.rejects(world.run('DeleteRouteTable', { RouteTableId: table }), awsError('DependencyViolation'));
  await world.run('DisassociateRouteTable', { AssociationId });
  assert.equal(edgeOfSnapshot(), undefined);
});

test('[R14] an edge table has local and interface routes, to the VPC’s block or a subnet’s', async () => {
  const { associate, route, igw, box, table, world } = await makePlace();
  await associate();
  await route({ DestinationCidrBlock: '10.0.0.0/24', NetworkInterfaceId: box });
  await route({ DestinationCidrBlock: '10.0.0.0/16', NetworkInterfaceId: box }, 'ReplaceRoute');
  await route({ DestinationCidrBlock: '10.0.0.0/16', LocalTarget: true }, 'ReplaceRoute');
  await assert.rejects(
    route({ DestinationCidrBlock: '0.0.0.0/0', GatewayId: igw }),
    wrong(/outside of the VPC's CIDR blocks/),
  );
  await assert.rejects(
    route({ DestinationCidrBlock: '192.0.2.0/24', NetworkInterfaceId: box }),
    wrong(/outside of the VPC's CIDR blocks/),
  );
  await assert.rejects(
    route({ DestinationCidrBlock: '10.0.0.0/25', NetworkInterfaceId: box }),
    wrong(/does not match the CIDR block of a subnet/),
  );
  const endpoint = { ServiceName: 'com.amazonaws.us-east-1.s3', RouteTableIds: [table] };
  const { RouteTables } = await world.run<DescribeRouteTablesResult>('DescribeRouteTables', { RouteTableIds: [table] });
  await assert.rejects(
    world.run('CreateVpcEndpoint', { VpcId: RouteTables?.[0]?.VpcId, ...endpoint }),
    awsError('InvalidParameter', /associated with a gateway/),
  );
});

test('[R14] [R11] what cannot be an edge table, and what is no gateway', async () => {
  const { world, vpcId, subnetId, igw, table, associate, route } = await makePlace();
  const [main] =
    (
      await world.run<DescribeRouteTablesResult>('DescribeRouteTables', {
        Filters: [
          { Name: 'vpc-id', Values: [vpcId] },
          { Name: 'association.main', Values: ['true'] },
        ],
      })
    ).RouteTables ?? [];
  await assert.rejects(associate({ RouteTableId: main?.RouteTableId }), wrong(/main route table/));
  await assert.rejects(associate({ SubnetId: subnetId }), awsError('InvalidParameterCombination'));
  await assert.rejects(
    associate({ GatewayId: 'igw-0123456789abcdef0' }),
    awsError('InvalidGatewayID.NotFound', "The gateway ID 'igw-0123456789abcdef0' does not exist"),
  );
  await assert.rejects(associate({ GatewayId: 'vgw-0123456789abcdef0' }), awsError('UnsupportedOperation'));
  const loose = await makeGateway(world);
  await assert.rejects(associate({ GatewayId: loose }), wrong(/belong to different networks/));
  await route({ DestinationCidrBlock: '0.0.0.0/0', GatewayId: igw });
  await assert.rejects(associate(), wrong(/outside of the VPC's CIDR blocks/));
  await route({ DestinationCidrBlock: '0.0.0.0/0' }, 'DeleteRoute');
  const { AssociationId } = await associate();
  const second = await makeRouteTable(world, vpcId);
  await world.run('CreateRoute', { RouteTableId: second, DestinationCidrBlock: '0.0.0.0/0', GatewayId: igw });
  await assert.rejects(
    world.run('ReplaceRouteTableAssociation', { AssociationId, RouteTableId: second }),
    wrong(/outside of the VPC's CIDR blocks/),
  );
  const mainAssociation = main?.Associations?.[0]?.RouteTableAssociationId;
  await assert.rejects(
    world.run('ReplaceRouteTableAssociation', { AssociationId: mainAssociation, RouteTableId: table }),
    wrong(/cannot be the main one/),
  );
});

test('with the gateway that is detached goes its edge association', async () => {
  const { world, vpcId, igw, table, associate } = await makePlace();
  await associate();
  await world.run('DetachInternetGateway', { InternetGatewayId: igw, VpcId: vpcId });
  await world.run('DeleteRouteTable', { RouteTableId: table });
});
