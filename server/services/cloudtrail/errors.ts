// CloudTrail's errors. Codes: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html#API_LookupEvents_Errors (read 2026-11-22).
// The wordings are without a source unless said otherwise.

import type { AuthorizationRequest, Decision } from '@postern/policy/types.ts';
import { AwsError } from '../../errors.ts';
import type { BaseCall } from '../../service.ts';

export const invalidLookupAttributes = (message: string) =>
  new AwsError('InvalidLookupAttributesException', 400, message);
export const invalidMaxResults = (most: number) =>
  new AwsError('InvalidMaxResultsException', 400, `MaxResults must be between 1 and ${most}.`);
export const invalidTimeRange = () =>
  new AwsError('InvalidTimeRangeException', 400, 'The start time must not be after the end time.');
export const invalidNextToken = () => new AwsError('InvalidNextTokenException', 400, 'The specified token is invalid.');
export const invalidEventCategory = (given: string) =>
  new AwsError('InvalidEventCategoryException', 400, `${given} is not a valid event category.`);

export function denied(_call: BaseCall, request: AuthorizationRequest, decision: Decision): AwsError {
  const reason = decision.reason === '' ? '' : ` ${decision.reason}`;
  const subject = `User: ${request.principal.arn} is not authorized to perform: ${request.action}`;
  return new AwsError('AccessDeniedException', 400, `${subject} on resource: ${request.resource}${reason}`);
}
