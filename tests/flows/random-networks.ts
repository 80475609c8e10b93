// Networks that change step by step at random, the same for the same seed: for the tests that hold the incremental way to the full one.

import type { NetworkInterface, Route, SecurityGroupRule, Snapshot, Vpc } from '@postern/network/snapshot.ts';
import { aclEntry, allowAll, cidrPeer, endpointEni, eni, everywhere, group, groupPeer, interfaceEndpoint, local, nat, openAcl, peered, rule, s3Endpoint, s3Route, snapshot, subnet, table, toIgw, toNat, toPeer, vpc } from './snapshots.ts'; // biome-ignore format: many words

/** mulberry32: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * `length` Snapshots, each some changes after the one before.
 * @param machines names of the instances there are; their interfaces come and go. The last one is in a VPC of its own, which is peered now and then
 */
export function randomNetworks(seed: number, length: number, machines: readonly string[]): Snapshot[] {
  const random = randomFrom(seed);
  const chance = (of: number) => random() < of;
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
  const some = <T>(all: readonly T[]): T[] => all.filter(() => chance(0.5));
  const cards = new Map(
    machines.map((name, index) => [name, eni(name, String(1 + (index % 2)), `10.0.${index % 2}.${10 + index}`)]),
  );

  const randomRule = (): SecurityGroupRule =>
    rule(
      pick([-1, 6, 17]),
      undefined,
      pick([
        everywhere,
        cidrPeer('10.0.1.0/24'),
        groupPeer('sg-x'),
        groupPeer('sg-y'),
        groupPeer('sg-peer'),
        { kind: 'prefix-list', prefixListId: 'pl-s3' },
        cidrPeer('::/0'),
        cidrPeer('2001:db8:1010:101::/64'),
      ]),
    );
  const groups = () =>
    (['sg-x', 'sg-y'] as const).map((id) =>
      group(
        id,
        Array.from({ length: Math.floor(random() * 4) }, randomRule),
        chance(0.7) ? [allowAll] : [randomRule()],
      ),
    );
  const card = (name: string): NetworkInterface => {
    const base = cards.get(name) ?? eni(name, '1', '10.0.0.99');
    const [first] = base.privateAddresses;
    const index = machines.indexOf(name);
    return {
      ...base,
      groupIds: pick([['sg-x'], ['sg-y'], ['sg-x', 'sg-y']] as const),
      sourceDestCheck: chance(0.8),
      privateAddresses: [
        {
          address: first?.address ?? '',
          primary: true,
          ...(chance(0.5) ? { publicAddress: `198.19.0.${10 + index}` } : {}),
        },
        ...(chance(0.3) ? [{ address: `10.0.${index % 2}.${100 + index}`, primary: false }] : []),
      ],
      ipv6Addresses: some([10, 100]).map((host) => `2001:db8:1010:10${1 + (index % 2)}::${host + index}`),
    };
  };
  const routes = (): Route[] =>
    some([
      toIgw,
      local6,
      ...out6,
      toNat('1', '203.0.113.0/24'),
      s3Route,
      toPeer('10.1.0.0/16'),
      { ...toIgw, destination: { kind: 'cidr', cidr: '198.51.100.0/24' } as const, state: 'blackhole' as const },
      {
        destination: { kind: 'cidr', cidr: '192.0.2.0/24' } as const,
        target: { kind: 'network-interface', networkInterfaceId: `eni-${machines[0] ?? ''}` } as const,
        state: 'active' as const,
      },
    ]);
  const toBlock6 = (cidr: `${string}/${number}`, target: Route['target']): Route => ({
    destination: { kind: 'cidr', cidr },
    target,
    state: 'active',
  });
  const local6 = toBlock6('2001:db8:1010:100::/56', { kind: 'local' });
  const out6 = [
    toBlock6('::/0', { kind: 'egress-only-internet-gateway', egressOnlyInternetGatewayId: 'eigw-1' }),
    toBlock6('2001:db8:f000::/48', toIgw.target),
  ];
  const acl = () =>
    chance(0.6)
      ? openAcl
      : {
          ...openAcl,
          ingress: [aclEntry(50, pick(['allow', 'deny']), { protocol: pick([6, 17]) }), aclEntry(100, 'allow')],
        };
  const network = (): Pick<Vpc, 'routeTables' | 'gatewayEndpoints'> & Partial<Vpc> => ({
    routeTables: [table('rtb-main', local('10.0.0.0/16')), table('rtb-public', local('10.0.0.0/16'), ...routes())],
    gatewayEndpoints: chance(0.6) ? [s3Endpoint] : [],
    subnets: [
      subnet('1', '10.0.0.0/24', {
        routeTableId: pick(['rtb-main', 'rtb-public']),
        ipv6CidrBlock: '2001:db8:1010:101::/64',
      }),
      subnet('2', '10.0.1.0/24', { ipv6CidrBlock: '2001:db8:1010:102::/64' }),
    ],
    ipv6CidrBlocks: chance(0.7) ? ['2001:db8:1010:100::/56'] : [],
    egressOnlyInternetGatewayIds: chance(0.6) ? ['eigw-1'] : [],
    ...(chance(0.7) ? { internetGatewayId: 'igw-1' as const } : {}),
  });

  const natAddress = { address: '10.0.1.5', primary: true };
  const moreAddresses = { address: '10.0.1.6', primary: false, publicAddress: '198.19.0.6' };
  const natGateway = () =>
    nat('1', '2', '10.0.1.5', {
      macAddress: '0a:00:00:00:99:99',
      privateAddresses: [
        chance(0.5) ? natAddress : { ...natAddress, publicAddress: '198.19.0.5' },
        ...(chance(0.5) ? [moreAddresses] : []),
      ],
    });

  const [peer = ''] = machines.slice(-1);
  const peerVpc = () =>
    vpc({
      vpcId: 'vpc-b',
      cidrBlocks: ['10.1.0.0/16'],
      subnets: [subnet('5', '10.1.0.0/24')],
      networkInterfaces: chance(0.7) ? [eni(peer, '5', '10.1.0.10', { groupIds: [pick(['sg-peer', 'sg-open'])] })] : [],
      routeTables: [table('rtb-main', local('10.1.0.0/16'), ...some([toPeer('10.0.0.0/16')]))],
    });

  let [wiring, securityGroups, networkAcls] = [network(), groups(), [acl()]];
  const own = machines.slice(0, -1);
  let natted: ReturnType<typeof nat> | undefined;
  const door = (index: string, address: string) =>
    endpointEni(`p${index}`, index, address, { groupIds: [pick(['sg-x', 'sg-y'])] });
  let doors: NetworkInterface[] = [];
  let present = own.map(card);
  let [second, isPeered] = [peerVpc(), true];
  return Array.from({ length }, () => {
    if (chance(0.4)) securityGroups = groups();
    if (chance(0.2)) networkAcls = [acl()];
    if (chance(0.3)) wiring = network();
    if (chance(0.4)) present = some(own).map(card);
    if (chance(0.2)) natted = chance(0.7) ? natGateway() : undefined;
    const natGateways = natted === undefined ? [] : [natted.gateway];
    if (chance(0.3)) doors = some([door('1', '10.0.0.200'), door('2', '10.0.1.200')]);
    const interfaceEndpoints =
      doors.length === 0 ? [] : [interfaceEndpoint(doors.map((each) => each.networkInterfaceId))];
    const networkInterfaces = [...present, ...doors, ...(natted === undefined ? [] : [natted.card])];
    if (chance(0.3)) second = peerVpc();
    if (chance(0.3)) isPeered = !isPeered;
    const first = vpc({
      subnets: [],
      ...wiring,
      securityGroups,
      networkAcls,
      natGateways,
      networkInterfaces,
      interfaceEndpoints,
    });
    return peered(snapshot(first, second), isPeered ? { ab: ['vpc-a', 'vpc-b'] } : {});
  });
}
