// Which policies let a request to DynamoDB through: resources, endpoint policies, the path's keys, and DynamoDB's own condition keys.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import {
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteResourcePolicyCommand,
  DeleteTableCommand,
  GetItemCommand,
  GetResourcePolicyCommand,
  ListTablesCommand,
  PutItemCommand,
  PutResourcePolicyCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import type { RequestPath } from '../../path.ts';
import { makeDynamodb, outcome, overInternet } from './testing.ts';

const account = '123456789012';
const arn = (name: string) => `arn:aws:dynamodb:us-east-1:${account}:table/${name}`;
const allow = (Action: string | string[], Resource: string | string[] = '*', Condition?: object) => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...(Condition && { Condition }),
});
const item = (pk: string, more: object = {}) => ({ pk: { S: pk }, ...more });
const vpcEndpointId = 'vpce-0aaaaaaaaaaaaaaaa';
const vpcId = 'vpc-0aaaaaaaaaaaaaaaa';
const overEndpoint: RequestPath = { kind: 'endpoint', vpcEndpointId, vpcId, sourceIp: '10.0.0.5', secure: true };

describe('permissions', async () => {
  const world = await makeDynamodb({ after: (work) => after(work as () => Promise<void>) });
  await world.client().send(
    new CreateTableCommand({
      TableName: 'notes',
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'colour', AttributeType: 'S' },
      ],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'by-colour',
          KeySchema: [{ AttributeName: 'colour', KeyType: 'HASH' }],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
      BillingMode: 'PAY_PER_REQUEST',
      Tags: [{ Key: 'team', Value: 'red' }],
    }),
  );
  const get = (pk: string) => new GetItemCommand({ TableName: 'notes', Key: item(pk) });
  const put = (pk: string, more = {}) => new PutItemCommand({ TableName: 'notes', Item: item(pk, more) });
  const red = new QueryCommand({
    TableName: 'notes',
    IndexName: 'by-colour',
    KeyConditionExpression: '#c = :c',
    ExpressionAttributeNames: { '#c': 'colour' },
    ExpressionAttributeValues: { ':c': { S: 'red' } },
  });
  const denial = (who: string, action: string, resource: string) =>
    `AccessDeniedException: User: arn:aws:iam::${account}:user/${who} is not authorized to perform: dynamodb:${action} on resource: ${resource} because no identity-based policy allows the dynamodb:${action} action`;

  it('a table, its indexes and the account are three resources', async () => {
    const reader = world.client(world.user('reader', allow(['dynamodb:GetItem', 'dynamodb:Query'], arn('notes'))));
    assert.equal(await outcome(reader.send(get('a'))), 'ok');
    assert.equal(await outcome(reader.send(put('a'))), denial('reader', 'PutItem', arn('notes')));
    assert.equal(await outcome(reader.send(red)), denial('reader', 'Query', `${arn('notes')}/index/by-colour`));
    assert.equal(await outcome(reader.send(new ListTablesCommand({}))), denial('reader', 'ListTables', arn('*')));
    const indexReader = world.client(world.user('indexer', allow('dynamodb:Query', `${arn('notes')}/index/*`)));
    assert.equal(await outcome(indexReader.send(red)), 'ok');
    const nobody = world.client(world.user('nobody', allow('s3:*')));
    const missing = new DeleteTableCommand({ TableName: 'missing' });
    assert.equal(await outcome(nobody.send(missing)), denial('nobody', 'DeleteTable', arn('missing')));
  });

  it('batches and transactions need the permission on every table, transactions the one of each part', async () => {
    const writer = world.client(
      world.user('writer', allow(['dynamodb:BatchWriteItem', 'dynamodb:PutItem'], arn('notes'))),
    );
    const batch = (...tables: string[]) =>
      new BatchWriteItemCommand({
        RequestItems: Object.fromEntries(tables.map((name) => [name, [{ PutRequest: { Item: item('b') } }]])),
      });
    assert.equal(await outcome(writer.send(batch('notes'))), 'ok');
    assert.equal(await outcome(writer.send(batch('notes', 'other'))), denial('writer', 'BatchWriteItem', arn('other')));
    const transaction = (last: object) =>
      new TransactWriteItemsCommand({
        TransactItems: [{ Put: { TableName: 'notes', Item: item('t') } }, last] as never,
      });
    assert.equal(
      await outcome(writer.send(transaction({ Delete: { TableName: 'notes', Key: item('u') } }))),
      denial('writer', 'DeleteItem', arn('notes')),
    );
    const { Item } = await world.client().send(get('t'));
    assert.equal(Item, undefined, 'nothing of it was done');
  });

  it('dynamodb:LeadingKeys holds each caller to its own items, whatever the operation', async () => {
    const own = world.client(
      world.user(
        'own',
        allow('dynamodb:*', arn('notes*'), {
          // biome-ignore lint/suspicious/noTemplateCurlyInString: IAM's own variable
          'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['${aws:username}'] },
          Null: { 'dynamodb:LeadingKeys': 'false' },
        }),
      ),
    );
    assert.equal(await outcome(own.send(put('own', { colour: { S: 'red' } }))), 'ok');
    assert.equal(await outcome(own.send(get('own'))), 'ok');
    const query = (value: string) =>
      new QueryCommand({
        TableName: 'notes',
        KeyConditionExpression: 'pk = :p',
        ExpressionAttributeValues: { ':p': { S: value } },
      });
    assert.equal(await outcome(own.send(query('own'))), 'ok');
    const both = new BatchWriteItemCommand({
      RequestItems: { notes: ['own', 'else'].map((pk) => ({ DeleteRequest: { Key: item(pk) } })) },
    });
    for (const command of [get('else'), put('else'), query('else'), both, new ScanCommand({ TableName: 'notes' })])
      assert.match(await outcome(own.send(command as GetItemCommand)), /^AccessDeniedException/);
    // The index's own partition key leads there.
    assert.match(await outcome(own.send(red)), /^AccessDeniedException/);
  });

  it('dynamodb:Attributes and tags are conditions', async () => {
    const narrow = world.client(
      world.user(
        'narrow',
        allow('dynamodb:*Item', arn('notes'), {
          'ForAllValues:StringEquals': { 'dynamodb:Attributes': ['pk', 'colour'] },
          StringEquals: { 'aws:ResourceTag/team': 'red' },
        }),
      ),
    );
    assert.equal(await outcome(narrow.send(put('n', { colour: { S: 'red' } }))), 'ok');
    assert.match(await outcome(narrow.send(put('n', { secret: { S: 'x' } }))), /^AccessDeniedException/);
    const hidden = new GetItemCommand({
      TableName: 'notes',
      Key: item('n'),
      ProjectionExpression: '#s',
      ExpressionAttributeNames: { '#s': 'secret' },
    });
    assert.match(await outcome(narrow.send(hidden)), /^AccessDeniedException/);
    const blue = world.client(
      world.user('blue', allow('dynamodb:*', '*', { StringEquals: { 'aws:ResourceTag/team': 'blue' } })),
    );
    assert.match(await outcome(blue.send(get('n'))), /^AccessDeniedException/);
    const tagger = world.client(
      world.user(
        'tagger',
        allow('dynamodb:CreateTable'),
        allow('dynamodb:TagResource', '*', { StringEquals: { 'aws:RequestTag/team': 'red' } }),
      ),
    );
    const create = (Value: string) =>
      new CreateTableCommand({
        TableName: `tags-${Value}`,
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        BillingMode: 'PAY_PER_REQUEST',
        Tags: [{ Key: 'team', Value }],
      });
    assert.equal(await outcome(tagger.send(create('red'))), 'ok');
    assert.equal(await outcome(tagger.send(create('blue'))), denial('tagger', 'TagResource', arn('tags-blue')));
  });

  it('[E2] a table’s own policy lets another account in, denies its own, and goes with the table', async () => {
    const ResourceArn = arn('notes');
    const stranger = world.client(world.account('210987654321'));
    const theirs = new GetItemCommand({ TableName: ResourceArn, Key: item('a') });
    assert.match(await outcome(stranger.send(theirs)), /^AccessDeniedException/);
    const attach = (...Statement: object[]) =>
      world
        .client()
        .send(
          new PutResourcePolicyCommand({ ResourceArn, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }),
        );
    const open = { ...allow('dynamodb:GetItem', ResourceArn), Principal: { AWS: '210987654321' } };
    const { RevisionId } = await attach(open);
    assert.equal((await attach(open)).RevisionId, RevisionId, 'the same policy is no change');
    assert.equal(await outcome(stranger.send(theirs)), 'ok');
    const indexed = new QueryCommand({ ...red.input, TableName: ResourceArn });
    assert.match(await outcome(stranger.send(indexed)), /^AccessDeniedException/);
    await attach(open, { ...open, Action: 'dynamodb:Query', Resource: `${ResourceArn}/index/*` });
    assert.equal(await outcome(stranger.send(indexed)), 'ok');
    await attach({ ...open, Resource: '*' });
    assert.equal(await outcome(stranger.send(theirs)), 'ok');
    const everybody = { ...allow('dynamodb:GetItem', ResourceArn), Principal: '*' };
    assert.match(await outcome(attach(everybody)), /^ValidationException: .*public/);
    assert.match(await outcome(attach({ ...open, Resource: arn('other') })), /^ValidationException: Invalid resource/);
    const reader = world.client(world.user('held', allow('dynamodb:GetItem')));
    const account = { AWS: `arn:aws:iam::123456789012:root` };
    await attach({ ...allow('dynamodb:GetItem', ResourceArn), Effect: 'Deny', Principal: account });
    assert.match(await outcome(reader.send(get('a'))), /with an explicit deny in a resource-based policy$/);
    const read = await world.client().send(new GetResourcePolicyCommand({ ResourceArn }));
    assert.match(read.Policy ?? '', /"Deny"/);
    const remove = (ExpectedRevisionId?: string) =>
      world
        .client()
        .send(new DeleteResourcePolicyCommand({ ResourceArn, ...(ExpectedRevisionId && { ExpectedRevisionId }) }));
    assert.equal(
      await outcome(remove('1')),
      `PolicyNotFoundException: Resource-based policy not found for the provided ResourceArn: Requested update for policy with revision id 1, but the policy associated to target table notes has revision id ${read.RevisionId}.`,
    );
    await remove(read.RevisionId);
    await remove();
    assert.equal(
      await outcome(world.client().send(new GetResourcePolicyCommand({ ResourceArn }))),
      `PolicyNotFoundException: Resource-based policy not found for the provided ResourceArn: ${ResourceArn}`,
    );
    assert.equal(
      await outcome(world.client().send(new GetResourcePolicyCommand({ ResourceArn: arn('none') }))),
      'ResourceNotFoundException: Requested resource not found: Table: none not found',
    );
    assert.equal(await outcome(reader.send(get('a'))), 'ok');
    const again = new CreateTableCommand({
      TableName: 'lent',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
      ResourcePolicy: JSON.stringify({ Version: '2012-10-17', Statement: [{ ...open, Resource: arn('lent') }] }),
    });
    await world.client().send(again);
    const lent = new GetItemCommand({ TableName: arn('lent'), Key: item('a') });
    assert.equal(await outcome(stranger.send(lent)), 'ok');
    await world.client().send(new DeleteTableCommand({ TableName: 'lent' }));
    await world.client().send(new CreateTableCommand({ ...again.input, ResourcePolicy: undefined }));
    assert.match(await outcome(stranger.send(lent)), /^AccessDeniedException/);
  });

  it('[M3] a table’s policy means the user that there was, and shows its name while there is one', async () => {
    const keys = world.user('whoborrowsit', allow('sqs:SendMessage'));
    const row = world.store.read((tx) => tx.get('user', `${account}/whoborrowsit`));
    assert.ok(row);
    const ResourceArn = arn('notes');
    const AWS = `arn:aws:iam::${account}:user/whoborrowsit`;
    const Statement = [{ ...allow('dynamodb:GetItem', ResourceArn), Principal: { AWS } }];
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
    const root = world.client();
    const read = () => root.send(new GetResourcePolicyCommand({ ResourceArn })).then((answer) => answer.Policy ?? '');
    await root.send(new PutResourcePolicyCommand({ ResourceArn, Policy }));
    assert.equal(await read(), Policy);
    const borrower = world.client(keys);
    assert.equal(await outcome(borrower.send(get('a'))), 'ok');
    // Deleted, and another one made of that name.
    world.store.transact((tx) => tx.put('user', { ...row, userId: 'AIDAANOTHERONE000001' }));
    assert.match(await outcome(borrower.send(get('a'))), /^AccessDeniedException/);
    assert.ok((await read()).includes(row.userId));
    await root.send(new DeleteResourcePolicyCommand({ ResourceArn }));
  });

  it('[W10] [F6] an endpoint’s policy decides what passes it, is named in the denial, and the path is a condition', async () => {
    const endpoint = (document: object) =>
      world.store.transact((tx) =>
        tx.put('vpc-endpoint', {
          id: vpcEndpointId,
          accountId: account,
          region: 'us-east-1',
          vpcId,
          endpointType: 'Gateway',
          serviceName: 'com.amazonaws.us-east-1.dynamodb',
          prefixListId: 'pl-02cd2c6b',
          policyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [document] }),
          routeTableIds: [],
          creationTime: '',
          tags: {},
        }),
      );
    const inside = world.client(
      world.user('inside', allow('dynamodb:*', '*', { StringEquals: { 'aws:SourceVpc': vpcId } })),
    );
    assert.match(await outcome(inside.send(get('a'))), /^AccessDeniedException.*no identity-based policy/);
    endpoint({ ...allow('dynamodb:GetItem', arn('notes')), Principal: '*' });
    world.come(overEndpoint);
    assert.equal(await outcome(inside.send(get('a'))), 'ok');
    assert.equal(
      await outcome(inside.send(put('a'))),
      `AccessDeniedException: User: arn:aws:iam::${account}:user/inside is not authorized to perform: dynamodb:PutItem on resource: ${arn('notes')} because no VPC endpoint policy allows the dynamodb:PutItem action`,
    );
    const event = world.events.at(-1);
    assert.equal(event?.action, 'dynamodb:PutItem');
    assert.equal(event?.decision?.layer, 'endpoint');
    assert.deepEqual(event?.path, overEndpoint);
    endpoint({ ...allow('*'), Effect: 'Deny', Principal: '*' });
    assert.match(await outcome(inside.send(get('a'))), /with an explicit deny in a VPC endpoint policy$/);
    world.come(overInternet);
  });
});
