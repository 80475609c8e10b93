// Is an address inside a range? For IpAddress and NotIpAddress: IPv4 and IPv6, no mask meaning one address.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IPAddress (read 2026-11-21)
// Recorded on AWS (2026-09): what a range writes behind its mask does not matter in IPv4 and makes it no range in IPv6; a range is not written with
// dots in IPv6; a request's address that is IPv4 mapped into IPv6 is the IPv4 one. Gap: AWS reads some misspelt IPv6 addresses (`2001:db8:::1`) too.

export interface IpRange {
  readonly version: 4 | 6;
  /** 16-bit groups: two for IPv4, eight for IPv6. */
  readonly groups: readonly number[];
  readonly prefixLength: number;
}

/** @returns the range, or undefined when the text is none (AWS matches nothing then) */
export function parseIpRange(text: string): IpRange | undefined {
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  const groups = address.includes(':') ? parseV6(address) : parseV4(address);
  if (!groups) return undefined;
  const width = groups.length * 16;
  const prefixLength = slash < 0 ? width : parseDecimal(text.slice(slash + 1).replace(/^\+/, ''), width);
  if (prefixLength === undefined) return undefined;
  const range: IpRange = { version: width === 32 ? 4 : 6, groups, prefixLength };
  return range.version === 6 && (address.includes('.') || hasHostBits(range)) ? undefined : range;
}

/** @returns the 16-bit groups of a request's own address, or undefined when the text is none */
export function parseIpAddress(text: string): readonly number[] | undefined {
  if (!text.includes(':')) return parseV4(text);
  const groups = parseV6(text);
  if (groups?.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) return groups.slice(6);
  return text.includes('.') ? undefined : groups;
}

/** @param address as `parseIpAddress` gives it */
export function rangeContains(range: IpRange, address: readonly number[]): boolean {
  if (range.groups.length !== address.length) return false;
  let bits = range.prefixLength;
  for (let group = 0; bits > 0; group += 1, bits -= 16) {
    const shift = bits >= 16 ? 0 : 16 - bits;
    if ((range.groups[group] ?? 0) >> shift !== (address[group] ?? 0) >> shift) return false;
  }
  return true;
}

function hasHostBits({ groups, prefixLength }: IpRange): boolean {
  return groups.some((group, place) => {
    const masked = Math.min(Math.max(prefixLength - place * 16, 0), 16);
    return (group & (0xffff >> masked)) !== 0;
  });
}

function parseDecimal(text: string, max: number): number | undefined {
  if (!/^\d{1,3}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= max ? value : undefined;
}

function parseV4(text: string): number[] | undefined {
  const octets = text.split('.').map((octet) => parseDecimal(octet, 255));
  const [a, b, c, d] = octets;
  if (octets.length !== 4 || a === undefined || b === undefined || c === undefined || d === undefined) return undefined;
  return [a * 256 + b, c * 256 + d];
}

function parseV6(text: string): number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? '');
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '') : [];
  if (!head || !tail) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

function parseGroups(text: string): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const words = text.split(':');
  for (const [place, word] of words.entries()) {
    if (place === words.length - 1 && word.includes('.')) {
      const v4 = parseV4(word);
      if (!v4) return undefined;
      groups.push(...v4);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(word)) {
      groups.push(Number.parseInt(word, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}
