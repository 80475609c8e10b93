// DynamoDB's errors that the server itself says. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html (read 2026-11-21)

import type { AuthorizationRequest, Decision } from '@postern/policy/types.ts';
import { AwsError } from '../../errors.ts';
import type { BaseCall } from '../../service.ts';

export function accessDenied(_call: BaseCall, request: AuthorizationRequest, decision: Decision): AwsError {
  const reason = decision.reason === '' ? '' : ` ${decision.reason}`;
  return new AwsError(
    'AccessDeniedException',
    400,
    `User: ${request.principal.arn} is not authorized to perform: ${request.action} on resource: ${request.resource}${reason}`,
  );
}

export const internalServerError = () =>
  new AwsError('InternalServerError', 500, 'The request processing has failed because of an unknown error.');

export const validation = (message: string) => new AwsError('ValidationException', 400, message);

/** Also for a table of another region: each region knows its own only. */
export const tableNotFound = () => new AwsError('ResourceNotFoundException', 400, 'Requested resource not found');

/** AWS writes it like this. */
export const arnNotFound = (arn: string) =>
  new AwsError('ResourceNotFoundException', 400, `Requested resource not found: ResourcArn: ${arn} not found`);
