// IAM's errors, to the letter where they were recorded on AWS. Status: NoSuchEntity 404, conflicts and quotas 409, the rest 400.
// Sources: recorded answers 2025-03 … 2025-06 and, for MFA devices and reports, 2026-09; public logs for the DeleteConflict texts; `unsourced` marks a text that we could not confirm.

import type { AuthorizationRequest, Decision } from '@postern/policy/types.ts';
import { AwsError } from '../../errors.ts';
import type { BaseCall } from '../../service.ts';

const entityWords = {
  user: 'The user with name',
  role: 'The role with name',
  group: 'The group with name',
  'user-policy': 'The user policy with name',
  'role-policy': 'The role policy with name',
  'group-policy': 'The group policy with name',
  'access-key': 'The Access Key with id',
  'instance-profile': 'Instance Profile',
  'server-certificate': 'The Server Certificate with name',
} as const;

export type EntityKind = keyof typeof entityWords;

export function noSuchEntity(kind: EntityKind, name: string): AwsError {
  return new AwsError('NoSuchEntity', 404, `${entityWords[kind]} ${name} cannot be found.`);
}

export function policyNotFound(arn: string): AwsError {
  return new AwsError('NoSuchEntity', 404, `Policy ${arn} was not found.`);
}

export function policyNotAttachable(arn: string): AwsError {
  return new AwsError('NoSuchEntity', 404, `Policy ${arn} does not exist or is not attachable.`);
}

/** Recorded: only the service itself gives such a policy to its role. */
export function servicesOwnPolicy(): AwsError {
  return new AwsError('PolicyNotAttachable', 400, 'Cannot attach a Service Role Policy to a Customer Role.');
}

export function policyVersionNotFound(arn: string, versionId: string): AwsError {
  return new AwsError('NoSuchEntity', 404, `Policy ${arn} version ${versionId} does not exist or is not attachable.`);
}

/** Removing what is not there; the texts are unsourced. */
export function noSuchMember(message: string): AwsError {
  return new AwsError('NoSuchEntity', 404, message);
}

const duplicateWords = {
  user: (name: string) => `User with name ${name} already exists.`,
  role: (name: string) => `Role with name ${name} already exists.`,
  group: (name: string) => `Group with name ${name} already exists.`,
  'instance-profile': (name: string) => `Instance Profile ${name} already exists.`,
  'server-certificate': (name: string) => `The Server Certificate with name ${name} already exists.`,
  policy: (name: string) => `A policy called ${name} already exists. Duplicate names are not allowed.`,
  alias: (name: string) => `The account alias ${name} already exists.`,
} as const;

export function entityAlreadyExists(kind: keyof typeof duplicateWords, name: string): AwsError {
  return new AwsError('EntityAlreadyExists', 409, duplicateWords[kind](name));
}

const conflictWords = {
  'access-keys': 'Cannot delete entity, must delete access keys first.',
  'login-profile': 'Cannot delete entity, must delete login profile first.',
  // Recorded 2026-09; logs of 2018 and 2019 say `must delete MFA device first`.
  'mfa-devices': 'Cannot delete entity, must remove tokens from principal first.',
  'signing-certificates': 'Cannot delete entity, must delete signing certificates first.',
  // Recorded for a service-specific credential.
  references: 'Cannot delete entity, must remove referenced objects first.',
  'mfa-assigned': 'MFA VirtualDevice in use. Must deactivate first.',
  'attached-policies': 'Cannot delete entity, must detach all policies first.',
  'inline-policies': 'Cannot delete entity, must delete policies first.',
  // The same words for a group with users and for a user with groups.
  members: 'Cannot delete entity, must remove users from group first.',
  'instance-profiles': 'Cannot delete entity, must remove roles from instance profile first.',
  'policy-attached': 'Cannot delete a policy attached to entities.',
  'policy-versions':
    "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
  'default-version': 'Cannot delete the default version of a policy.',
} as const;

export function deleteConflict(reason: keyof typeof conflictWords): AwsError {
  return new AwsError('DeleteConflict', 409, conflictWords[reason]);
}

export function quotaExceeded(quota: string, limit: number): AwsError {
  return new AwsError('LimitExceeded', 409, `Cannot exceed quota for ${quota}: ${limit}`);
}

export function tooManyVersions(): AwsError {
  return new AwsError(
    'LimitExceeded',
    409,
    'A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.',
  );
}

export function inlinePolicyTooLarge(limit: number, kind: 'user' | 'group' | 'role', name: string): AwsError {
  return new AwsError('LimitExceeded', 409, `Maximum policy size of ${limit} bytes exceeded for ${kind} ${name}`);
}

export function validationError(message: string): AwsError {
  return new AwsError('ValidationError', 400, message);
}

export function invalidInput(message: string): AwsError {
  return new AwsError('InvalidInput', 400, message);
}

export function malformedPolicyDocument(message: string): AwsError {
  return new AwsError('MalformedPolicyDocument', 400, message);
}

export function unmodifiableEntity(message: string): AwsError {
  return new AwsError('UnmodifiableEntity', 400, message);
}

/**
 * IAM names what exists by its friendly name (`role app`, `policy arn:…`), and what does not exist yet, or a list, by its ARN (public logs:
 * `iam:GetRole on resource: role app`, `iam:CreateRole on resource: arn:aws:iam::…:role/app`, `iam:CreatePolicy on resource: policy x`).
 */
function spokenResource(request: AuthorizationRequest): string {
  const match = /^arn:[^:]*:iam::[^:]*:(user|group|role|instance-profile|policy)(\/.*)$/.exec(request.resource);
  if (!match) return request.resource;
  const [, kind = '', path = ''] = match;
  const name = path.slice(path.lastIndexOf('/') + 1);
  const operation = request.action.slice('iam:'.length);
  if (operation === 'ListPolicies') return `policy path ${path}`;
  if (kind === 'policy') return operation === 'CreatePolicy' ? `policy ${name}` : `policy ${request.resource}`;
  const aboutArn =
    /^(Create(User|Group|Role|ServiceLinkedRole|InstanceProfile)|PassRole|List(Users|Groups|Roles|InstanceProfiles))$/;
  if (name === '' || aboutArn.test(operation)) return request.resource;
  return `${kind === 'instance-profile' ? 'instance profile' : kind} ${name}`;
}

/** F: `User: ARN is not authorized to perform: iam:X on resource: … because …`, AccessDenied, 403. */
export function iamDenied(_call: BaseCall, request: AuthorizationRequest, decision: Decision): AwsError {
  const subject = `User: ${request.principal.arn} is not authorized to perform: ${request.action}`;
  const reason = decision.reason === '' ? '' : ` ${decision.reason}`;
  return new AwsError('AccessDenied', 403, `${subject} on resource: ${spokenResource(request)}${reason}`);
}
