// The stage interface-endpoint, and the flows that are tracked whatever the rules say (S13).

import type { NftRule } from '../host-state.ts';
import { tracked } from '../names.ts';
import { natGatewaysOf } from '../nat-gateways.ts';
import type { VpcContext } from '../vpc-context.ts';
import { stage } from './well-known.ts';

/** To an interface endpoint goes TCP and UDP only, so nothing of it answers ping (X3); from it come replies and nothing else. */
export function interfaceEndpointRules(context: VpcContext): NftRule[] {
  return endpointInterfaces(context).flatMap(({ device, vpcEndpointId }) => {
    const comment = stage('interface-endpoint', vpcEndpointId);
    return [
      { match: `oifname "${device}" meta l4proto != { tcp, udp } drop`, comment },
      { match: `iifname "${device}" ct state != established drop`, comment },
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
  if (devices.length === 0) return [];
  const names = devices.map((device) => `"${device}"`).join(', ');
  return [
    {
      match: `ct state new oifname { ${names} } ct mark set ct mark | ${tracked.both}`,
      comment: stage('sg-egress', 'always tracked'),
    },
  ];
}

function endpointInterfaces(context: VpcContext) {
  return context.plugged.flatMap(({ device, eni: { service } }) =>
    service?.kind === 'vpc-endpoint' ? [{ device, vpcEndpointId: service.vpcEndpointId }] : [],
  );
}
