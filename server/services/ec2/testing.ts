// The small network that this folder's tests start from, and one function to call an operation of it. Used by tests only.

import type { NetworkInterfaceId, SubnetId, VpcId } from '@postern/network/snapshot.ts';
import type { BaseCall } from '../../service.ts';
import type { Store } from '../../store/store.ts';
import { makeStore, runOperation, testAccountId, testNow } from '../../testing.ts';
import { ensureRegion } from './default-vpc.ts';
import { ec2 } from './index.ts';

export interface World {
  readonly store: Store;
  /** Runs one operation as the default account's root in us-east-1. */
  readonly run: <O = Record<string, unknown>>(
    name: string,
    input?: unknown,
    overrides?: Partial<BaseCall>,
  ) => Promise<O>;
}

/** An account whose us-east-1 has been used: the default VPC is there. */
export function makeWorld(): World {
  const store = makeStore((tx) => ensureRegion(tx, testAccountId, 'us-east-1', testNow));
  return { store, run: (name, input = {}, overrides = {}) => runOperation(store, ec2, name, input, overrides) };
}

export async function makeVpc(world: World, cidr = '10.0.0.0/16'): Promise<VpcId> {
  const { Vpc } = await world.run<{ Vpc: { VpcId: VpcId } }>('CreateVpc', { CidrBlock: cidr });
  return Vpc.VpcId;
}

export async function makeSubnet(world: World, vpcId: string, cidr = '10.0.0.0/24'): Promise<SubnetId> {
  const input = { VpcId: vpcId, CidrBlock: cidr };
  const { Subnet } = await world.run<{ Subnet: { SubnetId: SubnetId } }>('CreateSubnet', input);
  return Subnet.SubnetId;
}

export async function makeGateway(world: World, vpcId?: string): Promise<string> {
  const made = await world.run<{ InternetGateway: { InternetGatewayId: string } }>('CreateInternetGateway');
  const { InternetGatewayId } = made.InternetGateway;
  if (vpcId) await world.run('AttachInternetGateway', { InternetGatewayId, VpcId: vpcId });
  return InternetGatewayId;
}

export async function makeRouteTable(world: World, vpcId: string): Promise<string> {
  const made = await world.run<{ RouteTable: { RouteTableId: string } }>('CreateRouteTable', { VpcId: vpcId });
  return made.RouteTable.RouteTableId;
}

export async function makeGroup(world: World, vpcId: string, name = 'web'): Promise<string> {
  const input = { VpcId: vpcId, GroupName: name, Description: 'a test' };
  return (await world.run<{ GroupId: string }>('CreateSecurityGroup', input)).GroupId;
}

/** Writes an interface row as the instance half of this service would. */
export function putInterface(
  world: World,
  vpcId: VpcId,
  subnetId: SubnetId,
  address: string,
  more: {
    groupIds?: `sg-${string}`[];
    autoPublicIp?: string;
    instance?: 'pending' | 'running' | 'stopped' | 'terminated';
  } = {},
): { networkInterfaceId: NetworkInterfaceId; instanceId: `i-${string}` } {
  const { value } = world.store.transact((tx) => {
    const networkInterfaceId = tx.newId('eni');
    const instanceId = tx.newId('i');
    const owner = { accountId: testAccountId, region: 'us-east-1' };
    const { autoPublicIp: publicIp, instance: state } = more;
    if (state)
      tx.put('instance', {
        ...owner,
        id: instanceId,
        reservationId: 'r-00000000000000001',
        imageId: 'ami-00000000',
        instanceType: 't3.micro',
        launchTime: testNow.toISOString(),
        launchIndex: 0,
        vpcId,
        subnetId,
        availabilityZone: 'us-east-1a',
        state,
        stateTransitionReason: '',
        bootGeneration: 0,
        metadataOptions: {
          httpTokens: 'optional',
          httpEndpoint: 'enabled',
          httpPutResponseHopLimit: 1,
          instanceMetadataTags: 'disabled',
          httpProtocolIpv6: 'disabled',
        },
        disableApiTermination: false,
        disableApiStop: false,
        instanceInitiatedShutdownBehavior: 'stop',
        monitoring: 'disabled',
        ebsOptimized: false,
        rootVolumeId: 'vol-00000000000000001',
        tags: {},
      });
    tx.put('network-interface', {
      ...owner,
      id: networkInterfaceId,
      vpcId,
      subnetId,
      availabilityZone: 'us-east-1a',
      description: '',
      macAddress: '02:00:00:00:00:01',
      privateAddresses: [
        {
          address,
          primary: true,
          ...(publicIp && { autoPublicIp: { publicIp, associationId: 'eipassoc-00000000000000001' } }),
        },
      ],
      groupIds: more.groupIds ?? [],
      sourceDestCheck: true,
      interfaceType: 'interface',
      requesterManaged: false,
      ...(state && {
        attachment: {
          attachmentId: 'eni-attach-00000000000000001',
          instanceId,
          instanceOwnerId: testAccountId,
          deviceIndex: 0,
          deleteOnTermination: true,
          status: 'attached',
          attachTime: testNow.toISOString(),
        },
      }),
      tags: {},
    });
    return { networkInterfaceId, instanceId };
  });
  return value;
}
