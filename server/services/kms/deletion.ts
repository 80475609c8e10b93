// The end of keys: after their days of waiting, those of a primary key after its last replica.
// https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html and multi-region-keys-delete.html there (read 2026-11-21)

import type * as SDK from '@aws-sdk/client-kms';
import { AwsError } from '../../errors.ts';
import { isGone, isPendingDeletion, isPrimary, pendingDeletion } from '../../kms-keys.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { KmsKeyRow } from '../../store/rows/kms.ts';
import { changeableKey, onKey } from './access.ts';
import { validationError } from './errors.ts';
import { forgetExpired } from './imports.ts';
import { relatedKeys } from './related-keys.ts';

const dayMs = 24 * 3600 * 1000;

/** The material of a key goes with its row, on the day that was said or at the next call that writes. */
export function removeThoseGone(call: Call): void {
  for (const key of call.tx.list('kms-key')) {
    if (!isGone(key, call.now)) {
      forgetExpired(call, key);
      continue;
    }
    for (const alias of call.tx.list('kms-alias', { accountId: key.accountId }))
      if (alias.keyArn === key.id) call.tx.delete('kms-alias', alias.id);
    for (const grant of call.tx.list('kms-grant', { accountId: key.accountId }))
      if (grant.keyArn === key.id) call.tx.delete('kms-grant', grant.id);
    call.tx.delete('kms-key', key.id);
  }
}

function scheduleDeletion(call: Call, input: SDK.ScheduleKeyDeletionRequest): SDK.ScheduleKeyDeletionResponse {
  const days = input.PendingWindowInDays ?? 30;
  const key = changeableKey(call, input);
  if (days < 7 || days > 30)
    throw validationError(
      days < 7
        ? `Value '${days}' at 'pendingWindowInDays' failed to satisfy constraint: Member must have value greater than or equal to 7`
        : `Value '${days}' at 'pendingWindowInDays' failed to satisfy constraint: Member must have value less than or equal to 30`,
    );
  if (isPendingDeletion(key)) throw pendingDeletion(key);
  if (isPrimary(key) && relatedKeys(call.tx, key, call.now).length > 0) {
    const waiting = { ...key, enabled: false, replicaWindowDays: days };
    call.tx.put('kms-key', waiting);
    settlePrimary(call, waiting);
    return { KeyId: key.id, KeyState: 'PendingReplicaDeletion', PendingWindowInDays: days };
  }
  const deletionDate = new Date(call.now.getTime() + days * dayMs);
  call.tx.put('kms-key', { ...key, enabled: false, deletionDate: deletionDate.toISOString() });
  settlePrimary(call, key);
  return { KeyId: key.id, DeletionDate: deletionDate, KeyState: 'PendingDeletion', PendingWindowInDays: days };
}

function cancelDeletion(call: Call, input: SDK.CancelKeyDeletionRequest): SDK.CancelKeyDeletionResponse {
  const pending = changeableKey(call, input);
  if (!isPendingDeletion(pending))
    throw new AwsError('KMSInvalidStateException', 400, `${pending.id} is not pending deletion.`);
  const { deletionDate: _, replicaWindowDays: __, ...key } = pending;
  call.tx.put('kms-key', key);
  settlePrimary(call, key);
  return { KeyId: key.id };
}

/** A primary key's own days begin when the last of its replicas is gone, so its date is known when theirs are. */
function settlePrimary(call: Call, changed: KmsKeyRow): void {
  const { tx, now } = call;
  const all = [changed, ...relatedKeys(tx, changed, now)].map(({ id }) => tx.get('kms-key', id));
  const primary = all.find((key) => key && isPrimary(key));
  if (primary?.replicaWindowDays === undefined) return;
  const dates = all.flatMap((key) => (key && key.id !== primary.id ? [key.deletionDate] : []));
  const { deletionDate: _, ...rest } = primary;
  const last = dates.every((date) => date !== undefined) ? dates.sort().at(-1) : undefined;
  const end = last === undefined ? undefined : new Date(new Date(last).getTime() + primary.replicaWindowDays * dayMs);
  tx.put('kms-key', { ...rest, ...(end && { deletionDate: end.toISOString() }) });
}

/** Whether a primary key is to be deleted, and has a replica still. */
export function waitsForReplicas({ deletionDate, replicaWindowDays: days }: KmsKeyRow, now: Date): boolean {
  if (days === undefined) return false;
  return deletionDate === undefined || new Date(deletionDate).getTime() - days * dayMs > now.getTime();
}

export const deletionOperations = {
  ScheduleKeyDeletion: operation({ authorize: onKey('kms:ScheduleKeyDeletion'), run: scheduleDeletion }),
  CancelKeyDeletion: operation({ authorize: onKey('kms:CancelKeyDeletion'), run: cancelDeletion }),
} satisfies Record<string, Operation>;
