// What the edge itself refuses, in each service's own words: one table for signatures, named constructors for the rest.
// Sources: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html,
// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html, https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html (read 2026-11-21).

import type { OperationModel, Protocol, ServiceModel } from '../catalogue/shapes.ts';
import { AwsError } from '../errors.ts';
import type { RequestHead } from './head.ts';

/** The four ways in which services word the same refusals. */
type Dialect = 's3' | 'ec2' | 'query' | 'json';

function dialectOf(protocol: Protocol): Dialect {
  switch (protocol) {
    case 'rest-xml':
      return 's3';
    case 'ec2-query':
      return 'ec2';
    case 'aws-query':
      return 'query';
    case 'aws-json-1.0':
    case 'aws-json-1.1':
    case 'rest-json':
      return 'json';
  }
}

type Wording = readonly [code: string, status: number, message: string];

const notValidated: Wording = ['AuthFailure', 401, 'AWS was not able to validate the provided access credentials'];
const invalidToken = 'The security token included in the request is invalid.';
const mismatchS3 =
  'The request signature we calculated does not match the signature you provided. Check your key and signing method.';
const mismatch =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';

export type SignatureRefusal =
  | 'unknown-key'
  | 'wrong-signature'
  | 'wrong-token'
  | 'expired-token'
  | 'missing'
  | 'missing-v2'
  | 'malformed'
  | 'not-supported'
  | 'expired-url'
  | 'unsigned-headers'
  | 'missing-payload-hash'
  | 'wrong-payload-hash';

const wordings: Readonly<Record<SignatureRefusal, Readonly<Record<Dialect, Wording>>>> = {
  'unknown-key': {
    s3: ['InvalidAccessKeyId', 403, 'The AWS Access Key Id you provided does not exist in our records.'],
    ec2: notValidated,
    query: ['InvalidClientTokenId', 403, invalidToken],
    json: ['UnrecognizedClientException', 400, invalidToken],
  },
  'wrong-signature': {
    s3: ['SignatureDoesNotMatch', 403, mismatchS3],
    ec2: notValidated,
    query: ['SignatureDoesNotMatch', 403, mismatch],
    json: ['InvalidSignatureException', 400, mismatch],
  },
  'wrong-token': {
    s3: ['InvalidToken', 400, 'The provided token is malformed or otherwise invalid.'],
    ec2: notValidated,
    query: ['InvalidClientTokenId', 403, invalidToken],
    json: ['UnrecognizedClientException', 400, invalidToken],
  },
  'expired-token': {
    s3: ['ExpiredToken', 400, 'The provided token has expired.'],
    ec2: ['RequestExpired', 400, 'Request has expired.'],
    query: ['ExpiredToken', 403, 'The security token included in the request is expired'],
    json: ['ExpiredTokenException', 400, 'The security token included in the request is expired'],
  },
  missing: {
    s3: ['AccessDenied', 403, 'Access Denied'],
    ec2: ['MissingParameter', 400, 'The request must contain the parameter AWSAccessKeyId'],
    query: ['MissingAuthenticationToken', 403, 'Request is missing Authentication Token'],
    json: ['MissingAuthenticationTokenException', 400, 'Missing Authentication Token'],
  },
  'missing-v2': {
    s3: [
      'AccessDenied',
      403,
      'Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters',
    ],
    ec2: notValidated,
    query: ['IncompleteSignature', 400, 'Only AWS4-HMAC-SHA256 signatures are supported.'],
    json: ['IncompleteSignatureException', 400, 'Only AWS4-HMAC-SHA256 signatures are supported.'],
  },
  malformed: {
    s3: [
      'AuthorizationHeaderMalformed',
      400,
      'The authorization header is malformed; the Credential, SignedHeaders and Signature are needed.',
    ],
    ec2: notValidated,
    query: ['IncompleteSignature', 400, 'The request signature does not conform to AWS standards.'],
    json: ['IncompleteSignatureException', 400, 'The request signature does not conform to AWS standards.'],
  },
  'not-supported': {
    s3: [
      'InvalidRequest',
      400,
      'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
    ],
    ec2: notValidated,
    query: ['IncompleteSignature', 400, 'Only AWS4-HMAC-SHA256 signatures are supported.'],
    json: ['IncompleteSignatureException', 400, 'Only AWS4-HMAC-SHA256 signatures are supported.'],
  },
  'expired-url': {
    s3: ['AccessDenied', 403, 'Request has expired'],
    ec2: ['RequestExpired', 400, 'Request has expired.'],
    query: ['SignatureDoesNotMatch', 403, 'Signature expired'],
    json: ['InvalidSignatureException', 400, 'Signature expired'],
  },
  'unsigned-headers': {
    s3: ['AccessDenied', 403, 'There were headers present in the request which were not signed'],
    ec2: notValidated,
    query: ['SignatureDoesNotMatch', 403, mismatch],
    json: ['InvalidSignatureException', 400, mismatch],
  },
  'missing-payload-hash': {
    s3: ['InvalidRequest', 400, 'Missing required header for this request: x-amz-content-sha256'],
    ec2: notValidated,
    query: ['IncompleteSignature', 400, 'The request signature does not conform to AWS standards.'],
    json: ['IncompleteSignatureException', 400, 'The request signature does not conform to AWS standards.'],
  },
  'wrong-payload-hash': {
    s3: [
      'XAmzContentSHA256Mismatch',
      400,
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    ],
    ec2: notValidated,
    query: ['SignatureDoesNotMatch', 403, mismatch],
    json: ['InvalidSignatureException', 400, mismatch],
  },
};

