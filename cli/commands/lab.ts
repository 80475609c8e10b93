// `postern lab [LAB]`: a lab, the main one unless told otherwise, on a cloud of its own: brought up in a temporary directory on a free port, and gone afterwards.

import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { runLab, type StepResult } from '@postern/labs/lab.ts';
import { labs } from '@postern/labs/labs.ts';
import { newRun } from '@postern/labs/steps.ts';
import { Laptop } from '@postern/labs/terminal.ts';
import { commandName } from '../spelling.ts';
import { answer, answerJson, exitCodes, OperatorError, paint, say, wrap } from '../terminal.ts';

export interface LabOptions {
  readonly only?: string;
  readonly keep?: boolean;
  readonly json?: boolean;
}

interface OwnCloud {
  readonly directory: string;
  readonly environment: Record<string, string>;
  /** Ends it, and removes all that it kept. @returns what it said on its standard error */
  end(): Promise<string>;
}

/** The system's AWS CLI, which instances have too; POSTERN_LAB_AWS names another one to try the lab with. */
function awsCommand(): string {
  const wanted = process.env['POSTERN_LAB_AWS'];
  if (wanted) return wanted;
  return ['/usr/local/bin/aws', '/usr/bin/aws'].find((path) => existsSync(path)) ?? 'aws';
}

/** @param keep the cloud outlives this command, and the Ctrl-C of this terminal */
function bringUp(script: string, keep: boolean): Promise<OwnCloud> {
  const own = mkdtempSync(join(tmpdir(), 'postern-lab-'));
  const directory = join(own, 'cloud');
  // A file rather than a pipe: the cloud may live on when nobody reads the pipe any more.
  const logFile = join(own, 'up.log');
  const log = openSync(logFile, 'w', 0o600);
  const child = spawn(process.execPath, [script, 'up', '--data', directory, '--port', '0', '--json'], {
    stdio: ['ignore', 'pipe', log],
    detached: keep,
  });
  closeSync(log);
  const stdout = child.stdout as Readable;
  let output = '';
  let words = '';
  const ended = new Promise<void>((resolve) => {
    child.on('exit', () => {
      words = readFileSync(logFile, 'utf8').trim();
      rmSync(own, { recursive: true, force: true });
      resolve();
    });
  });
  return new Promise((resolve, reject) => {
    stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      let greeting: { environment?: Record<string, string> };
      try {
        greeting = JSON.parse(output) as typeof greeting;
      } catch {
        return; // half of it; the rest is coming
      }
      const { environment } = greeting;
      if (environment === undefined) return; // it is the error, and the exit comes next
      if (keep) {
        child.unref();
        stdout.destroy();
      }
      resolve({
        directory,
        environment,
        end: async () => {
          child.kill('SIGTERM');
          await ended;
          return words;
        },
      });
    });
    child.on('exit', (code) => {
      reject(new OperatorError(`The lab's cloud did not come up:\n${words}`, { exitCode: code || exitCodes.failed }));
    });
  });
}

const marks = { passed: '✓', failed: '✗', skipped: '–' } as const;
const colours = { passed: 'green', failed: 'red', skipped: 'dim' } as const;

/** One line that the result will take the place of, so it must not wrap. */
function running(step: { id: string; title: string }): string {
  const line = `  ${step.id.padEnd(3)}  ${step.title} …`;
  const width = (process.stderr.columns ?? 80) - 1;
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
}

function print(result: StepResult): void {
  const width = process.stdout.columns ?? 80;
  const mark = paint(process.stdout, colours[result.outcome], marks[result.outcome]);
  const seconds = result.outcome === 'skipped' ? '' : `  ${(result.elapsedMs / 1000).toFixed(1)} s`;
  answer(
    `${mark} ${result.id.padEnd(3)}  ${paint(process.stdout, 'bold', result.title)}${paint(process.stdout, 'dim', seconds)}`,
  );
  for (const line of result.evidence) answer(`       ${wrap(line, Math.max(40, width - 7), 7)}`);
}

export async function lab(name: string, options: LabOptions): Promise<number> {
  const script = process.argv[1] ?? 'postern';
  const chosen = labs.find(({ id }) => id === name.toLowerCase());
  if (chosen === undefined) {
    const known = labs.map(({ id, title }) => `    ${id}  ${title}`).join('\n');
    throw new OperatorError(`There is no lab ${name}. There are:\n${known}`, { exitCode: exitCodes.usage });
  }
  const { steps } = chosen;
  const until = options.only?.toUpperCase();
  if (until !== undefined && !steps.some((step) => step.id === until)) {
    const ids = steps.map((step) => step.id).join(', ');
    throw new OperatorError(`Lab ${chosen.id} has no step ${until}; it has ${ids}.`, { exitCode: exitCodes.usage });
  }
  say('postern: bringing up a cloud for the lab …');
  const cloud = await bringUp(script, options.keep === true);
  const endpoint = cloud.environment['AWS_ENDPOINT_URL'];
  const laptop = new Laptop({
    aws: awsCommand(),
    postern: [process.execPath, script],
    dataDirectory: cloud.directory,
    environment: cloud.environment,
  });
  let results: StepResult[] = [];
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      const code = 128 + constants.signals[signal];
      interrupted = true;
      say('\npostern: ending the lab and its cloud …');
      void cloud.end().finally(() => process.exit(code));
    });
  }
  try {
    say(`postern: lab ${chosen.id.toUpperCase()}, ${chosen.title}, at ${endpoint}\n`);
    const progress = process.stderr.isTTY === true && !options.json;
    results = await runLab(steps, newRun(laptop), {
      ...(until !== undefined && { until }),
      onStart: (step) => progress && process.stderr.write(`${running(step)}\r`),
      onEnd: (result) => {
        if (progress) process.stderr.write('\u001b[2K\r');
        if (!options.json && !interrupted) print(result);
      },
    });
  } finally {
    const words = options.keep ? '' : await cloud.end();
    if (words !== '') say(`\npostern: the lab's cloud said:\n${words}`);
  }
  const failed = results.filter((result) => result.outcome !== 'passed').length;
  if (options.json) answerJson({ passed: results.length - failed, failed, steps: results });
  else
    answer(
      `\n${results.length - failed} of ${results.length} steps passed${failed > 0 ? paint(process.stdout, 'red', `, ${failed} did not`) : ''}.`,
    );
  if (options.keep) {
    const command = commandName(cloud.directory);
    say(`\nThe lab's cloud still runs at ${endpoint}. Look around, then end it:\n`);
    say(
      `    eval "$(${command} env)"\n    ${command} requests\n    ${command} down && rm -r ${dirname(cloud.directory)}\n`,
    );
  }
  return failed > 0 ? exitCodes.failed : exitCodes.ok;
}
