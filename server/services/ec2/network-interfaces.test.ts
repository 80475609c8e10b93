import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  AssignPrivateIpAddressesResult,
  CreateNetworkInterfaceResult,
  DescribeInstancesResult,
  DescribeNetworkInterfacesResult,
  NetworkInterface,
  Reservation,
} from '@aws-sdk/client-ec2';
import type { Store } from '../../store/store.ts';
import { awsError, makeStore, runOperation, testNow } from '../../testing.ts';
import { ensureRegion } from './default-vpc.ts';
import { ec2 } from './index.ts';

const account = '123456789012';

async function world() {
  const store = makeStore((tx) => {
    ensureRegion(tx, account, 'us-east-1', testNow);
  });
  const [subnet, other] = store.read((tx) => tx.list('subnet'));
  assert.ok(subnet && other);
  const call = <O = Record<string, unknown>>(name: string, input: object) => runOperation<O>(store, ec2, name, input);
  const create = async (input: object = {}): Promise<NetworkInterface & { NetworkInterfaceId: string }> => {
    const { NetworkInterface: made } = await call<CreateNetworkInterfaceResult>('CreateNetworkInterface', {
      SubnetId: subnet.id,
      ...input,
    });
    assert.ok(made?.NetworkInterfaceId);
    return { ...made, NetworkInterfaceId: made.NetworkInterfaceId };
  };
  const one = async (id: string): Promise<NetworkInterface> => {
    const { NetworkInterfaces } = await call<DescribeNetworkInterfacesResult>('DescribeNetworkInterfaces', {
      NetworkInterfaceIds: [id],
    });
    assert.ok(NetworkInterfaces?.[0]);
    return NetworkInterfaces[0];
  };
  return { store, subnet, other, call, create, one };
}

async function runningInstance(store: Store, input: object = {}): Promise<string> {
  const request = { ImageId: 'ami-0123456789abcdef0', InstanceType: 't3.small', MinCount: 1, MaxCount: 1, ...input };
  const { Instances } = await runOperation<Reservation>(store, ec2, 'RunInstances', request);
  const id = Instances?.[0]?.InstanceId;
  assert.ok(id);
  store.transact((tx) => {
    const row = tx.get('instance', id);
    if (row) tx.put('instance', { ...row, state: 'running' });
  });
  return id;
}

test('an interface has a free address, the default group, a MAC of its own and the source/destination check [R15]', async () => {
  const { create, subnet } = await world();
  const a = await create();
  const b = await create({ Description: 'second', SecondaryPrivateIpAddressCount: 2 });
  assert.equal(a.PrivateIpAddress, '172.31.0.4');
  assert.equal(a.Status, 'available');
  assert.equal(a.SourceDestCheck, true);
  assert.equal(a.Groups?.[0]?.GroupName, 'default');
  assert.equal(a.VpcId, subnet.vpcId);
  assert.match(a.MacAddress ?? '', /^02(:[0-9a-f]{2}){5}$/);
  assert.notEqual(a.MacAddress, b.MacAddress);
  assert.deepEqual(b.PrivateIpAddresses?.map((one) => [one.PrivateIpAddress, one.Primary]), [
    ['172.31.0.5', true], ['172.31.0.6', false], ['172.31.0.7', false],
  ]); // biome-ignore format: pairs
});

test('an address that is in use, reserved or outside is refused', async () => {
  const { create } = await world();
  await create({ PrivateIpAddress: '172.31.0.9' });
  await assert.rejects(create({ PrivateIpAddress: '172.31.0.9' }), awsError('InvalidIPAddress.InUse'));
  await assert.rejects(create({ PrivateIpAddress: '172.31.0.1' }), awsError('InvalidParameterValue'));
  await assert.rejects(create({ PrivateIpAddress: '10.0.0.1' }), awsError('InvalidParameterValue'));
  await assert.rejects(create({ Ipv6PrefixCount: 1 }), awsError('UnsupportedOperation', /Ipv6PrefixCount/));
});

