// Keys: made, told, switched on and off, and deleted after their days of waiting. https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html and neighbours
// (read 2026-11-21). What kinds there are is key-specs.ts; key stores are refused.

import { randomBytes } from 'node:crypto';
import type * as SDK from '@aws-sdk/client-kms';
import { AwsError } from '../../errors.ts';
import {
  aliasArn,
  currentMaterialId,
  isGone,
  isPendingImport,
  managedKey,
  newKey,
  originOf,
  pendingDeletion,
  pendingImport,
  s3Alias,
  specOf,
  usageOf,
} from '../../kms-keys.ts';
import { type Call, type Operation, operation, type StreamCall, streamOperation } from '../../service.ts';
import type { KmsKeyRow } from '../../store/rows/kms.ts';
import { changeableKey, type KeyInput, onAll, onKey, onNewKey, requireKey, scopeOf } from './access.ts';
import { type Paged, pageOf, unsupported, validationError } from './errors.ts';
import { expirationMembers, forgetExpired, toBeImported } from './imports.ts';
import { newPrivateKey, privateBytes } from './key-pairs.ts';
import { checkKeyPolicy, defaultKeyPolicy } from './key-policies.ts';
import { algorithmsMember, type Substance, wantedKind } from './key-specs.ts';
import { checkedTags } from './tags.ts';

const dayMs = 24 * 3600 * 1000;

function stateOf(key: KmsKeyRow, now: Date): SDK.KeyState {
  if (key.deletionDate !== undefined) return 'PendingDeletion';
  if (isPendingImport(key, now)) return 'PendingImport';
  return key.enabled ? 'Enabled' : 'Disabled';
}

function metadataOf(key: KmsKeyRow, now: Date): SDK.KeyMetadata {
  const current = currentMaterialId(key);
  return {
    AWSAccountId: key.accountId,
    KeyId: key.keyId,
    Arn: key.id,
    CreationDate: new Date(key.creationDate),
    Enabled: stateOf(key, now) === 'Enabled',
    Description: key.description,
    KeyUsage: usageOf(key) as SDK.KeyUsageType,
    KeyState: stateOf(key, now),
    ...(key.deletionDate !== undefined && { DeletionDate: new Date(key.deletionDate) }),
    Origin: originOf(key),
    ...expirationOf(key, now),
    KeyManager: key.manager,
    CustomerMasterKeySpec: specOf(key) as SDK.CustomerMasterKeySpec,
    KeySpec: specOf(key) as SDK.KeySpec,
    ...algorithmsMember(key),
    MultiRegion: false,
    ...(specOf(key) === 'SYMMETRIC_DEFAULT' && current !== undefined && { CurrentKeyMaterialId: current }),
  };
}

/** While its materials are there (recorded 2025-11): the earliest day of those that the key needs. */
function expirationOf(key: KmsKeyRow, now: Date): Pick<SDK.KeyMetadata, 'ExpirationModel' | 'ValidTo'> {
  if (!key.imported || isPendingImport(key, now)) return {};
  const days = key.imported.materials.flatMap(({ pending, validTo }) => (pending || !validTo ? [] : [validTo]));
  return expirationMembers(days.sort()[0]);
}

/** What a key is made of may take its time, so it is there before the transaction begins. */
async function createKey(call: StreamCall, input: SDK.CreateKeyRequest): Promise<SDK.CreateKeyResponse> {
  const { substance, ...kind } = wantedKind(input);
  if (input.Origin !== undefined && !/^(AWS_KMS|EXTERNAL)$/.test(input.Origin))
    throw unsupported(`keys of the origin ${input.Origin}`);
  if (input.CustomKeyStoreId !== undefined) throw unsupported('custom key stores');
  if (input.MultiRegion === true) throw unsupported('multi-Region keys');
  checkDescription(input.Description);
  const tags = checkedTags(input.Tags);
  const made = input.Origin === 'EXTERNAL' ? toBeImported() : { material: await newSubstance(substance) };
  return call.transact((tx) => keepKey({ ...call, tx }, input, { ...kind, tags, ...made }));
}

async function newSubstance(substance: Substance): Promise<string> {
  const bytes =
    substance.kind === 'secret' ? randomBytes(substance.sizeBytes) : privateBytes(await newPrivateKey(substance));
  return bytes.toString('base64');
}

function keepKey(
  call: Call,
  input: SDK.CreateKeyRequest,
  made: Pick<KmsKeyRow, 'spec' | 'usage' | 'material' | 'tags' | 'imported'>,
): SDK.CreateKeyResponse {
  removeThoseGone(call);
  const key = newKey(scopeOf(call), call.now, {
    description: input.Description ?? '',
    manager: 'CUSTOMER',
    policy: input.Policy ?? defaultKeyPolicy(call),
    ...made,
  });
  call.tx.put('kms-key', key);
  if (input.Policy !== undefined) checkKeyPolicy(call, key, input);
  return { KeyMetadata: metadataOf(key, call.now) };
}

function checkDescription(description: string | undefined): void {
  if (description !== undefined && description.length > 8192)
    throw validationError(
      `Value '${description}' at 'description' failed to satisfy constraint: Member must have length less than or equal to 8192`,
    );
}

