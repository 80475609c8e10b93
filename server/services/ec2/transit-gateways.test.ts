import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  AssociateTransitGatewayRouteTableResult,
  CreateTransitGatewayResult,
  CreateTransitGatewayRouteResult,
  CreateTransitGatewayRouteTableResult,
  CreateTransitGatewayVpcAttachmentResult,
  DescribeNetworkInterfacesResult,
  DescribeRouteTablesResult,
  DescribeTagsResult,
  DescribeTransitGatewayAttachmentsResult,
  DescribeTransitGatewayRouteTablesResult,
  DescribeTransitGatewaysResult,
  DescribeTransitGatewayVpcAttachmentsResult,
  GetTransitGatewayRouteTableAssociationsResult,
  GetTransitGatewayRouteTablePropagationsResult,
  ModifyTransitGatewayResult,
  ModifyTransitGatewayVpcAttachmentResult,
  SearchTransitGatewayRoutesResult,
} from '@aws-sdk/client-ec2';
import { awsError } from '../../testing.ts';
import { makeRouteTable, makeSubnet, makeVpc, makeWorld } from './testing.ts';

const separate = { DefaultRouteTableAssociation: 'disable', DefaultRouteTablePropagation: 'disable' } as const;

async function makePlace() {
  const world = makeWorld();
  const { run } = world;
  const gateway = async (Options: object = {}) => {
    const { TransitGateway } = await run<CreateTransitGatewayResult>('CreateTransitGateway', { Options });
    assert.ok(TransitGateway?.TransitGatewayId);
    return TransitGateway.TransitGatewayId;
  };
  /** A VPC with one subnet. */
  const site = async (cidr: string) => {
    const vpcId = await makeVpc(world, cidr);
    return { vpcId, subnetId: await makeSubnet(world, vpcId, cidr.replace('/16', '/24')) };
  };
  const attach = async (TransitGatewayId: string, { vpcId, subnetId }: { vpcId: string; subnetId: string }) => {
    const input = { TransitGatewayId, VpcId: vpcId, SubnetIds: [subnetId] };
    const made = await run<CreateTransitGatewayVpcAttachmentResult>('CreateTransitGatewayVpcAttachment', input);
    const id = made.TransitGatewayVpcAttachment?.TransitGatewayAttachmentId;
    assert.ok(id);
    return id;
  };
  const table = async (TransitGatewayId: string) => {
    const input = { TransitGatewayId };
    const made = await run<CreateTransitGatewayRouteTableResult>('CreateTransitGatewayRouteTable', input);
    const id = made.TransitGatewayRouteTable?.TransitGatewayRouteTableId;
    assert.ok(id);
    return id;
  };
  const pair = (TransitGatewayRouteTableId: string, TransitGatewayAttachmentId: string) => ({
    TransitGatewayRouteTableId,
    TransitGatewayAttachmentId,
  });
  /** `BLOCK TYPE STATE VPC…`, sorted. */
  const routes = async (id: string, ...Filters: { Name: string; Values: string[] }[]) => {
    const all = { Name: 'state', Values: ['active', 'blackhole'] };
    const input = { TransitGatewayRouteTableId: id, Filters: Filters.length > 0 ? Filters : [all] };
    const found = await run<SearchTransitGatewayRoutesResult>('SearchTransitGatewayRoutes', input);
    return (found.Routes ?? [])
      .map((route) =>
        [
          route.DestinationCidrBlock,
          route.Type,
          route.State,
          ...(route.TransitGatewayAttachments ?? []).map((each) => each.TransitGatewayAttachmentId),
        ].join(' '),
      )
      .sort();
  };
  return { world, run, gateway, site, attach, table, pair, routes };
}

