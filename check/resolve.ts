// Whom does an end mean? From the words of a check file to interfaces and addresses of an estate. An end that means nothing that exists is a mistake with the
// nearest name; one that exists and has nobody in it is empty. Neither is ever taken for "nobody can be reached, so all is well".

import { contains, containsAddress, isIpv6Cidr, overlaps } from '@postern/network/cidr.ts';
import { AddressSet } from '@postern/network/reach/address-set.ts';
import type { End as ReachEnd } from '@postern/network/reach/ends.ts';
import type { Cidr, NetworkInterface, Vpc } from '@postern/network/snapshot.ts';
import type { Written } from './document.ts';
import type { End, Selector } from './ends.ts';
import type { Estate, Resource, ResourceKind } from './estate.ts';
import { meant } from './nearest.ts';

export interface Place {
  readonly eni: NetworkInterface;
  readonly vpc: Vpc;
}

/** One side of an assertion. */
export type Side =
  | {
      readonly kind: 'interfaces';
      readonly places: readonly Place[];
      /** Of a CIDR: only these addresses of theirs. */
      readonly only?: AddressSet;
    }
  | {
      readonly kind: 'internet';
      readonly cidrs?: readonly Cidr[];
      /** Beside the interfaces that have addresses in the same CIDR. */
      readonly isRest?: true;
    }
  | { readonly kind: 'service'; readonly service: string; readonly region?: string };

export type Resolved =
  | { readonly kind: 'sides'; readonly sides: readonly Side[] }
  | { readonly kind: 'missing'; readonly message: string }
  | { readonly kind: 'empty'; readonly message: string };

/** Blocks that no public address is in. */
export const privateBlocks: readonly Cidr[] = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  'fc00::/7',
];

const nouns: Readonly<Record<ResourceKind, string>> = {
  instance: 'instance',
  'network-interface': 'interface',
  subnet: 'subnet',
  'security-group': 'security group',
  vpc: 'VPC',
  'vpc-endpoint': 'VPC endpoint',
};

/**
 * `from`: who sends, so gateways and endpoints are nobody. `to`: whoever could be reached. `each`: who is to be reached, every one of them, so a place (a subnet, a VPC, a block) means
 * its hosts, and no gateway that happens to stand there.
 */
export type Role = 'from' | 'to' | 'each';

export class Resolver {
  readonly #estate: Estate;
  readonly #places: readonly Place[];
  readonly #byKind = new Map<ResourceKind, Resource[]>();

  constructor(estate: Estate) {
    this.#estate = estate;
    this.#places = estate.snapshot.vpcs.flatMap((vpc) => vpc.networkInterfaces.map((eni) => ({ eni, vpc })));
    for (const each of estate.resources) this.#byKind.set(each.kind, [...(this.#byKind.get(each.kind) ?? []), each]);
  }

  resolve({ text, means }: Written<End>, role: Role): Resolved {
    switch (means.kind) {
      case 'internet':
        return { kind: 'sides', sides: [{ kind: 'internet' }] };
      case 'service':
        return { kind: 'sides', sides: [{ kind: 'service', service: means.service }] };
      case 'bucket': {
        const region = this.#estate.bucketRegion(means.bucket);
        if (region !== undefined) return { kind: 'sides', sides: [{ kind: 'service', service: 's3', region }] };
        return {
          kind: 'missing',
          message: `there is no bucket ${means.bucket}${meant(means.bucket, this.#estate.buckets)}`,
        };
      }
      case 'cidr':
        return this.#cidr(text, means.cidr, role);
      case 'resource': {
        const found = this.find(means.selector);
        return typeof found === 'string' ? { kind: 'missing', message: found } : this.#interfacesOf(text, found, role);
      }
    }
  }

