// What the remedies promise, tried on many situations: they open the request, every step is needed, and nobody else gains anything by them.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ana, session } from '../cases/case.ts';
import { policySet, type RawSet, situation } from '../cases/random.ts';
import { parsePolicy } from '../document.ts';
import { evaluate } from '../evaluate.ts';
import type { AuthorizationRequest, PolicySet, Statement } from '../types.ts';
import { blockersOf } from './blockers.ts';
import { applyEdits } from './edits.ts';
import { remediesOf } from './remedies.ts';
import { renderStatement } from './render.ts';

const rounds = 1500;

/** As authorize/ makes it: a caller with a name has aws:PrincipalArn. */
function named(request: AuthorizationRequest): AuthorizationRequest {
  const { principal } = request;
  if (principal.type === 'anonymous') return request;
  return {
    ...request,
    context: new Map([...request.context, ['aws:principalarn', [principal.roleArn ?? principal.arn]]]),
  };
}

function* denied(): Generator<{ seed: number; request: AuthorizationRequest; policies: PolicySet }> {
  for (let seed = 1; seed <= rounds; seed += 1) {
    const { raw, request } = situation(seed);
    const policies = policySet(raw);
    if (!evaluate(named(request), policies).allowed) yield { seed, request: named(request), policies };
  }
}

describe('blockersOf', () => {
  it('[F1] names a layer exactly when the request is denied, and the one that is reported among them', () => {
    for (let seed = 1; seed <= rounds; seed += 1) {
      const { raw, request } = situation(seed);
      const policies = policySet(raw);
      const decision = evaluate(request, policies);
      const found = blockersOf(request, policies);
      assert.equal(found.length > 0, !decision.allowed, `seed ${seed}`);
      if (!decision.allowed)
        assert.ok(
          found.some((one) => one.layer === decision.layer && one.explicit === decision.explicit),
          `seed ${seed}: ${decision.layer} among ${JSON.stringify(found.map((one) => one.layer))}`,
        );
    }
  });
});

describe('remediesOf', () => {
  it('opens every denied request, unless it says which layer it cannot', () => {
    let opened = 0;
    for (const { seed, request, policies } of denied()) {
      const { steps, unsolved } = remediesOf(request, policies, { resourceTakesPolicy: true });
      if (unsolved.length > 0) {
        assert.ok(unsolved.every(({ because }) => because.length > 10));
        continue;
      }
      assert.ok(steps.length > 0, `seed ${seed}: no steps`);
      for (const step of steps) {
        assert.ok(step.choices.length > 0, `seed ${seed}: a step without a choice`);
        for (const choice of step.choices) {
          const edits = steps.flatMap((one) => (one === step ? choice.edits : (one.choices[0]?.edits ?? [])));
          assert.ok(evaluate(request, applyEdits(policies, edits)).allowed, `seed ${seed}: ${choice.what}`);
        }
        const others = steps.filter((one) => one !== step).flatMap((one) => one.choices[0]?.edits ?? []);
        assert.ok(!evaluate(request, applyEdits(policies, others)).allowed, `seed ${seed}: a step too many`);
      }
      opened += 1;
    }
    assert.ok(opened > 300, `only ${opened} were opened`);
  });

  it('gives nobody else anything by its first choices, and the caller nothing else', () => {
    for (const { seed, request, policies } of denied()) {
      const { steps, unsolved } = remediesOf(request, policies, { resourceTakesPolicy: true });
      // A caller without a name can only be known by where it comes from, which others can share.
      if (unsolved.length > 0 || request.principal.type === 'anonymous') continue;
      const after = applyEdits(
        policies,
        steps.flatMap((step) => step.choices[0]?.edits ?? []),
      );
      for (const principal of [ana, session]) {
        for (const resource of ['arn:aws:s3:::b/k', 'arn:aws:s3:::b', 'arn:aws:s3:::c/x', 'arn:aws:s3:::b/k/k']) {
          const isCaller = principal.arn === request.principal.arn;
          const other = named({ ...request, principal, resource });
          if (isCaller && resource === request.resource) continue;
          const set = isCaller ? policies : ofAnother(policies);
          const changed = isCaller ? after : ofAnother(after);
          if (!evaluate(other, changed).allowed || evaluate(other, set).allowed) continue;
          // What the exception of a pattern covers for this caller is as narrow as the language goes.
          const isException = steps.some(({ choices: [first] }) =>
            first?.edits.some((edit) => edit.kind === 'replace'),
          );
          assert.ok(isCaller && isException, `seed ${seed}: ${principal.arn} gains ${other.action} on ${resource}`);
        }
      }
    }
  });

  it('writes statements that parse back to what was tried', () => {
    for (const { request, policies } of denied()) {
      for (const step of remediesOf(request, policies, { resourceTakesPolicy: true }).steps) {
        for (const edit of step.choices.flatMap((choice) => choice.edits)) {
          for (const statement of edit.kind === 'append' ? [edit.statement] : edit.statements) {
            const kind = statement.principal || statement.notPrincipal ? 'resource' : 'identity';
            const text = JSON.stringify({ Version: '2012-10-17', Statement: [renderStatement(statement)] });
            const parsed = parsePolicy(text, { kind });
            assert.ok(parsed.ok, text);
            assert.deepEqual(stripped(parsed.document.statements[0]), stripped(statement));
          }
        }
      }
    }
  });
});

