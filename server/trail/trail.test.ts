import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { RequestEvent } from '../operator/api.ts';
import { Trail } from './trail.ts';

function event(number: number, change: Partial<RequestEvent> = {}): RequestEvent {
  return {
    time: new Date(Date.UTC(2026, 10, 21, 8, 0, number)).toISOString(),
    requestId: `request-${number}`,
    principalArn: 'arn:aws:iam::123456789012:root',
    accountId: '123456789012',
    service: 's3',
    operation: 'ListBuckets',
    region: 'us-east-1',
    path: { kind: 'internet', sourceIp: '198.51.100.10', secure: false },
    status: 200,
    durationMs: 1,
    ...change,
  };
}

const ids = (events: readonly RequestEvent[]) => events.map((one) => Number(one.requestId.slice('request-'.length)));

function withFile(work: (file: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const directory = mkdtempSync(join(tmpdir(), 'postern-trail-'));
    try {
      await work(join(directory, 'requests.jsonl'));
    } finally {
      rmSync(directory, { recursive: true });
    }
  };
}

describe('trail', () => {
  it('lists the newest events, the oldest of them first', () => {
    const trail = new Trail();
    for (let number = 1; number <= 5; number += 1) trail.record(event(number));
    assert.deepEqual(ids(trail.list()), [1, 2, 3, 4, 5]);
    assert.deepEqual(ids(trail.list({ limit: 2 })), [4, 5]);
    assert.deepEqual(ids(trail.list({ since: event(3).time })), [3, 4, 5]);
  });

  it('forgets the oldest event when memory is full, again and again', () => {
    const trail = new Trail({ capacity: 3 });
    for (let number = 1; number <= 8; number += 1) {
      trail.record(event(number));
      const kept = [number - 2, number - 1, number].filter((one) => one > 0);
      assert.deepEqual(ids(trail.list()), kept);
    }
  });

  it('picks events by account, service, key and failure', () => {
    const trail = new Trail();
    trail.record(event(1, { accountId: '210987654321' }));
    trail.record(event(2, { service: 'iam', accessKeyId: 'AKIAIOSFODNN7EXAMPLE' }));
    trail.record(event(3, { status: 403 }));
    assert.deepEqual(ids(trail.list({ accountId: '210987654321' })), [1]);
    assert.deepEqual(ids(trail.list({ service: 'iam' })), [2]);
    assert.deepEqual(ids(trail.list({ accessKeyId: 'AKIAIOSFODNN7EXAMPLE' })), [2]);
    assert.deepEqual(ids(trail.list({ failed: true })), [3]);
  });

  it('tells followers each event until they leave, and drops one that throws', () => {
    const errors: Error[] = [];
    const trail = new Trail({ onError: (error) => errors.push(error) });
    const seen: number[] = [];
    const leave = trail.follow((one) => seen.push(...ids([one])));
    trail.follow(() => {
      throw new Error('the pipe is gone');
    });
    trail.record(event(1));
    trail.record(event(2));
    leave();
    trail.record(event(3));
    assert.deepEqual(seen, [1, 2]);
    assert.equal(errors.length, 1);
  });

  it(
    'finds its events again after a restart, in a file that only the owner can read',
    withFile(async (file) => {
      const first = new Trail({ file });
      first.record(event(1));
      await first.flush();
      first.record(event(2));
      first.close();
      assert.equal(statSync(file).mode & 0o777, 0o600);
      const second = new Trail({ file });
      assert.deepEqual(ids(second.list()), [1, 2]);
    }),
  );

  it(
    'reads on past a line that the end of the process cut off',
    withFile(async (file) => {
      const first = new Trail({ file });
      first.record(event(1));
      first.close();
      appendFileSync(file, '{"time":"2026-11-');
      const second = new Trail({ file });
      second.record(event(2));
      second.close();
      assert.deepEqual(ids(new Trail({ file }).list()), [1, 2]);
    }),
  );

  it(
    'starts a new file when the old one is large, keeps one predecessor and reads both',
    withFile(async (file) => {
      const trail = new Trail({ file, maxFileBytes: 400 });
      for (let number = 1; number <= 4; number += 1) {
        trail.record(event(number));
        await trail.flush();
      }
      assert.ok(existsSync(`${file}.1`));
      assert.ok(statSync(file).size + statSync(`${file}.1`).size < 4 * 400);
      const again = ids(new Trail({ file }).list());
      assert.deepEqual(again, [1, 2, 3, 4].slice(-again.length));
      assert.ok(again.length >= 2);
    }),
  );

  it(
    'forgets everything when it is cleared',
    withFile(async (file) => {
      const trail = new Trail({ file });
      trail.record(event(1));
      await trail.clear();
      assert.deepEqual(trail.list(), []);
      assert.equal(existsSync(file), false);
      trail.record(event(2));
      trail.close();
      assert.equal(readFileSync(file, 'utf8').split('\n').length, 2);
    }),
  );

  it('keeps events in memory when the file cannot be written, and says so', async () => {
    const errors: Error[] = [];
    const trail = new Trail({ file: '/nonexistent/requests.jsonl', onError: (error) => errors.push(error) });
    trail.record(event(1));
    await trail.flush();
    assert.deepEqual(ids(trail.list()), [1]);
    assert.equal(errors.length, 1);
  });
});
