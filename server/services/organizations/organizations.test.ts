// Organizations by hand of the real policies: the tree, what is attached to it, and who is stopped by it.

import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { addAccount, ensureFirstState, ensureRootKey } from '../../accounts.ts';
import type { Store } from '../../store/store.ts';
import { awsError, makeStore, rootPrincipal, runAs, runOperation, testAccountId, testNow } from '../../testing.ts';
import { iam } from '../iam/index.ts';
import { sts } from '../sts/index.ts';
import { organizations } from './index.ts';

let store: Store;
const as = <O = Record<string, unknown>>(accountId: string, name: string, input: object = {}) =>
  runOperation<O>(store, organizations, name, input, { accountId, principal: rootPrincipal(accountId) });
const run = <O = Record<string, unknown>>(name: string, input: object = {}) => as<O>(testAccountId, name, input);
const rejects = (promise: Promise<unknown>, code: string, message?: string | RegExp) =>
  assert.rejects(promise, awsError(code, message));

const scp = (...statements: object[]) => JSON.stringify({ Version: '2012-10-17', Statement: statements });
const everyAction = { Effect: 'Allow', Action: '*', Resource: '*' };

let rootId: string;
let member: string;

/** The organization with one unit, in which one member account is. */
async function makeOrganization(): Promise<string> {
  await run('CreateOrganization');
  const { Roots } = await run<{ Roots: { Id: string }[] }>('ListRoots');
  rootId = Roots[0]?.Id ?? '';
  const unitId = await makeUnit('dev', rootId);
  member = await makeAccount('one', 'one@example.com');
  await run('MoveAccount', { AccountId: member, SourceParentId: rootId, DestinationParentId: unitId });
  return unitId;
}

async function makeUnit(Name: string, ParentId: string): Promise<string> {
  const made = await run<{ OrganizationalUnit: { Id: string } }>('CreateOrganizationalUnit', { Name, ParentId });
  return made.OrganizationalUnit.Id;
}

async function makeAccount(AccountName: string, Email: string): Promise<string> {
  const { CreateAccountStatus } = await run<{ CreateAccountStatus: { Id: string; State: string } }>('CreateAccount', {
    AccountName,
    Email,
  });
  assert.equal(CreateAccountStatus.State, 'IN_PROGRESS');
  const status = await run<{ CreateAccountStatus: { AccountId: string } }>('DescribeCreateAccountStatus', {
    CreateAccountRequestId: CreateAccountStatus.Id,
  });
  return status.CreateAccountStatus.AccountId;
}

async function makePolicy(Name: string, Content: string, Type = 'SERVICE_CONTROL_POLICY'): Promise<string> {
  const input = { Name, Content, Type, Description: '' };
  const { Policy } = await run<{ Policy: { PolicySummary: { Id: string } } }>('CreatePolicy', input);
  return Policy.PolicySummary.Id;
}

const enable = (PolicyType = 'SERVICE_CONTROL_POLICY') => run('EnablePolicyType', { RootId: rootId, PolicyType });
const attach = (PolicyId: string, TargetId: string) => run('AttachPolicy', { PolicyId, TargetId });
const detach = (PolicyId: string, TargetId: string) => run('DetachPolicy', { PolicyId, TargetId });
const rootKey = (accountId: string) => store.transact((tx) => ensureRootKey(tx, accountId, testNow)).value.id;
const memberRoot = (name: string, input: object = {}) => runAs(store, rootKey(member), iam, name, input);

beforeEach(() => {
  store = makeStore((tx) => ensureFirstState(tx, testNow));
});

