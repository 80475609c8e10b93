// Which answers are in a directory? Every *.json file in it and below, whatever it is called: an answer is known by the name of its list. Several files,
// several pages and several answers in one file are read as one. The name of a file counts only where the answer does not say what it is about
// (get-bucket-policy, get-managed-prefix-list-entries), and a directory that is called as a region says the region, as in Batfish's snapshots.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { ImportError, Item } from './item.ts';

export interface Answer {
  /** Relative to the directory. */
  readonly file: string;
  /** Of a directory on the way to the file; undefined: it has to be told by what is in it. */
  readonly region?: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Listed {
  readonly item: Item;
  readonly region?: string;
}

const regionName = /^[a-z]{2}(-[a-z]+)+-\d$/;

/** @throws ImportError when the directory cannot be read, has no JSON, or a file is none */
export function readAnswers(directory: string): Answer[] {
  const answers = jsonFiles(directory).flatMap((path) => {
    const file = relative(directory, path);
    const region = file
      .split('/')
      .slice(0, -1)
      .find((part) => regionName.test(part));
    return documentsOf(readFileSync(path, 'utf8'), file).map((value, index): Answer => {
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        throw new ImportError(
          `${file} is no answer of AWS's: it has no object${index > 0 ? ` at place ${index + 1}` : ''}`,
        );
      return { file, ...(region !== undefined && { region }), fields: value as Answer['fields'] };
    });
  });
  if (answers.length === 0) throw new ImportError(`there is no JSON file in ${directory}`);
  return answers;
}

function jsonFiles(directory: string): string[] {
  try {
    if (!statSync(directory).isDirectory()) throw new ImportError(`${directory} is no directory`);
    return readdirSync(directory, { withFileTypes: true })
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap((entry) => {
        const path = join(directory, entry.name);
        if (entry.isDirectory()) return jsonFiles(path);
        return entry.name.toLowerCase().endsWith('.json') ? [path] : [];
      });
  } catch (error) {
    if (error instanceof ImportError) throw error;
    throw new ImportError(`${directory} cannot be read: ${(error as Error).message}`);
  }
}

/** One JSON value, or several one after the other, as a loop that appends to a file leaves them. */
function documentsOf(text: string, file: string): unknown[] {
  try {
    return [JSON.parse(text)];
  } catch (error) {
    const pieces = splitDocuments(text);
    try {
      if (pieces.length > 1) return pieces.map((piece) => JSON.parse(piece) as unknown);
    } catch {
      // falls through: the first error says more
    }
    throw new ImportError(`${file} is no JSON: ${(error as Error).message}`);
  }
}

function splitDocuments(text: string): string[] {
  const pieces: string[] = [];
  let depth = 0;
  let from = 0;
  let inText = false;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at];
    if (inText) {
      if (letter === '\\') at += 1;
      else if (letter === '"') inText = false;
    } else if (letter === '"') inText = true;
    else if (letter === '{') depth += 1;
    else if (letter === '}') {
      depth -= 1;
      if (depth > 0) continue;
      pieces.push(text.slice(from, at + 1));
      from = at + 1;
    }
  }
  return text.slice(from).trim() === '' ? pieces : [...pieces, text.slice(from)];
}

/** Every object of a list, over all answers, once each: the same page may have been written twice. */
export function listOf(answers: readonly Answer[], name: string, idOf?: string): Listed[] {
  const seen = new Set<string>();
  return answers.flatMap(({ file, region, fields }) => {
    const value = fields[name];
    if (value === undefined) return [];
    if (!Array.isArray(value)) throw new ImportError(`${file}, ${name} is no list`);
    return value.flatMap((each: unknown, index): Listed[] => {
      const item = new Item(each, `${file}, ${name}[${index}]`);
      const id = idOf === undefined ? undefined : item.text(idOf);
      if (id !== undefined && seen.has(id)) return [];
      if (id !== undefined) seen.add(id);
      return [{ item, ...(region !== undefined && { region }) }];
    });
  });
}

/** `bucket-policy.media.json`, `s3/media.json` → `media`: what a file's name says of an answer that does not say it itself. */
export function subjectOf(file: string): string {
  return basename(file)
    .replace(/\.json$/i, '')
    .replace(/^(get-)?(bucket-policy|managed-prefix-list-entries)[._-]/, '');
}
