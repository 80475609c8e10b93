// Metadata and resolver over IPv6: fd00:ec2::254 for instances that are to have it, fd00:ec2::253. Past routes, ACLs and groups to AWS's side, as IPv4's
// (filter/arrival.ts, filter/forward.ts). A VPC's block is mapped on the way there, for its own address leads back by a gateway.

import { ipv6Plan } from '@postern/network/addresses.ts';
import { ipv6CidrRange, numberToIpv6 } from '@postern/network/ipv6.ts';
import type { Cidr } from '@postern/network/snapshot.ts';
import { stage } from '../filter/well-known.ts';
import type { KernelRoute, Neighbour, NftChain, NftRule, NftSet, PolicyRule } from '../host-state.ts';
import { awsDevice, coreAwsDevice, macAddress, mark, nextHop6, table, zone } from '../names.ts';
import type { VpcContext } from '../vpc-context.ts';

const { metadata, resolver } = ipv6Plan;
const both = `{ ${resolver}, ${metadata} }`;

/** Where a VPC's block is on AWS's side. */
export function underlayBlock6(block: Cidr): Cidr {
  const { first } = ipv6CidrRange(block);
  const offset = first - ipv6CidrRange(ipv6Plan.vpcs).first;
  return `${numberToIpv6(ipv6CidrRange(ipv6Plan.underlay).first + offset)}/${Number(block.split('/')[1])}`;
}

// ---- in the router

/** Interfaces of instances whose metadata service answers IPv6. */
export function metadataSet({ plugged, vpc }: VpcContext): NftSet {
  const enabled = new Set(vpc.instances.filter(({ metadata: own }) => own.hasIpv6).map((each) => each.instanceId));
  const elements = plugged.flatMap(({ eni, device }) =>
    eni.attachment !== undefined && enabled.has(eni.attachment.instanceId) ? [`"${device}"`] : [],
  );
  return { name: 'metadata-interfaces', kind: 'set', type: 'ifname', elements };
}

/** In a subnet's arrival chain, behind the check of the sender. */
export function toServices({ vpc }: VpcContext): NftRule {
  return { match: `ip6 daddr ${both} goto to-services`, comment: stage('link-local', vpc.vpcId) };
}

export function serviceChains({ vpc }: VpcContext): NftChain[] {
  const take = `meta mark set ${mark.service} ct zone set ${zone.service} return`;
  const blocks = vpc.ipv6CidrBlocks.map((block) => `${block} : ${underlayBlock6(block)}`);
  return [
    {
      name: 'to-services',
      rules: [
        { match: `iifname @metadata-interfaces ip6 daddr ${metadata} tcp dport 80 ${take}` },
        ...(vpc.enableDnsSupport
          ? [
              { match: `ip6 daddr ${resolver} udp dport 53 ${take}` },
              { match: `ip6 daddr ${resolver} tcp dport 53 ${take}` },
            ]
          : []),
        { match: 'drop', comment: stage('link-local', vpc.vpcId) },
      ],
    },
    {
      name: 'nat-out',
      hook: 'type nat hook postrouting priority srcnat; policy accept;',
      rules: [
        {
          match: `oifname "${awsDevice}" snat ip6 prefix to ip6 saddr map { ${blocks.join(', ')} }`,
          comment: stage('link-local', vpc.vpcId),
        },
      ],
    },
  ];
}

/** @param tokenAnswer the beginning of the answer that has the instance's hop limit (H4) */
export function serviceRules({ vpc }: VpcContext, tokenAnswer: string): NftRule[] {
  const comment = stage('link-local', vpc.vpcId);
  return [
    {
      match: `iifname "${awsDevice}" ip6 saddr ${metadata} tcp sport 80 ${tokenAnswer} oifname vmap @hop-limits`,
      comment: stage('link-local', 'metadata hop limit'),
    },
    { match: `iifname "${awsDevice}" ct state established,related accept`, comment },
    { match: `iifname "${awsDevice}" drop`, comment },
    {
      match: `oifname "${awsDevice}" meta mark ${mark.service} ip6 daddr ${both} ip6 saddr @vpc-blocks ct state new,established accept`,
      comment,
    },
    { match: `oifname "${awsDevice}" drop`, comment },
  ];
}

export function serviceWiring({ number }: VpcContext): {
  readonly neighbours: readonly Neighbour[];
  readonly routes: readonly KernelRoute[];
  readonly rules: readonly PolicyRule[];
} {
  return {
    neighbours: [{ address: nextHop6, macAddress: macAddress('core-aws', number), device: awsDevice }],
    routes: [{ table: table.service, destination: '::/0', kind: 'unicast', via: nextHop6, device: awsDevice }],
    rules: [{ family: 'ip6', preference: 100, mark: mark.service, table: table.service }],
  };
}

// ---- in the core

export function coreServiceWiring(contexts: readonly VpcContext[]): {
  readonly neighbours: readonly Neighbour[];
  readonly routes: readonly KernelRoute[];
} {
  const ends = contexts.map(({ vpc, number }) => ({ vpc, number, device: coreAwsDevice(number) }));
  return {
    neighbours: ends.map(({ number, device }) => ({
      address: nextHop6,
      macAddress: macAddress('aws', number),
      device,
    })),
    routes: [
      // A block there that no VPC has answers nothing.
      ...(ends.length === 0 ? [] : [{ table: 'local', destination: ipv6Plan.underlay, kind: 'blackhole' } as const]),
      ...ends.flatMap(({ vpc, device }) =>
        vpc.ipv6CidrBlocks.map(
          (block) =>
            ({ table: 'local', destination: underlayBlock6(block), kind: 'unicast', via: nextHop6, device }) as const,
        ),
      ),
    ],
  };
}

/** Before what else may come from where. */
export function coreServiceRules(contexts: readonly VpcContext[]): { readonly set: NftSet; readonly rule: NftRule } {
  const elements = contexts.map(({ number }) => `"${coreAwsDevice(number)}"`);
  return {
    set: { name: 'service-links', kind: 'set', type: 'ifname', elements },
    rule: { match: `iifname @service-links ip6 saddr ${ipv6Plan.underlay} ip6 daddr ${both} accept` },
  };
}
