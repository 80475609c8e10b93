// The S3 service: every operation of this folder in one table, the bucket policy for the authorizer, and what a denial says (F2).
// It keeps two things beside the rows, the order of the keys and the files of the bodies, so it is made for a store rather than being a constant.

import type { Operation, Service } from '../../service.ts';
import type { Store } from '../../store/store.ts';
import { throughAccessPoints } from './access-points.ts';
import { aclOperations } from './acls.ts';
import { followBlobs, sweepBlobs } from './blob-life.ts';
import { Blobs } from './blobs.ts';
import { bucketPolicyOperations } from './bucket-policy.ts';
import { bucketSettingOperations } from './bucket-settings.ts';
import { bucketOperations } from './buckets.ts';
import { s3Control } from './control.ts';
import { copyOperations } from './copy.ts';
import { corsOperations } from './cors.ts';
import { accessDenied } from './errors.ts';
import { KeyIndex } from './key-index.ts';
import { runLifecycle } from './lifecycle.ts';
import { lifecycleOperations } from './lifecycle-rules.ts';
import { listOperations } from './list.ts';
import { listedConfigurationOperations } from './listed-configurations.ts';
import { multipartOperations } from './multipart.ts';
import { objectLockOperations } from './object-lock.ts';
import { objectOperations } from './objects.ts';
import { publicAccessBlockOperations } from './public-access-block.ts';
import { readOperations } from './reads.ts';
import { resourceOwner, resourcePolicyOf } from './resource-policy.ts';
import { restoreOperations } from './restore.ts';
import type { S3 } from './state.ts';
import { taggingOperations } from './tagging.ts';
import { updateEncryptionOperations } from './update-encryption.ts';
import { uploadListOperations } from './upload-lists.ts';
import { versionListOperations } from './version-list.ts';
import { versioningOperations } from './versioning.ts';
import { olderKeys } from './versions.ts';
import { webHandlers } from './web.ts';
import { websiteConfigurationOperations } from './website-configuration.ts';

export interface S3Service {
  readonly service: Service;
  readonly control: Service;
  /** Removes files that no row names; at start, and after the store was cleared. @returns how many */
  readonly sweep: () => Promise<number>;
  /** Removes at once what waits a few seconds for its last readers. */
  readonly endGrace: () => void;
  /** Does what lifecycle rules say for this time; runs by itself every hour. @returns how many objects, versions and uploads it changed */
  readonly runLifecycle: (now: Date) => Promise<number>;
  /** Stops its timers. Files that wait to be removed are left for the next sweep. */
  readonly close: () => void;
}

const lifecycleMs = 3600 * 1000;
// A store that is broken has told so itself and ends the process.
const onLifecycleError = () => {};

/**
 * @param dataDirectory the bodies are in `objects/` under it
 */
export function createS3(store: Store, dataDirectory: string, clock: () => Date = () => new Date()): S3Service {
  const s3: S3 = {
    keys: new KeyIndex(store),
    older: new KeyIndex(store, olderKeys),
    blobs: new Blobs(dataDirectory, store),
  };
  const unfollow = followBlobs(store, s3.blobs);
  const timer = setInterval(() => void runLifecycle(store, clock()).catch(onLifecycleError), lifecycleMs);
  timer.unref();
  const operations: Readonly<Record<string, Operation>> = {
    ...bucketOperations(s3),
    ...bucketPolicyOperations,
    ...publicAccessBlockOperations,
    ...objectOperations(s3),
    ...readOperations(s3),
    ...listOperations(s3),
    ...copyOperations(s3),
    ...multipartOperations(s3),
    ...uploadListOperations,
    ...versionListOperations(s3),
    ...versioningOperations,
    ...objectLockOperations,
    ...restoreOperations,
    ...updateEncryptionOperations(s3),
    ...taggingOperations,
    ...bucketSettingOperations,
    ...corsOperations,
    ...lifecycleOperations,
    ...websiteConfigurationOperations,
    ...listedConfigurationOperations,
    ...aclOperations,
  };
  return {
    service: {
      name: 's3',
      operations: throughAccessPoints(operations),
      denied: accessDenied,
      ...webHandlers(store),
      resourcePolicy: resourcePolicyOf,
      resourceOwner,
    },
    control: s3Control,
    sweep: () => sweepBlobs(store, s3.blobs),
    endGrace: () => s3.blobs.endGrace(),
    runLifecycle: (now) => runLifecycle(store, now),
    close: () => {
      clearInterval(timer);
      unfollow();
      s3.blobs.close();
    },
  };
}
