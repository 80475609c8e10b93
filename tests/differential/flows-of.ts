// The flows that can be tried in a network, and which of them are: everybody to everybody's addresses, to the internet, to services, to what should not answer.
// Pure: what is walked and what is sent are both read off one of these.

import { addressPlan, ipv6Plan } from '@postern/network/addresses.ts';
import { addressAt } from '@postern/network/cidr.ts';
import { embedIpv4 } from '@postern/network/nat64.ts';
import type {
  InstanceConnectEndpointId,
  NetworkInterface,
  NetworkInterfaceId,
  Snapshot,
  Vpc,
} from '@postern/network/snapshot.ts';
import { echoRequest, echoRequest6, isIpv6, protocols, type Flow as WalkedFlow } from '@postern/network/walk/packet.ts';
import type { Trace } from '@postern/network/walk/trace.ts';
import { randomFrom } from '../flows/random-networks.ts';

export type Sender =
  | { readonly kind: 'machine'; readonly name: string; readonly networkInterfaceId: NetworkInterfaceId }
  /** The person's terminal, on the internet. */
  | { readonly kind: 'laptop' }
  | {
      readonly kind: 'connect-endpoint';
      readonly instanceConnectEndpointId: InstanceConnectEndpointId;
      readonly networkInterfaceId: NetworkInterfaceId;
    };

export interface TriedFlow {
  /** The same flow has the same name in a smaller network. */
  readonly name: string;
  readonly sender: Sender;
  readonly source: string;
  readonly destination: string;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  /** Of tcp and udp. */
  readonly port?: number;
  /** Source ports are below 32768 or above: a port range may have its end between the two. */
  readonly sourcePorts: 'low' | 'high';
}

const [lowPort, highPort] = [32_000, 40_000];

export function walkedFlow({ sender, source, destination, protocol, port, sourcePorts }: TriedFlow): WalkedFlow {
  const is6 = isIpv6(destination);
  const ports =
    port === undefined ? {} : { sourcePort: sourcePorts === 'low' ? lowPort : highPort, destinationPort: port };
  const icmp = protocol === 'icmp' ? { icmp: is6 ? echoRequest6 : echoRequest } : {};
  const number = protocol === 'icmp' && is6 ? protocols.icmpv6 : protocols[protocol];
  const packet = { protocol: number, source, destination, ...ports, ...icmp };
  return sender.kind === 'laptop'
    ? { from: { kind: 'internet' }, packet }
    : { from: { kind: 'network-interface', networkInterfaceId: sender.networkInterfaceId }, packet };
}

/** What listens where; the walk ends at a host, and what listens there is the host's affair. Echo requests are answered by everybody. */
const listening = { machine: [22, 53, 80, 443, 8080], internet: [22, 53, 80, 443, 8080], endpoint: [22, 53, 80, 443, 8080] } as const; // biome-ignore format: a table

export function isAnswered({ protocol, port = 0 }: TriedFlow, { arrival, arrivedAs }: Trace): boolean {
  // A target listens where it is sent to, and that is another port.
  if (arrival?.kind === 'load-balancer') return listening.machine.some((each) => each === arrivedAs?.destinationPort);
  if (protocol === 'icmp' || arrival === undefined || arrival.kind === 'vpc-service') return true;
  const ports: readonly number[] =
    arrival.kind === 'network-interface'
      ? listening.machine
      : arrival.kind === 'internet'
        ? listening.internet
        : listening.endpoint;
  return ports.includes(port) && (protocol === 'tcp' || arrival.kind !== 'vpc-endpoint');
}

