// ListMultipartUploads and ListParts. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html (read 2026-11-21)
// Uploads are in the order of their keys, those of one key by age.

import type {
  Initiator,
  ListMultipartUploadsOutput,
  ListMultipartUploadsRequest,
  ListPartsOutput,
  ListPartsRequest,
} from '@aws-sdk/client-s3';
import { type Call, type Operation, operation } from '../../service.ts';
import type { UploadRow } from '../../store/rows/s3.ts';
import { onBucket, requireBucket, requireKey } from './access.ts';
import type { Algorithm } from './checksums.ts';
import { invalidArgument } from './errors.ts';
import { sortableKey } from './key-index.ts';
import { encoder } from './list.ts';
import { initiatorAccountOf, onUpload, requireUpload } from './multipart.ts';
import { canonicalUserId } from './names.ts';
import { wholeSeconds } from './objects.ts';

function byKeyThenAge(a: UploadRow, b: UploadRow): number {
  const [first, second] = [sortableKey(a.key), sortableKey(b.key)];
  if (first !== second) return first < second ? -1 : 1;
  return a.initiated < b.initiated ? -1 : a.initiated > b.initiated ? 1 : 0;
}

/** After the marker: keys above it, and with an upload id marker the younger uploads of that key. @throws InvalidArgument */
function afterMarkers(uploads: readonly UploadRow[], input: ListMultipartUploadsRequest): UploadRow[] {
  const { KeyMarker: marker, UploadIdMarker: uploadMarker } = input;
  if (!marker) return [...uploads];
  const sortedMarker = sortableKey(marker);
  const later = uploads.filter((upload) => sortableKey(upload.key) > sortedMarker);
  if (!uploadMarker) return later;
  const same = uploads.filter((upload) => upload.key === marker);
  const at = same.findIndex((upload) => upload.id === uploadMarker);
  if (at < 0) throw invalidArgument('Invalid uploadId marker', 'upload-id-marker', uploadMarker);
  return [...same.slice(at + 1), ...later];
}

/** An account by its canonical id, everyone else by ARN and name. */
function initiatorMember(upload: UploadRow): Initiator {
  const { initiator } = upload;
  if (initiator) return { ID: initiator.arn, DisplayName: initiator.name };
  return { ID: canonicalUserId(initiatorAccountOf(upload)) };
}

function listUploads(call: Call, input: ListMultipartUploadsRequest): ListMultipartUploadsOutput {
  const bucket = requireBucket(call, call.tx, input);
  const encode = encoder(input.EncodingType);
  const prefix = input.Prefix ?? '';
  const delimiter = input.Delimiter ?? '';
  const most = Math.min(input.MaxUploads ?? 1000, 1000);
  const all = call.tx
    .list('upload')
    .filter((upload) => upload.bucket === bucket.id && upload.key.startsWith(prefix))
    .sort(byKeyThenAge);
  const uploads: UploadRow[] = [];
  const prefixes = new Set<string>();
  let isTruncated = false;
  for (const upload of afterMarkers(all, input)) {
    const cut = delimiter === '' ? -1 : upload.key.indexOf(delimiter, prefix.length);
    const common = cut < 0 ? undefined : upload.key.slice(0, cut + delimiter.length);
    // A marker inside a common prefix leaves out all of it (recorded).
    if (common !== undefined && (prefixes.has(common) || input.KeyMarker?.startsWith(common))) continue;
    if (uploads.length + prefixes.size === most) {
      isTruncated = true;
      break;
    }
    if (common === undefined) uploads.push(upload);
    else prefixes.add(common);
  }
  const last = uploads.at(-1);
  const lastPrefix = [...prefixes].at(-1);
  // Recorded: the last upload is told whether there is more or not, and a page of prefixes alone ends with no marker. What S3 says where both are, is not known.
  const endsInPrefix = isTruncated && last && lastPrefix && sortableKey(lastPrefix) > sortableKey(last.key);
  return {
    Bucket: bucket.id,
    KeyMarker: encode(input.KeyMarker ?? ''),
    // Without a key it means nothing, and is not told (recorded).
    UploadIdMarker: input.KeyMarker ? (input.UploadIdMarker ?? '') : '',
    NextKeyMarker: encode(endsInPrefix ? lastPrefix : (last?.key ?? '')),
    NextUploadIdMarker: endsInPrefix ? '' : (last?.id ?? ''),
    MaxUploads: most,
    IsTruncated: isTruncated,
    ...(input.Prefix !== undefined && { Prefix: encode(input.Prefix) }),
    ...(input.Delimiter !== undefined && { Delimiter: encode(input.Delimiter) }),
    ...(input.EncodingType && { EncodingType: input.EncodingType }),
    ...(uploads.length > 0 && {
      Uploads: uploads.map((upload) => ({
        Key: encode(upload.key),
        UploadId: upload.id,
        Initiated: new Date(wholeSeconds(new Date(upload.initiated))),
        StorageClass: upload.storageClass as 'STANDARD',
        Owner: { ID: canonicalUserId(upload.accountId) },
        Initiator: initiatorMember(upload),
        ...(upload.checksumAlgorithm && { ChecksumAlgorithm: upload.checksumAlgorithm as Algorithm }),
        ...(upload.checksumType && { ChecksumType: upload.checksumType }),
      })),
    }),
    ...(prefixes.size > 0 && { CommonPrefixes: [...prefixes].map((Prefix) => ({ Prefix: encode(Prefix) })) }),
  };
}

function listParts(call: Call, input: ListPartsRequest): ListPartsOutput {
  requireBucket(call, call.tx, input);
  const key = requireKey(input);
  const upload = requireUpload(call.tx, input);
  const after = Number(input.PartNumberMarker ?? 0);
  const most = Math.min(input.MaxParts ?? 1000, 1000);
  const all = Object.entries(upload.parts)
    .map(([partNumber, part]) => ({ partNumber: Number(partNumber), part }))
    .filter(({ partNumber }) => partNumber > after)
    .sort((a, b) => a.partNumber - b.partNumber);
  const page = all.slice(0, most);
  const owner = { ID: canonicalUserId(upload.accountId) };
  const algorithm = upload.checksumAlgorithm as Algorithm | undefined;
  return {
    Bucket: upload.bucket,
    Key: key,
    UploadId: upload.id,
    PartNumberMarker: String(after),
    NextPartNumberMarker: String(page.at(-1)?.partNumber ?? 0),
    MaxParts: most,
    IsTruncated: page.length < all.length,
    StorageClass: upload.storageClass as 'STANDARD',
    Owner: owner,
    Initiator: initiatorMember(upload),
    ...(algorithm && { ChecksumAlgorithm: algorithm }),
    ...(upload.checksumType && { ChecksumType: upload.checksumType }),
    ...(page.length > 0 && {
      Parts: page.map(({ partNumber, part }) => ({
        PartNumber: partNumber,
        LastModified: new Date(part.lastModified),
        ETag: part.etag,
        Size: part.sizeBytes,
        ...(algorithm && part.checksum !== undefined && { [`Checksum${algorithm}`]: part.checksum }),
      })),
    }),
  };
}

export const uploadListOperations = {
  ListMultipartUploads: operation<ListMultipartUploadsRequest, ListMultipartUploadsOutput>({
    authorize: onBucket('s3:ListBucketMultipartUploads'),
    readOnly: true,
    run: listUploads,
  }),
  ListParts: operation<ListPartsRequest, ListPartsOutput>({
    authorize: onUpload('s3:ListMultipartUploadParts'),
    readOnly: true,
    run: listParts,
  }),
} satisfies Record<string, Operation>;
