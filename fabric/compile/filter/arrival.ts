// Hooks before connection tracking: the stages eni-address, link-local and route.

import { numberOf } from '../allocation.ts';
import type { NftChain, NftRule } from '../host-state.ts';
import { awsDevice, igwDevice, mark, zone } from '../names.ts';
import { peeringZoneChains, unknownPeering } from '../peering.ts';
import { transitChains, transitPaths } from '../transit-gateways.ts';
import { middleboxesOf, type VpcContext } from '../vpc-context.ts';
import { rememberTunnels, tunnelReplies } from './instance-connect.ts';
import { zoneChains } from './internet-gateway.ts';
import { fromMiddlebox, middleboxChains, type SubnetWays, toMiddlebox } from './middleboxes.ts';
import { linkLocalBlock, linkLocalResolver, metadata, reservedBlocks, stage, timeSync } from './well-known.ts';

/** Before connection tracking: who sent it, which route table decides, and the conntrack zone of the path it will take. */
export function arrivalChains(context: VpcContext): NftChain[] {
  const igw = context.vpc.internetGatewayId;
  const paths = [...context.endpoints, ...context.peerings].map(
    (each) => `"${each.device}" : goto zone-${each.device}`,
  );
  if (igw !== undefined) paths.push(`"${igwDevice}" : goto zone-igw`);
  const forwardedPaths = [...paths, ...transitPaths(context, true)];
  paths.push(...transitPaths(context, false));
  const services = [
    metadata,
    linkLocalResolver,
    timeSync,
    ...(context.resolver === undefined ? [] : [context.resolver]),
  ];
  const ways = context.subnets.map((subnet): SubnetWays => {
    const ownTable = context.routeTables.get(subnet.routeTableId);
    // A route for exactly this subnet's block is a middlebox's: it catches traffic inside the subnet too (R4, R13).
    const isDiverted = ownTable?.routes.some(
      (route) =>
        route.destination.kind === 'cidr' &&
        route.destination.cidr === subnet.cidrBlock &&
        route.target.kind !== 'local',
    );
    return { subnet, paths, forwardedPaths, isDiverted: isDiverted === true };
  });
  const isDiverted = new Map(ways.map((each) => [each.subnet.subnetId, each.isDiverted]));
  const fromSubnets = ways.map(({ subnet, isDiverted }): NftChain => {
    const rules: NftRule[] = [
      {
        match: 'iifname . ip saddr != @interface-addresses iifname != @unchecked drop',
        comment: stage('eni-address', subnet.subnetId),
      },
      {
        match: `ip daddr { ${services.join(', ')} } goto to-services`,
        comment: stage('link-local', context.vpc.vpcId),
      },
      { match: `ip daddr ${linkLocalBlock} drop`, comment: stage('link-local', context.vpc.vpcId) },
      { match: `ip daddr ${reservedBlocks} drop`, comment: stage('route', context.vpc.vpcId) },
      ...tunnelReplies(context, subnet),
    ];
    rules.push(...fromMiddlebox(context, subnet));
    if (!isDiverted)
      rules.push({
        match: `ip daddr ${subnet.cidrBlock} meta mark set ${mark.sameSubnet} return`,
        comment: stage('route', `${subnet.subnetId} local`),
      });
    rules.push({
      match: `meta mark set ${numberOf(context.allocation.subnets, subnet.subnetId)}`,
      comment: stage('route', `${subnet.subnetId} ${subnet.routeTableId}`),
    });
    rules.push(...toMiddlebox(context, subnet), { match: 'ip daddr @vpc-blocks return' });
    if (paths.length > 0) rules.push({ match: `fib daddr . mark oifname vmap { ${paths.join(', ')} }` });
    return { name: `from-${subnet.subnetId}`, rules };
  });
  return [
    {
      name: 'arrive',
      hook: 'type filter hook prerouting priority raw; policy accept;',
      rules: [
        ...rememberTunnels(context),
        { match: 'iifname vmap @arrivals' },
        { match: `iifname "${awsDevice}" ct zone set ${zone.service}` },
        ...(igw === undefined ? [] : [{ match: `iifname "${igwDevice}" goto zone-from-igw` }]),
        ...context.endpoints.map((each) => ({ match: `iifname "${each.device}" goto zone-${each.device}` })),
        unknownPeering(context),
      ],
    },
    ...fromSubnets,
    ...peeringZoneChains(context.peerings),
    ...middleboxChains(context, ways),
    ...transitChains(
      context,
      ({ subnet }) => numberOf(context.allocation.subnets, subnet.subnetId),
      ({ subnet }) => isDiverted.get(subnet.subnetId) === true,
      middleboxesOf(context).map(({ device }) => device),
    ),
    {
      name: 'to-services',
      rules: [
        ...(context.vpc.enableDnsSupport
          ? []
          : [
              {
                match: `ip daddr { ${services.filter((each) => each !== metadata && each !== timeSync).join(', ')} } drop`,
                comment: stage('link-local', `${context.vpc.vpcId} enableDnsSupport=false`),
              },
            ]),
        { match: `meta mark set ${mark.service} ct zone set ${zone.service}` },
      ],
    },
    ...zoneChains(context),
    ...context.endpoints.map((each) => ({
      name: `zone-${each.device}`,
      rules: [{ match: `ct zone set ${each.number}` }],
    })),
  ];
}