/** Hosts, services and addresses that nobody has. */
const outside = {
  'a host': '198.51.100.7',
  'another host': '198.51.100.70',
  'a third host': '203.0.113.99',
  'a fourth host': '203.0.113.200',
  'S3': '198.18.1.1',
  'DynamoDB': '198.18.1.65',
  'S3 elsewhere': '198.18.2.1',
  'metadata': '169.254.169.254',
  'the resolver': '169.254.169.253',
  'link-local': '169.254.7.7',
  'a private address': '192.168.7.7',
  'a shared address': '100.99.0.1',
  'nobody in the peer': '10.8.0.9',
  'an address without a holder': '198.19.7.7',
  'the terminal': addressPlan.laptop,
} as const; // biome-ignore format: a table
const outside6 = {
  'a host, IPv6': '2001:db8:f000::c633:6407',
  'another host, IPv6': '2001:db8:f000::c633:6446',
  'S3, IPv6': '2001:db8:0:1::1',
  'a unique local address': 'fd00::1',
  'metadata, IPv6': ipv6Plan.metadata,
  'the resolver, IPv6': ipv6Plan.resolver,
  'nobody, IPv6': '2001:db8:1010:900::1',
  'the terminal, IPv6': ipv6Plan.laptop,
} as const; // biome-ignore format: a table

/** As NAT64 has them: what of the above is somebody, or nobody in particular. */
const byNat64 = Object.entries(outside)
  .filter(([name]) => !name.includes('host') || name === 'a host')
  .map(([name, address]): [string, string] => [`${name} by NAT64`, embedIpv4(address)]);

/** Hosts of the internet that a machine may pretend to be. */
const strangers = [{ name: 'a stranger', address: '198.51.100.9' }, { name: 'a stranger, IPv6', address: '2001:db8:f000::c633:6409' }]; // biome-ignore format: a table

const impostorsTry: readonly (readonly [string, string])[] = [['e', '10.1.0.14'], ['e IPv6', '2001:db8:1010:200::e'], ['a', '10.0.0.10'], ['another host', '198.51.100.70'], ['a host, IPv6', '2001:db8:f000::c633:6407']]; // biome-ignore format: a table

const trials = [['tcp', 22], ['tcp', 80], ['tcp', 443], ['tcp', 8080], ['udp', 53], ['udp', 80], ['icmp', undefined]] as const; // biome-ignore format: a table

/** Every flow that can be tried; a thousand or so. */
export function flowsOf(snapshot: Snapshot): readonly TriedFlow[] {
  const cards = snapshot.vpcs.flatMap((vpc) => vpc.networkInterfaces.map((card) => ({ card, vpc })));
  const inside = cards.flatMap(({ card }) => addressesOf(card));
  const flows: TriedFlow[] = [];
  const add = (sender: Sender, from: string, source: string, to: string, destination: string, only?: 'tcp') => {
    for (const [protocol, port] of trials) {
      if (only !== undefined && protocol !== only) continue;
      for (const sourcePorts of ['low', 'high'] as const)
        flows.push({
          name: `${from} → ${protocol}${port ?? ''} ${to}${sourcePorts === 'low' ? '' : ', high port'}`,
          sender,
          source,
          destination,
          protocol,
          ...(port !== undefined && { port }),
          sourcePorts,
        });
    }
  };
  for (const { card, vpc } of cards) {
    const { attachment, service, networkInterfaceId } = card;
    if (service?.kind === 'instance-connect-endpoint') {
      addTunnels(card, vpc, inside, add);
      continue;
    }
    if (attachment === undefined) continue;
    const name = attachment.instanceId.slice(2);
    const sender: Sender = { kind: 'machine', name, networkInterfaceId };
    const own = new Set(
      cards
        .filter((each) => each.card.attachment?.instanceId === attachment.instanceId)
        .flatMap((each) => addressesOf(each.card).map((one) => one.address)),
    );
    const destinations: [string, string][] = [
      ...inside.filter((each) => !own.has(each.address)).map((each): [string, string] => [each.name, each.address]),
      ...publicOf(snapshot)
        .filter((each) => !each.address.includes(':'))
        .map((each): [string, string] => [each.name, each.address]),
      ...Object.entries(outside),
      ...Object.entries(outside6),
      ...neighbours(vpc),
      ...(vpc.natGateways.length === 0 ? [] : [...byNat64, ...embedded([...inside, ...publicOf(snapshot)], own)]),
    ];
    for (const from of addressesOf(card))
      for (const [to, destination] of destinations)
        if (isIpv6(from.address) === isIpv6(destination)) add(sender, from.name, from.address, to, destination);
    // Of several interfaces the guest's routes choose one; a middlebox may send what it likes, and its own kernel drops what comes back for it.
    const isAlone = cards.filter((each) => each.card.attachment?.instanceId === attachment.instanceId).length === 1;
    const pretended = card.sourceDestCheck ? inside.filter((each) => !own.has(each.address)).slice(0, 8) : [];
    // What came back for another would come back to a middlebox, so it pretends only where nothing does.
    const tried = card.sourceDestCheck ? impostorsTry : impostorsTry.slice(0, 2);
    for (const other of isAlone ? [...pretended, ...strangers] : [])
      for (const [to, destination] of tried) {
        const isFamily =
          isIpv6(other.address) === isIpv6(destination) && (!isIpv6(destination) || card.ipv6Addresses.length > 0);
        if (isFamily && other.address !== destination && !own.has(destination))
          add(sender, `${name} as ${other.name}`, other.address, to, destination);
      }
  }
  for (const each of publicOf(snapshot))
    add(
      { kind: 'laptop' },
      'laptop',
      isIpv6(each.address) ? ipv6Plan.laptop : addressPlan.laptop,
      each.name,
      each.address,
    );
  add({ kind: 'laptop' }, 'laptop', addressPlan.laptop, 'an address without a holder', '198.19.7.7');
  return flows;
}

