// How the command line speaks: answers on stdout, talk on stderr, `--json` for scripts, colour that is never the only meaning.

import { constants } from 'node:os';
import { styleText } from 'node:util';

export { OperatorError } from '@postern/server/operator/operator-error.ts';

type Style = Parameters<typeof styleText>[0];

/** Colours text for one stream; plain when that stream is no terminal or NO_COLOR is set. */
export function paint(stream: NodeJS.WriteStream, style: Style, text: string): string {
  const colours = stream.isTTY === true && process.env['NO_COLOR'] === undefined;
  return colours ? styleText(style, text) : text;
}

/**
 * `postern requests | head` ends when its reader does, as every tool of a pipe: without a stack trace, and with the status of one that SIGPIPE ended. Not with 0,
 * for nobody heard what `check` would have said.
 */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(process.exitCode ?? 128 + constants.signals.SIGPIPE);
});

export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function answer(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** One JSON value on stdout: with --json there is exactly one, the answer or the error (`requests` prints one per line). */
export function answerJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Exit codes that scripts can use; `postern help` prints them. */
export const exitCodes = {
  ok: 0,
  /** Something ran and the answer is no: a lab step failed, a host cannot be reached. */
  failed: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** No cloud is running, or it does not answer. */
  notRunning: 3,
  /** This machine cannot run the cloud. */
  cannotStart: 4,
} as const;

/** Columns padded to their widest cell; the last column wraps at the terminal's width, indented under itself. */
export function table(rows: readonly (readonly string[])[], width = process.stdout.columns ?? 80): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, index) =>
    Math.max(...rows.map((row) => visibleLength(row[index] ?? ''))),
  );
  const indent = widths.slice(0, -1).reduce((sum, one) => sum + one + 2, 0);
  return rows
    .map((row) => {
      const head = row
        .slice(0, -1)
        .map((cell, index) => cell + ' '.repeat((widths[index] ?? 0) - visibleLength(cell) + 2));
      return head.join('') + wrap(row.at(-1) ?? '', Math.max(20, width - indent), indent);
    })
    .join('\n');
}

function visibleLength(text: string): number {
  return [...stripStyles(text)].length;
}

function stripStyles(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this is the escape character that starts a colour
  return text.replace(/\u001b\[[0-9;]*m/g, '');
}

/** Breaks at spaces, and inside a word only when the word alone is too long. */
export function wrap(text: string, width: number, indent = 0): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    let rest = word;
    if (line !== '' && visibleLength(line) + 1 + visibleLength(rest) > width) {
      lines.push(line);
      line = '';
    }
    while (visibleLength(rest) > width) {
      lines.push(rest.slice(0, width));
      rest = rest.slice(width);
    }
    line = line === '' ? rest : `${line} ${rest}`;
  }
  lines.push(line);
  return lines.join(`\n${' '.repeat(indent)}`);
}
