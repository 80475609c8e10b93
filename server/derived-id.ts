// An id that is not random: the same words give the same id, so that the default VPC is the same one after every reset.

import { createHash } from 'node:crypto';

/** @returns AWS's long form, prefix and 17 hex digits */
export function derivedId<P extends string>(prefix: P, ...words: string[]): `${P}-${string}` {
  const digest = createHash('sha256')
    .update([prefix, ...words].join(' '))
    .digest('hex');
  return `${prefix}-0${digest.slice(0, 16)}`;
}
