// S3's requests in CloudTrail's records: bucket, key and host, then what the query, the headers and the body say, by their names on the wire.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-understanding-s3-entries.html (read 2026-11-22)

import type { Member, OperationModel, Shape, StructureShape } from '../catalogue/shapes.ts';
import { isSecret, lowerFirst, scalar, type Values } from './record-values.ts';

export function s3Request(operation: OperationModel, input: Values, host: string | undefined): Values {
  const told: Record<string, unknown> = {};
  for (const member of operation.input?.members ?? []) {
    const value = input[member.name];
    if (value === undefined || value === null || isSecret(member)) continue;
    add(told, member, value);
  }
  if (host !== undefined) told['Host'] = host;
  // `?policy`: the sub-resource that was asked for.
  const sub = /\?([\w-]+)$/.exec(operation.http?.uri ?? '')?.[1];
  if (sub !== undefined) told[sub] = '';
  return told;
}

function add(told: Record<string, unknown>, member: Member, value: unknown): void {
  const { httpLabel, httpQuery, httpHeader, httpPayload, streaming } = member.traits;
  if (member.name === 'Bucket') told['bucketName'] = value;
  else if (member.name === 'Key') told['key'] = value;
  else if (streaming) return;
  else if (httpLabel) told[lowerFirst(member.name)] = value;
  else if (httpQuery !== undefined) told[httpQuery] = scalar(value);
  else if (httpHeader !== undefined) {
    // Checksums and lengths of the body are the transport's.
    if (/^x-amz-(?!checksum|sdk)/i.test(httpHeader)) told[httpHeader.toLowerCase()] = scalar(value);
  } else if (httpPayload) told[nameOf(member)] = payload(member, value);
}

const nameOf = (member: Member) =>
  member.name === 'Policy' ? 'bucketPolicy' : (member.ownTraits.xmlName ?? member.name);

/** A policy is told as the JSON that it is. */
function payload(member: Member, value: unknown): unknown {
  if (typeof value !== 'string') return plain(member.shape, value);
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function plain(shape: Shape, value: unknown): unknown {
  if (shape.kind === 'structure' || shape.kind === 'union') return structure(shape, value as Values);
  if (shape.kind === 'list') return (value as readonly unknown[]).map((one) => plain(shape.member.shape, one));
  return value instanceof Date ? value.toISOString() : scalar(value);
}

function structure(shape: StructureShape, values: Values): Values {
  const told: Record<string, unknown> = {};
  for (const member of shape.members) {
    const value = values[member.name];
    if (value === undefined || value === null || isSecret(member)) continue;
    told[member.ownTraits.xmlName ?? member.name] = plain(member.shape, value);
  }
  return told;
}
