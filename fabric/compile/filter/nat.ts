// Address translation: the internet gateway's pairs, services' addresses, and the prefix maps towards AWS's side.

import type { NftChain } from '../host-state.ts';
import { awsDevice, igwDevice, mark, metadataAddress, resolverAddress } from '../names.ts';
import type { VpcContext } from '../vpc-context.ts';
import { linkLocalResolver, metadata, stage } from './well-known.ts';

export function natChains(context: VpcContext): NftChain[] {
  const igw = context.vpc.internetGatewayId;
  const resolvers = [linkLocalResolver, ...(context.resolver === undefined ? [] : [context.resolver])].join(', ');
  const prefixMap = (blocks: VpcContext['blocks']) =>
    `snat ip prefix to ip saddr map { ${blocks.map(([from, to]) => `${from} : ${to}`).join(', ')} }`;
  return [
    {
      name: 'nat-in',
      hook: 'type nat hook prerouting priority dstnat; policy accept;',
      rules: [
        ...(igw === undefined
          ? []
          : [{ match: `iifname "${igwDevice}" dnat to ip daddr map @private-of`, comment: stage('igw-ingress', igw) }]),
        {
          match: `meta mark ${mark.service} ip daddr ${metadata} tcp dport 80 dnat to ${metadataAddress}`,
          comment: stage('link-local', 'metadata'),
        },
        {
          match: `meta mark ${mark.service} ip daddr { ${resolvers} } udp dport 53 dnat to ${resolverAddress}`,
          comment: stage('link-local', 'resolver'),
        },
        {
          match: `meta mark ${mark.service} ip daddr { ${resolvers} } tcp dport 53 dnat to ${resolverAddress}`,
          comment: stage('link-local', 'resolver'),
        },
      ],
    },
    {
      name: 'nat-out',
      hook: 'type nat hook postrouting priority srcnat; policy accept;',
      rules: [
        ...(igw === undefined
          ? []
          : [{ match: `oifname "${igwDevice}" snat to ip saddr map @public-of`, comment: stage('igw-egress', igw) }]),
        {
          match: `oifname "${awsDevice}" ${prefixMap(context.blocks)}`,
          comment: stage('link-local', context.vpc.vpcId),
        },
        ...context.endpoints.map((each) => ({
          match: `oifname "${each.device}" ${prefixMap(each.blocks)}`,
          comment: stage('gateway-endpoint', each.endpoint.vpcEndpointId),
        })),
      ],
    },
  ];
}
