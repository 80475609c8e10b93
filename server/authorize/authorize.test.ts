// The authorizer over real rows: whose policies count, what a layer says, and what the record of it shows.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Authorization } from '../service.ts';
import { Store, type Transaction } from '../store/store.ts';
import { makeBaseCall } from '../testing.ts';
import { principalOf } from './principal.ts';
import {
  account,
  allow,
  anasKey,
  ask,
  authorizer,
  bucket,
  deny,
  endpointId,
  getObject,
  key,
  overEndpoint,
  overInternet,
  policy,
  putBucket,
  putEndpoint,
  region,
  role,
  rootKey,
  s3,
  service,
  sessionKey,
  short,
  user,
} from './testing.ts';

test('[E1] a user has its inline, attached and group policies, and the ones that AWS ships', () => {
  const s3Get = { service: s3, authorization: getObject, key: anasKey };
  const cases: [string, (tx: Transaction) => void, string][] = [
    ['none', (tx) => tx.put('user', user('ana')), '-identity'],
    ['inline', (tx) => tx.put('user', user('ana', { inlinePolicies: { p: policy(allow()) } })), '+identity'],
    [
      'shipped',
      (tx) => tx.put('user', user('ana', { attachedPolicyArns: ['arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess'] })),
      '+identity',
    ],
    [
      'managed',
      (tx) => {
        const arn = `arn:aws:iam::${account}:policy/p`;
        tx.put('managed-policy', {
          id: arn,
          accountId: account,
          region,
          policyName: 'p',
          policyId: '',
          path: '/',
          createDate: '',
          updateDate: '',
          defaultVersionId: 'v2',
          versions: [
            { versionId: 'v1', document: policy(allow()), createDate: '' },
            { versionId: 'v2', document: policy(deny()), createDate: '' },
          ],
          nextVersion: 3,
          tags: {},
        });
        tx.put('user', user('ana', { attachedPolicyArns: [arn] }));
      },
      '!identity',
    ],
    [
      'group',
      (tx) => {
        tx.put('user', user('ana'));
        tx.put('group', {
          id: `${account}/g`,
          accountId: account,
          region,
          groupName: 'g',
          groupId: '',
          path: '/',
          createDate: '',
          userNames: ['ana'],
          attachedPolicyArns: [],
          inlinePolicies: { p: policy(allow()) },
        });
      },
      '+identity',
    ],
    [
      'another group',
      (tx) => {
        tx.put('user', user('ana'));
        tx.put('group', {
          id: `${account}/g`,
          accountId: account,
          region,
          groupName: 'g',
          groupId: '',
          path: '/',
          createDate: '',
          userNames: ['bo'],
          attachedPolicyArns: [],
          inlinePolicies: { p: policy(allow()) },
        });
      },
      '-identity',
    ],
    [
      'boundary',
      (tx) =>
        tx.put(
          'user',
          user('ana', {
            inlinePolicies: { p: policy(allow()) },
            permissionsBoundaryArn: 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess',
          }),
        ),
      '+identity',
    ],
    [
      'boundary that is gone',
      (tx) =>
        tx.put(
          'user',
          user('ana', {
            inlinePolicies: { p: policy(allow()) },
            permissionsBoundaryArn: 'arn:aws:iam::aws:policy/Gone',
          }),
        ),
      '-boundary',
    ],
  ];
  for (const [name, rows, answer] of cases) assert.equal(short(ask(rows, s3Get)), answer, name);
});

test('[E4] a role session has its role’s policies, limited by its session policies', () => {
  const app = (tx: Transaction) => tx.put('role', role('app', { inlinePolicies: { p: policy(allow()) } }));
  const s3Get = { service: s3, authorization: getObject };
  assert.equal(short(ask(app, { ...s3Get, key: sessionKey('app') })), '+identity');
  assert.equal(
    short(ask(app, { ...s3Get, key: sessionKey('app', { sessionPolicies: [policy(allow({ Action: 'ec2:*' }))] }) })),
    '-session',
  );
  assert.equal(
    short(
      ask(app, {
        ...s3Get,
        key: sessionKey('app', { sessionPolicyArns: ['arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess'] }),
      }),
    ),
    '+identity',
  );
  assert.equal(
    short(ask(app, { ...s3Get, key: sessionKey('app', { sessionPolicyArns: ['arn:aws:iam::aws:policy/Gone'] }) })),
    '-session',
  );
  assert.equal(
    short(ask(app, { ...s3Get, key: sessionKey('app', { roleId: 'AROAOLDROLE' }) })),
    '-identity',
    'the role was made anew',
  );
});

