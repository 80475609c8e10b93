// What DescribeKey, CreateKey and ReplicateKey tell of a key. https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html (read 2026-11-21)
// Recorded (2025): which members there are, by kind, origin and state.

import type * as SDK from '@aws-sdk/client-kms';
import { currentMaterialId, isPendingDeletion, isPendingImport, originOf, specOf, usageOf } from '../../kms-keys.ts';
import type { Call } from '../../service.ts';
import type { KmsKeyRow } from '../../store/rows/kms.ts';
import { waitsForReplicas } from './deletion.ts';
import { expirationMembers } from './imports.ts';
import { algorithmsMember } from './key-specs.ts';
import { multiRegionMembers } from './related-keys.ts';

function stateOf(key: KmsKeyRow, now: Date): SDK.KeyState {
  if (waitsForReplicas(key, now)) return 'PendingReplicaDeletion';
  if (isPendingDeletion(key)) return 'PendingDeletion';
  if (isPendingImport(key, now)) return 'PendingImport';
  return key.enabled ? 'Enabled' : 'Disabled';
}

/** What is told of a key. */
export function metadataOf({ tx, now }: Call, key: KmsKeyRow): SDK.KeyMetadata {
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
    ...deletionMembers(key, now),
    Origin: originOf(key),
    ...expirationOf(key, now),
    KeyManager: key.manager,
    CustomerMasterKeySpec: specOf(key) as SDK.CustomerMasterKeySpec,
    KeySpec: specOf(key) as SDK.KeySpec,
    ...algorithmsMember(key),
    ...multiRegionMembers(tx, key, now),
    ...(specOf(key) === 'SYMMETRIC_DEFAULT' && current !== undefined && { CurrentKeyMaterialId: current }),
  };
}

function deletionMembers(
  key: KmsKeyRow,
  now: Date,
): Pick<SDK.KeyMetadata, 'DeletionDate' | 'PendingDeletionWindowInDays'> {
  if (waitsForReplicas(key, now)) return { PendingDeletionWindowInDays: key.replicaWindowDays };
  return key.deletionDate === undefined ? {} : { DeletionDate: new Date(key.deletionDate) };
}

/** While its materials are there (recorded 2025-11): the earliest day of those that the key needs. */
function expirationOf(key: KmsKeyRow, now: Date): Pick<SDK.KeyMetadata, 'ExpirationModel' | 'ValidTo'> {
  if (!key.imported || isPendingImport(key, now)) return {};
  const days = key.imported.materials.flatMap(({ pending, validTo }) => (pending || !validTo ? [] : [validTo]));
  return expirationMembers(days.sort()[0]);
}
