// Identity providers as records. That STS takes their tokens is proved beside STS.

import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ensureFirstState } from '../../accounts.ts';
import type { Store } from '../../store/store.ts';
import { awsError, makeStore, runOperation, testNow } from '../../testing.ts';
import { iam } from './index.ts';

const accountId = '123456789012';
type Output = Record<string, unknown>;
let store: Store;
const run = (name: string, input: object = {}) => runOperation<Output>(store, iam, name, input);
const rejects = (promise: Promise<unknown>, code: string, message?: string | RegExp) =>
  assert.rejects(promise, awsError(code, message));

beforeEach(() => {
  store = makeStore((tx) => ensureFirstState(tx, testNow));
});

describe('OpenID Connect providers', () => {
  const OpenIDConnectProviderArn = `arn:aws:iam::${accountId}:oidc-provider/id.example.com/tenant`;
  const create = (more: object = {}) =>
    run('CreateOpenIDConnectProvider', { Url: 'https://id.example.com/tenant/', ClientIDList: ['a'], ...more });

  it('are named by their URL, and their audiences and thumbprints are changed', async () => {
    const Tags = [{ Key: 'team', Value: 'net' }];
    assert.deepEqual(await create({ Tags }), { OpenIDConnectProviderArn, Tags });
    await rejects(create(), 'EntityAlreadyExists', 'Provider with url https://id.example.com/tenant already exists.');
    await run('AddClientIDToOpenIDConnectProvider', { OpenIDConnectProviderArn, ClientID: 'b' });
    await run('AddClientIDToOpenIDConnectProvider', { OpenIDConnectProviderArn, ClientID: 'b' });
    await run('RemoveClientIDFromOpenIDConnectProvider', { OpenIDConnectProviderArn, ClientID: 'a' });
    const ThumbprintList = ['0'.repeat(40)];
    await run('UpdateOpenIDConnectProviderThumbprint', { OpenIDConnectProviderArn, ThumbprintList });
    const named = { OpenIDConnectProviderArn };
    await run('TagOpenIDConnectProvider', { ...named, Tags: [{ Key: 'Team', Value: 'sea' }] });
    await rejects(run('TagOpenIDConnectProvider', { ...named, Tags: [] }), 'InvalidInput');
    await rejects(run('UntagOpenIDConnectProvider', { ...named, TagKeys: [] }), 'InvalidInput');
    await run('UntagOpenIDConnectProvider', { ...named, TagKeys: ['TEAM', 'Team'] });
    assert.deepEqual(await run('ListOpenIDConnectProviderTags', named), { Tags, IsTruncated: false });
    await run('UntagOpenIDConnectProvider', { ...named, TagKeys: ['team'] });
    assert.deepEqual(await run('GetOpenIDConnectProvider', { OpenIDConnectProviderArn }), {
      Url: 'id.example.com/tenant',
      ClientIDList: ['b'],
      ThumbprintList,
      CreateDate: testNow,
    });
    const listed = { OpenIDConnectProviderList: [{ Arn: OpenIDConnectProviderArn }] };
    assert.deepEqual(await run('ListOpenIDConnectProviders'), listed);
    await run('DeleteOpenIDConnectProvider', { OpenIDConnectProviderArn });
    await run('DeleteOpenIDConnectProvider', { OpenIDConnectProviderArn });
    await rejects(
      run('DeleteOpenIDConnectProvider', { OpenIDConnectProviderArn: 'idp.example.com/tenant' }),
      'ValidationError',
      'Invalid ARN:  Could not be parsed!',
    );
    await rejects(
      run('GetOpenIDConnectProvider', { OpenIDConnectProviderArn }),
      'NoSuchEntity',
      `OpenIDConnect Provider not found for arn ${OpenIDConnectProviderArn}`,
    );
  });

  it('refuse URLs, thumbprints and client ids that are none', async () => {
    for (const Url of ['http://id.example.com', 'https://id.example.com/?a=b', 'id.example.com']) {
      await rejects(create({ Url }), 'InvalidInput', 'Invalid Open ID Connect Provider URL');
    }
    await rejects(create({ ThumbprintList: ['abc'] }), 'ValidationError', /thumbprintList/);
    await rejects(create({ ThumbprintList: Array.from({ length: 6 }, () => '0'.repeat(40)) }), 'InvalidInput');
    await rejects(create({ ClientIDList: Array.from({ length: 101 }, (_none, place) => `${place}`) }), 'LimitExceeded');
  });
});

describe('SAML providers', () => {
  it('keep their metadata; what is no metadata, and encryption, are refused', async () => {
    const SAMLMetadataDocument = `<EntityDescriptor><IDPSSODescriptor>${' '.repeat(1000)}</IDPSSODescriptor></EntityDescriptor>`;
    const input = { Name: 'corp', SAMLMetadataDocument };
    const SAMLProviderArn = `arn:aws:iam::${accountId}:saml-provider/corp`;
    assert.deepEqual(await run('CreateSAMLProvider', input), { SAMLProviderArn });
    await rejects(run('CreateSAMLProvider', input), 'EntityAlreadyExists');
    await rejects(run('CreateSAMLProvider', { ...input, SAMLMetadataDocument: 'x'.repeat(1000) }), 'InvalidInput');
    await rejects(run('UpdateSAMLProvider', { SAMLProviderArn, AssertionEncryptionMode: 'Required' }), 'InvalidInput');
    await run('TagSAMLProvider', { SAMLProviderArn, Tags: [{ Key: 'a', Value: '1' }] });
    const shown = await run('GetSAMLProvider', { SAMLProviderArn });
    assert.equal(shown.SAMLMetadataDocument, SAMLMetadataDocument);
    assert.deepEqual(shown.Tags, [{ Key: 'a', Value: '1' }]);
    const { SAMLProviderList } = (await run('ListSAMLProviders')) as { SAMLProviderList: Output[] };
    assert.equal(SAMLProviderList.length, 1);
    const { SummaryMap } = (await run('GetAccountSummary')) as { SummaryMap: Output };
    assert.equal(SummaryMap.Providers, 1);
    await run('DeleteSAMLProvider', { SAMLProviderArn });
    await rejects(run('DeleteSAMLProvider', { SAMLProviderArn }), 'NoSuchEntity');
  });
});
