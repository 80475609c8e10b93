// Which attributes does an expression name, and which partition keys? For dynamodb:Attributes and dynamodb:LeadingKeys, before the table is asked.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html (read 2026-11-21): attributes count by their first name.
// Reads words, not grammar: an expression that is wrong is refused later, and until then an attribute too many only makes a policy stricter.

const token = /[#:]?[A-Za-z0-9_-]+|[().[\],]|[<>=+]+/g;
const keywords: ReadonlySet<string> = new Set([
  'AND', 'OR', 'NOT', 'BETWEEN', 'IN', 'SET', 'REMOVE', 'ADD', 'DELETE',
]); // biome-ignore format: a list of words

type Names = Readonly<Record<string, string>>;

/** The first names of every path in an expression, `#name` replaced. */
export function attributesOf(expression: string, names: Names = {}): string[] {
  const tokens = expression.match(token) ?? [];
  return tokens.flatMap((word, at) => {
    const before = tokens[at - 1];
    if (before === '.' || before === '[' || tokens[at + 1] === '(') return [];
    if (word.startsWith('#')) return [names[word] ?? word];
    return /^[A-Za-z_]/.test(word) && !keywords.has(word.toUpperCase()) ? [word] : [];
  });
}

/** The values that an expression compares an attribute with for equality, as names of values (`:v`). */
export function equalTo(expression: string, attribute: string, names: Names = {}): string[] {
  const tokens = expression.match(token) ?? [];
  const named = (word: string | undefined) => word !== undefined && (names[word] ?? word) === attribute;
  return tokens.flatMap((word, at) => {
    if (word !== '=') return [];
    const [left = '', right = ''] = [tokens[at - 1], tokens[at + 1]];
    if (named(left) && right.startsWith(':')) return [right];
    return named(right) && left.startsWith(':') ? [left] : [];
  });
}
