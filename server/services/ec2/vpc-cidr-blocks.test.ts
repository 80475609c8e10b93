import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AssociateVpcCidrBlockResult, DescribeRouteTablesResult, DescribeVpcsResult } from '@aws-sdk/client-ec2';
import { awsError } from '../../testing.ts';
import { makeGateway, makeRouteTable, makeSubnet, makeVpc, makeWorld, type World } from './testing.ts';

const associate = async (world: World, VpcId: string, CidrBlock: string) =>
  (await world.run<AssociateVpcCidrBlockResult>('AssociateVpcCidrBlock', { VpcId, CidrBlock })).CidrBlockAssociation;

async function localRoutes(world: World, VpcId: string): Promise<(string | undefined)[][]> {
  const Filters = [{ Name: 'vpc-id', Values: [VpcId] }];
  const { RouteTables = [] } = await world.run<DescribeRouteTablesResult>('DescribeRouteTables', { Filters });
  return RouteTables.map((table) =>
    (table.Routes ?? []).filter((route) => route.GatewayId === 'local').map((route) => route.DestinationCidrBlock),
  );
}

test('[C10] [C11] a block is associating, then associated, and every table has its local route', async () => {
  const world = makeWorld();
  const VpcId = await makeVpc(world, '10.8.0.0/16');
  await makeRouteTable(world, VpcId);
  const made = await associate(world, VpcId, '10.9.0.0/16');
  assert.equal(made?.CidrBlockState?.State, 'associating');
  const { Vpcs } = await world.run<DescribeVpcsResult>('DescribeVpcs', { VpcIds: [VpcId] });
  assert.deepEqual(
    Vpcs?.[0]?.CidrBlockAssociationSet?.map((one) => [one.CidrBlock, one.CidrBlockState?.State]),
    [
      ['10.8.0.0/16', 'associated'],
      ['10.9.0.0/16', 'associated'],
    ],
  );
  assert.equal(Vpcs?.[0]?.CidrBlock, '10.8.0.0/16');
  assert.deepEqual(await localRoutes(world, VpcId), [
    ['10.8.0.0/16', '10.9.0.0/16'],
    ['10.8.0.0/16', '10.9.0.0/16'],
  ]);
  assert.ok(await makeSubnet(world, VpcId, '10.9.1.0/24'));
});

test('[C6] five blocks at most', async () => {
  const world = makeWorld();
  const VpcId = await makeVpc(world, '10.10.0.0/16');
  for (const second of [11, 12, 13, 14]) await associate(world, VpcId, `10.${second}.0.0/16`);
  await assert.rejects(
    associate(world, VpcId, '10.15.0.0/16'),
    awsError('CidrLimitExceeded', `This network ${VpcId} has met its maximum number of allowed CIDRs: 5`),
  );
});

test('[C7] a block does not overlap another of the VPC', async () => {
  const world = makeWorld();
  const VpcId = await makeVpc(world, '10.8.0.0/16');
  await assert.rejects(associate(world, VpcId, '10.8.4.0/24'), awsError('InvalidVpc.Conflict'));
});

test('[C8] a block is not equal to or larger than the destination of a route; a smaller one is fine', async () => {
  const world = makeWorld();
  const VpcId = await makeVpc(world, '10.8.0.0/16');
  const GatewayId = await makeGateway(world, VpcId);
  const RouteTableId = await makeRouteTable(world, VpcId);
  await world.run('CreateRoute', { RouteTableId, GatewayId, DestinationCidrBlock: '10.9.0.0/24' });
  for (const cidr of ['10.9.0.0/24', '10.9.0.0/16'])
    await assert.rejects(associate(world, VpcId, cidr), awsError('InvalidVpc.Conflict'));
  await associate(world, VpcId, '10.9.0.0/25');
});

test('[C9] the primary block stays, a block with a subnet stays, another goes with its local routes', async () => {
  const world = makeWorld();
  const VpcId = await makeVpc(world, '10.8.0.0/16');
  const { Vpcs } = await world.run<DescribeVpcsResult>('DescribeVpcs', { VpcIds: [VpcId] });
  const primary = Vpcs?.[0]?.CidrBlockAssociationSet?.[0]?.AssociationId;
  const disassociate = (AssociationId: string | undefined) =>
    world.run<AssociateVpcCidrBlockResult>('DisassociateVpcCidrBlock', { AssociationId });
  await assert.rejects(
    disassociate(primary),
    awsError(
      'OperationNotPermitted',
      `The vpc CIDR block with association ID ${primary} may not be disassociated. It is the primary IPv4 CIDR block of the VPC`,
    ),
  );
  const made = await associate(world, VpcId, '10.9.0.0/16');
  const SubnetId = await makeSubnet(world, VpcId, '10.9.0.0/24');
  await assert.rejects(disassociate(made?.AssociationId), awsError('InvalidCidrBlock.InUse'));
  await world.run('DeleteSubnet', { SubnetId });
  const gone = await disassociate(made?.AssociationId);
  assert.equal(gone.CidrBlockAssociation?.CidrBlockState?.State, 'disassociating');
  assert.deepEqual(await localRoutes(world, VpcId), [['10.8.0.0/16']]);
  await assert.rejects(disassociate(made?.AssociationId), awsError('InvalidVpcCidrBlockAssociationID.NotFound'));
});

test('[C12] which ranges may be joined', async () => {
  const world = makeWorld();
  const cases: [string, string, boolean][] = [
    ['10.8.0.0/16', '10.0.0.0/16', true],
    ['10.1.0.0/16', '10.0.0.0/16', false],
    ['10.8.0.0/16', '172.16.0.0/16', false],
    ['10.8.0.0/16', '192.168.0.0/16', false],
    ['10.8.0.0/16', '198.19.0.0/16', false],
    ['10.8.0.0/16', '100.64.0.0/16', true],
    ['10.8.0.0/16', '8.8.0.0/16', true],
    ['172.16.0.0/16', '172.20.0.0/16', true],
    ['172.16.0.0/16', '172.31.0.0/16', false],
    ['172.16.0.0/16', '10.0.0.0/16', false],
    ['192.168.0.0/16', '172.16.0.0/16', false],
    ['192.168.0.0/16', '100.64.0.0/16', true],
    ['198.19.0.0/16', '10.0.0.0/16', false],
    ['198.19.0.0/16', '100.64.0.0/16', true],
    ['100.64.0.0/16', '10.0.0.0/16', false],
    ['100.64.0.0/16', '198.19.0.0/16', false],
    ['100.64.0.0/16', '100.65.0.0/16', true],
    ['8.8.0.0/16', '192.168.0.0/24', false],
  ];
  for (const [existing, added, allowed] of cases) {
    const VpcId = await makeVpc(world, existing);
    if (allowed) await associate(world, VpcId, added);
    else
      await assert.rejects(
        associate(world, VpcId, added),
        awsError('InvalidVpc.Range', /is restricted\. Use a CIDR/),
        `${existing} ${added}`,
      );
  }
});
