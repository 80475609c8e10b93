// May this caller take on that role, and what does it get? https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html (read 2026-11-20).
// Order: the input's form, the role's ARN, the caller (root may not), the role, both policies (trust, and the caller's own), the session's length, its
// policies and tags. A code of the caller's MFA device counts for the two policies; the session does not remember it. Gap: ProvidedContexts are refused.

import type { AssumeRoleRequest, AssumeRoleResponse } from '@aws-sdk/client-sts';
import { isClosed } from '../../accounts.ts';
import { assumedRoleArn, nameKey, parseRoleArn } from '../../identities.ts';
import { managedPolicyDocument } from '../../managed-policies.ts';
import { type Call, operation, type Permission } from '../../service.ts';
import type { AccessKeyRow, RoleRow } from '../../store/rows/iam.ts';
import { accessDenied, invalidParameterValue, roleNotAssumable, validationError } from './errors.ts';
import { checkedMfa } from './mfa.ts';
import {
  arnConstraints,
  checkedSessionPolicies,
  checkedSessionTags,
  constraints,
  managedDocument,
  mergeSessionTags,
} from './session-inputs.ts';
import { checkedTokenSize, describeCredentials, startSession } from './sessions.ts';

type RoleSessionOwner = Extract<AccessKeyRow['owner'], { kind: 'role-session' }>;

const sessionNamePattern = /^[\w+=,.@-]*$/;
const shownSessionNamePattern = '[\\w+=,.@-]*';

interface CheckedInput {
  readonly roleArn: string;
  readonly sessionName: string;
}

/** What the model forbids; told before anything else. */
function checkInput(input: AssumeRoleRequest): CheckedInput {
  arnConstraints(constraints(), 'roleArn', input.RoleArn)
    .required('roleSessionName', input.RoleSessionName)
    .length('roleSessionName', input.RoleSessionName, 2, 64)
    .pattern('roleSessionName', input.RoleSessionName, sessionNamePattern, shownSessionNamePattern)
    .range('durationSeconds', input.DurationSeconds, 900, 43200)
    .length('externalId', input.ExternalId, 2, 1224)
    .pattern('externalId', input.ExternalId, /^[\w+=,.@:/-]*$/, '[\\w+=,.@:\\/-]*')
    .count('transitiveTagKeys', input.TransitiveTagKeys, 50)
    .length('sourceIdentity', input.SourceIdentity, 2, 64)
    .pattern('sourceIdentity', input.SourceIdentity, sessionNamePattern, shownSessionNamePattern)
    .done();
  if ((input.ProvidedContexts ?? []).length > 0) {
    throw invalidParameterValue('ProvidedContexts are not supported by Postern: it has no trusted context providers.');
  }
  return { roleArn: input.RoleArn ?? '', sessionName: input.RoleSessionName ?? '' };
}

/** @throws AwsError when it is no role's ARN, or there is no such role: the same answer as for one that does not trust the caller */
function findRole(call: Call, roleArn: string): RoleRow {
  const parsed = parseRoleArn(roleArn);
  if (!parsed || parsed.partition !== call.partition) throw validationError(`${roleArn} is invalid`);
  if (call.principal.type === 'root') throw accessDenied('Roles may not be assumed by root accounts.');
  const role = call.tx.get('role', nameKey(parsed.accountId, parsed.roleName));
  if (!role || role.path !== parsed.path || isClosed(call.tx, role.accountId))
    throw roleNotAssumable(call.principal.arn, 'sts:AssumeRole', roleArn);
  return role;
}

/** The session that the caller itself is in, if its key is one of a role session. */
function callersSession(call: Call): RoleSessionOwner | undefined {
  const owner = call.accessKey?.owner;
  return owner?.kind === 'role-session' ? owner : undefined;
}