test('a federated user has its parent’s policies within its session policy', () => {
  const ana = (tx: Transaction) =>
    tx.put('user', user('ana', { inlinePolicies: { p: policy(allow({ Action: 's3:*' })) } }));
  const by = (parent: string, ...sessionPolicies: string[]) =>
    key({ kind: 'federated-user', name: 'bo', parent, sessionPolicies }, { sessionToken: 't' });
  const s3Get = { service: s3, authorization: getObject };
  const arn = `arn:aws:iam::${account}:user/ana`;
  assert.equal(short(ask(ana, { ...s3Get, key: by(arn) })), '-session');
  assert.equal(short(ask(ana, { ...s3Get, key: by(arn, policy(allow())) })), '+identity');
  assert.equal(short(ask(ana, { ...s3Get, key: by(`arn:aws:iam::${account}:root`, policy(allow())) })), '+identity');
});

test('lab E: the bucket is reached through the endpoint only, as its policies say', () => {
  const onlyEndpoint = policy(
    deny({
      Principal: '*',
      Action: 's3:*',
      Resource: [bucket, `${bucket}/*`],
      Condition: { StringNotEquals: { 'aws:SourceVpce': endpointId } },
    }),
  );
  const lab = (bucketPolicy: string | undefined, endpointPolicy: string) => (tx: Transaction) => {
    tx.put('role', role('app', { inlinePolicies: { p: policy(allow({ Action: 's3:*' })) } }));
    putBucket(tx, bucketPolicy);
    putEndpoint(tx, endpointPolicy);
  };
  const full = '{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}';
  const instance = { key: sessionKey('app'), service: s3, authorization: getObject };
  assert.equal(short(ask(lab(undefined, full), instance)), '+identity', 'E7');
  assert.equal(short(ask(lab(onlyEndpoint, full), instance)), '!resource', 'E10: over the internet');
  assert.equal(
    short(ask(lab(onlyEndpoint, full), { ...instance, key: rootKey })),
    '!resource',
    'E10: root on the laptop',
  );
  assert.equal(short(ask(lab(onlyEndpoint, full), { ...instance, path: overEndpoint })), '+identity', 'E12');
  const denyAll = ask(lab(onlyEndpoint, policy(deny({ Principal: '*' }))), { ...instance, path: overEndpoint });
  assert.equal(short(denyAll), '!endpoint', 'E13');
  assert.match(denyAll.error?.message ?? '', /with an explicit deny in a VPC endpoint policy$/);
  assert.deepEqual(denyAll.decisions[0]?.citations, [{ layer: 'endpoint', policyId: endpointId, index: 0 }]);
  const otherBucket = policy(
    allow({ Principal: '*', Action: 's3:*', Resource: ['arn:aws:s3:::other', 'arn:aws:s3:::other/*'] }),
  );
  const narrow = ask(lab(undefined, otherBucket), { ...instance, path: overEndpoint });
  assert.equal(short(narrow), '-endpoint', 'E14');
  assert.match(narrow.error?.message ?? '', /because no VPC endpoint policy allows the s3:GetObject action$/);
  const deletePolicy: Authorization<never> = () => [
    { action: 's3:DeleteBucketPolicy', resource: bucket, ownerRootExempt: true },
  ];
  assert.equal(
    short(ask(lab(onlyEndpoint, full), { ...instance, authorization: deletePolicy })),
    '!resource',
    'E17: an administrator',
  );
  assert.equal(
    short(ask(lab(onlyEndpoint, full), { key: rootKey, service: s3, authorization: deletePolicy })),
    '+owner',
    'E17: root',
  );
});

test('an endpoint that was deleted under a request lets nothing through', () => {
  const rows = (tx: Transaction) => putBucket(tx);
  assert.equal(
    short(ask(rows, { key: rootKey, service: s3, authorization: getObject, path: overEndpoint })),
    '-endpoint',
  );
});

