// The `postern` command as scripts meet it: exit codes, what is on stdout, and the life of a cloud. docs/commands.md promises it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { bringUp, command, familyOf, newDirectory, type Own } from './own-cloud.ts';

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  const child = spawn(process.execPath, [command, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, POSTERN_DATA: '', ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}

const errorOf = (ran: Ran) =>
  (JSON.parse(ran.stdout) as { error: { message: string; exitCode: number; cure?: string } }).error;

test('wrong usage is 2, with what was meant', async () => {
  const misspelt = await run(['statsu', '--json']);
  assert.equal(misspelt.code, 2);
  assert.match(errorOf(misspelt).message, /Did you mean status/);
  const wrong = [['status', '--no-such'], ['up', '--port', 'x'], ['up', '--auth', 'x'], ['requests', '-n', 'x'], ['exec'], ['lab', '--only', 'E99'], ['status', 'extra']]; // biome-ignore format: a list
  const codes = await Promise.all(wrong.map((args) => run(args)));
  assert.deepEqual(
    codes.map(({ code, stdout }) => [code, stdout]),
    wrong.map(() => [2, '']),
  );
  for (const { stderr } of codes) assert.doesNotMatch(stderr, /\n {4}at /, 'a stack trace for a mistake of the person');
});

test('no cloud is 3 for every command that needs one, and names the command that brings it up', async () => {
  const directory = newDirectory();
  after(() => rmSync(directory, { recursive: true, force: true }));
  const needing = [['status'], ['env'], ['down'], ['reset'], ['wait'], ['requests'], ['connect', 'i-1']];
  for (const args of needing) {
    const ran = await run([...args, '--json', '--data', directory]);
    assert.equal(ran.code, 3, args.join(' '));
    assert.match(errorOf(ran).cure ?? '', new RegExp(`--data ${directory} up$`));
  }
  // What kill -9 leaves: the file is there, its process is not.
  writeFileSync(join(directory, 'operator-token'), 'x\n');
  writeFileSync(join(directory, 'run.json'), '{"endpoint":"http://127.0.0.1:1","processId":4194305,"startedAt":""}');
  assert.equal((await run(['status', '--data', directory])).code, 3);
});

test('a cloud that ends under `postern aws` is 3, and what the CLI says of a proxy is explained', async () => {
  const directory = newDirectory();
  after(() => rmSync(directory, { recursive: true, force: true }));
  // It answers once, and is gone before the CLI asks.
  const dying = createServer((_request, response) => {
    const { port } = dying.address() as AddressInfo;
    const environment = {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: 'AKIAX',
      AWS_SECRET_ACCESS_KEY: 'x',
      AWS_DEFAULT_REGION: 'us-east-1',
    };
    response.setHeader('Connection', 'close');
    response.end(JSON.stringify(environment));
    dying.close();
  });
  await new Promise<void>((resolve) => dying.listen(0, '127.0.0.1', resolve));
  const { port } = dying.address() as AddressInfo;
  const runFile = { endpoint: `http://127.0.0.1:${port}`, processId: process.pid, startedAt: '' };
  writeFileSync(join(directory, 'operator-token'), 'x\n');
  writeFileSync(join(directory, 'run.json'), JSON.stringify(runFile));
  const ran = await run(['--data', directory, 'aws', 's3api', 'list-buckets'], { AWS_MAX_ATTEMPTS: '1' });
  assert.equal(ran.code, 3, ran.stderr);
  assert.match(ran.stderr, /The cloud on \S+ ended before the AWS CLI had its answer/);
  assert.match(ran.stderr, new RegExp(`--data ${directory} up\n`));
});

test('a server that was killed had no words: `up` says what it was, that the state is kept, and the command that brings it back', async () => {
  const own = await bringUp();
  after(() => rmSync(own.directory, { recursive: true, force: true }));
  const server = familyOf(own.launcher.pid ?? 0).find((one) => /^\S*node .*\/server\.mjs/.test(one.commandLine));
  process.kill(server?.id ?? 0, 'SIGKILL');
  assert.equal(await own.ended, 1);
  assert.match(own.complaints(), /The cloud was killed \(SIGKILL\).* Its state is kept\./);
  assert.match(own.complaints(), new RegExp(`--data ${own.directory} up\n`));
});

test('a machine or a directory that will not do is 4', async () => {
  const directory = newDirectory();
  after(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, 'holiday.jpg'), 'x');
  const foreign = await run(['up', '--data', directory, '--port', '0', '--json']);
  assert.deepEqual([foreign.code, errorOf(foreign).exitCode], [4, 4]);
  assert.match(errorOf(foreign).message, /holiday\.jpg/);
});

