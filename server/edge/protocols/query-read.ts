// Reads the form of the two query protocols into an operation's input: `Filter.1.Name=vpc-id` → { Filters: [{ Name: 'vpc-id' }] }.
// https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html, …/aws-query-protocol.html (read 2026-11-21). EC2 flattens every list and spells
// members with ec2QueryName or a capital; it refuses parameters that it does not know, the others ignore them. How the others take numbers of elements was
// recorded at IAM (2026-09): `01` is 1, a gap is an element that is null, and a gap of more than ten is malformed.

import type { Member, OperationModel, Protocol, Shape } from '../../catalogue/shapes.ts';
import { AwsError } from '../../errors.ts';
import type { QueryPair } from '../head.ts';
import {
  duplicateParameter,
  malformedList,
  missingMembers,
  missingParameter,
  unknownParameter,
  wrongType,
} from '../refusals.ts';
import { readText } from './scalars.ts';

interface Node {
  value: string | undefined;
  children: Map<string, Node> | undefined;
}

// What clients add beside the operation's own members.
const common = new Set([
  'Action',
  'Version',
  'AWSAccessKeyId',
  'Signature',
  'SignatureVersion',
  'SignatureMethod',
  'Timestamp',
  'Expires',
  'SecurityToken',
]);
const maxParameters = 20_000;
const maxDepth = 40;
/** Elements that may be skipped before one. */
const maxGap = 10;

interface Reading {
  readonly protocol: Protocol;
  /** Required members that are not there. EC2 tells the first at once, the others all together. */
  readonly missing: string[];
}

/** @throws AwsError for an unknown, duplicate, missing or mistyped parameter */
export function readQuery(operation: OperationModel, form: readonly QueryPair[]): Record<string, unknown> {
  const { protocol } = operation.service;
  const root: Node = { value: undefined, children: undefined };
  if (form.length > maxParameters)
    throw new AwsError('InvalidParameterValue', 400, 'The request has too many parameters.');
  for (const [name, value] of form) {
    if (common.has(name) || name.startsWith('X-Amz-')) continue;
    insert(protocol, root, name, value);
  }
  if (!operation.input) {
    refuseRest(protocol, root, new Set(), '');
    return {};
  }
  const reading: Reading = { protocol, missing: [] };
  const input = readStructure(reading, operation.input, root, '');
  if (reading.missing.length > 0) throw missingMembers(operation.service, reading.missing);
  return input;
}

function insert(protocol: Protocol, root: Node, name: string, value: string): void {
  if (protocol === 'aws-query' && /\.\d+\.\d+(?:\.|$)/.test(name))
    throw malformedList('Two index elements may not occur back to back');
  let node = root;
  let start = 0;
  for (let depth = 0; ; depth++) {
    if (depth > maxDepth) throw unknownParameter(name);
    const dot = name.indexOf('.', start);
    const key = dot < 0 ? name.slice(start) : name.slice(start, dot);
    node.children ??= new Map();
    let child = node.children.get(key);
    if (!child) {
      child = { value: undefined, children: undefined };
      node.children.set(key, child);
    }
    node = child;
    if (dot < 0) break;
    start = dot + 1;
  }
  if (node.value !== undefined) throw duplicateParameter(protocol, name);
  node.value = value;
}

type Structure = Extract<Shape, { kind: 'structure' | 'union' }>;

const queryNames = new WeakMap<Structure, Map<string, Member>>();

/** The members by the name that the protocol gives them. A shape belongs to one service, so to one protocol. */
function membersOf(protocol: Protocol, shape: Structure): Map<string, Member> {
  let members = queryNames.get(shape);
  if (!members) {
    members = new Map(shape.members.map((member) => [queryName(protocol, member), member]));
    queryNames.set(shape, members);
  }
  return members;
}

function queryName(protocol: Protocol, member: Member): string {
  const { ec2QueryName, xmlName } = member.traits;
  const name = xmlName ?? member.name;
  if (protocol !== 'ec2-query') return name;
  return ec2QueryName ?? name.charAt(0).toUpperCase() + name.slice(1);
}

function readStructure(reading: Reading, shape: Structure, node: Node, path: string): Record<string, unknown> {
  const { protocol } = reading;
  const members = membersOf(protocol, shape);
  const output: Record<string, unknown> = {};
  if (node.value !== undefined && node.value !== '') throw wrongType(protocol, path, node.value, 'Structure');
  if (node.children) {
    for (const [name, child] of node.children) {
      const member = members.get(name);
      if (member) output[member.name] = readMember(reading, member, child, join(path, name));
      else if (protocol === 'ec2-query') throw unknownParameter(join(path, name));
    }
  }
  const absent: string[] = [];
  for (const member of shape.members) {
    if (!member.required) break;
    if (output[member.name] !== undefined) continue;
    if (protocol !== 'aws-query') throw missingParameter(protocol, missingName(protocol, member, path));
    // Recorded: of a tag's two members the value is told first.
    absent.unshift(missingName(protocol, member, path));
  }
  reading.missing.push(...absent);
  return output;
}

