import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DescribeTagsResult } from '@aws-sdk/client-ec2';
import { awsError } from '../../testing.ts';
import { makeGateway, makeGroup, makeRouteTable, makeSubnet, makeVpc, makeWorld, type World } from './testing.ts';

const tagsOf = async (world: World, id: string) => {
  const Filters = [{ Name: 'resource-id', Values: [id] }];
  return (await world.run<DescribeTagsResult>('DescribeTags', { Filters })).Tags;
};

test('every kind of resource can be tagged on create and after', async () => {
  const world = makeWorld();
  const vpc = await makeVpc(world);
  const made: [string, string][] = [
    ['vpc', vpc],
    ['subnet', await makeSubnet(world, vpc)],
    ['route-table', await makeRouteTable(world, vpc)],
    ['internet-gateway', await makeGateway(world)],
    ['security-group', await makeGroup(world, vpc)],
    [
      'network-acl',
      (await world.run<{ NetworkAcl: { NetworkAclId: string } }>('CreateNetworkAcl', { VpcId: vpc })).NetworkAcl
        .NetworkAclId,
    ],
    ['elastic-ip', (await world.run<{ AllocationId: string }>('AllocateAddress')).AllocationId],
    [
      'vpc-endpoint',
      (
        await world.run<{ VpcEndpoint: { VpcEndpointId: string } }>('CreateVpcEndpoint', {
          VpcId: vpc,
          ServiceName: 'com.amazonaws.us-east-1.s3',
        })
      ).VpcEndpoint.VpcEndpointId,
    ],
  ];
  await world.run('CreateTags', { Resources: made.map(([, id]) => id), Tags: [{ Key: 'Name', Value: 'x' }] });
  for (const [ResourceType, ResourceId] of made)
    assert.deepEqual(await tagsOf(world, ResourceId), [{ ResourceType, ResourceId, Key: 'Name', Value: 'x' }]);
});

test('a tag is overwritten; with a value it goes only when it has that value', async () => {
  const world = makeWorld();
  const id = await makeVpc(world);
  const values = async () => (await tagsOf(world, id))?.map((tag) => `${tag.Key}=${tag.Value}`);
  const Resources = [id];
  await world.run('CreateTags', {
    Resources,
    Tags: [
      { Key: 'a', Value: '1' },
      { Key: 'b', Value: '' },
      { Key: 'c', Value: '3' },
    ],
  });
  await world.run('CreateTags', { Resources, Tags: [{ Key: 'a', Value: '2' }] });
  assert.deepEqual(await values(), ['a=2', 'b=', 'c=3']);
  await world.run('DeleteTags', {
    Resources,
    Tags: [
      { Key: 'a', Value: '1' },
      { Key: 'b', Value: '' },
    ],
  });
  assert.deepEqual(await values(), ['a=2', 'c=3']);
  await world.run('DeleteTags', { Resources, Tags: [{ Key: 'a' }] });
  assert.deepEqual(await values(), ['c=3']);
  await world.run('DeleteTags', { Resources });
  assert.deepEqual(await values(), []);
});

test('a call that names a missing resource tags none', async () => {
  const world = makeWorld();
  const id = await makeVpc(world);
  const Tags = [{ Key: 'a', Value: '1' }];
  await assert.rejects(
    world.run('CreateTags', { Resources: [id, 'vpc-00000000000000000'], Tags }),
    awsError('InvalidVpcID.NotFound'),
  );
  await assert.rejects(
    world.run('CreateTags', { Resources: [id, 'blah'], Tags }),
    awsError('InvalidID', "The ID 'blah' is not valid"),
  );
  await assert.rejects(
    world.run('CreateTags', { Tags }),
    awsError('MissingParameter', 'The request must contain the parameter resourceIdSet'),
  );
  assert.deepEqual(await tagsOf(world, id), []);
});

