// Filter patterns. https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html (read 2026-11-22)
// Terms: all must be in the message, `-term` must not, and of those with `?` one, unless there are others beside them, which is AWS's own rule.
// `[a, b = x, ...]`: the fields between spaces, of which what stands in quotation marks or brackets is one. Refused: JSON patterns and regular expressions.

import { invalidParameter, unsupported } from './errors.ts';

export type Matcher = (message: string) => boolean;

const invalid = () => invalidParameter('Invalid filter pattern');

/** @throws InvalidParameterException for a pattern that is none, or of a kind that is refused */
export function readFilterPattern(pattern: string): Matcher {
  const text = pattern.trim();
  if (text === '') return () => true;
  if (text.startsWith('{')) throw unsupported('A JSON filter pattern');
  if (/%.*%/.test(text)) throw unsupported('A regular expression in a filter pattern');
  if (text.startsWith('[')) return readFields(text);
  return readTerms(text);
}

function readTerms(text: string): Matcher {
  const found = [...text.matchAll(/([?-]?)(?:"([^"]*)"|(\S+))/g)];
  const of = (sign: string) =>
    found.filter((each) => each[1] === sign).map(([, , quoted, plain]) => quoted ?? plain ?? '');
  const [all, none, some] = [of(''), of('-'), of('?')];
  return (message) =>
    all.every((term) => message.includes(term)) &&
    !none.some((term) => message.includes(term)) &&
    (all.length > 0 || some.length === 0 || some.some((term) => message.includes(term)));
}

type Test = (value: string) => boolean;

/** `...` stands for any number of fields. */
function readFields(text: string): Matcher {
  const inner = /^\[(.*)\]$/s.exec(text)?.[1];
  if (inner === undefined) throw invalid();
  const parts = splitOutside(inner, ',').map((part) => part.trim());
  const gap = parts.indexOf('...');
  if (gap !== parts.lastIndexOf('...') || parts.some((part) => part === '')) throw invalid();
  const tests = parts.filter((part) => part !== '...').map(readField);
  return (message) => {
    const values = fieldsOf(message);
    if (gap < 0 ? values.length !== tests.length : values.length < tests.length) return false;
    const skipped = values.length - tests.length;
    return tests.every((test, index) => test(values[gap >= 0 && index >= gap ? index + skipped : index] ?? ''));
  };
}

/** `name`, `name = value`, or several conditions with && or ||, && first. */
function readField(part: string): Test {
  const either = splitOutside(part, '||').map((side) => splitOutside(side, '&&').map(readCondition));
  return (value) => either.some((all) => all.every((test) => test(value)));
}

function readCondition(text: string): Test {
  const trimmed = text.trim().replace(/^\((.*)\)$/, '$1');
  if (/^\w[\w-]*$/.test(trimmed)) return () => true;
  const [, operator = '', given = ''] = /^\w[\w-]*\s*(!=|>=|<=|=|<|>)\s*(.+)$/.exec(trimmed) ?? [];
  if (operator === '') throw invalid();
  const wanted = /^"(.*)"$/.exec(given)?.[1] ?? given.trim();
  const compare: Readonly<Record<string, Test>> = {
    '=': equals(wanted),
    '!=': (value) => !equals(wanted)(value),
    '<': (value) => Number(value) < Number(wanted),
    '>': (value) => Number(value) > Number(wanted),
    '<=': (value) => Number(value) <= Number(wanted),
    '>=': (value) => Number(value) >= Number(wanted),
  };
  const test = compare[operator];
  if (!test || (/[<>]/.test(operator) && !Number.isFinite(Number(wanted)))) throw invalid();
  return test;
}

/** `*` stands for anything, at either end. */
function equals(wanted: string): Test {
  if (wanted !== '' && Number.isFinite(Number(wanted)))
    return (value) => value === wanted || (value !== '' && Number(value) === Number(wanted));
  const [start, end] = [wanted.startsWith('*'), wanted.endsWith('*')];
  const core = wanted.slice(start ? 1 : 0, end && wanted.length > 1 ? -1 : undefined);
  if (start && end) return (value) => value.includes(core);
  if (start) return (value) => value.endsWith(core);
  return end ? (value) => value.startsWith(core) : (value) => value === wanted;
}

/** Between spaces; what is in quotation marks or brackets is one field, without them. */
function fieldsOf(message: string): string[] {
  return [...message.matchAll(/"([^"]*)"|\[([^\]]*)\]|(\S+)/g)].map(
    ([, quoted, bracketed, plain]) => quoted ?? bracketed ?? plain ?? '',
  );
}

function splitOutside(text: string, separator: string): string[] {
  const parts: string[] = [];
  let current = '';
  let isQuoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const char = text.charAt(index);
    if (char === '"') isQuoted = !isQuoted;
    if (!isQuoted && text.startsWith(separator, index)) {
      parts.push(current);
      current = '';
      index += separator.length - 1;
    } else current += char;
  }
  return [...parts, current];
}
