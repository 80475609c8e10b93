import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { tokenAnswerBeginning } from '@postern/fabric/types.ts';
import type { InstanceRow } from '../../store/rows/ec2.ts';
import { Store } from '../../store/store.ts';
import { createMetadata, type IssuedCredentials } from './server.ts';
import { ttlHeader } from './tokens.ts';

const place = { accountId: '123456789012', region: 'us-east-1' };
const instance = {
  ...place, id: 'i-0aa', reservationId: 'r-0aa', imageId: 'ami-1', instanceType: 't3.micro', keyName: 'mine', launchTime: '2026-11-21T07:00:00.000Z', launchIndex: 0,
  vpcId: 'vpc-1', subnetId: 'subnet-1', availabilityZone: 'us-east-1a', state: 'running', stateTransitionReason: '', bootGeneration: 0,
  userData: Buffer.from('#!/bin/sh\necho hi\n').toString('base64'),
  iamInstanceProfile: { associationId: 'iip-assoc-1', arn: 'arn:aws:iam::123456789012:instance-profile/web', id: 'AIPA1', state: 'associated', timestamp: '' },
  metadataOptions: { httpTokens: 'optional', httpEndpoint: 'enabled', httpPutResponseHopLimit: 1, instanceMetadataTags: 'enabled', httpProtocolIpv6: 'disabled' },
  disableApiTermination: false, disableApiStop: false, instanceInitiatedShutdownBehavior: 'stop', monitoring: 'disabled', ebsOptimized: false, rootVolumeId: 'vol-1',
  tags: { Name: 'web-é' },
} as unknown as InstanceRow; // biome-ignore format: a row

let store: Store;
let directory: string;
let base: string;
let sourceIp = '10.0.0.4';
let deliveries: string[] = [];
let issued: IssuedCredentials;
let now = new Date('2026-11-21T08:00:00Z');

const listener = createServer((socket) => service.accept(socket, { vpcId: 'vpc-1', sourceIp }));
let service: ReturnType<typeof createMetadata>;

function change(more: Partial<InstanceRow>): void {
  store.transact((tx) => tx.put('instance', { ...instance, ...more }));
}

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'postern-imds-'));
  store = new Store(':memory:');
  store.transact((tx) => {
    // Only what the tree reads.
    tx.put('vpc', {
      ...place,
      id: 'vpc-1',
      cidrBlocks: [{ associationId: 'a', cidr: '10.0.0.0/16' }],
      enableDnsHostnames: true,
    } as never);
    tx.put('subnet', {
      ...place,
      id: 'subnet-1',
      vpcId: 'vpc-1',
      cidrBlock: '10.0.0.0/24',
      availabilityZoneId: 'use1-az1',
    } as never);
    tx.put('security-group', { ...place, id: 'sg-1', groupName: 'ssh' } as never);
    tx.put('key-pair', { ...place, id: 'key-1', keyName: 'mine', publicKey: 'ssh-ed25519 AAAA mine' } as never);
    tx.put('instance-profile', {
      ...place,
      region: 'global',
      id: 'p',
      instanceProfileId: 'AIPA1',
      roleNames: ['web-role'],
    } as never);
    tx.put('network-interface', {
      ...place, id: 'eni-1', vpcId: 'vpc-1', subnetId: 'subnet-1', macAddress: '0e:00:00:00:00:01', groupIds: ['sg-1'],
      privateAddresses: [{ address: '10.0.0.4', primary: true, autoPublicIp: { publicIp: '198.19.0.7', associationId: 'x' } }],
      attachment: { instanceId: 'i-0aa', deviceIndex: 0 },
    } as never); // biome-ignore format: a row
    tx.put('instance-connect-key', {
      ...place,
      id: 'i-0aa/ec2-user',
      instanceId: 'i-0aa',
      user: 'ec2-user',
      publicKey: 'ssh-ed25519 BBBB',
      expiresAt: '2026-11-21T08:01:00.000Z',
    } as never);
  });
  service = createMetadata({
    store,
    dataDirectory: directory,
    now: () => now,
    credentials: async (_id, delivery, privateIp) => {
      deliveries.push(`${delivery} ${privateIp}`);
      return issued;
    },
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
});

after(() => {
  listener.close();
  store.close();
  rmSync(directory, { recursive: true, force: true });
});

beforeEach(() => {
  change({});
  sourceIp = '10.0.0.4';
  deliveries = [];
  now = new Date('2026-11-21T08:00:00Z');
  issued = {
    kind: 'issued',
    roleName: 'web-role',
    accessKeyId: 'ASIA1',
    secretAccessKey: 's',
    token: 't',
    lastUpdated: '2026-11-21T08:00:00Z',
    expiration: '2026-11-21T14:00:00Z',
  };
});

