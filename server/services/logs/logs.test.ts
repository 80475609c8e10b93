// CloudWatch Logs: what is answered, as recorded at AWS where a message is compared.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type * as SDK from '@aws-sdk/client-cloudwatch-logs';
import { awsError, makeStore, runAs, runOperation, testNow } from '../../testing.ts';
import { withUsers } from '../s3/testing.ts';
import { readFilterPattern } from './filter-pattern.ts';
import { logs } from './index.ts';

const now = testNow.getTime();
const dayMs = 86_400_000;

async function makeLogs() {
  const store = makeStore();
  const run = <O = Record<string, never>>(name: string, input: object, at = testNow) =>
    runOperation<O>(store, logs, name, input, { now: at });
  const named = { logGroupName: '/app', logStreamName: 's' };
  await run('CreateLogGroup', { logGroupName: '/app' });
  await run('CreateLogStream', named);
  const put = (messages: readonly (readonly [number, string])[], input: object = {}) =>
    run<SDK.PutLogEventsResponse>('PutLogEvents', {
      ...named,
      logEvents: messages.map(([timestamp, message]) => ({ timestamp, message })),
      ...input,
    });
  const filter = async (input: object = {}) =>
    (await run<SDK.FilterLogEventsResponse>('FilterLogEvents', { logGroupName: '/app', ...input })).events?.map(
      ({ message }) => message,
    );
  return { store, run, put, filter, named };
}

test('a group is described as AWS describes one, and found by prefix, pattern and page', async () => {
  const { run } = await makeLogs();
  await run('CreateLogGroup', { logGroupName: '/web/Prod', tags: { a: 'b' } });
  const describe = async (input: object) => {
    const { logGroups = [], nextToken } = await run<SDK.DescribeLogGroupsResponse>('DescribeLogGroups', input);
    return { names: logGroups.map(({ logGroupName }) => logGroupName), nextToken, first: logGroups[0] };
  };
  const arn = 'arn:aws:logs:us-east-1:123456789012:log-group:/app';
  assert.deepEqual((await describe({ logGroupNamePrefix: '/app' })).first, {
    arn: `${arn}:*`,
    creationTime: now,
    deletionProtectionEnabled: false,
    logGroupArn: arn,
    logGroupClass: 'STANDARD',
    logGroupName: '/app',
    metricFilterCount: 0,
    storedBytes: 0,
  });
  assert.deepEqual((await describe({ logGroupNamePattern: 'prod' })).names, ['/web/Prod']);
  const { names, nextToken } = await describe({ limit: 1 });
  assert.deepEqual([names, (await describe({ limit: 1, nextToken })).names], [['/app'], ['/web/Prod']]);
  await assert.rejects(describe({ logGroupNamePrefix: 'a', logGroupNamePattern: 'b' }), awsError('InvalidParameterException', 'LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.')); // biome-ignore format: few words
});

test('groups and streams that are there, are not, or may not be', async () => {
  const { run, named } = await makeLogs();
  const refused = (name: string, input: object, code: string, message: string) =>
    assert.rejects(run(name, input), awsError(code, message));
  await refused('CreateLogGroup', { logGroupName: '/app' }, 'ResourceAlreadyExistsException', 'The specified log group already exists'); // biome-ignore format: few words
  await refused('CreateLogStream', named, 'ResourceAlreadyExistsException', 'The specified log stream already exists');
  await refused('CreateLogGroup', { logGroupName: 'a'.repeat(513) }, 'InvalidParameterException', 'Invalid LogGroup or LogStream, both must have length less than or equal to 512.'); // biome-ignore format: few words
  await refused('GetLogEvents', { ...named, logGroupName: 'x' }, 'ResourceNotFoundException', 'The specified log group does not exist.'); // biome-ignore format: few words
  await refused('GetLogEvents', { ...named, logStreamName: 'x' }, 'ResourceNotFoundException', 'The specified log stream does not exist.'); // biome-ignore format: few words
  await refused('DescribeLogStreams', { logGroupName: '/app', logGroupIdentifier: '/app' }, 'ValidationException', 'LogGroup name and LogGroup ARN are mutually exclusive parameters.'); // biome-ignore format: few words
  await assert.rejects(run('CreateLogGroup', { logGroupName: 'x', kmsKeyId: 'k' }), awsError('InvalidParameterException', /kmsKeyId/)); // biome-ignore format: few words
  await run('DeleteLogGroup', { logGroupName: '/app' });
  await refused('DescribeLogStreams', { logGroupName: '/app' }, 'ResourceNotFoundException', 'The specified log group does not exist.'); // biome-ignore format: few words
});