test('[Z4] a new gateway is pending in the answer, then available, with one table for association and propagation', async () => {
  const { run } = await makePlace();
  const made = await run<CreateTransitGatewayResult>('CreateTransitGateway', {
    Description: 'hub',
    TagSpecifications: [{ ResourceType: 'transit-gateway', Tags: [{ Key: 'Name', Value: 'hub' }] }],
  });
  assert.equal(made.TransitGateway?.State, 'pending');
  const { TransitGateways: [shown] = [] } = await run<DescribeTransitGatewaysResult>('DescribeTransitGateways');
  const id = shown?.TransitGatewayId;
  assert.equal(shown?.TransitGatewayArn, `arn:aws:ec2:us-east-1:123456789012:transit-gateway/${id}`);
  const tableId = shown?.Options?.AssociationDefaultRouteTableId;
  assert.deepEqual(
    { ...shown?.Options, state: shown?.State, tags: shown?.Tags },
    {
      AmazonSideAsn: 64_512,
      AssociationDefaultRouteTableId: tableId,
      AutoAcceptSharedAttachments: 'disable',
      DefaultRouteTableAssociation: 'enable',
      DefaultRouteTablePropagation: 'enable',
      DnsSupport: 'enable',
      MulticastSupport: 'disable',
      PropagationDefaultRouteTableId: tableId,
      SecurityGroupReferencingSupport: 'disable',
      VpnEcmpSupport: 'enable',
      state: 'available',
      tags: [{ Key: 'Name', Value: 'hub' }],
    },
  );
  const tables = await run<DescribeTransitGatewayRouteTablesResult>('DescribeTransitGatewayRouteTables', {
    Filters: [{ Name: 'transit-gateway-id', Values: [id] }],
  });
  assert.deepEqual(
    tables.TransitGatewayRouteTables?.map((each) => [
      each.TransitGatewayRouteTableId,
      each.DefaultAssociationRouteTable,
      each.DefaultPropagationRouteTable,
      each.State,
    ]),
    [[tableId, true, true, 'available']],
  );
  const tags = await run<DescribeTagsResult>('DescribeTags', { Filters: [{ Name: 'resource-id', Values: [id] }] });
  assert.equal(tags.Tags?.[0]?.ResourceType, 'transit-gateway');
});

test('what would need multicast, group references, Connect or IPv6 is refused by name', async () => {
  const { run, gateway, site } = await makePlace();
  const refused = async (operation: string, input: object) =>
    assert.rejects(run(operation, input), awsError('UnsupportedOperation'));
  await refused('CreateTransitGateway', { Options: { MulticastSupport: 'enable' } });
  await refused('CreateTransitGateway', { Options: { SecurityGroupReferencingSupport: 'enable' } });
  await refused('CreateTransitGateway', { Options: { TransitGatewayCidrBlocks: ['10.99.0.0/24'] } });
  const id = await gateway();
  await refused('ModifyTransitGateway', {
    TransitGatewayId: id,
    Options: { SecurityGroupReferencingSupport: 'enable' },
  });
  const { vpcId, subnetId } = await site('10.1.0.0/16');
  const attachment = { TransitGatewayId: id, VpcId: vpcId, SubnetIds: [subnetId] };
  await refused('CreateTransitGatewayVpcAttachment', { ...attachment, Options: { Ipv6Support: 'enable' } });
  await assert.rejects(
    run('CreateTransitGateway', { Options: { AmazonSideAsn: 1 } }),
    awsError('InvalidParameterValue'),
  );
});

