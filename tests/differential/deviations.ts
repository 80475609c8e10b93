// What can be different in a network of the differential test: one row per way to change what reaches whom, each a small change to the network of draft.ts.
// A row draws what it needs and applies it; a change that the network at hand has no place for does nothing. Every network that comes out is one that AWS's API
// takes, so that a disagreement can be built with the CLI (commands.ts).

import { effectiveBlockMode } from '@postern/network/block-public-access.ts';
import type { Route } from '@postern/network/snapshot.ts';
import fc from 'fast-check';
import { aclEntry, rule } from '../flows/snapshots.ts';
import { type Draft, machines, targets, to, type VpcNumber } from './draft.ts';
import {
  cardOf,
  dead,
  direction,
  drawnRule,
  familyOf,
  fits,
  isInPeersOwn,
  killRoutes,
  machine,
  match,
  matchOf,
  moveDoor,
  peerOf,
  peers,
  routeBlocks,
  routeTargets,
  ruleOf,
  setRoute,
  setRules,
  subnetPlace,
  tableAt,
  targetOf,
  throughBox,
  vpcAt,
  vpcNumber,
} from './drawing.ts';

/** One change, as it was drawn. */
export interface Deviation {
  readonly name: string;
  readonly values: unknown;
  readonly apply: (draft: Draft) => void;
}

type Row = { readonly weight: number; readonly arbitrary: fc.Arbitrary<Deviation> };

function row<T>(name: string, weight: number, values: fc.Arbitrary<T>, apply: (draft: Draft, values: T) => void): Row {
  return {
    weight,
    arbitrary: values.map((drawn) => ({ name, values: drawn, apply: (draft) => apply(draft, drawn) })),
  };
}

// ---- the table

