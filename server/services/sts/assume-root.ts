// A member account's root for one task, asked for by the organization's management account.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html (read 2026-11-21). IAM's EnableOrganizationsRootSessions comes first. The session is
// the member's root with one of AWS's task policies, which denies everything else, for a quarter of an hour at most. The member's SCPs hold.
// Unsourced: the words of refusals.

import type { AssumeRootRequest, AssumeRootResponse } from '@aws-sdk/client-sts';
import { rootArn } from '../../identities.ts';
import { awsManagedPolicy } from '../../managed-policies.ts';
import { membershipOf } from '../../organizations.ts';
import { type Call, operation, type Permission } from '../../service.ts';
import type { OrganizationRow } from '../../store/rows/organizations.ts';
import type { Transaction } from '../../store/store.ts';
import { accessDenied, roleNotAssumable, validationError } from './errors.ts';
import { constraints } from './session-inputs.ts';
import { checkedTokenSize, describeCredentials, startSession } from './sessions.ts';

const longestSeconds = 900;

interface CheckedInput {
  readonly memberId: string;
  readonly taskPolicyArn: string;
}

function checkInput(call: Call, input: AssumeRootRequest): CheckedInput {
  constraints()
    .required('targetPrincipal', input.TargetPrincipal)
    .length('targetPrincipal', input.TargetPrincipal, 12, 2048)
    .required('taskPolicyArn', input.TaskPolicyArn)
    .range('durationSeconds', input.DurationSeconds, 0, longestSeconds)
    .done();
  const memberId = /^(?:arn:[\w-]+:iam::)?(\d{12})(?::root)?$/.exec(input.TargetPrincipal ?? '')?.[1];
  if (memberId === undefined) throw validationError(`${input.TargetPrincipal} is invalid`);
  const taskPolicyArn = input.TaskPolicyArn?.arn ?? '';
  const task = awsManagedPolicy(taskPolicyArn);
  if (task?.path !== '/root-task/' || !taskPolicyArn.startsWith(`arn:${call.partition}:`)) {
    throw validationError(`TaskPolicyArn ${taskPolicyArn} is not valid.`);
  }
  return { memberId, taskPolicyArn };
}

function permissions(call: Call, input: AssumeRootRequest): Permission[] {
  const { memberId, taskPolicyArn } = checkInput(call, input);
  if (call.principal.type === 'root') throw accessDenied('Root sessions may not be assumed by root accounts.');
  const resource = rootArn(call.partition, memberId);
  // Its own account has no say in it, so a member cannot become its own root.
  const lent = rootSessions(call.tx, memberId);
  if (!lent || !lenders(call.tx, lent).includes(call.accountId))
    throw roleNotAssumable(call.principal.arn, 'sts:AssumeRoot', resource);
  return [{ action: 'sts:AssumeRoot', resource, context: { 'sts:TaskPolicyArn': [taskPolicyArn] } }];
}

/** The organization of a member whose root may be lent, which it must have enabled. */
function rootSessions(tx: Transaction, memberId: string): OrganizationRow | undefined {
  const membership = membershipOf(tx, memberId);
  const enabled = membership?.organization.rootFeatures?.includes('RootSessions') === true;
  return enabled && !membership.isManagement ? membership.organization : undefined;
}

/** The management account, and the members that it made delegated administrators for IAM. */
function lenders(tx: Transaction, organization: OrganizationRow): string[] {
  const members = tx.list('organization-member', { accountId: organization.accountId });
  const delegated = members.filter(
    (member) => member.organizationId === organization.id && member.delegatedFor?.['iam.amazonaws.com'] !== undefined,
  );
  return [organization.accountId, ...delegated.map(({ id }) => id)];
}

/**
 * Who may become an account's root: principals of the management account, where that is enabled. A policy that nobody wrote, because the question is
 * asked across accounts and the other side has to agree.
 */
export function rootSessionPolicy(tx: Transaction, resource: string) {
  const memberId = /^arn:[\w-]+:iam::(\d{12}):root$/.exec(resource)?.[1];
  const organization = memberId === undefined ? undefined : rootSessions(tx, memberId);
  if (memberId === undefined || !organization) return undefined;
  const statement = {
    Effect: 'Allow',
    Principal: { AWS: lenders(tx, organization) },
    Action: 'sts:AssumeRoot',
    Resource: '*',
  };
  const policyText = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  return { policyText, id: `root sessions of ${organization.id}`, ownerAccountId: memberId };
}

function assumeRoot(call: Call, input: AssumeRootRequest): AssumeRootResponse {
  const { memberId, taskPolicyArn } = checkInput(call, input);
  const calling = call.accessKey?.owner;
  const sourceIdentity = calling?.kind === 'role-session' ? calling.sourceIdentity : undefined;
  const owner = {
    kind: 'root-session',
    taskPolicyArn,
    ...(sourceIdentity !== undefined && { sourceIdentity }),
  } as const;
  const seconds = input.DurationSeconds ?? longestSeconds;
  const leastTokenBytes = checkedTokenSize(input.MinimumSessionTokenSize);
  const session = startSession(call.tx, memberId, owner, call.now, seconds, leastTokenBytes);
  return {
    Credentials: describeCredentials(session),
    ...(sourceIdentity !== undefined && { SourceIdentity: sourceIdentity }),
  };
}

export const assumeRoots = {
  AssumeRoot: operation<AssumeRootRequest, AssumeRootResponse>({ authorize: permissions, run: assumeRoot }),
};
