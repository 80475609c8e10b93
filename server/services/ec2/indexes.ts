// By what are EC2's rows looked up, beside their ids? One constant per question, so that an answer does not take longer in a region that holds more.

import type { Index } from '../../store/store.ts';
import { isPeered } from './group-peers.ts';
import { ruleKey } from './rule-form.ts';

export const subnetsByVpc: Index<'subnet'> = { kind: 'subnet', keyOf: (row) => row.vpcId };

/** A group by its VPC and its name: S4 wants the name to be the only one there. */
export const groupsByName: Index<'security-group'> = {
  kind: 'security-group',
  keyOf: (row) => groupNameKey(row.vpcId, row.groupName),
};

export function groupNameKey(vpcId: string, groupName: string): string {
  return `${vpcId} ${groupName}`;
}

/** The rules of a group in one direction. */
export const rulesByGroup: Index<'security-group-rule'> = {
  kind: 'security-group-rule',
  keyOf: (row) => groupKey(row.groupId, row.isEgress),
};

export function groupKey(groupId: string, isEgress: boolean): string {
  return `${groupId} ${isEgress ? 'egress' : 'ingress'}`;
}

/** The same rule in the same group and direction (S5). */
export const rulesByContent: Index<'security-group-rule'> = {
  kind: 'security-group-rule',
  keyOf: (row) => `${groupKey(row.groupId, row.isEgress)} ${ruleKey(row)}`,
};

/** Rules that name a group over a peering, by that group. */
export const rulesByPeeredGroup: Index<'security-group-rule'> = {
  kind: 'security-group-rule',
  keyOf: ({ peer }) => (isPeered(peer) ? peer.groupId : undefined),
};

export const attachmentsByVpc: Index<'transit-gateway-attachment'> = {
  kind: 'transit-gateway-attachment',
  keyOf: (row) => row.vpcId,
};

export const defaultAclByVpc: Index<'network-acl'> = {
  kind: 'network-acl',
  keyOf: (row) => (row.isDefault ? row.vpcId : undefined),
};
