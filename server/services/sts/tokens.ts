// Sessions of the caller itself (GetSessionToken), of a person it vouches for (GetFederationToken), and what a key or a message is about.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html, API_GetFederationToken.html (read 2026-11-20).

import type {
  DecodeAuthorizationMessageRequest,
  DecodeAuthorizationMessageResponse,
  GetAccessKeyInfoRequest,
  GetAccessKeyInfoResponse,
  GetCallerIdentityResponse,
  GetFederationTokenRequest,
  GetFederationTokenResponse,
  GetSessionTokenRequest,
  GetSessionTokenResponse,
} from '@aws-sdk/client-sts';
import { decodeAuthorizationMessage, messageScope } from '../../authorize/encoded-message.ts';
import { federatedUserArn } from '../../identities.ts';
import { managedPolicyDocument } from '../../managed-policies.ts';
import { type Call, operation, type Permission } from '../../service.ts';
import { keyNamed } from '../../sessions.ts';
import type { AccessKeyRow } from '../../store/rows/iam.ts';
import { accessDenied, invalidAuthorizationMessage, validationError } from './errors.ts';
import { checkedMfa } from './mfa.ts';
import { checkedSessionPolicies, checkedSessionTags, constraints, managedDocument } from './session-inputs.ts';
import { checkedTokenSize, describeCredentials, keepSession, startSession } from './sessions.ts';

const longestForRootSeconds = 3600;
const defaultSeconds = 43200;

/** Only long-term keys make these sessions. */
function refuseSessions(call: Call): void {
  const key = call.accessKey;
  const { type } = call.principal;
  if (key?.sessionToken !== undefined || type === 'role-session' || type === 'federated-user') {
    throw accessDenied(`Cannot call ${call.operation} with session credentials`);
  }
}

/** Root's sessions last an hour at most, whatever was asked for. */
function durationFor(call: Call, asked: number | undefined): number {
  constraints().range('durationSeconds', asked, 900, 129600).done();
  const seconds = asked ?? defaultSeconds;
  return call.principal.type === 'root' ? Math.min(seconds, longestForRootSeconds) : seconds;
}

function getCallerIdentity(call: Call): GetCallerIdentityResponse {
  return { UserId: call.principal.userId, Account: call.principal.accountId, Arn: call.principal.arn };
}

function getSessionToken(call: Call, input: GetSessionTokenRequest): GetSessionTokenResponse {
  refuseSessions(call);
  const device = checkedMfa(call, input);
  const { userName } = call.principal;
  const owner = { kind: 'session-token', of: userName === undefined ? 'root' : { userName } } as const;
  const leastTokenBytes = checkedTokenSize(input.MinimumSessionTokenSize);
  const session = keepSession(
    call.tx,
    call.accountId,
    owner,
    call.now,
    durationFor(call, input.DurationSeconds),
    leastTokenBytes,
  );
  if (device) {
    call.tx.put('mfa-device', device);
    call.tx.put('access-key', { ...session, mfaDate: call.now.toISOString() });
  }
  return { Credentials: describeCredentials(session) };
}

function federationPermissions(call: Call, input: GetFederationTokenRequest): Permission[] {
  // Told before what its policies say (public logs).
  refuseSessions(call);
  const name = checkedFederatedName(input);
  const resource = federatedUserArn(call.partition, call.accountId, name);
  const tags = checkedSessionTags(input.Tags);
  const context: Record<string, readonly string[]> = {};
  for (const [key, value] of Object.entries(tags)) context[`aws:RequestTag/${key}`] = [value];
  const tagged = Object.keys(tags).length > 0;
  if (tagged) context['aws:TagKeys'] = Object.keys(tags);
  const actions = tagged ? ['sts:GetFederationToken', 'sts:TagSession'] : ['sts:GetFederationToken'];
  return actions.map((action) => ({ action, resource, context }));
}

