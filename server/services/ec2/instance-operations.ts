// The operations of instances and what belongs to them, merged into one table for index.ts.

import type { Operation } from '../../service.ts';
import { instanceLifecycle } from './instance-lifecycle.ts';
import { instances } from './instances.ts';

export const instanceOperations = { ...instances, ...instanceLifecycle } satisfies Record<string, Operation>;