test('events are read forwards and backwards, by page, by time', async () => {
  const { run, put, named } = await makeLogs();
  await put([1, 2, 3, 4, 5].map((each) => [now + each, `m${each}`] as const));
  const get = async (input: object = {}) => {
    const read = await run<SDK.GetLogEventsResponse>('GetLogEvents', { ...named, ...input });
    return { ...read, messages: read.events?.map(({ message }) => message) };
  };
  assert.deepEqual((await get({ limit: 2 })).messages, ['m4', 'm5']);
  const first = await get({ limit: 2, startFromHead: true });
  assert.deepEqual(first.messages, ['m1', 'm2']);
  const second = await get({ limit: 2, nextToken: first.nextForwardToken });
  assert.deepEqual(second.messages, ['m3', 'm4']);
  assert.deepEqual((await get({ limit: 2, nextToken: second.nextBackwardToken })).messages, ['m1', 'm2']);
  const last = await get({ nextToken: second.nextForwardToken });
  // At the end a token leads to itself.
  const end = await get({ nextToken: last.nextForwardToken });
  assert.deepEqual([end.messages, end.nextForwardToken], [[], last.nextForwardToken]);
  assert.deepEqual((await get({ startTime: now + 2, endTime: now + 4 })).messages, ['m2', 'm3']);
  await assert.rejects(get({ nextToken: 'x' }), awsError('InvalidParameterException', 'The specified nextToken is invalid.')); // biome-ignore format: few words
  await assert.rejects(get({ limit: 10_001 }), awsError('InvalidParameterException', "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 10000")); // biome-ignore format: few words
});

test('a batch is in order; what is too old or too new is left out, and it says where', async () => {
  const { put, filter } = await makeLogs();
  await assert.rejects(put([[now + 2, 'a'], [now + 1, 'b']]), awsError('InvalidParameterException', 'Log events in a single PutLogEvents request must be in chronological order.')); // biome-ignore format: few words
  await assert.rejects(
    put([
      [now - 2 * dayMs, 'a'],
      [now, 'b'],
    ]),
    awsError('InvalidParameterException', /24 hours/),
  );
  const old = await put([[now - 14 * dayMs - 1, 'old'], [now - 14 * dayMs, 'kept']]); // biome-ignore format: few words
  assert.deepEqual(old.rejectedLogEventsInfo, { tooOldLogEventEndIndex: 1 });
  const early = await put([[now, 'now'], [now + 7_200_001, 'new']]); // biome-ignore format: few words
  assert.deepEqual(early.rejectedLogEventsInfo, { tooNewLogEventStartIndex: 1 });
  assert.deepEqual(await filter(), ['kept', 'now']);
});

test('what is older than the retention is not shown, and goes with the next events', async () => {
  const { store, run, put, filter } = await makeLogs();
  await put([[now - 5 * dayMs, 'old']]);
  await put([[now, 'new']]);
  await run('PutRetentionPolicy', { logGroupName: '/app', retentionInDays: 3 });
  assert.deepEqual(await filter(), ['new']);
  await put([[now + 1, 'newer']]);
  assert.equal(
    store.read((tx) => tx.list('log-events').length),
    2,
  );
  await run('DeleteRetentionPolicy', { logGroupName: '/app' });
  assert.deepEqual(await filter(), ['new', 'newer']);
  await assert.rejects(run('PutRetentionPolicy', { logGroupName: '/app', retentionInDays: 2 }), awsError('InvalidParameterException')); // biome-ignore format: few words
});

test('a group is filtered over its streams, by name, time, pattern and page', async () => {
  const { run, put, filter } = await makeLogs();
  await run('CreateLogStream', { logGroupName: '/app', logStreamName: 'other' });
  await put([[now + 1, 'red one'], [now + 3, 'red three']]); // biome-ignore format: few words
  await put([[now + 2, 'blue two']], { logStreamName: 'other' });
  assert.deepEqual(await filter(), ['red one', 'blue two', 'red three']);
  assert.deepEqual(await filter({ logStreamNamePrefix: 'o' }), ['blue two']);
  assert.deepEqual(await filter({ logStreamNames: ['s'], filterPattern: 'three' }), ['red three']);
  assert.deepEqual(await filter({ startTime: now + 2, endTime: now + 2 }), ['blue two']);
  const page = await run<SDK.FilterLogEventsResponse>('FilterLogEvents', { logGroupName: '/app', limit: 2 });
  assert.deepEqual(await filter({ limit: 2, nextToken: page.nextToken }), ['red three']);
  await assert.rejects(filter({ nextToken: 'x' }), awsError('InvalidParameterException', 'The specified nextToken is invalid.')); // biome-ignore format: few words
});

