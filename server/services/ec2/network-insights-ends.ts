// Which resource does the end of a path name? By id or ARN: when the path is made, of what kind and whose; when it is analysed, where in the network it is now.
// https://docs.aws.amazon.com/vpc/latest/reachability/how-reachability-analyzer-works.html (read 2026-11-21). Transit gateways, virtual private gateways and
// endpoint services are ends at AWS too: here there are none, so each is one that does not exist.

import type { Explanation } from '@postern/network/insights/explanation.ts';
import type { Place } from '@postern/network/insights/question.ts';
import type { InternetGatewayId, VpcEndpointId, VpcPeeringConnectionId } from '@postern/network/snapshot.ts';
import type { Call } from '../../service.ts';
import type { PathEndRow } from '../../store/rows/network-insights.ts';
import { ec2Error, invalidParameterValue, isWellFormedId, type ResourceKind, resourceKinds } from './errors.ts';
import { ec2Arn } from './rows.ts';
import { resourceTypes } from './tagging.ts';

const endKinds = [
  'instance',
  'network-interface',
  'internet-gateway',
  'vpc-endpoint',
  'vpc-peering-connection',
] as const;
type EndKind = (typeof endKinds)[number];
/** What AWS takes as an end and Postern has none of. */
const absentPrefixes = ['tgw', 'tgw-attach', 'vgw', 'vpce-svc'];

export interface Arn {
  readonly region: string;
  readonly accountId: string;
  readonly type: string;
  readonly id: string;
}

/** `arn:aws:ec2:us-east-1:123456789012:instance/i-1`; undefined when it is none of EC2's. */
export function readArn(text: string): Arn | undefined {
  const match = /^arn:aws[\w-]*:ec2:([\w-]+):(\d{12}):([\w-]+)\/([\w-]+)$/.exec(text);
  const [, region, accountId, type, id] = match ?? [];
  return region && accountId && type && id ? { region, accountId, type, id } : undefined;
}

/**
 * Reads one end of a new path. What is in another account is looked up only by an analysis.
 * @throws InvalidParameterValue, NetworkInsightsSource.NotFound, NetworkInsightsDestination.NotFound (wordings not seen)
 */
export function readEnd(call: Call, text: string, side: 'source' | 'destination'): PathEndRow {
  const arn = text.startsWith('arn:') ? readArn(text) : undefined;
  if (text.startsWith('arn:') && arn === undefined)
    throw invalidParameterValue(`Value (${text}) for parameter ${side} is invalid. The ARN is not valid.`);
  const id = arn?.id ?? text;
  const notFound = () =>
    ec2Error(
      side === 'source' ? 'NetworkInsightsSource.NotFound' : 'NetworkInsightsDestination.NotFound',
      `The ${side} '${text}' does not exist.`,
    );
  const kind = kindOfEnd(id);
  if (kind === undefined) {
    if (absentPrefixes.some((prefix) => new RegExp(`^${prefix}-[0-9a-f]{8,17}$`).test(id))) throw notFound();
    throw invalidParameterValue(`Value (${text}) for parameter ${side} is invalid. The resource is not supported.`);
  }
  if (arn !== undefined && arn.type !== resourceTypes[kind])
    throw invalidParameterValue(`Value (${text}) for parameter ${side} is invalid. The ARN is not valid.`);
  if (arn !== undefined && arn.region !== call.region)
    throw invalidParameterValue(`Value (${text}) for parameter ${side} is invalid. It must be in ${call.region}.`);
  const accountId = arn?.accountId ?? ownerOf(call, kind, id) ?? call.accountId;
  if (accountId === call.accountId && ownerOf(call, kind, id) !== call.accountId) throw notFound();
  return { id, accountId, arn: ec2Arn({ ...call, accountId }, resourceTypes[kind], id) };
}

function kindOfEnd(id: string): EndKind | undefined {
  return endKinds.find((kind) => isWellFormedId(kind, id));
}

/** The account of whoever has it in this Region; the accepter of a peering connection has it too. */
function ownerOf(call: Call, kind: EndKind, id: string): string | undefined {
  if (kind === 'vpc-peering-connection') {
    const { requester, accepter } = call.tx.get(kind, id) ?? {};
    const sides = [requester, accepter].filter((side) => side?.region === call.region);
    return (sides.find((side) => side?.accountId === call.accountId) ?? sides[0])?.accountId;
  }
  const row = call.tx.get(kind, id);
  return row?.region === call.region ? row.accountId : undefined;
}