/** A refusal of the signature, as the service that was called words it. `fields` are S3's extra members. */
export function signatureRefused(
  protocol: Protocol,
  refusal: SignatureRefusal,
  fields: Record<string, unknown> = {},
): AwsError {
  const dialect = dialectOf(protocol);
  const [code, status, message] = wordings[refusal][dialect];
  return new AwsError(code, status, message, dialect === 's3' ? { fields } : {});
}

/** A presigned URL of S3 that lacks a part or asks for too long. */
export function queryParametersRefused(message: string): AwsError {
  return new AwsError('AuthorizationQueryParametersError', 400, message);
}

/** The clocks differ too much. Times are given in the basic form of ISO 8601, as AWS answers them. */
export function clockSkewed(
  protocol: Protocol,
  requestTime: string,
  serverTime: string,
  limit: string,
  future: boolean,
): AwsError {
  const dialect = dialectOf(protocol);
  if (dialect === 's3') {
    return new AwsError(
      'RequestTimeTooSkewed',
      403,
      'The difference between the request time and the current time is too large.',
      {
        fields: { RequestTime: requestTime, ServerTime: isoTime(serverTime), MaxAllowedSkewMilliseconds: '900000' },
      },
    );
  }
  if (dialect === 'ec2') return new AwsError('RequestExpired', 400, 'Request has expired.');
  const message = future
    ? `Signature not yet current: ${requestTime} is still later than ${limit} (${serverTime} + 15 min.)`
    : `Signature expired: ${requestTime} is now earlier than ${limit} (${serverTime} - 15 min.)`;
  return dialect === 'query'
    ? new AwsError('SignatureDoesNotMatch', 403, message)
    : new AwsError('InvalidSignatureException', 400, message);
}

/**
 * The scope names a region that there is not, or not the one whose endpoint was asked.
 * @param expected the endpoint's region, where one is known
 */
