// When does a body's file come into use and when is it done with? Read off the store's change feed, so that no operation has to remember it:
// a blob that a committed row names is claimed, one that no row of the change names any more is condemned.

import type { ObjectRow, UploadRow } from '../../store/rows/s3.ts';
import type { Change, Store } from '../../store/store.ts';
import type { Blobs } from './blobs.ts';

function blobsOfObject(row: ObjectRow): readonly string[] {
  return row.partBlobIds ?? [row.blobId];
}

function blobsOfUpload(row: UploadRow): readonly string[] {
  return Object.values(row.parts).map((part) => part.blobId);
}

function blobsOfRow(kind: Change['kind'], row: Change['after']): readonly string[] {
  if (!row) return [];
  if (kind === 'object' || kind === 'object-version') return blobsOfObject(row as ObjectRow);
  return kind === 'upload' ? blobsOfUpload(row as UploadRow) : [];
}

/** Claims and condemns as the store changes. Parts that become an object in one transaction go from one row to the other and stay. */
export function followBlobs(store: Store, blobs: Blobs): () => void {
  return store.onChange((changes) => {
    const named = new Set<string>();
    const dropped: string[] = [];
    for (const { kind, before, after } of changes) {
      if (kind !== 'object' && kind !== 'object-version' && kind !== 'upload') continue;
      const now = blobsOfRow(kind, after);
      for (const blobId of now) named.add(blobId);
      for (const blobId of now) blobs.claim(blobId);
      dropped.push(...blobsOfRow(kind, before));
    }
    for (const blobId of dropped) if (!named.has(blobId)) blobs.condemn(blobId);
  });
}

/** Removes the files that no row names: left by a crash, or by a reset. @returns how many */
export async function sweepBlobs(store: Store, blobs: Blobs): Promise<number> {
  const named = store.read((tx) => {
    const all = new Set<string>();
    for (const object of [...tx.list('object'), ...tx.list('object-version')])
      for (const blobId of blobsOfObject(object)) all.add(blobId);
    for (const upload of tx.list('upload')) for (const blobId of blobsOfUpload(upload)) all.add(blobId);
    return all;
  });
  return blobs.sweep((blobId) => named.has(blobId));
}
