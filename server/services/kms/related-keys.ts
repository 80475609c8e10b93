// Which keys of other regions share a key's id and material. https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html (read 2026-11-21)

import type * as SDK from '@aws-sdk/client-kms';
import { AwsError } from '../../errors.ts';
import { isGone, isPrimary } from '../../kms-keys.ts';
import type { KmsKeyRow } from '../../store/rows/kms.ts';
import type { Index, Transaction } from '../../store/store.ts';

const byKeyId: Index<'kms-key'> = {
  kind: 'kms-key',
  keyOf: ({ multiRegion, accountId, keyId }) => (multiRegion ? `${accountId}/${keyId}` : undefined),
};

/** The others, in the order of their regions. */
export function relatedKeys(tx: Transaction, key: KmsKeyRow, now: Date): KmsKeyRow[] {
  if (!key.multiRegion) return [];
  return tx
    .find(byKeyId, `${key.accountId}/${key.keyId}`)
    .filter((one) => one.id !== key.id && !isGone(one, now))
    .sort((a, b) => (a.region < b.region ? -1 : 1));
}

/** What they share is changed with all of them. */
export function putWithRelated(
  tx: Transaction,
  key: KmsKeyRow,
  now: Date,
  changed: (one: KmsKeyRow) => KmsKeyRow,
): void {
  for (const one of [key, ...relatedKeys(tx, key, now)]) tx.put('kms-key', changed(one));
}

/** @throws UnsupportedOperationException (recorded 2025-09 of ReplicateKey) */
export function checkPrimary(key: KmsKeyRow): void {
  if (!isPrimary(key))
    throw new AwsError('UnsupportedOperationException', 400, `${key.id} is not a multi-region primary key.`);
}

export function multiRegionMembers(
  tx: Transaction,
  key: KmsKeyRow,
  now: Date,
): Pick<SDK.KeyMetadata, 'MultiRegion' | 'MultiRegionConfiguration'> {
  if (!key.multiRegion) return { MultiRegion: false };
  const all = [key, ...relatedKeys(tx, key, now)];
  const told = ({ id, region }: KmsKeyRow): SDK.MultiRegionKey => ({ Arn: id, Region: region });
  const primary = all.find(isPrimary);
  return {
    MultiRegion: true,
    MultiRegionConfiguration: {
      MultiRegionKeyType: isPrimary(key) ? 'PRIMARY' : 'REPLICA',
      ...(primary && { PrimaryKey: told(primary) }),
      ReplicaKeys: all.filter((one) => !isPrimary(one)).map(told),
    },
  };
}
