// Grants: who may use a key by one, under which encryption context, who may hand it on, and who may end it. Asked of the real policies.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type * as SDK from '@aws-sdk/client-kms';
import { key as accessKey, allow, deny, policy, role, sessionKey, user } from '../../authorize/testing.ts';
import { awsError, makeStore, runAs, testAccountId, testNow } from '../../testing.ts';
import { kms } from './index.ts';

const otherAccountId = '210987654321';
const arn = (name: string, accountId = testAccountId) => `arn:aws:iam::${accountId}:${name}`;
const denied = (action: string) => awsError('AccessDeniedException', new RegExp(`kms:${action}`));

/** A key of root's; ana may do nothing, ben everything with grants, app is a role without policies, eve is in another account. */
async function started() {
  const store = makeStore();
  await store.transact((tx) => {
    const keyOf = (name: string, owner: Parameters<typeof accessKey>[0], accountId = testAccountId) =>
      tx.put('access-key', accessKey(owner, { id: name, accountId }));
    for (const id of [testAccountId, otherAccountId])
      tx.put('account', { id, accountId: id, region: 'global', createdAt: testNow.toISOString() });
    tx.put('user', user('ana'));
    tx.put('user', user('ben', { inlinePolicies: { p: policy(allow({ Action: ['kms:*Grant*'] })) } }));
    const eve = { accountId: otherAccountId, id: `${otherAccountId}/eve`, userId: 'AIDAEXAMPLEEVEEVE' };
    tx.put('user', user('eve', eve));
    tx.put('role', role('app'));
    keyOf('root', { kind: 'root' });
    for (const userName of ['ana', 'ben']) keyOf(userName, { kind: 'user', userName });
    keyOf('eve', { kind: 'user', userName: 'eve' }, otherAccountId);
    tx.put('access-key', { ...sessionKey('app'), id: 'app' });
  }).durable;
  const as = <O = Record<string, never>>(who: string, operation: string, input: object = {}) =>
    runAs<O>(store, who, kms, operation, input, who === 'eve' ? { accountId: otherAccountId } : {});
  const { KeyMetadata } = await as<SDK.CreateKeyResponse>('root', 'CreateKey');
  const KeyId = KeyMetadata?.Arn ?? '';
  const Plaintext = Buffer.from('secret');
  const grant = (who: string, GranteePrincipal: string, Operations: string[], more: object = {}) =>
    as<SDK.CreateGrantResponse>(who, 'CreateGrant', { KeyId, GranteePrincipal, Operations, ...more });
  const encrypt = (who: string, EncryptionContext?: Record<string, string>) =>
    as<SDK.EncryptResponse>(who, 'Encrypt', { KeyId, Plaintext, ...(EncryptionContext && { EncryptionContext }) });
  const list = async (input: object = {}) =>
    (await as<SDK.ListGrantsResponse>('root', 'ListGrants', { KeyId, ...input })).Grants ?? [];
  return { store, as, KeyId, grant, encrypt, list };
}

test('a grant permits its operations to its grantee, until it is revoked', async () => {
  const { as, KeyId, grant, encrypt, list } = await started();
  await assert.rejects(encrypt('ana'), denied('Encrypt'));
  const { GrantId, GrantToken } = await grant('root', arn('user/ana'), ['Encrypt', 'DescribeKey'], {
    RetiringPrincipal: arn('role/app'),
  });
  assert.match(GrantId ?? '', /^[0-9a-f]{64}$/);
  const { CiphertextBlob } = await encrypt('ana');
  await as('ana', 'DescribeKey', { KeyId, GrantTokens: [GrantToken] });
  await assert.rejects(as('ana', 'Decrypt', { CiphertextBlob }), denied('Decrypt'));
  await assert.rejects(encrypt('app'), denied('Encrypt'));
  assert.deepEqual(await list(), [
    {
      KeyId,
      GrantId,
      Name: '',
      CreationDate: testNow,
      GranteePrincipal: arn('user/ana'),
      RetiringPrincipal: arn('role/app'),
      IssuingAccount: arn('root'),
      Operations: ['Encrypt', 'DescribeKey'],
    },
  ]);
  await assert.rejects(as('ana', 'RevokeGrant', { KeyId, GrantId }), denied('RevokeGrant'));
  await as('ben', 'RevokeGrant', { KeyId, GrantId });
  await assert.rejects(encrypt('ana'), denied('Encrypt'));
  await assert.rejects(as('root', 'RevokeGrant', { KeyId, GrantId }), awsError('NotFoundException'));
});

