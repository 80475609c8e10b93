// Is an address inside a range? For IpAddress and NotIpAddress: IPv4 and IPv6, no mask meaning one address.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IPAddress (read 2026-11-21)

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
  const prefixLength = slash < 0 ? width : parseDecimal(text.slice(slash + 1), width);
  if (prefixLength === undefined) return undefined;
  return { version: width === 32 ? 4 : 6, groups, prefixLength };
}

export function rangeContains(range: IpRange, address: IpRange): boolean {
  if (range.version !== address.version || address.prefixLength < range.prefixLength) return false;
  let bits = range.prefixLength;
  for (let group = 0; bits > 0; group += 1, bits -= 16) {
    const shift = bits >= 16 ? 0 : 16 - bits;
    if ((range.groups[group] ?? 0) >> shift !== (address.groups[group] ?? 0) >> shift) return false;
  }
  return true;
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
