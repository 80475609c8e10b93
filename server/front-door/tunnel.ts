// A TCP connection as the person at home would make it: from the laptop's address on the sealed internet to an instance's public address, or by an
// instance connect endpoint to its private one. The network decides; what it drops is a time-out.

import { connect, type Socket } from 'node:net';
import { addressPlan, ipv6Plan } from '@postern/network/addresses.ts';
import type { Ipv4, Ipv6 } from '@postern/network/snapshot.ts';

const timeoutMs = 10_000;

interface Dial {
  readonly from: Ipv4 | Ipv6;
  readonly to: Ipv4 | Ipv6;
  readonly port: number;
  /** What the person calls the target. */
  readonly name: string;
}

/** Over the internet, from the terminal's address. Rejects as `connectFrom` does. */
export function connectFromLaptop(
  address: Ipv4 | Ipv6,
  port: number,
  options: { timeoutMs?: number } = {},
): Promise<Socket> {
  const from = address.includes(':') ? ipv6Plan.laptop : addressPlan.laptop;
  return connectFrom({ from, to: address, port, name: address }, options);
}

/**
 * Opens the connection. Rejects with an error whose `code` is ETIMEDOUT (dropped on the way) or ECONNREFUSED (nothing listens there).
 */
export function connectFrom({ from, to, port, name }: Dial, options: { timeoutMs?: number } = {}): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: to, port, localAddress: from });
    const timer = setTimeout(() => {
      const error: NodeJS.ErrnoException = new Error(`connecting to ${name} port ${port} timed out`);
      error.code = 'ETIMEDOUT';
      socket.destroy(error);
    }, options.timeoutMs ?? timeoutMs);
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}
