// A key's material anew: at once when it is asked for, what was sealed before stays readable. The automatic kind is remembered and not done.
// https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html (read 2026-11-21). Recorded (2025): the error of too many.

import type * as SDK from '@aws-sdk/client-kms';
import { AwsError } from '../../errors.ts';
import {
  checkUsable,
  currentMaterialId,
  isPendingDeletion,
  isThere,
  materialId,
  materialsOf,
  newMaterial,
  specOf,
} from '../../kms-keys.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { ImportedMaterial, KmsKeyRow } from '../../store/rows/kms.ts';
import { changeableKey, type KeyInput, onKey, ownKey } from './access.ts';
import { type Paged, pageOf } from './errors.ts';
import { expirationMembers, wrongOrigin } from './imports.ts';
import { checkPrimary, putWithRelated } from './related-keys.ts';

const dayMs = 24 * 3600 * 1000;
const maxOnDemand = 25;

function rotation(call: Call, input: KeyInput, days: number | undefined): Record<string, never> {
  const key = changeableKey(call, input);
  checkUsable(key, call.now);
  checkRotatesItself(key);
  putWithRelated(call.tx, key, call.now, ({ rotationDays: _, ...one }) => ({
    ...one,
    ...(days !== undefined && { rotationDays: days }),
  }));
  return {};
}

/** @throws UnsupportedOperationException (recorded 2025-03 of another operation) */
function checkRotatesItself(key: KmsKeyRow): void {
  checkRotates(key);
  if (key.imported) throw wrongOrigin(key);
}

/** A pair or an HMAC key stays as it is. @throws UnsupportedOperationException, without a message (recorded 2025-03 of RotateKeyOnDemand) */
function checkSymmetricSpec(key: KmsKeyRow): void {
  if (specOf(key) !== 'SYMMETRIC_DEFAULT') throw new AwsError('UnsupportedOperationException', 400, '');
}

/** A replica has its new materials from its primary key. @throws UnsupportedOperationException */
function checkRotates(key: KmsKeyRow): void {
  checkSymmetricSpec(key);
  if (key.multiRegion) checkPrimary(key);
}

/** Of a key that does not rotate the status is always false. */
function rotationStatus(call: Call, input: SDK.GetKeyRotationStatusRequest): SDK.GetKeyRotationStatusResponse {
  const key = ownKey(call, input);
  // A key that is to be deleted does not rotate.
  const days = isPendingDeletion(key) ? undefined : key.rotationDays;
  const next = days === undefined ? undefined : new Date(new Date(key.creationDate).getTime() + days * dayMs);
  return {
    KeyId: key.id,
    KeyRotationEnabled: days !== undefined || key.manager === 'AWS',
    ...(days !== undefined && { RotationPeriodInDays: days }),
    ...(next && { NextRotationDate: next }),
  };
}

function rotateOnDemand(call: Call, input: SDK.RotateKeyOnDemandRequest): SDK.RotateKeyOnDemandResponse {
  const key = changeableKey(call, input);
  checkUsable(key, call.now);
  checkRotates(key);
  const date = call.now.toISOString();
  if (materialsOf(key).length > maxOnDemand)
    throw new AwsError(
      'LimitExceededException',
      400,
      `The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ${key.id}`,
    );
  if (key.imported) {
    const materials = withPendingCurrent(call, key, date);
    call.tx.put('kms-key', { ...key, imported: { ...key.imported, materials } });
  } else {
    const rotations = [...(key.rotations ?? []), { material: newMaterial(), date }];
    putWithRelated(call.tx, key, call.now, (one) => ({ ...one, rotations }));
  }
  return { KeyId: key.id };
}

