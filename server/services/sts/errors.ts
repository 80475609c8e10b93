// STS's errors. Recorded on AWS where a test of the SDK's users shows them; `unsourced` marks the others.

import type { AuthorizationRequest, Decision } from '@postern/policy/types.ts';
import { AwsError } from '../../errors.ts';
import type { BaseCall } from '../../service.ts';

export function accessDenied(message: string): AwsError {
  return new AwsError('AccessDenied', 403, message);
}

/** Somebody else's role, or none: the answer does not tell which. */
export function roleNotAssumable(principalArn: string, action: string, roleArn: string): AwsError {
  return accessDenied(`User: ${principalArn} is not authorized to perform: ${action} on resource: ${roleArn}`);
}

export function validationError(message: string): AwsError {
  return new AwsError('ValidationError', 400, message);
}

export function invalidParameterValue(message: string): AwsError {
  return new AwsError('InvalidParameterValue', 400, message);
}

export function packedPolicyTooLarge(message: string): AwsError {
  return new AwsError('PackedPolicyTooLarge', 400, message);
}

/** The wording is unsourced. */
export function invalidAuthorizationMessage(): AwsError {
  return new AwsError('InvalidAuthorizationMessageException', 400, 'Message is not valid.');
}

/** F: `User: ARN is not authorized to perform: sts:X on resource: ARN because …`, AccessDenied, 403. */
export function stsDenied(_call: BaseCall, request: AuthorizationRequest, decision: Decision): AwsError {
  const reason = decision.reason === '' ? '' : ` ${decision.reason}`;
  const subject = `User: ${request.principal.arn} is not authorized to perform: ${request.action}`;
  return accessDenied(`${subject} on resource: ${request.resource}${reason}`);
}
