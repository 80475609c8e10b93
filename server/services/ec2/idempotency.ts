// Was this ClientToken used before? The same token with the same input answers with what the first call made; with another input it is an error.
// https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html (read 2026-11-21). A token belongs to an operation, account and region.
// A token counts for a day, and only while what it made is there: RunInstances and others get one from every client, so old ones are dropped.

import { createHash } from 'node:crypto';
import type { Call } from '../../service.ts';
import type { IdempotencyRow } from '../../store/rows/ec2.ts';
import { idempotentParameterMismatch } from './errors.ts';

const dayMs = 86_400_000;

/**
 * Makes the resources of a call once per token.
 * @param input the whole input; ClientToken and DryRun take no part in the comparison
 * @param make makes them and returns their ids
 * @param stillThere answers whether what the ids name can be shown; when it cannot, the call runs again
 * @returns the ids, old or new
 * @throws IdempotentParameterMismatch
 */
export function oncePerToken(
  call: Call,
  token: string | undefined,
  input: object,
  stillThere: (ids: readonly string[]) => boolean,
  make: () => string[],
): string[] {
  if (token === undefined || token === '') return make();
  const id = `${call.accountId}/${call.region}/${call.operation}/${token}`;
  const inputHash = hashOf(input);
  const before = call.tx.get('ec2-idempotency', id);
  if (before && !isOld(call, before) && stillThere(before.resourceIds)) {
    if (before.inputHash !== inputHash) throw idempotentParameterMismatch();
    return before.resourceIds;
  }
  const resourceIds = make();
  // Of every account and region: one that is no longer used has nobody else to do it.
  for (const row of call.tx.list('ec2-idempotency')) if (isOld(call, row)) call.tx.delete('ec2-idempotency', row.id);
  call.tx.put('ec2-idempotency', {
    id,
    accountId: call.accountId,
    region: call.region,
    operation: call.operation,
    inputHash,
    resourceIds,
    createdAt: call.now.toISOString(),
  });
  return resourceIds;
}

function isOld(call: Call, row: IdempotencyRow): boolean {
  return call.now.getTime() - Date.parse(row.createdAt) > dayMs;
}

function hashOf(input: object): string {
  const { ClientToken: _token, DryRun: _dryRun, ...rest } = input as Record<string, unknown>;
  return createHash('sha256').update(canonical(rest)).digest('hex');
}

/** JSON with the members of every object in order of their names. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'));
  if (value instanceof Date) return JSON.stringify(value);
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    members.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}
