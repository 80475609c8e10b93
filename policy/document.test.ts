// What AWS takes and what it answers to the rest, by kind of policy.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ParseOptions, parsePolicy, policyLength } from './document.ts';

const statement = { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' };
const bucketStatement = { ...statement, Principal: '*', Resource: 'arn:aws:s3:::b/*' };
const trustStatement = { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'ec2.amazonaws.com' } };

const text = (...statements: unknown[]) => JSON.stringify({ Version: '2012-10-17', Statement: statements });
const without = (from: Record<string, unknown>, key: string) =>
  Object.fromEntries(Object.entries(from).filter(([name]) => name !== key));

/** Options, document, code, message. */
const refused: readonly [string, ParseOptions, string, string, string][] = [
  ['no JSON, IAM', { kind: 'identity' }, 'no', 'MalformedPolicyDocument', 'Syntax errors in policy.'],
  ['no JSON, trust', { kind: 'trust' }, '{', 'MalformedPolicyDocument', 'This policy contains invalid Json'],
  [
    'no JSON, bucket',
    { kind: 'resource' },
    'invalid json',
    'MalformedPolicy',
    "Policies must be valid JSON and the first byte must be '{'",
  ],
  [
    'empty text, bucket',
    { kind: 'resource' },
    '',
    'MalformedPolicy',
    "Policies must be valid JSON and the first byte must be '{'",
  ],
  [
    'an array, bucket',
    { kind: 'resource' },
    '[]',
    'MalformedPolicy',
    "Policies must be valid JSON and the first byte must be '{'",
  ],
  ['no statement, bucket', { kind: 'resource' }, '{}', 'MalformedPolicy', 'Missing required field Statement'],
  [
    'no statement, IAM',
    { kind: 'identity' },
    '{"Version":"2012-10-17"}',
    'MalformedPolicyDocument',
    'Syntax errors in policy.',
  ],
  [
    'empty statements, bucket',
    { kind: 'resource' },
    '{"Statement":[]}',
    'MalformedPolicy',
    'Could not parse the policy: Statement is empty!',
  ],
  [
    'unknown version',
    { kind: 'identity' },
    JSON.stringify({ Version: '2020-01-01', Statement: statement }),
    'MalformedPolicyDocument',
    'Syntax errors in policy.',
  ],
  [
    'unknown version, bucket',
    { kind: 'resource' },
    JSON.stringify({ Version: '2020-01-01', Statement: bucketStatement }),
    'MalformedPolicy',
    'The policy must contain a valid version string',
  ],
  [
    '[M5] a managed policy of 2008',
    { kind: 'identity', managed: true },
    JSON.stringify({ Statement: statement }),
    'MalformedPolicyDocument',
    'Policy document must be version 2012-10-17 or greater.',
  ],
  [
    'unknown field in the document',
    { kind: 'identity' },
    JSON.stringify({ Statements: [statement] }),
    'MalformedPolicyDocument',
    'Syntax errors in policy.',
  ],
  [
    'unknown field in a statement',
    { kind: 'identity' },
    text({ ...statement, Actions: 'x' }),
    'MalformedPolicyDocument',
    'Syntax errors in policy.',
  ],
  [
    'unknown field, bucket',
    { kind: 'resource' },
    text({ ...bucketStatement, Foo: 1 }),
    'MalformedPolicy',
    'Unknown field Foo',
  ],
  [
    'both Action and NotAction',
    { kind: 'identity' },
    text({ ...statement, NotAction: 's3:*' }),
    'MalformedPolicyDocument',
    'Syntax errors in policy.',
  ],
  [
    'no effect',
    { kind: 'resource' },
    text(without(bucketStatement, 'Effect')),
    'MalformedPolicy',
    'Missing required field Effect',
  ],
  [
    'effect in lower case',
    { kind: 'identity' },
    text({ ...statement, Effect: 'allow' }),
    'MalformedPolicyDocument',
    'The policy failed legacy parsing',
  ],
  [
    'sid with a space, IAM',
    { kind: 'identity' },
    text({ ...statement, Sid: 'a b' }),
    'MalformedPolicyDocument',
    'Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*',
  ],
  [
    'the same sid twice',
    { kind: 'identity' },
    text({ ...statement, Sid: 'a' }, { ...statement, Sid: 'a' }),
    'MalformedPolicyDocument',
    'Statement IDs (SID) in a single policy must be unique.',
  ],
  [
    'a principal in an identity policy',
    { kind: 'identity' },
    text({ ...statement, Principal: '*' }),
    'MalformedPolicyDocument',
    'Policy document should not specify a principal.',
  ],
  [
    'a principal in a session policy',
    { kind: 'session' },
    text({ ...statement, NotPrincipal: '*' }),
    'MalformedPolicyDocument',
    'Policy document should not specify a principal.',
  ],
  [
    'no principal, bucket',
    { kind: 'resource' },
    text(without(bucketStatement, 'Principal')),
    'MalformedPolicy',
    'Missing required field Principal',
  ],
  [
    'no principal, trust',
    { kind: 'trust' },
    text(without(trustStatement, 'Principal')),
    'MalformedPolicyDocument',
    'Missing required field Principal',
  ],
  [
    '[M3] a partial wildcard in a principal',
    { kind: 'resource' },
    text({ ...bucketStatement, Principal: { AWS: 'arn:aws:iam::111111111111:user/*' } }),
    'MalformedPolicy',
    'Invalid principal in policy',
  ],
  [
    'a principal of an unknown kind',
    { kind: 'resource' },
    text({ ...bucketStatement, Principal: { Aws: '*' } }),
    'MalformedPolicy',
    'Invalid principal in policy',
  ],
  [
    'a principal that is any text',
    { kind: 'resource' },
    text({ ...bucketStatement, Principal: 'ana' }),
    'MalformedPolicy',
    'Invalid principal in policy',
  ],
  [
    '[T4] a principal that does not exist',
    { kind: 'resource', principalExists: () => false },
    text({ ...bucketStatement, Principal: { AWS: 'arn:aws:iam::111111111111:user/gone' } }),
    'MalformedPolicy',
    'Invalid principal in policy',
  ],
  [
    'a principal that does not exist, trust',
    { kind: 'trust', principalExists: () => false },
    text({ ...trustStatement, Principal: { AWS: 'arn:aws:iam::111111111111:user/gone' } }),
    'MalformedPolicyDocument',
    'Invalid principal in policy: "AWS":"arn:aws:iam::111111111111:user/gone"',
  ],
  [
    '[M4] NotPrincipal with Allow',
    { kind: 'resource' },
    text({ ...without(bucketStatement, 'Principal'), NotPrincipal: { AWS: '111111111111' } }),
    'MalformedPolicy',
    'Allow with NotPrincipal is not allowed.',
  ],
  [
    'no action',
    { kind: 'identity' },
    text(without(statement, 'Action')),
    'MalformedPolicyDocument',
    'Policy statement must contain actions.',
  ],
  [
    'an empty list of actions',
    { kind: 'identity' },
    text({ ...statement, Action: [] }),
    'MalformedPolicyDocument',
    'Policy statement must contain actions.',
  ],
  [
    'an action without a service',
    { kind: 'identity' },
    text({ ...statement, Action: 'GetObject' }),
    'MalformedPolicyDocument',
    'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.',
  ],
  [
    '[M1] a wildcard in an action’s service',
    { kind: 'identity' },
    text({ ...statement, Action: 's*:GetObject' }),
    'MalformedPolicyDocument',
    'Vendor s* is not valid',
  ],
  [
    'an action that is none',
    { kind: 'resource', actionExists: () => false },
    text({ ...bucketStatement, Action: 's3:Nothing' }),
    'MalformedPolicy',
    'Policy has invalid action',
  ],
  [
    'another action in a trust policy',
    { kind: 'trust' },
    text({ ...trustStatement, Action: 's3:GetObject' }),
    'MalformedPolicyDocument',
    'Trust Policy statement actions can only be sts:AssumeRole, sts:AssumeRoleWithSAML, and sts:AssumeRoleWithWebIdentity',
  ],
  ...['x', 'arn:aws:iam//111111111111:oidc-provider/a.example', 'arn:aws:iam::111111111111:role/r'].map(
    (Federated): (typeof refused)[number] => [
      `the provider ${Federated}`,
      { kind: 'trust' },
      text({ ...trustStatement, Principal: { Federated }, Action: 'sts:AssumeRoleWithWebIdentity' }),
      'MalformedPolicyDocument',
      'Federated principals must be valid domain names or SAML metadata ARNs',
    ],
  ),
  [
    'a resource in a trust policy',
    { kind: 'trust' },
    text({ ...trustStatement, Resource: '*' }),
    'MalformedPolicyDocument',
    'Has prohibited field Resource',
  ],
  [
    'no resource',
    { kind: 'identity' },
    text(without(statement, 'Resource')),
    'MalformedPolicyDocument',
    'Policy statement must contain resources.',
  ],
  [
    'no resource, bucket',
    { kind: 'resource' },
    text(without(bucketStatement, 'Resource')),
    'MalformedPolicy',
    'Missing required field Resource',
  ],
  [
    'a resource that is no ARN',
    { kind: 'identity' },
    text({ ...statement, Resource: 'my-bucket' }),
    'MalformedPolicyDocument',
    'Resource my-bucket must be in ARN format or "*".',
  ],
  [
    '[M2] a wildcard in a resource’s service',
    { kind: 'identity' },
    text({ ...statement, Resource: 'arn:aws:s*:::b' }),
    'MalformedPolicyDocument',
    'Resource vendor must be fully qualified and cannot contain regexes.',
  ],
  [
    'another bucket’s resource',
    { kind: 'resource', resourceFits: (arn) => arn.startsWith('arn:aws:s3:::mine') },
    text(bucketStatement),
    'MalformedPolicy',
    'Policy has invalid resource',
  ],
  [
    '[T4] actions that do not apply',
    { kind: 'resource', actionsApply: () => false },
    text({ ...bucketStatement, Action: 's3:ListBucket' }),
    'MalformedPolicy',
    'Action does not apply to any resource(s) in statement',
  ],
  [
    'an unknown operator',
    { kind: 'resource' },
    text({ ...bucketStatement, Condition: { StringEqual: { 'aws:SourceVpce': 'x' } } }),
    'MalformedPolicy',
    'Invalid Condition type : StringEqual',
  ],
  [
    'an unknown operator, IAM',
    { kind: 'identity' },
    text({ ...statement, Condition: { StringEqual: { 'aws:SourceVpce': 'x' } } }),
    'MalformedPolicyDocument',
    'Syntax errors in policy.',
  ],
  [
    'NullIfExists',
    { kind: 'identity' },
    text({ ...statement, Condition: { NullIfExists: { 'aws:SourceVpce': 'true' } } }),
    'MalformedPolicyDocument',
    'Syntax errors in policy.',
  ],
  [
    'a condition key without a prefix',
    { kind: 'resource' },
    text({ ...bucketStatement, Condition: { StringEquals: { SourceVpce: 'x' } } }),
    'MalformedPolicy',
    'Policy has an invalid condition key',
  ],
  [
    'a condition that is null',
    { kind: 'identity' },
    text({ ...statement, Condition: { StringEquals: { 'aws:SourceVpce': null } } }),
    'MalformedPolicyDocument',
    'Syntax errors in policy.',
  ],
  [
    'no JSON, endpoint',
    { kind: 'endpoint' },
    'no',
    'InvalidPolicyDocument',
    'The specified policy document is not a valid JSON policy document.',
  ],
  [
    'no principal, endpoint',
    { kind: 'endpoint' },
    text(statement),
    'InvalidPolicyDocument',
    'The specified policy document is not a valid JSON policy document.',
  ],
  [
    'a principal in an SCP',
    { kind: 'scp' },
    text({ ...statement, Principal: '*' }),
    'MalformedPolicyDocumentException',
    'The provided policy document does not meet the requirements of the specified policy type.',
  ],
  [
    'a principal other than `*` in an RCP',
    { kind: 'rcp' },
    text({ ...statement, Principal: { AWS: '111111111111' } }),
    'MalformedPolicyDocumentException',
    'The provided policy document does not meet the requirements of the specified policy type.',
  ],
  [
    '[W10] more than 20,480 characters in an endpoint policy',
    { kind: 'endpoint' },
    text({ ...bucketStatement, Resource: `arn:aws:s3:::${'b'.repeat(20480)}` }),
    'InvalidPolicyDocument',
    'The specified policy document is not a valid JSON policy document.',
  ],
  [
    'a managed policy above 6,144',
    { kind: 'identity', managed: true },
    text({ ...statement, Resource: `arn:aws:s3:::${'b'.repeat(6144)}` }),
    'LimitExceeded',
    'Cannot exceed quota for PolicySize: 6144',
  ],
  [
    'a trust policy above its quota',
    { kind: 'trust', maxSize: 100 },
    text({ ...trustStatement, Sid: 'a'.repeat(100) }),
    'LimitExceeded',
    'Cannot exceed quota for ACLSizePerRole: 100',
  ],
  [
    'white space before the first byte, bucket',
    { kind: 'resource' },
    ` ${text(bucketStatement)}`,
    'MalformedPolicy',
    "Policies must be valid JSON and the first byte must be '{'",
  ],
  [
    'a partition that is none',
    { kind: 'identity' },
    text({ ...statement, Resource: 'arn:error:s3:::b' }),
    'MalformedPolicyDocument',
    'Partition "error" is not valid for resource "arn:error:s3:::b".',
  ],
  [
    'a region in a bucket’s ARN',
    { kind: 'identity' },
    text({ ...statement, Resource: 'arn:aws:s3:us-east-1::b' }),
    'MalformedPolicyDocument',
    'Resource arn:aws:s3:us-east-1::b can not contain region information.',
  ],
  [
    'a region in IAM’s ARN',
    { kind: 'identity' },
    text({ ...statement, Resource: 'arn:aws:iam:us-east-1::role/r' }),
    'MalformedPolicyDocument',
    'IAM resource arn:aws:iam:us-east-1::role/r cannot contain region information.',
  ],
  [
    'a kind that IAM has not',
    { kind: 'identity' },
    text({ ...statement, Resource: 'arn:aws:iam::111111111111:rolle/r' }),
    'MalformedPolicyDocument',
    'IAM resource path must either be "*" or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/.',
  ],
  [
    'no JSON, session',
    { kind: 'session' },
    'no',
    'MalformedPolicyDocument',
    'The policy is not in the valid JSON format.',
  ],
  [
    'white space before the first byte, IAM',
    { kind: 'trust' },
    ` ${text(trustStatement)}`,
    'MalformedPolicyDocument',
    'JSON strings must not have leading spaces',
  ],
  [
    'white space before the first byte of what is no JSON, IAM',
    { kind: 'trust' },
    ' {"Version":"2012-10-17",}',
    'MalformedPolicyDocument',
    'This policy contains invalid Json',
  ],
  [
    'a key twice, IAM',
    { kind: 'identity' },
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","\\u0041ction":"s3:*"}}',
    'MalformedPolicyDocument',
    'Syntax errors in policy.',
  ],
  [
    'two colons in an action',
    { kind: 'identity' },
    text({ ...statement, Action: 's3:List:Bucket' }),
    'MalformedPolicyDocument',
    'Actions/Condition can contain only one colon.',
  ],
  ...['arn:aws:s3::example', 'arn:aws::::example', 'arn:aws::example'].map(
    (Resource): [string, ParseOptions, string, string, string] => [
      `an ARN that the old parser cannot read: ${Resource}`,
      { kind: 'identity' },
      text({ ...statement, Resource }),
      'MalformedPolicyDocument',
      'The policy failed legacy parsing',
    ],
  ),
  ...[
    'soon',
    '2026-13',
    '2026-11-21T24:00:00Z',
    '2026-11-21T2:00:00.1999999999Z',
    '9223372036854775808',
    `\${x:d}`,
  ].map((date): [string, ParseOptions, string, string, string] => [
    `[O5] a date that is none: ${date}`,
    { kind: 'identity' },
    text({ ...statement, Condition: { DateLessThan: { 'aws:CurrentTime': date } } }),
    'MalformedPolicyDocument',
    'The policy failed legacy parsing',
  ]),
  [
    'the old parser is asked before anything is said of sids, actions and resources',
    { kind: 'identity' },
    text({ ...statement, Sid: 'a' }, { Sid: 'a', Effect: 'allow', Resource: 'arn:error:s3:::b' }),
    'MalformedPolicyDocument',
    'The policy failed legacy parsing',
  ],
  [
    'sids of all statements before an action that is missing',
    { kind: 'identity' },
    text({ Sid: 'a', Effect: 'Allow', Resource: '*' }, { ...statement, Sid: 'a' }),
    'MalformedPolicyDocument',
    'Statement IDs (SID) in a single policy must be unique.',
  ],
  [
    'a resource that is none before an action that is none',
    { kind: 'identity' },
    text({ ...statement, Action: 'Get', Resource: 'b' }),
    'MalformedPolicyDocument',
    'Resource b must be in ARN format or "*".',
  ],
  [
    'an ARN with half of its parts',
    { kind: 'identity' },
    text({ ...statement, Resource: 'aws:s3:::b' }),
    'MalformedPolicyDocument',
    'Partition "s3" is not valid for resource "arn:s3:::b:*".',
  ],
  [
    'an unknown field, trust',
    { kind: 'trust' },
    text({ ...trustStatement, Comment: 'x' }),
    'MalformedPolicyDocument',
    'Unknown field Comment',
  ],
  [
    'no action, trust',
    { kind: 'trust' },
    text(without(trustStatement, 'Action')),
    'MalformedPolicyDocument',
    'Missing required field Action',
  ],
];

