// What a browser asks of S3: preflights, forms with a signed policy, and pages of a website.

import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import type { GetObjectOutput, HeadObjectOutput } from '@aws-sdk/client-s3';
import { AwsError } from '../../errors.ts';
import type { StreamingBody, WebAnswer, WebRequest } from '../../service.ts';
import { awsError, testNow } from '../../testing.ts';
import { body, bytesOf, makeS3 } from './testing.ts';

type Got = Omit<GetObjectOutput, 'Body'> & { Body: StreamingBody };
const Bucket = 'notes';
const key = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' };

async function withBucket(t: TestContext) {
  const s3 = makeS3(t);
  await s3.run('CreateBucket', { Bucket });
  const ask = async (given: Partial<WebRequest> & Pick<WebRequest, 'method'>): Promise<WebAnswer> => {
    const request: WebRequest = {
      headers: {},
      url: '/',
      bucket: Bucket,
      key: '',
      body: Readable.from([]),
      requestId: 'R',
      region: 'us-east-1',
      now: testNow,
      credentials: (id) => (id === key.accessKeyId ? key : undefined),
      run: <O>(name: string, input: object) => s3.run<O>(name, input),
      ...given,
    };
    const handler = s3.s3.service.web?.({ method: request.method, headers: request.headers });
    if (!handler) throw new Error('nobody answers');
    return handler(request);
  };
  const text = async (Key: string) =>
    (await bytesOf((await s3.run<Got>('GetObject', { Bucket, Key })).Body)).toString();
  return { ...s3, ask, text };
}

test('a preflight is answered by the first rule that fits, and refused in the words of S3', async (t) => {
  const { run, ask, s3 } = await withBucket(t);
  const preflight = (origin: string, method: string, headers = '') =>
    ask({
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': method,
        ...(headers && { 'access-control-request-headers': headers }),
      },
    });
  await assert.rejects(ask({ method: 'OPTIONS' }), awsError('BadRequest', /Origin request header needed/));
  await assert.rejects(preflight('http://a', 'PUT'), awsError('AccessForbidden', /CORS is not enabled/));
  const withoutMethod = ask({ method: 'OPTIONS', headers: { origin: 'http://a' } });
  await assert.rejects(withoutMethod, awsError('AccessForbidden', /CORS is not enabled/));
  const CORSRules = [
    {
      AllowedMethods: ['PUT'],
      AllowedOrigins: ['http://*.a.org'],
      AllowedHeaders: ['x-amz-*'],
      ExposeHeaders: ['ETag'],
    },
    { AllowedMethods: ['GET'], AllowedOrigins: ['*'], MaxAgeSeconds: 30 },
  ];
  await run('PutBucketCors', { Bucket, CORSConfiguration: { CORSRules } });
  const put = await preflight('http://x.a.org', 'PUT', 'X-Amz-Date, x-amz-acl');
  assert.equal(put.headers['Access-Control-Allow-Origin'], 'http://x.a.org');
  assert.equal(put.headers['Access-Control-Allow-Headers'], 'x-amz-date, x-amz-acl');
  assert.equal((await preflight('http://b.org', 'GET')).headers['Access-Control-Allow-Origin'], '*');
  for (const [origin, method, headers] of [
    ['http://b.org', 'PUT', ''],
    ['http://x.a.org', 'PUT', 'authorization'],
    ['http://x.a.org', 'DELETE', ''],
  ] as const)
    await assert.rejects(preflight(origin, method, headers), awsError('AccessForbidden', /not whitelisted/));
  assert.equal(s3.service.crossOrigin?.(Bucket, 'GET', { origin: 'http://z' })?.['Access-Control-Max-Age'], '30');
  assert.equal(s3.service.crossOrigin?.(Bucket, 'DELETE', { origin: 'http://z' }), undefined);
  // Recorded: a request that says what it would ask beforehand is held to that.
  const asking = { origin: 'http://z', 'access-control-request-method': 'DELETE' };
  assert.equal(s3.service.crossOrigin?.(Bucket, 'GET', asking), undefined);
});

function hmac(secret: string | Buffer, text: string): Buffer {
  return createHmac('sha256', secret).update(text).digest();
}

