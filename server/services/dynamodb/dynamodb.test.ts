// DynamoDB by the SDK's own client, over a real edge and pipeline, with the engine in its process.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import {
  type AttributeDefinition,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteItemCommand,
  DeleteTableCommand,
  DescribeContinuousBackupsCommand,
  DescribeContributorInsightsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  ExecuteStatementCommand,
  GetItemCommand,
  ListTablesCommand,
  ListTagsOfResourceCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TagResourceCommand,
  TransactGetItemsCommand,
  TransactWriteItemsCommand,
  UntagResourceCommand,
  UpdateItemCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
  waitUntilTableNotExists,
} from '@aws-sdk/client-dynamodb';
import { makeDynamodb, outcome } from './testing.ts';

const account = '123456789012';
const table = (TableName: string, more: Partial<CreateTableCommandInput> = {}) =>
  new CreateTableCommand({
    TableName,
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    BillingMode: 'PAY_PER_REQUEST',
    ...more,
  });
const indexed = (TableName: string) =>
  table(TableName, {
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' },
      { AttributeName: 'sk', AttributeType: 'N' },
      { AttributeName: 'colour', AttributeType: 'S' },
    ],
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: 'by-colour',
        KeySchema: [{ AttributeName: 'colour', KeyType: 'HASH' }],
        Projection: { ProjectionType: 'ALL' },
      },
    ],
  });
const item = (pk: string, more: object = {}) => ({ pk: { S: pk }, ...more });

