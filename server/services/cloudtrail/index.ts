// CloudTrail: who did what, when and by which road. The Event history is served; trails, event data stores, Insights, channels and dashboards are not
// (docs/gaps.md). Records are made by server/trail/.

import type { LookupEventsRequest, LookupEventsResponse } from '@aws-sdk/client-cloudtrail';
import { type Service, streamOperation } from '../../service.ts';
import type { EventHistory } from '../../trail/event-history.ts';
import { denied } from './errors.ts';
import { lookupEvents } from './lookup-events.ts';

export function createCloudtrail(history: EventHistory): Service {
  return {
    name: 'cloudtrail',
    operations: {
      LookupEvents: streamOperation<LookupEventsRequest, LookupEventsResponse>({
        authorize: 'auto',
        run: lookupEvents(history),
        readOnly: true,
      }),
    },
    denied,
  };
}
