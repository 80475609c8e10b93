// STS with the real policies of caller and role. Error texts are AWS's (recorded 2025, or from the guide); rule ids are those of docs/rules.

import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { createAccount, ensureFirstState } from '../../accounts.ts';
import { encodeAuthorizationMessage } from '../../authorize/encoded-message.ts';
import type { BaseCall } from '../../service.ts';
import { keyNamed } from '../../sessions.ts';
import type { AccessKeyRow } from '../../store/rows/iam.ts';
import type { Store } from '../../store/store.ts';
import { awsError, makeStore, rootPrincipal, runAs, runOperation, testNow } from '../../testing.ts';
import { account } from '../account/index.ts';
import { iam } from '../iam/index.ts';
import { organizations } from '../organizations/index.ts';
import { sts } from './index.ts';

const accountId = '123456789012';
const otherAccountId = '210987654321';
const roleArn = `arn:aws:iam::${accountId}:role/app`;

type Output = Record<string, unknown>;
interface Session {
  Credentials: { AccessKeyId: string; SecretAccessKey: string; SessionToken: string; Expiration: Date };
  AssumedRoleUser: { Arn: string; AssumedRoleId: string };
  PackedPolicySize?: number;
}

let store: Store;
let rootKey: string;
let anaKey: string;

function trusting(principal: unknown, more: Output = {}, Action: unknown = 'sts:AssumeRole'): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: principal, Action, ...more }],
  });
}

function allowing(Action: string | string[], Resource = '*', Effect = 'Allow'): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect, Action, Resource }] });
}

function asIam(name: string, input: unknown, overrides: Partial<BaseCall> = {}): Promise<Output> {
  return runOperation(store, iam, name, input, overrides);
}

async function makeUser(UserName: string, overrides: Partial<BaseCall> = {}): Promise<string> {
  await asIam('CreateUser', { UserName }, overrides);
  const { AccessKey } = (await asIam('CreateAccessKey', { UserName }, overrides)) as {
    AccessKey: { AccessKeyId: string };
  };
  return AccessKey.AccessKeyId;
}

function makeRole(AssumeRolePolicyDocument: string, more: Output = {}): Promise<Output> {
  return asIam('CreateRole', { RoleName: 'app', AssumeRolePolicyDocument, ...more });
}

function mayAssume(UserName: string, overrides: Partial<BaseCall> = {}): Promise<Output> {
  const PolicyDocument = allowing(['sts:AssumeRole', 'sts:TagSession'], roleArn);
  return asIam('PutUserPolicy', { UserName, PolicyName: 'assume', PolicyDocument }, overrides);
}

function assume(accessKeyId: string, more: Output = {}, overrides: Partial<BaseCall> = {}): Promise<Session> {
  return runAs(store, accessKeyId, sts, 'AssumeRole', { RoleArn: roleArn, RoleSessionName: 's1', ...more }, overrides);
}

const ownerOf = (session: Session): AccessKeyRow['owner'] | undefined =>
  store.read((tx) => keyNamed(tx, session.Credentials.AccessKeyId))?.owner;

const rejects = (promise: Promise<unknown>, code: string, message?: string | RegExp) =>
  assert.rejects(promise, awsError(code, message));

beforeEach(async () => {
  store = makeStore();
  const { value } = store.transact((tx) => {
    createAccount(tx, otherAccountId, testNow);
    return ensureFirstState(tx, testNow);
  });
  rootKey = value.rootKey.id;
  anaKey = await makeUser('ana');
});

