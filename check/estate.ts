// What an assertion is held against: a network, the names that people gave its parts, and the policies. A running cloud's rows make one, and so does
// what was read from a real account (server/estate.ts, server/import/).

import type {
  Cidr,
  NetworkInterfaceId,
  RouteTableId,
  SecurityGroupId,
  Snapshot,
  VpcId,
} from '@postern/network/snapshot.ts';
import type { Flow } from '@postern/network/walk/packet.ts';

export type ResourceKind = 'instance' | 'network-interface' | 'subnet' | 'security-group' | 'vpc' | 'vpc-endpoint';

export interface Resource {
  readonly kind: ResourceKind;
  readonly id: string;
  readonly vpcId: VpcId;
  /** Its Name tag, and of a security group the group's name. */
  readonly names: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
}

/** Something of a real account that has no counterpart in a Snapshot. The Snapshot is then a part of the truth, and this says which answers the rest could change. */
export type Unmodelled = {
  /** `tgw-0ab… (transit gateway)` */
  readonly what: string;
  /** In a sentence without its full stop. */
  readonly because: string;
} & (
  | { readonly kind: 'nothing' }
  /** Packets leave by it, and come in by it from where these routes lead back. In the Snapshot the routes are blackholes. */
  | {
      readonly kind: 'road';
      readonly routes: readonly { readonly routeTableId: RouteTableId; readonly destinations: readonly Cidr[] }[];
    }
  /** A box of AWS's that hands on what it is sent, to whom the snapshot does not say. */
  | {
      readonly kind: 'relay';
      readonly networkInterfaceId: NetworkInterfaceId;
      readonly vpcId: VpcId;
      /** Who gets the packet sees its first sender's address. */
      readonly preservesSource: boolean;
    }
  /** What is not known of some parts of the network; of all of it when none is named. */
  | {
      readonly kind: 'part';
      readonly at?: {
        readonly vpcIds?: readonly VpcId[];
        /** Of the interfaces that carry them, as senders or as receivers. */
        readonly groupIds?: readonly SecurityGroupId[];
        readonly direction?: 'ingress' | 'egress';
        /** Of the interfaces in their subnets. */
        readonly routeTableIds?: readonly RouteTableId[];
      };
      readonly effect: 'may-open' | 'may-block' | 'both';
    }
);

/** One question to the policies. */
export interface PermissionQuestion {
  readonly who: { readonly kind: 'role' | 'user' | 'anonymous'; readonly name: string };
  readonly action: string;
  /** An ARN, or `bucket NAME[/KEY]`. */
  readonly resource: string;
  readonly path:
    | { readonly kind: 'internet'; readonly sourceIp: string }
    | { readonly kind: 'endpoint'; readonly vpcEndpointId: string; readonly vpcId: VpcId; readonly sourceIp: string };
  readonly when: Readonly<Record<string, readonly string[]>>;
}

export type PermissionAnswer =
  | {
      readonly kind: 'decided';
      readonly allowed: boolean;
      /** `identity`, `resource`, `endpoint` …, `root`. */
      readonly layer: string;
      readonly explicit: boolean;
      /** The statements that decided: `inline:app statement 1 (ReadMedia)`. */
      readonly statements: readonly string[];
      /** AWS's own words of a denial. */
      readonly reason: string;
      /** Commands that would allow what is denied, each the smallest change; none where a statement stands in the way that looks like a guard. */
      readonly mend: readonly string[];
      /** What the answer takes for granted. */
      readonly assumptions: readonly string[];
      /** Why nobody can know before the request, in a sentence; absent: it is certain. */
      readonly unknown?: string;
    }
  /** There is no such role, bucket …: `near` is the nearest name. */
  | { readonly kind: 'missing'; readonly what: string; readonly near?: string };

export interface Estate {
  readonly snapshot: Snapshot;
  readonly resources: readonly Resource[];
  /** Where a service's public addresses are: by the address plan of a cloud of our own, as AWS told, or (undefined) anywhere on the internet. */
  serviceBlocks(service: string, region: string): 'plan' | readonly Cidr[] | undefined;
  /** The region of a bucket. */
  bucketRegion(bucket: string): string | undefined;
  readonly buckets: readonly string[];
  readonly unmodelled: readonly Unmodelled[];
  permission(question: PermissionQuestion): PermissionAnswer;
  /** AWS CLI commands that would let a flow pass; none where nothing simple does. */
  opening(flow: Flow): readonly string[];
}
