// A token of an OpenID Connect provider for a role's session. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
// (read 2026-11-21). The request is not signed: the token is the proof. Its signature is checked against the keys that the operator registered for
// the provider (docs/decisions/0018), and without keys it is refused.
// Order: the input's form, the role's ARN, the token's form, the provider in the role's account, signature, times, audience, the trust policy with
// the token's claims as condition keys, then what any session asks. A role that is not there answers as one that does not trust the token.

import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import type { AssumeRoleWithWebIdentityRequest, AssumeRoleWithWebIdentityResponse } from '@aws-sdk/client-sts';
import { AwsError } from '../../errors.ts';
import { assumedRoleArn, parseRoleArn } from '../../identities.ts';
import { type Call, operation } from '../../service.ts';
import type { OidcProviderRow } from '../../store/rows/iam.ts';
import { invalidParameterValue, validationError } from './errors.ts';
import { type ClaimContext, federatedContext, startFederatedSession } from './federation.ts';
import { arnConstraints, checkedSessionTags, constraints } from './session-inputs.ts';
import { describeCredentials } from './sessions.ts';

type Claims = Readonly<Record<string, unknown>>;

interface Token {
  readonly algorithm: string;
  readonly keyId: string | undefined;
  readonly claims: Claims;
  /** What was signed. */
  readonly signed: string;
  readonly signature: Buffer;
}

/** How each algorithm is checked; all others (`none` above all) are refused. */
const algorithms: Readonly<Record<string, { readonly digest: string; readonly elliptic: boolean }>> = {
  RS256: { digest: 'sha256', elliptic: false },
  RS384: { digest: 'sha384', elliptic: false },
  RS512: { digest: 'sha512', elliptic: false },
  ES256: { digest: 'sha256', elliptic: true },
  ES384: { digest: 'sha384', elliptic: true },
  ES512: { digest: 'sha512', elliptic: true },
};

function invalidToken(message: string): AwsError {
  return new AwsError('InvalidIdentityToken', 400, message);
}

function readToken(text: string): Token {
  const parts = text.split('.');
  const [head = '', body = '', signature = ''] = parts;
  const header = readJson(head);
  const claims = readJson(body);
  if (parts.length !== 3 || !header || !claims) {
    throw invalidToken(
      'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)',
    );
  }
  const { alg, kid } = header;
  return {
    algorithm: typeof alg === 'string' ? alg : '',
    keyId: typeof kid === 'string' ? kid : undefined,
    claims,
    signed: `${head}.${body}`,
    signature: Buffer.from(signature, 'base64url'),
  };
}

function readJson(part: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Claims) : undefined;
  } catch {
    return undefined;
  }
}

/** The provider of the token's issuer, in the role's account. */
function findProvider(call: Call, accountId: string, claims: Claims): OidcProviderRow {
  const issuer = claims.iss;
  if (typeof issuer !== 'string') throw invalidToken('Missing a required claim: iss');
  const name = issuer.replace(/^https:\/\//, '').replace(/\/$/, '');
  const row = call.tx.get('oidc-provider', `arn:${call.partition}:iam::${accountId}:oidc-provider/${name}`);
  if (!row) throw invalidToken(`No OpenIDConnect provider found in your account for ${issuer}`);
  return row;
}

function checkSignature(token: Token, provider: OidcProviderRow): void {
  if (!provider.keys || provider.keys.length === 0) {
    throw invalidToken(
      "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements",
    );
  }
  const algorithm = Object.hasOwn(algorithms, token.algorithm) ? algorithms[token.algorithm] : undefined;
  const named = provider.keys.filter((key) => token.keyId === undefined || key.kid === token.keyId);
  const fits = algorithm && named.some((key) => isSignedBy(token, key as JsonWebKey, algorithm));
  if (!fits) throw invalidToken('Provided Token is not valid: its signature could not be verified.');
}

function isSignedBy(
  token: Token,
  jwk: JsonWebKey,
  { digest, elliptic }: { digest: string; elliptic: boolean },
): boolean {
  if (jwk.kty !== (elliptic ? 'EC' : 'RSA')) return false;
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    const how = elliptic ? ({ key, dsaEncoding: 'ieee-p1363' } as const) : key;
    return verify(digest, Buffer.from(token.signed), how, token.signature);
  } catch {
    // A registered key that is none cannot have signed.
    return false;
  }
}