async function ask(
  path: string,
  options: RequestInit = {},
): Promise<{ status: number; text: string; headers: Headers }> {
  const response = await fetch(`${base}${path}`, { ...options, headers: { connection: 'close', ...options.headers } });
  return { status: response.status, text: await response.text(), headers: response.headers };
}
const token = async (ttl = '60') =>
  (await ask('/latest/api/token', { method: 'PUT', headers: { [ttlHeader]: ttl } })).text;
const withToken = (value: string): RequestInit => ({ headers: { 'x-aws-ec2-metadata-token': value } });

test('[H2] a token is given for 1 to 21600 seconds and then opens the metadata', async () => {
  const answer = await ask('/latest/api/token', { method: 'PUT', headers: { [ttlHeader]: '21600' } });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get(ttlHeader), '21600');
  change({ metadataOptions: { ...instance.metadataOptions, httpTokens: 'required' } });
  assert.equal((await ask('/latest/meta-data/instance-id', withToken(answer.text))).text, 'i-0aa');
  for (const ttl of ['0', '21601', '-1', 'x', ''])
    assert.equal((await ask('/latest/api/token', { method: 'PUT', headers: { [ttlHeader]: ttl } })).status, 400, ttl);
  assert.equal((await ask('/latest/api/token', { method: 'PUT' })).status, 400);
});

test('[H2] a PUT that was forwarded, or to a dated path, is refused', async () => {
  assert.equal(
    (await ask('/latest/api/token', { method: 'PUT', headers: { [ttlHeader]: '60', 'x-forwarded-for': '1.2.3.4' } }))
      .status,
    403,
  );
  assert.equal((await ask('/2021-07-15/api/token', { method: 'PUT', headers: { [ttlHeader]: '60' } })).status, 403);
});

test('[H3] without a good token: 401 when tokens are required, or when the one that is shown is bad', async () => {
  assert.equal((await ask('/latest/meta-data/')).status, 200);
  assert.equal((await ask('/latest/meta-data/', withToken('nonsense'))).status, 401);
  const short = await token('60');
  change({ metadataOptions: { ...instance.metadataOptions, httpTokens: 'required' } });
  assert.equal((await ask('/latest/meta-data/')).status, 401);
  now = new Date(now.getTime() + 61_000);
  assert.equal((await ask('/latest/meta-data/', withToken(short))).status, 401);
});

test('[H3] a disabled endpoint answers 403, an unknown item and an unknown asker 404', async () => {
  change({ metadataOptions: { ...instance.metadataOptions, httpEndpoint: 'disabled' } });
  assert.equal((await ask('/latest/meta-data/')).status, 403);
  change({});
  assert.equal((await ask('/latest/meta-data/nothing')).status, 404);
  assert.equal((await ask('/latest/meta-data/toString')).status, 404);
  sourceIp = '10.0.0.99';
  assert.equal((await ask('/latest/meta-data/')).status, 404);
});

test('[H1] whoever asks from an IPv6 address of the instance is the instance', async () => {
  const card = store.read((tx) => tx.list('network-interface').find((row) => row.attachment !== undefined));
  assert.ok(card);
  store.transact((tx) => tx.put('network-interface', { ...card, ipv6Addresses: ['2001:db8:1010:101::a'] }));
  sourceIp = '2001:db8:1010:101::a';
  assert.equal((await ask('/latest/meta-data/instance-id')).text, instance.id);
  sourceIp = '2001:db8:1010:101::b';
  assert.equal((await ask('/latest/meta-data/')).status, 404);
  store.transact((tx) => tx.put('network-interface', card));
});

test('[H5] the role’s name, then its credentials, with the delivery that was used', async () => {
  assert.equal((await ask('/latest/meta-data/iam/security-credentials/')).text, 'web-role');
  const document = JSON.parse((await ask('/latest/meta-data/iam/security-credentials/web-role')).text);
  assert.deepEqual(document, {
    Code: 'Success',
    LastUpdated: '2026-11-21T08:00:00Z',
    Type: 'AWS-HMAC',
    AccessKeyId: 'ASIA1',
    SecretAccessKey: 's',
    Token: 't',
    Expiration: '2026-11-21T14:00:00Z',
  });
  await ask('/latest/meta-data/iam/security-credentials/web-role', withToken(await token()));
  assert.deepEqual(deliveries, ['1.0 10.0.0.4', '2.0 10.0.0.4']);
  assert.equal((await ask('/latest/meta-data/iam/security-credentials/other-role')).status, 404);
});

