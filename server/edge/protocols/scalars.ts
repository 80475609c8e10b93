// How a plain value is written as text and read from it: numbers, booleans, timestamps, blobs. Shared by every protocol.
// Formats: https://smithy.io/2.0/spec/protocol-traits.html#timestampformat-trait (read 2026-11-21).

import type { Member, Protocol, TimestampFormat } from '../../catalogue/shapes.ts';
import { wrongType } from '../refusals.ts';

export function formatTimestamp(date: Date, format: TimestampFormat): string {
  switch (format) {
    case 'date-time':
      return date.toISOString();
    case 'http-date':
      return date.toUTCString();
    case 'epoch-seconds':
      return String(date.getTime() / 1000);
  }
}

const isoPattern = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/;

/** @returns undefined when the text is no time in that format; every format also takes ISO 8601, as AWS's servers do */
export function parseTimestamp(text: string, format: TimestampFormat): Date | undefined {
  let time = Number.NaN;
  if (isoPattern.test(text))
    time = Date.parse(text.length > 10 && !/(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? `${text}Z` : text);
  else if (format === 'http-date') time = Date.parse(text);
  else if (/^-?\d+(?:\.\d+)?$/.test(text)) time = Math.round(Number(text) * 1000);
  return Number.isNaN(time) || Math.abs(time) > 8.64e15 ? undefined : new Date(time);
}

const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const base64Pattern = /^[A-Za-z0-9+/]*={0,2}$/;

/** Base64 as clients send it: white space is let through, anything else that is not base64 is not. */
export function parseBase64(text: string): Buffer | undefined {
  const compact = /\s/.test(text) ? text.replace(/\s+/g, '') : text;
  if (!base64Pattern.test(compact)) return undefined;
  return Buffer.from(compact, 'base64');
}

/** IAM and STS have whole numbers of 32 bits alone, and take nothing around them (recorded there, 2026-09). */
function readInteger(protocol: Protocol, text: string, path: string): number {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value !== (value | 0)) throw wrongType(protocol, path, text, 'Integer');
  return value;
}

/**
 * Reads a plain member from text.
 * @param path the member as the request spells it, for the error
 * @throws AwsError in the protocol's words when the text is not of the member's type
 */
export function readText(
  protocol: Protocol,
  member: Member,
  text: string,
  path: string,
  timestamps: TimestampFormat,
): unknown {
  const { shape } = member;
  switch (shape.kind) {
    case 'string':
      return text;
    case 'number': {
      if (protocol === 'aws-query') return readInteger(protocol, text, path);
      const trimmed = text.trim();
      if (!numberPattern.test(trimmed)) throw wrongType(protocol, path, text, 'Integer');
      return Number(trimmed);
    }
    case 'boolean': {
      if (protocol === 'aws-query' && /^[01]$/.test(text)) return text === '1';
      const lower = protocol === 'aws-query' ? text : text.trim().toLowerCase();
      if (lower !== 'true' && lower !== 'false') throw wrongType(protocol, path, text, 'Boolean');
      return lower === 'true';
    }
    case 'timestamp': {
      const date = parseTimestamp(text.trim(), shape.format ?? timestamps);
      if (!date) throw wrongType(protocol, path, text, 'Timestamp');
      return date;
    }
    case 'blob': {
      const bytes = parseBase64(text);
      if (!bytes) throw wrongType(protocol, path, text, 'Blob');
      return bytes;
    }
    case 'big-integer':
    case 'big-decimal':
    case 'document':
      return text;
    case 'list':
    case 'map':
    case 'structure':
    case 'union':
      throw wrongType(protocol, path, text, 'Structure');
  }
}

/** Writes a plain value as text, unescaped. */
export function writeText(member: Member, value: unknown, timestamps: TimestampFormat): string {
  const { shape } = member;
  if (value instanceof Date)
    return formatTimestamp(value, shape.kind === 'timestamp' ? (shape.format ?? timestamps) : timestamps);
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  return String(value);
}
