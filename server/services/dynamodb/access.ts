// What must a caller be allowed to do before an operation runs, on which table, and what may a policy's conditions ask about it?
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html and
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html (read 2026-11-21)

import type { BaseCall } from '../../service.ts';
import type { TableFacts, WireInput } from './engine/protocol.ts';
import { attributesOf, equalTo } from './expressions.ts';

type Members = Readonly<Record<string, unknown>>;
type Context = Record<string, readonly string[]>;

/** One permission that an operation needs. */
export interface Need {
  readonly action: string;
  /** The table's name; undefined: the operation is on the account. */
  readonly table: string | undefined;
  /** The ARN as the client gave it, when it gave one. */
  readonly arn?: string;
  readonly index?: string;
  /** What the operation asks of this table: one set of members for each item or request. */
  readonly asks: readonly Members[];
  /** True for what reads and writes items: their keys and attributes are conditions. */
  readonly items: boolean;
}

const object = (value: unknown): Members => (typeof value === 'object' && value !== null ? (value as Members) : {});
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const itemOperations: ReadonlySet<string> = new Set([
  'GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query', 'Scan',
]); // biome-ignore format: a list of words
const partActions = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
  Get: 'GetItem',
};

/** Everything that an operation needs, by its input. */
export function needsOf(operation: string, input: WireInput): readonly Need[] {
  const action = `dynamodb:${operation}`;
  if (operation === 'BatchGetItem' || operation === 'BatchWriteItem') {
    return Object.entries(object(input['RequestItems'])).map(([table, asked]) => {
      const of = operation === 'BatchGetItem' ? batchGets(object(asked)) : list(asked).flatMap(batchWrites);
      return { action, ...named(table), asks: of.map((one) => ({ ...one, ...shared(input) })), items: true };
    });
  }
  if (operation === 'TransactGetItems' || operation === 'TransactWriteItems') {
    return list(input['TransactItems']).flatMap((part) =>
      Object.entries(partActions).flatMap(([kind, name]) => {
        const members = object(part)[kind];
        if (members === undefined) return [];
        const asked = { ...object(members), ...shared(input) };
        return [{ action: `dynamodb:${name}`, ...named(object(members)['TableName']), asks: [asked], items: true }];
      }),
    );
  }
  const of = { asks: [input], items: itemOperations.has(operation) };
  if ('ResourceArn' in input) return [{ action, ...named(input['ResourceArn']), ...of }];
  if (!('TableName' in input)) return [{ action, table: undefined, ...of }];
  const index = typeof input['IndexName'] === 'string' ? { index: input['IndexName'] } : {};
  const own = { action, ...named(input['TableName']), ...index, ...of };
  if (operation !== 'CreateTable') return [own];
  // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html: tags and a policy are permissions of their own.
  return [
    own,
    ...(list(input['Tags']).length > 0 ? [{ ...own, action: 'dynamodb:TagResource' }] : []),
    ...(input['ResourcePolicy'] ? [{ ...own, action: 'dynamodb:PutResourcePolicy' }] : []),
  ];
}

function named(value: unknown): { table: string; arn?: string } {
  const text = String(value);
  return text.startsWith('arn:') ? { table: text.slice(text.lastIndexOf('/') + 1), arn: text } : { table: text };
}

const shared = (input: WireInput): Members => ({ ReturnConsumedCapacity: input['ReturnConsumedCapacity'] });
const batchGets = ({ Keys, ...others }: Members): Members[] => list(Keys).map((Key) => ({ ...others, Key }));

function batchWrites(one: unknown): Members[] {
  const { PutRequest: put, DeleteRequest: remove } = object(one);
  return [...(put === undefined ? [] : [object(put)]), ...(remove === undefined ? [] : [object(remove)])];
}

export function resourceOf(call: BaseCall, { table, arn, index }: Need): string {
  const base = arn ?? tableArn(call, table ?? '*');
  return index === undefined ? base : `${base}/index/${index}`;
}

