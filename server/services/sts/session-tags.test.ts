// Session tags: where they come from, whose win, what is handed down a chain, and what policies see of them.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html (read 2026-11-21)

import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ensureFirstState } from '../../accounts.ts';
import { principalOf } from '../../authorize/principal.ts';
import { keyNamed } from '../../sessions.ts';
import type { Store } from '../../store/store.ts';
import { awsError, makeStore, runAs, runOperation, testAccountId, testNow } from '../../testing.ts';
import { iam } from '../iam/index.ts';
import { sts } from './index.ts';

interface Session {
  Credentials: { AccessKeyId: string };
  PackedPolicySize?: number;
}

let store: Store;
let anaKey: string;

const asIam = <O = object>(name: string, input: object) => runOperation<O>(store, iam, name, input);
const rejects = (promise: Promise<unknown>, code: string, message?: string | RegExp) =>
  assert.rejects(promise, awsError(code, message));
const roleArn = (name: string) => `arn:aws:iam::${testAccountId}:role/${name}`;
const tagList = (tags: Readonly<Record<string, string>>) =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

function policy(Condition: object = {}, Principal?: object): string {
  const Statement = Principal
    ? { Effect: 'Allow', Principal, Action: ['sts:AssumeRole', 'sts:TagSession'], Condition }
    : { Effect: 'Allow', Action: ['sts:*', 'iam:ListUsers'], Resource: '*', Condition };
  return JSON.stringify({ Version: '2012-10-17', Statement });
}

/** Roles that everybody of the account may have, one after the other. */
async function makeRole(
  name: string,
  tags: Readonly<Record<string, string>> = {},
  condition: object = {},
): Promise<void> {
  await asIam('CreateRole', {
    RoleName: name,
    AssumeRolePolicyDocument: policy(condition, { AWS: testAccountId }),
    Tags: tagList(tags),
  });
  await asIam('PutRolePolicy', { RoleName: name, PolicyName: 'p', PolicyDocument: policy() });
}

function assume(key: string, role: string, tags: Readonly<Record<string, string>> = {}, more: object = {}) {
  const input = { RoleArn: roleArn(role), RoleSessionName: 's1', Tags: tagList(tags), ...more };
  return runAs<Session>(store, key, sts, 'AssumeRole', input, {}, [sts]);
}

const keyOf = async (session: Promise<Session>) => (await session).Credentials.AccessKeyId;

function tagsOf(key: string): Readonly<Record<string, string>> | undefined {
  return store.read((tx) => {
    const row = keyNamed(tx, key);
    return row && principalOf(tx, row, 'aws')?.tags;
  });
}

beforeEach(async () => {
  store = makeStore((tx) => ensureFirstState(tx, testNow));
  await asIam('CreateUser', { UserName: 'ana', Tags: tagList({ Team: 'net', Floor: '3' }) });
  await asIam('PutUserPolicy', { UserName: 'ana', PolicyName: 'p', PolicyDocument: policy() });
  const made = await asIam<{ AccessKey: { AccessKeyId: string } }>('CreateAccessKey', { UserName: 'ana' });
  anaKey = made.AccessKey.AccessKeyId;
});

