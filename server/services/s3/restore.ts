// RestoreObject: an archived object can be read for some days, some time after it was asked for. https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html
// and …/userguide/restoring-objects-retrieval-options.html (read 2026-11-21). What takes S3 an hour takes a second here. Select requests are refused.

import type { RestoreObjectOutput, RestoreObjectRequest, RestoreStatus } from '@aws-sdk/client-s3';
import { answerStatus, type Call, type Operation, operation } from '../../service.ts';
import type { ObjectRow } from '../../store/rows/s3.ts';
import { onObject } from './access.ts';
import { invalidArgument, invalidObjectState, malformedXml, notImplemented, restoreInProgress } from './errors.ts';
import { dueAfter } from './lifecycle-rules.ts';
import { isArchived } from './metadata.ts';
import { existingTags, requireObject } from './reads.ts';
import { updateVersion } from './versions.ts';

/** Hours at S3, the longest that it says. */
const hoursOf: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  GLACIER: { Expedited: 1, Standard: 5, Bulk: 12 },
  DEEP_ARCHIVE: { Standard: 12, Bulk: 48 },
};
const hourMs = 1000;

/** Asked for, and not there yet. */
function isOngoing({ restoreReadyAt: at }: ObjectRow, now: Date): boolean {
  return at !== undefined && new Date(at) > now;
}

function isRestored(object: ObjectRow, now: Date): boolean {
  return object.restoredUntil !== undefined && new Date(object.restoredUntil) > now && !isOngoing(object, now);
}

/** Whether the bytes may be read. */
export function isReadable(object: ObjectRow, now: Date): boolean {
  return !isArchived(object.storageClass) || isRestored(object, now);
}

/** The header `x-amz-restore`. */
export function restoreMember(object: ObjectRow, now: Date): { Restore?: string } {
  if (isOngoing(object, now)) return { Restore: 'ongoing-request="true"' };
  const { restoredUntil: until } = object;
  if (until === undefined || !isRestored(object, now)) return {};
  return { Restore: `ongoing-request="false", expiry-date="${new Date(until).toUTCString()}"` };
}

/** The same as listings tell it, which are asked for it. */
export function restoreStatus(object: ObjectRow, now: Date): { RestoreStatus?: RestoreStatus } {
  if (isOngoing(object, now)) return { RestoreStatus: { IsRestoreInProgress: true } };
  const { restoredUntil: until } = object;
  if (until === undefined || !isRestored(object, now)) return {};
  return { RestoreStatus: { IsRestoreInProgress: false, RestoreExpiryDate: new Date(until) } };
}

/** @returns with 202 where it was begun, 200 where it was there and is kept for other days */
function restore(call: Call, input: RestoreObjectRequest): RestoreObjectOutput & { [answerStatus]: number } {
  const object = requireObject(call, call.tx, input, 'refused');
  const { Days: days, Type, SelectParameters, GlacierJobParameters, Tier } = input.RestoreRequest ?? {};
  if (Type !== undefined || SelectParameters !== undefined) throw notImplemented('RestoreObject with SelectParameters');
  if (!isArchived(object.storageClass)) throw invalidObjectState(object.storageClass);
  if (days === undefined || !Number.isInteger(days) || days < 1) throw malformedXml();
  const tier = GlacierJobParameters?.Tier ?? Tier ?? 'Standard';
  if (!/^(Standard|Bulk|Expedited)$/.test(tier)) throw malformedXml();
  const hours = hoursOf[object.storageClass]?.[tier];
  if (hours === undefined)
    throw invalidArgument('Retrieval option is not supported by this storage class', 'Tier', tier);
  if (isOngoing(object, call.now)) throw restoreInProgress();
  const restoredUntil = dueAfter(call.now.toISOString(), days).toISOString();
  if (isRestored(object, call.now)) {
    updateVersion(call.tx, { ...object, restoredUntil });
    return { [answerStatus]: 200 };
  }
  const restoreReadyAt = new Date(call.now.getTime() + hours * hourMs).toISOString();
  updateVersion(call.tx, { ...object, restoredUntil, restoreReadyAt });
  return { [answerStatus]: 202 };
}

export const restoreOperations = {
  RestoreObject: operation<RestoreObjectRequest, RestoreObjectOutput>({
    authorize: onObject('s3:RestoreObject', existingTags),
    run: restore,
  }),
} satisfies Record<string, Operation>;
