import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attributesOf, equalTo } from './expressions.ts';

test('the attributes of an expression are the first names of its paths', () => {
  assert.deepEqual(attributesOf('SET a.b[0].c = :v, #x = if_not_exists(d, :w) REMOVE e ADD f :n', { '#x': 'state' }), [
    'a', 'state', 'd', 'e', 'f',
  ]); // biome-ignore format: a list of words
  assert.deepEqual(attributesOf('attribute_exists(a) AND (size(#s) > :n OR NOT b BETWEEN :x and :y)', { '#s': 'c' }), [
    'a', 'c', 'b',
  ]); // biome-ignore format: a list of words
  assert.deepEqual(attributesOf('a, b.c, #d.#e', { '#d': 'd', '#e': 'e' }), ['a', 'b', 'd']);
});

test('a key condition says which value the partition key has, either way round', () => {
  assert.deepEqual(equalTo('pk = :p AND begins_with(sk, :s)', 'pk'), [':p']);
  assert.deepEqual(equalTo('(:p = #k) and sk >= :s', 'pk', { '#k': 'pk' }), [':p']);
  assert.deepEqual(equalTo('sk = :s', 'pk'), []);
  assert.deepEqual(equalTo('pk >= :p', 'pk'), []);
});
