// Where did a connection come from? Read off its two addresses and nothing else: the path is in the address (design).

import { addressPlan, ipv6Plan } from '@postern/network/addresses.ts';
import { cidrRange, containsAddress, ipToNumber, numberToIp } from '@postern/network/cidr.ts';
import { ipv6AddressAt, ipv6CidrRange, ipv6ToNumber } from '@postern/network/ipv6.ts';
import type { Cidr, Ipv4, Ipv6, Snapshot, VpcEndpointId, VpcId } from '@postern/network/snapshot.ts';
import { type Allocation, blockKey, endpointAddress, underlayBlock } from './compile/allocation.ts';
import { endpointInterfacesOf } from './compile/interface-endpoints.ts';
import { underlayBlock6 } from './compile/ipv6/services.ts';
import { metadataAddress, resolverAddress } from './compile/names.ts';
import type { Origin } from './types.ts';

interface Way {
  readonly vpcId: VpcId;
  readonly vpcEndpointId?: VpcEndpointId;
  readonly block: Cidr;
  readonly underlay: { readonly first: number; readonly last: number };
}

export interface OriginTable {
  /** By /16 of the underlay. */
  readonly ways: ReadonlyMap<number, Way>;
  readonly endpoints: ReadonlyMap<Ipv4, VpcEndpointId>;
  /** Blocks of IPv6, as AWS's side knows them. */
  readonly ipv6: readonly { readonly vpcId: VpcId; readonly block: Cidr; readonly underlay: Cidr }[];
}

export function originTable(snapshot: Snapshot, allocation: Allocation): OriginTable {
  const ways = new Map<number, Way>();
  const endpoints = new Map<Ipv4, VpcEndpointId>();
  for (const vpc of snapshot.vpcs) {
    const owners: (VpcId | VpcEndpointId)[] = [vpc.vpcId, ...vpc.gatewayEndpoints.map((each) => each.vpcEndpointId)];
    for (const owner of owners) {
      const endpointNumber = allocation.endpoints.of.get(owner);
      if (endpointNumber !== undefined) endpoints.set(endpointAddress(endpointNumber), owner as VpcEndpointId);
      for (const block of vpc.cidrBlocks) {
        const number = allocation.blocks.of.get(blockKey(owner, block));
        if (number === undefined) continue;
        const underlay = cidrRange(underlayBlock(number, block));
        const endpoint = owner === vpc.vpcId ? {} : { vpcEndpointId: owner as VpcEndpointId };
        ways.set(underlay.first >>> 16, { vpcId: vpc.vpcId, block, underlay, ...endpoint });
      }
    }
  }
  for (const { vpcId, vpcEndpointId, endpointAddress: own, blocks } of endpointInterfacesOf(snapshot, allocation)) {
    endpoints.set(own, vpcEndpointId);
    for (const [block, underlayCidr] of blocks) {
      const underlay = cidrRange(underlayCidr);
      // A client of a peered VPC is one of the endpoint's VPC to the service (6.5).
      ways.set(underlay.first >>> 16, { vpcId, vpcEndpointId, block, underlay });
    }
  }
  const ipv6 = snapshot.vpcs.flatMap(({ vpcId, ipv6CidrBlocks }) =>
    ipv6CidrBlocks.map((block) => ({ vpcId, block, underlay: underlayBlock6(block) })),
  );
  return { ways, endpoints, ipv6 };
}

/** Undefined: no packet of this fabric has such addresses. */
export function originOf(table: OriginTable, remoteAddress: Ipv4, localAddress: Ipv4): Origin | undefined {
  // A socket that also takes IPv6 shows IPv4 addresses as ::ffff:a.b.c.d.
  const remoteText = remoteAddress.replace(/^::ffff:/, '');
  const localText = localAddress.replace(/^::ffff:/, '');
  if (remoteText.includes(':') && localText.includes(':')) return ipv6OriginOf(table, remoteText, localText);
  const remote = ipToNumber(remoteText);
  const local = ipToNumber(localText);
  if (remote === undefined || local === undefined) return undefined;
  const underlay = cidrRange(addressPlan.underlay);
  if (remote < underlay.first) {
    return local < underlay.first ? { kind: 'internet', sourceIp: remoteText, destinationIp: localText } : undefined;
  }
  const way = table.ways.get(remote >>> 16);
  if (way === undefined || remote < way.underlay.first || remote > way.underlay.last) return undefined;
  const sourceIp = numberToIp(cidrRange(way.block).first + (remote - way.underlay.first));
  if (way.vpcEndpointId !== undefined) {
    return table.endpoints.get(localText) === way.vpcEndpointId
      ? { kind: 'endpoint', vpcEndpointId: way.vpcEndpointId, vpcId: way.vpcId, sourceIp }
      : undefined;
  }
  if (localText === resolverAddress) return { kind: 'resolver', vpcId: way.vpcId, sourceIp };
  if (localText === metadataAddress) return { kind: 'metadata', vpcId: way.vpcId, sourceIp };
  return undefined;
}

/** Of IPv6 only what goes to metadata and resolver is mapped: else both ends are what they seem, and the internet is the only way there is. */
function ipv6OriginOf({ ipv6 }: OriginTable, remote: Ipv6, local: Ipv6): Origin | undefined {
  const kind = local === ipv6Plan.resolver ? 'resolver' : local === ipv6Plan.metadata ? 'metadata' : undefined;
  const isMapped = containsAddress(ipv6Plan.underlay, remote);
  if (kind === undefined) return isMapped ? undefined : { kind: 'internet', sourceIp: remote, destinationIp: local };
  const way = ipv6.find(({ underlay }) => containsAddress(underlay, remote));
  if (way === undefined) return undefined;
  const offset = (ipv6ToNumber(remote) ?? 0n) - ipv6CidrRange(way.underlay).first;
  return { kind, vpcId: way.vpcId, sourceIp: ipv6AddressAt(way.block, offset) };
}
