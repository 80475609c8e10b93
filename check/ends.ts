// The words by which a person names an end of a flow, and what each means: `sg db`, `subnet private-* in prod`, `i-0ab…`, `s3`, `internet`, `10.0.0.0/16`.
// Only the form is read here; whether there is such a thing is asked of the estate (resolve.ts).

import { isIpv6Cidr, normalizeCidr } from '@postern/network/cidr.ts';
import { endpointServicesOf } from '@postern/network/endpoint-services.ts';
import { normalizeIpv6, normalizeIpv6Cidr } from '@postern/network/ipv6.ts';
import type { Cidr } from '@postern/network/snapshot.ts';
import type { ResourceKind } from './estate.ts';
import { meant } from './nearest.ts';

export type End =
  | { readonly kind: 'internet' }
  | { readonly kind: 'cidr'; readonly cidr: Cidr }
  /** By the word that stands in its endpoints' names: `s3`, `ecr.api`. */
  | { readonly kind: 'service'; readonly service: string }
  | { readonly kind: 'bucket'; readonly bucket: string }
  | { readonly kind: 'resource'; readonly selector: Selector };

/** Which resources are meant. */
export interface Selector {
  /** Undefined: of any kind that has interfaces. */
  readonly kind?: ResourceKind;
  /** An id, a Name tag (of groups also the group name), `*` in it standing for anything; or a tag. */
  readonly name: string | { readonly tag: string; readonly value: string };
  /** Of this VPC only: an id or a Name tag. */
  readonly vpc?: string;
}

/** The words for kinds, and the prefix of their ids. */
export const kindWords = {
  instance: 'instance',
  interface: 'network-interface',
  eni: 'network-interface',
  subnet: 'subnet',
  sg: 'security-group',
  'security-group': 'security-group',
  vpc: 'vpc',
  vpce: 'vpc-endpoint',
  endpoint: 'vpc-endpoint',
} as const satisfies Readonly<Record<string, ResourceKind>>;

const idKinds: Readonly<Record<string, ResourceKind>> = {
  i: 'instance',
  eni: 'network-interface',
  subnet: 'subnet',
  sg: 'security-group',
  vpc: 'vpc',
  vpce: 'vpc-endpoint',
};

let services: ReadonlySet<string> | undefined;

/** Every service that AWS offers endpoints for. */
export function serviceNames(): ReadonlySet<string> {
  services ??= new Set([...endpointServicesOf('us-east-1').values()].map((each) => each.service));
  return services;
}

/**
 * @param text as written
 * @returns the end, or why the text is none, as a sentence without its full stop
 */
export function parseEnd(text: string): End | string {
  const words = text.trim().split(/\s+/);
  const [first = '', ...rest] = words;
  if (first === '') return 'an end is named by a few words, not by nothing';
  if (words.length === 1) return parseWord(first);
  if (first === 'service') return parseService(rest.join(' '));
  if (first === 'bucket') return parseBucket(rest.join(' '));
  const inAt = words.length >= 3 && words.at(-2) === 'in' ? words.length - 2 : words.length;
  const vpc = words[inAt + 1];
  const [kindWord, ...nameWords] = words.slice(0, inAt);
  const name = nameWords.join(' ');
  if (kindWord === 'tag') return parseTag(name, vpc);
  if (name === '') return parseNamed(kindWord ?? '', vpc);
  if (!isKindWord(kindWord)) {
    const known = [...Object.keys(kindWords), 'tag', 'service', 'bucket', 'internet'];
    return `'${kindWord}' is no kind of end${meant(kindWord ?? '', known)} (${known.join(', ')}, or a Name alone)`;
  }
  return { kind: 'resource', selector: { kind: kindWords[kindWord], name, ...(vpc !== undefined && { vpc }) } };
}

function isKindWord(word: string | undefined): word is keyof typeof kindWords {
  return word !== undefined && Object.hasOwn(kindWords, word);
}

