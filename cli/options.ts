// Options that stand after the instance and before its command, `connect i-… --json` as `ssh HOST -l USER` has it. commander must stop reading
// at the instance, or it would take the options of the command inside (`exec i-… ls -l`) for ours.

import type { Command } from 'commander';
import { exitCodes, OperatorError } from './terminal.ts';

/** Takes the leading options of `words` into `command`. @returns the command for the instance, without the `--` that may lead it */
export function optionsAfter(command: Command, words: readonly string[]): string[] {
  const rest = [...words];
  while (rest[0]?.startsWith('-')) {
    const word = rest.shift() ?? '';
    if (word === '--') break;
    const [name, ...inline] = word.split('=');
    const option = command.options.find(({ short, long }) => name === short || name === long);
    if (!option) throw usage(`Unknown option '${word}'.`, command);
    if (!option.required) {
      command.setOptionValue(option.attributeName(), true);
      continue;
    }
    const value = inline.length > 0 ? inline.join('=') : rest.shift();
    if (value === undefined) throw usage(`Option '${option.flags}' argument missing.`, command);
    command.setOptionValue(option.attributeName(), value);
  }
  return rest;
}

function usage(message: string, command: Command): OperatorError {
  return new OperatorError(message, { exitCode: exitCodes.usage, cure: `postern help ${command.name()}` });
}
