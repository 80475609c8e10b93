// The front door on a namespace where, as in the fabric's core, every address is local: what each destination answers, and by which path.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import type { Origin } from '@postern/fabric/types.ts';
import { addressPlan } from '@postern/network/addresses.ts';
import type { RequestPath } from '../path.ts';
import { type CertificateAuthority, openCertificateAuthority } from './certificates.ts';
import { type FrontDoor, startFrontDoor } from './front-door.ts';
import { connectFromLaptop } from './tunnel.ts';

let directory: string;
let authority: CertificateAuthority;
let door: FrontDoor;
const paths = new WeakMap<Socket, RequestPath>();
const edge = createHttp((request, response) => response.end(JSON.stringify(paths.get(request.socket))));
const metadata = createHttp((_request, response) => response.end('metadata'));

/** As the real one: the endpoint's and the metadata's own addresses tell, all else is the internet. */
function origin(remote: string, local: string): Origin {
  if (local === '240.240.0.2') return { kind: 'metadata', vpcId: 'vpc-1', sourceIp: '10.0.0.4' };
  if (local === '240.240.0.1') return { kind: 'resolver', vpcId: 'vpc-1', sourceIp: '10.0.0.4' };
  if (local === '240.240.0.12')
    return { kind: 'endpoint', vpcEndpointId: 'vpce-1', vpcId: 'vpc-1', sourceIp: '10.0.0.4' };
  return { kind: 'internet', sourceIp: remote, destinationIp: local };
}

before(async () => {
  execFileSync('ip', ['route', 'replace', 'local', 'default', 'dev', 'lo', 'table', 'local']);
  // IPv6 binds to an address that is local by a route only with this (fabric/kernel-parameters.ts).
  writeFileSync('/proc/sys/net/ipv6/ip_nonlocal_bind', '1');
  directory = mkdtempSync(join(tmpdir(), 'postern-door-'));
  authority = openCertificateAuthority(directory);
  door = await startFrontDoor({
    fabric: { origin, listen: { resolver: '240.240.0.1', metadata: '240.240.0.2' } },
    authority,
    edge: (socket, path) => {
      paths.set(socket, path);
      edge.emit('connection', socket);
    },
    metadata: (socket) => void metadata.emit('connection', socket),
    resolve: (asker, name) => ({
      rcode: 'NOERROR',
      answers: [{ name, type: 'A', ttlSeconds: 1, data: asker.of === 'internet' ? '198.18.1.1' : '10.0.0.9' }],
    }),
  });
});

after(async () => {
  await door.close();
  // The world is shared with the other kernel tests.
  execFileSync('ip', ['route', 'del', 'local', 'default', 'dev', 'lo', 'table', 'local']);
  rmSync(directory, { recursive: true, force: true });
});

async function ask(address: string, secure: boolean, host = 's3.us-east-1.amazonaws.com'): Promise<string> {
  const tcp = connect({ host: address, port: secure ? 443 : 80, localAddress: addressPlan.laptop });
  const socket = secure ? connectTls({ socket: tcp, servername: host, ca: authority.certificate }) : tcp;
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(`GET /x HTTP/1.1\r\nHost: ${host}\r\nX-Forwarded-For: 9.9.9.9\r\nConnection: close\r\n\r\n`);
  await new Promise<void>((resolve, reject) => socket.once('close', () => resolve()).once('error', reject));
  return Buffer.concat(chunks).toString().split('\r\n\r\n')[1] ?? '';
}

test('a service is reached over the internet, with or without TLS, from the address that the socket has', async () => {
  for (const secure of [true, false]) {
    assert.match(
      await ask('198.18.1.1', secure),
      new RegExp(`{"kind":"internet","sourceIp":"203.0.113.10","secure":${secure}}`),
    );
  }
});

test('a gateway endpoint’s requests carry the endpoint and the private address', async () => {
  assert.match(
    await ask('240.240.0.12', true),
    /{"kind":"endpoint","vpcEndpointId":"vpce-1","vpcId":"vpc-1","sourceIp":"10.0.0.4","secure":true}/,
  );
});

test('any other host is a stand-in that names itself and the asker', async () => {
  const page = await ask('203.0.113.77', true, 'example.org');
  assert.match(page, /stand-in for example\.org \(203\.0\.113\.77\)/);
  assert.match(page, /came from 203\.0\.113\.10\./);
  assert.match(await ask('93.184.216.34', false, 'checkip.amazonaws.com'), /203\.0\.113\.10\n/);
});

test('the metadata address reaches the metadata service and no service', async () => {
  assert.match(await ask('240.240.0.2', false), /metadata/);
});

test('addresses that nobody has answer nothing', async () => {
  for (const address of ['198.19.0.9', '10.1.2.3', '203.0.113.10']) {
    await assert.doesNotReject(async () => assert.equal(await ask(address, false).catch(() => ''), ''), address);
  }
});

test('names: a VPC’s resolver and a public one answer by who asks, over UDP', async () => {
  for (const [server, expected] of [
    ['240.240.0.1', '10.0.0.9'],
    ['8.8.8.8', '198.18.1.1'],
  ] as const) {
    const resolver = new Resolver({ timeout: 2000, tries: 2 });
    resolver.setServers([server]);
    assert.deepEqual(await resolver.resolve4('s3.amazonaws.com'), [expected], server);
  }
});

test('the laptop’s tunnel comes from its own address, and a closed port is refused', async () => {
  const socket = await connectFromLaptop('198.18.1.1', 443);
  assert.equal(socket.localAddress, '203.0.113.10');
  socket.destroy();
  await assert.rejects(connectFromLaptop('198.18.1.1', 22), { code: 'ECONNREFUSED' });
});