test('tags have limits: 50 per resource, 128 and 256 characters, aws: is reserved', async () => {
  const world = makeWorld();
  const id = await makeVpc(world);
  const tag = (...Tags: { Key?: string; Value?: string }[]) => world.run('CreateTags', { Resources: [id], Tags });
  await tag(...Array.from({ length: 50 }, (_, index) => ({ Key: `k${index}`, Value: '' })));
  await assert.rejects(tag({ Key: 'more', Value: '' }), awsError('TagLimitExceeded'));
  await tag({ Key: 'k0', Value: 'x'.repeat(256) });
  await assert.rejects(tag({ Key: 'k0', Value: 'x'.repeat(257) }), awsError('InvalidParameterValue'));
  await assert.rejects(tag({ Key: 'k'.repeat(129), Value: '' }), awsError('InvalidParameterValue'));
  await assert.rejects(
    tag({ Key: 'aws:x', Value: '' }),
    awsError('InvalidParameterValue', /reserved for internal use/),
  );
  await assert.rejects(tag({ Key: 'k0' }, { Key: 'k0' }), awsError('InvalidParameterValue', /Duplicate tag key/));
  await assert.rejects(tag({ Value: 'x' }), awsError('InvalidParameterValue'));
});

test('tag specifications are for the type that the call makes', async () => {
  const world = makeWorld();
  const create = (...TagSpecifications: object[]) =>
    world.run('CreateVpc', { CidrBlock: '10.0.0.0/16', TagSpecifications });
  const Tags = [{ Key: 'a', Value: 'b' }];
  await assert.rejects(
    create({ Tags }),
    awsError('InvalidParameter', 'Tag specification resource type must have a value'),
  );
  await assert.rejects(
    create({ ResourceType: 'vpc' }),
    awsError('InvalidParameter', 'Tag specification must have at least one tag'),
  );
  await assert.rejects(
    create({ ResourceType: 'subnet', Tags }),
    awsError('InvalidParameter', "'subnet' is not a valid taggable resource type for this operation."),
  );
  const made = await create({ ResourceType: 'vpc', Tags });
  assert.deepEqual((made.Vpc as { Tags: object[] }).Tags, Tags);
});

test('a key that every object has is a tag like any other', async () => {
  const world = makeWorld();
  const id = await makeVpc(world);
  await world.run('CreateTags', {
    Resources: [id],
    Tags: [
      { Key: '__proto__', Value: 'x' },
      { Key: 'constructor', Value: 'y' },
    ],
  });
  assert.deepEqual(
    (await tagsOf(world, id))?.map((tag) => tag.Key),
    ['__proto__', 'constructor'],
  );
});

test('a root volume is tagged like any other resource', async () => {
  const world = makeWorld();
  const run = { ImageId: 'ami-0abcdef1234567890', MinCount: 1, MaxCount: 1 };
  await world.run('RunInstances', run);
  const { Volumes } = await world.run<{ Volumes: { VolumeId: string }[] }>('DescribeVolumes');
  const id = Volumes[0]?.VolumeId ?? '';
  await world.run('CreateTags', { Resources: [id], Tags: [{ Key: 'kept', Value: 'yes' }, { Key: 'gone' }] });
  await world.run('DeleteTags', { Resources: [id], Tags: [{ Key: 'gone' }] });
  assert.deepEqual(await tagsOf(world, id), [{ ResourceId: id, ResourceType: 'volume', Key: 'kept', Value: 'yes' }]);
  const found = await world.run<{ Volumes: object[] }>('DescribeVolumes', {
    Filters: [{ Name: 'tag:kept', Values: ['yes'] }],
  });
  assert.equal(found.Volumes.length, 1);
  await assert.rejects(
    world.run('CreateTags', { Resources: ['vol-0123456789abcdef0'], Tags: [{ Key: 'a' }] }),
    awsError('InvalidVolume.NotFound', "The volume 'vol-0123456789abcdef0' does not exist."),
  );
});
