import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RequestEvent } from '@postern/server/operator/api.ts';
import { lines } from './requests.ts';

const event: RequestEvent = {
  time: '2026-11-21T08:00:00.000Z',
  requestId: 'A',
  principalArn: 'arn:aws:iam::123456789012:user/ana',
  accessKeyId: 'AKIAANA',
  accountId: '123456789012',
  service: 's3',
  operation: 'GetObject',
  action: 's3:GetObject',
  resource: 'arn:aws:s3:::b/k',
  region: 'us-east-1',
  path: { kind: 'internet', sourceIp: '203.0.113.10', secure: false },
  status: 200,
  decision: { allowed: true, layer: 'identity', explicit: false, policyId: 'inline:own', statement: 'statement 1' },
  durationMs: 1,
};

describe('a request in words', () => {
  it('says who, on what, by which road and by which policy', () => {
    assert.deepEqual(lines(event), [
      'user/ana on arn:aws:s3:::b/k',
      'from 203.0.113.10 over the internet',
      'allowed by the identity policy (inline:own, statement 1)',
    ]);
  });

  it('names the action where it is not the operation’s own, and the endpoint and TLS of the road', () => {
    const path = { vpcEndpointId: 'vpce-1', vpcId: 'vpc-1', sourceIp: '10.0.0.5', secure: true } as const;
    const decision = { allowed: false, layer: 'endpoint', explicit: false };
    assert.deepEqual(lines({ ...event, operation: 'HeadObject', path: { kind: 'endpoint', ...path }, decision }), [
      'user/ana: s3:GetObject on arn:aws:s3:::b/k',
      'from 10.0.0.5 in vpc-1 through vpce-1, TLS',
      'denied: no endpoint policy allows it',
    ]);
  });

  it('says at which place of an organization a control policy stands, or is missing', () => {
    const denied = { allowed: false, layer: 'scp', at: 'ou-ab12-11112222' };
    const decision = { ...denied, explicit: true, policyId: 'p-11112222', statement: 'no' };
    assert.equal(
      lines({ ...event, decision }).at(-1),
      'denied by the service control policy at ou-ab12-11112222 (p-11112222, no)',
    );
    assert.equal(
      lines({ ...event, decision: { ...denied, explicit: false } }).at(-1),
      'denied: no service control policy at ou-ab12-11112222 allows it',
    );
  });

  it('of one that no policy was asked about, says why and which key was claimed', () => {
    const { action: _action, resource: _resource, decision: _decision, ...bare } = event;
    const refused = { status: 403, errorCode: 'SignatureDoesNotMatch', errorMessage: 'It does not match.' };
    assert.deepEqual(lines({ ...bare, ...refused, principalArn: 'anonymous' }), [
      'somebody who claims the key AKIAANA',
      'from 203.0.113.10 over the internet',
      'refused before any policy was asked: It does not match.',
    ]);
    assert.equal(lines(bare).at(-1), 'no permission needed');
  });
});
