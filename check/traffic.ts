// Which packets are meant: `tcp 5432`, `tcp 80,443,8000-8080`, `udp 53`, `icmp`, `tcp`, `protocol 47`, `any`.

import type { PortRange, Protocol } from '@postern/network/snapshot.ts';
import { protocols } from '@postern/network/walk/packet.ts';

export interface Traffic {
  readonly text: string;
  /** -1: every one. `icmp` is 1 and means ICMPv6 too, where addresses are IPv6. */
  readonly protocol: Protocol;
  /** Of tcp and udp; absent: all. */
  readonly ports?: readonly PortRange[];
}

/** @returns what the text means (a list by commas may have protocols of its own), or why it means nothing */
export function parseTraffic(text: string): Traffic[] | string {
  const found: { protocol: Protocol; name: string; ports: PortRange[] }[] = [];
  for (const part of text.split(',').map((each) => each.trim())) {
    const [, word, number] = /^([a-z][a-z0-9]*)?\s*([\d-]*)$/.exec(part) ?? [];
    if (part === '' || (word === undefined && !number)) return notTraffic(text);
    if (word !== undefined) {
      const protocol = word === 'protocol' ? Number(number) : protocolOf(word);
      if (protocol === undefined || !(protocol >= -1 && protocol <= 255)) return notTraffic(text);
      found.push({ protocol, name: word === 'protocol' ? `protocol ${number}` : word, ports: [] });
      if (word === 'protocol') continue;
    }
    if (!number) continue;
    const last = found.at(-1);
    const range = parsePorts(number);
    if (last === undefined) return `'${text}' names a port without its protocol: 'tcp ${number}'`;
    if (range === undefined) return `${number} is no port and no range of ports (0 to 65535)`;
    if (last.protocol !== protocols.tcp && last.protocol !== protocols.udp) return `${last.name} has no ports`;
    last.ports.push(range);
  }
  return found.map(({ protocol, name, ports }) => ({
    text: ports.length === 0 ? name : `${name} ${ports.map(portWords).join(', ')}`,
    protocol,
    ...(ports.length > 0 && { ports }),
  }));
}

function protocolOf(word: string): Protocol | undefined {
  if (word === 'any') return -1;
  return Object.hasOwn(protocols, word) ? protocols[word as keyof typeof protocols] : undefined;
}

function parsePorts(text: string): PortRange | undefined {
  const [, first, last] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  if (first === undefined) return undefined;
  const range = { from: Number(first), to: Number(last ?? first) };
  return range.from <= range.to && range.to <= 65_535 ? range : undefined;
}

const portWords = ({ from, to }: PortRange) => (from === to ? `${from}` : `${from}-${to}`);
const notTraffic = (text: string) => `'${text}' is no traffic: 'tcp 443', 'udp 53', 'tcp 8000-8080', 'icmp', 'any'`;
