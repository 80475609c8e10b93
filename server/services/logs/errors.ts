// Errors of CloudWatch Logs. Wordings were recorded at AWS in February 2026, except where it is said.

import type { AuthorizationRequest, Decision } from '@postern/policy/types.ts';
import { AwsError } from '../../errors.ts';
import type { BaseCall } from '../../service.ts';

export const invalidParameter = (message: string) => new AwsError('InvalidParameterException', 400, message);
export const groupNotFound = () =>
  new AwsError('ResourceNotFoundException', 400, 'The specified log group does not exist.');
export const streamNotFound = () =>
  new AwsError('ResourceNotFoundException', 400, 'The specified log stream does not exist.');
export const policyNotFound = (name: string) =>
  new AwsError('ResourceNotFoundException', 400, `Policy with name [${name}] does not exist.`);
export const alreadyExists = (what: 'log group' | 'log stream') =>
  new AwsError('ResourceAlreadyExistsException', 400, `The specified ${what} already exists`);
export const limitExceeded = () => new AwsError('LimitExceededException', 400, 'Resource limit exceeded.');
export const exclusive = () =>
  new AwsError('ValidationException', 400, 'LogGroup name and LogGroup ARN are mutually exclusive parameters.');
export const invalidToken = () => invalidParameter('The specified nextToken is invalid.');

/** What this service has no machinery for, by its name; ours. */
export const unsupported = (what: string) => invalidParameter(`${what} is not supported by Postern.`);

export const violates = (value: unknown, member: string, constraint: string) =>
  invalidParameter(
    `1 validation error detected: Value '${String(value)}' at '${member}' failed to satisfy constraint: Member must ${constraint}`,
  );

export function missing(member: string): AwsError {
  return invalidParameter(
    `1 validation error detected: Value null at '${member}' failed to satisfy constraint: Member must not be null`,
  );
}

/** @throws InvalidParameterException */
export function checkedLimit(limit: number | undefined, most: number): number {
  if (limit === undefined) return most;
  if (limit < 1) throw violates(limit, 'limit', 'have value greater than or equal to 1');
  if (limit > most) throw violates(limit, 'limit', `have value less than or equal to ${most}`);
  return limit;
}

export function denied(_call: BaseCall, request: AuthorizationRequest, decision: Decision): AwsError {
  const reason = decision.reason === '' ? '' : ` ${decision.reason}`;
  const subject = `User: ${request.principal.arn} is not authorized to perform: ${request.action}`;
  return new AwsError('AccessDeniedException', 400, `${subject} on resource: ${request.resource}${reason}`);
}
