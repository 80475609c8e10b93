// Does a conditional request go ahead? RFC 9110 section 13 as S3 answers it.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html (read 2026-11-21). Entity tags outrank dates: a true If-Match
// makes If-Unmodified-Since moot, a false If-None-Match is answered whatever If-Modified-Since says. Dates have whole seconds.

import type { ObjectRow } from '../../store/rows/s3.ts';
import { noSuchKey, notImplemented, notModified, preconditionFailed } from './errors.ts';

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

/** @throws PreconditionFailed (412), or NotModified (304) */
export function checkRead(object: ObjectRow, conditions: ReadConditions): void {
  const { IfMatch, IfNoneMatch, IfModifiedSince, IfUnmodifiedSince } = conditions;
  const modified = seconds(object.lastModified);
  if (IfMatch !== undefined) {
    if (!listsTag(IfMatch, object.etag)) throw preconditionFailed('If-Match');
  } else if (IfUnmodifiedSince && modified > seconds(IfUnmodifiedSince)) {
    throw preconditionFailed('If-Unmodified-Since');
  }
  const same =
    IfNoneMatch !== undefined
      ? listsTag(IfNoneMatch, object.etag)
      : IfModifiedSince !== undefined && modified <= seconds(IfModifiedSince);
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
): void {
  const modified = seconds(object.lastModified);
  if (input.CopySourceIfMatch !== undefined) {
    if (!listsTag(input.CopySourceIfMatch, object.etag)) throw preconditionFailed('x-amz-copy-source-If-Match');
  } else if (input.CopySourceIfUnmodifiedSince && modified > seconds(input.CopySourceIfUnmodifiedSince)) {
    throw preconditionFailed('x-amz-copy-source-If-Unmodified-Since');
  }
  if (input.CopySourceIfNoneMatch !== undefined) {
    if (listsTag(input.CopySourceIfNoneMatch, object.etag)) throw preconditionFailed('x-amz-copy-source-If-None-Match');
  } else if (input.CopySourceIfModifiedSince && modified <= seconds(input.CopySourceIfModifiedSince)) {
    throw preconditionFailed('x-amz-copy-source-If-Modified-Since');
  }
}

/**
 * The conditions on what a write replaces: `If-None-Match: *` and `If-Match: ETAG`.
 * @throws PreconditionFailed, NoSuchKey (If-Match and there is nothing), NotImplemented (If-None-Match with a tag)
 */
export function checkWrite(
  existing: ObjectRow | undefined,
  key: string,
  conditions: { readonly IfMatch?: string | undefined; readonly IfNoneMatch?: string | undefined },
): void {
  const { IfMatch, IfNoneMatch } = conditions;
  if (IfNoneMatch !== undefined) {
    if (IfNoneMatch !== '*') throw notImplemented('If-None-Match');
    if (existing) throw preconditionFailed('If-None-Match');
  }
  if (IfMatch === undefined) return;
  if (!existing) throw noSuchKey(key);
  if (!listsTag(IfMatch, existing.etag)) throw preconditionFailed('If-Match');
}