/** Where it is, or why nothing can come from it or get to it. */
export function placeOf(call: Call, end: PathEndRow, isVisible: (accountId: string) => boolean): Place | Explanation {
  const { tx } = call;
  const { id: component } = end;
  const kind = kindOfEnd(component);
  if (!isVisible(end.accountId))
    return { code: 'UNKNOWN_RESOURCE', component, componentAccount: end.accountId, componentRegion: call.region };
  if (kind === undefined || ownerOf(call, kind, component) === undefined)
    return { code: 'NO_SOURCE_OR_DESTINATION', component, missingComponent: component };
  switch (kind) {
    case 'instance': {
      const row = tx.get('instance', component);
      if (row === undefined || row.state === 'terminated' || row.state === 'shutting-down')
        return { code: 'UNASSOCIATED_COMPONENT', component };
      if (row.state === 'stopped' || row.state === 'stopping')
        return { code: 'BAD_STATE', component, state: row.state, vpc: row.vpcId, subnet: row.subnetId };
      const cards = tx.list('network-interface', row).filter((each) => each.attachment?.instanceId === component);
      const sorted = cards.sort((a, b) => (a.attachment?.deviceIndex ?? 0) - (b.attachment?.deviceIndex ?? 0));
      const networkInterfaceIds = sorted.map((each) => each.id);
      return { kind: 'interfaces', id: component, vpcId: row.vpcId, networkInterfaceIds };
    }
    case 'network-interface': {
      const row = tx.get('network-interface', component);
      if (row === undefined) return { code: 'NO_SOURCE_OR_DESTINATION', component, missingComponent: component };
      return { kind: 'interfaces', id: component, vpcId: row.vpcId, networkInterfaceIds: [row.id] };
    }
    case 'internet-gateway': {
      const vpcId = tx.get('internet-gateway', component)?.vpcId;
      if (vpcId === undefined) return { code: 'UNASSOCIATED_COMPONENT', component, internetGateway: component };
      return { kind: 'internet-gateway', id: component as InternetGatewayId, vpcId };
    }
    case 'vpc-endpoint': {
      const vpcId = tx.get('vpc-endpoint', component)?.vpcId;
      if (vpcId === undefined) return { code: 'NO_SOURCE_OR_DESTINATION', component, missingComponent: component };
      return { kind: 'vpc-endpoint', id: component as VpcEndpointId, vpcId };
    }
    case 'vpc-peering-connection': {
      const row = tx.get('vpc-peering-connection', component);
      if (row === undefined) return { code: 'NO_SOURCE_OR_DESTINATION', component, missingComponent: component };
      if (row.state !== 'active')
        return { code: 'BAD_STATE', component, vpcPeeringConnection: component, state: row.state };
      const vpcIds = [row.requester.vpcId, row.accepter.vpcId] as const;
      return { kind: 'peering-connection', id: component as VpcPeeringConnectionId, vpcIds };
    }
  }
}

/** Of every id that hops and reasons name. */
export function componentsOf(call: Call, ids: Iterable<string>): Record<string, { arn: string; name?: string }> {
  return Object.fromEntries(
    [...ids].flatMap((id) => {
      const known = describeComponent(call, id);
      return known === undefined ? [] : [[id, known]];
    }),
  );
}

/** ARN and Name tag of a component; undefined when there is no such row (any more). */
function describeComponent(call: Call, id: string): { arn: string; name?: string } | undefined {
  const kinds = Object.keys(resourceTypes) as (keyof typeof resourceTypes)[];
  const kind = kinds.find((each) => id.startsWith(`${resourceKinds[each satisfies ResourceKind].prefix}-`));
  const row = kind === undefined ? undefined : call.tx.get(kind, id);
  if (kind === undefined || row === undefined) return undefined;
  const name = row.accountId === call.accountId ? row.tags.Name : undefined;
  return { arn: ec2Arn({ ...call, ...row }, resourceTypes[kind], id), ...(name && { name }) };
}