function tableArn({ partition, region, accountId }: BaseCall, table: string): string {
  return `arn:${partition}:dynamodb:${region}:${accountId}:table/${table}`;
}

/** The condition keys of a need. @param facts of its table; undefined when there is no such table */
export function contextOf(need: Need, facts: TableFacts | undefined): Context {
  const context: Context = {};
  const set = (key: string, values: readonly unknown[]) => {
    const texts = values.flatMap((value) => (typeof value === 'string' ? [value] : []));
    if (texts.length > 0) context[key] = [...new Set(texts)];
  };
  for (const [key, value] of Object.entries(facts?.tags ?? {})) set(`aws:ResourceTag/${key}`, [value]);
  for (const asked of need.asks) {
    const tags = list(asked['Tags']).map(object);
    for (const tag of tags) set(`aws:RequestTag/${String(tag['Key'])}`, [tag['Value']]);
    set('aws:TagKeys', [...tags.map((tag) => tag['Key']), ...list(asked['TagKeys'])]);
  }
  if (!need.items) return context;
  const partitionKey = facts?.partitionKeys[need.index ?? ''];
  if (partitionKey !== undefined)
    set(
      'dynamodb:LeadingKeys',
      need.asks.flatMap((asked) => leadingKeys(asked, partitionKey)),
    );
  set('dynamodb:Attributes', need.asks.flatMap(attributes));
  set(
    'dynamodb:ReturnValues',
    need.asks.map((asked) => asked['ReturnValues']),
  );
  set(
    'dynamodb:ReturnConsumedCapacity',
    need.asks.map((asked) => asked['ReturnConsumedCapacity']),
  );
  set(
    'dynamodb:Select',
    need.asks.map((asked) => selectOf(need, asked)),
  );
  return context;
}

/** What is read when the request does not say. Writes have no such key. */
function selectOf({ action, index }: Need, asked: Members): unknown {
  if (!/:(Query|Scan|GetItem|BatchGetItem)$/.test(action)) return undefined;
  if (asked['Select'] !== undefined) return asked['Select'];
  if (asked['ProjectionExpression'] !== undefined || asked['AttributesToGet'] !== undefined)
    return 'SPECIFIC_ATTRIBUTES';
  return index === undefined ? 'ALL_ATTRIBUTES' : 'ALL_PROJECTED_ATTRIBUTES';
}

/** The one value of `{ S: 'x' }`, whatever its type: policies compare text. */
const plainValue = (value: unknown) => Object.values(object(value))[0];
const names = (asked: Members) => object(asked['ExpressionAttributeNames']) as Record<string, string>;

function leadingKeys(asked: Members, partitionKey: string): unknown[] {
  const values = object(asked['ExpressionAttributeValues']);
  const condition = asked['KeyConditionExpression'];
  const compared = typeof condition === 'string' ? equalTo(condition, partitionKey, names(asked)) : [];
  const legacy = list(object(object(asked['KeyConditions'])[partitionKey])['AttributeValueList']);
  return [
    plainValue(object(asked['Key'])[partitionKey]),
    plainValue(object(asked['Item'])[partitionKey]),
    ...compared.map((name) => plainValue(values[name])),
    ...legacy.map(plainValue),
  ];
}

const expressionMembers = [
  'ProjectionExpression', 'ConditionExpression', 'FilterExpression', 'KeyConditionExpression', 'UpdateExpression',
]; // biome-ignore format: a list of words
const mapMembers = ['Key', 'Item', 'AttributeUpdates', 'Expected', 'KeyConditions', 'QueryFilter', 'ScanFilter'];

function attributes(asked: Members): unknown[] {
  return [
    ...mapMembers.flatMap((member) => Object.keys(object(asked[member]))),
    ...list(asked['AttributesToGet']),
    ...expressionMembers.flatMap((member) => {
      const text = asked[member];
      return typeof text === 'string' ? attributesOf(text, names(asked)) : [];
    }),
  ];
}
