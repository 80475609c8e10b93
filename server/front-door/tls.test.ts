import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { request } from 'node:https';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { type CertificateAuthority, openCertificateAuthority } from './certificates.ts';
import { sniffTls, terminateTls } from './tls.ts';

let directory: string;
let authority: CertificateAuthority;
let port: number;
const http = createHttp((incoming, response) => {
  response.end(`${'encrypted' in incoming.socket ? 'tls' : 'plain'} ${incoming.headers.host}`);
});
const listener = createServer((socket: Socket) => {
  sniffTls(socket, (tls) => {
    if (tls) terminateTls(authority, socket, (secure) => http.emit('connection', secure));
    else http.emit('connection', socket);
  });
});

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'postern-ca-'));
  authority = openCertificateAuthority(directory);
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  port = (listener.address() as AddressInfo).port;
});

after(() => {
  listener.close();
  http.closeAllConnections();
  rmSync(directory, { recursive: true, force: true });
});

function get(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request(
      { host: '127.0.0.1', port, servername: host, headers: { host }, ca: authority.certificate, agent: false },
      (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => {
          body += chunk;
        });
        response.on('end', () => resolve(body));
      },
    )
      .on('error', reject)
      .end();
  });
}

test('every name gets a certificate that a client which trusts the CA accepts', async () => {
  for (const host of [
    's3.us-east-1.amazonaws.com',
    'my.dotted-bucket.s3.amazonaws.com',
    'ec2.cn-north-1.amazonaws.com.cn',
    'example.org',
  ]) {
    assert.equal(await get(host), `tls ${host}`);
  }
});

test('a client that asks an address, without a name, gets a certificate for that address', async () => {
  const socket = connect({ host: '127.0.0.1', port, ca: authority.certificate });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  assert.equal(socket.authorized, true);
  assert.match(socket.getPeerCertificate().subjectaltname ?? '', /IP Address:127\.0\.0\.1/);
  socket.destroy();
});

test('a client that does not trust the CA refuses, and the server lives on', async () => {
  await assert.rejects(
    new Promise((_, reject) =>
      connect({ host: '127.0.0.1', port, servername: 's3.amazonaws.com' }).once('error', reject),
    ),
    /self.signed|unable to/i,
  );
  assert.equal(await get('s3.amazonaws.com'), 'tls s3.amazonaws.com');
});

test('plain HTTP passes on the same port', async () => {
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  assert.equal(await answer.text(), `plain 127.0.0.1:${port}`);
});

test('the authority is made once, and its key is the owner’s alone', () => {
  const again = openCertificateAuthority(directory);
  assert.equal(again.certificate, authority.certificate);
  assert.equal(statSync(join(directory, 'ca-key.pem')).mode & 0o777, 0o600);
  assert.match(readFileSync(join(directory, 'ca.pem'), 'utf8'), /^-----BEGIN CERTIFICATE-----/);
});
