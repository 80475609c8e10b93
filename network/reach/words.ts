// Flow sets in few words: `tcp 22, 443 from 10.0.0.0/8`.

import type { FlowBox } from './flow-set.ts';
import { pairsOf, type Ranges } from './ranges.ts';
import { allParts, openPart, type PartName, partNames } from './traffic.ts';

/** `tcp 22, 443 from 10.0.0.0/8 to 10.0.1.7; icmp from …` */
export function describeBoxes(boxes: readonly FlowBox[]): string {
  if (boxes.length === 0) return 'nothing';
  return boxes
    .map((box) => `${describeTraffic(box)} from ${box.sources.describe()} to ${box.destinations.describe()}`)
    .join('; ');
}

/** Without addresses: `tcp 22, 443; udp 53`, `all traffic`. A restriction of source ports is told, for replies are what ACLs often drop. */
export function describeTraffic({ there, back }: Pick<FlowBox, 'there' | 'back'>): string {
  const isWhole = (part: PartName) => sizeOf(openPart(there, back, part)) === sizeOf(allParts[part]);
  if (partNames.every((part) => isWhole(part) && !isSourceLimited(back, part))) return 'all traffic';
  const words = partNames.flatMap((part) => {
    const open = openPart(there, back, part);
    if (open.length === 0) return [];
    const sources = isSourceLimited(back, part) ? ` (source ports ${rangesText(back[part])})` : '';
    if (part === 'other') return [isWhole(part) ? 'other protocols' : `protocols ${rangesText(open)}`];
    return [`${part}${isWhole(part) ? '' : ` ${part === 'tcp' || part === 'udp' ? rangesText(open) : icmpText(open)}`}${sources}`]; // biome-ignore format: one value
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
