// [T8] Which bucket policies are public?

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePolicy } from './document.ts';
import { isPublicPolicy } from './public.ts';

const isPublic = (...statements: Record<string, unknown>[]): boolean => {
  const items = statements.map((one) => ({
    Effect: 'Allow',
    Principal: '*',
    Action: 's3:GetObject',
    Resource: 'arn:aws:s3:::b/*',
    ...one,
  }));
  const parsed = parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: items }), { kind: 'resource' });
  if (!parsed.ok) throw new Error(parsed.message);
  return isPublicPolicy(parsed.document);
};
const when = (operator: string, key: string, value: unknown) => ({ Condition: { [operator]: { [key]: value } } });

const cases: readonly [string, boolean, Record<string, unknown>][] = [
  ['everyone', true, {}],
  ['{"AWS":"*"}', true, { Principal: { AWS: '*' } }],
  ['{"AWS":["*", account]}', true, { Principal: { AWS: ['*', '111111111111'] } }],
  ['an account', false, { Principal: { AWS: '111111111111' } }],
  ['a deny for everyone', false, { Effect: 'Deny' }],
  ['a fixed endpoint', false, when('StringEquals', 'aws:SourceVpce', 'vpce-0ab1')],
  ['a fixed endpoint, key in another case', false, when('StringEquals', 'AWS:sourceVPCE', 'vpce-0ab1')],
  ['a wildcard endpoint', true, when('StringLike', 'aws:SourceVpce', 'vpce-*')],
  ['a list with one wildcard', true, when('StringLike', 'aws:SourceVpc', ['vpc-1', '*'])],
  ['a variable', true, when('StringEquals', 'aws:SourceVpc', `\${aws:PrincipalTag/vpc}`)],
  ['StringLike without a wildcard', false, when('StringLike', 'aws:SourceVpc', 'vpc-1')],
  ['a negated operator', true, when('StringNotEquals', 'aws:SourceVpce', 'vpce-0ab1')],
  ['IfExists, which an absent key passes', true, when('StringEqualsIfExists', 'aws:SourceVpce', 'vpce-0ab1')],
  ['ForAllValues, which an absent key passes', true, when('ForAllValues:StringEquals', 'aws:PrincipalOrgID', 'o-1')],
  ['an organization', false, when('StringEquals', 'aws:PrincipalOrgID', 'o-1')],
  ['a narrow range', false, when('IpAddress', 'aws:SourceIp', '203.0.113.0/24')],
  ['a /8', false, when('IpAddress', 'aws:SourceIp', '10.0.0.0/8')],
  ['a /7', true, when('IpAddress', 'aws:SourceIp', '10.0.0.0/7')],
  ['all addresses', true, when('IpAddress', 'aws:SourceIp', '0.0.0.0/0')],
  ['an IPv6 /32', false, when('IpAddress', 'aws:SourceIp', '2001:db8::/32')],
  ['an IPv6 /31', true, when('IpAddress', 'aws:SourceIp', '2001:db8::/31')],
  ['every session of a role', true, when('StringLike', 'aws:userid', 'AROAEXAMPLE:*')],
  ['one user id', false, when('StringEquals', 'aws:userid', 'AIDAEXAMPLE')],
  ['a key that says nothing of who', true, when('Bool', 'aws:SecureTransport', 'true')],
  [
    'an access point of a fixed account',
    false,
    when('ArnLike', 's3:DataAccessPointArn', 'arn:aws:s3:us-east-1:111111111111:accesspoint/*'),
  ],
  ['an access point of any account', true, when('ArnLike', 's3:DataAccessPointArn', 'arn:aws:s3:*:*:accesspoint/*')],
];

for (const [name, expected, statement] of cases) {
  test(`[T8] ${name} is ${expected ? '' : 'not '}public`, () => assert.equal(isPublic(statement), expected));
}

test('[T8] one public statement makes the policy public', () => {
  assert.equal(isPublic({ Principal: { AWS: '111111111111' } }, {}), true);
});
