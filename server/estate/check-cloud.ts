// `postern check` without --snapshot: a check file held against the running cloud's rows.

import { check } from '@postern/check/check.ts';
import { readDocument } from '@postern/check/document.ts';
import type { BadFile, CheckReport } from '@postern/check/report.ts';
import type { Snapshot } from '@postern/network/snapshot.ts';
import type { Store } from '../store/store.ts';
import { estateOf } from './estate.ts';

export function checkCloud(store: Store, snapshot: Snapshot, text: string): CheckReport | BadFile {
  const read = readDocument(text);
  if (!read.ok) return { problems: read.problems };
  return store.read((tx) => check(estateOf(tx, snapshot, new Date()), read.assertions));
}
