// The hook after translation: is the way back still the flow's?

import type { NftChain } from '../host-state.ts';
import { endpointMark, igwDevice, mark, movedMark } from '../names.ts';
import type { VpcContext } from '../vpc-context.ts';
import { cameByIgwChains } from './internet-gateway.ts';
import { privateBlocks, stage } from './well-known.ts';

/**
 * After NAT. A reply whose flow would now leave by another path is answered with a reset: creating or removing an endpoint's route drops the TCP
 * connections it moves (W6). The sender's side learns it in the forward chain, for there its packets are of no flow in the new path's zone.
 */
export function departureChains(context: VpcContext): NftChain[] {
  const igw = context.vpc.internetGatewayId;
  const moved = context.endpoints.map(
    ({ device, number }): NftChain => ({
      name: `moved-${device}`,
      rules: [
        { match: 'meta mark set ip daddr map @subnet-marks' },
        { match: `fib saddr . mark oifname "${device}" meta mark set 0 return` },
        // Marked only: a reset needs the packet routed, which comes after this hook.
        { match: `meta mark set ${movedMark(number)}` },
      ],
    }),
  );
  const resets = waysBack(context).map(
    (each): NftChain => ({
      name: `reset-${each.device}`,
      rules: [
        {
          match: `meta l4proto tcp tcp flags & rst == 0 meta mark set ${each.mark} reject with tcp reset`,
          comment: each.comment,
        },
        { match: 'drop', comment: each.comment },
      ],
    }),
  );
  return [
    ...moved,
    ...resets,
    ...cameByIgwChains(context),
    {
      name: 'translated-in',
      hook: 'type filter hook prerouting priority -50; policy accept;',
      rules: [
        ...(igw === undefined
          ? []
          : [
              { match: `iifname "${igwDevice}" ip saddr ${privateBlocks} drop`, comment: stage('igw-ingress', igw) },
              { match: `iifname "${igwDevice}" goto came-by-igw` },
            ]),
        ...context.endpoints.map(({ device }) => ({
          match: `iifname "${device}" ct direction reply jump moved-${device}`,
        })),
      ],
    },
  ];
}

/** The links by which the outside answers, with the marks that a reply by a path no longer valid gets, and that its reset is routed by. */
export function waysBack(context: VpcContext) {
  const igw = context.vpc.internetGatewayId;
  const byIgw = {
    device: igwDevice,
    mark: mark.toIgw,
    movedMark: mark.movedFromIgw,
    comment: stage('igw-ingress', `${igw} route moved`),
    outComment: stage('igw-egress', `${igw} route moved`),
  };
  return [
    ...(igw === undefined ? [] : [byIgw]),
    ...context.endpoints.map((each) => ({
      device: each.device,
      mark: endpointMark(each.number),
      movedMark: movedMark(each.number),
      comment: stage('gateway-endpoint', `${each.endpoint.vpcEndpointId} route moved`),
      outComment: stage('gateway-endpoint', `${each.endpoint.vpcEndpointId} route moved`),
    })),
  ];
}
