import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { DescribeKeyPairsResult, KeyPair } from '@aws-sdk/client-ec2';
import { awsError, makeStore, runOperation } from '../../testing.ts';
import { ec2 } from './index.ts';

function world() {
  const store = makeStore();
  return {
    store,
    call: <O = Record<string, unknown>>(name: string, input: object) => runOperation<O>(store, ec2, name, input),
  };
}

const hasOpenSsh = (() => {
  try {
    execFileSync('ssh-keygen', ['-?'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    return (error as { code?: string }).code !== 'ENOENT';
  }
})();

for (const KeyType of ['rsa', 'ed25519'] as const) {
  test(`a created ${KeyType} key: its private half reads back, and the public half belongs to it`, {
    skip: !hasOpenSsh && 'no ssh-keygen here',
  }, async (t) => {
    const { call } = world();
    const made = await call<KeyPair>('CreateKeyPair', { KeyName: 'ana', KeyType });
    const { KeyPairs } = await call<DescribeKeyPairsResult>('DescribeKeyPairs', {
      KeyNames: ['ana'],
      IncludePublicKey: true,
    });
    const directory = mkdtempSync(join(tmpdir(), 'postern-key-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const file = join(directory, 'ana.pem');
    writeFileSync(file, made.KeyMaterial ?? '', { mode: 0o600 });
    const derived = execFileSync('ssh-keygen', ['-y', '-P', '', '-f', file])
      .toString()
      .trim()
      .split(' ')
      .slice(0, 2)
      .join(' ');
    assert.equal(KeyPairs?.[0]?.PublicKey?.split(' ').slice(0, 2).join(' '), derived);
    assert.equal(made.KeyFingerprint, KeyPairs?.[0]?.KeyFingerprint);
    assert.match(
      made.KeyFingerprint ?? '',
      KeyType === 'rsa' ? /^([0-9a-f]{2}:){19}[0-9a-f]{2}$/ : /^[A-Za-z0-9+/]{43}=$/,
    );
  });
}

// Made with ssh-keygen; the fingerprint by `ssh-keygen -ef FILE -m PEM | openssl rsa -RSAPublicKey_in -outform DER | openssl md5 -c`.
test('an imported key has the MD5 of its public key as fingerprint (rsa), the SHA-256 of its OpenSSH form (ed25519)', {
  skip: !hasOpenSsh && 'no ssh-keygen here',
}, async (t) => {
  const { call } = world();
  const directory = mkdtempSync(join(tmpdir(), 'postern-key-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const run = (command: string, argv: string[]) =>
    execFileSync(command, argv, { cwd: directory, stdio: ['ignore', 'pipe', 'ignore'] }).toString();
  run('ssh-keygen', ['-q', '-t', 'rsa', '-b', '2048', '-N', '', '-f', 'rsa']);
  run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', 'ed']);
  const sha = run('ssh-keygen', ['-l', '-E', 'sha256', '-f', 'ed.pub']).split(' ')[1]?.replace('SHA256:', '');
  const rsa = await call<KeyPair>('ImportKeyPair', {
    KeyName: 'rsa',
    PublicKeyMaterial: Buffer.from(run('cat', ['rsa.pub'])),
  });
  const ed = await call<KeyPair>('ImportKeyPair', {
    KeyName: 'ed',
    PublicKeyMaterial: Buffer.from(run('cat', ['ed.pub'])),
  });
  const again = await call<KeyPair>('ImportKeyPair', {
    KeyName: 'pem',
    PublicKeyMaterial: Buffer.from(run('ssh-keygen', ['-e', '-m', 'PKCS8', '-f', 'rsa.pub'])),
  });
  const rfc = await call<KeyPair>('ImportKeyPair', {
    KeyName: 'rfc',
    PublicKeyMaterial: Buffer.from(run('ssh-keygen', ['-e', '-f', 'ed.pub'])),
  });
  assert.match(rsa.KeyFingerprint ?? '', /^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
  assert.equal(ed.KeyFingerprint, `${sha}=`);
  assert.equal(again.KeyFingerprint, rsa.KeyFingerprint);
  assert.equal(rfc.KeyFingerprint, ed.KeyFingerprint);
});

test('mistakes: a name twice, no key, ppk, an unknown name; deleting what is not there succeeds', async () => {
  const { call } = world();
  await call('CreateKeyPair', { KeyName: 'ana', KeyType: 'ed25519' });
  await assert.rejects(call('CreateKeyPair', { KeyName: 'ana' }), awsError('InvalidKeyPair.Duplicate'));
  await assert.rejects(
    call('CreateKeyPair', { KeyName: 'b', KeyFormat: 'ppk' }),
    awsError('UnsupportedOperation', /ppk/),
  );
  await assert.rejects(call('CreateKeyPair', { KeyName: 'b', DryRun: true }), awsError('DryRunOperation'));
  await assert.rejects(
    call('ImportKeyPair', { KeyName: 'c', PublicKeyMaterial: Buffer.from('ssh-rsa AAAA') }),
    awsError('InvalidKey.Format', 'Key is not in valid OpenSSH public key format'),
  );
  await assert.rejects(
    call('DescribeKeyPairs', { KeyNames: ['nobody'] }),
    awsError('InvalidKeyPair.NotFound', "The key pair 'nobody' does not exist"),
  );
  assert.deepEqual(await call('DeleteKeyPair', { KeyName: 'nobody' }), { Return: true });
  await call('DeleteKeyPair', { KeyName: 'ana' });
  assert.deepEqual(await call('DescribeKeyPairs', {}), { KeyPairs: [] });
});
