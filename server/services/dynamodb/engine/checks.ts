// What AWS finds wrong in a request by itself, where dynalite does not, or says it in words of before. Recorded on AWS in August 2026.

import type { WireInput } from './protocol.ts';
import { notServed, refusalOf, validation } from './refusal.ts';

const count = '1 validation error detected: ';

/** Told before the others, and without a count. */
const uncounted = /^(\d+ validation errors? detected|The parameter '|TableName must|Postern )/;
const namedEmptySet = /^ExpressionAttributeValues contains invalid value: (.* not be empty) for key .*$/;

/**
 * PutItem, UpdateItem and DeleteItem count their mistakes, though there is never more than one; reads (but for Query's Select) and transactions do not.
 * Recorded of expressions, names and values that are not used, and empty sets; the others follow them.
 */
export function counted<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal?.code !== 'ValidationException' || uncounted.test(refusal.message)) throw error;
    throw validation(count + refusal.message.replace(namedEmptySet, '$1'));
  }
}

/** dynalite stumbles over them. What AWS prints has no source; the words are those for a member that is null. @throws ValidationException */
export function refuseNullElements(input: WireInput): void {
  const at = pathOfNull(input);
  if (at !== undefined)
    throw validation(`${count}Value null at '${at}' failed to satisfy constraint: Member must not be null`);
}

/** Where a list has null for an element. Every request comes by here, so nothing is put together before one is found. */
function pathOfNull(given: unknown): string | undefined {
  if (typeof given !== 'object' || given === null) return undefined;
  const isList = Array.isArray(given);
  for (const [name, value] of Object.entries(given)) {
    const below = value === null && isList ? '' : pathOfNull(value);
    if (below === undefined) continue;
    const step = isList ? `${Number(name) + 1}.member` : `${name.slice(0, 1).toLowerCase()}${name.slice(1)}`;
    return below === '' ? step : `${step}.${below}`;
  }
  return undefined;
}

/** @throws ValidationException when Select and the attributes that are asked for do not go together */
export function checkSelect(operation: 'Query' | 'Scan', input: WireInput): void {
  const { Select: select, IndexName: index } = input;
  if (typeof select !== 'string') return;
  const wrong = (message: string) => validation(operation === 'Query' ? count + message : message);
  const asked = ['ProjectionExpression', 'AttributesToGet'].find((name) => input[name] !== undefined);
  if (select === 'SPECIFIC_ATTRIBUTES') {
    if (asked) return;
    throw wrong('Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES');
  }
  if (asked) {
    const chosen = select === 'COUNT' ? 'only the Count' : select;
    throw wrong(`Cannot specify the ${asked} when choosing to get ${chosen}`);
  }
  if (select === 'ALL_PROJECTED_ATTRIBUTES' && index === undefined)
    throw wrong('ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName');
}

type Schema = readonly { readonly KeyType?: string }[];

/** @throws ValidationException, naming a key of several attributes, which Postern's indexes have not */
export function refuseSeveralAttributes(operation: string, path: string, schema: unknown): void {
  if (!Array.isArray(schema)) return;
  const hashes = (schema as Schema).filter(({ KeyType: type }) => type === 'HASH').length;
  if (hashes > 1 || schema.length > 2) throw notServed(operation, `${path}.KeySchema.${schema.length}`);
}

/** @throws ValidationException for a key type that there is not, and as `refuseSeveralAttributes` */
export function checkIndexKeys(input: WireInput): void {
  for (const member of ['GlobalSecondaryIndexes', 'LocalSecondaryIndexes'] as const) {
    const indexes: unknown = input[member];
    if (!Array.isArray(indexes)) continue;
    for (const [place, index] of (indexes as { readonly KeySchema?: Schema }[]).entries()) {
      const schema = index.KeySchema;
      if (!Array.isArray(schema)) continue;
      for (const [key, element] of (schema as Schema).entries()) {
        const type = element.KeyType;
        if (type === undefined || type === 'HASH' || type === 'RANGE') continue;
        const at = `${member[0]?.toLowerCase()}${member.slice(1)}.${place + 1}.member.keySchema.${key + 1}.member.keyType`;
        throw validation(
          `${count}Value '${type}' at '${at}' failed to satisfy constraint: Member must satisfy enum value set: [HASH, RANGE]`,
        );
      }
      if (member === 'GlobalSecondaryIndexes') refuseSeveralAttributes('CreateTable', `${member}.${place + 1}`, schema);
    }
  }
}