describe('session tags', () => {
  it('go down a chain as AWS’s guide shows it: transitive ones stay, a role’s own go', async () => {
    await makeRole('Role1', { Heart: '1' });
    await makeRole('Role2', { Sun: '2' });
    await makeRole('Role3', { Heart: '3', Star: '3' });
    const first = await keyOf(
      assume(anaKey, 'Role1', { Star: '1', Heart: '1' }, { TransitiveTagKeys: ['Star', 'Heart'] }),
    );
    assert.deepEqual(tagsOf(first), { Star: '1', Heart: '1' });
    const second = await keyOf(assume(first, 'Role2'));
    assert.deepEqual(tagsOf(second), { Sun: '2', Star: '1', Heart: '1' });
    const third = await keyOf(assume(second, 'Role3', { Cloud: '2' }));
    assert.deepEqual(tagsOf(third), { Cloud: '2', Star: '1', Heart: '1' });
  });

  it('win over the role’s and the federating user’s, whatever their case', async () => {
    await makeRole('app', { Department: 'Marketing', Floor: '1' });
    const session = await keyOf(assume(anaKey, 'app', { department: 'engineering' }));
    assert.deepEqual(tagsOf(session), { Floor: '1', department: 'engineering' });
    const federated = runAs<Session>(store, anaKey, sts, 'GetFederationToken', {
      Name: 'guest',
      Tags: tagList({ team: 'web' }),
    });
    assert.deepEqual(tagsOf(await keyOf(federated)), { Floor: '3', team: 'web' });
  });

  it('are handed down by a key that was asked for in another case', async () => {
    await makeRole('app');
    const first = await keyOf(assume(anaKey, 'app', { Star: '1' }, { TransitiveTagKeys: ['STAR'] }));
    assert.deepEqual(tagsOf(await keyOf(assume(first, 'app'))), { Star: '1' });
  });

  it('are what policies ask about: of the request, of whoever asks, and which are handed down', async () => {
    const allowed = async (condition: object, ask: () => Promise<unknown>) => {
      await asIam('UpdateAssumeRolePolicy', {
        RoleName: 'app',
        PolicyDocument: policy(condition, { AWS: [`arn:aws:iam::${testAccountId}:user/ana`, roleArn('door')] }),
      });
      return ask().then(
        () => true,
        () => false,
      );
    };
    await asIam('DeleteUserPolicy', { UserName: 'ana', PolicyName: 'p' });
    await makeRole('app', { Star: 'own' });
    await makeRole('door', {}, {});
    await asIam('UpdateAssumeRolePolicy', {
      RoleName: 'door',
      PolicyDocument: policy({}, { AWS: `arn:aws:iam::${testAccountId}:user/ana` }),
    });
    await asIam('DeleteRolePolicy', { RoleName: 'door', PolicyName: 'p' });
    const equals = (key: string, value: string) => ({ StringEquals: { [key]: value } });
    const tagged =
      (more: object = {}) =>
      () =>
        assume(anaKey, 'app', { Star: '1' }, more);
    assert.equal(await allowed(equals('aws:RequestTag/Star', '1'), tagged()), true);
    assert.equal(await allowed(equals('aws:RequestTag/Star', '2'), tagged()), false);
    assert.equal(await allowed(equals('aws:PrincipalTag/Team', 'net'), tagged()), true);
    assert.equal(await allowed(equals('aws:PrincipalTag/Team', 'web'), tagged()), false);
    const transitive = { 'ForAnyValue:StringEquals': { 'sts:TransitiveTagKeys': 'Star' } };
    assert.equal(await allowed(transitive, tagged()), false);
    assert.equal(await allowed(transitive, tagged({ TransitiveTagKeys: ['Star'] })), true);
    const door = await keyOf(assume(anaKey, 'door', { Star: '1' }, { TransitiveTagKeys: ['Star'] }));
    const through = () => assume(door, 'app');
    assert.equal(await allowed(transitive, through), true);
    assert.equal(await allowed(equals('aws:ResourceTag/Star', '1'), through), true);
    assert.equal(await allowed(equals('aws:ResourceTag/Star', 'own'), through), false);
  });

  it('share the packed size with the policies, and what is handed down counts', async () => {
    await makeRole('app');
    const small = await assume(anaKey, 'app', { Star: '1' });
    assert.equal(small.PackedPolicySize, 1);
    const wide = Object.fromEntries(Array.from({ length: 7 }, (_, at) => [`k${at}`, 'x'.repeat(256)]));
    const first = await assume(anaKey, 'app', wide, { TransitiveTagKeys: Object.keys(wide) });
    assert.equal(first.PackedPolicySize, 89);
    const key = first.Credentials.AccessKeyId;
    await assume(key, 'app');
    await rejects(
      assume(key, 'app', { more: 'y'.repeat(256) }),
      'PackedPolicyTooLarge',
      'Packed size of session tags consumes 101% of allotted space.',
    );
    const Policy = policy({ StringEquals: { 'aws:PrincipalTag/x': 'z'.repeat(1850) } });
    const PolicyArns = [{ arn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' }];
    await assume(anaKey, 'app', {}, { Policy });
    await rejects(
      assume(
        anaKey,
        'app',
        {},
        { Policy, PolicyArns: [...PolicyArns, { arn: 'arn:aws:iam::aws:policy/AdministratorAccess' }] },
      ),
      'PackedPolicyTooLarge',
      /^Packed policy consumes 10\d% of allotted space, please use smaller policy\.$/,
    );
  });

  it('are 50 at most', async () => {
    await makeRole('app');
    const tags = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, 'v']));
    await assume(anaKey, 'app', tags(50));
    await rejects(assume(anaKey, 'app', tags(51)), 'ValidationError', /less than or equal to 50/);
  });
});