test("a grant needs no policy of its grantee's, in its own account and in another, and yields to an explicit deny", async () => {
  const { store, grant, encrypt } = await started();
  for (const [who, named] of [
    ['app', arn('role/app')],
    ['eve', arn('user/eve', otherAccountId)],
  ] as const) {
    await assert.rejects(encrypt(who), denied('Encrypt'));
    await grant('root', named, ['Encrypt']);
    await encrypt(who);
  }
  const refusing = { inlinePolicies: { p: policy(deny({ Action: 'kms:Encrypt' })) } };
  await store.transact((tx) => tx.put('role', role('app', refusing))).durable;
  await assert.rejects(encrypt('app'), denied('Encrypt'));
});

test('a grant constraint is held against the encryption context: these pairs and others, or just these', async () => {
  const { as, KeyId, grant, encrypt } = await started();
  // In a policy it would be a variable.
  const cost = ['$', '{aws:username}'].join('');
  await grant('root', arn('user/ana'), ['Encrypt', 'DescribeKey'], {
    Constraints: { EncryptionContextSubset: { Team: 'red', cost } },
  });
  const wide = { team: 'red', cost };
  await encrypt('ana', wide);
  await encrypt('ana', { ...wide, more: 'x' });
  await as('ana', 'DescribeKey', { KeyId });
  for (const context of [undefined, { team: 'red' }, { ...wide, team: 'Red' }, { ...wide, cost: 'ana' }])
    await assert.rejects(encrypt('ana', context), denied('Encrypt'));
  await grant('root', arn('role/app'), ['Encrypt'], { Constraints: { EncryptionContextEquals: { team: 'red' } } });
  await encrypt('app', { team: 'red' });
  for (const context of [undefined, {}, { team: 'blue' }, { team: 'red', more: 'x' }])
    await assert.rejects(encrypt('app', context), denied('Encrypt'));
  await grant('root', arn('user/ben'), ['Encrypt'], { Constraints: { EncryptionContextEquals: {} } });
  await encrypt('ben');
  await assert.rejects(encrypt('ben', { team: 'red' }), denied('Encrypt'));
});

test('an empty grant constraint beside a full one is none, and two full ones are one too many', async () => {
  const { grant, list } = await started();
  const red = { team: 'red' };
  const both = (EncryptionContextEquals: object, EncryptionContextSubset: object) =>
    grant('root', arn('user/ana'), ['Encrypt'], { Constraints: { EncryptionContextEquals, EncryptionContextSubset } });
  await both(red, {});
  await both({}, red);
  const told = (await list()).map(({ Constraints }) => Object.keys(Constraints ?? {}).join());
  assert.deepEqual(told.sort(), ['EncryptionContextEquals', 'EncryptionContextSubset']);
  await assert.rejects(both(red, red), awsError('ValidationException'));
});

test('who got CreateGrant from a grant hands on no more than it has', async () => {
  const { grant, encrypt } = await started();
  const Constraints = { EncryptionContextSubset: { team: 'red' } };
  await grant('root', arn('user/ana'), ['Encrypt', 'CreateGrant'], { Constraints });
  for (const [operations, more] of [
    [['Encrypt', 'Decrypt'], { Constraints }],
    [['Encrypt'], {}],
    [['Encrypt'], { Constraints: { EncryptionContextSubset: { team: 'blue' } } }],
  ] as const)
    await assert.rejects(grant('ana', arn('role/app'), [...operations], more), denied('CreateGrant'));
  await grant('ana', arn('role/app'), ['Encrypt'], { Constraints: { EncryptionContextEquals: { team: 'red' } } });
  await encrypt('app', { team: 'red' });
  const exact = { Constraints: { EncryptionContextEquals: { team: 'blue' } } };
  await grant('root', arn('user/ana'), ['Decrypt', 'CreateGrant'], exact);
  const looser = { Constraints: { EncryptionContextSubset: { team: 'blue' } } };
  await assert.rejects(grant('ana', arn('role/app'), ['Decrypt'], looser), denied('CreateGrant'));
  await grant('ana', arn('role/app'), ['Decrypt'], exact);
});

