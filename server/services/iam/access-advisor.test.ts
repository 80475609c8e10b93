// Who used what: noted by the pipeline's own function, told by the access advisor's reports.

import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ensureFirstState } from '../../accounts.ts';
import { noteUse } from '../../last-used.ts';
import type { Store } from '../../store/store.ts';
import { awsError, makeStore, runOperation, testNow } from '../../testing.ts';
import { iam } from './index.ts';

const accountId = '123456789012';
const ana = `arn:aws:iam::${accountId}:user/ana`;
const s3ReadOnly = 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess';
type Output = Record<string, unknown>;
let store: Store;
let key: string;
const run = <O = Output>(name: string, input: object = {}) => runOperation<O>(store, iam, name, input);

interface Service {
  ServiceNamespace: string;
  ServiceName: string;
  LastAuthenticated?: Date;
  LastAuthenticatedEntity?: string;
  LastAuthenticatedRegion?: string;
  TotalAuthenticatedEntities: number;
  TrackedActionsLastAccessed?: Output[];
}

async function report(Arn: string, more: object = {}): Promise<{ jobId: string; services: Service[] }> {
  const { JobId } = await run<{ JobId: string }>('GenerateServiceLastAccessedDetails', { Arn, ...more });
  const answer = await run<{ JobStatus: string; ServicesLastAccessed: Service[] }>('GetServiceLastAccessedDetails', {
    JobId,
  });
  assert.equal(answer.JobStatus, 'COMPLETED');
  return { jobId: JobId, services: answer.ServicesLastAccessed };
}

function use(service: string, minutes = 0, operation?: string): void {
  const row = store.read((tx) => tx.get('access-key', key));
  assert.ok(row);
  const now = new Date(testNow.getTime() + minutes * 60_000);
  noteUse(store, row, { service, region: 'eu-west-1', operation, now });
}

beforeEach(async () => {
  store = makeStore((tx) => ensureFirstState(tx, testNow));
  await run('CreateUser', { UserName: 'ana' });
  const { AccessKey } = await run<{ AccessKey: { AccessKeyId: string } }>('CreateAccessKey', { UserName: 'ana' });
  key = AccessKey.AccessKeyId;
  const statement = [
    { Effect: 'Allow', Action: ['ec2:Describe*', 'sqs:SendMessage'], Resource: '*' },
    { Effect: 'Deny', Action: 'kms:*', Resource: '*' },
  ];
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: statement });
  await run('PutUserPolicy', { UserName: 'ana', PolicyName: 'own', PolicyDocument });
  await run('CreateGroup', { GroupName: 'readers' });
  await run('AddUserToGroup', { GroupName: 'readers', UserName: 'ana' });
  await run('AttachGroupPolicy', { GroupName: 'readers', PolicyArn: s3ReadOnly });
});

