// The operations of instances and what belongs to them, merged into one table for index.ts.

import type { Operation } from '../../service.ts';

export const instanceOperations = {} satisfies Record<string, Operation>;
