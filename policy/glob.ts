// Text against a pattern with `*` and `?`. One point to go back to, the last star, bounds the cost by length × length: no regular expression does.

/** A character code, or a wildcard. */
export type Token = number;
/** `*`: any characters, also none. Two in a row are one. */
export const ANY: Token = -1;
/** `?`: one character. */
export const ONE: Token = -2;

export function matchesTokens(tokens: readonly Token[], text: string): boolean {
  let token = 0;
  let at = 0;
  let star = -1;
  let starAt = 0;
  while (at < text.length) {
    const expected = tokens[token];
    if (expected === ANY) {
      star = token;
      starAt = at;
      token += 1;
    } else if (expected === ONE || expected === text.charCodeAt(at)) {
      token += 1;
      at += 1;
    } else if (star >= 0) {
      starAt += 1;
      at = starAt;
      token = star + 1;
    } else {
      return false;
    }
  }
  while (tokens[token] === ANY) token += 1;
  return token === tokens.length;
}
