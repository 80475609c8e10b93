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
import type { Headers, RequestHead } from '../head.ts';
import type { Identified } from '../identify.ts';
import { missingParameter } from '../refusals.ts';
import { define } from './query-read.ts';
import { readText, writeText } from './scalars.ts';

/** The members of an input that are outside of its body, by place. */
interface Bindings {
  readonly labels: readonly Named[];
  readonly queries: readonly Named[];
  /** By the header's name in lower case. */
  readonly headers: ReadonlyMap<string, Named>;
  readonly requiredHeaders: readonly Named[];
  /** Their prefixes in lower case. */
  readonly prefixes: readonly Named[];
  readonly otherQueries: readonly Member[];
}

interface Named {
  readonly member: Member;
  /** As it is spelled in the model. */
  readonly name: string;
}

const bindings = new WeakMap<StructureShape, Bindings>();

/** Worked out once: of PutObject's 40 members a usual request has three. */
function bindingsOf(shape: StructureShape): Bindings {
  let known = bindings.get(shape);
  if (!known) {
    const all = shape.members.map((member) => ({ member, traits: member.ownTraits }));
    const headers = all.flatMap(({ member, traits }): Named[] =>
      traits.httpHeader === undefined ? [] : [{ member, name: traits.httpHeader }],
    );
    known = {
      labels: all.flatMap(({ member, traits }) => (traits.httpLabel ? [{ member, name: member.name }] : [])),
      queries: all.flatMap(({ member, traits }) =>
        traits.httpQuery === undefined ? [] : [{ member, name: traits.httpQuery }],
      ),
      headers: new Map(headers.map((one) => [one.name.toLowerCase(), one])),
      requiredHeaders: headers.filter(({ member }) => member.required),
      prefixes: all.flatMap(({ member, traits }) =>
        traits.httpPrefixHeaders === undefined ? [] : [{ member, name: traits.httpPrefixHeaders.toLowerCase() }],
      ),
      otherQueries: all.flatMap(({ member, traits }) => (traits.httpQueryParams ? [member] : [])),
    };
    bindings.set(shape, known);
  }
  return known;
}

/** Reads everything of the input but its body. @throws AwsError for a missing or mistyped member */
export function readBindings({ head, labels }: Identified, operation: OperationModel): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  if (!operation.input) return input;
  const { protocol } = operation.service;
  const known = bindingsOf(operation.input);
  for (const { member, name } of known.labels) {
    const label = labels[name];
    if (label !== undefined) input[member.name] = readText(protocol, member, label, name, 'date-time');
    else if (member.required) throw missingParameter(protocol, name, 'query');
  }
  const query = head.query ?? [];
  for (const { member, name } of known.queries) {
    // Most requests have none at all.
    const values = query.length > 0 ? query.filter((pair) => pair[0] === name).map((pair) => pair[1]) : query;
    // S3 reads an empty number of the query as none (recorded).
    if (protocol === 'rest-xml' && !member.required && values[0] === '' && member.shape.kind === 'number') continue;
    if (values.length > 0) input[member.name] = readQueryMember(protocol, member, values as string[], name);
    else if (member.required) throw missingParameter(protocol, name, 'query');
  }
  readHeaders(protocol, known, protocol === 'rest-xml' ? withHoisted(known, head) : head.headers, input);
  for (const member of known.otherQueries) {
    const used = new Set(known.queries.map(({ name }) => name));
    const map: Record<string, unknown> = {};
    for (const [key, value] of query) if (!used.has(key)) define(map, key, value);
    input[member.name] = map;
  }
  return input;
}

/**
 * A presigned URL of S3's may say in its query what `x-amz-` headers and conditions say (recorded). A header that is there wins.
 * Checksums are left out: SDKs put that of an empty body there, before anyone knows the body.
 */
function withHoisted({ headers: known, prefixes }: Bindings, { headers, query }: RequestHead): Headers {
  const isPresigned = query?.some(([name]) => name === 'X-Amz-Signature' || name === 'Signature');
  if (!isPresigned || !query) return headers;
  const merged: Record<string, string> = {};
  for (const [name, value] of query) {
    const lower = name.toLowerCase();
    if (!/^(x-amz-(?!checksum-|sdk-)|if-(none-)?match$)/.test(lower)) continue;
    if (known.has(lower) || prefixes.some((prefix) => lower.startsWith(prefix.name)))
      // Header bytes are held as latin1.
      merged[lower] = Buffer.from(value, 'utf8').toString('latin1');
  }
  return { ...merged, ...headers };
}

function readHeaders(
  protocol: Protocol,
  { headers: known, requiredHeaders, prefixes }: Bindings,
  headers: Headers,
  input: Record<string, unknown>,
): void {
  // A request has fewer headers than an operation has names for them.
  for (const header in headers) {
    const name = header === 'x-amz-decoded-content-length' ? 'content-length' : header;
    const binding = known.get(name);
    const text = binding && headerText(headers, name);
    if (binding && text !== undefined)
      input[binding.member.name] = readHeader(protocol, binding.member, text, binding.name);
  }
  for (const { member, name } of requiredHeaders)
    if (input[member.name] === undefined) throw missingParameter(protocol, name, 'header');
  for (const { member, name } of prefixes) {
    const map = readPrefixHeaders(headers, name);
    if (map) input[member.name] = map;
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
  for (const name in headers) {
    const value = headers[name];
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
  for (const said in output) {
    const value = output[said];
    const member = known.get(said);
    if (!member || value === undefined || value === null) continue;
    const { httpHeader, httpPrefixHeaders, httpResponseCode } = member.ownTraits;
    if (httpHeader !== undefined) headers[httpHeader] = safe(writeHeader(member, value));
    else if (httpPrefixHeaders !== undefined) {
      for (const [key, item] of Object.entries(value as Record<string, unknown>))
        headers[httpPrefixHeaders + key] = safe(String(item));
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
