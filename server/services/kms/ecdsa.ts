// ECDSA over a digest that the caller has made (FIPS 186-5, section 6.4): node:crypto signs messages only, and hashes them itself. The arithmetic of the curve is OpenSSL's, by ECDH's
// "public key of a number"; what is left is one equation modulo the curve's order. Whoever verifies here has the private key too, which makes that one multiplication as well.
// Not in constant time: these keys protect nothing from who runs the machine.
// The library for it (@noble/curves) would cost 50 ms at start, and 0.3 s of the event loop at the first signature with P-521.

import { createECDH, type KeyObject } from 'node:crypto';
import { integer, sequence } from '../../front-door/der.ts';
import type { Curve } from './key-specs.ts';

/** The number of points. https://www.secg.org/sec2-v2.pdf */
const orders: Readonly<Record<Curve, bigint>> = {
  prime256v1: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  secp384r1: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  secp521r1:
    0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
  secp256k1: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
};

const numberOf = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`);

const bitsOf = (number: bigint) => number.toString(2).length;

function bytesOf(number: bigint, curve: Curve): Buffer {
  const sizeBytes = Math.ceil(bitsOf(orders[curve]) / 8);
  return Buffer.from(number.toString(16).padStart(2 * sizeBytes, '0'), 'hex');
}

/** By Euclid. @param number not a multiple of the order, which is prime */
function inverse(number: bigint, order: bigint): bigint {
  let [a, b, x, y] = [number, order, 1n, 0n];
  while (b > 0n) [a, b, x, y] = [b, a % b, y, x - (a / b) * y];
  return ((x % order) + order) % order;
}

/** As many of its first bits as the order has. */
function numberOfDigest(digest: Uint8Array, order: bigint): bigint {
  const spare = digest.length * 8 - bitsOf(order);
  return spare > 0 ? numberOf(digest) >> BigInt(spare) : numberOf(digest);
}

function secretOf(key: KeyObject): bigint {
  return numberOf(Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url'));
}

/** The first coordinate of a public key in its plain form: a byte, and the two coordinates. */
function firstCoordinate(point: Uint8Array): bigint {
  return numberOf(point.subarray(1, (point.length + 1) / 2));
}

/** @returns DER, as OpenSSL and AWS write it */
export function signDigest(curve: Curve, key: KeyObject, digest: Uint8Array): Buffer {
  const order = orders[curve];
  for (;;) {
    const ecdh = createECDH(curve);
    const r = firstCoordinate(ecdh.generateKeys()) % order;
    const once = numberOf(ecdh.getPrivateKey());
    const s = (inverse(once, order) * (numberOfDigest(digest, order) + r * secretOf(key))) % order;
    if (r > 0n && s > 0n) return sequence(integer(bytesOf(r, curve)), integer(bytesOf(s, curve)));
  }
}

/** @param key the private one */
export function verifiesDigest(curve: Curve, key: KeyObject, digest: Uint8Array, signature: Uint8Array): boolean {
  const order = orders[curve];
  const [r, s] = readNumbers(signature) ?? [0n, 0n];
  if (r < 1n || r >= order || s < 1n || s >= order) return false;
  const multiple = (inverse(s, order) * (numberOfDigest(digest, order) + r * secretOf(key))) % order;
  if (multiple === 0n) return false;
  const ecdh = createECDH(curve);
  ecdh.setPrivateKey(bytesOf(multiple, curve));
  return firstCoordinate(ecdh.getPublicKey()) % order === r;
}

/** A sequence of two integers in DER, written in the one way that there is. */
function readNumbers(signature: Uint8Array): [bigint, bigint] | undefined {
  const bytes = Buffer.from(signature);
  let at = bytes[1] === 0x81 ? 3 : 2;
  const numbers: bigint[] = [];
  for (let count = 0; count < 2; count += 1) {
    const length = bytes[at + 1] ?? 0;
    numbers.push(numberOf(bytes.subarray(at + 2, at + 2 + length)));
    at += 2 + length;
  }
  const [r = 0n, s = 0n] = numbers;
  const plain = (number: bigint) => integer(Buffer.from(evenHex(number), 'hex'));
  return sequence(plain(r), plain(s)).equals(bytes) ? [r, s] : undefined;
}

function evenHex(number: bigint): string {
  const hex = number.toString(16);
  return hex.length % 2 === 0 ? hex : `0${hex}`;
}
