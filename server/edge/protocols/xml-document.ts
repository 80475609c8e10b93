// The XML of a request as a tree: what readers of a shape need, and no more. https://www.w3.org/TR/xml/ (read 2026-11-21)
// Strict: what is not well-formed is undefined, and so is a document type, with which entities could be defined. Namespaces are attributes like others.
// One pass over the text: a list of a thousand keys took a general parser and its validator fifteen times as long, which was half of DeleteObjects.

/** Text, or what an element holds: children by name (a list of those of one name), attributes by `@` and name, its own text by `#text`. */
export type Element = string | { readonly [name: string]: Element | readonly Element[] };

export const attributePrefix = '@';
export const textName = '#text';

const nameStart =
  ':A-Z_a-z\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u02ff\\u0370-\\u037d\\u037f-\\u1fff\\u200c\\u200d\\u2070-\\u218f\\u2c00-\\u2fef\\u3001-\\ud7ff\\uf900-\\ufdcf\\ufdf0-\\ufffd';
const name = `[${nameStart}][${nameStart}\\-.0-9\\u00b7\\u0300-\\u036f\\u203f\\u2040]*`;
const space = '[ \\t\\n]';
const tagName = new RegExp(name, 'y');
const attribute = new RegExp(`${space}+(${name})${space}*=${space}*(?:"([^"<]*)"|'([^'<]*)')`, 'y');
const tagEnd = new RegExp(`${space}*(/?)>`, 'y');
const isDeclaration = /^<\?xml[ \t\n?]/;
const said = (what: string, value: string) => `${space}+${what}${space}*=${space}*(?:"${value}"|'${value}')`;
const declaration = new RegExp(
  `^<\\?xml${said('version', '1\\.[0-9]+')}(?:${said('encoding', '[A-Za-z][A-Za-z0-9._-]*')})?(?:${said('standalone', '(?:yes|no)')})?${space}*\\?>`,
);
// Not even in XML 1.0's own references; those are taken all the same, for answers are written so (xml-write.ts).
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const noCharacters = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;

/** An element that is not closed yet. */
interface Open {
  readonly name: string;
  text: string;
  /** Undefined while it holds nothing but text. */
  node: Record<string, Element | Element[]> | undefined;
}

class NotWellFormed extends Error {}

/** @returns the outermost element with its name; undefined for what is not well-formed */
export function parseXml(document: string): { readonly name: string; readonly element: Element } | undefined {
  try {
    return parse(document.includes('\r') ? document.replace(/\r\n?/g, '\n') : document);
  } catch (error) {
    if (error instanceof NotWellFormed) return undefined;
    throw error;
  }
}

function parse(text: string): { readonly name: string; readonly element: Element } {
  if (noCharacters.test(text)) throw new NotWellFormed();
  const open: Open[] = [];
  /** Tags without attributes that were read before: a list has a thousand of each. */
  const known = new Set<string>();
  let root: { readonly name: string; readonly element: Element } | undefined;
  let at = 0;

  const close = () => {
    const { name, text: own, node } = open.pop() as Open;
    if (node && own !== '') node[textName] = own;
    const element: Element = node ?? own;
    const parent = open.at(-1);
    if (parent) add(parent, name, element);
    else root = { name, element };
  };
  const say = (said: string) => {
    const inner = open.at(-1);
    if (inner) inner.text += said;
    else if (said.trim() !== '') throw new NotWellFormed();
  };
  const after = (end: string, from: number): number => {
    const found = text.indexOf(end, from);
    if (found < 0) throw new NotWellFormed();
    return found + end.length;
  };

  for (let tag = text.indexOf('<'); tag >= 0; tag = text.indexOf('<', at)) {
    if (tag > at) say(decodeReferences(text.slice(at, tag)));
    const next = text[tag + 1];
    if (next === '/') {
      at = after('>', tag);
      if (text.slice(tag + 2, at - 1).trimEnd() !== open.at(-1)?.name) throw new NotWellFormed();
      close();
    } else if (next === '?') {
      at = after('?>', tag);
      if (isDeclaration.test(text.slice(tag, tag + 6)) && (tag > 0 || !declaration.test(text)))
        throw new NotWellFormed();
    } else if (next === '!') {
      if (text.startsWith('<!--', tag)) at = after('-->', tag + 4);
      else if (text.startsWith('<![CDATA[', tag) && open.length > 0) {
        at = after(']]>', tag);
        say(text.slice(tag + 9, at - 3));
      } else throw new NotWellFormed();
    } else {
      if (open.length === 0 && root) throw new NotWellFormed();
      const end = text.indexOf('>', tag);
      const whole = text.slice(tag + 1, end);
      if (known.has(whole)) {
        at = end + 1;
        open.push({ name: whole, text: '', node: undefined });
        continue;
      }
      const started = readStart(text, tag + 1);
      at = started.end;
      if (started.open.name === whole) known.add(whole);
      open.push(started.open);
      if (started.isEmpty) close();
    }
  }
  if (!root || open.length > 0 || text.slice(at).trim() !== '') throw new NotWellFormed();
  return root;
}

function readStart(
  text: string,
  start: number,
): { readonly open: Open; readonly end: number; readonly isEmpty: boolean } {
  const name = matchAt(tagName, text, start)?.[0];
  if (name === undefined) throw new NotWellFormed();
  const open: Open = { name, text: '', node: undefined };
  let at = start + name.length;
  for (let found = matchAt(attribute, text, at); found; found = matchAt(attribute, text, at)) {
    const [all, named = '', inDouble, inSingle = ''] = found;
    const key = attributePrefix + named;
    open.node ??= Object.create(null) as Record<string, Element>;
    if (open.node[key] !== undefined) throw new NotWellFormed();
    open.node[key] = decodeReferences(inDouble ?? inSingle);
    at += all.length;
  }
  const end = matchAt(tagEnd, text, at);
  if (!end) throw new NotWellFormed();
  return { open, end: at + end[0].length, isEmpty: end[1] === '/' };
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function add(parent: Open, name: string, element: Element): void {
  // Without a prototype: an element may be called as what every object has.
  parent.node ??= Object.create(null) as Record<string, Element>;
  const before = parent.node[name];
  if (before === undefined) parent.node[name] = element;
  else if (Array.isArray(before)) before.push(element);
  else parent.node[name] = [before, element];
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decodeReferences(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&([^;&]*)(;?)/g, (_, name: string, end: string) => {
    const known = Object.hasOwn(named, name) ? named[name] : undefined;
    if (end === ';' && known !== undefined) return known;
    const digits = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(name);
    const code = digits ? Number.parseInt(digits[1] ?? digits[2] ?? '', digits[1] === undefined ? 10 : 16) : -1;
    if (end !== ';' || code < 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw new NotWellFormed();
    return String.fromCodePoint(code);
  });
}
