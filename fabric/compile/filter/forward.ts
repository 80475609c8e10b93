// The forward hook, where gateways, ACLs and groups decide: the stages sg-egress to sg-ingress.

import { tokenAnswerBeginning } from '../../types.ts';
import type { Family } from '../family.ts';
import type { NftChain, NftRule } from '../host-state.ts';
import { awsDevice, igwDevice, mark, metadataAddress, resolverAddress, tracked } from '../names.ts';
import { movedToNatGateway, natGatewayRules, natGatewaysOf } from '../nat-gateways.ts';
import { peeringForwardRules } from '../peering.ts';
import { closedToTransit, transitTracking } from '../transit-gateways.ts';
import { isForwarding, type VpcContext } from '../vpc-context.ts';
import { waysBack } from './departure.ts';
import { instanceConnectRules, instanceConnectTracking } from './instance-connect.ts';
import { alwaysTrackedRules, interfaceEndpointRules } from './interface-endpoint.ts';
import { igwRules } from './internet-gateway.ts';
import { stage, strayReply } from './well-known.ts';

/** 16 bytes of the payload, behind the status line: as much as one comparison takes. */
export const tokenAnswer = (() => {
  const offset = tokenAnswerBeginning.indexOf('\n') + 1;
  const bytes = Buffer.from(tokenAnswerBeginning).subarray(offset, offset + 16);
  return `@ih,${offset * 8},${bytes.length * 8} 0x${bytes.toString('hex')}`;
})();

export function forwardChain(context: VpcContext): NftChain {
  return {
    name: 'route-through',
    hook: 'type filter hook forward priority filter; policy drop;',
    rules: [
      ...serviceRules(context),
      ...gatewayRules(context),
      ...interfaceEndpointRules(context),
      ...instanceConnectRules(context),
      ...interfaceRules(context),
    ],
  };
}

function serviceRules(context: VpcContext): NftRule[] {
  return [
    {
      match: `iifname "${awsDevice}" ip saddr ${metadataAddress} tcp sport 80 ${tokenAnswer} oifname vmap @hop-limits`,
      comment: stage('link-local', 'metadata hop limit'),
    },
    {
      match: `iifname "${awsDevice}" ct state established,related accept`,
      comment: stage('link-local', context.vpc.vpcId),
    },
    { match: `iifname "${awsDevice}" drop`, comment: stage('link-local', context.vpc.vpcId) },
    {
      match: `oifname "${awsDevice}" meta mark ${mark.service} ip daddr { ${resolverAddress}, ${metadataAddress} } ip saddr @vpc-blocks ct state new,established accept`,
      comment: stage('link-local', context.vpc.vpcId),
    },
    { match: `oifname "${awsDevice}" drop`, comment: stage('link-local', context.vpc.vpcId) },
  ];
}

function gatewayRules(context: VpcContext): NftRule[] {
  const igw = context.vpc.internetGatewayId;
  const gateways = [...(igw === undefined ? [] : [igwDevice]), ...context.endpoints.map((each) => each.device)];
  const edges = [...gateways, ...context.peerings.map((each) => each.device)];
  if (edges.length === 0)
    return [
      ...closedToTransit(context, edges),
      ...movedToNatGateway(natGatewaysOf(context)),
      strayReply(context),
      ...natGatewayRules(context),
      ...transitTracking(context),
    ];
  const names = `{ ${edges.map((name) => `"${name}"`).join(', ')} }`;
  const rules: NftRule[] = [
    ...closedToTransit(context, edges),
    ...waysBack(context).map((each) => ({
      match: `iifname "${each.device}" meta mark ${each.movedMark} goto reset-${each.device}`,
    })),
    ...waysBack(context).map((each) => ({
      match: `ct state invalid oifname "${each.device}" meta l4proto tcp tcp flags & rst == 0 reject with tcp reset`,
      comment: each.outComment,
    })),
    ...movedToNatGateway(natGatewaysOf(context)),
    strayReply(context),
    ...natGatewayRules(context),
    ...transitTracking(context),
  ];
  rules.push(...igwRules(context));
  for (const { device, endpoint } of context.endpoints) {
    const comment = stage('gateway-endpoint', endpoint.vpcEndpointId);
    rules.push(
      { match: `oifname "${device}" ip saddr != @vpc-blocks drop`, comment },
      { match: `oifname "${device}" meta l4proto != { tcp, icmp } drop`, comment },
      { match: `oifname "${device}" icmp type != echo-request ct state != related drop`, comment },
      { match: `iifname "${device}" ct state new drop`, comment },
    );
  }
  rules.push(
    ...peeringForwardRules(context.peerings),
    // Gateways and peerings have no groups: their end of a flow counts as tracked.
    { match: `ct state new oifname ${names} ct mark set ct mark | ${tracked.receiver}` },
    { match: `ct state new iifname ${names} ct mark set ct mark | ${tracked.sender}` },
    {
      match: `oifname != ${names} oifname . ip daddr != @interface-addresses oifname != @unchecked drop`,
      comment: stage('source-dest-check', context.vpc.vpcId),
    },
  );
  return rules;
}

function interfaceRules(context: VpcContext): NftRule[] {
  const sourceDestCheck: NftRule[] =
    context.vpc.internetGatewayId === undefined && context.endpoints.length === 0 && context.peerings.length === 0
      ? [
          {
            match: 'oifname . ip daddr != @interface-addresses oifname != @unchecked drop',
            comment: stage('source-dest-check', context.vpc.vpcId),
          },
        ]
      : [];
  const { sender, receiver, both } = tracked;
  return [
    ...sourceDestCheck,
    ...(context.plugged.some(isForwarding)
      ? [{ match: `meta mark . oifname @next-hops-in-subnet meta mark set ${mark.sameSubnet}` }]
      : []),
    { match: `meta mark != ${mark.sameSubnet} iifname vmap @acl-egress` },
    { match: `meta mark != ${mark.sameSubnet} oifname vmap @acl-ingress` },
    { match: `ct mark & ${both} == ${both} accept`, comment: stage('sg-ingress', 'tracked') },
    { match: 'ct state related accept', comment: stage('sg-ingress', 'tracked') },
    { match: `ct direction original ct mark & ${sender} == 0 iifname vmap @sg-egress` },
    { match: `ct direction reply ct mark & ${receiver} == 0 iifname vmap @sg-egress` },
    { match: `ct direction original ct mark & ${receiver} == 0 oifname vmap @sg-ingress` },
    { match: `ct direction reply ct mark & ${sender} == 0 oifname vmap @sg-ingress` },
    ...alwaysTrackedRules(context),
    ...instanceConnectTracking(context),
    { match: 'accept' },
  ];
}

/** Chains that set the TTL of the metadata service's token answers, one per limit in use (H4). */
export function hopLimitChains(context: VpcContext, family: Family = 'ip'): NftChain[] {
  const field = family === 'ip' ? 'ip ttl' : 'ip6 hoplimit';
  const limits = new Set(context.vpc.instances.map((each) => each.metadata.hopLimit).filter((limit) => limit < 64));
  return [...limits]
    .toSorted((a, b) => a - b)
    .map((limit) => ({ name: `hop-limit-${limit}`, rules: [{ match: `${field} set ${limit}` }] }));
}
