// `postern check FILE.yaml`: assertions about who reaches whom and who may do what, for CI. Against the running cloud, with --live by packets too, or with
// --snapshot against what `aws ec2 describe-…` printed from a real account. Exit codes: check/report.ts, docs/check.md.

import { readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { type Assertion, readDocument } from '@postern/check/document.ts';
import { toJunit } from '@postern/check/junit.ts';
import { stepWords } from '@postern/check/lines.ts';
import { type BadFile, type CheckReport, exitCodeOf, type Outcome, type Result } from '@postern/check/report.ts';
import { toSarif } from '@postern/check/sarif.ts';
import type { Problem } from '@postern/check/source.ts';
import { Cloud } from '../cloud.ts';
import { commandName, dataDirectory, spell } from '../spelling.ts';
import { answer, answerJson, exitCodes, OperatorError, paint, say, wrap } from '../terminal.ts';

export interface CheckOptions {
  readonly data?: string;
  readonly json?: boolean;
  readonly snapshot?: string;
  readonly live?: boolean;
  readonly junit?: string;
  readonly sarif?: string;
}

const version = '0.1.0';

export async function check(file: string, options: CheckOptions): Promise<number> {
  if (options.live && options.snapshot !== undefined)
    throw usage('--live sends packets in a running cloud, and --snapshot has none; use one of the two.');
  const text = read(file);
  const document = readDocument(text);
  if (!document.ok) return tellProblems(file, document.problems, options);
  const report =
    options.snapshot === undefined
      ? await checkRunning(text, options)
      : await checkDirectory(options.snapshot, document.assertions);
  write(file, report.results, document.assertions, options);
  if (options.json) answerJson(report);
  else print(file, report, options);
  return exitCodeOf(report.results);
}

function usage(message: string): OperatorError {
  return new OperatorError(message, { exitCode: exitCodes.usage, cure: 'postern help check' });
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw usage(
      `${file} cannot be read: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (error as Error).message}.`,
    );
  }
}

async function checkRunning(text: string, { data, live }: CheckOptions): Promise<CheckReport> {
  const cloud = Cloud.find(dataDirectory(data));
  const report = await cloud.ask<CheckReport | BadFile>('POST', '/check', { text });
  if ('problems' in report)
    throw new OperatorError('The cloud reads the file otherwise than this command does: they are of two versions.');
  return live
    ? { ...report, results: await (await import('./check-live.ts')).probeAll(cloud, report.results) }
    : report;
}

async function checkDirectory(directory: string, assertions: readonly Assertion[]): Promise<CheckReport> {
  // Loaded here only: rows, policies and services are no small part of the program.
  const { checkSnapshot, ImportError } = await import('@postern/server/estate/check-snapshot.ts');
  try {
    return checkSnapshot(directory, assertions);
  } catch (error) {
    if (error instanceof ImportError)
      throw new OperatorError(`The snapshot cannot be read: ${error.message}.`, { exitCode: exitCodes.usage });
    throw error;
  }
}

function write(
  file: string,
  results: readonly Result[],
  assertions: readonly Assertion[],
  { junit, sarif }: CheckOptions,
): void {
  const subjects = new Map(assertions.map((each) => [`${each.place.line}:${each.place.column}`, each.kind]));
  const subjectOf = ({ line, column }: Result) =>
    subjects.get(`${line}:${column}`) === 'policy' ? 'permission' : 'reachability';
  const path = relative(process.cwd(), file).replaceAll('\\', '/');
  if (junit !== undefined) save(junit, toJunit(file, results));
  if (sarif !== undefined) save(sarif, `${JSON.stringify(toSarif(path, version, results, subjectOf), null, 2)}\n`);
}

function save(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw usage(`${path} cannot be written: ${(error as Error).message}.`);
  }
}

/** Nothing was checked, and CI is told where to look. */
function tellProblems(file: string, problems: readonly Problem[], options: CheckOptions): number {
  for (const { message, place } of problems) say(`${file}:${place.line}:${place.column}: ${message}`);
  const results = problems.map(
    ({ message, place }): Result => ({
      name: 'the check file',
      line: place.line,
      column: place.column,
      ...(place.end && { endLine: place.end.line, endColumn: place.end.column }),
      outcome: 'error',
      message,
      dependsOn: [],
      assumptions: [],
      probes: [],
    }),
  );
  write(file, results, [], options);
  if (options.json)
    answerJson({ error: { message: `${file} is no check file.`, exitCode: exitCodes.usage }, problems });
  return exitCodes.usage;
}