describe('AssumeRole', () => {
  it('[E1] needs the trust policy and, when that names only the account, the caller’s own policy too', async () => {
    await makeRole(trusting({ AWS: accountId }));
    const denied = `User: arn:aws:iam::${accountId}:user/ana is not authorized to perform: sts:AssumeRole on resource: ${roleArn} because no identity-based policy allows the sts:AssumeRole action`;
    await rejects(assume(anaKey), 'AccessDenied', denied);
    await mayAssume('ana');
    const session = await assume(anaKey);
    assert.equal(session.AssumedRoleUser.Arn, `arn:aws:sts::${accountId}:assumed-role/app/s1`);
    assert.match(session.AssumedRoleUser.AssumedRoleId, /^AROA[A-Z2-7]{17}:s1$/);
    assert.match(session.Credentials.AccessKeyId, /^ASIA[A-Z2-7]{16}$/);
    assert.equal(session.Credentials.Expiration.getTime() - testNow.getTime(), 3600_000);
    assert.equal(session.PackedPolicySize, undefined);
  });

  it('[E1] the caller’s own policy is not enough when the trust policy names somebody else', async () => {
    await makeUser('bob');
    await makeRole(trusting({ AWS: `arn:aws:iam::${accountId}:user/bob` }));
    await mayAssume('ana');
    await rejects(assume(anaKey), 'AccessDenied', /no role trust policy allows the sts:AssumeRole action$/);
  });

  it('[E1] a trust policy that names the user is enough in one account', async () => {
    await makeRole(trusting({ AWS: `arn:aws:iam::${accountId}:user/ana` }));
    await assume(anaKey);
  });

  it('[E2] across accounts both sides must allow', async () => {
    const other = { accountId: otherAccountId, principal: rootPrincipal(otherAccountId) };
    const eveKey = await makeUser('eve', other);
    await makeRole(trusting({ AWS: `arn:aws:iam::${otherAccountId}:user/eve` }));
    await rejects(assume(eveKey), 'AccessDenied', /because no identity-based policy allows/);
    await mayAssume('eve', other);
    const session = await assume(eveKey);
    const row = store.read((tx) => keyNamed(tx, session.Credentials.AccessKeyId));
    assert.equal(row?.accountId, accountId);
  });

  it('an external id must be the one that the trust policy asks for', async () => {
    await makeRole(
      trusting(
        { AWS: `arn:aws:iam::${accountId}:user/ana` },
        { Condition: { StringEquals: { 'sts:ExternalId': 'secret-1' } } },
      ),
    );
    await rejects(assume(anaKey), 'AccessDenied');
    await rejects(assume(anaKey, { ExternalId: 'secret-2' }), 'AccessDenied');
    await assume(anaKey, { ExternalId: 'secret-1' });
  });

  it('a role that is not there is denied like one that does not trust the caller', async () => {
    await mayAssume('ana');
    const denied = `User: arn:aws:iam::${accountId}:user/ana is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`;
    await rejects(assume(anaKey), 'AccessDenied', denied);
  });

  it('root may not', async () => {
    await makeRole(trusting({ AWS: accountId }));
    await rejects(assume(rootKey), 'AccessDenied', 'Roles may not be assumed by root accounts.');
  });

  it('refuses what is no role’s ARN and no session’s name, the name first', async () => {
    for (const RoleArn of ['nothing-valid-in-here', 'arn::b:::something/test-role', 'arn:a:a::aaaaaaaaaa:']) {
      await rejects(assume(anaKey, { RoleArn }), 'ValidationError', `${RoleArn} is invalid`);
    }
    const empty = (member: string) =>
      `Value '' at '${member}' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\u0009\\u000A\\u000D\\u0020-\\u007E\\u0085\\u00A0-\\uD7FF\\uE000-\\uFFFD\\u10000-\\u10FFFF]+; Value '' at '${member}' failed to satisfy constraint: Member must have length greater than or equal to 20`;
    await rejects(
      assume(anaKey, { RoleArn: '' }),
      'ValidationError',
      `2 validation errors detected: ${empty('roleArn')}`,
    );
    const name =
      "1 validation error detected: Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*";
    await rejects(
      assume(anaKey, { RoleArn: 'arn:a:b:::something/test-role', RoleSessionName: 'Session1:2' }),
      'ValidationError',
      name,
    );
  });

  it('lasts no longer than the role allows, and an hour in a chain', async () => {
    await makeRole(trusting({ AWS: `arn:aws:iam::${accountId}:user/ana` }), { MaxSessionDuration: 7200 });
    await rejects(
      assume(anaKey, { DurationSeconds: 899 }),
      'ValidationError',
      /'durationSeconds' failed .* greater than or equal to 900$/,
    );
    await rejects(
      assume(anaKey, { DurationSeconds: 7201 }),
      'ValidationError',
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    );
    const first = await assume(anaKey, { DurationSeconds: 7200 });
    await asIam('UpdateAssumeRolePolicy', { RoleName: 'app', PolicyDocument: trusting({ AWS: roleArn }) });
    const chainKey = first.Credentials.AccessKeyId;
    await rejects(
      assume(chainKey, { DurationSeconds: 3601 }),
      'ValidationError',
      /1 hour session limit for roles assumed by role chaining\.$/,
    );
    await assume(chainKey, { DurationSeconds: 3600 });
  });

  it('hands transitive tags down and lets nobody change them', async () => {
    const actions = ['sts:AssumeRole', 'sts:TagSession'];
    await makeRole(trusting({ AWS: `arn:aws:iam::${accountId}:user/ana` }, {}, actions));
    const first = await assume(anaKey, {
      Tags: [
        { Key: 'team', Value: 'net' },
        { Key: 'shift', Value: 'night' },
      ],
      TransitiveTagKeys: ['team'],
    });
    await asIam('UpdateAssumeRolePolicy', { RoleName: 'app', PolicyDocument: trusting({ AWS: roleArn }, {}, actions) });
    const second = await assume(first.Credentials.AccessKeyId);
    const owner = ownerOf(second);
    assert.deepEqual(owner?.kind === 'role-session' && owner.tags, { team: 'net' });
    const conflict = /^One of the specified transitive tag keys can't be set because it conflicts/;
    await rejects(
      assume(second.Credentials.AccessKeyId, { Tags: [{ Key: 'Team', Value: 'x' }] }),
      'InvalidParameterValue',
      conflict,
    );
    const missing = 'The specified transitive tag key must be included in the requested tags.';
    const withoutTag = assume(first.Credentials.AccessKeyId, {
      Tags: [{ Key: 'a', Value: 'b' }],
      TransitiveTagKeys: ['c'],
    });
    await rejects(withoutTag, 'InvalidParameterValue', missing);
  });

  it('needs sts:TagSession of both sides for tags', async () => {
    await makeRole(trusting({ AWS: `arn:aws:iam::${accountId}:user/ana` }));
    await rejects(assume(anaKey, { Tags: [{ Key: 'a', Value: 'b' }] }), 'AccessDenied', /sts:TagSession/);
  });

  it('[E4] a session policy takes away and gives nothing', async () => {
    await makeRole(trusting({ AWS: `arn:aws:iam::${accountId}:user/ana` }));
    await asIam('PutRolePolicy', { RoleName: 'app', PolicyName: 'p', PolicyDocument: allowing('iam:ListUsers') });
    const free = await assume(anaKey);
    await runAs(store, free.Credentials.AccessKeyId, iam, 'ListUsers');
    const narrow = await assume(anaKey, { Policy: allowing(['iam:ListRoles']) });
    assert.ok((narrow.PackedPolicySize ?? 0) > 0);
    const call = (name: string) => runAs(store, narrow.Credentials.AccessKeyId, iam, name);
    await rejects(call('ListUsers'), 'AccessDenied', /because no session policy allows the iam:ListUsers action$/);
    await rejects(
      call('ListRoles'),
      'AccessDenied',
      /because no identity-based policy allows the iam:ListRoles action$/,
    );
    const arns = await assume(anaKey, { PolicyArns: [{ arn: 'arn:aws:iam::aws:policy/IAMReadOnlyAccess' }] });
    await runAs(store, arns.Credentials.AccessKeyId, iam, 'ListUsers');
    await rejects(assume(anaKey, { Policy: '{' }), 'MalformedPolicyDocument');
    await rejects(assume(anaKey, { PolicyArns: [{ arn: 'arn:aws:iam::aws:policy/NoSuchPolicy' }] }), 'ValidationError');
  });

  it('writes nothing for a session: its token says whose it is', async () => {
    await makeRole(trusting({ AWS: `arn:aws:iam::${accountId}:user/ana` }));
    await assume(anaKey);
    const { revision } = store;
    const { Credentials } = await assume(anaKey);
    assert.equal(store.revision, revision);
    assert.equal(
      store.read((tx) => tx.get('access-key', Credentials.AccessKeyId)),
      undefined,
    );
  });
});

