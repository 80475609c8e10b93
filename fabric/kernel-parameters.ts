// What a router namespace and the core need to have set before their first link is made: new links take over the `default` values.

/** No link has an IPv6 address but those that are given to it, and nobody is told a route. */
const ipv6Parameters = {
  'net/ipv6/conf/default/disable_ipv6': 0,
  'net/ipv6/conf/all/disable_ipv6': 0,
  'net/ipv6/conf/all/forwarding': 1,
  'net/ipv6/conf/default/forwarding': 1,
  // 1: no link-local address of the link's own.
  'net/ipv6/conf/default/addr_gen_mode': 1,
  'net/ipv6/conf/default/accept_ra': 0,
  'net/ipv6/conf/default/accept_redirects': 0,
  'net/ipv6/fwmark_reflect': 1,
} as const;

/** Names below /proc/sys. */
export const routerParameters = {
  'net/ipv4/ip_forward': 1,
  // A path may be asymmetric as long as the tables say so; addresses are checked per interface by the filter.
  'net/ipv4/conf/all/rp_filter': 0,
  'net/ipv4/conf/default/rp_filter': 0,
  'net/ipv4/conf/all/send_redirects': 0,
  'net/ipv4/conf/default/send_redirects': 0,
  'net/ipv4/conf/all/accept_redirects': 0,
  'net/ipv4/conf/default/accept_redirects': 0,
  // "Too big", said by the router to a NAT gateway, passes the router again on its way to the instance that sent it: from the router's own address.
  'net/ipv4/conf/all/accept_local': 1,
  // A subnet has no wire: the router answers ARP for every interface it can reach.
  'net/ipv4/conf/default/proxy_arp': 1,
  'net/ipv4/conf/default/proxy_arp_pvlan': 1,
  // A reset goes back by the mark of the packet that it answers.
  'net/ipv4/fwmark_reflect': 1,
  ...ipv6Parameters,
  // A packet in the middle of a connection that this path never saw is not the connection's (W6).
  'net/netfilter/nf_conntrack_tcp_loose': 0,
  // S14.
  'net/netfilter/nf_conntrack_tcp_timeout_established': 432_000,
  'net/netfilter/nf_conntrack_udp_timeout': 30,
  'net/netfilter/nf_conntrack_udp_timeout_stream': 180,
  'net/netfilter/nf_conntrack_generic_timeout': 600,
} as const;

/**
 * A NAT gateway's namespace. A flow that was idle for so long is forgotten, and what comes then is answered with a reset (G7).
 * @param idleTimeoutSeconds 350 at AWS
 */
export function natGatewayParameters(idleTimeoutSeconds: number): Readonly<Record<string, number>> {
  const timeout = (name: string) => `net/netfilter/nf_conntrack_${name}`;
  const shorter = Math.min(idleTimeoutSeconds, 300);
  return {
    'net/ipv4/ip_forward': 1,
    'net/ipv4/conf/all/rp_filter': 0,
    'net/ipv4/conf/default/rp_filter': 0,
    // What it forwards leaves by the way it came.
    'net/ipv4/conf/all/send_redirects': 0,
    'net/ipv4/conf/default/send_redirects': 0,
    'net/ipv6/conf/default/disable_ipv6': 1,
    'net/ipv6/conf/all/disable_ipv6': 1,
    'net/netfilter/nf_conntrack_tcp_loose': 0,
    [timeout('tcp_timeout_established')]: idleTimeoutSeconds,
    [timeout('tcp_timeout_unacknowledged')]: shorter,
    [timeout('tcp_timeout_max_retrans')]: shorter,
    [timeout('udp_timeout')]: idleTimeoutSeconds,
    [timeout('udp_timeout_stream')]: idleTimeoutSeconds,
    [timeout('icmp_timeout')]: idleTimeoutSeconds,
  };
}

/** It routes, and tracks nothing. */
export const transitGatewayParameters = {
  'net/ipv4/ip_forward': 1,
  'net/ipv4/conf/all/rp_filter': 0,
  'net/ipv4/conf/default/rp_filter': 0,
  'net/ipv4/conf/all/send_redirects': 0,
  'net/ipv4/conf/default/send_redirects': 0,
  'net/ipv6/conf/default/disable_ipv6': 1,
  'net/ipv6/conf/all/disable_ipv6': 1,
} as const;

export const coreParameters = {
  'net/ipv4/ip_forward': 1,
  'net/ipv4/conf/all/rp_filter': 0,
  'net/ipv4/conf/default/rp_filter': 0,
  'net/ipv4/conf/all/send_redirects': 0,
  'net/ipv4/conf/default/send_redirects': 0,
  ...ipv6Parameters,
  // The terminal's address is local by a route (AnyIP), and IPv6 binds only to those of links else.
  'net/ipv6/ip_nonlocal_bind': 1,
  // Any local address may be pinged and bound, also the low ports by an ordinary user's server.
  'net/ipv4/ip_unprivileged_port_start': 0,
} as const;
