// Flow logs, which belong to EC2's API.

import type { Row } from '../store.ts';
import type { Tags } from './ec2.ts';

export interface FlowLogRow extends Row {
  /** `fl-…` */
  id: string;
  resourceType: 'VPC' | 'Subnet' | 'NetworkInterface';
  /** It need not be there any more: the log outlives it. */
  resourceId: string;
  trafficType: 'ACCEPT' | 'REJECT' | 'ALL';
  destinationType: 's3' | 'cloud-watch-logs';
  /** The ARN as it was given; absent where a log group was named. */
  destination?: string;
  logGroupName?: string;
  deliverLogsPermissionArn?: string;
  logFormat: string;
  maxAggregationInterval: 60 | 600;
  hiveCompatiblePartitions: boolean;
  perHourPartition: boolean;
  createdAt: string;
  /** Why the last delivery failed, in AWS's words; absent: it did not. */
  deliveryError?: string;
  tags: Tags;
}
