// The sets and maps that rules look interfaces and addresses up in.

import { numberOf } from '../allocation.ts';
import type { NftSet } from '../host-state.ts';
import { mark } from '../names.ts';
import { natGatewayOf, natGatewaySets, natGatewaysOf } from '../nat-gateways.ts';
import { peeringArrivals } from '../peering.ts';
import { mergedRanges } from '../ranges.ts';
import { isTransitDoor, transitArrivals, transitSets } from '../transit-gateways.ts';
import { isForwarding, middleboxesOf, type VpcContext } from '../vpc-context.ts';
import { preservingInterface, tunnelSets } from './instance-connect.ts';
import { publicAddressSets } from './internet-gateway.ts';
import { verdictMap } from './well-known.ts';

export function interfaceSets(context: VpcContext): NftSet[] {
  const unchecked = context.plugged.filter((each) => isForwarding(each) || isTransitDoor(each));
  return [
    verdictMap('arrivals', [
      ...context.plugged
        .filter((each) => !isTransitDoor(each))
        .map((each) => `"${each.device}" : goto from-${each.subnet.subnetId}`),
      ...transitArrivals(context),
      ...peeringArrivals(context.peerings),
    ]),
    {
      name: 'interface-addresses',
      kind: 'set',
      type: 'ifname . ipv4_addr',
      elements: context.plugged
        .filter(({ eni }) => eni.sourceDestCheck || natGatewayOf(eni) !== undefined)
        .flatMap((each) => each.eni.privateAddresses.map(({ address }) => `"${each.device}" . ${address}`)),
    },
    { name: 'unchecked', kind: 'set', type: 'ifname', elements: unchecked.map((each) => `"${each.device}"`) },
    {
      name: 'middlebox-addresses',
      kind: 'set',
      type: 'ipv4_addr',
      elements: middleboxesOf(context).flatMap((each) => each.eni.privateAddresses.map(({ address }) => address)),
    },
    ...natGatewaySets(natGatewaysOf(context)),
    ...transitSets(context),
    ...tunnelSets(context),
    ...forwardingSubnets(context),
    hopLimitMap(context),
  ];
}

/** Interfaces whose instances' token answers have a hop limit (H4). */
export function hopLimitMap(context: VpcContext): NftSet {
  const hopLimits = new Map(context.vpc.instances.map((each) => [each.instanceId, each.metadata.hopLimit]));
  return verdictMap(
    'hop-limits',
    context.plugged.flatMap((each) => {
      const limit = each.eni.attachment === undefined ? undefined : hopLimits.get(each.eni.attachment.instanceId);
      return limit === undefined || limit >= 64 ? [] : [`"${each.device}" : jump hop-limit-${limit}`];
    }),
  );
}

export function addressSets(context: VpcContext): NftSet[] {
  return [
    {
      name: 'vpc-blocks',
      kind: 'set',
      type: 'ipv4_addr',
      interval: true,
      elements: mergedRanges(context.vpc.cidrBlocks),
    },
    {
      name: 'subnet-marks',
      kind: 'map',
      type: 'ipv4_addr : mark',
      interval: true,
      elements: context.subnets.map(
        (each) => `${each.cidrBlock} : ${numberOf(context.allocation.subnets, each.subnetId)}`,
      ),
    },
    ...publicAddressSets(context),
  ];
}

/** A subnet and the forwarding interfaces that are in it: what is sent to one of those does not leave the subnet (N4). Transit gateways' are not: there ACLs are asked (Z3). */
export function forwardingSubnets(context: VpcContext): NftSet[] {
  const forwarding = context.plugged.filter(isForwarding);
  if (forwarding.length === 0) return [];
  const elements = forwarding.map(
    ({ subnet, device }) => `${numberOf(context.allocation.subnets, subnet.subnetId)} . "${device}"`,
  );
  const door = preservingInterface(context);
  if (door !== undefined) elements.push(`${mark.toTunnelInSubnet} . "${door.device}"`);
  return [{ name: 'next-hops-in-subnet', kind: 'set', type: 'mark . ifname', elements }];
}
