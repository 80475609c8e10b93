// A request that was denied, asked about later: as it was decided then, whatever has changed since.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptySnapshot } from '@postern/network/snapshot.ts';
import { principalOf } from '../authorize/principal.ts';
import {
  account,
  allow,
  anasKey,
  authorizer,
  bucket,
  deny,
  overEndpoint,
  overInternet,
  policy,
  putBucket,
  putEndpoint,
  s3,
  user,
} from '../authorize/testing.ts';
import { AwsError } from '../errors.ts';
import type { RequestEvent } from '../operator/api.ts';
import type { Service } from '../service.ts';
import { makeBaseCall, makeStore } from '../testing.ts';
import { Trail } from '../trail/trail.ts';
import { EvidenceLog } from './evidence.ts';
import { createWhy } from './why.ts';

const event: RequestEvent = {
  ...{ time: '2026-11-21T08:00:00.000Z', requestId: 'REQUEST1', principalArn: `arn:aws:iam::${account}:user/ana` },
  ...{ accessKeyId: anasKey.id, accountId: account, service: 's3', operation: 'GetObject', region: 'us-east-1' },
  ...{ action: 's3:GetObject', resource: `${bucket}/k`, path: overInternet, status: 403, durationMs: 1 },
  ...{ errorCode: 'AccessDenied', errorMessage: 'Access Denied' },
  decision: { allowed: false, layer: 'resource', explicit: true, policyId: 'bucket-policy', statement: 'Guard' },
};

function world(bucketPolicy: string) {
  const store = makeStore((tx) => {
    tx.put('user', user('ana', { inlinePolicies: { own: policy(allow()) } }));
    tx.put('access-key', anasKey);
    putBucket(tx, bucketPolicy);
  });
  const [trail, evidence] = [new Trail(), new EvidenceLog()];
  const services = new Map<string, Service>([['s3', s3]]);
  const settings = makeBaseCall().settings;
  const parts = { store, trail, evidence, services, settings, authorizer, snapshots: () => emptySnapshot };
  const why = createWhy({ ...parts, clock: () => new Date(), defaultAccountId: account });
  const request = () =>
    store.read((tx) => {
      const principal = principalOf(tx, anasKey, 'aws');
      assert.ok(principal);
      const base = makeBaseCall({ service: 's3', operation: 'GetObject', principal, path: overInternet });
      const asked = authorizer.open(base, s3, anasKey);
      const getObject = () => [{ action: 's3:GetObject', resource: `${bucket}/k` }];
      assert.throws(() => asked.authorize({ ...base, tx }, {}, getObject), AwsError);
      trail.record(event);
      evidence.keep(event.requestId, store.revision, asked.decisions, true);
    });
  return { store, why, request, trail, evidence };
}

const guard = deny({ Sid: 'Guard', Principal: '*', Condition: { StringNotEquals: { 'aws:SourceVpce': 'vpce-1' } } });

test('the chain quotes the statement, and the cure says that it is a guard', () => {
  const { why, request } = world(policy(guard));
  request();
  const told = why.why({ requestId: 'REQUEST1' });
  assert.equal(told.verdict, 'denied');
  const drops = told.chain.filter((link) => link.verdict === 'drop');
  assert.deepEqual(
    drops.map((link) => [link.stage, link.component]),
    [['resource policy', 'bucket-policy']],
  );
  assert.match(drops[0]?.because ?? '', /Guard denies it: aws:SourceVpce is absent, and StringNotEquals vpce-1 holds/);
  assert.deepEqual(told.now, { verdict: 'denied', changed: [] });
  const [step] = told.cure?.plans[0]?.steps ?? [];
  assert.equal(step?.guard, 'aws:SourceVpce = vpce-1');
  assert.match(step?.commands[0] ?? '', /^aws s3api put-bucket-policy --bucket lab --policy '.*ArnNotEquals/);
});

test('what has changed since changes nothing of what was, and is said', () => {
  const { store, why, request } = world(policy(guard));
  request();
  store.transact((tx) => putBucket(tx));
  const told = why.why({});
  assert.equal(told.verdict, 'denied');
  assert.ok(told.chain.some((link) => link.stage === 'resource policy' && link.verdict === 'drop'));
  assert.deepEqual(told.now, { verdict: 'allowed', changed: ['resource'] });
  assert.equal(told.cure, undefined);
});

test('a request whose evidence is gone is told from the trail alone; one that is not known is said', () => {
  const { why, trail } = world(policy(guard));
  assert.throws(() => why.why({ requestId: 'REQUEST1' }), /No request REQUEST1 is known/);
  assert.throws(() => why.why({}), /No request was answered with an error/);
  trail.record(event);
  const told = why.why({ requestId: 'REQUEST1' });
  assert.match(told.notes.join(), /not kept any more/);
  assert.equal(told.now, undefined);
});

test('a signature that is wrong, and a service that says no by itself, are stages', () => {
  const { why, trail } = world(policy(guard));
  const { decision: _none, action: _action, resource: _resource, ...bare } = event;
  trail.record({ ...bare, requestId: 'R2', principalArn: 'anonymous', errorCode: 'SignatureDoesNotMatch' });
  assert.deepEqual(why.why({ requestId: 'R2' }).chain[0]?.stage, 'signature');
  assert.deepEqual(why.why({ requestId: 'R2' }).chain[0]?.verdict, 'drop');
  trail.record({
    ...bare,
    requestId: 'R3',
    explanation: 'RestrictPublicBuckets is on, and the policy of lab is public',
  });
  const last = why.why({ requestId: 'R3' }).chain.at(-1);
  assert.deepEqual([last?.stage, last?.verdict], ['block public access', 'drop']);
});

test('[X7] what needs no permission is denied by the endpoint’s gate alone, then and now', () => {
  const { store, why, trail, evidence } = world(policy(guard));
  store.transact((tx) => {
    tx.put('user', user('ana'));
    putEndpoint(tx, policy(deny({ Principal: '*' })));
  });
  store.read((tx) => {
    const principal = principalOf(tx, anasKey, 'aws');
    assert.ok(principal);
    const base = makeBaseCall({ service: 's3', operation: 'GetObject', principal, path: overEndpoint });
    const asked = authorizer.open(base, s3, anasKey);
    assert.throws(() => asked.authorize({ ...base, tx }, {}, 'none'), AwsError);
    trail.record({ ...event, path: overEndpoint, resource: '*' });
    evidence.keep(event.requestId, store.revision, asked.decisions, true);
  });
  const drops = why.why({}).chain.filter((link) => link.verdict === 'drop');
  assert.deepEqual(
    drops.map((link) => link.stage),
    ['endpoint policy'],
  );
  store.transact((tx) => putEndpoint(tx, policy(allow({ Principal: '*' }))));
  assert.deepEqual(why.why({}).now, { verdict: 'allowed', changed: ['endpoint'] });
});
