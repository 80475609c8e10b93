// What EC2's operations ask for, and what is true of the resources that they name.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Transaction } from '../store/store.ts';
import { account, allow, anasKey, ask, asks, endpointId, network, policy, subnetId, user, vpcId } from './testing.ts';

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