export function regionRefused(protocol: Protocol, region: string, expected?: string): AwsError {
  const message = `Credential should be scoped to a valid region, not '${region}'.`;
  switch (dialectOf(protocol)) {
    case 's3':
      return new AwsError(
        'AuthorizationHeaderMalformed',
        400,
        `The authorization header is malformed; the region '${region}' is wrong${expected === undefined ? '' : `; expecting '${expected}'`}`,
        expected === undefined ? {} : { fields: { Region: expected } },
      );
    case 'ec2':
      return new AwsError(...notValidated);
    case 'query':
      return new AwsError('SignatureDoesNotMatch', 403, message);
    case 'json':
      return new AwsError('InvalidSignatureException', 400, message);
  }
}

/** The scope names a service that is not the one whose endpoint was asked. */
export function serviceRefused(protocol: Protocol, asked: string, expected: string): AwsError {
  const message = `Credential should be scoped to correct service: '${expected}'.`;
  switch (dialectOf(protocol)) {
    case 's3':
      return new AwsError(
        'AuthorizationHeaderMalformed',
        400,
        `The authorization header is malformed; incorrect service "${asked}". This endpoint belongs to "${expected}".`,
      );
    case 'ec2':
      return new AwsError(...notValidated);
    case 'query':
      return new AwsError('SignatureDoesNotMatch', 403, message);
    case 'json':
      return new AwsError('InvalidSignatureException', 400, message);
  }
}

function isoTime(basic: string): string {
  return basic.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
}

/** The API has no such operation. */
export function unknownOperation(service: ServiceModel, name: string, version?: string): AwsError {
  switch (dialectOf(service.protocol)) {
    case 's3':
      return new AwsError('MethodNotAllowed', 405, 'The specified method is not allowed against this resource.');
    case 'ec2':
      if (name === '')
        return new AwsError('MissingAction', 400, 'The request is missing an action or a required parameter.');
      return new AwsError('InvalidAction', 400, `The action ${name} is not valid for this web service.`);
    case 'query':
      if (name === '')
        return new AwsError('MissingAction', 400, 'The request is missing an action or a required parameter.');
      return new AwsError(
        'InvalidAction',
        400,
        `Could not find operation ${name} for version ${version ?? 'NO_VERSION_SPECIFIED'}`,
      );
    case 'json':
      return new AwsError(
        'UnknownOperationException',
        service.protocol === 'rest-json' ? 404 : 400,
        `The API has no operation ${name}.`,
      );
  }
}

/** The API has the operation and Postern does not. */
export function notImplemented(operation: OperationModel): AwsError {
  const message = `Postern does not implement ${operation.service.name}:${operation.name}.`;
  switch (dialectOf(operation.service.protocol)) {
    case 's3':
    case 'query':
      return new AwsError('NotImplemented', 501, message);
    case 'ec2':
      return new AwsError('UnsupportedOperation', 400, message);
    case 'json':
      return new AwsError('UnknownOperationException', 400, message);
  }
}

/** The request is for a service that is not in the catalogue. */
export function serviceNotServed(protocol: Protocol, name: string): AwsError {
  const message =
    name === ''
      ? 'The request names no service: it has no signature, no known host, target or action.'
      : `Postern does not serve ${name}.`;
  if (dialectOf(protocol) === 'json') return new AwsError('UnknownOperationException', 501, message);
  return new AwsError(name === '' ? 'MissingAction' : 'NotImplemented', name === '' ? 400 : 501, message);
}

/** Recorded on AWS (2026-02). */
export function notAForm(): AwsError {
  return new AwsError('PreconditionFailed', 412, 'At least one of the pre-conditions you specified did not hold', {
    fields: { Condition: 'Bucket POST must be of the enclosure-type multipart/form-data' },
  });
}

/** What the resource is and what may be done with it, as public logs of S3 have it. */
export function methodNotAllowed({ method, query }: Pick<RequestHead, 'method' | 'query'>): AwsError {
  const onUpload = query?.some(([name]) => name === 'uploadId') === true;
  return new AwsError('MethodNotAllowed', 405, 'The specified method is not allowed against this resource.', {
    fields: { Method: method, ResourceType: onUpload ? 'UPLOAD' : 'OBJECT' },
    ...(onUpload && { headers: { allow: 'DELETE, POST, GET' } }),
  });
}