/** Five minutes of clock difference are allowed on either side; the messages tell the time with them. */
const skewSeconds = 300;

/** A token is good from `nbf` and `iat` until `exp`. Recorded on AWS (2026-09), words too. */
function checkTimes(claims: Claims, now: Date): void {
  const seconds = Math.floor(now.getTime() / 1000);
  const exp = timeOf(claims, 'exp');
  const iat = timeOf(claims, 'iat');
  const nbf = claims['nbf'] === undefined ? 0 : timeOf(claims, 'nbf');
  if (seconds - skewSeconds >= exp) {
    throw new AwsError(
      'ExpiredTokenException',
      400,
      `Token expired: current date/time ${seconds - skewSeconds} must be before the expiration date/time ${exp}`,
    );
  }
  if (iat > seconds + skewSeconds) throw invalidToken(`Token issued in the future: ${iat}`);
  if (nbf > seconds + skewSeconds) {
    throw invalidToken(
      `Token not yet valid: current date/time ${seconds + skewSeconds} must be after or equal to the not-before date/time ${nbf}`,
    );
  }
}

/** A whole number, also one that is written as text. */
function timeOf(claims: Claims, claim: string): number {
  const value = claims[claim];
  if (value === undefined) throw invalidToken(`Missing a required claim: ${claim}`);
  const seconds = typeof value === 'string' && value !== '' ? Number(value) : value;
  if (typeof seconds === 'number' && Number.isInteger(seconds)) return seconds;
  throw invalidToken('Invalid timestamp in token claims.');
}

/** `aud` may be a list; `azp` stands before it, as AWS says of tokens with both. */
function audiences(claims: Claims): string[] {
  if (typeof claims.azp === 'string') return [claims.azp];
  return texts(claims.aud);
}

/** The one that the provider must know. Recorded: of several nobody knows which is meant, unless `azp` says it. */
function checkedAudience(claims: Claims, provider: OidcProviderRow): string {
  if (claims.aud === undefined) throw invalidToken('Missing a required claim: aud');
  const [audience, ...more] = audiences(claims);
  if (Array.isArray(claims.aud) && claims.aud.length === 0) throw invalidToken('Claim is not allowed to be empty: aud');
  if (more.length > 0) {
    throw invalidToken('Token audience contains more than one audience while authorized party is not present');
  }
  if (audience !== undefined && provider.clientIds.includes(audience)) return audience;
  throw invalidToken(
    'The web identity token provided could not be validated. See the AssumeRoleWithWebIdentity documentation for requirements.',
  );
}

function texts(value: unknown): string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((one) => typeof one === 'string');
}

/** The token's claims under the provider's name: `token.actions.githubusercontent.com:sub`. */
function claimContext(call: Call, provider: OidcProviderRow, claims: Claims): ClaimContext {
  const name = provider.url.toLowerCase();
  const context = federatedContext(call, provider.id);
  context.set(`${name}:aud`, audiences(claims));
  if (typeof claims.azp === 'string') context.set(`${name}:oaud`, texts(claims.aud));
  for (const claim of ['sub', 'amr', 'email']) {
    const values = texts(claims[claim]);
    if (values.length > 0) context.set(`${name}:${claim}`, values);
  }
  return context;
}

/**
 * Did the provider itself say which roles the token is for? A list, or a text with semicolons, of ARNs; what is none is left out. Reported of AWS by others (2026-09); the words of the
 * refusal are unsourced. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
 * @throws AwsError InvalidIdentityToken when it is for others
 */
function isForRole(claims: Claims, roleArn: string): boolean {
  const claim = claims['https://aws.amazon.com/roles'];
  if (claim === undefined || claim === null) return false;
  const named = typeof claim === 'string' ? claim.split(';') : texts(claim);
  if (named.some((one) => one.trim() === roleArn)) return true;
  throw invalidToken('The token is not for the requested role.');
}

const tagsClaim = 'https://aws.amazon.com/tags';

interface TokenTags {
  readonly tags: Record<string, string>;
  readonly transitive: readonly string[];
}

