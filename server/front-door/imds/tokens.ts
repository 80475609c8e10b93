// IMDSv2's session tokens (H2): opaque to the client, good for one instance and for as long as was asked. Nothing is kept: the token proves itself.

import { createHmac, timingSafeEqual } from 'node:crypto';

export const ttlHeader = 'x-aws-ec2-metadata-token-ttl-seconds';
export const tokenHeader = 'x-aws-ec2-metadata-token';

/** Seconds asked for, or undefined when the header is missing or not 1 … 21600. */
export function parseTtl(header: string | undefined): number | undefined {
  if (header === undefined || !/^\d{1,5}$/.test(header)) return undefined;
  const seconds = Number(header);
  return seconds >= 1 && seconds <= 21_600 ? seconds : undefined;
}

export class Tokens {
  readonly #key: Buffer;

  constructor(key: Buffer) {
    this.#key = key;
  }

  /** 56 characters that end in `==`, as AWS's do. */
  issue(instanceId: string, ttlSeconds: number, now: Date): string {
    const expiry = Buffer.alloc(8);
    expiry.writeBigUInt64BE(BigInt(now.getTime() + ttlSeconds * 1000));
    return Buffer.concat([expiry, this.#mac(instanceId, expiry)])
      .toString('base64url')
      .concat('==');
  }

  /** Seconds that are left, or undefined when the token isn't this instance's or has ended. */
  check(instanceId: string, token: string, now: Date): number | undefined {
    const bytes = Buffer.from(token.replace(/=+$/, ''), 'base64url');
    if (bytes.length !== 40) return undefined;
    const expiry = bytes.subarray(0, 8);
    if (!timingSafeEqual(bytes.subarray(8), this.#mac(instanceId, expiry))) return undefined;
    const leftMs = Number(expiry.readBigUInt64BE()) - now.getTime();
    return leftMs > 0 ? Math.floor(leftMs / 1000) : undefined;
  }

  #mac(instanceId: string, expiry: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update(instanceId).update('\0').update(expiry).digest();
  }
}
