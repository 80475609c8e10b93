// What tests of users' credentials are made of: an authenticator app, and a certificate that signs itself.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCertificateAuthority } from '../../front-door/certificates.ts';
import { stepAt, totp } from '../../mfa.ts';
import { testNow } from '../../testing.ts';

export interface Device {
  SerialNumber: string;
  Base32StringSeed: Uint8Array;
}

/** What an authenticator app does with the seed. */
function seedHex(device: Device): string {
  let bits = '';
  for (const letter of Buffer.from(device.Base32StringSeed).toString()) {
    bits += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0');
  }
  return (bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2).toString(16).padStart(2, '0')).join('');
}

/** Two codes in a row, as EnableMFADevice wants them. */
export function codes(device: Device, offset = 0): { AuthenticationCode1: string; AuthenticationCode2: string } {
  const step = stepAt(testNow) + offset;
  return { AuthenticationCode1: totp(seedHex(device), step), AuthenticationCode2: totp(seedHex(device), step + 1) };
}

/** A certificate that signs itself, and its key. */
export function selfSigned(): { certificate: string; privateKey: string } {
  const directory = mkdtempSync(join(tmpdir(), 'postern-iam-'));
  try {
    openCertificateAuthority(directory);
    const texts = readdirSync(directory).map((file) => readFileSync(join(directory, file), 'utf8'));
    const holding = (word: string) => texts.find((text) => text.includes(`BEGIN ${word}`)) ?? '';
    return { certificate: holding('CERTIFICATE'), privateKey: holding('PRIVATE KEY') };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
