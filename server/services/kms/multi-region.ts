// Keys of several regions: a replica is made of a primary key, and may take its place. What one has sealed each of them opens.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_ReplicateKey.html and API_UpdatePrimaryRegion.html there (read 2026-11-21). Recorded (2025-11): what ReplicateKey tells.
// Here a replica can be used at once; the answer says Creating, as AWS's does. Gap: keys of imported material.

import type * as SDK from '@aws-sdk/client-kms';
import { regions } from '@postern/network/addresses.ts';
import { AwsError } from '../../errors.ts';
import { checkUsable, keyArn, presentKey } from '../../kms-keys.ts';
import { type Call, type Operation, operation, type Permission } from '../../service.ts';
import type { KmsKeyRow } from '../../store/rows/kms.ts';
import { changeableKey, onReplica, onThisKey, requireKey, scopeOf } from './access.ts';
import { removeThoseGone } from './deletion.ts';
import { invalid, missing } from './errors.ts';
import { checkKeyPolicy, defaultKeyPolicy } from './key-policies.ts';
import { checkDescription } from './keys.ts';
import { metadataOf } from './metadata.ts';
import { checkPrimary, putWithRelated } from './related-keys.ts';
import { checkedTags } from './tags.ts';

const partitionPart = (region: string) => /^(cn|us-gov|)/.exec(region)?.[0] ?? '';

/** Another region of the caller's partition. @throws ValidationException, whose wording is without a source */
function otherRegion(call: Call, named: string | undefined, member: string): string {
  if (named === undefined) throw missing(member);
  const isKnown = (regions as readonly string[]).includes(named) && partitionPart(named) === partitionPart(call.region);
  if (!isKnown || named === call.region) throw invalid(`${named} is not a Region that this key can have a replica in.`);
  return named;
}

function inRegion(call: Call, region: string, key: KmsKeyRow): string {
  return keyArn({ ...scopeOf(call), region }, key.keyId);
}

/** @throws AlreadyExistsException, UnsupportedOperationException, and what `checkUsable` throws; the first wording is without a source */
function replicateKey(call: Call, input: SDK.ReplicateKeyRequest): SDK.ReplicateKeyResponse {
  const primary = changeableKey(call, input);
  checkPrimary(primary);
  const region = otherRegion(call, input.ReplicaRegion, 'replicaRegion');
  checkUsable(primary, call.now);
  checkDescription(input.Description);
  removeThoseGone(call);
  const id = inRegion(call, region, primary);
  if (call.tx.get('kms-key', id)) throw new AwsError('AlreadyExistsException', 400, `${id} already exists`);
  const replica: KmsKeyRow = {
    ...primary,
    ...{ id, region, enabled: true, creationDate: call.now.toISOString() },
    description: input.Description ?? '',
    policy: input.Policy ?? defaultKeyPolicy(call),
    tags: checkedTags(input.Tags),
  };
  call.tx.put('kms-key', replica);
  if (input.Policy !== undefined) checkKeyPolicy(call, replica, input);
  const { CurrentKeyMaterialId: _, ...metadata } = metadataOf(call, replica);
  return {
    ReplicaKeyMetadata: { ...metadata, KeyState: 'Creating', Enabled: false },
    ReplicaPolicy: replica.policy,
    ...(input.Tags?.length && { ReplicaTags: input.Tags }),
  };
}

/** @throws NotFoundException: no replica there */
function replicaIn(call: Call, primary: KmsKeyRow, region: string): KmsKeyRow {
  const id = inRegion(call, region, primary);
  const replica = presentKey(call.tx, id, call.now);
  if (!replica) throw new AwsError('NotFoundException', 400, `Key '${id}' does not exist`);
  return replica;
}

function updatePrimaryRegion(call: Call, input: SDK.UpdatePrimaryRegionRequest): Record<string, never> {
  const primary = changeableKey(call, input);
  checkPrimary(primary);
  const region = otherRegion(call, input.PrimaryRegion, 'primaryRegion');
  for (const key of [primary, replicaIn(call, primary, region)]) checkUsable(key, call.now);
  putWithRelated(call.tx, primary, call.now, (one) => ({ ...one, multiRegion: { primaryRegion: region } }));
  return {};
}

/** On the key that is primary now, and on that which shall be, where it is there. */
function onBoth(call: Call, input: SDK.UpdatePrimaryRegionRequest): Permission[] {
  const primary = requireKey(call, input);
  const region = input.PrimaryRegion ?? '';
  const replica = presentKey(call.tx, inRegion(call, region, primary), call.now);
  return [primary, ...(replica ? [replica] : [])].map((key) => {
    const permission = onThisKey(call, key, 'kms:UpdatePrimaryRegion');
    return { ...permission, context: { ...permission.context, 'kms:PrimaryRegion': [region] } };
  });
}

export const multiRegionOperations = {
  ReplicateKey: operation<SDK.ReplicateKeyRequest, SDK.ReplicateKeyResponse>({
    authorize: onReplica,
    run: replicateKey,
  }),
  UpdatePrimaryRegion: operation<SDK.UpdatePrimaryRegionRequest, Record<string, never>>({
    authorize: onBoth,
    run: updatePrimaryRegion,
  }),
} satisfies Record<string, Operation>;
