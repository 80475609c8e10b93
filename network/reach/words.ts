// Flow sets in few words: `tcp 22, 443 from 10.0.0.0/8`.

import { AddressSet, namesOf } from './address-set.ts';
import { fixedBlocks } from './blocks.ts';
import type { Reach } from './ends.ts';
import type { FlowBox } from './flow-set.ts';
import { has, isSame, pairsOf, type Ranges, unite } from './ranges.ts';
import { allParts, noParts, openPart, type PartName, partNames } from './traffic.ts';

/** `tcp 22, 443 from 10.0.0.0/8 to 10.0.1.7; icmp from …` */
export function describeBoxes(boxes: readonly FlowBox[]): string {
  if (boxes.length === 0) return 'nothing';
  return boxes
    .map((box) => `${describeTraffic(box)} from ${box.sources.describe()} to ${box.destinations.describe()}`)
    .join('; ');
}

/**
 * What two ends have open, without what their names say already: hosts are told only of the internet.
 * `tcp 443 from any IPv4 address; tcp 22 from 203.0.113.0/24`
 */
export function describeReach({ from, to, flows }: Pick<Reach, 'from' | 'to' | 'flows'>): string {
  const side = from.kind === 'internet' ? 'sources' : to.kind === 'internet' ? 'destinations' : undefined;
  if (side === undefined) return [...new Set(flows.boxes.map(describeTraffic))].join('; ');
  return byTraffic(flows.boxes, side)
    .map((box) => `${describeTraffic(box)} ${side === 'sources' ? 'from' : 'to'} ${describeHosts(box[side])}`)
    .join('; ');
}

/** The same flows seen from one side, told port by port and not host by host: ports that all have the same hosts are together. */
function byTraffic(boxes: readonly FlowBox[], side: 'sources' | 'destinations'): FlowBox[] {
  const told = new Map<string, FlowBox>();
  for (const box of boxes) {
    const alike = boxes.filter((each) => partNames.every((part) => isSame(each.back[part], box.back[part])));
    for (const part of partNames) {
      const bounds = [...new Set(alike.flatMap(({ there }) => there[part]))].sort((x, y) => x - y);
      bounds.forEach((at, index) => {
        const next = bounds[index + 1];
        const holding = alike.filter(({ there }) => has(there[part], at));
        if (next === undefined || holding.length === 0) return;
        const hosts = holding.reduce((sum, each) => sum.unite(each[side]), AddressSet.none);
        const key = [partNames.map((each) => box.back[each].join()), hosts.v4.join(), hosts.v6.join()].join(' ');
        const same = told.get(key) ?? { ...box, there: noParts, [side]: hosts };
        told.set(key, { ...same, there: { ...same.there, [part]: unite(same.there[part], [at, next]) } });
      });
    }
  }
  return [...told.values()].filter(({ there, back }) =>
    partNames.some((part) => openPart(there, back, part).length > 0),
  );
}

/** Addresses that hosts of the internet can have. */
const hosts = AddressSet.all.subtract(AddressSet.ofCidrs(fixedBlocks));

/** Which hosts of the internet; where no host is, it is no matter what the set says. */
export function describeHosts(set: AddressSet): string {
  const families = [
    { name: 'any IPv4 address', all: new AddressSet(hosts.v4, []), own: new AddressSet(set.v4, []) },
    { name: 'any IPv6 address', all: new AddressSet([], hosts.v6), own: new AddressSet([], set.v6) },
  ].filter(({ own }) => !own.isEmpty);
  const words = families.map(({ name, all, own }) => {
    const [inside, outside] = [own.intersect(all), all.subtract(own)];
    if (outside.isEmpty) return name;
    if (inside.isEmpty) return own.describe();
    const [covering, missing] = [inside.cover(outside), outside.cover(inside)];
    return missing.length < covering.length ? `${name} but ${namesOf(missing)}` : namesOf(covering);
  });
  return words.join(' and ');
}

/**
 * Without addresses: `tcp 22, 443; udp 53`, `all traffic`. A restriction of source ports is told, for replies are what ACLs often drop; the other family's ICMP,
 * which nobody sends, is not.
 */
export function describeTraffic({ destinations, there, back }: Omit<FlowBox, 'sources'>): string {
  const isMeant = (part: PartName) =>
    part === 'icmp' ? destinations.v4.length > 0 : part !== 'icmpv6' || destinations.v6.length > 0;
  const meant = partNames.filter(isMeant);
  const isWhole = (part: PartName) => sizeOf(openPart(there, back, part)) === sizeOf(allParts[part]);
  if (meant.every((part) => isWhole(part) && !isSourceLimited(back, part))) return 'all traffic';
  const words = meant.flatMap((part) => {
    const open = openPart(there, back, part);
    if (open.length === 0) return [];
    const sources = isSourceLimited(back, part) ? ` (source ports ${rangesText(back[part])})` : '';
    if (part === 'other') return [isWhole(part) ? 'other protocols' : `protocols ${rangesText(open)}`];
    return [
      `${part}${isWhole(part) ? '' : ` ${part === 'tcp' || part === 'udp' ? rangesText(open) : icmpText(open)}`}${sources}`,
    ];
  });
  return words.join('; ');
}

function isSourceLimited(back: FlowBox['back'], part: PartName): boolean {
  return (part === 'tcp' || part === 'udp') && sizeOf(back[part]) < 65_536;
}

function sizeOf(ranges: Ranges<number>): number {
  return [...pairsOf(ranges)].reduce((sum, [from, end]) => sum + end - from, 0);
}

/** At most six, for a line has 80 columns. */
function rangesText(ranges: Ranges<number>, most = 6): string {
  const all = [...pairsOf(ranges)].map(([from, end]) => (end - from === 1 ? `${from}` : `${from}–${end - 1}`));
  return all.length > most ? `${all.slice(0, most).join(', ')} and ${all.length - most} more` : all.join(', ');
}

/** Types with all their codes by their number, others as type/code; echo by its name. */
function icmpText(ranges: Ranges<number>): string {
  const names: Record<number, string> = { 8: 'echo', 128: 'echo' };
  const words: string[] = [];
  for (const [from, end] of pairsOf(ranges)) {
    if (from % 256 === 0 && end % 256 === 0) {
      const [first, last] = [from / 256, end / 256 - 1];
      words.push(first === last ? (names[first] ?? `type ${first}`) : `types ${first}–${last}`);
    } else words.push(`type ${from >> 8} code ${from & 255}${end - from > 1 ? `–${(end - 1) & 255}` : ''}`);
  }
  return words.length > 6 ? `${words.slice(0, 6).join(', ')} and ${words.length - 6} more` : words.join(', ');
}
