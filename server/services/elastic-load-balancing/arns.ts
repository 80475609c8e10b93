// ARNs of load balancers, target groups and listeners, and the rows they name. A row of another account or region is not found.

import type { LoadBalancerId } from '@postern/network/snapshot.ts';
import type { Call, Permission } from '../../service.ts';
import type { ListenerRow, LoadBalancerRow, TargetGroupRow } from '../../store/rows/load-balancing.ts';
import { tagKeys } from '../../tag-keys.ts';
import { elbError, validationError } from './errors.ts';

export const arnPrefix = ({ partition, region, accountId }: Pick<Call, 'partition' | 'region' | 'accountId'>): string =>
  `arn:${partition}:elasticloadbalancing:${region}:${accountId}:`;

/** 16 hex digits. */
export const newSuffix = (call: Call): string => call.tx.newId('elb').slice(-16);

export const scopeOf = ({ accountId, region }: Call): { accountId: string; region: string } => ({ accountId, region });

export function loadBalancerIdOf(arn: string): LoadBalancerId {
  return arn.slice(arn.indexOf('loadbalancer/') + 'loadbalancer/'.length) as LoadBalancerId;
}

function isOwn(call: Call, row: { accountId: string; region: string } | undefined): boolean {
  return row !== undefined && row.accountId === call.accountId && row.region === call.region;
}

/** @throws LoadBalancerNotFound */
export function requireLoadBalancer(call: Call, arn: string | undefined): LoadBalancerRow {
  if (!arn) throw validationError('A load balancer ARN must be specified');
  const row = call.tx.get('load-balancer', arn);
  if (!row || !isOwn(call, row)) throw elbError('LoadBalancerNotFound', `Load balancer '${arn}' not found`);
  return row;
}

/** @throws TargetGroupNotFound */
export function requireTargetGroup(call: Call, arn: string | undefined): TargetGroupRow {
  if (!arn) throw validationError('A target group ARN must be specified');
  const row = call.tx.get('target-group', arn);
  if (!row || !isOwn(call, row)) throw elbError('TargetGroupNotFound', `Target group '${arn}' not found`);
  return row;
}

/** @throws ListenerNotFound */
export function requireListener(call: Call, arn: string | undefined): ListenerRow {
  if (!arn) throw validationError('A listener ARN must be specified');
  const row = call.tx.get('listener', arn);
  if (!row || !isOwn(call, row)) throw elbError('ListenerNotFound', `Listener '${arn}' not found`);
  return row;
}

export function listenersOf(call: Pick<Call, 'tx'>, loadBalancerArn: string): ListenerRow[] {
  return call.tx.list('listener').filter((row) => row.loadBalancerArn === loadBalancerArn);
}

export function listenersTo(call: Pick<Call, 'tx'>, targetGroupArn: string): ListenerRow[] {
  return call.tx.list('listener').filter((row) => row.targetGroupArn === targetGroupArn);
}

/** The permission that an operation of this service needs for a resource, by default for all. */
export function on(call: Call, resource = '*', context: Record<string, readonly string[]> = {}): Permission {
  const row =
    call.tx.get('load-balancer', resource) ??
    call.tx.get('target-group', resource) ??
    call.tx.get('listener', resource);
  return {
    action: `elasticloadbalancing:${call.operation}`,
    resource,
    context: { ...context, ...tagKeys('aws:ResourceTag', row?.tags) },
  };
}

/** One page of a Describe; the marker is the place of the next. */
export function pageOf<T>(
  rows: readonly T[],
  { PageSize, Marker }: { readonly PageSize?: number | undefined; readonly Marker?: string | undefined },
): { readonly page: readonly T[]; readonly next: { readonly NextMarker?: string } } {
  const size = PageSize ?? 400;
  if (size < 1 || size > 400) throw validationError('PageSize must be between 1 and 400');
  const start = Marker ? Number(Buffer.from(Marker, 'base64').toString()) : 0;
  if (!Number.isInteger(start) || start < 0) throw validationError('The marker is not valid');
  const end = start + size;
  const next = end < rows.length ? { NextMarker: Buffer.from(String(end)).toString('base64') } : {};
  return { page: rows.slice(start, end), next };
}