function embedded(all: readonly Named[], own: ReadonlySet<string>): [string, string][] {
  return all.flatMap(({ name, address }) =>
    isIpv6(address) || own.has(address) ? [] : [[`${name} by NAT64`, embedIpv4(address)] as [string, string]],
  );
}

interface Named {
  readonly name: string;
  readonly address: string;
}

function addressesOf(card: NetworkInterface): Named[] {
  const owner = card.attachment?.instanceId.slice(2) ?? card.networkInterfaceId.replace(/^eni-|\d+$/g, '');
  const name = (card.attachment?.deviceIndex ?? 0) > 0 ? `${owner}’s second interface` : owner;
  const label = (kind: string, index: number) => `${name}${kind}${index === 0 ? '' : `, address ${index + 1}`}`;
  return [
    ...card.privateAddresses.map(({ address }, index) => ({ name: label('', index), address })),
    ...card.ipv6Addresses.map((address, index) => ({ name: label(' IPv6', index), address })),
  ];
}

/** What the internet can call: public addresses, and every IPv6 address. */
function publicOf(snapshot: Snapshot): Named[] {
  return snapshot.vpcs.flatMap((vpc) =>
    vpc.networkInterfaces.flatMap((card) => {
      const named = addressesOf(card);
      return [
        ...card.privateAddresses.flatMap(({ address, publicAddress }) =>
          publicAddress === undefined
            ? []
            : [{ name: `${named.find((each) => each.address === address)?.name} publicly`, address: publicAddress }],
        ),
        ...named.filter((each) => isIpv6(each.address)),
      ];
    }),
  );
}

/** Addresses of the VPC that no interface has: the router's, the resolver's, an idle one. */
function neighbours(vpc: Vpc): [string, string][] {
  const [primary] = vpc.cidrBlocks;
  const [six] = vpc.ipv6CidrBlocks;
  return [
    ...(primary === undefined
      ? []
      : ([
          ['the router', addressAt(primary, 1)],
          ['base + 2', addressAt(primary, 2)],
          ['an idle address', addressAt(primary, 250)],
        ] as [string, string][])),
    ...(six === undefined ? [] : ([['an idle address, IPv6', six.replace('::/56', '::fade')]] as [string, string][])),
  ];
}

