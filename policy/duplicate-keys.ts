// Does a JSON text say a key twice in one object? JSON.parse would keep the last without a word, and half of a condition would be gone.
// AWS calls a second Statement, Effect, Action or Resource a mistake: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_policies.html#morethanonestatement
// (read 2026-11-21). Unsourced: that the keys of a Condition are no exception, and the words; here such a text counts as no JSON.
// The text is one that JSON.parse has taken.

export function hasDuplicateKeys(text: string): boolean {
  /** The keys of each open object; undefined for an open list. */
  const open: (Set<string> | undefined)[] = [];
  let lastString = '';
  for (let at = 0; at < text.length; at += 1) {
    switch (text[at]) {
      case '{':
        open.push(new Set());
        break;
      case '[':
        open.push(undefined);
        break;
      case '}':
      case ']':
        open.pop();
        break;
      case '"': {
        const start = at;
        for (at += 1; text[at] !== '"'; at += 1) if (text[at] === '\\') at += 1;
        lastString = text.slice(start, at + 1);
        break;
      }
      case ':': {
        const keys = open.at(-1);
        // `"a"` is the same key as `"\u0061"`.
        const key = lastString.includes('\\') ? (JSON.parse(lastString) as string) : lastString.slice(1, -1);
        if (keys?.has(key)) return true;
        keys?.add(key);
        break;
      }
    }
  }
  return false;
}
