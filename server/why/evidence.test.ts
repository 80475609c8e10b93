// What is kept of a decision: by reference in memory, of refused requests also on disk, where a later process finds it.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { evaluate } from '@postern/policy/evaluate.ts';
import type { DecisionRecord } from '../authorize/authorize.ts';
import { anasKey, ask, bucket, deny, getObject, policy, putBucket, s3, user } from '../authorize/testing.ts';
import { EvidenceLog } from './evidence.ts';

const decisions = (): readonly DecisionRecord[] =>
  ask(
    (tx) => {
      tx.put('user', user('ana'));
      putBucket(tx, policy(deny({ Sid: 'No', Principal: '*', Resource: `${bucket}/*` })));
    },
    { key: anasKey, service: s3, authorization: getObject },
  ).decisions;

test('what is read back from disk is decided again as it was, and cites the same statement', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-evidence-'));
  try {
    const file = join(directory, 'refusals.jsonl');
    const log = new EvidenceLog({ file });
    log.keep('refused', 7, decisions(), true);
    log.keep('allowed', 8, decisions(), false);
    await log.flush();
    const later = new EvidenceLog({ file });
    const [question] = later.of('refused')?.questions ?? [];
    assert.ok(question);
    const decision = evaluate(question.request, question.policies);
    assert.equal(decision.allowed, false);
    assert.equal(decision.citations[0]?.statement.sid, 'No');
    assert.equal(later.of('refused')?.revision, 7);
    assert.equal(later.of('allowed'), undefined, 'of what was allowed, memory is all there is');
    assert.ok(log.of('allowed'));
    await log.clear();
    assert.equal(log.of('refused'), undefined);
    assert.equal(new EvidenceLog({ file }).of('refused'), undefined);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a request of a thousand questions keeps few, and those that said no', () => {
  const log = new EvidenceLog();
  const [denied] = decisions();
  assert.ok(denied);
  const allowed = { ...denied, allowed: true };
  log.keep('many', 1, [...Array.from({ length: 1000 }, () => allowed), denied], true);
  const questions = log.of('many')?.questions ?? [];
  assert.equal(questions.length, 16);
  assert.equal(questions.at(-1), denied.question);
});
