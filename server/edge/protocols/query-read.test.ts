// Numbers, truth values and numbered lists in forms of IAM and STS, as AWS answered them in September 2026.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadService } from '../../catalogue/catalogue.ts';
import { AwsError } from '../../errors.ts';
import type { QueryPair } from '../head.ts';
import { readQuery } from './query-read.ts';

function read(service: string, name: string, form: readonly QueryPair[]): Record<string, unknown> {
  const operation = loadService(service).operation(name);
  assert.ok(operation, name);
  return readQuery(operation, form);
}

/** @returns what was read, or the error as `Code: message` */
function outcome(service: string, name: string, form: readonly QueryPair[]): unknown {
  try {
    return read(service, name, form);
  } catch (error) {
    assert.ok(error instanceof AwsError);
    return `${error.code}: ${error.message}`;
  }
}

const malformedNumber = 'MalformedInput: STRING_VALUE can not be converted to an Integer';
const malformedBoolean = 'MalformedInput: STRING_VALUE can not be converted to a Boolean';

for (const [text, expected] of [
  ['1', 1],
  ['01', 1],
  ['+1', 1],
  ['-1', -1],
  ['2147483647', 2147483647],
  ['2147483648', malformedNumber],
  [' 1 ', malformedNumber],
  ['1.0', malformedNumber],
  ['1e0', malformedNumber],
  ['', malformedNumber],
] as const) {
  test(`a number written ${JSON.stringify(text)}`, () => {
    const found = outcome('iam', 'ListUsers', [['MaxItems', text]]);
    assert.deepEqual(found, typeof expected === 'number' ? { MaxItems: expected } : expected);
  });
}

for (const [text, expected] of [
  ['true', true],
  ['false', false],
  ['1', true],
  ['0', false],
  ['True', malformedBoolean],
  ['FALSE', malformedBoolean],
  [' true', malformedBoolean],
  ['', malformedBoolean],
  ['null', malformedBoolean],
] as const) {
  test(`a truth value written ${JSON.stringify(text)}`, () => {
    const found = outcome('iam', 'ListServiceSpecificCredentials', [['AllUsers', text]]);
    assert.deepEqual(found, typeof expected === 'boolean' ? { AllUsers: expected } : expected);
  });
}

const team = { Key: 'team', Value: 'red' };
const nulls = (...places: readonly number[]) => {
  const texts = places.flatMap((place) =>
    ['value', 'key'].map(
      (name) => `Value at 'tags.${place}.member.${name}' failed to satisfy constraint: Member must not be null`,
    ),
  );
  return `ValidationError: ${texts.length} validation errors detected: ${texts.join('; ')}`;
};

for (const [index, expected] of [
  ['1', [team]],
  ['01', [team]],
  ['2', nulls(1)],
  ['3', nulls(1, 2)],
  // Twenty are null, and ten are told.
  ['11', nulls(1, 2, 3, 4, 5)],
  ['12', 'MalformedInput: Excessively sparse input would skip 11 list elements'],
  ['0', 'MalformedInput: 0 is not a valid index'],
  ['-1', "MalformedInput: Key -1 may not have a leading '-'"],
  ['+1', nulls(1)],
  ['one', nulls(1)],
  ['1.0', 'MalformedInput: Two index elements may not occur back to back'],
] as const) {
  test(`a tag numbered ${index}`, () => {
    const found = outcome('iam', 'TagUser', [
      ['UserName', 'ana'],
      [`Tags.member.${index}.Key`, 'team'],
      [`Tags.member.${index}.Value`, 'red'],
    ]);
    assert.deepEqual(found, typeof expected === 'string' ? expected : { UserName: 'ana', Tags: expected });
  });
}

test('one element may be numbered in two ways, and members that it does not have are ignored', () => {
  const form: QueryPair[] = [
    ['UserName', 'ana'],
    ['Tags.member.01.Key', 'team'],
    ['Tags.member.1.Value', 'red'],
    ['Tags.member.1.Colour', 'red'],
  ];
  assert.deepEqual(read('iam', 'TagUser', form), { UserName: 'ana', Tags: [team] });
});

for (const [indexes, expected] of [
  [['10', '2', '1', '3', '4', '5', '6', '7', '8', '9'], 10],
  [['1', '12'], 'MalformedInput: Excessively sparse input would skip 11 list elements'],
  [['12', '1'], 'MalformedInput: Excessively sparse input would skip 11 list elements'],
  [['1', '2', '3', '14'], 'MalformedInput: Excessively sparse input would skip 11 list elements'],
  [['+1'], 'MalformedInput: Start of list found where not expected'],
  [['one'], 'MalformedInput: Start of list found where not expected'],
] as const) {
  test(`texts numbered ${indexes.join(', ')}`, () => {
    const found = outcome(
      'iam',
      'GetContextKeysForCustomPolicy',
      indexes.map((index) => [`PolicyInputList.member.${index}`, index]),
    );
    if (typeof expected === 'string') assert.equal(found, expected);
    else assert.deepEqual(found, { PolicyInputList: Array.from({ length: expected }, (_, at) => String(at + 1)) });
  });
}

test('a text that is skipped is a mistake', () => {
  const found = outcome('iam', 'GetContextKeysForCustomPolicy', [['PolicyInputList.member.11', '{}']]);
  assert.match(String(found), /^ValidationError: 10 validation errors detected: Value at 'policyInputList\./);
});

test('STS prints that the value is null, and IAM does not', () => {
  assert.match(String(outcome('sts', 'AssumeRole', [['RoleArn', 'x']])), /Value null at 'roleSessionName'/);
  assert.match(String(outcome('iam', 'GetRole', [])), /1 validation error detected: Value at 'roleName'/);
});