export function invalidUri(protocol: Protocol): AwsError {
  return dialectOf(protocol) === 's3'
    ? new AwsError('InvalidURI', 400, "Couldn't parse the specified URI.")
    : new AwsError('ValidationException', 400, "Couldn't parse the specified URI.");
}

export function malformedQuery(service: ServiceModel): AwsError {
  return dialectOf(service.protocol) === 'ec2'
    ? new AwsError(
        'InvalidQueryParameter',
        400,
        'The AWS query string is malformed or does not adhere to AWS standards.',
      )
    : new AwsError('MalformedQueryString', 404, 'The query string contains a syntax error.');
}

/** A parameter that the operation does not have (EC2 alone refuses these). */
export function unknownParameter(name: string): AwsError {
  return new AwsError('UnknownParameter', 400, `The parameter ${name} is not recognized`);
}

export function duplicateParameter(protocol: Protocol, name: string): AwsError {
  return dialectOf(protocol) === 'ec2'
    ? new AwsError('InvalidParameterCombination', 400, `The parameter ${name} may only be specified once.`)
    : new AwsError('MalformedInput', 400, `Duplicate parameter ${name}`);
}

/**
 * A required member that is absent.
 * @param path the member as the request would spell it
 */
export function missingParameter(
  protocol: Protocol,
  path: string,
  place: 'body' | 'header' | 'query' = 'body',
): AwsError {
  switch (dialectOf(protocol)) {
    case 'ec2':
      return new AwsError('MissingParameter', 400, `The request must contain the parameter ${path}`);
    case 'query':
      return new AwsError('ValidationError', 400, requiredMember(path));
    case 'json':
      return new AwsError('ValidationException', 400, requiredMember(path));
    case 's3':
      if (place === 'header')
        return new AwsError('InvalidRequest', 400, `Missing required header for this request: ${path}`);
      if (place === 'query')
        return new AwsError('InvalidArgument', 400, `This operation requires the query parameter ${path}.`);
      return malformedXml();
  }
}

/** The same from Organizations, whose Reason has the path: `INPUT_REQUIRED:TAGS_1_MEMBER_VALUE` (recorded on AWS, 2026-09; its words are the reference's). */
export function inputRequired(path: string): AwsError {
  const member = path
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('.', '_')
    .toUpperCase();
  const fields = { Reason: `INPUT_REQUIRED:${member}` };
  return new AwsError('InvalidInputException', 400, 'You must provide a value for the parameter.', { fields });
}

/**
 * All required members that are absent, as IAM and STS tell them: ten at most. IAM leaves the value out (recorded there, 2026-09).
 * @param paths the members as the request would spell them
 */
export function missingMembers(service: ServiceModel, paths: readonly string[]): AwsError {
  const told = paths.slice(0, 10).map((path) => {
    const name = path.replace(/\bmember\.(\d+)/g, '$1.member').replace(/(^|\.)[A-Z]/g, (start) => start.toLowerCase());
    return `Value ${service.name === 'iam' ? '' : 'null '}at '${name}' failed to satisfy constraint: Member must not be null`;
  });
  const errors = told.length === 1 ? 'error' : 'errors';
  return new AwsError('ValidationError', 400, `${told.length} validation ${errors} detected: ${told.join('; ')}`);
}

/** A list whose elements are numbered in a way that the query protocol does not have. */
export function malformedList(message: string): AwsError {
  return new AwsError('MalformedInput', 400, message);
}

function requiredMember(path: string): string {
  const name = path.replace(/[A-Z]/, (letter, at: number) => (at === 0 ? letter.toLowerCase() : letter));
  return `1 validation error detected: Value null at '${name}' failed to satisfy constraint: Member must not be null`;
}

