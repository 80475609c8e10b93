// One operation in the transaction that is open: what dynalite knows, and beside it what AWS has and dynalite has not.

import { randomUUID } from 'node:crypto';
import { createKey } from 'dynalite/db/index.js';
import { type ActionName, act, checkInput } from './action.ts';
import { checkIndexKeys, checkSelect, counted, refuseNullElements } from './checks.ts';
import { changesIndexes, updateIndexes } from './indexes.ts';
import type { Space, TableFacts, WireInput } from './protocol.ts';
import { notServed, Refusal, refusalOf, validation } from './refusal.ts';
import { deleteResourcePolicy, getResourcePolicy, keep, newRevision, putResourcePolicy } from './resource-policies.ts';
import type { SpaceStore, TableRow, Throughput } from './store.ts';
import { transactGetItems, transactWriteItems } from './transactions.ts';

type Output = Record<string, unknown>;
type Handler = (store: SpaceStore, input: WireInput, space: Space) => Promise<Output>;

const plain =
  (operation: ActionName): Handler =>
  (store, input) =>
    act(store, operation, checkInput(store, operation, input));

const handlers: Readonly<Record<string, Handler>> = {
  BatchGetItem: plain('BatchGetItem'),
  BatchWriteItem: plain('BatchWriteItem'),
  CreateTable: createTable,
  DeleteItem: conditional('DeleteItem'),
  DeleteResourcePolicy: deleteResourcePolicy,
  DeleteTable: deleteTable,
  DescribeTable: describeTable,
  DescribeTimeToLive: plain('DescribeTimeToLive'),
  GetItem: plain('GetItem'),
  GetResourcePolicy: getResourcePolicy,
  ListTables: plain('ListTables'),
  ListTagsOfResource: onArn('ListTagsOfResource'),
  PutItem: conditional('PutItem'),
  PutResourcePolicy: putResourcePolicy,
  Query: query,
  Scan: scan,
  TagResource: onArn('TagResource'),
  TransactGetItems: transactGetItems,
  TransactWriteItems: transactWriteItems,
  UntagResource: onArn('UntagResource'),
  UpdateItem: conditional('UpdateItem'),
  UpdateTable: updateTable,
};

/** @throws an error with AWS's words (`refusalOf`); anything else is a bug and ends the process */
export function run(store: SpaceStore, space: Space, operation: string, input: WireInput): Promise<Output> {
  const handler = Object.hasOwn(handlers, operation) ? handlers[operation] : undefined;
  if (!handler) throw new Error(`the engine has no operation ${operation}`);
  refuseNullElements(input);
  return handler(store, input, space);
}

/** What a policy may ask about tables; one that there is not is left out. */
export function facts(store: SpaceStore, names: readonly string[]): Record<string, TableFacts> {
  const found: Record<string, TableFacts> = {};
  for (const name of names) {
    const table = store.table(name);
    if (!table) continue;
    const partitionKeys: Record<string, string> = { '': partitionKey(table) };
    for (const index of [...(table.GlobalSecondaryIndexes ?? []), ...(table.LocalSecondaryIndexes ?? [])])
      partitionKeys[index.IndexName] = partitionKey(index);
    const policy = table.ResourcePolicy?.Policy;
    found[name] = { partitionKeys, tags: store.tags(name), ...(policy !== undefined && { policy }) };
  }
  return found;
}

const partitionKey = ({ KeySchema }: Pick<TableRow, 'KeySchema'>) =>
  KeySchema.find((element) => element.KeyType === 'HASH')?.AttributeName ?? '';

/** PutItem, UpdateItem, DeleteItem: dynalite does not know ReturnValuesOnConditionCheckFailure. */
function conditional(operation: 'PutItem' | 'UpdateItem' | 'DeleteItem'): Handler {
  return async (store, { ReturnValuesOnConditionCheckFailure: wanted, ...input }) => {
    const checked = counted(() => checkInput(store, operation, input));
    try {
      return await act(store, operation, checked);
    } catch (error) {
      const refusal = refusalOf(error);
      if (wanted !== 'ALL_OLD' || refusal?.code !== 'ConditionalCheckFailedException') throw error;
      const table = store.table(String(input['TableName']));
      const item = table && store.item(table.TableName, createKey(checked['Item'] ?? checked['Key'], table));
      throw item ? new Refusal(refusal.code, refusal.message, { Item: item }) : error;
    }
  };
}

function query(store: SpaceStore, input: WireInput): Promise<Output> {
  const checked = checkInput(store, 'Query', input);
  checkSelect('Query', input);
  return act(store, 'Query', checked);
}

/** dynalite heeds ConsistentRead here, and its checks do not know it. */
function scan(store: SpaceStore, { ConsistentRead: isConsistent, ...input }: WireInput): Promise<Output> {
  const checked = checkInput(store, 'Scan', input);
  checkSelect('Scan', input);
  return act(store, 'Scan', { ...checked, ...(isConsistent === true && { ConsistentRead: true }) });
}

/** dynalite takes ARNs of the `aws` partition only. The server has seen that it is of this space. */
function onArn(operation: 'TagResource' | 'UntagResource' | 'ListTagsOfResource'): Handler {
  return (store, { NextToken: token, ...input }) => {
    if (typeof token === 'string') throw validation('Invalid NextToken');
    const ResourceArn = String(input['ResourceArn']).replace(/^arn:aws[\w-]*:/, 'arn:aws:');
    return plain(operation)(store, { ...input, ResourceArn }, undefined as never);
  };
}

