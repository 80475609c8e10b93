// Reads the XML of a rest-xml request by its shape. Strict: not well-formed, a document type, an unknown element or a wrong root is MalformedXML.
// A document type is refused before the parser sees it, so no entity can be defined and none can expand.

import { XMLParser, XMLValidator } from 'fast-xml-parser';
import type { Member, Shape, StructureShape } from '../../catalogue/shapes.ts';
import { malformedXml, missingParameter } from '../refusals.ts';
import { define } from './query-read.ts';
import { readText } from './scalars.ts';
import { isOutsideBody } from './xml-write.ts';

const attributePrefix = '@';
const textName = '#text';

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: attributePrefix,
  textNodeName: textName,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  // References are decoded here, below: the parser knows no hexadecimal ones without the whole table of HTML names.
  processEntities: false,
});

type Element = string | { readonly [name: string]: Element | readonly Element[] };

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
  const root = parseDocument(bytes);
  const [name, ...others] = Object.keys(root);
  if (name !== rootName || others.length > 0) throw malformedXml();
  const element = root[name];
  if (element === undefined || Array.isArray(element)) throw malformedXml();
  return readStructure(shape, element as Element, isMessage);
}

// Not even in XML 1.0's own references; those are taken all the same, for answers are written so (xml-write.ts).
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const noCharacters = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;

function parseDocument(bytes: Uint8Array): Record<string, Element | readonly Element[]> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw malformedXml();
  }
  if (text.includes('<!DOCTYPE') || text.includes('<!ENTITY') || noCharacters.test(text)) throw malformedXml();
  try {
    if (XMLValidator.validate(text) !== true) throw malformedXml();
    const root = parser.parse(text) as Record<string, Element>;
    delete root[textName];
    return root;
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
    // A list that is required may have no element (recorded); what it is then is the handler's affair.
    if (member.shape.kind === 'list') continue;
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
  if (typeof element === 'string') return decodeReferences(element);
  for (const name of Object.keys(element))
    if (name !== textName && !name.startsWith(attributePrefix)) throw malformedXml();
  const text = element[textName];
  return typeof text === 'string' ? decodeReferences(text) : '';
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decodeReferences(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&([^;&]*)(;?)/g, (_, name: string, end: string) => {
    const known = Object.hasOwn(named, name) ? named[name] : undefined;
    if (end === ';' && known !== undefined) return known;
    const digits = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(name);
    const code = digits ? Number.parseInt(digits[1] ?? digits[2] ?? '', digits[1] === undefined ? 10 : 16) : -1;
    if (end !== ';' || code < 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw malformedXml();
    return String.fromCodePoint(code);
  });
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
