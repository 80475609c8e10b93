// IAM's operations, called as the pipeline calls them. Error texts are AWS's (recorded 2025, or from public logs); rule ids are those of docs/rules.

import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ensureFirstState } from '../../accounts.ts';
import { AwsError } from '../../errors.ts';
import type { BaseCall } from '../../service.ts';
import type { Store } from '../../store/store.ts';
import { awsError, makeStore, runOperation, testNow } from '../../testing.ts';
import { iam } from './index.ts';

const accountId = '123456789012';
const ec2Trust = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
});
const readBucket = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 's3:Get*', Resource: 'arn:aws:s3:::*' }],
});

let store: Store;

beforeEach(() => {
  store = makeStore((tx) => ensureFirstState(tx, testNow));
});

type Output = Record<string, unknown>;

function run(name: string, input: unknown = {}, overrides: Partial<BaseCall> = {}): Promise<Output> {
  return runOperation(store, iam, name, input, overrides);
}

const rejects = (promise: Promise<unknown>, code: string, message?: string | RegExp) =>
  assert.rejects(promise, awsError(code, message));

function asUser(userName: string): Partial<BaseCall> {
  const arn = `arn:aws:iam::${accountId}:user/${userName}`;
  return { principal: { type: 'user', accountId, arn, userId: 'AIDAEXAMPLE', userName } };
}

