// What the mutation check breaks: for each stage of network/stages.ts something in the walk and something in the compiler, and some decisions that are no stage's own.
// mutations.test.ts holds the table complete. `from` occurs once in its file and becomes `to`.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are pieces of source text

import type { StageName } from '@postern/network/stages.ts';

export interface Mutation {
  /** Reach is held to the walk, so that breaking it needs no packets to be noticed. */
  readonly side: 'walk' | 'compile' | 'reach';
  /** The stage that it breaks, or in words what it breaks of several. */
  readonly stage?: StageName;
  readonly what?: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const inWalk = (name: string) => `network/walk/${name}.ts`;
const [checks, gateways, walk] = [inWalk('checks'), inWalk('gateways'), inWalk('walk')];
const [matching, index] = [inWalk('matching'), inWalk('network-index')];
const filter = (name: string) => `fabric/compile/filter/${name}.ts`;
const inReach = (name: string) => `network/reach/${name}.ts`;
const compile = (name: string) => `fabric/compile/${name}.ts`;

export const mutations: readonly Mutation[] = [
  { stage: 'eni-address', side: 'walk', file: walk, from: "if (how === 'sends' && eni.sourceDestCheck && !isOwnSource)", to: 'if (false)' },
  { stage: 'eni-address', side: 'compile', file: filter('arrival'), from: 'iifname . ip saddr != @interface-addresses iifname != @unchecked drop', to: 'iifname . ip saddr != @interface-addresses iifname @unchecked drop' },
  { stage: 'link-local', side: 'walk', file: checks, from: "if (!isInside('169.254.0.0/16', destination)) return undefined;", to: 'return undefined;' },
  { stage: 'link-local', side: 'compile', file: filter('arrival'), from: '`ip daddr ${linkLocalBlock} drop`', to: '`ip daddr ${linkLocalBlock} counter`' },
  { stage: 'sg-egress', side: 'walk', file: walk, from: "this.#checks.groups(placed, 'egress', packet, leavesBy);", to: '' },
  { stage: 'sg-egress', side: 'compile', file: filter('forward'), from: 'ct direction original ct mark & ${sender} == 0 iifname vmap @sg-egress', to: 'ct direction original ct mark & ${sender} == 0 iifname vmap @sg-ingress' },
  { stage: 'route', side: 'walk', file: matching, from: 'length > best.length', to: 'length < best.length' },
  { stage: 'route', side: 'compile', file: compile('vpc-links'), from: "if (route.state === 'blackhole') return blackhole;", to: '' },
  { stage: 'acl-egress', side: 'walk', file: checks, from: "const isAllowed = entry?.action === 'allow';", to: "const isAllowed = direction === 'egress' || entry?.action === 'allow';" },
  { stage: 'acl-egress', side: 'compile', file: filter('forward'), from: 'iifname vmap @acl-egress', to: 'iifname vmap @acl-ingress' },
  { stage: 'igw-egress', side: 'walk', file: gateways, from: 'if (privateBlocks.some((block) => isInside(block, packet.destination)))', to: 'if (false)' },
  { stage: 'igw-egress', side: 'compile', file: filter('internet-gateway'), from: 'oifname "${igwDevice}" ip daddr ${privateBlocks} drop', to: 'oifname "${igwDevice}" ip daddr ${privateBlocks} counter' },
  { stage: 'gateway-endpoint', side: 'walk', file: gateways, from: 'if (packet.protocol !== protocols.tcp && !isEcho)', to: 'if (false)' },
  { stage: 'gateway-endpoint', side: 'compile', file: filter('forward'), from: 'meta l4proto != { tcp, icmp } drop', to: 'meta l4proto != { tcp, udp, icmp } drop' },
  { stage: 'nat-gateway', side: 'walk', file: gateways, from: 'return this.#travel.fromInterface(nat, { ...sent, source: outside }', to: 'return this.#travel.fromInterface(nat, { ...sent }' },
  { stage: 'nat-gateway', side: 'compile', file: compile('nat-gateways'), from: "name: 'to-itself', hook: 'type filter hook input priority filter; policy drop;'", to: "name: 'to-itself', hook: 'type filter hook input priority filter; policy accept;'" },
  { stage: 'peering', side: 'walk', file: gateways, from: 'if (!isOf(vpc, packet.source) ||', to: 'if (' },
  { stage: 'peering', side: 'walk', file: gateways, from: '(other !== undefined && !isOf(other, packet.destination))', to: 'false' },
  { stage: 'peering', side: 'compile', file: compile('peering'), from: '${family} saddr != @vpc-blocks drop', to: '${family} saddr != @vpc-blocks counter' },
  { stage: 'peering', side: 'compile', file: compile('peering'), from: '${family} daddr != ${setOf(peerBlocks[family])} drop', to: '${family} daddr != ${setOf(peerBlocks[family])} counter' },
  { stage: 'transit-gateway', side: 'walk', file: inWalk('transit-gateways'), from: 'const isOpen = nextDoor !== undefined && next !== own;', to: 'const isOpen = nextDoor !== undefined;' },
  { stage: 'transit-gateway', side: 'walk', file: inWalk('transit-gateways'), from: "this.#checks.acl(door, 'ingress', packet);", to: '' },
  { stage: 'transit-gateway', side: 'compile', file: compile('transit-gateways'), from: 'iifname . oifname @same-attachment drop', to: 'iifname . oifname @same-attachment counter' },
  { stage: 'transit-gateway', side: 'compile', file: compile('transit-gateways'), from: 'iifname @transit-gateways oifname { ${closed} } drop', to: 'iifname @transit-gateways oifname { ${closed} } counter' },
  { stage: 'egress-only-gateway', side: 'walk', file: gateways, from: "if (subnet.blockPublicAccess === 'block-bidirectional')", to: 'if (false)' },
  { stage: 'egress-only-gateway', side: 'compile', file: compile('ipv6/filter'), from: "? [{ match: 'drop', comment }]", to: "? [{ match: 'counter', comment }]" },
  { stage: 'igw-ingress', side: 'walk', file: gateways, from: "if (back?.target.kind !== 'internet-gateway' || back.state === 'blackhole')", to: 'if (false)' },
  { stage: 'igw-ingress', side: 'compile', file: filter('internet-gateway'), from: '`fib saddr . mark oifname "${igwDevice}" meta mark set ${stay} return`', to: '`meta mark set ${stay} return`' },
  { stage: 'source-dest-check', side: 'walk', file: walk, from: 'if (!isOwn && eni.sourceDestCheck)', to: 'if (false)' },
  { stage: 'source-dest-check', side: 'compile', file: filter('forward'), from: 'oifname != ${names} oifname . ip daddr != @interface-addresses oifname != @unchecked drop', to: 'oifname != ${names} oifname . ip daddr != @interface-addresses oifname != @unchecked counter' },
  { stage: 'acl-ingress', side: 'walk', file: checks, from: "const isAllowed = entry?.action === 'allow';", to: "const isAllowed = direction === 'ingress' || entry?.action === 'allow';" },
  { stage: 'acl-ingress', side: 'compile', file: filter('forward'), from: 'oifname vmap @acl-ingress', to: 'oifname vmap @acl-egress' },
  { stage: 'interface-endpoint', side: 'walk', file: walk, from: 'packet.destinationPort !== 443 && packet.destinationPort !== 80', to: 'false' },
  { stage: 'interface-endpoint', side: 'compile', file: compile('interface-endpoints'), from: '`tcp dport != ${ports} drop`', to: '`tcp dport != ${ports} counter`' },
  { stage: 'instance-connect', side: 'walk', file: walk, from: 'if (!isReply) this.#checks.drop(', to: 'if (false) this.#checks.drop(' },
  { stage: 'instance-connect', side: 'compile', file: filter('instance-connect'), from: "  // Inside the endpoint's own subnet no ACL is asked (N4).", to: '  return [];' },
  { stage: 'load-balancer', side: 'walk', file: inWalk('load-balancers'), from: 'destination: target.address, destinationPort: target.port };', to: 'destination: target.address };' },
  { stage: 'load-balancer', side: 'compile', file: compile('load-balancers'), from: '`iifname "${coreInterfaceDevice(number)}" ct state new,invalid drop`', to: '`iifname "${coreInterfaceDevice(number)}" ct state new,invalid counter`' },
  { stage: 'sg-ingress', side: 'walk', file: walk, from: "this.#checks.groups(receiver, 'ingress', packet);", to: '' },
  { stage: 'sg-ingress', side: 'compile', file: filter('forward'), from: 'ct direction original ct mark & ${receiver} == 0 oifname vmap @sg-ingress', to: 'ct direction original ct mark & ${receiver} == 0 oifname vmap @sg-egress' },

  { what: 'the order of ACL entries', side: 'walk', file: matching, from: 'return acl[direction].find(', to: 'return acl[direction].findLast(' },
  { what: 'the end of a port range', side: 'walk', file: matching, from: 'port > ports.to', to: 'port >= ports.to' },
  { what: 'types of ICMP', side: 'walk', file: matching, from: 'icmp.type !== type', to: 'icmp.type > type' },
  { what: 'members of a group in the peer', side: 'walk', file: index, from: ' || (other !== undefined && isIn(other))', to: '' },
  { what: 'the ACL of the NAT gateway’s subnet', side: 'walk', file: gateways, from: "this.#checks.acl(nat, 'ingress', packet);", to: '{}' },
  { what: 'what NAT64 leads to nobody', side: 'walk', file: gateways, from: ' || isNat64Nowhere(vpc, destination)', to: '' },
  { what: 'where NAT64 leads', side: 'walk', file: gateways, from: 'if (packet.protocol !== protocols.icmpv6) return { ...packet, destination };', to: 'if (packet.protocol !== protocols.icmpv6) return packet;' },
  { what: 'what NAT64 leads to nobody', side: 'compile', file: compile('ipv6/nat64'), from: "{ ${nowhere(context).join(', ')} } drop`", to: "{ ${nowhere(context).join(', ')} } counter`" },
  { what: 'routes to NAT64', side: 'compile', file: compile('ipv6/links'), from: 'return gateway === undefined ? blackhole : byNextHop(number, destination, gateway.device);', to: 'return blackhole;' },
  { what: 'replies by another way', side: 'walk', file: checks, from: 'this.#isAnew = !this.#ways.isBack(vpc.vpcId, way, packet);', to: 'this.#isAnew = false;' },
  { what: 'block public access', side: 'walk', file: gateways, from: "blockPublicAccess === 'block-ingress' && eni.service?.kind !== 'nat-gateway'", to: "blockPublicAccess === 'block-ingress'" },
  { what: 'addresses of groups', side: 'compile', file: compile('security-groups'), from: "const [device, address] = direction === 'ingress' ? ['iifname', 'saddr']", to: "const [device, address] = direction === 'ingress' ? ['iifname', 'daddr']" },
  { what: 'prefix lists of groups', side: 'compile', file: compile('security-groups'), from: 'elements: mergedRanges(cidrs.filter((cidr) => familyOf(cidr) === family))', to: 'elements: mergedRanges(cidrs.filter((cidr) => familyOf(cidr) === family).slice(1))' },
  { what: 'routes inside a subnet', side: 'compile', file: filter('arrival'), from: 'if (!isDiverted)', to: 'if (isDiverted)' },
  { what: 'the final deny of an ACL', side: 'compile', file: compile('network-acls'), from: "{ match: 'drop', comment: `acl-${direction} ${networkAclId}/*` }", to: "{ match: 'return', comment: `acl-${direction} ${networkAclId}/*` }" },
  { what: 'types of ICMP', side: 'compile', file: compile('nft-match'), from: 'type ${match.type}', to: 'type != ${match.type}' },
  { what: 'block public access', side: 'compile', file: filter('internet-gateway'), from: "return blockPublicAccess === 'block-bidirectional' || natGatewayOf(eni) === undefined;", to: 'return true;' },
  { what: 'the edge route table', side: 'compile', file: compile('vpc-links'), from: 'if (edge !== undefined)', to: 'if (false)' },
  { what: 'zones of middleboxes', side: 'compile', file: filter('middleboxes'), from: '{ match: `ct zone set ${numberOf(context.allocation.middleboxZones, subnetId)}` },', to: "{ match: 'counter' }," },

  { what: 'clients of an internal balancer', side: 'walk', file: inWalk('load-balancers'), from: "scheme === 'internet-facing' && isPublic", to: 'isPublic' },
  { what: 'the address that a target sees', side: 'compile', file: compile('load-balancers'), from: 'snat to ${node.endpointAddress}:1024-65535', to: 'counter' },
  { what: 'replies of targets', side: 'reach', file: inReach('course'), from: 'node && this.#pass(node.back) ?', to: 'node ?' },
  { what: 'the order of ACL entries', side: 'reach', file: inReach('decisions'), from: 'left = pool.subtract(left, entry.traffic);', to: '' },
  { what: 'the longest prefix', side: 'reach', file: inReach('decisions'), from: 'entry.length > best.length', to: 'entry.length < best.length' },
  { what: 'ACLs between subnets', side: 'reach', file: inReach('course'), from: 'if (!isInside && !this.#pass(sender.acl.egress.at(destination))) return undefined;', to: '' },
  { what: 'replies that go another way', side: 'reach', file: inReach('course'), from: 'this.#isReturn && !this.#isAnew && ', to: 'this.#isReturn && ' },
  { what: 'the way back by the gateway', side: 'reach', file: inReach('course'), from: "way.target.kind !== 'internet-gateway' || ", to: '' },
  { what: 'intervals of addresses', side: 'reach', file: inReach('segment-table'), from: 'free.narrow(starts[index] as Bound, starts[index + 1] ?? end);', to: '' },
  { what: 'members of a peer’s group', side: 'reach', file: inReach('sites'), from: '[seenFrom, ...near].flatMap', to: '[seenFrom].flatMap' },
  { what: 'the zone of an attachment', side: 'reach', file: inReach('transit-gateways'), from: 'each.subnet.availabilityZone === zone);\n    if', to: 'true);\n    if' },
  { what: 'routes of transit gateways', side: 'reach', file: inReach('transit-gateways'), from: '(lengths[b] ?? 0) - (lengths[a] ?? 0)', to: '(lengths[a] ?? 0) - (lengths[b] ?? 0)' },
  { what: 'classes of interfaces', side: 'reach', file: inReach('classes'), from: 'return [...blocks, ...others]', to: 'return [...others]' },
  { what: 'ICMP through NAT64', side: 'reach', file: inReach('course'), from: 'this.#isTranslated ? pool.beforeNat64(allowed) : allowed', to: 'allowed' },
  { what: 'intervals through NAT64', side: 'reach', file: inReach('segment-table'), from: 'this.six.narrow(this.#first + BigInt(from), this.#first + BigInt(end));', to: '' },
  { what: 'ICMP replies', side: 'reach', file: inReach('traffic'), from: 'intersect(there[part], answeredBy(back, part))', to: 'there[part]' },
]; // biome-ignore format: a table

export function nameOf({ side, stage, what }: Mutation): string {
  return `${side}: ${stage ?? what}`;
}
