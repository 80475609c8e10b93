// What does S3 answer to a caller's mistake? Codes, statuses and words of the S3 error list, checked against recorded answers.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (read 2026-11-21). Extra members of the body (BucketName, Key …) are
// those that S3 sends. What this build does not do is `NotImplemented`, 501, and its message names the thing that was asked for.

import { denialMessage } from '@postern/policy/messages.ts';
import type { AuthorizationRequest, Decision } from '@postern/policy/types.ts';
import { AwsError } from '../../errors.ts';
import { keyDenial } from '../../kms-keys.ts';
import type { BaseCall } from '../../service.ts';
import type { BucketRow } from '../../store/rows/s3.ts';

export function noSuchBucket(bucket: string): AwsError {
  return new AwsError('NoSuchBucket', 404, 'The specified bucket does not exist', { fields: { BucketName: bucket } });
}

export function noSuchKey(key: string): AwsError {
  return new AwsError('NoSuchKey', 404, 'The specified key does not exist.', { fields: { Key: key } });
}

/** The latest version is a delete marker: clients learn it from the headers. */
export function deletedKey(key: string, versionId: string): AwsError {
  return new AwsError('NoSuchKey', 404, 'The specified key does not exist.', {
    fields: { Key: key },
    headers: { 'x-amz-delete-marker': 'true', 'x-amz-version-id': versionId },
  });
}

/** What was asked for is a delete marker, which has no bytes, tags, locks or lists. */
export function isDeleteMarker(method: string, versionId: string, lastModified: string): AwsError {
  return new AwsError('MethodNotAllowed', 405, 'The specified method is not allowed against this resource.', {
    fields: { Method: method, ResourceType: 'DeleteMarker' },
    headers: {
      'x-amz-delete-marker': 'true',
      'x-amz-version-id': versionId,
      'last-modified': new Date(lastModified).toUTCString(),
      allow: 'DELETE',
    },
  });
}

export function noSuchVersion(key: string, versionId: string): AwsError {
  return new AwsError('NoSuchVersion', 404, 'The specified version does not exist.', {
    fields: { Key: key, VersionId: versionId },
  });
}

/** The key was written or deleted while the upload was under way. */
export function conditionalConflict(condition: string, key: string): AwsError {
  return new AwsError(
    'ConditionalRequestConflict',
    409,
    'The conditional request cannot succeed due to a conflicting operation against this resource.',
    { fields: { Condition: condition, Key: key } },
  );
}

/** A header, or a value of it, that S3 itself does not take. */
export function headerNotImplemented(header: string, additionalMessage?: string): AwsError {
  return new AwsError('NotImplemented', 501, 'A header you provided implies functionality that is not implemented', {
    fields: { Header: header, ...(additionalMessage !== undefined && { additionalMessage }) },
  });
}

export function lockedByObjectLock(): AwsError {
  return new AwsError('AccessDenied', 403, 'Access Denied because object protected by object lock.');
}

export function noLockConfiguration(): AwsError {
  return invalidRequest('Bucket is missing Object Lock Configuration');
}

export function invalidBucketState(message: string): AwsError {
  return new AwsError('InvalidBucketState', 409, message);
}

export function invalidBucketName(bucket: string): AwsError {
  return new AwsError('InvalidBucketName', 400, 'The specified bucket is not valid.', {
    fields: { BucketName: bucket },
  });
}

export function bucketAlreadyExists(bucket: string): AwsError {
  return new AwsError(
    'BucketAlreadyExists',
    409,
    'The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.',
    { fields: { BucketName: bucket } },
  );
}

export function bucketAlreadyOwnedByYou(bucket: string): AwsError {
  return new AwsError(
    'BucketAlreadyOwnedByYou',
    409,
    'Your previous request to create the named bucket succeeded and you already own it.',
    { fields: { BucketName: bucket } },
  );
}

export function bucketNotEmpty(bucket: string, versioned: boolean): AwsError {
  const more = versioned ? '. You must delete all versions in the bucket.' : '';
  return new AwsError('BucketNotEmpty', 409, `The bucket you tried to delete is not empty${more}`, {
    fields: { BucketName: bucket },
  });
}

/** @param constraint undefined when the request had none */
export function illegalLocationConstraint(constraint: string | undefined): AwsError {
  return new AwsError(
    'IllegalLocationConstraintException',
    400,
    `The ${constraint ?? 'unspecified'} location constraint is incompatible for the region specific endpoint this request was sent to.`,
  );
}

