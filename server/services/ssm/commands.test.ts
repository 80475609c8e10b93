import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  DescribeInstanceInformationResult,
  GetCommandInvocationResult,
  ListCommandInvocationsResult,
  ListCommandsResult,
  SendCommandResult,
} from '@aws-sdk/client-ssm';
import { OpenChannels } from '../../open-channels.ts';
import type { InstanceRow } from '../../store/rows/ec2.ts';
import type { Store } from '../../store/store.ts';
import { awsError, makeCall, makeStore, runOperation, testAccountId, testNow } from '../../testing.ts';
import { type Reply, takeAcknowledgement, takeReply } from './commands.ts';
import { createSsm } from './index.ts';

const ids = ['i-0000000000000000a', 'i-0000000000000000b', 'i-0000000000000000c'] as const;
const [a, b, c] = ids;
const later = (seconds: number) => new Date(testNow.getTime() + seconds * 1000);

interface Cloud {
  readonly store: Store;
  readonly channels: OpenChannels;
  run<O>(name: string, input: object, now?: Date): Promise<O>;
  acknowledge(commandId: string, instanceId: string): void;
  reply(commandId: string, instanceId: string, reply: Reply): void;
}

/** Three nodes whose agents are connected; the first is tagged `team=red`, the others `team=blue`. */
function cloud(): Cloud {
  const channels = new OpenChannels();
  const ssm = createSsm(channels);
  const common = { accountId: testAccountId, region: 'us-east-1' };
  const store = makeStore((tx) => {
    for (const [index, id] of ids.entries()) {
      const tags = { team: index === 0 ? 'red' : 'blue' };
      tx.put('instance', { ...common, id, state: 'running', tags } as unknown as InstanceRow);
      tx.put('ssm-managed-instance', {
        ...common,
        id,
        agentName: 'amazon-ssm-agent',
        agentVersion: '3.3.0.0',
        platformType: 'Linux',
        platformName: 'Debian',
        platformVersion: '12',
        ipAddress: `10.0.0.${index + 4}`,
        computerName: `ip-10-0-0-${index + 4}`,
        registeredAt: testNow.toISOString(),
        lastPingAt: testNow.toISOString(),
      });
      channels.opened(id, { close: () => {}, send: () => {} });
    }
  });
  return {
    store,
    channels,
    run: <O>(name: string, input: object, now = testNow) => runOperation<O>(store, ssm, name, input, { now }),
    acknowledge: (commandId, id) =>
      store.transact((tx) => takeAcknowledgement(tx, `${commandId}/${id}`, true, testNow)),
    reply: (commandId, id, reply) => store.transact((tx) => takeReply(tx, `${commandId}/${id}`, reply, testNow)),
  };
}

const script = { DocumentName: 'AWS-RunShellScript', Parameters: { commands: ['ls'] } };

async function send({ run }: Cloud, input: object, now?: Date): Promise<string> {
  const sent = await run<SendCommandResult>('SendCommand', { ...script, ...input }, now);
  return sent.Command?.CommandId ?? '';
}

function success(standardOutput = ''): Reply {
  const plugin = { status: 'Success', code: 0, output: standardOutput, standardOutput };
  return { documentStatus: 'Success', runtimeStatus: { 'aws:runShellScript': plugin } };
}

const failure: Reply = {
  documentStatus: 'Failed',
  runtimeStatus: { 'aws:runShellScript': { status: 'Failed', code: 3, standardError: 'no' } },
};

async function statuses({ run }: Cloud, CommandId: string, now?: Date): Promise<Record<string, string>> {
  const told = await run<ListCommandInvocationsResult>('ListCommandInvocations', { CommandId }, now);
  const pairs = (told.CommandInvocations ?? []).map((one) => [one.InstanceId ?? '', one.StatusDetails ?? '']);
  return Object.fromEntries(pairs);
}

async function commandStatus({ run }: Cloud, CommandId: string, now?: Date): Promise<string | undefined> {
  return (await run<ListCommandsResult>('ListCommands', { CommandId }, now)).Commands?.[0]?.StatusDetails;
}