describe('the access advisor', () => {
  it('names the services that a user may use, and when each was used', async () => {
    use('ec2');
    use('ec2', 2);
    use('dynamodb');
    const { services } = await report(ana);
    assert.deepEqual(
      services.map(({ ServiceNamespace }) => ServiceNamespace),
      ['ec2', 's3', 's3-object-lambda', 'sqs'],
    );
    const [ec2, s3] = services;
    assert.deepEqual(ec2, {
      ServiceName: 'Amazon EC2',
      ServiceNamespace: 'ec2',
      TotalAuthenticatedEntities: 1,
      LastAuthenticated: new Date(testNow.getTime() + 120_000),
      LastAuthenticatedEntity: ana,
      LastAuthenticatedRegion: 'eu-west-1',
    });
    assert.equal(s3?.TotalAuthenticatedEntities, 0);
    assert.equal(s3?.LastAuthenticated, undefined);
  });

  it('tells of groups and policies who is behind them', async () => {
    use('s3');
    for (const arn of [`arn:aws:iam::${accountId}:group/readers`, s3ReadOnly]) {
      const { jobId, services } = await report(arn);
      assert.equal(services[0]?.LastAuthenticatedEntity, ana);
      const input = { JobId: jobId, ServiceNamespace: 's3' };
      const { EntityDetailsList } = await run<{ EntityDetailsList: { EntityInfo: Output }[] }>(
        'GetServiceLastAccessedDetailsWithEntities',
        input,
      );
      assert.deepEqual(
        EntityDetailsList.map(({ EntityInfo }) => [EntityInfo.Name, EntityInfo.Type]),
        [['ana', 'USER']],
      );
    }
  });

  it('names tracked actions that the policies allow, and who asked for each last', async () => {
    const Statement = [{ Effect: 'Allow', Action: ['iam:Create*', 'iam:PassRole', 's3:Put*', 'sqs:*'], Resource: '*' }];
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
    await run('PutUserPolicy', { UserName: 'ana', PolicyName: 'own', PolicyDocument });
    use('iam', 0, 'CreateUser');
    use('iam', 1, 'CreateUser');
    use('iam', 2, 'ListUsers');
    use('s3', 0, 'PutObject');
    const { services } = await report(ana, { Granularity: 'ACTION_LEVEL' });
    const of = (namespace: string) => services.find((one) => one.ServiceNamespace === namespace);
    const actions = (namespace: string) => of(namespace)?.TrackedActionsLastAccessed ?? [];
    assert.equal(of('iam')?.LastAuthenticated?.getTime(), testNow.getTime() + 120_000);
    assert.deepEqual(
      actions('iam').filter((action) => 'LastAccessedTime' in action),
      [
        {
          ActionName: 'CreateUser',
          LastAccessedEntity: ana,
          LastAccessedTime: new Date(testNow.getTime() + 60_000),
          LastAccessedRegion: 'eu-west-1',
        },
      ],
    );
    const names = (namespace: string) => actions(namespace).map(({ ActionName }) => ActionName);
    assert.ok(names('iam').includes('CreateRole'));
    assert.ok(!names('iam').includes('PassRole') && !names('iam').includes('DeleteUser'));
    assert.ok(names('s3').includes('PutBucketPolicy') && !names('s3').includes('PutObject'));
    assert.deepEqual(names('sqs'), []);
  });

  it('a user that is made again has used nothing', async () => {
    use('ec2');
    await run('RemoveUserFromGroup', { GroupName: 'readers', UserName: 'ana' });
    await run('DeleteUserPolicy', { UserName: 'ana', PolicyName: 'own' });
    await run('DeleteAccessKey', { UserName: 'ana', AccessKeyId: key });
    await run('DeleteUser', { UserName: 'ana' });
    assert.equal(
      store.read((tx) => tx.list('service-access').length),
      0,
    );
  });

  it('says which policies grant a service, the groups’ too', async () => {
    const input = { Arn: ana, ServiceNamespaces: ['s3', 'sqs', 'kms'] };
    const { PoliciesGrantingServiceAccess } = await run('ListPoliciesGrantingServiceAccess', input);
    assert.deepEqual(PoliciesGrantingServiceAccess, [
      { ServiceNamespace: 'kms', Policies: [] },
      {
        ServiceNamespace: 's3',
        Policies: [{ PolicyName: 'AmazonS3ReadOnlyAccess', PolicyType: 'MANAGED', PolicyArn: s3ReadOnly }],
      },
      {
        ServiceNamespace: 'sqs',
        Policies: [{ PolicyName: 'own', PolicyType: 'INLINE', EntityType: 'USER', EntityName: 'ana' }],
      },
    ]);
  });

  it('refuses what it does not know', async () => {
    const rejects = (name: string, input: object, code: string) => assert.rejects(run(name, input), awsError(code));
    await rejects('GenerateServiceLastAccessedDetails', { Arn: `${ana}2` }, 'NoSuchEntity');
    await rejects('GenerateServiceLastAccessedDetails', { Arn: ana, Granularity: 'ACTION' }, 'ValidationError');
    await rejects('GetServiceLastAccessedDetails', { JobId: '0'.repeat(36) }, 'NoSuchEntity');
    await rejects('GetServiceLastAccessedDetails', { JobId: 'x' }, 'ValidationError');
  });
});