/** Session tags that the provider put into the token. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html (read 2026-11-21) */
function tokenTags(claims: Claims): TokenTags {
  const claim = claims[tagsClaim];
  const { principal_tags, transitive_tag_keys } = (typeof claim === 'object' && claim !== null ? claim : {}) as Record<
    string,
    unknown
  >;
  const pairs = typeof principal_tags === 'object' && principal_tags !== null ? Object.entries(principal_tags) : [];
  const nested = pairs.map(([Key, value]) => {
    const [Value, ...more] = Array.isArray(value) ? texts(value) : [];
    if (Value === undefined || more.length > 0) {
      throw invalidToken('principal_tags passed in claim is not in correct format.');
    }
    return { Key, Value };
  });
  // The flat form, for providers that have no nested claims.
  const prefix = `${tagsClaim}/principal_tags/`;
  const flat = Object.entries(claims).flatMap(([name, Value]) =>
    name.startsWith(prefix) && typeof Value === 'string' ? [{ Key: name.slice(prefix.length), Value }] : [],
  );
  const transitive = transitive_tag_keys ?? claims[`${tagsClaim}/transitive_tag_keys`];
  return { tags: checkedSessionTags([...nested, ...flat]), transitive: texts(transitive) };
}

function assumeRoleWithWebIdentity(
  call: Call,
  input: AssumeRoleWithWebIdentityRequest,
): AssumeRoleWithWebIdentityResponse {
  arnConstraints(constraints(), 'roleArn', input.RoleArn)
    .required('roleSessionName', input.RoleSessionName)
    .length('roleSessionName', input.RoleSessionName, 2, 64)
    .pattern('roleSessionName', input.RoleSessionName, /^[\w+=,.@-]*$/, '[\\w+=,.@-]*')
    .required('webIdentityToken', input.WebIdentityToken)
    .length('webIdentityToken', input.WebIdentityToken, 4, 20000)
    .range('durationSeconds', input.DurationSeconds, 900, 43200)
    .done();
  const { RoleArn: roleArn = '', RoleSessionName: sessionName = '' } = input;
  if (input.ProviderId !== undefined) {
    throw invalidParameterValue(
      'ProviderId is for OAuth 2.0 access tokens, which Postern does not take; OpenID Connect tokens need none.',
    );
  }
  const parsed = parseRoleArn(roleArn);
  if (!parsed || parsed.partition !== call.partition) throw validationError(`${roleArn} is invalid`);
  const token = readToken(input.WebIdentityToken ?? '');
  const { claims } = token;
  const provider = findProvider(call, parsed.accountId, claims);
  checkSignature(token, provider);
  checkTimes(claims, call.now);
  const audience = checkedAudience(claims, provider);
  const subject = typeof claims.sub === 'number' ? String(claims.sub) : claims.sub;
  if (typeof subject !== 'string') throw invalidToken('Missing a required claim: sub');

  const given = tokenTags(claims);
  const context = claimContext(call, provider, claims);
  context.set('sts:roleauthorizedbyidp', [String(isForRole(claims, roleArn))]);
  const [sourceIdentity] = texts(claims['https://aws.amazon.com/source_identity']);
  const { session, role, policies } = startFederatedSession(
    call,
    {
      action: 'sts:AssumeRoleWithWebIdentity',
      roleArn,
      roleAccountId: parsed.accountId,
      roleName: parsed.roleName,
      rolePath: parsed.path,
      sessionName,
      providerArn: provider.id,
      tags: given.tags,
      transitiveTagKeys: given.transitive,
      sourceIdentity,
      durationSeconds: input.DurationSeconds,
      input,
      // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#cross-condition-keys-wif (read 2026-11-21)
      keptKeys: ['amr', 'aud', 'sub'].map((claim) => `${provider.url.toLowerCase()}:${claim}`),
    },
    context,
  );
  return {
    Credentials: describeCredentials(session),
    AssumedRoleUser: {
      AssumedRoleId: `${role.roleId}:${sessionName}`,
      Arn: assumedRoleArn(call.partition, role.accountId, role.roleName, sessionName),
    },
    SubjectFromWebIdentityToken: subject,
    Provider: provider.id,
    Audience: audience,
    ...(policies.packedPolicySize !== undefined && { PackedPolicySize: policies.packedPolicySize }),
    ...(sourceIdentity !== undefined && { SourceIdentity: sourceIdentity }),
  };
}

export const webIdentity = {
  // The token speaks for itself, to the trust policy alone.
  AssumeRoleWithWebIdentity: operation<AssumeRoleWithWebIdentityRequest, AssumeRoleWithWebIdentityResponse>({
    authorize: 'none',
    run: assumeRoleWithWebIdentity,
  }),
};
