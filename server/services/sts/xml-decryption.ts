// What does an encrypted element of XML hold? https://www.w3.org/TR/xmlenc-core1/ (read 2026-11-21), as far as SAML uses it: AES in CBC or GCM, its key
// encrypted with RSA-OAEP. RSA 1.5 and triple DES, which the standard has too, are not opened: they are broken or gone.

import { constants, createDecipheriv, privateDecrypt } from 'node:crypto';
import { attribute, children, descend, textOf } from './xml.ts';

const namespaces = {
  encryption: 'http://www.w3.org/2001/04/xmlenc#',
  encryption11: 'http://www.w3.org/2009/xmlenc11#',
  signature: 'http://www.w3.org/2000/09/xmldsig#',
} as const;

interface Cipher {
  readonly name: 'aes-128-cbc' | 'aes-192-cbc' | 'aes-256-cbc' | 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm';
  readonly gcm: boolean;
}

const ciphers: Readonly<Record<string, Cipher>> = {
  [`${namespaces.encryption}aes128-cbc`]: { name: 'aes-128-cbc', gcm: false },
  [`${namespaces.encryption}aes192-cbc`]: { name: 'aes-192-cbc', gcm: false },
  [`${namespaces.encryption}aes256-cbc`]: { name: 'aes-256-cbc', gcm: false },
  [`${namespaces.encryption11}aes128-gcm`]: { name: 'aes-128-gcm', gcm: true },
  [`${namespaces.encryption11}aes192-gcm`]: { name: 'aes-192-gcm', gcm: true },
  [`${namespaces.encryption11}aes256-gcm`]: { name: 'aes-256-gcm', gcm: true },
};

const blockBytes = 16;
const nonceBytes = 12;
const tagBytes = 16;

/**
 * @param holder what EncryptedData is in, its key in it or beside it
 * @param privateKeys PEM; each is tried
 * @returns the text, or undefined when it cannot be opened: it is not said why, so that nobody learns from trying
 */
export function decryptElement(holder: Element, privateKeys: readonly string[]): string | undefined {
  const data = descend(holder, namespaces.encryption, 'EncryptedData');
  const keys = [
    ...children(descend(data, namespaces.signature, 'KeyInfo'), namespaces.encryption, 'EncryptedKey'),
    ...children(holder, namespaces.encryption, 'EncryptedKey'),
  ];
  for (const encryptedKey of data ? keys : []) {
    for (const privateKey of privateKeys) {
      try {
        return decryptData(data, decryptKey(encryptedKey, privateKey));
      } catch {
        // Another key, or another of the provider's.
      }
    }
  }
  return undefined;
}

const cipherBytes = (element: Element | undefined) =>
  Buffer.from(textOf(descend(element, namespaces.encryption, 'CipherData', 'CipherValue')), 'base64');

function methodOf(element: Element | undefined): { readonly method: Element | undefined; readonly algorithm: string } {
  const method = descend(element, namespaces.encryption, 'EncryptionMethod');
  return { method, algorithm: attribute(method, 'Algorithm') ?? '' };
}

function decryptKey(encryptedKey: Element, privateKey: string): Buffer {
  const { method, algorithm } = methodOf(encryptedKey);
  const digest = hashOf(attribute(descend(method, namespaces.signature, 'DigestMethod'), 'Algorithm'));
  const mask = hashOf(attribute(descend(method, namespaces.encryption11, 'MGF'), 'Algorithm'));
  const known =
    algorithm === `${namespaces.encryption}rsa-oaep-mgf1p` || algorithm === `${namespaces.encryption11}rsa-oaep`;
  // node:crypto has one hash for both.
  if (!known || digest === undefined || digest !== mask) throw new Error(`a key cannot be opened with ${algorithm}`);
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  return privateDecrypt({ key: privateKey, padding, oaepHash: digest }, cipherBytes(encryptedKey));
}

/** SHA-1 where nothing is said. */
function hashOf(algorithm: string | undefined): string | undefined {
  if (algorithm === undefined) return 'sha1';
  return /(sha(?:1|256|384|512))$/.exec(algorithm)?.[1];
}

function decryptData(data: Element | undefined, key: Buffer): string {
  const { algorithm } = methodOf(data);
  const cipher = Object.hasOwn(ciphers, algorithm) ? ciphers[algorithm] : undefined;
  if (!cipher) throw new Error(`data cannot be opened with ${algorithm}`);
  const bytes = cipherBytes(data);
  return (cipher.gcm ? openGcm(cipher, key, bytes) : openCbc(cipher, key, bytes)).toString('utf8');
}

function openGcm({ name }: Cipher, key: Buffer, bytes: Buffer): Buffer {
  const decipher = createDecipheriv(name as 'aes-256-gcm', key, bytes.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]);
}

/** Only the last byte of the padding is said to be anything: how long it is. */
function openCbc({ name }: Cipher, key: Buffer, bytes: Buffer): Buffer {
  const decipher = createDecipheriv(name, key, bytes.subarray(0, blockBytes)).setAutoPadding(false);
  const padded = Buffer.concat([decipher.update(bytes.subarray(blockBytes)), decipher.final()]);
  const padding = padded.at(-1) ?? 0;
  if (padding < 1 || padding > blockBytes) throw new Error('the padding is none');
  return padded.subarray(0, -padding);
}
