import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePolicy } from '@postern/policy/document.ts';
import { account, allow, policy } from '../authorize/testing.ts';
import { policyLinks } from './policy-links.ts';

const ana = { type: 'user', arn: `arn:aws:iam::${account}:user/ana`, userId: 'AIDAANA', accountId: account } as const;

/** Ana may do it by her own policy; what must itself allow names only ben. */
function linkOf(action: string, resource: string) {
  const parsed = parsePolicy(policy(allow({ Principal: { AWS: `arn:aws:iam::${account}:user/ben` } })), {
    kind: 'resource',
  });
  assert.ok(parsed.ok);
  const own = parsePolicy(policy(allow()), { kind: 'identity' });
  assert.ok(own.ok);
  const links = policyLinks({
    request: { principal: ana, action, resource, resourceAccountId: account, context: new Map() },
    policies: {
      identity: [{ id: 'inline:own', document: own.document }],
      trust: { id: 'its own', document: parsed.document },
    },
  });
  return links.find((link) => link.verdict === 'drop')?.stage;
}

test('the policy that must itself allow is called what a person calls it: a key’s or a role’s', () => {
  assert.equal(linkOf('kms:Decrypt', `arn:aws:kms:us-east-1:${account}:key/k`), 'key policy');
  assert.equal(linkOf('sts:AssumeRole', `arn:aws:iam::${account}:role/app`), 'trust policy');
});