/** EC2 names a missing parameter in lower camel case, whatever its place (aws-facts: `groupName`, `size/snapshot`). */
function missingName(protocol: Protocol, member: Member, path: string): string {
  const name = queryName(protocol, member);
  if (protocol !== 'ec2-query') return join(path, name);
  return join(path, path === '' ? name.charAt(0).toLowerCase() + name.slice(1) : name);
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function refuseRest(protocol: Protocol, node: Node, known: ReadonlySet<string>, path: string): void {
  if (protocol !== 'ec2-query' || !node.children) return;
  for (const name of node.children.keys()) if (!known.has(name)) throw unknownParameter(join(path, name));
}

function readMember(reading: Reading, member: Member, node: Node, path: string): unknown {
  const { shape } = member;
  const { protocol } = reading;
  switch (shape.kind) {
    case 'list':
      return readList(reading, member, shape, node, path);
    case 'map':
      return readMap(reading, member, shape, node, path);
    case 'structure':
    case 'union':
      return readStructure(reading, shape, node, path);
    default:
      if (node.children) refuseRest(protocol, node, new Set(), path);
      if (node.value === undefined) throw wrongType(protocol, path, '', 'String');
      return readText(protocol, member, node.value, path, 'date-time');
  }
}

function readList(
  reading: Reading,
  member: Member,
  shape: Extract<Shape, { kind: 'list' }>,
  node: Node,
  path: string,
): unknown[] {
  const { protocol } = reading;
  const flat = protocol === 'ec2-query' || member.traits.xmlFlattened === 1;
  const suffix = shape.member.traits.xmlName ?? 'member';
  const holder = flat ? node : node.children?.get(suffix);
  const at = flat ? path : `${path}.${suffix}`;
  if (!holder?.children) {
    // `List=` is how an empty list is sent.
    if (node.value !== undefined && node.value !== '') throw wrongType(protocol, path, node.value, 'List');
    return [];
  }
  const rows = numbered(protocol, holder.children, at, shape.member);
  return protocol === 'ec2-query'
    ? rows.map(([index, child]) => readMember(reading, shape.member, child, `${at}.${index}`))
    : readElements(reading, shape.member, rows, at);
}

/** Every number up to the last is an element; one that was not sent is null. */
function readElements(
  reading: Reading,
  member: Member,
  rows: readonly (readonly [number, Node])[],
  path: string,
): unknown[] {
  const elements: unknown[] = [];
  for (const [index, child] of rows) {
    const gap = index - Math.max(elements.length, 1);
    if (gap > maxGap) throw malformedList(`Excessively sparse input would skip ${gap} list elements`);
    while (elements.length < index - 1) {
      const at = `${path}.${elements.length + 1}`;
      // AWS tells a null text by the limits of the list's texts, which the catalogue does not have.
      if (member.shape.kind !== 'structure') reading.missing.push(at);
      elements.push(member.shape.kind === 'structure' ? readStructure(reading, member.shape, nothing, at) : undefined);
    }
    elements.push(readMember(reading, member, child, `${path}.${index}`));
  }
  return elements;
}

const nothing: Node = { value: undefined, children: undefined };

/** Elements in the order of their numbers; the first one of those that have the same. */
function numbered(
  protocol: Protocol,
  children: Map<string, Node>,
  path: string,
  member: Member | undefined,
): [number, Node][] {
  const rows = new Map<number, Node>();
  for (const [key, child] of children) {
    const index = /^\d{1,9}$/.test(key) ? Number(key) : undefined;
    if (index === undefined && protocol === 'ec2-query') throw unknownParameter(`${path}.${key}`);
    if (protocol === 'aws-query') {
      if (key.startsWith('-')) throw malformedList(`Key ${key} may not have a leading '-'`);
      if (index === 0) throw malformedList('0 is not a valid index');
      if (index === undefined && member?.shape.kind !== 'structure')
        throw malformedList('Start of list found where not expected');
    }
    // A word instead of a number is read as a member of the first element, which has no such member.
    const place = index ?? 1;
    const before = rows.get(place);
    if (before === undefined) rows.set(place, index === undefined ? nothing : child);
    else if (index !== undefined)
      rows.set(place, { value: before.value ?? child.value, children: merged(before, child) });
  }
  return [...rows].sort((a, b) => a[0] - b[0]);
}

/** `Tags.member.01.Key` and `Tags.member.1.Value` are of one element. */
function merged(one: Node, other: Node): Map<string, Node> | undefined {
  return one.children || other.children ? new Map([...(one.children ?? []), ...(other.children ?? [])]) : undefined;
}

function readMap(
  reading: Reading,
  member: Member,
  shape: Extract<Shape, { kind: 'map' }>,
  node: Node,
  path: string,
): Record<string, unknown> {
  const { protocol } = reading;
  const holder = member.traits.xmlFlattened === 1 ? node : node.children?.get('entry');
  const output: Record<string, unknown> = {};
  if (!holder?.children) return output;
  const keyName = shape.key.traits.xmlName ?? 'key';
  const valueName = shape.value.traits.xmlName ?? 'value';
  for (const [index, entry] of numbered(protocol, holder.children, path, undefined)) {
    const key = entry.children?.get(keyName)?.value;
    const value = entry.children?.get(valueName);
    if (key === undefined || !value)
      throw missingParameter(protocol, `${path}.${index}.${key === undefined ? keyName : valueName}`);
    if (Object.hasOwn(output, key)) throw duplicateParameter(protocol, `${path}.${index}.${keyName}`);
    define(output, key, readMember(reading, shape.value, value, `${path}.${index}.${valueName}`));
  }
  return output;
}

/** Keys are the client's: `__proto__` must become a key like any other. */
export function define(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}
