// The network that the differential test begins with, before anything deviates: three VPCs in which nearly everything reaches nearly everything, so that the few
// things which are then changed decide. Plain data, no randomness, no kernel.
//
//   vpc-0  10.0.0.0/16 (and 10.9.0.0/20)    a: public   b: private, behind the NAT gateway   c: public, the middlebox if there is one   d: anywhere
//   vpc-1  10.1.0.0/16 (and 100.64.0.0/20)  e: public   f: private                           peered with both others
//   vpc-2  10.0.0.0/16, another Region      g: public                                        has vpc-0's addresses (C5, P2)
//   tgw-0  joins vpc-0 and vpc-1, which is what their routes use where they are not peered; vpc-1's way to the internet is vpc-0's NAT gateway, where that route is drawn

import { nat64Prefix } from '@postern/network/nat64.ts';
import type {
  Cidr,
  InterfaceEndpoint,
  NetworkAcl,
  NetworkInterface,
  NetworkLoadBalancer,
  Route,
  RouteTable,
  SecurityGroup,
  SecurityGroupRule,
  Snapshot,
  Subnet,
  TransitGateway,
  TransitGatewayAttachment,
  Vpc,
} from '@postern/network/snapshot.ts';
import { aclEntry, cidrPeer, group, local, rule, s3List, table, vpc } from '../flows/snapshots.ts';

/** The machines, each always in the same VPC: an instance never changes it. */
export const machines = { a: 0, b: 0, c: 0, d: 0, e: 1, f: 1, g: 2 } as const;
export type MachineName = keyof typeof machines;
export const machineNames = Object.keys(machines) as MachineName[];

export type VpcNumber = 0 | 1 | 2;

/** Arrays and fields that deviations change. */
type Mutable<T> = T extends readonly (infer E)[]
  ? Mutable<E>[]
  : T extends object
    ? { -readonly [K in keyof T]: Mutable<T[K]> }
    : T;
export type Draft = Mutable<Snapshot>;
export type DraftVpc = Mutable<Vpc>;
export type DraftInterface = Mutable<NetworkInterface>;

/** What there is at all; the first value of each is the plainest, which shrinking leads to. */
export interface Features {
  readonly ipv6: boolean;
  readonly secondBlocks: boolean;
  readonly isPeered: boolean;
  /** vpc-1 with vpc-2, in another Region. */
  readonly isPeeredAcrossRegions: boolean;
  readonly internetGateway: boolean;
  readonly nat: 'none' | 'public' | 'private';
  readonly gatewayEndpoints: 'none' | 's3' | 'dynamodb' | 'both';
  /** Its attachment of vpc-0 has a subnet in one zone, or in both. */
  readonly transit: 'none' | 'one-zone' | 'two-zones';
  readonly interfaceEndpoint: 'none' | 'one' | 'two';
  readonly connectEndpoint: 'none' | 'own-address' | 'client-address';
  /** In the private subnet, or in the public one. */
  readonly loadBalancer: 'none' | 'internal' | 'internet-facing';
  /** vpc-1 has an endpoint for the service of vpc-0's load balancer, where there is one. */
  readonly privateLink: 'none' | 'pending' | 'accepted';
  readonly secondInterface: boolean;
  /** The subnet of d: 0 is public, 1 private, 3 in the second block. */
  readonly subnetOfD: 0 | 1 | 3;
  readonly subnetOfF: 0 | 1;
}

interface Plan {
  readonly block: Cidr;
  readonly second: Cidr;
  readonly ipv6: Cidr;
  readonly region: string;
  /** Third byte of the subnets, and whether the subnet is public. */
  readonly subnets: readonly { readonly cidr: Cidr; readonly isPublic: boolean }[];
}

