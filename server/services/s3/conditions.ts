// Does a conditional request go ahead? RFC 9110 section 13 as S3 answers it.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html (read 2026-11-21). Entity tags outrank dates: a true If-Match
// makes If-Unmodified-Since moot, a false If-None-Match is answered whatever If-Modified-Since says. Dates have whole seconds, and an If-Modified-Since in the
// future is none.

import type { ObjectRow } from '../../store/rows/s3.ts';
import { headerNotImplemented, noSuchKey, notModified, preconditionFailed } from './errors.ts';

export interface ReadConditions {
  readonly IfMatch?: string | undefined;
  readonly IfNoneMatch?: string | undefined;
  readonly IfModifiedSince?: Date | undefined;
  readonly IfUnmodifiedSince?: Date | undefined;
}

function listsTag(header: string, etag: string): boolean {
  const own = etag.replaceAll('"', '');
  return header.split(',').some((one) => {
    const tag = one.trim().replace(/^W\//, '').replaceAll('"', '');
    return tag === '*' || tag === own;
  });
}

function seconds(date: Date | string): number {
  return Math.floor(new Date(date).getTime() / 1000);
}

function unmodifiedSince(object: ObjectRow, since: Date | undefined, now: Date): boolean {
  return since !== undefined && since <= now && seconds(object.lastModified) <= seconds(since);
}

/** @throws PreconditionFailed (412), or NotModified (304) */
export function checkRead(object: ObjectRow, conditions: ReadConditions, now: Date): void {
  const { IfMatch, IfNoneMatch, IfModifiedSince, IfUnmodifiedSince } = conditions;
  if (IfMatch !== undefined) {
    if (!listsTag(IfMatch, object.etag)) throw preconditionFailed('If-Match');
  } else if (IfUnmodifiedSince && seconds(object.lastModified) > seconds(IfUnmodifiedSince)) {
    throw preconditionFailed('If-Unmodified-Since');
  }
  const same =
    IfNoneMatch !== undefined ? listsTag(IfNoneMatch, object.etag) : unmodifiedSince(object, IfModifiedSince, now);
  if (same) throw notModified({ etag: object.etag, 'last-modified': new Date(object.lastModified).toUTCString() });
}

/** The conditions on the source of a copy: all fail with 412. @throws PreconditionFailed */
export function checkCopySource(
  object: ObjectRow,
  input: {
    readonly CopySourceIfMatch?: string | undefined;
    readonly CopySourceIfNoneMatch?: string | undefined;
    readonly CopySourceIfModifiedSince?: Date | undefined;
    readonly CopySourceIfUnmodifiedSince?: Date | undefined;
  },
  now: Date,
): void {
  const modified = seconds(object.lastModified);
  if (input.CopySourceIfMatch !== undefined) {
    if (!listsTag(input.CopySourceIfMatch, object.etag)) throw preconditionFailed('x-amz-copy-source-If-Match');
  } else if (input.CopySourceIfUnmodifiedSince && modified > seconds(input.CopySourceIfUnmodifiedSince)) {
    throw preconditionFailed('x-amz-copy-source-If-Unmodified-Since');
  }
  if (input.CopySourceIfNoneMatch !== undefined) {
    if (listsTag(input.CopySourceIfNoneMatch, object.etag)) throw preconditionFailed('x-amz-copy-source-If-None-Match');
  } else if (unmodifiedSince(object, input.CopySourceIfModifiedSince, now)) {
    throw preconditionFailed('x-amz-copy-source-If-Modified-Since');
  }
}

export interface WriteConditions {
  readonly IfMatch?: string | undefined;
  readonly IfNoneMatch?: string | undefined;
}

/** What S3 takes of the two: one at a time, `*` only for If-None-Match and nothing else there. @throws NotImplemented */
export function checkConditionForm({ IfMatch, IfNoneMatch }: WriteConditions): void {
  const unaccepted = (name: string) =>
    headerNotImplemented(name, `We don't accept the provided value of ${name} header for this API`);
  if (IfMatch !== undefined && IfNoneMatch !== undefined)
    throw headerNotImplemented('If-Match,If-None-Match', 'Multiple conditional request headers present in the request');
  if (IfNoneMatch !== undefined && IfNoneMatch !== '*') throw unaccepted('If-None-Match');
  if (IfMatch === '*') throw unaccepted('If-Match');
}

/**
 * The conditions on what a write replaces: `If-None-Match: *` and `If-Match: ETAG`.
 * @param existing the current version; a key that a delete marker hides has none
 * @throws PreconditionFailed, NoSuchKey (If-Match and there is nothing), NotImplemented (another form)
 */
export function checkWrite(existing: ObjectRow | undefined, key: string, conditions: WriteConditions): void {
  const { IfMatch, IfNoneMatch } = conditions;
  if (IfMatch === undefined && IfNoneMatch === undefined) return;
  checkConditionForm(conditions);
  if (IfNoneMatch !== undefined && existing) throw preconditionFailed('If-None-Match');
  if (IfMatch === undefined) return;
  if (!existing) throw noSuchKey(key);
  if (!listsTag(IfMatch, existing.etag)) throw preconditionFailed('If-Match');
}

/** A delete takes `If-Match: *` too: then it only wants something to be there. @throws PreconditionFailed, NoSuchKey */
export function checkDelete(existing: ObjectRow | undefined, key: string, IfMatch: string | undefined): void {
  if (IfMatch === undefined) return;
  if (!existing) throw noSuchKey(key);
  if (!listsTag(IfMatch, existing.etag)) throw preconditionFailed('If-Match');
}
