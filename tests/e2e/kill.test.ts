// `kill -9` at any moment: nothing that was acknowledged is lost, nothing is left on the machine, and the next `up` brings the same cloud back.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CreateVpcCommand,
  DescribeInstancesCommand,
  DescribeVpcsCommand,
  EC2Client,
  RunInstancesCommand,
  waitUntilInstanceRunning,
} from '@aws-sdk/client-ec2';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { bringUp, familyOf, type Kin, mountsOf, newDirectory, type Own, processesOf, survivors } from './own-cloud.ts';

function clients(own: Own): { ec2: EC2Client; s3: S3Client } {
  const credentials = {
    accessKeyId: own.environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: own.environment['AWS_SECRET_ACCESS_KEY'] ?? '',
  };
  const options = { endpoint: own.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 };
  return { ec2: new EC2Client(options), s3: new S3Client({ ...options, forcePathStyle: true }) };
}

/** The server's process: the child of the launcher's child, by its command line. */
function serverProcess(own: Own): number {
  for (const line of processesOf(own.directory)) {
    const [id = '', ...words] = line.split(' ');
    if (words.some((word) => word.endsWith('/server.mjs'))) return Number(id);
  }
  throw new Error('the server was not found');
}

/** @param family every process of the cloud before its end: those of instances name the directory nowhere */
async function nothingLeft(directory: string, family: readonly Kin[] = []): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (processesOf(directory).length + survivors(family).length > 0 && Date.now() < deadline) await delay(20);
  assert.deepEqual(processesOf(directory), []);
  assert.deepEqual(survivors(family), []);
  assert.deepEqual(mountsOf(directory), []);
}

/** Kills at once, and sees that the whole family is gone. Its network namespaces and mounts go with the last process that is in them. */
async function killAndLook(own: Own, victim: 'server' | 'launcher'): Promise<void> {
  const family = familyOf(own.launcher.pid ?? 0);
  assert.ok(family.length >= 3, 'launcher, world and server');
  process.kill(victim === 'server' ? serverProcess(own) : (own.launcher.pid ?? 0), 'SIGKILL');
  await own.ended;
  await nothingLeft(own.directory, family);
}

/** Files of object bodies, wherever they lie. */
function blobsOf(directory: string): string[] {
  if (!existsSync(join(directory, 'objects'))) return [];
  return (readdirSync(join(directory, 'objects'), { recursive: true }) as string[]).filter((name) =>
    name.includes('/'),
  );
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, `never happened: ${what}`);
    await delay(5);
  }
}

/** Long enough to be a file of its own. */
const body = 'body '.repeat(400_000);
const patience = { maxWaitTime: 60, minDelay: 1, maxDelay: 1 };
const image = { ImageId: 'ami-0abcdef1234567890', MinCount: 1, MaxCount: 1 };