describe('organizations', () => {
  it('an account without one is told so, and one that has one makes no second', async () => {
    await rejects(run('ListRoots'), 'AWSOrganizationsNotInUseException');
    await makeOrganization();
    await rejects(run('CreateOrganization'), 'AlreadyInOrganizationException');
    await rejects(
      as(member, 'ListAccounts'),
      'AccessDeniedException',
      "You don't have permissions to access this resource.",
    );
    const { Organization } = await as<{ Organization: { MasterAccountId: string } }>(member, 'DescribeOrganization');
    assert.equal(Organization.MasterAccountId, testAccountId);
  });

  it('has a tree of units, five levels deep, whose names are unique under one parent', async () => {
    await makeOrganization();
    await rejects(makeUnit('dev', rootId), 'DuplicateOrganizationalUnitException');
    let parent = rootId;
    for (const level of [1, 2, 3, 4, 5]) parent = await makeUnit(`level ${level}`, parent);
    await rejects(makeUnit('level 6', parent), 'ConstraintViolationException');
    const { Parents } = await run<{ Parents: object[] }>('ListParents', { ChildId: parent });
    assert.equal(Parents.length, 1);
    await rejects(run('ListParents', { ChildId: '999999999999' }), 'ChildNotFoundException');
    await rejects(makeUnit('x', 'ou-none-00000000'), 'ParentNotFoundException');
    await rejects(makeUnit('x', 'somewhere'), 'InvalidInputException');
  });

  it('a unit that holds something stays; an account moves only from where it is', async () => {
    const unitId = await makeOrganization();
    await rejects(
      run('DeleteOrganizationalUnit', { OrganizationalUnitId: unitId }),
      'OrganizationalUnitNotEmptyException',
    );
    const move = (SourceParentId: string, DestinationParentId: string) =>
      run('MoveAccount', { AccountId: member, SourceParentId, DestinationParentId });
    await rejects(move(rootId, unitId), 'DuplicateAccountException');
    await rejects(move('r-none', unitId), 'SourceParentNotFoundException');
    await move(unitId, rootId);
    await run('DeleteOrganizationalUnit', { OrganizationalUnitId: unitId });
    await rejects(
      run('DescribeOrganizationalUnit', { OrganizationalUnitId: unitId }),
      'OrganizationalUnitNotFoundException',
    );
  });

  it('an account that is made has the role that lets the management account in; its address is nobody else’s', async () => {
    await makeOrganization();
    const RoleArn = `arn:aws:iam::${member}:role/OrganizationAccountAccessRole`;
    const { User } = await runOperation<{ User: { Arn: string } }>(store, iam, 'CreateUser', { UserName: 'ana' });
    const PolicyDocument = scp(everyAction);
    await runOperation(store, iam, 'PutUserPolicy', { UserName: 'ana', PolicyName: 'all', PolicyDocument });
    const { AccessKey } = await runOperation<{ AccessKey: { AccessKeyId: string } }>(store, iam, 'CreateAccessKey', {
      UserName: 'ana',
    });
    assert.match(User.Arn, /user\/ana$/);
    await runAs(store, AccessKey.AccessKeyId, sts, 'AssumeRole', { RoleArn, RoleSessionName: 'in' });
    assert.equal(await makeAccount('again', 'ONE@example.com'), undefined);
    const { CreateAccountStatuses } = await run<{ CreateAccountStatuses: object[] }>('ListCreateAccountStatus', {
      States: ['FAILED'],
    });
    assert.equal(CreateAccountStatuses.length, 1);
  });

  it('an account of the cloud comes in by invitation, once, and leaves', async () => {
    await makeOrganization();
    const other = store.transact((tx) => addAccount(tx, 'other', testNow)).value.id;
    const invite = () =>
      run<{ Handshake: { Id: string } }>('InviteAccountToOrganization', { Target: { Id: other, Type: 'ACCOUNT' } });
    const HandshakeId = (await invite()).Handshake.Id;
    await rejects(invite(), 'DuplicateHandshakeException');
    await rejects(run('AcceptHandshake', { HandshakeId }), 'AccessDeniedException');
    await as(other, 'AcceptHandshake', { HandshakeId });
    await rejects(as(other, 'AcceptHandshake', { HandshakeId }), 'HandshakeAlreadyInStateException');
    await rejects(run('CancelHandshake', { HandshakeId }), 'InvalidHandshakeTransitionException');
    await rejects(invite(), 'HandshakeConstraintViolationException');
    await rejects(run('LeaveOrganization'), 'MasterCannotLeaveOrganizationException');
    await as(other, 'LeaveOrganization');
    await rejects(run('DeleteOrganization'), 'OrganizationNotEmptyException');
    await run('RemoveAccountFromOrganization', { AccountId: member });
    await run('DeleteOrganization');
    await rejects(run('DescribeOrganization'), 'AWSOrganizationsNotInUseException');
  });

  it('gives its lists page by page, each item once', async () => {
    await makeOrganization();
    for (const index of [1, 2, 3, 4]) await makeUnit(`unit ${index}`, rootId);
    const names: string[] = [];
    let NextToken: string | undefined;
    do {
      const page = await run<{ OrganizationalUnits: { Name: string }[]; NextToken?: string }>(
        'ListOrganizationalUnitsForParent',
        { ParentId: rootId, MaxResults: 2, ...(NextToken !== undefined && { NextToken }) },
      );
      names.push(...page.OrganizationalUnits.map(({ Name }) => Name));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    assert.deepEqual(names.sort(), ['dev', 'unit 1', 'unit 2', 'unit 3', 'unit 4']);
    await rejects(run('ListAccounts', { NextToken: 'x' }), 'InvalidInputException');
  });

  it('keeps tags of accounts, units, roots and policies', async () => {
    const unitId = await makeOrganization();
    const policyId = await makePolicy('p', scp(everyAction));
    for (const ResourceId of [rootId, unitId, member, policyId]) {
      await run('TagResource', {
        ResourceId,
        Tags: [
          { Key: 'a', Value: '1' },
          { Key: 'b', Value: '2' },
        ],
      });
      await run('UntagResource', { ResourceId, TagKeys: ['a'] });
      assert.deepEqual((await run('ListTagsForResource', { ResourceId })).Tags, [{ Key: 'b', Value: '2' }]);
    }
    await rejects(
      run('TagResource', { ResourceId: member, Tags: [{ Key: 'aws:x', Value: '' }] }),
      'InvalidInputException',
    );
  });
});

describe('control policies', () => {
  it('a type is enabled once, with AWS’s own policy everywhere; disabling takes all of it off', async () => {
    const unitId = await makeOrganization();
    await rejects(attach('p-FullAWSAccess', rootId), 'PolicyTypeNotEnabledException');
    await enable();
    await rejects(enable(), 'PolicyTypeAlreadyEnabledException');
    const later = await makeUnit('later', rootId);
    const attached = async (TargetId: string) =>
      (
        await run<{ Policies: { Name: string }[] }>('ListPoliciesForTarget', {
          TargetId,
          Filter: 'SERVICE_CONTROL_POLICY',
        })
      ).Policies.map(({ Name }) => Name);
    for (const target of [rootId, unitId, member, later]) assert.deepEqual(await attached(target), ['FullAWSAccess']);
    await run('DisablePolicyType', { RootId: rootId, PolicyType: 'SERVICE_CONTROL_POLICY' });
    assert.deepEqual(await attached(member), []);
    await rejects(enable('TAG_POLICY'), 'PolicyTypeNotAvailableForOrganizationException');
  });

  it('a policy must fit its type, and one that is attached stays', async () => {
    await makeOrganization();
    await enable();
    await enable('RESOURCE_CONTROL_POLICY');
    const malformed = (content: string, type?: string) =>
      rejects(makePolicy('bad', content, type), 'MalformedPolicyDocumentException');
    await malformed('{');
    await malformed(scp({ ...everyAction, Principal: '*' }));
    await malformed(scp({ ...everyAction, Principal: '*' }), 'RESOURCE_CONTROL_POLICY');
    await malformed(scp({ Effect: 'Deny', Principal: '*', Action: '*', Resource: '*' }), 'RESOURCE_CONTROL_POLICY');
    await rejects(makePolicy('big', scp({ ...everyAction, Sid: 'x'.repeat(6000) })), 'ConstraintViolationException');
    const policyId = await makePolicy('mine', scp(everyAction));
    await rejects(makePolicy('mine', scp(everyAction)), 'DuplicatePolicyException');
    await attach(policyId, member);
    await rejects(attach(policyId, member), 'DuplicatePolicyAttachmentException');
    await rejects(run('DeletePolicy', { PolicyId: policyId }), 'PolicyInUseException');
    await detach('p-FullAWSAccess', member);
    await rejects(
      detach(policyId, member),
      'ConstraintViolationException',
      'You cannot remove the last policy attached to the specified target. You must have at least one attached at all times.',
    );
    await rejects(detach('p-RCPFullAWSAccess', member), 'InvalidInputException');
    await rejects(run('UpdatePolicy', { PolicyId: 'p-FullAWSAccess', Name: 'x' }), 'InvalidInputException');
  });

  it('[E3] an SCP stops a member account’s root and not the management account', async () => {
    const unitId = await makeOrganization();
    await enable();
    const policyId = await makePolicy('no users', scp({ Effect: 'Deny', Action: 'iam:CreateUser', Resource: '*' }));
    await attach(policyId, unitId);
    await rejects(
      memberRoot('CreateUser', { UserName: 'x' }),
      'AccessDenied',
      `User: arn:aws:iam::${member}:root is not authorized to perform: iam:CreateUser on resource: arn:aws:iam::${member}:user/x with an explicit deny in a service control policy`,
    );
    await memberRoot('ListUsers');
    await runAs(store, rootKey(testAccountId), iam, 'CreateUser', { UserName: 'x' });
    await run('MoveAccount', { AccountId: member, SourceParentId: unitId, DestinationParentId: rootId });
    await memberRoot('CreateUser', { UserName: 'x' });
  });

  it('[E1] every level must allow: the root, the unit and the account', async () => {
    const unitId = await makeOrganization();
    await enable();
    const onlyLists = await makePolicy('lists', scp({ Effect: 'Allow', Action: 'iam:List*', Resource: '*' }));
    for (const target of [rootId, unitId, member]) {
      await attach(onlyLists, target);
      await detach('p-FullAWSAccess', target);
      await rejects(
        memberRoot('CreateUser', { UserName: 'x' }),
        'AccessDenied',
        /because no service control policy allows the iam:CreateUser action$/,
      );
      await memberRoot('ListUsers');
      await attach('p-FullAWSAccess', target);
      await detach(onlyLists, target);
    }
    await memberRoot('CreateUser', { UserName: 'x' });
  });

  it('an RCP guards a member’s resources against callers of other organizations', async () => {
    await makeOrganization();
    await enable('RESOURCE_CONTROL_POLICY');
    const { Organization } = await run<{ Organization: { Id: string } }>('DescribeOrganization');
    const outsiders = scp({
      Effect: 'Deny',
      Principal: '*',
      Action: 'sts:AssumeRole',
      Resource: '*',
      Condition: { StringNotEqualsIfExists: { 'aws:PrincipalOrgID': Organization.Id } },
    });
    await attach(await makePolicy('perimeter', outsiders, 'RESOURCE_CONTROL_POLICY'), rootId);
    const outside = store.transact((tx) => addAccount(tx, 'outside', testNow)).value.id;
    const trust = scp({
      Effect: 'Allow',
      Principal: { AWS: [`arn:aws:iam::${outside}:root`, `arn:aws:iam::${testAccountId}:root`] },
      Action: 'sts:AssumeRole',
    });
    await memberRoot('CreateRole', { RoleName: 'shared', AssumeRolePolicyDocument: trust });
    const assume = async (accountId: string) => {
      const overrides = { accountId, principal: rootPrincipal(accountId) };
      await runOperation(store, iam, 'CreateUser', { UserName: 'u' }, overrides);
      const grant = { UserName: 'u', PolicyName: 'all', PolicyDocument: scp(everyAction) };
      await runOperation(store, iam, 'PutUserPolicy', grant, overrides);
      const made = await runOperation<{ AccessKey: { AccessKeyId: string } }>(
        store,
        iam,
        'CreateAccessKey',
        { UserName: 'u' },
        overrides,
      );
      const input = { RoleArn: `arn:aws:iam::${member}:role/shared`, RoleSessionName: 's1' };
      return runAs(store, made.AccessKey.AccessKeyId, sts, 'AssumeRole', input);
    };
    await assume(testAccountId);
    await rejects(assume(outside), 'AccessDenied', /with an explicit deny in a resource control policy$/);
  });
});

describe('what was recorded on AWS in September 2026', () => {
  const reason = (code: string, expected: string) => (error: unknown) => {
    assert.ok(awsError(code)(error));
    assert.equal((error as { fields?: { Reason?: string } }).fields?.Reason, expected);
    return true;
  };
  const invalid = (promise: Promise<unknown>, expected: string) =>
    assert.rejects(promise, reason('InvalidInputException', expected));

  it('reasons name the parameter that is wrong', async () => {
    const OrganizationalUnitId = await makeOrganization();
    const rename = (Name: string) => run('UpdateOrganizationalUnit', { OrganizationalUnitId, Name });
    await invalid(rename(''), 'MIN_LENGTH_EXCEEDED:NAME');
    await invalid(rename('é'.repeat(129)), 'MAX_LENGTH_EXCEEDED:NAME');
    await rename('é'.repeat(128));
    const wrong = run('UpdateOrganizationalUnit', { OrganizationalUnitId: 'invalid', Name: 'x' });
    await invalid(wrong, 'INVALID_PATTERN:ORGANIZATIONAL_UNIT_ID');
    const list = (more: object) => run('ListOrganizationalUnitsForParent', { ParentId: rootId, ...more });
    await invalid(list({ MaxResults: 0 }), 'MIN_VALUE_EXCEEDED:MAX_RESULTS');
    await invalid(list({ MaxResults: 21 }), 'MAX_VALUE_EXCEEDED:MAX_RESULTS');
    await invalid(list({ NextToken: '' }), 'INVALID_NEXT_TOKEN');
    await invalid(run('UntagResource', { ResourceId: member }), 'INPUT_REQUIRED:TAG_KEYS');
    await run('UntagResource', { ResourceId: member, TagKeys: [] });
    const Tags = [
      { Key: 'valid', Value: 'pending' },
      { Key: 'é'.repeat(129), Value: 'rejected' },
    ];
    await invalid(run('TagResource', { ResourceId: member, Tags }), 'MAX_LENGTH_EXCEEDED:TAGS_2_MEMBER_KEY');
    assert.deepEqual(await run('ListTagsForResource', { ResourceId: member }), { Tags: [] });
  });

  it('units and accounts have their paths, and an update tells what was asked for', async () => {
    const OrganizationalUnitId = await makeOrganization();
    const blank = await run<{ OrganizationalUnit: { Name: string; Path: string } }>('UpdateOrganizationalUnit', {
      OrganizationalUnitId,
      Name: ' ',
    });
    const { Organization } = await run<{ Organization: { Id: string } }>('DescribeOrganization');
    const path = `${Organization.Id}/${rootId}/${OrganizationalUnitId}/`;
    assert.deepEqual([blank.OrganizationalUnit.Name, blank.OrganizationalUnit.Path], ['dev', path]);
    const { Account } = await run<{ Account: { Paths: string[] } }>('DescribeAccount', { AccountId: member });
    assert.deepEqual(Account.Paths, [`${path}${member}/`]);
    const content = JSON.stringify({ Statement: [everyAction] });
    const PolicyId = await makePolicy('own', content);
    const update = async (more: object) => {
      const { Policy } = await run<{ Policy: { Content: string; PolicySummary: Record<string, unknown> } }>(
        'UpdatePolicy',
        { PolicyId, ...more },
      );
      assert.equal(Policy.Content, content);
      return [Policy.PolicySummary['Name'], Policy.PolicySummary['Description']];
    };
    assert.deepEqual(await update({ Name: 'changed', Description: 'next' }), ['changed', 'next']);
    assert.deepEqual(await update({ Description: '' }), [undefined, '']);
    assert.deepEqual(await update({}), [undefined, undefined]);
    const kept = await run<{ Policy: { PolicySummary: { Description: string } } }>('DescribePolicy', { PolicyId });
    assert.equal(kept.Policy.PolicySummary.Description, 'next');
  });
});