/** What an instance connect endpoint is asked for: TCP, to the addresses of its own VPC and of those peered with it. */
function addTunnels(
  card: NetworkInterface,
  vpc: Vpc,
  inside: readonly Named[],
  add: (sender: Sender, from: string, source: string, to: string, destination: string, only: 'tcp') => void,
): void {
  const endpoint = vpc.instanceConnectEndpoints.find((each) => each.networkInterfaceId === card.networkInterfaceId);
  const own = card.privateAddresses[0]?.address;
  if (endpoint === undefined || own === undefined) return;
  const { instanceConnectEndpointId, networkInterfaceId, preserveClientIp } = endpoint;
  const sender: Sender = { kind: 'connect-endpoint', instanceConnectEndpointId, networkInterfaceId };
  for (const each of inside)
    if (!isIpv6(each.address) && each.address !== own)
      add(sender, 'eice', preserveClientIp ? addressPlan.laptop : own, each.name, each.address, 'tcp');
}

/**
 * Some of them, chosen so that each thing that decides is there: by turns from the flows that the same stage and rule decide, single obstacles before several.
 * @param walk of the flow, by whichever walk there is: it only chooses
 */
export function chosenFlows(
  snapshot: Snapshot,
  walk: (flow: TriedFlow) => Trace,
  count: number,
  salt: number,
): readonly TriedFlow[] {
  const random = randomFrom(salt);
  const shuffled = (all: readonly TriedFlow[]) =>
    all
      .map((flow) => ({ flow, key: random() }))
      .sort((a, b) => a.key - b.key)
      .map((each) => each.flow);
  // Most that can be tried is outside, and there gateways decide; inside it is groups, ACLs and routes.
  const held = new Set(
    snapshot.vpcs.flatMap((vpc) =>
      vpc.networkInterfaces.flatMap((card) => addressesOf(card).map((each) => each.address)),
    ),
  );
  const all = shuffled(flowsOf(snapshot));
  const inside = all.filter((flow) => held.has(flow.destination));
  const outward = all.filter((flow) => !held.has(flow.destination));
  const sample = [...inside.slice(0, count * 5), ...outward.slice(0, count * 2)];
  const stages = new Map<string, Map<string, TriedFlow[]>>();
  for (const flow of sample) {
    const trace = walk(flow);
    const [stage, detail] = classOf(flow, trace);
    const classes = stages.get(stage) ?? new Map<string, TriedFlow[]>();
    const list = classes.get(detail) ?? [];
    // One obstacle shows who decides; of several, only the first does.
    if (trace.blockers.length <= 1) list.unshift(flow);
    else list.push(flow);
    classes.set(detail, list);
    stages.set(stage, classes);
  }
  return byTurns([...stages.values()].map((classes) => byTurns([...classes.values()]))).slice(0, count);
}

/** The first of each list, the second of each, and so on. */
function byTurns<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, turn) => lists.flatMap((list) => list.slice(turn, turn + 1))).flat();
}

/** What decides, roughly and in full. */
function classOf({ sender, source }: TriedFlow, { blockers, steps }: Trace): readonly [string, string] {
  const [first] = blockers;
  if (first === undefined)
    return [
      'open',
      `${sender.kind} ${isIpv6(source) ? 6 : 4} ${[...new Set(steps.map((step) => step.stage))].join(' ')}`,
    ];
  const { leg, stage, cause } = first;
  const detail =
    cause.kind === 'acl-entry'
      ? `${cause.networkAclId} ${cause.ruleNumber}`
      : cause.kind === 'component'
        ? cause.because.replace(/[\d.:a-f]{6,}/g, '…')
        : cause.kind;
  return [stage, `${leg} ${detail} ${blockers.length > 1 ? 'and more' : ''}`];
}
