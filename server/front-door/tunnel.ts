// A TCP connection as the person at home would make it: from the laptop's address on the sealed internet to an instance's public address.
// The network decides; what it drops is a time-out.

import { connect, type Socket } from 'node:net';
import { addressPlan } from '@postern/network/addresses.ts';
import type { Ipv4 } from '@postern/network/snapshot.ts';

const timeoutMs = 10_000;

/**
 * Opens the connection. Rejects with an error whose `code` is ETIMEDOUT (dropped on the way) or ECONNREFUSED (nothing listens there).
 */
export function connectFromLaptop(address: Ipv4, port: number, options: { timeoutMs?: number } = {}): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, localAddress: addressPlan.laptop });
    const timer = setTimeout(() => {
      const error: NodeJS.ErrnoException = new Error(`connecting to ${address} port ${port} timed out`);
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
