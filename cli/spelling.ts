// How must this person type a command, so that it works where they stand? `postern` is ./dist/postern.mjs in a clone, needs --data when the
// cloud is not in the default place, and `aws` means the AWS CLI pointed at this cloud: a bare `aws` could reach the real one.

import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** The XDG data directory: where a cloud is kept when nobody says otherwise. */
export function defaultDataDirectory(): string {
  return join(process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'postern');
}

/** `--data`, POSTERN_DATA, or the default. */
export function dataDirectory(option?: string): string {
  return resolve(option || process.env['POSTERN_DATA'] || defaultDataDirectory());
}

/** The `postern` command as this person types it, in any terminal. @param directory of the cloud that it is to speak to */
export function commandName(directory = defaultDataDirectory(), script = process.argv[1] ?? 'postern'): string {
  const data = directory === defaultDataDirectory() ? '' : ` --data ${quoted(directory)}`;
  return programName(script) + data;
}

function programName(script: string): string {
  if (script.includes('/node_modules/.bin/')) return 'npx postern';
  if (!script.endsWith('.mjs')) return 'postern';
  const here = `${process.cwd()}/`;
  return quoted(script.startsWith(here) ? `./${script.slice(here.length)}` : script);
}

function quoted(word: string): string {
  return /^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A cure as the server names it, `postern up` or `aws ec2 … $(aws ec2 …)`, in the words that this person must type. */
export function spell(cure: string, command: string): string {
  // A cure that names another directory must not name this one too.
  const own = cure.includes(' --data ') ? command.replace(/ --data .*$/, '') : command;
  return cure.replace(/(^|\$\()(postern|aws) /g, (_, before: string, program: string) =>
    program === 'aws' ? `${before}${own} aws ` : `${before}${own} `,
  );
}
