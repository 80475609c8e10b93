// KMS by the SDK's client through the real edge and pipeline: bytes as JSON has them, and an operation that makes something before its transaction.

import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { after, before, it } from 'node:test';
import {
  CreateKeyCommand,
  GetPublicKeyCommand,
  KMSClient,
  KMSInvalidSignatureException,
  SignCommand,
  VerifyCommand,
} from '@aws-sdk/client-kms';
import { createAuthorizer } from '@postern/server/authorize/authorize.ts';
import { createEdge } from '@postern/server/edge/edge.ts';
import { managedPolicyDocument } from '@postern/server/managed-policies.ts';
import { createPipeline } from '@postern/server/pipeline.ts';
import { kms } from '@postern/server/services/kms/index.ts';
import { Store } from '@postern/server/store/store.ts';

const accountId = '111122223333';
const store = new Store(':memory:');
const edge = createEdge({
  handle: createPipeline({
    store,
    services: new Map([['kms', kms]]),
    authorizer: createAuthorizer({ managedPolicyDocument }),
    settings: { auth: 'open', strictImages: false, quotas: 'off', dataDirectory: tmpdir() },
    openAccount: () => accountId,
    prepare: (tx, _service, id, _region, now) => {
      tx.put('account', { id, accountId: id, region: 'global', createdAt: now.toISOString() });
    },
    record: () => {},
    clock: () => new Date(),
    log: () => {},
  }),
  pathOf: () => ({ kind: 'internet', sourceIp: '203.0.113.10', secure: false }),
});
let client: KMSClient;

before(async () => {
  await new Promise<void>((resolve) => edge.listen(0, '127.0.0.1', resolve));
  client = new KMSClient({
    endpoint: `http://127.0.0.1:${(edge.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: accountId, secretAccessKey: 'x' },
  });
});
after(() => {
  client.destroy();
  edge.closeAllConnections();
  edge.close();
  store.close();
});

it('the first request of an account makes the account, also where a pair of keys is made first', async () => {
  const account = () => store.read((tx) => tx.get('account', accountId));
  assert.equal(account(), undefined);
  const { KeyMetadata } = await client.send(
    new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
  );
  assert.ok(account());
  const KeyId = KeyMetadata?.KeyId;
  const { PublicKey } = await client.send(new GetPublicKeyCommand({ KeyId }));
  assert.equal(PublicKey?.length, 91);
  const asked = { KeyId, Message: Buffer.from('x'), SigningAlgorithm: 'ECDSA_SHA_256' } as const;
  const { Signature } = await client.send(new SignCommand(asked));
  assert.equal((await client.send(new VerifyCommand({ ...asked, Signature }))).SignatureValid, true);
  await assert.rejects(
    client.send(new VerifyCommand({ ...asked, Message: Buffer.from('y'), Signature })),
    KMSInvalidSignatureException,
  );
});