function form(
  conditions: readonly unknown[],
  fields: Record<string, string>,
  file: string,
  expires = '2026-11-21T09:00:00Z',
) {
  const policy = Buffer.from(JSON.stringify({ expiration: expires, conditions })).toString('base64');
  let signing: Buffer | string = `AWS4${key.secretAccessKey}`;
  for (const part of ['20261121', 'us-east-1', 's3', 'aws4_request']) signing = hmac(signing, part);
  const all: Record<string, string> = {
    ...fields,
    policy,
    'x-amz-algorithm': 'AWS4-HMAC-SHA256',
    'x-amz-credential': `${key.accessKeyId}/20261121/us-east-1/s3/aws4_request`,
    'x-amz-date': '20261121T080000Z',
    'x-amz-signature': hmac(signing, policy).toString('hex'),
  };
  return multipart(all, file);
}

const signatureConditions = [
  ['starts-with', '$x-amz-algorithm', ''],
  ['starts-with', '$x-amz-credential', ''],
  ['starts-with', '$x-amz-date', ''],
];

/** Cut into pieces of seven bytes: no boundary arrives whole. */
function multipart(fields: Record<string, string>, file: string, mark = 'b0undary') {
  let text = '';
  for (const [name, value] of Object.entries(fields))
    text += `--${mark}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  text += `--${mark}\r\nContent-Disposition: form-data; name="file"; filename="C:\\dir\\f.txt"\r\n\r\n${file}\r\n--${mark}--\r\n`;
  const bytes = Buffer.from(text);
  const pieces = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, at) => bytes.subarray(at * 7, at * 7 + 7));
  return {
    method: 'POST',
    headers: { 'content-type': `multipart/form-data; boundary=${mark}`, host: 'h' },
    body: Readable.from(pieces, { objectMode: false }),
  };
}

test('a form that its policy allows puts the file, whatever the pieces it comes in', async (t) => {
  const { ask, text, run } = await withBucket(t);
  const file = 'line\r\n--b0undarx\r\nline\r\n'.repeat(4000);
  const name = '$' + '{filename}';
  const conditions = [
    { bucket: Bucket },
    ['starts-with', '$key', 'up/'],
    ['content-length-range', 1, 1_000_000],
    { success_action_status: '201' },
    ...signatureConditions,
  ];
  const named = [...conditions, { 'x-amz-meta-who': 'Zoë 😀' }];
  const made = await ask(
    form(named, { key: `up/${name}`, success_action_status: '201', 'x-amz-meta-who': 'Zoë 😀' }, file),
  );
  assert.equal(made.status, 201);
  assert.match(String(made.body), /<Bucket>notes<\/Bucket><Key>up\/f\.txt<\/Key>/);
  assert.equal(await text('up/f.txt'), file);
  // A header cannot hold it.
  const { Metadata } = await run<Got>('GetObject', { Bucket, Key: 'up/f.txt' });
  assert.equal(Metadata?.['who'], '=?UTF-8?B?Wm/DqyDwn5iA?=');
  const override = { Bucket, Key: 'up/f.txt', ResponseContentDisposition: '😀' };
  await assert.rejects(run('GetObject', override), awsError('InvalidArgument', /ISO-8859-1/));
});

test('what a form makes is told by its own name, with its checksum; what headers cannot hold is left out of them', async (t) => {
  const { ask, run } = await withBucket(t);
  const open = ['cache-control', 'x-amz-meta-word'].map((name) => ['starts-with', `$${name}`, '']);
  const fields = { key: 'é k', 'cache-control': 'a—é', 'x-amz-meta-word': '=?UTF-8?B?YWJj?=' };
  const sent = form([{ bucket: Bucket }, ['starts-with', '$key', ''], ...open, ...signatureConditions], fields, 'x');
  const made = await ask({ ...sent, headers: { ...sent.headers, host: `${Bucket}.s3.amazonaws.com` } });
  assert.equal(made.headers['Location'], `https://${Bucket}.s3.amazonaws.com/%C3%A9%20k`);
  assert.equal(made.headers['x-amz-checksum-type'], 'FULL_OBJECT');
  assert.match(made.headers['x-amz-checksum-crc64nvme'] ?? '', /=$/);
  const got = await run<Got>('GetObject', { Bucket, Key: 'é k' });
  assert.deepEqual([got.CacheControl, got.Metadata], ['a é', { word: '=?UTF-8?B?YWJj?=' }]);
});

