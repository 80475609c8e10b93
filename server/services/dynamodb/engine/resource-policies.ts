// A table's resource-based policy: kept in the table's row, so that it ends with the table. Whether its text is a policy is for the server to see.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutResourcePolicy.html (read 2026-11-21)

import type { WireInput } from './protocol.ts';
import { Refusal } from './refusal.ts';
import type { SpaceStore, TablePolicy, TableRow } from './store.ts';

type Output = Record<string, unknown>;

/** What a client expects who wants no policy to be there. */
const noPolicy = 'NO_POLICY';

export function putResourcePolicy(store: SpaceStore, input: WireInput): Promise<Output> {
  const { table, policy } = tableOf(store, input);
  checkRevision(table, policy, input);
  const Policy = String(input['Policy']);
  // The same policy again is no change.
  if (policy?.Policy === Policy) return Promise.resolve({ RevisionId: policy.RevisionId });
  const RevisionId = newRevision(policy);
  return keep(store, { ...table, ResourcePolicy: { Policy, RevisionId } }).then(() => ({ RevisionId }));
}

export function getResourcePolicy(store: SpaceStore, input: WireInput): Promise<Output> {
  const { table, policy } = tableOf(store, input);
  if (!policy) throw notFound(table.TableArn);
  return Promise.resolve({ ...policy });
}

/** Deleting twice is no error. */
export function deleteResourcePolicy(store: SpaceStore, input: WireInput): Promise<Output> {
  const { table, policy } = tableOf(store, input);
  checkRevision(table, policy, input);
  if (!policy) return Promise.resolve({});
  const { ResourcePolicy: _, ...rest } = table;
  return keep(store, rest).then(() => ({ RevisionId: policy.RevisionId }));
}

/** Milliseconds, as AWS's look, and each later than the one before. */
export function newRevision(before?: TablePolicy): string {
  return String(Math.max(Date.now(), Number(before?.RevisionId ?? 0) + 1));
}

export function keep(store: SpaceStore, table: TableRow): Promise<unknown> {
  return new Promise((done) => store.tableDb.put(table.TableName, table, done));
}

function tableOf(store: SpaceStore, input: WireInput): { table: TableRow; policy: TablePolicy | undefined } {
  const arn = String(input['ResourceArn']);
  const name = arn.slice(arn.lastIndexOf('/') + 1);
  const table = store.table(name);
  if (!table) throw new Refusal('ResourceNotFoundException', `Requested resource not found: Table: ${name} not found`);
  return { table, policy: table.ResourcePolicy };
}

function checkRevision({ TableName, TableArn }: TableRow, policy: TablePolicy | undefined, input: WireInput): void {
  const expected = input['ExpectedRevisionId'];
  if (typeof expected !== 'string' || expected === policy?.RevisionId) return;
  if (!policy) {
    if (expected === noPolicy) return;
    throw notFound(TableArn);
  }
  throw notFound(
    expected === noPolicy
      ? `Requested policy update expecting none to be present for table ${TableName}, but a policy exists with revision id ${policy.RevisionId}.`
      : `Requested update for policy with revision id ${expected}, but the policy associated to target table ${TableName} has revision id ${policy.RevisionId}.`,
  );
}

const notFound = (what: string) =>
  new Refusal('PolicyNotFoundException', `Resource-based policy not found for the provided ResourceArn: ${what}`);
