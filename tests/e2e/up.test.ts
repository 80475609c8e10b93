// `postern up` where it cannot be: each time one sentence, exit status 4, nothing left running. And a disk that fills up: a clear end, never a lie.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CreateVpcCommand, DescribeVpcsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { bringUp, command, newDirectory, processesOf } from './own-cloud.ts';

let directory: string;
before(() => {
  directory = newDirectory();
});
after(() => rmSync(directory, { recursive: true, force: true }));

function up(...args: string[]): Promise<{ code: number | null; words: string }> {
  const child = spawn(process.execPath, [command, 'up', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words += text;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, words })));
}

test('two at once on one directory, also by another name: one is there, the other is told', async () => {
  const data = join(directory, 'two');
  const alias = join(directory, 'alias');
  mkdirSync(data);
  symlinkSync(data, alias);
  const both = await Promise.allSettled([bringUp({ directory: data }), bringUp({ directory: alias })]);
  const clouds = both.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  assert.equal(clouds.length, 1);
  const [refused] = both.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
  assert.match(refused ?? '', /ended with 4 .*A cloud already runs on/s);
  assert.equal(await clouds[0]?.end({ keep: true }), 0);
});

test('a taken port: said, and the directory is free again', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as AddressInfo;
  const data = join(directory, 'port');
  const { code, words } = await up('--data', data, '--port', String(port));
  assert.equal(code, 4);
  assert.match(words, new RegExp(`Port ${port} on 127.0.0.1 is taken`));
  assert.deepEqual(processesOf(data), []);
  taken.close();
  assert.equal(await (await bringUp({ directory: data })).end(), 0);
});

test('a directory that cannot be one is named', async () => {
  const file = join(directory, 'file');
  writeFileSync(file, '');
  for (const [path, reason] of [
    [file, 'it is a file'],
    [join(file, 'below'), 'a part of its path is a file'],
  ] as const) {
    const { code, words } = await up('--data', path, '--port', '0');
    assert.equal(code, 4);
    assert.match(words, new RegExp(`cannot be kept in .*${reason}`));
  }
});

/** A small file system of its own, and two runs on it one after the other; between them the disk is emptied again. */
const small = `
mount -t tmpfs -o size=4m tmpfs "$1" || exit 99
head -c 1000000 /dev/zero > "$1/fill"
"$2" "$3" up --data "$1/data" --port 0 --json >&3; echo "first ended with $?" >&2
rm -f "$1/fill"; "$2" "$3" up --data "$1/data" --port 0 --json >&4`;

test('a disk that fills up ends the cloud; what was answered is kept', async () => {
  const place = join(directory, 'small');
  mkdirSync(place);
  const child = spawn(
    'unshare',
    ['--user', '--map-root-user', '--mount', 'sh', '-c', small, 'sh', place, process.execPath, command],
    { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] },
  );
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words += text;
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  const greeting = (fd: number) =>
    new Promise<{ endpoint: string; environment: Record<string, string> }>((resolve, reject) => {
      let text = '';
      (child.stdio[fd] as NodeJS.ReadableStream).setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        try {
          resolve(JSON.parse(text));
        } catch {
          // half of it
        }
      });
      ended.then(() => reject(new Error(words)));
    });
  const second = greeting(4);
  second.catch(() => {});
  const client = ({ endpoint, environment }: Awaited<ReturnType<typeof greeting>>) =>
    new EC2Client({
      endpoint,
      region: 'us-east-1',
      maxAttempts: 1,
      credentials: {
        accessKeyId: environment['AWS_ACCESS_KEY_ID'] ?? '',
        secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'] ?? '',
      },
    });
  try {
    const first = client(await greeting(3));
    const answered: string[] = [];
    // Its log grows with every change, and what is left of four megabytes is soon full.
    await assert.rejects(async () => {
      for (;;) answered.push((await first.send(new CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }))).Vpc?.VpcId ?? '');
    });
    assert.ok(answered.length > 3, `${answered.length} were answered`);
    const again = client(await second);
    assert.match(words, /the database cannot be written: .*full.*every change that was answered is kept/s);
    assert.match(words, /first ended with [1-9]/);
    const seen = new Set<string>();
    let NextToken: string | undefined;
    do {
      const page = await again.send(new DescribeVpcsCommand({ MaxResults: 1000, ...(NextToken && { NextToken }) }));
      for (const vpc of page.Vpcs ?? []) seen.add(vpc.VpcId ?? '');
      NextToken = page.NextToken;
    } while (NextToken);
    assert.deepEqual(
      answered.filter((id) => !seen.has(id)),
      [],
    );
  } finally {
    for (const line of processesOf(place))
      if (/ up --data /.test(line)) process.kill(Number(line.split(' ')[0]), 'SIGTERM');
    await ended;
  }
});
