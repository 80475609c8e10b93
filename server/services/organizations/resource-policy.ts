// The organization's own policy, which lets members read it and manage its policies. One for an organization.
// https://docs.aws.amazon.com/organizations/latest/APIReference/API_PutResourcePolicy.html (read 2026-11-21). What is taken, how it is written down and the words of
// refusals were recorded on AWS (2026-09).

import type {
  DescribeResourcePolicyResponse,
  PutResourcePolicyRequest,
  PutResourcePolicyResponse,
  ResourcePolicy,
} from '@aws-sdk/client-organizations';
import { parsePolicy } from '@postern/policy/document.ts';
import { rootArn } from '../../identities.ts';
import { type Call, operation } from '../../service.ts';
import type { OrganizationResourcePolicyRow, OrganizationRow } from '../../store/rows/organizations.ts';
import { delegable, matches, policyOf } from './delegation.ts';
import { constraintViolation, inputRequired, invalidInput, organizationsError } from './errors.ts';
import { checkedTags, requireTagging } from './tagging.ts';
import { delegated, managed, newOrganizationsId, onNamed, resourcePolicyArn } from './tree.ts';

const mostCharacters = 40_000;

/** Operations that no organization's policy may name. */
const managementOnly: readonly string[] = [
  'CancelHandshake',
  'CloseAccount',
  'CreateAccount',
  'CreateGovCloudAccount',
  'CreateOrganization',
  'CreateOrganizationalUnit',
  'DeleteOrganization',
  'DeleteOrganizationalUnit',
  'DeleteResourcePolicy',
  'DeregisterDelegatedAdministrator',
  'DisableAWSServiceAccess',
  'EnableAWSServiceAccess',
  'EnableAllFeatures',
  'InviteAccountToOrganization',
  'LeaveOrganization',
  'MoveAccount',
  'PutResourcePolicy',
  'RegisterDelegatedAdministrator',
  'RemoveAccountFromOrganization',
  'UpdateOrganizationalUnit',
];

const malformed = () =>
  invalidInput('INVALID_RESOURCE_POLICY_JSON', 'This resource-based policy contains invalid JSON.');

type Json = Readonly<Record<string, unknown>>;

function describe(call: Call, organization: OrganizationRow, row: OrganizationResourcePolicyRow): ResourcePolicy {
  return {
    Content: row.content,
    ResourcePolicySummary: { Id: row.id, Arn: resourcePolicyArn(call, organization, row.id) },
  };
}

/** @returns the principal with accounts as their roots. @throws AwsError for users, roles and accounts that are not of the organization */
function checkedPrincipal(call: Call, organization: OrganizationRow, principal: unknown): unknown {
  if (principal === '*') return principal;
  if (typeof principal !== 'object' || principal === null) throw malformed();
  return Object.fromEntries(
    Object.entries(principal).map(([kind, named]) => {
      if (kind === 'Service') return [kind, named];
      if (kind !== 'AWS') throw malformed();
      const accounts = [named as string | readonly string[]].flat().map((one) => {
        if (one === '*') return one;
        const account = /^(?:arn:[\w-]+:iam::)?(\d{12})(?::root)?$/.exec(one)?.[1] ?? '';
        if (call.tx.get('organization-member', account)?.organizationId !== organization.id) throw malformed();
        return rootArn(call.partition, account);
      });
      return [kind, Array.isArray(named) ? accounts : accounts[0]];
    }),
  );
}

function checkActions(actions: unknown): void {
  for (const action of [actions as string | readonly string[]].flat()) {
    const isServed =
      /^organizations:/i.test(action) &&
      [...delegable].some((name) => matches(action, name)) &&
      !managementOnly.some((name) => matches(action, name));
    if (isServed) continue;
    throw invalidInput(
      'UNSUPPORTED_ACTION_IN_RESOURCE_POLICY',
      `${action} is not a supported action for this resource-based policy.`,
    );
  }
}

/** @returns the policy as it is kept and told. @throws AwsError InvalidInputException, ConstraintViolationException for one that is too long */
function checkedContent(call: Call, organization: OrganizationRow, content: string | undefined): string {
  if (content === undefined) throw inputRequired('CONTENT');
  if (content.length > mostCharacters) throw constraintViolation('POLICY_CONTENT_LIMIT_EXCEEDED');
  const parsed = parsePolicy(content, { kind: 'resource', maxSize: mostCharacters, stored: true });
  if (!parsed.ok) throw malformed();
  const { Statement, ...document } = JSON.parse(content) as Json;
  const statements = [Statement as Json | readonly Json[]].flat().map((statement) => {
    if (['NotAction', 'NotResource', 'NotPrincipal'].some((element) => element in statement)) throw malformed();
    const { Principal, Action, ...rest } = statement;
    const checked = checkedPrincipal(call, organization, Principal);
    checkActions(Action);
    const { Sid, Effect, ...others } = rest;
    return { ...(Sid !== undefined && { Sid }), Effect, Principal: checked, Action, ...others };
  });
  return JSON.stringify({ Version: parsed.document.version, ...document, Statement: statements });
}

function putPolicy(call: Call, input: PutResourcePolicyRequest): PutResourcePolicyResponse {
  const organization = managed(call);
  if (organization.featureSet !== 'ALL') throw constraintViolation('ORGANIZATION_NOT_IN_ALL_FEATURES_MODE');
  const content = checkedContent(call, organization, input.Content);
  const tags = checkedTags(input.Tags);
  const before = policyOf(call.tx, organization.id);
  if (before && Object.keys(tags).length > 0) {
    throw constraintViolation('UPDATE_EXISTING_RESOURCE_POLICY_WITH_TAGS_NOT_SUPPORTED');
  }
  const row: OrganizationResourcePolicyRow = {
    id: newOrganizationsId('rp-', 8),
    accountId: organization.accountId,
    region: 'global',
    organizationId: organization.id,
    tags,
    ...before,
    content,
  };
  requireTagging(call, resourcePolicyArn(call, organization, row.id), tags);
  call.tx.put('organization-resource-policy', row);
  return { ResourcePolicy: describe(call, organization, row) };
}

function requirePolicy(call: Call, organization: OrganizationRow): OrganizationResourcePolicyRow {
  const row = policyOf(call.tx, organization.id);
  if (!row) throw organizationsError('ResourcePolicyNotFoundException');
  return row;
}

function describePolicy(call: Call): DescribeResourcePolicyResponse {
  const organization = delegated(call);
  return { ResourcePolicy: describe(call, organization, requirePolicy(call, organization)) };
}

function deletePolicy(call: Call): void {
  call.tx.delete('organization-resource-policy', requirePolicy(call, managed(call)).id);
}

export const resourcePolicyOperations = {
  PutResourcePolicy: operation<PutResourcePolicyRequest, PutResourcePolicyResponse>({
    authorize: onNamed,
    run: putPolicy,
  }),
  DescribeResourcePolicy: operation<Record<string, never>, DescribeResourcePolicyResponse>({
    authorize: onNamed,
    run: describePolicy,
    readOnly: true,
  }),
  DeleteResourcePolicy: operation<Record<string, never>, void>({ authorize: onNamed, run: deletePolicy }),
};