test('a form is refused for what its policy does not say, and leaves nothing', async (t) => {
  const { ask, store } = await withBucket(t);
  const base = [{ bucket: Bucket }, { key: 'k' }, ...signatureConditions];
  const target = 'http://localhost.test/random';
  const cases: readonly [object, string, (string | RegExp)?][] = [
    [form(base, { key: 'k', more: '1' }, 'x'), 'AccessDenied', 'Invalid according to Policy: Extra input fields: more'],
    [
      form(base, { key: 'k' }, 'x', '2026-11-21T07:00:00Z'),
      'AccessDenied',
      'Invalid according to Policy: Policy expired.',
    ],
    [
      form(base, { key: 'k' }, 'x', '2026-11-21 09:00:00+00:00'),
      'InvalidPolicyDocument',
      "Invalid Policy: Invalid 'expiration' value: '2026-11-21 09:00:00+00:00'",
    ],
    [
      form([...base, ['eq', '$success_action_redirect', target]], { key: 'k', success_action_redirect: 'x' }, 'x'),
      'AccessDenied',
      `Invalid according to Policy: Policy Condition failed: ["eq", "$success_action_redirect", "${target}"]`,
    ],
    [
      form([...base, ['content-length-range', 'test', 10]], { key: 'k' }, 'x'),
      'AccessDenied',
      'Invalid according to Policy: Policy Condition failed: ["content-length-range", "test", "10"]',
    ],
    [form([...base, { a: '1', b: '2' }], { key: 'k' }, 'x'), 'InvalidPolicyDocument', /exactly one property/],
    [form([...base, ['content-length-range', 0, 3]], { key: 'k' }, 'long'), 'EntityTooLarge'],
    [form([...base, ['content-length-range', 9, 12]], { key: 'k' }, 'short'), 'EntityTooSmall'],
    [multipart({ key: 'k', policy: 'e30=', 'x-amz-signature': '0' }, 'x'), 'InvalidArgument', /X-Amz-Algorithm/],
    [multipart({ acl: 'private' }, 'x'), 'InvalidArgument', /'key'/],
    // Recorded: nobody signed it; somebody did, and not that; tags that are no XML.
    [multipart({ key: 'k', policy: 'e30=' }, 'x'), 'AccessDenied', 'Access Denied'],
    [
      form([...base, ['starts-with', '$tagging', '']], { key: 'k', tagging: 'not-xml' }, 'x'),
      'MalformedXML',
      /^The XML you provided/,
    ],
  ];
  for (const [request, code, message] of cases) await assert.rejects(ask(request as never), awsError(code, message));
  const forged = form(base, { key: 'k' }, 'x');
  const unknown = { ...forged, credentials: () => ({ secretAccessKey: 'other' }) };
  await assert.rejects(ask(unknown), awsError('SignatureDoesNotMatch'));
  const late = { ...form(base, { key: 'k' }, 'x'), credentials: () => ({ ...key, expiration: testNow }) };
  await assert.rejects(ask(late), awsError('ExpiredToken'));
  assert.deepEqual(store.bytesIds(), []);
});

test("a form's checksum is verified, and its lock is kept", async (t) => {
  const { ask, run } = await withBucket(t);
  const Bucket = 'locked-notes';
  await run('CreateBucket', { Bucket, ObjectLockEnabledForBucket: true });
  const send = (fields: Record<string, string>) => {
    const open = Object.keys(fields).map((name) => ['starts-with', `$${name}`, '']);
    return ask({ ...form([{ bucket: Bucket }, ...open, ...signatureConditions], fields, 'secret'), bucket: Bucket });
  };
  const sha256 = createHash('sha256').update('secret').digest('base64');
  const wrong = createHash('sha256').update('other').digest('base64');
  const until = new Date(testNow.getTime() + 3_600_000);
  const locked = {
    key: 'k',
    'x-amz-object-lock-mode': 'GOVERNANCE',
    'x-amz-object-lock-retain-until-date': until.toISOString(),
  };
  await assert.rejects(send({ ...locked, 'x-amz-checksum-sha256': wrong }), awsError('BadDigest'));
  await assert.rejects(
    send({ ...locked, 'x-amz-object-lock-retain-until-date': 'soon' }),
    awsError('InvalidArgument', /ISO 8601/),
  );
  assert.equal((await send({ ...locked, 'x-amz-checksum-sha256': sha256 })).status, 204);
  const head = await run<HeadObjectOutput>('HeadObject', { Bucket, Key: 'k', ChecksumMode: 'ENABLED' });
  assert.deepEqual([head.ChecksumSHA256, head.ObjectLockRetainUntilDate], [sha256, until]);
});

