import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadService } from '../../catalogue/catalogue.ts';
import { render } from '../../edge/edge.ts';
import { awsError } from '../../testing.ts';
import { ec2 } from './index.ts';
import { type Nothing, nothings } from './nothing-of-that-kind.ts';
import { makeVpc, makeWorld } from './testing.ts';

const rows = Object.entries(nothings) as [string, Nothing][];

test('a row leaves the table when its kind can be made, and names members that there are', async () => {
  const service = loadService('ec2');
  const world = makeWorld();
  for (const [name, { maker, list, ids, notFound }] of rows) {
    assert.ok(service.operation(maker), `${maker} is no operation of EC2`);
    assert.equal(ec2.operations[maker], undefined, `${name}: ${maker} is served`);
    const model = service.operation(name);
    assert.ok(model, `${name} is no operation of EC2`);
    const output = await world.run(name);
    assert.deepEqual(output, { [list]: [] });
    // An output with a member that AWS has not would be rendered without it.
    const filled = String(render(model, { [list]: [{}] }, 'r').body);
    assert.match(filled, /<item>|<item\/>/, `${name}: ${list} is no list`);
    if (ids === undefined || notFound === undefined) continue;
    await assert.rejects(world.run(name, { [ids]: ['x-0123456789abcdef0'] }), awsError(notFound), name);
  }
});

test('no VPC has ClassicLink, and regions that came after EC2-Classic do not know it', async () => {
  const world = makeWorld();
  const vpc = await makeVpc(world);
  const { Vpcs } = await world.run<{ Vpcs: object[] }>('DescribeVpcClassicLink', { VpcIds: [vpc] });
  assert.deepEqual(Vpcs, [{ VpcId: vpc, ClassicLinkEnabled: false, Tags: [] }]);
  const enabled = { Filters: [{ Name: 'is-classic-link-enabled', Values: ['true'] }] };
  assert.deepEqual(await world.run('DescribeVpcClassicLink', enabled), { Vpcs: [] });
  await assert.rejects(
    world.run('DescribeVpcClassicLink', {}, { region: 'eu-central-1' }),
    awsError('UnsupportedOperation', 'The functionality you requested is not available in this region.'),
  );
  await assert.rejects(
    world.run('DescribeVpcClassicLink', { VpcIds: ['vpc-12345678'] }),
    awsError('InvalidVpcID.NotFound'),
  );
});
