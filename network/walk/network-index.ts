// A Snapshot with everything looked up that a walk asks for, made once for any number of walks.

import { joinedVpcs } from '../joins.ts';
import type {
  Cidr,
  Ipv4,
  NetworkAcl,
  NetworkInterface,
  NetworkInterfaceId,
  PeeringConnection,
  PrefixListId,
  RouteTable,
  SecurityGroup,
  SecurityGroupId,
  Snapshot,
  Subnet,
  Vpc,
  VpcId,
} from '../snapshot.ts';

/** An interface with what surrounds it. */
export interface PlacedInterface {
  readonly eni: NetworkInterface;
  readonly vpc: Vpc;
  readonly subnet: Subnet;
  readonly routeTable: RouteTable;
  readonly acl: NetworkAcl;
  readonly groups: readonly SecurityGroup[];
}

export interface NetworkIndex {
  readonly snapshot: Snapshot;
  vpc(vpcId: VpcId): Vpc | undefined;
  networkInterface(id: NetworkInterfaceId): PlacedInterface | undefined;
  /** The interface of a VPC that has the address, attached or not. */
  holder(vpcId: VpcId, address: string): PlacedInterface | undefined;
  /** The interface and private address behind a public IPv4 address. */
  publicHolder(address: Ipv4): { readonly placed: PlacedInterface; readonly privateAddress: Ipv4 } | undefined;
  prefixList(id: PrefixListId): readonly Cidr[];
  /**
   * Whether the address is one of an interface that carries the group (S6, S7).
   * @param by how the packet comes or goes: by a peering connection, to a VPC of the same Region; otherwise only this VPC's own interfaces count
   */
  isMember(seenFrom: Vpc, groupId: SecurityGroupId, address: string, by?: string): boolean;
  peering(id: string): PeeringConnection | undefined;
  /** Whether some VPC that this Snapshot has knows the group. */
  isKnownGroup(groupId: SecurityGroupId): boolean;
  /** Whether the VPC is peered with one that this Snapshot has not: that of an account or Region which an analysis may not see. */
  hasUnknownPeer(vpcId: VpcId): boolean;
  /** The VPCs at the other ends of its peerings, of any Region, and those attached to the same transit gateways. */
  neighboursOf(vpcId: VpcId): readonly Vpc[];
}

export function indexNetwork(snapshot: Snapshot): NetworkIndex {
  const vpcs = new Map<VpcId, Vpc>();
  const interfaces = new Map<NetworkInterfaceId, PlacedInterface>();
  const holders = new Map<string, PlacedInterface>();
  const publicHolders = new Map<string, { placed: PlacedInterface; privateAddress: Ipv4 }>();
  /** By VPC and group: a group can be carried in more than its own VPC, and addresses mean something in one VPC only. */
  const members = new Map<string, Set<string>>();
  for (const vpc of snapshot.vpcs) {
    vpcs.set(vpc.vpcId, vpc);
    const subnets = new Map(vpc.subnets.map((each) => [each.subnetId, each]));
    const tables = new Map(vpc.routeTables.map((each) => [each.routeTableId, each]));
    const acls = new Map(vpc.networkAcls.map((each) => [each.networkAclId, each]));
    const groups = new Map(vpc.securityGroups.map((each) => [each.groupId, each]));
    for (const eni of vpc.networkInterfaces) {
      for (const groupId of eni.groupIds) {
        const key = `${vpc.vpcId} ${groupId}`;
        const addresses = members.get(key) ?? new Set();
        for (const { address } of eni.privateAddresses) addresses.add(address);
        for (const address of eni.ipv6Addresses) addresses.add(address);
        members.set(key, addresses);
      }
      const subnet = subnets.get(eni.subnetId);
      if (subnet === undefined) continue;
      const placed: PlacedInterface = {
        eni,
        vpc,
        subnet,
        routeTable: tables.get(subnet.routeTableId) ?? { routeTableId: subnet.routeTableId, routes: [] },
        acl: acls.get(subnet.networkAclId) ?? { networkAclId: subnet.networkAclId, ingress: [], egress: [] },
        groups: eni.groupIds.flatMap((groupId) => groups.get(groupId) ?? []),
      };
      interfaces.set(eni.networkInterfaceId, placed);
      for (const { address, publicAddress } of eni.privateAddresses) {
        holders.set(`${vpc.vpcId} ${address}`, placed);
        if (publicAddress !== undefined) publicHolders.set(publicAddress, { placed, privateAddress: address });
      }
      for (const address of eni.ipv6Addresses) {
        holders.set(`${vpc.vpcId} ${address}`, placed);
        publicHolders.set(address, { placed, privateAddress: address });
      }
    }
  }
  const prefixLists = new Map(snapshot.prefixLists.map((list) => [list.prefixListId, list.cidrs]));
  const peerings = new Map<string, PeeringConnection>(
    snapshot.peeringConnections.map((each) => [each.vpcPeeringConnectionId, each]),
  );
  const knownGroups = new Set(snapshot.vpcs.flatMap((vpc) => vpc.securityGroups.map(({ groupId }) => groupId)));
  /** The VPC at the other end of a peering, where its groups can be named: in the same Region. */
  const neighbour = ({ vpcId, region }: Vpc, peeringId: string): VpcId | undefined => {
    const peering = peerings.get(peeringId);
    const other = peering?.requester.vpcId === vpcId ? peering.accepter.vpcId : peering?.requester.vpcId;
    return other !== undefined && vpcs.get(other)?.region === region ? other : undefined;
  };
  return {
    snapshot,
    vpc: (vpcId) => vpcs.get(vpcId),
    networkInterface: (id) => interfaces.get(id),
    holder: (vpcId, address) => holders.get(`${vpcId} ${address}`),
    publicHolder: (address) => publicHolders.get(address),
    prefixList: (id) => prefixLists.get(id) ?? [],
    isMember: (vpc, groupId, address, by) => {
      const isIn = (vpcId: VpcId) => members.get(`${vpcId} ${groupId}`)?.has(address) === true;
      const other = by === undefined ? undefined : neighbour(vpc, by);
      return isIn(vpc.vpcId) || (other !== undefined && isIn(other));
    },
    peering: (id) => peerings.get(id),
    isKnownGroup: (groupId) => knownGroups.has(groupId),
    hasUnknownPeer: (vpcId) =>
      snapshot.peeringConnections.some(({ requester, accepter }) => {
        const both = [requester.vpcId, accepter.vpcId];
        return both.includes(vpcId) && !both.every((each) => vpcs.has(each));
      }),
    neighboursOf: (vpcId) => joinedVpcs(snapshot, vpcId).flatMap((each) => vpcs.get(each) ?? []),
  };
}
