// What makes a temporary key? Its token alone: it says whose session it is and until when, signed with a key of this cloud, and the secret follows from
// the access key id and the same key. So a session costs no row and no commit, it lasts over a restart, and a reset, which makes another key, ends
// all of them (docs/decisions/0027). What has to be found without its token is a row beside the long-term keys: the sessions of GetSessionToken, which
// follow their user, and the set that an instance was given.

import { timingSafeEqual } from 'node:crypto';
import { hmacHex } from './edge/edge.ts';
import { newAccessKeyId } from './identities.ts';
import { fewRandomBytes } from './store/randomness.ts';
import type { AccessKeyRow, SessionKeyRow } from './store/rows/iam.ts';
import type { Transaction } from './store/store.ts';

/** What a temporary key has besides what any key has. */
export type SessionRow = AccessKeyRow & { sessionToken: string; expiration: string };

/** What a token says. */
type Facts = Pick<SessionRow, 'accountId' | 'createDate' | 'expiration' | 'owner'>;

// AWS's tokens begin with this too. 64 hex digits of the signature follow, then what is signed.
const beginning = 'IQoJb3JpZ2luX2Vj';
const signatureEnd = beginning.length + 64;
const theKey = { id: 'sessions', accountId: 'none', region: 'global' };
/** 30 bytes are the 40 characters that a secret key has. */
const secretDigits = 60;

const bytesOf = new WeakMap<SessionKeyRow, Buffer>();

function keyBytes(key: SessionKeyRow): Buffer {
  let bytes = bytesOf.get(key);
  if (!bytes) {
    bytes = Buffer.from(key.key, 'hex');
    bytesOf.set(key, bytes);
  }
  return bytes;
}

/** Made with the first session, so that whoever was answered finds it on disk. */
function ensureKey(tx: Transaction): SessionKeyRow {
  const before = tx.get('session-key', theKey.id);
  if (before) return before;
  const made = { ...theKey, key: fewRandomBytes(32).toString('hex') };
  tx.put('session-key', made);
  return made;
}

/**
 * Makes a session; nothing is kept of it but in memory.
 * @param leastTokenBytes how long its token must be at least (MinimumSessionTokenSize); spaces behind what it says make it so
 */
export function signSession(tx: Transaction, facts: Facts, leastTokenBytes = 0): SessionRow {
  const key = ensureKey(tx);
  const id = newAccessKeyId('ASIA');
  const text = Buffer.from(JSON.stringify(facts));
  const missingBytes = Math.ceil(((leastTokenBytes - signatureEnd) * 3) / 4) - text.length;
  const padded = missingBytes > 0 ? Buffer.concat([text, Buffer.alloc(missingBytes, ' ')]) : text;
  const said = padded.toString('base64');
  const session = sessionOf(key, id, facts, `${beginning}${signatureOf(key, id, said)}${said}`);
  remember(key, session);
  return session;
}

function signatureOf(key: SessionKeyRow, id: string, said: string): string {
  return hmacHex(keyBytes(key), `token ${id} ${said}`);
}

function sessionOf(key: SessionKeyRow, id: string, facts: Facts, sessionToken: string): SessionRow {
  const secret = hmacHex(keyBytes(key), `secret ${id}`).slice(0, secretDigits);
  const { accountId, createDate, expiration, owner } = facts;
  return {
    id,
    accountId,
    region: 'global',
    secretAccessKey: Buffer.from(secret, 'hex').toString('base64'),
    status: 'Active',
    createDate,
    owner,
    sessionToken,
    expiration,
  };
}

/** Those that were made or used last: a session is used often. */
const remembered = new Map<string, { readonly under: SessionKeyRow; readonly session: SessionRow }>();
const mostRemembered = 4096;

function remember(under: SessionKeyRow, session: SessionRow): void {
  if (remembered.size >= mostRemembered) {
    // A Map keeps the order of insertion.
    const oldest = remembered.keys().next();
    if (!oldest.done) remembered.delete(oldest.value);
  }
  remembered.set(session.id, { under, session });
}

/**
 * The key that a request says it is signed with. A session is what its token says; whether it has ended is the caller's to ask.
 * @returns undefined when there is no such key, or the token is not one of this cloud for it
 */
export function presentedKey(
  tx: Transaction,
  accessKeyId: string,
  token: string | undefined,
): AccessKeyRow | undefined {
  const row = tx.get('access-key', accessKeyId);
  if (row || !token?.startsWith(beginning)) return row;
  const key = tx.get('session-key', theKey.id);
  if (!key) return undefined;
  const known = knownSession(tx, accessKeyId);
  if (known?.sessionToken === token) return known;
  const said = token.slice(signatureEnd);
  const given = Buffer.from(token.slice(beginning.length, signatureEnd));
  const expected = Buffer.from(signatureOf(key, accessKeyId, said));
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  const facts = JSON.parse(Buffer.from(said, 'base64').toString()) as Facts;
  const session = sessionOf(key, accessKeyId, facts, token);
  remember(key, session);
  return session;
}

function knownSession(tx: Transaction, accessKeyId: string): SessionRow | undefined {
  const known = remembered.get(accessKeyId);
  return known && known.under === tx.get('session-key', theKey.id) ? known.session : undefined;
}

/** A key by its id alone, to tell whose it is: also a session, if it is among those that were made or used last. Never to let somebody in. */
export function keyNamed(tx: Transaction, accessKeyId: string): AccessKeyRow | undefined {
  return tx.get('access-key', accessKeyId) ?? knownSession(tx, accessKeyId);
}
