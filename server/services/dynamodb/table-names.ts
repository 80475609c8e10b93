// A table may be named by its ARN wherever it may be named at all; the engine knows names, in the space of one account and region.

import type { BaseCall } from '../../service.ts';
import type { Need } from './access.ts';
import type { Space, WireInput } from './engine/protocol.ts';

type Output = Readonly<Record<string, unknown>>;

/**
 * Where the tables of a request are: in the caller's account, or in that of the ARNs.
 * @returns undefined when they are in no space that this region has, or in several
 */
export function spaceOf({ partition, region, accountId }: BaseCall, needs: readonly Need[]): Space | undefined {
  const accounts = new Set(
    needs.map(({ arn }) => {
      if (arn === undefined) return accountId;
      const [, itsPartition, service, itsRegion, account = ''] = arn.split(':');
      return itsPartition === partition && service === 'dynamodb' && itsRegion === region ? account : '';
    }),
  );
  const [owner = accountId] = accounts;
  return accounts.size > 1 || !/^\d{12}$/.test(owner) ? undefined : { partition, region, accountId: owner };
}

const nameOf = (text: string) => (text.startsWith('arn:') ? text.slice(text.lastIndexOf('/') + 1) : text);

/** The input with names where the client gave ARNs. */
export function withNames(value: unknown): WireInput {
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
export function withAliases(output: Output, aliases: ReadonlyMap<string, string>): Output {
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
