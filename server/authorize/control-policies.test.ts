// Whom control policies reach, and what policies may ask about organizations.

import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { Principal } from '@postern/policy/types.ts';
import type { Transaction } from '../store/store.ts';
import { makeBaseCall, makeStore, rootPrincipal } from '../testing.ts';
import { globalContext, type MutableContext } from './context.ts';
import { addOrganization, controlPolicies } from './control-policies.ts';

const management = '111111111111';
const member = '222222222222';
const outside = '333333333333';
const scope = { accountId: management, region: 'global', organizationId: 'o-a1b2c3d4e5', tags: {} };
const both = ['p-FullAWSAccess', 'p-RCPFullAWSAccess'];

function rows(tx: Transaction): void {
  tx.put('organization', {
    id: scope.organizationId,
    accountId: management,
    region: 'global',
    featureSet: 'ALL',
    rootId: 'r-ab12',
    enabledPolicyTypes: ['SERVICE_CONTROL_POLICY', 'RESOURCE_CONTROL_POLICY'],
    serviceAccess: {},
  });
  tx.put('organization-root', { id: 'r-ab12', ...scope, policyIds: both });
  const unit = (id: string, parentId: string) =>
    tx.put('organizational-unit', { id, ...scope, parentId, name: id, policyIds: both });
  unit('ou-ab12-11111111', 'r-ab12');
  unit('ou-ab12-22222222', 'ou-ab12-11111111');
  const account = (id: string, parentId: string) =>
    tx.put('organization-member', {
      id,
      ...scope,
      parentId,
      name: id,
      email: '',
      joinedMethod: 'CREATED',
      joinedAt: '',
      policyIds: both,
    });
  account(management, 'r-ab12');
  account(member, 'ou-ab12-22222222');
}

let store = makeStore(rows);
beforeEach(() => {
  store = makeStore(rows);
});

const asked = (principal: Principal, action: string, owner: string | undefined) =>
  store.read((tx) => controlPolicies(tx, principal, action, owner));
const session = (roleArn: string): Principal => ({
  type: 'role-session',
  accountId: member,
  arn: `arn:aws:sts::${member}:assumed-role/r/s`,
  roleArn,
  userId: 'AROA:s',
});

describe('control policies', () => {
  it('come from the root down to the account, whichever way the question is about it', () => {
    const { scps, rcps } = asked(rootPrincipal(member), 's3:GetObject', member);
    const path = ['r-ab12', 'ou-ab12-11111111', 'ou-ab12-22222222', member];
    for (const levels of [scps, rcps])
      assert.deepEqual(
        levels?.map(({ at }) => at),
        path,
      );
    assert.deepEqual(
      scps?.[0]?.policies.map(({ id }) => id),
      ['p-FullAWSAccess'],
    );
    assert.deepEqual(
      rcps?.[0]?.policies.map(({ id }) => id),
      ['p-RCPFullAWSAccess'],
    );
  });

  it('limit callers of members and resources of members, and nothing of the management account', () => {
    assert.deepEqual(Object.keys(asked(rootPrincipal(member), 's3:GetObject', outside)), ['scps']);
    assert.deepEqual(Object.keys(asked(rootPrincipal(outside), 's3:GetObject', member)), ['rcps']);
    assert.deepEqual(Object.keys(asked(rootPrincipal(management), 's3:GetObject', member)), ['rcps']);
    assert.deepEqual(asked(rootPrincipal(management), 's3:GetObject', management), {});
    assert.deepEqual(asked(rootPrincipal(outside), 's3:GetObject', outside), {});
    const anonymous: Principal = { type: 'anonymous', accountId: 'anonymous', arn: 'anonymous', userId: 'anonymous' };
    assert.deepEqual(Object.keys(asked(anonymous, 's3:GetObject', member)), ['rcps']);
  });

  it('of resources are for the services that have them', () => {
    assert.deepEqual(Object.keys(asked(rootPrincipal(outside), 'STS:AssumeRole', member)), ['rcps']);
    assert.deepEqual(asked(rootPrincipal(outside), 'ec2:RunInstances', member), {});
  });

  it('leave service-linked roles alone', () => {
    assert.deepEqual(
      asked(session(`arn:aws:iam::${member}:role/aws-service-role/batch.amazonaws.com/B`), 's3:X', member),
      {},
    );
    assert.ok(asked(session(`arn:aws:iam::${member}:role/mine`), 's3:X', member).scps);
  });

  it('are none where the type is not enabled', () => {
    store.transact((tx) => {
      const row = tx.get('organization', scope.organizationId);
      if (row) tx.put('organization', { ...row, enabledPolicyTypes: [] });
    });
    assert.deepEqual(asked(rootPrincipal(member), 's3:GetObject', member), {});
  });
});

describe('keys about organizations', () => {
  it('tell the caller’s organization and its path, and nothing of an account that is in none', () => {
    const of = (accountId: string) =>
      store.read((tx) => globalContext(tx, makeBaseCall({ principal: rootPrincipal(accountId) })));
    assert.deepEqual(of(member).get('aws:principalorgid'), ['o-a1b2c3d4e5']);
    const path = 'o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/ou-ab12-22222222/';
    assert.deepEqual(of(member).get('aws:principalorgpaths'), [path]);
    assert.deepEqual(of(management).get('aws:principalorgpaths'), ['o-a1b2c3d4e5/r-ab12/']);
    assert.equal(of(outside).get('aws:principalorgid'), undefined);
  });

  it('tell the resource’s', () => {
    const context: MutableContext = new Map();
    store.read((tx) => addOrganization(tx, context, 'aws:resourceorg', member));
    assert.deepEqual([...context.keys()], ['aws:resourceorgid', 'aws:resourceorgpaths']);
  });
});