test('[U2] an invocation is Pending, InProgress when the agent has it, and ends with the agent’s word', async () => {
  const own = cloud();
  const id = await send(own, { InstanceIds: [a] });
  assert.equal(await commandStatus(own, id), 'Pending');
  own.acknowledge(id, a);
  assert.deepEqual(await statuses(own, id), { [a]: 'InProgress' });
  own.reply(id, a, failure);
  const got = await own.run<GetCommandInvocationResult>('GetCommandInvocation', { CommandId: id, InstanceId: a });
  assert.deepEqual([got.Status, got.ResponseCode, got.StandardErrorContent], ['Failed', 3, 'no']);
  assert.equal(await commandStatus(own, id), 'Failed');
  // The last word is the last.
  own.reply(id, a, success());
  assert.equal(await commandStatus(own, id), 'Failed');
});

test('[U2] outputs are cut where AWS cuts them', async () => {
  const own = cloud();
  const id = await send(own, { InstanceIds: [a] });
  own.reply(id, a, success('x'.repeat(30_000)));
  const got = await own.run<GetCommandInvocationResult>('GetCommandInvocation', { CommandId: id, InstanceId: a });
  assert.equal(got.StandardOutputContent?.length, 24_000);
  const list = await own.run<ListCommandInvocationsResult>('ListCommandInvocations', { CommandId: id, Details: true });
  assert.equal(list.CommandInvocations?.[0]?.CommandPlugins?.[0]?.Output?.length, 2500);
});

test('[U3] an id that is no node, or whose agent is not connected, is not in a valid state', async () => {
  const own = cloud();
  const message = (...bad: string[]) =>
    `Instances [[${bad.join(', ')}]] not in a valid state for account ${testAccountId}`;
  const unknown = 'i-0000000000000000f';
  await assert.rejects(send(own, { InstanceIds: [a, unknown] }), awsError('InvalidInstanceId', message(unknown)));
  own.channels.closed(b, own.channels.control(b) ?? assert.fail());
  // It registered a moment ago: its channel may still come.
  await send(own, { InstanceIds: [b] });
  await assert.rejects(send(own, { InstanceIds: [b] }, later(60)), awsError('InvalidInstanceId', message(b)));
  own.store.transact((tx) => {
    const row = tx.get('instance', a);
    if (row) tx.put('instance', { ...row, state: 'terminated' });
  });
  await assert.rejects(send(own, { InstanceIds: [a] }), awsError('InvalidInstanceId', message(a)));
});

test('[U3] what is not delivered in time is DeliveryTimedOut, and what is never heard of again is too', async () => {
  const own = cloud();
  const id = await send(own, { InstanceIds: [a, b], TimeoutSeconds: 60 });
  own.acknowledge(id, b);
  assert.deepEqual(await statuses(own, id, later(59)), { [a]: 'Pending', [b]: 'InProgress' });
  assert.deepEqual(await statuses(own, id, later(60)), { [a]: 'DeliveryTimedOut', [b]: 'InProgress' });
  assert.deepEqual(await statuses(own, id, later(60 + 3600)), { [a]: 'DeliveryTimedOut', [b]: 'DeliveryTimedOut' });
});

test('targets are tags of the instances; every one must fit', async () => {
  const own = cloud();
  const id = await send(own, { Targets: [{ Key: 'tag:team', Values: ['blue', 'green'] }] });
  assert.deepEqual(Object.keys(await statuses(own, id)), [b, c]);
  const both = [
    { Key: 'tag:team', Values: ['blue'] },
    { Key: 'InstanceIds', Values: [a, c] },
  ];
  assert.deepEqual(Object.keys(await statuses(own, await send(own, { Targets: both }))), [c]);
  assert.equal(
    await commandStatus(own, await send(own, { Targets: [{ Key: 'tag:no', Values: ['x'] }] })),
    'NoInstancesInTag',
  );
});

test('MaxConcurrency holds the others back, MaxErrors ends them', async () => {
  const own = cloud();
  const held = () =>
    own.store.read((tx) =>
      tx.list('ssm-invocation').flatMap((row) => (row.isHeld && row.state === 'Pending' ? row.instanceId : [])),
    );
  const id = await send(own, { InstanceIds: [a, b, c], MaxConcurrency: '1', MaxErrors: '1' });
  assert.deepEqual(held(), [b, c]);
  own.reply(id, a, failure);
  assert.deepEqual(held(), [c]);
  own.reply(id, b, failure);
  assert.deepEqual(await statuses(own, id), { [a]: 'Failed', [b]: 'Failed', [c]: 'Terminated' });
});

