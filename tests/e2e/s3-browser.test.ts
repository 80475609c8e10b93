// S3 as a browser uses it: a form that uploads a file, and scripts of pages from two origins. A real Chromium loads pages that this test serves; what they come to know they
// send back here. The pages' origins and the endpoint's differ in their ports, which is all that a browser needs to ask first.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketCorsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { bringUp, type Own } from './own-cloud.ts';

const Bucket = 'browser-notes';
const programs = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'];
const program = programs.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
const skip = program === undefined && `no browser runs here: none of ${programs.join(', ')}`;
const longMs = 90_000;
/** A browser has friends of its own to talk to; this one knows no name at all. */
const quiet = [
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
  '--disable-background-networking',
  '--disable-component-update',
  '--no-first-run',
];

let cloud: Own;
let s3: S3Client;
const pages = new Map<string, string>();
const servers: Server[] = [];
let origins: readonly [allowed: string, other: string];
/** What pages sent, by path; and who waits for it. */
const told = new Map<string, (text: string) => void>();

/** An origin of its own. */
async function origin(): Promise<string> {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://here').pathname;
    const text = request.method === 'POST' ? await textOf(request) : (request.url ?? '');
    told.get(path)?.(text);
    response.setHeader('Content-Type', 'text/html; charset=utf-8').end(pages.get(path) ?? 'thank you');
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
}

before(async () => {
  if (skip) return;
  cloud = await bringUp();
  const credentials = {
    accessKeyId: cloud.environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: cloud.environment['AWS_SECRET_ACCESS_KEY'] ?? '',
  };
  s3 = new S3Client({ endpoint: cloud.endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  origins = [await origin(), await origin()];
  await s3.send(new CreateBucketCommand({ Bucket }));
});
after(async () => {
  for (const server of servers) server.close().closeAllConnections();
  s3?.destroy();
  await cloud?.end();
});

/** Has the browser load a page that says something to `path`, and gives what it said. */
async function inBrowser(url: string, path: string): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), 'postern-browser-'));
  // The sandbox wants user namespaces, which a test's machine may not have; the pages are our own. A port for a debugger keeps it from leaving after the first page.
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--remote-debugging-port=0',
    ...quiet,
  ];
  let words = '';
  const browser: ChildProcess = spawn(program ?? '', [...flags, `--user-data-dir=${home}`, url], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, HOME: home },
    // A group of its own: its helpers go with it.
    detached: true,
  });
  // It complains about every service of a desktop that is not here; what a page's script complains about is worth reading.
  browser.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words += text
      .split('\n')
      .filter((line) => line.includes('CONSOLE'))
      .join('\n');
  });
  const gone = new Promise<void>((resolve) => browser.once('exit', () => resolve()));
  try {
    return await new Promise<string>((resolve, reject) => {
      told.set(path, resolve);
      const limit = setTimeout(() => reject(new Error(`the page said nothing; the browser: ${words}`)), longMs);
      limit.unref();
      gone.then(() => reject(new Error(`the browser ended: ${words}`)));
    });
  } finally {
    told.delete(path);
    if (browser.pid !== undefined && browser.exitCode === null) process.kill(-browser.pid, 'SIGKILL');
    await gone;
    browser.stderr?.destroy();
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The fields of a form that may upload below `up/`, signed. */
function formFields(more: Readonly<Record<string, string>>, conditions: readonly unknown[]): Record<string, string> {
  const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const date = stamp.slice(0, 8);
  const key = cloud.environment['AWS_ACCESS_KEY_ID'] ?? '';
  const fields = {
    key: ['up/$', '{filename}'].join(''),
    'x-amz-algorithm': 'AWS4-HMAC-SHA256',
    'x-amz-credential': `${key}/${date}/us-east-1/s3/aws4_request`,
    'x-amz-date': stamp,
    ...more,
  };
  const exact = Object.entries(fields).filter(([name]) => name !== 'key');
  const document = {
    expiration: new Date(Date.now() + 600_000).toISOString(),
    conditions: [
      { bucket: Bucket },
      ['starts-with', '$key', 'up/'],
      ...exact.map(([name, value]) => ({ [name]: value })),
      ...conditions,
    ],
  };
  const policy = Buffer.from(JSON.stringify(document)).toString('base64');
  const secret = `AWS4${cloud.environment['AWS_SECRET_ACCESS_KEY'] ?? ''}`;
  const signingKey = [date, 'us-east-1', 's3', 'aws4_request'].reduce<Buffer | string>(hmac, secret);
  return { ...fields, policy, 'x-amz-signature': hmac(signingKey, policy).toString('hex') };
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** A form with a file in it; the script behind it decides what becomes of it. */
function formPage(fields: Readonly<Record<string, string>>, fileName: string, text: string, script: string): string {
  const inputs = Object.entries(fields).map(([name, value]) => `<input type="hidden" name="${name}" value='${value}'>`);
  return `<!doctype html><meta charset="utf-8">
<form id="form" method="post" enctype="multipart/form-data" action="${cloud.endpoint}/${Bucket}">${inputs.join('')}<input type="file" name="file" id="file"></form>
<iframe name="frame" id="frame"></iframe>
<script>
const form = document.getElementById('form');
const chosen = new DataTransfer();
chosen.items.add(new File([${JSON.stringify(text)}], ${JSON.stringify(fileName)}, { type: 'text/plain' }));
document.getElementById('file').files = chosen.files;
const tell = (path, what) => fetch(path, { method: 'POST', body: JSON.stringify(what) });
${script}
</script>`;
}

const stored = async () =>
  ((await s3.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).map(({ Key }) => Key).sort();

test('a form uploads a file and the browser lands where the policy says', { skip }, async () => {
  const landing = `${origins[0]}/landed?from=form`;
  const fields = formFields({ success_action_redirect: landing, 'x-amz-meta-mood': 'gut, ja' }, [
    ['content-length-range', 1, 100],
  ]);
  pages.set('/form', formPage(fields, 'ü x+%.txt', 'from a browser\n', 'form.submit();'));
  const url = new URL(await inBrowser(`${origins[0]}/form`, '/landed'), origins[0]);
  const { Body, Metadata, ETag } = await s3.send(new GetObjectCommand({ Bucket, Key: 'up/ü x+%.txt' }));
  assert.equal(await Body?.transformToString(), 'from a browser\n');
  assert.deepEqual(Metadata, { mood: 'gut, ja' });
  assert.deepEqual(Object.fromEntries(url.searchParams), {
    from: 'form',
    bucket: Bucket,
    key: 'up/ü x+%.txt',
    etag: ETag,
  });
});

test('a form whose file or field the policy does not allow stores nothing, and a script reads why where CORS lets it', {
  skip,
}, async () => {
  const before = await stored();
  const rules = [{ AllowedMethods: ['POST'], AllowedOrigins: [origins[0]] }];
  await s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: rules } }));
  const fields = formFields({ success_action_status: '201' }, [['content-length-range', 1, 10]]);
  const script = `
const send = async (change) => {
  const data = new FormData(form);
  change(data);
  const answer = await fetch(form.action, { method: 'POST', body: data });
  const text = await answer.text();
  const part = (name) => (text.match('<' + name + '>(.*?)</' + name + '>') ?? [])[1];
  return [answer.status, part('Code') ?? part('Key'), part('Message')];
};
const file = (text) => new File([text], 'n.txt');
const run = async () => {
  // First as a form does it: what the frame then shows, only a person sees.
  await new Promise((shown) => {
    form.target = 'frame';
    form.submit();
    document.getElementById('frame').addEventListener('load', shown);
  });
  await tell('/refused', [
    await send((data) => data.set('file', file('x'.repeat(11)))),
    await send((data) => { data.set('key', 'elsewhere'); data.set('file', file('short')); }),
    await send((data) => { data.set('acl', 'public-read'); const last = file('short'); data.delete('file'); data.set('file', last); }),
    await send((data) => data.set('file', file('short'))),
  ]);
};
run().catch((error) => tell('/refused', String(error)));`;
  pages.set('/strict', formPage(fields, 'long.txt', 'x'.repeat(11), script));
  assert.deepEqual(JSON.parse(await inBrowser(`${origins[0]}/strict`, '/refused')), [
    [400, 'EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size'],
    [403, 'AccessDenied', 'Invalid according to Policy: Policy Condition failed: ["starts-with", "$key", "up/"]'],
    [403, 'AccessDenied', 'Invalid according to Policy: Extra input fields: acl'],
    [201, 'up/n.txt', null],
  ]);
  assert.deepEqual(await stored(), [...before, 'up/n.txt'].sort());
});