test('patterns of terms and of fields', () => {
  const line = '2 123456789012 eni-1 10.0.0.4 10.0.0.5 40000 22 6 20 4249 60 120 REJECT OK';
  const matching = (pattern: string, text = line) => readFilterPattern(pattern)(text);
  for (const pattern of ['', 'REJECT', 'REJECT eni-1', '"10.0.0.5 40000"', 'REJECT -ACCEPT', '?ACCEPT ?REJECT'])
    assert.equal(matching(pattern), true, pattern);
  for (const pattern of ['reject', 'REJECT ACCEPT', '"eni-1 REJECT"', '-REJECT', '?ACCEPT ?SKIPDATA'])
    assert.equal(matching(pattern), false, pattern);
  const fields = (source: string, port: string, action: string) =>
    `[version, account, eni, ${source}, dst, srcport, ${port}, protocol, packets, bytes, start, end, ${action}, status]`;
  assert.equal(matching(fields('src=10.0.0.*', 'dstport="22"', 'action="REJECT"')), true);
  assert.equal(matching(fields('src', 'dstport=80||dstport=22', 'action!=ACCEPT')), true);
  assert.equal(matching(fields('src', 'dstport>=22 && dstport<23', 'action')), true);
  assert.equal(matching(fields('src', 'dstport>22', 'action')), false);
  assert.equal(matching('[..., action=REJECT, status]'), true);
  assert.equal(matching('[version=2, ..., status=OK]'), true);
  assert.equal(matching('[version, status]'), false);
  assert.equal(matching('[host, when, request, status]', '10.0.0.1 [now and then] "GET / HTTP" 200'), true);
  for (const refused of ['{ $.a = 1 }', '%[0-9]%', '[a, b', '[a = ]'])
    assert.throws(() => readFilterPattern(refused), awsError('InvalidParameterException'), refused);
});

test('tags by either name of the operations', async () => {
  const { run } = await makeLogs();
  const resourceArn = 'arn:aws:logs:us-east-1:123456789012:log-group:/app';
  await run('TagResource', { resourceArn, tags: { a: '1', b: '2' } });
  await run('TagLogGroup', { logGroupName: '/app', tags: { c: '3' } });
  await run('UntagResource', { resourceArn: `${resourceArn}:*`, tagKeys: ['a'] });
  assert.deepEqual(await run('ListTagsLogGroup', { logGroupName: '/app' }), { tags: { b: '2', c: '3' } });
  assert.deepEqual(await run('ListTagsForResource', { resourceArn }), { tags: { b: '2', c: '3' } });
});

test('a policy on `GROUP:*` is for the group and its streams, one without the star for neither', async () => {
  const { store, named } = await makeLogs();
  const allow = (Resource: string) => [{ Effect: 'Allow', Action: 'logs:*', Resource }];
  const arn = 'arn:aws:logs:us-east-1:123456789012:log-group:/app';
  await withUsers({ store } as never, { star: allow(`${arn}:*`), bare: allow(arn) });
  const as = (key: string, name: string, input: object) => runAs(store, key, logs, name, input);
  await as('AKIAstar', 'DescribeLogStreams', { logGroupName: '/app' });
  await as('AKIAstar', 'GetLogEvents', named);
  await assert.rejects(as('AKIAbare', 'GetLogEvents', named), awsError('AccessDeniedException', /logs:GetLogEvents on resource: arn:aws:logs:us-east-1:123456789012:log-group:\/app:log-stream:s because/)); // biome-ignore format: few words
  await assert.rejects(
    as('AKIAbare', 'DescribeLogStreams', { logGroupName: '/app' }),
    awsError('AccessDeniedException'),
  );
  await as('AKIAbare', 'ListTagsForResource', { resourceArn: arn });
  await assert.rejects(as('AKIAstar', 'DescribeLogGroups', {}), awsError('AccessDeniedException'));
});

test('resource policies by name, ten of them', async () => {
  const { run } = await makeLogs();
  const Statement = [{ Effect: 'Allow', Principal: { Service: 'delivery.logs.amazonaws.com' }, Action: 'logs:PutLogEvents', Resource: '*' }]; // biome-ignore format: few words
  const policyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
  const put = (policyName: string) => run<SDK.PutResourcePolicyResponse>('PutResourcePolicy', { policyName, policyDocument }); // biome-ignore format: few words
  assert.deepEqual(await put('p0'), { resourcePolicy: { policyName: 'p0', policyDocument, lastUpdatedTime: now, policyScope: 'ACCOUNT' } }); // biome-ignore format: few words
  for (let number = 1; number < 10; number += 1) await put(`p${number}`);
  await assert.rejects(put('p10'), awsError('LimitExceededException', 'Resource limit exceeded.'));
  await put('p9');
  await run('DeleteResourcePolicy', { policyName: 'p9' });
  await assert.rejects(run('DeleteResourcePolicy', { policyName: 'p9' }), awsError('ResourceNotFoundException', 'Policy with name [p9] does not exist.')); // biome-ignore format: few words
  await assert.rejects(run('PutResourcePolicy', { policyName: 'x', policyDocument: '{}' }), awsError('InvalidParameterException')); // biome-ignore format: few words
});
