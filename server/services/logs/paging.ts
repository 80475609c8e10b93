// Lists by page. A token is what the last page ended with.

import { invalidToken } from './errors.ts';

export function pageOf<T>(
  all: readonly T[],
  limit: number,
  token: string | undefined,
  keyOf: (one: T) => string,
): { readonly page: readonly T[]; readonly next: { nextToken?: string } } {
  const last = token === undefined ? undefined : Buffer.from(token, 'base64url').toString();
  const before = last === undefined ? -1 : all.findIndex((one) => keyOf(one) === last);
  if (last !== undefined && before < 0) throw invalidToken();
  const page = all.slice(before + 1, before + 1 + limit);
  const end = page.at(-1);
  const isMore = before + 1 + limit < all.length && end !== undefined;
  return { page, next: isMore ? { nextToken: Buffer.from(keyOf(end)).toString('base64url') } : {} };
}
