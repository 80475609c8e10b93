// Is a statement's Condition true for a request? Rules O1–O5, table 7.3.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
// reference_policies_condition-single-vs-multi-valued-context-keys.html (read 2026-11-21)
// One operator line with one key is a test; all tests of a statement must be true (O1). Several listed values are OR, and for a negated
// operator NOR. A key that is absent makes a positive operator false and a negated one true (O2).

import { compareNumbers, isBase64, isTrue, parseDate, parseNumber } from './condition-values.ts';
import { matchesTokens, type Token } from './glob.ts';
import { parseIpAddress, parseIpRange, rangeContains } from './ip-range.ts';
import { compileGlob, compilePattern, compileTokens, type Lookup, type TextMatcher } from './pattern.ts';
import type { Condition, Statement } from './types.ts';

export type CompiledCondition = (lookup: Lookup) => boolean;

/** Undefined says that what is listed is no value of the operator's type, and the comparison ends there. */
type ListedMatcher = (actual: string, lookup: Lookup) => boolean | undefined;

interface Operator {
  readonly negated: boolean;
  /** A matcher for one listed value, in its positive sense. */
  readonly compile: (value: string, variables: boolean) => ListedMatcher;
  /** Is the request's own value of the type? One that is not fits neither the operator nor its negation (recorded on AWS, 2026-09). */
  readonly fits?: (actual: string) => boolean;
}

const never: TextMatcher = () => false;
const text = (wildcards: boolean, ignoreCase: boolean) => (value: string, variables: boolean) =>
  compilePattern(value, { variables, wildcards, ignoreCase });
const number = (holds: (order: number) => boolean) => compare(parseNumber, compareNumbers, holds);
const date = (holds: (order: number) => boolean) => compare(parseDate, (one, other) => one - other, holds);
const address = { compile: compileAddress, fits: (actual: string) => parseIpAddress(actual) !== undefined };
const arn = {
  compile: compileArn,
  fits: (actual: string) => actual.startsWith('arn:') && arnParts(actual).length === 6,
};

