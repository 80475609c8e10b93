// Which interfaces have a flow log, of their own, their subnet's or their VPC's, and what do the logs want to know (L6)?

import type { NetworkInterface } from '@postern/network/snapshot.ts';
import type { NetworkInterfaceRow } from '../store/rows/ec2.ts';
import type { FlowLogRow } from '../store/rows/flow-logs.ts';
import type { Transaction } from '../store/store.ts';

/** The flow logs that an interface is logged by. */
export type FlowLogsOf = (eni: Pick<NetworkInterfaceRow, 'id' | 'subnetId' | 'vpcId'>) => readonly FlowLogRow[];

export function flowLogsOf(tx: Transaction): FlowLogsOf {
  const byResource = new Map<string, FlowLogRow[]>();
  for (const row of tx.list('flow-log'))
    byResource.set(row.resourceId, [...(byResource.get(row.resourceId) ?? []), row]);
  return ({ id, subnetId, vpcId }) => [vpcId, subnetId, id].flatMap((each) => byResource.get(each) ?? []);
}

export function loggedTraffic(logs: readonly FlowLogRow[]): Pick<NetworkInterface, 'loggedTraffic'> {
  const wanted = new Set(logs.map(({ trafficType }) => trafficType));
  const [first] = wanted;
  if (first === undefined) return {};
  return { loggedTraffic: wanted.size > 1 ? 'ALL' : first };
}