test('a website shows indexes, redirects and error pages', async (t) => {
  const { run, ask } = await withBucket(t);
  const host = `${Bucket}.s3-website-us-east-1.amazonaws.com`;
  const visit = async (url: string, method = 'GET') => {
    const { status, headers, body: content } = await ask({ method, url, headers: { host } });
    const shown = typeof content === 'string' ? content : (await bytesOf(content)).toString();
    return { status, location: headers['Location'], shown };
  };
  assert.match((await visit('/')).shown, /Code: NoSuchWebsiteConfiguration/);
  const put = (Key: string, text: string, more: object = {}) =>
    run('PutObject', { Bucket, Key, Body: body(text), ...more });
  await put('index.html', 'home');
  await put('docs/index.html', 'docs');
  await put('moved', '', { WebsiteRedirectLocation: '/docs/' });
  await run('PutBucketWebsite', {
    Bucket,
    WebsiteConfiguration: {
      IndexDocument: { Suffix: 'index.html' },
      ErrorDocument: { Key: 'oops.html' },
      RoutingRules: [
        { Condition: { KeyPrefixEquals: 'old/' }, Redirect: { ReplaceKeyPrefixWith: 'new/' } },
        {
          Condition: { KeyPrefixEquals: 'lost/', HttpErrorCodeReturnedEquals: '404' },
          Redirect: { HostName: 'elsewhere.org', HttpRedirectCode: '307', Protocol: 'https' },
        },
      ],
    },
  });
  assert.equal((await visit('/')).shown, 'home');
  assert.deepEqual(await visit('/docs'), { status: 302, location: '/docs/', shown: '' });
  assert.equal((await visit('/docs/?x=1')).shown, 'docs');
  assert.equal((await visit('/moved')).location, '/docs/');
  assert.equal((await visit('/old/a%20b')).location, `http://${host}/new/a%20b`);
  assert.deepEqual(await visit('/lost/x'), { status: 307, location: 'https://elsewhere.org/lost/x', shown: '' });
  // The site's own page for errors is missing too, and that is said besides (recorded).
  assert.match(
    (await visit('/none')).shown,
    /404 Not Found.*Key: none<.*<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document<\/h3>.*Key: oops.html</s,
  );
  await put('oops.html', 'sorry');
  assert.deepEqual(await visit('/none'), { status: 404, location: undefined, shown: 'sorry' });
  await put('oops.html', '', { WebsiteRedirectLocation: '/docs/' });
  assert.deepEqual(await visit('/none'), { status: 301, location: '/docs/', shown: '' });
  assert.equal((await visit('/', 'PUT')).status, 405);
  await run('PutBucketWebsite', {
    Bucket,
    WebsiteConfiguration: { RedirectAllRequestsTo: { HostName: 'b.org', Protocol: 'https' } },
  });
  assert.equal((await visit('/a/b')).location, 'https://b.org/a/b');
});

test('an error of a page that is no AwsError is not hidden', async (t) => {
  const { run, ask } = await withBucket(t);
  await run('PutBucketWebsite', { Bucket, WebsiteConfiguration: { IndexDocument: { Suffix: 'i' } } });
  const headers = { host: `${Bucket}.s3-website.localhost:4566` };
  const broken = () => Promise.reject(new Error('broken'));
  await assert.rejects(ask({ method: 'GET', headers, run: broken }), (error) => !(error instanceof AwsError));
});
