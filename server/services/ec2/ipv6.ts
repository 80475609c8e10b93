// IPv6 blocks in one spelling. They are stored and shown in rules and routes; no IPv6 packet is carried yet.

import { isIPv6 } from 'node:net';
import { ipToNumber } from '@postern/network/cidr.ts';

/** An IPv6 CIDR in one spelling (lower case, shortest form, host bits cleared); undefined when it is not one. */
export function parseIpv6Cidr(text: string): string | undefined {
  const [address = '', length = '', ...rest] = text.split('/');
  if (rest.length > 0 || !/^\d{1,3}$/.test(length) || Number(length) > 128) return undefined;
  if (!isIPv6(address) || address.includes('%')) return undefined;
  const groups = ipv6Groups(address);
  const bits = Number(length);
  const network = groups.map((group, index) => {
    const keep = Math.min(16, Math.max(0, bits - index * 16));
    return group & (0xffff << (16 - keep)) & 0xffff;
  });
  return `${ipv6Text(network)}/${bits}`;
}

function ipv6Groups(address: string): number[] {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  let text = address;
  if (dotted?.[1] !== undefined && dotted[2] !== undefined) {
    const value = ipToNumber(dotted[2]) ?? 0;
    text = `${dotted[1]}${Math.floor(value / 65536).toString(16)}:${(value % 65536).toString(16)}`;
  }
  const [head = '', tail] = text.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = tail === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array<string>(missing).fill('0'), ...after].map((group) => Number.parseInt(group, 16));
}

/** RFC 5952: the longest run of two or more zero groups becomes `::`. */
function ipv6Text(groups: readonly number[]): string {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start += 1) {
    let length = 0;
    while (groups[start + length] === 0) length += 1;
    if (length > best.length) best = { start, length };
  }
  const hex = groups.map((group) => group.toString(16));
  if (best.length < 2) return hex.join(':');
  return `${hex.slice(0, best.start).join(':')}::${hex.slice(best.start + best.length).join(':')}`;
}
