// Errors of AWS Organizations: all of them 400, some with a Reason. `logged`: public logs of AWS's answers have the words, or, weaker, the public test
// suite of an emulator has; the others are the API reference's own description of the error, because no log was found.

import type { ConstraintViolationExceptionReason, InvalidInputExceptionReason } from '@aws-sdk/client-organizations';
import type { AuthorizationRequest, Decision } from '@postern/policy/types.ts';
import { AwsError } from '../../errors.ts';
import type { BaseCall } from '../../service.ts';

const words = {
  // logged
  AWSOrganizationsNotInUseException: 'Your account is not a member of an organization.',
  AccessDeniedException: "You don't have permissions to access this resource.",
  AlreadyInOrganizationException: 'The provided account is already a member of an organization.',
  AccountNotFoundException: "You specified an account that doesn't exist.",
  OrganizationalUnitNotFoundException: "You specified an organizational unit that doesn't exist.",
  ParentNotFoundException: "You specified parent that doesn't exist.",
  PolicyNotFoundException: "You specified a policy that doesn't exist.",
  DuplicatePolicyAttachmentException: 'A policy with the specified name and type already exists.',
  PolicyTypeNotEnabledException: 'This operation can be performed only for enabled policy types.',
  PolicyTypeAlreadyEnabledException: 'The specified policy type is already enabled.',
  PolicyInUseException: 'The specified policy is in use and cannot be deleted.',
  MalformedPolicyDocumentException:
    'The provided policy document does not meet the requirements of the specified policy type.',
  DuplicateOrganizationalUnitException: 'An OU with the same name already exists.',
  DuplicatePolicyException: 'A policy with the same name already exists.',
  OrganizationNotEmptyException:
    'To delete an organization you must first remove all member accounts (except the master).',
  RootNotFoundException: "You specified a root that doesn't exist.",
  TargetNotFoundException: "You specified a target that doesn't exist.",
  // the reference's
  AccountAlreadyClosedException: 'You attempted to close an account that is already closed.',
  AccountAlreadyRegisteredException: 'The specified account is already a delegated administrator for this AWS service.',
  AccountNotRegisteredException: 'The specified account is not a delegated administrator for this AWS service.',
  ChildNotFoundException:
    "We can't find an organizational unit (OU) or Amazon Web Services account with the ChildId that you specified.",
  SourceParentNotFoundException: "We can't find a source root or OU with the ParentId that you specified.",
  DestinationParentNotFoundException:
    "We can't find the destination container (a root or OU) with the ParentId that you specified.",
  DuplicateAccountException: 'That account is already present in the specified destination.',
  OrganizationalUnitNotEmptyException:
    'The specified OU is not empty. Move all accounts to another root or to other OUs, remove all child OUs, and try the operation again.',
  PolicyNotAttachedException: "The policy isn't attached to the specified target in the specified root.",
  CreateAccountStatusNotFoundException:
    "We can't find an create account request with the CreateAccountRequestId that you specified.",
  MasterCannotLeaveOrganizationException:
    "You can't remove a management account from an organization. If you want the management account to become a member account in another organization, you must first delete the current organization of the management account.",
  ResourcePolicyNotFoundException: 'No resource-based policy found.',
  HandshakeNotFoundException: "We can't find a handshake with the HandshakeId that you specified.",
  HandshakeAlreadyInStateException:
    "The specified handshake is already in the requested state. For example, you can't accept a handshake that was already accepted.",
  InvalidHandshakeTransitionException:
    "You can't perform the operation on the handshake in its current state. For example, you can't cancel a handshake that was already accepted or accept a handshake that was already declined.",
  DuplicateHandshakeException:
    'A handshake with the same action and target already exists. For example, if you invited an account to join your organization, the invited account might already have a pending invitation from this organization. If you intend to resend an invitation to an account, ensure that existing handshakes that might be considered duplicates are canceled or declined.',
} as const;

export type OrganizationsErrorCode = keyof typeof words;

export function organizationsError(code: OrganizationsErrorCode): AwsError {
  return new AwsError(code, 400, words[code]);
}

/** A reason, and for some the member that it is about: `INVALID_PATTERN:POLICY_ID` (recorded on AWS, 2026-09). */
type InputReason = InvalidInputExceptionReason | `${InvalidInputExceptionReason}:${string}`;

/** @param member as a Reason names it */
export function inputRequired(member: string): AwsError {
  return invalidInput(`INPUT_REQUIRED:${member}`, 'You must provide a value for the parameter.');
}

/** `INVALID_PATTERN`'s words are logged; those of others are the reference's. */
export function invalidInput(
  reason: InputReason = 'INVALID_PATTERN',
  message = 'You provided a value that does not match the required pattern.',
): AwsError {
  return new AwsError('InvalidInputException', 400, message, { fields: { Reason: reason } });
}

const limits = {
  // logged
  MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED:
    'You cannot remove the last policy attached to the specified target. You must have at least one attached at all times.',
  UPDATE_EXISTING_RESOURCE_POLICY_WITH_TAGS_NOT_SUPPORTED:
    'Adding tags on updating an existing resource-based policy is not supported.',
  // the reference's
  DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE:
    'You attempted to disable service access for a service that has a registered delegated administrator. Deregister it first.',
  MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED:
    'You attempted to exceed the number of policies of a certain type that can be attached to an entity at one time.',
  OU_DEPTH_LIMIT_EXCEEDED:
    'You attempted to create an OU tree that is too many levels deep. The maximum depth is five levels under the root.',
  POLICY_CONTENT_LIMIT_EXCEEDED: 'You attempted to create a policy that is larger than the maximum size.',
  ORGANIZATION_NOT_IN_ALL_FEATURES_MODE: 'You attempted to perform an operation that requires all features.',
  CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR:
    'You attempted to register the management account of the organization as a delegated administrator for an AWS service integrated with Organizations. You can designate only a member account as a delegated administrator.',
  CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR:
    'You cannot register a suspended account as a delegated administrator.',
  CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG:
    'You attempted to remove an account that is registered as a delegated administrator for a service integrated with your organization. To complete this operation, you must first deregister this account as a delegated administrator.',
  SERVICE_ACCESS_NOT_ENABLED:
    'You attempted to register a delegated administrator before you enabled service access. Call the EnableAWSServiceAccess API first.',
  CANNOT_CLOSE_MANAGEMENT_ACCOUNT:
    'You attempted to close the management account. To close the management account for the organization, you must first either remove or close all member accounts in the organization. Follow standard account closure process using root credentials.',
  CLOSE_ACCOUNT_QUOTA_EXCEEDED: 'You have exceeded close account quota for the past 30 days.',
  MAX_TAG_LIMIT_EXCEEDED: 'You have exceeded the number of tags allowed on this resource.',
} as const satisfies Partial<
  Record<ConstraintViolationExceptionReason | 'UPDATE_EXISTING_RESOURCE_POLICY_WITH_TAGS_NOT_SUPPORTED', string>
>;

export function constraintViolation(reason: keyof typeof limits): AwsError {
  return new AwsError('ConstraintViolationException', 400, limits[reason], { fields: { Reason: reason } });
}

/** Recorded on AWS (2026-09): it says neither what was asked nor who denied it, also in the management account. */
export function organizationsDenied(_call: BaseCall, _request: AuthorizationRequest, _decision: Decision): AwsError {
  return organizationsError('AccessDeniedException');
}
