import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Principal } from '@postern/policy/types.ts';
import type { AccessKeyRow } from '../store/rows/iam.ts';
import type { Transaction } from '../store/store.ts';
import { makeStore, testAccountId } from '../testing.ts';
import { type KeptCall, recordsOf } from './api-event.ts';
import { kindOf } from './event-kinds.ts';
import { type Given, type Served, served } from './testing.ts';

const otherAccountId = '210987654321';
const store = makeStore((tx: Transaction) => {
  for (const id of [testAccountId, otherAccountId])
    tx.put('account', { id, accountId: id, region: 'global', createdAt: '2026-11-20T08:00:00.000Z' });
  const user = {
    path: '/',
    attachedPolicyArns: [],
    inlinePolicies: {},
    tags: {},
    createDate: '2026-11-20T08:00:00.000Z',
  };
  tx.put('user', {
    ...user,
    id: `${testAccountId}/ana`,
    accountId: testAccountId,
    region: 'global',
    userName: 'ana',
    userId: 'AIDAANA',
  });
});

type Told = Record<string, unknown>;

function kept([event, call]: Served): KeptCall {
  const { operation, partition, head } = call.identified;
  if (!operation) throw new Error('no operation');
  return {
    kind: kindOf(operation),
    event,
    operation,
    partition,
    principal: call.principal,
    accessKey: call.accessKey,
    host: head.headers.host,
    isSignedInHeader: true,
    resourceAccountId: call.asked?.decisions[0]?.question?.request.resourceAccountId,
    input: call.input,
    output: call.output,
  };
}

function all(name: string, given: Given = {}): Told[] {
  return store.read((tx) => recordsOf(tx, kept(served(name, given)))).map(({ text }) => JSON.parse(text) as Told);
}

function record(name: string, given: Given = {}): Told {
  const [first] = all(name, given);
  assert.ok(first, 'there is a record');
  return first;
}

const row = (owner: AccessKeyRow['owner'], more: Partial<AccessKeyRow> = {}): AccessKeyRow => ({
  id: 'ASIAEXAMPLE',
  accountId: testAccountId,
  region: 'global',
  secretAccessKey: 'x',
  status: 'Active',
  createDate: '2026-11-21T07:30:00.000Z',
  owner,
  ...more,
});

const ana: Principal = {
  type: 'user',
  accountId: testAccountId,
  arn: `arn:aws:iam::${testAccountId}:user/ana`,
  userId: 'AIDAANA',
  userName: 'ana',
};
const app: Principal = {
  type: 'role-session',
  accountId: testAccountId,
  arn: `arn:aws:sts::${testAccountId}:assumed-role/app/i-0ab1`,
  roleArn: `arn:aws:iam::${testAccountId}:role/app`,
  userId: 'AROAAPP:i-0ab1',
};
const roleSession = {
  roleName: 'app',
  roleId: 'AROAAPP',
  sessionName: 'i-0ab1',
  sessionPolicies: [],
  sessionPolicyArns: [],
  tags: {},
};

const identity = (principal: Principal, accessKey?: AccessKeyRow) =>
  record('ec2:DescribeVpcs', { call: { principal, ...(accessKey && { accessKey }) } })['userIdentity'] as Told;

