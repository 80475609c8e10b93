// The organization's own policy: what of it is taken, as recorded on AWS in September 2026, and whom it lets do what. Members ask with their own permissions.

import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { DescribePolicyResponse, PutResourcePolicyResponse } from '@aws-sdk/client-organizations';
import { createAccount, ensureFirstState } from '../../accounts.ts';
import type { Store } from '../../store/store.ts';
import { awsError, makeStore, rootPrincipal, runAs, runOperation, testAccountId, testNow } from '../../testing.ts';
import { iam } from '../iam/index.ts';
import { organizations } from './index.ts';

const member = '222222222222';
const generic = "You don't have permissions to access this resource.";
const denied = awsError('AccessDeniedException', generic);
const everything = JSON.stringify({ Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] });
let store: Store;

const run = <O = Record<string, unknown>>(name: string, input: object = {}) =>
  runOperation<O>(store, organizations, name, input);

/** @returns the key of a user of the account with these permissions */
async function makeUser(accountId: string, UserName: string, ...Action: string[]): Promise<string> {
  const owner = { accountId, principal: rootPrincipal(accountId) };
  await runOperation(store, iam, 'CreateUser', { UserName }, owner);
  const PolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action, Resource: '*' }],
  });
  await runOperation(store, iam, 'PutUserPolicy', { UserName, PolicyName: 'own', PolicyDocument }, owner);
  const made = await runOperation<{ AccessKey: { AccessKeyId: string } }>(
    store,
    iam,
    'CreateAccessKey',
    { UserName },
    owner,
  );
  return made.AccessKey.AccessKeyId;
}

const as = <O = Record<string, unknown>>(key: string, name: string, input: object = {}) =>
  runAs<O>(store, key, organizations, name, input);

type Part = Readonly<Record<string, unknown>>;
const statement = (Action: unknown, more: Part = {}): Part => ({
  Effect: 'Allow',
  Principal: { AWS: member },
  Action,
  Resource: '*',
  ...more,
});
const put = (...Statement: Part[]) =>
  run<PutResourcePolicyResponse>('PutResourcePolicy', {
    Content: JSON.stringify({ Version: '2012-10-17', Statement }),
  });

beforeEach(async () => {
  store = makeStore((tx) => {
    ensureFirstState(tx, testNow);
    createAccount(tx, member, testNow);
  });
  await run('CreateOrganization');
  const { Handshake } = await run<{ Handshake: { Id: string } }>('InviteAccountToOrganization', {
    Target: { Type: 'ACCOUNT', Id: member },
  });
  const key = await makeUser(member, 'joins', 'organizations:AcceptHandshake');
  await as(key, 'AcceptHandshake', { HandshakeId: Handshake.Id });
});

describe('the policy of an organization', () => {
  it('is one, is told with accounts as their roots, and goes with its tags', async () => {
    await assert.rejects(run('DescribeResourcePolicy'), awsError('ResourcePolicyNotFoundException'));
    await assert.rejects(run('DeleteResourcePolicy'), awsError('ResourcePolicyNotFoundException'));
    const Content = JSON.stringify({ Statement: [statement('organizations:DescribePolicy')] });
    const Tags = [{ Key: 'stage', Value: 'dev' }];
    const { ResourcePolicy } = await run<PutResourcePolicyResponse>('PutResourcePolicy', { Content, Tags });
    const { Id = '', Arn = '' } = ResourcePolicy?.ResourcePolicySummary ?? {};
    assert.match(Arn, new RegExp(`^arn:aws:organizations::${testAccountId}:resourcepolicy/o-\\w+/${Id}$`));
    assert.equal(
      ResourcePolicy?.Content,
      `{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::${member}:root"},"Action":"organizations:DescribePolicy","Resource":"*"}]}`,
    );
    assert.deepEqual(await run('ListTagsForResource', { ResourceId: Id }), { Tags });
    await assert.rejects(
      run('PutResourcePolicy', { Content, Tags }),
      awsError('ConstraintViolationException', /^Adding tags on updating/),
    );
    const again = await run<PutResourcePolicyResponse>('PutResourcePolicy', { Content, Tags: [] });
    assert.equal(again.ResourcePolicy?.ResourcePolicySummary?.Id, Id);
    await run('TagResource', { ResourceId: Id, Tags: [{ Key: 'team', Value: 'net' }] });
    await run('DeleteResourcePolicy');
    await assert.rejects(run('ListTagsForResource', { ResourceId: Id }), awsError('TargetNotFoundException'));
  });

  it('names accounts of the organization, and operations that can be delegated', async () => {
    const invalid = awsError('InvalidInputException', 'This resource-based policy contains invalid JSON.');
    for (const AWS of [`arn:aws:iam::${member}:role/app`, '123456789013'])
      await assert.rejects(put(statement('organizations:DescribePolicy', { Principal: { AWS } })), invalid);
    const { Action: _, ...without } = statement('');
    await assert.rejects(put({ ...without, NotAction: 'organizations:DescribePolicy' }), invalid);
    await assert.rejects(run('PutResourcePolicy', { Content: '{' }), invalid);
    for (const Principal of ['*', { AWS: '*' }, { Service: 'kms.amazonaws.com' }, { AWS: [member, testAccountId] }])
      await put(statement(['organizations:Describe*', 'organizations:ListAccounts'], { Principal }));
    for (const action of ['organizations:CreateAccount', 'organizations:*', 's3:GetObject', 'organizations:MadeUp'])
      await assert.rejects(
        put(statement(action)),
        awsError('InvalidInputException', `${action} is not a supported action for this resource-based policy.`),
      );
  });
});

