// Which bytes does a read ask for? `Range` and `partNumber`.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (read 2026-11-21). One range only: several, or one that is not
// understood, are answered with the whole object, as S3 does (RFC 9110 allows it).

import type { ObjectRow } from '../../store/rows/s3.ts';
import type { Piece } from './blobs.ts';
import { invalidArgument, invalidPartNumber, invalidRange, invalidRequest } from './errors.ts';

/** `end` is one past the last byte. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
  /** False: the whole object was asked for, status 200. */
  readonly partial: boolean;
  readonly partsCount?: number;
}

/** @throws InvalidRange, InvalidPartNumber, InvalidRequest (both given) */
export function stretchOf(object: ObjectRow, range: string | undefined, partNumber: number | undefined): Stretch {
  if (range !== undefined && partNumber !== undefined)
    throw invalidRequest('Cannot specify both Range header and partNumber query parameter');
  if (partNumber !== undefined) return stretchOfPart(object, checkPartNumber(partNumber));
  const whole = { start: 0, end: object.sizeBytes, partial: false };
  return range === undefined ? whole : (parseRange(range, object.sizeBytes) ?? whole);
}

function parseRange(range: string, sizeBytes: number): Stretch | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(range.trim());
  if (!match) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const length = Math.min(Number(last), sizeBytes);
    if (length === 0) throw invalidRange(range, sizeBytes);
    return { start: sizeBytes - length, end: sizeBytes, partial: true };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return undefined;
  if (start >= sizeBytes) throw invalidRange(range, sizeBytes);
  return { start, end: last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes), partial: true };
}

function stretchOfPart(object: ObjectRow, partNumber: number): Stretch {
  const sizes = object.partSizes ?? [object.sizeBytes];
  const size = sizes[partNumber - 1];
  if (size === undefined) throw invalidPartNumber(partNumber, sizes.length);
  let start = 0;
  for (const before of sizes.slice(0, partNumber - 1)) start += before;
  const partsCount = object.partSizes && { partsCount: sizes.length };
  // An empty object has no first byte, so there is no range to speak of.
  return { start, end: start + size, partial: size > 0, ...partsCount };
}

export function contentRange(stretch: Stretch, sizeBytes: number): string {
  return `bytes ${stretch.start}-${stretch.end - 1}/${sizeBytes}`;
}

/** The files that hold a stretch of an object. */
export function piecesOf(object: ObjectRow, start: number, end: number): Piece[] {
  if (!object.partBlobIds || !object.partSizes) return [{ blobId: object.blobId, start, end }];
  const pieces: Piece[] = [];
  let offset = 0;
  for (const [index, blobId] of object.partBlobIds.entries()) {
    const size = object.partSizes[index] ?? 0;
    const from = Math.max(start - offset, 0);
    const to = Math.min(end - offset, size);
    if (from < to) pieces.push({ blobId, start: from, end: to });
    offset += size;
  }
  return pieces;
}

/** @throws InvalidArgument outside 1–10,000 */
export function checkPartNumber(partNumber: number | undefined): number {
  if (partNumber === undefined || !Number.isInteger(partNumber) || partNumber < 1 || partNumber > 10_000)
    throw invalidArgument(
      'Part number must be an integer between 1 and 10000, inclusive',
      'partNumber',
      String(partNumber),
    );
  return partNumber;
}
