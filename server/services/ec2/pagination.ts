// Which part of a list is one page? `NextToken` names the row that the last page ended with, so rows made or deleted between two pages neither
// repeat nor hide others. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html#api-pagination (read 2026-11-21).
// Without MaxResults everything is one page.

import { ec2Error, invalidCombination, invalidParameterValue } from './errors.ts';

export interface PageRequest {
  readonly MaxResults?: number | undefined;
  readonly NextToken?: string | undefined;
}

export interface PageBounds {
  readonly min: number;
  readonly max: number;
  /** The ids that were asked for and the wire's name of that list, where AWS refuses them beside MaxResults. */
  readonly ids?: { readonly values: readonly string[] | undefined; readonly parameter: string };
}

interface Token {
  readonly offset: number;
  readonly after: string;
}

/**
 * One page of `rows`.
 * @param idOf what a token remembers of the last row
 * @throws InvalidParameterValue, InvalidParameterCombination, InvalidNextToken
 */
export function paginate<R>(
  rows: readonly R[],
  request: PageRequest,
  bounds: PageBounds,
  idOf: (row: R) => string,
): { page: readonly R[]; NextToken?: string } {
  const { MaxResults: max, NextToken: text } = request;
  if (max !== undefined) {
    if (bounds.ids?.values && bounds.ids.values.length > 0)
      throw invalidCombination(`The parameter ${bounds.ids.parameter} cannot be used with the parameter maxResults`);
    if (max < bounds.min)
      throw invalidParameterValue(
        `Value ( ${max} ) for parameter maxResults is invalid. Expecting a value greater than or equal to ${bounds.min}.`,
      );
    if (max > bounds.max)
      throw invalidParameterValue(
        `Value ( ${max} ) for parameter maxResults is invalid. Expecting a value less than or equal to ${bounds.max}.`,
      );
  }
  const start = text === undefined || text === '' ? 0 : startOf(rows, readToken(text), idOf);
  const end = max === undefined ? rows.length : Math.min(rows.length, start + max);
  const page = rows.slice(start, end);
  const last = page.at(-1);
  if (end >= rows.length || last === undefined) return { page };
  return { page, NextToken: writeToken({ offset: end, after: idOf(last) }) };
}

function startOf<R>(rows: readonly R[], token: Token, idOf: (row: R) => string): number {
  const before = rows[token.offset - 1];
  if (before !== undefined && idOf(before) === token.after) return token.offset;
  const found = rows.findIndex((row) => idOf(row) === token.after);
  return found >= 0 ? found + 1 : Math.min(token.offset, rows.length);
}

function writeToken(token: Token): string {
  return Buffer.from(JSON.stringify([token.offset, token.after])).toString('base64url');
}

function readToken(text: string): Token {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (Array.isArray(parsed)) {
      const [offset, after] = parsed as unknown[];
      if (Number.isSafeInteger(offset) && (offset as number) > 0 && typeof after === 'string')
        return { offset: offset as number, after };
    }
  } catch {
    // Not one of ours: answered below.
  }
  throw ec2Error('InvalidNextToken', 'The specified NextToken is not valid.');
}
