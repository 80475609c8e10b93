// How is a key written? OpenSSH public keys, OpenSSH private keys of ed25519 (Node writes PKCS#8 only), and fingerprints as EC2 computes them:
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/verify-keys.html (read 2026-11-21): a created RSA key has the SHA-1 of its private key in DER,
// an imported one the MD5 of its public key in DER, an ed25519 key the SHA-256 of its OpenSSH form in base64.
// OpenSSH's private format: https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key (read 2026-11-21).

import { createHash, createPublicKey, type KeyObject, randomBytes } from 'node:crypto';

export interface PublicKey {
  readonly keyType: 'rsa' | 'ed25519';
  readonly key: KeyObject;
  /** The body of the OpenSSH form, before base64. */
  readonly blob: Buffer;
}

const field = (bytes: Uint8Array | string): Buffer => {
  const body = Buffer.from(bytes);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
};

/** RFC 4251: a positive number has a leading zero when its first bit is set. */
const mpint = (base64url: string): Buffer => {
  const bytes = Buffer.from(base64url, 'base64url');
  return field((bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes);
};

/** undefined for a key that is neither RSA nor ed25519. */
export function describePublicKey(key: KeyObject): PublicKey | undefined {
  const jwk = key.export({ format: 'jwk' });
  if (jwk.kty === 'RSA' && jwk.n && jwk.e)
    return { keyType: 'rsa', key, blob: Buffer.concat([field('ssh-rsa'), mpint(jwk.e), mpint(jwk.n)]) };
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519' && jwk.x)
    return {
      keyType: 'ed25519',
      key,
      blob: Buffer.concat([field('ssh-ed25519'), field(Buffer.from(jwk.x, 'base64url'))]),
    };
  return undefined;
}

/** `ssh-ed25519 AAAA… NAME` */
export function openSshPublicKey({ keyType, blob }: PublicKey, comment: string): string {
  return `${keyType === 'rsa' ? 'ssh-rsa' : 'ssh-ed25519'} ${blob.toString('base64')} ${comment}`;
}

/** The PEM that CreateKeyPair gives out once: PKCS#1 for RSA, OpenSSH's own for ed25519. */
export function privateKeyPem(privateKey: KeyObject, publicKey: PublicKey, comment: string): string {
  if (publicKey.keyType === 'rsa') return privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  const jwk = privateKey.export({ format: 'jwk' });
  const seed = Buffer.from(jwk.d ?? '', 'base64url');
  const point = Buffer.from(jwk.x ?? '', 'base64url');
  const check = randomBytes(4);
  let secret = Buffer.concat([check, check, publicKey.blob, field(Buffer.concat([seed, point])), field(comment)]);
  for (let pad = 1; secret.length % 8 !== 0; pad += 1) secret = Buffer.concat([secret, Buffer.from([pad])]);
  const count = Buffer.from([0, 0, 0, 1]);
  const body = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    field('none'),
    field('none'),
    field(''),
    count,
    field(publicKey.blob),
    field(secret),
  ]);
  const lines = body.toString('base64').match(/.{1,70}/g) ?? [];
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join('\n')}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

export function fingerprint(publicKey: PublicKey, privateKey?: KeyObject): string {
  if (publicKey.keyType === 'ed25519') return createHash('sha256').update(publicKey.blob).digest('base64');
  const hex = privateKey
    ? createHash('sha1')
        .update(privateKey.export({ type: 'pkcs8', format: 'der' }))
        .digest('hex')
    : createHash('md5')
        .update(publicKey.key.export({ type: 'spki', format: 'der' }))
        .digest('hex');
  return hex.match(/../g)?.join(':') ?? '';
}

/** Reads what ImportKeyPair is given: OpenSSH, RFC 4716, or DER in base64 or PEM. @returns undefined when it is none of them */
export function parsePublicKey(text: string): PublicKey | undefined {
  const trimmed = text.trim();
  const ssh = /^(?:\S+\s+)*?(ssh-rsa|ssh-ed25519)\s+([A-Za-z0-9+/]+={0,2})(?:\s|$)/.exec(trimmed);
  if (ssh?.[2]) return fromBlob(Buffer.from(ssh[2], 'base64'), ssh[1]);
  if (trimmed.startsWith('---- BEGIN SSH2 PUBLIC KEY ----')) {
    const body = trimmed.split('\n').filter((line) => !line.includes('----') && !line.includes(':'));
    return fromBlob(Buffer.from(body.join(''), 'base64'));
  }
  try {
    const der = Buffer.from(trimmed.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64');
    return describePublicKey(createPublicKey({ key: der, format: 'der', type: 'spki' }));
  } catch {
    return undefined;
  }
}

function fromBlob(blob: Buffer, name?: string): PublicKey | undefined {
  const fields: Buffer[] = [];
  for (let at = 0; at < blob.length; ) {
    if (at + 4 > blob.length) return undefined;
    const length = blob.readUInt32BE(at);
    if (at + 4 + length > blob.length) return undefined;
    fields.push(blob.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  const [kind, first, second, ...rest] = fields;
  if (!kind || !first || rest.length > 0 || (name && kind.toString() !== name)) return undefined;
  const unsigned = (bytes: Buffer) => (bytes[0] === 0 ? bytes.subarray(1) : bytes).toString('base64url');
  try {
    if (kind.toString() === 'ssh-rsa' && second)
      return describePublicKey(
        createPublicKey({ key: { kty: 'RSA', e: unsigned(first), n: unsigned(second) }, format: 'jwk' }),
      );
    if (kind.toString() === 'ssh-ed25519' && !second)
      return describePublicKey(
        createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: first.toString('base64url') }, format: 'jwk' }),
      );
  } catch {
    // Numbers that make no key.
  }
  return undefined;
}