for (const [name, options, document, code, message] of refused) {
  test(`refused: ${name}`, () => {
    const parsed = parsePolicy(document, options);
    assert.ok(!parsed.ok, 'was taken');
    assert.deepEqual({ code: parsed.code, message: parsed.message }, { code, message });
  });
}

/** Documents that AWS takes. */
const taken: readonly [string, ParseOptions, string][] = [
  [
    'condition keys and vendors that there are not, in an IAM policy',
    { kind: 'identity' },
    text({ ...statement, Action: ['s3.s:x', 'iam: as df'], Condition: { StringEquals: { a: [] }, Any: {} } }),
  ],
  ...['2026', '01T', '2026-11-21', '2026-11-21T08:00Z', '2016-12-13t2:00:00.593194+23', '-292275054', '1795248000'].map(
    (date): [string, ParseOptions, string] => [
      `the date ${date}`,
      { kind: 'identity' },
      text({ ...statement, Condition: { DateLessThan: { 'aws:CurrentTime': date } } }),
    ],
  ),
  [
    'one statement without a list',
    { kind: 'identity' },
    JSON.stringify({ Version: '2012-10-17', Statement: statement }),
  ],
  ['no version', { kind: 'identity' }, JSON.stringify({ Statement: statement })],
  ['the same empty sid twice', { kind: 'identity' }, text({ ...statement, Sid: '' }, { ...statement, Sid: '' })],
  [
    'a sid with spaces in a bucket policy',
    { kind: 'resource' },
    text({ ...bucketStatement, Sid: 'Only from the endpoint' }),
  ],
  [
    'the endpoint policy that is there from the start',
    { kind: 'endpoint' },
    '{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}',
  ],
  [
    'a trust policy that tags sessions',
    { kind: 'trust' },
    text({ ...trustStatement, Action: ['sts:AssumeRole', 'sts:TagSession'] }),
  ],
  [
    'principals of every kind',
    { kind: 'resource' },
    text({
      ...bucketStatement,
      Principal: {
        AWS: [
          '111111111111',
          'arn:aws:iam::111111111111:root',
          'arn:aws:sts::111111111111:assumed-role/r/s',
          'AIDAEXAMPLEANA0000001',
        ],
        Service: 'logging.s3.amazonaws.com',
        Federated: 'accounts.google.com',
      },
    }),
  ],
  [
    'numbers and truth values as condition values',
    { kind: 'identity' },
    text({
      ...statement,
      Condition: { NumericLessThan: { 's3:max-keys': 10 }, Bool: { 'aws:SecureTransport': true } },
    }),
  ],
  ...[
    'accounts.google.com',
    'oidc.eks.eu-west-1.amazonaws.com/id/ABC',
    'arn:aws-cn:iam::111111111111:saml-provider/corp',
    'arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com',
  ].map((Federated): (typeof taken)[number] => [
    `the provider ${Federated}`,
    { kind: 'trust' },
    text({ ...trustStatement, Principal: { Federated }, Action: 'sts:AssumeRoleWithWebIdentity' }),
  ]),
  ['wildcards in an action’s name', { kind: 'identity' }, text({ ...statement, Action: 's3:Get?bject*' })],
  [
    'an exact fit',
    { kind: 'identity', maxSize: policyLength(text(statement)), managed: true },
    text(statement).replaceAll(',', ', \n'),
  ],
];

