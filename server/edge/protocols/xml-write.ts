// Writes values as XML by their shapes. Each shape becomes a closure once, on first use, so that an answer is one walk and string concatenation.
// Shared by ec2-query, aws-query and rest-xml, which differ only in the envelope. https://smithy.io/2.0/spec/protocol-traits.html#xml-bindings (read 2026-11-21).

import type { ListShape, MapShape, Member, StructureShape } from '../../catalogue/shapes.ts';
import { writeText } from './scalars.ts';

type Writer = (value: unknown) => string;
type Fields = Readonly<Record<string, unknown>>;

// Characters that XML 1.0 cannot hold are written as references all the same, as AWS does: the SDKs' readers take them.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const special = /[&<>\r\u0085\u2028\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;
const specials = new RegExp(special.source, 'g');

/** Escapes text between tags. A carriage return is written as a reference, or a reader would normalise it. */
export function escapeXml(text: string): string {
  return special.test(text) ? text.replace(specials, escapeOne) : text;
}

function escapeAttribute(text: string): string {
  return escapeXml(text).replace(/["\t\n]/g, escapeOne);
}

function escapeOne(character: string): string {
  switch (character) {
    case '&':
      return '&amp;';
    case '<':
      return '&lt;';
    case '>':
      return '&gt;';
    default:
      return `&#x${character.charCodeAt(0).toString(16).toUpperCase()};`;
  }
}

const structures = new WeakMap<StructureShape, Writer>();
const bodies = new WeakMap<StructureShape, Writer>();

/** Members that AWS writes before those that the model has before them (recorded). */
const writtenFirst: Readonly<Record<string, string>> = { ListBucketsOutput: 'Owner' };

/** The members of a REST message that are in its body, without an element around them. */
export function bodyWriter(shape: StructureShape): Writer {
  let known = bodies.get(shape);
  if (!known) {
    const first = writtenFirst[shape.name];
    const members = shape.members.filter((member) => !isOutsideBody(member));
    known = compileStructure([...members].sort((a, b) => Number(b.name === first) - Number(a.name === first)));
    bodies.set(shape, known);
  }
  return known;
}

/** The members of a structure, without an element around them. HTTP bindings mean nothing below the top of a REST message. */
export function structureWriter(shape: StructureShape): Writer {
  let known = structures.get(shape);
  if (known) return known;
  let compiled: Writer | undefined;
  // A shape may hold itself: what is handed out first calls what is compiled later.
  known = (value) => {
    compiled ??= compileStructure(shape.members.filter((member) => !isAttribute(member)));
    return compiled(value);
  };
  structures.set(shape, known);
  return known;
}

function isAttribute(member: Member): boolean {
  return member.traits.xmlAttribute === 1;
}

/** True for members that travel in the head of a REST message, or are its payload; only asked of an input or output itself. */
export function isOutsideBody(member: Member): boolean {
  const traits = member.ownTraits;
  return (
    traits.httpHeader !== undefined ||
    traits.httpQuery !== undefined ||
    traits.httpPrefixHeaders !== undefined ||
    traits.httpLabel === 1 ||
    traits.httpPayload === 1 ||
    traits.httpQueryParams === 1 ||
    traits.httpResponseCode === 1
  );
}

function compileStructure(members: readonly Member[]): Writer {
  const names = members.map((member) => member.name);
  const writers = members.map((member) => elementWriter(member, member.ownTraits.xmlName ?? member.name));
  return (value) => {
    const fields = value as Fields;
    let text = '';
    for (let at = 0; at < names.length; at++) {
      const field = fields[names[at] as string];
      if (field !== undefined && field !== null) text += (writers[at] as Writer)(field);
    }
    return text;
  };
}

/** Writes a value inside an element of the given name; a flattened list or map writes several. */
export function elementWriter(member: Member, name: string): Writer {
  const { shape } = member;
  const xmlns = namespaceAttribute(member);
  const open = `<${name}${xmlns}>`;
  const close = `</${name}>`;
  const empty = `<${name}${xmlns}/>`;
  switch (shape.kind) {
    case 'list':
      return listWriter(member, shape, name, open, close, empty);
    case 'map':
      return mapWriter(member, shape, name, open, close, empty);
    case 'structure':
    case 'union': {
      const inner = structureWriter(shape);
      const attributes = shape.members.filter(isAttribute);
      if (attributes.length > 0) {
        return (value) => `<${name}${xmlns}${attributeText(attributes, value as Fields)}>${inner(value)}${close}`;
      }
      return (value) => {
        const text = inner(value);
        return text === '' ? empty : open + text + close;
      };
    }
    case 'string':
      return (value) => {
        const text = typeof value === 'string' ? value : String(value);
        return text === '' ? empty : open + escapeXml(text) + close;
      };
    case 'number':
    case 'boolean':
      return (value) => open + String(value) + close;
    default:
      return (value) => open + escapeXml(writeText(member, value, 'date-time')) + close;
  }
}

function attributeText(attributes: readonly Member[], fields: Fields): string {
  let text = '';
  for (const member of attributes) {
    const value = fields[member.name];
    if (value !== undefined && value !== null)
      text += ` ${member.traits.xmlName ?? member.name}="${escapeAttribute(writeText(member, value, 'date-time'))}"`;
  }
  return text;
}

function namespaceAttribute(member: Member): string {
  const namespace = member.traits.xmlNamespace;
  if (!namespace) return '';
  const [prefix, uri] = namespace;
  return ` ${prefix === '' ? 'xmlns' : `xmlns:${prefix}`}="${uri}"`;
}

function listWriter(
  member: Member,
  shape: ListShape,
  name: string,
  open: string,
  close: string,
  empty: string,
): Writer {
  const flat = member.traits.xmlFlattened === 1;
  const element = lazily(() => elementWriter(shape.member, flat ? name : (shape.member.traits.xmlName ?? 'member')));
  return (value) => {
    const items = value as readonly unknown[];
    let text = '';
    for (const item of items) if (item !== undefined && item !== null) text += element(item);
    if (flat) return text;
    return text === '' ? empty : open + text + close;
  };
}

function mapWriter(member: Member, shape: MapShape, name: string, open: string, close: string, empty: string): Writer {
  const flat = member.traits.xmlFlattened === 1;
  const entry = flat ? name : 'entry';
  const key = elementWriter(shape.key, shape.key.traits.xmlName ?? 'key');
  const element = lazily(() => elementWriter(shape.value, shape.value.traits.xmlName ?? 'value'));
  return (value) => {
    let text = '';
    for (const [name, item] of Object.entries(value as Fields)) {
      if (item !== undefined && item !== null) text += `<${entry}>${key(name)}${element(item)}</${entry}>`;
    }
    if (flat) return text;
    return text === '' ? empty : open + text + close;
  };
}

function lazily(make: () => Writer): Writer {
  let writer: Writer | undefined;
  return (value) => {
    writer ??= make();
    return writer(value);
  };
}
