// Kernel objects as lines of `ip -batch`. A line says everything about its object, so two states are compared by their lines.

import type {
  GuestInterface,
  KernelRoute,
  Link,
  NamespaceState,
  NatGatewayState,
  Neighbour,
  PeeringLink,
  PolicyRule,
} from '../compile/host-state.ts';
import { mtu, nat64, nextHop, routerAddress6 } from '../compile/names.ts';

/** An object of the kernel: how to make it and how to remove it again. */
export interface Line {
  readonly add: string;
  readonly remove: string;
}

/** @param coreProcessId a process in the core namespace, where VPC links have their other ends */
export function renderLink(link: Link, coreProcessId: number): Line {
  const { peer } = link;
  const processId = peer.processId === 'core' ? coreProcessId : peer.processId;
  return {
    add:
      `link add ${link.name} address ${link.macAddress} mtu ${link.mtu} type veth ` +
      `peer name ${peer.name} address ${peer.macAddress} mtu ${link.mtu} netns ${processId}\n` +
      `link set ${link.name} alias ${link.alias} up\n` +
      // Answers ARP at once; by netlink, for the kernel has no such file below /proc/sys in a user namespace (Linux 6.18).
      `ntable change name arp_cache dev ${link.name} proxy_delay 0`,
    remove: `link del ${link.name}`,
  };
}

/** `add` and `remove` are for the namespace of the first end, `up` for that of the second. A network namespace is called as its VPC. */
export function renderPeeringLink({ alias, mtu, ends: [near, far] }: PeeringLink): Line & { readonly up: string } {
  const up = (name: string) => `link set ${name} alias ${alias} up`;
  return {
    add:
      `link add ${near.name} address ${near.macAddress} mtu ${mtu} type veth ` +
      `peer name ${far.name} address ${far.macAddress} mtu ${mtu} netns ${far.vpcId}\n${up(near.name)}`,
    up: up(far.name),
    remove: `link del ${near.name}`,
  };
}

export function renderAddress(address: NamespaceState['addresses'][number]): Line {
  const text = `${single(address.address)} dev ${address.device}`;
  return { add: `addr add ${text}${noDetection(address.address)}`, remove: `addr del ${text}` };
}

function single(address: string): string {
  return isIpv6(address) ? `${address}/128` : `${address}/32`;
}

/** Nobody else can have the address: without duplicate address detection it works at once. */
function noDetection(address: string): string {
  return isIpv6(address) ? ' nodad' : '';
}

function isIpv6(address: string): boolean {
  return address.includes(':');
}

export function renderNeighbour(each: Neighbour): Line {
  return {
    add: `neigh replace ${each.address} lladdr ${each.macAddress} dev ${each.device} nud permanent`,
    remove: `neigh del ${each.address} dev ${each.device}`,
  };
}

export function renderRoute(route: KernelRoute): Line {
  const kind = route.kind === 'unicast' ? '' : `${route.kind} `;
  const via = route.via === undefined ? '' : ` via ${route.via}`;
  const device = route.device === undefined ? '' : ` dev ${route.device}${route.via === undefined ? '' : ' onlink'}`;
  const scope = route.kind === 'unicast' && route.via === undefined ? ' scope link' : '';
  return {
    add: `route replace ${kind}${route.destination}${via}${device}${scope} table ${route.table}`,
    remove: `route del ${kind}${route.destination} table ${route.table}`,
  };
}

export function renderRule(rule: PolicyRule): Line {
  const from = rule.device === undefined ? '' : `iif ${rule.device} `;
  const selector = rule.mark === undefined ? from : `${from}fwmark ${rule.mark} `;
  const text = `pref ${rule.preference} ${selector}lookup ${rule.table}`;
  const family = rule.family === 'ip6' ? ipv6Only : '';
  return { add: `${family}rule add ${text}`, remove: `${family}rule del ${text}` };
}

/** The family of a rule is not seen in its text, and an `ip -batch` has one for all of its rules: such lines go into a batch of their own (host.ts). */
export const ipv6Only = '-6 ';

/** What is set inside a machine when an interface is plugged in. */
export function renderGuest(guest: GuestInterface): string[] {
  const { device, gateway } = guest;
  // The first interface's default route wins by its metric.
  const metric = guest.deviceIndex === 0 ? '' : ` metric ${guestTable(guest)}`;
  return [
    'link set lo up',
    ...renderGuestAddresses(guest).map((line) => line.add),
    `link set ${device} up`,
    `route replace default via ${gateway} dev ${device}${metric}`,
    ...renderGuestIpv6(guest).map((line) => line.add),
    ...renderGuestRules(guest).map((line) => line.add),
  ];
}