test('[H5] without a profile there is no iam directory', async () => {
  const { iamInstanceProfile: _gone, ...bare } = instance;
  store.transact((tx) => tx.put('instance', bare));
  assert.equal((await ask('/latest/meta-data/iam/security-credentials/')).status, 404);
  assert.doesNotMatch((await ask('/latest/meta-data/')).text, /iam/);
});

test('[H6] the keys that clients read', async () => {
  const expected: Record<string, string> = {
    'ami-id': 'ami-1', 'local-ipv4': '10.0.0.4', 'public-ipv4': '198.19.0.7', hostname: 'ip-10-0-0-4.ec2.internal', 'public-hostname': 'ec2-198-19-0-7.compute-1.amazonaws.com',
    mac: '0e:00:00:00:00:01', 'placement/region': 'us-east-1', 'placement/availability-zone': 'us-east-1a', 'placement/availability-zone-id': 'use1-az1',
    'network/interfaces/macs/': '0e:00:00:00:00:01/', 'network/interfaces/macs/0e:00:00:00:00:01/vpc-id': 'vpc-1',
    'network/interfaces/macs/0e:00:00:00:00:01/ipv4-associations/198.19.0.7': '10.0.0.4', 'security-groups': 'ssh', 'public-keys/': '0=mine',
    'public-keys/0/openssh-key': 'ssh-ed25519 AAAA mine', 'services/domain': 'amazonaws.com', 'services/partition': 'aws', 'tags/instance/Name': 'web-é',
    'managed-ssh-keys/active-keys/ec2-user': 'ssh-ed25519 BBBB',
  }; // biome-ignore format: a table
  for (const [path, text] of Object.entries(expected))
    assert.equal((await ask(`/latest/meta-data/${path}`)).text, text, path);
  assert.match((await ask('/latest/meta-data/')).text, /^ami-id\n/);
  assert.match((await ask('/latest/')).text, /^dynamic\/\nmeta-data\/\nuser-data$/);
  assert.equal((await ask('/latest/user-data')).text, '#!/bin/sh\necho hi\n');
  assert.equal(JSON.parse((await ask('/latest/dynamic/instance-identity/document')).text).region, 'us-east-1');
  assert.match((await ask('/latest/dynamic/instance-identity/signature')).text, /^[A-Za-z0-9+/=\n]{300,}$/);
});

test('[H6] the host is called as DHCP and the subnet say', async () => {
  change({ hostnameType: 'resource-name' });
  assert.match((await ask('/latest/meta-data/hostname')).text, /^i-[0-9a-z]+\.ec2\.internal$/);
  store.transact((tx) => {
    const vpc = tx.get('vpc', 'vpc-1');
    const owner = { accountId: instance.accountId, region: instance.region, tags: {} };
    const configurations = [{ key: 'domain-name', values: ['corp.example lab.example'] }];
    tx.put('dhcp-options', { ...owner, id: 'dopt-1', configurations });
    if (vpc) tx.put('vpc', { ...vpc, dhcpOptionsId: 'dopt-1' });
  });
  change({});
  assert.equal((await ask('/latest/meta-data/local-hostname')).text, 'ip-10-0-0-4.corp.example');
});

test('[J1] a key of Instance Connect is gone after its minute', async () => {
  now = new Date('2026-11-21T08:01:01Z');
  assert.equal((await ask('/latest/meta-data/managed-ssh-keys/active-keys/ec2-user')).status, 404);
});

test('[H6] tags are shown only when the instance says so', async () => {
  change({ metadataOptions: { ...instance.metadataOptions, instanceMetadataTags: 'disabled' } });
  assert.equal((await ask('/latest/meta-data/tags/instance/Name')).status, 404);
});

test('[H4] a token’s answer begins as the fabric knows it, and no other answer does', async () => {
  const beginning = async (method: string, header: string) => {
    const socket = connect(Number(new URL(base).port), '127.0.0.1');
    const path = method === 'PUT' ? '/latest/api/token' : '/latest/meta-data/';
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: 169.254.169.254\r\n${header}\r\nConnection: close\r\n\r\n`);
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString('latin1');
  };
  const answer = await beginning('PUT', `${ttlHeader}: 60`);
  assert.ok(answer.startsWith(tokenAnswerBeginning), answer);
  const token = answer.split('\r\n\r\n')[1] ?? '';
  const page = await beginning('GET', `X-aws-ec2-metadata-token: ${token}`);
  assert.match(page, /^HTTP\/1\.1 200 OK\r\n/);
  assert.ok(!page.startsWith(tokenAnswerBeginning.slice(0, 33)), page);
});
