// Random bytes in small numbers. The kernel is asked for many at once: eight at a time were 10 % of CreateVpc.

import { randomBytes } from 'node:crypto';

const reserveBytes = 4096;
let reserve = Buffer.alloc(0);
let at = 0;

/** @returns bytes that nobody was given before; at most a few hundred */
export function fewRandomBytes(count: number): Buffer {
  if (at + count > reserve.length) {
    reserve = randomBytes(reserveBytes);
    at = 0;
  }
  at += count;
  return reserve.subarray(at - count, at);
}
