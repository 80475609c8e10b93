// What the S3 operations share beside the rows: the keys in order, and the files of the bodies.

import type { Blobs } from './blobs.ts';
import type { KeyIndex } from './key-index.ts';

export interface S3 {
  readonly keys: KeyIndex;
  /** Those of `olderKeys`. */
  readonly older: KeyIndex;
  readonly blobs: Blobs;
}
