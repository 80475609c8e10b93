// The nft table of a VPC's router: every decision that is not a route. docs/packet-path.md tells a packet's way through it.
// Constant work per packet: interfaces are reached by verdict maps, and a flow that both ends' groups track skips the groups (S11).

import { arrivalChains } from './filter/arrival.ts';
import { departureChains } from './filter/departure.ts';
import { forwardChain, hopLimitChains } from './filter/forward.ts';
import { interfaceEndpointChains, interfaceEndpointSets } from './filter/interface-endpoint.ts';
import { natChains } from './filter/nat.ts';
import { addressSets, interfaceSets } from './filter/sets.ts';
import { verdictMap } from './filter/well-known.ts';
import { withFlowLogs } from './flow-logs.ts';
import type { NftTable } from './host-state.ts';
import { compileNetworkAcls } from './network-acls.ts';
import { compileSecurityGroups } from './security-groups.ts';
import type { VpcContext } from './vpc-context.ts';

export function compileVpcTable(context: VpcContext): NftTable {
  const groups = compileSecurityGroups(context);
  const acls = compileNetworkAcls(context);
  return withFlowLogs(context, {
    name: 'vpc',
    sets: [
      ...interfaceSets(context),
      ...addressSets(context),
      ...interfaceEndpointSets(context),
      verdictMap('sg-ingress', groups.ingress),
      verdictMap('sg-egress', groups.egress),
      verdictMap('acl-ingress', acls.ingress),
      verdictMap('acl-egress', acls.egress),
      ...groups.sets,
    ],
    chains: [
      ...arrivalChains(context),
      ...natChains(context),
      ...departureChains(context),
      ...hopLimitChains(context),
      ...interfaceEndpointChains(context),
      ...groups.chains,
      ...acls.chains,
      forwardChain(context),
      // The router itself answers nothing but ARP.
      { name: 'to-router', hook: 'type filter hook input priority filter; policy drop;', rules: [] },
    ],
  });
}
