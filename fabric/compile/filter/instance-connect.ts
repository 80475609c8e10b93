// The stage instance-connect: what may pass the interface of an instance connect endpoint (J4).

import type { NftRule } from '../host-state.ts';
import { tracked } from '../names.ts';
import type { VpcContext } from '../vpc-context.ts';
import { stage } from './well-known.ts';

function endpoints(context: VpcContext) {
  return context.plugged.flatMap(({ eni, device }) =>
    eni.service?.kind === 'instance-connect-endpoint'
      ? [{ device, comment: stage('instance-connect', eni.service.instanceConnectEndpointId) }]
      : [],
  );
}

/** From it come TCP connections, to it go replies and nothing else. */
export function instanceConnectRules(context: VpcContext): NftRule[] {
  return endpoints(context).flatMap(({ device, comment }) => [
    { match: `iifname "${device}" meta l4proto != tcp drop`, comment },
    { match: `oifname "${device}" ct state != { established, related } drop`, comment },
  ]);
}

/** Inbound rules of its groups are nobody's business: once the outbound ones let a connection begin, its end counts as tracked. */
export function instanceConnectTracking(context: VpcContext): NftRule[] {
  return endpoints(context).map(({ device, comment }) => ({
    match: `ct state new iifname "${device}" ct mark set ct mark | ${tracked.sender}`,
    comment,
  }));
}
