// `postern up | down | status | env | reset | wait`: the life of a cloud.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Status } from '@postern/server/operator/api.ts';
import { Cloud } from '../cloud.ts';
import { commandName, dataDirectory } from '../spelling.ts';
import { answer, answerJson, exitCodes, OperatorError, paint, say, table } from '../terminal.ts';

export interface UpOptions {
  readonly data?: string;
  readonly host: string;
  readonly port: string;
  readonly auth: string;
  readonly strictImages?: boolean;
  readonly quotas: string;
  readonly natIdleTimeout?: string;
  readonly json?: boolean;
}

const choices = { auth: ['strict', 'open'], quotas: ['off', 'aws'] } as const;

function choose<K extends keyof typeof choices>(option: K, value: string): (typeof choices)[K][number] {
  const found = choices[option].find((one) => one === value);
  if (!found)
    throw new OperatorError(`--${option} is ${choices[option].join(' or ')}, not '${value}'.`, {
      exitCode: exitCodes.usage,
    });
  return found;
}

export async function up(options: UpOptions): Promise<number> {
  const port = Number(options.port);
  if (!/^\d+$/.test(options.port) || port > 65535) {
    throw new OperatorError(`--port is a number from 0 to 65535, not '${options.port}'.`, {
      exitCode: exitCodes.usage,
    });
  }
  const modes = { auth: choose('auth', options.auth), quotas: choose('quotas', options.quotas) };
  const natIdleTimeoutSeconds = options.natIdleTimeout === undefined ? undefined : Number(options.natIdleTimeout);
  if (natIdleTimeoutSeconds !== undefined && !/^[1-9]\d{0,5}$/.test(options.natIdleTimeout ?? ''))
    throw new OperatorError(`--nat-idle-timeout is a number of seconds, not '${options.natIdleTimeout}'.`, {
      exitCode: exitCodes.usage,
    });
  // The one place where the command line starts the cloud instead of asking it (ARCHITECTURE.md, "the law of imports").
  const { launch, wordsOfEnd } = await import('@postern/server/launcher.ts');
  const startedAt = performance.now();
  const directory = dataDirectory(options.data);
  const cloud = await launch({
    dataDirectory: directory,
    host: options.host,
    port,
    ...modes,
    strictImages: options.strictImages === true,
    ...(natIdleTimeoutSeconds !== undefined && { natIdleTimeoutSeconds }),
  });
  if (options.json) answerJson({ endpoint: cloud.endpoint, dataDirectory: directory, environment: cloud.environment });
  else greet(cloud, directory, performance.now() - startedAt, options.auth === 'open');
  const end = await cloud.ended;
  if (end.status !== 0 || end.signal !== undefined)
    throw new OperatorError(`The cloud ${wordsOfEnd(end, true)}. Its state is kept.`, { cure: 'postern up' });
  if (!options.json) say('postern: the cloud has ended; its state is kept.');
  return exitCodes.ok;
}

function greet(
  cloud: { endpoint: string; environment: Record<string, string> },
  directory: string,
  elapsedMs: number,
  open: boolean,
): void {
  const command = commandName(directory);
  const bold = (text: string) => paint(process.stdout, 'bold', text);
  const dim = (text: string) => paint(process.stdout, 'dim', text);
  answer(`\n${bold('Postern is up')} at ${bold(cloud.endpoint)} ${dim(`(${(elapsedMs / 1000).toFixed(1)} s)`)}`);
  answer(dim(`Everything is kept in ${directory}`));
  if (open) {
    answer(
      paint(
        process.stdout,
        'yellow',
        '\n! --auth open: any unknown key is the root of its account, and /_postern/ needs no token.',
      ),
    );
    answer(paint(process.stdout, 'yellow', '  For test suites only.'));
  }
  answer('\nPoint any AWS tool at it, in another terminal:\n');
  for (const [name, value] of Object.entries(cloud.environment)) answer(`  export ${name}=${value}`);
  answer(`\n  ${dim('or all at once:')}  eval "$(${command} env)"`);
  answer('\nTry next:\n');
  answer(
    table([
      [`  ${command} aws ec2 describe-vpcs`, dim('the AWS CLI, pointed here')],
      [`  ${command} requests --follow`, dim('who asked what, by which road')],
      [`  ${command} lab`, dim('the main lab, 18 steps, checked')],
    ]),
  );
  answer(`\n${dim('Ctrl-C ends it and leaves nothing behind; the next `up` brings it back.')}\n`);
}

export async function down(options: { data?: string; json?: boolean }): Promise<number> {
  const directory = dataDirectory(options.data);
  await Cloud.find(directory).ask('POST', '/shutdown');
  const deadline = Date.now() + 30_000;
  while (existsSync(join(directory, 'run.json'))) {
    if (Date.now() > deadline) throw new OperatorError('The cloud was asked to end and is still there after 30 s.');
    await delay(50);
  }
  if (options.json) answerJson({ ended: true });
  else say('postern: the cloud has ended; its state is kept.');
  return 0;
}

export async function status(options: { data?: string; json?: boolean }): Promise<number> {
  const state = await Cloud.find(dataDirectory(options.data)).ask<Status>('GET', '/status');
  if (options.json) {
    answerJson(state);
    return 0;
  }
  answer(
    table([
      ['endpoint', state.endpoint],
      ['since', state.startedAt],
      ['data', state.dataDirectory],
      [
        'auth',
        state.auth === 'open' ? 'open: unknown keys are their account’s root' : 'strict: every signature is checked',
      ],
      [
        'fabric',
        `${state.fabric}, ${state.settled ? 'the kernel carries the newest state' : 'the kernel is catching up'}`,
      ],
      ['accounts', state.accounts.join(', ')],
      ['vpcs', String(state.vpcs)],
      ['peerings', String(state.peerings)],
      ['instances', `${state.instances.running} running of ${state.instances.total}`],
      ['buckets', String(state.buckets)],
      ['memory', `${Math.round(state.memoryBytes / 1e6)} MB`],
    ]),
  );
  return 0;
}

export async function env(options: { data?: string; json?: boolean; account?: string }): Promise<number> {
  const environment = await Cloud.find(dataDirectory(options.data)).environment(options.account);
  if (options.json) answerJson(environment);
  else for (const [name, value] of Object.entries(environment)) answer(`export ${name}=${value}`);
  return 0;
}

export async function reset(options: { data?: string; json?: boolean }): Promise<number> {
  const result = await Cloud.find(dataDirectory(options.data)).ask<{ elapsedMs: number }>('POST', '/reset');
  if (options.json) answerJson(result);
  else say(`postern: back to the first state in ${Math.round(result.elapsedMs)} ms.`);
  return 0;
}

/** Delivers the records of flow logs now, not when their interval ends. */
export async function flowLogs(options: { data?: string; json?: boolean }): Promise<number> {
  const result = await Cloud.find(dataDirectory(options.data)).ask<{ elapsedMs: number }>('POST', '/flow-logs');
  if (options.json) answerJson(result);
  else say(`postern: the flow logs' records are in their destinations.`);
  return 0;
}

/** Waits until the kernel carries everything that was answered before. */
export async function wait(options: { data?: string; json?: boolean }): Promise<number> {
  const result = await Cloud.find(dataDirectory(options.data)).ask<{ revision: number; elapsedMs: number }>(
    'GET',
    '/settled',
  );
  if (options.json) answerJson(result);
  return 0;
}
