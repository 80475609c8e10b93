import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { it } from 'node:test';
import { readWhole } from './body.ts';

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