describe('tables and items', async () => {
  const world = await makeDynamodb({ after: (work) => after(work as () => Promise<void>) });
  const client = world.client();

  it('starts no process before it is needed', () => assert.equal(world.dynamodb.processId(), undefined));

  it('a table is CREATING in the answer and there at the next question, DELETING and gone', async () => {
    const { TableDescription } = await client.send(table('life', { Tags: [{ Key: 'team', Value: 'red' }] }));
    assert.equal(TableDescription?.TableStatus, 'CREATING');
    assert.equal(TableDescription?.TableArn, `arn:aws:dynamodb:us-east-1:${account}:table/life`);
    assert.match(TableDescription?.TableId ?? '', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    await waitUntilTableExists({ client, maxWaitTime: 30 }, { TableName: 'life' });
    const { Table } = await client.send(new DescribeTableCommand({ TableName: 'life' }));
    assert.equal(Table?.TableStatus, 'ACTIVE');
    assert.equal(Table?.TableId, TableDescription?.TableId);
    assert.equal(await outcome(client.send(table('life'))), 'ResourceInUseException: Table already exists: life');
    const gone = await client.send(new DeleteTableCommand({ TableName: 'life' }));
    assert.equal(gone.TableDescription?.TableStatus, 'DELETING');
    await waitUntilTableNotExists({ client, maxWaitTime: 30 }, { TableName: 'life' });
    const missing = 'ResourceNotFoundException: Requested resource not found';
    assert.equal(
      await outcome(client.send(new DeleteTableCommand({ TableName: 'life' }))),
      `${missing}: Table: life not found`,
    );
    assert.equal(await outcome(client.send(new GetItemCommand({ TableName: 'life', Key: item('a') }))), missing);
  });

  it('a table made again under the same name is empty and untagged', async () => {
    await client.send(indexed('again'));
    await client.send(
      new PutItemCommand({ TableName: 'again', Item: item('a', { sk: { N: '1' }, colour: { S: 'red' } }) }),
    );
    const ResourceArn = `arn:aws:dynamodb:us-east-1:${account}:table/again`;
    await client.send(new TagResourceCommand({ ResourceArn, Tags: [{ Key: 'a', Value: 'b' }] }));
    await client.send(new DeleteTableCommand({ TableName: 'again' }));
    await client.send(indexed('again'));
    assert.equal((await client.send(new ScanCommand({ TableName: 'again' }))).Count, 0);
    assert.equal((await client.send(new ScanCommand({ TableName: 'again', IndexName: 'by-colour' }))).Count, 0);
    assert.deepEqual((await client.send(new ListTagsOfResourceCommand({ ResourceArn }))).Tags, []);
  });

  it('items keep every type; numbers keep their digits and bytes are bytes', async () => {
    await client.send(table('types'));
    const Item = item('a', {
      n: { N: '12345678901234567890123456789012345678' },
      b: { B: Uint8Array.of(0, 255, 1) },
      bs: { BS: [Uint8Array.of(1), Uint8Array.of(2)] },
      l: { L: [{ NULL: true }, { BOOL: false }, { M: { x: { SS: ['a', 'b'] } } }] },
      empty: { S: '' },
    });
    await client.send(new PutItemCommand({ TableName: 'types', Item }));
    const found = await client.send(new GetItemCommand({ TableName: 'types', Key: item('a'), ConsistentRead: true }));
    assert.deepEqual(found.Item, Item);
    assert.equal(
      (await client.send(new GetItemCommand({ TableName: 'types', Key: item('none') }))).Item,
      undefined,
      'no item is no error',
    );
  });

  it('updates, conditions and returned values are as AWS words them', async () => {
    await client.send(table('updates'));
    const key = { TableName: 'updates', Key: item('a') };
    const counted = await client.send(
      new UpdateItemCommand({
        ...key,
        UpdateExpression: 'ADD n :one',
        ExpressionAttributeValues: { ':one': { N: '1' } },
        ReturnValues: 'UPDATED_NEW',
      }),
    );
    assert.deepEqual(counted.Attributes, { n: { N: '1' } });
    const refused = { ...key, ConditionExpression: 'n > :two', ExpressionAttributeValues: { ':two': { N: '2' } } };
    await assert.rejects(
      client.send(new DeleteItemCommand({ ...refused, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' })),
      (error: Error & { Item?: unknown }) => {
        assert.equal(
          `${error.name}: ${error.message}`,
          'ConditionalCheckFailedException: The conditional request failed',
        );
        assert.deepEqual(error.Item, item('a', { n: { N: '1' } }));
        return true;
      },
    );
    await assert.rejects(
      client.send(new DeleteItemCommand(refused)),
      (error: Error) => !('Item' in error && error.Item),
    );
    assert.match(
      await outcome(client.send(new GetItemCommand({ TableName: 'updates', Key: { wrong: { S: 'a' } } }))),
      /^ValidationException: The provided key element does not match the schema$/,
    );
  });

  it('queries are sorted, paged and bounded; an index follows its items', async () => {
    await client.send(indexed('sorted'));
    const numbers = [10, -3, 2, 7.5, 0, 100];
    await client.send(
      new BatchWriteItemCommand({
        RequestItems: {
          sorted: numbers.map((n) => ({
            PutRequest: { Item: item('a', { sk: { N: String(n) }, colour: { S: n > 5 ? 'red' : 'blue' } }) },
          })),
        },
      }),
    );
    const seen: number[] = [];
    let ExclusiveStartKey: Record<string, never> | undefined;
    do {
      const page = await client.send(
        new QueryCommand({
          TableName: 'sorted',
          KeyConditionExpression: 'pk = :a AND sk >= :n',
          ExpressionAttributeValues: { ':a': { S: 'a' }, ':n': { N: '-3' } },
          Limit: 2,
          ScanIndexForward: false,
          ...(ExclusiveStartKey && { ExclusiveStartKey }),
        }),
      );
      seen.push(...(page.Items ?? []).map((one) => Number(one['sk']?.N)));
      ExclusiveStartKey = page.LastEvaluatedKey as typeof ExclusiveStartKey;
    } while (ExclusiveStartKey);
    assert.deepEqual(seen, [100, 10, 7.5, 2, 0, -3]);
    const red = () =>
      client.send(
        new QueryCommand({
          TableName: 'sorted',
          IndexName: 'by-colour',
          KeyConditionExpression: 'colour = :c',
          ExpressionAttributeValues: { ':c': { S: 'red' } },
        }),
      );
    assert.equal((await red()).Count, 3);
    await client.send(new DeleteItemCommand({ TableName: 'sorted', Key: item('a', { sk: { N: '100' } }) }));
    assert.equal((await red()).Count, 2);
    const got = await client.send(
      new BatchGetItemCommand({ RequestItems: { sorted: { Keys: [item('a', { sk: { N: '2' } })] } } }),
    );
    assert.equal(got.Responses?.['sorted']?.length, 1);
  });

  it('reads a long table page by page, each item once', async () => {
    await client.send(table('long'));
    const names = Array.from({ length: 200 }, (_, n) => `item-${n}`);
    for (let at = 0; at < names.length; at += 25)
      await client.send(
        new BatchWriteItemCommand({
          RequestItems: { long: names.slice(at, at + 25).map((name) => ({ PutRequest: { Item: item(name) } })) },
        }),
      );
    const scanned = await client.send(new ScanCommand({ TableName: 'long', ConsistentRead: true }));
    assert.deepEqual(scanned.Items?.map((one) => one['pk']?.S).sort(), [...names].sort());
    const halves = await Promise.all(
      [0, 1].map((Segment) => client.send(new ScanCommand({ TableName: 'long', Segment, TotalSegments: 2 }))),
    );
    assert.equal((halves[0]?.Count ?? 0) + (halves[1]?.Count ?? 0), 200);
  });

  it('a transaction is whole or not at all, says why, and is done once for one token', async () => {
    await client.send(indexed('both'));
    await client.send(table('other'));
    const put = (pk: string) => ({
      Put: { TableName: 'both', Item: item(pk, { sk: { N: '1' }, colour: { S: 'red' } }) },
    });
    const check = (condition: string) => ({
      ConditionCheck: { TableName: 'other', Key: item('gate'), ConditionExpression: condition },
    });
    const write = (TransactItems: object[], ClientRequestToken?: string) =>
      client.send(
        new TransactWriteItemsCommand({
          TransactItems: TransactItems as never,
          ...(ClientRequestToken && { ClientRequestToken }),
        }),
      );
    await assert.rejects(
      write([put('a'), check('attribute_exists(pk)')]),
      (error: Error & { CancellationReasons?: unknown }) => {
        assert.equal(
          `${error.name}: ${error.message}`,
          'TransactionCanceledException: Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]',
        );
        assert.deepEqual(error.CancellationReasons, [
          { Code: 'None' },
          { Code: 'ConditionalCheckFailed', Message: 'The conditional request failed' },
        ]);
        return true;
      },
    );
    const count = async (IndexName?: string) =>
      (await client.send(new ScanCommand({ TableName: 'both', ...(IndexName && { IndexName }) }))).Count;
    assert.equal(await count(), 0);
    assert.equal(await count('by-colour'), 0);
    await write([put('a'), check('attribute_not_exists(pk)')], 'token-1');
    assert.equal(await count('by-colour'), 1);
    await client.send(new DeleteItemCommand({ TableName: 'both', Key: item('a', { sk: { N: '1' } }) }));
    await write([put('a'), check('attribute_not_exists(pk)')], 'token-1');
    assert.equal(await count(), 0, 'the second time is not done again');
    const turned = Object.fromEntries(Object.entries(put('a').Put.Item).reverse());
    await write([{ Put: { Item: turned, TableName: 'both' } }, check('attribute_not_exists(pk)')], 'token-1');
    assert.equal(await count(), 0, 'in whatever order its members come');
    assert.match(await outcome(write([put('b')], 'token-1')), /^IdempotentParameterMismatchException/);
    assert.equal(
      await outcome(write([put('c'), put('c')])),
      'ValidationException: Transaction request cannot include multiple operations on one item',
    );
    await write([put('d')]);
    const read = await client.send(
      new TransactGetItemsCommand({
        TransactItems: [
          { Get: { TableName: 'both', Key: item('d', { sk: { N: '1' } }) } },
          { Get: { TableName: 'other', Key: item('none') } },
        ],
      }),
    );
    assert.deepEqual(
      read.Responses?.map((one) => one.Item?.['pk']?.S),
      ['d', undefined],
    );
  });

  it('tags, also of ARNs that are not there, and tables by ARN', async () => {
    await client.send(table('tagged'));
    const ResourceArn = `arn:aws:dynamodb:us-east-1:${account}:table/tagged`;
    const Tags = [
      { Key: 'team', Value: 'red' },
      { Key: '所有者', Value: 'ü' },
    ];
    await client.send(new TagResourceCommand({ ResourceArn, Tags }));
    await client.send(new UntagResourceCommand({ ResourceArn, TagKeys: ['team'] }));
    assert.deepEqual((await client.send(new ListTagsOfResourceCommand({ ResourceArn }))).Tags, [Tags[1]]);
    const elsewhere = ResourceArn.replace('us-east-1', 'us-west-2');
    assert.equal(
      await outcome(client.send(new TagResourceCommand({ ResourceArn: elsewhere, Tags }))),
      `ResourceNotFoundException: Requested resource not found: ResourcArn: ${elsewhere} not found`,
    );
    await client.send(new PutItemCommand({ TableName: ResourceArn, Item: item('a') }));
    const got = await client.send(new BatchGetItemCommand({ RequestItems: { [ResourceArn]: { Keys: [item('a')] } } }));
    assert.equal(got.Responses?.[ResourceArn]?.length, 1);
  });

  it('a protected table is not deleted', async () => {
    await client.send(table('kept', { DeletionProtectionEnabled: true }));
    assert.match(
      await outcome(client.send(new DeleteTableCommand({ TableName: 'kept' }))),
      /^ValidationException: Resource cannot be deleted as it is currently protected against deletion/,
    );
    await client.send(new UpdateTableCommand({ TableName: 'kept', DeletionProtectionEnabled: false }));
    const { Table } = await client.send(new DescribeTableCommand({ TableName: 'kept' }));
    assert.equal(Table?.DeletionProtectionEnabled, false);
    const { TableDescription } = await client.send(new DeleteTableCommand({ TableName: 'kept' }));
    // Recorded: what the table was made of is not told any more.
    const { AttributeDefinitions, KeySchema, CreationDateTime } = TableDescription ?? {};
    assert.deepEqual(
      [TableDescription?.TableStatus, AttributeDefinitions, KeySchema, CreationDateTime],
      ['DELETING', undefined, undefined, undefined],
    );
  });

  it('a change of throughput holds', async () => {
    const ProvisionedThroughput = { ReadCapacityUnits: 5, WriteCapacityUnits: 5 };
    await client.send(table('throughput', { BillingMode: 'PROVISIONED', ProvisionedThroughput }));
    const more = { ReadCapacityUnits: 7, WriteCapacityUnits: 5 };
    const changing = await client.send(
      new UpdateTableCommand({ TableName: 'throughput', ProvisionedThroughput: more }),
    );
    assert.equal(changing.TableDescription?.TableStatus, 'UPDATING');
    const { Table } = await client.send(new DescribeTableCommand({ TableName: 'throughput' }));
    assert.equal(Table?.TableStatus, 'ACTIVE');
    assert.equal(Table?.ProvisionedThroughput?.ReadCapacityUnits, 7);
    const warm = { ReadUnitsPerSecond: 7, WriteUnitsPerSecond: 5, Status: 'ACTIVE' };
    assert.deepEqual(Table?.WarmThroughput, warm);
    assert.equal(changing.TableDescription?.WarmThroughput, undefined);
    await client.send(indexed('on-demand'));
    const onDemand = await client.send(new DescribeTableCommand({ TableName: 'on-demand' }));
    const ready = { ReadUnitsPerSecond: 12_000, WriteUnitsPerSecond: 4_000, Status: 'ACTIVE' };
    const [index] = onDemand.Table?.GlobalSecondaryIndexes ?? [];
    assert.deepEqual([onDemand.Table?.WarmThroughput, index?.WarmThroughput], [ready, ready]);
  });

  it('an index is made over what is there, follows what comes, and goes', async () => {
    const TableName = 'growing';
    await client.send(table(TableName));
    const put = (pk: string, colour?: object) =>
      client.send(new PutItemCommand({ TableName, Item: item(pk, { ...(colour && { colour }) }) }));
    await put('a', { S: 'red' });
    await put('b', { N: '1' });
    await put('c');
    const change = (GlobalSecondaryIndexUpdates: object[], AttributeDefinitions?: AttributeDefinition[]) =>
      client.send(new UpdateTableCommand({ TableName, GlobalSecondaryIndexUpdates, AttributeDefinitions }));
    const Create = {
      IndexName: 'by-colour',
      KeySchema: [{ AttributeName: 'colour', KeyType: 'HASH' }],
      Projection: { ProjectionType: 'KEYS_ONLY' },
    };
    assert.match(
      await outcome(change([{ Create }])),
      /^ValidationException: .*Some index key attributes are not defined in AttributeDefinitions. Keys: \[colour\]/,
    );
    const colour: AttributeDefinition = { AttributeName: 'colour', AttributeType: 'S' };
    const { TableDescription } = await change([{ Create }], [{ AttributeName: 'pk', AttributeType: 'S' }, colour]);
    assert.equal(TableDescription?.TableStatus, 'UPDATING');
    assert.equal(TableDescription?.GlobalSecondaryIndexes?.[0]?.IndexStatus, 'CREATING');
    const keys = async () =>
      (await client.send(new ScanCommand({ TableName, IndexName: 'by-colour' }))).Items?.map(
        (one) => one['pk']?.S,
      ).sort();
    assert.deepEqual(await keys(), ['a']);
    await put('d', { S: 'red' });
    assert.deepEqual(await keys(), ['a', 'd']);
    assert.match(
      await outcome(put('e', { N: '1' })),
      /^ValidationException: .*Type mismatch for Index Key colour Expected: S Actual: N/,
    );
    assert.equal(
      await outcome(change([{ Create }], [colour])),
      'ValidationException: Attempting to create an index which already exists',
    );
    await change([{ Delete: { IndexName: 'by-colour' } }]);
    const { Table } = await client.send(new DescribeTableCommand({ TableName }));
    assert.equal(Table?.GlobalSecondaryIndexes, undefined);
    assert.deepEqual(Table?.AttributeDefinitions, [{ AttributeName: 'pk', AttributeType: 'S' }]);
    assert.match(await outcome(keys()), /The table does not have the specified index: by-colour$/);
    await put('e', { N: '1' });
    await change([{ Create }], [colour]);
    assert.deepEqual(await keys(), ['a', 'd'], 'what was in the index before is not in it twice');
    assert.equal(
      await outcome(change([{ Delete: { IndexName: 'none' } }])),
      'ResourceNotFoundException: Requested resource not found',
    );
  });

  it('what is not there is refused by name, and what is always so is said', async () => {
    await client.send(table('plain'));
    const refusals = {
      'UnknownOperationException: Postern does not implement dynamodb:UpdateTimeToLive.': new UpdateTimeToLiveCommand({
        TableName: 'plain',
        TimeToLiveSpecification: { Enabled: true, AttributeName: 'at' },
      }),
      'UnknownOperationException: Postern does not implement dynamodb:ExecuteStatement.': new ExecuteStatementCommand({
        Statement: 'SELECT * FROM plain',
      }),
      'ValidationException: Postern does not serve the parameter StreamSpecification of dynamodb:CreateTable.': table(
        'streamed',
        { StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' } },
      ),
      'ValidationException: Postern does not serve the parameter GlobalSecondaryIndexes.1.KeySchema.3 of dynamodb:CreateTable.':
        table('several', {
          GlobalSecondaryIndexes: [
            {
              IndexName: 'by-all',
              KeySchema: [
                { AttributeName: 'pk', KeyType: 'HASH' },
                { AttributeName: 'a', KeyType: 'RANGE' },
                { AttributeName: 'b', KeyType: 'RANGE' },
              ],
              Projection: { ProjectionType: 'ALL' },
            },
          ],
        }),
      'ValidationException: Postern does not serve the parameter GlobalSecondaryIndexUpdates.Create.KeySchema.2 of dynamodb:UpdateTable.':
        new UpdateTableCommand({
          TableName: 'plain',
          AttributeDefinitions: [{ AttributeName: 'a', AttributeType: 'S' }],
          GlobalSecondaryIndexUpdates: [
            {
              Create: {
                IndexName: 'by-two',
                KeySchema: [
                  { AttributeName: 'pk', KeyType: 'HASH' },
                  { AttributeName: 'a', KeyType: 'HASH' },
                ],
                Projection: { ProjectionType: 'ALL' },
              },
            },
          ],
        }),
      'ValidationException: Postern does not serve the parameter OnDemandThroughput of dynamodb:CreateTable.': table(
        'limited',
        { OnDemandThroughput: { MaxReadRequestUnits: 1 } },
      ),
      'ValidationException: Postern does not serve the parameter StreamSpecification of dynamodb:UpdateTable.':
        new UpdateTableCommand({
          TableName: 'plain',
          StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
        }),
    };
    for (const [wanted, command] of Object.entries(refusals))
      assert.equal(await outcome(client.send(command as CreateTableCommand)), wanted);
    const proto = JSON.parse('{"TableName":"plain","Item":{"pk":{"S":"a"},"__proto__":{"S":"b"}}}');
    assert.equal(
      await outcome(client.send(new PutItemCommand(proto))),
      'ValidationException: Postern does not serve the parameter Item.__proto__ of dynamodb:PutItem.',
    );
    const names = (await client.send(new ListTablesCommand({}))).TableNames ?? [];
    assert.ok(names.includes('plain') && !names.includes('streamed') && !names.includes('limited'));
    const ttl = await client.send(new DescribeTimeToLiveCommand({ TableName: 'plain' }));
    assert.equal(ttl.TimeToLiveDescription?.TimeToLiveStatus, 'DISABLED');
    const backups = (TableName: string) => client.send(new DescribeContinuousBackupsCommand({ TableName }));
    assert.equal(
      (await backups('plain')).ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus,
      'DISABLED',
    );
    assert.match(await outcome(backups('none')), /^ResourceNotFoundException/);
    const { $metadata: _, ...insights } = await client.send(
      new DescribeContributorInsightsCommand({ TableName: 'plain' }),
    );
    assert.deepEqual(insights, { TableName: 'plain', ContributorInsightsStatus: 'DISABLED' });
  });

  it('accounts and regions are apart, and ARNs say whose and where', async () => {
    await client.send(table('mine'));
    const others = [
      { client: world.client(world.root, 'eu-west-1'), arn: `arn:aws:dynamodb:eu-west-1:${account}:table/` },
      { client: world.client(world.root, 'cn-north-1'), arn: `arn:aws-cn:dynamodb:cn-north-1:${account}:table/` },
      { client: world.client(world.account('210987654321')), arn: 'arn:aws:dynamodb:us-east-1:210987654321:table/' },
    ];
    for (const other of others) {
      assert.deepEqual((await other.client.send(new ListTablesCommand({}))).TableNames, []);
      const made = await other.client.send(indexed('mine'));
      assert.equal(made.TableDescription?.TableArn, `${other.arn}mine`);
      assert.equal(made.TableDescription?.GlobalSecondaryIndexes?.[0]?.IndexArn, `${other.arn}mine/index/by-colour`);
      await other.client.send(
        new TagResourceCommand({ ResourceArn: `${other.arn}mine`, Tags: [{ Key: 'a', Value: 'b' }] }),
      );
      await other.client.send(new DeleteTableCommand({ TableName: 'mine' }));
    }
    await client.send(new DescribeTableCommand({ TableName: 'mine' }));
    assert.match(
      await outcome(
        others[2]?.client.send(
          new GetItemCommand({ TableName: `arn:aws:dynamodb:us-east-1:${account}:table/mine`, Key: item('a') }),
        ) ?? Promise.resolve(),
      ),
      /^AccessDeniedException: .*dynamodb:GetItem on resource: arn:aws:dynamodb:us-east-1:123456789012:table\/mine/,
    );
  });

  it('every answer has its checksum and an id in DynamoDB’s form', async () => {
    const client = world.client();
    const headers: Record<string, string>[] = [];
    client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        headers.push((result.response as { headers: Record<string, string> }).headers);
        return result;
      },
      { step: 'deserialize', priority: 'low' },
    );
    await client.send(new ListTablesCommand({}));
    await outcome(client.send(new DescribeTableCommand({ TableName: 'none' })));
    assert.equal(headers.length, 2);
    for (const one of headers) {
      assert.match(one['x-amz-crc32'] ?? '', /^\d+$/);
      assert.match(one['x-amzn-requestid'] ?? '', /^[0-9A-Z]{52}$/);
    }
  });
});