export const plans: readonly [Plan, Plan, Plan] = [
  {
    block: '10.0.0.0/16',
    second: '10.9.0.0/20',
    ipv6: '2001:db8:1010:100::/56',
    region: 'us-east-1',
    subnets: [
      { cidr: '10.0.0.0/24', isPublic: true },
      { cidr: '10.0.1.0/24', isPublic: false },
      { cidr: '10.0.2.0/24', isPublic: true },
      { cidr: '10.9.3.0/24', isPublic: false },
    ],
  },
  {
    block: '10.1.0.0/16',
    second: '100.64.0.0/20',
    ipv6: '2001:db8:1010:200::/56',
    region: 'us-east-1',
    subnets: [
      { cidr: '10.1.0.0/24', isPublic: true },
      { cidr: '10.1.1.0/24', isPublic: false },
    ],
  },
  {
    block: '10.0.0.0/16',
    second: '10.5.0.0/24',
    ipv6: '2001:db8:1020:300::/56',
    region: 'us-west-2',
    subnets: [{ cidr: '10.0.0.0/24', isPublic: true }],
  },
];

/** The /64 of a subnet. */
export function ipv6Of(number: VpcNumber, subnet: number): Cidr {
  return `${plans[number].ipv6.replace('00::/56', `0${subnet}::`)}/64`;
}

const hosts: Readonly<Record<MachineName, number>> = { a: 10, b: 11, c: 12, d: 13, e: 14, f: 15, g: 16 };
const everything = (): SecurityGroupRule[] => [allow('0.0.0.0/0'), allow('::/0')];
const allow = (cidr: Cidr) => rule(-1, undefined, cidrPeer(cidr));
export const openGroup = (groupId: SecurityGroup['groupId']): SecurityGroup =>
  group(groupId, everything(), everything());
/** Comes after every entry that a deviation adds. */
const openEntries = () => [aclEntry(1000, 'allow'), aclEntry(1001, 'allow', { cidr: '::/0' })];
const openAcl = (networkAclId: NetworkAcl['networkAclId']): NetworkAcl => ({
  networkAclId,
  ingress: openEntries(),
  egress: openEntries(),
});

export const to = (cidr: Cidr, target: Route['target']): Route => ({
  destination: { kind: 'cidr', cidr },
  target,
  state: 'active',
});
export const targets = {
  igw: (number: VpcNumber): Route['target'] => ({ kind: 'internet-gateway', internetGatewayId: `igw-${number}` }),
  eigw: (number: VpcNumber): Route['target'] => ({
    kind: 'egress-only-internet-gateway',
    egressOnlyInternetGatewayId: `eigw-${number}`,
  }),
  nat: (number: VpcNumber): Route['target'] => ({ kind: 'nat-gateway', natGatewayId: `nat-${number}` }),
  peer: (pair: '01' | '12'): Route['target'] => ({
    kind: 'peering-connection',
    vpcPeeringConnectionId: `pcx-${pair}`,
  }),
  transit: { kind: 'transit-gateway', transitGatewayId: 'tgw-0' } as Route['target'],
  box: (networkInterfaceId: NetworkInterface['networkInterfaceId']): Route['target'] => ({
    kind: 'network-interface',
    networkInterfaceId,
  }),
} as const;