test('[X7] the endpoint policy is asked by every service, also for what needs no permission', () => {
  const everyone = { Principal: '*' };
  const rows = (endpointPolicy: string) => (tx: Transaction) => {
    putEndpoint(tx, endpointPolicy);
    tx.put('user', user('ana', { inlinePolicies: { p: policy(allow()) } }));
  };
  const whoAmI = {
    key: anasKey,
    service: service('sts'),
    operation: 'GetCallerIdentity',
    authorization: 'none',
  } as const;
  const open = policy(allow(everyone));
  assert.equal(ask(rows(open), whoAmI).decisions.length, 0);
  assert.equal(short(ask(rows(open), { ...whoAmI, path: overEndpoint })), '+identity');
  const narrow = policy(allow({ ...everyone, Action: 'sts:AssumeRole' }));
  const kept = ask(rows(narrow), { ...whoAmI, path: overEndpoint });
  assert.equal(short(kept), '-endpoint');
  assert.match(kept.error?.message ?? '', /because no VPC endpoint policy allows the sts:GetCallerIdentity action$/);
  const describe = { key: anasKey, path: overEndpoint, operation: 'DescribeVpcs' };
  const noDescribe = ask(rows(policy(allow(everyone), deny({ ...everyone, Action: 'ec2:Describe*' }))), describe);
  assert.match(noDescribe.error?.message ?? '', /with an explicit deny in a VPC endpoint policy$/);
  const others = policy(
    allow({ ...everyone, Condition: { StringEquals: { 'aws:PrincipalArn': 'arn:aws:iam::123456789012:user/bob' } } }),
  );
  assert.equal(short(ask(rows(others), describe)), '-endpoint');
  const named = policy(allow({ Principal: { AWS: 'arn:aws:iam::123456789012:user/ana' } }));
  assert.equal(short(ask(rows(named), describe)), '+identity');
});

test('[T6] an anonymous caller needs the bucket policy', () => {
  const open = policy(allow({ Principal: '*', Action: 's3:GetObject', Resource: `${bucket}/*` }));
  assert.equal(short(ask((tx) => putBucket(tx), { service: s3, authorization: getObject })), '-resource');
  assert.equal(short(ask((tx) => putBucket(tx, open), { service: s3, authorization: getObject })), '+resource');
});

test('[E2] another account’s user needs both sides', () => {
  const rows = (text?: string) => (tx: Transaction) => {
    tx.put('user', user('ana', { inlinePolicies: { p: policy(allow()) } }));
    tx.put('bucket', {
      id: 'lab',
      accountId: '222222222222',
      region: 'us-east-1',
      creationDate: '',
      ownership: 'BucketOwnerEnforced',
      settings: {},
      ...(text !== undefined && { policy: text }),
    });
  };
  const s3Get = { key: anasKey, service: s3, authorization: getObject };
  assert.equal(short(ask(rows(), s3Get)), '-resource');
  assert.equal(
    short(ask(rows(policy(allow({ Principal: { AWS: account }, Resource: `${bucket}/*` }))), s3Get)),
    '+resource',
  );
});

test('what a closed account has is there for nobody, whatever its policies allow', () => {
  const owner = '222222222222';
  const rows = (closedAt?: string) => (tx: Transaction) => {
    tx.put('user', user('ana', { inlinePolicies: { p: policy(allow()) } }));
    tx.put('account', {
      ...{ id: owner, accountId: owner, region: 'global', createdAt: '' },
      ...(closedAt !== undefined && { closedAt }),
    });
    tx.put('bucket', {
      id: 'lab',
      accountId: owner,
      region: 'us-east-1',
      creationDate: '',
      ownership: 'BucketOwnerEnforced',
      settings: {},
      policy: policy(allow({ Principal: '*', Action: 's3:GetObject', Resource: `${bucket}/*` })),
    });
  };
  const [anas, nobodys] = [{ key: anasKey }, {}].map((more) => ({ ...more, service: s3, authorization: getObject }));
  for (const asked of [anas, nobodys]) {
    assert.ok(asked);
    assert.equal(short(ask(rows(), asked)), '+resource');
    assert.equal(short(ask(rows('2026-11-20T00:00:00Z'), asked)), '!resource');
  }
});

