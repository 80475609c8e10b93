// Inline and managed policies, called as the pipeline calls them. Error texts are AWS's (recorded 2025 and 2026, or from public logs).

import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ensureFirstState } from '../../accounts.ts';
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

describe('policies', () => {
  it('inline ones come back as RFC 3986 encodes them', async () => {
    await run('CreateUser', { UserName: 'ana' });
    await run('PutUserPolicy', { UserName: 'ana', PolicyName: 'p', PolicyDocument: readBucket });
    const { PolicyDocument } = (await run('GetUserPolicy', { UserName: 'ana', PolicyName: 'p' })) as Output;
    assert.match(String(PolicyDocument), /^[\w.~%-]+$/);
    assert.match(String(PolicyDocument), /s3%3AGet%2A/);
    assert.equal(decodeURIComponent(String(PolicyDocument)), readBucket);
    await rejects(
      run('GetUserPolicy', { UserName: 'ana', PolicyName: 'q' }),
      'NoSuchEntity',
      'The user policy with name q cannot be found.',
    );
  });

  it('inline ones have names that are the same in any case, and stay as they were written first', async () => {
    await run('CreateUser', { UserName: 'ana' });
    const put = (PolicyName: string, PolicyDocument: string) =>
      run('PutUserPolicy', { UserName: 'ana', PolicyName, PolicyDocument });
    await put('MixedName', readBucket);
    await put('mixedname', readBucket.replace('Allow', 'Deny'));
    const { PolicyNames } = await run('ListUserPolicies', { UserName: 'ana' });
    assert.deepEqual(PolicyNames, ['MixedName']);
    const shown = await run('GetUserPolicy', { UserName: 'ana', PolicyName: 'MIXEDNAME' });
    assert.equal(shown.PolicyName, 'MIXEDNAME');
    assert.match(String(shown.PolicyDocument), /Deny/);
    await run('DeleteUserPolicy', { UserName: 'ana', PolicyName: 'MIXEDNAME' });
    assert.deepEqual((await run('ListUserPolicies', { UserName: 'ana' })).PolicyNames, []);
  });

  it('a boundary that is not there cannot be taken away, and how one is used is asked of attached ones', async () => {
    await run('CreateUser', { UserName: 'ana' });
    await rejects(run('DeleteUserPermissionsBoundary', { UserName: 'ana' }), 'NoSuchEntity');
    await run('CreateRole', { RoleName: 'app', AssumeRolePolicyDocument: ec2Trust });
    await rejects(run('DeleteRolePermissionsBoundary', { RoleName: 'app' }), 'NoSuchEntity');
    const { Policy } = (await run('CreatePolicy', { PolicyName: 'own', PolicyDocument: readBucket })) as {
      Policy: { Arn: string };
    };
    await run('PutUserPermissionsBoundary', { UserName: 'ana', PermissionsBoundary: Policy.Arn });
    const listed = async (more: object) =>
      ((await run('ListPolicies', { Scope: 'Local', ...more })).Policies as Output[]).length;
    assert.equal(await listed({ PolicyUsageFilter: 'PermissionsPolicy' }), 1);
    assert.equal(await listed({ PolicyUsageFilter: 'PermissionsPolicy', OnlyAttached: true }), 0);
    assert.equal(await listed({ PolicyUsageFilter: 'PermissionsBoundary', OnlyAttached: true }), 1);
  });

  it('inline ones share one size', async () => {
    await run('CreateUser', { UserName: 'ana' });
    const long = (letter: string) =>
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 's3:Get*', Resource: `arn:aws:s3:::${letter.repeat(1200)}` }],
      });
    await run('PutUserPolicy', { UserName: 'ana', PolicyName: 'a', PolicyDocument: long('a') });
    const second = run('PutUserPolicy', { UserName: 'ana', PolicyName: 'b', PolicyDocument: long('b') });
    await rejects(second, 'LimitExceeded', 'Maximum policy size of 2048 bytes exceeded for user ana');
  });

  it('managed ones have five versions at most, one of them the default', async () => {
    const { Policy } = (await run('CreatePolicy', { PolicyName: 'p', PolicyDocument: readBucket })) as {
      Policy: Output;
    };
    const PolicyArn = Policy.Arn;
    assert.equal(PolicyArn, `arn:aws:iam::${accountId}:policy/p`);
    const again = run('CreatePolicy', { PolicyName: 'p', PolicyDocument: readBucket });
    await rejects(again, 'EntityAlreadyExists', 'A policy called p already exists. Duplicate names are not allowed.');
    for (let version = 2; version <= 5; version += 1) {
      await run('CreatePolicyVersion', { PolicyArn, PolicyDocument: readBucket, SetAsDefault: version === 3 });
    }
    await rejects(
      run('CreatePolicyVersion', { PolicyArn, PolicyDocument: readBucket }),
      'LimitExceeded',
      /^A managed policy can have up to 5 versions\./,
    );
    const { Versions } = (await run('ListPolicyVersions', { PolicyArn })) as { Versions: Output[] };
    assert.deepEqual(
      Versions.map((version) => [version.VersionId, version.IsDefaultVersion]),
      [
        ['v5', false],
        ['v4', false],
        ['v3', true],
        ['v2', false],
        ['v1', false],
      ],
    );
    await rejects(
      run('DeletePolicyVersion', { PolicyArn, VersionId: 'v3' }),
      'DeleteConflict',
      'Cannot delete the default version of a policy.',
    );
    await rejects(run('DeletePolicy', { PolicyArn }), 'DeleteConflict', /^This policy has more than one version\./);
    const missing = `Policy ${PolicyArn} version v9 does not exist or is not attachable.`;
    await rejects(run('GetPolicyVersion', { PolicyArn, VersionId: 'v9' }), 'NoSuchEntity', missing);
    await rejects(
      run('GetPolicyVersion', { PolicyArn, VersionId: 'nine' }),
      'ValidationError',
      /Member must satisfy regular expression pattern: v\[1-9\]/,
    );
  });

  it('are attached to all three, counted, and kept while they are in use', async () => {
    const { Policy } = (await run('CreatePolicy', { PolicyName: 'p', PolicyDocument: readBucket })) as {
      Policy: Output;
    };
    const PolicyArn = Policy.Arn;
    await run('CreateUser', { UserName: 'ana' });
    await run('CreateGroup', { GroupName: 'staff' });
    await run('CreateRole', { RoleName: 'app', AssumeRolePolicyDocument: ec2Trust });
    await run('AttachUserPolicy', { UserName: 'ana', PolicyArn });
    await run('AttachUserPolicy', { UserName: 'ana', PolicyArn });
    await run('AttachGroupPolicy', { GroupName: 'staff', PolicyArn });
    await run('PutRolePermissionsBoundary', { RoleName: 'app', PermissionsBoundary: PolicyArn });
    const shown = (await run('GetPolicy', { PolicyArn })) as { Policy: Output };
    assert.equal(shown.Policy.AttachmentCount, 2);
    assert.equal(shown.Policy.PermissionsBoundaryUsageCount, 1);
    const { PolicyUsers, PolicyGroups, PolicyRoles } = (await run('ListEntitiesForPolicy', { PolicyArn })) as Record<
      string,
      Output[]
    >;
    assert.deepEqual(
      [PolicyUsers?.[0]?.UserName, PolicyGroups?.[0]?.GroupName, PolicyRoles?.[0]?.RoleName],
      ['ana', 'staff', 'app'],
    );
    await rejects(run('DeletePolicy', { PolicyArn }), 'DeleteConflict', 'Cannot delete a policy attached to entities.');
    await run('DetachUserPolicy', { UserName: 'ana', PolicyArn });
    await rejects(
      run('DetachUserPolicy', { UserName: 'ana', PolicyArn }),
      'NoSuchEntity',
      `Policy ${PolicyArn} was not found.`,
    );
  });

  it('with an ARN that is none, or of nothing, are refused in AWS’s words', async () => {
    await run('CreateUser', { UserName: 'ana' });
    const attach = (PolicyArn: string) => run('AttachUserPolicy', { UserName: 'ana', PolicyArn });
    await rejects(attach('longpolicynamebutnoarn'), 'ValidationError', 'Invalid ARN:  Could not be parsed!');
    const none = `arn:aws:iam::${accountId}:policy/none`;
    await rejects(attach(none), 'NoSuchEntity', `Policy ${none} does not exist or is not attachable.`);
    await rejects(run('GetPolicy', { PolicyArn: none }), 'NoSuchEntity', `Policy ${none} was not found.`);
    await rejects(run('DeletePolicy', { PolicyArn: none }), 'NoSuchEntity', `Policy ${none} was not found.`);
  });

  it('of another account are not seen', async () => {
    const { Policy } = (await run('CreatePolicy', { PolicyName: 'p', PolicyDocument: readBucket })) as {
      Policy: Output;
    };
    await rejects(run('GetPolicy', { PolicyArn: Policy.Arn }, { accountId: '210987654321' }), 'NoSuchEntity');
  });

  it('managed by AWS are listed and read by everyone, and changed by nobody', async () => {
    const PolicyArn = 'arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore';
    const { Policy } = (await run('GetPolicy', { PolicyArn })) as { Policy: Output };
    const { PolicyVersion } = (await run('GetPolicyVersion', { PolicyArn, VersionId: Policy.DefaultVersionId })) as {
      PolicyVersion: Output;
    };
    const document = JSON.parse(decodeURIComponent(String(PolicyVersion.Document))) as {
      Statement: { Action: string[] }[];
    };
    assert.deepEqual(
      document.Statement.map((statement) => statement.Action.length),
      [15, 4, 6],
    );
    await rejects(run('DeletePolicy', { PolicyArn }), 'AccessDenied');
    const { Policies } = (await run('ListPolicies', { Scope: 'Local' })) as { Policies: Output[] };
    assert.deepEqual(Policies, []);
  });
});
