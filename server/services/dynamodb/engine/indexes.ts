// Global secondary indexes that come and go with UpdateTable, which dynalite takes and does nothing about.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.OnlineOps.html (read 2026-11-21). Filling an index takes no time here: it is in the
// answer as CREATING, and there at the next question.

import { getIndexActions } from 'dynalite/db/index.js';
import { checkInput } from './action.ts';
import { refuseSeveralAttributes } from './checks.ts';
import type { WireInput } from './protocol.ts';
import { notServed, Refusal, validation } from './refusal.ts';
import { keep } from './resource-policies.ts';
import type { AttributeDefinition, IndexRow, SpaceStore, TableRow } from './store.ts';

type Output = Record<string, unknown>;
type Change = Readonly<Record<'Create' | 'Delete' | 'Update', Readonly<Record<string, unknown>> | undefined>>;

/** True when an index is to be made or removed, which is ours to do. */
export function changesIndexes(input: WireInput): boolean {
  return changesOf(input).some(({ Create, Delete }) => Create || Delete);
}

/** @throws a refusal in AWS's words; one that names the parameter when the same call asks for something else too */
export async function updateIndexes(store: SpaceStore, input: WireInput): Promise<Output> {
  const { AttributeDefinitions: given, ...rest } = input;
  const changes = changesOf(input);
  for (const { Create } of changes)
    refuseSeveralAttributes('UpdateTable', 'GlobalSecondaryIndexUpdates.Create', Create?.['KeySchema']);
  // dynalite's check is from before tables without throughput.
  const checked = changes.map(({ Create, ...others }) =>
    Create ? { ...others, Create: { ProvisionedThroughput: someThroughput, ...Create } } : others,
  );
  checkInput(store, 'UpdateTable', { ...rest, GlobalSecondaryIndexUpdates: checked });
  const other = Object.keys(rest).find((name) => name !== 'TableName' && name !== 'GlobalSecondaryIndexUpdates');
  if (other !== undefined || changes.some(({ Update }) => Update))
    throw notServed('UpdateTable', other ?? 'GlobalSecondaryIndexUpdates.Update');
  if (changes.length > 1)
    throw new Refusal(
      'LimitExceededException',
      'Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table',
    );
  const name = String(input['TableName']);
  const table = store.table(name);
  if (!table) throw new Refusal('ResourceNotFoundException', `Requested resource not found: Table: ${name} not found`);
  const [change] = changes;
  return change?.Create
    ? create(store, table, change.Create, (given ?? []) as AttributeDefinition[])
    : remove(store, table, String(change?.Delete?.['IndexName']));
}

const someThroughput = { ReadCapacityUnits: 1, WriteCapacityUnits: 1 };
const changesOf = (input: WireInput) => (input['GlobalSecondaryIndexUpdates'] ?? []) as readonly Change[];

async function create(
  store: SpaceStore,
  table: TableRow,
  wanted: Readonly<Record<string, unknown>>,
  given: readonly AttributeDefinition[],
): Promise<Output> {
  const before = table.GlobalSecondaryIndexes ?? [];
  const IndexName = String(wanted['IndexName']);
  if ([...before, ...(table.LocalSecondaryIndexes ?? [])].some((index) => index.IndexName === IndexName))
    throw validation('Attempting to create an index which already exists');
  const isOnDemand = table.BillingModeSummary?.BillingMode === 'PAY_PER_REQUEST';
  if (!isOnDemand && wanted['ProvisionedThroughput'] === undefined)
    throw validation(
      `One or more parameter values were invalid: ProvisionedThroughput must be specified for index: ${IndexName}`,
    );
  const known = new Set(table.AttributeDefinitions.map((one) => one.AttributeName));
  const AttributeDefinitions = [...table.AttributeDefinitions, ...given.filter((one) => !known.has(one.AttributeName))];
  // Whatever CreateTable would say of a table with this index.
  checkInput(store, 'CreateTable', {
    TableName: table.TableName,
    KeySchema: table.KeySchema,
    AttributeDefinitions,
    ...(isOnDemand ? { BillingMode: 'PAY_PER_REQUEST' } : { ProvisionedThroughput: someThroughput }),
    GlobalSecondaryIndexes: [wanted],
  });
  const throughput = wanted['ProvisionedThroughput'] ?? { ReadCapacityUnits: 0, WriteCapacityUnits: 0 };
  const index = {
    ...wanted,
    IndexArn: `${table.TableArn}/index/${IndexName}`,
    IndexSizeBytes: 0,
    ItemCount: 0,
    IndexStatus: 'ACTIVE',
    ProvisionedThroughput: { ...(throughput as object), NumberOfDecreasesToday: 0 },
  } as unknown as IndexRow;
  const after = { ...table, AttributeDefinitions, GlobalSecondaryIndexes: [...before, index] };
  await keep(store, after);
  fill(store, after, index);
  return changed(after, { ...index, IndexStatus: 'CREATING', Backfilling: false });
}

/** An item whose value is of another type than the index's key is not in the index. */
function fill(store: SpaceStore, table: TableRow, index: IndexRow): void {
  const types = new Map(table.AttributeDefinitions.map((one) => [one.AttributeName, one.AttributeType]));
  for (const item of store.items(table.TableName)) {
    const fits = index.KeySchema.every(({ AttributeName }) => {
      const value = item[AttributeName] as Readonly<Record<string, unknown>> | undefined;
      return value?.[types.get(AttributeName) ?? ''] !== undefined;
    });
    if (!fits) continue;
    for (const put of getIndexActions([index], null, item, table).puts)
      store.putIndexEntry(table.TableName, index.IndexName, put.key, put.item);
  }
}

async function remove(store: SpaceStore, table: TableRow, IndexName: string): Promise<Output> {
  const before = table.GlobalSecondaryIndexes ?? [];
  const index = before.find((one) => one.IndexName === IndexName);
  if (!index) throw new Refusal('ResourceNotFoundException', 'Requested resource not found');
  const left = before.filter((one) => one !== index);
  const used = new Set(
    [table, ...left, ...(table.LocalSecondaryIndexes ?? [])].flatMap(({ KeySchema }) =>
      KeySchema.map((element) => element.AttributeName),
    ),
  );
  const { GlobalSecondaryIndexes: _, ...rest } = table;
  const after = {
    ...rest,
    AttributeDefinitions: table.AttributeDefinitions.filter((one) => used.has(one.AttributeName)),
    ...(left.length > 0 && { GlobalSecondaryIndexes: left }),
  };
  await keep(store, after);
  await new Promise((done) => store.deleteIndexDb('Global', table.TableName, IndexName, done));
  return changed({ ...after, GlobalSecondaryIndexes: left }, { ...index, IndexStatus: 'DELETING' });
}

/** The table as it is told while it changes. */
function changed(table: TableRow, index: IndexRow & { IndexStatus: string; Backfilling?: boolean }): Output {
  const others = (table.GlobalSecondaryIndexes ?? []).filter((one) => one.IndexName !== index.IndexName);
  return { TableDescription: { ...table, TableStatus: 'UPDATING', GlobalSecondaryIndexes: [...others, index] } };
}
