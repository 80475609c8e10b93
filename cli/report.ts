// What is said when a subcommand fails: what happened, and the command that mends it; with --json also as JSON on stdout.

import { commandName, dataDirectory, spell } from './spelling.ts';
import { answerJson, exitCodes, OperatorError, paint, say } from './terminal.ts';

/** @returns the exit code */
export function report(error: unknown, options: { data?: string; json?: boolean }): number {
  const mistake = error instanceof OperatorError;
  const message = mistake ? error.message : `a bug of Postern: ${(error as Error).stack ?? String(error)}`;
  const cure = mistake && error.cure ? spell(error.cure, commandName(dataDirectory(options.data))) : undefined;
  const exitCode = mistake ? error.exitCode : exitCodes.failed;
  say(`${paint(process.stderr, 'red', 'postern:')} ${message}`);
  if (cure) say(`\n    ${cure}\n`);
  if (options.json) answerJson({ error: { message, ...(cure && { cure }), exitCode } });
  return exitCode;
}
