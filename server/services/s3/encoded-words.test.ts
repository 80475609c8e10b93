import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeWord, encodeWords, literalWord } from './encoded-words.ts';

const asHeader = (text: string) => Buffer.from(text).toString('latin1');
const told = (value: string) => encodeWords({ value })['value'];

test('an encoded word is kept as its text; one that is none stays', () => {
  assert.equal(decodeWord('=?UTF-8?B?YWJj?='), 'abc');
  assert.equal(decodeWord('=?UTF-8?Q?actually-ascii?='), 'actually-ascii');
  assert.equal(decodeWord('=?UTF-8?Q?=C3=A9_x?='), asHeader('é x'));
  for (const text of ['abc', '=?UTF-8?B?=GGG?=', '=?latin1?Q?x?=']) assert.equal(decodeWord(text), text);
  assert.equal(decodeWord(literalWord('=?UTF-8?B?YWJj?=')), '=?UTF-8?B?YWJj?=');
});

test('what a header cannot hold is told as an encoded word, quoted where most of it is ASCII', () => {
  assert.equal(told('a "plain" one?'), 'a "plain" one?');
  assert.equal(told(asHeader('ÄMÄZÕÑ S3')), '=?UTF-8?Q?=C3=84M=C3=84Z=C3=95=C3=91_S3?=');
  const file = asHeader('test_—_file%E2%80%94_é_2?.pdf');
  assert.equal(told(file), '=?UTF-8?Q?test=5F=E2=80=94=5Ffile%E2%80%94=5F=C3=A9=5F2=3F.pdf?=');
  assert.equal(told('\0\u0001\u0002\u0003'), '=?UTF-8?B?AAECAw==?=');
  assert.equal(told(asHeader('\ufffd'.repeat(7))), '=?UTF-8?B?77+977+977+977+977+977+977+9?=');
  const long = told(asHeader('😀'.repeat(40))) ?? '';
  assert.ok(long.split(' ').every((word) => word.length <= 75));
  assert.equal(long.split(' ').map(decodeWord).join(''), asHeader('😀'.repeat(40)));
});
