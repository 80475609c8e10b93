import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import type { AwsError } from '../errors.ts';
import { CheckedBody, readWhole } from './body.ts';
import { identify, makeHead } from './edge.ts';
import { anonymous } from './verify.ts';

function sourceOf(text: string, complete: boolean): Readable & { complete: boolean } {
  const source = new Readable({ read() {} });
  source.push(text);
  source.push(null);
  return Object.assign(source, { complete });
}

it('gives a body at once when all of it has come', () => {
  assert.equal(String(readWhole(sourceOf('Action=DescribeVpcs', true), 'ec2-query')), 'Action=DescribeVpcs');
  const empty = readWhole(Object.assign(Readable.from([]), { complete: true }), 'ec2-query');
  assert.ok(Buffer.isBuffer(empty) && empty.length === 0);
});

it('waits for a body that is still coming', async () => {
  const body = readWhole(sourceOf('Action=DescribeVpcs', false), 'ec2-query');
  assert.ok(body instanceof Promise);
  assert.equal(String(await body), 'Action=DescribeVpcs');
});

it('refuses a body over the limit, announced or not', () => {
  assert.throws(() => readWhole(sourceOf('too long', true), 'ec2-query', 4), { status: 413 });
  assert.throws(() => readWhole(sourceOf('too long', true), 'ec2-query', 4, '8'), { status: 413 });
});

describe('the body of an object', () => {
  const identified = identify(
    makeHead('PUT', '/bucket/key', {
      host: 's3.amazonaws.com',
      'content-length': '5',
      'content-md5': 'XUFAKrxLKna5cZ2REBfFkg==',
    }),
  );
  const file = { open: () => assert.fail('it is small'), finish: async () => {} };
  const feed = (text: string, complete: boolean) =>
    new CheckedBody(identified, anonymous, sourceOf(text, complete)).feed({ digests: ['md5'], file });

  it('that has come is taken at once', () => {
    const taken = feed('hello', true);
    assert.ok(!(taken instanceof Promise));
    assert.deepEqual([String(taken.small), taken.digests.md5], ['hello', 'XUFAKrxLKna5cZ2REBfFkg==']);
  });

  it('that is still coming is waited for', async () => {
    const taken = feed('hello', false);
    assert.ok(taken instanceof Promise);
    assert.equal(String((await taken).small), 'hello');
  });

  it('is refused when it is not what its digest says, at once or later', async () => {
    assert.throws(() => feed('jello', true), { code: 'BadDigest' });
    await assert.rejects(async () => feed('jello', false), { code: 'BadDigest' });
  });

  it('is told its digest in hex, and a part in base64, as it was sent', () => {
    const ofPart = identify({
      ...identified.head,
      query: [
        ['partNumber', '1'],
        ['uploadId', 'u'],
      ],
    });
    const told = (of: typeof identified) => {
      try {
        new CheckedBody(of, anonymous, sourceOf('jello', true)).feed({ digests: ['md5'], file });
      } catch (error) {
        return (error as AwsError).fields?.ExpectedDigest;
      }
      return assert.fail('was taken');
    };
    assert.deepEqual(
      [told(identified), told(ofPart)],
      ['5d41402abc4b2a76b9719d911017c592', 'XUFAKrxLKna5cZ2REBfFkg=='],
    );
  });
});
