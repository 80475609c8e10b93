// The two forms in which IAM takes and gives an SSH public key: https://www.rfc-editor.org/rfc/rfc4253#section-6.6 (read 2026-11-21), and PEM.
// Only RSA, as CodeCommit takes no other.

import { createPublicKey } from 'node:crypto';

export interface ReadKey {
  readonly blob: Buffer;
  readonly bits: number;
}

/** @param body `ssh-rsa BASE64 comment`, or a public key in PEM   @returns undefined when it is no RSA key */
export function readSshKey(body: string): ReadKey | undefined {
  const match = /^ssh-rsa\s+([A-Za-z0-9+/]+={0,2})(\s.*)?$/.exec(body.trim());
  const blob = match?.[1] === undefined ? pemToSsh(body) : Buffer.from(match[1], 'base64');
  if (!blob) return undefined;
  const [type, exponent, modulus] = sshStrings(blob);
  if (type?.toString() !== 'ssh-rsa' || !exponent || !modulus) return undefined;
  const bits = (modulus[0] === 0 ? modulus.length - 1 : modulus.length) * 8;
  return { blob, bits };
}

function sshStrings(blob: Buffer): Buffer[] {
  const strings: Buffer[] = [];
  for (let at = 0; at + 4 <= blob.length; ) {
    const length = blob.readUInt32BE(at);
    if (at + 4 + length > blob.length) return [];
    strings.push(blob.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return strings;
}

function pemToSsh(body: string): Buffer | undefined {
  try {
    const { kty, n, e } = createPublicKey(body).export({ format: 'jwk' });
    if (kty !== 'RSA' || n === undefined || e === undefined) return undefined;
    const parts = [
      Buffer.from('ssh-rsa'),
      positive(Buffer.from(e, 'base64url')),
      positive(Buffer.from(n, 'base64url')),
    ];
    return Buffer.concat(
      parts.flatMap((part) => {
        const length = Buffer.alloc(4);
        length.writeUInt32BE(part.length);
        return [length, part];
      }),
    );
  } catch {
    return undefined;
  }
}

/** SSH's numbers are signed: one whose first bit is set has a zero in front. */
function positive(number: Buffer): Buffer {
  return (number[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), number]) : number;
}

export function sshToPem(blob: Buffer): string {
  const [, exponent, modulus] = sshStrings(blob);
  const encode = (number: Buffer | undefined) =>
    (number?.[0] === 0 ? number.subarray(1) : (number ?? Buffer.alloc(0))).toString('base64url');
  const jwk = { kty: 'RSA', e: encode(exponent), n: encode(modulus) };
  return createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString();
}
