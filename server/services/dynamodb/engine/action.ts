// One action of dynalite: its checks, its work, and what it puts off.
// dynalite leaves a table CREATING and makes it ACTIVE later, by a timer. A process that ends in between would leave it so for ever, so here
// "later" is the end of the same request, in the same transaction: the answer says CREATING and the next request finds the table.

import batchGetItem from 'dynalite/actions/batchGetItem.js';
import batchWriteItem from 'dynalite/actions/batchWriteItem.js';
import createTable from 'dynalite/actions/createTable.js';
import deleteItem from 'dynalite/actions/deleteItem.js';
import deleteTable from 'dynalite/actions/deleteTable.js';
import describeTable from 'dynalite/actions/describeTable.js';
import describeTimeToLive from 'dynalite/actions/describeTimeToLive.js';
import getItem from 'dynalite/actions/getItem.js';
import listTables from 'dynalite/actions/listTables.js';
import listTagsOfResource from 'dynalite/actions/listTagsOfResource.js';
import putItem from 'dynalite/actions/putItem.js';
import query from 'dynalite/actions/query.js';
import scan from 'dynalite/actions/scan.js';
import tagResource from 'dynalite/actions/tagResource.js';
import untagResource from 'dynalite/actions/untagResource.js';
import updateItem from 'dynalite/actions/updateItem.js';
import updateTable from 'dynalite/actions/updateTable.js';
import * as checkBatchGetItem from 'dynalite/validations/batchGetItem.js';
import * as checkBatchWriteItem from 'dynalite/validations/batchWriteItem.js';
import * as checkCreateTable from 'dynalite/validations/createTable.js';
import * as checkDeleteItem from 'dynalite/validations/deleteItem.js';
import * as checkDeleteTable from 'dynalite/validations/deleteTable.js';
import * as checkDescribeTable from 'dynalite/validations/describeTable.js';
import * as checkDescribeTimeToLive from 'dynalite/validations/describeTimeToLive.js';
import * as checkGetItem from 'dynalite/validations/getItem.js';
import { checkTypes, checkValidations } from 'dynalite/validations/index.js';
import * as checkListTables from 'dynalite/validations/listTables.js';
import * as checkListTagsOfResource from 'dynalite/validations/listTagsOfResource.js';
import * as checkPutItem from 'dynalite/validations/putItem.js';
import * as checkQuery from 'dynalite/validations/query.js';
import * as checkScan from 'dynalite/validations/scan.js';
import * as checkTagResource from 'dynalite/validations/tagResource.js';
import * as checkUntagResource from 'dynalite/validations/untagResource.js';
import * as checkUpdateItem from 'dynalite/validations/updateItem.js';
import * as checkUpdateTable from 'dynalite/validations/updateTable.js';
import type { WireInput } from './protocol.ts';
import { notServed } from './refusal.ts';
import type { SpaceStore } from './store.ts';

const actions = {
  BatchGetItem: { check: checkBatchGetItem, act: batchGetItem },
  BatchWriteItem: { check: checkBatchWriteItem, act: batchWriteItem },
  CreateTable: { check: checkCreateTable, act: createTable },
  DeleteItem: { check: checkDeleteItem, act: deleteItem },
  DeleteTable: { check: checkDeleteTable, act: deleteTable },
  DescribeTable: { check: checkDescribeTable, act: describeTable },
  DescribeTimeToLive: { check: checkDescribeTimeToLive, act: describeTimeToLive },
  GetItem: { check: checkGetItem, act: getItem },
  ListTables: { check: checkListTables, act: listTables },
  ListTagsOfResource: { check: checkListTagsOfResource, act: listTagsOfResource },
  PutItem: { check: checkPutItem, act: putItem },
  Query: { check: checkQuery, act: query },
  Scan: { check: checkScan, act: scan },
  TagResource: { check: checkTagResource, act: tagResource },
  UntagResource: { check: checkUntagResource, act: untagResource },
  UpdateItem: { check: checkUpdateItem, act: updateItem },
  UpdateTable: { check: checkUpdateTable, act: updateTable },
} as const;

export type ActionName = keyof typeof actions;

const deferred: (() => void)[] = [];

/** From here on `setTimeout` of this process keeps the work for the end of the action. Nothing else here uses the global one. */
export function deferTimers(): void {
  globalThis.setTimeout = ((work: () => void) => {
    deferred.push(work);
  }) as typeof setTimeout;
}

/**
 * The input as dynalite's action takes it: known members only, expressions parsed.
 * @throws an error with AWS's words; a Refusal naming a parameter that dynalite would leave out of account
 */
export function checkInput(store: SpaceStore, operation: ActionName, input: WireInput): Record<string, unknown> {
  const { check } = actions[operation];
  const known = checkTypes(structuredClone(input) as Record<string, unknown>, check.types);
  const lost = lostMember(input, known, '');
  // dynalite keeps attributes in plain objects, and stumbles over this one.
  if (lost?.endsWith('__proto__')) throw notServed(operation, lost);
  // What is wrong is told before what is missing here.
  checkValidations(known, check.types, check.custom, store);
  if (lost !== undefined) throw notServed(operation, lost);
  return known;
}

/** The first member that is in the input and not in what was understood of it. */
function lostMember(given: unknown, kept: unknown, path: string): string | undefined {
  if (typeof given !== 'object' || given === null) return undefined;
  if (typeof kept !== 'object' || kept === null) return path;
  const known = kept as Readonly<Record<string, unknown>>;
  for (const [name, value] of Object.entries(given)) {
    if (value === null) continue;
    const at = path === '' ? name : `${path}.${name}`;
    if (!Object.hasOwn(known, name)) return at;
    const lost = lostMember(value, known[name], at);
    if (lost !== undefined) return lost;
  }
  return undefined;
}

/**
 * Does an action on what `checkInput` has made.
 * @returns the answer, apart from what the store holds   @throws an error with AWS's words, or a bug
 */
export async function act(
  store: SpaceStore,
  operation: ActionName,
  input: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const output = await new Promise<unknown>((resolve, reject) => {
    actions[operation].act(store, input, (error, answer) => {
      if (error) reject(error as Error);
      else resolve(structuredClone(answer));
    });
  });
  for (const work of deferred.splice(0)) work();
  return typeof output === 'object' && output !== null ? (output as Record<string, unknown>) : {};
}
