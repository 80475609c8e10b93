// What the resolver answers, without sockets: names of AWS services, of instances, and of the sealed internet. Rules D2–D4, D6, P8, W1.
// Inside a VPC a public instance name means the private address (D3); service names mean public service addresses, and the route decides the path (W1).
// Every name outside AWS has a stand-in address, always the same one, so that `curl https://example.com` has somewhere to go.
// IPv6 addresses have the stand-ins but for those of names that have none in the world, the dual-stack names of services, and instances whose name by id is said to have one.
// Gaps: no private hosted zones; IPv6 addresses have no names.

import {
  addressPlan,
  outsideIpv6Address,
  type PlannedService,
  regions,
  serviceAddress,
  serviceIpv6Address,
  servicePlan,
} from './addresses.ts';
import { containsAddress, ipToNumber } from './cidr.ts';
import { coversName } from './endpoint-services.ts';
import { embedIpv4 } from './nat64.ts';
import type { Cidr, Ipv4, Ipv6, NetworkInterfaceId, Snapshot, Vpc, VpcId } from './snapshot.ts';

export type RecordType = 'A' | 'AAAA' | 'PTR' | 'CNAME' | 'TXT' | 'MX' | 'NS' | 'SOA' | 'SRV' | 'ANY';

export interface Answer {
  readonly name: string;
  readonly type: 'A' | 'AAAA' | 'PTR';
  readonly ttlSeconds: number;
  /** An address, or for PTR a name. */
  readonly data: string;
}

export interface Resolution {
  readonly rcode: 'NOERROR' | 'NXDOMAIN' | 'SERVFAIL';
  /** Empty with NOERROR: the name exists and has no such record. */
  readonly answers: readonly Answer[];
}

const noData: Resolution = { rcode: 'NOERROR', answers: [] };
const noName: Resolution = { rcode: 'NXDOMAIN', answers: [] };

/** Seconds, as seen from Amazon's resolver: 60 for instances; services answer with short ones. */
const ttl = { instance: 60, service: 60, outside: 300 } as const;

/**
 * Answers one question.
 * @param asker whose resolver is asked: a VPC's, or the internet's
 * @param name any case, with or without the last dot
 * @param sourceIp the address that asks, for its subnet may have DNS64
 * @returns undefined when the resolver stays silent: DNS support of the VPC is off (D4), or there is no such VPC
 */
export function resolve(
  snapshot: Snapshot,
  asker: VpcId | 'internet',
  name: string,
  type: RecordType,
  sourceIp?: Ipv4 | Ipv6,
): Resolution | undefined {
  const vpc = asker === 'internet' ? undefined : snapshot.vpcs.find((each) => each.vpcId === asker);
  if (asker !== 'internet' && vpc?.enableDnsSupport !== true) return undefined;
  const asked = name.toLowerCase().replace(/\.$/, '');
  const found = resolveIn(snapshot, vpc, asked, type);
  const isSynthesized = type === 'AAAA' && found.rcode === 'NOERROR' && found.answers.length === 0;
  return isSynthesized && hasDns64(vpc, sourceIp) ? synthesized(resolveIn(snapshot, vpc, asked, 'A')) : found;
}

function hasDns64(vpc: Vpc | undefined, sourceIp: Ipv4 | Ipv6 | undefined): boolean {
  const holds = (block: Cidr | undefined) =>
    block !== undefined && sourceIp !== undefined && containsAddress(block, sourceIp);
  const subnet = vpc?.subnets.find(({ cidrBlock, ipv6CidrBlock }) => holds(cidrBlock) || holds(ipv6CidrBlock));
  return subnet?.enableDns64 === true;
}

/** D6: what has IPv4 addresses alone gets one of IPv6 for each. */
function synthesized({ rcode, answers }: Resolution): Resolution {
  return { rcode, answers: answers.map((each) => ({ ...each, type: 'AAAA', data: embedIpv4(each.data) })) };
}

function resolveIn(snapshot: Snapshot, vpc: Vpc | undefined, asked: string, type: RecordType): Resolution {
  if (!isHostName(asked)) return noName;
  const pointer = reverseName.exec(asked);
  if (pointer !== null) return resolvePointer(snapshot, vpc, asked, type, pointer.slice(1, 5).toReversed().join('.'));
  const endpoint = endpointAddresses(snapshot, vpc, asked);
  if (endpoint !== undefined) return endpoint === 'none' ? noName : addresses(asked, type, endpoint, ttl.service);
  const balancer = loadBalancerAddresses(snapshot, asked);
  if (balancer !== undefined) return balancer === 'none' ? noName : addresses(asked, type, balancer, ttl.service);
  const instance = instanceAddress(snapshot, vpc, asked);
  if (instance !== undefined)
    return instance === 'none'
      ? noName
      : addresses(asked, type, [instance], ttl.instance, resourceNameAddresses(vpc, asked));
  const service = serviceHost(asked, vpc?.region ?? 'us-east-1');
  if (service !== undefined) return serviceAddresses(asked, type, service);
  return resolveOutside(asked, type);
}

