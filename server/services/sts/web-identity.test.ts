// Tokens that are signed with real keys, and codes of real MFA devices: who gets a session, and who does not.

import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { beforeEach, describe, it } from 'node:test';
import { ensureFirstState } from '../../accounts.ts';
import { principalOf } from '../../authorize/principal.ts';
import { stepAt, totp } from '../../mfa.ts';
import { keyNamed } from '../../sessions.ts';
import type { Store } from '../../store/store.ts';
import { awsError, makeStore, runAs, runOperation, testNow } from '../../testing.ts';
import { iam } from '../iam/index.ts';
import { sts } from './index.ts';

const accountId = '123456789012';
const roleArn = `arn:aws:iam::${accountId}:role/ci`;
const providerArn = `arn:aws:iam::${accountId}:oidc-provider/token.example.com`;
const seconds = testNow.getTime() / 1000;
type Output = Record<string, unknown>;

let store: Store;
const asRoot = <O = Output>(name: string, input: object) => runOperation<O>(store, iam, name, input);
const rejects = (promise: Promise<unknown>, code: string, message?: string | RegExp) =>
  assert.rejects(promise, awsError(code, message));

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = (key: KeyObject, kid: string) => ({ ...key.export({ format: 'jwk' }), kid });
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

const claims = {
  iss: 'https://token.example.com',
  aud: 'sts.amazonaws.com',
  sub: 'repo:org/app:main',
  iat: seconds - 10,
  exp: seconds + 600,
};

function tokenOf(more: object = {}, { key = rsa.privateKey, alg = 'RS256', kid = 'one' } = {}): string {
  const signed = `${encode({ alg, kid })}.${encode({ ...claims, ...more })}`;
  const how = alg.startsWith('ES') ? ({ key, dsaEncoding: 'ieee-p1363' } as const) : key;
  return `${signed}.${sign('sha256', Buffer.from(signed), how).toString('base64url')}`;
}

const trusting = (Condition: object = {}, Action: unknown = 'sts:AssumeRoleWithWebIdentity') =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Federated: providerArn }, Action, Condition }],
  });

interface Session {
  Credentials: { AccessKeyId: string };
  AssumedRoleUser: { Arn: string };
}

const assume = (WebIdentityToken: string, more: object = {}) =>
  runOperation<Session & Output>(store, sts, 'AssumeRoleWithWebIdentity', {
    RoleArn: roleArn,
    RoleSessionName: 'build',
    WebIdentityToken,
    ...more,
  });

function registerKeys(...keys: Output[]): void {
  store.transact((tx) => {
    const row = tx.get('oidc-provider', providerArn);
    if (row) tx.put('oidc-provider', { ...row, keys });
  });
}