test('a command is cancelled at once where no agent has it, and asked of those that do', async () => {
  const own = cloud();
  const id = await send(own, { InstanceIds: [a, b] });
  own.acknowledge(id, b);
  await own.run('CancelCommand', { CommandId: id });
  assert.deepEqual(await statuses(own, id), { [a]: 'Cancelled', [b]: 'Cancelling' });
  own.reply(id, b, { documentStatus: 'Cancelled', runtimeStatus: {} });
  assert.deepEqual(await statuses(own, id), { [a]: 'Cancelled', [b]: 'Cancelled' });
  await assert.rejects(own.run('CancelCommand', { CommandId: 'none' }), awsError('InvalidCommandId'));
});

test('[U2] a document for another platform is InvalidPlatform; one that is not there is no document', async () => {
  const own = cloud();
  const id = await send(own, { DocumentName: 'AWS-RunPowerShellScript', InstanceIds: [a] });
  assert.deepEqual(await statuses(own, id), { [a]: 'InvalidPlatform' });
  await assert.rejects(send(own, { DocumentName: 'Mine', InstanceIds: [a] }), awsError('InvalidDocument'));
  const parameters = (Parameters: object) => send(own, { InstanceIds: [a], Parameters });
  await assert.rejects(parameters({}), awsError('InvalidParameters', /commands is required/));
  await assert.rejects(parameters({ commands: ['ls'], no: ['x'] }), awsError('InvalidParameters', /no is not/));
  const forever = { commands: ['ls'], executionTimeout: ['172801'] };
  await assert.rejects(parameters(forever), awsError('InvalidParameters', /executionTimeout/));
});

test('what cannot be kept is refused by name', async () => {
  const own = cloud();
  const input = { InstanceIds: [a], CloudWatchOutputConfig: { CloudWatchOutputEnabled: true } };
  await assert.rejects(send(own, input), awsError('ValidationException', /CloudWatchOutputConfig/));
});

test('[Q4] a node is Online while it pings and its channel is open', async () => {
  const own = cloud();
  const seen = async (now: Date) => {
    const told = await own.run<DescribeInstanceInformationResult>('DescribeInstanceInformation', {}, now);
    return (told.InstanceInformationList ?? []).map((one) => one.PingStatus);
  };
  own.channels.closed(c, own.channels.control(c) ?? assert.fail());
  assert.deepEqual(await seen(later(3)), ['Online', 'Online', 'Online']);
  assert.deepEqual(await seen(later(60)), ['Online', 'Online', 'ConnectionLost']);
  assert.deepEqual(await seen(later(3600)), ['ConnectionLost', 'ConnectionLost', 'ConnectionLost']);
});

test('nodes are found by status, by id and by tag, and an unknown key is refused', async () => {
  const own = cloud();
  own.channels.closed(b, own.channels.control(b) ?? assert.fail());
  const found = async (Key: string, ...Values: string[]) => {
    const input = { Filters: [{ Key, Values }] };
    const told = await own.run<DescribeInstanceInformationResult>('DescribeInstanceInformation', input, later(60));
    return (told.InstanceInformationList ?? []).map((one) => one.InstanceId);
  };
  assert.deepEqual(await found('PingStatus', 'ConnectionLost'), [b]);
  assert.deepEqual(await found('InstanceIds', a, 'i-0'), [a]);
  assert.deepEqual(await found('tag:team', 'red'), [a]);
  await assert.rejects(found('Colour', 'red'), awsError('InvalidFilterKey'));
});

test('[Q2] only the instance’s own role may register it', async () => {
  const own = cloud();
  const register = own.run('UpdateInstanceInformation', { InstanceId: a, PlatformType: 'Linux' });
  await assert.rejects(register, awsError('AccessDeniedException', /not those of/));
});

test('SendCommand asks for the document and each instance, with its tags', () => {
  const own = cloud();
  const row = createSsm(own.channels).operations['SendCommand'];
  assert.ok(row && typeof row.authorize === 'function');
  const { authorize } = row;
  const input = { ...script, Targets: [{ Key: 'tag:team', Values: ['red'] }], OutputS3BucketName: 'out' };
  const asked = own.store.read((tx) => authorize(makeCall(tx, { service: 'ssm', operation: 'SendCommand' }), input));
  const tags = { 'aws:ResourceTag/team': ['red'], 'ssm:resourceTag/team': ['red'] };
  assert.deepEqual(asked, [
    { action: 'ssm:SendCommand', resource: 'arn:aws:ssm:us-east-1::document/AWS-RunShellScript' },
    { action: 'ssm:SendCommand', resource: `arn:aws:ec2:us-east-1:${testAccountId}:instance/${a}`, context: tags },
    { action: 'ssm:SendCommand', resource: 'arn:aws:s3:::out' },
  ]);
});