export const deviationRows: readonly Row[] = [
  // What every other shrinks to.
  row('nothing', 1, fc.constant(undefined), () => {}),
  row(
    'an ACL entry',
    16,
    fc.record({
      place: subnetPlace,
      direction,
      action: fc.constantFrom<('allow' | 'deny')[]>('deny', 'deny', 'allow'),
      number: fc.integer({ min: 1, max: 999 }),
      match,
      closes: fc.boolean(),
    }),
    (draft, { place: [number, subnet], direction: which, action, number: ruleNumber, match: drawn, closes }) => {
      const acl = vpcAt(draft, number)?.networkAcls.find((each) => each.networkAclId === `acl-${number}${subnet}`);
      if (acl === undefined) return;
      const rest = acl[which].filter((each) => each.ruleNumber !== ruleNumber);
      // What allows something decides only where the rest is closed.
      const kept =
        action === 'allow' && closes
          ? rest.filter((each) => each.ruleNumber < 1000 || familyOf(each.cidr) !== familyOf(drawn.block))
          : rest;
      const entry = aclEntry(ruleNumber, action, { ...matchOf(drawn), cidr: drawn.block });
      acl[which] = [...kept, entry].sort((a, b) => a.ruleNumber - b.ruleNumber);
    },
  ),
  row(
    'rules of a group',
    9,
    fc.record({ name: machine, direction, rules: fc.array(drawnRule, { maxLength: 3 }) }),
    (draft, { name, direction: which, rules }) =>
      setRules(
        vpcAt(draft, machines[name]),
        `sg-${name}`,
        which,
        rules.map((each) => ruleOf(name, each)),
      ),
  ),
  row(
    'a group lets in, or out, what one peer is',
    8,
    fc.record({ name: machine, direction, what: fc.constantFrom(...peers) }),
    (draft, { name, direction: which, what }) => {
      const allowed = rule(-1, undefined, peerOf(name, what));
      setRules(vpcAt(draft, machines[name]), `sg-${name}`, which, [allowed]);
    },
  ),
  row(
    'rules of the group of a service',
    2,
    fc.record({
      of: fc.constantFrom('if', 'eice', 'second', 'lb', 'svc'),
      direction,
      rules: fc.array(drawnRule, { maxLength: 2 }),
    }),
    (draft, { of, direction: which, rules }) =>
      setRules(
        vpcAt(draft, of === 'svc' ? 1 : 0),
        `sg-${of}`,
        which,
        rules.map((each) => ruleOf(of === 'svc' ? 'e' : 'a', each)),
      ),
  ),
  row(
    'the shared group is carried, alone or beside the own one',
    3,
    fc.record({ name: machine, alone: fc.boolean(), direction, rules: fc.array(drawnRule, { maxLength: 2 }) }),
    (draft, { name, alone, direction: which, rules }) => {
      const card = cardOf(draft, name);
      if (card === undefined || machines[name] === 2) return;
      card.groupIds = alone ? ['sg-shared'] : [...new Set([...card.groupIds, 'sg-shared' as const])];
      const shared = rules.map((each) => ruleOf(name, each));
      // The same group in both VPCs.
      for (const number of [0, 1] as const) setRules(vpcAt(draft, number), 'sg-shared', which, shared);
    },
  ),
  row(
    'a route',
    6,
    fc.record({
      place: subnetPlace,
      cidr: fc.constantFrom(...routeBlocks),
      target: fc.constantFrom(...routeTargets),
      isDead: fc.constantFrom(false, false, true),
    }),
    (draft, { place, cidr, target: what, isDead }) => {
      const [table, target] = [tableAt(draft, place), targetOf(draft, place[0], what)];
      if (table === undefined || target === undefined || !fits(cidr, target)) return;
      if (familyOf(cidr) === 6 && vpcAt(draft, place[0])?.ipv6CidrBlocks.length === 0) return;
      // R4: inside the VPC, nothing more specific than local but for whole subnets.
      if (place[0] === 1 && isInPeersOwn(cidr)) return;
      setRoute(table.routes, isDead ? dead(to(cidr, target)) : to(cidr, target));
    },
  ),
  row(
    'a route to what a prefix list holds',
    2,
    fc.record({ place: subnetPlace, target: fc.constantFrom(...routeTargets), ipv6: fc.boolean() }),
    (draft, { place, target: what, ipv6 }) => {
      const [vpc, table, target] = [vpcAt(draft, place[0]), tableAt(draft, place), targetOf(draft, place[0], what)];
      // The lists are of the other VPCs' Region.
      if (vpc === undefined || table === undefined || target === undefined || place[0] === 2) return;
      if (!fits(ipv6 ? '::/0' : '0.0.0.0/0', target) || (ipv6 && vpc.ipv6CidrBlocks.length === 0)) return;
      const prefixListId = ipv6 ? 'pl-routes6' : 'pl-routes';
      setRoute(table.routes, { destination: { kind: 'prefix-list', prefixListId }, target, state: 'active' });
    },
  ),
  row('a route is missing', 4, fc.record({ place: subnetPlace, index: fc.nat(7) }), (draft, { place, index }) => {
    const table = tableAt(draft, place);
    // A route for the VPC's own block can lead elsewhere (R3), and is always there.
    const blocks = vpcAt(draft, place[0])?.cidrBlocks ?? [];
    const others =
      table?.routes.filter(
        ({ destination, target }) =>
          target.kind !== 'local' && !(destination.kind === 'cidr' && blocks.includes(destination.cidr)),
      ) ?? [];
    if (table === undefined || others.length === 0) return;
    const gone = others[index % others.length];
    table.routes = table.routes.filter((each) => each !== gone);
  }),
  row('a route is a blackhole', 3, fc.record({ place: subnetPlace, index: fc.nat(7) }), (draft, { place, index }) => {
    const table = tableAt(draft, place);
    const others = table?.routes.filter((each) => each.target.kind !== 'local') ?? [];
    if (table === undefined || others.length === 0) return;
    const route = others[index % others.length];
    // An endpoint's route goes when its endpoint does, and no other may name AWS's prefix list.
    if (route?.target.kind === 'gateway-endpoint') return;
    table.routes = table.routes.map((each) => (each === route ? (dead(each as Route) as typeof each) : each));
  }),
  row('no internet gateway', 1, vpcNumber, (draft, number) => {
    const vpc = vpcAt(draft, number);
    if (vpc === undefined) return;
    // It can be detached only when no public address is left; routes to it are blackholes then (R8).
    for (const card of vpc.networkInterfaces) for (const each of card.privateAddresses) delete each.publicAddress;
    for (const gateway of vpc.natGateways) gateway.connectivityType = 'private';
    for (const balancer of vpc.networkLoadBalancers) balancer.scheme = 'internal';
    delete vpc.internetGatewayId;
    delete vpc.gatewayRouteTableId;
    killRoutes(draft, number, (target) => target.kind === 'internet-gateway');
  }),
  row('no egress-only gateway', 1, vpcNumber, (draft, number) => {
    const vpc = vpcAt(draft, number);
    if (vpc === undefined) return;
    vpc.egressOnlyInternetGatewayIds = [];
    killRoutes(draft, number, (target) => target.kind === 'egress-only-internet-gateway');
  }),
  row('the peering is gone', 1, fc.constantFrom('01', '12'), (draft, pair) => {
    draft.peeringConnections = draft.peeringConnections.filter((each) => each.vpcPeeringConnectionId !== `pcx-${pair}`);
    for (const number of [0, 1, 2] as const)
      killRoutes(
        draft,
        number,
        (target) => target.kind === 'peering-connection' && target.vpcPeeringConnectionId === `pcx-${pair}`,
      );
  }),
  row(
    'a route of the transit gateway',
    4,
    fc.record({
      table: fc.constantFrom(0, 0, 1),
      cidr: fc.constantFrom<`${string}/${number}`[]>(
        '0.0.0.0/0',
        '10.1.0.0/24',
        '10.1.0.8/29',
        '10.0.1.0/24',
        '10.0.0.0/8',
        '10.0.0.0/16',
        '203.0.113.0/24',
        '192.168.0.0/16',
      ),
      to: fc.constantFrom('tgw-attach-0', 'tgw-attach-1', undefined, 'no route'),
    }),
    (draft, { table, cidr, to: next }) => {
      const [gateway] = draft.transitGateways;
      const found = gateway?.routeTables.find((each) => each.transitGatewayRouteTableId === `tgw-rtb-${table}`);
      if (found === undefined) return;
      const others = found.routes.filter((each) => each.cidr !== cidr);
      const attachment = next?.startsWith('tgw-') ? { transitGatewayAttachmentId: next as `tgw-attach-${string}` } : {};
      found.routes = next === 'no route' ? others : [...others, { cidr, ...attachment }];
    },
  ),
  row(
    'what an attachment of the transit gateway is',
    3,
    fc.record({
      number: fc.constantFrom(0, 1),
      what: fc.constantFrom('tgw-rtb-1', 'no table', 'appliance-mode', 'in-another-subnet'),
    }),
    (draft, { number, what }) => {
      const attachment = draft.transitGateways[0]?.attachments[number];
      if (attachment === undefined) return;
      if (what === 'appliance-mode') attachment.applianceMode = true;
      else if (what === 'no table') delete attachment.routeTableId;
      else if (what === 'tgw-rtb-1') attachment.routeTableId = what;
      else moveDoor(draft, number as 0 | 1);
    },
  ),
  row('no public address', 3, machine, (draft, name) => {
    for (const each of cardOf(draft, name)?.privateAddresses ?? []) delete each.publicAddress;
  }),
  row(
    'a second address',
    3,
    fc.record({ name: machine, isPublic: fc.boolean(), ipv6: fc.boolean() }),
    (draft, { name, isPublic, ipv6 }) => {
      const card = cardOf(draft, name);
      const first = card?.privateAddresses[0]?.address;
      if (card === undefined || first === undefined || card.privateAddresses.length > 1) return;
      const host = Number(first.split('.')[3]) + 100;
      const address = first.replace(/\d+$/, String(host));
      const publicly = isPublic && vpcAt(draft, machines[name])?.internetGatewayId !== undefined;
      card.privateAddresses.push({ address, primary: false, ...(publicly && { publicAddress: `198.19.1.${host}` }) });
      const six = card.ipv6Addresses[0];
      if (ipv6 && six !== undefined) card.ipv6Addresses.push(six.replace(/::.*$/, `::${host.toString(16)}`));
    },
  ),
  row('no IPv6 address', 1, machine, (draft, name) => {
    // The middlebox keeps its own: a guest without IPv6 has no way to hand it on.
    const card = name === 'c' ? undefined : cardOf(draft, name);
    if (card !== undefined) card.ipv6Addresses = [];
  }),
  row(
    'what the NAT gateway is',
    3,
    fc.constantFrom('second-address', 'in-private-subnet', 'private'),
    (draft, what) => {
      const vpc = vpcAt(draft, 0);
      const card = vpc?.networkInterfaces.find((each) => each.service?.kind === 'nat-gateway');
      const gateway = vpc?.natGateways[0];
      const primary = card?.privateAddresses[0];
      if (vpc === undefined || card === undefined || gateway === undefined || primary === undefined) return;
      if (what === 'private') {
        delete primary.publicAddress;
        gateway.connectivityType = 'private';
      } else if (what === 'second-address') {
        const isPublic = primary.publicAddress !== undefined;
        card.privateAddresses = [
          primary,
          {
            address: primary.address.replace('200', '201'),
            primary: false,
            ...(isPublic && { publicAddress: '198.19.0.201' }),
          },
        ];
      } else {
        // G2: its subnet has no route to the internet.
        Object.assign(card, { networkInterfaceId: 'eni-nat1', subnetId: 'subnet-01', macAddress: '0a:00:00:00:01:c8' });
        gateway.networkInterfaceId = 'eni-nat1';
        card.privateAddresses = [{ ...primary, address: '10.0.1.200' }];
      }
    },
  ),
  row(
    'the NAT gateway carries what goes to another subnet',
    2,
    fc.constantFrom<[number, number][]>([1, 0], [0, 1], [1, 3]),
    (draft, [from, other]) => {
      const [vpc, table] = [vpcAt(draft, 0), tableAt(draft, [0, from])];
      const subnet = vpc?.subnets.find((each) => each.subnetId === `subnet-0${other}`);
      if (vpc === undefined || table === undefined || subnet === undefined || vpc.natGateways.length === 0) return;
      setRoute(table.routes, to(subnet.cidrBlock, targets.nat(0)));
    },
  ),
  row(
    'c is a middlebox',
    5,
    fc.record({
      between: fc.constantFrom<[number, number][]>([0, 1], [1, 3], [0, 0], [1, 0]),
      isBothWays: fc.constantFrom(true, true, false),
      isChecked: fc.constantFrom(false, false, false, true),
      local: fc.constantFrom(false, false, true),
    }),
    (draft, { between: [from, other], isBothWays, isChecked, local }) => {
      const [vpc, card] = [vpcAt(draft, 0), cardOf(draft, 'c')];
      if (vpc === undefined || card === undefined) return;
      card.sourceDestCheck = isChecked;
      const primary = vpc.cidrBlocks[0];
      if (local && primary !== undefined) {
        // R3: the local route itself may lead to it.
        for (const each of [from, ...(isBothWays ? [other] : [])]) {
          const table = tableAt(draft, [0, each]);
          if (table !== undefined) setRoute(table.routes, to(primary, targets.box('eni-c2')));
        }
        return;
      }
      throughBox(draft, from, other);
      if (isBothWays) throughBox(draft, other, from);
    },
  ),
  row(
    'what comes in by the internet gateway goes to the middlebox',
    3,
    fc.record({
      isChecked: fc.constantFrom(false, false, true),
      subnet: fc.constantFrom(0, 0, 1),
      isDead: fc.constantFrom(false, false, false, true),
    }),
    (draft, { isChecked, subnet, isDead }) => {
      const [vpc, card, table] = [vpcAt(draft, 0), cardOf(draft, 'c'), tableAt(draft, [0, subnet])];
      const guarded = vpc?.subnets.find((each) => each.subnetId === `subnet-0${subnet}`);
      if (vpc?.internetGatewayId === undefined || card === undefined || table === undefined || guarded === undefined)
        return;
      card.sourceDestCheck = isChecked;
      // What the edge table may hold: local, and interfaces for exactly a subnet (R14). An interface without a public address it does not take.
      const local = [...vpc.cidrBlocks, ...vpc.ipv6CidrBlocks].map((cidr) => to(cidr, { kind: 'local' }));
      const toBox = to(guarded.cidrBlock, targets.box('eni-c2'));
      const edge = { routeTableId: 'rtb-0e' as const, routes: [...local, isDead ? dead(toBox) : toBox] };
      vpc.routeTables = [
        ...vpc.routeTables.filter((each) => each.routeTableId !== 'rtb-0e'),
        edge as (typeof vpc.routeTables)[number],
      ];
      vpc.gatewayRouteTableId = 'rtb-0e';
      setRoute(table.routes, to('0.0.0.0/0', targets.box('eni-c2')));
    },
  ),
  row(
    'public access is blocked',
    6,
    fc.record({
      mode: fc.constantFrom<('block-bidirectional' | 'block-ingress')[]>('block-bidirectional', 'block-ingress'),
      vpcExclusion: fc.constantFrom<(undefined | 'allow-bidirectional' | 'allow-egress')[]>(
        undefined,
        undefined,
        'allow-bidirectional',
        'allow-egress',
      ),
      subnetExclusion: fc.constantFrom<(undefined | 'allow-bidirectional' | 'allow-egress')[]>(
        undefined,
        'allow-bidirectional',
        'allow-egress',
      ),
      subnet: fc.nat(3),
    }),
    (draft, { mode, vpcExclusion, subnetExclusion, subnet }) => {
      // A mode is a Region's: vpc-0 is excluded as a whole or by a subnet, vpc-1 is not.
      for (const number of [0, 1] as const) {
        for (const each of vpcAt(draft, number)?.subnets ?? []) {
          const exclusions =
            number === 1 ? [] : [vpcExclusion, each.subnetId === `subnet-0${subnet}` ? subnetExclusion : undefined];
          const effective = effectiveBlockMode(
            mode,
            exclusions.filter((one) => one !== undefined),
          );
          if (effective === 'off') delete each.blockPublicAccess;
          else each.blockPublicAccess = effective;
        }
      }
    },
  ),
  row(
    'what the load balancer is',
    3,
    fc.record({ what: fc.constantFrom('no groups', 'no listener', 'no target', 'another target'), index: fc.nat(2) }),
    (draft, { what, index }) => {
      const vpc = vpcAt(draft, 0);
      const node = vpc?.networkLoadBalancers[0]?.nodes[0];
      const listener = node?.listeners[index];
      const card = vpc?.networkInterfaces.find((each) => each.networkInterfaceId === node?.networkInterfaceId);
      if (node === undefined || listener === undefined || card === undefined) return;
      if (what === 'no groups') card.groupIds = [];
      else if (what === 'no listener') node.listeners = node.listeners.filter((each) => each !== listener);
      else listener.targets = what === 'no target' ? [] : [{ address: '10.0.0.10', port: 53 }];
      node.checks = node.listeners.flatMap((each) => each.targets);
    },
  ),
  row('a machine does not run', 1, machine, (draft, name) => {
    const [vpc, card] = [vpcAt(draft, machines[name]), cardOf(draft, name)];
    if (vpc === undefined || card === undefined) return;
    for (const each of vpc.networkInterfaces) if (each.attachment?.instanceId === `i-${name}`) delete each.attachment;
    vpc.instances = vpc.instances.filter((each) => each.instanceId !== `i-${name}`);
    const own = new Set(
      vpc.networkInterfaces
        .filter((each) => each.attachment === undefined && each.service === undefined)
        .map((each) => each.networkInterfaceId),
    );
    killRoutes(
      draft,
      machines[name],
      (target) => target.kind === 'network-interface' && own.has(target.networkInterfaceId),
    );
  }),
  row('no DNS support', 1, vpcNumber, (draft, number) => {
    const vpc = vpcAt(draft, number);
    if (vpc === undefined) return;
    vpc.enableDnsSupport = false;
    vpc.enableDnsHostnames = false;
  }),
  row(
    'a gateway endpoint without routes, or a peering for everything',
    3,
    fc.record({
      place: fc.constantFrom<[VpcNumber, number][]>([0, 0], [0, 1]),
      what: fc.constantFrom('endpoint-without-routes', 'wide-to-peer'),
    }),
    (draft, { place, what }) => {
      const table = tableAt(draft, place);
      const peering = targetOf(draft, 0, 'peer-01');
      if (table === undefined) return;
      // P6: neither a gateway nor an address outside its blocks is behind a peering (P5).
      if (what === 'wide-to-peer' && peering !== undefined) {
        setRoute(table.routes, to('0.0.0.0/0', peering));
        setRoute(table.routes, to('10.8.0.0/16', peering));
      } else if (vpcAt(draft, 0)?.gatewayEndpoints.length === 0) return;
      else table.routes = table.routes.filter((each) => each.destination.kind === 'cidr');
    },
  ),
];

export const deviation: fc.Arbitrary<Deviation> = fc.oneof({ withCrossShrink: true }, ...deviationRows);
