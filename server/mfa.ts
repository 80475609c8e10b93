// Is a code that a person typed the one that their device shows? Time-based one-time passwords: https://www.rfc-editor.org/rfc/rfc6238
// (read 2026-11-21), six digits of SHA-1, every 30 seconds, as AWS's virtual devices have. IAM asks for two codes in a row when a device is
// enabled or brought back into step; STS for one. A code works once, and one of
// a step before works after it (recorded on AWS 2026-09): a device keeps the steps of those that did.

import { createHmac } from 'node:crypto';
import type { MfaDeviceRow } from './store/rows/iam.ts';

const stepSeconds = 30;
/** How many steps a device's clock may be off for one code, and the second of a pair (recorded on AWS, 2026-09). */
const toleranceSteps = 2;
const pairStepsBehind = 998;
const pairStepsAhead = 1000;

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
 * Two codes in a row, wherever the device's clock stands: enabling a device looks as far as bringing it back into step does.
 * @returns the step of the second, or undefined; both must be of later steps than the pair before
 */
export function acceptedPair(device: MfaDeviceRow, first: string, second: string, now: Date): number | undefined {
  const center = stepAt(now) + (device.assigned?.driftSteps ?? 0);
  const earliest = Math.max(center - pairStepsBehind, (device.pairStep ?? 0) + 2);
  for (let step = earliest; step <= center + pairStepsAhead; step += 1) {
    if (totp(device.seedHex, step) === second && totp(device.seedHex, step - 1) === first) return step;
  }
  return undefined;
}
