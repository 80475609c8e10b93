// Errors as AWS was recorded to answer them, asked by the SDK's client of tables with the key `pk`, and `pk` and `sk`.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import {
  CreateTableCommand,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { makeDynamodb, outcome } from './testing.ts';

const TableName = 'recorded';
const Key = { pk: { S: 'a' } };
const unused = 'ValidationException: Value provided in ExpressionAttributeNames unused in expressions: keys: {#count}';
// Since August 2026: what writes find wrong in a request by itself is counted, what reads and transactions do is not.
const counted = (message: string) => `ValidationException: 1 validation error detected: ${message}`;
const update = (more: object) => new UpdateItemCommand({ TableName, Key, ...more });
const query = (KeyConditionExpression: string, more = {}) =>
  new QueryCommand({
    TableName,
    KeyConditionExpression,
    ExpressionAttributeValues: { ':pk': { S: 'a' } },
    ...more,
  });
const projected = 'ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName';
const specific = 'Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES';
const transact = (...TransactItems: object[]) =>
  new TransactWriteItemsCommand({ TransactItems: TransactItems as never });
const hash = { AttributeName: 'pk', KeyType: 'HASH' } as const;
const definition = { AttributeName: 'pk', AttributeType: 'S' } as const;

const cases: readonly (readonly [command: object, answer: string])[] = [
  [
    new GetItemCommand({ TableName, Key, ExpressionAttributeNames: { '#a': 'b' } }),
    'ValidationException: ExpressionAttributeNames can only be specified when using expressions',
  ],
  [
    new GetItemCommand({ TableName, Key, ProjectionExpression: 'a', ExpressionAttributeNames: {} }),
    'ValidationException: ExpressionAttributeNames must not be empty',
  ],
  [
    new GetItemCommand({ TableName, Key, ProjectionExpression: 'pk', ExpressionAttributeNames: { '#count': 'count' } }),
    unused,
  ],
  [
    new GetItemCommand({ TableName, Key: { ...Key, sk: { S: 'b' } } }),
    'ValidationException: The provided key element does not match the schema',
  ],
  [
    new PutItemCommand({
      TableName,
      Item: Key,
      ConditionExpression: 'attribute_not_exists(body)',
      ExpressionAttributeNames: { '#count': 'count' },
    }),
    counted('Value provided in ExpressionAttributeNames unused in expressions: keys: {#count}'),
  ],
  [
    new PutItemCommand({ TableName, Item: { ...Key, set: { SS: [] } } }),
    counted('One or more parameter values were invalid: An string set may not be empty'),
  ],
  [
    new DeleteItemCommand({
      TableName,
      Key,
      ConditionExpression: 'attribute_not_exists(body)',
      ExpressionAttributeNames: { '#count': 'count' },
    }),
    counted('Value provided in ExpressionAttributeNames unused in expressions: keys: {#count}'),
  ],
  [
    update({
      UpdateExpression: 'SET s = :s REMOVE s.a',
      ExpressionAttributeValues: { ':s': { S: 'x' } },
    }),
    counted(
      'Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [s], path two: [s, a]',
    ),
  ],
  [
    update({ UpdateExpression: 'SET a = :v', ExpressionAttributeValues: { ':v': { S: 'x' }, ':w': { S: 'y' } } }),
    counted('Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}'),
  ],
  [
    update({ UpdateExpression: 'SET x = :one', ExpressionAttributeValues: { ':one': { NS: [] } } }),
    counted('One or more parameter values were invalid: An number set may not be empty'),
  ],
  [
    update({
      UpdateExpression: 'SET #d = :s',
      ExpressionAttributeNames: { '#d': 'd' },
      ExpressionAttributeValues: {},
    }),
    counted('ExpressionAttributeValues must not be empty'),
  ],
  [update({ UpdateExpression: '' }), counted('Invalid UpdateExpression: The expression can not be empty;')],
  [
    update({ Key: { pk: { S: 'x'.repeat(3000) } }, UpdateExpression: 'REMOVE a' }),
    'ValidationException: One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes',
  ],
  [
    query('pk = :pk', { FilterExpression: '' }),
    'ValidationException: Invalid FilterExpression: The expression can not be empty;',
  ],
  [query('pk = :pk', { Select: 'ALL_PROJECTED_ATTRIBUTES' }), counted(projected)],
  [new ScanCommand({ TableName, Select: 'ALL_PROJECTED_ATTRIBUTES' }), `ValidationException: ${projected}`],
  [query('pk = :pk', { Select: 'SPECIFIC_ATTRIBUTES' }), counted(specific)],
  [new ScanCommand({ TableName, Select: 'SPECIFIC_ATTRIBUTES' }), `ValidationException: ${specific}`],
  [
    query('pk = :pk', { Select: 'COUNT', ProjectionExpression: 'pk' }),
    counted('Cannot specify the ProjectionExpression when choosing to get only the Count'),
  ],
  [
    new ScanCommand({ TableName, Select: 'ALL_ATTRIBUTES', AttributesToGet: ['pk'] }),
    'ValidationException: Cannot specify the AttributesToGet when choosing to get ALL_ATTRIBUTES',
  ],
  [query('wrongName = :pk'), 'ValidationException: Query condition missed key schema element: pk'],
  [
    query('colour = :pk', { IndexName: 'by-pk' }),
    'ValidationException: The table does not have the specified index: by-pk',
  ],
  [
    new ScanCommand({
      TableName,
      FilterExpression: 'attr = loc',
      ExpressionAttributeValues: { loc: { S: 'sth' } },
    }),
    'ValidationException: ExpressionAttributeValues contains invalid key: Syntax error; key: "loc"',
  ],
  [transact({ Put: { TableName: 'none', Item: Key } }), 'ResourceNotFoundException: Requested resource not found'],
  [
    transact({ Put: { TableName, Item: Key } }, { Delete: { TableName, Key } }),
    'ValidationException: Transaction request cannot include multiple operations on one item',
  ],
  [
    transact({
      Update: {
        TableName,
        Key,
        UpdateExpression: 'SET a = :v SET b = :v',
        ExpressionAttributeValues: { ':v': { S: 'x' } },
      },
    }),
    'ValidationException: Invalid UpdateExpression: The "SET" section can only be used once in an update expression;',
  ],
  [
    transact({ Put: { TableName, Item: { pk: { S: '' } } } }),
    'ValidationException: One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk',
  ],
  [
    transact({
      Update: {
        TableName,
        Key: { pk: { S: '' } },
        UpdateExpression: 'SET a = :v',
        ExpressionAttributeValues: { ':v': { N: '0' } },
      },
    }),
    'ValidationException: One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk',
  ],
  [
    new CreateTableCommand({
      TableName: 'unknown-index-key-type',
      KeySchema: [hash],
      AttributeDefinitions: [definition],
      BillingMode: 'PAY_PER_REQUEST',
      GlobalSecondaryIndexes: [
        {
          IndexName: 'by-pk',
          KeySchema: [hash, { AttributeName: 'sk', KeyType: 'SORT' as never }],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    }),
    "ValidationException: 1 validation error detected: Value 'SORT' at 'globalSecondaryIndexes.1.member.keySchema.2.member.keyType' failed to satisfy constraint: Member must satisfy enum value set: [HASH, RANGE]",
  ],
  [
    new CreateTableCommand({
      TableName: 'unknown-key-type',
      KeySchema: [hash, { AttributeName: 'sk', KeyType: 'SORT' as never }],
      AttributeDefinitions: [definition, { AttributeName: 'sk', AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
    "ValidationException: 1 validation error detected: Value 'SORT' at 'keySchema.2.member.keyType' failed to satisfy constraint: Member must satisfy enum value set: [HASH, RANGE]",
  ],
  [
    new CreateTableCommand({ TableName: 'no-throughput', KeySchema: [hash], AttributeDefinitions: [definition] }),
    'ValidationException: One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED',
  ],
];

describe('errors as recorded', async () => {
  const world = await makeDynamodb({ after: (work) => after(work as () => Promise<void>) });
  const client: DynamoDBClient = world.client();
  await client.send(
    new CreateTableCommand({
      TableName,
      KeySchema: [hash],
      AttributeDefinitions: [definition],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  for (const [command, answer] of cases)
    it(`${command.constructor.name.replace('Command', '')}: ${answer}`, async () => {
      // The records have single spaces where dynalite, and so perhaps AWS, has two.
      assert.equal((await outcome(client.send(command as GetItemCommand))).replaceAll(/ +/g, ' '), answer);
    });
});
