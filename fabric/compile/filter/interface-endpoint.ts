// The stage interface-endpoint, and the flows that are tracked whatever the rules say (S13).

import type { NftChain, NftRule, NftSet } from '../host-state.ts';
import { tracked } from '../names.ts';
import { natGatewaysOf } from '../nat-gateways.ts';
import type { VpcContext } from '../vpc-context.ts';
import { stage, verdictMap } from './well-known.ts';

/** Two lookups however many endpoints there are; each has its chains, so that a drop names it. */
export function interfaceEndpointRules(context: VpcContext): NftRule[] {
  return endpointInterfaces(context).length === 0
    ? []
    : [{ match: 'oifname vmap @to-endpoints' }, { match: 'iifname vmap @from-endpoints' }];
}

export function interfaceEndpointSets(context: VpcContext): NftSet[] {
  const endpoints = endpointInterfaces(context);
  if (endpoints.length === 0) return [];
  return [
    verdictMap(
      'to-endpoints',
      endpoints.map(({ device }) => `"${device}" : jump to-${device}`),
    ),
    verdictMap(
      'from-endpoints',
      endpoints.map(({ device }) => `"${device}" : jump from-${device}`),
    ),
  ];
}

/** To an interface endpoint goes TCP and UDP only, so nothing of it answers ping (X3); from it come replies and nothing else. */
export function interfaceEndpointChains(context: VpcContext): NftChain[] {
  return endpointInterfaces(context).flatMap(({ device, vpcEndpointId }) => {
    const comment = stage('interface-endpoint', vpcEndpointId);
    return [
      { name: `to-${device}`, rules: [{ match: 'meta l4proto != { tcp, udp } drop', comment }] },
      { name: `from-${device}`, rules: [{ match: 'ct state != established drop', comment }] },
    ];
  });
}

/**
 * S13: both ends of these flows count as tracked, once their groups have let the first packet pass. Removing a rule does not cut them (S11).
 * A gateway endpoint has no groups and its end is tracked anyway; the sender's is for DynamoDB alone.
 */
export function alwaysTrackedRules(context: VpcContext): NftRule[] {
  const devices = [
    ...endpointInterfaces(context).map(({ device }) => device),
    ...natGatewaysOf(context).map(({ device }) => device),
    ...context.endpoints.filter(({ endpoint }) => endpoint.service === 'dynamodb').map(({ device }) => device),
  ];
  const names = devices.map((device) => `"${device}"`).join(', ');
  const balancers = context.plugged
    .filter(({ eni }) => eni.service?.kind === 'network-load-balancer')
    .map(({ device }) => `"${device}"`);
  const ways = [
    ...(devices.length === 0 ? [] : [`oifname { ${names} }`]),
    ...(balancers.length === 0 ? [] : ['oifname', 'iifname'].map((way) => `${way} { ${balancers.join(', ')} }`)),
    ...context.peerings.flatMap(({ device, peerEndpoints }) =>
      peerEndpoints.length === 0 ? [] : [`oifname "${device}" ip daddr { ${peerEndpoints.join(', ')} }`],
    ),
  ];
  return ways.map((way) => ({
    match: `ct state new ${way} ct mark set ct mark | ${tracked.both}`,
    comment: stage('sg-egress', 'always tracked'),
  }));
}

function endpointInterfaces(context: VpcContext) {
  return context.plugged.flatMap(({ device, eni: { service } }) =>
    service?.kind === 'vpc-endpoint' ? [{ device, vpcEndpointId: service.vpcEndpointId }] : [],
  );
}
