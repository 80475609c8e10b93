// Errors of Systems Manager. Codes: API reference, https://docs.aws.amazon.com/systems-manager/latest/APIReference/ (read 2026-11-21); where AWS documents no
// wording and none was seen, the message is empty or says what is wrong in our words.

import type { AuthorizationRequest, Decision } from '@postern/policy/types.ts';
import { AwsError } from '../../errors.ts';
import type { BaseCall } from '../../service.ts';

/** AWS says no more than the code. */
export const parameterNotFound = () => new AwsError('ParameterNotFound', 400, '');
export const invalid = (message: string) => new AwsError('ValidationException', 400, message);

/** U3; seen in many threads. */
export const invalidInstanceId = (instanceIds: readonly string[], accountId: string) =>
  new AwsError(
    'InvalidInstanceId',
    400,
    `Instances [[${instanceIds.join(', ')}]] not in a valid state for account ${accountId}`,
  );
export const targetNotConnected = (instanceId: string) =>
  new AwsError('TargetNotConnected', 400, `${instanceId} is not connected.`);
export const invalidDocument = (message = '') => new AwsError('InvalidDocument', 400, message);
export const invalidDocumentVersion = (message: string) => new AwsError('InvalidDocumentVersion', 400, message);
export const invalidParameters = (message: string) => new AwsError('InvalidParameters', 400, message);
export const invalidCommandId = () => new AwsError('InvalidCommandId', 400, '');
export const invocationDoesNotExist = () => new AwsError('InvocationDoesNotExist', 400, '');
export const invalidPluginName = () => new AwsError('InvalidPluginName', 400, '');
export const invalidFilterKey = () => new AwsError('InvalidFilterKey', 400, '');
export const invalidNextToken = () => new AwsError('InvalidNextToken', 400, 'The specified token is not valid.');
export const doesNotExist = (message: string) => new AwsError('DoesNotExistException', 400, message);

/** What would change what runs where, and is not here. */
export const unsupported = (what: string) =>
  new AwsError('ValidationException', 400, `${what} is not supported by Postern.`);

export function denied(_call: BaseCall, request: AuthorizationRequest, decision: Decision): AwsError {
  const reason = decision.reason === '' ? '' : ` ${decision.reason}`;
  const subject = `User: ${request.principal.arn} is not authorized to perform: ${request.action}`;
  return new AwsError('AccessDeniedException', 400, `${subject} on resource: ${request.resource}${reason}`);
}

/** A page of at most `MaxResults`; the token is the number of what was shown before. */
export function pageOf<T>(
  all: readonly T[],
  input: { MaxResults?: number | undefined; NextToken?: string | undefined },
  least: number,
  most: number,
): { page: readonly T[]; next: { NextToken?: string } } {
  const size = input.MaxResults ?? most;
  if (size < least || size > most) throw invalid(`MaxResults must be between ${least} and ${most}.`);
  const start = input.NextToken === undefined || input.NextToken === '' ? 0 : Number(input.NextToken);
  if (!Number.isInteger(start) || start < 0 || start > all.length) throw invalidNextToken();
  const end = start + size;
  return { page: all.slice(start, end), next: end < all.length ? { NextToken: String(end) } : {} };
}
