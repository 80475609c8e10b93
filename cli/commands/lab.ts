// `postern lab`: the main lab on a cloud of its own: brought up in a temporary directory on a free port, and gone afterwards.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runLab, type StepResult } from '@postern/labs/lab.ts';
import { type MainLab, mainLab, newMainLab } from '@postern/labs/main-lab.ts';
import { Laptop } from '@postern/labs/terminal.ts';
import { answer, answerJson, exitCodes, OperatorError, paint, say, wrap } from '../terminal.ts';

export interface LabOptions {
  readonly only?: string;
  readonly keep?: boolean;
  readonly json?: boolean;
}

interface OwnCloud {
  readonly directory: string;
  readonly environment: Record<string, string>;
  /** What the cloud said on its standard error so far. */
  complaints(): string;
  end(): Promise<void>;
}

/** The system's AWS CLI, which instances have too; POSTERN_LAB_AWS names another one to try the lab with. */
function awsCommand(): string {
  const wanted = process.env['POSTERN_LAB_AWS'];
  if (wanted) return wanted;
  return ['/usr/local/bin/aws', '/usr/bin/aws'].find((path) => existsSync(path)) ?? 'aws';
}

function bringUp(script: string): Promise<OwnCloud> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-lab-'));
  const child = spawn(process.execPath, [script, 'up', '--data', directory, '--port', '0', '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  return new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (!output.trimEnd().endsWith('}')) return;
      let greeting: { environment: Record<string, string> };
      try {
        greeting = JSON.parse(output) as typeof greeting;
      } catch {
        return; // half of it; the rest is coming
      }
      resolve({
        directory,
        environment: greeting.environment,
        complaints: () => complaints.trim(),
        end: async () => {
          child.kill('SIGTERM');
          await ended;
          rmSync(directory, { recursive: true, force: true });
        },
      });
    });
    child.on('exit', (code) => {
      reject(
        new OperatorError(`the lab's cloud did not come up:\n${complaints.trim()}`, {
          exitCode: code ?? exitCodes.failed,
        }),
      );
    });
  });
}

const marks = { passed: '✓', failed: '✗', skipped: '–' } as const;
const colours = { passed: 'green', failed: 'red', skipped: 'dim' } as const;

function print(result: StepResult): void {
  const width = process.stdout.columns ?? 80;
  const mark = paint(process.stdout, colours[result.outcome], marks[result.outcome]);
  const seconds = result.outcome === 'skipped' ? '' : `  ${(result.elapsedMs / 1000).toFixed(1)} s`;
  answer(
    `${mark} ${result.id.padEnd(3)}  ${paint(process.stdout, 'bold', result.title)}${paint(process.stdout, 'dim', seconds)}`,
  );
  for (const line of result.evidence) answer(`       ${wrap(line, Math.max(40, width - 7), 7)}`);
}

export async function lab(options: LabOptions): Promise<number> {
  const script = process.argv[1] ?? 'postern';
  const until = options.only?.toUpperCase();
  if (until !== undefined && !mainLab.some((step) => step.id === until)) {
    throw new OperatorError(`There is no step ${until}; the main lab has E1 to E18.`, { exitCode: exitCodes.usage });
  }
  say('postern: bringing up a cloud for the lab …');
  const cloud = await bringUp(script);
  const endpoint = cloud.environment['AWS_ENDPOINT_URL'];
  let results: StepResult[] = [];
  try {
    const laptop = new Laptop({
      aws: awsCommand(),
      postern: [process.execPath, script],
      dataDirectory: cloud.directory,
      environment: cloud.environment,
    });
    say(`postern: lab E, private access to S3 through a gateway endpoint, at ${endpoint}\n`);
    const progress = process.stderr.isTTY === true && !options.json;
    results = await runLab<MainLab>(mainLab, newMainLab(laptop), {
      ...(until !== undefined && { until }),
      onStart: (step) => progress && process.stderr.write(`  ${step.id} ${step.title} …\r`),
      onEnd: (result) => {
        if (progress) process.stderr.write('\u001b[2K\r');
        if (!options.json) print(result);
      },
    });
  } finally {
    if (options.keep) say(`\npostern: the lab's cloud still runs at ${endpoint}; its data is in ${cloud.directory}`);
    else await cloud.end();
  }
  if (cloud.complaints() !== '') say(`\npostern: the lab's cloud said:\n${cloud.complaints()}`);
  const failed = results.filter((result) => result.outcome !== 'passed').length;
  if (options.json) answerJson({ passed: results.length - failed, failed, steps: results });
  else
    answer(
      `\n${results.length - failed} of ${results.length} steps passed${failed > 0 ? paint(process.stdout, 'red', `, ${failed} did not`) : ''}.`,
    );
  return failed > 0 ? exitCodes.failed : exitCodes.ok;
}
