// Who may use a key? The key's policy must itself allow, or hand on to IAM by naming the account (E1). https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
// (read 2026-11-21). A key of another account is named by its ARN; settings are its owner's alone.

import type * as SDK from '@aws-sdk/client-kms';
import type { AuthorizationRequest, Decision } from '@postern/policy/types.ts';
import { AwsError } from '../../errors.ts';
import { checkUsable, findKey, type KeyScope, keyContext, keyDenial, kindKeys, presentKey } from '../../kms-keys.ts';
import type { BaseCall, Call, Permission, TransactionOperation } from '../../service.ts';
import type { KmsKeyRow } from '../../store/rows/kms.ts';
import { requestTagKeys } from '../../tag-keys.ts';
import { invalidCiphertext, missing, unsupported } from './errors.ts';
import { checkGrantTokens } from './grant-tokens.ts';
import { wantedKind } from './key-specs.ts';

export interface KeyInput {
  readonly KeyId?: string | undefined;
}

/** The same, which fails after everything went well where the request says so: it is then rolled back. */
export function dryRunnable<I extends { readonly DryRun?: boolean | undefined }, O>(
  row: TransactionOperation<I, O>,
): TransactionOperation<I, O> {
  return {
    ...row,
    run: (call, input) => {
      const answer = row.run(call, input);
      if (input.DryRun !== true) return answer;
      throw dryRunSucceeded();
    },
  };
}

export function dryRunSucceeded(): AwsError {
  return new AwsError(
    'DryRunOperationException',
    400,
    'The request would have succeeded, but the DryRun option is set.',
  );
}

/** What would be answered in another way than asked is not served. @throws UnsupportedOperationException */
export function refuseOthers(input: {
  readonly Recipient?: SDK.RecipientInfo | undefined;
  readonly DryRunModifiers?: readonly string[] | undefined;
}): void {
  if (input.Recipient !== undefined) throw unsupported('attested recipients');
  if (input.DryRunModifiers?.length) throw unsupported('dry runs without a ciphertext');
}

/** The members of any input that policies may ask about. */
export interface ContextInput extends KeyInput {
  readonly EncryptionContext?: Readonly<Record<string, string>> | undefined;
  readonly GrantTokens?: readonly string[] | undefined;
  readonly BypassPolicyLockoutSafetyCheck?: boolean | undefined;
  readonly PendingWindowInDays?: number | undefined;
  readonly RotationPeriodInDays?: number | undefined;
  readonly Tags?: readonly SDK.Tag[] | undefined;
  readonly TagKeys?: readonly string[] | undefined;
  readonly EncryptionAlgorithm?: string | undefined;
  readonly SigningAlgorithm?: string | undefined;
  readonly MessageType?: string | undefined;
  readonly MacAlgorithm?: string | undefined;
  readonly KeyAgreementAlgorithm?: string | undefined;
  readonly KeyPairSpec?: string | undefined;
  readonly WrappingAlgorithm?: string | undefined;
  readonly WrappingKeySpec?: string | undefined;
}

const sealsOrOpens = /^kms:(Encrypt|Decrypt|ReEncrypt|GenerateDataKey)/;
const signs = /^kms:(Sign|Verify)$/;

/** Members that policies ask about as they are. */
const plainKeys = {
  SigningAlgorithm: 'kms:SigningAlgorithm',
  MacAlgorithm: 'kms:MacAlgorithm',
  KeyAgreementAlgorithm: 'kms:KeyAgreementAlgorithm',
  KeyPairSpec: 'kms:DataKeyPairSpec',
  WrappingAlgorithm: 'kms:WrappingAlgorithm',
  WrappingKeySpec: 'kms:WrappingKeySpec',
} as const satisfies Partial<Record<keyof ContextInput, string>>;

function plainMembers(input: ContextInput): Record<string, readonly string[]> {
  const members = Object.entries(plainKeys) as [keyof typeof plainKeys, string][];
  return Object.fromEntries(
    members.flatMap(([member, name]) => {
      const value = input[member];
      return value === undefined ? [] : [[name, [value]]];
    }),
  );
}

/** https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html (read 2026-11-21) */
function requestKeys(action: string, input: ContextInput): Permission['context'] {
  const { KeyId, BypassPolicyLockoutSafetyCheck: bypass, PendingWindowInDays: days, RotationPeriodInDays } = input;
  const alias = /(^|:)(alias\/.*)$/.exec(KeyId ?? '')?.[2];
  return {
    ...(alias !== undefined && { 'kms:RequestAlias': [alias] }),
    ...(bypass !== undefined && { 'kms:BypassPolicyLockoutSafetyCheck': [String(bypass)] }),
    ...(days !== undefined && { 'kms:ScheduleKeyDeletionPendingWindowInDays': [String(days)] }),
    ...(RotationPeriodInDays !== undefined && { 'kms:RotationPeriodInDays': [String(RotationPeriodInDays)] }),
    ...(sealsOrOpens.test(action) && {
      'kms:EncryptionAlgorithm': [input.EncryptionAlgorithm ?? 'SYMMETRIC_DEFAULT'],
    }),
    ...(signs.test(action) && { 'kms:MessageType': [input.MessageType ?? 'RAW'] }),
    ...plainMembers(input),
    ...requestTagKeys(
      input.Tags?.map(({ TagKey, TagValue }) => ({ Key: TagKey, Value: TagValue })),
      input.TagKeys,
    ),
  };
}

export function scopeOf(call: BaseCall): KeyScope {
  return { partition: call.partition, region: call.region, accountId: call.accountId };
}

