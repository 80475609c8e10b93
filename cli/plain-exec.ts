// Is this command line `exec [--data DIRECTORY] INSTANCE [--] COMMAND…` and nothing more? Then it needs no parser. Whatever is spelled differently, a terminal,
// help, a mistake, is left to commander, which says the same of these lines (plain-exec.test.ts).

export interface PlainExec {
  readonly instanceId: string;
  readonly command: readonly string[];
  readonly options: { readonly data?: string };
}

/** @param words the command line after the program's own name   @returns undefined for every other one */
export function plainExec(words: readonly string[]): PlainExec | undefined {
  if (words[0] !== 'exec') return undefined;
  const data = words[1] === '--data' ? words[2] : undefined;
  const [instanceId, ...rest] = words.slice(data === undefined ? 1 : 3);
  if (instanceId === undefined || instanceId.startsWith('-') || data?.startsWith('-')) return undefined;
  const command = rest[0] === '--' ? rest.slice(1) : rest;
  if (command.length === 0 || (rest[0] !== '--' && command[0]?.startsWith('-'))) return undefined;
  return { instanceId, command, options: data === undefined ? {} : { data } };
}
