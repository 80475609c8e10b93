// Access keys: two for each user at most, and root's own. The secret is shown once.
// A key's user must exist; a key that is not the named user's is not found.

import type {
  AccessKeyMetadata,
  CreateAccessKeyRequest,
  CreateAccessKeyResponse,
  DeleteAccessKeyRequest,
  GetAccessKeyLastUsedRequest,
  GetAccessKeyLastUsedResponse,
  ListAccessKeysRequest,
  ListAccessKeysResponse,
  UpdateAccessKeyRequest,
} from '@aws-sdk/client-iam';
import { newAccessKeyId, newSecretAccessKey, timestamp } from '../../identities.ts';
import { type Call, operation } from '../../service.ts';
import type { AccessKeyRow } from '../../store/rows/iam.ts';
import { constraints, page, required } from './checks.ts';
import { findUser } from './entities.ts';
import { invalidInput, noSuchEntity, quotaExceeded } from './errors.ts';
import { onEverything, onUserOrSelf, subjectUserName } from './permissions.ts';

const keysPerUser = 2;

/** The subject's name, checked to exist; undefined for root. */
function subject(call: Call, userName: string | undefined): string | undefined {
  const name = subjectUserName(call, userName);
  return name === undefined ? undefined : findUser(call, name).userName;
}

/** The long-term keys of a user, or of root. */
function keysOf(call: Call, userName: string | undefined): AccessKeyRow[] {
  return call.tx
    .list('access-key', { accountId: call.accountId })
    .filter(({ owner }) =>
      userName === undefined ? owner.kind === 'root' : owner.kind === 'user' && owner.userName === userName,
    );
}

function findKey(call: Call, userName: string | undefined, accessKeyId: string | undefined): AccessKeyRow {
  const id = checkedAccessKeyId(accessKeyId);
  const key = keysOf(call, userName).find((row) => row.id === id);
  if (!key) throw noSuchEntity('access-key', id);
  return key;
}

function checkedAccessKeyId(value: string | undefined): string {
  const id = required('accessKeyId', value);
  constraints().length('accessKeyId', id, 16, 128).pattern('accessKeyId', id, /^\w+$/, '[\\w]+').done();
  return id;
}

function createAccessKey(call: Call, input: CreateAccessKeyRequest): CreateAccessKeyResponse {
  const userName = subject(call, input.UserName);
  if (keysOf(call, userName).length >= keysPerUser) throw quotaExceeded('AccessKeysPerUser', keysPerUser);
  const row: AccessKeyRow = {
    id: newAccessKeyId('AKIA'),
    accountId: call.accountId,
    region: 'global',
    secretAccessKey: newSecretAccessKey(),
    status: 'Active',
    createDate: timestamp(call.now),
    owner: userName === undefined ? { kind: 'root' } : { kind: 'user', userName },
  };
  call.tx.put('access-key', row);
  return {
    AccessKey: {
      UserName: userName,
      AccessKeyId: row.id,
      Status: row.status,
      SecretAccessKey: row.secretAccessKey,
      CreateDate: new Date(row.createDate),
    },
  };
}

function listAccessKeys(call: Call, input: ListAccessKeysRequest): ListAccessKeysResponse {
  const userName = subject(call, input.UserName);
  const { items, end } = page(keysOf(call, userName), input, (key) => `${key.createDate} ${key.id}`);
  const metadata = items.map(
    (key): AccessKeyMetadata => ({
      ...(userName !== undefined && { UserName: userName }),
      AccessKeyId: key.id,
      Status: key.status,
      CreateDate: new Date(key.createDate),
    }),
  );
  return { AccessKeyMetadata: metadata, ...end };
}

function updateAccessKey(call: Call, input: UpdateAccessKeyRequest): void {
  const status = required('status', input.Status);
  constraints().oneOf('status', status, ['Active', 'Inactive', 'Expired']).done();
  const key = findKey(call, subject(call, input.UserName), input.AccessKeyId);
  // The model has `Expired` too, which nobody may set. Recorded is the code; the text has no source.
  if (status === 'Expired') throw invalidInput('Invalid input: Expired is not a status that can be set.');
  call.tx.put('access-key', { ...key, status: status === 'Active' ? 'Active' : 'Inactive' });
}

function deleteAccessKey(call: Call, input: DeleteAccessKeyRequest): void {
  call.tx.delete('access-key', findKey(call, subject(call, input.UserName), input.AccessKeyId).id);
}

function getAccessKeyLastUsed(call: Call, input: GetAccessKeyLastUsedRequest): GetAccessKeyLastUsedResponse {
  const id = checkedAccessKeyId(input.AccessKeyId);
  const key = call.tx.get('access-key', id);
  if (!key || key.accountId !== call.accountId) throw noSuchEntity('access-key', id);
  const { lastUsed, owner } = key;
  return {
    ...(owner.kind === 'user' && { UserName: owner.userName }),
    AccessKeyLastUsed: lastUsed
      ? { LastUsedDate: new Date(lastUsed.date), ServiceName: lastUsed.service, Region: lastUsed.region }
      : { ServiceName: 'N/A', Region: 'N/A' },
  };
}

export const accessKeys = {
  CreateAccessKey: operation<CreateAccessKeyRequest, CreateAccessKeyResponse>({
    authorize: onUserOrSelf,
    run: createAccessKey,
  }),
  ListAccessKeys: operation<ListAccessKeysRequest, ListAccessKeysResponse>({
    authorize: onUserOrSelf,
    run: listAccessKeys,
    readOnly: true,
  }),
  UpdateAccessKey: operation<UpdateAccessKeyRequest, void>({ authorize: onUserOrSelf, run: updateAccessKey }),
  DeleteAccessKey: operation<DeleteAccessKeyRequest, void>({ authorize: onUserOrSelf, run: deleteAccessKey }),
  GetAccessKeyLastUsed: operation<GetAccessKeyLastUsedRequest, GetAccessKeyLastUsedResponse>({
    authorize: onEverything,
    run: getAccessKeyLastUsed,
    readOnly: true,
  }),
};
