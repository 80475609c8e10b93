// Every case of policy/cases, by rule id; and that no rule of sections 7.1–7.3 and 6.5 is without one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ana, type Case, type RawStatement } from './cases/case.ts';
import { conditionCases } from './cases/conditions.ts';
import { matchingCases } from './cases/matching.ts';
import { orderCases } from './cases/order.ts';
import { type PolicyKind, parsePolicy } from './document.ts';
import { evaluate } from './evaluate.ts';
import { denialMessage } from './messages.ts';
import type { AuthorizationRequest, Decision, PolicySet, PolicySource } from './types.ts';

const cases: readonly Case[] = [...orderCases, ...matchingCases, ...conditionCases];

function source(kind: PolicyKind, statements: readonly RawStatement[], version: string): PolicySource {
  const parsed = parsePolicy(JSON.stringify({ Version: version, Statement: statements }), { kind });
  if (!parsed.ok) throw new Error(`${kind}: ${parsed.message} (${parsed.problem}) in ${JSON.stringify(statements)}`);
  return { id: kind, document: parsed.document };
}

function policySet({ policies: raw, version = '2012-10-17' }: Case): PolicySet {
  const one = (kind: PolicyKind, statements: readonly RawStatement[]) => source(kind, statements, version);
  return {
    identity: raw.identity ? [one('identity', raw.identity)] : [],
    ...(raw.resource && { resource: one('resource', raw.resource) }),
    ...(raw.boundary && { boundary: one('identity', raw.boundary) }),
    ...(raw.session && { session: [one('session', raw.session)] }),
    ...(raw.scps && {
      scps: raw.scps.map((level, place) => ({ at: `level ${place}`, policies: [one('scp', level)] })),
    }),
    ...(raw.rcps && {
      rcps: raw.rcps.map((level, place) => ({ at: `level ${place}`, policies: [one('rcp', level)] })),
    }),
    ...(raw.endpoint && { endpoint: one('endpoint', raw.endpoint) }),
    ...(raw.trust && { trust: one('trust', raw.trust) }),
  };
}

function requestOf(one: Case): AuthorizationRequest {
  const context = new Map<string, readonly string[]>();
  for (const [key, value] of Object.entries(one.context ?? {}))
    context.set(key, typeof value === 'string' ? [value] : value);
  return {
    principal: one.who ?? ana,
    action: one.action ?? 's3:GetObject',
    resource: one.resource ?? 'arn:aws:s3:::b/k',
    ...(one.owner !== undefined && { resourceAccountId: one.owner }),
    context,
  };
}

function inShort(decision: Decision): string {
  return `${decision.allowed ? '+' : decision.explicit ? '!' : '-'}${decision.layer}`;
}

for (const one of cases) {
  test(`[${one.rule}] ${one.name}`, () => {
    const decision = evaluate(requestOf(one), policySet(one));
    assert.equal(inShort(decision), one.answer);
    assert.equal(decision.reason === '', decision.allowed);
  });
}

test('every rule of 7.1–7.3 and K1–K4 has a case', () => {
  const rules = new Set(cases.map((one) => one.rule));
  for (const rule of [
    'E1',
    'E2',
    'E3',
    'E4',
    'E5',
    'M1',
    'M2',
    'M3',
    'M4',
    'M5',
    'O1',
    'O2',
    'O3',
    'O4',
    'O5',
    'K1',
    'K2',
    'K3',
    'K4',
    'T1',
    'T6',
    'F1',
    'W10',
  ]) {
    assert.ok(rules.has(rule), rule);
  }
});

test('[F1] a denial says in AWS’s words which kind of policy it was', () => {
  const texts: readonly [Case['answer'], string][] = [
    ['-identity', 'because no identity-based policy allows the s3:GetObject action'],
    ['-resource', 'because no resource-based policy allows the s3:GetObject action'],
    ['-boundary', 'because no permissions boundary allows the s3:GetObject action'],
    ['-session', 'because no session policy allows the s3:GetObject action'],
    ['-scp', 'because no service control policy allows the s3:GetObject action'],
    ['-rcp', 'because no resource control policy allows the s3:GetObject action'],
    ['-endpoint', 'because no VPC endpoint policy allows the s3:GetObject action'],
    ['-trust', 'because no role trust policy allows the sts:AssumeRole action'],
    ['!identity', 'with an explicit deny in an identity-based policy'],
    ['!resource', 'with an explicit deny in a resource-based policy'],
    ['!boundary', 'with an explicit deny in a permissions boundary'],
    ['!session', 'with an explicit deny in a session policy'],
    ['!scp', 'with an explicit deny in a service control policy'],
    ['!rcp', 'with an explicit deny in a resource control policy'],
    ['!endpoint', 'with an explicit deny in a VPC endpoint policy'],
    ['!trust', 'with an explicit deny in the role trust policy'],
  ];
  for (const [answer, text] of texts) {
    const one = orderCases.find((row) => row.answer === answer);
    assert.ok(one, `no case is denied as ${answer}`);
    assert.equal(evaluate(requestOf(one), policySet(one)).reason, text);
  }
});

test('[F2] the whole sentence; S3 quotes the resource', () => {
  const one: Case = { rule: 'F2', name: '', policies: {}, answer: '-identity' };
  const request = requestOf(one);
  const decision = evaluate(request, policySet(one));
  const because = 'because no identity-based policy allows the s3:GetObject action';
  assert.equal(
    denialMessage(request, decision, { quoteResource: true }),
    `User: arn:aws:iam::111111111111:user/ana is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/k" ${because}`,
  );
  assert.equal(
    denialMessage({ ...request, resource: '*' }, decision),
    `User: arn:aws:iam::111111111111:user/ana is not authorized to perform: s3:GetObject ${because}`,
  );
});

test('a decision cites the statements that made it and lists every layer that was asked', () => {
  const statements = [
    { Effect: 'Allow', Action: 's3:*', Resource: '*' },
    { Sid: 'No', Effect: 'Deny', Action: 's3:Get*', Resource: '*' },
  ];
  const one: Case = {
    rule: 'E5',
    name: '',
    policies: { identity: statements, endpoint: [{ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }] },
    answer: '!identity',
  };
  const decision = evaluate(requestOf(one), policySet(one));
  assert.deepEqual(
    decision.citations.map((cited) => [cited.policyId, cited.statement.sid, cited.statement.index]),
    [['identity', 'No', 1]],
  );
  assert.deepEqual(
    decision.layers.map(({ layer, outcome }) => [layer, outcome]),
    [
      ['endpoint', 'allow'],
      ['identity', 'explicit-deny'],
    ],
  );
});
