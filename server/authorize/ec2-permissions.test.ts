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
  const inOne = {
    SubnetConfigurations: [{ SubnetId: subnetId, Ipv4: '10.0.0.9' }],
    SecurityGroupIds: ['sg-0aaaaaaaaaaaaaaaa'],
  };
  assert.deepEqual(
    asks('CreateVpcEndpoint', { VpcId: vpcId, ServiceName: 'com.amazonaws.us-east-1.sts', ...inOne }),
    ['security-group/sg-0aaaaaaaaaaaaaaaa', `subnet/${subnetId}`, 'vpc-endpoint/*', `vpc/${vpcId}`].map(
      (one) => `ec2:CreateVpcEndpoint ${one}`,
    ),
  );
  assert.deepEqual(
    asks('AuthorizeSecurityGroupIngress', {
      GroupId: 'sg-0aaaaaaaaaaaaaaaa',
      IpPermissions: [{ UserIdGroupPairs: [{ GroupId: 'sg-0bbbbbbbbbbbbbbbb' }] }],
    }),
    ['ec2:AuthorizeSecurityGroupIngress security-group/sg-0aaaaaaaaaaaaaaaa'],
  );
});

test('NAT gateways and exclusions from blocked public access are asked about with what they lie on and take', () => {
  const [nat, one, two] = ['nat-0aaaaaaaaaaaaaaaa', 'eipalloc-0aaaaaaaaaaaaaaaa', 'eipalloc-0bbbbbbbbbbbbbbbb'];
  assert.deepEqual(asks('CreateNatGateway', { SubnetId: subnetId, AllocationId: one, SecondaryAllocationIds: [two] }), [
    `ec2:CreateNatGateway elastic-ip/${one}`,
    `ec2:CreateNatGateway elastic-ip/${two}`,
    'ec2:CreateNatGateway natgateway/*',
    `ec2:CreateNatGateway subnet/${subnetId}`,
  ]);
  assert.deepEqual(asks('DeleteNatGateway', { NatGatewayId: nat }), [`ec2:DeleteNatGateway natgateway/${nat}`]);
  assert.deepEqual(asks('AssociateNatGatewayAddress', { NatGatewayId: nat, AllocationIds: [one] }), [
    `ec2:AssociateNatGatewayAddress elastic-ip/${one}`,
    `ec2:AssociateNatGatewayAddress natgateway/${nat}`,
  ]);
  const exclusion = 'vpcbpa-exclude-0aaaaaaaaaaaaaaaa';
  assert.deepEqual(asks('DeleteVpcBlockPublicAccessExclusion', { ExclusionId: exclusion }), [
    `ec2:DeleteVpcBlockPublicAccessExclusion vpc-block-public-access-exclusion/${exclusion}`,
  ]);
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

test('[P2] a peering asks about the VPC of its own side and about the connection, with both VPCs as conditions', () => {
  const pcx = 'pcx-0aaaaaaaaaaaaaaaa';
  const theirs = 'vpc-0cccccccccccccccc';
  const peering = (requester: string, accepter: string) => (tx: Transaction) => {
    network(tx);
    const side = (id: string) => ({
      vpcId: (id === account ? vpcId : theirs) as `vpc-${string}`,
      accountId: id,
      region: 'us-east-1',
      allowDnsResolutionFromRemoteVpc: false,
    });
    tx.put('vpc-peering-connection', {
      id: pcx,
      accountId: requester,
      region: 'us-east-1',
      requester: side(requester),
      accepter: side(accepter),
      state: 'pending-acceptance',
      createdAt: '2026-11-21T08:00:00.000Z',
      expiresAt: '2026-11-28T08:00:00.000Z',
      tags: { team: 'red' },
      accepterTags: { team: 'blue' },
    } as const);
  };
  const sent = peering(account, '210987654321');
  const received = peering('210987654321', account);
  assert.deepEqual(asks('CreateVpcPeeringConnection', { VpcId: vpcId, PeerVpcId: theirs }), [
    `ec2:CreateVpcPeeringConnection vpc-peering-connection/*`,
    `ec2:CreateVpcPeeringConnection vpc/${vpcId}`,
  ]);
  assert.deepEqual(asks('AcceptVpcPeeringConnection', { VpcPeeringConnectionId: pcx }, received), [
    `ec2:AcceptVpcPeeringConnection vpc-peering-connection/${pcx}`,
    `ec2:AcceptVpcPeeringConnection vpc/${vpcId}`,
  ]);
  assert.deepEqual(asks('DeleteVpcPeeringConnection', { VpcPeeringConnectionId: pcx }, sent), [
    `ec2:DeleteVpcPeeringConnection vpc-peering-connection/${pcx}`,
  ]);
  const able = (setup: typeof sent, operation: string, input: object, condition: Record<string, unknown>) =>
    ask(
      (tx) => {
        setup(tx);
        tx.put('user', user('ana', { inlinePolicies: { p: policy(allow({ Condition: condition })) } }));
      },
      { key: anasKey, operation, input },
    ).error === undefined;
  const on = { VpcPeeringConnectionId: pcx };
  const peerArn = (of: string) => `arn:aws:ec2:us-east-1:${of}:vpc/${of === account ? vpcId : theirs}`;
  const requesterIs = (of: string) => ({ ArnEquals: { 'ec2:RequesterVpc': peerArn(of) } });
  assert.equal(able(received, 'RejectVpcPeeringConnection', on, requesterIs('210987654321')), true);
  assert.equal(able(received, 'RejectVpcPeeringConnection', on, requesterIs(account)), false);
  assert.equal(able(sent, 'DeleteVpcPeeringConnection', on, requesterIs(account)), true);
  const tagged = (team: string) => ({ StringEquals: { 'aws:ResourceTag/team': team } });
  assert.equal(able(sent, 'DeleteVpcPeeringConnection', on, tagged('red')), true);
  assert.equal(able(received, 'DeleteVpcPeeringConnection', on, tagged('red')), false);
  assert.equal(able(received, 'DeleteVpcPeeringConnection', on, tagged('blue')), true);
});