const OPERATORS: Readonly<Record<string, Operator>> = {
  StringEquals: { negated: false, compile: text(false, false) },
  StringNotEquals: { negated: true, compile: text(false, false) },
  StringEqualsIgnoreCase: { negated: false, compile: text(false, true) },
  StringNotEqualsIgnoreCase: { negated: true, compile: text(false, true) },
  StringLike: { negated: false, compile: text(true, false) },
  StringNotLike: { negated: true, compile: text(true, false) },
  NumericEquals: { negated: false, compile: number((order) => order === 0) },
  NumericNotEquals: { negated: true, compile: number((order) => order === 0) },
  NumericLessThan: { negated: false, compile: number((order) => order < 0) },
  NumericLessThanEquals: { negated: false, compile: number((order) => order <= 0) },
  NumericGreaterThan: { negated: false, compile: number((order) => order > 0) },
  NumericGreaterThanEquals: { negated: false, compile: number((order) => order >= 0) },
  DateEquals: { negated: false, compile: date((order) => order === 0) },
  DateNotEquals: { negated: true, compile: date((order) => order === 0) },
  DateLessThan: { negated: false, compile: date((order) => order < 0) },
  DateLessThanEquals: { negated: false, compile: date((order) => order <= 0) },
  DateGreaterThan: { negated: false, compile: date((order) => order > 0) },
  DateGreaterThanEquals: { negated: false, compile: date((order) => order >= 0) },
  Bool: { negated: false, compile: compileBool },
  BinaryEquals: { negated: false, compile: (value) => (actual) => isBase64(actual) && actual === value },
  IpAddress: { negated: false, ...address },
  NotIpAddress: { negated: true, ...address },
  ArnEquals: { negated: false, ...arn },
  ArnLike: { negated: false, ...arn },
  ArnNotEquals: { negated: true, ...arn },
  ArnNotLike: { negated: true, ...arn },
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
 * @param effect the statement's: a listed ARN that is none lets nothing through, so it is met in a Deny and not in an Allow (recorded on AWS, 2026-09)
 * @returns a test; a line with an unknown operator is never true (documents are checked when they are written)
 */
export function compileCondition(
  condition: Condition,
  variables: boolean,
  effect: Statement['effect'],
): CompiledCondition {
  const key = condition.key.toLowerCase();
  const parsed = parseOperator(condition.operator);
  if (!parsed) return () => false;
  if (parsed.base === 'Null') return compileNull(key, condition.values);
  const operator = OPERATORS[parsed.base];
  if (!operator) return () => false;
  const matchers = condition.values.map((value) => operator.compile(value, variables));
  const { negated, fits } = operator;
  return quantify(key, parsed, negated, (actual, lookup) => {
    if (fits?.(actual) === false) return false;
    for (const matcher of matchers) {
      const met = matcher(actual, lookup);
      if (met === undefined) return effect === 'Deny';
      if (met) return !negated;
    }
    return negated;
  });
}

/**
 * Keys that have several values by their nature, so that an operator for one value never meets them, not even negated. Recorded on AWS (2026-09) for this one, with one value too;
 * of others that AWS calls multivalued nothing was recorded.
 */
const alwaysSeveral: ReadonlySet<string> = new Set(['aws:tagkeys']);

/** @param holds for one value of the request's, negation and all */
function quantify(key: string, operator: ParsedOperator, negated: boolean, holds: TextMatcher): CompiledCondition {
  const { set, ifExists } = operator;
  const absent = ifExists || (set === 'ForAllValues' ? true : set === 'ForAnyValue' ? false : negated);
  return (lookup) => {
    const values = lookup(key);
    if (values === undefined || values.length === 0) return absent;
    if (set === undefined && alwaysSeveral.has(key)) return false;
    // Several values and no set operator: any may match, and negated is its complement.
    const all = set === undefined ? negated : set === 'ForAllValues';
    return all ? values.every((value) => holds(value, lookup)) : values.some((value) => holds(value, lookup));
  };
}

function compileNull(key: string, values: readonly string[]): CompiledCondition {
  const wantsAbsent = values.some(isTrue);
  const wantsPresent = !values.every(isTrue);
  return (lookup) => {
    const found = lookup(key);
    return found === undefined || found.length === 0 ? wantsAbsent : wantsPresent;
  };
}

function compare<T>(
  parse: (value: string) => T | undefined,
  order: (one: T, other: T) => number,
  holds: (order: number) => boolean,
) {
  return (value: string): TextMatcher => {
    const listed = parse(value);
    if (listed === undefined) return never;
    return (actualText) => {
      const actual = parse(actualText);
      return actual !== undefined && holds(order(actual, listed));
    };
  };
}

function compileBool(value: string, variables: boolean): TextMatcher {
  // What a variable stands for is compared as text: nothing was recorded of it.
  if (holdsVariable(value, variables)) return text(false, true)(value, variables);
  const listed = isTrue(value);
  return (actual) => isTrue(actual) === listed;
}

function compileAddress(value: string): TextMatcher {
  const range = parseIpRange(value);
  if (!range) return never;
  return (actual) => {
    const groups = parseIpAddress(actual);
    return groups !== undefined && rangeContains(range, groups);
  };
}

/** The six parts of an ARN; the last keeps its colons. */
export function arnParts(arn: string): string[] {
  const parts = arn.split(':');
  return parts.length <= 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(':')];
}

/** Each of the six parts is matched on its own, so `*` never reaches over a colon of the first five. */
function compileArn(value: string, variables: boolean): ListedMatcher {
  if (value === '*') return () => true;
  if (holdsVariable(value, variables)) return compileArnWithVariables(value);
  const matchers = arnParts(value).map(compileGlob);
  if (matchers.length !== 6) return () => undefined;
  return (actual) => {
    const parts = arnParts(actual);
    return matchers.every((matcher, place) => matcher(parts[place] ?? ''));
  };
}

/** A variable may stand for several parts, or for all of them. */
function compileArnWithVariables(value: string): ListedMatcher {
  const tokensOf = compileTokens(value, { wildcards: true });
  return (actual, lookup) => {
    const tokens = tokensOf(lookup);
    if (tokens === undefined) return false;
    const patterns = sixParts(tokens);
    if (patterns.length !== 6) return undefined;
    const parts = arnParts(actual);
    return patterns.every((pattern, place) => matchesTokens(pattern, parts[place] ?? ''));
  };
}

const COLON = ':'.charCodeAt(0);

function sixParts(tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = [[]];
  for (const token of tokens) {
    if (token === COLON && parts.length < 6) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}

function holdsVariable(value: string, variables: boolean): boolean {
  return variables && value.includes('${');
}
