// The operator's own doors, tried from the host's side: `/_postern/…` without its token, from a web page, under another name, with names that would like
// to be paths; and what the data directory and the process list show to others.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import http from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  CreateDhcpOptionsCommand,
  CreateTagsCommand,
  EC2Client,
  ImportKeyPairCommand,
  ModifyInstanceMetadataOptionsCommand,
  RunInstancesCommand,
  waitUntilInstanceRunning,
} from '@aws-sdk/client-ec2';
import { CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { inside } from './inside.ts';
import { bringUp, familyOf, type Own } from './own-cloud.ts';

let own: Own;
let token: string;
let port: number;
let instanceId: string;
let ec2: EC2Client;
let iam: IAMClient;
let s3: S3Client;

before(async () => {
  // The product must not rely on the operator's mask.
  const mask = process.umask(0);
  own = await bringUp();
  process.umask(mask);
  token = readFileSync(join(own.directory, 'operator-token'), 'utf8').trim();
  port = Number(new URL(own.endpoint).port);
  const options = {
    endpoint: own.endpoint,
    region: 'us-east-1',
    credentials: {
      accessKeyId: own.environment['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: own.environment['AWS_SECRET_ACCESS_KEY'] ?? '',
    },
  };
  ec2 = new EC2Client(options);
  iam = new IAMClient(options);
  s3 = new S3Client({ ...options, forcePathStyle: true });
  const run = await ec2.send(new RunInstancesCommand({ ImageId: 'ami-0abcdef1234567890', MinCount: 1, MaxCount: 1 }));
  instanceId = run.Instances?.[0]?.InstanceId ?? '';
  await waitUntilInstanceRunning(
    { client: ec2, maxWaitTime: 30, minDelay: 1, maxDelay: 1 },
    { InstanceIds: [instanceId] },
  );
});

after(() => own.end());

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

function ask(path: string, asked: Asked = {}): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers = {}, body } = asked;
    const request = http.request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
      response.on('error', reject);
    });
    request.on('upgrade', (_response, socket) => {
      socket.destroy();
      resolve({ status: 101, body: '' });
    });
    request.on('error', reject);
    request.end(body);
  });
}

const operator = () => ({ Authorization: `Bearer ${token}` });
const upgrade = { Connection: 'Upgrade', Upgrade: 'postern' };