const reverseName = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/;
/** A label may hold an underscore: `_acme-challenge`. */
const label = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

function isHostName(name: string): boolean {
  return name.length <= 253 && name.split('.').every((each) => label.test(each));
}

function addresses(
  name: string,
  type: RecordType,
  all: readonly Ipv4[],
  ttlSeconds: number,
  all6: readonly Ipv6[] = [],
): Resolution {
  const records = (of: 'A' | 'AAAA', values: readonly string[]): Answer[] =>
    type === of || type === 'ANY' ? values.map((data) => ({ name, type: of, ttlSeconds, data })) : [];
  return { rcode: 'NOERROR', answers: [...records('A', all), ...records('AAAA', all6)] };
}

// ---- interface endpoints

const endpointName = /\.vpce\.amazonaws\.com(\.cn)?$/;

/**
 * Private addresses of endpoints' interfaces. The `vpce-…` names mean the same to everybody (X4); the service's own name only to the VPC whose
 * endpoint takes it over, in whichever zone the asker is (X5). Undefined: no endpoint's name. `none`: of that shape, and there is none.
 */
function endpointAddresses(
  snapshot: Snapshot,
  vpc: Vpc | undefined,
  name: string,
): readonly Ipv4[] | 'none' | undefined {
  if (endpointName.test(name)) {
    for (const each of snapshot.vpcs) {
      for (const { dnsNames } of each.interfaceEndpoints) {
        const own = dnsNames.find((one) => coversName([one.name], name));
        if (own !== undefined) return interfaceAddresses(each, own.networkInterfaceIds);
      }
    }
    return 'none';
  }
  if (vpc?.enableDnsHostnames !== true) return undefined;
  const taker = vpc.interfaceEndpoints.find(({ privateDnsNames }) => coversName(privateDnsNames, name));
  return taker === undefined ? undefined : interfaceAddresses(vpc, taker.networkInterfaceIds);
}

function interfaceAddresses(vpc: Vpc, ids: readonly NetworkInterfaceId[]): Ipv4[] {
  const wanted = new Set(ids);
  return vpc.networkInterfaces.flatMap(({ networkInterfaceId, privateAddresses: [first] }) =>
    first !== undefined && wanted.has(networkInterfaceId) ? [first.address] : [],
  );
}

// ---- load balancers

const loadBalancerName = /\.elb\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$/;

/** The same for everybody: public addresses of an internet-facing one, private ones of an internal one (B9). Undefined: no load balancer's name. */
function loadBalancerAddresses({ vpcs }: Snapshot, name: string): readonly Ipv4[] | 'none' | undefined {
  if (!loadBalancerName.test(name)) return undefined;
  for (const vpc of vpcs) {
    for (const { scheme, dnsNames } of vpc.networkLoadBalancers) {
      const own = dnsNames.find((each) => each.name.toLowerCase() === name);
      if (own === undefined) continue;
      if (scheme === 'internal') return interfaceAddresses(vpc, own.networkInterfaceIds);
      const cards = vpc.networkInterfaces.filter((each) => own.networkInterfaceIds.includes(each.networkInterfaceId));
      return cards.flatMap(({ privateAddresses: [first] }) => first?.publicAddress ?? []);
    }
  }
  return 'none';
}

// ---- instances

const privateIpName = /^ip-(\d{1,3})-(\d{1,3})-(\d{1,3})-(\d{1,3})\.(?:ec2|([a-z0-9-]+)\.compute)\.internal$/;
const resourceName = /^(i-[0-9a-z]+)\.(?:ec2|([a-z0-9-]+)\.compute)\.internal$/;
const publicName =
  /^ec2-(\d{1,3})-(\d{1,3})-(\d{1,3})-(\d{1,3})\.(?:compute-1|([a-z0-9-]+)\.compute)\.amazonaws\.com(?:\.cn)?$/;

