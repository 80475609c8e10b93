// Is a code that a person typed the one that their device shows? Time-based one-time passwords: https://www.rfc-editor.org/rfc/rfc6238
// (read 2026-11-21), six digits of SHA-1, every 30 seconds, as AWS's virtual devices have. IAM asks for two codes in a row when a device is
// enabled or brought back into step; STS for one. A code works once, and one of
// a step before works after it (recorded on AWS 2026-09): a device keeps the steps of those that did.

import { createHmac } from 'node:crypto';
import type { MfaDeviceRow } from './store/rows/iam.ts';

const stepSeconds = 30;
/** How many steps a device's clock may be off (AWS does not say); resynchronising looks further. */
const toleranceSteps = 2;
const resyncSteps = 40;

/** @param seedHex the device's secret */
export function totp(seedHex: string, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac('sha1', Buffer.from(seedHex, 'hex')).update(counter).digest();
  const number = digest.readUInt32BE((digest.at(-1) ?? 0) & 0xf) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

export function stepAt(now: Date): number {
  return Math.floor(now.getTime() / 1000 / stepSeconds);
}

/** @returns the step of a code that was not used yet, or undefined */
export function acceptedStep(device: MfaDeviceRow, code: string, now: Date): number | undefined {
  const center = stepAt(now) + (device.assigned?.driftSteps ?? 0);
  const used = device.assigned?.usedSteps ?? [];
  for (let step = center - toleranceSteps; step <= center + toleranceSteps; step += 1) {
    if (!used.includes(step) && totp(device.seedHex, step) === code) return step;
  }
  return undefined;
}

/** The device with a code's step used up. */
export function usedUp(device: MfaDeviceRow, step: number): MfaDeviceRow {
  if (!device.assigned) return device;
  const lately = (device.assigned.usedSteps ?? []).filter((one) => one > step - 4 * toleranceSteps);
  return { ...device, assigned: { ...device.assigned, usedSteps: [...lately, step] } };
}

/**
 * @param resync looks for a device whose clock is wrong, up to twenty minutes
 * @returns the step of the second of two codes in a row, or undefined
 */
export function acceptedPair(
  seedHex: string,
  first: string,
  second: string,
  now: Date,
  resync: boolean,
): number | undefined {
  const reach = resync ? resyncSteps : toleranceSteps;
  for (let step = stepAt(now) - reach; step <= stepAt(now) + reach; step += 1) {
    if (totp(seedHex, step) === first && totp(seedHex, step + 1) === second) return step + 1;
  }
  return undefined;
}
