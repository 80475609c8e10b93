// node:http hands over each piece of a body in a buffer of its own, 128 of them for 8 MiB. They are done with at once, but V8 notices that only by a full
// collection, which it starts for every 64 MB of them and which walks the whole heap: a third of the processor time of an upload (Node 20).
// A collection of the young objects frees them too, and costs half a millisecond.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { readonly type: 'minor' }) => void;

let collect: Collect | undefined;
let spentBytes = 0;

/**
 * Tells of bytes that came in buffers of their own, which nobody keeps.
 * @param perCollection bytes; fewer where a collection costs less, for memory that is used again soon is still in the processor's cache
 */
export function noteSpent(bytes: number, perCollection: number): void {
  spentBytes += bytes;
  if (spentBytes < perCollection) return;
  spentBytes = 0;
  collect ??= collector();
  collect({ type: 'minor' });
}

/** What `node --expose-gc` has as a global. */
function collector(): Collect {
  setFlagsFromString('--expose-gc');
  // Each collection would wake four helpers, which find next to nothing and spin: with many uploads at once a fifth of their processor time.
  setFlagsFromString('--no-parallel-scavenge');
  return runInNewContext('gc') as Collect;
}