describe('records', () => {
  it('[L1] have the fields of AWS’s', () => {
    const told = record('ec2:CreateVpc', {
      event: {
        path: {
          kind: 'internet',
          sourceIp: '198.51.100.10',
          secure: true,
          tls: { version: 'TLSv1.3', cipherSuite: 'TLS_AES_128_GCM_SHA256' },
        },
      },
      call: {
        input: { CidrBlock: '10.0.0.0/16' },
        output: { Vpc: { VpcId: 'vpc-1', Tags: [{ Key: 'a', Value: 'b' }] } },
      },
    });
    const { eventID, ...rest } = told;
    assert.match(String(eventID), /^[0-9a-f-]{36}$/);
    assert.deepEqual(rest, {
      eventVersion: '1.11',
      userIdentity: {
        type: 'Root',
        principalId: testAccountId,
        arn: `arn:aws:iam::${testAccountId}:root`,
        accountId: testAccountId,
        accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      },
      eventTime: '2026-11-21T08:00:00Z',
      eventSource: 'ec2.amazonaws.com',
      eventName: 'CreateVpc',
      awsRegion: 'us-east-1',
      sourceIPAddress: '198.51.100.10',
      userAgent: 'aws-cli/2',
      requestParameters: { cidrBlock: '10.0.0.0/16' },
      responseElements: {
        requestId: '11111111-2222-4333-8444-555555555555',
        vpc: { vpcId: 'vpc-1', tagSet: { items: [{ key: 'a', value: 'b' }] } },
      },
      requestID: '11111111-2222-4333-8444-555555555555',
      readOnly: false,
      eventType: 'AwsApiCall',
      managementEvent: true,
      recipientAccountId: testAccountId,
      eventCategory: 'Management',
      tlsDetails: {
        tlsVersion: 'TLSv1.3',
        cipherSuite: 'TLS_AES_128_GCM_SHA256',
        clientProvidedHostHeader: 'there.example',
      },
    });
  });

  it('[L2] through an endpoint have the private address, the endpoint and whose it is', () => {
    const vpcEndpointId = 'vpce-0a1' as const;
    store.transact((tx) =>
      tx.put('vpc-endpoint', { id: vpcEndpointId, accountId: otherAccountId, region: 'us-east-1' } as never),
    );
    const path = { kind: 'endpoint', vpcEndpointId, vpcId: 'vpc-1', sourceIp: '10.0.0.7', secure: true } as const;
    const told = record('s3:ListBuckets', { event: { path: path as never } });
    assert.equal(told['sourceIPAddress'], '10.0.0.7');
    assert.equal(told['vpcEndpointId'], vpcEndpointId);
    assert.equal(told['vpcEndpointAccountId'], otherAccountId);
    assert.equal('vpcEndpointId' in record('s3:ListBuckets'), false);
  });

  it('[L4] say who asked, of every kind', () => {
    assert.deepEqual(identity(ana), {
      type: 'IAMUser',
      principalId: 'AIDAANA',
      arn: ana.arn,
      accountId: testAccountId,
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      userName: 'ana',
    });
    const attributes = { creationDate: '2026-11-21T07:30:00Z', mfaAuthenticated: 'false' };
    const mfa = row({ kind: 'session-token', of: { userName: 'ana' } }, { mfaDate: '2026-11-21T07:30:00.000Z' });
    assert.deepEqual(identity(ana, mfa)['sessionContext'], { attributes: { ...attributes, mfaAuthenticated: 'true' } });
    const issuer = {
      type: 'Role',
      principalId: 'AROAAPP',
      arn: app.roleArn,
      accountId: testAccountId,
      userName: 'app',
    };
    const instance = { instanceId: 'i-0ab1', vpcId: 'vpc-1', privateIp: '10.0.0.7', delivery: '2.0' } as const;
    const delivered = identity(app, row({ kind: 'role-session', ...roleSession, instance }));
    assert.equal(delivered['type'], 'AssumedRole');
    assert.deepEqual(delivered['sessionContext'], { sessionIssuer: issuer, attributes, ec2RoleDelivery: '2.0' });
    const federated: Principal = {
      type: 'federated-user',
      accountId: testAccountId,
      arn: `arn:aws:sts::${testAccountId}:federated-user/bo`,
      parentArn: ana.arn,
      userId: `${testAccountId}:bo`,
    };
    const bo = identity(federated, row({ kind: 'federated-user', name: 'bo', sessionPolicies: [], parent: ana.arn }));
    assert.equal(bo['type'], 'FederatedUser');
    assert.deepEqual((bo['sessionContext'] as Told)['sessionIssuer'], {
      type: 'IAMUser',
      principalId: 'AIDAANA',
      arn: ana.arn,
      accountId: testAccountId,
      userName: 'ana',
    });
  });

  it('of a token’s bearer are in the role’s account', () => {
    const nobody: Principal = { type: 'anonymous', accountId: 'anonymous', arn: 'anonymous', userId: 'anonymous' };
    const input = { RoleArn: `arn:aws:iam::${testAccountId}:role/app`, RoleSessionName: 'cy', WebIdentityToken: 'eyJ' };
    const output = {
      Provider: 'arn:aws:iam::1:oidc-provider/token.example.com',
      SubjectFromWebIdentityToken: 'cy',
      Audience: 'sts',
    };
    const web = record('sts:AssumeRoleWithWebIdentity', { call: { principal: nobody, input, output } });
    assert.equal(web['recipientAccountId'], testAccountId);
    assert.equal((web['userIdentity'] as Told)['type'], 'WebIdentityUser');
    assert.equal((web['userIdentity'] as Told)['principalId'], 'token.example.com:sts:cy');
    const saml = record('sts:AssumeRoleWithSAML', {
      call: { principal: nobody, input, output: { NameQualifier: 'abc=', Subject: 'cy' } },
    });
    assert.equal((saml['userIdentity'] as Told)['principalId'], 'abc=:cy');
    // Nobody's, for nothing says whose the resource is: a bad signature, say.
    assert.deepEqual(all('s3:ListBuckets', { call: { principal: nobody } }), []);
  });

  it('of another account’s resource are in both histories, and the owner is not told who in that account it was', () => {
    const asked = { decisions: [{ resource: '*', question: { request: { resourceAccountId: otherAccountId } } }] };
    const [own, theirs] = all('s3:GetBucketPolicy', { call: { principal: ana, asked, input: { Bucket: 'b' } } });
    assert.equal(own?.['recipientAccountId'], testAccountId);
    assert.equal(theirs?.['recipientAccountId'], otherAccountId);
    assert.equal(own?.['sharedEventID'], theirs?.['sharedEventID']);
    assert.deepEqual(theirs?.['userIdentity'], {
      type: 'AWSAccount',
      principalId: 'AIDAANA',
      accountId: testAccountId,
    });
  });

  it('name errors as AWS’s do, and then answer nothing', () => {
    const failed = (name: string, errorCode: string, status = 400) =>
      record(name, { event: { errorCode, errorMessage: 'No.', status }, call: { output: { Vpc: {} } } });
    assert.equal(failed('ec2:CreateVpc', 'UnauthorizedOperation', 403)['errorCode'], 'Client.UnauthorizedOperation');
    assert.equal(failed('ec2:CreateVpc', 'InternalError', 500)['errorCode'], 'Server.InternalError');
    assert.equal(failed('ec2:CreateVpc', 'VpcLimitExceeded')['responseElements'], null);
    assert.equal(failed('iam:GetUser', 'NoSuchEntity', 404)['errorCode'], 'NoSuchEntityException');
    assert.equal(failed('kms:CreateKey', 'AccessDeniedException')['errorCode'], 'AccessDenied');
    assert.equal(failed('s3:GetBucketPolicy', 'NoSuchBucketPolicy', 404)['errorCode'], 'NoSuchBucketPolicy');
  });
});