test('policies may limit which grants are made', async () => {
  const { store, grant } = await started();
  const conditions = {
    StringEquals: { 'kms:GranteePrincipal': arn('role/app'), 'kms:GrantConstraintType': 'EncryptionContextSubset' },
    'ForAllValues:StringEquals': { 'kms:GrantOperations': ['Encrypt', 'Decrypt'] },
    Bool: { 'kms:GrantIsForAWSResource': 'false' },
  };
  const limited = { p: policy(allow({ Action: 'kms:CreateGrant', Condition: conditions })) };
  await store.transact((tx) => tx.put('user', user('ana', { inlinePolicies: limited }))).durable;
  const Constraints = { EncryptionContextSubset: { team: 'red' } };
  await grant('ana', arn('role/app'), ['Encrypt'], { Constraints });
  await assert.rejects(grant('ana', arn('user/ben'), ['Encrypt'], { Constraints }), denied('CreateGrant'));
  await assert.rejects(grant('ana', arn('role/app'), ['DescribeKey'], { Constraints }), denied('CreateGrant'));
  await assert.rejects(grant('ana', arn('role/app'), ['Encrypt']), denied('CreateGrant'));
});

test('the grant says who may retire it; the key policy does not', async () => {
  const { as, KeyId, grant, list } = await started();
  const eve = arn('user/eve', otherAccountId);
  const retire = (who: string, { GrantId }: SDK.CreateGrantResponse) => as(who, 'RetireGrant', { KeyId, GrantId });
  const plain = await grant('root', arn('user/ana'), ['Encrypt']);
  await assert.rejects(retire('ana', plain), denied('RetireGrant'));
  // Whoever the account lets: ben's own policy does.
  await retire('ben', plain);
  await retire('root', await grant('root', arn('user/ana'), ['Encrypt']));
  await retire('ana', await grant('root', arn('user/ana'), ['RetireGrant']));
  const foreign = await grant('root', arn('user/ana'), ['Encrypt'], { RetiringPrincipal: eve });
  await assert.rejects(retire('app', foreign), denied('RetireGrant'));
  await as('eve', 'RetireGrant', { GrantToken: foreign.GrantToken });
  await assert.rejects(as('eve', 'RetireGrant', { GrantToken: foreign.GrantToken }), awsError('NotFoundException'));
  const kept = await grant('root', arn('user/ana'), ['Encrypt'], { RetiringPrincipal: eve });
  assert.deepEqual(
    (await list()).map(({ GrantId }) => GrantId),
    [kept.GrantId],
  );
});

test('a grant is of the user that was meant, not of a later one of that name', async () => {
  const { store, grant, encrypt, list } = await started();
  await grant('root', arn('user/ana'), ['Encrypt']);
  await store.transact((tx) => tx.put('user', user('ana', { userId: 'AIDAEXAMPLEANOTHER' }))).durable;
  await assert.rejects(encrypt('ana'), denied('Encrypt'));
  assert.deepEqual(
    (await list()).map((one) => one.GranteePrincipal),
    ['AIDAEXAMPLEANA'],
  );
});

test('a name makes a request repeatable, lists are paged and filtered, and a dry run keeps nothing', async () => {
  const { as, KeyId, grant, list } = await started();
  const again = { Name: 'once' };
  const one = await grant('root', arn('user/ana'), ['Encrypt', 'Decrypt'], again);
  const two = await grant('root', arn('user/ana'), ['Decrypt', 'Encrypt'], again);
  assert.equal(one.GrantId, two.GrantId);
  assert.notEqual(one.GrantToken, two.GrantToken);
  const RetiringPrincipal = arn('user/ben');
  const three = await grant('root', arn('user/ana'), ['Encrypt'], { ...again, RetiringPrincipal });
  assert.notEqual(three.GrantId, one.GrantId);
  const dry = awsError('DryRunOperationException', 'The request would have succeeded, but the DryRun option is set.');
  await assert.rejects(grant('root', arn('role/app'), ['Encrypt'], { DryRun: true }), dry);
  await assert.rejects(as('root', 'Encrypt', { KeyId, Plaintext: Buffer.from('x'), DryRun: true }), dry);
  await assert.rejects(as('root', 'RevokeGrant', { KeyId, GrantId: one.GrantId, DryRun: true }), dry);
  assert.equal((await list()).length, 2);
  assert.equal((await list({ GranteePrincipal: arn('role/app') })).length, 0);
  assert.deepEqual(
    (await list({ GrantId: three.GrantId })).map(({ GrantId }) => GrantId),
    [three.GrantId],
  );
  const first = await as<SDK.ListGrantsResponse>('root', 'ListGrants', { KeyId, Limit: 1 });
  assert.deepEqual([first.Grants?.length, first.Truncated], [1, true]);
  const second = await as<SDK.ListGrantsResponse>('root', 'ListGrants', { KeyId, Limit: 1, Marker: first.NextMarker });
  assert.deepEqual([second.Grants?.length, second.Truncated], [1, false]);
  const retirable = await as<SDK.ListGrantsResponse>('root', 'ListRetirableGrants', { RetiringPrincipal });
  assert.deepEqual(
    retirable.Grants?.map(({ GrantId }) => GrantId),
    [three.GrantId],
  );
});

