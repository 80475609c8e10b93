// Postern's certificate authority and the certificates of every name on the sealed internet, minted when a client asks for one by SNI.
// ECDSA P-256. The authority's key is made once and lies in the data directory, mode 0600; the leaf key lives in memory only and is one for all names.
// Extensions as RFC 5280 wants them, with key identifiers, because Python 3.13 checks strictly (VERIFY_X509_STRICT).

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import { bits, boolean, der, integer, objectId, octets, pem, sequence, set, tagged, text, time } from './der.ts';

const dayMs = 86_400_000;
const ecdsaWithSha256 = sequence(objectId('1.2.840.10045.4.3.2'));

interface CertificateFields {
  readonly subject: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  readonly issuerPublicKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly authority: boolean;
  readonly names: readonly string[];
}

const spki = (key: KeyObject) => key.export({ type: 'spki', format: 'der' });
const keyIdentifier = (key: KeyObject) => createHash('sha1').update(spki(key)).digest();
const commonName = (value: string) => sequence(set(sequence(objectId('2.5.4.3'), text(value))));

function extension(id: string, critical: boolean, value: Uint8Array): Buffer {
  return sequence(objectId(id), ...(critical ? [boolean(true)] : []), octets(value));
}

function generalName(name: string): Buffer {
  return isIPv4(name) ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name, 'latin1'));
}

/** A signed X.509 v3 certificate, PEM. */
function issue(fields: CertificateFields, issuerKey: KeyObject): string {
  const extensions = [
    extension('2.5.29.19', true, sequence(...(fields.authority ? [boolean(true)] : []))),
    // keyCertSign and cRLSign for the authority, digitalSignature for a leaf.
    extension('2.5.29.15', true, fields.authority ? bits(Buffer.from([0x06]), 1) : bits(Buffer.from([0x80]), 7)),
    extension('2.5.29.14', false, octets(keyIdentifier(fields.publicKey))),
    extension('2.5.29.35', false, sequence(der(0x80, keyIdentifier(fields.issuerPublicKey)))),
    ...(fields.authority ? [] : [extension('2.5.29.37', false, sequence(objectId('1.3.6.1.5.5.7.3.1')))]),
    ...(fields.names.length > 0 ? [extension('2.5.29.17', false, sequence(...fields.names.map(generalName)))] : []),
  ];
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x01;
  const body = sequence(
    tagged(0, integer(Buffer.from([2]))),
    integer(serial),
    ecdsaWithSha256,
    commonName(fields.issuer),
    sequence(time(fields.notBefore), time(fields.notAfter)),
    commonName(fields.subject),
    spki(fields.publicKey),
    tagged(3, sequence(...extensions)),
  );
  return pem('CERTIFICATE', sequence(body, ecdsaWithSha256, bits(sign('sha256', body, issuerKey))));
}

export interface CertificateAuthority {
  /** PEM, to be trusted by clients. */
  readonly certificate: string;
  /** The TLS identity of a host name; made when first asked for. */
  contextFor(name: string): SecureContext;
}

/** Opens the authority of a data directory, making it when there is none. Files: `ca.pem` (public), `ca-key.pem` (0600). */
export function openCertificateAuthority(directory: string, now: () => Date = () => new Date()): CertificateAuthority {
  const keyFile = join(directory, 'ca-key.pem');
  const certificateFile = join(directory, 'ca.pem');
  if (!existsSync(keyFile) || !existsSync(certificateFile)) makeAuthority(directory, keyFile, certificateFile, now());
  chmodSync(keyFile, 0o600);
  return new Authority(createPrivateKey(readFileSync(keyFile)), readFileSync(certificateFile, 'utf8'), now);
}

function makeAuthority(directory: string, keyFile: string, certificateFile: string, now: Date): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  // The name differs between data directories, or a client that trusts two of them could take one for the other.
  const name = `Postern CA ${keyIdentifier(publicKey).toString('hex').slice(0, 8)}`;
  const certificate = issue(
    {
      subject: name,
      issuer: name,
      publicKey,
      issuerPublicKey: publicKey,
      notBefore: new Date(now.getTime() - dayMs),
      notAfter: new Date(now.getTime() + 3650 * dayMs),
      authority: true,
      names: [],
    },
    privateKey,
  );
  // The certificate last: only both make an authority, and a half-made one is made again.
  for (const [file, body, mode] of [
    [keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600],
    [certificateFile, certificate, 0o644],
  ] as const) {
    writeFileSync(`${file}.new`, body, { mode });
    renameSync(`${file}.new`, file);
  }
}

const keptContexts = 512;

class Authority implements CertificateAuthority {
  readonly certificate: string;
  readonly #key: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #subject: string;
  readonly #leaf = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  readonly #leafPem: string;
  readonly #now: () => Date;
  /** In the order of last use. */
  readonly #contexts = new Map<string, { context: SecureContext; notAfter: number }>();

  constructor(key: KeyObject, certificate: string, now: () => Date) {
    this.#key = key;
    this.#publicKey = createPublicKey(key);
    this.certificate = certificate;
    this.#subject = new X509Certificate(certificate).subject.replace(/^CN=/, '');
    this.#leafPem = this.#leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    this.#now = now;
  }

  contextFor(name: string): SecureContext {
    const now = this.#now().getTime();
    const kept = this.#contexts.get(name);
    this.#contexts.delete(name);
    const entry = kept && kept.notAfter - dayMs > now ? kept : this.#make(name, now);
    this.#contexts.set(name, entry);
    for (const oldest of this.#contexts.keys()) {
      if (this.#contexts.size <= keptContexts) break;
      this.#contexts.delete(oldest);
    }
    return entry.context;
  }

  #make(name: string, now: number): { context: SecureContext; notAfter: number } {
    const notAfter = now + 90 * dayMs;
    const certificate = issue(
      {
        // A common name has at most 64 characters; clients read the alternative names.
        subject: name.slice(0, 64),
        issuer: this.#subject,
        publicKey: this.#leaf.publicKey,
        issuerPublicKey: this.#publicKey,
        notBefore: new Date(now - dayMs),
        notAfter: new Date(notAfter),
        authority: false,
        names: [name],
      },
      this.#key,
    );
    return { context: createSecureContext({ key: this.#leafPem, cert: certificate + this.certificate }), notAfter };
  }
}
