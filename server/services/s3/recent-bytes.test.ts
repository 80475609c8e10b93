import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentBytes } from './recent-bytes.ts';

test('what was asked for the longest ago goes first, when there is no more room', () => {
  const recent = new RecentBytes(30);
  for (const id of ['a', 'b', 'c']) recent.set(id, new Uint8Array(10));
  recent.get('a');
  recent.set('d', new Uint8Array(10));
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((id) => recent.get(id)?.length),
    [10, undefined, 10, 10],
  );
});

test('room that is given back, by deletion or by other bytes of the same id, is room again', () => {
  const recent = new RecentBytes(30);
  recent.set('a', new Uint8Array(20));
  recent.set('a', new Uint8Array(10));
  recent.set('b', new Uint8Array(10));
  recent.delete('b');
  recent.delete('b');
  recent.set('c', new Uint8Array(20));
  assert.deepEqual(
    ['a', 'b', 'c'].map((id) => recent.get(id)?.length),
    [10, undefined, 20],
  );
});

test('what is larger than all the room is not held', () => {
  const recent = new RecentBytes(30);
  recent.set('a', new Uint8Array(31));
  assert.equal(recent.get('a'), undefined);
});
