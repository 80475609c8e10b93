// Resource policies: an account's in a region, by name; together they let services write into its groups.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html (read 2026-11-22)

import type * as SDK from '@aws-sdk/client-cloudwatch-logs';
import { parsePolicy } from '@postern/policy/document.ts';
import { type Operation, operation, type ResourcePolicy } from '../../service.ts';
import type { LogResourcePolicyRow } from '../../store/rows/logs.ts';
import type { Transaction } from '../../store/store.ts';
import { groupId, onNothing, scopeOf } from './access.ts';
import { checkedLimit, invalidParameter, limitExceeded, missing, policyNotFound, unsupported } from './errors.ts';
import { pageOf } from './paging.ts';

const maxPolicies = 10;
const maxDocumentLength = 5120;

function toPolicy(row: LogResourcePolicyRow): SDK.ResourcePolicy {
  return {
    policyName: row.name,
    policyDocument: row.document,
    lastUpdatedTime: row.updatedAt,
    policyScope: 'ACCOUNT',
  };
}

export const policyOperations = {
  PutResourcePolicy: operation<SDK.PutResourcePolicyRequest, SDK.PutResourcePolicyResponse>({
    authorize: onNothing('logs:PutResourcePolicy'),
    run: (call, input) => {
      const { policyName: name, policyDocument: document } = input;
      if (input.resourceArn !== undefined) throw unsupported('resourceArn');
      if (input.expectedRevisionId !== undefined) throw unsupported('expectedRevisionId');
      if (!name) throw missing('policyName');
      if (!document) throw missing('policyDocument');
      const parsed = parsePolicy(document, { kind: 'resource', maxSize: maxDocumentLength });
      if (!parsed.ok) throw invalidParameter(`Malformed policy document: ${parsed.message}`);
      const id = groupId(call, name);
      const others = call.tx.list('log-resource-policy', scopeOf(call)).filter((row) => row.id !== id);
      if (others.length >= maxPolicies) throw limitExceeded();
      const row = { id, ...scopeOf(call), name, document, updatedAt: call.now.getTime() };
      call.tx.put('log-resource-policy', row);
      return { resourcePolicy: toPolicy(row) };
    },
  }),

  DeleteResourcePolicy: operation<SDK.DeleteResourcePolicyRequest, Record<string, never>>({
    authorize: onNothing('logs:DeleteResourcePolicy'),
    run: (call, input) => {
      if (input.resourceArn !== undefined) throw unsupported('resourceArn');
      if (input.expectedRevisionId !== undefined) throw unsupported('expectedRevisionId');
      const id = groupId(call, input.policyName ?? '');
      if (!call.tx.get('log-resource-policy', id)) throw policyNotFound(input.policyName ?? '');
      call.tx.delete('log-resource-policy', id);
      return {};
    },
  }),

  DescribeResourcePolicies: operation<SDK.DescribeResourcePoliciesRequest, SDK.DescribeResourcePoliciesResponse>({
    authorize: onNothing('logs:DescribeResourcePolicies'),
    readOnly: true,
    run: (call, input) => {
      if (input.resourceArn !== undefined) throw unsupported('resourceArn');
      const rows = input.policyScope === 'RESOURCE' ? [] : call.tx.list('log-resource-policy', scopeOf(call));
      const { page, next } = pageOf(rows, checkedLimit(input.limit ?? 50, 50), input.nextToken, (row) => row.name);
      return { resourcePolicies: page.map(toPolicy), ...next };
    },
  }),
} satisfies Record<string, Operation>;

/** All policies of a group's account and region as one. */
export function resourcePolicyOf(tx: Transaction, resource: string): ResourcePolicy | undefined {
  const [, region, accountId] = /^arn:[\w-]+:logs:([\w-]+):(\d{12}):/.exec(resource) ?? [];
  if (region === undefined || accountId === undefined) return undefined;
  const rows = tx.list('log-resource-policy', { accountId, region });
  if (rows.length === 0) return undefined;
  const Statement = rows.flatMap(({ document }) => {
    const { Statement: own } = JSON.parse(document) as { Statement: object | object[] };
    // Two policies may use one name.
    return [own].flat().map((one) => ({ ...one, Sid: undefined }));
  });
  const policyText = JSON.stringify({ Version: '2012-10-17', Statement });
  return { policyText, id: `resource policies of ${accountId} in ${region}`, ownerAccountId: accountId };
}
