// The authorizer over real rows: whose policies count, what the path gives, and what EC2's operations ask for.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuthorizationRequest, Decision } from '@postern/policy/types.ts';
import { AwsError } from '../errors.ts';
import type { RequestPath } from '../path.ts';
import type { Authorization, Operation, Service } from '../service.ts';
import type { AccessKeyRow, RoleRow, UserRow } from '../store/rows/iam.ts';
import { Store, type Transaction } from '../store/store.ts';
import { testAccountId as account, makeBaseCall, testNow } from '../testing.ts';
import { createAuthorizer, type DecisionRecord } from './authorize.ts';
import { globalContext } from './context.ts';
import { anonymous, principalExists, principalOf } from './principal.ts';

const region = 'global';
const bucket = 'arn:aws:s3:::lab';
const endpointId = 'vpce-0aaaaaaaaaaaaaaaa' as const;
const vpcId = 'vpc-0aaaaaaaaaaaaaaaa' as const;
const overInternet: RequestPath = { kind: 'internet', sourceIp: '198.19.0.9', secure: true };
const overEndpoint: RequestPath = {
  kind: 'endpoint',
  vpcEndpointId: endpointId,
  vpcId,
  sourceIp: '10.0.0.5',
  secure: true,
};

const policy = (...statements: Record<string, unknown>[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements });
const allow = (more: Record<string, unknown> = {}) => ({ Effect: 'Allow', Action: '*', Resource: '*', ...more });
const deny = (more: Record<string, unknown> = {}) => ({ Effect: 'Deny', Action: '*', Resource: '*', ...more });

function user(userName: string, more: Partial<UserRow> = {}): UserRow {
  return {
    id: `${account}/${userName}`,
    accountId: account,
    region,
    userName,
    userId: `AIDAEXAMPLE${userName.toUpperCase()}`,
    path: '/',
    createDate: '',
    attachedPolicyArns: [],
    inlinePolicies: {},
    tags: {},
    ...more,
  };
}
function role(roleName: string, more: Partial<RoleRow> = {}): RoleRow {
  return {
    id: `${account}/${roleName}`,
    accountId: account,
    region,
    roleName,
    roleId: `AROAEXAMPLE${roleName.toUpperCase()}`,
    path: '/',
    createDate: '',
    maxSessionDuration: 3600,
    assumeRolePolicyDocument: '{}',
    attachedPolicyArns: [],
    inlinePolicies: {},
    tags: {},
    ...more,
  };
}
function key(owner: AccessKeyRow['owner'], more: Partial<AccessKeyRow> = {}): AccessKeyRow {
  return {
    id: 'AKIAEXAMPLE',
    accountId: account,
    region,
    secretAccessKey: '',
    status: 'Active',
    createDate: '2026-11-21T07:00:00.000Z',
    owner,
    ...more,
  };
}
function sessionKey(
  roleName: string,
  more: Partial<Extract<AccessKeyRow['owner'], { kind: 'role-session' }>> = {},
): AccessKeyRow {
  return key(
    {
      kind: 'role-session',
      roleName,
      roleId: `AROAEXAMPLE${roleName.toUpperCase()}`,
      sessionName: 'i-0ab1',
      sessionPolicies: [],
      sessionPolicyArns: [],
      tags: {},
      ...more,
    },
    { sessionToken: 'token' },
  );
}
const anasKey = key({ kind: 'user', userName: 'ana' });
const rootKey = key({ kind: 'root' });

const denied = (_call: unknown, request: AuthorizationRequest, decision: Decision) =>
  new AwsError('AccessDenied', 403, `${request.action} on ${request.resource} ${decision.reason}`);
const service = (name: string, more: Partial<Service> = {}): Service => ({
  name,
  operations: {} as Record<string, Operation>,
  denied,
  ...more,
});
const ec2 = service('ec2');
const s3 = service('s3', {
  resourcePolicy: (tx, resource) => {
    const row = tx.get('bucket', resource.split(':')[5]?.split('/')[0] ?? '');
    return row?.policy === undefined
      ? undefined
      : { policyText: row.policy, id: 'bucket-policy', ownerAccountId: row.accountId };
  },
  resourceOwner: (tx, resource) => tx.get('bucket', resource.split(':')[5]?.split('/')[0] ?? '')?.accountId,
});

interface Ask {
  readonly key?: AccessKeyRow;
  readonly path?: RequestPath;
  readonly service?: Service;
  readonly operation?: string;
  readonly input?: unknown;
  readonly authorization?: Authorization<never>;
}

