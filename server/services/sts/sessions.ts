// Making a session: one that is its token alone, or one that is kept, as a row like any access key's (server/sessions.ts).
// Rows of ended sessions stay for a day, so that their use is answered ExpiredToken rather than InvalidClientTokenId; then whoever keeps another removes them.

import { randomBytes } from 'node:crypto';
import type { Credentials } from '@aws-sdk/client-sts';
import { newAccessKeyId, newSecretAccessKey, newSessionToken } from '../../identities.ts';
import { type SessionRow, signSession } from '../../sessions.ts';
import type { AccessKeyRow } from '../../store/rows/iam.ts';
import type { Transaction } from '../../store/store.ts';
import { constraints } from './session-inputs.ts';

const keptAfterExpiryMs = 24 * 60 * 60 * 1000;

/** How long a session's token must be at least. @throws AwsError ValidationError */
export function checkedTokenSize(size: number | undefined): number {
  constraints().range('minimumSessionTokenSize', size, 0, 4096).done();
  return size ?? 0;
}

/** Makes a session that its holder alone keeps: nothing is written. */
export function startSession(
  tx: Transaction,
  accountId: string,
  owner: AccessKeyRow['owner'],
  now: Date,
  durationSeconds: number,
  leastTokenBytes = 0,
): SessionRow {
  return signSession(tx, { accountId, ...times(now, durationSeconds), owner }, leastTokenBytes);
}

/** Makes a session that has to be found without its token. */
export function keepSession(
  tx: Transaction,
  accountId: string,
  owner: AccessKeyRow['owner'],
  now: Date,
  durationSeconds: number,
  leastTokenBytes = 0,
): SessionRow {
  removeEndedSessions(tx, now);
  const row: SessionRow = {
    id: newAccessKeyId('ASIA'),
    accountId,
    region: 'global',
    secretAccessKey: newSecretAccessKey(),
    status: 'Active',
    ...times(now, durationSeconds),
    owner,
    sessionToken: lengthened(newSessionToken(), leastTokenBytes),
  };
  tx.put('access-key', row);
  return row;
}

function times(now: Date, durationSeconds: number): Pick<SessionRow, 'createDate' | 'expiration'> {
  return {
    createDate: now.toISOString(),
    // AWS's times end on a second.
    expiration: new Date(Math.floor(now.getTime() / 1000 + durationSeconds) * 1000).toISOString(),
  };
}

/** What is added is as random as the token: nothing about its form is promised. */
function lengthened(token: string, leastBytes: number): string {
  const missing = leastBytes - token.length;
  return missing <= 0 ? token : token + randomBytes(missing).toString('base64url').slice(0, missing);
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
