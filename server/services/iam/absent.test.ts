import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { awsError, makeStore, runOperation } from '../../testing.ts';
import { iam } from './index.ts';

describe('what an account never has', () => {
  const store = makeStore();
  const run = (name: string, input: unknown = {}) => runOperation(store, iam, name, input);

  it('lists about a user are empty when the user is there, and say so when not', async () => {
    await run('CreateUser', { UserName: 'ana' });
    for (const [name, member] of [
      ['ListMFADevices', 'MFADevices'],
      ['ListSSHPublicKeys', 'SSHPublicKeys'],
      ['ListSigningCertificates', 'Certificates'],
      ['ListServiceSpecificCredentials', 'ServiceSpecificCredentials'],
    ] as const) {
      assert.deepEqual(await run(name, { UserName: 'ana' }), { [member]: [], IsTruncated: false });
      await assert.rejects(run(name, { UserName: 'bob' }), awsError('NoSuchEntity', /bob cannot be found/));
    }
  });

  it('lists of the account are empty', async () => {
    assert.deepEqual(await run('ListVirtualMFADevices'), { VirtualMFADevices: [] });
    assert.deepEqual(await run('ListServerCertificates'), { ServerCertificateMetadataList: [] });
    assert.deepEqual(await run('ListSAMLProviders'), { SAMLProviderList: [] });
    assert.deepEqual(await run('ListOpenIDConnectProviders'), { OpenIDConnectProviderList: [] });
  });

  it('nobody has a sign-in profile, and the account no password policy', async () => {
    for (const name of ['GetLoginProfile', 'DeleteLoginProfile'])
      await assert.rejects(
        run(name, { UserName: 'ana' }),
        awsError('NoSuchEntity', 'Login Profile for User ana cannot be found.'),
      );
    await assert.rejects(
      run('GetAccountPasswordPolicy'),
      awsError('NoSuchEntity', 'The Password Policy with domain name 123456789012 cannot be found.'),
    );
  });
});