  /** The resources that a selector means, or that there are none, in a sentence. */
  find(selector: Selector): readonly Resource[] | string {
    const inVpc = this.#inVpc(selector);
    if (typeof inVpc === 'string') return inVpc;
    const { kind, name } = selector;
    const candidates = (kind === undefined ? this.#estate.resources : (this.#byKind.get(kind) ?? [])).filter(inVpc);
    const found = candidates.filter((each) => fits(each, name));
    const kinds = [...new Set(found.map((each) => each.kind))];
    if (found.length > 0 && kind === undefined && kinds.length > 1 && typeof name === 'string')
      return `'${name}' is the name of ${kinds.map((each) => `${/^[aeio]/.test(nouns[each]) ? 'an' : 'a'} ${nouns[each]}`).join(' and of ')}; say which: '${wordOf(kinds[0])} ${name}'`;
    if (found.length > 0) return found;
    if (typeof name !== 'string') return `nothing has the tag ${name.tag}=${name.value}`;
    const known = candidates.flatMap((each) => [each.id, ...each.names]);
    const where = selector.vpc === undefined ? '' : ` in ${selector.vpc}`;
    const noun = kind === undefined ? 'nothing is called' : `there is no ${nouns[kind]}`;
    return `${noun} ${name}${where}${meant(name, known) || anyOf(candidates, kind)}`;
  }

  #inVpc({ vpc }: Selector): ((each: Resource) => boolean) | string {
    if (vpc === undefined) return () => true;
    const vpcs = this.#byKind.get('vpc') ?? [];
    const ids = new Set(vpcs.filter((each) => fits(each, vpc)).map((each) => each.id));
    if (ids.size > 0) return (each) => ids.has(each.vpcId);
    return `there is no VPC ${vpc}${meant(
      vpc,
      vpcs.flatMap((each) => [each.id, ...each.names]),
    )}`;
  }

  #interfacesOf(text: string, found: readonly Resource[], role: Role): Resolved {
    const ids = new Set(found.map(({ kind, id }) => `${kind} ${id}`));
    const places = this.#places.filter(
      ({ eni, vpc }) =>
        ids.has(`network-interface ${eni.networkInterfaceId}`) ||
        ids.has(`instance ${eni.attachment?.instanceId}`) ||
        ids.has(`subnet ${eni.subnetId}`) ||
        ids.has(`vpc ${vpc.vpcId}`) ||
        eni.groupIds.some((groupId) => ids.has(`security-group ${groupId}`)) ||
        (eni.service?.kind === 'vpc-endpoint' && ids.has(`vpc-endpoint ${eni.service.vpcEndpointId}`)),
    );
    const isPlace = found.every(({ kind }) => kind === 'subnet' || kind === 'vpc' || kind === 'instance');
    const able = places.filter((place) => isMeant(place, role, isPlace));
    if (able.length > 0) return { kind: 'sides', sides: [{ kind: 'interfaces', places: able }] };
    return { kind: 'empty', message: emptyWords(text, found, role) };
  }

  /** Interfaces that have an address there, and hosts outside where it is public. */
  #cidr(text: string, cidr: Cidr, role: Role): Resolved {
    const isIn = (address: string | undefined) => address !== undefined && containsAddress(cidr, address);
    const places = this.#places.filter(({ eni }) => {
      const own = [...eni.privateAddresses.map((each) => each.address), ...eni.ipv6Addresses];
      const publicOnes = role === 'to' ? eni.privateAddresses.map((each) => each.publicAddress) : [];
      return [...own, ...publicOnes].some(isIn);
    });
    const able = places.filter((place) => isMeant(place, role, !/\/(32|128)$/.test(cidr)));
    const sides: Side[] =
      able.length > 0 ? [{ kind: 'interfaces', places: able, only: AddressSet.ofCidrs([cidr]) }] : [];
    const ofVpcs = this.#estate.snapshot.vpcs.some((vpc) =>
      [...vpc.cidrBlocks, ...vpc.ipv6CidrBlocks].some(
        (block) => isIpv6Cidr(block) === isIpv6Cidr(cidr) && contains(block, cidr),
      ),
    );
    if (!ofVpcs && !privateBlocks.some((block) => isIpv6Cidr(block) === isIpv6Cidr(cidr) && contains(block, cidr)))
      sides.push({ kind: 'internet', cidrs: [cidr], ...(able.length > 0 && { isRest: true }) });
    if (sides.length > 0) return { kind: 'sides', sides };
    // Behind a transit gateway, say: nobody here knows who is there, and an answer about it rests on that.
    if (this.#isBehindRoad(cidr)) return { kind: 'sides', sides: [{ kind: 'internet', cidrs: [cidr] }] };
    return { kind: 'empty', message: `no interface that carries packets has an address in ${text}` };
  }

  #isBehindRoad(cidr: Cidr): boolean {
    return this.#estate.unmodelled.some(
      (each) => each.kind === 'road' && each.routes.some(({ destinations }) => overlapping([cidr], destinations)),
    );
  }
}