test('a script of another origin does what the bucket lets that origin do, and no more', { skip }, async () => {
  const rules = [
    {
      AllowedMethods: ['GET', 'PUT'],
      AllowedOrigins: [origins[0]],
      AllowedHeaders: ['content-type', 'x-amz-meta-*'],
      ExposeHeaders: ['ETag'],
    },
  ];
  await s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: rules } }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'read', Body: 'to be read' }));
  const signed = (Key: string) =>
    getSignedUrl(s3, new PutObjectCommand({ Bucket, Key, Metadata: { a: 'b' } }), {
      unhoistableHeaders: new Set(['x-amz-meta-a']),
    });
  const page = async (name: string) => `<!doctype html><script>
const ask = async (url, options) => {
  try {
    const answer = await fetch(url, options);
    return [answer.status, answer.headers.get('ETag') !== null, options.method === 'GET' ? await answer.text() : ''];
  } catch (error) {
    return error.name;
  }
};
const run = async () => {
  const put = { method: 'PUT', body: 'by a script', headers: { 'x-amz-meta-a': 'b' } };
  const answers = [
    await ask(${JSON.stringify(await signed(`${name}-put`))}, put),
    await ask(${JSON.stringify(await signed(`${name}-header`))}, { ...put, headers: { ...put.headers, 'x-other': '1' } }),
    await ask(${JSON.stringify(await signed(`${name}-method`))}, { ...put, method: 'DELETE' }),
    await ask(${JSON.stringify(await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'read' })))}, { method: 'GET' }),
  ];
  await fetch('/answers', { method: 'POST', body: JSON.stringify(answers) });
};
run();
</script>`;
  pages.set('/allowed', await page('allowed'));
  pages.set('/other', await page('other'));
  const before = await stored();
  assert.deepEqual(JSON.parse(await inBrowser(`${origins[0]}/allowed`, '/answers')), [
    [200, true, ''],
    'TypeError',
    'TypeError',
    [200, true, 'to be read'],
  ]);
  const refused = ['TypeError', 'TypeError', 'TypeError', 'TypeError'];
  assert.deepEqual(JSON.parse(await inBrowser(`${origins[1]}/other`, '/answers')), refused);
  // A browser that may not does not even send it.
  assert.deepEqual(await stored(), [...before, 'allowed-put'].sort());
});
