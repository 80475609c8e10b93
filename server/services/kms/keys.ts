// Keys: made, told, switched on and off. https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html and neighbours
// (read 2026-11-21). What kinds there are is key-specs.ts; key stores are refused.

import { randomBytes } from 'node:crypto';
import type * as SDK from '@aws-sdk/client-kms';
import {
  aliasArn,
  isGone,
  isPendingDeletion,
  isPendingImport,
  managedKey,
  newKey,
  pendingDeletion,
  pendingImport,
  s3Alias,
} from '../../kms-keys.ts';
import { type Call, type Operation, operation, type StreamCall, streamOperation } from '../../service.ts';
import type { KmsKeyRow } from '../../store/rows/kms.ts';
import { changeableKey, type KeyInput, onAll, onKey, onNewKey, requireKey, scopeOf } from './access.ts';
import { removeThoseGone } from './deletion.ts';
import { type Paged, pageOf, unsupported, validationError } from './errors.ts';
import { toBeImported } from './imports.ts';
import { newPrivateKey, privateBytes } from './key-pairs.ts';
import { checkKeyPolicy, defaultKeyPolicy } from './key-policies.ts';
import { type Substance, wantedKind } from './key-specs.ts';
import { metadataOf } from './metadata.ts';
import { checkedTags } from './tags.ts';

/** What a key is made of may take its time, so it is there before the transaction begins. */
async function createKey(call: StreamCall, input: SDK.CreateKeyRequest): Promise<SDK.CreateKeyResponse> {
  const { substance, ...kind } = wantedKind(input);
  if (input.Origin !== undefined && !/^(AWS_KMS|EXTERNAL)$/.test(input.Origin))
    throw unsupported(`keys of the origin ${input.Origin}`);
  if (input.CustomKeyStoreId !== undefined) throw unsupported('custom key stores');
  const isMulti = input.MultiRegion === true;
  if (isMulti && input.Origin === 'EXTERNAL') throw unsupported('multi-Region keys of imported material');
  checkDescription(input.Description);
  const tags = checkedTags(input.Tags);
  const made = input.Origin === 'EXTERNAL' ? toBeImported() : { material: await newSubstance(substance) };
  return call.transact((tx) =>
    keepKey({ ...call, tx }, input, {
      ...kind,
      tags,
      ...made,
      ...(isMulti && { multiRegion: { primaryRegion: call.region } }),
    }),
  );
}

async function newSubstance(substance: Substance): Promise<string> {
  const bytes =
    substance.kind === 'secret' ? randomBytes(substance.sizeBytes) : privateBytes(await newPrivateKey(substance));
  return bytes.toString('base64');
}

function keepKey(
  call: Call,
  input: SDK.CreateKeyRequest,
  made: Pick<KmsKeyRow, 'spec' | 'usage' | 'material' | 'tags' | 'imported' | 'multiRegion'>,
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
  return { KeyMetadata: metadataOf(call, key) };
}

export function checkDescription(description: string | undefined): void {
  if (description !== undefined && description.length > 8192)
    throw validationError(
      `Value '${description}' at 'description' failed to satisfy constraint: Member must have length less than or equal to 8192`,
    );
}

function keysOf(call: Call): KmsKeyRow[] {
  const { accountId, region } = call;
  return call.tx.list('kms-key', { accountId, region }).filter((key) => !isGone(key, call.now));
}

function describeKey(call: Call, input: SDK.DescribeKeyRequest): SDK.DescribeKeyResponse {
  return { KeyMetadata: metadataOf(call, requireKey(call, input)) };
}

/** A predefined alias that nothing was done with yet stands for a key all the same. */
function readyManaged(call: Call, input: KeyInput): void {
  if (input.KeyId === s3Alias || input.KeyId === aliasArn(scopeOf(call), s3Alias))
    managedKey(call.tx, scopeOf(call), 's3', call.now);
}

function switched(enabled: boolean) {
  return (call: Call, input: SDK.EnableKeyRequest): Record<string, never> => {
    const key = changeableKey(call, input);
    if (isPendingDeletion(key)) throw pendingDeletion(key);
    if (isPendingImport(key, call.now)) throw pendingImport(key);
    call.tx.put('kms-key', { ...key, enabled });
    return {};
  };
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
