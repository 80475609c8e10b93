// `kill -9` at any moment: nothing that was acknowledged is lost, nothing is left on the machine, and the next `up` brings the same cloud back.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
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
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { bringUp, mountsOf, newDirectory, type Own, processesOf } from './own-cloud.ts';

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

async function nothingLeft(directory: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (processesOf(directory).length > 0 && Date.now() < deadline) await delay(20);
  assert.deepEqual(processesOf(directory), []);
  assert.deepEqual(mountsOf(directory), []);
}

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
      while (acknowledged.size % 100 < 50) await delay(5);
      process.kill(victim === 'server' ? serverProcess(own) : (own.launcher.pid ?? 0), 'SIGKILL');
      await Promise.allSettled(workers);
      await own.ended;
      await nothingLeft(directory);
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
    await s3.send(new PutObjectCommand({ Bucket: 'survivor', Key: '../../escape', Body: 'bytes' }));
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
    process.kill(serverProcess(own), 'SIGKILL');
    await own.ended;
    await nothingLeft(directory);

    const again = await bringUp({ directory });
    const now = clients(again);
    await waitUntilInstanceRunning(
      { client: now.ec2, maxWaitTime: 30, minDelay: 1, maxDelay: 1 },
      { InstanceIds: [id] },
    );
    const described = await now.ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
    assert.equal(described.Reservations?.[0]?.Instances?.[0]?.PrivateIpAddress, run.Instances?.[0]?.PrivateIpAddress);
    const object = await now.s3.send(new GetObjectCommand({ Bucket: 'survivor', Key: '../../escape' }));
    assert.equal(await object.Body?.transformToString(), 'bytes');
    assert.equal(await again.end({ keep: true }), 0);
    await nothingLeft(directory);
  });

  test('the data directory is the operator’s alone, and no key of an object became a path', () => {
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
});