/** Identity policies, boundary and session policies are one caller's own. */
function ofAnother({ boundary: _boundary, session: _session, ...rest }: PolicySet): PolicySet {
  return { ...rest, identity: [] };
}

const stripped = (statement: Statement | undefined) => statement && { ...statement, index: 0 };

describe('exceptions of a Deny', () => {
  const raw = (...resource: Record<string, unknown>[]): RawSet => ({
    identity: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
    resource,
  });
  const request = named({
    principal: session,
    action: 's3:GetObject',
    resource: 'arn:aws:s3:::b/k',
    context: new Map([['aws:sourcevpce', ['vpce-2']]]),
  });
  const first = (set: RawSet) => remediesOf(request, policySet(set)).steps[0];

  it('[K2] splits off what is denied besides, and says that it looks like a guard', () => {
    const step = first(
      raw({
        Sid: 'Only',
        Effect: 'Deny',
        Principal: '*',
        Action: ['s3:PutObject', 's3:Get*'],
        Resource: ['arn:aws:s3:::b', 'arn:aws:s3:::b/*'],
        Condition: { StringNotEquals: { 'aws:SourceVpce': 'vpce-1' } },
      }),
    );
    assert.equal(step?.choices[0]?.guard, 'aws:SourceVpce = vpce-1');
    const [edit] = step?.choices[0]?.edits ?? [];
    assert.ok(edit?.kind === 'replace');
    assert.deepEqual(
      edit.statements.map(renderStatement).map(({ Action, Resource, Sid }) => ({ Action, Resource, Sid })),
      [
        { Action: 's3:PutObject', Resource: ['arn:aws:s3:::b', 'arn:aws:s3:::b/*'], Sid: undefined },
        { Action: 's3:Get*', Resource: 'arn:aws:s3:::b', Sid: undefined },
        { Action: 's3:Get*', Resource: 'arn:aws:s3:::b/*', Sid: 'Only' },
      ],
    );
    assert.deepEqual(
      step?.choices.map((choice) => choice.what),
      [`except ${session.roleArn}`, 'also take aws:SourceVpce = vpce-2'],
    );
  });

  it('[M4] names the caller in NotPrincipal in all its forms', () => {
    const step = first(raw({ Effect: 'Deny', NotPrincipal: { AWS: ana.arn }, Action: '*', Resource: '*' }));
    assert.equal(step?.choices[0]?.what, 'name the caller in NotPrincipal');
  });
});