describe('/_postern', () => {
  const routes = [
    ['GET', '/status'],
    ['GET', '/env'],
    ['POST', '/reset'],
    ['POST', '/shutdown'],
    ['GET', '/settled'],
    ['GET', '/requests'],
    ['POST', '/connect'],
    ['GET', '/ca.pem'],
    ['GET', '/no-such-thing'],
  ] as const;

  test('with the token it answers: the refusals below are about the token', async () => {
    assert.equal((await ask('/_postern/status', { headers: operator() })).status, 200);
    const origin = { ...operator(), Origin: `http://127.0.0.1:${port}` };
    assert.equal((await ask('/_postern/status', { headers: origin })).status, 200);
  });

  test('without the token, with a wrong one, or with it in another place, every endpoint refuses', async () => {
    const wrong: Record<string, string>[] = [
      {},
      { Authorization: 'Bearer ' },
      { Authorization: 'Bearer undefined' },
      { Authorization: `Bearer ${token}x` },
      { Authorization: `Basic ${Buffer.from(`:${token}`).toString('base64')}` },
      { Cookie: `token=${token}` },
    ];
    for (const [method, path] of routes)
      for (const headers of wrong)
        assert.equal(
          (await ask(`/_postern${path}`, { method, headers })).status,
          401,
          `${path} ${JSON.stringify(headers)}`,
        );
    assert.equal((await ask(`/_postern/status?token=${token}`)).status, 401);
  });

  test('a page of another origin is refused, even with the token', async () => {
    for (const Origin of [
      'http://evil.example',
      'null',
      `http://127.0.0.1:${port + 1}`,
      `http://evil.example:${port}`,
      'file://',
    ])
      for (const [method, path] of routes)
        assert.equal((await ask(`/_postern${path}`, { method, headers: { ...operator(), Origin } })).status, 403);
    const form = { Origin: 'http://evil.example', 'Content-Type': 'text/plain' };
    assert.equal((await ask('/_postern/reset', { method: 'POST', headers: form, body: 'x=1' })).status, 403);
    const preflight = { Origin: 'http://evil.example', 'Access-Control-Request-Method': 'POST' };
    assert.equal((await ask('/_postern/reset', { method: 'OPTIONS', headers: preflight })).status, 403);
  });

  test('another Host is refused, even with the token: a rebound name is not ours', async () => {
    for (const Host of [
      'evil.example',
      `evil.example:${port}`,
      '127.0.0.1.evil.example',
      'localhost.evil.example',
      '0.0.0.0',
      'localhost@evil.example',
    ])
      assert.equal((await ask('/_postern/status', { headers: { ...operator(), Host } })).status, 403, Host);
    for (const path of [
      '//_postern/status',
      '/%5fpostern/status',
      `http://127.0.0.1:${port}/_postern/status`,
      '/x/../_postern/status',
    ])
      assert.doesNotMatch((await ask(path, { headers: operator() })).body, /dataDirectory/, path);
  });

  test('an upgrade needs the same: a web socket of a page is refused', async () => {
    const exec = `/_postern/exec?instance=${instanceId}&argv=${encodeURIComponent('["id"]')}`;
    assert.equal((await ask(exec, { headers: { ...upgrade, ...operator() } })).status, 101);
    assert.equal((await ask(exec, { headers: upgrade })).status, 401);
    assert.equal(
      (await ask(exec, { headers: { ...upgrade, ...operator(), Origin: 'http://evil.example' } })).status,
      403,
    );
    assert.equal((await ask(exec, { headers: { ...upgrade, ...operator(), Host: 'evil.example' } })).status, 403);
    const webSocket = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Key': 'x3JJHMbDL1EzLkh9GBhXDw==',
      'Sec-WebSocket-Version': '13',
    };
    assert.equal((await ask(exec, { headers: { ...webSocket, Origin: 'http://evil.example' } })).status, 403);
    assert.equal((await ask(`/_postern/tunnel?instance=${instanceId}&port=22`, { headers: upgrade })).status, 401);
  });

  test('a body too large is refused, and the server lives on', async () => {
    const headers = { ...operator(), 'Content-Type': 'application/json' };
    const body = JSON.stringify({ instanceId, user: 'ec2-user', publicKey: 'x'.repeat(1 << 20) });
    const answer = await ask('/_postern/connect', { method: 'POST', headers, body }).catch((error: Error) => error);
    // The answer may be overtaken by the end of the connection: we stop reading what nobody wants.
    if (!(answer instanceof Error)) assert.equal(answer.status, 413);
    for (const bad of ['', '[', 'null', '3', '{"instanceId":3}', '{"__proto__":{"instanceId":"i-1"}}'])
      assert.equal((await ask('/_postern/connect', { method: 'POST', headers, body: bad })).status, 400, bad);
    assert.equal((await ask('/_postern/status', { headers })).status, 200);
  });

  test('an instance id is never a path', async () => {
    const before = readdirSync(own.directory).sort();
    for (const id of [
      '../../etc',
      '/etc/passwd',
      'i-../../x',
      `${instanceId}/../..`,
      '__proto__',
      'constructor',
      '\0',
      'i-0\n',
      '',
      '$(reboot)',
      '%2e%2e',
    ]) {
      const query = encodeURIComponent(id);
      const paths = [
        `/_postern/exec?instance=${query}&argv=${encodeURIComponent('["id"]')}`,
        `/_postern/tunnel?instance=${query}&port=22`,
      ];
      for (const path of paths)
        assert.equal((await ask(path, { headers: { ...upgrade, ...operator() } })).status, 404, path);
      const body = JSON.stringify({ instanceId: id, user: 'ec2-user', publicKey: 'ssh-ed25519 AAAA' });
      const { status } = await ask('/_postern/connect', { method: 'POST', headers: operator(), body });
      assert.equal(status, id === '' ? 400 : 404, id);
    }
    assert.deepEqual(readdirSync(own.directory).sort(), before);
  });

  test('one who keeps connections open and says nothing keeps nobody out', async () => {
    const silent: Socket[] = [];
    for (let n = 0; n < 300; n += 1) {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      silent.push(socket);
    }
    assert.equal((await ask('/_postern/status', { headers: operator() })).status, 200);
    for (const socket of silent) socket.destroy();
  });
});

