// What rows does a new VPC consist of? The VPC, its main route table with the local route (R3), its default ACL (N2) and its default security group
// (S3). And a new subnet: itself and its place in the default ACL (N3). Used by CreateVpc, CreateSubnet and the default VPC, whose ids are not random.

import type {
  Cidr,
  NetworkAclId,
  RouteTableId,
  SecurityGroupId,
  SecurityGroupRuleId,
  SubnetId,
  VpcId,
} from '@postern/network/snapshot.ts';
import type {
  NetworkAclEntryRow,
  NetworkAclRow,
  SecurityGroupRuleRow,
  SubnetRow,
  Tags,
  VpcRow,
} from '../../store/rows/ec2.ts';
import type { Transaction } from '../../store/store.ts';
import { defaultDhcpOptionsId, ensureDefaultDhcpOptions } from './default-dhcp-options.ts';
import { defaultAclByVpc } from './indexes.ts';
import type { Zone } from './zones.ts';

/** For whom rows are made, and how ids are drawn. */
export interface Maker {
  readonly tx: Transaction;
  readonly accountId: string;
  readonly region: string;
  readonly newId: <P extends string>(prefix: P) => `${P}-${string}`;
}

export function makerOf(call: { tx: Transaction; accountId: string; region: string }): Maker {
  const { tx, accountId, region } = call;
  return { tx, accountId, region, newId: (prefix) => tx.newId(prefix) };
}

export interface NewVpc {
  readonly cidr: Cidr;
  readonly isDefault: boolean;
  readonly instanceTenancy: 'default' | 'dedicated';
  readonly tags: Tags;
}

/** @returns the VPC and the ids of what came with it */
export function makeVpc(
  maker: Maker,
  spec: NewVpc,
): { vpc: VpcRow; routeTableId: RouteTableId; networkAclId: NetworkAclId; groupId: SecurityGroupId } {
  const { tx, accountId, region, newId } = maker;
  ensureDefaultDhcpOptions(tx, accountId, region);
  const vpcId: VpcId = newId('vpc');
  const vpc: VpcRow = {
    id: vpcId,
    accountId,
    region,
    cidrBlocks: [{ associationId: newId('vpc-cidr-assoc'), cidr: spec.cidr }],
    isDefault: spec.isDefault,
    instanceTenancy: spec.instanceTenancy,
    enableDnsSupport: true,
    enableDnsHostnames: spec.isDefault,
    enableNetworkAddressUsageMetrics: false,
    dhcpOptionsId: defaultDhcpOptionsId(accountId, region),
    tags: spec.tags,
  };
  tx.put('vpc', vpc);
  const routeTableId: RouteTableId = newId('rtb');
  tx.put('route-table', {
    id: routeTableId,
    accountId,
    region,
    vpcId,
    routes: [localRoute(spec.cidr)],
    associations: [{ associationId: newId('rtbassoc'), main: true }],
    tags: {},
  });
  const networkAclId: NetworkAclId = newId('acl');
  tx.put('network-acl', {
    id: networkAclId,
    accountId,
    region,
    vpcId,
    isDefault: true,
    entries: defaultAclEntries(100, { cidrBlock: anywhere }),
    associations: [],
    tags: {},
  });
  const groupId: SecurityGroupId = newId('sg');
  tx.put('security-group', {
    id: groupId,
    accountId,
    region,
    vpcId,
    groupName: 'default',
    description: 'default VPC security group',
    tags: {},
  });
  tx.put('security-group-rule', {
    id: newId('sgr'),
    accountId,
    region,
    groupId,
    vpcId,
    isEgress: false,
    protocol: -1,
    peer: { kind: 'security-group', groupId, ownerId: accountId },
    tags: {},
  });
  tx.put('security-group-rule', allowAllOut(maker, groupId, vpcId));
  return { vpc, routeTableId, networkAclId, groupId };
}

export const anywhere: Cidr = '0.0.0.0/0';
export const anywhere6: Cidr = '::/0';

/** What the default ACL lets pass, in both directions (N2). */
export function defaultAclEntries(
  ruleNumber: number,
  block: Pick<NetworkAclEntryRow, 'cidrBlock' | 'ipv6CidrBlock'>,
): NetworkAclEntryRow[] {
  return [false, true].map((egress) => ({ ruleNumber, egress, protocol: -1, action: 'allow', ...block }));
}

/** The rule of a new security group (S2): one, and another one for IPv6 where the VPC has that. */
export function allowAllOut(
  maker: Maker,
  groupId: SecurityGroupId,
  vpcId: VpcId,
  cidr: typeof anywhere | typeof anywhere6 = anywhere,
): SecurityGroupRuleRow {
  const id: SecurityGroupRuleId = maker.newId('sgr');
  return {
    id,
    accountId: maker.accountId,
    region: maker.region,
    groupId,
    vpcId,
    isEgress: true,
    protocol: -1,
    peer: cidr === anywhere6 ? { kind: 'cidr6', cidr } : { kind: 'cidr', cidr },
    tags: {},
  };
}

/** The route that every table has for each block of its VPC (R3). */
export function localRoute(cidr: Cidr) {
  return { destination: { kind: 'cidr', cidr }, target: { kind: 'local' }, origin: 'CreateRouteTable' } as const;
}

export interface NewSubnet {
  readonly vpcId: VpcId;
  readonly cidr: Cidr;
  readonly ipv6Cidr?: Cidr;
  readonly zone: Zone;
  readonly defaultForAz: boolean;
  readonly tags: Tags;
}

export function makeSubnet(maker: Maker, spec: NewSubnet): SubnetRow {
  const { tx, accountId, region, newId } = maker;
  const id: SubnetId = newId('subnet');
  const subnet: SubnetRow = {
    id,
    accountId,
    region,
    vpcId: spec.vpcId,
    cidrBlock: spec.cidr,
    ...(spec.ipv6Cidr && { ipv6CidrBlock: { associationId: newId('subnet-cidr-assoc'), cidr: spec.ipv6Cidr } }),
    availabilityZone: spec.zone.name,
    availabilityZoneId: spec.zone.id,
    defaultForAz: spec.defaultForAz,
    mapPublicIpOnLaunch: spec.defaultForAz,
    privateDnsHostnameType: 'ip-name',
    enableResourceNameDnsARecord: false,
    tags: spec.tags,
  };
  tx.put('subnet', subnet);
  const acl = defaultAclOf(tx, subnet);
  tx.put('network-acl', {
    ...acl,
    associations: [...acl.associations, { associationId: newId('aclassoc'), subnetId: id }],
  });
  return subnet;
}

/** Every VPC has exactly one, until the VPC is deleted. */
export function defaultAclOf(tx: Transaction, at: { accountId: string; region: string; vpcId: VpcId }): NetworkAclRow {
  const [acl] = tx.find(defaultAclByVpc, at.vpcId);
  if (!acl) throw new Error(`${at.vpcId} has no default network ACL`);
  return acl;
}