test('a grant names what its kind of key does, and nothing else', async () => {
  const { as } = await started();
  const make = async (KeySpec: string, KeyUsage: string) =>
    (await as<SDK.CreateKeyResponse>('root', 'CreateKey', { KeySpec, KeyUsage })).KeyMetadata?.Arn ?? '';
  const grant = (KeyId: string, Operations: string[], more: object = {}) =>
    as('root', 'CreateGrant', { KeyId, GranteePrincipal: arn('user/ana'), Operations, ...more });
  const signer = await make('ECC_NIST_P256', 'SIGN_VERIFY');
  const sign = { KeyId: signer, Message: Buffer.from('x'), SigningAlgorithm: 'ECDSA_SHA_256' };
  await assert.rejects(as('ana', 'Sign', sign), denied('Sign'));
  await grant(signer, ['Sign', 'GetPublicKey']);
  const { Signature } = await as<SDK.SignResponse>('ana', 'Sign', sign);
  await as('ana', 'GetPublicKey', { KeyId: signer });
  await assert.rejects(as('ana', 'Verify', { ...sign, Signature }), denied('Verify'));
  const hmac = await make('HMAC_256', 'GENERATE_VERIFY_MAC');
  await grant(hmac, ['GenerateMac', 'VerifyMac', 'DescribeKey']);
  const agreement = await make('ECC_NIST_P384', 'KEY_AGREEMENT');
  await grant(agreement, ['DeriveSharedSecret', 'GetPublicKey']);
  for (const [key, operation] of [
    [signer, 'Encrypt'],
    [signer, 'GenerateMac'],
    [signer, 'DeriveSharedSecret'],
    [hmac, 'GetPublicKey'],
    [agreement, 'Sign'],
  ] as const)
    await assert.rejects(grant(key, [operation]), awsError('ValidationException', new RegExp(operation)));
  await assert.rejects(
    grant(hmac, ['GenerateMac'], { Constraints: { EncryptionContextSubset: { a: '1' } } }),
    awsError('ValidationException'),
  );
});

test('mistakes are refused', async () => {
  const { as, KeyId, grant } = await started();
  const ana = arn('user/ana');
  for (const [grantee, operations, more, code] of [
    [ana, [], {}, 'ValidationException'],
    [ana, ['Sign'], {}, 'ValidationException'],
    [ana, ['Encrypt'], { Name: 'a b' }, 'ValidationException'],
    ['ana', ['Encrypt'], {}, 'InvalidArnException'],
    ['arn:aws:iam::123456789012:group/all', ['Encrypt'], {}, 'InvalidArnException'],
    [arn('user/nobody'), ['Encrypt'], {}, 'InvalidArnException'],
    [ana, ['Encrypt'], { RetiringPrincipal: arn('role/none') }, 'InvalidArnException'],
    [ana, ['Encrypt'], { GranteeServicePrincipal: 's3.amazonaws.com' }, 'ValidationException'],
    [ana, ['Encrypt'], { KeyId: 'alias/mine' }, 'InvalidArnException'],
    [ana, ['Encrypt'], { GrantTokens: ['bm8='] }, 'InvalidGrantTokenException'],
    [ana, ['Encrypt'], { Constraints: { EncryptionContextSubset: { a: 'x'.repeat(400) } } }, 'ValidationException'],
  ] as const)
    await assert.rejects(
      grant('root', grantee, [...operations], more),
      awsError(code),
      JSON.stringify([grantee, more]),
    );
  await assert.rejects(as('root', 'RevokeGrant', { KeyId, GrantId: 'x' }), awsError('InvalidGrantIdException'));
  await assert.rejects(as('root', 'RetireGrant', { KeyId }), awsError('InvalidGrantIdException'));
  await assert.rejects(as('root', 'RetireGrant', {}), awsError('ValidationException'));
  await as('root', 'DisableKey', { KeyId });
  await assert.rejects(grant('root', ana, ['Encrypt']), awsError('DisabledException'));
});
