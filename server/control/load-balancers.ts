// Rows of Elastic Load Balancing → the Snapshot's load balancers: which targets new connections of each node go to now, and what each node checks. B5–B7, B9.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html (read 2026-11-22)

import type {
  InterfaceEndpoint,
  LoadBalancerNode,
  LoadBalancerTarget,
  NetworkInterfaceId,
  NetworkLoadBalancer,
  VpcEndpointServiceId,
} from '@postern/network/snapshot.ts';
import type { InterfaceEndpointRow } from '../store/rows/ec2.ts';
import type { LoadBalancerRow, TargetGroupRow, TargetRow } from '../store/rows/load-balancing.ts';
import type { Transaction } from '../store/store.ts';

interface Node {
  readonly networkInterfaceId: NetworkInterfaceId;
  readonly zone: string;
}

/** A target of a group that a listener forwards to. */
interface Placed {
  readonly row: TargetRow;
  readonly address: string;
  /** Nodes that may forward to it (B7). */
  readonly nodes: readonly Node[];
}

/** What a node asks a target, to see how it is. */
export interface HealthCheck {
  readonly targetGroupArn: string;
  readonly target: Pick<TargetRow, 'id' | 'port'>;
  readonly networkInterfaceId: NetworkInterfaceId;
  readonly address: string;
  readonly port: number;
  readonly settings: TargetGroupRow['healthCheck'];
}

export function networkLoadBalancersByVpc(tx: Transaction): Map<string, NetworkLoadBalancer[]> {
  const byVpc = new Map<string, NetworkLoadBalancer[]>();
  for (const row of tx.list('load-balancer'))
    byVpc.set(row.vpcId, [...(byVpc.get(row.vpcId) ?? []), toNetworkLoadBalancer(tx, row)]);
  return byVpc;
}

/** Of every load balancer, each target's once. */
export function healthChecks(tx: Transaction): HealthCheck[] {
  return tx.list('load-balancer').flatMap((balancer) => checksOf(tx, balancer, nodesOf(tx, balancer)));
}

/** By the node in the target's own zone, where there is one. */
function checksOf(tx: Transaction, balancer: LoadBalancerRow, nodes: readonly Node[]): HealthCheck[] {
  return groupsOf(tx, balancer).flatMap((group) =>
    placedTargets(tx, balancer, group, nodes).flatMap(({ row, address, nodes: able }) => {
      const node = able.find(({ zone }) => zone === row.availabilityZone) ?? able[0];
      if (node === undefined) return [];
      const { port } = group.healthCheck;
      return {
        targetGroupArn: group.id,
        target: { id: row.id, port: row.port },
        networkInterfaceId: node.networkInterfaceId,
        address,
        port: port === 'traffic-port' ? row.port : Number(port),
        settings: group.healthCheck,
      };
    }),
  );
}

function toNetworkLoadBalancer(tx: Transaction, row: LoadBalancerRow): NetworkLoadBalancer {
  const all = nodesOf(tx, row);
  const checks = checksOf(tx, row, all);
  const groups = new Map(groupsOf(tx, row).map((group) => [group.id, placedTargets(tx, row, group, all)]));
  const listeners = tx.list('listener').filter((each) => each.loadBalancerArn === row.id);
  const nodes = all.map(({ networkInterfaceId }): LoadBalancerNode => {
    const own = checks.filter((each) => each.networkInterfaceId === networkInterfaceId);
    return {
      networkInterfaceId,
      listeners: listeners.map(({ port, targetGroupArn }) => ({
        protocol: 6,
        port,
        targets: inRotation(groups.get(targetGroupArn) ?? [], networkInterfaceId),
      })),
      checks: own.map(({ address, port }) => ({ address, port })),
    };
  });
  // A zone without a target is not told of, unless that would leave none (B6).
  const able = nodes.filter((node) => node.listeners.every(({ targets }) => targets.length > 0));
  const told = (able.length > 0 ? able : nodes).map((node) => node.networkInterfaceId);
  return {
    loadBalancerId: row.loadBalancerId,
    scheme: row.scheme,
    nodes,
    dnsNames: [
      { name: row.dnsName, networkInterfaceIds: told },
      ...all.map(({ zone, networkInterfaceId }) => ({
        name: `${zone}.${row.dnsName}`,
        networkInterfaceIds: [networkInterfaceId],
      })),
    ],
  };
}

