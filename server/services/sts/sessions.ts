// What is a session? A row like any access key's, with a token and a time when it ends.
// Rows of ended sessions are kept for a day, so that their use is answered ExpiredToken rather than InvalidClientTokenId; then whoever makes a session removes them.

import type { Credentials } from '@aws-sdk/client-sts';
import { newAccessKeyId, newSecretAccessKey, newSessionToken } from '../../identities.ts';
import type { AccessKeyRow } from '../../store/rows/iam.ts';
import type { Transaction } from '../../store/store.ts';

const keptAfterExpiryMs = 24 * 60 * 60 * 1000;

/** A temporary key's row: what any key has, and the two that make it temporary. */
export type SessionRow = AccessKeyRow & { sessionToken: string; expiration: string };

/** Makes a session and keeps it. */
export function startSession(
  tx: Transaction,
  accountId: string,
  owner: AccessKeyRow['owner'],
  now: Date,
  durationSeconds: number,
): SessionRow {
  removeEndedSessions(tx, now);
  const row: SessionRow = {
    id: newAccessKeyId('ASIA'),
    accountId,
    region: 'global',
    secretAccessKey: newSecretAccessKey(),
    status: 'Active',
    createDate: now.toISOString(),
    owner,
    sessionToken: newSessionToken(),
    // AWS's times end on a second.
    expiration: new Date(Math.floor(now.getTime() / 1000 + durationSeconds) * 1000).toISOString(),
  };
  tx.put('access-key', row);
  return row;
}

const sweepEveryMs = 60_000;
let sweptAtMs = 0;

/** Once in a while: it looks at every key. */
function removeEndedSessions(tx: Transaction, now: Date): void {
  if (Math.abs(now.getTime() - sweptAtMs) < sweepEveryMs) return;
  sweptAtMs = now.getTime();
  const before = new Date(now.getTime() - keptAfterExpiryMs).toISOString();
  for (const { id, expiration } of tx.list('access-key')) {
    if (expiration !== undefined && expiration < before) tx.delete('access-key', id);
  }
}

export function describeCredentials(row: SessionRow): Credentials {
  return {
    AccessKeyId: row.id,
    SecretAccessKey: row.secretAccessKey,
    SessionToken: row.sessionToken,
    Expiration: new Date(row.expiration),
  };
}
