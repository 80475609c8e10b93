// M3: what policies say of a principal that is gone or renamed, asked of STS with the real engine; and the roles that only AWS may change.

import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ensureFirstState } from '../../accounts.ts';
import type { Store } from '../../store/store.ts';
import { awsError, makeStore, runAs, runOperation, testNow } from '../../testing.ts';
import { sts } from '../sts/index.ts';
import { iam } from './index.ts';
import { linkedServices } from './linked-services.ts';

const accountId = '123456789012';
const userArn = (path: string) => `arn:aws:iam::${accountId}:user/${path}`;
type Output = Record<string, unknown>;
let store: Store;
const run = <O = Output>(name: string, input: object = {}, now = testNow) =>
  runOperation<O>(store, iam, name, input, { now });
const rejects = (promise: Promise<unknown>, code: string, message?: string | RegExp) =>
  assert.rejects(promise, awsError(code, message));

beforeEach(() => {
  store = makeStore((tx) => ensureFirstState(tx, testNow));
});

async function makeUser(UserName: string): Promise<{ key: string; userId: string }> {
  const { User } = await run<{ User: { UserId: string } }>('CreateUser', { UserName });
  const { AccessKey } = await run<{ AccessKey: { AccessKeyId: string } }>('CreateAccessKey', { UserName });
  return { key: AccessKey.AccessKeyId, userId: User.UserId };
}

async function trustOf(RoleName: string): Promise<string> {
  const { Role } = await run<{ Role: { AssumeRolePolicyDocument: string } }>('GetRole', { RoleName });
  return decodeURIComponent(Role.AssumeRolePolicyDocument);
}

describe('principals in stored policies', () => {
  const trusting = (...AWS: string[]) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS }, Action: 'sts:AssumeRole' }],
    });
  const assume = (key: string) =>
    runAs(store, key, sts, 'AssumeRole', { RoleArn: `arn:aws:iam::${accountId}:role/app`, RoleSessionName: 's1' });

  it('[M3] a deleted user turns into its unique id, and a new one of that name is another', async () => {
    const first = await makeUser('ana');
    await makeUser('bob');
    await run('CreateRole', {
      RoleName: 'app',
      AssumeRolePolicyDocument: trusting(userArn('ana'), userArn('bob')),
    });
    await assume(first.key);
    await run('DeleteAccessKey', { UserName: 'ana', AccessKeyId: first.key });
    await run('DeleteUser', { UserName: 'ana' });
    assert.equal(await trustOf('app'), trusting(first.userId, userArn('bob')));
    const second = await makeUser('ana');
    await rejects(assume(second.key), 'AccessDenied');
  });

  it('[M3] a renamed user keeps what it was trusted with', async () => {
    const { key } = await makeUser('ana');
    await run('CreateRole', { RoleName: 'app', AssumeRolePolicyDocument: trusting(userArn('ana')) });
    await run('UpdateUser', { UserName: 'ana', NewUserName: 'anna', NewPath: '/staff/' });
    assert.equal(await trustOf('app'), trusting(userArn('staff/anna')));
    await assume(key);
  });

  it('[M3] a deleted role turns into its id in bucket policies too; who is not named is left as written', async () => {
    const trust = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
    });
    const { Role } = await run<{ Role: { RoleId: string; Arn: string } }>('CreateRole', {
      RoleName: 'app',
      AssumeRolePolicyDocument: trust,
    });
    const policyFor = (name: string) =>
      `{"Version": "2012-10-17",  "Statement": {"Effect": "Deny", "NotPrincipal": {"AWS": "${name}"}, "Action": "s3:*", "Resource": "*"}}`;
    const put = (id: string, policy: string) =>
      store.transact((tx) => tx.put('bucket', { id, accountId, region: 'us-east-1', policy } as never));
    const read = (id: string) => store.read((tx) => tx.get('bucket', id))?.policy ?? '';
    put('lab', policyFor(Role.Arn));
    put('other', policyFor(`${Role.Arn}2`));
    await run('DeleteRole', { RoleName: 'app' });
    assert.deepEqual(JSON.parse(read('lab')), JSON.parse(policyFor(Role.RoleId)));
    assert.equal(read('other'), policyFor(`${Role.Arn}2`));
  });

  it('[M3] in policies of endpoints and keys too', async () => {
    const { userId } = await makeUser('ana');
    const policyOf = (AWS: string) =>
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { AWS }, Action: '*', Resource: '*' }],
      });
    const row = { accountId, region: 'us-east-1' };
    const named = policyOf(userArn('ana'));
    store.transact((tx) => {
      tx.put('vpc-endpoint', { id: 'vpce-1', ...row, policyDocument: named } as never);
      tx.put('kms-key', { id: 'key-1', ...row, policy: named } as never);
      for (const { id } of tx.list('access-key', { accountId })) tx.delete('access-key', id);
    });
    await run('DeleteUser', { UserName: 'ana' });
    const kept = store.read((tx) => [
      tx.get('vpc-endpoint', 'vpce-1')?.policyDocument,
      tx.get('kms-key', 'key-1')?.policy,
    ]);
    assert.deepEqual(kept, [policyOf(userId), policyOf(userId)]);
  });
});

