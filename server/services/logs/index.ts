// CloudWatch Logs: groups, streams and events, as flow logs and programs write them and people read them.
// Not here, and refused by name: metric and subscription filters, queries, exports, destinations, deliveries, data protection, anomalies (docs/gaps.md).

import type { Operation, Service } from '../../service.ts';
import { denied } from './errors.ts';
import { eventOperations } from './events.ts';
import { groupOperations } from './groups.ts';
import { policyOperations, resourcePolicyOf } from './policies.ts';
import { streamOperations } from './streams.ts';

const operations: Readonly<Record<string, Operation>> = {
  ...groupOperations,
  ...streamOperations,
  ...eventOperations,
  ...policyOperations,
};

export const logs: Service = { name: 'logs', operations, denied, resourcePolicy: resourcePolicyOf };
