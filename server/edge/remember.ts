// What the same few clients say with every request is read once: hosts, credential scopes, lists of signed headers, the second of a signature.

const maxRemembered = 1000;

/** @param read a function of the text alone   @returns the same, which reads each text once until there are too many */
export function remember<T>(read: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const value = read(text);
    if (known.size >= maxRemembered) known.clear();
    known.set(text, value);
    return value;
  };
}