export function invalidLocationConstraint(constraint: string): AwsError {
  return new AwsError('InvalidLocationConstraint', 400, 'The specified location-constraint is not valid', {
    fields: { LocationConstraint: constraint },
  });
}

/** The bucket lives elsewhere and the host name of the request led here. The header is what clients follow. */
export function permanentRedirect(bucket: BucketRow, domain: string): AwsError {
  return new AwsError(
    'PermanentRedirect',
    301,
    'The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.',
    {
      fields: { Endpoint: `${bucket.id}.s3.${bucket.region}.${domain}`, Bucket: bucket.id },
      headers: { 'x-amz-bucket-region': bucket.region },
    },
  );
}

/** The name `BUCKET.s3.amazonaws.com` leads to the bucket's own region, where a signature for another one is wrong. */
export function wrongSigningRegion(bucket: BucketRow, region: string): AwsError {
  return new AwsError(
    'AuthorizationHeaderMalformed',
    400,
    `The authorization header is malformed; the region '${region}' is wrong; expecting '${bucket.region}'`,
    { fields: { Region: bucket.region }, headers: { 'x-amz-bucket-region': bucket.region } },
  );
}

/** @param explanation which of the bucket's own settings said it, for the operator's log: S3 does not say */
export function bareAccessDenied(explanation?: string): AwsError {
  return new AwsError('AccessDenied', 403, 'Access Denied', explanation === undefined ? {} : { explanation });
}

/**
 * A denial in S3's form: the enhanced words for a caller of the resource's own account or organization, `Access Denied` for everyone else (F2).
 * @param request with `resourceAccountId` when the resource has an owner
 */
export function accessDenied(call: BaseCall, request: AuthorizationRequest, decision: Decision): AwsError {
  // KMS's words, which S3 passes on.
  if (request.action.startsWith('kms:')) return new AwsError('AccessDenied', 403, keyDenial(request, decision));
  const anonymous = call.principal.type === 'anonymous';
  const foreign = request.resourceAccountId !== undefined && request.resourceAccountId !== call.principal.accountId;
  const organization = request.context.get('aws:principalorgid')?.[0];
  const related = organization !== undefined && organization === request.context.get('aws:resourceorgid')?.[0];
  if (anonymous || (foreign && (!related || decision.layer === 'endpoint'))) return bareAccessDenied();
  // Every bucket at once is no resource in S3's words: `… to perform: s3:ListAllMyBuckets because …`.
  const named = request.resource.endsWith(':s3:::*') ? { ...request, resource: '*' } : request;
  return new AwsError('AccessDenied', 403, denialMessage(named, decision, { quoteResource: true }));
}

/** F3: the policy is public and the bucket does not take one. */
export function publicPolicyBlocked(call: BaseCall, action: string, arn: string): AwsError {
  return new AwsError(
    'AccessDenied',
    403,
    `User: ${call.principal.arn} is not authorized to perform: ${action} on resource: "${arn}" because public policies are blocked by the BlockPublicPolicy block public access setting.`,
  );
}

export function methodNotAllowed(method: string, resourceType: string): AwsError {
  return new AwsError('MethodNotAllowed', 405, 'The specified method is not allowed against this resource.', {
    fields: { Method: method, ResourceType: resourceType },
  });
}

export function noSuchAccessPoint(name: string): AwsError {
  return new AwsError('NoSuchAccessPoint', 404, 'The specified accesspoint does not exist', {
    fields: { AccessPointName: name },
  });
}

export function noSuchPointPolicy(name: string): AwsError {
  return new AwsError('NoSuchAccessPointPolicy', 404, 'The specified accesspoint policy does not exist', {
    fields: { AccessPointName: name },
  });
}

export function accessPointExists(): AwsError {
  return new AwsError(
    'AccessPointAlreadyOwnedByYou',
    409,
    'Your previous request to create the named accesspoint succeeded and you already own it.',
  );
}

/** The code is without a source. */
export function invalidPointName(): AwsError {
  return invalidRequest('Your Amazon S3 AccessPoint name is invalid');
}

/** S3 does not get so far as to call it a name. */
export function invalidPointUri(name: string): AwsError {
  return new AwsError('InvalidURI', 400, "Couldn't parse the specified URI.", {
    fields: { URI: `accesspoint/${name}` },
  });
}