/** Addresses as DHCPv6 gives them, one by one, and the way to the router that its advertisements would tell. */
export function renderGuestIpv6(guest: GuestInterface): Line[] {
  if (guest.ipv6Addresses.length === 0) return [];
  const { device } = guest;
  const metric = guest.deviceIndex === 0 ? '' : ` metric ${guestTable(guest)}`;
  const route = `::/0 via ${routerAddress6} dev ${device}${metric}`;
  return [
    ...guest.ipv6Addresses.map((address) => ({
      add: `addr replace ${single(address)} dev ${device}${noDetection(address)}`,
      remove: `addr del ${single(address)} dev ${device}`,
    })),
    { add: `route replace ${route}`, remove: `route del ${route}` },
    // Known from the start, to be confirmed when it is used: while its own link-local address is tentative, a guest that forwards could ask nobody.
    {
      add: `neigh replace ${routerAddress6} lladdr ${guest.routerMacAddress} dev ${device} nud stale`,
      remove: `neigh del ${routerAddress6} dev ${device}`,
    },
  ];
}

/**
 * One rule per address of an interface that is not alone, and the table it leads to: a reply leaves by the interface that was asked, as Amazon Linux
 * sets it up, for the router drops the source address of one interface on another. Rules are no part of the interface: the kernel keeps them when it goes.
 */
export function renderGuestRules(guest: GuestInterface): Line[] {
  if (!guest.ownTable) return [];
  const number = guestTable(guest);
  const route = `default via ${guest.gateway} dev ${guest.device} table ${number}`;
  const rules = guest.addresses.map((address) => {
    const text = `from ${address} lookup ${number}`;
    return { add: `rule add ${text}`, remove: `rule del ${text}` };
  });
  return [{ add: `route replace ${route}`, remove: `route del ${route}` }, ...rules, ...renderGuestIpv6Rules(guest)];
}

function renderGuestIpv6Rules(guest: GuestInterface): Line[] {
  if (guest.ipv6Addresses.length === 0) return [];
  const number = guestTable(guest);
  const route = `::/0 via ${routerAddress6} dev ${guest.device} table ${number}`;
  const rules = guest.ipv6Addresses.map((address) => {
    const text = `from ${address} lookup ${number}`;
    return { add: `${ipv6Only}rule add ${text}`, remove: `${ipv6Only}rule del ${text}` };
  });
  return [{ add: `route replace ${route}`, remove: `route del ${route}` }, ...rules];
}

function guestTable(guest: GuestInterface): number {
  return 10_000 + guest.deviceIndex;
}

export function renderGuestAddresses(guest: GuestInterface): Line[] {
  return guest.addresses.map((address) => ({
    add: `addr replace ${address}/${guest.prefixLength} dev ${guest.device}`,
    remove: `addr del ${address}/${guest.prefixLength} dev ${guest.device}`,
  }));
}

/** What is set once in a NAT gateway's namespace. Its addresses are single ones: all it sends goes by the router. */
export function renderNatGateway(nat: NatGatewayState): string[] {
  return [
    'link set lo up',
    ...renderNatGatewayAddresses(nat).map((line) => line.add),
    'link set eth0 up',
    `neigh replace ${nat.gateway} lladdr ${nat.gatewayMacAddress} dev eth0 nud permanent`,
    `route replace default via ${nat.gateway} dev eth0 onlink`,
  ];
}

export function renderNatGatewayAddresses(nat: NatGatewayState): Line[] {
  return nat.addresses.map((address) => ({
    add: `addr replace ${address}/32 dev eth0`,
    remove: `addr del ${address}/32 dev eth0`,
  }));
}

/** What a NAT gateway's translator works with; its process is started when these are there. */
export function renderNat64(): { readonly add: readonly string[]; readonly remove: string } {
  const { device, farDevice, macAddress, nobody, clients } = nat64;
  return {
    add: [
      `link add ${device} address ${macAddress} mtu ${mtu.interface} type veth peer name ${farDevice} mtu ${mtu.interface}`,
      `link set ${device} up`,
      `link set ${farDevice} up`,
      `neigh replace ${nextHop} lladdr ${nobody} dev ${device} nud permanent`,
      `route replace ${clients} via ${nextHop} dev ${device} onlink mtu ${mtu.natGateway - 28}`,
    ],
    // The rest goes with it.
    remove: `link del ${device}`,
  };
}
