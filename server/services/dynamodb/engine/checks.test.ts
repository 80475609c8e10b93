import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refuseNullElements } from './checks.ts';
import { refusalOf } from './refusal.ts';

test('an element that is null is refused by its place, a member that is null is as if it were not there', () => {
  refuseNullElements({ TableName: 'a', Item: { pk: { S: 'a' }, left: null, list: { L: [{ S: 'b' }] } } } as never);
  const refused = { TransactItems: [{ Get: { TableName: 'a' } }, { Get: { Keys: ['a', null] } }] };
  assert.throws(
    () => refuseNullElements(refused as never),
    (error) =>
      refusalOf(error)?.message ===
      "1 validation error detected: Value null at 'transactItems.2.member.get.keys.2.member' failed to satisfy constraint: Member must not be null",
  );
});
