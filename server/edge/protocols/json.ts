// JSON of the three JSON protocols, both ways, by the shapes. https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html (read 2026-11-21).
// Unknown members are ignored, as AWS's servers ignore them; a wrong type is SerializationException in their words.

import type { Member, Shape, StructureShape, TimestampFormat } from '../../catalogue/shapes.ts';
import type { AwsError } from '../../errors.ts';
import { malformedJson, missingParameter, wrongType } from '../refusals.ts';
import { define } from './query-read.ts';
import { formatTimestamp, parseBase64, parseTimestamp } from './scalars.ts';
import { isOutsideBody } from './xml-write.ts';

/** @throws AwsError SerializationException when the bytes are no JSON object */
export function parseJson(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    value = text.trim() === '' ? {} : JSON.parse(text);
  } catch {
    throw malformedJson('The request body is not valid JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformedJson('Start of structure or map found where not expected.');
  return value as Record<string, unknown>;
}

/** What a service says of a required member that is absent. */
type Missing = (path: string) => AwsError;

const missingMember: Missing = (path) => missingParameter('aws-json-1.1', path);

/**
 * Reads a structure.
 * @param isMessage true for the input of a REST operation: its bound members are not in the body
 */
export function readJsonStructure(
  shape: StructureShape,
  value: unknown,
  path: string,
  isMessage = false,
  missing: Missing = missingMember,
): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrongType('aws-json-1.1', path, kindOf(value), 'Structure');
  const fields = value as Record<string, unknown>;
  const output: Record<string, unknown> = {};
  for (const member of shape.members) {
    if (isMessage && isOutsideBody(member)) continue;
    const name = member.traits.jsonName ?? member.name;
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field !== undefined && field !== null)
      output[member.name] = readValue(member, field, path === '' ? name : `${path}.${name}`, missing);
    else if (member.required) throw missing(path === '' ? name : `${path}.${name}`);
  }
  return output;
}

/** What AWS's parser calls the token that it met. */
function kindOf(value: unknown): string {
  if (typeof value === 'string') return 'STRING_VALUE';
  if (typeof value === 'number') return Number.isInteger(value) ? 'NUMBER_VALUE' : 'DECIMAL_VALUE';
  if (typeof value === 'boolean') return value ? 'TRUE_VALUE' : 'FALSE_VALUE';
  return Array.isArray(value) ? 'START_ARRAY' : 'START_OBJECT';
}

function readValue(member: Member, value: unknown, path: string, missing: Missing): unknown {
  const { shape } = member;
  const wrong = (expected: string) => wrongType('aws-json-1.1', path, kindOf(value), expected);
  switch (shape.kind) {
    case 'string':
      if (typeof value !== 'string') throw wrong('String');
      return value;
    case 'number':
      if (typeof value === 'number') return value;
      if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
      throw wrong('Integer');
    case 'boolean':
      if (typeof value !== 'boolean') throw wrong('Boolean');
      return value;
    case 'timestamp': {
      if (typeof value !== 'number' && typeof value !== 'string') throw wrong('Timestamp');
      const date = parseTimestamp(String(value), shape.format ?? 'epoch-seconds');
      if (!date) throw wrong('Timestamp');
      return date;
    }
    case 'blob': {
      const bytes = typeof value === 'string' ? parseBase64(value) : undefined;
      if (!bytes) throw wrong('Blob');
      return bytes;
    }
    case 'big-integer':
    case 'big-decimal':
    case 'document':
      return value;
    case 'list':
      if (!Array.isArray(value)) throw wrong('List');
      return value.map((item, at) =>
        item === null ? null : readValue(shape.member, item, `${path}.${at + 1}.member`, missing),
      );
    case 'map':
      return readMap(shape, value, path, wrong, missing);
    case 'structure':
    case 'union':
      return readJsonStructure(shape, value, path, false, missing);
  }
}

function readMap(
  shape: Extract<Shape, { kind: 'map' }>,
  value: unknown,
  path: string,
  wrong: (expected: string) => Error,
  missing: Missing,
): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong('Map');
  const output: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (item !== null) define(output, key, readValue(shape.value, item, `${path}.${key}`, missing));
  }
  return output;
}

/** A structure as `JSON.stringify` takes it; of a REST message, what is in the body. */
export function writeJsonStructure(shape: StructureShape, value: unknown, isMessage = false): Record<string, unknown> {
  const fields = value as Readonly<Record<string, unknown>>;
  const output: Record<string, unknown> = {};
  for (const member of shape.members) {
    const field = fields[member.name];
    if (field === undefined || field === null || (isMessage && isOutsideBody(member))) continue;
    output[member.traits.jsonName ?? member.name] = writeValue(member, field);
  }
  return output;
}

function writeValue(member: Member, value: unknown): unknown {
  const { shape } = member;
  switch (shape.kind) {
    case 'timestamp':
      return value instanceof Date ? writeTimestamp(value, shape.format ?? 'epoch-seconds') : value;
    case 'blob':
      return value instanceof Uint8Array
        ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
        : value;
    case 'number':
      return typeof value === 'bigint'
        ? Number(value)
        : typeof value === 'number' && !Number.isFinite(value)
          ? String(value)
          : value;
    case 'list':
      return (value as readonly unknown[]).map((item) =>
        item === null || item === undefined ? null : writeValue(shape.member, item),
      );
    case 'map': {
      const output: Record<string, unknown> = {};
      for (const [key, item] of Object.entries(value as Record<string, unknown>)) {
        if (item !== null && item !== undefined) define(output, key, writeValue(shape.value, item));
      }
      return output;
    }
    case 'structure':
    case 'union':
      return writeJsonStructure(shape, value);
    default:
      return value;
  }
}

function writeTimestamp(date: Date, format: TimestampFormat): unknown {
  return format === 'epoch-seconds' ? date.getTime() / 1000 : formatTimestamp(date, format);
}