/** Undefined: no name of an instance's shape. `none`: of that shape, but there is no such instance for this asker. */
function instanceAddress(snapshot: Snapshot, vpc: Vpc | undefined, name: string): Ipv4 | 'none' | undefined {
  const byPrivateIp = privateIpName.exec(name);
  if (byPrivateIp !== null) {
    const ip = byPrivateIp.slice(1, 5).join('.');
    return vpc !== undefined && inRegion(vpc, byPrivateIp[5]) && holder(vpc, ip) !== undefined ? ip : 'none';
  }
  const byId = resourceName.exec(name);
  if (byId !== null) {
    const eni = vpc?.networkInterfaces.find(
      (each) => each.attachment?.instanceId === byId[1] && each.attachment?.deviceIndex === 0,
    );
    return vpc !== undefined && inRegion(vpc, byId[2]) ? (eni?.privateAddresses[0]?.address ?? 'none') : 'none';
  }
  const byPublicIp = publicName.exec(name);
  if (byPublicIp === null) return undefined;
  const ip = byPublicIp.slice(1, 5).join('.');
  const region = byPublicIp[5] ?? 'us-east-1';
  for (const each of snapshot.vpcs) {
    if (each.region !== region || !each.enableDnsHostnames || !each.enableDnsSupport) continue;
    for (const eni of each.networkInterfaces) {
      const pair = eni.privateAddresses.find((own) => own.publicAddress === ip);
      if (pair !== undefined) return isToldPrivate(snapshot, vpc, each) ? pair.address : ip;
    }
  }
  // A public name says its own address, also after the instance is gone.
  return ipToNumber(ip) === undefined ? 'none' : ip;
}

/** Inside its own VPC a public name means the private address (D3); in a peered one when the instance's side of the peering allows it (P8), over a transit gateway when both attachments do (Z8). */
function isToldPrivate(
  { peeringConnections, transitGateways }: Snapshot,
  asker: Vpc | undefined,
  holder: Vpc,
): boolean {
  if (asker === undefined || asker.vpcId === holder.vpcId) return asker !== undefined;
  if (!asker.enableDnsHostnames) return false;
  const isSupported = transitGateways.some(({ attachments }) =>
    [asker, holder].every((vpc) => attachments.some((each) => each.vpcId === vpc.vpcId && each.dnsSupport)),
  );
  if (isSupported) return true;
  return peeringConnections.some(({ requester, accepter }) => {
    const [own, other] = requester.vpcId === holder.vpcId ? [requester, accepter] : [accepter, requester];
    return own.vpcId === holder.vpcId && other.vpcId === asker.vpcId && own.allowDnsResolutionFromRemoteVpc;
  });
}

/** What the name by id has besides, where the instance is said to have it. */
function resourceNameAddresses(vpc: Vpc | undefined, name: string): readonly Ipv6[] {
  const instanceId = resourceName.exec(name)?.[1];
  const instance = vpc?.instances.find((each) => each.instanceId === instanceId);
  if (instance?.enableResourceNameDnsAAAARecord !== true) return [];
  const [first] =
    vpc?.networkInterfaces.find(
      ({ attachment }) => attachment?.instanceId === instanceId && attachment?.deviceIndex === 0,
    )?.ipv6Addresses ?? [];
  return first === undefined ? [] : [first];
}

/** `ec2.internal` is us-east-1's; every other region has `REGION.compute.internal`. */
function inRegion(vpc: Vpc, named: string | undefined): boolean {
  return named === undefined ? vpc.region === 'us-east-1' : vpc.region === named;
}

function holder(vpc: Vpc, ip: Ipv4) {
  return vpc.networkInterfaces.find((each) => each.privateAddresses.some((own) => own.address === ip));
}

function resolvePointer(
  snapshot: Snapshot,
  vpc: Vpc | undefined,
  asked: string,
  type: RecordType,
  ip: string,
): Resolution {
  if (ipToNumber(ip) === undefined) return noName;
  const name = pointerTarget(snapshot, vpc, ip);
  if (name === undefined) return noName;
  return type === 'PTR' || type === 'ANY'
    ? { rcode: 'NOERROR', answers: [{ name: asked, type: 'PTR', ttlSeconds: ttl.instance, data: name }] }
    : noData;
}

function pointerTarget(snapshot: Snapshot, vpc: Vpc | undefined, ip: Ipv4): string | undefined {
  // Amazon's resolver names every address of the VPC's blocks, whether or not something has it.
  if (vpc?.cidrBlocks.some((block) => containsAddress(block, ip)) === true) return privateDnsName(ip, vpc.region);
  for (const each of snapshot.vpcs) {
    if (each.networkInterfaces.some((eni) => eni.privateAddresses.some((own) => own.publicAddress === ip)))
      return publicDnsName(ip, each.region);
  }
  return undefined;
}

/** `ip-10-0-0-4.ec2.internal`, elsewhere `ip-10-0-0-4.eu-west-1.compute.internal`. */
export function privateDnsName(ip: Ipv4, region: string): string {
  return `ip-${ip.replaceAll('.', '-')}.${region === 'us-east-1' ? 'ec2' : `${region}.compute`}.internal`;
}

/** `ec2-198-19-0-7.compute-1.amazonaws.com`, elsewhere `ec2-….eu-west-1.compute.amazonaws.com` (D3). */
export function publicDnsName(ip: Ipv4, region: string): string {
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return `ec2-${ip.replaceAll('.', '-')}.${region === 'us-east-1' ? 'compute-1' : `${region}.compute`}.${suffix}`;
}

