// Hooks after translation: is the pair of addresses still one, and is the way back still the flow's?

import type { NftChain, NftRule } from '../host-state.ts';
import { endpointMark, igwDevice, mark, movedMark } from '../names.ts';
import type { VpcContext } from '../vpc-context.ts';
import { privateBlocks, stage } from './well-known.ts';

/**
 * After NAT, both ways. A flow's translation outlives the association that made it, so what passes the gateway must still be a pair that exists.
 * And a reply whose flow would now leave by another path is answered with a reset: creating or removing an endpoint's route drops the TCP
 * connections it moves (W6). The sender's side learns it in the forward chain, for there its packets are of no flow in the new path's zone.
 */
export function departureChains(context: VpcContext): NftChain[] {
  const igw = context.vpc.internetGatewayId;
  const back = waysBack(context);
  const moved = back.flatMap((each): NftChain[] => [
    {
      name: `moved-${each.device}`,
      rules: [
        { match: 'meta mark set ip daddr map @subnet-marks' },
        { match: `fib saddr . mark oifname "${each.device}" meta mark set 0 return` },
        // Marked only: a reset needs the packet routed, which comes after this hook.
        { match: `meta mark set ${each.movedMark}` },
      ],
    },
    {
      name: `reset-${each.device}`,
      rules: [
        {
          match: `meta l4proto tcp tcp flags & rst == 0 meta mark set ${each.mark} reject with tcp reset`,
          comment: each.comment,
        },
        { match: 'drop', comment: each.comment },
      ],
    },
  ]);
  const fromIgw: NftRule[] =
    igw === undefined
      ? []
      : [
          { match: `iifname "${igwDevice}" ip saddr ${privateBlocks} drop`, comment: stage('igw-ingress', igw) },
          {
            match: `iifname "${igwDevice}" ct direction original ip daddr . ct original ip daddr != @igw-pairs drop`,
            comment: stage('igw-ingress', igw),
          },
          {
            match: `iifname "${igwDevice}" ct direction reply ip daddr . ct reply ip daddr != @igw-pairs drop`,
            comment: stage('igw-ingress', igw),
          },
        ];
  const toIgw: NftRule[] =
    igw === undefined
      ? []
      : [
          {
            match: `oifname "${igwDevice}" ct direction original ct original ip saddr . ip saddr != @igw-pairs drop`,
            comment: stage('igw-egress', igw),
          },
          {
            match: `oifname "${igwDevice}" ct direction reply ct reply ip saddr . ip saddr != @igw-pairs drop`,
            comment: stage('igw-egress', igw),
          },
        ];
  return [
    ...moved,
    {
      name: 'translated-in',
      hook: 'type filter hook prerouting priority -50; policy accept;',
      rules: [
        ...fromIgw,
        ...back.map((each) => ({ match: `iifname "${each.device}" ct direction reply jump moved-${each.device}` })),
      ],
    },
    { name: 'translated-out', hook: 'type filter hook postrouting priority 150; policy accept;', rules: toIgw },
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
  };
  return [
    ...(igw === undefined ? [] : [byIgw]),
    ...context.endpoints.map((each) => ({
      device: each.device,
      mark: endpointMark(each.number),
      movedMark: movedMark(each.number),
      comment: stage('gateway-endpoint', `${each.endpoint.vpcEndpointId} route moved`),
    })),
  ];
}
