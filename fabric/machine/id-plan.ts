// Which ids a machine's users get. An instance is root of nothing but itself: where our own id map is wide enough its uid 0 is an id that owns
// nothing outside (100000, the first id that Debian's subuid ranges use too); with a single id it is the operator's own, held back by namespaces alone.
// One range serves all machines: their disks then keep their owners over restarts and the shared /etc looks owned by root inside each.
// Format of the map: man 7 user_namespaces, "Defining user and group ID mappings".

/** Where a machine's ids 0 … count-1 lie in our own user namespace. */
export interface IdPlan {
  readonly base: number;
  readonly count: number;
}

const wanted = 65_536;

/**
 * Picks a machine's ids.
 * @param uidMap text of our /proc/self/uid_map   @returns 100000+ when those ids are ours, else 1+ when we were given a range, else our own id 0 alone
 */
export function planIds(uidMap: string): IdPlan {
  const ranges = uidMap
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([inside = 0, , count = 0]) => ({ start: inside, end: inside + count }))
    .sort((a, b) => a.start - b.start);
  for (const base of [100_000, 1]) if (covers(ranges, base, base + wanted)) return { base, count: wanted };
  return { base: 0, count: 1 };
}

function covers(ranges: readonly { start: number; end: number }[], from: number, to: number): boolean {
  let reached = from;
  for (const range of ranges) if (range.start <= reached && range.end > reached) reached = range.end;
  return reached >= to;
}