/** As the walk has it: attached to what runs, or a gateway's or endpoint's own. */
function carries({ eni }: Place): boolean {
  return eni.attachment !== undefined || eni.service !== undefined;
}

/** @param isPlace not named themselves, but where they are */
function isMeant(place: Place, role: Role, isPlace: boolean): boolean {
  if (!carries(place)) return false;
  const service = place.eni.service?.kind;
  if (service === 'nat-gateway' || service === 'transit-gateway') return role === 'to';
  if (service === 'vpc-endpoint') return role === 'to' || (role === 'each' && !isPlace);
  if (service === 'instance-connect-endpoint' || service === 'network-load-balancer') return role === 'to' || !isPlace;
  return true;
}

function fits(resource: Resource, name: Selector['name']): boolean {
  if (typeof name !== 'string') return resource.tags[name.tag] === name.value;
  if (resource.id === name || resource.names.includes(name)) return true;
  if (!name.includes('*')) return false;
  const pattern = new RegExp(
    `^${name
      .split('*')
      .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  );
  return resource.names.some((each) => pattern.test(each));
}

const words: Readonly<Record<ResourceKind, string>> = {
  instance: 'instance',
  'network-interface': 'interface',
  subnet: 'subnet',
  'security-group': 'sg',
  vpc: 'vpc',
  'vpc-endpoint': 'vpce',
};
const wordOf = (kind: ResourceKind | undefined) => words[kind ?? 'instance'];

function anyOf(candidates: readonly Resource[], kind: ResourceKind | undefined): string {
  const names = [...new Set(candidates.map((each) => each.names[0] ?? each.id))].slice(0, 5);
  if (kind === undefined || names.length === 0) return '';
  return `; there is ${names.join(', ')}${candidates.length > names.length ? ' and more' : ''}`;
}

function emptyWords(text: string, found: readonly Resource[], role: Role): string {
  const [first] = found;
  if (found.every((each) => each.kind === 'instance'))
    return `${text} (${found.map((each) => each.id).join(', ')}) does not run`;
  const what = first !== undefined && first.id !== text ? `${text} (${first.id}${found.length > 1 ? ' …' : ''})` : text;
  return `${what} has no interface that ${role === 'from' ? 'can send' : 'carries packets'}`;
}

/** What reach is asked about. */
export function reachEnds(side: Side): ReachEnd[] {
  switch (side.kind) {
    case 'interfaces':
      return side.places.map(({ eni }) => ({ kind: 'network-interface', networkInterfaceId: eni.networkInterfaceId }));
    case 'internet':
      return [{ kind: 'internet', ...(side.cidrs && { cidrs: side.cidrs }) }];
    case 'service':
      return [{ kind: 'service', service: side.service, ...(side.region !== undefined && { region: side.region }) }];
  }
}

/** Whether blocks of one list and of another have addresses in common. */
export function overlapping(some: readonly Cidr[], others: readonly Cidr[]): boolean {
  return some.some((each) => others.some((other) => overlaps(each, other)));
}
