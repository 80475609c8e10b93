// Member accounts that stand in for the management account, and those that it closes.

import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ensureFirstState } from '../../accounts.ts';
import { principalOf } from '../../authorize/principal.ts';
import { keyNamed } from '../../sessions.ts';
import type { Store } from '../../store/store.ts';
import { awsError, makeStore, rootPrincipal, runAs, runOperation, testAccountId, testNow } from '../../testing.ts';
import { iam } from '../iam/index.ts';
import { sts } from '../sts/index.ts';
import { organizations } from './index.ts';

const service = 'access-analyzer.amazonaws.com';
let store: Store;
let member: string;
let other: string;

const as = <O = Record<string, unknown>>(accountId: string, name: string, input: object = {}, more: object = {}) =>
  runOperation<O>(store, organizations, name, input, { accountId, principal: rootPrincipal(accountId), ...more });
const run = <O = Record<string, unknown>>(name: string, input: object = {}, more: object = {}) =>
  as<O>(testAccountId, name, input, more);
const rejects = (promise: Promise<unknown>, code: string, message?: string | RegExp) =>
  assert.rejects(promise, awsError(code, message));
const register = (AccountId: string, ServicePrincipal = service) =>
  run('RegisterDelegatedAdministrator', { AccountId, ServicePrincipal });

async function makeAccount(AccountName: string): Promise<string> {
  const { CreateAccountStatus } = await run<{ CreateAccountStatus: { Id: string } }>('CreateAccount', {
    AccountName,
    Email: `${AccountName}@example.com`,
  });
  const made = await run<{ CreateAccountStatus: { AccountId: string } }>('DescribeCreateAccountStatus', {
    CreateAccountRequestId: CreateAccountStatus.Id,
  });
  return made.CreateAccountStatus.AccountId;
}

/** @returns the key of an administrator of the account */
async function makeAdministrator(accountId: string): Promise<string> {
  const owner = { accountId, principal: rootPrincipal(accountId) };
  const UserName = 'admin';
  const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess';
  await runOperation(store, iam, 'CreateUser', { UserName }, owner);
  await runOperation(store, iam, 'AttachUserPolicy', { UserName, PolicyArn }, owner);
  const made = await runOperation<{ AccessKey: { AccessKeyId: string } }>(
    store,
    iam,
    'CreateAccessKey',
    { UserName },
    owner,
  );
  return made.AccessKey.AccessKeyId;
}

beforeEach(async () => {
  store = makeStore((tx) => ensureFirstState(tx, testNow));
  await run('CreateOrganization');
  member = await makeAccount('one');
  other = await makeAccount('two');
});

describe('delegated administrators', () => {
  it('are members, of services that were let in, once each', async () => {
    await rejects(register(member), 'ConstraintViolationException', /^You attempted to register a delegated/);
    await run('EnableAWSServiceAccess', { ServicePrincipal: service });
    await rejects(register(testAccountId), 'ConstraintViolationException', /management account/);
    await rejects(register('999999999999'), 'AccountNotFoundException');
    await rejects(register(member, 'nothing'), 'InvalidInputException');
    await register(member);
    await rejects(register(member), 'AccountAlreadyRegisteredException');
    await rejects(as(member, 'RegisterDelegatedAdministrator', { AccountId: other }), 'AccessDeniedException');
    const input = { AccountId: other, ServicePrincipal: service };
    await rejects(run('DeregisterDelegatedAdministrator', input), 'AccountNotRegisteredException');
  });

  it('are listed by service, and may read the organization, not change it', async () => {
    await run('EnableAWSServiceAccess', { ServicePrincipal: service });
    const reads = ['ListAccounts', 'ListRoots', 'ListDelegatedAdministrators', 'ListAWSServiceAccessForOrganization'];
    for (const name of reads) await rejects(as(member, name), 'AccessDeniedException');
    await register(member);
    for (const name of reads) await as(member, name);
    await rejects(as(member, 'CreateAccount', { AccountName: 'x', Email: 'x@example.com' }), 'AccessDeniedException');
    await rejects(as(other, 'ListAccounts'), 'AccessDeniedException');
    const { DelegatedAdministrators } = await run<{ DelegatedAdministrators: Record<string, unknown>[] }>(
      'ListDelegatedAdministrators',
      { ServicePrincipal: service },
    );
    assert.deepEqual(
      DelegatedAdministrators.map(({ Id, Name, Status, DelegationEnabledDate }) => [
        Id,
        Name,
        Status,
        DelegationEnabledDate,
      ]),
      [[member, 'one', 'ACTIVE', testNow]],
    );
    assert.deepEqual(await run('ListDelegatedAdministrators', { ServicePrincipal: 'config.amazonaws.com' }), {
      DelegatedAdministrators: [],
    });
    assert.deepEqual(await as(member, 'ListDelegatedServicesForAccount', { AccountId: member }), {
      DelegatedServices: [{ ServicePrincipal: service, DelegationEnabledDate: testNow }],
    });
    await rejects(run('ListDelegatedServicesForAccount', { AccountId: other }), 'AccountNotRegisteredException');
    await rejects(
      run('RemoveAccountFromOrganization', { AccountId: member }),
      'ConstraintViolationException',
      /must first deregister/,
    );
    await run('DeregisterDelegatedAdministrator', { AccountId: member, ServicePrincipal: service });
    await rejects(as(member, 'ListAccounts'), 'AccessDeniedException');
    await run('RemoveAccountFromOrganization', { AccountId: member });
  });

  it('for IAM may have a member’s root for a task', async () => {
    await run('EnableAWSServiceAccess', { ServicePrincipal: 'iam.amazonaws.com' });
    await runOperation(store, iam, 'EnableOrganizationsRootSessions');
    const key = await makeAdministrator(member);
    const assume = () =>
      runAs(store, key, sts, 'AssumeRoot', {
        TargetPrincipal: other,
        TaskPolicyArn: { arn: 'arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials' },
      });
    await rejects(assume(), 'AccessDenied');
    await register(member, 'iam.amazonaws.com');
    await assume();
  });
});

