// Rows, callers and a way to ask, for the tests of this room. Used by tests only.

import assert from 'node:assert/strict';
import type { AuthorizationRequest, Decision } from '@postern/policy/types.ts';
import { AwsError } from '../errors.ts';
import type { RequestPath } from '../path.ts';
import type { Authorization, Operation, Service } from '../service.ts';
import type { AccessKeyRow, RoleRow, UserRow } from '../store/rows/iam.ts';
import { Store, type Transaction } from '../store/store.ts';
import { testAccountId as account, makeBaseCall } from '../testing.ts';
import { createAuthorizer, type DecisionRecord } from './authorize.ts';
import { anonymous, principalOf } from './principal.ts';

export { account };

export const region = 'global';
export const bucket = 'arn:aws:s3:::lab';
export const endpointId = 'vpce-0aaaaaaaaaaaaaaaa' as const;
export const vpcId = 'vpc-0aaaaaaaaaaaaaaaa' as const;
export const overInternet: RequestPath = { kind: 'internet', sourceIp: '198.19.0.9', secure: true };
export const overEndpoint: RequestPath = {
  kind: 'endpoint',
  vpcEndpointId: endpointId,
  vpcId,
  sourceIp: '10.0.0.5',
  secure: true,
};

export const policy = (...statements: Record<string, unknown>[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements });
export const allow = (more: Record<string, unknown> = {}) => ({ Effect: 'Allow', Action: '*', Resource: '*', ...more });
export const deny = (more: Record<string, unknown> = {}) => ({ Effect: 'Deny', Action: '*', Resource: '*', ...more });

export function user(userName: string, more: Partial<UserRow> = {}): UserRow {
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
export function role(roleName: string, more: Partial<RoleRow> = {}): RoleRow {
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
export function key(owner: AccessKeyRow['owner'], more: Partial<AccessKeyRow> = {}): AccessKeyRow {
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
export function sessionKey(
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
export const anasKey = key({ kind: 'user', userName: 'ana' });
export const rootKey = key({ kind: 'root' });

export const denied = (_call: unknown, request: AuthorizationRequest, decision: Decision) =>
  new AwsError('AccessDenied', 403, `${request.action} on ${request.resource} ${decision.reason}`);
export const service = (name: string, more: Partial<Service> = {}): Service => ({
  name,
  operations: {} as Record<string, Operation>,
  denied,
  ...more,
});
export const ec2 = service('ec2');
export const s3 = service('s3', {
  resourcePolicy: (tx, resource) => {
    const row = tx.get('bucket', resource.split(':')[5]?.split('/')[0] ?? '');
    return row?.policy === undefined
      ? undefined
      : { policyText: row.policy, id: 'bucket-policy', ownerAccountId: row.accountId };
  },
  resourceOwner: (tx, resource) => tx.get('bucket', resource.split(':')[5]?.split('/')[0] ?? '')?.accountId,
});

export interface Ask {
  readonly key?: AccessKeyRow;
  readonly path?: RequestPath;
  readonly service?: Service;
  readonly operation?: string;
  readonly input?: unknown;
  readonly authorization?: Authorization<never>;
}

export const authorizer = createAuthorizer({
  managedPolicyDocument: (arn) =>
    arn === 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess'
      ? policy(allow({ Action: ['s3:Get*', 's3:List*'] }))
      : undefined,
});

/** Asks as the pipeline does. @returns the decisions, and the error if it was denied */
export function ask(
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

export const getObject: Authorization<never> = () => [{ action: 's3:GetObject', resource: `${bucket}/k` }];
export const short = (result: { decisions: readonly DecisionRecord[] }) => {
  const last = result.decisions.at(-1);
  return last && `${last.allowed ? '+' : last.explicit ? '!' : '-'}${last.layer}`;
};
export const putBucket = (tx: Transaction, text?: string) =>
  tx.put('bucket', {
    id: 'lab',
    accountId: account,
    region: 'us-east-1',
    creationDate: '',
    ownership: 'BucketOwnerEnforced',
    settings: {},
    ...(text !== undefined && { policy: text }),
  });
export const putEndpoint = (tx: Transaction, text: string) =>
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

/** `action resource` of everything that an EC2 operation asks, with ana allowed everything. */
export function asks(operation: string, input: unknown, rows: (tx: Transaction) => void = () => {}): string[] {
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

export const subnetId = 'subnet-0aaaaaaaaaaaaaaaa' as const;
export const network = (tx: Transaction) => {
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
