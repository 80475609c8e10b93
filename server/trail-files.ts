// CloudTrail writes a trail's file into its bucket, as the service that it is.

import type { ServiceCaller } from './as-service.ts';
import { newRequestId } from './edge/edge.ts';
import type { TrailRow } from './store/rows/cloudtrail.ts';
import type { Store } from './store/store.ts';
import { cloudtrailPrincipal, deliveryAcl } from './trail/delivery.ts';

/** Rejects as PutObject answers CloudTrail. */
export function putLogFile(
  store: Store,
  call: ServiceCaller,
  trail: TrailRow,
  file: { readonly Key: string; readonly Body: Uint8Array },
  now: Date,
): Promise<unknown> {
  const { id: arn, accountId, bucket: Bucket } = trail;
  const request = {
    principal: cloudtrailPrincipal(trail),
    source: { accountId, arn },
    service: 's3',
    operation: 'PutObject',
    // A bucket may be in another Region than its trail; one that is gone is nowhere.
    region: store.read((tx) => tx.get('bucket', Bucket))?.region ?? trail.region,
    partition: arn.split(':')[1] ?? 'aws',
    requestId: newRequestId('rest-xml'),
    now,
  };
  const headers = { ACL: deliveryAcl, ContentType: 'application/json', ContentEncoding: 'gzip' };
  return call(request, { Bucket, ...file, ...headers });
}
