// Identity providers outside AWS: OpenID Connect and SAML. A role's trust policy names one as Federated; STS takes their tokens.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html, API_CreateSAMLProvider.html (read 2026-11-21)
// No packet leaves the machine, so a provider's keys cannot be fetched: the operator registers them (docs/decisions/0018). Thumbprints are kept, and
// nothing asks them. SAML metadata is read when an assertion comes. Messages are unsourced where not marked.

import { randomBytes } from 'node:crypto';
import type {
  AddClientIDToOpenIDConnectProviderRequest,
  CreateOpenIDConnectProviderRequest,
  CreateOpenIDConnectProviderResponse,
  CreateSAMLProviderRequest,
  CreateSAMLProviderResponse,
  DeleteOpenIDConnectProviderRequest,
  DeleteSAMLProviderRequest,
  GetOpenIDConnectProviderRequest,
  GetOpenIDConnectProviderResponse,
  GetSAMLProviderRequest,
  GetSAMLProviderResponse,
  ListOpenIDConnectProvidersResponse,
  ListSAMLProvidersResponse,
  RemoveClientIDFromOpenIDConnectProviderRequest,
  UpdateOpenIDConnectProviderThumbprintRequest,
  UpdateSAMLProviderRequest,
  UpdateSAMLProviderResponse,
} from '@aws-sdk/client-iam';
import { AwsError } from '../../errors.ts';
import { timestamp } from '../../identities.ts';
import { type Call, operation } from '../../service.ts';
import type { OidcProviderRow, SamlProviderRow } from '../../store/rows/iam.ts';
import { checkedName, checkedTags, constraints, required } from './checks.ts';
import { tags } from './entities.ts';
import { invalidInput, noSuchMember, quotaExceeded, validationError } from './errors.ts';
import { onEverything, onNewOidcProvider, onNewSamlProvider, onOidcProvider, onSamlProvider } from './permissions.ts';
import { changedEncryption, describeEncryption } from './saml-encryption.ts';

const clientIdsPerProvider = 100;
const thumbprintsPerProvider = 5;
const metadataValidMs = 100 * 365 * 24 * 60 * 60 * 1000;