describe('permissions of organizations', () => {
  it('are on what is named, with its tags, those of the request and the service that is let in', async () => {
    const UserName = 'ana';
    await runOperation(store, iam, 'CreateUser', { UserName });
    const made = await runOperation<{ AccessKey: { AccessKeyId: string } }>(store, iam, 'CreateAccessKey', {
      UserName,
    });
    const ask = (name: string, input: object) => runAs(store, made.AccessKey.AccessKeyId, organizations, name, input);
    const allow = (Action: string, key: string, value: string) => {
      const Statement = { Effect: 'Allow', Action, Resource: '*', Condition: { StringEquals: { [key]: value } } };
      const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
      return runOperation(store, iam, 'PutUserPolicy', { UserName, PolicyName: 'p', PolicyDocument });
    };
    await allow('organizations:EnableAWSServiceAccess', 'organizations:ServicePrincipal', service);
    await ask('EnableAWSServiceAccess', { ServicePrincipal: service });
    await rejects(ask('EnableAWSServiceAccess', { ServicePrincipal: 'config.amazonaws.com' }), 'AccessDeniedException');
    await run('TagResource', { ResourceId: member, Tags: [{ Key: 'stage', Value: 'dev' }] });
    await allow('organizations:CloseAccount', 'aws:ResourceTag/stage', 'dev');
    const words = "You don't have permissions to access this resource.";
    await rejects(ask('CloseAccount', { AccountId: other }), 'AccessDeniedException', words);
    await ask('CloseAccount', { AccountId: member });
    await allow('organizations:TagResource', 'aws:RequestTag/stage', 'dev');
    await ask('TagResource', { ResourceId: other, Tags: [{ Key: 'stage', Value: 'dev' }] });
    await rejects(
      ask('TagResource', { ResourceId: other, Tags: [{ Key: 'stage', Value: 'live' }] }),
      'AccessDeniedException',
    );
  });
});

describe('a closed account', () => {
  it('is closed once, by the management account, which closes itself nowhere', async () => {
    await rejects(as(member, 'CloseAccount', { AccountId: other }), 'AccessDeniedException');
    await rejects(run('CloseAccount', { AccountId: testAccountId }), 'ConstraintViolationException', /management/);
    await rejects(run('CloseAccount', { AccountId: '999999999999' }), 'AccountNotFoundException');
    await run('CloseAccount', { AccountId: member });
    await rejects(run('CloseAccount', { AccountId: member }), 'AccountAlreadyClosedException');
    const { Account } = await run<{ Account: Record<string, unknown> }>('DescribeAccount', { AccountId: member });
    assert.deepEqual([Account.Status, Account.State], ['SUSPENDED', 'CLOSED']);
    await run('EnableAWSServiceAccess', { ServicePrincipal: service });
    await rejects(register(member), 'ConstraintViolationException', /suspended account/);
  });

  it('has nobody any more, and none of its roles is had', async () => {
    const key = await makeAdministrator(member);
    const manager = await makeAdministrator(testAccountId);
    const input = {
      RoleArn: `arn:aws:iam::${member}:role/OrganizationAccountAccessRole`,
      RoleSessionName: 'in',
    };
    const assume = () =>
      runAs<{ Credentials: { AccessKeyId: string } }>(store, manager, sts, 'AssumeRole', input, {}, [sts]);
    const session = (await assume()).Credentials.AccessKeyId;
    const who = (id: string) =>
      store.read((tx) => {
        const row = keyNamed(tx, id);
        return row && principalOf(tx, row, 'aws');
      });
    assert.ok(who(key) && who(session));
    await run('CloseAccount', { AccountId: member });
    assert.equal(who(key), undefined);
    assert.equal(who(session), undefined);
    assert.ok(who(manager));
    await rejects(assume(), 'AccessDenied');
  });

  it('counts for 30 days towards what may be closed, where quotas hold', async () => {
    const quotas = { settings: { quotas: 'aws' } };
    store.transact((tx) => {
      const row = tx.get('organization-member', member);
      for (let at = 0; row && at < 250; at += 1) {
        const id = String(500_000_000_000 + at);
        tx.put('organization-member', { ...row, id });
        tx.put('account', { id, accountId: id, region: 'global', createdAt: '', closedAt: testNow.toISOString() });
      }
    });
    const close = (days: number) => {
      const now = new Date(testNow.getTime() + days * 86_400_000);
      return run('CloseAccount', { AccountId: member }, { ...quotas, now });
    };
    await rejects(
      close(29),
      'ConstraintViolationException',
      'You have exceeded close account quota for the past 30 days.',
    );
    await close(31);
  });
});