/** A value that is not of the member's type. `expected` in AWS's words: `Integer`, `Boolean`, `Timestamp` … */
export function wrongType(protocol: Protocol, path: string, value: string, expected: string): AwsError {
  switch (dialectOf(protocol)) {
    case 'ec2':
      return new AwsError(
        'InvalidParameterValue',
        400,
        `Value (${shorten(value)}) for parameter ${path} is invalid. The value must be of type ${expected}.`,
      );
    case 'query':
      return new AwsError('MalformedInput', 400, `STRING_VALUE can not be converted to ${article(expected)}`);
    case 'json':
      return new AwsError('SerializationException', 400, `${value} can not be converted to ${article(expected)}`);
    case 's3':
      return new AwsError('InvalidArgument', 400, `The value of ${path} must be of type ${expected}.`, {
        fields: { ArgumentName: path, ArgumentValue: shorten(value) },
      });
  }
}

function article(type: string): string {
  return /^[AEIOU]/.test(type) ? `an ${type}` : `a ${type}`;
}

function shorten(value: string): string {
  return value.length > 100 ? `${value.slice(0, 100)}…` : value;
}

export function malformedXml(): AwsError {
  return new AwsError(
    'MalformedXML',
    400,
    'The XML you provided was not well-formed or did not validate against our published schema',
  );
}

export function malformedJson(message: string): AwsError {
  return new AwsError('SerializationException', 400, message);
}

/** The body is longer than anything that the operation can mean. */
export function bodyTooLarge(protocol: Protocol): AwsError {
  switch (dialectOf(protocol)) {
    case 's3':
      return new AwsError('MaxMessageLengthExceeded', 400, 'Your request was too large.');
    case 'ec2':
    case 'query':
      return new AwsError('RequestEntityTooLarge', 413, 'The request body is too large.');
    case 'json':
      return new AwsError('SerializationException', 413, 'The request body is too large.');
  }
}

/** The client announced more bytes than it sent. */
export function incompleteBody(protocol: Protocol): AwsError {
  return dialectOf(protocol) === 's3'
    ? new AwsError(
        'IncompleteBody',
        400,
        'You did not provide the number of bytes specified by the Content-Length HTTP header.',
      )
    : new AwsError(
        dialectOf(protocol) === 'json' ? 'SerializationException' : 'MalformedInput',
        400,
        'The request body is incomplete.',
      );
}

export function missingContentLength(): AwsError {
  return new AwsError('MissingContentLength', 411, 'You must provide the Content-Length HTTP header.');
}

/** An `aws-chunked` body that breaks its own framing. */
export function malformedChunk(message: string): AwsError {
  return new AwsError('InvalidChunkSizeError', 400, message);
}

export function badDigest(algorithm: string): AwsError {
  return new AwsError('BadDigest', 400, `The ${algorithm} you specified did not match the calculated checksum.`);
}

/** S3 tells what it expected in hex, of a part in base64, and what it got in base64 (recorded). Both are given in base64. */
export function badMd5(expected: string, calculated: string, isPart: boolean): AwsError {
  const ExpectedDigest = isPart ? expected : Buffer.from(expected, 'base64').toString('hex');
  return new AwsError('BadDigest', 400, 'The Content-MD5 you specified did not match what we received.', {
    fields: { ExpectedDigest, CalculatedDigest: calculated },
  });
}

export function invalidDigest(name: string, value: string): AwsError {
  return name === 'content-md5'
    ? new AwsError('InvalidDigest', 400, 'The Content-MD5 you specified was invalid.', {
        fields: { 'Content-MD5': value },
      })
    : new AwsError('InvalidRequest', 400, `Value for ${name} header is invalid.`);
}

export function severalChecksums(): AwsError {
  const message = 'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.';
  return new AwsError('InvalidRequest', 400, message);
}

export function unsupportedChecksum(name: string): AwsError {
  return new AwsError('InvalidRequest', 400, `Postern does not compute the checksum of ${name}.`);
}
