// What did the person mean? The known word that is nearest to an unknown one.

/** @returns the nearest of `known`, when it is near enough to be a slip; compared without case */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: { readonly word: string; readonly distance: number } | undefined;
  for (const each of known) {
    const distance = editDistance(word.toLowerCase(), each.toLowerCase());
    if (best === undefined || distance < best.distance) best = { word: each, distance };
  }
  if (best === undefined || best.distance > Math.max(2, Math.floor(best.word.length / 3))) return undefined;
  return best.word;
}

/** `, did you mean 'x'?` or nothing: the end of a sentence about an unknown word. */
export function meant(word: string, known: Iterable<string>): string {
  const found = nearest(word, known);
  return found === undefined ? '' : `; did you mean '${found}'?`;
}

/** Levenshtein's, with two rows. */
function editDistance(a: string, b: string): number {
  let before = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (before[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(change, (before[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    before = row;
  }
  return before[b.length] ?? 0;
}