test('[Z1] [Z3] an attachment has an interface of AWS’s in each subnet, one subnet in a zone, and one to a gateway', async () => {
  const { world, run, gateway, site, attach } = await makePlace();
  const id = await gateway();
  const a = await site('10.1.0.0/16');
  const attachmentId = await attach(id, a);
  const cards = await run<DescribeNetworkInterfacesResult>('DescribeNetworkInterfaces', {
    Filters: [{ Name: 'interface-type', Values: ['transit_gateway'] }],
  });
  const [card] = cards.NetworkInterfaces ?? [];
  assert.deepEqual(
    [card?.SubnetId, card?.RequesterManaged, card?.Groups, card?.Description],
    [a.subnetId, true, [], `Network Interface for Transit Gateway Attachment ${attachmentId}`],
  );
  await assert.rejects(
    attach(id, a),
    awsError(
      'DuplicateTransitGatewayAttachment',
      `${id} has non-deleted Transit Gateway Attachments with same VPC ID.`,
    ),
  );
  const missing = 'tgw-fb63e95d22999bf27';
  await assert.rejects(
    attach(missing, a),
    awsError('InvalidTransitGatewayID.NotFound', `Transit Gateway ${missing} was deleted or does not exist.`),
  );
  const b = await site('10.2.0.0/16');
  const second = await makeSubnet(world, b.vpcId, '10.2.1.0/24');
  const { Subnets = [] } = await run<{ Subnets: { AvailabilityZone: string }[] }>('DescribeSubnets', {
    SubnetIds: [b.subnetId, second],
  });
  const AvailabilityZone = Subnets[0]?.AvailabilityZone === 'us-east-1b' ? 'us-east-1c' : 'us-east-1b';
  const { Subnet } = await run<{ Subnet: { SubnetId: string } }>('CreateSubnet', {
    VpcId: b.vpcId,
    CidrBlock: '10.2.2.0/24',
    AvailabilityZone,
  });
  const input = { TransitGatewayId: id, VpcId: b.vpcId };
  const sameZone = Subnets[0]?.AvailabilityZone === Subnets[1]?.AvailabilityZone;
  if (sameZone)
    await assert.rejects(
      run('CreateTransitGatewayVpcAttachment', { ...input, SubnetIds: [b.subnetId, second] }),
      awsError('DuplicateSubnetsInSameZone', 'Duplicate Subnets for same AZ'),
    );
  await assert.rejects(
    run('CreateTransitGatewayVpcAttachment', { ...input, SubnetIds: [a.subnetId] }),
    awsError('InvalidParameterValue'),
  );
  const attached = await attach(id, b);
  const modified = await run<ModifyTransitGatewayVpcAttachmentResult>('ModifyTransitGatewayVpcAttachment', {
    TransitGatewayAttachmentId: attached,
    AddSubnetIds: [Subnet.SubnetId],
    RemoveSubnetIds: [b.subnetId],
    Options: { ApplianceModeSupport: 'enable' },
  });
  assert.deepEqual(modified.TransitGatewayVpcAttachment?.SubnetIds, [Subnet.SubnetId]);
  const shown = await run<DescribeTransitGatewayVpcAttachmentsResult>('DescribeTransitGatewayVpcAttachments', {
    TransitGatewayAttachmentIds: [attached],
  });
  assert.equal(shown.TransitGatewayVpcAttachments?.[0]?.Options?.ApplianceModeSupport, 'enable');
  await assert.rejects(
    run('ModifyTransitGatewayVpcAttachment', {
      TransitGatewayAttachmentId: attached,
      RemoveSubnetIds: [Subnet.SubnetId],
    }),
    awsError('InvalidParameterValue'),
  );
});

test('[Z4] [Z6] the default table is associated and propagated to, and a block that overlaps an earlier one is left out', async () => {
  const { run, gateway, site, attach, routes } = await makePlace();
  const id = await gateway();
  const [a, b, twin] = [await site('10.1.0.0/16'), await site('10.2.0.0/16'), await site('10.1.0.0/16')];
  const [first, second, third] = [await attach(id, a), await attach(id, b), await attach(id, twin)];
  const { TransitGatewayAttachments = [] } = await run<DescribeTransitGatewayAttachmentsResult>(
    'DescribeTransitGatewayAttachments',
    { TransitGatewayAttachmentIds: [first] },
  );
  const [shown] = TransitGatewayAttachments;
  const tableId = shown?.Association?.TransitGatewayRouteTableId ?? '';
  assert.deepEqual([shown?.Association?.State, shown?.ResourceId, shown?.ResourceType], ['associated', a.vpcId, 'vpc']);
  assert.deepEqual(await routes(tableId), [
    `10.1.0.0/16 propagated active ${first}`,
    `10.2.0.0/16 propagated active ${second}`,
  ]);
  // A block that the VPC gets later is propagated too, and so is the twin's when the first goes.
  await run('AssociateVpcCidrBlock', { VpcId: b.vpcId, CidrBlock: '10.9.0.0/20' });
  await run('DeleteTransitGatewayVpcAttachment', { TransitGatewayAttachmentId: first });
  assert.deepEqual(await routes(tableId), [
    `10.1.0.0/16 propagated active ${third}`,
    `10.2.0.0/16 propagated active ${second}`,
    `10.9.0.0/20 propagated active ${second}`,
  ]);
});

