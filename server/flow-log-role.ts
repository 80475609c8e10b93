// May the flow logs service take a log's role? https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html (read 2026-11-22)
// Asked when the log is made, and again with each delivery: trust policies change.

import { parsePolicy } from '@postern/policy/document.ts';
import { evaluate } from '@postern/policy/evaluate.ts';
import { nameKey, parseRoleArn, roleArn } from './identities.ts';
import { type LogSource, servicePrincipal } from './log-delivery.ts';
import type { RoleRow } from './store/rows/iam.ts';
import type { Transaction } from './store/store.ts';

export const flowLogsService = 'vpc-flow-logs.amazonaws.com';

/** @param flowLogId `*` while it has none   @returns undefined when there is no such role, or it does not trust the service */
export function flowLogRole(tx: Transaction, arn: string, source: LogSource, flowLogId: string): RoleRow | undefined {
  const named = parseRoleArn(arn);
  const role = named && tx.get('role', nameKey(named.accountId, named.roleName));
  if (!role || role.accountId !== source.accountId || roleArn(source.partition, role) !== arn) return undefined;
  const parsed = parsePolicy(role.assumeRolePolicyDocument, { kind: 'trust', maxSize: Number.POSITIVE_INFINITY });
  if (!parsed.ok) return undefined;
  const { partition, region, accountId } = source;
  const context = new Map([
    ['aws:sourceaccount', [accountId]],
    ['aws:sourcearn', [`arn:${partition}:ec2:${region}:${accountId}:vpc-flow-log/${flowLogId}`]],
    ['aws:principalisawsservice', ['true']],
    ['aws:principalservicename', [flowLogsService]],
  ]);
  const principal = servicePrincipal(flowLogsService, accountId);
  const request = { principal, action: 'sts:AssumeRole', resource: arn, resourceAccountId: accountId, context };
  return evaluate(request, { identity: [], trust: { id: arn, document: parsed.document } }).allowed ? role : undefined;
}