for (const [name, options, document] of taken) {
  test(`taken: ${name}`, () => {
    const parsed = parsePolicy(document, options);
    assert.ok(parsed.ok, parsed.ok ? '' : `${parsed.problem}: ${parsed.message}`);
  });
}

test('a text that was taken once is read, whatever its names', () => {
  const old = text({ ...statement, Action: 'Get', Resource: 'b', Condition: { DateLessThan: { a: 'soon' } } });
  assert.ok(!parsePolicy(old, { kind: 'identity' }).ok);
  assert.ok(parsePolicy(old, { kind: 'identity', stored: true }).ok);
  assert.ok(!parsePolicy('{"Version":"2012-10-17"}', { kind: 'identity', stored: true }).ok);
});

test('nothing in a document can break the parser', () => {
  const parts = [
    '"Statement"',
    '"Effect"',
    '"Allow"',
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"*"',
    'null',
    '0',
    '"Principal"',
    '"__proto__"',
    '"constructor"',
    '"Condition"',
    '"AWS"',
  ];
  let seed = 7;
  const next = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % below;
  };
  for (let round = 0; round < 3000; round += 1) {
    const words = Array.from({ length: next(24) }, () => parts[next(parts.length)] ?? '');
    for (const kind of ['identity', 'resource', 'trust', 'endpoint'] as const) {
      const parsed = parsePolicy(round % 2 === 0 ? words.join('') : `{"Statement":[{${words.join('')}}]}`, { kind });
      assert.equal(typeof parsed.ok, 'boolean');
    }
  }
  const deep = `${'['.repeat(8000)}${']'.repeat(8000)}`;
  for (const element of ['Effect', 'Principal', 'Action', 'Resource', 'Condition', 'Sid']) {
    assert.equal(
      parsePolicy(`{"Statement":{"Effect":"Allow","${element}":${deep}}}`, { kind: 'resource' }).ok,
      false,
      element,
    );
    assert.equal(
      parsePolicy(`{"Statement":{"${element}":{"AWS":${deep}}}}`, { kind: 'trust', maxSize: 1e6 }).ok,
      false,
      element,
    );
  }
  const strange = parsePolicy(
    '{"Statement":{"Effect":"Allow","Principal":{"constructor":"*"},"Action":"*","Resource":"*"}}',
    { kind: 'resource' },
  );
  assert.equal(strange.ok, false);
});