const authorizer = createAuthorizer({
  managedPolicyDocument: (arn) =>
    arn === 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess'
      ? policy(allow({ Action: ['s3:Get*', 's3:List*'] }))
      : undefined,
});

/** Asks as the pipeline does. @returns the decisions, and the error if it was denied */
function ask(
  rows: (tx: Transaction) => void,
  one: Ask,
): { decisions: readonly DecisionRecord[]; error: AwsError | undefined } {
  const store = new Store(':memory:');
  try {
    store.transact(rows);
    return store.read((tx) => {
      const principal = one.key ? principalOf(tx, one.key, 'aws') : anonymous;
      assert.ok(principal);
      const asked = one.service ?? ec2;
      const base = makeBaseCall({
        service: asked.name,
        operation: one.operation ?? 'DescribeVpcs',
        principal,
        path: one.path ?? overInternet,
      });
      const open = authorizer.open(base, asked, one.key);
      try {
        open.authorize({ ...base, tx }, one.input ?? {}, one.authorization ?? 'auto');
        return { decisions: open.decisions, error: undefined };
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        return { decisions: open.decisions, error };
      }
    });
  } finally {
    store.close();
  }
}

const getObject: Authorization<never> = () => [{ action: 's3:GetObject', resource: `${bucket}/k` }];
const short = (result: { decisions: readonly DecisionRecord[] }) => {
  const last = result.decisions.at(-1);
  return last && `${last.allowed ? '+' : last.explicit ? '!' : '-'}${last.layer}`;
};
const putBucket = (tx: Transaction, text?: string) =>
  tx.put('bucket', {
    id: 'lab',
    accountId: account,
    region: 'us-east-1',
    creationDate: '',
    ownership: 'BucketOwnerEnforced',
    settings: {},
    ...(text !== undefined && { policy: text }),
  });
const putEndpoint = (tx: Transaction, text: string) =>
  tx.put('vpc-endpoint', {
    id: endpointId,
    accountId: account,
    region: 'us-east-1',
    vpcId,
    endpointType: 'Gateway',
    serviceName: 'com.amazonaws.us-east-1.s3',
    prefixListId: 'pl-1',
    policyDocument: text,
    routeTableIds: [],
    creationTime: '',
    tags: {},
  });

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

/** `action resource` of everything that an EC2 operation asks, with ana allowed everything. */
function asks(operation: string, input: unknown, rows: (tx: Transaction) => void = () => {}): string[] {
  const result = ask(
    (tx) => {
      tx.put('user', user('ana', { inlinePolicies: { p: policy(allow()) } }));
      rows(tx);
    },
    { key: anasKey, operation, input },
  );
  assert.equal(result.error, undefined);
  return result.decisions
    .map((one) => `${one.action} ${one.resource.replace(`arn:aws:ec2:us-east-1:${account}:`, '')}`)
    .sort();
}

const subnetId = 'subnet-0aaaaaaaaaaaaaaaa' as const;
const network = (tx: Transaction) => {
  tx.put('vpc', {
    id: vpcId,
    accountId: account,
    region: 'us-east-1',
    cidrBlocks: [],
    isDefault: false,
    instanceTenancy: 'default',
    enableDnsSupport: true,
    enableDnsHostnames: false,
    enableNetworkAddressUsageMetrics: false,
    dhcpOptionsId: 'default',
    tags: { team: 'red' },
  });
  tx.put('subnet', {
    id: subnetId,
    accountId: account,
    region: 'us-east-1',
    vpcId,
    cidrBlock: '10.0.0.0/24',
    availabilityZone: 'us-east-1a',
    availabilityZoneId: 'use1-az1',
    defaultForAz: false,
    mapPublicIpOnLaunch: false,
    privateDnsHostnameType: 'ip-name',
    enableResourceNameDnsARecord: false,
    tags: { team: 'red' },
  });
  tx.put('route-table', {
    id: 'rtb-0aaaaaaaaaaaaaaaa',
    accountId: account,
    region: 'us-east-1',
    vpcId,
    routes: [],
    associations: [{ associationId: 'rtbassoc-0aaaaaaaaaaaaaaaa', main: false, subnetId }],
    tags: {},
  });
};

