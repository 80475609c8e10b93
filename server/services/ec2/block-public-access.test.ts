import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  CreateVpcResult,
  DescribeSubnetsResult,
  DescribeVpcBlockPublicAccessExclusionsResult,
  DescribeVpcsResult,
  VpcBlockPublicAccessExclusion,
  VpcBlockPublicAccessOptions,
} from '@aws-sdk/client-ec2';
import { buildSnapshot } from '../../control/snapshot.ts';
import { awsError } from '../../testing.ts';
import { makeSubnet, makeVpc, makeWorld } from './testing.ts';

async function makePlace() {
  const world = makeWorld();
  const vpcId = await makeVpc(world);
  const subnetId = await makeSubnet(world, vpcId);
  const set = async (InternetGatewayBlockMode: string) =>
    (
      await world.run<{ VpcBlockPublicAccessOptions: VpcBlockPublicAccessOptions }>(
        'ModifyVpcBlockPublicAccessOptions',
        { InternetGatewayBlockMode },
      )
    ).VpcBlockPublicAccessOptions;
  const options = async () =>
    (
      await world.run<{ VpcBlockPublicAccessOptions: VpcBlockPublicAccessOptions }>(
        'DescribeVpcBlockPublicAccessOptions',
      )
    ).VpcBlockPublicAccessOptions;
  const exclude = async (input: object) =>
    (
      await world.run<{ VpcBlockPublicAccessExclusion: VpcBlockPublicAccessExclusion }>(
        'CreateVpcBlockPublicAccessExclusion',
        input,
      )
    ).VpcBlockPublicAccessExclusion;
  /** As the API shows it, and as the network has it. */
  const inForce = async () => {
    const { Subnets } = await world.run<DescribeSubnetsResult>('DescribeSubnets', { SubnetIds: [subnetId] });
    const vpc = world.store.read((tx) => buildSnapshot(tx, 1)).vpcs.find((one) => one.vpcId === vpcId);
    const carried = vpc?.subnets.find((one) => one.subnetId === subnetId)?.blockPublicAccess ?? 'off';
    assert.equal(Subnets?.[0]?.BlockPublicAccessStates?.InternetGatewayBlockMode, carried);
    return carried;
  };
  return { world, vpcId, subnetId, set, options, exclude, inForce };
}

test('[BPA] off by default; a mode holds for every VPC of the account in the Region', async () => {
  const { world, set, options, inForce, vpcId } = await makePlace();
  const before = await options();
  assert.deepEqual(
    [before.State, before.InternetGatewayBlockMode, before.ManagedBy],
    ['default-state', 'off', 'account'],
  );
  assert.equal(await inForce(), 'off');
  assert.equal((await set('block-bidirectional')).State, 'update-in-progress');
  const now = await options();
  assert.deepEqual([now.State, now.InternetGatewayBlockMode], ['update-complete', 'block-bidirectional']);
  assert.equal(await inForce(), 'block-bidirectional');
  const { Vpcs } = await world.run<DescribeVpcsResult>('DescribeVpcs', { VpcIds: [vpcId] });
  assert.equal(Vpcs?.[0]?.BlockPublicAccessStates?.InternetGatewayBlockMode, 'block-bidirectional');
  // Told by Describe alone.
  const made = await world.run<CreateVpcResult>('CreateVpc', { CidrBlock: '10.9.0.0/16' });
  assert.equal(made.Vpc?.BlockPublicAccessStates, undefined);
  await assert.rejects(set('block-egress'), awsError('InvalidParameterValue'));
  await set('off');
  assert.equal(await inForce(), 'off');
});

test('[BPA] exclusions of a subnet or its VPC; egress-only ones count in bidirectional mode alone', async () => {
  const { world, vpcId, subnetId, set, exclude, inForce } = await makePlace();
  await set('block-ingress');
  const made = await exclude({ SubnetId: subnetId, InternetGatewayExclusionMode: 'allow-egress' });
  assert.match(made.ExclusionId ?? '', /^vpcbpa-exclude-[0-9a-f]{17}$/);
  assert.equal(made.State, 'create-in-progress');
  assert.equal(await inForce(), 'block-ingress');
  await set('block-bidirectional');
  assert.equal(await inForce(), 'block-ingress');
  await world.run('ModifyVpcBlockPublicAccessExclusion', {
    ExclusionId: made.ExclusionId,
    InternetGatewayExclusionMode: 'allow-bidirectional',
  });
  assert.equal(await inForce(), 'off');
  await world.run('DeleteVpcBlockPublicAccessExclusion', { ExclusionId: made.ExclusionId });
  assert.equal(await inForce(), 'block-bidirectional');
  await exclude({ VpcId: vpcId, InternetGatewayExclusionMode: 'allow-bidirectional' });
  assert.equal(await inForce(), 'off');
});

test('[BPA] exclusions are described, tagged and filtered, one per resource, and go with it', async () => {
  const { world, subnetId, vpcId, exclude } = await makePlace();
  const mode = { InternetGatewayExclusionMode: 'allow-bidirectional' };
  const TagSpecifications = [{ ResourceType: 'vpc-block-public-access-exclusion', Tags: [{ Key: 'a', Value: 'b' }] }];
  const { ExclusionId, ResourceArn } = await exclude({ SubnetId: subnetId, ...mode, TagSpecifications });
  assert.match(ResourceArn ?? '', new RegExp(`:subnet/${subnetId}$`));
  const list = async (input: object = {}) =>
    (await world.run<DescribeVpcBlockPublicAccessExclusionsResult>('DescribeVpcBlockPublicAccessExclusions', input))
      .VpcBlockPublicAccessExclusions;
  const [shown] =
    (await list({
      Filters: [
        { Name: 'resource-arn', Values: [ResourceArn] },
        { Name: 'tag:a', Values: ['b'] },
      ],
    })) ?? [];
  assert.deepEqual([shown?.ExclusionId, shown?.State], [ExclusionId, 'create-complete']);
  await assert.rejects(exclude({ SubnetId: subnetId, ...mode }), awsError('ResourceAlreadyExists'));
  await assert.rejects(exclude({ SubnetId: subnetId, VpcId: vpcId, ...mode }), awsError('InvalidParameterCombination'));
  await assert.rejects(exclude({ ...mode }), awsError('MissingParameter'));
  await assert.rejects(
    exclude({ VpcId: vpcId, InternetGatewayExclusionMode: 'allow-all' }),
    awsError('InvalidParameterValue'),
  );
  await assert.rejects(
    list({ ExclusionIds: ['vpcbpa-exclude-00000000000000000'] }),
    awsError('InvalidVpcBlockPublicAccessExclusionId.NotFound'),
  );
  await world.run('DeleteSubnet', { SubnetId: subnetId });
  assert.deepEqual(await list(), []);
});
