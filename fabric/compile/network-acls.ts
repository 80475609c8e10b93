// Network ACLs as nft chains: stateless, in ascending order, first match decides, the rest is dropped (N1). A chain returns when it allows.
// Every packet is looked at, so a change hits flows that exist (N6); the forward chain comes here only for packets that cross a subnet's edge (N4).

import type { NetworkAcl, NetworkAclEntry, NetworkAclId } from '@postern/network/snapshot.ts';
import { type Family, families, familyOf, isProtocolOf } from './family.ts';
import type { NftChain } from './host-state.ts';
import { portMatch } from './nft-match.ts';
import type { PluggedInterface, VpcContext } from './vpc-context.ts';

export interface CompiledAcls {
  readonly chains: readonly NftChain[];
  /** Interface → chain; an interface whose ACL lets everything pass first is left out, which costs its packets nothing. */
  readonly ingress: readonly string[];
  readonly egress: readonly string[];
}

/** @param plugged interfaces that have an address of the family */
export function compileNetworkAcls(
  context: VpcContext,
  family: Family = 'ip',
  plugged: readonly PluggedInterface[] = context.plugged,
): CompiledAcls {
  const acls = new Map<NetworkAclId, NetworkAcl>(context.vpc.networkAcls.map((acl) => [acl.networkAclId, acl]));
  const chains = new Map<string, NftChain>();
  const entries: Record<'ingress' | 'egress', string[]> = { ingress: [], egress: [] };
  for (const { subnet, device } of plugged) {
    const acl = acls.get(subnet.networkAclId) ?? { networkAclId: subnet.networkAclId, ingress: [], egress: [] };
    for (const direction of ['ingress', 'egress'] as const) {
      const own = acl[direction].filter((entry) => isEntryOf(family, entry));
      if (letsEverythingPass(family, own[0])) continue;
      const name = `${direction}-${acl.networkAclId}`;
      entries[direction].push(`"${device}" : jump ${name}`);
      if (!chains.has(name))
        chains.set(name, { name, rules: compileEntries(family, acl.networkAclId, own, direction) });
    }
  }
  return { chains: [...chains.values()], ingress: entries.ingress, egress: entries.egress };
}

function compileEntries(
  family: Family,
  networkAclId: NetworkAclId,
  entries: readonly NetworkAclEntry[],
  direction: 'ingress' | 'egress',
): NftChain['rules'] {
  const field = `${family} ${direction === 'ingress' ? 'saddr' : 'daddr'}`;
  const rules = entries.map((entry) => {
    const address = entry.cidr === families[family].everywhere ? '' : `${field} ${entry.cidr}`;
    const verdict = entry.action === 'allow' ? 'return' : 'drop';
    return {
      match: [address, portMatch(entry), verdict].filter((part) => part !== '').join(' '),
      comment: `acl-${direction} ${networkAclId}/${entry.ruleNumber}`,
    };
  });
  return [...rules, { match: 'drop', comment: `acl-${direction} ${networkAclId}/*` }];
}

function isEntryOf(family: Family, entry: NetworkAclEntry): boolean {
  return familyOf(entry.cidr) === family && isProtocolOf(family, entry.protocol);
}

function letsEverythingPass(family: Family, first: NetworkAclEntry | undefined): boolean {
  return (
    first !== undefined &&
    first.action === 'allow' &&
    first.protocol === -1 &&
    first.cidr === families[family].everywhere
  );
}
