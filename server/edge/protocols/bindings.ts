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
import type { Headers } from '../head.ts';
import type { Identified } from '../identify.ts';
import { missingParameter } from '../refusals.ts';
import { define } from './query-read.ts';
import { readText, writeText } from './scalars.ts';

/** A member that is outside of the body, and where: one of the five. */
interface Binding {
  readonly member: Member;
  readonly place: 'label' | 'query' | 'header' | 'prefix' | 'other-queries';
  /** Of the query parameter, the header or the prefix; headers in lower case. */
  readonly name: string;
}

const bindings = new WeakMap<StructureShape, readonly Binding[]>();

/** Worked out once: of PutObject's 40 members a usual request has three, and asking each for its traits was 3 % of it. */
function bindingsOf(shape: StructureShape): readonly Binding[] {
  let known = bindings.get(shape);
  if (!known) {
    known = shape.members.flatMap((member): Binding[] => {
      const { httpLabel, httpQuery, httpHeader, httpPrefixHeaders, httpQueryParams } = member.ownTraits;
      if (httpLabel) return [{ member, place: 'label', name: member.name }];
      if (httpQuery !== undefined) return [{ member, place: 'query', name: httpQuery }];
      if (httpHeader !== undefined) return [{ member, place: 'header', name: httpHeader.toLowerCase() }];
      if (httpPrefixHeaders !== undefined) return [{ member, place: 'prefix', name: httpPrefixHeaders.toLowerCase() }];
      return httpQueryParams ? [{ member, place: 'other-queries', name: '' }] : [];
    });
    bindings.set(shape, known);
  }
  return known;
}

/** Reads everything of the input but its body. @throws AwsError for a missing or mistyped member */
export function readBindings(identified: Identified, operation: OperationModel): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  if (!operation.input) return input;
  const all = bindingsOf(operation.input);
  for (const binding of all) {
    const value = readBinding(identified, operation.service.protocol, binding, all);
    if (value !== undefined) input[binding.member.name] = value;
  }
  return input;
}

function readBinding(
  { head, labels }: Identified,
  protocol: Protocol,
  { member, place, name }: Binding,
  all: readonly Binding[],
): unknown {
  switch (place) {
    case 'label': {
      const label = labels[name];
      if (label !== undefined) return readText(protocol, member, label, name, 'date-time');
      if (member.required) throw missingParameter(protocol, name, 'query');
      return undefined;
    }
    case 'query': {
      // Most requests have none at all.
      const values = head.query?.length ? head.query.filter((pair) => pair[0] === name).map((pair) => pair[1]) : [];
      if (values.length > 0) return readQueryMember(protocol, member, values, name);
      if (member.required) throw missingParameter(protocol, name, 'query');
      return undefined;
    }
    case 'header': {
      const text = headerText(head.headers, name);
      const spelled = member.ownTraits.httpHeader ?? name;
      if (text !== undefined) return readHeader(protocol, member, text, spelled);
      if (member.required) throw missingParameter(protocol, spelled, 'header');
      return undefined;
    }
    case 'prefix':
      return readPrefixHeaders(head.headers, name);
    case 'other-queries': {
      const used = new Set(all.map((other) => (other.place === 'query' ? other.name : undefined)));
      const map: Record<string, unknown> = {};
      for (const [key, value] of head.query ?? []) if (!used.has(key)) define(map, key, value);
      return map;
    }
  }
}

/** The header as the operation means it: `aws-chunked` is framing, not an encoding of the object. */
function headerText(headers: Headers, name: string): string | undefined {
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

const members = new WeakMap<StructureShape, ReadonlyMap<string, Member>>();

function headMembers(shape: StructureShape): ReadonlyMap<string, Member> {
  let known = members.get(shape);
  if (!known) {
    const inHead = shape.members.filter(({ ownTraits }) => {
      const { httpHeader, httpPrefixHeaders, httpResponseCode } = ownTraits;
      return httpHeader !== undefined || httpPrefixHeaders !== undefined || httpResponseCode === 1;
    });
    known = new Map(inHead.map((member) => [member.name, member]));
    members.set(shape, known);
  }
  return known;
}

/** The headers and status that an output or an error puts in the head of the answer. */
export function writeBindings(
  shape: StructureShape | undefined,
  output: Readonly<Record<string, unknown>>,
  headers: Record<string, string>,
): number | undefined {
  let status: number | undefined;
  if (!shape) return status;
  const known = headMembers(shape);
  // What is said, not what could be: of GetObject's 40 members an object has ten.
  for (const [said, value] of Object.entries(output)) {
    const member = known.get(said);
    if (!member || value === undefined || value === null) continue;
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