/** @throws KMSInvalidStateException (recorded 2025-11) */
function withPendingCurrent(call: Call, key: KmsKeyRow, rotated: string): ImportedMaterial[] {
  const materials = key.imported?.materials ?? [];
  if (!materials.some((material) => material.pending && isThere(material, call.now)))
    throw new AwsError(
      'KMSInvalidStateException',
      400,
      `No available key material pending rotation for the key: ${key.id}.`,
    );
  return materials.map(({ pending, ...material }) => (pending ? { ...material, rotated } : material));
}

/** Newest first. */
function entriesOf(key: KmsKeyRow, now: Date): SDK.RotationsListEntry[] {
  if (key.imported) return importedEntries(key, now);
  const dates = (key.rotations ?? []).map(({ date }) => date).reverse();
  return materialsOf(key).map((material, index) => ({
    KeyId: key.keyId,
    KeyMaterialId: materialId(key, material),
    KeyMaterialState: index === 0 ? 'CURRENT' : 'NON_CURRENT',
    ...rotationMembers(dates[index]),
  }));
}

function importedEntries(key: KmsKeyRow, now: Date): SDK.RotationsListEntry[] {
  const current = currentMaterialId(key);
  return (key.imported?.materials ?? [])
    .map((material) => ({
      KeyId: key.keyId,
      KeyMaterialId: material.id,
      ...(material.description !== undefined && { KeyMaterialDescription: material.description }),
      ImportState: isThere(material, now) ? ('IMPORTED' as const) : ('PENDING_IMPORT' as const),
      KeyMaterialState: stateOf(material, current),
      ...(isThere(material, now) && expirationMembers(material.validTo)),
      ...rotationMembers(material.rotated),
    }))
    .reverse();
}

function stateOf({ id, pending }: ImportedMaterial, current: string | undefined): SDK.KeyMaterialState {
  if (pending) return 'PENDING_ROTATION';
  return id === current ? 'CURRENT' : 'NON_CURRENT';
}

function rotationMembers(date: string | undefined): Pick<SDK.RotationsListEntry, 'RotationDate' | 'RotationType'> {
  return date === undefined ? {} : { RotationDate: new Date(date), RotationType: 'ON_DEMAND' };
}

/** What never became current by rotation is listed only when all are asked for, without a date. In which order AWS lists them has no source. */
function listRotations(call: Call, input: Paged & SDK.ListKeyRotationsRequest): SDK.ListKeyRotationsResponse {
  const key = ownKey(call, input);
  checkSymmetricSpec(key);
  const entries = entriesOf(key, call.now);
  const { items, ...page } = pageOf(
    input.IncludeKeyMaterial === 'ALL_KEY_MATERIAL' ? entries : entries.filter(({ RotationDate }) => RotationDate),
    input,
    1000,
  );
  return { Rotations: items, ...page };
}

export const rotationOperations = {
  EnableKeyRotation: operation<SDK.EnableKeyRotationRequest, Record<string, never>>({
    authorize: onKey('kms:EnableKeyRotation'),
    run: (call, input) => rotation(call, input, input.RotationPeriodInDays ?? 365),
  }),
  DisableKeyRotation: operation<SDK.DisableKeyRotationRequest, Record<string, never>>({
    authorize: onKey('kms:DisableKeyRotation'),
    run: (call, input) => rotation(call, input, undefined),
  }),
  GetKeyRotationStatus: operation<SDK.GetKeyRotationStatusRequest, SDK.GetKeyRotationStatusResponse>({
    authorize: onKey('kms:GetKeyRotationStatus'),
    readOnly: true,
    run: rotationStatus,
  }),
  RotateKeyOnDemand: operation<SDK.RotateKeyOnDemandRequest, SDK.RotateKeyOnDemandResponse>({
    authorize: onKey('kms:RotateKeyOnDemand'),
    run: rotateOnDemand,
  }),
  ListKeyRotations: operation<Paged & SDK.ListKeyRotationsRequest, SDK.ListKeyRotationsResponse>({
    authorize: onKey('kms:ListKeyRotations'),
    readOnly: true,
    run: listRotations,
  }),
} satisfies Record<string, Operation>;