export function pointsAttached(bucket: string): AwsError {
  return new AwsError(
    'BucketHasAccessPointsAttached',
    400,
    'The bucket you are attempting to delete has access points attached. Delete your access points before deleting your bucket.',
    { fields: { BucketName: bucket } },
  );
}

export function noSuchBucketPolicy(bucket: string): AwsError {
  return new AwsError('NoSuchBucketPolicy', 404, 'The bucket policy does not exist', {
    fields: { BucketName: bucket },
  });
}

export function malformedPolicy(code: string, message: string): AwsError {
  return new AwsError(code, 400, message);
}

export function noSuchConfiguration(code: string, message: string, bucket: string): AwsError {
  return new AwsError(code, 404, message, { fields: { BucketName: bucket } });
}

export function invalidExpectedOwner(value: string): AwsError {
  return new AwsError(
    'InvalidBucketOwnerAWSAccountID',
    400,
    `The value of the expected bucket owner parameter must be an AWS Account ID... [${value}]`,
  );
}

export function aclsNotSupported(): AwsError {
  return new AwsError('AccessControlListNotSupported', 400, 'The bucket does not allow ACLs');
}

export function aclWithEnforcedOwnership(): AwsError {
  return new AwsError(
    'InvalidBucketAclWithObjectOwnership',
    400,
    "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
  );
}

export function publicAclBlocked(): AwsError {
  return new AwsError(
    'InvalidBucketAclWithBlockPublicAccessError',
    400,
    'Bucket cannot have public ACLs set with BlockPublicAccess enabled',
  );
}

/** @param what the parameter, header or configuration as the caller wrote it */
export function notImplemented(what: string): AwsError {
  return new AwsError(
    'NotImplemented',
    501,
    `A header or query you provided requests a function that is not implemented: ${what}`,
    { fields: { Header: what } },
  );
}

export function malformedXml(): AwsError {
  return new AwsError(
    'MalformedXML',
    400,
    'The XML you provided was not well-formed or did not validate against our published schema',
  );
}

