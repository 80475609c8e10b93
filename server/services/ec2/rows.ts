// Which row does an id name? Checks the form of the id, then that the row exists in the caller's account and region.
// A row of another account or region is answered as if it did not exist, as AWS does.

import type { Call } from '../../service.ts';
import type { Kind, Rows } from '../../store/store.ts';
import { isWellFormedId, malformedId, missingParameter, notFound, type ResourceKind, resourceKinds } from './errors.ts';

type Ec2Kind = ResourceKind & Kind;

/** `{ accountId, region }` of the caller. In a new row not the first thing: what follows a leading spread costs a microsecond a member (V8 11.3). */
export function scopeOf(call: Call): { accountId: string; region: string } {
  return { accountId: call.accountId, region: call.region };
}

/** The row, or undefined when no such row is in the caller's account and region. */
export function findRow<K extends Ec2Kind>(call: Call, kind: K, id: string): Rows[K] | undefined {
  const row = call.tx.get(kind, id);
  return row && row.accountId === call.accountId && row.region === call.region ? row : undefined;
}

/**
 * The row that `id` names.
 * @param parameter how AWS names the parameter when it is missing, e.g. `vpcId`
 * @throws MissingParameter, Invalid….Malformed, Invalid….NotFound
 */
export function requireRow<K extends Ec2Kind>(
  call: Call,
  kind: K,
  id: string | undefined,
  parameter?: string,
): Rows[K] {
  if (id === undefined || id === '') throw missingParameter(parameter ?? `${resourceKinds[kind].noun}Id`);
  if (!isWellFormedId(kind, id)) throw malformedId(kind, id);
  const row = findRow(call, kind, id);
  if (!row) throw notFound(kind, [id]);
  return row;
}

/**
 * The rows of a Describe: those named by `ids` in their order, or every one of the caller's.
 * @throws Malformed for the first bad id, NotFound naming every missing one
 */
export function selectRows<K extends Ec2Kind>(call: Call, kind: K, ids: readonly string[] | undefined): Rows[K][] {
  if (!ids || ids.length === 0) return call.tx.list(kind, scopeOf(call));
  const malformed = ids.find((id) => !isWellFormedId(kind, id));
  if (malformed !== undefined) throw malformedId(kind, malformed);
  const rows: Rows[K][] = [];
  const missing: string[] = [];
  for (const id of new Set(ids)) {
    const row = findRow(call, kind, id);
    if (row) rows.push(row);
    else missing.push(id);
  }
  if (missing.length > 0) throw notFound(kind, missing);
  return rows;
}

/** `arn:aws:ec2:us-east-1:123456789012:vpc/vpc-1` */
export function ec2Arn(at: { partition: string; region: string; accountId: string }, type: string, id: string): string {
  return `arn:${at.partition}:ec2:${at.region}:${at.accountId}:${type}/${id}`;
}
