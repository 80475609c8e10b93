import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  CreateVpcEndpointResult,
  DeleteVpcEndpointsResult,
  DescribeRouteTablesResult,
  DescribeVpcEndpointServicesResult,
  DescribeVpcEndpointsResult,
  VpcEndpoint,
} from '@aws-sdk/client-ec2';
import { awsError } from '../../testing.ts';
import { makeRouteTable, makeVpc, makeWorld } from './testing.ts';

const s3 = 'com.amazonaws.us-east-1.s3';
const defaultPolicy =
  '{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}';

async function makePlace() {
  const world = makeWorld();
  const VpcId = await makeVpc(world);
  const table = await makeRouteTable(world, VpcId);
  const create = async (input: object = {}): Promise<VpcEndpoint> => {
    const made = await world.run<CreateVpcEndpointResult>('CreateVpcEndpoint', { VpcId, ServiceName: s3, ...input });
    assert.ok(made.VpcEndpoint);
    return made.VpcEndpoint;
  };
  const shown = async (id: string | undefined): Promise<VpcEndpoint | undefined> =>
    (await world.run<DescribeVpcEndpointsResult>('DescribeVpcEndpoints', { VpcEndpointIds: [id] })).VpcEndpoints?.[0];
  const endpointRoutes = async (RouteTableId = table) => {
    const { RouteTables } = await world.run<DescribeRouteTablesResult>('DescribeRouteTables', {
      RouteTableIds: [RouteTableId],
    });
    return RouteTables?.[0]?.Routes?.filter((route) => route.DestinationPrefixListId);
  };
  return { world, VpcId, table, create, shown, endpointRoutes };
}

test('[V1] [V2] no type makes a Gateway endpoint, available at once, with the default policy (W10)', async () => {
  const { create, shown } = await makePlace();
  const made = await create();
  assert.deepEqual(
    [made.VpcEndpointType, made.State, made.PolicyDocument, made.RouteTableIds],
    ['Gateway', 'available', defaultPolicy, []],
  );
  assert.deepEqual(await shown(made.VpcEndpointId), made);
});

test('[W1] a selected table gets the route from the service’s prefix list to the endpoint', async () => {
  const { create, table, endpointRoutes } = await makePlace();
  const { VpcEndpointId } = await create({ RouteTableIds: [table] });
  assert.deepEqual(await endpointRoutes(), [
    { DestinationPrefixListId: 'pl-63a5400a', GatewayId: VpcEndpointId, Origin: 'CreateRoute', State: 'active' },
  ]);
});

test('[W4] a table has one endpoint per service; several endpoints per VPC are fine', async () => {
  const { world, VpcId, create, table, endpointRoutes } = await makePlace();
  await create({ RouteTableIds: [table] });
  await assert.rejects(
    create({ RouteTableIds: [table] }),
    awsError(
      'RouteAlreadyExists',
      `route table ${table} already has a route with destination-prefix-list-id pl-63a5400a`,
    ),
  );
  await create({ RouteTableIds: [await makeRouteTable(world, VpcId)] });
  await create({ RouteTableIds: [table], ServiceName: 'com.amazonaws.us-east-1.dynamodb' });
  assert.deepEqual(
    (await endpointRoutes())?.map((route) => route.DestinationPrefixListId),
    ['pl-63a5400a', 'pl-02cd2c6b'],
  );
});

test('[W5] [V1] [V3] [V5] only services of the region, each by its own types; types that are not carried are refused by name', async () => {
  const { create } = await makePlace();
  const unknown = (name: string) => awsError('InvalidServiceName', `The Vpc Endpoint Service '${name}' does not exist`);
  for (const ServiceName of ['com.amazonaws.eu-west-1.s3', 'com.amazonaws.us-east-1.nothing', 's3'])
    await assert.rejects(create({ ServiceName }), unknown(ServiceName));
  await assert.rejects(
    create({ ServiceName: 'com.amazonaws.us-east-1.ssm' }),
    awsError('InvalidParameter', 'Endpoint type (Gateway) does not match available service types ([Interface]).'),
  );
  for (const VpcEndpointType of ['GatewayLoadBalancer', 'Resource', 'ServiceNetwork'])
    await assert.rejects(
      create({ VpcEndpointType }),
      awsError('UnsupportedOperation', new RegExp(`type ${VpcEndpointType}`)),
    );
  await assert.rejects(create({ VpcEndpointType: 'Nothing' }), awsError('InvalidVpcEndpointType'));
  const onlyInterface = 'Subnet IDs are only supported for Interface and GatewayLoadBalancer type VPC Endpoints.';
  await assert.rejects(create({ SubnetIds: ['subnet-1'] }), awsError('InvalidParameter', onlyInterface));
  await assert.rejects(create({ PrivateDnsEnabled: true }), awsError('InvalidParameter'));
});