export function invalidArgument(message: string, name?: string, value?: string): AwsError {
  return new AwsError('InvalidArgument', 400, message, {
    fields: { ...(name !== undefined && { ArgumentName: name }), ...(value !== undefined && { ArgumentValue: value }) },
  });
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (read 2026-11-21) */
export function invalidRedirectLocation(): AwsError {
  return new AwsError(
    'InvalidRedirectLocation',
    400,
    "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
  );
}

export function invalidRequest(message: string): AwsError {
  return new AwsError('InvalidRequest', 400, message);
}

export function noSuchResource(): AwsError {
  return new AwsError('NoSuchResource', 404, "The specified resource doesn't exist.");
}

/** Where tags are given with what is made, and through S3 Control. */
export function reservedTagKey(): AwsError {
  return invalidTag(
    'User-defined tag keys can\'t start with "aws:". This prefix is reserved for system tags. Remove "aws:" from your tag keys and try again.',
  );
}

/** The value is told where it is what is wrong. */
export function invalidTag(message: string, key?: string, value?: string): AwsError {
  return new AwsError('InvalidTag', 400, message, {
    fields: { ...(key !== undefined && { TagKey: key }), ...(value !== undefined && { TagValue: value }) },
  });
}

/** @param condition the header's name, `If-Match` … */
export function preconditionFailed(condition: string): AwsError {
  return new AwsError('PreconditionFailed', 412, 'At least one of the pre-conditions you specified did not hold', {
    fields: { Condition: condition },
  });
}

/** 304 has no body; its headers are those the object would have had. */
export function notModified(headers: Record<string, string>): AwsError {
  return new AwsError('NotModified', 304, 'Not Modified', { headers });
}

export function invalidRange(range: string, sizeBytes: number): AwsError {
  return new AwsError('InvalidRange', 416, 'The requested range is not satisfiable', {
    fields: { RangeRequested: range, ActualObjectSize: String(sizeBytes) },
    headers: { 'content-range': `bytes */${sizeBytes}` },
  });
}

export function invalidPartNumber(requested: number, count: number): AwsError {
  return new AwsError('InvalidPartNumber', 416, 'The requested partnumber is not satisfiable', {
    fields: { PartNumberRequested: String(requested), ActualPartCount: String(count) },
  });
}

export function keyTooLong(sizeBytes: number): AwsError {
  return new AwsError('KeyTooLongError', 400, 'Your key is too long', {
    fields: { Size: String(sizeBytes), MaxSizeAllowed: '1024' },
  });
}

export function metadataTooLarge(sizeBytes: number): AwsError {
  return new AwsError('MetadataTooLarge', 400, 'Your metadata headers exceed the maximum allowed metadata size', {
    fields: { Size: String(sizeBytes), MaxSizeAllowed: '2048' },
  });
}

export function invalidStorageClass(value: string): AwsError {
  return new AwsError('InvalidStorageClass', 400, 'The storage class you specified is not valid', {
    fields: { StorageClassRequested: value },
  });
}

/** An archived object cannot be read before it is restored. */
export function invalidObjectState(storageClass: string): AwsError {
  return new AwsError('InvalidObjectState', 403, "The operation is not valid for the object's storage class", {
    fields: { StorageClass: storageClass },
  });
}

export function restoreInProgress(): AwsError {
  return new AwsError('RestoreAlreadyInProgress', 409, 'Object restore is already in progress');
}

export function entityTooLarge(proposed: number, allowed: number): AwsError {
  return new AwsError('EntityTooLarge', 400, 'Your proposed upload exceeds the maximum allowed size', {
    fields: { ProposedSize: String(proposed), MaxSizeAllowed: String(allowed) },
  });
}

export function incompleteBody(expected: number, received: number): AwsError {
  return new AwsError(
    'IncompleteBody',
    400,
    'You did not provide the number of bytes specified by the Content-Length HTTP header',
    { fields: { NumberBytesExpected: String(expected), NumberBytesProvided: String(received) } },
  );
}

export function invalidDigest(value: string): AwsError {
  return new AwsError('InvalidDigest', 400, 'The Content-MD5 you specified was invalid.', {
    fields: { 'Content-MD5': value },
  });
}

/** @param name `Content-MD5`, `CRC32` … as the message spells it   @param calculated of the former in hex */
export function badDigest(name: string, expected: string, calculated: string): AwsError {
  const message =
    name === 'Content-MD5'
      ? 'The Content-MD5 you specified did not match what we received.'
      : `The ${name} you specified did not match the calculated checksum.`;
  // Recorded: the one in hex, the other in base64.
  const base64 = Buffer.from(calculated, 'hex').toString('base64');
  const hex = Buffer.from(expected, 'base64').toString('hex');
  const fields = name === 'Content-MD5' ? { ExpectedDigest: hex, CalculatedDigest: base64 } : {};
  return new AwsError('BadDigest', 400, message, { fields });
}

const fullDisk = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
// Making a directory on a read-only disk is ENOENT (Node 20).
const closedDisk = new Set(['EROFS', 'ENOENT', 'EACCES', 'EPERM', 'ENOTDIR', 'EIO']);

/**
 * What the machine's disk refuses, as an answer; undefined for what is no disk's error. Not S3's own words, whose disks never fill; 503, because clients try again.
 * The path stays with the log: a client has no business with it.
 */
export function refusedByDisk(cause: NodeJS.ErrnoException): AwsError | undefined {
  const { code = '' } = cause;
  const isFull = fullDisk.has(code);
  if (!isFull && !closedDisk.has(code)) return undefined;
  const what = cause.message.split(', ')[0] ?? code;
  const cure = isFull ? 'Free some space' : 'See that the data directory can be written';
  return new AwsError(
    'ServiceUnavailable',
    503,
    `The disk of this machine did not take it: ${what}. ${cure} and try again.`,
  );
}

export function noSuchUpload(uploadId: string): AwsError {
  return new AwsError(
    'NoSuchUpload',
    404,
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    { fields: { UploadId: uploadId } },
  );
}

export function invalidPart(uploadId: string, partNumber: number, etag: string): AwsError {
  return new AwsError(
    'InvalidPart',
    400,
    "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    { fields: { UploadId: uploadId, PartNumber: String(partNumber), ETag: etag } },
  );
}

export function invalidPartOrder(uploadId: string): AwsError {
  return new AwsError(
    'InvalidPartOrder',
    400,
    'The list of parts was not in ascending order. Parts must be ordered by part number.',
    { fields: { UploadId: uploadId } },
  );
}

export function entityTooSmall(proposed: number, partNumber: number, etag: string): AwsError {
  return new AwsError('EntityTooSmall', 400, 'Your proposed upload is smaller than the minimum allowed size', {
    fields: {
      ProposedSize: String(proposed),
      MinSizeAllowed: '5242880',
      PartNumber: String(partNumber),
      ETag: etag.replaceAll('"', ''),
    },
  });
}