describe('tokens', () => {
  it('[E6] GetCallerIdentity needs no permission and tells who asks', async () => {
    const identity = await runAs(store, anaKey, sts, 'GetCallerIdentity');
    assert.deepEqual(
      { ...identity, UserId: undefined },
      { Account: accountId, Arn: `arn:aws:iam::${accountId}:user/ana`, UserId: undefined },
    );
    assert.match(String(identity.UserId), /^AIDA/);
    assert.deepEqual(await runAs(store, rootKey, sts, 'GetCallerIdentity'), {
      UserId: accountId,
      Account: accountId,
      Arn: `arn:aws:iam::${accountId}:root`,
    });
  });

  it('removes the rows of sessions of users that ended more than a day ago', async () => {
    const old = await runAs<Session>(store, anaKey, sts, 'GetSessionToken', { DurationSeconds: 3600 });
    const later = (hours: number) => ({ now: new Date(testNow.getTime() + hours * 3600_000) });
    const keyRow = () => store.read((tx) => tx.get('access-key', old.Credentials.AccessKeyId));
    await runAs(store, anaKey, sts, 'GetSessionToken', {}, later(20));
    assert.ok(keyRow(), 'a session that ended lately is kept, so that its use is ExpiredToken');
    await runAs(store, anaKey, sts, 'GetSessionToken', {}, later(26));
    assert.equal(keyRow(), undefined);
    assert.ok(
      store.read((tx) => tx.get('access-key', anaKey)),
      'long-term keys stay',
    );
  });

  it('a token is as long as it is asked to be, up to 4,096 bytes, and is good', async () => {
    const input = { RoleArn: roleArn, RoleSessionName: 's1' };
    await makeRole(trusting({ AWS: accountId }));
    await mayAssume('ana');
    for (const [operation, more] of [
      ['GetSessionToken', {}],
      ['AssumeRole', input],
    ] as const) {
      const ask = (MinimumSessionTokenSize: number) =>
        runAs<Session>(store, anaKey, sts, operation, { ...more, MinimumSessionTokenSize });
      const { Credentials } = await ask(4096);
      assert.equal(Credentials.SessionToken.length, 4096);
      await runAs(store, Credentials.AccessKeyId, sts, 'GetCallerIdentity');
      assert.ok((await ask(0)).Credentials.SessionToken.length < 1024);
      await rejects(ask(4097), 'ValidationError', /'minimumSessionTokenSize'/);
    }
  });

  it('GetSessionToken is the same user, is not to be had twice, and is an hour at most for root', async () => {
    const first = await runAs<Session>(store, anaKey, sts, 'GetSessionToken');
    const { AccessKeyId, Expiration } = first.Credentials;
    assert.equal(Expiration.getTime() - testNow.getTime(), 43200_000);
    const identity = await runAs(store, AccessKeyId, sts, 'GetCallerIdentity');
    assert.equal(identity.Arn, `arn:aws:iam::${accountId}:user/ana`);
    await rejects(
      runAs(store, AccessKeyId, sts, 'GetSessionToken'),
      'AccessDenied',
      'Cannot call GetSessionToken with session credentials',
    );
    await rejects(
      runAs(store, AccessKeyId, sts, 'GetFederationToken', { Name: 'guest' }),
      'AccessDenied',
      'Cannot call GetFederationToken with session credentials',
    );
    await asIam('PutUserPolicy', { UserName: 'ana', PolicyName: 'p', PolicyDocument: allowing('iam:*') });
    await runAs(store, anaKey, iam, 'ListUsers');
    const inIam = runAs(store, AccessKeyId, iam, 'ListUsers');
    await rejects(inIam, 'InvalidClientTokenId', 'The security token included in the request is invalid');
    const root = await runAs<Session>(store, rootKey, sts, 'GetSessionToken', { DurationSeconds: 129600 });
    assert.equal(root.Credentials.Expiration.getTime() - testNow.getTime(), 3600_000);
  });

  it('GetFederationToken may do what both its policy and its user’s allow', async () => {
    await rejects(
      runAs(store, anaKey, sts, 'GetFederationToken', { Name: 'guest' }),
      'AccessDenied',
      /federated-user\/guest/,
    );
    const PolicyDocument = allowing(['sts:GetFederationToken', 'organizations:*', 'account:ListRegions', 'iam:*']);
    await asIam('PutUserPolicy', { UserName: 'ana', PolicyName: 'p', PolicyDocument });
    const token = await runAs<Session & { FederatedUser: Output }>(store, anaKey, sts, 'GetFederationToken', {
      Name: 'guest',
      Policy: allowing(['account:ListRegions', 'account:GetRegionOptStatus', 'iam:*']),
    });
    assert.deepEqual(token.FederatedUser, {
      FederatedUserId: `${accountId}:guest`,
      Arn: `arn:aws:sts::${accountId}:federated-user/guest`,
    });
    const key = token.Credentials.AccessKeyId;
    await runAs(store, key, account, 'ListRegions');
    const status = runAs(store, key, account, 'GetRegionOptStatus', { RegionName: 'us-east-1' });
    await rejects(status, 'AccessDeniedException', /because no identity-based policy allows/);
    await rejects(runAs(store, key, organizations, 'DescribeOrganization'), 'AccessDeniedException');
    await rejects(runAs(store, key, iam, 'ListUsers'), 'InvalidClientTokenId');
  });

  it('GetAccessKeyInfo tells the account of a key', async () => {
    assert.deepEqual(await runAs(store, rootKey, sts, 'GetAccessKeyInfo', { AccessKeyId: anaKey }), {
      Account: accountId,
    });
    await rejects(
      runAs(store, rootKey, sts, 'GetAccessKeyInfo', { AccessKeyId: 'AKIAIOSFODNN7EXAMPLE' }),
      'ValidationError',
    );
  });

  it('a session of GetSessionToken may ask for a role, one of GetFederationToken for nothing but who it is', async () => {
    const session = await runAs<Session>(store, rootKey, sts, 'GetSessionToken');
    const federated = await runAs<Session>(store, rootKey, sts, 'GetFederationToken', { Name: 'guest' });
    const asked = (from: Session, name: string, input: object) =>
      runAs(store, from.Credentials.AccessKeyId, sts, name, input);
    const info = { AccessKeyId: anaKey };
    const words = 'Cannot call GetAccessKeyInfo with session credentials';
    await rejects(asked(session, 'GetAccessKeyInfo', info), 'AccessDenied', words);
    await rejects(asked(federated, 'GetAccessKeyInfo', info), 'AccessDenied', words);
    const role = { RoleArn: `arn:aws:iam::${accountId}:role/none`, RoleSessionName: 's1' };
    await rejects(asked(federated, 'AssumeRole', role), 'AccessDenied', /^Cannot call AssumeRole/);
    await rejects(asked(session, 'AssumeRole', role), 'AccessDenied', /root accounts/);
    for (const from of [session, federated]) await asked(from, 'GetCallerIdentity', {});
  });

  it('[F5] DecodeAuthorizationMessage reads what EC2 encoded, for those who may', async () => {
    const request = { principal: rootPrincipal(), action: 'ec2:RunInstances', resource: '*', context: new Map() };
    const decision = {
      allowed: false,
      layer: 'identity',
      explicit: false,
      citations: [],
      layers: [],
      reason: 'because',
    } as const;
    const scope = { dataDirectory: '/nonexistent', accountId };
    const EncodedMessage = encodeAuthorizationMessage(scope, request, decision);
    await rejects(runAs(store, anaKey, sts, 'DecodeAuthorizationMessage', { EncodedMessage }), 'AccessDenied');
    const { DecodedMessage } = await runAs(store, rootKey, sts, 'DecodeAuthorizationMessage', { EncodedMessage });
    assert.equal(JSON.parse(String(DecodedMessage)).context.action, 'ec2:RunInstances');
    await rejects(
      runAs(store, rootKey, sts, 'DecodeAuthorizationMessage', { EncodedMessage: 'abc' }),
      'InvalidAuthorizationMessageException',
    );
  });
});