test('[R10] the endpoint’s route is neither replaced nor deleted with the route calls', async () => {
  const { world, create, table: RouteTableId, endpointRoutes } = await makePlace();
  await create({ RouteTableIds: [RouteTableId] });
  const route = { RouteTableId, DestinationPrefixListId: 'pl-63a5400a' };
  await assert.rejects(
    world.run('DeleteRoute', route),
    awsError('InvalidParameterValue', `cannot remove VPC endpoint route pl-63a5400a in route table ${RouteTableId}`),
  );
  await assert.rejects(
    world.run('ReplaceRoute', { ...route, GatewayId: 'igw-00000000' }),
    awsError('InvalidParameterValue'),
  );
  assert.equal((await endpointRoutes())?.length, 1);
});

test('[R10] ModifyVpcEndpoint adds and removes tables, and with them the routes', async () => {
  const { world, VpcId, create, table, shown, endpointRoutes } = await makePlace();
  const { VpcEndpointId } = await create();
  const other = await makeRouteTable(world, VpcId);
  const modify = (input: object) => world.run('ModifyVpcEndpoint', { VpcEndpointId, ...input });
  await modify({ AddRouteTableIds: [table] });
  await modify({ AddRouteTableIds: [other], RemoveRouteTableIds: [table] });
  assert.deepEqual([await endpointRoutes(), (await endpointRoutes(other))?.length], [[], 1]);
  assert.deepEqual((await shown(VpcEndpointId))?.RouteTableIds, [other]);
  await assert.rejects(modify({ RemoveRouteTableIds: [table] }), awsError('InvalidParameter'));
  await assert.rejects(modify({ AddRouteTableIds: [other] }), awsError('RouteAlreadyExists'));
  const foreign = await makeRouteTable(world, await makeVpc(world));
  await assert.rejects(modify({ AddRouteTableIds: [foreign] }), awsError('InvalidParameter'));
  await assert.rejects(modify({ AddRouteTableIds: ['rtb-00000000'] }), awsError('InvalidRouteTableID.NotFound'));
});

test('[W10] a policy is kept as written, checked, limited in size and reset', async () => {
  const { world, create, shown } = await makePlace();
  const { VpcEndpointId } = await create();
  const modify = (input: object) => world.run('ModifyVpcEndpoint', { VpcEndpointId, ...input });
  const policy = '{ "Statement": [ {"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"} ] }';
  await modify({ PolicyDocument: policy });
  assert.equal((await shown(VpcEndpointId))?.PolicyDocument, policy);
  const huge = policy.replace('{ ', `{ ${' '.repeat(20480)}`);
  for (const PolicyDocument of ['nonsense', '{}', '[]', '{"Statement":[{"Effect":"Maybe"}]}', huge])
    await assert.rejects(modify({ PolicyDocument }), awsError('InvalidPolicyDocument'), PolicyDocument.slice(0, 40));
  await assert.rejects(create({ PolicyDocument: 'nonsense' }), awsError('InvalidPolicyDocument'));
  await assert.rejects(modify({ PolicyDocument: policy, ResetPolicy: true }), awsError('InvalidParameterCombination'));
  await modify({ ResetPolicy: true });
  assert.equal((await shown(VpcEndpointId))?.PolicyDocument, defaultPolicy);
});

test('[W11] [V5] deleting removes the routes; ids that cannot be deleted are listed', async () => {
  const { world, create, table, shown, endpointRoutes } = await makePlace();
  const { VpcEndpointId } = await create({ RouteTableIds: [table] });
  const ids = [VpcEndpointId, 'vpce-00000000000000000', 'nonsense'];
  const { Unsuccessful } = await world.run<DeleteVpcEndpointsResult>('DeleteVpcEndpoints', { VpcEndpointIds: ids });
  assert.deepEqual(
    Unsuccessful?.map((one) => [one.ResourceId, one.Error?.Code]),
    [
      ['vpce-00000000000000000', 'InvalidVpcEndpointId.NotFound'],
      ['nonsense', 'InvalidVpcEndpointId.Malformed'],
    ],
  );
  assert.deepEqual(await endpointRoutes(), []);
  await assert.rejects(
    shown(VpcEndpointId),
    awsError('InvalidVpcEndpointId.NotFound', `The Vpc Endpoint Id '${VpcEndpointId}' does not exist`),
  );
});