const marks = {
  holds: ['green', '✓'],
  fails: ['red', '✗'],
  unknown: ['yellow', '?'],
  error: ['red', '!'],
} as const satisfies Record<Outcome, readonly [string, string]>;

function print(file: string, report: CheckReport, options: CheckOptions): void {
  const width = Math.min(process.stdout.columns ?? 80, 100);
  for (const result of report.results) printResult(file, result, width, options);
  const count = (outcome: Outcome) => report.results.filter((each) => each.outcome === outcome).length;
  const counts = [
    `${count('holds')} hold`,
    `${count('fails')} fail`,
    `${count('unknown')} unknown`,
    `${count('error')} in error`,
  ];
  answer(`\n${counts.filter((each) => !each.startsWith('0 ') || each.endsWith('hold')).join(', ')}`);
  if (report.unmodelled.length > 0) {
    answer('\nIn the snapshot and not modelled:');
    for (const { what, because } of report.unmodelled) answer(`  ${wrap(`${what}: ${because}`, width - 2, 4)}`);
  }
}

function printResult(file: string, result: Result, width: number, options: CheckOptions): void {
  const { name, line, column, outcome, message, evidence, dependsOn, assumptions } = result;
  const [style, mark] = marks[outcome];
  const line2 = (text: string) => answer(`    ${wrap(text, width - 4, 4)}`);
  answer(`${paint(process.stdout, style, mark)} ${wrap(name, width - 2, 2)}`);
  if (message !== '') line2(message);
  if (outcome !== 'holds') {
    if (evidence !== undefined) {
      line2(`${evidence.flow}${evidence.between === '' ? '' : `: ${evidence.between}`}`);
      for (const step of evidence.steps) {
        const [stepStyle, stepMark] = step.verdict === 'drop' ? (['red', '✗'] as const) : (['green', '✓'] as const);
        const here = JSON.stringify(step) === JSON.stringify(evidence.deciding) ? ' ◀' : '';
        answer(
          `      ${paint(process.stdout, stepStyle, stepMark)} ${wrap(`${step.leg === 'return' ? '(back) ' : ''}${stepWords(step)}${here}`, width - 10, 10)}`,
        );
      }
      // A command is one line, whatever the width: it is copied.
      for (const command of evidence.mend) answer(`    to mend it: ${spelled(command, options)}`);
    }
    for (const each of dependsOn.slice(1)) line2(`and on ${each.what}: ${each.because}`);
    answer(`    ${file}:${line}:${column}`);
  }
  for (const each of assumptions) line2(`takes for granted: ${each}`);
  if (result.live !== undefined) printLive(result.live, line2);
}

function printLive({ probed, disagreements }: NonNullable<Result['live']>, line2: (text: string) => void): void {
  const tried = probed.filter((each) => each.seen !== 'not tried');
  const untried = probed.length - tried.length;
  line2(
    `packets: ${tried.length - disagreements} of ${tried.length} as the model says${untried > 0 ? `, ${untried} could not be tried` : ''}`,
  );
  for (const { from, to, protocol, port, expected, seen, words } of probed) {
    if (seen === expected) continue;
    const sender = from.kind === 'internet' ? 'the internet' : from.instanceId;
    const flow = `${protocol}${port === undefined ? '' : ` ${port}`} from ${sender} to ${to.address}`;
    line2(
      seen === 'not tried'
        ? `  not tried: ${flow}: ${words ?? ''}`
        : `  ${paint(process.stdout, 'red', '✗')} ${flow} is ${seen} (${words ?? ''}), and the model says ${expected}`,
    );
  }
}

/** A real account is mended with the real `aws`. */
function spelled(command: string, { snapshot, data }: CheckOptions): string {
  return snapshot === undefined ? spell(command, commandName(dataDirectory(data))) : command;
}
