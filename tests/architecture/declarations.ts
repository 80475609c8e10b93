// Which code can an operation's row reach? The declarations of the source's modules, as JavaScript without types and comments, and what each of them names.
// Names are followed, not values: what is reached is at least what can run. A function that is only handed over by a computed name is not found.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { transformSync } from 'esbuild';

export interface Declaration {
  readonly file: string;
  readonly name: string;
  readonly code: string;
}

interface Module {
  readonly declarations: ReadonlyMap<string, Declaration>;
  /** Local name → where it is declared. */
  readonly imports: ReadonlyMap<string, { readonly file: string; readonly name: string }>;
}

const modules = new Map<string, Module>();

/** Top-level statements: after the transformation each begins at the line's start, and nothing within one does with a letter. */
function statements(code: string): string[] {
  const found: string[] = [];
  for (const line of code.split('\n')) {
    if (/^[A-Za-z]/.test(line) || found.length === 0) found.push(line);
    else found[found.length - 1] += `\n${line}`;
  }
  return found;
}

export function moduleOf(root: string, file: string): Module {
  const known = modules.get(file);
  if (known) return known;
  const { code } = transformSync(readFileSync(file, 'utf8'), { loader: 'ts', charset: 'utf8' });
  const declarations = new Map<string, Declaration>();
  const imports = new Map<string, { file: string; name: string }>();
  for (const statement of statements(code)) {
    const [, names, from = ''] = /^import \{([\s\S]*?)\} from "([^"]+)"/.exec(statement) ?? [];
    const room = /^@postern\/(.*)$/.exec(from)?.[1];
    const target = from.startsWith('.') ? resolve(dirname(file), from) : room && join(root, room);
    for (const part of names?.split(',') ?? []) {
      const [name = '', local = name] = part.trim().split(' as ');
      if (target && existsSync(target)) imports.set(local, { file: target, name });
    }
    const name = /^(?:export )?(?:async )?(?:function\*?|const|let|class) ([\w$]+)/.exec(statement)?.[1];
    if (name !== undefined) declarations.set(name, { file, name, code: statement });
  }
  const made = { declarations, imports };
  modules.set(file, made);
  return made;
}

/** The modules of a folder, without tests. */
export function sourcesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !/(\.test|testing)\.ts$/.test(name))
    .map((name) => join(directory, name));
}

/** `code` of `file` and all that it names, however far. */
export function reachedFrom(root: string, file: string, code: string): string {
  const seen = new Set<string>();
  const reached = [code];
  const todo = [{ file, code }];
  for (let next = todo.pop(); next; next = todo.pop()) {
    const { declarations, imports } = moduleOf(root, next.file);
    for (const [name] of next.code.matchAll(/(?<![\w$])(?<!(?<!\.\.)\.)[A-Za-z_$][\w$]*/g)) {
      const imported = imports.get(name);
      const found =
        declarations.get(name) ?? (imported && moduleOf(root, imported.file).declarations.get(imported.name));
      if (!found || seen.has(`${found.file} ${found.name}`)) continue;
      seen.add(`${found.file} ${found.name}`);
      reached.push(found.code);
      todo.push(found);
    }
  }
  return reached.join('\n');
}

/** `Checksum${algorithm}` as the names that it can make. */
function asPattern(template: string): RegExp {
  return new RegExp(`^${template.replace(/\$\{[^}]*\}/g, '\\w+')}$`);
}

/** Is this member of an input read: by its name, as a string, by a template, in a pattern of destructuring? */
export function readerOf(code: string): (name: string) => boolean {
  const templates = [...code.matchAll(/`(\w*\$\{[^}`]*\}\w*)`/g)]
    .map(([, template = '']) => template)
    .filter((template) => template.replace(/\$\{[^}]*\}/g, '').length >= 8)
    .map(asPattern);
  const destructured = namesInPatterns(code);
  return (name) =>
    destructured.has(name) ||
    new RegExp(`\\.${name}\\b|["']${name}["']`).test(code) ||
    templates.some((template) => template.test(name));
}

/** Names in braces that are assigned to, or are a function's parameter. */
function namesInPatterns(code: string): Set<string> {
  const names = new Set<string>();
  const open: number[] = [];
  for (const { 0: brace, index } of code.matchAll(/[{}]/g)) {
    if (brace === '{') open.push(index);
    const start = brace === '}' ? open.pop() : undefined;
    if (start === undefined) continue;
    const after = code.slice(index + 1, index + 400);
    const isPattern = /^\s*(=(?![=>])|( = \{\})?\s*(,\s*[\w$ ={}[\],'"]+)?\)\s*(=>|\{))/.test(after);
    const inside = code.slice(start + 1, index);
    if (!isPattern || /;\n/.test(inside)) continue;
    for (const [, name = ''] of inside.matchAll(/(?:^|[,{\n])\s*(\w+)\s*(?=[,:=}\n]|$)/g)) names.add(name);
  }
  return names;
}

/** The rows that an operation has in a folder's tables: by its name, or by the template that makes its name. */
export function rowsOf(root: string, files: readonly string[], operation: string): Declaration[] {
  const found: Declaration[] = [];
  for (const file of files) {
    const all = [...moduleOf(root, file).declarations.values()];
    for (const declaration of all) {
      const { code } = declaration;
      const key = new RegExp(`^( +)(?:async )?["']?${operation}["']?(?:: |,?$|\\()`, 'm').exec(code);
      if (key) {
        const rest = code.slice(key.index);
        const end = new RegExp(`\\n {0,${key[1]?.length ?? 0}}[^ )}\\]]`).exec(rest);
        found.push({ ...declaration, code: end ? rest.slice(0, end.index) : rest });
      }
      const made = [...code.matchAll(/\[`(\w*\$\{[^}`]*\}\w*)`\]/g)];
      // Who calls the maker says what it is made with: all of the module.
      if (made.some(([, template = '']) => asPattern(template).test(operation))) found.push(...all);
    }
  }
  return found;
}
