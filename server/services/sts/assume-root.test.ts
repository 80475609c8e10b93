// AssumeRoot: who gets a member's root, and what it may do there.

import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { addAccount, ensureFirstState } from '../../accounts.ts';
import type { Store } from '../../store/store.ts';
import { awsError, makeStore, rootPrincipal, runAs, runOperation, testAccountId, testNow } from '../../testing.ts';
import { iam } from '../iam/index.ts';
import { organizations } from '../organizations/index.ts';
import { sts } from './index.ts';

type Output = Record<string, unknown>;
const audit = 'arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials';
let store: Store;
let member: string;
let outside: string;

const as = <O = Output>(accountId: string, service: typeof iam, name: string, input: object = {}) =>
  runOperation<O>(store, service, name, input, { accountId, principal: rootPrincipal(accountId) });
const rejects = (promise: Promise<unknown>, code: string, message?: string | RegExp) =>
  assert.rejects(promise, awsError(code, message));

/** A user of the account who may do everything there. @returns the key */
async function makeAdministrator(accountId: string): Promise<string> {
  const UserName = 'admin';
  const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess';
  await as(accountId, iam, 'CreateUser', { UserName });
  await as(accountId, iam, 'AttachUserPolicy', { UserName, PolicyArn });
  const { AccessKey } = await as<{ AccessKey: { AccessKeyId: string } }>(accountId, iam, 'CreateAccessKey', {
    UserName,
  });
  return AccessKey.AccessKeyId;
}

async function assume(key: string, arn = audit, TargetPrincipal = member): Promise<string> {
  const answer = await runAs<{ Credentials: { AccessKeyId: string } }>(store, key, sts, 'AssumeRoot', {
    TargetPrincipal,
    TaskPolicyArn: { arn },
  });
  return answer.Credentials.AccessKeyId;
}

beforeEach(async () => {
  store = makeStore((tx) => ensureFirstState(tx, testNow));
  await as(testAccountId, organizations, 'CreateOrganization');
  const { CreateAccountStatus } = await as<{ CreateAccountStatus: { Id: string } }>(
    testAccountId,
    organizations,
    'CreateAccount',
    { AccountName: 'one', Email: 'one@example.com' },
  );
  const status = await as<{ CreateAccountStatus: { AccountId: string } }>(
    testAccountId,
    organizations,
    'DescribeCreateAccountStatus',
    { CreateAccountRequestId: CreateAccountStatus.Id },
  );
  member = status.CreateAccountStatus.AccountId;
  outside = store.transact((tx) => addAccount(tx, 'outside', testNow)).value.id;
});

async function enable(): Promise<void> {
  await as(testAccountId, organizations, 'EnableAWSServiceAccess', { ServicePrincipal: 'iam.amazonaws.com' });
  await as(testAccountId, iam, 'EnableOrganizationsRootSessions');
}

describe('root sessions', () => {
  it('are enabled by the management account, after IAM was let into the organization', async () => {
    const change = (accountId: string) => as(accountId, iam, 'EnableOrganizationsRootSessions');
    await rejects(change(outside), 'OrganizationNotFoundException');
    await rejects(change(member), 'CallerIsNotManagementAccountException');
    await rejects(change(testAccountId), 'ServiceAccessNotEnabledException');
    await enable();
    const { EnabledFeatures } = await as(testAccountId, iam, 'EnableOrganizationsRootCredentialsManagement');
    assert.deepEqual(EnabledFeatures, ['RootCredentialsManagement', 'RootSessions']);
    await as(testAccountId, iam, 'DisableOrganizationsRootSessions');
    const left = await as(testAccountId, iam, 'ListOrganizationsFeatures');
    assert.deepEqual(left.EnabledFeatures, ['RootCredentialsManagement']);
  });

  it('are for the management account’s principals, of members only, with a task of AWS’s', async () => {
    const key = await makeAdministrator(testAccountId);
    await rejects(assume(key), 'AccessDenied', /^User: .*:user\/admin is not authorized to perform: sts:AssumeRoot/);
    await enable();
    await assume(key);
    await assume(key, audit, `arn:aws:iam::${member}:root`);
    await rejects(assume(key, audit, outside), 'AccessDenied');
    await rejects(assume(key, 'arn:aws:iam::aws:policy/AdministratorAccess'), 'ValidationError');
    await rejects(assume(key, audit, 'somebody'), 'ValidationError');
    await rejects(assume(await makeAdministrator(outside)), 'AccessDenied');
    await rejects(assume(await makeAdministrator(member)), 'AccessDenied');
  });

  it('are the member’s root, and do what the task says and nothing else', async () => {
    await enable();
    const session = await assume(await makeAdministrator(testAccountId));
    const ask = <O = Output>(service: typeof iam, name: string, input: object = {}) =>
      runAs<O>(store, session, service, name, input);
    assert.equal((await ask(sts, 'GetCallerIdentity')).Arn, `arn:aws:iam::${member}:root`);
    const { AccessKeyMetadata } = await ask<{ AccessKeyMetadata: object[] }>(iam, 'ListAccessKeys');
    assert.equal(AccessKeyMetadata.length, 1);
    await as(member, iam, 'CreateUser', { UserName: 'bob' });
    const denied = /with an explicit deny in a session policy$/;
    await rejects(ask(iam, 'ListAccessKeys', { UserName: 'bob' }), 'AccessDenied', denied);
    await rejects(ask(iam, 'CreateUser', { UserName: 'eve' }), 'AccessDenied', denied);
    await rejects(ask(iam, 'CreateAccessKey'), 'AccessDenied', denied);
  });
});
