// Network access scopes: which paths are looked for, and which of them are let be. A statement is of resources, of headers, or of both.
// https://docs.aws.amazon.com/vpc/latest/network-access-analyzer/working-with-network-access-scopes.html (read 2026-11-21)

import { AddressSet } from '../reach/address-set.ts';
import type {
  Cidr,
  InternetGatewayId,
  NetworkInterfaceId,
  PortRange,
  PrefixListId,
  VpcEndpointId,
  VpcId,
} from '../snapshot.ts';
import type { NetworkIndex } from '../walk/network-index.ts';
import type { Place } from './question.ts';
import { anyAddress, anyPort, portsOf, type Slab } from './slabs.ts';

/** Either ids or types. */
export interface ResourceStatement {
  readonly ids?: readonly string[];
  /** `AWS::EC2::InternetGateway` … */
  readonly types?: readonly string[];
}

/** Absent fields match everything. */
export interface HeaderStatement {
  /** 6 and 17. */
  readonly protocols?: readonly number[];
  readonly sources?: readonly Cidr[];
  readonly sourcePrefixLists?: readonly PrefixListId[];
  readonly sourcePorts?: readonly PortRange[];
  readonly destinations?: readonly Cidr[];
  readonly destinationPrefixLists?: readonly PrefixListId[];
  readonly destinationPorts?: readonly PortRange[];
}

export interface PathStatement {
  readonly resource?: ResourceStatement;
  readonly header?: HeaderStatement;
}

export interface ScopePath {
  readonly source?: PathStatement;
  readonly destination?: PathStatement;
  /** Each of them must be passed. */
  readonly through: readonly ResourceStatement[];
}

export interface Scope {
  readonly match: readonly ScopePath[];
  readonly exclude: readonly ScopePath[];
}

/** An end of a path, with every id by which a statement can mean it. */
export interface ScopeEnd {
  readonly place: Exclude<Place, { kind: 'address' }>;
  readonly type: string;
  readonly ids: ReadonlySet<string>;
}

/** All that paths begin or end at. NAT gateways' interfaces are none, as at AWS. */
export function scopeEnds(network: NetworkIndex): ScopeEnd[] {
  const { vpcs, peeringConnections } = network.snapshot;
  const ends: ScopeEnd[] = [];
  for (const vpc of vpcs) {
    const { vpcId, internetGatewayId } = vpc;
    if (internetGatewayId !== undefined) ends.push(gatewayEnd(internetGatewayId, vpcId));
    for (const { vpcEndpointId } of [...vpc.gatewayEndpoints, ...vpc.interfaceEndpoints])
      ends.push(endpointEnd(vpcEndpointId, vpcId));
    for (const { networkInterfaceId, service } of vpc.networkInterfaces)
      if (service === undefined) ends.push(...interfaceEnd(network, networkInterfaceId));
  }
  for (const { vpcPeeringConnectionId: id, requester, accepter } of peeringConnections) {
    const place = { kind: 'peering-connection', id, vpcIds: [requester.vpcId, accepter.vpcId] } as const;
    ends.push({ place, type: 'AWS::EC2::VPCPeeringConnection', ids: new Set([id]) });
  }
  return ends;
}

function gatewayEnd(id: InternetGatewayId, vpcId: VpcId): ScopeEnd {
  return { place: { kind: 'internet-gateway', id, vpcId }, type: 'AWS::EC2::InternetGateway', ids: new Set([id]) };
}

function endpointEnd(id: VpcEndpointId, vpcId: VpcId): ScopeEnd {
  return { place: { kind: 'vpc-endpoint', id, vpcId }, type: 'AWS::EC2::VPCEndpoint', ids: new Set([id, vpcId]) };
}

function interfaceEnd(network: NetworkIndex, id: NetworkInterfaceId): ScopeEnd[] {
  const placed = network.networkInterface(id);
  if (placed === undefined) return [];
  const { eni, vpc, subnet } = placed;
  const owner = eni.attachment?.instanceId;
  const ids = new Set<string>([
    id,
    vpc.vpcId,
    subnet.subnetId,
    ...eni.groupIds,
    ...(owner === undefined ? [] : [owner]),
  ]);
  const place = { kind: 'interfaces', id, vpcId: vpc.vpcId, networkInterfaceIds: [id] } as const;
  return [{ place, type: 'AWS::EC2::NetworkInterface', ids }];
}

export function meansEnd({ resource }: PathStatement = {}, { type, ids }: ScopeEnd): boolean {
  if (resource === undefined) return true;
  return resource.types?.includes(type) === true || resource.ids?.some((id) => ids.has(id)) === true;
}

/** The types of what lies between the ends, by the prefix of its id. */
const typeByPrefix: Readonly<Record<string, string>> = {
  nat: 'AWS::EC2::NatGateway',
  pcx: 'AWS::EC2::VPCPeeringConnection',
  vpce: 'AWS::EC2::VPCEndpoint',
  igw: 'AWS::EC2::InternetGateway',
};

export function passesThrough(path: ScopePath, passed: ReadonlySet<string>): boolean {
  const types = new Set([...passed].map((id) => typeByPrefix[id.slice(0, id.indexOf('-'))] ?? ''));
  return path.through.every(
    ({ ids, types: wanted }) =>
      ids?.some((id) => passed.has(id)) === true || wanted?.some((type) => types.has(type)) === true,
  );
}

/** The packets that a header statement means; undefined: none of this protocol. */
export function headerSlab(network: NetworkIndex, header: HeaderStatement = {}, protocol: number): Slab | undefined {
  if (header.protocols !== undefined && !header.protocols.includes(protocol)) return undefined;
  const addresses = (cidrs: readonly Cidr[] | undefined, lists: readonly PrefixListId[] | undefined) =>
    cidrs === undefined && lists === undefined
      ? anyAddress
      : AddressSet.ofCidrs([...(cidrs ?? []), ...(lists ?? []).flatMap((id) => network.prefixList(id))]);
  return {
    sources: addresses(header.sources, header.sourcePrefixLists),
    destinations: addresses(header.destinations, header.destinationPrefixLists),
    sourcePorts: header.sourcePorts === undefined ? anyPort : portsOf(header.sourcePorts),
    destinationPorts: header.destinationPorts === undefined ? anyPort : portsOf(header.destinationPorts),
  };
}
