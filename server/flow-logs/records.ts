// From what the kernel counted to the lines of a flow log. https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html (read 2026-11-22)
// Pure: which interface, which window and which format are given in.
// Gap: `end` is the window's where a flow has more than one packet: the kernel keeps the time of the first.

import type { FlowCount } from '@postern/fabric/types.ts';
import { addressPlan, ipv6Plan } from '@postern/network/addresses.ts';
import { awsPrefixLists } from '@postern/network/aws-prefix-lists.ts';
import { containsAddress } from '@postern/network/cidr.ts';
import type { Cidr } from '@postern/network/snapshot.ts';
import type { FlowLogField } from '../flow-log-format.ts';

/** What records tell of an interface beside its packets. */
export interface LoggedInterface {
  readonly networkInterfaceId: string;
  readonly accountId: string;
  readonly region: string;
  readonly vpcId: string;
  readonly subnetId: string;
  readonly availabilityZoneId: string;
  readonly instanceId?: string;
  /** Its traffic-path has numbers of its own for two ways, and its window is never longer than a minute (L8, L13). */
  readonly isNitro: boolean;
  /** What its own side is shown as, whichever of its addresses was meant (L12). */
  readonly primaryAddress: string;
  readonly ipv6Addresses: readonly string[];
}

export interface Window {
  readonly startMs: number;
  readonly endMs: number;
}

export interface Format {
  readonly fields: readonly FlowLogField[];
  readonly version: number;
}

/** A line, and the time that it is an event of: its start. */
export interface FlowRecord {
  readonly atMs: number;
  readonly line: string;
}

type Values = Partial<Record<FlowLogField, string | number>>;

const seconds = (ms: number) => Math.floor(ms / 1000);

function line({ fields, version }: Format, values: Values): string {
  return fields.map((field) => (field === 'version' ? version : (values[field] ?? '-'))).join(' ');
}

function interfaceValues(eni: LoggedInterface): Values {
  return {
    'account-id': eni.accountId,
    'interface-id': eni.networkInterfaceId,
    'vpc-id': eni.vpcId,
    'subnet-id': eni.subnetId,
    ...(eni.instanceId !== undefined && { 'instance-id': eni.instanceId }),
    region: eni.region,
    'az-id': eni.availabilityZoneId,
  };
}

/** NODATA: the interface carried nothing in the window. SKIPDATA: there were more flows than there is room for. */
export function statusLine(
  format: Format,
  eni: LoggedInterface,
  window: Window,
  status: 'NODATA' | 'SKIPDATA',
): string {
  const at = { start: seconds(window.startMs), end: seconds(window.endMs) };
  return line(format, { ...interfaceValues(eni), ...at, 'log-status': status });
}

/** When its first packet came, or the window began. */
export function flowStartMs(flow: FlowCount, { startMs, endMs }: Window): number {
  return Math.min(Math.max(flow.firstAtMs, startMs), endMs);
}

export function flowLine(format: Format, eni: LoggedInterface, window: Window, flow: FlowCount): string {
  const { sourceAddress, destinationAddress, direction } = flow;
  const start = seconds(flowStartMs(flow, window));
  return line(format, {
    ...interfaceValues(eni),
    srcaddr: direction === 'egress' ? ownAddress(eni, sourceAddress) : sourceAddress,
    dstaddr: direction === 'ingress' ? ownAddress(eni, destinationAddress) : destinationAddress,
    srcport: flow.sourcePort,
    dstport: flow.destinationPort,
    protocol: flow.protocol,
    packets: flow.packets,
    bytes: flow.bytes,
    start,
    end: flow.packets === 1 ? start : seconds(window.endMs),
    action: flow.action,
    'log-status': 'OK',
    'tcp-flags': flow.tcpFlags,
    type: sourceAddress.includes(':') ? 'IPv6' : 'IPv4',
    'pkt-srcaddr': sourceAddress,
    'pkt-dstaddr': destinationAddress,
    'pkt-src-aws-service': awsServiceAt(sourceAddress, eni.region),
    'pkt-dst-aws-service': awsServiceAt(destinationAddress, eni.region),
    'flow-direction': direction,
    'traffic-path': direction === 'egress' ? trafficPath(flow.path, eni) : '-',
    'reject-reason': flow.isBlockedPublicAccess === true ? 'BPA' : '-',
  });
}

/** L12: the primary private address, or an IPv6 address of the interface; the packet's own is in pkt-srcaddr and pkt-dstaddr. */
function ownAddress(eni: LoggedInterface, address: string): string {
  if (!address.includes(':')) return eni.primaryAddress;
  return eni.ipv6Addresses.includes(address) ? address : (eni.ipv6Addresses[0] ?? address);
}

/** L8. */
function trafficPath(path: FlowCount['path'], { isNitro }: LoggedInterface): string {
  switch (path) {
    case 'vpc':
      return '1';
    case 'internet-gateway':
      return isNitro ? '8' : '2';
    case 'gateway-endpoint':
      return isNitro ? '7' : '2';
    case 'peering':
      return '4';
    case 'inter-region-peering':
      return '5';
    case 'none':
      return '-';
  }
}

/** As AWS's list of its address ranges names them; private addresses have none. */
function awsServiceAt(address: string, region: string): string {
  const isIn = (cidrs: readonly Cidr[]) => cidrs.some((cidr) => containsAddress(cidr, address));
  if (address.includes(':')) return isIn([ipv6Plan.services]) ? 'AMAZON' : isIn([ipv6Plan.vpcs]) ? 'EC2' : '-';
  if (isIn([addressPlan.publicPool])) return 'EC2';
  if (!isIn([addressPlan.services])) return '-';
  return (
    awsPrefixLists(region)
      .find(({ cidrs }) => isIn(cidrs))
      ?.service.toUpperCase() ?? 'AMAZON'
  );
}

/** Of several readings of one window: a flow is told once (L7), its flags or-ed (L11). */
export function mergeFlows(flows: readonly FlowCount[]): FlowCount[] {
  const byKey = new Map<string, FlowCount>();
  for (const flow of flows) {
    const { packets, bytes, tcpFlags, firstAtMs, ...key } = flow;
    const name = JSON.stringify(Object.entries(key).sort(([a], [b]) => (a < b ? -1 : 1)));
    const before = byKey.get(name);
    byKey.set(
      name,
      before === undefined
        ? flow
        : {
            ...flow,
            packets: before.packets + packets,
            bytes: before.bytes + bytes,
            tcpFlags: before.tcpFlags | tcpFlags,
            firstAtMs: Math.min(before.firstAtMs, firstAtMs),
          },
    );
  }
  return [...byKey.values()];
}
