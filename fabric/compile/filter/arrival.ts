// Hooks before connection tracking: the stages eni-address, link-local and route.

import type { Subnet } from '@postern/network/snapshot.ts';
import { numberOf } from '../allocation.ts';
import type { NftChain, NftRule } from '../host-state.ts';
import { awsDevice, igwDevice, mark, zone } from '../names.ts';
import { peeringArrivalChains, unknownPeering } from '../peering.ts';
import { middleboxesOf, type VpcContext } from '../vpc-context.ts';
import { rememberTunnels, tunnelReplies } from './instance-connect.ts';
import { zoneChains } from './internet-gateway.ts';
import { linkLocalResolver, metadata, reservedBlocks, stage, timeSync } from './well-known.ts';

/** Before connection tracking: who sent it, which route table decides, and the conntrack zone of the path it will take. */
export function arrivalChains(context: VpcContext): NftChain[] {
  const igw = context.vpc.internetGatewayId;
  const boxes = middleboxesOf(context);
  const boxDevices = `{ ${boxes.map((each) => `"${each.device}"`).join(', ')} }`;
  const legs = context.subnets.map((each) => `${each.cidrBlock} : jump leg-${each.subnetId}`).join(', ');
  const paths = [...context.endpoints, ...context.peerings].map(
    (each) => `"${each.device}" : goto zone-${each.device}`,
  );
  if (igw !== undefined) paths.push(`"${igwDevice}" : goto zone-igw`);
  const services = [
    metadata,
    linkLocalResolver,
    timeSync,
    ...(context.resolver === undefined ? [] : [context.resolver]),
  ];
  const fromSubnets = context.subnets.map((subnet): NftChain => {
    const ownTable = context.routeTables.get(subnet.routeTableId);
    // A route for exactly this subnet's block is a middlebox's: it catches traffic inside the subnet too (R4, R13).
    const middlebox = ownTable?.routes.some(
      (route) =>
        route.destination.kind === 'cidr' &&
        route.destination.cidr === subnet.cidrBlock &&
        route.target.kind !== 'local',
    );
    const rules: NftRule[] = [
      {
        match: 'iifname . ip saddr != @interface-addresses iifname != @unchecked drop',
        comment: stage('eni-address', subnet.subnetId),
      },
      {
        match: `ip daddr { ${services.join(', ')} } goto to-services`,
        comment: stage('link-local', context.vpc.vpcId),
      },
      { match: `ip daddr ${reservedBlocks} drop`, comment: stage('route', context.vpc.vpcId) },
      ...tunnelReplies(context, subnet),
    ];
    if (boxes.length > 0)
      rules.push({ match: `iifname ${boxDevices} ip saddr != @middlebox-addresses ip daddr vmap { ${legs} }` });
    if (middlebox !== true)
      rules.push({
        match: `ip daddr ${subnet.cidrBlock} meta mark set ${mark.sameSubnet} return`,
        comment: stage('route', `${subnet.subnetId} local`),
      });
    rules.push({
      match: `meta mark set ${numberOf(context.allocation.subnets, subnet.subnetId)}`,
      comment: stage('route', `${subnet.subnetId} ${subnet.routeTableId}`),
    });
    if (boxes.length > 0)
      rules.push({
        match: `ip daddr != @middlebox-addresses fib daddr . mark oifname ${boxDevices} jump leg-${subnet.subnetId}`,
      });
    rules.push({ match: 'ip daddr @vpc-blocks return' });
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
    ...peeringArrivalChains(context.peerings),
    ...(boxes.length === 0 ? [] : context.subnets.map((subnet) => legChain(context, subnet))),
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

/**
 * What a middlebox forwards passes the router twice with the same addresses, and each time other groups decide: so the way between the box and the
 * instances of a subnet is a conntrack zone of its own, both to the box and from it. What the box itself sends and gets is in zone 0.
 * Gap: between two boxes in a row the two directions differ.
 */
function legChain(context: VpcContext, subnet: Subnet): NftChain {
  return {
    name: `leg-${subnet.subnetId}`,
    rules: [{ match: `ct zone set ${numberOf(context.allocation.middleboxZones, subnet.subnetId)}` }],
  };
}
