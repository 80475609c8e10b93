// TransactWriteItems and TransactGetItems, which dynalite has not: each part is one of its actions, and the whole is one mark in our transaction.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html (read 2026-11-21)
// Order: the parts' own form, one part per item, the token, then every part; the first failure does not hide the others' reasons.

import { createHash } from 'node:crypto';
import { checkConditional, createKey, validateItem, validateKey } from 'dynalite/db/index.js';
import { type ActionName, act, checkInput } from './action.ts';
import type { WireInput } from './protocol.ts';
import { Refusal, refusalOf, validation } from './refusal.ts';
import type { SpaceStore } from './store.ts';

type Output = Record<string, unknown>;
type Part = Readonly<Record<string, unknown>>;

const maxParts = 100;
/** How long a client's token is remembered. */
export const tokenMs = 10 * 60 * 1000;

/** The action that checks and does a part. A condition check has the form of a delete. */
const partActions = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'DeleteItem',
} as const satisfies Record<string, ActionName>;

interface Reason {
  readonly Code: string;
  readonly Message?: string;
  readonly Item?: unknown;
}

interface CheckedPart {
  readonly kind: keyof typeof partActions;
  readonly input: Record<string, unknown>;
  readonly returnsOld: boolean;
}

export async function transactWriteItems(store: SpaceStore, given: WireInput): Promise<Output> {
  const parts = partsOf(given).map((part) => checkPart(store, part));
  for (const { input } of parts) if (!store.table(String(input['TableName']))) throw tableNotFound();
  for (const part of parts) refuseEmptyKey(store, part);
  refuseTwice(store, parts);
  if (isRepeated(store, given)) return {};
  const reasons: Reason[] = [];
  for (const part of parts) reasons.push(await attempt(store, part));
  if (reasons.some((reason) => reason.Code !== 'None')) throw cancelled(reasons);
  return {};
}

export async function transactGetItems(store: SpaceStore, given: WireInput): Promise<Output> {
  const gets = partsOf(given).map((part) => checkInput(store, 'GetItem', part['Get'] as Part));
  for (const input of gets) if (!store.table(String(input['TableName']))) throw tableNotFound();
  const reasons: Reason[] = [];
  const Responses: Output[] = [];
  for (const input of gets) {
    try {
      Responses.push(await act(store, 'GetItem', input));
      reasons.push({ Code: 'None' });
    } catch (error) {
      reasons.push(reasonOf(error));
    }
  }
  if (reasons.some((reason) => reason.Code !== 'None')) throw cancelled(reasons);
  return { Responses };
}

function partsOf(given: WireInput): readonly Part[] {
  const parts = given['TransactItems'] as readonly Part[];
  const bound = (relation: string, size: number) =>
    validation(
      `1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have length ${relation} than or equal to ${size}`,
    );
  if (parts.length === 0) throw bound('greater', 1);
  if (parts.length > maxParts) throw bound('less', maxParts);
  return parts;
}

function checkPart(store: SpaceStore, part: Part): CheckedPart {
  const kinds = Object.keys(part).filter((name): name is keyof typeof partActions => Object.hasOwn(partActions, name));
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1)
    throw validation('TransactItems can only contain one of Check, Put, Update or Delete');
  const { ReturnValuesOnConditionCheckFailure: wanted, ...input } = part[kind] as Part;
  return { kind, input: checkInput(store, partActions[kind], input), returnsOld: wanted === 'ALL_OLD' };
}

function keyOf(store: SpaceStore, { input }: CheckedPart): string | undefined {
  const table = store.table(String(input['TableName']));
  try {
    return table && `${table.TableName} ${createKey(input['Item'] ?? input['Key'], table)}`;
  } catch {
    // Not a whole key: the action says so in AWS's words.
    return undefined;
  }
}

/** Recorded: this one mistake in a key is told as such, others are reasons of the cancellation. */
function refuseEmptyKey(store: SpaceStore, { input }: CheckedPart): void {
  const table = store.table(String(input['TableName']));
  const wrong = input['Item'] ? validateItem(input['Item'], table) : validateKey(input['Key'], table);
  const message = wrong && refusalOf(wrong)?.message;
  // dynalite's words differ between items and keys, AWS's do not.
  if (message !== undefined && /key attribute cannot contain an empty/.test(message))
    throw validation(message.replace('were invalid:', 'are not valid.'));
}

function refuseTwice(store: SpaceStore, parts: readonly CheckedPart[]): void {
  const seen = new Set<string>();
  for (const part of parts) {
    const key = keyOf(store, part);
    if (key !== undefined && seen.has(key))
      throw validation('Transaction request cannot include multiple operations on one item');
    if (key !== undefined) seen.add(key);
  }
}

/** For JSON.stringify: the order in which a map was written says nothing. */
function inOrder(_name: string, value: unknown): unknown {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isMap ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value;
}

/**
 * The same token and the same request within ten minutes was done already. Remembers the token with what the transaction writes.
 * @throws IdempotentParameterMismatchException for another request
 */
function isRepeated(store: SpaceStore, { ClientRequestToken: token, ...request }: WireInput): boolean {
  if (typeof token !== 'string') return false;
  const digest = createHash('sha256').update(JSON.stringify(request, inOrder)).digest('base64');
  const now = Date.now();
  const known = store.token(token, now - tokenMs);
  if (known === undefined) {
    store.keepToken(token, digest, now);
    return false;
  }
  if (known === digest) return true;
  throw new Refusal(
    'IdempotentParameterMismatchException',
    'The provided client token has been used with different request parameters.',
  );
}

async function attempt(store: SpaceStore, part: CheckedPart): Promise<Reason> {
  try {
    if (part.kind === 'ConditionCheck') checkCondition(store, part.input);
    else await act(store, partActions[part.kind], part.input);
    return { Code: 'None' };
  } catch (error) {
    const reason = reasonOf(error);
    const item = part.returnsOld && reason.Code === 'ConditionalCheckFailed' ? itemOf(store, part.input) : undefined;
    return { ...reason, ...(item !== undefined && { Item: item }) };
  }
}

function checkCondition(store: SpaceStore, input: Record<string, unknown>): void {
  const table = store.table(String(input['TableName']));
  const refused = validateKey(input['Key'], table) ?? checkConditional(input, itemOf(store, input));
  if (refused) throw refused;
}

function itemOf(store: SpaceStore, input: Record<string, unknown>): Record<string, unknown> | undefined {
  const table = store.table(String(input['TableName']));
  return table && store.item(table.TableName, createKey(input['Item'] ?? input['Key'], table));
}

/** @throws the error itself when it is a bug */
function reasonOf(error: unknown): Reason {
  const refusal = refusalOf(error);
  if (!refusal) throw error;
  const code = refusal.code === 'ConditionalCheckFailedException' ? 'ConditionalCheckFailed' : 'ValidationError';
  return { Code: code, Message: refusal.message };
}

function cancelled(reasons: readonly Reason[]): Refusal {
  const codes = reasons.map((reason) => reason.Code).join(', ');
  return new Refusal(
    'TransactionCanceledException',
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
    { CancellationReasons: reasons },
  );
}

const tableNotFound = () => new Refusal('ResourceNotFoundException', 'Requested resource not found');