function parseWord(word: string): End | string {
  if (word === 'internet') return { kind: 'internet' };
  if (word.includes('/')) return parseCidrEnd(word);
  const address = toHostCidr(word);
  if (address !== undefined) return { kind: 'cidr', cidr: address };
  if (/^\d+(\.\d+){3}$/.test(word)) return `${word} is no address`;
  if (serviceNames().has(word)) return { kind: 'service', service: word };
  if (isKindWord(word)) return `'${word}' needs a name after it: '${word} NAME'`;
  return parseNamed(word, undefined);
}

function parseNamed(word: string, vpc: string | undefined): End {
  const kind = idKinds[/^([a-z]+)-[0-9a-z]+$/.exec(word)?.[1] ?? ''];
  const selector: Selector = { ...(kind && { kind }), name: word, ...(vpc !== undefined && { vpc }) };
  return { kind: 'resource', selector };
}

function parseTag(text: string, vpc: string | undefined): End | string {
  const [, tag, value] = /^([^=]+)=(.*)$/.exec(text) ?? [];
  if (tag === undefined || value === undefined) return `'tag ${text}' is written 'tag KEY=VALUE'`;
  return { kind: 'resource', selector: { name: { tag, value }, ...(vpc !== undefined && { vpc }) } };
}

function parseService(name: string): End | string {
  if (serviceNames().has(name)) return { kind: 'service', service: name };
  return `AWS has no service '${name}' that endpoints are for${meant(name, serviceNames())}`;
}

function parseBucket(name: string): End | string {
  const bucket = name.replace(/\/.*$/, '');
  return /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket) ? { kind: 'bucket', bucket } : `'${name}' is no bucket name`;
}

function parseCidrEnd(text: string): End | string {
  const cidr = text.includes(':') ? normalizeIpv6Cidr(text) : normalizeCidr(text);
  if (cidr === undefined) return `${text} is no CIDR`;
  if (cidr !== text.toLowerCase() && !isIpv6Cidr(cidr)) return `${text} has host bits set; write ${cidr}`;
  return { kind: 'cidr', cidr };
}

function toHostCidr(word: string): Cidr | undefined {
  if (word.includes(':')) {
    const address = normalizeIpv6(word);
    return address === undefined ? undefined : `${address}/128`;
  }
  return normalizeCidr(`${word}/32`);
}

/** What a flow may have to pass through. */
export type Road =
  | { readonly kind: 'hop'; readonly hop: HopKind }
  | { readonly kind: 'id'; readonly id: string }
  | { readonly kind: 'endpoint'; readonly selector: Selector };

export type HopKind =
  | 'internet-gateway'
  | 'egress-only-internet-gateway'
  | 'nat-gateway'
  | 'peering-connection'
  | 'transit-gateway'
  | 'vpc-endpoint'
  | 'load-balancer'
  | 'middlebox';

/** The words for roads; `local` is none at all: inside the VPC. */
export const roadWords: Readonly<Record<string, HopKind>> = {
  vpce: 'vpc-endpoint',
  igw: 'internet-gateway',
  eigw: 'egress-only-internet-gateway',
  nat: 'nat-gateway',
  pcx: 'peering-connection',
  tgw: 'transit-gateway',
  middlebox: 'middlebox',
};

/** @returns the road, or why the text is none */
export function parseRoad(text: string): Road | string {
  const words = text.trim().split(/\s+/);
  const [first = '', second] = words;
  const hop = words.length === 1 ? roadWords[first] : undefined;
  if (hop !== undefined) return { kind: 'hop', hop };
  if (words.length === 1 && /^(vpce|igw|eigw|nat|pcx|tgw|eni)-[0-9a-z]+$/.test(first)) return { kind: 'id', id: first };
  if (words.length === 2 && (first === 'vpce' || first === 'endpoint') && second !== undefined)
    return { kind: 'endpoint', selector: { kind: 'vpc-endpoint', name: second } };
  const known = Object.keys(roadWords);
  return `'${text}' is no road${meant(first, known)} (${known.join(', ')}, an id of one, or 'vpce NAME')`;
}
