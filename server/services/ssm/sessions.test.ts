import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DescribeSessionsResponse, StartSessionResponse } from '@aws-sdk/client-ssm';
import { OpenChannels } from '../../open-channels.ts';
import { awsError, makeCall, makeStore, runOperation, testAccountId, testNow } from '../../testing.ts';
import { createSsm } from './index.ts';

const target = 'i-0000000000000000a';

function cloud() {
  const channels = new OpenChannels();
  const ssm = createSsm(channels);
  const time = testNow.toISOString();
  const store = makeStore((tx) => {
    tx.put('ssm-managed-instance', {
      ...{ id: target, accountId: testAccountId, region: 'us-east-1', platformType: 'Linux' as const },
      ...{ agentName: '', agentVersion: '', platformName: '', platformVersion: '', ipAddress: '', computerName: '' },
      ...{ registeredAt: time, lastPingAt: time },
    });
    channels.opened(target, { close: () => {}, send: () => {} });
  });
  const run = <O>(name: string, input: object, more: object = {}) => runOperation<O>(store, ssm, name, input, more);
  return { channels, ssm, store, run };
}

test('StartSession gives a data channel at the name that the client asked by, and a token for it', async () => {
  const { run } = cloud();
  const outside = await run<StartSessionResponse>('StartSession', { Target: target });
  assert.match(outside.SessionId ?? '', /^root-0[0-9a-f]{16}$/);
  const path = `/v1/data-channel/${outside.SessionId}?role=publish_subscribe`;
  assert.equal(outside.StreamUrl, `ws://127.0.0.1:4566${path}`);
  assert.ok((outside.TokenValue ?? '').length > 40);
  const more = { host: 'ssm.us-east-1.amazonaws.com' };
  const inside = await run<StartSessionResponse>('StartSession', { Target: target }, more);
  assert.match(inside.StreamUrl ?? '', /^wss:\/\/ssmmessages\.us-east-1\.amazonaws\.com\/v1\/data-channel\/root-/);
});

test('a target whose agent has no channel open is not connected', async () => {
  const { run, channels } = cloud();
  const unknown = 'i-0000000000000000f';
  const notConnected = (id: string) => awsError('TargetNotConnected', `${id} is not connected.`);
  await assert.rejects(run('StartSession', { Target: unknown }), notConnected(unknown));
  channels.closed(target, channels.control(target) ?? assert.fail());
  await assert.rejects(run('StartSession', { Target: target }), notConnected(target));
});

test('a session is active until it is terminated; then it is history and cannot be resumed', async () => {
  const { run } = cloud();
  const { SessionId, TokenValue } = await run<StartSessionResponse>('StartSession', { Target: target, Reason: 'why' });
  const resumed = await run<StartSessionResponse>('ResumeSession', { SessionId });
  assert.notEqual(resumed.TokenValue, TokenValue);
  const listed = async (State: string, key: string, value: string) => {
    const input = { State, Filters: [{ key, value }] };
    const { Sessions } = await run<DescribeSessionsResponse>('DescribeSessions', input);
    return Sessions?.map((one) => [one.SessionId, one.Status, one.Reason]);
  };
  assert.deepEqual(await listed('Active', 'Target', target), [[SessionId, 'Connecting', 'why']]);
  assert.deepEqual(await listed('Active', 'Target', 'i-0'), []);
  await run('TerminateSession', { SessionId });
  assert.deepEqual(await listed('Active', 'Target', target), []);
  assert.deepEqual(await listed('History', 'SessionId', SessionId ?? ''), [[SessionId, 'Terminated', 'why']]);
  await assert.rejects(run('ResumeSession', { SessionId }), awsError('DoesNotExistException'));
});

test('a document of Run Command starts no session, and one that is not there is none', async () => {
  const { run } = cloud();
  const by = (DocumentName: string, Parameters?: object) =>
    run('StartSession', { Target: target, DocumentName, ...(Parameters && { Parameters }) });
  await assert.rejects(by('AWS-RunShellScript'), awsError('InvalidDocument', /not supported for sessions/));
  await assert.rejects(by('AWS-StartPortForwardingSession'), awsError('InvalidDocument', /does not exist/));
  await assert.rejects(by('AWS-StartInteractiveCommand'), awsError('InvalidParameters', /command is required/));
  await by('AWS-StartInteractiveCommand', { command: ['top'] });
});

test('sessions are named after who starts them, and TerminateSession asks about that name, its owner and its target', async () => {
  const { run, ssm, store } = cloud();
  const principal = {
    type: 'assumed-role' as const,
    accountId: testAccountId,
    arn: `arn:aws:sts::${testAccountId}:assumed-role/admin/ann`,
    userId: 'AROAEXAMPLE:ann',
  };
  const input = { Target: target };
  const { SessionId } = await run<StartSessionResponse>('StartSession', input, { principal });
  assert.match(SessionId ?? '', /^ann-/);
  const row = ssm.operations['TerminateSession'];
  assert.ok(row && typeof row.authorize === 'function');
  const { authorize } = row;
  const call = { service: 'ssm', operation: 'TerminateSession' };
  assert.deepEqual(
    store.read((tx) => authorize(makeCall(tx, call), { SessionId })),
    [
      {
        action: 'ssm:TerminateSession',
        resource: `arn:aws:ssm:us-east-1:${testAccountId}:session/${SessionId}`,
        context: {
          'ssm:resourceTag/aws:ssmmessages:session-id': ['AROAEXAMPLE:ann'],
          'ssm:resourceTag/aws:ssmmessages:target-id': [target],
        },
      },
    ],
  );
});