function nodesOf(tx: Transaction, row: LoadBalancerRow): Node[] {
  return row.nodes.flatMap(({ networkInterfaceId, subnetId }) => {
    const zone = tx.get('subnet', subnetId)?.availabilityZone;
    return zone === undefined ? [] : [{ networkInterfaceId, zone }];
  });
}

function groupsOf(tx: Transaction, row: LoadBalancerRow): TargetGroupRow[] {
  const arns = new Set(
    tx.list('listener').flatMap((each) => (each.loadBalancerArn === row.id ? [each.targetGroupArn] : [])),
  );
  return [...arns].flatMap((arn) => tx.get('target-group', arn) ?? []);
}

/** Those that could take connections: registered, running, and in a zone that the balancer is enabled in. */
function placedTargets(
  tx: Transaction,
  balancer: LoadBalancerRow,
  group: TargetGroupRow,
  nodes: readonly Node[],
): Placed[] {
  const attribute = 'load_balancing.cross_zone.enabled';
  const own = group.attributes[attribute] ?? 'use_load_balancer_configuration';
  const isCrossZone = (own.startsWith('use_') ? balancer.attributes[attribute] : own) === 'true';
  return group.targets.flatMap((row): Placed[] => {
    if (row.state === 'draining') return [];
    const address = addressOf(tx, group, row);
    const near = nodes.filter(({ zone }) => zone === row.availabilityZone);
    const isElsewhere = row.availabilityZone !== undefined && near.length === 0;
    if (address === undefined || isElsewhere) return [];
    return [{ row, address, nodes: isCrossZone || row.availabilityZone === undefined ? nodes : near }];
  });
}

function addressOf(tx: Transaction, group: TargetGroupRow, { id }: TargetRow): string | undefined {
  if (group.targetType === 'ip') return id;
  const instance = tx.get('instance', id as `i-${string}`);
  if (instance?.state !== 'running' && instance?.state !== 'pending') return undefined;
  const card = tx
    .list('network-interface')
    .find(({ attachment }) => attachment?.instanceId === id && attachment.deviceIndex === 0);
  return card?.privateAddresses.find((each) => each.primary)?.address;
}

/** Healthy ones; where none is in any zone, those that failed, for a balancer fails open (B6). */
function inRotation(targets: readonly Placed[], networkInterfaceId: NetworkInterfaceId): LoadBalancerTarget[] {
  const healthy = targets.filter(({ row }) => row.state === 'healthy');
  const chosen = healthy.length > 0 ? healthy : targets.filter(({ row }) => row.state === 'unhealthy');
  return chosen
    .filter(({ nodes }) => nodes.some((node) => node.networkInterfaceId === networkInterfaceId))
    .map(({ row, address }) => ({ address, port: row.port }));
}

/**
 * Which node each interface of an endpoint leads to, for somebody's endpoint service: one in its own zone (Y6); none while the connection is not accepted (Y3).
 * Undefined: the endpoint is for a service of AWS's.
 */
export function behindEndpoint(
  tx: Transaction,
  { connection, serviceName }: InterfaceEndpointRow,
  interfaces: readonly { readonly networkInterfaceId: NetworkInterfaceId; readonly availabilityZone: string }[],
): InterfaceEndpoint['behind'] {
  if (connection === undefined) return undefined;
  const id = serviceName.slice(serviceName.lastIndexOf('.') + 1) as VpcEndpointServiceId;
  const arns = (connection === 'available' && tx.get('vpc-endpoint-service', id)?.loadBalancerArns) || [];
  const nodes = arns.flatMap((arn) => {
    const balancer = tx.get('load-balancer', arn);
    return balancer ? nodesOf(tx, balancer) : [];
  });
  return interfaces.flatMap(({ networkInterfaceId, availabilityZone }) => {
    const node = nodes.find(({ zone }) => zone === availabilityZone);
    return node === undefined ? [] : [{ networkInterfaceId, node: node.networkInterfaceId }];
  });
}
