import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awsError } from '../../testing.ts';
import { makeGateway, makeSubnet, makeVpc, makeWorld, putInterface, type World } from './testing.ts';

async function makePlace() {
  const world = makeWorld();
  const vpcId = await makeVpc(world);
  await makeGateway(world, vpcId);
  return { world, vpcId, subnetId: await makeSubnet(world, vpcId) };
}

type Place = Awaited<ReturnType<typeof makePlace>>;

/** An instance that got its public address at launch. */
function launched({ world, vpcId, subnetId }: Place, address = '10.0.0.4', state: 'running' | 'stopped' = 'running') {
  const autoPublicIp = '198.19.0.50';
  const ids = putInterface(world, vpcId, subnetId, address, { instance: state, autoPublicIp });
  world.store.transact((tx) => {
    const row = tx.get('instance', ids.instanceId);
    if (row) tx.put('instance', { ...row, assignsPublicIp: true });
  });
  return ids;
}

function publicOf(world: World, networkInterfaceId: string): string | undefined {
  return world.store.read(
    (tx) => tx.get('network-interface', networkInterfaceId)?.privateAddresses[0]?.autoPublicIp?.publicIp,
  );
}

async function elastic({ world }: Place, NetworkInterfaceId: string): Promise<string> {
  const { AllocationId } = await world.run<{ AllocationId: string }>('AllocateAddress');
  const made = await world.run<{ AssociationId: string }>('AssociateAddress', { AllocationId, NetworkInterfaceId });
  return made.AssociationId;
}

test('[4.2] a running instance that was launched with a public address gets another when its Elastic IP goes', async () => {
  const place = await makePlace();
  const { networkInterfaceId } = launched(place);
  const AssociationId = await elastic(place, networkInterfaceId);
  assert.equal(publicOf(place.world, networkInterfaceId), undefined);
  await place.world.run('DisassociateAddress', { AssociationId });
  assert.match(publicOf(place.world, networkInterfaceId) ?? '', /^198\.19\./);
  assert.notEqual(publicOf(place.world, networkInterfaceId), '198.19.0.50');
});

test('[4.2] also when the Elastic IP moves to another instance', async () => {
  const place = await makePlace();
  const [from, to] = [launched(place, '10.0.0.4'), launched(place, '10.0.0.5')];
  const { AllocationId } = await place.world.run<{ AllocationId: string }>('AllocateAddress');
  await place.world.run('AssociateAddress', { AllocationId, NetworkInterfaceId: from.networkInterfaceId });
  await place.world.run('AssociateAddress', { AllocationId, NetworkInterfaceId: to.networkInterfaceId });
  assert.match(publicOf(place.world, from.networkInterfaceId) ?? '', /^198\.19\./);
  assert.equal(publicOf(place.world, to.networkInterfaceId), undefined);
});

test('[4.2] not while it is stopped, nor when it was launched without one, nor with a second interface', async () => {
  const place = await makePlace();
  const stopped = launched(place, '10.0.0.4', 'stopped');
  const without = putInterface(place.world, place.vpcId, place.subnetId, '10.0.0.5', { instance: 'running' });
  const two = launched(place, '10.0.0.6');
  place.world.store.transact((tx) => {
    const first = tx.get('network-interface', two.networkInterfaceId);
    if (!first?.attachment) throw new Error('there is one');
    const id = tx.newId('eni');
    tx.put('network-interface', {
      ...first,
      id,
      privateAddresses: [{ address: '10.0.0.66', primary: true }],
      attachment: { ...first.attachment, attachmentId: tx.newId('eni-attach'), deviceIndex: 1 },
    });
  });
  for (const { networkInterfaceId } of [stopped, without, two]) {
    const AssociationId = await elastic(place, networkInterfaceId);
    await place.world.run('DisassociateAddress', { AssociationId });
    assert.equal(publicOf(place.world, networkInterfaceId), undefined);
  }
});

test('AssociatePublicIpAddress gives and takes the public address of a primary interface, whatever the launch said', async () => {
  const place = await makePlace();
  const { world } = place;
  const ids = putInterface(world, place.vpcId, place.subnetId, '10.0.0.4', { instance: 'running' });
  const NetworkInterfaceId = ids.networkInterfaceId;
  const modify = (AssociatePublicIpAddress: boolean) =>
    world.run('ModifyNetworkInterfaceAttribute', { NetworkInterfaceId, AssociatePublicIpAddress });
  const says = async () =>
    (
      await world.run<{ AssociatePublicIpAddress?: boolean }>('DescribeNetworkInterfaceAttribute', {
        NetworkInterfaceId,
        Attribute: 'associatePublicIpAddress',
      })
    ).AssociatePublicIpAddress;
  await modify(true);
  assert.match(publicOf(world, NetworkInterfaceId) ?? '', /^198\.19\./);
  assert.equal(await says(), true);
  await modify(false);
  assert.equal(publicOf(world, NetworkInterfaceId), undefined);
  assert.equal(await says(), false);
  await assert.rejects(
    world.run('ModifyNetworkInterfaceAttribute', {
      NetworkInterfaceId,
      AssociatePublicIpAddress: true,
      SourceDestCheck: { Value: false },
    }),
    awsError('InvalidParameterCombination'),
  );
});

test('an interface that is attached to nothing remembers AssociatePublicIpAddress and has no public address yet', async () => {
  const place = await makePlace();
  const { networkInterfaceId: NetworkInterfaceId } = putInterface(place.world, place.vpcId, place.subnetId, '10.0.0.4');
  await place.world.run('ModifyNetworkInterfaceAttribute', { NetworkInterfaceId, AssociatePublicIpAddress: true });
  assert.equal(publicOf(place.world, NetworkInterfaceId), undefined);
  const input = {
    ImageId: 'ami-0abcdef1234567890',
    MinCount: 1,
    MaxCount: 1,
    NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId }],
  };
  await place.world.run('RunInstances', input);
  assert.match(publicOf(place.world, NetworkInterfaceId) ?? '', /^198\.19\./);
});
