// Snapshot in, kernel state out. Pure: allocation and the machines' process ids are given in, and a full recompute is always correct (design, invariant 4).

import type { InstanceId, Snapshot, VpcId } from '@postern/network/snapshot.ts';
import { type Allocation, allocate, emptyAllocation } from './allocation.ts';
import { compileCore } from './core.ts';
import { loggedInterfaces } from './flow-logs.ts';
import type { HostState, VpcState } from './host-state.ts';
import { connectInterfacesOf } from './instance-connect-endpoints.ts';
import { endpointInterfacesOf } from './interface-endpoints.ts';
import { ipv6Context } from './ipv6/context.ts';
import { compileIpv6Table } from './ipv6/filter.ts';
import { compileIpv6Wiring } from './ipv6/links.ts';
import { balancerInterfacesOf } from './load-balancers.ts';
import { compileNatGateways } from './nat-gateways.ts';
import { type CompiledPeering, peeringLinks, peeringsByVpc } from './peering.ts';
import { attachmentsByVpc, compileTransitGateways } from './transit-gateways.ts';
import { isPresent, type VpcContext, vpcContext } from './vpc-context.ts';
import { compileVpcTable } from './vpc-filter.ts';
import {
  compileAddresses,
  compileGuests,
  compileLinks,
  compileNeighbours,
  compileRoutes,
  compileRules,
} from './vpc-links.ts';

export interface Compiled {
  readonly state: HostState;
  readonly allocation: Allocation;
  readonly vpcs: ReadonlyMap<VpcId, CompiledVpc>;
}

/** A VPC's part, with everything it was made of as text: the same text gives the same state, so the objects of the last compile serve again. */
interface CompiledVpc {
  /** Of all but the filter. */
  readonly wiringInput: string;
  /** Of groups and ACLs, which are what changes most and changes no link and no route. */
  readonly filterInput: string;
  readonly context: VpcContext | undefined;
  readonly state: VpcState | undefined;
}

export const nothingCompiled: Pick<Compiled, 'allocation' | 'vpcs'> = { allocation: emptyAllocation, vpcs: new Map() };

/**
 * @param previous the last compile: what lives keeps its numbers, and a VPC of which nothing changed keeps its state, object and all
 * @param processIds a process of each running machine; an interface of a machine without one is not plugged
 */
export function compile(
  snapshot: Snapshot,
  previous: Pick<Compiled, 'allocation' | 'vpcs'>,
  processIds: ReadonlyMap<InstanceId, number>,
): Compiled {
  const allocation = allocate(previous.allocation, snapshot);
  const prefixLists = JSON.stringify(snapshot.prefixLists);
  const present = new Set(
    snapshot.vpcs.filter((vpc) => isPresent(vpc, allocation, processIds)).map((vpc) => vpc.vpcId),
  );
  const peerings = peeringsByVpc(snapshot, allocation, present);
  const attached = attachmentsByVpc(snapshot, allocation);
  const vpcs = new Map<VpcId, CompiledVpc>();
  for (const vpc of snapshot.vpcs) {
    // Numbers are no part of the text: what was in the last Snapshot keeps them.
    const processes = vpc.networkInterfaces.map(({ attachment }) =>
      attachment === undefined ? undefined : processIds.get(attachment.instanceId),
    );
    const { securityGroups, networkAcls, ...wiring } = vpc;
    const own = peerings.get(vpc.vpcId) ?? [];
    const attachments = attached.get(vpc.vpcId) ?? [];
    const wiringInput = JSON.stringify([wiring, processes, own.map(withoutMembers), attachments]) + prefixLists;
    const filterInput = JSON.stringify([securityGroups, networkAcls, own.map((each) => each.peerMembers)]);
    const before = previous.vpcs.get(vpc.vpcId);
    const isSameWiring = before?.wiringInput === wiringInput;
    if (isSameWiring && before?.filterInput === filterInput) {
      vpcs.set(vpc.vpcId, before);
      continue;
    }
    const joined = { peerings: own, attachments };
    const context = vpcContext(vpc, snapshot, allocation, processIds, joined);
    const state = context === undefined ? undefined : compileVpc(context, isSameWiring ? before?.state : undefined);
    vpcs.set(vpc.vpcId, { wiringInput, filterInput, context, state });
  }
  const parts = [...vpcs.values()];
  const contexts = parts.flatMap((part) => part.context ?? []);
  return {
    state: {
      core: compileCore(
        contexts,
        endpointInterfacesOf(snapshot, allocation),
        connectInterfacesOf(snapshot, allocation),
        balancerInterfacesOf(snapshot, allocation),
      ),
      vpcs: parts.flatMap((part) => part.state ?? []),
      peerings: peeringLinks(snapshot, peerings),
      transitGateways: compileTransitGateways(snapshot, allocation, contexts),
    },
    allocation,
    vpcs,
  };
}

/** Members change the filter only. */
function withoutMembers({ peerMembers: _members, ...wiring }: CompiledPeering): object {
  return wiring;
}

function compileVpc(context: VpcContext, sameWiring: VpcState | undefined): VpcState {
  const tables = { table: compileVpcTable(context), ipv6Table: compileIpv6Table(context) };
  if (sameWiring !== undefined) return { ...sameWiring, ...tables };
  const ipv6 = compileIpv6Wiring(context);
  const logged = loggedInterfaces(context);
  return {
    vpcId: context.vpc.vpcId,
    links: [...compileLinks(context), ...ipv6.links],
    addresses: [...compileAddresses(context), ...ipv6.addresses],
    neighbours: [...compileNeighbours(context), ...ipv6.neighbours],
    routes: [...compileRoutes(context), ...ipv6.routes],
    rules: [...compileRules(context), ...ipv6.rules],
    ...tables,
    guests: compileGuests(context),
    natGateways: compileNatGateways(context, ipv6Context(context)?.natGateways ?? []),
    ...(logged.length > 0 && {
      loggedInterfaces: new Map(logged.map(({ number, eni }) => [number, eni.networkInterfaceId])),
    }),
  };
}