describe('what the policy of an organization decides', () => {
  it('a member needs it and a permission of its own, and neither outlives the other', async () => {
    const { Policy } = await run<{ Policy: { PolicySummary: { Id: string; Arn: string } } }>('CreatePolicy', {
      ...{ Name: 'own', Description: 'mine', Type: 'SERVICE_CONTROL_POLICY', Content: everything },
    });
    const { Id: PolicyId, Arn } = Policy.PolicySummary;
    const able = await makeUser(member, 'able', 'organizations:DescribePolicy', 'organizations:ListAccounts');
    const unable = await makeUser(member, 'unable', 's3:*');
    const show = (key: string) => as<DescribePolicyResponse>(key, 'DescribePolicy', { PolicyId });
    await assert.rejects(show(able), denied);
    await put(statement('organizations:DescribePolicy', { Resource: Arn }));
    assert.equal((await show(able)).Policy?.Content, everything);
    await assert.rejects(show(unable), denied);
    await assert.rejects(as(able, 'ListAccounts'), denied);
    const owned = (account: string) => ({ Condition: { StringEquals: { 'aws:ResourceAccount': account } } });
    await put(statement('organizations:ListAccounts', owned(testAccountId)));
    await as(able, 'ListAccounts');
    await put(statement('organizations:ListAccounts', owned(member)));
    await assert.rejects(as(able, 'ListAccounts'), denied);
    await run('DeleteResourcePolicy');
    await assert.rejects(show(able), denied);
  });

  it('lets a member write policies and attach them where it says, and tag what it makes if it says so', async () => {
    const { Roots } = await run<{ Roots: { Id: string }[] }>('ListRoots');
    const RootId = Roots[0]?.Id;
    await run('EnablePolicyType', { RootId, PolicyType: 'SERVICE_CONTROL_POLICY' });
    const { OrganizationalUnit } = await run<{ OrganizationalUnit: { Id: string; Arn: string } }>(
      'CreateOrganizationalUnit',
      { ParentId: RootId, Name: 'open' },
    );
    const key = await makeUser(member, 'able', 'organizations:*');
    const policies = `arn:aws:organizations::${testAccountId}:policy/*`;
    const writes = ['CreatePolicy', 'UpdatePolicy', 'AttachPolicy', 'DeletePolicy'].map(
      (one) => `organizations:${one}`,
    );
    const create = (Tags: object[] = []) =>
      as<{ Policy: { PolicySummary: { Id: string } } }>(key, 'CreatePolicy', {
        ...{ Name: 'theirs', Description: '', Type: 'SERVICE_CONTROL_POLICY', Content: everything, Tags },
      });
    const allowed = { Condition: { StringEquals: { 'organizations:PolicyType': 'SERVICE_CONTROL_POLICY' } } };
    await put(statement(writes, allowed));
    const tags = [{ Key: 'stage', Value: 'dev' }];
    await assert.rejects(create(tags), denied);
    await put(statement([...writes, 'organizations:TagResource']));
    const PolicyId = (await create(tags)).Policy.PolicySummary.Id;
    await put(statement(writes, { Resource: [policies, '*'] }));
    const attach = () => as(key, 'AttachPolicy', { PolicyId, TargetId: OrganizationalUnit.Id });
    await put(statement(writes, { Resource: policies }));
    await assert.rejects(attach(), denied);
    await put(statement(writes, { Resource: [policies, OrganizationalUnit.Arn] }));
    await attach();
    await assert.rejects(
      as(key, 'DeletePolicy', { PolicyId }),
      awsError('PolicyInUseException', 'The specified policy is in use and cannot be deleted.'),
    );
    await assert.rejects(as(key, 'CreateOrganizationalUnit', { ParentId: RootId, Name: 'x' }), denied);
  });

  it('its Deny holds for what members may read anyway, and not for the management account', async () => {
    const reads = await makeUser(member, 'reads', 'organizations:Describe*', 'organizations:List*');
    const manager = await makeUser(testAccountId, 'manager', 'organizations:*');
    const service = 'account.amazonaws.com';
    await run('EnableAWSServiceAccess', { ServicePrincipal: service });
    await run('RegisterDelegatedAdministrator', { AccountId: member, ServicePrincipal: service });
    const asked = ['DescribeOrganization', 'ListAccounts', 'ListRoots'];
    for (const name of asked) await as(reads, name);
    await put(
      statement(
        asked.map((name) => `organizations:${name}`),
        { Effect: 'Deny', Principal: '*' },
      ),
    );
    for (const name of asked) await assert.rejects(as(reads, name), denied);
    for (const name of asked) await as(manager, name);
    await assert.rejects(
      run('DisableAWSServiceAccess', { ServicePrincipal: service }),
      awsError('ConstraintViolationException'),
    );
    await run('DeregisterDelegatedAdministrator', { AccountId: member, ServicePrincipal: service });
    await run('DeleteResourcePolicy');
    await as(reads, 'DescribeOrganization');
    await assert.rejects(as(reads, 'ListAccounts'), denied);
  });

  it('a member leaves by its own permission alone', async () => {
    const key = await makeUser(member, 'leaves', 'organizations:LeaveOrganization');
    await as(key, 'LeaveOrganization');
    await assert.rejects(as(key, 'LeaveOrganization'), awsError('AWSOrganizationsNotInUseException'));
  });
});
