// Rows of Elastic Load Balancing. `id` is the ARN of each.

import type {
  Ipv4,
  LoadBalancerId,
  NetworkInterfaceId,
  SecurityGroupId,
  SubnetId,
  VpcId,
} from '@postern/network/snapshot.ts';
import type { Row } from '../store.ts';

type Attributes = Readonly<Record<string, string>>;

export interface LoadBalancerRow extends Row {
  loadBalancerId: LoadBalancerId;
  name: string;
  dnsName: string;
  scheme: 'internal' | 'internet-facing';
  vpcId: VpcId;
  /** Undefined: it was made without, and can have none (B4). */
  groupIds?: SecurityGroupId[];
  enforcesGroupsOnPrivateLink: boolean;
  nodes: {
    subnetId: SubnetId;
    networkInterfaceId: NetworkInterfaceId;
    /** The address that the caller chose. */
    privateIp?: Ipv4;
    elastic?: { allocationId: string; associationId?: string; publicIp?: Ipv4 };
  }[];
  /** Those that were changed. */
  attributes: Attributes;
  createdTime: string;
  tags: Record<string, string>;
}

export type TargetState = 'initial' | 'healthy' | 'unhealthy' | 'draining';

export interface TargetRow {
  /** An instance's id, or an address. */
  id: string;
  port: number;
  /** An address outside the VPC has none of its own. */
  availabilityZone?: string;
  state: TargetState;
  /** Of a draining one: when it is gone. */
  goneAt?: string;
}

export interface TargetGroupRow extends Row {
  name: string;
  vpcId: VpcId;
  targetType: 'instance' | 'ip';
  port: number;
  healthCheck: {
    protocol: 'TCP' | 'HTTP';
    /** `traffic-port`, or a number. */
    port: string;
    path: string;
    /** HTTP status codes: `200-399`, `200,301`. */
    matcher: string;
    intervalSeconds: number;
    timeoutSeconds: number;
    healthyThreshold: number;
    unhealthyThreshold: number;
  };
  attributes: Attributes;
  targets: TargetRow[];
  createdTime: string;
  tags: Record<string, string>;
}

export interface ListenerRow extends Row {
  loadBalancerArn: string;
  vpcId: VpcId;
  port: number;
  targetGroupArn: string;
  attributes: Attributes;
  tags: Record<string, string>;
}

export interface LoadBalancingRows {
  'load-balancer': LoadBalancerRow;
  'target-group': TargetGroupRow;
  listener: ListenerRow;
}
