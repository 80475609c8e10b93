// A key's material anew: at once when it is asked for, what was sealed before stays readable. The automatic kind is remembered and not done.
// https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html (read 2026-11-21). Recorded (2025): the error of too many.

import type * as SDK from '@aws-sdk/client-kms';
import { AwsError } from '../../errors.ts';
import { checkUsable, materialId, materialsOf, newMaterial, pendingDeletion, specOf } from '../../kms-keys.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { KmsKeyRow } from '../../store/rows/kms.ts';
import { changeableKey, type KeyInput, onKey, ownKey } from './access.ts';
import { type Paged, pageOf } from './errors.ts';

const dayMs = 24 * 3600 * 1000;
const maxOnDemand = 25;

function rotation(call: Call, input: KeyInput, rotationDays: number | undefined): Record<string, never> {
  const { rotationDays: _, ...key } = changeableKey(call, input);
  checkRotates(key);
  if (key.deletionDate !== undefined) throw pendingDeletion(key);
  if (!key.enabled) throw new AwsError('DisabledException', 400, `${key.id} is disabled.`);
  call.tx.put('kms-key', { ...key, ...(rotationDays !== undefined && { rotationDays }) });
  return {};
}

/** A pair or an HMAC key stays as it is. @throws UnsupportedOperationException, without a message (recorded 2025-03 of RotateKeyOnDemand) */
function checkRotates(key: KmsKeyRow): void {
  if (specOf(key) !== 'SYMMETRIC_DEFAULT') throw new AwsError('UnsupportedOperationException', 400, '');
}

/** Of a key that does not rotate the status is always false. */
function rotationStatus(call: Call, input: SDK.GetKeyRotationStatusRequest): SDK.GetKeyRotationStatusResponse {
  const key = ownKey(call, input);
  const { rotationDays: days } = key;
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
  checkRotates(key);
  checkUsable(key);
  const rotations = [...(key.rotations ?? []), { material: newMaterial(), date: call.now.toISOString() }];
  if (rotations.length > maxOnDemand)
    throw new AwsError(
      'LimitExceededException',
      400,
      `The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ${key.id}`,
    );
  call.tx.put('kms-key', { ...key, rotations });
  return { KeyId: key.id };
}

/** The first material is listed only when all are asked for, last and without a date. In which order AWS lists them has no source. */
function listRotations(call: Call, input: Paged & SDK.ListKeyRotationsRequest): SDK.ListKeyRotationsResponse {
  const key = ownKey(call, input);
  checkRotates(key);
  const dates = (key.rotations ?? []).map(({ date }) => date).reverse();
  const entries = materialsOf(key).map((material, index): SDK.RotationsListEntry => {
    const date = dates[index];
    return {
      KeyId: key.keyId,
      KeyMaterialId: materialId(key, material),
      KeyMaterialState: index === 0 ? 'CURRENT' : 'NON_CURRENT',
      ...(date !== undefined && { RotationDate: new Date(date), RotationType: 'ON_DEMAND' }),
    };
  });
  const { items, ...page } = pageOf(
    input.IncludeKeyMaterial === 'ALL_KEY_MATERIAL' ? entries : entries.slice(0, dates.length),
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
