import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GetParameterResult, GetParametersByPathResult, GetParametersResult } from '@aws-sdk/client-ssm';
import { imagesOf } from '../../images.ts';
import { OpenChannels } from '../../open-channels.ts';
import { awsError, makeStore, runOperation } from '../../testing.ts';
import { createSsm } from './index.ts';

const ssm = createSsm(new OpenChannels());

const run = <O>(name: string, input: object) => runOperation<O>(makeStore(), ssm, name, input);
const latest = '/aws/service/ami-amazon-linux-latest';

test('the public parameters name the images that EC2 has, by name or ARN', async () => {
  const Name = `${latest}/al2023-ami-kernel-default-x86_64`;
  const { Parameter: found } = await run<GetParameterResult>('GetParameter', { Name });
  const image = imagesOf('us-east-1').find((one) => one.name.startsWith('al2023') && one.architecture === 'x86_64');
  assert.equal(found?.Value, image?.imageId);
  assert.equal(found?.ARN, `arn:aws:ssm:us-east-1::parameter${Name}`);
  assert.deepEqual((await run<GetParameterResult>('GetParameter', { Name: found?.ARN })).Parameter, found);
});

test('a name that nobody has made is not found; of several the others are told', async () => {
  await assert.rejects(run('GetParameter', { Name: '/mine/own' }), awsError('ParameterNotFound', ''));
  const Names = ['/mine/own', `${latest}/amzn2-ami-hvm-x86_64-gp2`];
  const told = await run<GetParametersResult>('GetParameters', { Names });
  assert.deepEqual(told.InvalidParameters, ['/mine/own']);
  assert.match(told.Parameters?.[0]?.Value ?? '', /^ami-/);
});

test('a path is listed page by page, its branches when asked for', async () => {
  const names: (string | undefined)[] = [];
  let NextToken: string | undefined;
  do {
    const input = { Path: latest, MaxResults: 4, ...(NextToken !== undefined && { NextToken }) };
    const page = await run<GetParametersByPathResult>('GetParametersByPath', input);
    names.push(...(page.Parameters ?? []).map((one) => one.Name));
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  assert.equal(names.length, 6);
  const above = { Path: '/aws/service/canonical' };
  assert.deepEqual((await run<GetParametersByPathResult>('GetParametersByPath', above)).Parameters, []);
  const all = await run<GetParametersByPathResult>('GetParametersByPath', { ...above, Recursive: true });
  assert.equal(all.Parameters?.length, 8);
});