describe('what was asked and answered', () => {
  const parameters = (name: string, input: object) => record(name, { call: { input } })['requestParameters'];

  it('is told of EC2 in the forms of its XML', () => {
    assert.deepEqual(parameters('ec2:TerminateInstances', { InstanceIds: ['i-1', 'i-2'] }), {
      instancesSet: { items: [{ instanceId: 'i-1' }, { instanceId: 'i-2' }] },
    });
    assert.deepEqual(parameters('ec2:DescribeVpcs', { Filters: [{ Name: 'cidr', Values: ['10.0.0.0/16'] }] }), {
      filterSet: { items: [{ name: 'cidr', valueSet: { items: [{ value: '10.0.0.0/16' }] } }] },
    });
    assert.deepEqual(
      parameters('ec2:RunInstances', { ImageId: 'ami-1', MinCount: 1, MaxCount: 1, SubnetId: 'subnet-1' }),
      {
        instancesSet: { items: [{ imageId: 'ami-1', minCount: 1, maxCount: 1 }] },
        subnetId: 'subnet-1',
      },
    );
    assert.deepEqual(parameters('ec2:CreateVpcEndpoint', { VpcId: 'vpc-1', RouteTableIds: ['rtb-1'] }), {
      CreateVpcEndpointRequest: { VpcId: 'vpc-1', RouteTableId: { tag: 1, content: 'rtb-1' } },
    });
    const deleted = record('ec2:DeleteVpc', { call: { input: { VpcId: 'vpc-1' } } });
    assert.deepEqual(deleted['responseElements'], { requestId: deleted['requestID'], _return: true });
  });

  it('is told of S3 with bucket, host and the names on the wire', () => {
    const policy = { Version: '2012-10-17', Statement: [] };
    assert.deepEqual(parameters('s3:PutBucketPolicy', { Bucket: 'b', Policy: JSON.stringify(policy) }), {
      bucketName: 'b',
      bucketPolicy: policy,
      Host: 'there.example',
      policy: '',
    });
  });

  it('is told of the others in camel case, times in words; of what only reads nothing is answered', () => {
    const user = { UserName: 'ana', CreateDate: new Date('2026-11-21T20:05:09Z') };
    const told = record('iam:CreateUser', { call: { input: { UserName: 'ana' }, output: { User: user } } });
    assert.deepEqual(told['requestParameters'], { userName: 'ana' });
    assert.deepEqual(told['responseElements'], { user: { userName: 'ana', createDate: 'Nov 21, 2026, 8:05:09 PM' } });
    assert.equal(record('iam:GetUser', { call: { output: { User: user } } })['responseElements'], null);
  });

  const secret = 'hunter2-hunter2';
  const bytes = Buffer.from(secret);
  const secrets: readonly (readonly [string, object, object])[] = [
    ['iam:CreateAccessKey', {}, { AccessKey: { AccessKeyId: 'AKIA1', SecretAccessKey: secret } }],
    ['iam:CreateLoginProfile', { UserName: 'ana', Password: secret }, {}],
    ['iam:UpdateLoginProfile', { UserName: 'ana', Password: secret }, {}],
    ['iam:ChangePassword', { OldPassword: secret, NewPassword: secret }, {}],
    ['iam:UploadServerCertificate', { PrivateKey: secret }, {}],
    ['iam:CreateSAMLProvider', { AddPrivateKey: secret }, {}],
    ['iam:CreateServiceSpecificCredential', {}, { ServiceSpecificCredential: { ServicePassword: secret } }],
    ['iam:CreateVirtualMFADevice', {}, { VirtualMFADevice: { Base32StringSeed: bytes, QRCodePNG: bytes } }],
    ['iam:EnableMFADevice', { AuthenticationCode1: secret, AuthenticationCode2: secret }, {}],
    ['sts:AssumeRole', { TokenCode: secret }, { Credentials: { SecretAccessKey: secret, SessionToken: secret } }],
    ['sts:GetSessionToken', {}, { Credentials: { SecretAccessKey: secret, SessionToken: secret } }],
    ['sts:AssumeRoleWithSAML', { RoleArn: `arn:aws:iam::${testAccountId}:role/r`, SAMLAssertion: secret }, {}],
    [
      'sts:AssumeRoleWithWebIdentity',
      { RoleArn: `arn:aws:iam::${testAccountId}:role/r`, WebIdentityToken: secret },
      {},
    ],
    ['ec2:CreateKeyPair', {}, { KeyName: 'k', KeyMaterial: secret }],
    ['ec2:RunInstances', { UserData: secret }, {}],
    ['ec2:ModifyInstanceAttribute', { UserData: { Value: bytes } }, {}],
    ['ec2:CreateVpnConnection', { Options: { TunnelOptions: [{ PreSharedKey: secret }] } }, {}],
    ['kms:Encrypt', { KeyId: 'k', Plaintext: bytes }, { CiphertextBlob: bytes }],
    ['kms:CreateGrant', { GrantTokens: [secret] }, { GrantToken: secret }],
    ['ssm:PutParameter', { Name: 'n', Value: secret, Type: 'SecureString' }, {}],
    ['ssm:StartSession', { Target: 'i-1' }, { SessionId: 's', TokenValue: secret }],
  ];

  for (const [name, input, output] of secrets) {
    it(`has no secret in it: ${name}`, () => {
      const [told] = store.read((tx) => recordsOf(tx, kept(served(name, { call: { input, output: { ...output } } }))));
      assert.ok(told);
      for (const text of [secret, bytes.toString('base64'), 'hunter2']) assert.ok(!told.text.includes(text), told.text);
    });
  }
});
