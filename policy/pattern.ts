// Does a text fit a pattern of a policy? `*` and `?`, and policy variables (O5) in documents of version 2012-10-17 (M5).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html (read 2026-11-21)
// What a variable stands for is literal: a `*` in a user's name is a star, not a wildcard.

import { ANY, matchesTokens, ONE, type Token } from './glob.ts';

/** A condition key's values by its lower-case name. */
export type Lookup = (lowerCaseKey: string) => readonly string[] | undefined;
export type TextMatcher = (text: string, lookup: Lookup) => boolean;

type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'variable'; readonly key: string; readonly fallback?: string };

export interface PatternOptions {
  /** `${…}` is a variable: the document's version is 2012-10-17 and the element allows it. */
  readonly variables: boolean;
  /** `*` and `?` are wildcards. */
  readonly wildcards: boolean;
  readonly ignoreCase?: boolean;
}

/**
 * Compiles one value of a policy.
 * @returns a matcher; with a variable that the request cannot resolve (missing, or more than one value) it matches nothing (O5)
 */
export function compilePattern(pattern: string, options: PatternOptions): TextMatcher {
  const prepare = preparing(options.ignoreCase);
  const source = prepare(pattern);
  if (!options.variables || !pattern.includes('${')) {
    const fixed = options.wildcards ? compileGlob(source) : (text: string) => text === source;
    return options.ignoreCase === true ? (text) => fixed(prepare(text)) : fixed;
  }
  const tokensOf = compileTokens(pattern, options);
  return (text, lookup) => {
    const tokens = tokensOf(lookup);
    return tokens !== undefined && matchesTokens(tokens, prepare(text));
  };
}

/**
 * Compiles one value that has variables.
 * @returns what the value says for a request, or undefined when a variable in it cannot be resolved
 */
export function compileTokens(
  pattern: string,
  options: Pick<PatternOptions, 'wildcards' | 'ignoreCase'>,
): (lookup: Lookup) => Token[] | undefined {
  // The template is parsed as written: a default value keeps its case until it is compared.
  const parts = parseTemplate(pattern);
  return (lookup) => resolve(parts, lookup, options);
}

function preparing(ignoreCase: boolean | undefined): (text: string) => string {
  return ignoreCase === true ? (text) => text.toLowerCase() : (text) => text;
}

/** A matcher for a pattern without variables. */
export function compileGlob(pattern: string): (text: string) => boolean {
  if (/^\*+$/.test(pattern)) return () => true;
  const wildcard = pattern.search(/[*?]/);
  if (wildcard < 0) return (text) => text === pattern;
  if (wildcard === pattern.length - 1 && pattern.endsWith('*')) {
    const prefix = pattern.slice(0, -1);
    return (text) => text.startsWith(prefix);
  }
  const tokens = tokensOf(pattern, true);
  return (text) => matchesTokens(tokens, text);
}

/** Splits a value into text, the escapes `${*}` `${?}` `${$}` and variables with their defaults. */
function parseTemplate(pattern: string): Part[] {
  const parts: Part[] = [];
  let position = 0;
  while (position < pattern.length) {
    const open = pattern.indexOf('${', position);
    const close = open < 0 ? -1 : pattern.indexOf('}', open);
    if (close < 0) {
      parts.push({ kind: 'text', text: pattern.slice(position) });
      break;
    }
    if (open > position) parts.push({ kind: 'text', text: pattern.slice(position, open) });
    parts.push(parsePlaceholder(pattern.slice(open + 2, close)));
    position = close + 1;
  }
  return parts;
}

function parsePlaceholder(inside: string): Part {
  if (inside === '*' || inside === '?' || inside === '$') return { kind: 'literal', text: inside };
  const match = /^\s*([^,']+?)\s*(?:,\s*'([^']*)'\s*)?$/.exec(inside);
  if (!match?.[1]) return { kind: 'literal', text: `\${${inside}}` };
  return { kind: 'variable', key: match[1].toLowerCase(), ...(match[2] !== undefined && { fallback: match[2] }) };
}

function resolve(
  parts: readonly Part[],
  lookup: Lookup,
  options: Pick<PatternOptions, 'wildcards' | 'ignoreCase'>,
): Token[] | undefined {
  const prepare = preparing(options.ignoreCase);
  const tokens: Token[] = [];
  for (const part of parts) {
    if (part.kind === 'variable') {
      const values = lookup(part.key);
      // Only a key with one value can be a variable; an absent one takes its default.
      const value =
        values === undefined || values.length === 0 ? part.fallback : values.length === 1 ? values[0] : undefined;
      if (value === undefined) return undefined;
      tokens.push(...tokensOf(prepare(value), false));
    } else {
      tokens.push(...tokensOf(prepare(part.text), part.kind === 'text' && options.wildcards));
    }
  }
  return tokens;
}

function tokensOf(text: string, wildcards: boolean): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (wildcards && code === 42) {
      if (tokens[tokens.length - 1] !== ANY) tokens.push(ANY);
    } else {
      tokens.push(wildcards && code === 63 ? ONE : code);
    }
  }
  return tokens;
}