test('an endpoint forgets a route table that is deleted', async () => {
  const { world, create, table, shown } = await makePlace();
  const { VpcEndpointId } = await create({ RouteTableIds: [table] });
  await world.run('DeleteRouteTable', { RouteTableId: table });
  assert.deepEqual((await shown(VpcEndpointId))?.RouteTableIds, []);
});

test('a create with the same token answers with the same endpoint', async () => {
  const { create } = await makePlace();
  const first = await create({ ClientToken: 'x' });
  assert.equal((await create({ ClientToken: 'x' })).VpcEndpointId, first.VpcEndpointId);
  await assert.rejects(
    create({ ClientToken: 'x', ServiceName: 'com.amazonaws.us-east-1.dynamodb' }),
    awsError('IdempotentParameterMismatch'),
  );
});

test('[V1] [X7] the services are AWS’s, in the region of the call, once per type', async () => {
  const { world } = await makePlace();
  const services = (input: object, region = 'us-east-1') =>
    world.run<DescribeVpcEndpointServicesResult>('DescribeVpcEndpointServices', input, { region });
  const gateways = await services({ Filters: [{ Name: 'service-type', Values: ['Gateway'] }] }, 'eu-west-1');
  assert.deepEqual(gateways.ServiceNames, ['com.amazonaws.eu-west-1.dynamodb', 'com.amazonaws.eu-west-1.s3']);
  const { ServiceDetails: s3Both } = await services({ ServiceNames: ['com.amazonaws.us-east-1.s3'] });
  assert.deepEqual(
    s3Both?.map((one) => [one.ServiceType?.[0]?.ServiceType, one.BaseEndpointDnsNames, one.PrivateDnsNames?.length]),
    [
      ['Gateway', ['s3.us-east-1.amazonaws.com'], undefined],
      ['Interface', ['s3.us-east-1.vpce.amazonaws.com'], 6],
    ],
  );
  const { ServiceDetails } = await services({ ServiceNames: ['com.amazonaws.us-east-1.ssm'] });
  const { ServiceId, ...ssm } = ServiceDetails?.[0] ?? {};
  assert.match(ServiceId ?? '', /^vpce-svc-0[0-9a-f]{16}$/);
  const zones = ['us-east-1a', 'us-east-1b', 'us-east-1c', 'us-east-1d', 'us-east-1e', 'us-east-1f'];
  assert.deepEqual(ssm, {
    ServiceName: 'com.amazonaws.us-east-1.ssm',
    ServiceType: [{ ServiceType: 'Interface' }],
    ServiceRegion: 'us-east-1',
    AvailabilityZones: zones,
    AvailabilityZoneIds: [1, 2, 3, 4, 5, 6].map((n) => `use1-az${n}`),
    Owner: 'amazon',
    BaseEndpointDnsNames: ['ssm.us-east-1.vpce.amazonaws.com'],
    PrivateDnsName: 'ssm.us-east-1.amazonaws.com',
    PrivateDnsNames: [{ PrivateDnsName: 'ssm.us-east-1.amazonaws.com' }],
    PrivateDnsNameVerificationState: 'verified',
    VpcEndpointPolicySupported: true,
    AcceptanceRequired: false,
    ManagesVpcEndpoints: false,
    SupportedIpAddressTypes: ['ipv4'],
    Tags: [],
  });
  const seen: string[] = [];
  let NextToken: string | undefined;
  do {
    const page = await services({ MaxResults: 100, ...(NextToken && { NextToken }) });
    seen.push(...(page.ServiceNames ?? []));
    NextToken = page.NextToken;
  } while (NextToken);
  for (const name of ['ec2', 'sts', 's3', 'ssm', 'ssmmessages', 'ec2messages', 'logs', 'kms', 'ecr.dkr', 'account'])
    assert.ok(seen.includes(`com.amazonaws.us-east-1.${name}`), name);
  assert.ok(seen.includes('com.amazonaws.iam') && seen.length > 300 && seen.length === new Set(seen).size + 2);
  await assert.rejects(
    world.run('DescribeVpcEndpointServices', { ServiceNames: ['x'] }),
    awsError('InvalidServiceName'),
  );
});
