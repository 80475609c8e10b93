// By which other components might there be a path, were the routes others? Gateways and peerings that stand between the two ends.

import type { NetworkIndex } from '../walk/network-index.ts';
import { type Question, vpcsOf } from './question.ts';
import { joinsBetween } from './routing.ts';

/** Ids of intermediate components that an analysis can be asked to go through, without those that it was told to leave out. */
export function alternatives(network: NetworkIndex, { source, destination, without }: Question): string[] {
  const [from] = vpcsOf(source);
  const vpc = from === undefined ? undefined : network.vpc(from);
  if (vpc === undefined || source.kind !== 'interfaces') return [];
  const leaves = destination.kind === 'internet-gateway' || destination.kind === 'address';
  const gateways = leaves ? vpc.natGateways.map((each) => each.natGatewayId as string) : [];
  const joins = vpcsOf(destination).flatMap((to) => (to === vpc.vpcId ? [] : joinsBetween(network, vpc.vpcId, to)));
  return [...gateways, ...joins].filter((id) => !without.includes(id));
}
