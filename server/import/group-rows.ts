// Security groups and their rules. describe-security-group-rules tells the ids of rules; describe-security-groups alone has the same rules without them.

import type { Cidr, PrefixListId, SecurityGroupId, VpcId } from '@postern/network/snapshot.ts';
import type { SecurityGroupRuleRow } from '../store/rows/ec2.ts';
import type { Building, Owner } from './building.ts';
import { ImportError, type Item } from './item.ts';

type Peer = SecurityGroupRuleRow['peer'];

const protocolNumbers: Readonly<Record<string, number>> = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 };

export function readSecurityGroups(building: Building): void {
  const byRules = new Set(
    building.list('SecurityGroupRules', 'SecurityGroupRuleId').map(({ item }) => item.text('GroupId')),
  );
  const vpcs = new Map<string, VpcId>();
  for (const { item } of building.list('SecurityGroups', 'GroupId')) {
    const id = item.text('GroupId') as SecurityGroupId;
    const vpcId = item.text('VpcId') as VpcId;
    const owner = building.ownerOf(vpcId, item);
    vpcs.set(id, vpcId);
    building.rows.put('security-group', {
      ...owner,
      id,
      vpcId,
      groupName: item.optionalText('GroupName') ?? '',
      description: item.optionalText('Description') ?? '',
      tags: item.tags(),
    });
    if (byRules.has(id)) continue;
    putPermissions(building, item, { id, vpcId, owner }, 'IpPermissions', false);
    putPermissions(building, item, { id, vpcId, owner }, 'IpPermissionsEgress', true);
  }
  for (const { item } of building.list('SecurityGroupRules', 'SecurityGroupRuleId')) {
    const groupId = item.text('GroupId') as SecurityGroupId;
    const vpcId = vpcs.get(groupId);
    // Of a group that the answer about groups does not have: nothing carries it that we know.
    if (vpcId === undefined) continue;
    const owner = building.ownerOf(vpcId);
    putRule(
      building,
      { groupId, vpcId, owner },
      {
        id: item.text('SecurityGroupRuleId') as `sgr-${string}`,
        isEgress: item.flag('IsEgress'),
        item,
        peer: rulePeer(item, owner),
        tags: item.tags(),
      },
    );
  }
  for (const { item } of building.list('SecurityGroupVpcAssociations')) {
    if (item.optionalText('State') !== 'associated') continue;
    const [groupId, vpcId] = [item.text('GroupId') as SecurityGroupId, item.text('VpcId') as VpcId];
    building.rows.put('security-group-vpc-association', {
      ...building.ownerOf(vpcId),
      id: `${groupId} ${vpcId}`,
      groupId,
      vpcId,
    });
  }
}

interface Group {
  readonly groupId: SecurityGroupId;
  readonly vpcId: VpcId;
  readonly owner: Owner;
}

interface Rule {
  readonly id: `sgr-${string}`;
  readonly isEgress: boolean;
  /** Has IpProtocol, FromPort and ToPort. */
  readonly item: Item;
  readonly peer: Peer;
  readonly tags?: Record<string, string>;
}

function putRule(
  building: Building,
  { groupId, vpcId, owner }: Group,
  { id, isEgress, item, peer, tags = {} }: Rule,
): void {
  const protocol = protocolOf(item);
  const [fromPort, toPort] = [item.number('FromPort'), item.number('ToPort')];
  building.rows.put('security-group-rule', {
    ...owner,
    id,
    groupId,
    vpcId,
    isEgress,
    protocol,
    // -1 to -1 is how AWS shows a rule for every protocol.
    ...(protocol !== -1 && fromPort !== undefined && { fromPort }),
    ...(protocol !== -1 && toPort !== undefined && { toPort }),
    peer,
    tags,
  });
}

function protocolOf(item: Item): number {
  const text = item.text('IpProtocol');
  const protocol = protocolNumbers[text] ?? Number(text);
  if (!Number.isInteger(protocol)) throw new ImportError(`${item.where}.IpProtocol is no protocol: ${text}`);
  return protocol;
}

function rulePeer(item: Item, owner: Owner): Peer {
  const [v4, v6, list] = [
    item.optionalText('CidrIpv4'),
    item.optionalText('CidrIpv6'),
    item.optionalText('PrefixListId'),
  ];
  if (v4 !== undefined) return { kind: 'cidr', cidr: v4 as Cidr };
  if (v6 !== undefined) return { kind: 'cidr6', cidr: v6 as Cidr };
  if (list !== undefined) return { kind: 'prefix-list', prefixListId: list as PrefixListId };
  const referenced = item.item('ReferencedGroupInfo');
  if (referenced === undefined) throw new ImportError(`${item.where} names nobody`);
  return groupPeer(referenced, owner);
}

function groupPeer(item: Item, owner: Owner): Peer {
  const groupId = item.text('GroupId') as SecurityGroupId;
  return { kind: 'security-group', groupId, ownerId: item.optionalText('UserId') ?? owner.accountId };
}

/** Rules get names that say where they stand: `sgr-of-sg-0ab-in-3`. */
function putPermissions(
  building: Building,
  item: Item,
  { id, vpcId, owner }: { id: SecurityGroupId; vpcId: VpcId; owner: Owner },
  member: string,
  isEgress: boolean,
): void {
  let count = 0;
  for (const permission of item.list(member)) {
    const peers: Peer[] = [
      ...permission.list('IpRanges').map((each): Peer => ({ kind: 'cidr', cidr: each.text('CidrIp') as Cidr })),
      ...permission.list('Ipv6Ranges').map((each): Peer => ({ kind: 'cidr6', cidr: each.text('CidrIpv6') as Cidr })),
      ...permission.list('PrefixListIds').map((each): Peer => ({ kind: 'prefix-list', prefixListId: each.text('PrefixListId') as PrefixListId })),
      ...permission.list('UserIdGroupPairs').map((each) => groupPeer(each, owner)),
    ]; // biome-ignore format: a table
    for (const peer of peers) {
      count += 1;
      const ruleId = `sgr-of-${id}-${isEgress ? 'out' : 'in'}-${count}` as const;
      putRule(building, { groupId: id, vpcId, owner }, { id: ruleId, isEgress, item: permission, peer });
    }
  }
}
