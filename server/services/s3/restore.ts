// RestoreObject: an archived object can be read for some days. It is restored at once, where S3 takes minutes to hours.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html (read 2026-11-21). Select requests are refused.

import type { RestoreObjectOutput, RestoreObjectRequest } from '@aws-sdk/client-s3';
import { type Call, type Operation, operation } from '../../service.ts';
import type { ObjectRow } from '../../store/rows/s3.ts';
import { onObject } from './access.ts';
import { invalidObjectState, malformedXml, notImplemented } from './errors.ts';
import { dueAfter } from './lifecycle-rules.ts';
import { isArchived } from './metadata.ts';
import { existingTags, requireObject } from './reads.ts';
import { updateVersion } from './versions.ts';

/** Whether the bytes may be read. */
export function isReadable(object: ObjectRow, now: Date): boolean {
  return (
    !isArchived(object.storageClass) || (object.restoredUntil !== undefined && new Date(object.restoredUntil) > now)
  );
}

/** The header `x-amz-restore`. */
export function restoreMember(object: ObjectRow, now: Date): { Restore?: string } {
  const { restoredUntil: until } = object;
  if (until === undefined || new Date(until) <= now) return {};
  return { Restore: `ongoing-request="false", expiry-date="${new Date(until).toUTCString()}"` };
}

function restore(call: Call, input: RestoreObjectRequest): RestoreObjectOutput {
  const object = requireObject(call, call.tx, input, 'refused');
  const { Days: days, Type, SelectParameters, GlacierJobParameters, Tier } = input.RestoreRequest ?? {};
  if (Type !== undefined || SelectParameters !== undefined) throw notImplemented('RestoreObject with SelectParameters');
  if (!isArchived(object.storageClass)) throw invalidObjectState(object.storageClass);
  if (days === undefined || !Number.isInteger(days) || days < 1) throw malformedXml();
  if (!/^(Standard|Bulk|Expedited)$/.test(GlacierJobParameters?.Tier ?? Tier ?? 'Standard')) throw malformedXml();
  updateVersion(call.tx, { ...object, restoredUntil: dueAfter(call.now.toISOString(), days).toISOString() });
  return {};
}

export const restoreOperations = {
  RestoreObject: operation<RestoreObjectRequest, RestoreObjectOutput>({
    authorize: onObject('s3:RestoreObject', existingTags),
    run: restore,
  }),
} satisfies Record<string, Operation>;