/** Tagging a session and naming its source are permissions of their own, asked of both policies too. */
function permissions(call: Call, input: AssumeRoleRequest): Permission[] {
  const { roleArn, sessionName } = checkInput(input);
  const role = findRole(call, roleArn);
  const tags = checkedSessionTags(input.Tags);
  const context: Record<string, readonly string[]> = { 'sts:RoleSessionName': [sessionName] };
  if (input.ExternalId !== undefined) context['sts:ExternalId'] = [input.ExternalId];
  if (checkedMfa(call, input)) {
    context['aws:MultiFactorAuthPresent'] = ['true'];
    context['aws:MultiFactorAuthAge'] = ['0'];
  }
  // A chain hands the source identity on, which the next role's trust policy must let it do as if it were named.
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html (read 2026-11-21)
  const sourceIdentity = input.SourceIdentity ?? callersSession(call)?.sourceIdentity;
  if (sourceIdentity !== undefined) context['sts:SourceIdentity'] = [sourceIdentity];
  for (const [key, value] of Object.entries(tags)) context[`aws:RequestTag/${key}`] = [value];
  if (Object.keys(tags).length > 0) context['aws:TagKeys'] = Object.keys(tags);
  const inherited = inheritedTags(callersSession(call));
  const transitive = [...Object.keys(inherited), ...(input.TransitiveTagKeys ?? [])];
  if (transitive.length > 0) context['sts:TransitiveTagKeys'] = transitive;
  // What a session hands down stands in for the role's own tags already when the role is asked for.
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_know (read 2026-11-21)
  const handedDown = new Map(Object.entries(inherited).map(([key, value]) => [key.toLowerCase(), value]));
  for (const [key, own] of Object.entries(role.tags)) {
    const value = handedDown.get(key.toLowerCase()) ?? own;
    context[`aws:ResourceTag/${key}`] = [value];
    context[`iam:ResourceTag/${key}`] = [value];
  }
  const actions = ['sts:AssumeRole'];
  if (Object.keys(tags).length > 0) actions.push('sts:TagSession');
  if (sourceIdentity !== undefined) actions.push('sts:SetSourceIdentity');
  return actions.map((action) => ({ action, resource: roleArn, context }));
}

function checkedDuration(input: AssumeRoleRequest, role: RoleRow, chained: boolean): number {
  const seconds = input.DurationSeconds ?? 3600;
  if (chained && seconds > 3600) {
    throw validationError(
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    );
  }
  if (seconds > role.maxSessionDuration) {
    throw validationError('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
  }
  return seconds;
}

/** The tags that the calling session hands down. */
function inheritedTags(session: RoleSessionOwner | undefined): Record<string, string> {
  const keys = session?.transitiveTagKeys ?? [];
  return Object.fromEntries(
    keys.flatMap((key) => (session?.tags[key] === undefined ? [] : [[key, session.tags[key]]])),
  );
}

function assumeRole(call: Call, input: AssumeRoleRequest): AssumeRoleResponse {
  const { roleArn, sessionName } = checkInput(input);
  const role = findRole(call, roleArn);
  const calling = callersSession(call);
  const durationSeconds = checkedDuration(input, role, call.principal.type === 'role-session');
  const asked = checkedSessionTags(input.Tags);
  const { tags, transitiveTagKeys } = mergeSessionTags(asked, input.TransitiveTagKeys, inheritedTags(calling));
  const documentOf = managedDocument(call.tx, role.accountId, managedPolicyDocument);
  const policies = checkedSessionPolicies(input, documentOf, tags);
  const sourceIdentity = calling?.sourceIdentity ?? input.SourceIdentity;
  if (
    calling?.sourceIdentity !== undefined &&
    input.SourceIdentity !== undefined &&
    sourceIdentity !== input.SourceIdentity
  ) {
    // Unsourced wording: once set, a source identity stays through the whole chain.
    throw accessDenied('SourceIdentity cannot be changed in a role chain.');
  }
  const owner: RoleSessionOwner = {
    kind: 'role-session',
    roleName: role.roleName,
    roleId: role.roleId,
    sessionName,
    sessionPolicies: policies.texts,
    sessionPolicyArns: policies.arns,
    tags,
    ...(transitiveTagKeys.length > 0 && { transitiveTagKeys }),
    ...(sourceIdentity !== undefined && { sourceIdentity }),
  };
  const device = checkedMfa(call, input);
  if (device) call.tx.put('mfa-device', device);
  const leastTokenBytes = checkedTokenSize(input.MinimumSessionTokenSize);
  const session = startSession(call.tx, role.accountId, owner, call.now, durationSeconds, leastTokenBytes);
  const { packedPolicySize } = policies;
  return {
    Credentials: describeCredentials(session),
    AssumedRoleUser: {
      AssumedRoleId: `${role.roleId}:${sessionName}`,
      Arn: assumedRoleArn(call.partition, role.accountId, role.roleName, sessionName),
    },
    ...(packedPolicySize !== undefined && { PackedPolicySize: packedPolicySize }),
    ...(sourceIdentity !== undefined && { SourceIdentity: sourceIdentity }),
  };
}

export const assumeRoles = {
  AssumeRole: operation<AssumeRoleRequest, AssumeRoleResponse>({ authorize: permissions, run: assumeRole }),
};
