// DynamoDB: signature, policies and the trail are ours; tables and items are dynalite's, in a process of its own (docs/decisions/0011).
// An operation asks its engine for what policies may ask about its tables, then the policies, then the engine. Operations that are in no table here
// (streams, backups, time to live, PartiQL …) are answered as not implemented, by name.

import { join } from 'node:path';
import { type Service, type StreamCall, type StreamOperation, streamOperation } from '../../service.ts';
import { contextOf, type Need, needsOf, resourceOf } from './access.ts';
import type { Space, WireInput } from './engine/protocol.ts';
import { Engine } from './engine.ts';
import { accessDenied, arnNotFound, tableNotFound } from './errors.ts';
import { fixedAnswers } from './fixed-answers.ts';

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
  'BatchGetItem', 'BatchWriteItem', 'CreateTable', 'DeleteItem', 'DeleteTable', 'DescribeTable', 'DescribeTimeToLive', 'GetItem', 'ListTables',
  'ListTagsOfResource', 'PutItem', 'Query', 'Scan', 'TagResource', 'TransactGetItems', 'TransactWriteItems', 'UntagResource', 'UpdateItem', 'UpdateTable',
] as const; // biome-ignore format: a list of names

/** @param notice told when the process has ended and nobody wanted that */
export function createDynamodb(dataDirectory: string, notice: (text: string) => void): DynamodbService {
  const engine = new Engine({ file: join(dataDirectory, 'dynamodb.db'), notice });
  const served = engineOperations.map((name) => [name, onEngine(engine, name)] as const);
  const fixed = Object.entries(fixedAnswers).map(([name, answer]) => [name, onTable(engine, name, answer)] as const);
  return {
    service: { name: 'dynamodb', operations: Object.fromEntries([...served, ...fixed]), denied: accessDenied },
    processId: () => engine.processId,
    reset: () => engine.reset(),
    close: () => engine.close(),
  };
}

function onEngine(engine: Engine, operation: string): StreamOperation<WireInput, Output> {
  return asked(engine, async (call, input, aliases) => {
    const output = await engine.run(spaceOf(call), operation, input);
    return aliases.size === 0 ? output : withAliases(output, aliases);
  });
}

/** An operation whose answer is known, for a table that must be there, or for none. */
function onTable(
  engine: Engine,
  operation: string,
  answer: (call: StreamCall) => Output,
): StreamOperation<WireInput, Output> {
  return asked(engine, async (call, input) => {
    const [need] = needsOf(operation, input);
    if (need?.table !== undefined) await engine.run(spaceOf(call), 'DescribeTable', { TableName: need.table });
    return answer(call);
  });
}

type Run = (call: StreamCall, input: WireInput, aliases: ReadonlyMap<string, string>) => Promise<Output>;

/** Asks the policies about everything that the input names, then runs with names where the client gave ARNs. */
function asked(engine: Engine, run: Run): StreamOperation<WireInput, Output> {
  return streamOperation<WireInput, Output>({
    // The policies' questions need the table's keys and tags, which the engine has; `run` asks them before anything else.
    authorize: 'none',
    run: async (call, given) => {
      const input = toWire(given) as WireInput;
      const needs = needsOf(call.operation, input);
      const own = needs.filter((need) => isOwn(call, need)).flatMap(({ table }) => table ?? []);
      const facts = await engine.facts(spaceOf(call), [...new Set(own)]);
      call.read((tx) => {
        for (const need of needs) {
          const known = need.table !== undefined && isOwn(call, need) ? facts[need.table] : undefined;
          call.require(tx, need.action, resourceOf(call, need), contextOf(need, known));
        }
      });
      for (const need of needs)
        if (!isOwn(call, need)) throw 'ResourceArn' in input ? arnNotFound(need.arn ?? '') : tableNotFound();
      const aliases = new Map(needs.flatMap(({ table, arn }) => (arn && table ? [[table, arn] as const] : [])));
      return run(call, 'ResourceArn' in input ? input : withNames(input), aliases);
    },
  });
}

const spaceOf = ({ partition, accountId, region }: StreamCall): Space => ({ partition, accountId, region });

/** An ARN may name another account's or another region's table: no policy of a table lets one in yet (gaps). */
function isOwn({ partition, region, accountId }: StreamCall, { arn }: Need): boolean {
  return arn === undefined || arn.startsWith(`arn:${partition}:dynamodb:${region}:${accountId}:table/`);
}

const nameOf = (text: string) => (text.startsWith('arn:') ? text.slice(text.lastIndexOf('/') + 1) : text);

/** A table may be named by its ARN wherever it may be named; the engine knows names. */
function withNames(value: unknown): WireInput {
  const walk = (at: unknown, member: string): unknown => {
    if (Array.isArray(at)) return member === 'TransactItems' ? at.map((part) => walk(part, 'part')) : at;
    if (typeof at !== 'object' || at === null) return at;
    return Object.fromEntries(
      Object.entries(at).map(([name, one]) => {
        if (name === 'TableName' && typeof one === 'string') return [name, nameOf(one)];
        if (member === 'RequestItems') return [nameOf(name), one];
        return [name, /^(RequestItems|TransactItems)$/.test(name) || member === 'part' ? walk(one, name) : one];
      }),
    );
  };
  return walk(value, '') as WireInput;
}

/** A batch is answered by the names that it was asked by. */
function withAliases(output: Output, aliases: ReadonlyMap<string, string>): Output {
  const renamed = (value: unknown) =>
    typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).map(([name, one]) => [aliases.get(name) ?? name, one]))
      : value;
  const byTable = ['Responses', 'UnprocessedKeys', 'UnprocessedItems'];
  return Object.fromEntries(
    Object.entries(output).map(([name, value]) => [
      name,
      byTable.includes(name) && !Array.isArray(value) ? renamed(value) : value,
    ]),
  );
}

/** The edge has made bytes of blobs; between processes, and in dynalite, they are base64 as on the wire. */
function toWire(value: unknown): unknown {
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  if (Array.isArray(value)) return value.map(toWire);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, toWire(one)]));
}
