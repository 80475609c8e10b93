// Which permission IAM asks for, and how a denial reads: with the real policies of the caller.

import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import * as client from '@aws-sdk/client-iam';
import { parsePolicy } from '@postern/policy/document.ts';
import { awsManagedPolicies, managedPolicyDocument } from '../../managed-policies.ts';
import type { Store } from '../../store/store.ts';
import { awsError, makeStore, runAs, runOperation } from '../../testing.ts';
import { iam } from './index.ts';

const accountId = '123456789012';
const user = `arn:aws:iam::${accountId}:user/staff/ana`;
const s3Policy = 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess';
const trust = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
});

let store: Store;
let key: string;

const asRoot = (name: string, input: unknown) => runOperation(store, iam, name, input);
const asAna = (name: string, input: unknown = {}) => runAs(store, key, iam, name, input);

function allow(...statements: unknown[]): Promise<unknown> {
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  return asRoot('PutUserPolicy', { UserName: 'ana', PolicyName: 'p', PolicyDocument });
}

function denied(promise: Promise<unknown>, action: string, resource: string): Promise<void> {
  const message = `User: ${user} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`;
  return assert.rejects(promise, awsError('AccessDenied', message));
}

beforeEach(async () => {
  store = makeStore();
  await asRoot('CreateUser', { UserName: 'ana', Path: '/staff/' });
  await asRoot('CreateRole', {
    RoleName: 'app',
    Path: '/x/',
    AssumeRolePolicyDocument: trust,
    Tags: [{ Key: 'team', Value: 'net' }],
  });
  await asRoot('CreateInstanceProfile', { InstanceProfileName: 'app' });
  const { AccessKey } = (await asRoot('CreateAccessKey', { UserName: 'ana' })) as {
    AccessKey: { AccessKeyId: string };
  };
  key = AccessKey.AccessKeyId;
});

describe('permissions of IAM', () => {
  it('name what exists by its friendly name, and what does not, or a list, by its ARN', async () => {
    await denied(asAna('GetUser'), 'iam:GetUser', 'user ana');
    await denied(asAna('GetRole', { RoleName: 'app' }), 'iam:GetRole', 'role app');
    await denied(
      asAna('GetInstanceProfile', { InstanceProfileName: 'app' }),
      'iam:GetInstanceProfile',
      'instance profile app',
    );
    await denied(asAna('GetPolicy', { PolicyArn: s3Policy }), 'iam:GetPolicy', `policy ${s3Policy}`);
    await denied(asAna('CreatePolicy', { PolicyName: 'new', PolicyDocument: '{}' }), 'iam:CreatePolicy', 'policy new');
    await denied(
      asAna('CreateUser', { UserName: 'bob', Path: '/y/' }),
      'iam:CreateUser',
      `arn:aws:iam::${accountId}:user/y/bob`,
    );
    await denied(asAna('ListRoles'), 'iam:ListRoles', `arn:aws:iam::${accountId}:role/`);
    await denied(asAna('ListPolicies'), 'iam:ListPolicies', 'policy path /');
    await denied(asAna('ListPolicies', { PathPrefix: '/x/' }), 'iam:ListPolicies', 'policy path /x/');
    await denied(asAna('ListVirtualMFADevices'), 'iam:ListVirtualMFADevices', `arn:aws:iam::${accountId}:mfa/`);
    await denied(
      asAna('CreateServiceLinkedRole', { AWSServiceName: 'autoscaling.amazonaws.com' }),
      'iam:CreateServiceLinkedRole',
      `arn:aws:iam::${accountId}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling`,
    );
    await denied(asAna('GetAccountSummary'), 'iam:GetAccountSummary', '*');
  });

  it('[M2] [O5] are asked for the entity’s ARN with its path', async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable, not a template
    await allow({ Effect: 'Allow', Action: 'iam:*AccessKey*', Resource: 'arn:aws:iam::*:user/staff/${aws:username}' });
    await asAna('ListAccessKeys');
    await asAna('ListAccessKeys', { UserName: 'ana' });
    await asRoot('CreateUser', { UserName: 'bob', Path: '/staff/' });
    await denied(asAna('ListAccessKeys', { UserName: 'bob' }), 'iam:ListAccessKeys', 'user bob');
  });

  it('carry iam:PolicyARN, tags and iam:PassedToService', async () => {
    const attach = (PolicyArn: string) => asAna('AttachRolePolicy', { RoleName: 'app', PolicyArn });
    await allow(
      {
        Effect: 'Allow',
        Action: 'iam:AttachRolePolicy',
        Resource: '*',
        Condition: { ArnEquals: { 'iam:PolicyARN': s3Policy } },
      },
      {
        Effect: 'Allow',
        Action: 'iam:GetRole',
        Resource: '*',
        Condition: { StringEquals: { 'aws:ResourceTag/team': 'net' } },
      },
      { Effect: 'Allow', Action: 'iam:AddRoleToInstanceProfile', Resource: '*' },
      {
        Effect: 'Allow',
        Action: 'iam:PassRole',
        Resource: '*',
        Condition: { StringEquals: { 'iam:PassedToService': 'lambda.amazonaws.com' } },
      },
    );
    await attach(s3Policy);
    await denied(attach('arn:aws:iam::aws:policy/AdministratorAccess'), 'iam:AttachRolePolicy', 'role app');
    await asAna('GetRole', { RoleName: 'app' });
    const add = asAna('AddRoleToInstanceProfile', { InstanceProfileName: 'app', RoleName: 'app' });
    await denied(add, 'iam:PassRole', `arn:aws:iam::${accountId}:role/x/app`);
  });

  it('come after what the model forbids', async () => {
    await assert.rejects(asAna('GetRole', {}), awsError('ValidationError', /Value at 'roleName'/));
  });
});

describe('the operation table', () => {
  it('has only operations that IAM has', () => {
    const unknown = Object.keys(iam.operations).filter((name) => !(`${name}Command` in client));
    assert.deepEqual(unknown, []);
  });
});

describe('AWS-managed policies', () => {
  it('are documents that IAM would take', () => {
    for (const { policyName, document } of awsManagedPolicies()) {
      const parsed = parsePolicy(document, { kind: 'identity' });
      assert.ok(parsed.ok, `${policyName}: ${parsed.ok ? '' : parsed.message}`);
    }
  });

  it('are found in every partition and nowhere else', () => {
    assert.ok(managedPolicyDocument('arn:aws-cn:iam::aws:policy/AdministratorAccess'));
    assert.ok(managedPolicyDocument('arn:aws:iam::aws:policy/service-role/AmazonEC2RoleforSSM'));
    assert.equal(managedPolicyDocument('arn:aws:iam::aws:policy/AmazonEC2RoleforSSM'), undefined);
    assert.equal(managedPolicyDocument('arn:aws:iam::123456789012:policy/AdministratorAccess'), undefined);
  });
});
