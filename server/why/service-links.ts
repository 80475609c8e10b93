// Where no policy decided: what the edge said of the signature, and what the service itself said. A row per error that has a stage of its own.

import type { ChainLink, RequestEvent } from '../operator/api.ts';

/** The caller was not even known. */
const signatureErrors: ReadonlySet<string> = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'InvalidSignatureException',
  'RequestTimeTooSkewed',
  'ExpiredToken',
  'ExpiredTokenException',
  'RequestExpired',
  'InvalidToken',
  'InvalidClientTokenId',
  'UnrecognizedClientException',
  'AuthFailure',
  'IncompleteSignature',
  'IncompleteSignatureException',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'AuthorizationHeaderMalformed',
]);

/** Error code → the stage that it speaks of. */
const stages: Readonly<Record<string, string>> = {
  NoSuchBucket: 'bucket',
  PermanentRedirect: 'region',
  AccessControlListNotSupported: 'object ownership',
  InvalidBucketAclWithObjectOwnership: 'object ownership',
  InvalidBucketAclWithBlockPublicAccessError: 'block public access',
};

/** Sentence → stage, where one code says many things. */
const sentences: readonly (readonly [RegExp, string])[] = [
  [/object protected by object lock/, 'object lock'],
  [/BlockPublicPolicy|BlockPublicAcls|RestrictPublicBuckets|block public access/i, 'block public access'],
  [/requester pays/, 'requester pays'],
  [/expected bucket owner/, 'expected owner'],
  [/access point takes/, 'access point'],
  [/customer keys/, 'encryption'],
  [/MFA delete|Mfa Authentication/, 'MFA delete'],
];

export function signatureLink(event: RequestEvent): ChainLink {
  const { principalArn, accessKeyId, errorCode, errorMessage } = event;
  const stage = 'signature';
  const isRefused = errorCode !== undefined && signatureErrors.has(errorCode) && event.decision === undefined;
  if (isRefused)
    return {
      stage,
      verdict: 'drop',
      ...(accessKeyId !== undefined && { component: accessKeyId }),
      because: `${errorCode}: ${errorMessage ?? ''}`,
    };
  if (principalArn === 'anonymous')
    return { stage, verdict: 'none', because: 'the request is not signed: nobody asks' };
  return {
    stage,
    verdict: 'pass',
    ...(accessKeyId !== undefined && { component: accessKeyId }),
    because: principalArn,
  };
}

/** What the service decided by itself. */
export function ownLinks(
  event: Pick<RequestEvent, 'service' | 'errorCode' | 'errorMessage' | 'explanation'>,
): ChainLink[] {
  const { service, errorCode = '', errorMessage = '', explanation } = event;
  const words = `${errorMessage} ${explanation ?? ''}`;
  const stage = stages[errorCode] ?? sentences.find(([pattern]) => pattern.test(words))?.[1] ?? `${service} itself`;
  return [{ stage, verdict: 'drop', because: `${errorCode}: ${explanation ?? errorMessage}` }];
}