test('EC2 asks once per resource, with `type/*` for what is created', () => {
  assert.deepEqual(asks('DescribeVpcs', { VpcIds: [vpcId] }), ['ec2:DescribeVpcs *']);
  assert.deepEqual(asks('CreateVpc', { CidrBlock: '10.0.0.0/16' }), ['ec2:CreateVpc vpc/*']);
  assert.deepEqual(asks('CreateSubnet', { VpcId: vpcId }), [
    'ec2:CreateSubnet subnet/*',
    `ec2:CreateSubnet vpc/${vpcId}`,
  ]);
  assert.deepEqual(asks('DeleteVpc', { VpcId: vpcId }), [`ec2:DeleteVpc vpc/${vpcId}`]);
  assert.deepEqual(
    asks('CreateTags', { Resources: [vpcId, subnetId], Tags: [{ Key: 'a', Value: 'vpc-0bbbbbbbbbbbbbbbb' }] }),
    [`ec2:CreateTags subnet/${subnetId}`, `ec2:CreateTags vpc/${vpcId}`],
  );
  assert.deepEqual(
    asks('RunInstances', {
      ImageId: 'ami-0aaaaaaaaaaaaaaaa',
      SubnetId: subnetId,
      SecurityGroupIds: ['sg-0aaaaaaaaaaaaaaaa'],
      KeyName: 'mine',
    }),
    [
      'image arn:aws:ec2:us-east-1::image/ami-0aaaaaaaaaaaaaaaa',
      'instance/*',
      'key-pair/mine',
      'network-interface/*',
      'security-group/sg-0aaaaaaaaaaaaaaaa',
      `subnet/${subnetId}`,
      'volume/*',
    ]
      .map((one) => `ec2:RunInstances ${one.replace('image arn', 'arn')}`)
      .sort(),
  );
  assert.deepEqual(asks('DisassociateRouteTable', { AssociationId: 'rtbassoc-0aaaaaaaaaaaaaaaa' }, network), [
    'ec2:DisassociateRouteTable route-table/rtb-0aaaaaaaaaaaaaaaa',
    `ec2:DisassociateRouteTable subnet/${subnetId}`,
  ]);
  assert.deepEqual(
    asks('ModifyVpcEndpoint', { VpcEndpointId: endpointId, AddRouteTableIds: ['rtb-0aaaaaaaaaaaaaaaa'] }),
    ['ec2:ModifyVpcEndpoint route-table/rtb-0aaaaaaaaaaaaaaaa', `ec2:ModifyVpcEndpoint vpc-endpoint/${endpointId}`],
  );
  assert.deepEqual(
    asks('AuthorizeSecurityGroupIngress', {
      GroupId: 'sg-0aaaaaaaaaaaaaaaa',
      IpPermissions: [{ UserIdGroupPairs: [{ GroupId: 'sg-0bbbbbbbbbbbbbbbb' }] }],
    }),
    ['ec2:AuthorizeSecurityGroupIngress security-group/sg-0aaaaaaaaaaaaaaaa'],
  );
});

test('EC2 asks about what the input names without an id', () => {
  const defaults = (tx: Transaction) => {
    network(tx);
    const vpc = tx.get('vpc', vpcId);
    const subnet = tx.get('subnet', subnetId);
    if (vpc) tx.put('vpc', { ...vpc, isDefault: true });
    if (subnet) tx.put('subnet', { ...subnet, defaultForAz: true });
    for (const groupName of ['default', 'web']) {
      tx.put('security-group', {
        id: `sg-${groupName}`,
        accountId: account,
        region: 'us-east-1',
        vpcId,
        groupName,
        description: '',
        tags: {},
      });
    }
    tx.put('address', {
      id: 'eipalloc-1',
      accountId: account,
      region: 'us-east-1',
      publicIp: '198.19.0.5',
      domain: 'vpc',
      tags: {},
    });
  };
  const launch = asks('RunInstances', { ImageId: 'ami-0aaaaaaaaaaaaaaaa' }, defaults);
  assert.ok(launch.includes(`ec2:RunInstances subnet/${subnetId}`), launch.join());
  assert.ok(launch.includes('ec2:RunInstances security-group/sg-default'), launch.join());
  assert.ok(
    asks('RunInstances', { ImageId: 'ami-0aaaaaaaaaaaaaaaa', SecurityGroups: ['web'] }, defaults).includes(
      'ec2:RunInstances security-group/sg-web',
    ),
  );
  assert.ok(
    asks('RunInstances', { ImageId: 'ami-0aaaaaaaaaaaaaaaa' }).includes('ec2:RunInstances subnet/*'),
    'without a default subnet',
  );
  assert.deepEqual(asks('DeleteSecurityGroup', { GroupName: 'web' }, defaults), [
    'ec2:DeleteSecurityGroup security-group/sg-web',
  ]);
  assert.deepEqual(asks('CreateSecurityGroup', { GroupName: 'web' }, defaults), [
    'ec2:CreateSecurityGroup security-group/*',
    `ec2:CreateSecurityGroup vpc/${vpcId}`,
  ]);
  assert.deepEqual(asks('ReleaseAddress', { PublicIp: '198.19.0.5' }, defaults), [
    'ec2:ReleaseAddress elastic-ip/eipalloc-1',
  ]);
});

