// DynamoDB: signature, policies and the trail are ours; tables and items are dynalite's, in a process of its own (docs/decisions/0011).
// An operation asks its engine for what policies may ask about its tables, then the policies, then the engine. Operations that are in no table here
// (streams, backups, time to live, PartiQL …) are answered as not implemented, by name.

import { join } from 'node:path';
import { withArns, withUniqueIds } from '../../principal-names.ts';
import { type Service, type StreamCall, type StreamOperation, streamOperation } from '../../service.ts';
import type { Transaction } from '../../store/store.ts';
import { contextOf, needsOf, resourceOf } from './access.ts';
import type { Space, WireInput } from './engine/protocol.ts';
import { Engine } from './engine.ts';
import { accessDenied, arnNotFound, tableNotFound } from './errors.ts';
import { fixedAnswers } from './fixed-answers.ts';
import { spaceOf, withAliases, withNames } from './table-names.ts';
import { checkTablePolicy, TablePolicies } from './table-policies.ts';

export interface DynamodbService {
  readonly service: Service;
  /** The process that holds the tables, while there is one. */
  readonly processId: () => number | undefined;
  /** Removes every table of every account. */
  readonly reset: () => Promise<void>;
  readonly close: () => Promise<void>;
}

type Output = Readonly<Record<string, unknown>>;

/** What the engine does. */
const engineOperations = [
  'BatchGetItem', 'BatchWriteItem', 'CreateTable', 'DeleteItem', 'DeleteResourcePolicy', 'DeleteTable', 'DescribeTable', 'DescribeTimeToLive', 'GetItem',
  'GetResourcePolicy', 'ListTables', 'ListTagsOfResource', 'PutItem', 'PutResourcePolicy', 'Query', 'Scan', 'TagResource', 'TransactGetItems',
  'TransactWriteItems', 'UntagResource', 'UpdateItem', 'UpdateTable',
] as const; // biome-ignore format: a list of names

/** @param notice told when the process has ended and nobody wanted that */
export function createDynamodb(dataDirectory: string, notice: (text: string) => void): DynamodbService {
  const engine = new Engine({ file: join(dataDirectory, 'dynamodb.db'), notice });
  const policies = new TablePolicies();
  const served = engineOperations.map((name) => [name, onEngine({ engine, policies })] as const);
  const fixed = Object.entries(fixedAnswers).map(
    ([name, answer]) => [name, onTable({ engine, policies }, answer)] as const,
  );
  return {
    service: {
      name: 'dynamodb',
      operations: Object.fromEntries([...served, ...fixed]),
      denied: accessDenied,
      resourcePolicy: (_tx, resource) => policies.of(resource),
    },
    processId: () => engine.processId,
    reset: () => engine.reset(),
    close: () => engine.close(),
  };
}

interface Parts {
  readonly engine: Engine;
  readonly policies: TablePolicies;
}

function onEngine(parts: Parts): StreamOperation<WireInput, Output> {
  return asked(parts, async ({ call, input, space, aliases }) => {
    const answer = await parts.engine.run(space, call.operation, input);
    const policy = answer['Policy'];
    const output =
      typeof policy === 'string'
        ? { ...answer, Policy: call.read((tx) => withArns(tx, space.partition, policy)) }
        : answer;
    return aliases.size === 0 ? output : withAliases(output, aliases);
  });
}

/** An operation whose answer is known, for a table that must be there, or for none. */
function onTable(
  parts: Parts,
  answer: (call: StreamCall, input: WireInput) => Output,
): StreamOperation<WireInput, Output> {
  return asked(parts, async ({ call, input, space }) => {
    const TableName = input['TableName'];
    if (TableName !== undefined) await parts.engine.run(space, 'DescribeTable', { TableName });
    return answer(call, input);
  });
}

interface Allowed {
  readonly call: StreamCall;
  /** With names where the client gave ARNs. */
  readonly input: WireInput;
  readonly space: Space;
  /** Name → the ARN that the client gave. */
  readonly aliases: ReadonlyMap<string, string>;
}

/** Asks the policies about everything that the input names, then runs. */
function asked(
  { engine, policies }: Parts,
  run: (allowed: Allowed) => Promise<Output>,
): StreamOperation<WireInput, Output> {
  return streamOperation<WireInput, Output>({
    // The policies' questions need the tables' keys, tags and policies, which the engine has; `run` asks them before anything else.
    authorize: () => [],
    run: async (call, given) => {
      const input = toWire(given) as WireInput;
      const needs = needsOf(call.operation, input);
      const space = spaceOf(call, needs);
      const names = new Set(needs.flatMap(({ table }) => table ?? []));
      const facts = space ? await engine.facts(space, [...names]) : {};
      const question = () =>
        call.read((tx) => {
          for (const need of needs)
            call.require(tx, need.action, resourceOf(call, need), contextOf(need, facts[need.table ?? '']));
        });
      if (space) policies.during(space, facts, question);
      else question();
      if (!space) throw 'ResourceArn' in input ? arnNotFound(String(input['ResourceArn'])) : tableNotFound();
      checkTablePolicy(space, input);
      const kept =
        'Policy' in input || 'ResourcePolicy' in input ? call.read((tx) => withKeptPolicy(tx, input)) : input;
      const aliases = new Map(needs.flatMap(({ table, arn }) => (arn && table ? [[table, arn] as const] : [])));
      return run({ call, input: 'ResourceArn' in kept ? kept : withNames(kept), space, aliases });
    },
  });
}

/** A table's policy as it is kept: whom it names by their unique ids (M3). */
function withKeptPolicy(tx: Transaction, input: WireInput): WireInput {
  const member = ['Policy', 'ResourcePolicy'].find((name) => typeof input[name] === 'string');
  return member === undefined ? input : { ...input, [member]: withUniqueIds(tx, String(input[member])) };
}

/** The edge has made bytes of blobs; between processes, and in dynalite, they are base64 as on the wire. */
function toWire(value: unknown): unknown {
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  if (Array.isArray(value)) return value.map(toWire);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, toWire(one)]));
}
