// CloudTrail: who did what, when and by which road. The Event history and trails are served; event data stores, Insights, channels and dashboards
// are not (docs/gaps.md). Records are made, kept and delivered by server/trail/.

import type { LookupEventsRequest, LookupEventsResponse } from '@aws-sdk/client-cloudtrail';
import { type Service, streamOperation } from '../../service.ts';
import type { EventHistory } from '../../trail/event-history.ts';
import { denied } from './errors.ts';
import { eventSelectorOperations } from './event-selectors.ts';
import { lookupEvents } from './lookup-events.ts';
import { tagOperations } from './tags.ts';
import { trailOperations } from './trails.ts';

export function createCloudtrail(history: EventHistory): Service {
  return {
    name: 'cloudtrail',
    operations: {
      LookupEvents: streamOperation<LookupEventsRequest, LookupEventsResponse>({
        authorize: 'auto',
        run: lookupEvents(history),
        readOnly: true,
      }),
      ...trailOperations,
      ...eventSelectorOperations,
      ...tagOperations,
    },
    denied,
  };
}