/** @throws NotFoundException, ValidationException */
export function requireKey(call: Call, input: KeyInput): KmsKeyRow {
  if (input.KeyId === undefined) throw missing('keyId');
  return findKey(call.tx, scopeOf(call), input.KeyId, call.now);
}

/** @throws the errors of `requireKey` and of a key that cannot be used now */
export function usableKey(call: Call, input: KeyInput): KmsKeyRow {
  const key = requireKey(call, input);
  checkUsable(key, call.now);
  return key;
}

/** Whether it is an alias, by its name or its ARN: those stand for a key where it is used or described, and nowhere else. */
export function isAlias(named: string | undefined): boolean {
  return /^(alias\/|arn:[^/]*:alias\/)/.test(named ?? '');
}

/** A key of the caller's own account: its settings are told to nobody else, and under its own name alone. @throws NotFoundException; of an alias without a source */
export function ownKey(call: Call, input: KeyInput): KmsKeyRow {
  if (isAlias(input.KeyId)) throw new AwsError('NotFoundException', 400, `Invalid keyId '${input.KeyId}'`);
  const key = requireKey(call, input);
  if (key.accountId === call.accountId) return key;
  throw new AwsError('NotFoundException', 400, `Key '${key.id}' does not exist`);
}

/** @throws AccessDeniedException: what AWS keeps for its services, nobody changes. The wording is without a source */
export function changeableKey(call: Call, input: KeyInput): KmsKeyRow {
  const key = ownKey(call, input);
  if (key.manager === 'CUSTOMER') return key;
  throw new AwsError('AccessDeniedException', 400, `${key.id} is an AWS managed key: it cannot be changed.`);
}

/** The permission on the key that the input names. */
export function onKey<I extends ContextInput>(action: string): (call: Call, input: I) => readonly Permission[] {
  return (call, input) => [onThisKey(call, requireKey(call, input), action, input)];
}

/** @throws InvalidGrantTokenException */
export function onThisKey(call: Call, key: KmsKeyRow, action: string, input: ContextInput = {}): Permission {
  checkGrantTokens(input.GrantTokens);
  const context = {
    ...keyContext(call.tx, key, call.accountId, input.EncryptionContext),
    ...requestKeys(action, input),
  };
  return { action, resource: key.id, context };
}

/** For what has no key: ListKeys, ListAliases, GenerateRandom. */
export function onAll(action: string): (call: Call) => readonly Permission[] {
  return (call) => [{ action, resource: '*', context: { 'kms:CallerAccount': [call.accountId] } }];
}

const nothingYet = { tokenSecret: '', materials: [] };

/** To replicate the primary key, and to make one in the other region, of which nothing but the request and the kind is known. */
export function onReplica(call: Call, input: SDK.ReplicateKeyRequest): readonly Permission[] {
  const primary = requireKey(call, input);
  const region = input.ReplicaRegion ?? '';
  const asked = { ...input, BypassPolicyLockoutSafetyCheck: input.BypassPolicyLockoutSafetyCheck ?? false };
  const there = {
    'kms:CallerAccount': [call.accountId],
    ...kindKeys({ ...primary, region }),
    ...requestKeys('', { ...asked, KeyId: undefined }),
    'aws:RequestedRegion': [region],
  };
  const { context, ...permission } = onThisKey(call, primary, 'kms:ReplicateKey', asked);
  return [
    { ...permission, context: { ...context, 'kms:ReplicaRegion': [region] } },
    ...(input.Tags?.length ? ['kms:CreateKey', 'kms:TagResource'] : ['kms:CreateKey']).map((action) => ({
      ...{ action, resource: '*', context: there },
    })),
  ];
}

/** For the key that shall be made, of which nothing but the request is known. */
export function onNewKey(call: Call, actions: readonly string[], input: SDK.CreateKeyRequest): readonly Permission[] {
  const context = {
    'kms:CallerAccount': [call.accountId],
    ...kindKeys({
      ...wantedKind(input),
      region: call.region,
      ...(input.Origin === 'EXTERNAL' && { imported: nothingYet }),
      ...(input.MultiRegion === true && { multiRegion: { primaryRegion: call.region } }),
    }),
    ...requestKeys('', { ...input, BypassPolicyLockoutSafetyCheck: input.BypassPolicyLockoutSafetyCheck ?? false }),
  };
  return actions.map((action) => ({ action, resource: '*', context }));
}

/**
 * The key whose ARN is in front of a ciphertext; of several regions' keys, that of this region.
 * @throws InvalidCiphertextException, IncorrectKeyException, NotFoundException, AccessDeniedException, in the words that users of AWS are told
 */
export function keyOfCiphertext(call: Call, arn: string, named: string | undefined): KmsKeyRow {
  const [, region, keyId] = /^arn:[\w-]+:kms:([\w-]+):\d{12}:key\/([\w-]+)$/.exec(arn) ?? [];
  if (region === undefined || keyId === undefined) throw invalidCiphertext();
  const isHere = region === call.region || keyId.startsWith('mrk-');
  const key = isHere ? presentKey(call.tx, arn.replace(`:${region}:`, `:${call.region}:`), call.now) : undefined;
  if (named !== undefined && findKey(call.tx, scopeOf(call), named, call.now).id !== key?.id)
    throw new AwsError(
      'IncorrectKeyException',
      400,
      'The key ID in the request does not identify a CMK that can perform this operation.',
    );
  if (key) return key;
  throw new AwsError(
    'AccessDeniedException',
    400,
    'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.',
  );
}

export function denied(_call: BaseCall, request: AuthorizationRequest, decision: Decision): AwsError {
  return new AwsError('AccessDeniedException', 400, keyDenial(request, decision));
}