// ---- services

/** Services with one name for the whole partition; the address is the one of its home region. */
const globalServices: Readonly<Record<string, PlannedService>> = {
  iam: 'iam',
  sts: 'sts',
  s3: 's3',
  ec2: 'ec2',
  's3-external-1': 's3',
  account: 'account',
  organizations: 'organizations',
};
/** `dualstack` and friends stand between the service and the region and change no IPv4 address. */
const variants = new Set(['dualstack', 'fips']);

/** Web sites under AWS's domains, not APIs. */
const webSites = new Set(['amazonaws.com', 'aws.amazon.com', 'checkip.amazonaws.com']);

interface ServiceHost {
  readonly region: string;
  readonly service: PlannedService;
  /** Only names that say so have IPv6 addresses: `…dualstack…`, and all under `api.aws` and `on.aws`. */
  readonly isDualStack: boolean;
}

function serviceAddresses(name: string, type: RecordType, { region, service, isDualStack }: ServiceHost): Resolution {
  const [four, six] = [serviceAddress(region, service), serviceIpv6Address(region, service)];
  if (four === undefined || six === undefined) return noName;
  return addresses(name, type, [four], ttl.service, isDualStack ? [six] : []);
}

/** Undefined: not a name under AWS's service domains. */
function serviceHost(name: string, homeRegion: string): ServiceHost | undefined {
  const suffix = ['.amazonaws.com.cn', '.amazonaws.com', '.api.aws', '.on.aws'].find((each) => name.endsWith(each));
  if (suffix === undefined || webSites.has(name)) return undefined;
  const all = name.slice(0, -suffix.length).split('.');
  const isDualStack = all.includes('dualstack') || suffix === '.api.aws' || suffix === '.on.aws';
  const host = (region: string, service: PlannedService): ServiceHost => ({ region, service, isDualStack });
  const labels = all.filter((each) => !variants.has(each));
  const regionAt = labels.findLastIndex((each) => regions.includes(each as (typeof regions)[number]));
  const home =
    suffix === '.amazonaws.com.cn' ? 'cn-north-1' : homeRegion.startsWith('us-gov-') ? 'us-gov-west-1' : 'us-east-1';
  // `s3-us-west-2.amazonaws.com` and `bucket.s3-us-west-2.amazonaws.com`, the old dash form.
  const dashed = labels.at(-1)?.match(/^s3-(.+)$/)?.[1];
  if (regionAt < 0 && dashed !== undefined && regions.includes(dashed as (typeof regions)[number]))
    return host(dashed, 's3');
  if (regionAt < 0) {
    const last = labels.at(-1) ?? '';
    return host(home, globalServices[last.replace(/-fips$/, '')] ?? 'other');
  }
  // What stands before the region is the service, and before that a bucket or an account; what stands after it belongs to neither (`vpce`, `elb`).
  const region = labels[regionAt] ?? home;
  if (regionAt !== labels.length - 1) return host(region, 'other');
  // Access points and the control of S3 are at its own addresses, so that they take the same roads.
  const service = (labels[regionAt - 1] ?? '').replace(/-fips$/, '').replace(/^s3-(accesspoint|control)$/, 's3');
  return host(region, service in servicePlan ? (service as PlannedService) : 'other');
}

// ---- the sealed internet

/** Names that must not exist anywhere (RFC 6761, RFC 8375) and those that only a VPC could know. */
const absent = /(^|\.)(invalid|internal|local|localdomain|onion|test|home\.arpa|in-addr\.arpa|ip6\.arpa)$/;

/** As in the world: names that say so, and the host that people try DNS64 with. */
const ipv4Only = /^ipv4\.|(^|\.)github\.com$/;

function resolveOutside(name: string, type: RecordType): Resolution {
  if (name === 'localhost' || name.endsWith('.localhost'))
    return addresses(name, type, ['127.0.0.1'], ttl.outside, ['::1']);
  if (absent.test(name) || !name.includes('.')) return noName;
  const stand = outsideAddress(name);
  return addresses(name, type, [stand], ttl.outside, ipv4Only.test(name) ? [] : [outsideIpv6Address(stand)]);
}

/** The same name has the same address, and the terminal's own address is no stand-in's. */
export function outsideAddress(name: string): Ipv4 {
  const blocks: readonly Cidr[] = addressPlan.outside;
  // FNV-1a: small, and spreads short names well.
  let hash = 0x811c9dc5;
  for (const character of name) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
  const block = blocks[hash % blocks.length] ?? '203.0.113.0/24';
  const host = 20 + ((hash >>> 8) % 230);
  return block.replace(/0\/24$/, String(host));
}
