// Where in its text does each statement of a policy stand? The simulator's MatchedStatements say it in lines and columns.
// Recorded on AWS: of a document on one line whose statement's brace is the 40th character and whose closing brace is the 112th, columns 41 and
// 113: the place behind the brace, counted from 1. The text is one that JSON.parse has taken.

export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface Span {
  readonly start: Position;
  readonly end: Position;
}

/** @returns one span per statement, in their order; a statement that stands alone, without a list, has one */
export function statementSpans(text: string): Span[] {
  const spans: Span[] = [];
  const open: { readonly isStatement: boolean; readonly isStatements: boolean; readonly start: Position }[] = [];
  let line = 1;
  let lineStart = 0;
  let lastString = '';
  let key = '';
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    const behind = (): Position => ({ line, column: at + 2 - lineStart });
    if (character === '\n') {
      line += 1;
      lineStart = at + 1;
    } else if (character === '"') {
      const end = endOfString(text, at);
      lastString = text.slice(at + 1, end);
      at = end;
    } else if (character === ':') {
      if (open.length === 1) key = lastString;
    } else if (character === '{' || character === '[') {
      const inStatement = key === 'Statement' && open.length === 1;
      const isStatement = character === '{' && (inStatement || open.at(-1)?.isStatements === true);
      open.push({ isStatement, isStatements: character === '[' && inStatement, start: behind() });
    } else if (character === '}' || character === ']') {
      const closed = open.pop();
      if (closed?.isStatement === true) spans.push({ start: closed.start, end: behind() });
    }
  }
  return spans;
}

/** The place of the quote that ends the string which begins at `at`. */
function endOfString(text: string, at: number): number {
  let end = at + 1;
  while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
  return end;
}