describe('users', () => {
  it('are made at a whole second, as AWS’s times are', async () => {
    const { User } = (await run('CreateUser', { UserName: 'ana' }, { now: new Date('2026-11-21T08:00:01.650Z') })) as {
      User: Output;
    };
    assert.deepEqual(User.CreateDate, new Date('2026-11-21T08:00:01Z'));
  });

  it('are made with an id, an ARN with the path, and shown again', async () => {
    const { User } = (await run('CreateUser', { UserName: 'ana', Path: '/staff/' })) as { User: Output };
    assert.equal(User.Arn, `arn:aws:iam::${accountId}:user/staff/ana`);
    assert.match(String(User.UserId), /^AIDA[A-Z2-7]{17}$/);
    assert.deepEqual(await run('GetUser', { UserName: 'ana' }), { User });
  });

  it('carry the partition of the request in their ARN', async () => {
    const { User } = (await run('CreateUser', { UserName: 'ana' }, { partition: 'aws-cn' })) as { User: Output };
    assert.equal(User.Arn, `arn:aws-cn:iam::${accountId}:user/ana`);
  });

  it('have names that case does not distinguish: one is taken, found and deleted however it is written', async () => {
    const { User } = await run('CreateUser', { UserName: 'ana' });
    await rejects(run('CreateUser', { UserName: 'Ana' }), 'EntityAlreadyExists', 'User with name Ana already exists.');
    assert.deepEqual(await run('GetUser', { UserName: 'ANA' }), { User });
    await run('CreateGroup', { GroupName: 'Staff' });
    await run('AddUserToGroup', { GroupName: 'staff', UserName: 'Ana' });
    const { Groups } = (await run('ListGroupsForUser', { UserName: 'anA' })) as { Groups: Output[] };
    assert.deepEqual(
      Groups.map(({ GroupName }) => GroupName),
      ['Staff'],
    );
    await run('RemoveUserFromGroup', { GroupName: 'STAFF', UserName: 'ANA' });
    await run('DeleteUser', { UserName: 'Ana' });
    await rejects(run('GetUser', { UserName: 'ana' }), 'NoSuchEntity', 'The user with name ana cannot be found.');
  });

  it('are listed by name without case, whatever their paths, page by page', async () => {
    const trust = { AssumeRolePolicyDocument: ec2Trust };
    for (const [name, path] of [
      ['Ad', '/w/'],
      ['ac', '/x/'],
      ['Ab', '/y/'],
      ['aa', '/z/'],
    ]) {
      await run('CreateUser', { UserName: name, Path: path });
      await run('CreateRole', { RoleName: name, Path: path, ...trust });
    }
    const pages = async (operation: string, member: string, key: string) => {
      const names: unknown[] = [];
      for (let Marker: unknown; ; ) {
        const page = await run(operation, { MaxItems: 1, ...(Marker !== undefined && { Marker }) });
        names.push(...(page[member] as Output[]).map((one) => one[key]));
        Marker = page.Marker;
        if (page.IsTruncated !== true) return names;
      }
    };
    assert.deepEqual(await pages('ListUsers', 'Users', 'UserName'), ['aa', 'Ab', 'ac', 'Ad']);
    assert.deepEqual(await pages('ListRoles', 'Roles', 'RoleName'), ['aa', 'Ab', 'ac', 'Ad']);
  });

  it('may not have names, paths or tags that IAM does not take', async () => {
    const name =
      'The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-';
    await rejects(run('CreateUser', { UserName: 'a b' }), 'ValidationError', name);
    const long =
      "1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must have length less than or equal to 64";
    await rejects(run('CreateUser', { UserName: 'a'.repeat(65) }), 'ValidationError', long);
    const path = /^The specified value for path is invalid\. It must begin and end with \//;
    await rejects(run('CreateUser', { UserName: 'ana', Path: 'staff' }), 'ValidationError', path);
    const twice = {
      UserName: 'ana',
      Tags: [
        { Key: 'a', Value: '1' },
        { Key: 'A', Value: '2' },
      ],
    };
    await rejects(
      run('CreateUser', twice),
      'InvalidInput',
      'Duplicate tag keys found. Please note that Tag keys are case insensitive.',
    );
    const missing =
      "1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must not be null";
    await rejects(run('CreateUser', {}), 'ValidationError', missing);
  });

  it('have tags whose keys are the same without case, and no key of AWS’s own', async () => {
    await run('CreateUser', { UserName: 'ana', Tags: [{ Key: 'Team', Value: '1' }] });
    await run('TagUser', { UserName: 'ana', Tags: [{ Key: 'team', Value: '2' }] });
    const { Tags } = (await run('ListUserTags', { UserName: 'ana' })) as { Tags: unknown };
    assert.deepEqual(Tags, [{ Key: 'team', Value: '2' }]);
    await rejects(
      run('TagUser', { UserName: 'ana', Tags: [{ Key: 'AWS:team', Value: '1' }] }),
      'InvalidInput',
      'Tag keys beginning with aws: are reserved for system use.',
    );
    const none = 'Error occurred while validating input. ';
    await rejects(run('TagUser', { UserName: 'ana', Tags: [] }), 'InvalidInput', none);
    await run('UntagUser', { UserName: 'ana', TagKeys: [] });
    const fifty = Array.from({ length: 50 }, (_, at) => ({ Key: `k${at}`, Value: '' }));
    await rejects(run('TagUser', { UserName: 'ana', Tags: fifty }), 'LimitExceeded');
  });

  it('have keys that are switched off and on, and never expire', async () => {
    await run('CreateUser', { UserName: 'ana' });
    const { AccessKey } = (await run('CreateAccessKey', { UserName: 'ana' })) as { AccessKey: { AccessKeyId: string } };
    const { AccessKeyId } = AccessKey;
    await rejects(run('UpdateAccessKey', { UserName: 'ana', AccessKeyId, Status: 'Expired' }), 'InvalidInput');
    await run('UpdateAccessKey', { UserName: 'ana', AccessKeyId, Status: 'Inactive' });
  });

  it('are deleted only after their groups, policies and keys, and each wrong order is named', async () => {
    await run('CreateUser', { UserName: 'ana' });
    await run('CreateGroup', { GroupName: 'staff' });
    await run('AddUserToGroup', { GroupName: 'staff', UserName: 'ana' });
    await run('AttachUserPolicy', { UserName: 'ana', PolicyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' });
    await run('PutUserPolicy', { UserName: 'ana', PolicyName: 'p', PolicyDocument: readBucket });
    const { AccessKey } = (await run('CreateAccessKey', { UserName: 'ana' })) as { AccessKey: Output };
    const remove = () => run('DeleteUser', { UserName: 'ana' });
    await rejects(remove(), 'DeleteConflict', 'Cannot delete entity, must remove users from group first.');
    await run('RemoveUserFromGroup', { GroupName: 'staff', UserName: 'ana' });
    await rejects(remove(), 'DeleteConflict', 'Cannot delete entity, must detach all policies first.');
    await run('DetachUserPolicy', { UserName: 'ana', PolicyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' });
    await rejects(remove(), 'DeleteConflict', 'Cannot delete entity, must delete policies first.');
    await run('DeleteUserPolicy', { UserName: 'ana', PolicyName: 'p' });
    await rejects(remove(), 'DeleteConflict', 'Cannot delete entity, must delete access keys first.');
    await run('DeleteAccessKey', { UserName: 'ana', AccessKeyId: AccessKey.AccessKeyId });
    await remove();
    await rejects(run('GetUser', { UserName: 'ana' }), 'NoSuchEntity');
  });

  it('keep their groups and keys when they are renamed', async () => {
    await run('CreateUser', { UserName: 'ana' });
    await run('CreateGroup', { GroupName: 'staff' });
    await run('AddUserToGroup', { GroupName: 'staff', UserName: 'ana' });
    await run('CreateAccessKey', { UserName: 'ana' });
    await run('UpdateUser', { UserName: 'ana', NewUserName: 'anna', NewPath: '/x/' });
    await rejects(run('GetUser', { UserName: 'ana' }), 'NoSuchEntity');
    const keys = (await run('ListAccessKeys', { UserName: 'anna' })) as { AccessKeyMetadata: Output[] };
    assert.equal(keys.AccessKeyMetadata.length, 1);
    const groups = (await run('ListGroupsForUser', { UserName: 'anna' })) as { Groups: Output[] };
    assert.deepEqual(
      groups.Groups.map((group) => group.GroupName),
      ['staff'],
    );
  });

  it('are the caller when none is named; root is root, and a role session must name one', async () => {
    await run('CreateUser', { UserName: 'ana' });
    const own = (await run('GetUser', {}, asUser('ana'))) as { User: Output };
    assert.equal(own.User.UserName, 'ana');
    const root = (await run('GetUser')) as { User: Output };
    assert.equal(root.User.Arn, `arn:aws:iam::${accountId}:root`);
    assert.equal(root.User.UserId, accountId);
    const principal = {
      type: 'role-session',
      accountId,
      arn: 'arn:aws:sts::123456789012:assumed-role/app/s',
      userId: 'AROA:s',
    } as const;
    await rejects(
      run('GetUser', {}, { principal }),
      'ValidationError',
      'Must specify userName when calling with non-User credentials',
    );
  });

  it('are listed in pages by prefix of path, and a made-up marker is refused', async () => {
    for (const name of ['c', 'a', 'b']) await run('CreateUser', { UserName: name, Path: '/staff/' });
    await run('CreateUser', { UserName: 'z' });
    const names: unknown[] = [];
    let Marker: string | undefined;
    do {
      const answer = (await run('ListUsers', {
        PathPrefix: '/staff/',
        MaxItems: 2,
        ...(Marker !== undefined && { Marker }),
      })) as {
        Users: Output[];
        IsTruncated: boolean;
        Marker?: string;
      };
      names.push(...answer.Users.map((user) => user.UserName));
      assert.equal(answer.IsTruncated, answer.Marker !== undefined);
      Marker = answer.Marker;
    } while (Marker !== undefined);
    assert.deepEqual(names, ['a', 'b', 'c']);
    await rejects(run('ListUsers', { Marker: 'nonsense' }), 'ValidationError', 'Invalid Marker.');
    await rejects(run('ListUsers', { MaxItems: 0 }), 'ValidationError', /'maxItems' .* greater than or equal to 1$/);
  });
});

describe('access keys', () => {
  it('[E5] come twice per user and no more, with the secret shown once', async () => {
    await run('CreateUser', { UserName: 'ana' });
    const { AccessKey } = (await run('CreateAccessKey', { UserName: 'ana' })) as { AccessKey: Output };
    assert.match(String(AccessKey.AccessKeyId), /^AKIA[A-Z2-7]{16}$/);
    assert.equal(String(AccessKey.SecretAccessKey).length, 40);
    await run('CreateAccessKey', { UserName: 'ana' });
    await rejects(
      run('CreateAccessKey', { UserName: 'ana' }),
      'LimitExceeded',
      'Cannot exceed quota for AccessKeysPerUser: 2',
    );
    const { AccessKeyMetadata } = (await run('ListAccessKeys', { UserName: 'ana' })) as { AccessKeyMetadata: Output[] };
    assert.equal(AccessKeyMetadata.length, 2);
    assert.ok(AccessKeyMetadata.every((key) => !('SecretAccessKey' in key)));
  });

  it('are switched off and on, and another user cannot reach them', async () => {
    await run('CreateUser', { UserName: 'ana' });
    await run('CreateUser', { UserName: 'bob' });
    const { AccessKey } = (await run('CreateAccessKey', { UserName: 'ana' })) as { AccessKey: Output };
    const { AccessKeyId } = AccessKey;
    await run('UpdateAccessKey', { UserName: 'ana', AccessKeyId, Status: 'Inactive' });
    assert.equal(store.read((tx) => tx.get('access-key', String(AccessKeyId)))?.status, 'Inactive');
    const gone = `The Access Key with id ${AccessKeyId} cannot be found.`;
    await rejects(run('DeleteAccessKey', { UserName: 'bob', AccessKeyId }), 'NoSuchEntity', gone);
    const status =
      "1 validation error detected: Value at 'status' failed to satisfy constraint: Member must satisfy enum value set";
    await rejects(run('UpdateAccessKey', { UserName: 'ana', AccessKeyId, Status: 'Off' }), 'ValidationError', status);
    const used = (await run('GetAccessKeyLastUsed', { AccessKeyId })) as Output;
    assert.deepEqual(used, { UserName: 'ana', AccessKeyLastUsed: { ServiceName: 'N/A', Region: 'N/A' } });
  });

  it('are root’s own when root names nobody', async () => {
    const { AccessKeyMetadata } = (await run('ListAccessKeys')) as { AccessKeyMetadata: Output[] };
    assert.equal(AccessKeyMetadata.length, 1);
    assert.ok(!('UserName' in (AccessKeyMetadata[0] ?? {})));
  });
});

describe('roles and instance profiles', () => {
  it('keep what an update does not name', async () => {
    const details = { MaxSessionDuration: 7200, Description: 'one' };
    await run('CreateRole', { RoleName: 'app', AssumeRolePolicyDocument: ec2Trust, ...details });
    await run('UpdateRole', { RoleName: 'app' });
    const { Role } = await run('GetRole', { RoleName: 'app' });
    const { MaxSessionDuration, Description } = Role as Output;
    assert.deepEqual({ MaxSessionDuration, Description }, details);
  });

  it('[E6] a role with a trust policy goes into an instance profile, once', async () => {
    const { Role } = (await run('CreateRole', { RoleName: 'app', AssumeRolePolicyDocument: ec2Trust })) as {
      Role: Output;
    };
    assert.match(String(Role.RoleId), /^AROA/);
    assert.equal(decodeURIComponent(String(Role.AssumeRolePolicyDocument)), ec2Trust);
    await run('CreateInstanceProfile', { InstanceProfileName: 'app' });
    const asked: unknown[] = [];
    const require: BaseCall['require'] = (_tx, action, resource, context) => asked.push([action, resource, context]);
    await run('AddRoleToInstanceProfile', { InstanceProfileName: 'app', RoleName: 'app' }, { require });
    assert.deepEqual(asked, [
      ['iam:PassRole', `arn:aws:iam::${accountId}:role/app`, { 'iam:PassedToService': ['ec2.amazonaws.com'] }],
    ]);
    const again = run('AddRoleToInstanceProfile', { InstanceProfileName: 'app', RoleName: 'app' });
    await rejects(again, 'LimitExceeded', 'Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1');
    const profile = (await run('GetInstanceProfile', { InstanceProfileName: 'app' })) as {
      InstanceProfile: { Roles: Output[] };
    };
    assert.deepEqual(
      profile.InstanceProfile.Roles.map((role) => role.RoleName),
      ['app'],
    );
  });

  it('a denied PassRole leaves the profile without the role', async () => {
    await run('CreateRole', { RoleName: 'app', AssumeRolePolicyDocument: ec2Trust });
    await run('CreateInstanceProfile', { InstanceProfileName: 'app' });
    const require = () => {
      throw new AwsError('AccessDenied', 403, 'no');
    };
    await rejects(
      run('AddRoleToInstanceProfile', { InstanceProfileName: 'app', RoleName: 'app' }, { require }),
      'AccessDenied',
    );
    const profile = (await run('GetInstanceProfile', { InstanceProfileName: 'app' })) as {
      InstanceProfile: { Roles: Output[] };
    };
    assert.deepEqual(profile.InstanceProfile.Roles, []);
  });

  it('are deleted in one order only', async () => {
    await run('CreateRole', { RoleName: 'app', AssumeRolePolicyDocument: ec2Trust });
    await run('CreateInstanceProfile', { InstanceProfileName: 'app' });
    await run('AddRoleToInstanceProfile', { InstanceProfileName: 'app', RoleName: 'app' });
    await run('PutRolePolicy', { RoleName: 'app', PolicyName: 's3', PolicyDocument: readBucket });
    await run('AttachRolePolicy', { RoleName: 'app', PolicyArn: 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess' });
    const profileFirst = 'Cannot delete entity, must remove roles from instance profile first.';
    await rejects(run('DeleteRole', { RoleName: 'app' }), 'DeleteConflict', profileFirst);
    await rejects(run('DeleteInstanceProfile', { InstanceProfileName: 'app' }), 'DeleteConflict', profileFirst);
    await run('RemoveRoleFromInstanceProfile', { InstanceProfileName: 'app', RoleName: 'app' });
    await run('DeleteInstanceProfile', { InstanceProfileName: 'app' });
    await rejects(
      run('DeleteRole', { RoleName: 'app' }),
      'DeleteConflict',
      'Cannot delete entity, must detach all policies first.',
    );
    await run('DetachRolePolicy', { RoleName: 'app', PolicyArn: 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess' });
    await rejects(
      run('DeleteRole', { RoleName: 'app' }),
      'DeleteConflict',
      'Cannot delete entity, must delete policies first.',
    );
    await run('DeleteRolePolicy', { RoleName: 'app', PolicyName: 's3' });
    await run('DeleteRole', { RoleName: 'app' });
    await rejects(run('DeleteRole', { RoleName: 'app' }), 'NoSuchEntity', 'The role with name app cannot be found.');
  });

  it('refuse a trust policy that is no JSON, or names a user that is not there', async () => {
    const broken = run('CreateRole', { RoleName: 'app', AssumeRolePolicyDocument: '{' });
    await rejects(broken, 'MalformedPolicyDocument', 'This policy contains invalid Json');
    const AWS = `arn:aws:iam::${accountId}:user/nobody`;
    const document = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS }, Action: 'sts:AssumeRole' }],
    });
    await rejects(
      run('CreateRole', { RoleName: 'app', AssumeRolePolicyDocument: document }),
      'MalformedPolicyDocument',
      /^Invalid principal in policy/,
    );
    await run('CreateUser', { UserName: 'nobody' });
    await run('CreateRole', { RoleName: 'app', AssumeRolePolicyDocument: document });
    const misspelt = ec2Trust.replace('amazonaws', 'amazon');
    await rejects(
      run('UpdateAssumeRolePolicy', { RoleName: 'app', PolicyDocument: misspelt }),
      'MalformedPolicyDocument',
      'Invalid principal in policy: "SERVICE":"ec2.amazon.com"',
    );
  });

  it('refuse service-linked roles by name', async () => {
    await rejects(
      run('CreateServiceLinkedRole', { AWSServiceName: 'ec2scheduled.amazonaws.com' }),
      'InvalidInput',
      /ec2scheduled/,
    );
  });
});

describe('the account', () => {
  it('shows everything in one answer', async () => {
    await run('CreateUser', { UserName: 'ana', Tags: [{ Key: 'team', Value: 'net' }] });
    await run('CreateGroup', { GroupName: 'staff' });
    await run('AddUserToGroup', { GroupName: 'staff', UserName: 'ana' });
    await run('CreateRole', { RoleName: 'app', AssumeRolePolicyDocument: ec2Trust });
    await run('AttachRolePolicy', { RoleName: 'app', PolicyArn: 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess' });
    const details = (await run('GetAccountAuthorizationDetails')) as Record<string, Output[]>;
    assert.deepEqual(
      details.UserDetailList?.map((user) => [user.UserName, user.GroupList]),
      [['ana', ['staff']]],
    );
    assert.deepEqual(
      details.RoleDetailList?.map((role) => role.RoleName),
      ['app'],
    );
    assert.deepEqual(
      details.Policies?.map((policy) => policy.PolicyName),
      ['AmazonS3ReadOnlyAccess'],
    );
    const only = (await run('GetAccountAuthorizationDetails', { Filter: ['Group'] })) as Record<string, Output[]>;
    assert.deepEqual([only.UserDetailList?.length, only.GroupDetailList?.length], [0, 1]);
    const { SummaryMap } = (await run('GetAccountSummary')) as { SummaryMap: Record<string, number> };
    assert.deepEqual(
      [SummaryMap.Users, SummaryMap.Groups, SummaryMap.Roles, SummaryMap.AccountAccessKeysPresent],
      [1, 1, 1, 1],
    );
    await rejects(
      run('GetAccountAuthorizationDetails', { Filter: ['Users'] }),
      'ValidationError',
      /LocalManagedPolicy, User, AWSManagedPolicy, Role, Group\]\]$/,
    );
    await run('CreateUser', { UserName: 'bob' });
    const { Marker } = await run('GetAccountAuthorizationDetails', { Filter: ['User'], MaxItems: 1 });
    const next = (Filter: string[], marker = Marker) =>
      run('GetAccountAuthorizationDetails', { Filter, Marker: marker });
    const rest = (await next(['User'])) as Record<string, Output[]>;
    assert.deepEqual(
      rest.UserDetailList?.map((user) => user.UserName),
      ['bob'],
    );
    const other = 'Marker and Filter do not match';
    await rejects(next(['Role']), 'ValidationError', other);
    await rejects(next(['User'], 'not a marker'), 'ValidationError', other);
  });

  it('has one alias', async () => {
    await run('CreateAccountAlias', { AccountAlias: 'first' });
    await run('CreateAccountAlias', { AccountAlias: 'second' });
    assert.deepEqual(await run('ListAccountAliases'), { AccountAliases: ['second'], IsTruncated: false });
    await rejects(run('DeleteAccountAlias', { AccountAlias: 'first' }), 'NoSuchEntity');
    await rejects(run('CreateAccountAlias', { AccountAlias: 'Not--good' }), 'ValidationError');
  });
});
