// Pairs of keys, as they are kept and told: a private key in PKCS #8 and a public one as SubjectPublicKeyInfo, both DER.
// An RSA key costs up to seconds of a processor, so it is made on a thread before the transaction that keeps it; the event loop goes on meanwhile.

import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { materialsOf } from '../../kms-keys.ts';
import type { KmsKeyRow } from '../../store/rows/kms.ts';
import type { PairSubstance } from './key-specs.ts';

const generate = promisify(generateKeyPair);

/** RSA keys are made one at a time: libuv's threads are also those that read and write files. */
let lastRsa: Promise<unknown> = Promise.resolve();

/** A new private key. */
export async function newPrivateKey(substance: PairSubstance): Promise<KeyObject> {
  if (substance.kind === 'ed25519') return (await generate('ed25519')).privateKey;
  if (substance.kind === 'ec') return (await generate('ec', { namedCurve: substance.curve })).privateKey;
  const made = lastRsa.then(() => generate('rsa', { modulusLength: substance.bits }));
  lastRsa = made.catch(() => {});
  return (await made).privateKey;
}

export function privateBytes(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'pkcs8' });
}

/** Of a private key. */
export function publicBytes(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: 'der', type: 'spki' });
}

/** Reading one costs as much as a small request. */
const readKeys = new WeakMap<KmsKeyRow, KeyObject>();

export function privateKeyOf(key: KmsKeyRow): KeyObject {
  const known = readKeys.get(key);
  if (known) return known;
  const read = createPrivateKey({ key: Buffer.from(materialsOf(key)[0], 'base64'), format: 'der', type: 'pkcs8' });
  readKeys.set(key, read);
  return read;
}
