// What must hold for every policy, tried on many that chance makes (seeded: a failure names its seed and comes again).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { account, ana } from './cases/case.ts';
import { actions, generator, policySet, type Raw, resources, situation, source, statement } from './cases/random.ts';
import { evaluate } from './evaluate.ts';
import { compileGlob } from './pattern.ts';

const rounds = 4000;
const layers = ['identity', 'resource', 'boundary', 'session', 'endpoint'] as const;

test('[E5] adding a Deny anywhere never allows more', () => {
  for (let seed = 1; seed <= rounds; seed += 1) {
    const { chance, raw, request } = situation(seed);
    const before = evaluate(request, policySet(raw)).allowed;
    const layer = chance.pick(layers);
    if (raw[layer] === undefined) continue;
    const withPrincipal = layer === 'resource' || layer === 'endpoint';
    const more = { ...raw, [layer]: [...raw[layer], statement(chance, withPrincipal, 'Deny')] };
    const after = evaluate(request, policySet(more)).allowed;
    assert.ok(before || !after, `seed ${seed}: a Deny in ${layer} opened`);
  }
});

test('[E1] adding an Allow anywhere never allows less', () => {
  for (let seed = 1; seed <= rounds; seed += 1) {
    const { chance, raw, request } = situation(seed);
    const before = evaluate(request, policySet(raw)).allowed;
    const layer = chance.pick(layers);
    if (raw[layer] === undefined) continue;
    const withPrincipal = layer === 'resource' || layer === 'endpoint';
    const more = { ...raw, [layer]: [...raw[layer], statement(chance, withPrincipal, 'Allow')] };
    const after = evaluate(request, policySet(more)).allowed;
    assert.ok(!before || after, `seed ${seed}: an Allow in ${layer} closed`);
  }
});

test('[E4] a boundary, a session policy or an endpoint policy never allows more', () => {
  for (let seed = 1; seed <= rounds; seed += 1) {
    const { raw, request } = situation(seed);
    const bare = evaluate(request, policySet({ identity: raw.identity, resource: raw.resource })).allowed;
    assert.ok(bare || !evaluate(request, policySet(raw)).allowed, `seed ${seed}`);
  }
});

test('[M1][M2] NotAction and NotResource are complements', () => {
  for (let seed = 1; seed <= rounds; seed += 1) {
    const { chance, request: made } = situation(seed);
    const request = { ...made, principal: ana, resourceAccountId: account };
    const ask = (element: Raw) =>
      evaluate(request, {
        identity: [source([{ Effect: 'Allow', ...element }], 'identity')],
      }).allowed;
    const action = chance.pick(actions);
    const resource = chance.pick(resources);
    assert.notEqual(
      ask({ Action: action, Resource: '*' }),
      ask({ NotAction: action, Resource: '*' }),
      `seed ${seed}: ${action}`,
    );
    assert.notEqual(
      ask({ Action: '*', Resource: resource }),
      ask({ Action: '*', NotResource: resource }),
      `seed ${seed}: ${resource}`,
    );
  }
});

test('[O1][O2] a negated operator is the complement of its positive, on present and on absent keys', () => {
  const any = ['ab', '10', '10.1.1.1', 'arn:aws:s3:::b', '2026-11-21'];
  // IAM lists values of the operator's type alone; what is no address or no ARN fits neither of the two.
  const pairs = [
    ['StringEquals', 'StringNotEquals', ['a*', '10', ''], any],
    ['StringLike', 'StringNotLike', ['a*', '10', ''], any],
    ['NumericEquals', 'NumericNotEquals', ['10', '-1.5'], any],
    ['IpAddress', 'NotIpAddress', ['10.0.0.0/8', '2001:db8::/32'], ['10.1.1.1', '192.0.2.1', '2001:db8::1']],
    ['ArnLike', 'ArnNotLike', ['*', 'arn:aws:s3:::*', 'arn:aws:s3:::c'], ['arn:aws:s3:::b', 'arn:aws:s3:::c']],
    ['DateEquals', 'DateNotEquals', ['2026-11-21', '10000'], any],
  ] as const;
  for (const [positive, negative, values, present] of pairs) {
    for (const value of values) {
      const actual = [undefined, ...present];
      for (const given of actual) {
        const context = new Map<string, readonly string[]>(given === undefined ? [] : [['x:k', [given]]]);
        const holds = (operator: string) =>
          evaluate(
            { principal: ana, action: 's3:GetObject', resource: '*', context },
            {
              identity: [
                source(
                  [{ Effect: 'Allow', Action: '*', Resource: '*', Condition: { [operator]: { 'x:k': value } } }],
                  'identity',
                ),
              ],
            },
          ).allowed;
        assert.notEqual(holds(positive), holds(negative), `${positive} ${value} of ${given}`);
      }
    }
  }
});

test('an explicit deny cites a Deny statement, an allow by a policy an Allow statement', () => {
  for (let seed = 1; seed <= rounds; seed += 1) {
    const { raw, request } = situation(seed);
    const decision = evaluate(request, policySet(raw));
    if (decision.explicit)
      assert.ok(
        decision.citations.length > 0 && decision.citations.every((one) => one.statement.effect === 'Deny'),
        `seed ${seed}`,
      );
    else if (decision.allowed && decision.layer !== 'root')
      assert.ok(
        decision.citations.length > 0 && decision.citations.every((one) => one.statement.effect === 'Allow'),
        `seed ${seed}`,
      );
    else assert.deepEqual(decision.citations, []);
  }
});

test('a glob agrees with a regular expression made of it, and a hostile one ends', () => {
  const { next, pick } = generator(42);
  const letters = ['a', 'b', '*', '?', '.', '/'] as const;
  for (let round = 0; round < 20000; round += 1) {
    const pattern = Array.from({ length: next(7) }, () => pick(letters)).join('');
    const text = Array.from({ length: next(8) }, () => pick(['a', 'b', '.', '/'])).join('');
    const expression = new RegExp(`^${pattern.replace(/[.]/g, '\\.').replace(/\*+/g, '.*').replace(/\?/g, '.')}$`, 's');
    assert.equal(compileGlob(pattern)(text), expression.test(text), `${pattern} ${text}`);
  }
  // With backtracking over every star this would outlive the suite.
  assert.equal(compileGlob(`${'a*'.repeat(200)}b`)('a'.repeat(5000)), false);
});
