// A row of the table of flows (cases.ts), and the short forms that rows are written in.

import type { Ipv4, Snapshot } from '@postern/network/snapshot.ts';

export interface Flow {
  /** A machine (`a` is instance i-a), or the terminal on the internet. */
  readonly from: 'a' | 'b' | 'c' | 'd' | 'laptop';
  readonly to: Ipv4;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly port?: number;
  /** Source address, when not the machine's first. */
  readonly source?: Ipv4;
  readonly expect: 'open' | 'timeout';
  /** What the other side sees as the source. */
  readonly seenAs?: Ipv4;
  /** The endpoint it arrives by. */
  readonly by?: string;
}

export interface FlowCase {
  /** Begins with the rules it is about. */
  readonly title: string;
  readonly snapshot: Snapshot;
  readonly flows: readonly Flow[];
}

export const tcpTo = (
  from: Flow['from'],
  to: Ipv4,
  port: number,
  expect: Flow['expect'],
  more: Partial<Flow> = {},
): Flow => ({
  from,
  to,
  protocol: 'tcp',
  port,
  expect,
  ...more,
});
export const udpTo = (
  from: Flow['from'],
  to: Ipv4,
  port: number,
  expect: Flow['expect'],
  more: Partial<Flow> = {},
): Flow => ({
  from,
  to,
  protocol: 'udp',
  port,
  expect,
  ...more,
});
export const pingTo = (from: Flow['from'], to: Ipv4, expect: Flow['expect']): Flow => ({
  from,
  to,
  protocol: 'icmp',
  expect,
});