test('[Z5] static routes count before propagated ones, a blackhole has no attachment, and one that lost its attachment is one', async () => {
  const { run, gateway, site, attach, table, pair, routes } = await makePlace();
  const id = await gateway(separate);
  const [a, b] = [await site('10.1.0.0/16'), await site('10.2.0.0/16')];
  const [first, second] = [await attach(id, a), await attach(id, b)];
  const tableId = await table(id);
  await run('EnableTransitGatewayRouteTablePropagation', pair(tableId, first));
  const create = (DestinationCidrBlock: string, more: object) =>
    run<CreateTransitGatewayRouteResult>('CreateTransitGatewayRoute', {
      TransitGatewayRouteTableId: tableId,
      DestinationCidrBlock,
      ...more,
    });
  const made = await create('10.1.0.0/16', { TransitGatewayAttachmentId: second });
  assert.deepEqual([made.Route?.Type, made.Route?.State], ['static', 'active']);
  await create('10.8.0.0/16', { Blackhole: true });
  await create('0.0.0.0/0', { TransitGatewayAttachmentId: second });
  assert.deepEqual(await routes(tableId), [
    `0.0.0.0/0 static active ${second}`,
    `10.1.0.0/16 static active ${second}`,
    '10.8.0.0/16 static blackhole',
  ]);
  await assert.rejects(create('10.1.0.0/16', { TransitGatewayAttachmentId: first }), awsError('RouteAlreadyExists'));
  await assert.rejects(create('fd00::/8', { Blackhole: true }), awsError('UnsupportedOperation'));
  await assert.rejects(
    create('10.7.0.0/16', { Blackhole: true, TransitGatewayAttachmentId: first }),
    awsError('InvalidParameterCombination'),
  );
  await run('ReplaceTransitGatewayRoute', {
    TransitGatewayRouteTableId: tableId,
    DestinationCidrBlock: '10.8.0.0/16',
    TransitGatewayAttachmentId: first,
  });
  await run('DeleteTransitGatewayRoute', { TransitGatewayRouteTableId: tableId, DestinationCidrBlock: '10.1.0.0/16' });
  await run('DeleteTransitGatewayVpcAttachment', { TransitGatewayAttachmentId: second });
  assert.deepEqual(await routes(tableId), [
    '0.0.0.0/0 static blackhole',
    `10.1.0.0/16 propagated active ${first}`,
    `10.8.0.0/16 static active ${first}`,
  ]);
  // A propagated route is nobody's to delete.
  await assert.rejects(
    run('DeleteTransitGatewayRoute', { TransitGatewayRouteTableId: tableId, DestinationCidrBlock: '10.1.0.0/16' }),
    awsError('InvalidRoute.NotFound'),
  );
});

test('routes are searched by block, state, type and attachment', async () => {
  const { run, gateway, site, attach, table, pair, routes } = await makePlace();
  const id = await gateway(separate);
  const attachmentId = await attach(id, await site('10.1.0.0/16'));
  const tableId = await table(id);
  await run('EnableTransitGatewayRouteTablePropagation', pair(tableId, attachmentId));
  for (const DestinationCidrBlock of ['10.0.0.0/8', '10.1.4.0/24'])
    await run('CreateTransitGatewayRoute', { TransitGatewayRouteTableId: tableId, DestinationCidrBlock, Blackhole: true });
  const [wide, own, narrow] = ['10.0.0.0/8 static blackhole', `10.1.0.0/16 propagated active ${attachmentId}`, '10.1.4.0/24 static blackhole'];
  const search = (name: string, ...Values: string[]) => routes(tableId, { Name: name, Values });
  assert.deepEqual(await search('route-search.exact-match', '10.1.0.0/16'), [own]);
  assert.deepEqual(await search('route-search.longest-prefix-match', '10.1.4.7'), [narrow]);
  assert.deepEqual(await search('route-search.subnet-of-match', '10.1.0.0/16'), [own, narrow]);
  assert.deepEqual(await search('route-search.supernet-of-match', '10.1.4.0/24'), [wide, own, narrow]);
  assert.deepEqual(await search('type', 'propagated'), [own]);
  assert.deepEqual(await search('state', 'blackhole'), [wide, narrow]);
  assert.deepEqual(await search('attachment.transit-gateway-attachment-id', attachmentId), [own]);
  await assert.rejects(search('no-such', 'x'), awsError('InvalidParameterValue'));
  const noFilters = { TransitGatewayRouteTableId: tableId, Filters: [] };
  await assert.rejects(run('SearchTransitGatewayRoutes', noFilters), awsError('MissingParameter'));
}); // biome-ignore format: a table of searches

