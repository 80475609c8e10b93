// The extracted facts are there and usable for every operation that `'auto'` may be asked about.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Store } from '../store/store.ts';
import { makeBaseCall } from '../testing.ts';
import { factsOf } from './facts.ts';
import { automaticPermissions, type Input } from './permissions.ts';

test('every service’s facts load, with actions by any case', () => {
  for (const service of [
    'ec2',
    's3',
    'iam',
    'sts',
    'dynamodb',
    'ssm',
    'ec2-instance-connect',
    'cloudtrail',
    'account',
  ]) {
    assert.ok((factsOf(service)?.actionNames.length ?? 0) > 0, service);
  }
  const run = factsOf('ec2')?.action('runinstances');
  assert.equal(run?.name, 'RunInstances');
  assert.equal(run?.resources.get('subnet')?.required, true);
  assert.ok(run?.resources.get('subnet')?.keys.has('ec2:vpc'));
  assert.ok(run?.resources.get('subnet')?.keys.has('aws:resourcetag/'));
  assert.equal(factsOf('no-such-service'), undefined);
  assert.equal(factsOf('../ec2'), undefined);
  assert.equal(factsOf('ec2')?.action('constructor'), undefined);
});

test('every EC2 action asks for something well formed, whatever the input is', () => {
  const strange: readonly Input[] = [
    {},
    {
      VpcId: 'vpc-0ab1',
      SubnetId: 'subnet-0ab1',
      InstanceIds: ['i-0ab1', 'i-0ab2'],
      TagSpecifications: [{ ResourceType: 'vpc', Tags: [{ Key: 'a' }] }],
    },
    {
      VpcId: 1,
      SubnetIds: 'x',
      InstanceIds: [null, {}, ['i-0ab1']],
      NetworkInterfaces: [null, 'x', { Groups: {} }],
      TagSpecifications: [{}, null],
    },
    {
      VpcId: '',
      GroupId: 'constructor-1',
      ImageId: '__proto__-1',
      KeyName: '',
      Resources: ['-', 'vpc-', '*'],
      Tags: 'x',
      AssociationId: 'rtbassoc-none',
    },
  ];
  const facts = factsOf('ec2');
  assert.ok(facts);
  const store = new Store(':memory:');
  store.read((tx) => {
    for (const operation of facts.actionNames) {
      for (const input of strange) {
        const permissions = automaticPermissions(tx, makeBaseCall({ service: 'ec2', operation }), input);
        assert.ok(permissions.length > 0, operation);
        for (const one of permissions) {
          assert.match(one.action, /^ec2:[A-Z][A-Za-z0-9]+$/);
          assert.match(
            one.resource,
            /^(\*|arn:aws:[a-z0-9-]+:(us-east-1)?:(\d{12})?:[^$]+)$/,
            `${operation} ${one.resource}`,
          );
        }
      }
    }
  });
  store.close();
});

test('an operation that the facts do not know is asked by its own name on everything', () => {
  const store = new Store(':memory:');
  store.read((tx) => {
    const ask = (service: string, operation: string, input: Input) =>
      automaticPermissions(tx, makeBaseCall({ service, operation }), input).map(
        (one) => `${one.action} ${one.resource}`,
      );
    assert.deepEqual(ask('ec2', 'InventThings', {}), ['ec2:InventThings *']);
    assert.deepEqual(ask('logs', 'PutLogEvents', {}), ['logs:PutLogEvents *']);
  });
  store.close();
});
