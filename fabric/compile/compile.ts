// Snapshot in, kernel state out. Pure: allocation and the machines' process ids are given in, and a full recompute is always correct (design, invariant 4).

import type { InstanceId, Snapshot } from '@postern/network/snapshot.ts';
import { type Allocation, allocate } from './allocation.ts';
import { compileCore } from './core.ts';
import type { HostState, VpcState } from './host-state.ts';
import { type VpcContext, vpcContext } from './vpc-context.ts';
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
}

/**
 * @param previous the allocation of the last compile, so that what lives keeps its numbers
 * @param processIds a process of each running machine; an interface of a machine without one is not plugged
 */
export function compile(
  snapshot: Snapshot,
  previous: Allocation,
  processIds: ReadonlyMap<InstanceId, number>,
): Compiled {
  const allocation = allocate(previous, snapshot);
  const contexts = snapshot.vpcs.flatMap((vpc) => vpcContext(vpc, snapshot, allocation, processIds) ?? []);
  return { state: { core: compileCore(contexts), vpcs: contexts.map(compileVpc) }, allocation };
}

function compileVpc(context: VpcContext): VpcState {
  return {
    vpcId: context.vpc.vpcId,
    links: compileLinks(context),
    addresses: compileAddresses(context),
    neighbours: compileNeighbours(context),
    routes: compileRoutes(context),
    rules: compileRules(context),
    table: compileVpcTable(context),
    guests: compileGuests(context),
  };
}