/** @returns the provider's name in ARNs and condition keys: its URL without the scheme and a last slash */
export function providerName(url: string | undefined): string {
  const given = required('url', url);
  constraints().length('url', given, 1, 255).done();
  const match = /^https:\/\/([a-z0-9.-]+(?::\d+)?(?:\/[^\s?#]*)?)$/i.exec(given);
  if (!match?.[1]) throw invalidInput('Invalid Open ID Connect Provider URL');
  return match[1].replace(/\/$/, '');
}

function checkedThumbprints(list: readonly string[] | undefined): string[] {
  const thumbprints = [...(list ?? [])];
  if (thumbprints.length > thumbprintsPerProvider) {
    throw invalidInput(`Thumbprint list must contain fewer than ${thumbprintsPerProvider + 1} entries.`);
  }
  const checks = constraints();
  for (const [index, thumbprint] of thumbprints.entries()) {
    checks.length(`thumbprintList.${index + 1}.member`, thumbprint, 40, 40);
  }
  checks.done();
  return thumbprints;
}

function checkedClientIds(list: readonly string[]): string[] {
  const checks = constraints();
  for (const [index, clientId] of list.entries()) checks.length(`clientIDList.${index + 1}.member`, clientId, 1, 255);
  checks.done();
  const clientIds = [...new Set(list)];
  if (clientIds.length > clientIdsPerProvider)
    throw quotaExceeded('ClientIdsPerOpenIdConnectProvider', clientIdsPerProvider);
  return clientIds;
}

function checkedOidcArn(value: string | undefined): string {
  const arn = required('openIDConnectProviderArn', value);
  constraints().length('openIDConnectProviderArn', arn, 20, 2048).done();
  // The words are those that were recorded for policies' ARNs.
  if (!/^arn:[\w-]+:iam::\d{12}:oidc-provider\/./.test(arn))
    throw validationError('Invalid ARN:  Could not be parsed!');
  return arn;
}

export function findOidcProvider(call: Call, value: string | undefined): OidcProviderRow {
  const arn = checkedOidcArn(value);
  const row = call.tx.get('oidc-provider', arn);
  // The wording as public test suites assert it.
  if (row?.accountId !== call.accountId) throw noSuchMember(`OpenIDConnect Provider not found for arn ${arn}`);
  return row;
}

function createOidcProvider(
  call: Call,
  input: CreateOpenIDConnectProviderRequest,
): CreateOpenIDConnectProviderResponse {
  const url = providerName(input.Url);
  const clientIds = checkedClientIds(input.ClientIDList ?? []);
  const thumbprints = checkedThumbprints(input.ThumbprintList);
  const given = checkedTags(input.Tags, 'kept');
  const id = `arn:${call.partition}:iam::${call.accountId}:oidc-provider/${url}`;
  if (call.tx.get('oidc-provider', id)) {
    throw new AwsError('EntityAlreadyExists', 409, `Provider with url https://${url} already exists.`);
  }
  const row: OidcProviderRow = {
    id,
    accountId: call.accountId,
    region: 'global',
    url,
    clientIds,
    thumbprints,
    createDate: timestamp(call.now),
    tags: given,
  };
  call.tx.put('oidc-provider', row);
  return { OpenIDConnectProviderArn: id, ...tags(given) };
}

function getOidcProvider(call: Call, input: GetOpenIDConnectProviderRequest): GetOpenIDConnectProviderResponse {
  const row = findOidcProvider(call, input.OpenIDConnectProviderArn);
  return {
    Url: row.url,
    ClientIDList: row.clientIds,
    ThumbprintList: row.thumbprints,
    CreateDate: new Date(row.createDate),
    ...tags(row.tags),
  };
}

function addClientId(call: Call, input: AddClientIDToOpenIDConnectProviderRequest): void {
  const row = findOidcProvider(call, input.OpenIDConnectProviderArn);
  const clientIds = checkedClientIds([...row.clientIds, required('clientID', input.ClientID)]);
  call.tx.put('oidc-provider', { ...row, clientIds });
}

/** Removing one that is not there is no error. */
function removeClientId(call: Call, input: RemoveClientIDFromOpenIDConnectProviderRequest): void {
  const row = findOidcProvider(call, input.OpenIDConnectProviderArn);
  const gone = required('clientID', input.ClientID);
  call.tx.put('oidc-provider', { ...row, clientIds: row.clientIds.filter((one) => one !== gone) });
}

function updateThumbprints(call: Call, input: UpdateOpenIDConnectProviderThumbprintRequest): void {
  const row = findOidcProvider(call, input.OpenIDConnectProviderArn);
  const thumbprints = checkedThumbprints(required('thumbprintList', input.ThumbprintList));
  call.tx.put('oidc-provider', { ...row, thumbprints });
}

function listOidcProviders(call: Call): ListOpenIDConnectProvidersResponse {
  const rows = call.tx.list('oidc-provider', { accountId: call.accountId });
  return { OpenIDConnectProviderList: rows.map(({ id }) => ({ Arn: id })) };
}

export function findSamlProvider(call: Call, value: string | undefined): SamlProviderRow {
  const arn = required('samlProviderArn', value);
  constraints().length('samlProviderArn', arn, 20, 2048).done();
  const row = call.tx.get('saml-provider', arn);
  if (row?.accountId !== call.accountId) throw noSuchMember(`Manifest not found for arn ${arn}`);
  return row;
}

function checkedMetadata(value: string | undefined): string {
  const document = required('samlMetadataDocument', value);
  constraints().length('samlMetadataDocument', document, 1000, 10_000_000).done();
  if (!/<(\w+:)?EntityDescriptor[\s>]/.test(document) || !/<(\w+:)?IDPSSODescriptor[\s>]/.test(document)) {
    throw invalidInput('Could not parse metadata');
  }
  return document;
}

function createSamlProvider(call: Call, input: CreateSAMLProviderRequest): CreateSAMLProviderResponse {
  const name = checkedName('name', input.Name, 128);
  const document = checkedMetadata(input.SAMLMetadataDocument);
  const encryption = changedEncryption(call, {}, input);
  const given = checkedTags(input.Tags, 'kept');
  const id = `arn:${call.partition}:iam::${call.accountId}:saml-provider/${name}`;
  if (call.tx.get('saml-provider', id)) {
    throw new AwsError('EntityAlreadyExists', 409, `SAMLProvider ${name} already exists.`);
  }
  const row: SamlProviderRow = {
    id,
    accountId: call.accountId,
    region: 'global',
    uuid: randomBytes(16).toString('hex').toUpperCase(),
    document,
    ...encryption,
    createDate: timestamp(call.now),
    tags: given,
  };
  call.tx.put('saml-provider', row);
  return { SAMLProviderArn: id, ...tags(given) };
}

const validUntil = (row: SamlProviderRow) => new Date(Date.parse(row.createDate) + metadataValidMs);

function getSamlProvider(call: Call, input: GetSAMLProviderRequest): GetSAMLProviderResponse {
  const row = findSamlProvider(call, input.SAMLProviderArn);
  return {
    SAMLProviderUUID: row.uuid,
    SAMLMetadataDocument: row.document,
    CreateDate: new Date(row.createDate),
    ValidUntil: validUntil(row),
    ...describeEncryption(row),
    ...tags(row.tags),
  };
}

function updateSamlProvider(call: Call, input: UpdateSAMLProviderRequest): UpdateSAMLProviderResponse {
  const row = findSamlProvider(call, input.SAMLProviderArn);
  const document = checkedMetadata(input.SAMLMetadataDocument ?? row.document);
  const { encryptionMode: _mode, privateKeys: _keys, ...rest } = row;
  call.tx.put('saml-provider', { ...rest, ...changedEncryption(call, row, input), document });
  return { SAMLProviderArn: row.id };
}

function listSamlProviders(call: Call): ListSAMLProvidersResponse {
  const rows = call.tx.list('saml-provider', { accountId: call.accountId });
  return {
    SAMLProviderList: rows.map((row) => ({
      Arn: row.id,
      ValidUntil: validUntil(row),
      CreateDate: new Date(row.createDate),
    })),
  };
}

export const identityProviders = {
  CreateOpenIDConnectProvider: operation<CreateOpenIDConnectProviderRequest, CreateOpenIDConnectProviderResponse>({
    authorize: onNewOidcProvider,
    run: createOidcProvider,
  }),
  GetOpenIDConnectProvider: operation<GetOpenIDConnectProviderRequest, GetOpenIDConnectProviderResponse>({
    authorize: onOidcProvider,
    run: getOidcProvider,
    readOnly: true,
  }),
  ListOpenIDConnectProviders: operation<object, ListOpenIDConnectProvidersResponse>({
    authorize: onEverything,
    run: listOidcProviders,
    readOnly: true,
  }),
  AddClientIDToOpenIDConnectProvider: operation<AddClientIDToOpenIDConnectProviderRequest, void>({
    authorize: onOidcProvider,
    run: addClientId,
  }),
  RemoveClientIDFromOpenIDConnectProvider: operation<RemoveClientIDFromOpenIDConnectProviderRequest, void>({
    authorize: onOidcProvider,
    run: removeClientId,
  }),
  UpdateOpenIDConnectProviderThumbprint: operation<UpdateOpenIDConnectProviderThumbprintRequest, void>({
    authorize: onOidcProvider,
    run: updateThumbprints,
  }),
  DeleteOpenIDConnectProvider: operation<DeleteOpenIDConnectProviderRequest, void>({
    authorize: onOidcProvider,
    // AWS takes it as done when there is none.
    run: (call, input) => {
      const arn = checkedOidcArn(input.OpenIDConnectProviderArn);
      if (call.tx.get('oidc-provider', arn)?.accountId === call.accountId) call.tx.delete('oidc-provider', arn);
    },
  }),
  CreateSAMLProvider: operation<CreateSAMLProviderRequest, CreateSAMLProviderResponse>({
    authorize: onNewSamlProvider,
    run: createSamlProvider,
  }),
  GetSAMLProvider: operation<GetSAMLProviderRequest, GetSAMLProviderResponse>({
    authorize: onSamlProvider,
    run: getSamlProvider,
    readOnly: true,
  }),
  ListSAMLProviders: operation<object, ListSAMLProvidersResponse>({
    authorize: onEverything,
    run: listSamlProviders,
    readOnly: true,
  }),
  UpdateSAMLProvider: operation<UpdateSAMLProviderRequest, UpdateSAMLProviderResponse>({
    authorize: onSamlProvider,
    run: updateSamlProvider,
  }),
  DeleteSAMLProvider: operation<DeleteSAMLProviderRequest, void>({
    authorize: onSamlProvider,
    run: (call, input) => call.tx.delete('saml-provider', findSamlProvider(call, input.SAMLProviderArn).id),
  }),
};