describe('a running cloud', () => {
  let own: Own;
  const on = (...args: string[]) => run(['--data', own.directory, ...args]);
  before(async () => {
    own = await bringUp();
  });
  after(() => own.end());

  test('status, env and wait answer in JSON, wherever --data and --json stand', async () => {
    const status = await run(['status', '--json'], { POSTERN_DATA: own.directory });
    assert.equal(status.code, 0);
    assert.equal((JSON.parse(status.stdout) as { endpoint: string }).endpoint, own.endpoint);
    assert.deepEqual(JSON.parse((await run(['--json', 'env', '--data', own.directory])).stdout), own.environment);
    const lines = (await on('env')).stdout.trim().split('\n');
    assert.equal(lines[0], `export AWS_ENDPOINT_URL=${own.endpoint}`);
    assert.equal(typeof JSON.parse((await on('wait', '--json')).stdout).revision, 'number');
  });

  test('an unknown instance is 1, with a sentence and no stack', async () => {
    for (const args of [
      ['exec', 'i-0123', '--', 'ls'],
      ['connect', 'i-0123', '--json'],
    ]) {
      const ran = await on(...args);
      assert.equal(ran.code, 1);
      assert.match(ran.stderr, /There is no instance i-0123\./);
    }
  });

  test('a second up on the same directory, and one on a taken port, are 4', async () => {
    assert.equal((await on('up', '--port', '0')).code, 4);
    const other = newDirectory();
    after(() => rmSync(other, { recursive: true, force: true }));
    const taken = await run(['up', '--data', other, '--port', new URL(own.endpoint).port]);
    assert.equal(taken.code, 4);
    assert.match(taken.stderr, /is taken/);
  });

  test('another token is 1, and nothing is told', async () => {
    const directory = newDirectory();
    after(() => rmSync(directory, { recursive: true, force: true }));
    writeFileSync(join(directory, 'operator-token'), 'wrong\n');
    writeFileSync(join(directory, 'run.json'), JSON.stringify({ endpoint: own.endpoint, processId: process.pid }));
    const ran = await run(['env', '--data', directory]);
    assert.deepEqual([ran.code, ran.stdout], [1, '']);
    assert.match(ran.stderr, /token is missing or wrong/);
  });

  test('reset keeps the key that terminals have exported', async () => {
    const reset = await on('reset', '--json');
    assert.equal(reset.code, 0);
    assert.deepEqual(JSON.parse((await on('env', '--json')).stdout), own.environment);
    assert.equal((await on('requests', '--json')).stdout, '');
  });

  test('down ends it and waits for the end; the same directory comes up again', async () => {
    assert.deepEqual(JSON.parse((await on('down', '--json')).stdout), { ended: true });
    assert.equal(existsSync(join(own.directory, 'run.json')), false);
    assert.equal(await own.ended, 0);
    assert.equal((await on('down')).code, 3);
    const key = own.environment['AWS_ACCESS_KEY_ID'];
    own = await bringUp({ directory: own.directory });
    assert.equal(own.environment['AWS_ACCESS_KEY_ID'], key);
  });
});
