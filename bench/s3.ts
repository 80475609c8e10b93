// The figures of the services behind the doors: S3's objects small, large and very large, its lists and deletes, and the calls of IAM and STS.

import { type Case, elementOf, once, type Request, sendAll, type Target } from './measure.ts';
import type { Credentials } from './signing.ts';

interface Ids {
  /** A user's, for roles cannot be assumed by an account's root. */
  readonly user: Credentials;
}

const object = (method: string, key: string, body = Buffer.alloc(0)): Request => ({
  service: 's3',
  method,
  path: `/bench/${key}`,
  body,
});

const form = (service: 'iam' | 'sts', version: string) => (parameters: Record<string, string>) => ({
  service,
  method: 'POST',
  path: '/',
  headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
  body: Buffer.from(new URLSearchParams({ Version: version, ...parameters }).toString()),
});
const iam = form('iam', '2010-05-08');
const sts = form('sts', '2011-06-15');

const kibibyte = Buffer.alloc(1024, 'k');
const eightMebibytes = Buffer.alloc(8 * 1024 * 1024, 'm');
const gibibyte = 1024 ** 3;
let gibibytes: ReturnType<typeof Buffer.alloc> | undefined;
const oneGibibyte = () => (gibibytes ??= Buffer.alloc(gibibyte, 'g'));
const roleArn = 'arn:aws:iam::123456789012:role/bench';
let serial = 0;

const listed = (index: number) => `list/${String(index).padStart(6, '0')}`;
const deleted = (index: number) =>
  Array.from({ length: 1000 }, (_, at) => object('PUT', `gone/${index}/${String(at).padStart(3, '0')}`));

function deletion(index: number): Request {
  const keys = Array.from(
    { length: 1000 },
    (_, at) => `<Object><Key>gone/${index}/${String(at).padStart(3, '0')}</Key></Object>`,
  );
  const text = `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${keys.join('')}</Delete>`;
  return { service: 's3', method: 'POST', path: '/bench?delete=', body: Buffer.from(text) };
}

const objects: readonly Case<Ids>[] = [
  {
    name: 'S3 put 1 KiB',
    bareGoal: 0.3,
    motoGoal: 20,
    floor: 'commit',
    distinct: 100,
    wanted: (index) => object('PUT', `small-${index % 100}`, kibibyte),
  },
  {
    name: 'S3 get 1 KiB',
    bareGoal: 0.3,
    motoGoal: 20,
    floor: 'signature',
    distinct: 1,
    wanted: () => object('GET', 'small-0'),
  },
  {
    name: 'S3 put 8 MiB',
    bareGoal: 0.7,
    motoGoal: 2,
    floor: 'put',
    distinct: 4,
    wanted: (index) => object('PUT', `large-${index % 4}`, eightMebibytes),
  },
  {
    name: 'S3 get 8 MiB',
    bareGoal: 0.7,
    motoGoal: 2,
    floor: 'get',
    distinct: 1,
    wanted: () => object('GET', 'large-0'),
  },
];

const veryLarge: readonly Case<Ids>[] = [
  {
    name: 'S3 put 1 GiB',
    floor: 'put',
    distinct: 1,
    count: (concurrency) => concurrency,
    answerBytes: 0,
    // It keeps them all in memory.
    withMoto: (concurrency) => concurrency === 1,
    wanted: () => object('PUT', 'huge', oneGibibyte()),
  },
  {
    name: 'S3 get 1 GiB',
    floor: 'get',
    distinct: 1,
    count: (concurrency) => concurrency,
    answerBytes: gibibyte,
    withMoto: (concurrency) => concurrency === 1,
    wanted: () => object('GET', 'huge'),
  },
];

const calls = (keys: number): readonly Case<Ids>[] => [
  {
    name: `S3 list 1,000 of ${keys.toLocaleString('en')} keys`,
    motoGoal: 20,
    p50GoalMs: 20,
    distinct: 1,
    wanted: () => ({
      service: 's3',
      method: 'GET',
      path: `/bench?list-type=2&prefix=list%2F&start-after=${encodeURIComponent(listed(keys / 2))}`,
      body: Buffer.alloc(0),
    }),
  },
  {
    name: 'S3 delete 1,000 keys',
    motoGoal: 20,
    distinct: 'each',
    count: (concurrency) => (concurrency === 1 ? 5 : 16),
    before: deleted,
    withMoto: (concurrency) => concurrency === 1,
    wanted: deletion,
  },
  {
    name: 'CreateUser',
    bareGoal: 0.3,
    motoGoal: 20,
    floor: 'commit',
    distinct: 'each',
    wanted: () => iam({ Action: 'CreateUser', UserName: `bench-${serial++}` }),
  },
  {
    name: 'GetUser',
    bareGoal: 0.3,
    motoGoal: 20,
    floor: 'signature',
    distinct: 1,
    wanted: () => iam({ Action: 'GetUser', UserName: 'bench' }),
  },
  {
    name: 'AssumeRole',
    bareGoal: 0.3,
    motoGoal: 20,
    floor: 'signature',
    distinct: 1,
    as: (ids) => ids.user,
    wanted: () => sts({ Action: 'AssumeRole', RoleArn: roleArn, RoleSessionName: 'bench' }),
  },
  {
    name: 'GetCallerIdentity',
    bareGoal: 0.3,
    motoGoal: 20,
    floor: 'signature',
    distinct: 1,
    wanted: () => sts({ Action: 'GetCallerIdentity' }),
  },
];

/** @param quick fewer keys, and no objects of a gigabyte */
export function s3Cases(quick: boolean): readonly Case<Ids>[] {
  return [...objects, ...(quick ? [] : veryLarge), ...calls(keysOf(quick))];
}

const keysOf = (quick: boolean) => (quick ? 10_000 : 100_000);
/** What moto takes minutes to be given; a list of fewer keys is no slower for it. */
const motoKeys = 3000;

/** A bucket with objects and keys, a user who may do everything, and a role that the account may assume. */
export function furnishS3(quick: boolean): (target: Target) => Promise<Ids> {
  return async (target) => {
    await once(target, { service: 's3', method: 'PUT', path: '/bench', body: Buffer.alloc(0) });
    await once(target, object('PUT', 'small-0', kibibyte));
    await once(target, object('PUT', 'large-0', eightMebibytes));
    const keys = target.name === 'moto' ? motoKeys : keysOf(quick);
    // Those after the one in the middle are what is listed.
    const from = Math.floor(keysOf(quick) / 2 - keys / 2);
    await sendAll(
      target,
      Array.from({ length: keys }, (_, index) => object('PUT', listed(from + index))),
    );
    const document = (statement: object) => JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
    await once(target, iam({ Action: 'CreateUser', UserName: 'bench' }));
    const PolicyDocument = document({ Effect: 'Allow', Action: '*', Resource: '*' });
    await once(target, iam({ Action: 'PutUserPolicy', UserName: 'bench', PolicyName: 'all', PolicyDocument }));
    const AssumeRolePolicyDocument = document({
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws:iam::123456789012:root' },
      Action: 'sts:AssumeRole',
    });
    await once(target, iam({ Action: 'CreateRole', RoleName: 'bench', AssumeRolePolicyDocument }));
    const made = await once(target, iam({ Action: 'CreateAccessKey', UserName: 'bench' }));
    const accessKeyId = elementOf(target, made, 'AccessKeyId');
    return { user: { accessKeyId, secretAccessKey: elementOf(target, made, 'SecretAccessKey') } };
  };
}
