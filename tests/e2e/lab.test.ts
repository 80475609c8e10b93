// Lab E, whole, with the real AWS CLIs against the real kernel: as root and as an ordinary user, with v2 and with v1 where it is installed.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { describe, test } from 'node:test';
import { command, newDirectory, ordinaryUser } from './own-cloud.ts';

interface Report {
  readonly passed: number;
  readonly failed: number;
  readonly steps: readonly { readonly id: string; readonly outcome: string; readonly evidence: readonly string[] }[];
}

/** Every `aws` on the PATH, by its major version. */
function awsCommands(): Map<number, string> {
  const found = new Map<number, string>();
  for (const directory of ['/usr/local/bin', '/usr/bin', ...(process.env['PATH'] ?? '').split(':')]) {
    const path = `${directory}/aws`;
    if (!existsSync(path)) continue;
    const version = /aws-cli\/(\d+)/.exec(spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1];
    if (version && !found.has(Number(version))) found.set(Number(version), path);
  }
  return found;
}

function runLab(aws: string, user?: { uid: number; gid: number }): Promise<Report> {
  const directory = newDirectory(user);
  const child = spawn(process.execPath, [command, 'lab', '--json'], {
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

function assertAllPassed(report: Report): void {
  const notPassed = report.steps
    .filter((step) => step.outcome !== 'passed')
    .map((step) => `${step.id}: ${step.evidence.join(' ')}`);
  assert.deepEqual(notPassed, []);
  assert.equal(report.passed, 18);
}

describe('lab E', { concurrency: 2 }, () => {
  const found = awsCommands();
  const v2 = found.get(2);
  const v1 = found.get(1);
  const user = ordinaryUser();
  test('E1 to E18 with AWS CLI v2', { skip: v2 ? false : 'no AWS CLI v2 is installed' }, async () => {
    assertAllPassed(await runLab(v2 ?? ''));
  });
  test('E1 to E18 with AWS CLI v1', { skip: v1 ? false : 'no AWS CLI v1 is installed' }, async () => {
    assertAllPassed(await runLab(v1 ?? ''));
  });
  test('E1 to E18 as an ordinary user, in a user namespace', {
    skip: user && v2 ? false : 'needs root, another user who can read the build, and AWS CLI v2',
  }, async () => {
    assertAllPassed(await runLab(v2 ?? '', user));
  });
});
