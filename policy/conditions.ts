// Is a statement's Condition true for a request? Rules O1–O5, table 7.3.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
// reference_policies_condition-single-vs-multi-valued-context-keys.html (read 2026-11-21)
// One operator line with one key is a test; all tests of a statement must be true (O1). Several listed values are OR, and for a negated
// operator NOR. A key that is absent makes a positive operator false and a negated one true (O2).

import { parseIpRange, rangeContains } from './ip-range.ts';
import { compileGlob, compilePattern, type Lookup, type TextMatcher } from './pattern.ts';
import type { Condition } from './types.ts';

export type CompiledCondition = (lookup: Lookup) => boolean;

interface Operator {
  readonly negated: boolean;
  /** A matcher for one listed value, in its positive sense. */
  readonly compile: (value: string, variables: boolean) => TextMatcher;
}

const never: TextMatcher = () => false;
const text = (wildcards: boolean, ignoreCase: boolean) => (value: string, variables: boolean) =>
  compilePattern(value, { variables, wildcards, ignoreCase });

const OPERATORS: Readonly<Record<string, Operator>> = {
  StringEquals: { negated: false, compile: text(false, false) },
  StringNotEquals: { negated: true, compile: text(false, false) },
  StringEqualsIgnoreCase: { negated: false, compile: text(false, true) },
  StringNotEqualsIgnoreCase: { negated: true, compile: text(false, true) },
  StringLike: { negated: false, compile: text(true, false) },
  StringNotLike: { negated: true, compile: text(true, false) },
  NumericEquals: { negated: false, compile: compare(parseNumber, (a, b) => a === b) },
  NumericNotEquals: { negated: true, compile: compare(parseNumber, (a, b) => a === b) },
  NumericLessThan: { negated: false, compile: compare(parseNumber, (a, b) => a < b) },
  NumericLessThanEquals: { negated: false, compile: compare(parseNumber, (a, b) => a <= b) },
  NumericGreaterThan: { negated: false, compile: compare(parseNumber, (a, b) => a > b) },
  NumericGreaterThanEquals: { negated: false, compile: compare(parseNumber, (a, b) => a >= b) },
  DateEquals: { negated: false, compile: compare(parseDate, (a, b) => a === b) },
  DateNotEquals: { negated: true, compile: compare(parseDate, (a, b) => a === b) },
  DateLessThan: { negated: false, compile: compare(parseDate, (a, b) => a < b) },
  DateLessThanEquals: { negated: false, compile: compare(parseDate, (a, b) => a <= b) },
  DateGreaterThan: { negated: false, compile: compare(parseDate, (a, b) => a > b) },
  DateGreaterThanEquals: { negated: false, compile: compare(parseDate, (a, b) => a >= b) },
  Bool: { negated: false, compile: text(false, true) },
  BinaryEquals: { negated: false, compile: compileBinary },
  IpAddress: { negated: false, compile: compileAddress },
  NotIpAddress: { negated: true, compile: compileAddress },
  ArnEquals: { negated: false, compile: compileArn },
  ArnLike: { negated: false, compile: compileArn },
  ArnNotEquals: { negated: true, compile: compileArn },
  ArnNotLike: { negated: true, compile: compileArn },
};

interface ParsedOperator {
  readonly set: 'ForAllValues' | 'ForAnyValue' | undefined;
  readonly base: string;
  readonly ifExists: boolean;
}

/** @returns the parts of an operator's name, or undefined when there is no such operator */
export function parseOperator(name: string): ParsedOperator | undefined {
  const match = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/.exec(name);
  if (!match) return undefined;
  const base = match[2] ?? '';
  const ifExists = match[3] !== undefined;
  const set = match[1] as ParsedOperator['set'];
  if (base === 'Null') return ifExists || set ? undefined : { set: undefined, base, ifExists };
  return Object.hasOwn(OPERATORS, base) ? { set, base, ifExists } : undefined;
}

/**
 * Compiles one operator line with one key.
 * @param variables true in a document of version 2012-10-17 (M5)
 * @returns a test; a line with an unknown operator is never true (documents are checked when they are written)
 */
export function compileCondition(condition: Condition, variables: boolean): CompiledCondition {
  const key = condition.key.toLowerCase();
  const parsed = parseOperator(condition.operator);
  if (!parsed) return () => false;
  if (parsed.base === 'Null') return compileNull(key, condition.values);
  const operator = OPERATORS[parsed.base];
  if (!operator) return () => false;
  const matchers = condition.values.map((value) => operator.compile(value, variables));
  const one = matchers.length === 1 ? matchers[0] : undefined;
  const listed: TextMatcher = one ?? ((value, lookup) => matchers.some((matcher) => matcher(value, lookup)));
  return quantify(key, parsed, operator.negated, listed);
}

/**
 * Keys that have several values by their nature, so that an operator for one value never meets them, not even negated. Recorded on AWS (2026-09) for this one, with one value too;
 * of others that AWS calls multivalued nothing was recorded.
 */
