// The labs, whole, with the real AWS CLIs against the real kernel. Lab E with v2 and with v1 where it is installed, as root and as an ordinary user; F as
// root and G as an ordinary user, and with POSTERN_LABS=all each as both.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { describe, test } from 'node:test';
import { labs } from '@postern/labs/labs.ts';
import { command, newDirectory, ordinaryUser } from './own-cloud.ts';

interface Report {
  readonly passed: number;
  readonly failed: number;
  readonly steps: readonly { readonly id: string; readonly outcome: string; readonly evidence: readonly string[] }[];
}

/** pyenv puts a shell script in front of a program, and takes longer than the program to find it. */
function behindShim(path: string): string {
  const which = path.includes('/shims/') ? spawnSync('pyenv', ['which', 'aws'], { encoding: 'utf8' }) : undefined;
  return which?.status === 0 ? which.stdout.trim() : path;
}

/** Every `aws` on the PATH, by its major version. */
function awsCommands(): Map<number, string> {
  const found = new Map<number, string>();
  for (const directory of ['/usr/local/bin', '/usr/bin', ...(process.env['PATH'] ?? '').split(':')]) {
    const path = `${directory}/aws`;
    if (!existsSync(path)) continue;
    const version = /aws-cli\/(\d+)/.exec(spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1];
    if (version && !found.has(Number(version))) found.set(Number(version), behindShim(path));
  }
  return found;
}

function runLab(lab: string, aws: string, user?: { uid: number; gid: number }): Promise<Report> {
  const directory = newDirectory(user);
  const child = spawn(process.execPath, [command, 'lab', lab, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, POSTERN_LAB_AWS: aws, TMPDIR: directory, ...(user && { HOME: directory }) },
    ...user,
  });
  let output = '';
  let complaints = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  return new Promise((resolve, reject) => {
    child.on('exit', () => {
      rmSync(directory, { recursive: true, force: true });
      try {
        resolve(JSON.parse(output) as Report);
      } catch {
        reject(new Error(`the lab gave no report:\n${output}\n${complaints}`));
      }
    });
  });
}

function assertAllPassed(report: Report, steps: number): void {
  const notPassed = report.steps
    .filter((step) => step.outcome !== 'passed')
    .map((step) => `${step.id}: ${step.evidence.join(' ')}`);
  assert.deepEqual(notPassed, []);
  assert.equal(report.passed, steps);
}

const stepsOf = new Map(labs.map(({ id, steps }) => [id, steps.length]));
const all = process.env['POSTERN_LABS'] === 'all';

describe('labs', { concurrency: 2 }, () => {
  const found = awsCommands();
  const user = ordinaryUser();
  const runs = [
    { lab: 'e', version: 2, asUser: false },
    { lab: 'e', version: 1, asUser: false },
    { lab: 'e', version: 2, asUser: true },
    { lab: 'f', version: 2, asUser: false },
    { lab: 'g', version: 2, asUser: true },
    ...(all
      ? [
          { lab: 'f', version: 2, asUser: true },
          { lab: 'g', version: 2, asUser: false },
        ]
      : []),
  ];
  for (const { lab, version, asUser } of runs) {
    const aws = found.get(version);
    const skip =
      aws === undefined
        ? `no AWS CLI v${version} is installed`
        : asUser && user === undefined
          ? 'needs root, and another user who can read the build'
          : false;
    test(`lab ${lab.toUpperCase()} with AWS CLI v${version}${asUser ? ', as an ordinary user' : ''}`, {
      skip,
    }, async () => {
      assertAllPassed(await runLab(lab, aws ?? '', asUser ? user : undefined), stepsOf.get(lab) ?? 0);
    });
  }
});