/** The material of a key goes with its row, on the day that was said or at the next call that writes. */
function removeThoseGone(call: Call): void {
  for (const key of call.tx.list('kms-key')) {
    if (!isGone(key, call.now)) {
      forgetExpired(call, key);
      continue;
    }
    for (const alias of call.tx.list('kms-alias', { accountId: key.accountId }))
      if (alias.keyArn === key.id) call.tx.delete('kms-alias', alias.id);
    for (const grant of call.tx.list('kms-grant', { accountId: key.accountId }))
      if (grant.keyArn === key.id) call.tx.delete('kms-grant', grant.id);
    call.tx.delete('kms-key', key.id);
  }
}

function keysOf(call: Call): KmsKeyRow[] {
  const { accountId, region } = call;
  return call.tx.list('kms-key', { accountId, region }).filter((key) => !isGone(key, call.now));
}

function describeKey(call: Call, input: SDK.DescribeKeyRequest): SDK.DescribeKeyResponse {
  return { KeyMetadata: metadataOf(requireKey(call, input), call.now) };
}

/** A predefined alias that nothing was done with yet stands for a key all the same. */
function readyManaged(call: Call, input: KeyInput): void {
  if (input.KeyId === s3Alias || input.KeyId === aliasArn(scopeOf(call), s3Alias))
    managedKey(call.tx, scopeOf(call), 's3', call.now);
}

function switched(enabled: boolean) {
  return (call: Call, input: SDK.EnableKeyRequest): Record<string, never> => {
    const key = changeableKey(call, input);
    if (key.deletionDate !== undefined) throw pendingDeletion(key);
    if (isPendingImport(key, call.now)) throw pendingImport(key);
    call.tx.put('kms-key', { ...key, enabled });
    return {};
  };
}

function scheduleDeletion(call: Call, input: SDK.ScheduleKeyDeletionRequest): SDK.ScheduleKeyDeletionResponse {
  const days = input.PendingWindowInDays ?? 30;
  const key = changeableKey(call, input);
  if (days < 7 || days > 30)
    throw validationError(
      days < 7
        ? `Value '${days}' at 'pendingWindowInDays' failed to satisfy constraint: Member must have value greater than or equal to 7`
        : `Value '${days}' at 'pendingWindowInDays' failed to satisfy constraint: Member must have value less than or equal to 30`,
    );
  if (key.deletionDate !== undefined) throw pendingDeletion(key);
  const deletionDate = new Date(call.now.getTime() + days * dayMs);
  call.tx.put('kms-key', { ...key, enabled: false, deletionDate: deletionDate.toISOString() });
  return { KeyId: key.id, DeletionDate: deletionDate, KeyState: 'PendingDeletion', PendingWindowInDays: days };
}

function cancelDeletion(call: Call, input: SDK.CancelKeyDeletionRequest): SDK.CancelKeyDeletionResponse {
  const { deletionDate, ...key } = changeableKey(call, input);
  if (deletionDate === undefined)
    throw new AwsError('KMSInvalidStateException', 400, `${key.id} is not pending deletion.`);
  call.tx.put('kms-key', key);
  return { KeyId: key.id };
}

export const keyOperations = {
  CreateKey: streamOperation<SDK.CreateKeyRequest, SDK.CreateKeyResponse>({
    authorize: (call, input) =>
      onNewKey(call, input.Tags?.length ? ['kms:CreateKey', 'kms:TagResource'] : ['kms:CreateKey'], input),
    run: createKey,
  }),
  DescribeKey: operation<SDK.DescribeKeyRequest, SDK.DescribeKeyResponse>({
    authorize: (call, input) => {
      readyManaged(call, input);
      return onKey<SDK.DescribeKeyRequest>('kms:DescribeKey')(call, input);
    },
    run: describeKey,
  }),
  ListKeys: operation<Paged, SDK.ListKeysResponse>({
    authorize: onAll('kms:ListKeys'),
    readOnly: true,
    run: (call, input) => {
      const { items, ...page } = pageOf(keysOf(call), input, 1000);
      return { Keys: items.map((key) => ({ KeyId: key.keyId, KeyArn: key.id })), ...page };
    },
  }),
  EnableKey: operation({ authorize: onKey('kms:EnableKey'), run: switched(true) }),
  DisableKey: operation({ authorize: onKey('kms:DisableKey'), run: switched(false) }),
  ScheduleKeyDeletion: operation({ authorize: onKey('kms:ScheduleKeyDeletion'), run: scheduleDeletion }),
  CancelKeyDeletion: operation({ authorize: onKey('kms:CancelKeyDeletion'), run: cancelDeletion }),
  UpdateKeyDescription: operation<SDK.UpdateKeyDescriptionRequest, Record<string, never>>({
    authorize: onKey('kms:UpdateKeyDescription'),
    run: (call, input) => {
      checkDescription(input.Description);
      const key = changeableKey(call, input);
      call.tx.put('kms-key', { ...key, description: input.Description ?? '' });
      return {};
    },
  }),
} satisfies Record<string, Operation>;
