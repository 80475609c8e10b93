import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DescribeSubnetsResult, DescribeVpcsResult } from '@aws-sdk/client-ec2';
import { awsError, runOperation } from '../../testing.ts';
import { wildcard } from './filters.ts';
import { ec2 } from './index.ts';
import { makeVpc, makeWorld, type World } from './testing.ts';

async function named(world: World, cidr: string, name: string): Promise<string> {
  const { Vpc } = await world.run<{ Vpc: { VpcId: string } }>('CreateVpc', {
    CidrBlock: cidr,
    TagSpecifications: [{ ResourceType: 'vpc', Tags: [{ Key: 'Name', Value: name }] }],
  });
  return Vpc.VpcId;
}

const found = async (world: World, ...Filters: { Name?: string; Values?: string[] }[]) =>
  (await world.run<DescribeVpcsResult>('DescribeVpcs', { Filters })).Vpcs?.map((vpc) => vpc.VpcId);

test('filters are joined by AND, their values by OR', async () => {
  const world = makeWorld();
  const a = await named(world, '10.0.0.0/16', 'a');
  const b = await named(world, '10.1.0.0/16', 'b');
  assert.deepEqual(await found(world, { Name: 'tag:Name', Values: ['a', 'b'] }), [a, b]);
  assert.deepEqual(
    await found(world, { Name: 'tag:Name', Values: ['a', 'b'] }, { Name: 'cidr', Values: ['10.1.0.0/16'] }),
    [b],
  );
  assert.deepEqual(await found(world, { Name: 'tag-key', Values: ['Name'] }), [a, b]);
  assert.deepEqual(await found(world, { Name: 'tag:name', Values: ['a'] }), []);
});