/** Settings of a table that dynalite does not know, and the one value that needs nothing done. */
const defaults: Readonly<Record<string, (value: Readonly<Record<string, unknown>> | string) => boolean>> = {
  StreamSpecification: (value) => typeof value === 'object' && value['StreamEnabled'] === false,
  SSESpecification: (value) => typeof value === 'object' && value['Enabled'] !== true && value['SSEType'] === undefined,
  TableClass: (value) => value === 'STANDARD',
};

function withoutDefaults(operation: string, input: WireInput): WireInput {
  const rest: Record<string, unknown> = { ...input };
  for (const [name, isDefault] of Object.entries(defaults)) {
    if (rest[name] === undefined || rest[name] === null) continue;
    if (!isDefault(rest[name] as string)) throw notServed(operation, name);
    delete rest[name];
  }
  return rest;
}

/** What a new table on demand is ready for; a provisioned one is for what it is given. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/warm-throughput.html */
const readyOnDemand = { ReadCapacityUnits: 12_000, WriteCapacityUnits: 4_000 };

/** With what tables and indexes are ready for, which no other answer has. */
async function describeTable(store: SpaceStore, input: WireInput): Promise<Output> {
  const { Table: described } = await act(store, 'DescribeTable', checkInput(store, 'DescribeTable', input));
  const table = described as TableRow;
  const isOnDemand = table.BillingModeSummary?.BillingMode === 'PAY_PER_REQUEST';
  const ready = <T extends Throughput>(row: T) => {
    const units = isOnDemand ? readyOnDemand : row.ProvisionedThroughput;
    const WarmThroughput = {
      ReadUnitsPerSecond: units?.ReadCapacityUnits,
      WriteUnitsPerSecond: units?.WriteCapacityUnits,
      Status: 'ACTIVE',
    };
    return { ...row, WarmThroughput };
  };
  const { GlobalSecondaryIndexes: indexes } = table;
  return { Table: { ...ready(table), ...(indexes && { GlobalSecondaryIndexes: indexes.map(ready) }) } };
}

async function createTable(store: SpaceStore, given: WireInput): Promise<Output> {
  checkIndexKeys(given);
  const { Tags: tags, DeletionProtectionEnabled: isProtected, ResourcePolicy: policy, ...others } = given;
  const input = checkInput(store, 'CreateTable', withoutDefaults('CreateTable', others));
  const name = String(input['TableName']);
  if (store.table(name)) throw new Refusal('ResourceInUseException', `Table already exists: ${name}`);
  // The action keeps its input as the table's row.
  input['DeletionProtectionEnabled'] = isProtected === true;
  const output = await act(store, 'CreateTable', input);
  // dynalite's own is four digits short of a UUID.
  const TableId = randomUUID();
  const ResourcePolicy = typeof policy === 'string' ? { Policy: policy, RevisionId: newRevision() } : undefined;
  await keep(store, { ...(store.table(name) as TableRow), TableId, ...(ResourcePolicy && { ResourcePolicy }) });
  if (Array.isArray(tags) && tags.length > 0) {
    const ResourceArn = store.table(name)?.TableArn.replace(/^arn:aws[\w-]*:/, 'arn:aws:');
    await act(store, 'TagResource', checkInput(store, 'TagResource', { ResourceArn, Tags: tags }));
  }
  return { TableDescription: { ...(output['TableDescription'] as TableRow), TableId } };
}

async function updateTable(store: SpaceStore, given: WireInput): Promise<Output> {
  const { DeletionProtectionEnabled: isProtected, ...others } = given;
  const rest = withoutDefaults('UpdateTable', others);
  if (changesIndexes(rest)) {
    if (typeof isProtected === 'boolean') throw notServed('UpdateTable', 'DeletionProtectionEnabled');
    return updateIndexes(store, rest);
  }
  if (typeof isProtected !== 'boolean') return act(store, 'UpdateTable', checkInput(store, 'UpdateTable', rest));
  const only = Object.keys(rest).length === 1;
  const described = await plain('DescribeTable')(store, { TableName: rest['TableName'] }, undefined as never);
  const input = only ? undefined : checkInput(store, 'UpdateTable', rest);
  const table = described['Table'] as TableRow;
  await keep(store, { ...table, DeletionProtectionEnabled: isProtected });
  if (input) return act(store, 'UpdateTable', input);
  return { TableDescription: { ...store.table(table.TableName), TableStatus: 'UPDATING' } };
}

async function deleteTable(store: SpaceStore, given: WireInput): Promise<Output> {
  const input = checkInput(store, 'DeleteTable', given);
  if (store.table(String(input['TableName']))?.DeletionProtectionEnabled === true)
    throw validation(
      'Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.',
    );
  const { TableDescription: described } = await act(store, 'DeleteTable', input);
  // Recorded: of what the table was made of, nothing is told any more.
  const { AttributeDefinitions: _, KeySchema: _keys, CreationDateTime: _date, ...left } = described as TableRow;
  return { TableDescription: left };
}
