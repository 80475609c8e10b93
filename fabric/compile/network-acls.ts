// Network ACLs as nft chains: stateless, in ascending order, first match decides, the rest is dropped (N1). A chain returns when it allows.
// Every packet is looked at, so a change hits flows that exist (N6); the forward chain comes here only for packets that cross a subnet's edge (N4).

import type { NetworkAcl, NetworkAclEntry, NetworkAclId } from '@postern/network/snapshot.ts';
import type { NftChain } from './host-state.ts';
import { portMatch } from './nft-match.ts';
import type { VpcContext } from './vpc-context.ts';

export interface CompiledAcls {
  readonly chains: readonly NftChain[];
  /** Interface → chain; an interface whose ACL lets everything pass first is left out, which costs its packets nothing. */
  readonly ingress: readonly string[];
  readonly egress: readonly string[];
}

export function compileNetworkAcls(context: VpcContext): CompiledAcls {
  const acls = new Map<NetworkAclId, NetworkAcl>(context.vpc.networkAcls.map((acl) => [acl.networkAclId, acl]));
  const chains = new Map<string, NftChain>();
  const entries: Record<'ingress' | 'egress', string[]> = { ingress: [], egress: [] };
  for (const { subnet, device } of context.plugged) {
    const acl = acls.get(subnet.networkAclId) ?? { networkAclId: subnet.networkAclId, ingress: [], egress: [] };
    for (const direction of ['ingress', 'egress'] as const) {
      if (letsEverythingPass(acl[direction][0])) continue;
      const name = `${direction}-${acl.networkAclId}`;
      entries[direction].push(`"${device}" : jump ${name}`);
      if (!chains.has(name)) chains.set(name, { name, rules: compileEntries(acl, direction) });
    }
  }
  return { chains: [...chains.values()], ingress: entries.ingress, egress: entries.egress };
}

function compileEntries(acl: NetworkAcl, direction: 'ingress' | 'egress'): NftChain['rules'] {
  const field = direction === 'ingress' ? 'ip saddr' : 'ip daddr';
  const rules = acl[direction].map((entry) => {
    const address = entry.cidr === '0.0.0.0/0' ? '' : `${field} ${entry.cidr}`;
    const verdict = entry.action === 'allow' ? 'return' : 'drop';
    return {
      match: [address, portMatch(entry), verdict].filter((part) => part !== '').join(' '),
      comment: `acl-${direction} ${acl.networkAclId}/${entry.ruleNumber}`,
    };
  });
  return [...rules, { match: 'drop', comment: `acl-${direction} ${acl.networkAclId}/*` }];
}

function letsEverythingPass(first: NetworkAclEntry | undefined): boolean {
  return first !== undefined && first.action === 'allow' && first.protocol === -1 && first.cidr === '0.0.0.0/0';
}
