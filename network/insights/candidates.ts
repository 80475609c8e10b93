// From which addresses to which must an analysis try? Fixed ones where an end is an interface or a header names them, classes of addresses where an end is
// the internet or lies beyond a peering.

import { cidrRange } from '../cidr.ts';
import type { Cidr, NetworkInterfaceId, VpcId } from '../snapshot.ts';
import { isInside } from '../walk/matching.ts';
import type { NetworkIndex } from '../walk/network-index.ts';
import type { Origin } from '../walk/packet.ts';
import { nonPublicBlocks, reservedBlocks, unanswered } from '../walk/special-blocks.ts';
import { addressClasses, type Class, classOf, internet, sampleAddress, type Telling } from './classes.ts';
import type { Place, Question } from './question.ts';

/** One beginning, and the classes of addresses that a packet can have there. */
export interface Candidate {
  readonly from: Origin;
  readonly sources: readonly Class[];
  readonly destinations: readonly Class[];
}

/** @returns in the order in which they are worth trying; none when an end has no address that the other could use */
export function candidates(network: NetworkIndex, question: Question, telling: Telling): Candidate[] {
  const { source, atSource } = question;
  const named = atSource.sourceAddress === undefined ? undefined : [classOf(atSource.sourceAddress)];
  switch (source.kind) {
    case 'interfaces':
      return source.networkInterfaceIds.map((networkInterfaceId) => ({
        from: { kind: 'network-interface', networkInterfaceId },
        sources: named ?? privateAddresses(network, [networkInterfaceId]),
        destinations: destinationClasses(network, question, telling, source.vpcId),
      }));
    case 'internet-gateway':
      return [
        {
          from: { kind: 'internet', internetGatewayId: source.id },
          sources:
            named ?? addressClasses(network, telling, internet, 'no interfaces').filter((each) => isPublic(each)),
          destinations: destinationClasses(network, question, telling, 'internet'),
        },
      ];
    case 'peering-connection':
      return source.vpcIds
        .filter((vpcId) => network.vpc(vpcId) !== undefined && canEnter(question.destination, vpcId))
        .map((vpcId) => ({
          from: { kind: 'peering-connection', vpcPeeringConnectionId: source.id, vpcId },
          sources: named ?? addressClasses(network, telling, blocksBeyond(network, source, vpcId), 'interfaces'),
          destinations: destinationClasses(network, question, telling, vpcId),
        }));
    // An endpoint begins nothing (VPCE_INTRA_VPC_TRAFFIC).
    case 'vpc-endpoint':
      return [];
  }
}

/** Hosts are there, or at least an answer is. */
function isPublic(each: Class, nobody: readonly Cidr[] = []): boolean {
  const address = sampleAddress(each);
  return ![...nonPublicBlocks, ...reservedBlocks, ...nobody].some((block) => isInside(block, address));
}

function canEnter(destination: Place, vpcId: VpcId): boolean {
  return !('vpcId' in destination) || destination.vpcId === vpcId;
}

/** @param from the VPC that the packet begins in */
function destinationClasses(
  network: NetworkIndex,
  { destination, atSource, atDestination }: Question,
  telling: Telling,
  from: VpcId | 'internet',
): Class[] {
  if (atSource.destinationAddress !== undefined) return [classOf(atSource.destinationAddress)];
  switch (destination.kind) {
    case 'address':
      return [classOf(destination.address)];
    case 'internet-gateway':
      // A gateway leaves destinations as they are.
      return atDestination.destinationAddress === undefined
        ? addressClasses(network, telling, ['0.0.0.0/0'], 'no interfaces').filter((each) => isPublic(each, unanswered))
        : [classOf(atDestination.destinationAddress)];
    case 'interfaces':
      if (from === 'internet') {
        const known = publicAddresses(network, destination.networkInterfaceIds);
        if (known.length > 0) return known;
      }
      return privateAddresses(network, destination.networkInterfaceIds);
    case 'peering-connection':
      return from === 'internet'
        ? []
        : addressClasses(network, telling, blocksBeyond(network, destination, from), 'interfaces');
    case 'vpc-endpoint': {
      const vpc = network.vpc(destination.vpcId);
      const gateway = vpc?.gatewayEndpoints.find((each) => each.vpcEndpointId === destination.id);
      if (gateway !== undefined) return network.prefixList(gateway.prefixListId).flatMap(ipv4Range);
      const endpoint = vpc?.interfaceEndpoints.find((each) => each.vpcEndpointId === destination.id);
      return privateAddresses(network, endpoint?.networkInterfaceIds ?? []);
    }
  }
}

function ipv4Range(cidr: Cidr): Class[] {
  return cidr.includes(':') ? [] : [cidrRange(cidr)];
}

/** The blocks of the other side; of one that is out of sight, whatever a VPC can have. */
function blocksBeyond(
  network: NetworkIndex,
  { vpcIds }: Extract<Place, { kind: 'peering-connection' }>,
  vpcId: VpcId,
): readonly Cidr[] {
  const other = vpcIds.find((each) => each !== vpcId);
  return (other === undefined ? undefined : network.vpc(other)?.cidrBlocks) ?? nonPublicBlocks;
}

function privateAddresses(network: NetworkIndex, ids: readonly NetworkInterfaceId[]): Class[] {
  return addressesOf(network, ids, ({ address }) => address);
}

export function publicAddresses(network: NetworkIndex, ids: readonly NetworkInterfaceId[]): Class[] {
  return addressesOf(network, ids, ({ publicAddress }) => publicAddress);
}

function addressesOf(
  network: NetworkIndex,
  ids: readonly NetworkInterfaceId[],
  pick: (address: { readonly address: string; readonly publicAddress?: string }) => string | undefined,
): Class[] {
  const all = ids.flatMap((id) => network.networkInterface(id)?.eni.privateAddresses ?? []);
  return all.flatMap((each) => {
    const address = pick(each);
    return address === undefined ? [] : [classOf(address)];
  });
}