/** The same interface has the same address wherever it occurs, so that the next network can be applied over this one. */
function macOf(id: string): string {
  let hash = 0;
  for (const letter of id) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) >>> 0;
  const bytes = [hash >>> 24, (hash >>> 16) & 255, (hash >>> 8) & 255, hash & 255];
  return `0a:00:${bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;
}

function card(
  number: VpcNumber,
  subnet: number,
  name: string,
  host: number,
  more: Partial<NetworkInterface>,
  withIpv6 = false,
): NetworkInterface {
  const cidr = plans[number].subnets[subnet]?.cidr ?? '10.0.0.0/24';
  const networkInterfaceId = `eni-${name}${subnet}` as const;
  return {
    networkInterfaceId,
    subnetId: `subnet-${number}${subnet}`,
    macAddress: macOf(networkInterfaceId),
    privateAddresses: [{ address: cidr.replace('0/24', String(host)), primary: true }],
    ipv6Addresses: withIpv6 ? [ipv6Of(number, subnet).replace('::/64', `::${host.toString(16)}`)] : [],
    groupIds: [],
    sourceDestCheck: true,
    ...more,
  };
}

const withPublic = (card: NetworkInterface, publicAddress: string): NetworkInterface => ({
  ...card,
  privateAddresses: card.privateAddresses.map((each) => ({ ...each, publicAddress })),
});

/** The network in which nothing deviates yet. */
export function draftOf(drawn: Features): Draft {
  // A VPC without an internet gateway has no public addresses, so none for a NAT gateway either.
  const isPrivate = drawn.nat === 'public' && !drawn.internetGateway;
  const isInternal = drawn.loadBalancer === 'internet-facing' && !drawn.internetGateway;
  const features: Features = {
    ...drawn,
    ...(isPrivate && { nat: 'private' }),
    ...(isInternal && { loadBalancer: 'internal' }),
  };
  const numbers = [0, 1, 2] as const;
  const peering = (pair: '01' | '12') => {
    const side = (number: string) => ({
      vpcId: `vpc-${number}` as const,
      allowDnsResolutionFromRemoteVpc: false,
    });
    return {
      vpcPeeringConnectionId: `pcx-${pair}` as const,
      requester: side(pair[0] ?? ''),
      accepter: side(pair[1] ?? ''),
    };
  };
  const snapshot: Snapshot = {
    revision: 1,
    vpcs: numbers.map((number) => vpcOf(number, features)),
    peeringConnections: [
      ...(features.isPeered ? [peering('01')] : []),
      ...(features.isPeeredAcrossRegions ? [peering('12')] : []),
    ],
    transitGateways: features.transit === 'none' ? [] : [transitGateway(features)],
    prefixLists: [
      s3List,
      { prefixListId: 'pl-dynamodb', cidrs: ['198.18.1.64/26'] },
      // A list is of one family.
      { prefixListId: 'pl-routes', cidrs: ['198.51.100.64/26', '203.0.113.128/25'] },
      { prefixListId: 'pl-routes6', cidrs: ['2001:db8:f000::c633:6440/122'] },
      { prefixListId: 'pl-own', cidrs: ['10.0.1.0/24', '198.51.100.64/26', '10.1.0.0/24'] },
      { prefixListId: 'pl-own6', cidrs: [ipv6Of(0, 1), '2001:db8:f000::c633:6440/122'] },
    ],
  };
  return structuredClone(snapshot) as unknown as Draft;
}

function vpcOf(number: VpcNumber, features: Features): Vpc {
  const { ipv6, secondBlocks, internetGateway, nat } = features;
  const plan = plans[number];
  const blocks = [plan.block, ...(secondBlocks ? [plan.second] : [])];
  const subnets = plan.subnets.flatMap(({ cidr, isPublic }, index) =>
    index === 3 && !secondBlocks ? [] : [{ cidr, isPublic, index }],
  );
  const cards = cardsOf(number, features);
  const hasNat = nat !== 'none' && number === 0;
  const s3 = number === 0 && ['s3', 'both'].includes(features.gatewayEndpoints);
  const dynamodb = number === 0 && ['dynamodb', 'both'].includes(features.gatewayEndpoints);
  const gatewayRoute = (name: string): Route => ({
    destination: { kind: 'prefix-list', prefixListId: `pl-${name}` },
    target: { kind: 'gateway-endpoint', vpcEndpointId: `vpce-${name}` },
    state: 'active',
  });
  const routesOf = ({ isPublic, index }: (typeof subnets)[number]): Route[] => [
    ...blocks.map(local),
    ...(ipv6 ? [local(plan.ipv6)] : []),
    ...(internetGateway && isPublic ? [to('0.0.0.0/0', targets.igw(number))] : []),
    ...(internetGateway && isPublic && ipv6 ? [to('::/0', targets.igw(number))] : []),
    ...(hasNat && !isPublic ? [to('0.0.0.0/0', targets.nat(number))] : []),
    ...(ipv6 && !isPublic ? [to('::/0', targets.eigw(number))] : []),
    ...(ipv6 && hasNat && !isPublic ? [to(nat64Prefix, targets.nat(number))] : []),
    ...(s3 && index !== 2 ? [gatewayRoute('s3')] : []),
    ...(dynamodb && index === 1 ? [gatewayRoute('dynamodb')] : []),
    ...peerRoutes(number, index, features),
  ];
  const interfaceEndpoints = cards.filter((each) => each.service?.kind === 'vpc-endpoint');
  const connectEndpoints = cards.filter((each) => each.service?.kind === 'instance-connect-endpoint');
  const made = vpc({
    vpcId: `vpc-${number}`,
    region: plan.region,
    cidrBlocks: blocks,
    ipv6CidrBlocks: ipv6 ? [plan.ipv6] : [],
    ...(internetGateway && { internetGatewayId: `igw-${number}` }),
    egressOnlyInternetGatewayIds: ipv6 ? [`eigw-${number}`] : [],
    subnets: subnets.map(
      ({ cidr, index }): Subnet => ({
        subnetId: `subnet-${number}${index}`,
        cidrBlock: cidr,
        ...(ipv6 && { ipv6CidrBlock: ipv6Of(number, index) }),
        // The endpoint's two interfaces are in two zones, the machine's in one.
        availabilityZone: `${plan.region}${index === 2 ? 'b' : 'a'}`,
        routeTableId: `rtb-${number}${index}`,
        networkAclId: `acl-${number}${index}`,
      }),
    ),
    routeTables: subnets.map((each): RouteTable => table(`rtb-${number}${each.index}`, ...routesOf(each))),
    networkAcls: subnets.map(({ index }) => openAcl(`acl-${number}${index}`)),
    securityGroups: groupsOf(number, cards),
    networkInterfaces: cards,
    gatewayEndpoints: [
      ...(s3 ? [{ vpcEndpointId: 'vpce-s3', service: 's3', prefixListId: 'pl-s3' } as const] : []),
      ...(dynamodb
        ? [{ vpcEndpointId: 'vpce-dynamodb', service: 'dynamodb', prefixListId: 'pl-dynamodb' } as const]
        : []),
    ],
    interfaceEndpoints: endpointsOf(number, interfaceEndpoints, features),
    natGateways: hasNat
      ? [{ natGatewayId: `nat-${number}`, connectivityType: nat, networkInterfaceId: `eni-nat2` }]
      : [],
    networkLoadBalancers: cards
      .filter((each) => each.service?.kind === 'network-load-balancer')
      .map(({ networkInterfaceId }) => balancerOf(networkInterfaceId, cards, features)),
    instanceConnectEndpoints: connectEndpoints.map(({ networkInterfaceId }) => ({
      instanceConnectEndpointId: 'eice-0',
      networkInterfaceId,
      preserveClientIp: features.connectEndpoint === 'client-address',
    })),
  });
  // One of them is to have its metadata over IPv6.
  const instances = made.instances.map((each) =>
    ipv6 && each.instanceId === 'i-a' ? { ...each, metadata: { ...each.metadata, hasIpv6: true } } : each,
  );
  return { ...made, instances };
}

function endpointsOf(number: VpcNumber, cards: readonly NetworkInterface[], features: Features): InterfaceEndpoint[] {
  if (cards.length === 0) return [];
  const networkInterfaceIds = cards.map((each) => each.networkInterfaceId);
  const common = { serviceRegion: 'us-east-1', networkInterfaceIds, dnsNames: [], privateDnsNames: [] };
  if (number !== 1) return [{ ...common, vpcEndpointId: 'vpce-if', service: 'sts' }];
  const node = `eni-lb${features.loadBalancer === 'internet-facing' ? 0 : 1}` as const;
  const behind = networkInterfaceIds.map((networkInterfaceId) => ({ networkInterfaceId, node }));
  return [
    {
      ...common,
      vpcEndpointId: 'vpce-svc',
      service: 'vpce-svc-0',
      behind: features.privateLink === 'accepted' ? behind : [],
    },
  ];
}

function hasPrivateLink({ loadBalancer, privateLink }: Features): boolean {
  return loadBalancer !== 'none' && privateLink !== 'none';
}

/** Each listener has one target: the walk tells of the one that is not reached, and the kernel takes any. */
function balancerOf(
  networkInterfaceId: NetworkInterface['networkInterfaceId'],
  cards: readonly NetworkInterface[],
  { loadBalancer, isPeered }: Features,
): NetworkLoadBalancer {
  const ownOf = (name: MachineName) =>
    cards.find((each) => each.attachment?.instanceId === `i-${name}`)?.privateAddresses[0]?.address ?? '';
  const targets = [
    { port: 80, target: { address: ownOf('b'), port: 8080 } },
    { port: 443, target: { address: ownOf('d'), port: 22 } },
    { port: 8080, target: isPeered ? { address: '10.1.0.14', port: 80 } : { address: ownOf('a'), port: 443 } },
  ];
  return {
    loadBalancerId: 'net/lb/0',
    scheme: loadBalancer === 'internet-facing' ? 'internet-facing' : 'internal',
    nodes: [
      {
        networkInterfaceId,
        listeners: targets.map(({ port, target }) => ({ protocol: 6, port, targets: [target] })),
        checks: targets.map(({ target }) => target),
      },
    ],
    dnsNames: [],
  };
}

/** Both in one table; the other one has less. */
function transitGateway({ transit, secondBlocks }: Features): TransitGateway {
  const attachment = (number: 0 | 1, networkInterfaceIds: TransitGatewayAttachment['networkInterfaceIds']) => ({
    transitGatewayAttachmentId: `tgw-attach-${number}` as const,
    vpcId: `vpc-${number}` as const,
    networkInterfaceIds,
    applianceMode: false,
    dnsSupport: true,
    routeTableId: 'tgw-rtb-0' as const,
  });
  const blocksOf = (number: 0 | 1) => [plans[number].block, ...(secondBlocks ? [plans[number].second] : [])];
  const routesTo = (number: 0 | 1, cidrs: readonly Cidr[]) =>
    cidrs.map((cidr) => ({ cidr, transitGatewayAttachmentId: `tgw-attach-${number}` as const }));
  return {
    transitGatewayId: 'tgw-0',
    attachments: [
      attachment(0, ['eni-door1', ...(transit === 'two-zones' ? (['eni-door2'] as const) : [])]),
      attachment(1, ['eni-gate1']),
    ],
    routeTables: [
      {
        transitGatewayRouteTableId: 'tgw-rtb-0',
        routes: [...routesTo(0, blocksOf(0)), ...routesTo(1, blocksOf(1)), ...routesTo(0, ['0.0.0.0/0'])],
      },
      { transitGatewayRouteTableId: 'tgw-rtb-1', routes: routesTo(0, [plans[0].block]) },
    ],
  };
}

/** vpc-1 answers 10.0.0.0/16 towards vpc-0 from its public subnet and towards vpc-2, which has the same block, from its private one. */
function peerRoutes(number: VpcNumber, subnet: number, features: Features): Route[] {
  const { isPeered, isPeeredAcrossRegions, ipv6, transit } = features;
  // A peering is the shorter way where there are both.
  const overTransit = (other: VpcNumber) =>
    transit === 'none' || isPeered ? [] : [to(plans[other].block, targets.transit)];
  const both = (other: VpcNumber, pair: '01' | '12') => [
    to(plans[other].block, targets.peer(pair)),
    ...(ipv6 ? [to(plans[other].ipv6, targets.peer(pair))] : []),
  ];
  switch (number) {
    case 0:
      return isPeered ? both(1, '01') : overTransit(1);
    case 1:
      if (isPeeredAcrossRegions && (subnet === 1 || !isPeered)) return both(2, '12');
      return isPeered ? both(0, '01') : overTransit(0);
    case 2:
      return isPeeredAcrossRegions ? both(1, '12') : [];
  }
}

function groupsOf(number: VpcNumber, cards: readonly NetworkInterface[]): SecurityGroup[] {
  const names = new Set(cards.flatMap((each) => each.groupIds));
  // sg-shared is vpc-0's and associated with vpc-1.
  if (number !== 2) names.add('sg-shared');
  return [...names].map(openGroup);
}

const doorOf = (number: 0 | 1) =>
  ({ kind: 'transit-gateway', transitGatewayId: 'tgw-0', transitGatewayAttachmentId: `tgw-attach-${number}` }) as const;

function cardsOf(number: VpcNumber, features: Features): NetworkInterface[] {
  const { ipv6, internetGateway, nat } = features;
  const machine = (name: MachineName, subnet: number): NetworkInterface => {
    const attachment = { instanceId: `i-${name}` as const, deviceIndex: 0 };
    const plain = card(number, subnet, name, hosts[name], { attachment, groupIds: [`sg-${name}`] }, ipv6);
    const isPublic = internetGateway && plans[number].subnets[subnet]?.isPublic === true;
    return isPublic ? withPublic(plain, `198.19.0.${hosts[name]}`) : plain;
  };
  switch (number) {
    case 1: {
      const service = { kind: 'vpc-endpoint', vpcEndpointId: 'vpce-svc' } as const;
      const door = card(1, 1, 'svc', 240, { service, groupIds: ['sg-svc'] });
      const gate = card(1, 1, 'gate', 250, { service: doorOf(1) });
      return [
        machine('e', 0),
        machine('f', features.subnetOfF),
        ...(hasPrivateLink(features) ? [door] : []),
        ...(features.transit === 'none' ? [] : [gate]),
      ];
    }
    case 2:
      return [machine('g', 0)];
    case 0:
      break;
  }
  const subnetOfD = features.subnetOfD === 3 && !features.secondBlocks ? 0 : features.subnetOfD;
  const cards = [machine('a', 0), machine('b', 1), machine('c', 2), machine('d', subnetOfD)];
  if (features.secondInterface) {
    const attachment = { instanceId: 'i-b', deviceIndex: 1 } as const;
    cards.push(card(0, 0, 'second', 21, { attachment, groupIds: ['sg-second'] }, ipv6));
  }
  if (nat !== 'none') {
    const service = { kind: 'nat-gateway', natGatewayId: 'nat-0' } as const;
    const plain = card(0, 2, 'nat', 200, { service, sourceDestCheck: false });
    cards.push(nat === 'public' ? withPublic(plain, '198.19.0.200') : plain);
  }
  if (features.transit !== 'none') cards.push(card(0, 1, 'door', 240, { service: doorOf(0) }));
  if (features.transit === 'two-zones') cards.push(card(0, 2, 'door', 240, { service: doorOf(0) }));
  if (features.interfaceEndpoint !== 'none') {
    const service = { kind: 'vpc-endpoint', vpcEndpointId: 'vpce-if' } as const;
    cards.push(card(0, 2, 'if', 210, { service, groupIds: ['sg-if'] }));
    if (features.interfaceEndpoint === 'two') cards.push(card(0, 1, 'if', 210, { service, groupIds: ['sg-if'] }));
  }
  if (features.loadBalancer !== 'none') {
    const service = { kind: 'network-load-balancer', loadBalancerId: 'net/lb/0' } as const;
    const isPublic = features.loadBalancer === 'internet-facing';
    const plain = card(0, isPublic ? 0 : 1, 'lb', 230, { service, groupIds: ['sg-lb'] });
    cards.push(isPublic ? withPublic(plain, '198.19.0.230') : plain);
  }
  if (features.connectEndpoint !== 'none') {
    const service = { kind: 'instance-connect-endpoint', instanceConnectEndpointId: 'eice-0' } as const;
    cards.push(card(0, 1, 'eice', 220, { service, groupIds: ['sg-eice'] }));
  }
  return cards;
}