test('[E1] a role’s trust policy must itself allow', () => {
  const sts = service('sts', {
    resourcePolicy: (tx, resource) => {
      const row = tx.get('role', `${account}/${resource.split('/').at(-1)}`);
      return row && { policyText: row.assumeRolePolicyDocument, id: 'trust', ownerAccountId: account, trust: true };
    },
  });
  const rows = (principal: unknown) => (tx: Transaction) => {
    tx.put('user', user('ana', { inlinePolicies: { p: policy(allow()) } }));
    tx.put(
      'role',
      role('app', {
        assumeRolePolicyDocument: policy({ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: principal }),
      }),
    );
  };
  const assume: Authorization<never> = () => [
    { action: 'sts:AssumeRole', resource: `arn:aws:iam::${account}:role/app` },
  ];
  assert.equal(
    short(ask(rows({ Service: 'ec2.amazonaws.com' }), { key: anasKey, service: sts, authorization: assume })),
    '-trust',
  );
  assert.equal(short(ask(rows({ AWS: account }), { key: anasKey, service: sts, authorization: assume })), '+identity');
});

test('require throws the service’s own error, allows answers', () => {
  const store = new Store(':memory:');
  store.transact((tx) =>
    tx.put('user', user('ana', { inlinePolicies: { p: policy(allow({ Action: 's3:ListBucket' })) } })),
  );
  store.read((tx) => {
    const principal = principalOf(tx, anasKey, 'aws');
    assert.ok(principal);
    const open = authorizer.open(makeBaseCall({ principal, path: overInternet }), s3, anasKey);
    assert.equal(open.allows(tx, 's3:ListBucket', bucket), true);
    assert.equal(open.allows(tx, 's3:GetObject', `${bucket}/k`), false);
    assert.throws(() => open.require(tx, 'iam:PassRole', `arn:aws:iam::${account}:role/app`), { code: 'AccessDenied' });
    assert.deepEqual(
      open.decisions.map((one) => [one.action, one.allowed]),
      [
        ['s3:ListBucket', true],
        ['s3:GetObject', false],
        ['iam:PassRole', false],
      ],
    );
  });
  store.close();
});

test('the root user’s own request to a service without resource policies is answered without asking', () => {
  const quick = ask(() => {}, { key: rootKey, operation: 'CreateVpc', input: {} });
  assert.deepEqual(
    quick.decisions.map((one) => [one.action, one.layer]),
    [['ec2:CreateVpc', 'root']],
  );
  assert.equal(quick.decisions[0]?.layers, undefined);
  // Through an endpoint it is asked.
  assert.equal(
    short(
      ask((tx) => putEndpoint(tx, policy(deny({ Principal: '*' }))), {
        key: rootKey,
        operation: 'CreateVpc',
        path: overEndpoint,
      }),
    ),
    '!endpoint',
  );
});

test('what is the root user’s own and has no policy is its own without asking; a policy, an endpoint or a task is asked', () => {
  const byRoot = { service: s3, authorization: getObject, key: rootKey };
  const answer = (rows: (tx: Transaction) => void, more: object = {}) => {
    const asked = ask(rows, { ...byRoot, ...more });
    return [short(asked), asked.decisions[0]?.question !== undefined];
  };
  assert.deepEqual(
    answer((tx) => putBucket(tx)),
    ['+root', false],
  );
  assert.equal(ask((tx) => putBucket(tx), byRoot).decisions[0]?.resource, `${bucket}/k`);
  assert.deepEqual(
    answer((tx) => putBucket(tx, policy(deny({ Principal: '*' })))),
    ['!resource', true],
  );
  const ofAnother = (tx: Transaction) => {
    putBucket(tx);
    tx.put('bucket', {
      ...(tx.get('bucket', 'lab') as NonNullable<ReturnType<typeof tx.get<'bucket'>>>),
      accountId: '999999999999',
    });
  };
  assert.deepEqual(answer(ofAnother)[1], true);
  const throughDoor = (tx: Transaction) => {
    putBucket(tx);
    putEndpoint(tx, policy(deny({ Principal: '*' })));
  };
  assert.deepEqual(answer(throughDoor, { path: overEndpoint }), ['!endpoint', true]);
  const taskPolicyArn = 'arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy';
  const ofTask = key({ kind: 'root-session', taskPolicyArn });
  assert.deepEqual(answer((tx) => putBucket(tx), { key: ofTask })[1], true);
});
