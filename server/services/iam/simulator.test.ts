// The policy simulator against an answer recorded on AWS, and against what the engine decides for real requests.

import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { EvaluationResult } from '@aws-sdk/client-iam';
import { ensureFirstState } from '../../accounts.ts';
import type { Store } from '../../store/store.ts';
import { awsError, makeStore, runOperation, testNow } from '../../testing.ts';
import { organizations } from '../organizations/index.ts';
import { iam } from './index.ts';

const accountId = '123456789012';
const arn = (kind: string, name: string) => `arn:aws:iam::${accountId}:${kind}/${name}`;
const policy = (...Statement: unknown[]) => JSON.stringify({ Version: '2012-10-17', Statement });
const allow = (Action: unknown, more: object = {}) => ({ Effect: 'Allow', Action, Resource: '*', ...more });
const deny = (Action: unknown, more: object = {}) => ({ ...allow(Action, more), Effect: 'Deny' });
const trust = policy({ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' });

let store: Store;

interface Answer {
  EvaluationResults: EvaluationResult[];
  IsTruncated: boolean;
  Marker?: string;
}

const run = <O = Answer>(name: string, input: object) => runOperation<O>(store, iam, name, input);
const custom = (text: string | string[], more: object = {}) =>
  run('SimulateCustomPolicy', { PolicyInputList: [text].flat(), ActionNames: ['s3:GetObject'], ...more });
const decisions = async (answer: Promise<Answer>) => (await answer).EvaluationResults.map((one) => one.EvalDecision);
const rejects = (promise: Promise<unknown>, code: string, message?: string | RegExp) =>
  assert.rejects(promise, awsError(code, message));

beforeEach(async () => {
  store = makeStore((tx) => ensureFirstState(tx, testNow));
  await run('CreateUser', { UserName: 'ana', Tags: [{ Key: 'team', Value: 'net' }] });
  await run('CreateGroup', { GroupName: 'staff' });
  await run('CreateRole', { RoleName: 'app', AssumeRolePolicyDocument: trust });
  await run('AddUserToGroup', { GroupName: 'staff', UserName: 'ana' });
});

describe('SimulatePrincipalPolicy', () => {
  it('answers as recorded on AWS for a role, a user and a group: decision, statement and its columns', async () => {
    const PolicyDocument =
      '{"Version": "2012-10-17", "Statement": {"Sid": "", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}}';
    const PolicyArn = arn('policy', 'put');
    await run('CreatePolicy', { PolicyName: 'put', PolicyDocument });
    await run('AttachRolePolicy', { RoleName: 'app', PolicyArn });
    await run('AttachGroupPolicy', { GroupName: 'staff', PolicyArn });
    const MatchedStatements = [
      {
        SourcePolicyId: 'put',
        SourcePolicyType: 'IAM Policy',
        StartPosition: { Line: 1, Column: 41 },
        EndPosition: { Line: 1, Column: 113 },
      },
    ];
    for (const PolicySourceArn of [arn('role', 'app'), arn('group', 'staff'), arn('user', 'ana')]) {
      const { EvaluationResults, IsTruncated } = await run('SimulatePrincipalPolicy', {
        PolicySourceArn,
        ActionNames: ['s3:PutObject', 's3:GetObjectVersion'],
        ResourceArns: ['arn:aws:s3:::bucket'],
      });
      assert.equal(IsTruncated, false);
      const expected = (EvalActionName: string, decision: string, matched: unknown[]) => ({
        EvalActionName,
        EvalResourceName: 'arn:aws:s3:::bucket',
        EvalDecision: decision,
        EvalDecisionDetails: {},
        MatchedStatements: matched,
        MissingContextValues: [],
        ResourceSpecificResults: [
          {
            EvalResourceName: 'arn:aws:s3:::bucket',
            EvalResourceDecision: decision,
            MatchedStatements: matched,
            MissingContextValues: [],
          },
        ],
      });
      assert.deepEqual(EvaluationResults, [
        expected('s3:PutObject', 'allowed', MatchedStatements),
        expected('s3:GetObjectVersion', 'implicitDeny', []),
      ]);
    }
  });

  it('[E4] tells what a permissions boundary adds, the attached one or the one that is given', async () => {
    await run('PutUserPolicy', { UserName: 'ana', PolicyName: 'all', PolicyDocument: policy(allow('*')) });
    await run('CreatePolicy', { PolicyName: 'edge', PolicyDocument: policy(allow('s3:*')) });
    await run('PutUserPermissionsBoundary', { UserName: 'ana', PermissionsBoundary: arn('policy', 'edge') });
    const input = { PolicySourceArn: arn('user', 'ana'), ActionNames: ['s3:GetObject', 'ec2:RunInstances'] };
    const { EvaluationResults } = await run('SimulatePrincipalPolicy', input);
    assert.deepEqual(
      EvaluationResults.map((one) => [one.EvalDecision, one.PermissionsBoundaryDecisionDetail]),
      [
        ['allowed', { AllowedByPermissionsBoundary: true }],
        ['implicitDeny', { AllowedByPermissionsBoundary: false }],
      ],
    );
    const PermissionsBoundaryPolicyInputList = [policy(allow('ec2:*'))];
    const given = run('SimulatePrincipalPolicy', { ...input, PermissionsBoundaryPolicyInputList });
    assert.deepEqual(await decisions(given), ['implicitDeny', 'allowed']);
  });

  it('knows the user’s own keys, adds the policies that are given, and has them speak for another caller', async () => {
    const own = policy(allow('s3:GetObject', { Resource: `arn:aws:s3:::home/\${aws:username}/*` }));
    await run('PutUserPolicy', { UserName: 'ana', PolicyName: 'own', PolicyDocument: own });
    const input = {
      PolicySourceArn: arn('user', 'ana'),
      ActionNames: ['s3:GetObject'],
      ResourceArns: ['arn:aws:s3:::home/ana/x', 'arn:aws:s3:::home/bob/x'],
    };
    const ofResources = async (answer: Promise<Answer>) =>
      (await answer).EvaluationResults[0]?.ResourceSpecificResults?.map((one) => one.EvalResourceDecision);
    assert.deepEqual(await ofResources(run('SimulatePrincipalPolicy', input)), ['allowed', 'implicitDeny']);
    const asBob = run('SimulatePrincipalPolicy', { ...input, CallerArn: arn('user', 'bob') });
    assert.deepEqual(await ofResources(asBob), ['implicitDeny', 'allowed']);
    const PolicyInputList = [policy(deny('s3:*', { Condition: { StringEquals: { 'aws:PrincipalTag/team': 'net' } } }))];
    const denied = await run('SimulatePrincipalPolicy', { ...input, PolicyInputList });
    assert.deepEqual(
      denied.EvaluationResults.map((one) => [one.EvalDecision, one.MatchedStatements?.[0]?.SourcePolicyId]),
      [['explicitDeny', 'PolicyInputList.1']],
    );
  });

  it('counts columns in the policy that the statement is of, also when another has its name', async () => {
    const PolicyDocument = `{"Version":"2012-10-17","Statement":[${JSON.stringify(allow('sqs:*'))}]}`;
    await run('CreatePolicy', { PolicyName: 'ReadOnlyAccess', PolicyDocument });
    for (const PolicyArn of ['arn:aws:iam::aws:policy/ReadOnlyAccess', arn('policy', 'ReadOnlyAccess')]) {
      await run('AttachUserPolicy', { UserName: 'ana', PolicyArn });
    }
    const input = { PolicySourceArn: arn('user', 'ana'), ActionNames: ['sqs:SendMessage', 's3:GetObject'] };
    const { EvaluationResults } = await run('SimulatePrincipalPolicy', input);
    // AWS's own policy is a long text of many lines; the account's stands on one.
    const [own, shipped] = EvaluationResults.map((one) => one.MatchedStatements?.[0]?.StartPosition?.Line ?? 0);
    assert.ok(own === 1 && shipped !== undefined && shipped > 1, `${own} ${shipped}`);
  });

  it('leaves out the policies that it is told to: by type, ARN without its path, or inline by name and holder', async () => {
    const PolicyDocument = policy(allow('s3:PutObject'));
    await run('CreatePolicy', { PolicyName: 'writes', Path: '/of/', PolicyDocument });
    await run('AttachUserPolicy', { UserName: 'ana', PolicyArn: arn('policy', 'of/writes') });
    const own = { PolicyName: 'own', PolicyDocument: policy(allow('s3:GetObject')) };
    await run('PutUserPolicy', { UserName: 'ana', ...own });
    await run('PutUserPermissionsBoundary', { UserName: 'ana', PermissionsBoundary: arn('policy', 'of/writes') });
    const input = { PolicySourceArn: arn('user', 'ana'), ActionNames: ['s3:GetObject', 's3:PutObject'] };
    const without = (...PolicyExclusionList: object[]) =>
      decisions(run('SimulatePrincipalPolicy', { ...input, PolicyExclusionList }));
    assert.deepEqual(await without(), ['implicitDeny', 'allowed']);
    assert.deepEqual(await without({ PolicyType: 'permission-boundary' }), ['allowed', 'allowed']);
    const boundary = { PolicyType: 'permission-boundary' };
    assert.deepEqual(await without(boundary, { PolicyType: 'inline' }), ['implicitDeny', 'allowed']);
    assert.deepEqual(await without(boundary, { PolicyType: 'aws-managed' }), ['allowed', 'allowed']);
    assert.deepEqual(await without(boundary, { PolicyArn: arn('policy', 'wr*') }), ['allowed', 'implicitDeny']);
    // It grants no more, and limits still.
    assert.deepEqual(await without({ PolicyArn: arn('policy', 'writes') }), ['implicitDeny', 'implicitDeny']);
    const inline = (AttachmentName: string) => ({
      InlinePolicyIdentifier: { PolicyName: 'own', AttachmentType: 'user', AttachmentName },
    });
    assert.deepEqual(await without(boundary, inline('an?')), ['implicitDeny', 'allowed']);
    assert.deepEqual(await without(boundary, inline('bob')), ['allowed', 'allowed']);
    for (const wrong of [{}, { PolicyType: 'bogus' }, { PolicyArn: 'arn:aws:iam::*:policy/x' }, inline('*a*')])
      await assert.rejects(without(wrong), awsError('InvalidInput'));
  });

  it('finds a source by its name, whatever path its ARN has (recorded)', async () => {
    const input = { PolicySourceArn: arn('user', 'wrong/path/ana'), ActionNames: ['s3:GetObject'] };
    assert.deepEqual(await decisions(run('SimulatePrincipalPolicy', input)), ['implicitDeny']);
  });

  it('refuses sources that are none, or not there', async () => {
    const ActionNames = ['s3:GetObject'];
    const input = { PolicySourceArn: arn('user', 'eve'), ActionNames };
    await rejects(run('SimulatePrincipalPolicy', input), 'NoSuchEntity', 'The user with name eve cannot be found.');
    await rejects(run('SimulatePrincipalPolicy', { ...input, PolicySourceArn: arn('policy', 'p') }), 'InvalidInput');
    await rejects(run('SimulatePrincipalPolicy', { ActionNames }), 'ValidationError', /'policySourceArn'/);
  });
});

describe('SimulatePrincipalPolicy in an organization', () => {
  it('says whether the organization allows it, and shows none of its policies', async () => {
    const org = <O = Record<string, unknown>>(name: string, input: object = {}) =>
      runOperation<O>(store, organizations, name, input);
    await org('CreateOrganization');
    const { Roots } = await org<{ Roots: { Id: string }[] }>('ListRoots');
    await org('EnablePolicyType', { RootId: Roots[0]?.Id, PolicyType: 'SERVICE_CONTROL_POLICY' });
    await org('CreateAccount', { AccountName: 'one', Email: 'one@example.com' });
    const { Accounts } = await org<{ Accounts: { Id: string }[] }>('ListAccounts');
    const member = Accounts.find(({ Id }) => Id !== accountId)?.Id ?? '';
    const { Policy } = await org<{ Policy: { PolicySummary: { Id: string } } }>('CreatePolicy', {
      Name: 'no sqs',
      Description: '',
      Type: 'SERVICE_CONTROL_POLICY',
      Content: policy(deny('sqs:*')),
    });
    await org('AttachPolicy', { PolicyId: Policy.PolicySummary.Id, TargetId: member });
    const { EvaluationResults } = await runOperation<Answer>(
      store,
      iam,
      'SimulatePrincipalPolicy',
      {
        PolicySourceArn: `arn:aws:iam::${member}:role/OrganizationAccountAccessRole`,
        ActionNames: ['sqs:SendMessage', 's3:GetObject'],
      },
      { accountId: member },
    );
    assert.deepEqual(
      EvaluationResults.map((one) => [
        one.EvalDecision,
        one.OrganizationsDecisionDetail,
        one.MatchedStatements?.length,
      ]),
      [
        ['explicitDeny', { AllowedByOrganizations: false }, 0],
        ['allowed', { AllowedByOrganizations: true }, 1],
      ],
    );
  });
});

describe('SimulateCustomPolicy', () => {
  it('[O2] tells keys that are missing: with the result for *, with the resource for a named one', async () => {
    const text = policy(allow('s3:*', { Condition: { StringEquals: { 'aws:SourceVpce': 'vpce-1' } } }));
    const [wide] = (await custom(text)).EvaluationResults;
    assert.deepEqual([wide?.EvalDecision, wide?.MissingContextValues], ['implicitDeny', ['aws:SourceVpce']]);
    assert.equal(wide?.ResourceSpecificResults, undefined);
    const [named] = (await custom(text, { ResourceArns: ['arn:aws:s3:::b/k'] })).EvaluationResults;
    assert.deepEqual(named?.MissingContextValues, []);
    assert.deepEqual(named?.ResourceSpecificResults?.[0]?.MissingContextValues, ['aws:SourceVpce']);
    const ContextEntries = [
      { ContextKeyName: 'aws:sourcevpce', ContextKeyType: 'string', ContextKeyValues: ['vpce-1'] },
    ];
    const [given] = (await custom(text, { ContextEntries })).EvaluationResults;
    assert.deepEqual([given?.EvalDecision, given?.MissingContextValues], ['allowed', []]);
  });

  it('counts lines and columns in a document over several lines', async () => {
    const text = JSON.stringify(JSON.parse(policy(deny('ec2:*'), allow('s3:*'))), undefined, 2);
    const [result] = (await custom(text)).EvaluationResults;
    const lines = text.split('\n');
    const from = lines.findIndex((line) => line.includes('"s3:*"')) - 1;
    assert.deepEqual(result?.MatchedStatements?.[0]?.StartPosition, { Line: from, Column: 6 });
    assert.deepEqual(result?.MatchedStatements?.[0]?.EndPosition, { Line: from + 4, Column: 6 });
  });

  it('[E2] asks a resource’s policy too: it needs a caller, and across accounts both sides must allow', async () => {
    const ResourcePolicy = policy({
      Effect: 'Allow',
      Principal: { AWS: arn('user', 'ana') },
      Action: 's3:GetObject',
      Resource: 'arn:aws:s3:::b/*',
    });
    const nothing = policy(allow('ec2:*'));
    const input = { ResourcePolicy, ResourceArns: ['arn:aws:s3:::b/k'] };
    await rejects(custom(nothing, input), 'InvalidInput', /CallerArn/);
    const CallerArn = arn('user', 'ana');
    const [own] = (await custom(nothing, { ...input, CallerArn })).EvaluationResults;
    assert.deepEqual(
      [own?.EvalDecision, own?.MatchedStatements?.[0]?.SourcePolicyId, own?.EvalDecisionDetails],
      ['allowed', 'ResourcePolicy', {}],
    );
    const ResourceOwner = 'arn:aws:iam::210987654321:root';
    const [foreign] = (await custom(nothing, { ...input, CallerArn, ResourceOwner })).EvaluationResults;
    assert.equal(foreign?.EvalDecision, 'implicitDeny');
    assert.deepEqual(foreign?.EvalDecisionDetails, { 'IAM Policy': 'implicitDeny', 'Resource Policy': 'allowed' });
    const both = custom(policy(allow('s3:*')), { ...input, CallerArn, ResourceOwner });
    assert.deepEqual(await decisions(both), ['allowed']);
    assert.deepEqual(await decisions(custom(nothing, { ...input, CallerArn: arn('role', 'app') })), ['implicitDeny']);
    const session = `arn:aws:sts::${accountId}:assumed-role/app/s`;
    await rejects(custom(nothing, { ...input, CallerArn: session }), 'InvalidInput', /Caller Arn/);
    const numeric = { ...input, CallerArn, ResourceOwner: '210987654321' };
    await rejects(custom(nothing, numeric), 'InvalidInput', /Resource Owner/);
  });

  it('gives its results in pages, in the order of the question', async () => {
    const names12 = ['Object', 'BucketPolicy', 'BucketWebsite', 'ObjectTagging', 'ObjectVersion', 'AccessPoint'];
    const ActionNames = ['Get', 'Delete'].flatMap((verb) => names12.map((name) => `s3:${verb}${name}`));
    const first = await custom(policy(allow('s3:*')), { ActionNames, MaxItems: 10 });
    assert.equal(first.IsTruncated, true);
    const second = await custom(policy(allow('s3:*')), { ActionNames, MaxItems: 10, Marker: first.Marker });
    const names = [...first.EvaluationResults, ...second.EvaluationResults].map((one) => one.EvalActionName);
    assert.deepEqual(names, ActionNames);
    assert.equal(second.IsTruncated, false);
  });

  it('refuses what it cannot read or do', async () => {
    await rejects(custom('{'), 'InvalidInput', 'Syntax errors in policy.');
    await rejects(custom(policy(allow('*')), { ActionNames: ['s3'] }), 'ValidationError');
    const missing = 'The action is invalid since it is missing names';
    await rejects(custom(policy(allow('*')), { ActionNames: ['GetObject'] }), 'InvalidInput', missing);
    const form = 'ResourceNames are not in a valid ARN format: arn:aws:s3.';
    await rejects(custom(policy(allow('*')), { ResourceArns: ['arn:aws:s3'] }), 'InvalidInput', form);
    const PermissionsBoundaryPolicyInputList = [policy(allow('*')), policy(allow('*'))];
    const most = 'The list of Permissions Boundary policies cannot exceed 1 items.';
    await rejects(custom(policy(allow('*')), { PermissionsBoundaryPolicyInputList }), 'InvalidInput', most);
    const two = [{ ContextKeyName: 'stack:test', ContextKeyType: 'string', ContextKeyValues: ['a', 'b'] }];
    const single = 'Context key string expected a single value, but received 2.';
    await rejects(custom(policy(allow('*')), { ContextEntries: two }), 'InvalidInput', single);
  });

  it('asks about an action as it is written, one of nobody and a pattern too (recorded)', async () => {
    const ActionNames = ['s3:*', 'madeup:Action', 's3:MadeUp', 'S3:gEtObJeCt', 's3:', 's3:Get Object'];
    const denied = 'implicitDeny';
    assert.deepEqual(await decisions(custom(policy(allow('s3:GetObject')), { ActionNames })), [
      ...[denied, denied, denied, 'allowed', denied, denied],
    ]);
  });

  it('allows no action on a resource of another service (recorded)', async () => {
    const wrong = { ResourceArns: [arn('user', 'fictional')] };
    const [result] = (await custom(policy(allow('*')), wrong)).EvaluationResults;
    assert.deepEqual([result?.EvalDecision, result?.MatchedStatements], ['implicitDeny', []]);
    assert.deepEqual(await decisions(custom(policy(allow('*')), { ResourceArns: ['arn:aws:s3:::b/k'] })), ['allowed']);
  });

  it('asks SCPs level by level as they are given, shows none of them, and wants one at each (recorded)', async () => {
    const levels = (...documents: string[][]) => ({
      OrderedOrganizationPolicyInputList: documents.map((list) => ({ ServiceControlPolicyInputList: list })),
    });
    const everything = policy(allow('*'));
    const reading = policy(allow('s3:GetObject'));
    const told = async (input: object) => {
      const [result] = (await custom(reading, input)).EvaluationResults;
      return [result?.EvalDecision, result?.OrganizationsDecisionDetail?.AllowedByOrganizations];
    };
    assert.deepEqual(await told(levels([everything], [everything])), ['allowed', true]);
    assert.deepEqual(await told(levels([everything], [policy(allow('s3:PutObject'))])), ['implicitDeny', false]);
    const denying = levels([policy(deny('s3:GetObject')), everything], [everything]);
    assert.deepEqual(await told(denying), ['explicitDeny', false]);
    const [denied] = (await custom(reading, denying)).EvaluationResults;
    assert.deepEqual([denied?.MatchedStatements, denied?.MissingContextValues], [[], []]);
    const empty = 'Organization policy at index 1 must contain at least one service control policy';
    await rejects(custom(reading, levels([])), 'InvalidInput', empty);
  });

  it('refuses context entries that are not whole, in the words recorded on AWS', async () => {
    const ask = (...ContextEntries: object[]) => custom(policy(allow('*')), { ContextEntries });
    const key = { ContextKeyName: 'stack:key' };
    const values = { ContextKeyValues: ['yes'] };
    await ask({});
    await rejects(ask({ ...key, ...values }), 'InvalidInput', 'Context key stack:key has invalid type null.');
    await rejects(
      ask({ ...key, ContextKeyType: 'stringList', ContextKeyValues: [] }),
      'InvalidInput',
      'Context values for context key stack:key cannot be null or empty.',
    );
    await rejects(
      ask({ ContextKeyType: 'string', ...values }),
      'InvalidInput',
      'ContextKeyName cannot be null or empty.',
    );
    const number = (value: string) => ask({ ...key, ContextKeyType: 'numeric', ContextKeyValues: [value] });
    for (const good of ['01.00', '+1', '1e2', '1e9999']) await number(good);
    const none = 'Invalid context value for key stack:key: expected numeric format.';
    for (const bad of ['0x10', ' 1 ', 'Infinity']) await rejects(number(bad), 'InvalidInput', none);
  });

  it('tells of several resources together, and of each, as recorded on AWS', async () => {
    const a = 'arn:aws:s3:::simulation/a';
    const both = { ResourceArns: [a, 'arn:aws:s3:::simulation/b'] };
    const [all] = (await custom(policy(allow('s3:GetObject')), both)).EvaluationResults;
    assert.equal(all?.EvalDecision, 'allowed');
    assert.match(String(all?.EvalResourceName), /^arn:aws:s3:::\$\{BucketName\}\/\$\{\w+\}$/);
    assert.equal(all?.MatchedStatements?.length, 1);
    const { EvaluationResults } = await custom(policy(allow('s3:GetObject', { Resource: a })), both);
    assert.deepEqual(
      EvaluationResults.map((one) => [one.EvalDecision, one.MatchedStatements?.length, one.EvalDecisionDetails]),
      [['implicitDeny', 1, {}]],
    );
    assert.deepEqual(
      EvaluationResults[0]?.ResourceSpecificResults?.map((one) => [one.EvalResourceName, one.EvalResourceDecision]),
      [
        [a, 'allowed'],
        ['arn:aws:s3:::simulation/b', 'implicitDeny'],
      ],
    );
    const [everywhere] = (await custom(policy(allow('s3:GetObject')))).EvaluationResults;
    assert.ok(everywhere && !('EvalDecisionDetails' in everywhere) && !('ResourceSpecificResults' in everywhere));
  });

  it('makes sure that a scenario of EC2 has its resources', async () => {
    const ec2 = (kind: string) => `arn:aws:ec2:us-east-1:${accountId}:${kind}/x`;
    const ask = (ResourceHandlingOption: string, ...kinds: string[]) =>
      custom(policy(allow('ec2:*')), {
        ActionNames: ['ec2:RunInstances'],
        ResourceArns: kinds.map(ec2),
        ResourceHandlingOption,
      });
    const kinds = ['instance', 'image', 'security-group', 'network-interface', 'volume'];
    assert.deepEqual(await decisions(ask('EC2-VPC-EBS', ...kinds)), ['allowed']);
    await rejects(ask('EC2-VPC-EBS-Subnet', ...kinds), 'InvalidInput', /: subnet$/);
    await rejects(ask('EC2', ...kinds), 'InvalidInput', 'Invalid Resource Handling Option: EC2');
  });
});

describe('context keys', () => {
  it('are those of conditions and of variables, each once, whatever its case', async () => {
    const Condition = {
      StringLike: { 's3:prefix': `\${aws:PrincipalTag/team, 'none'}/\${*}` },
      Bool: { 'AWS:SecureTransport': 'true' },
    };
    const text = policy(
      allow('s3:*', { Resource: `arn:aws:s3:::home/\${aws:username}`, Condition }),
      allow('s3:*', { Condition: { Bool: { 'aws:securetransport': 'true' } } }),
    );
    const keys = ['s3:prefix', 'AWS:SecureTransport', 'aws:username', 'aws:PrincipalTag/team'];
    const input = { PolicyInputList: [text] };
    assert.deepEqual(await run('GetContextKeysForCustomPolicy', input), { ContextKeyNames: keys });
    await run('PutGroupPolicy', { GroupName: 'staff', PolicyName: 'p', PolicyDocument: text });
    const PolicySourceArn = arn('user', 'ana');
    assert.deepEqual(await run('GetContextKeysForPrincipalPolicy', { PolicySourceArn }), { ContextKeyNames: keys });
  });
});