test('* and ? are wildcards, a backslash takes their meaning away, and nothing else is special', () => {
  const cases: [string, string, boolean][] = [
    ['10.*', '10.0.0.0/16', true],
    ['10.*', '1000', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a\\*', 'a*', true],
    ['a\\*', 'ab', false],
    ['*(x|y)*', '1(x|y)2', true],
    ['*(x|y)*', 'x', false],
    ['*', '', true],
    ['a*b', 'a\nb', true],
  ];
  for (const [pattern, value, expected] of cases)
    assert.equal(wildcard(pattern)(value), expected, `${pattern} ${value}`);
});

test('a pattern that would take a regular expression for ever is answered', () => {
  assert.equal(wildcard(`${'*a'.repeat(100)}*b`)('a'.repeat(5000)), false);
});

test('an unknown filter is refused, not ignored', async () => {
  const world = makeWorld();
  await assert.rejects(
    found(world, { Name: 'colour', Values: ['red'] }),
    awsError('InvalidParameterValue', "The filter 'colour' is invalid"),
  );
  await assert.rejects(found(world, { Name: 'constructor', Values: ['x'] }), awsError('InvalidParameterValue'));
  await assert.rejects(
    found(world, { Values: ['x'] }),
    awsError('InvalidParameterValue', "The filter 'null' is invalid"),
  );
});

test('pages join to the whole, also when a row of an earlier page goes between them', async () => {
  const world = makeWorld();
  const ids = [];
  for (let index = 0; index < 12; index += 1) ids.push(await makeVpc(world, `10.${index}.0.0/16`));
  const page = (NextToken?: string) =>
    world.run<DescribeVpcsResult>('DescribeVpcs', {
      MaxResults: 5,
      NextToken,
      Filters: [{ Name: 'cidr', Values: ['10.*'] }],
    });
  const first = await page();
  assert.deepEqual(
    first.Vpcs?.map((vpc) => vpc.VpcId),
    ids.slice(0, 5),
  );
  await world.run('DeleteVpc', { VpcId: ids[1] });
  const second = await page(first.NextToken);
  assert.deepEqual(
    second.Vpcs?.map((vpc) => vpc.VpcId),
    ids.slice(5, 10),
  );
  const third = await page(second.NextToken);
  assert.deepEqual(
    third.Vpcs?.map((vpc) => vpc.VpcId),
    ids.slice(10),
  );
  assert.equal(third.NextToken, undefined);
});

test('MaxResults has bounds, a token must be one of ours, and ids are not paged', async () => {
  const world = makeWorld();
  const VpcId = await makeVpc(world);
  await assert.rejects(
    world.run('DescribeVpcs', { MaxResults: 4 }),
    awsError('InvalidParameterValue', /Value \( 4 \) for parameter maxResults is invalid/),
  );
  await assert.rejects(world.run('DescribeVpcs', { MaxResults: 1001 }), awsError('InvalidParameterValue'));
  for (const NextToken of [
    'nonsense',
    Buffer.from('[-1,"x"]').toString('base64url'),
    Buffer.from('{}').toString('base64url'),
  ])
    await assert.rejects(world.run('DescribeVpcs', { NextToken }), awsError('InvalidNextToken'));
  await assert.rejects(
    world.run('DescribeVpcs', { VpcIds: [VpcId], MaxResults: 5 }),
    awsError('InvalidParameterCombination', 'The parameter vpcSet cannot be used with the parameter maxResults'),
  );
});

test('every kind of Describe takes the tag filters and refuses an unknown one', async () => {
  const world = makeWorld();
  const describes = [
    'DescribeVpcs', 'DescribeSubnets', 'DescribeRouteTables', 'DescribeInternetGateways', 'DescribeSecurityGroups',
    'DescribeSecurityGroupRules', 'DescribeNetworkAcls', 'DescribeAddresses', 'DescribeManagedPrefixLists', 'DescribeVpcEndpoints',
    'DescribeDhcpOptions',
  ]; // biome-ignore format: a list
  for (const name of describes) {
    const output = await world.run(name, { Filters: [{ Name: 'tag:none', Values: ['*'] }] });
    assert.deepEqual(Object.values(output)[0], [], name);
    await assert.rejects(
      world.run(name, { Filters: [{ Name: 'colour', Values: ['x'] }] }),
      awsError('InvalidParameterValue'),
    );
  }
});

test('a token is good for one input: the same answer again, another input refused', async () => {
  const world = makeWorld();
  const VpcId = await makeVpc(world);
  const make = (input: object) =>
    world.run<{ RouteTable: { RouteTableId: string } }>('CreateRouteTable', { VpcId, ...input });
  const first = await make({ ClientToken: 'one' });
  assert.equal((await make({ ClientToken: 'one' })).RouteTable.RouteTableId, first.RouteTable.RouteTableId);
  assert.notEqual((await make({ ClientToken: 'two' })).RouteTable.RouteTableId, first.RouteTable.RouteTableId);
  const other = await makeVpc(world);
  await assert.rejects(make({ VpcId: other, ClientToken: 'one' }), awsError('IdempotentParameterMismatch'));
  await world.run('DeleteRouteTable', { RouteTableId: first.RouteTable.RouteTableId });
  assert.notEqual((await make({ ClientToken: 'one' })).RouteTable.RouteTableId, first.RouteTable.RouteTableId);
});

test('the answer for 1,000 subnets does not grow with the square of their number', async () => {
  const world = makeWorld();
  const vpcs = [];
  for (let index = 0; index < 5; index += 1) vpcs.push(await makeVpc(world));
  world.store.transact((tx) => {
    const [model] = tx.list('subnet');
    assert.ok(model);
    for (let index = 0; index < 1000; index += 1)
      tx.put('subnet', { ...model, id: tx.newId('subnet'), defaultForAz: false });
  });
  let reads = 0;
  const listed = countLists(world, () => {
    reads += 1;
  });
  const { Subnets } = await listed.run<DescribeSubnetsResult>('DescribeSubnets', {
    Filters: [{ Name: 'available-ip-address-count', Values: ['4091'] }],
  });
  assert.equal(Subnets?.length, 1006);
  assert.ok(reads < 10, `rows were listed ${reads} times`);
});

/** The same world, telling how often a handler lists rows. */
function countLists(world: World, tell: () => void): World {
  const store = Object.create(world.store, {
    transact: {
      value: (work: (tx: object) => unknown) =>
        world.store.transact((tx) =>
          work({
            ...Object.fromEntries(
              (['get', 'put', 'delete', 'newId'] as const).map((name) => [
                name,
                (tx[name] as (...all: unknown[]) => unknown).bind(tx),
              ]),
            ),
            list: (...all: Parameters<typeof tx.list>) => {
              tell();
              return tx.list(...all);
            },
          }),
        ),
    },
  }) as World['store'];
  return { store, run: (name, input = {}, overrides = {}) => runOperation(store, ec2, name, input, overrides) };
}

test('a token older than a day is free again', async () => {
  const world = makeWorld();
  const VpcId = await makeVpc(world);
  const make = (day: number) =>
    world.run<{ RouteTable: { RouteTableId: string } }>(
      'CreateRouteTable',
      { VpcId, ClientToken: 'one' },
      { now: new Date(Date.UTC(2026, 10, day)) },
    );
  const first = await make(1);
  assert.notEqual((await make(3)).RouteTable.RouteTableId, first.RouteTable.RouteTableId);
  assert.equal(
    world.store.read((tx) => tx.list('ec2-idempotency').length),
    1,
  );
});
