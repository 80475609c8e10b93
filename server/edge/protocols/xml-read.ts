// Reads the XML of a rest-xml request by its shape. Strict: not well-formed, a document type, an unknown element or a wrong root is MalformedXML.

import type { Member, Shape, StructureShape } from '../../catalogue/shapes.ts';
import { malformedXml, missingParameter } from '../refusals.ts';
import { define } from './query-read.ts';
import { readText } from './scalars.ts';
import { attributePrefix, type Element, parseXml, textName } from './xml-document.ts';
import { isOutsideBody } from './xml-write.ts';

/**
 * @param rootName the element that must be outermost
 * @param isMessage true for an input itself: its bound members are not in the body
 * @throws AwsError MalformedXML, or a mistyped value's
 */
export function readXml(
  bytes: Uint8Array,
  shape: StructureShape,
  rootName: string,
  isMessage: boolean,
): Record<string, unknown> {
  const root = parseXml(textOfBytes(bytes));
  if (root?.name !== rootName) throw malformedXml();
  return readStructure(shape, root.element, isMessage);
}

function textOfBytes(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw malformedXml();
  }
}

function readStructure(shape: StructureShape, element: Element, isMessage = false): Record<string, unknown> {
  const output: Record<string, unknown> = {};
  if (typeof element === 'string') {
    if (element.trim() !== '') throw malformedXml();
  } else {
    const byName = membersOf(shape);
    for (const [name, child] of Object.entries(element)) {
      if (name === textName) {
        if (typeof child === 'string' && child.trim() === '') continue;
        throw malformedXml();
      }
      const member = byName.get(name);
      if (member) output[member.name] = readMember(member, child, name);
      else if (!isNamespace(name)) throw malformedXml();
    }
  }
  for (const member of shape.members) {
    if (!member.required) break;
    if (output[member.name] === undefined && !(isMessage && isOutsideBody(member)))
      throw missingParameter('rest-xml', member.name);
  }
  return output;
}

function isNamespace(name: string): boolean {
  return name.startsWith(`${attributePrefix}xml`) || name.startsWith(`${attributePrefix}xsi:`);
}

const names = new WeakMap<StructureShape, Map<string, Member>>();

function membersOf(shape: StructureShape): Map<string, Member> {
  let members = names.get(shape);
  if (!members) {
    members = new Map(
      shape.members.map((member) => {
        const name = member.ownTraits.xmlName ?? member.name;
        return [member.traits.xmlAttribute ? attributePrefix + name : name, member];
      }),
    );
    names.set(shape, members);
  }
  return members;
}

function readMember(member: Member, found: Element | readonly Element[], path: string): unknown {
  const { shape } = member;
  if (shape.kind === 'list') return readList(member, shape, found, path);
  if (shape.kind === 'map') return readMap(member, shape, found, path);
  // The same element twice, where there may be one.
  if (Array.isArray(found)) throw malformedXml();
  const element = found as Element;
  if (shape.kind === 'structure' || shape.kind === 'union') return readStructure(shape, element);
  return readText('rest-xml', member, textOf(element), path, 'date-time');
}

function textOf(element: Element): string {
  if (typeof element === 'string') return element;
  for (const name of Object.keys(element))
    if (name !== textName && !name.startsWith(attributePrefix)) throw malformedXml();
  const text = element[textName];
  return typeof text === 'string' ? text : '';
}

function asList(found: Element | readonly Element[] | undefined): readonly Element[] {
  if (found === undefined) return [];
  return Array.isArray(found) ? (found as readonly Element[]) : [found as Element];
}

function readList(
  member: Member,
  shape: Extract<Shape, { kind: 'list' }>,
  found: Element | readonly Element[],
  path: string,
): unknown[] {
  if (member.traits.xmlFlattened) return asList(found).map((element) => readMember(shape.member, element, path));
  if (Array.isArray(found)) throw malformedXml();
  const holder = found as Element;
  if (typeof holder === 'string') {
    if (holder.trim() !== '') throw malformedXml();
    return [];
  }
  const name = shape.member.traits.xmlName ?? 'member';
  for (const key of Object.keys(holder))
    if (key !== name && key !== textName && !isNamespace(key)) throw malformedXml();
  return asList(holder[name]).map((element) => readMember(shape.member, element, `${path}.${name}`));
}

function readMap(
  member: Member,
  shape: Extract<Shape, { kind: 'map' }>,
  found: Element | readonly Element[],
  path: string,
): Record<string, unknown> {
  const output: Record<string, unknown> = {};
  const holder = found as Element;
  const entries = member.traits.xmlFlattened ? asList(found) : typeof holder === 'string' ? [] : asList(holder.entry);
  for (const entry of entries) {
    if (typeof entry === 'string') throw malformedXml();
    const key = entry[shape.key.traits.xmlName ?? 'key'];
    const value = entry[shape.value.traits.xmlName ?? 'value'];
    if (key === undefined || value === undefined || Array.isArray(key)) throw malformedXml();
    define(output, textOf(key as Element), readMember(shape.value, value, path));
  }
  return output;
}