describe('names that people choose', () => {
  test('an object key is never a path', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'keys' }));
    const keys = [
      '../../../../tmp/escape',
      '/etc/passwd',
      '..',
      'a/../../b',
      'nul\u0001',
      '$(touch x)',
      '%2e%2e/%2e%2e/x',
      "'; rm -rf",
      'a\nb',
    ];
    for (const Key of keys) {
      // Large enough to be a file: small bodies are in the database.
      const body = Key.padEnd(20_000, '.');
      await s3.send(new PutObjectCommand({ Bucket: 'keys', Key, Body: body }));
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'keys', Key }));
      assert.equal(await Body?.transformToString(), body);
    }
    const names = (readdirSync(join(own.directory, 'objects'), { recursive: true }) as string[]).filter((name) =>
      name.includes('/'),
    );
    assert.ok(names.length >= keys.length);
    assert.deepEqual(
      names.filter((name) => !/^[0-9a-f]{2}\/[0-9a-f]{30}$/.test(name)),
      [],
    );
    assert.equal(existsSync('/tmp/escape'), false);
  });

  test('a domain name, key name or user name cannot hold a line break, and a tag’s is only text', async () => {
    const options = (Key: string, value: string) =>
      ec2.send(new CreateDhcpOptionsCommand({ DhcpConfigurations: [{ Key, Values: [value] }] }));
    await assert.rejects(options('domain-name', 'a\nnameserver 192.0.2.1'), /InvalidParameterValue|Invalid value/);
    await assert.rejects(
      options('domain-name-servers', '::1\nnameserver 192.0.2.1'),
      /InvalidParameterValue|Invalid value/,
    );
    await assert.rejects(
      ec2.send(new ImportKeyPairCommand({ KeyName: 'a\nb', PublicKeyMaterial: Buffer.from('ssh-ed25519 AAAA') })),
      /KeyName/,
    );
    for (const UserName of ['a/../b', 'a\nb', '../x', 'a b'])
      await assert.rejects(
        iam.send(new CreateUserCommand({ UserName })),
        /userName|user name|ValidationError|regular/i,
      );
    await ec2.send(
      new CreateTagsCommand({
        Resources: [instanceId],
        Tags: [{ Key: 'Name', Value: 'one\nroot::0:0::/:/bin/sh $(reboot)' }],
      }),
    );
    await ec2.send(
      new ModifyInstanceMetadataOptionsCommand({ InstanceId: instanceId, InstanceMetadataTags: 'enabled' }),
    );
    const { out } = await inside(
      own.directory,
      instanceId,
      't=$(curl -s -X PUT -H "X-aws-ec2-metadata-token-ttl-seconds: 60" http://169.254.169.254/latest/api/token); curl -s -H "X-aws-ec2-metadata-token: $t" http://169.254.169.254/latest/meta-data/tags/instance/Name; cat /etc/passwd',
    );
    assert.ok(out.startsWith('one\nroot::0:0::/:/bin/sh $(reboot)'), out);
    assert.doesNotMatch(out.slice(34), /root::0/);
  });
});

describe('what others of this machine can see', () => {
  test('nobody but the operator gets into the data directory, and its secrets are closed by themselves too', () => {
    assert.equal(statSync(own.directory).mode & 0o777, 0o700);
    const open = readdirSync(own.directory, { withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== 'ca.pem')
      .filter((entry) => (statSync(join(own.directory, entry.name)).mode & 0o077) !== 0)
      .map((entry) => entry.name);
    assert.deepEqual(open, []);
    for (const name of ['postern.db', 'operator-token', 'ca-key.pem', 'requests.jsonl', 'run.json'])
      assert.ok(existsSync(join(own.directory, name)), name);
    assert.equal(statSync(join(own.directory, 'objects')).mode & 0o077, 0);
  });

  test('no secret is in a command line, and the environment is the operator’s to read', () => {
    const family = familyOf(own.launcher.pid ?? 0);
    assert.ok(family.length >= 4, 'launcher, world, server, instance');
    const secrets = [
      token,
      own.environment['AWS_SECRET_ACCESS_KEY'] ?? '',
      readFileSync(join(own.directory, 'ca-key.pem'), 'utf8'),
    ];
    for (const { id, commandLine } of family) {
      for (const secret of secrets) assert.equal(commandLine.includes(secret), false, commandLine);
      assert.equal(statSync(`/proc/${id}/environ`).mode & 0o077, 0);
    }
  });

  test('it listens on loopback alone', () => {
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    const listeners = ['tcp', 'tcp6']
      .flatMap((name) => readFileSync(`/proc/net/${name}`, 'utf8').split('\n'))
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '0A' && fields[1]?.endsWith(`:${hex}`))
      .map((fields) => fields[1]);
    assert.deepEqual(listeners, [`0100007F:${hex}`]);
  });
});