const alwaysSeveral: ReadonlySet<string> = new Set(['aws:tagkeys']);

function quantify(key: string, operator: ParsedOperator, negated: boolean, listed: TextMatcher): CompiledCondition {
  const { set, ifExists } = operator;
  const absent = ifExists || (set === 'ForAllValues' ? true : set === 'ForAnyValue' ? false : negated);
  return (lookup) => {
    const values = lookup(key);
    if (values === undefined || values.length === 0) return absent;
    if (set === 'ForAllValues') return values.every((value) => listed(value, lookup) !== negated);
    if (set === 'ForAnyValue') return values.some((value) => listed(value, lookup) !== negated);
    if (alwaysSeveral.has(key)) return false;
    // Several values and no set operator: any may match, and negated is its complement.
    return values.some((value) => listed(value, lookup)) !== negated;
  };
}

function compileNull(key: string, values: readonly string[]): CompiledCondition {
  const wantsAbsent = values.some((value) => value.toLowerCase() === 'true');
  const wantsPresent = values.some((value) => value.toLowerCase() === 'false');
  return (lookup) => {
    const found = lookup(key);
    return found === undefined || found.length === 0 ? wantsAbsent : wantsPresent;
  };
}

function compare(parse: (value: string) => number | undefined, holds: (actual: number, listed: number) => boolean) {
  return (value: string): TextMatcher => {
    const listed = parse(value);
    if (listed === undefined) return never;
    return (actualText) => {
      const actual = parse(actualText);
      return actual !== undefined && holds(actual, listed);
    };
  };
}

function parseNumber(value: string): number | undefined {
  const trimmed = value.trim();
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(trimmed)) return undefined;
  return Number(trimmed);
}

/** Epoch seconds, or the W3C forms of ISO 8601 (a year alone is read as a year, as AWS writes them with four digits). */
function parseDate(value: string): number | undefined {
  const trimmed = value.trim();
  if (/^\d{5,}(\.\d+)?$/.test(trimmed)) return Number(trimmed) * 1000;
  if (!/^\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?)?)?$/.test(trimmed)) return undefined;
  // A time without a zone is UTC.
  const zoned = trimmed.includes('T') && !/(Z|[+-]\d\d:?\d\d)$/.test(trimmed) ? `${trimmed}Z` : trimmed;
  const time = Date.parse(zoned);
  return Number.isNaN(time) ? undefined : time;
}

function compileAddress(value: string): TextMatcher {
  const range = parseIpRange(value);
  if (!range) return never;
  return (addressText) => {
    const address = parseIpRange(addressText);
    return address !== undefined && rangeContains(range, address);
  };
}

function compileBinary(value: string): TextMatcher {
  const listed = decodeBase64(value);
  if (listed === undefined) return never;
  return (actual) => decodeBase64(actual) === listed;
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** By hand, because the room runs in a browser too: the bytes as a string of code units below 256. */
function decodeBase64(value: string): string | undefined {
  const digits = value.replace(/=+$/, '');
  if (digits.length % 4 === 1) return undefined;
  let bits = 0;
  let width = 0;
  let bytes = '';
  for (const digit of digits) {
    const index = BASE64.indexOf(digit);
    if (index < 0) return undefined;
    bits = ((bits << 6) | index) & 0xfff;
    width += 6;
    if (width >= 8) {
      width -= 8;
      bytes += String.fromCharCode((bits >> width) & 0xff);
    }
  }
  return bytes;
}

/** The six parts of an ARN; the last keeps its colons. */
export function arnParts(arn: string): string[] {
  const parts = arn.split(':');
  return parts.length <= 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(':')];
}

/** Each of the six parts is matched on its own, so `*` never reaches over a colon of the first five. */
function compileArn(value: string, variables: boolean): TextMatcher {
  if (value === '*') return (arn) => arn.startsWith('arn:');
  const holdsVariable = variables && value.includes('${');
  // A variable's name has a colon of its own, so such a value is split around its variables.
  const patterns = holdsVariable ? splitAroundVariables(value) : arnParts(value);
  if (patterns.length !== 6) return never;
  const matchers = patterns.map((pattern) =>
    holdsVariable ? compilePattern(pattern, { variables: true, wildcards: true }) : compileGlob(pattern),
  );
  return (arn, lookup) => {
    const parts = arnParts(arn);
    return parts.length === 6 && matchers.every((matcher, place) => matcher(parts[place] ?? '', lookup));
  };
}

function splitAroundVariables(value: string): string[] {
  const parts: string[] = [''];
  let depth = 0;
  for (const [at, character] of [...value].entries()) {
    if (character === '{' && value[at - 1] === '$') depth += 1;
    if (character === '}' && depth > 0) depth -= 1;
    if (character === ':' && depth === 0 && parts.length < 6) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}