test('tags on create ask for ec2:CreateTags with ec2:CreateAction', () => {
  const input = {
    CidrBlock: '10.0.0.0/16',
    TagSpecifications: [{ ResourceType: 'vpc', Tags: [{ Key: 'team', Value: 'red' }] }],
  };
  assert.deepEqual(asks('CreateVpc', input), ['ec2:CreateTags vpc/*', 'ec2:CreateVpc vpc/*']);
  const tagger = (createAction: string) => (tx: Transaction) =>
    tx.put(
      'user',
      user('ana', {
        inlinePolicies: {
          p: policy(
            allow({ Action: 'ec2:CreateVpc' }),
            allow({
              Action: 'ec2:CreateTags',
              Condition: {
                StringEquals: { 'ec2:CreateAction': createAction, 'aws:RequestTag/team': 'red' },
                'ForAllValues:StringEquals': { 'aws:TagKeys': ['team'] },
              },
            }),
          ),
        },
      }),
    );
  assert.equal(ask(tagger('CreateVpc'), { key: anasKey, operation: 'CreateVpc', input }).error, undefined);
  assert.equal(
    ask(tagger('CreateSubnet'), { key: anasKey, operation: 'CreateVpc', input }).error?.code,
    'AccessDenied',
  );
});

test('EC2’s condition keys come from rows, and only where AWS sets them', () => {
  const only = (statement: Record<string, unknown>) => (tx: Transaction) => {
    network(tx);
    tx.put('user', user('ana', { inlinePolicies: { p: policy(allow(statement)) } }));
  };
  const able = (statement: Record<string, unknown>, operation: string, input: unknown) =>
    ask(only(statement), { key: anasKey, operation, input }).error === undefined;
  const inVpc = (id: string) => ({
    Condition: { ArnEquals: { 'ec2:Vpc': `arn:aws:ec2:us-east-1:${account}:vpc/${id}` } },
  });
  assert.equal(
    able({ Condition: { StringEquals: { 'aws:ResourceTag/team': 'red' } } }, 'DeleteSubnet', { SubnetId: subnetId }),
    true,
  );
  assert.equal(
    able({ Condition: { StringEquals: { 'ec2:ResourceTag/team': 'blue' } } }, 'DeleteSubnet', { SubnetId: subnetId }),
    false,
  );
  assert.equal(able(inVpc(vpcId), 'CreateRoute', { RouteTableId: 'rtb-0aaaaaaaaaaaaaaaa' }), true);
  assert.equal(able(inVpc('vpc-0bbbbbbbbbbbbbbbb'), 'CreateRoute', { RouteTableId: 'rtb-0aaaaaaaaaaaaaaaa' }), false);
  assert.equal(able({ Condition: { StringEquals: { 'ec2:Region': 'us-east-1' } } }, 'DescribeVpcs', {}), true);
  assert.equal(able({ Condition: { StringEquals: { 'ec2:Region': 'eu-west-1' } } }, 'DescribeVpcs', {}), false);
  assert.equal(
    able({ Condition: { StringEqualsIfExists: { 'ec2:InstanceType': 't3.micro' } } }, 'RunInstances', {
      ImageId: 'ami-0aaaaaaaaaaaaaaaa',
      InstanceType: 't3.micro',
      SubnetId: subnetId,
    }),
    true,
  );
  assert.equal(
    able({ Condition: { StringEqualsIfExists: { 'ec2:InstanceType': 't3.micro' } } }, 'RunInstances', {
      ImageId: 'ami-0aaaaaaaaaaaaaaaa',
      InstanceType: 'm5.large',
      SubnetId: subnetId,
    }),
    false,
  );
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

test('[K1][K4] the keys of 6.5 come from the path, and no header changes them', () => {
  const store = new Store(':memory:');
  const keysOf = (path: RequestPath, accessKey: AccessKeyRow | undefined, headers: Record<string, string> = {}) =>
    store.read((tx) => {
      const principal = accessKey ? principalOf(tx, accessKey, 'aws') : anonymous;
      assert.ok(principal);
      return Object.fromEntries(
        globalContext(tx, makeBaseCall({ service: 's3', principal, path, headers }), accessKey),
      );
    });
  store.transact((tx) => {
    putEndpoint(tx, policy(allow({ Principal: '*' })));
    network(tx);
    tx.put('user', user('ana', { tags: { Team: 'red' } }));
    tx.put('role', role('app', { path: '/team/' }));
  });
  const forged = { 'x-forwarded-for': '10.9.9.9', 'x-amz-source-vpce': 'vpce-forged', 'user-agent': 'aws-cli/2' };
  const internet = keysOf(overInternet, anasKey, forged);
  assert.deepEqual(internet['aws:sourceip'], ['198.19.0.9']);
  for (const absent of ['aws:sourcevpc', 'aws:sourcevpce', 'aws:sourcevpcarn', 'aws:vpcsourceip', 'aws:vpceaccount'])
    assert.equal(internet[absent], undefined, absent);
  assert.deepEqual(internet['aws:useragent'], ['aws-cli/2']);
  assert.deepEqual(internet['aws:username'], ['ana']);
  assert.deepEqual(internet['aws:principaltag/team'], ['red']);
  assert.deepEqual(internet['aws:epochtime'], [String(testNow.getTime() / 1000)]);
  assert.equal(internet['aws:tokenissuetime'], undefined);

  const fromInstance = sessionKey('app', {
    instance: { instanceId: 'i-0ab1', vpcId, privateIp: '10.0.0.5', delivery: '2.0' },
  });
  const endpoint = keysOf(overEndpoint, fromInstance, forged);
  assert.equal(endpoint['aws:sourceip'], undefined);
  assert.deepEqual(endpoint['aws:vpcsourceip'], ['10.0.0.5']);
  assert.deepEqual(endpoint['aws:sourcevpc'], [vpcId]);
  assert.deepEqual(endpoint['aws:sourcevpce'], [endpointId]);
  assert.deepEqual(endpoint['aws:sourcevpcarn'], [`arn:aws:ec2:us-east-1:${account}:vpc/${vpcId}`]);
  assert.deepEqual(endpoint['aws:vpceaccount'], [account]);
  assert.deepEqual(endpoint['aws:principalarn'], [`arn:aws:iam::${account}:role/team/app`]);
  assert.deepEqual(endpoint['aws:userid'], ['AROAEXAMPLEAPP:i-0ab1']);
  for (const one of [endpoint, keysOf(overInternet, fromInstance)]) {
    assert.deepEqual(one['aws:ec2instancesourcevpc'], [vpcId]);
    assert.deepEqual(one['aws:ec2instancesourceprivateipv4'], ['10.0.0.5']);
    assert.deepEqual(one['aws:tokenissuetime'], ['2026-11-21T07:00:00.000Z']);
  }
  const nobody = keysOf(overInternet, undefined);
  assert.equal(nobody['aws:principalarn'], undefined);
  assert.deepEqual(nobody['aws:principalaccount'], ['anonymous']);
  store.close();
});

test('who holds a key: principals in their AWS forms', () => {
  const store = new Store(':memory:');
  store.transact((tx) => {
    tx.put('account', { id: account, accountId: account, region, createdAt: '' });
    tx.put('user', user('ana', { path: '/team/' }));
    tx.put('role', role('app', { path: '/team/' }));
  });
  store.read((tx) => {
    const arn = (one: AccessKeyRow, partition = 'aws') => principalOf(tx, one, partition)?.arn;
    assert.equal(arn(rootKey), `arn:aws:iam::${account}:root`);
    assert.equal(arn(rootKey, 'aws-cn'), `arn:aws-cn:iam::${account}:root`);
    assert.equal(arn(anasKey), `arn:aws:iam::${account}:user/team/ana`);
    assert.equal(arn(key({ kind: 'user', userName: 'gone' })), undefined);
    assert.equal(arn(key({ kind: 'session-token', of: { userName: 'ana' } })), `arn:aws:iam::${account}:user/team/ana`);
    assert.equal(arn(sessionKey('app')), `arn:aws:sts::${account}:assumed-role/app/i-0ab1`);
    assert.equal(principalOf(tx, sessionKey('app'), 'aws')?.roleArn, `arn:aws:iam::${account}:role/team/app`);
    assert.equal(principalExists(tx, `arn:aws:iam::${account}:user/team/ana`), true);
    assert.equal(principalExists(tx, `arn:aws:iam::${account}:user/ana`), false);
    assert.equal(principalExists(tx, 'arn:aws:iam::999999999999:user/ana'), true);
  });
  store.close();
});