describe('service-linked roles', () => {
  const AWSServiceName = 'batch.amazonaws.com';
  const RoleName = 'AWSServiceRoleForBatch';

  it('are made once, and only AWS may change them', async () => {
    const { Role } = await run<{ Role: Output }>('CreateServiceLinkedRole', { AWSServiceName });
    assert.equal(Role.Arn, `arn:aws:iam::${accountId}:role/aws-service-role/batch.amazonaws.com/${RoleName}`);
    await rejects(
      run('CreateServiceLinkedRole', { AWSServiceName }),
      'InvalidInput',
      `Service role name ${RoleName} has been taken in this account, please try a different suffix.`,
    );
    const protectedRole = `Cannot perform the operation on the protected role '${RoleName}' - this role is only modifiable by AWS`;
    const PolicyArn = 'arn:aws:iam::aws:policy/ReadOnlyAccess';
    for (const change of [
      run('DeleteRole', { RoleName }),
      run('AttachRolePolicy', { RoleName, PolicyArn }),
      run('PutRolePermissionsBoundary', { RoleName, PermissionsBoundary: PolicyArn }),
    ]) {
      await rejects(change, 'UnmodifiableEntity', protectedRole);
    }
    const { AttachedPolicies } = await run<{ AttachedPolicies: Output[] }>('ListAttachedRolePolicies', { RoleName });
    assert.equal(AttachedPolicies[0]?.PolicyName, 'BatchServiceRolePolicy');
  });

  it('are deleted by a task that can be asked about', async () => {
    await run('CreateServiceLinkedRole', { AWSServiceName });
    const { DeletionTaskId } = await run('DeleteServiceLinkedRole', { RoleName });
    assert.match(
      String(DeletionTaskId),
      /^task\/aws-service-role\/batch\.amazonaws\.com\/AWSServiceRoleForBatch\/[0-9a-f-]{36}$/,
    );
    assert.deepEqual(await run('GetServiceLinkedRoleDeletionStatus', { DeletionTaskId }), { Status: 'SUCCEEDED' });
    await rejects(run('GetRole', { RoleName }), 'NoSuchEntity');
    await rejects(run('GetServiceLinkedRoleDeletionStatus', { DeletionTaskId: 'task/x' }), 'NoSuchEntity');
  });

  it('take a suffix where the service allows one, and need a service that has such a role', async () => {
    const CustomSuffix = 'web';
    const refused = `Custom suffix is not allowed for ${AWSServiceName}`;
    await rejects(run('CreateServiceLinkedRole', { AWSServiceName, CustomSuffix }), 'InvalidInput', refused);
    const scaling = { AWSServiceName: 'autoscaling.amazonaws.com', CustomSuffix };
    const { Role } = await run<{ Role: Output }>('CreateServiceLinkedRole', scaling);
    assert.equal(Role.RoleName, 'AWSServiceRoleForAutoScaling_web');
    await rejects(run('CreateServiceLinkedRole', { AWSServiceName: 'no.amazonaws.com' }), 'InvalidInput');
    const own = { RoleName: 'x', Path: '/aws-service-role/x/', AssumeRolePolicyDocument: '{}' };
    await rejects(run('CreateRole', own), 'InvalidInput');
  });

  it('have policies that there are', async () => {
    for (const { policy } of Object.values(linkedServices)) {
      await run('GetPolicy', { PolicyArn: `arn:aws:iam::aws:policy/aws-service-role/${policy}` });
    }
  });
});

describe('the credential report', () => {
  it('is there when it was made, stays four hours as it was, and expires after a day', async () => {
    await rejects(run('GetCredentialReport'), 'ReportNotPresent', 'Unknown');
    const { key } = await makeUser('ana');
    assert.equal((await run('GenerateCredentialReport')).State, 'STARTED');
    assert.deepEqual(await run('GenerateCredentialReport'), { State: 'COMPLETE' });
    const { Content, ReportFormat } = await run<{ Content: Uint8Array; ReportFormat: string }>('GetCredentialReport');
    assert.equal(ReportFormat, 'text/csv');
    const [head = '', root = '', ana = ''] = Buffer.from(Content).toString().split('\n');
    assert.match(head, /^user,arn,user_creation_time,password_enabled,.*cert_2_last_rotated$/);
    assert.match(root, /^<root_account>,arn:aws:iam::123456789012:root,/);
    for (const line of [root, ana]) assert.equal(line.split(',').length, head.split(',').length);
    assert.match(ana, /^ana,arn:aws:iam::123456789012:user\/ana,2026-11-21T08:00:00Z,false,N\/A,N\/A,N\/A,false,true,/);
    assert.ok(key);
    const later = new Date(testNow.getTime() + 25 * 60 * 60 * 1000);
    await rejects(run('GetCredentialReport', {}, later), 'ReportExpired');
    assert.equal((await run('GenerateCredentialReport', {}, later)).State, 'STARTED');
  });
});