describe('kill -9', () => {
  const directory = newDirectory();
  after(() => rmSync(directory, { recursive: true, force: true }));
  const acknowledged = new Set<string>();

  for (const victim of ['server', 'launcher'] as const) {
    test(`of the ${victim} while VPCs are created: none that was answered is lost, nothing is left`, async () => {
      const own = await bringUp({ directory });
      const { ec2 } = clients(own);
      const workers = Array.from({ length: 8 }, async () => {
        for (;;) {
          const answer = await ec2.send(new CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }));
          acknowledged.add(answer.Vpc?.VpcId ?? '');
        }
      });
      for (const worker of workers) worker.catch(() => {});
      const enough = acknowledged.size + 50 + Math.floor(Math.random() * 100);
      await until('enough VPCs', () => acknowledged.size >= enough);
      await killAndLook(own, victim);
      await Promise.allSettled(workers);
      const again = await bringUp({ directory });
      const seen = new Set<string>();
      let token: string | undefined;
      do {
        const page = await clients(again).ec2.send(
          new DescribeVpcsCommand({ MaxResults: 1000, ...(token && { NextToken: token }) }),
        );
        for (const vpc of page.Vpcs ?? []) seen.add(vpc.VpcId ?? '');
        token = page.NextToken;
      } while (token);
      assert.deepEqual(
        [...acknowledged].filter((id) => !seen.has(id)),
        [],
      );
      assert.equal(await again.end({ keep: true }), 0);
      await nothingLeft(directory);
    });
  }

  test('with an instance and an object: both are there again, and the instance’s disk', async () => {
    const own = await bringUp({ directory });
    const { ec2, s3 } = clients(own);
    await s3.send(new CreateBucketCommand({ Bucket: 'survivor' }));
    await s3.send(new PutObjectCommand({ Bucket: 'survivor', Key: '../../escape', Body: body }));
    const run = await ec2.send(
      new RunInstancesCommand({
        ImageId: 'ami-0abcdef1234567890',
        MinCount: 1,
        MaxCount: 1,
        UserData: Buffer.from('#!/bin/sh\necho first >> /home/ec2-user/boots\n').toString('base64'),
      }),
    );
    const id = run.Instances?.[0]?.InstanceId ?? '';
    await waitUntilInstanceRunning({ client: ec2, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { InstanceIds: [id] });
    await killAndLook(own, 'server');

    const again = await bringUp({ directory });
    const now = clients(again);
    await waitUntilInstanceRunning(
      { client: now.ec2, maxWaitTime: 30, minDelay: 1, maxDelay: 1 },
      { InstanceIds: [id] },
    );
    const described = await now.ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
    assert.equal(described.Reservations?.[0]?.Instances?.[0]?.PrivateIpAddress, run.Instances?.[0]?.PrivateIpAddress);
    const object = await now.s3.send(new GetObjectCommand({ Bucket: 'survivor', Key: '../../escape' }));
    assert.equal(await object.Body?.transformToString(), body);
    assert.equal(await again.end({ keep: true }), 0);
    await nothingLeft(directory);
  });

  for (const victim of ['server', 'launcher'] as const) {
    test(`of the ${victim} while instances start: every one that was answered comes up`, async () => {
      const own = await bringUp({ directory });
      const { ec2 } = clients(own);
      const answered: string[] = [];
      const runs = Array.from({ length: 8 }, async () => {
        const { Instances } = await ec2.send(new RunInstancesCommand(image));
        answered.push(Instances?.[0]?.InstanceId ?? '');
      });
      for (const run of runs) run.catch(() => {});
      const enough = 1 + Math.floor(Math.random() * 7);
      await until('some are answered', () => answered.length >= enough);
      await killAndLook(own, victim);
      await Promise.allSettled(runs);
      const again = await bringUp({ directory });
      await waitUntilInstanceRunning({ client: clients(again).ec2, ...patience }, { InstanceIds: answered }).catch(() =>
        assert.fail(`not all of ${answered.join(' ')} run:\n${own.complaints()}\nthen\n${again.complaints()}`),
      );
      const family = familyOf(again.launcher.pid ?? 0);
      assert.equal(await again.end({ keep: true }), 0);
      await nothingLeft(directory, family);
    });
  }

  test('in the middle of bodies: what was not answered is not there, and its file goes at the next start', async () => {
    const own = await bringUp({ directory });
    const { s3 } = clients(own);
    const before = blobsOf(directory).length;
    await s3.send(new CreateBucketCommand({ Bucket: 'halves' }));
    await s3.send(new PutObjectCommand({ Bucket: 'halves', Key: 'whole', Body: body }));
    const endless = () => {
      const chunk = Buffer.alloc(256 * 1024, 1);
      return new Readable({
        read() {
          this.push(chunk);
        },
      });
    };
    const length = { ContentLength: 1 << 30 };
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: 'halves', Key: 'parts' }));
    const uploads = [
      s3.send(new PutObjectCommand({ Bucket: 'halves', Key: 'half', Body: endless(), ...length })),
      s3.send(
        new UploadPartCommand({ Bucket: 'halves', Key: 'parts', UploadId, PartNumber: 1, Body: endless(), ...length }),
      ),
    ];
    for (const upload of uploads) upload.catch(() => {});
    await until('two half bodies', () => {
      const big = blobsOf(directory).filter((name) => statSync(join(directory, 'objects', name)).size > 3_000_000);
      return big.length === 2;
    });
    await killAndLook(own, 'server');
    assert.deepEqual(
      (await Promise.allSettled(uploads)).map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    assert.equal(blobsOf(directory).length, before + 3);
    const again = await bringUp({ directory });
    const { Contents } = await clients(again).s3.send(new ListObjectsV2Command({ Bucket: 'halves' }));
    assert.deepEqual(
      Contents?.map(({ Key }) => Key),
      ['whole'],
    );
    await until('the halves are swept', () => blobsOf(directory).length === before + 1);
    assert.equal(await again.end({ keep: true }), 0);
  });

  test('no key of an object became a path, and nothing is mounted', () => {
    const walk = (path: string): string[] =>
      readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
        entry.isDirectory() ? walk(`${path}/${entry.name}`) : [`${path}/${entry.name}`],
      );
    const names = walk(`${directory}/objects`);
    assert.ok(names.length >= 1, 'the object has a file');
    assert.deepEqual(
      names.filter((name) => name.includes('escape')),
      [],
    );
    assert.equal(readFileSync('/proc/self/mounts', 'utf8').includes(directory), false);
  });

  for (const afterMs of [0, 3, 10, 30]) {
    test(`${afterMs} ms into a reset: either the old cloud is there or the new one, with the same root key`, async () => {
      const own = await bringUp({ directory });
      const { ec2 } = clients(own);
      const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: '10.7.0.0/16' }));
      const { Vpcs: old = [] } = await ec2.send(new DescribeVpcsCommand({ MaxResults: 1000 }));
      const token = readFileSync(join(directory, 'operator-token'), 'utf8').trim();
      const answer = new Promise<boolean>((resolve) => {
        http
          .request(`${own.endpoint}/_postern/reset`, { method: 'POST', headers: { Authorization: `Bearer ${token}` } })
          .on('response', (response) => resolve(response.statusCode === 200))
          .on('error', () => resolve(false))
          .end();
      });
      await delay(afterMs);
      await killAndLook(own, 'server');
      const answered = await answer;
      const again = await bringUp({ directory });
      assert.deepEqual(again.environment['AWS_ACCESS_KEY_ID'], own.environment['AWS_ACCESS_KEY_ID']);
      assert.deepEqual(again.environment['AWS_SECRET_ACCESS_KEY'], own.environment['AWS_SECRET_ACCESS_KEY']);
      const { Vpcs: now = [] } = await clients(again).ec2.send(new DescribeVpcsCommand({ MaxResults: 1000 }));
      const kept = now.some((vpc) => vpc.VpcId === Vpc?.VpcId);
      assert.equal(now.length, kept ? old.length : 1);
      if (answered) assert.equal(kept, false, 'a reset that was answered is undone');
      assert.equal(await again.end({ keep: true }), 0);
    });
  }
});