test('attach, detach and delete, each in its order', async () => {
  const { store, call, create, one, other } = await world();
  const instanceId = await runningInstance(store);
  const { NetworkInterfaceId } = await create();
  const attach = (DeviceIndex: number, id = NetworkInterfaceId) =>
    call<{ AttachmentId: string }>('AttachNetworkInterface', {
      NetworkInterfaceId: id,
      InstanceId: instanceId,
      DeviceIndex,
    });
  await assert.rejects(
    attach(0),
    awsError(
      'InvalidParameterValue',
      `Instance '${instanceId}' already has an interface attached at device index '0'.`,
    ),
  );
  const { AttachmentId } = await attach(1);
  assert.equal((await one(NetworkInterfaceId)).Status, 'in-use');
  assert.equal((await one(NetworkInterfaceId)).Attachment?.DeleteOnTermination, false);
  const { Reservations } = await call<DescribeInstancesResult>('DescribeInstances', { InstanceIds: [instanceId] });
  assert.equal(Reservations?.[0]?.Instances?.[0]?.NetworkInterfaces?.length, 2);
  await assert.rejects(
    attach(2),
    awsError('InvalidNetworkInterface.InUse', `Interface: [${NetworkInterfaceId}] in use.`),
  );
  await assert.rejects(
    call('DeleteNetworkInterface', { NetworkInterfaceId }),
    awsError('InvalidParameterValue', `Network interface '${NetworkInterfaceId}' is currently in use.`),
  );
  const elsewhere = await create({ SubnetId: other.id });
  await assert.rejects(
    attach(2, elsewhere.NetworkInterfaceId),
    awsError('InvalidParameterCombination', /same availability zone/),
  );
  await call('DetachNetworkInterface', { AttachmentId });
  assert.equal((await one(NetworkInterfaceId)).Status, 'available');
  await assert.rejects(call('DetachNetworkInterface', { AttachmentId }), awsError('InvalidAttachmentID.NotFound'));
  await call('DeleteNetworkInterface', { NetworkInterfaceId });
  await assert.rejects(
    one(NetworkInterfaceId),
    awsError('InvalidNetworkInterfaceID.NotFound', `The networkInterface ID '${NetworkInterfaceId}' does not exist`),
  );
});

test('the primary interface cannot be detached', async () => {
  const { store, call } = await world();
  await runningInstance(store);
  const [row] = store.read((tx) => tx.list('network-interface'));
  await assert.rejects(
    call('DetachNetworkInterface', { AttachmentId: row?.attachment?.attachmentId }),
    awsError(
      'OperationNotPermitted',
      'The network interface at device index 0 and networkCard index 0 cannot be detached.',
    ),
  );
});

test('attributes: one at a time, and what is changed is described', async () => {
  const { store, call, create, one } = await world();
  const { NetworkInterfaceId } = await create();
  const modify = (input: object) => call('ModifyNetworkInterfaceAttribute', { NetworkInterfaceId, ...input });
  await modify({ SourceDestCheck: { Value: false } });
  await modify({ Description: { Value: 'router' } });
  assert.equal((await one(NetworkInterfaceId)).SourceDestCheck, false);
  assert.deepEqual(await call('DescribeNetworkInterfaceAttribute', { NetworkInterfaceId, Attribute: 'description' }), {
    NetworkInterfaceId,
    Description: { Value: 'router' },
  });
  await assert.rejects(
    modify({ SourceDestCheck: { Value: true }, Description: { Value: 'x' } }),
    awsError('InvalidParameterCombination'),
  );
  await assert.rejects(modify({ Groups: ['sg-0123456789abcdef0'] }), awsError('InvalidGroup.NotFound'));
  await assert.rejects(
    call('DescribeNetworkInterfaceAttribute', { NetworkInterfaceId, Attribute: 'attach' }),
    awsError('InvalidParameterValue', 'Value (attach) for parameter attribute is invalid. Unknown attribute.'),
  );
  await call('ResetNetworkInterfaceAttribute', { NetworkInterfaceId });
  assert.equal(store.read((tx) => tx.get('network-interface', NetworkInterfaceId))?.sourceDestCheck, true);
});

test('secondary addresses: by count, by name, moved only when that is allowed, and never the primary one', async () => {
  const { call, create, one } = await world();
  const [a, b] = [await create(), await create()];
  const assign = (id: string, input: object) =>
    call<AssignPrivateIpAddressesResult>('AssignPrivateIpAddresses', { NetworkInterfaceId: id, ...input });
  const { AssignedPrivateIpAddresses: added } = await assign(a.NetworkInterfaceId, {
    SecondaryPrivateIpAddressCount: 1,
  });
  assert.deepEqual(added, [{ PrivateIpAddress: '172.31.0.6' }]);
  await assert.rejects(
    assign(b.NetworkInterfaceId, { PrivateIpAddresses: ['172.31.0.6'] }),
    awsError('InvalidParameterValue', '[172.31.0.6] assigned, but move is not allowed.'),
  );
  await assign(b.NetworkInterfaceId, { PrivateIpAddresses: ['172.31.0.6'], AllowReassignment: true });
  assert.equal((await one(a.NetworkInterfaceId)).PrivateIpAddresses?.length, 1);
  await call('UnassignPrivateIpAddresses', {
    NetworkInterfaceId: b.NetworkInterfaceId,
    PrivateIpAddresses: ['172.31.0.6'],
  });
  assert.equal((await one(b.NetworkInterfaceId)).PrivateIpAddresses?.length, 1);
  await assert.rejects(
    call('UnassignPrivateIpAddresses', {
      NetworkInterfaceId: b.NetworkInterfaceId,
      PrivateIpAddresses: ['172.31.0.5'],
    }),
    awsError('InvalidParameterValue', /primary/),
  );
});
