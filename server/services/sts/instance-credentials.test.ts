// What an instance's metadata service may give out, with rows as EC2 and IAM write them.

import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { InstanceRow } from '../../store/rows/ec2.ts';
import type { Store } from '../../store/store.ts';
import { makeStore, runAs, runOperation, testNow } from '../../testing.ts';
import { iam } from '../iam/index.ts';
import { sts } from './index.ts';
import { type InstanceCredentials, issueInstanceCredentials } from './instance-credentials.ts';

const accountId = '123456789012';
const privateIp = '10.0.0.4';

let store: Store;
let instance: InstanceRow;

function trust(Service: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service }, Action: 'sts:AssumeRole' }],
  });
}

const asIam = (name: string, input: unknown) => runOperation(store, iam, name, input);

async function makeProfile(): Promise<{ arn: string; id: string }> {
  const made = await asIam('CreateInstanceProfile', { InstanceProfileName: 'app', Path: '/x/' });
  const { Arn, InstanceProfileId } = made.InstanceProfile as { Arn: string; InstanceProfileId: string };
  await asIam('AddRoleToInstanceProfile', { InstanceProfileName: 'app', RoleName: 'app' });
  return { arn: Arn, id: InstanceProfileId };
}

function ask(
  minutes = 0,
  delivery: '1.0' | '2.0' = '2.0',
  address = privateIp,
): { answer: InstanceCredentials; wrote: boolean } {
  const now = new Date(testNow.getTime() + minutes * 60_000);
  const { value, durable } = store.transact((tx) => issueInstanceCredentials(tx, instance, address, now, delivery));
  return { answer: value, wrote: durable !== undefined };
}

function issued(answer: InstanceCredentials): Extract<InstanceCredentials, { kind: 'issued' }> {
  if (answer.kind !== 'issued') throw new Error(`expected credentials, got ${JSON.stringify(answer)}`);
  return answer;
}

beforeEach(async () => {
  store = makeStore();
  await asIam('CreateRole', { RoleName: 'app', AssumeRolePolicyDocument: trust('ec2.amazonaws.com') });
  instance = {
    id: 'i-0123456789abcdef0',
    accountId,
    region: 'us-east-1',
    reservationId: 'r-0123456789abcdef0',
    imageId: 'ami-0123456789abcdef0',
    instanceType: 't3.micro',
    launchTime: testNow.toISOString(),
    launchIndex: 0,
    vpcId: 'vpc-0123456789abcdef0',
    subnetId: 'subnet-0123456789abcdef0',
    availabilityZone: 'us-east-1a',
    state: 'running',
    stateTransitionReason: '',
    bootGeneration: 1,
    metadataOptions: {
      httpTokens: 'required',
      httpEndpoint: 'enabled',
      httpPutResponseHopLimit: 2,
      instanceMetadataTags: 'disabled',
      httpProtocolIpv6: 'disabled',
    },
    disableApiTermination: false,
    disableApiStop: false,
    instanceInitiatedShutdownBehavior: 'stop',
    monitoring: 'disabled',
    ebsOptimized: false,
    rootVolumeId: 'vol-0123456789abcdef0',
    tags: {},
  };
  const profile = await makeProfile();
  const association = {
    associationId: 'iip-assoc-0123456789abcdef0',
    state: 'associated',
    timestamp: testNow.toISOString(),
  } as const;
  instance = { ...instance, iamInstanceProfile: { ...association, ...profile } };
});

describe('instance credentials', () => {
  it('[E6] [H5] are a session of the role that is named after the instance', async () => {
    const { answer } = ask();
    const { accessKeyId, expiration, lastUpdated } = issued(answer);
    assert.equal(lastUpdated, '2026-11-21T08:00:00Z');
    assert.equal(expiration, '2026-11-21T14:00:00Z');
    const identity = await runAs(store, accessKeyId, sts, 'GetCallerIdentity');
    assert.equal(identity.Arn, `arn:aws:sts::${accountId}:assumed-role/app/${instance.id}`);
  });

  it('[6.5] remember where they were given out and how', () => {
    const { accessKeyId } = issued(ask().answer);
    const owner = store.read((tx) => tx.get('access-key', accessKeyId))?.owner;
    assert.deepEqual(owner?.kind === 'role-session' && owner.instance, {
      instanceId: instance.id,
      vpcId: instance.vpcId,
      privateIp,
      delivery: '2.0',
    });
  });

  it('[H5] stay the same, and cost no commit, until an hour before their end', () => {
    const first = issued(ask().answer);
    const later = ask(4 * 60 + 59);
    assert.deepEqual(later, { answer: first, wrote: false });
    const renewed = ask(5 * 60);
    assert.equal(renewed.wrote, true);
    assert.notEqual(issued(renewed.answer).accessKeyId, first.accessKeyId);
    assert.equal(issued(ask(5 * 60 + 1).answer).accessKeyId, issued(renewed.answer).accessKeyId);
  });

  it('differ between IMDSv1 and v2, and change with the address', () => {
    const keys = [ask(), ask(0, '1.0'), ask(0, '2.0', '10.0.0.5')].map(({ answer }) => issued(answer).accessKeyId);
    assert.equal(new Set(keys).size, 3);
  });

  it('fail with AWS’s document while the role does not trust EC2, and come when it does', async () => {
    await asIam('UpdateAssumeRolePolicy', { RoleName: 'app', PolicyDocument: trust('lambda.amazonaws.com') });
    const { answer, wrote } = ask();
    assert.equal(wrote, false);
    assert.equal(answer.kind === 'failed' && answer.code, 'AssumeRoleUnauthorizedAccess');
    assert.match(answer.kind === 'failed' ? answer.message : '', /^EC2 cannot assume the role app\. /);
    await asIam('UpdateAssumeRolePolicy', { RoleName: 'app', PolicyDocument: trust('ec2.amazonaws.com') });
    issued(ask().answer);
  });

  it('are none without a profile, without a role in it, and when another profile has its name', async () => {
    const { iamInstanceProfile, ...bare } = instance;
    const profile = iamInstanceProfile;
    instance = bare;
    assert.deepEqual(ask().answer, { kind: 'none' });
    instance = { ...bare, ...(profile && { iamInstanceProfile: profile }) };
    await asIam('RemoveRoleFromInstanceProfile', { InstanceProfileName: 'app', RoleName: 'app' });
    assert.deepEqual(ask().answer, { kind: 'none' });
    await asIam('DeleteInstanceProfile', { InstanceProfileName: 'app' });
    await makeProfile();
    assert.deepEqual(ask().answer, { kind: 'none' });
  });

  it('are new ones for a role that was deleted and made again', async () => {
    const first = issued(ask().answer);
    await asIam('RemoveRoleFromInstanceProfile', { InstanceProfileName: 'app', RoleName: 'app' });
    await asIam('DeleteRole', { RoleName: 'app' });
    await asIam('CreateRole', { RoleName: 'app', AssumeRolePolicyDocument: trust('ec2.amazonaws.com') });
    await asIam('AddRoleToInstanceProfile', { InstanceProfileName: 'app', RoleName: 'app' });
    assert.notEqual(issued(ask().answer).accessKeyId, first.accessKeyId);
  });
});
