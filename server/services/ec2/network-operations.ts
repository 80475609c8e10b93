// The operations of the network core, merged into one table for index.ts.

import type { Operation } from '../../service.ts';

export const networkOperations = {} satisfies Record<string, Operation>;
