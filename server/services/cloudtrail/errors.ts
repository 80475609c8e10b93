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

const error = (code: string, message: string) => new AwsError(code, 400, message);

export const invalidTrailName = (message: string) => error('InvalidTrailNameException', message);
export const invalidArn = (arn: string) => error('CloudTrailARNInvalidException', `${arn} is not a trail's ARN.`);
export const trailNotFound = (name: string, accountId: string) =>
  error('TrailNotFoundException', `Unknown trail: ${name} for the user: ${accountId}`);
export const trailExists = (name: string, accountId: string) =>
  error('TrailAlreadyExistsException', `Trail ${name} already exists for customer: ${accountId}`);
export const tooManyTrails = (accountId: string, most: number, region: string) =>
  error('MaximumNumberOfTrailsExceededException', `User: ${accountId} already has ${most} trails in ${region}.`);
export const invalidHomeRegion = (region: string) =>
  error('InvalidHomeRegionException', `The trail's home Region is ${region}; it cannot be changed from another one.`);
export const bucketMissing = (bucket: string) =>
  error('S3BucketDoesNotExistException', `S3 bucket ${bucket} does not exist!`);
/** As people quote it; no page of AWS's has it. */
export const bucketPolicyInsufficient = (bucket: string) =>
  error('InsufficientS3BucketPolicyException', `Incorrect S3 bucket policy is detected for bucket: ${bucket}`);
export const invalidPrefix = () =>
  error('InvalidS3PrefixException', 'The S3 key prefix is longer than 200 characters.');
export const invalidCombination = (message: string) => error('InvalidParameterCombinationException', message);
export const invalidSelectors = (message: string) => error('InvalidEventSelectorsException', message);
export const invalidTags = (message: string) => error('InvalidTagParameterException', message);
export const tooManyTags = (arn: string) =>
  error('TagsLimitExceededException', `${arn} would have more than the 50 tags that a resource may have.`);
/** What this CloudTrail has no machinery for, by its name. */
export const unsupported = (what: string) =>
  error('UnsupportedOperationException', `Postern's CloudTrail does not serve ${what}.`);

export function denied(_call: BaseCall, request: AuthorizationRequest, decision: Decision): AwsError {
  const reason = decision.reason === '' ? '' : ` ${decision.reason}`;
  const subject = `User: ${request.principal.arn} is not authorized to perform: ${request.action}`;
  return new AwsError('AccessDeniedException', 400, `${subject} on resource: ${request.resource}${reason}`);
}