describe('AssumeRoleWithWebIdentity', () => {
  beforeEach(async () => {
    store = makeStore((tx) => ensureFirstState(tx, testNow));
    await asRoot('CreateOpenIDConnectProvider', { Url: claims.iss, ClientIDList: ['sts.amazonaws.com'] });
    const Condition = { StringEquals: { 'token.example.com:sub': claims.sub } };
    await asRoot('CreateRole', { RoleName: 'ci', AssumeRolePolicyDocument: trusting(Condition) });
    registerKeys(jwk(rsa.publicKey, 'one'), jwk(elliptic.publicKey, 'two'));
  });

  it('gives a session for a token that a registered key signed, RSA or elliptic', async () => {
    const session = await assume(tokenOf());
    assert.equal(session.AssumedRoleUser.Arn, `arn:aws:sts::${accountId}:assumed-role/ci/build`);
    assert.equal(session.SubjectFromWebIdentityToken, claims.sub);
    assert.equal(session.Audience, 'sts.amazonaws.com');
    assert.equal(session.Provider, providerArn);
    const identity = await runAs(store, session.Credentials.AccessKeyId, sts, 'GetCallerIdentity');
    assert.equal(identity.Arn, session.AssumedRoleUser.Arn);
    await assume(tokenOf({}, { key: elliptic.privateKey, alg: 'ES256', kid: 'two' }));
  });

  it('refuses a token that nobody known signed, or that was changed afterwards', async () => {
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    await rejects(assume(tokenOf({}, { key: stranger })), 'InvalidIdentityToken', /signature/);
    const [head, , signature] = tokenOf().split('.');
    await rejects(assume(`${head}.${encode({ ...claims, sub: 'other' })}.${signature}`), 'InvalidIdentityToken');
    await rejects(assume(`${encode({ alg: 'none' })}.${encode(claims)}.`), 'InvalidIdentityToken', /signature/);
    await rejects(assume(tokenOf({}, { kid: 'two' })), 'InvalidIdentityToken', /signature/);
    await rejects(assume('no.token'), 'InvalidIdentityToken', /not a valid JWT/);
    registerKeys();
    await rejects(assume(tokenOf()), 'InvalidIdentityToken', /^Couldn't retrieve verification key/);
  });

  it('the session’s requests know subject and audience, and not the e-mail address', async () => {
    const { Credentials } = await assume(tokenOf({ email: 'ana@example.com' }));
    const may = async (claim: string, value: string) => {
      const Condition = { StringEquals: { [`token.example.com:${claim}`]: value } };
      const Statement = { Effect: 'Allow', Action: 'iam:ListUsers', Resource: '*', Condition };
      const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
      await asRoot('PutRolePolicy', { RoleName: 'ci', PolicyName: 'p', PolicyDocument });
      return runAs(store, Credentials.AccessKeyId, iam, 'ListUsers').then(
        () => true,
        () => false,
      );
    };
    assert.equal(await may('sub', claims.sub), true);
    assert.equal(await may('aud', 'sts.amazonaws.com'), true);
    assert.equal(await may('sub', 'other'), false);
    assert.equal(await may('email', 'ana@example.com'), false);
  });

  it('refuses tokens of another time, audience or issuer', async () => {
    const invalid = (more: object, message: string) => rejects(assume(tokenOf(more)), 'InvalidIdentityToken', message);
    await assume(tokenOf({ exp: seconds - 299, iat: seconds + 300, nbf: String(seconds + 300) }));
    const expired = `Token expired: current date/time ${seconds - 300} must be before the expiration date/time ${seconds - 300}`;
    await rejects(assume(tokenOf({ exp: seconds - 300 })), 'ExpiredTokenException', expired);
    await invalid({ iat: seconds + 3600 }, `Token issued in the future: ${seconds + 3600}`);
    await invalid(
      { nbf: seconds + 3600 },
      `Token not yet valid: current date/time ${seconds + 300} must be after or equal to the not-before date/time ${seconds + 3600}`,
    );
    for (const wrong of [{ nbf: 'invalid' }, { exp: seconds + 0.5 }])
      await invalid(wrong, 'Invalid timestamp in token claims.');
    for (const claim of ['sub', 'aud', 'iat', 'exp', 'iss'])
      await invalid({ [claim]: undefined }, `Missing a required claim: ${claim}`);
    const unknownAudience =
      'The web identity token provided could not be validated. See the AssumeRoleWithWebIdentity documentation for requirements.';
    for (const wrong of [{ aud: 'another' }, { aud: '' }, { azp: 'another' }, { azp: '' }])
      await invalid(wrong, unknownAudience);
    await invalid({ aud: [] }, 'Claim is not allowed to be empty: aud');
    const aud = ['sts.amazonaws.com', 'another'];
    await invalid({ aud }, 'Token audience contains more than one audience while authorized party is not present');
    assert.equal((await assume(tokenOf({ aud: ['another'], azp: 'sts.amazonaws.com' }))).Audience, 'sts.amazonaws.com');
    await assume(tokenOf({ aud: ['sts.amazonaws.com'] }));
    const issuer = 'https://evil.example.com';
    const unknown = `No OpenIDConnect provider found in your account for ${issuer}`;
    await rejects(assume(tokenOf({ iss: issuer })), 'InvalidIdentityToken', unknown);
  });

  it('[E1] asks the trust policy about the claims, and a role that is not there sounds the same', async () => {
    const denied = 'Not authorized to perform sts:AssumeRoleWithWebIdentity';
    await rejects(assume(tokenOf({ sub: 'repo:org/other:main' })), 'AccessDenied', denied);
    await rejects(assume(tokenOf(), { RoleArn: `${roleArn}2` }), 'AccessDenied', denied);
    const update = (PolicyDocument: string) => asRoot('UpdateAssumeRolePolicy', { RoleName: 'ci', PolicyDocument });
    await update(trusting({}, 'sts:AssumeRole'));
    await rejects(assume(tokenOf()), 'AccessDenied', denied);
    await update(trusting({ StringEquals: { 'token.example.com:aud': 'sts.amazonaws.com' } }));
    await assume(tokenOf());
    await rejects(assume(tokenOf(), { DurationSeconds: 7200 }), 'ValidationError', /MaxSessionDuration/);
  });

  it('takes tags of the flat form too, and none that are no lists of one in the other', async () => {
    await asRoot('UpdateAssumeRolePolicy', {
      RoleName: 'ci',
      PolicyDocument: trusting({}, ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession']),
    });
    const tags = 'https://aws.amazon.com/tags';
    const { Credentials } = await assume(
      tokenOf({ [`${tags}/principal_tags/Team`]: 'net', [`${tags}/transitive_tag_keys`]: ['Team'] }),
    );
    const owner = store.read((tx) => keyNamed(tx, Credentials.AccessKeyId)?.owner);
    assert.ok(owner?.kind === 'role-session');
    assert.deepEqual([owner.tags, owner.transitiveTagKeys], [{ Team: 'net' }, ['Team']]);
    const words = 'principal_tags passed in claim is not in correct format.';
    const nested = tokenOf({ [tags]: { principal_tags: { Team: 'net' } } });
    await rejects(assume(nested), 'InvalidIdentityToken', words);
  });

  it('a token may say for which roles it is, and the trust policy ask whether it does', async () => {
    const Condition = { Bool: { 'sts:RoleAuthorizedByIdp': 'true' } };
    await asRoot('UpdateAssumeRolePolicy', { RoleName: 'ci', PolicyDocument: trusting(Condition) });
    const claim = 'https://aws.amazon.com/roles';
    await assume(tokenOf({ [claim]: ['no ARN', ` ${roleArn} `] }));
    await assume(tokenOf({ [claim]: `${roleArn}2;${roleArn}` }));
    await rejects(assume(tokenOf()), 'AccessDenied');
    await rejects(assume(tokenOf({ [claim]: null })), 'AccessDenied');
    await asRoot('UpdateAssumeRolePolicy', { RoleName: 'ci', PolicyDocument: trusting() });
    for (const others of [[], '', [`${roleArn}2`]])
      await rejects(assume(tokenOf({ [claim]: others })), 'InvalidIdentityToken');
    await assume(tokenOf());
  });

  it('remembers provider and source identity for the policies of the session', async () => {
    const PolicyDocument = trusting({}, ['sts:AssumeRoleWithWebIdentity', 'sts:SetSourceIdentity']);
    await asRoot('UpdateAssumeRolePolicy', { RoleName: 'ci', PolicyDocument });
    const Condition = { StringEquals: { 'aws:SourceIdentity': 'ana', 'aws:FederatedProvider': providerArn } };
    const inline = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*', Condition }] };
    await asRoot('PutRolePolicy', { RoleName: 'ci', PolicyName: 'p', PolicyDocument: JSON.stringify(inline) });
    const named = (who: string) => assume(tokenOf({ 'https://aws.amazon.com/source_identity': who }));
    const ana = await named('ana');
    assert.equal(ana.SourceIdentity, 'ana');
    await runAs(store, ana.Credentials.AccessKeyId, iam, 'ListUsers');
    await asRoot('CreateRole', {
      RoleName: 'next',
      AssumeRolePolicyDocument: trusting()
        .replace('Federated', 'AWS')
        .replace(providerArn, roleArn)
        .replace('WithWebIdentity', ''),
    });
    const next = { RoleArn: `arn:aws:iam::${accountId}:role/next`, RoleSessionName: 's2' };
    const chain = () => runAs<Output>(store, ana.Credentials.AccessKeyId, sts, 'AssumeRole', next);
    await rejects(chain(), 'AccessDenied', /sts:SetSourceIdentity/);
    await asRoot('UpdateAssumeRolePolicy', {
      RoleName: 'next',
      PolicyDocument: trusting({}, ['sts:AssumeRole', 'sts:SetSourceIdentity'])
        .replace('Federated', 'AWS')
        .replace(providerArn, roleArn),
    });
    assert.equal((await chain()).SourceIdentity, 'ana');
    await rejects(runAs(store, (await named('bob')).Credentials.AccessKeyId, iam, 'ListUsers'), 'AccessDenied');
  });

  it('takes session tags out of the token, when the trust policy lets it tag', async () => {
    const tagged = tokenOf({
      'https://aws.amazon.com/tags': { principal_tags: { team: ['net'] }, transitive_tag_keys: ['team'] },
    });
    await rejects(assume(tagged), 'AccessDenied');
    const PolicyDocument = trusting({}, ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession']);
    await asRoot('UpdateAssumeRolePolicy', { RoleName: 'ci', PolicyDocument });
    const { Credentials } = await assume(tagged);
    const principal = store.read((tx) => {
      const key = keyNamed(tx, Credentials.AccessKeyId);
      return key && principalOf(tx, key, 'aws');
    });
    assert.deepEqual(principal?.tags, { team: 'net' });
  });
});

describe('GetFederationToken', () => {
  it('gives the federated user tags of its own', async () => {
    store = makeStore((tx) => ensureFirstState(tx, testNow));
    await asRoot('CreateUser', { UserName: 'ana' });
    const all = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
    await asRoot('PutUserPolicy', { UserName: 'ana', PolicyName: 'p', PolicyDocument: JSON.stringify(all) });
    const made = await asRoot<{ AccessKey: { AccessKeyId: string } }>('CreateAccessKey', { UserName: 'ana' });
    const input = { Name: 'guest', Tags: [{ Key: 'team', Value: 'net' }] };
    const { Credentials } = await runAs<Session>(store, made.AccessKey.AccessKeyId, sts, 'GetFederationToken', input);
    const principal = store.read((tx) => {
      const key = keyNamed(tx, Credentials.AccessKeyId);
      return key && principalOf(tx, key, 'aws');
    });
    assert.deepEqual(principal?.tags, { team: 'net' });
  });
});

describe('MFA', () => {
  let key: string;
  let serial: string;
  let seed: string;
  const code = (offset: number) => totp(seed, stepAt(testNow) + offset);

  beforeEach(async () => {
    store = makeStore((tx) => ensureFirstState(tx, testNow));
    await asRoot('CreateUser', { UserName: 'ana' });
    const made = await asRoot<{ AccessKey: { AccessKeyId: string } }>('CreateAccessKey', { UserName: 'ana' });
    key = made.AccessKey.AccessKeyId;
    await asRoot('CreateVirtualMFADevice', { VirtualMFADeviceName: 'ana' });
    serial = `arn:aws:iam::${accountId}:mfa/ana`;
    seed = store.read((tx) => tx.get('mfa-device', serial))?.seedHex ?? '';
    const codes = { AuthenticationCode1: code(-2), AuthenticationCode2: code(-1) };
    await asRoot('EnableMFADevice', { UserName: 'ana', SerialNumber: serial, ...codes });
    const Condition = { Bool: { 'aws:MultiFactorAuthPresent': 'true' } };
    const PolicyDocument = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: '*', Resource: '*', Condition }],
    });
    await asRoot('PutUserPolicy', { UserName: 'ana', PolicyName: 'mfa', PolicyDocument });
  });

  const session = (input: object) => runAs<Session>(store, key, sts, 'GetSessionToken', input);

  it('makes aws:MultiFactorAuthPresent true for the session, which may then call IAM', async () => {
    const bare = await session({});
    await rejects(runAs(store, bare.Credentials.AccessKeyId, iam, 'ListUsers'), 'InvalidClientTokenId');
    const { Credentials } = await session({ SerialNumber: serial, TokenCode: code(0) });
    await runAs(store, Credentials.AccessKeyId, iam, 'ListUsers');
    await rejects(runAs(store, key, iam, 'ListUsers'), 'AccessDenied');
  });

  it('takes each code once, and no other’s device', async () => {
    const input = { SerialNumber: serial, TokenCode: code(0) };
    const invalid = /invalid MFA one time pass code/;
    await rejects(session({ ...input, TokenCode: '000000' }), 'AccessDenied', invalid);
    await session(input);
    await rejects(session(input), 'AccessDenied', invalid);
    await session({ ...input, TokenCode: code(1) });
    // Recorded on AWS: one of a step before is still good, those that were used are not.
    await session({ ...input, TokenCode: code(-2) });
    // And so is a code that enabled the device.
    await session({ ...input, TokenCode: code(-1) });
    for (const used of [-2, -1, 0, 1]) {
      await rejects(session({ ...input, TokenCode: code(used) }), 'AccessDenied', invalid);
    }
    await rejects(session({ SerialNumber: serial }), 'AccessDenied', /must provide both/);
    await rejects(session({ ...input, SerialNumber: `${serial}2` }), 'AccessDenied', /unable to validate MFA code/);
  });

  it('counts for a trust policy that asks for it', async () => {
    const AssumeRolePolicyDocument = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { AWS: accountId },
          Action: 'sts:AssumeRole',
          Condition: { NumericLessThan: { 'aws:MultiFactorAuthAge': '60' } },
        },
      ],
    });
    await asRoot('CreateRole', { RoleName: 'admin', AssumeRolePolicyDocument });
    const input = { RoleArn: `arn:aws:iam::${accountId}:role/admin`, RoleSessionName: 'ana' };
    const assumeRole = (more: object) => runAs<Session>(store, key, sts, 'AssumeRole', { ...input, ...more });
    await rejects(assumeRole({}), 'AccessDenied');
    await assumeRole({ SerialNumber: serial, TokenCode: code(0) });
    await rejects(assumeRole({ SerialNumber: serial, TokenCode: code(0) }), 'AccessDenied', /invalid MFA/);
  });
});