function checkedFederatedName(input: GetFederationTokenRequest): string {
  constraints()
    .required('name', input.Name)
    .length('name', input.Name, 2, 32)
    .pattern('name', input.Name, /^[\w+=,.@-]*$/, '[\\w+=,.@-]*')
    .done();
  return input.Name ?? '';
}

function getFederationToken(call: Call, input: GetFederationTokenRequest): GetFederationTokenResponse {
  const name = checkedFederatedName(input);
  const documentOf = managedDocument(call.tx, call.accountId, managedPolicyDocument);
  const tags = checkedSessionTags(input.Tags);
  const policies = checkedSessionPolicies(input, documentOf, tags);
  const seconds = durationFor(call, input.DurationSeconds);
  const owner: AccessKeyRow['owner'] = {
    kind: 'federated-user',
    name,
    // The managed policies as they are now: a federated session does not see later versions (gap).
    sessionPolicies: [...policies.texts, ...policies.arns.flatMap((arn) => documentOf(arn) ?? [])],
    parent: call.principal.arn,
    ...(Object.keys(tags).length > 0 && { tags }),
  };
  const leastTokenBytes = checkedTokenSize(input.MinimumSessionTokenSize);
  const session = startSession(call.tx, call.accountId, owner, call.now, seconds, leastTokenBytes);
  return {
    Credentials: describeCredentials(session),
    FederatedUser: {
      FederatedUserId: `${call.accountId}:${name}`,
      Arn: federatedUserArn(call.partition, call.accountId, name),
    },
    PackedPolicySize: policies.packedPolicySize ?? 0,
  };
}

/** AWS reads the account out of the key id's letters; here the key must be one of ours, and a session one of those that were made or used last. */
function getAccessKeyInfo(call: Call, input: GetAccessKeyInfoRequest): GetAccessKeyInfoResponse {
  constraints()
    .required('accessKeyId', input.AccessKeyId)
    .length('accessKeyId', input.AccessKeyId, 16, 128)
    .pattern('accessKeyId', input.AccessKeyId, /^\w*$/, '[\\w]*')
    .done();
  const key = keyNamed(call.tx, input.AccessKeyId ?? '');
  if (!key) throw validationError(`Invalid Access Key Id: ${input.AccessKeyId ?? ''}`);
  return { Account: key.accountId };
}

function decodeMessage(call: Call, input: DecodeAuthorizationMessageRequest): DecodeAuthorizationMessageResponse {
  constraints()
    .required('encodedMessage', input.EncodedMessage)
    .length('encodedMessage', input.EncodedMessage, 1, 10240)
    .done();
  const decoded = decodeAuthorizationMessage(messageScope(call), input.EncodedMessage ?? '');
  if (decoded === undefined) throw invalidAuthorizationMessage();
  return { DecodedMessage: decoded };
}

const onEverything = (call: Call): Permission[] => [{ action: `sts:${call.operation}`, resource: '*' }];

export const tokens = {
  // An explicit deny changes nothing: the same facts are in every AccessDenied message (API reference).
  GetCallerIdentity: operation<Record<string, never>, GetCallerIdentityResponse>({
    authorize: 'none',
    run: getCallerIdentity,
    readOnly: true,
  }),
  GetSessionToken: operation<GetSessionTokenRequest, GetSessionTokenResponse>({
    authorize: 'none',
    run: getSessionToken,
  }),
  GetFederationToken: operation<GetFederationTokenRequest, GetFederationTokenResponse>({
    authorize: federationPermissions,
    run: getFederationToken,
  }),
  GetAccessKeyInfo: operation<GetAccessKeyInfoRequest, GetAccessKeyInfoResponse>({
    authorize: onEverything,
    run: getAccessKeyInfo,
    readOnly: true,
  }),
  DecodeAuthorizationMessage: operation<DecodeAuthorizationMessageRequest, DecodeAuthorizationMessageResponse>({
    authorize: onEverything,
    run: decodeMessage,
    readOnly: true,
  }),
};