test('[Z4] an attachment is associated with one table at most, and propagates to any number', async () => {
  const { run, gateway, site, attach, table, pair } = await makePlace();
  const id = await gateway(separate);
  const attachmentId = await attach(id, await site('10.1.0.0/16'));
  const [one, other] = [await table(id), await table(id)];
  const associated = await run<AssociateTransitGatewayRouteTableResult>(
    'AssociateTransitGatewayRouteTable',
    pair(one, attachmentId),
  );
  assert.equal(associated.Association?.State, 'associating');
  await assert.rejects(
    run('AssociateTransitGatewayRouteTable', pair(other, attachmentId)),
    awsError(
      'Resource.AlreadyAssociated',
      `Transit Gateway Attachment ${attachmentId} is already associated to a route table.`,
    ),
  );
  await assert.rejects(
    run('DisassociateTransitGatewayRouteTable', pair(other, attachmentId)),
    awsError('InvalidAssociation.NotFound'),
  );
  for (const each of [one, other]) await run('EnableTransitGatewayRouteTablePropagation', pair(each, attachmentId));
  await assert.rejects(
    run('EnableTransitGatewayRouteTablePropagation', pair(one, attachmentId)),
    awsError('TransitGatewayRouteTablePropagation.Duplicate'),
  );
  const members = async (table: string) => {
    const input = { TransitGatewayRouteTableId: table };
    const { Associations } = await run<GetTransitGatewayRouteTableAssociationsResult>(
      'GetTransitGatewayRouteTableAssociations',
      input,
    );
    const { TransitGatewayRouteTablePropagations: propagations } =
      await run<GetTransitGatewayRouteTablePropagationsResult>('GetTransitGatewayRouteTablePropagations', input);
    return [Associations?.map((each) => each.State), propagations?.map((each) => each.State)];
  };
  assert.deepEqual(await members(one), [['associated'], ['enabled']]);
  assert.deepEqual(await members(other), [[], ['enabled']]);
  await assert.rejects(
    run('DeleteTransitGatewayRouteTable', { TransitGatewayRouteTableId: one }),
    awsError('IncorrectState'),
  );
  await run('DisassociateTransitGatewayRouteTable', pair(one, attachmentId));
  await run('DisableTransitGatewayRouteTablePropagation', pair(one, attachmentId));
  await assert.rejects(
    run('DisableTransitGatewayRouteTablePropagation', pair(one, attachmentId)),
    awsError('TransitGatewayRouteTablePropagation.NotFound'),
  );
  await run('DeleteTransitGatewayRouteTable', { TransitGatewayRouteTableId: one });
  const strange = await table(await gateway(separate));
  await assert.rejects(
    run('AssociateTransitGatewayRouteTable', pair(strange, attachmentId)),
    awsError('InvalidParameterValue'),
  );
});

