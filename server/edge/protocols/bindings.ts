// The members of a REST message that are outside its body: path labels, query, headers, status. Both ways, for rest-json and rest-xml.
// https://smithy.io/2.0/spec/http-bindings.html (read 2026-11-21).

import type {
  Member,
  OperationModel,
  Protocol,
  Shape,
  StructureShape,
  TimestampFormat,
} from '../../catalogue/shapes.ts';
import type { Identified } from '../identify.ts';
import { missingParameter } from '../refusals.ts';
import { define } from './query-read.ts';
import { readText, writeText } from './scalars.ts';

/** Reads everything of the input but its body. @throws AwsError for a missing or mistyped member */
export function readBindings(identified: Identified, operation: OperationModel): Record<string, unknown> {
  const { head, labels } = identified;
  const { protocol } = operation.service;
  const input: Record<string, unknown> = {};
  const used = new Set<string>();
  for (const member of operation.input?.members ?? []) {
    const { httpLabel, httpQuery, httpHeader, httpPrefixHeaders } = member.ownTraits;
    if (httpLabel) {
      const label = labels[member.name];
      if (label !== undefined) input[member.name] = readText(protocol, member, label, member.name, 'date-time');
      else if (member.required) throw missingParameter(protocol, member.name, 'query');
    } else if (httpQuery !== undefined) {
      used.add(httpQuery);
      const values = head.query?.filter((pair) => pair[0] === httpQuery).map((pair) => pair[1]) ?? [];
      if (values.length > 0) input[member.name] = readQueryMember(protocol, member, values, httpQuery);
      else if (member.required) throw missingParameter(protocol, httpQuery, 'query');
    } else if (httpHeader !== undefined) {
      const text = headerText(identified, httpHeader.toLowerCase());
      if (text !== undefined) input[member.name] = readHeader(protocol, member, text, httpHeader);
      else if (member.required) throw missingParameter(protocol, httpHeader, 'header');
    } else if (httpPrefixHeaders !== undefined) {
      const map = readPrefixHeaders(head.headers, httpPrefixHeaders.toLowerCase());
      if (map) input[member.name] = map;
    } else if (member.ownTraits.httpQueryParams) {
      const map: Record<string, unknown> = {};
      for (const [name, value] of head.query ?? []) if (!used.has(name)) define(map, name, value);
      input[member.name] = map;
    }
  }
  return input;
}

/** The header as the operation means it: `aws-chunked` is framing, not an encoding of the object. */
function headerText(identified: Identified, name: string): string | undefined {
  const { headers } = identified.head;
  const text = headers[name];
  if (name === 'content-length') return headers['x-amz-decoded-content-length'] ?? text;
  if (name !== 'content-encoding' || !text?.includes('aws-chunked')) return text;
  const encodings = text.split(',').map((part) => part.trim());
  return encodings.filter((part) => part !== 'aws-chunked' && part !== '').join(',') || undefined;
}

function readQueryMember(protocol: Protocol, member: Member, values: readonly string[], path: string): unknown {
  if (member.shape.kind !== 'list') return readText(protocol, member, values[0] ?? '', path, 'date-time');
  const { member: element } = member.shape;
  return values.map((value) => readText(protocol, element, value, path, 'date-time'));
}

function readHeader(protocol: Protocol, member: Member, text: string, path: string): unknown {
  if (member.shape.kind !== 'list') {
    // A date that a client cannot be held to is no reason to refuse the object (S3 takes any Expires).
    if (
      member.shape.kind === 'timestamp' &&
      protocol === 'rest-xml' &&
      path === 'Expires' &&
      Number.isNaN(Date.parse(text))
    )
      return undefined;
    return readText(protocol, member, text, path, 'http-date');
  }
  const { member: element } = member.shape;
  const dated = element.shape.kind === 'timestamp' && (element.shape.format ?? 'http-date') === 'http-date';
  return splitHeader(text, dated).map((part) => readText(protocol, element, part, path, 'http-date'));
}

/** Splits at commas outside quotes; an HTTP date holds one comma itself. */
function splitHeader(text: string, dated: boolean): string[] {
  const parts = dated ? (text.match(/[^,]+,[^,]+/g) ?? []) : (text.match(/(?:"(?:\\.|[^"\\])*"|[^,"])+/g) ?? []);
  return parts.map((part) => {
    const trimmed = part.trim();
    return trimmed.startsWith('"') && trimmed.endsWith('"') && trimmed.length > 1
      ? trimmed.slice(1, -1).replace(/\\(["\\])/g, '$1')
      : trimmed;
  });
}

function readPrefixHeaders(
  headers: Readonly<Record<string, string | undefined>>,
  prefix: string,
): Record<string, unknown> | undefined {
  let map: Record<string, unknown> | undefined;
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(prefix) || value === undefined) continue;
    map ??= {};
    define(map, name.slice(prefix.length), value);
  }
  return map;
}

/** The headers and status that an output or an error puts in the head of the answer. */
export function writeBindings(
  shape: StructureShape | undefined,
  output: Readonly<Record<string, unknown>>,
  headers: Record<string, string>,
): number | undefined {
  let status: number | undefined;
  for (const member of shape?.members ?? []) {
    const value = output[member.name];
    if (value === undefined || value === null) continue;
    const { httpHeader, httpPrefixHeaders, httpResponseCode } = member.ownTraits;
    if (httpHeader !== undefined) headers[httpHeader] = safe(writeHeader(member, value));
    else if (httpPrefixHeaders !== undefined) {
      for (const [name, item] of Object.entries(value as Record<string, unknown>))
        headers[httpPrefixHeaders + name] = safe(String(item));
    } else if (httpResponseCode && typeof value === 'number') status = value;
  }
  return status;
}

function writeHeader(member: Member, value: unknown): string {
  const format: TimestampFormat = 'http-date';
  if (member.shape.kind !== 'list') return writeText(member, value, format);
  const element = (member.shape as Extract<Shape, { kind: 'list' }>).member;
  return (value as readonly unknown[])
    .map((item) => {
      const text = writeText(element, item, format);
      return element.shape.kind === 'string' && /[",]/.test(text) ? `"${text.replace(/(["\\])/g, '\\$1')}"` : text;
    })
    .join(', ');
}

/** A header cannot hold a line end or a control character; what a client stored must not end the answer's head. */
function safe(text: string): string {
  return /[^\t\x20-\x7e\x80-\xff]/.test(text) ? text.replace(/[^\t\x20-\x7e\x80-\xff]/g, ' ') : text;
}