test('[R6] [R8] a VPC’s route needs an attachment of that VPC, and is a blackhole when the attachment is gone', async () => {
  const { world, run, gateway, site, attach } = await makePlace();
  const id = await gateway();
  const a = await site('10.1.0.0/16');
  const RouteTableId = await makeRouteTable(world, a.vpcId);
  const route = { RouteTableId, DestinationCidrBlock: '0.0.0.0/0', TransitGatewayId: id };
  const missing = awsError('InvalidTransitGatewayID.NotFound', `The transitGateway ID '${id}' does not exist`);
  await assert.rejects(run('CreateRoute', route), missing);
  const attachmentId = await attach(id, a);
  await run('CreateRoute', route);
  await assert.rejects(
    run('CreateRoute', { RouteTableId, DestinationIpv6CidrBlock: '::/0', TransitGatewayId: id }),
    awsError('UnsupportedOperation'),
  );
  const shown = async () => {
    const found = await run<DescribeRouteTablesResult>('DescribeRouteTables', { RouteTableIds: [RouteTableId] });
    const led = found.RouteTables?.[0]?.Routes?.find((each) => each.TransitGatewayId);
    return [led?.TransitGatewayId, led?.State];
  };
  assert.deepEqual(await shown(), [id, 'active']);
  await run('DeleteTransitGatewayVpcAttachment', { TransitGatewayAttachmentId: attachmentId });
  assert.deepEqual(await shown(), [id, 'blackhole']);
});

test('what is still used is not deleted: the subnet of an attachment, the gateway of one, the default table', async () => {
  const { run, gateway, site, attach } = await makePlace();
  const id = await gateway();
  const a = await site('10.1.0.0/16');
  const attachmentId = await attach(id, a);
  await assert.rejects(run('DeleteSubnet', { SubnetId: a.subnetId }), awsError('DependencyViolation'));
  await assert.rejects(run('DeleteTransitGateway', { TransitGatewayId: id }), awsError('IncorrectState'));
  const { TransitGateways: [shown] = [] } = await run<DescribeTransitGatewaysResult>('DescribeTransitGateways');
  const TransitGatewayRouteTableId = shown?.Options?.AssociationDefaultRouteTableId;
  await assert.rejects(
    run('DeleteTransitGatewayRouteTable', { TransitGatewayRouteTableId }),
    awsError('IncorrectState'),
  );
  await run('DeleteTransitGatewayVpcAttachment', { TransitGatewayAttachmentId: attachmentId });
  // Clients wait until they see it.
  const { TransitGatewayVpcAttachments: [gone] = [] } = await run<DescribeTransitGatewayVpcAttachmentsResult>(
    'DescribeTransitGatewayVpcAttachments',
    { TransitGatewayAttachmentIds: [attachmentId] },
  );
  assert.equal(gone?.State, 'deleted');
  await run('DeleteSubnet', { SubnetId: a.subnetId });
  await run('DeleteTransitGateway', { TransitGatewayId: id });
  const left = await run<DescribeTransitGatewayRouteTablesResult>('DescribeTransitGatewayRouteTables');
  assert.deepEqual(left.TransitGatewayRouteTables, []);
  await assert.rejects(
    run('DescribeTransitGateways', { TransitGatewayIds: [id] }),
    awsError('InvalidTransitGatewayID.NotFound'),
  );
});

test('the default tables of a gateway are options that can be changed', async () => {
  const { run, gateway, site, attach, table, routes } = await makePlace();
  const id = await gateway();
  const tableId = await table(id);
  const modified = await run<ModifyTransitGatewayResult>('ModifyTransitGateway', {
    TransitGatewayId: id,
    Description: 'changed',
    Options: {
      DefaultRouteTableAssociation: 'disable',
      PropagationDefaultRouteTableId: tableId,
      DnsSupport: 'disable',
    },
  });
  const options = modified.TransitGateway?.Options;
  assert.deepEqual(
    [options?.DefaultRouteTableAssociation, options?.AssociationDefaultRouteTableId, options?.DnsSupport],
    ['disable', undefined, 'disable'],
  );
  assert.equal(options?.PropagationDefaultRouteTableId, tableId);
  const attachmentId = await attach(id, await site('10.1.0.0/16'));
  assert.deepEqual(await routes(tableId), [`10.1.0.0/16 propagated active ${attachmentId}`]);
  const { TransitGatewayAttachments: [shown] = [] } = await run<DescribeTransitGatewayAttachmentsResult>(
    'DescribeTransitGatewayAttachments',
  );
  assert.equal(shown?.Association, undefined);
});
