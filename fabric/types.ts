// What the fabric offers to the server. The two halves are the network (Snapshot → kernel) and the machines (an instance's own namespaces).
// Nothing here names a Linux thing that a caller must know: a second fabric (OVN) would implement the same two interfaces.

import type { ChildProcess, StdioOptions } from 'node:child_process';
import type {
  InstanceConnectEndpointId,
  InstanceId,
  Ipv4,
  Ipv6,
  NetworkInterfaceId,
  Snapshot,
  VpcEndpointId,
  VpcId,
} from '@postern/network/snapshot.ts';

/** Where a connection that reached the AWS side came from, read off its two addresses. */
export type Origin =
  /** Over the internet; `sourceIp` is the public address. */
  | { readonly kind: 'internet'; readonly sourceIp: Ipv4 | Ipv6; readonly destinationIp: Ipv4 | Ipv6 }
  /** Through a VPC endpoint; `vpcId` is the endpoint's, and so is not the client's where that is peered. */
  | { readonly kind: 'endpoint'; readonly vpcEndpointId: VpcEndpointId; readonly vpcId: VpcId; readonly sourceIp: Ipv4 }
  /** To the VPC's resolver (169.254.169.253, base + 2 or fd00:ec2::253) or to the metadata service (169.254.169.254 or fd00:ec2::254). */
  | { readonly kind: 'resolver' | 'metadata'; readonly vpcId: VpcId; readonly sourceIp: Ipv4 | Ipv6 };

/**
 * What the metadata service's answer to a token request begins with, and no other answer of it: the fabric tells it by these bytes, for only that
 * answer has the instance's hop limit (H4).
 */
export const tokenAnswerBeginning = 'HTTP/1.1 200 OK\r\nX-Aws-Ec2-Metadata-Token-Ttl-Seconds: ';

export interface Applied {
  readonly revision: number;
  readonly elapsedMs: number;
  /** Interfaces that carry packets now. */
  readonly interfaces: readonly NetworkInterfaceId[];
  /** What could not be applied, with the command's own words; empty when all is well. */
  readonly failures: readonly { readonly cause: string; readonly message: string }[];
}

/** What one interface carried of one flow since it was last asked. */
export interface FlowCount {
  readonly networkInterfaceId: NetworkInterfaceId;
  readonly direction: 'ingress' | 'egress';
  readonly action: 'ACCEPT' | 'REJECT';
  /** Rejected by block public access and nothing else. */
  readonly isBlockedPublicAccess?: boolean;
  /** Where it leaves to; means nothing of what comes in. */
  readonly path: 'vpc' | 'internet-gateway' | 'gateway-endpoint' | 'peering' | 'inter-region-peering' | 'none';
  readonly protocol: number;
  /** As the packet has them, public addresses of the VPC's own interfaces translated. */
  readonly sourceAddress: Ipv4 | Ipv6;
  readonly destinationAddress: Ipv4 | Ipv6;
  /** 0 for protocols without. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** AWS's sum (L11). */
  readonly tcpFlags: number;
  readonly packets: number;
  readonly bytes: number;
  /** Of its first packet, within a second. */
  readonly firstAtMs: number;
}

/** Packets that found no room to be counted in. */
export interface SkippedFlows {
  readonly networkInterfaceId: NetworkInterfaceId;
  readonly packets: number;
}

export interface FlowCounts {
  readonly flows: readonly FlowCount[];
  readonly skipped: readonly SkippedFlows[];
  readonly failures: Applied['failures'];
}

export interface NetworkFabric {
  /** Makes the kernel look like the Snapshot. Calls are serialised; a later Snapshot may replace a waiting one. Applying the same twice changes nothing. */
  apply(snapshot: Snapshot): Promise<Applied>;
  /** Undefined: no packet of this fabric has such addresses. Ports are not needed. */
  origin(remoteAddress: Ipv4 | Ipv6, localAddress: Ipv4 | Ipv6): Origin | undefined;
  /**
   * Where the server dials from and to, to reach a private address as an instance connect endpoint reaches it: packets leave from the endpoint's interface, with its
   * address or, where the endpoint preserves it, the client's.
   * Undefined: the endpoint is not there, the address is in no block that it reaches, or the client's address cannot be preserved.
   */
  through(
    endpointId: InstanceConnectEndpointId,
    address: Ipv4,
    clientIp: Ipv4,
  ): { readonly from: Ipv4; readonly to: Ipv4 } | undefined;
  /** Where the server dials from and to, to see how a target is, as a load balancer's node sees it. Undefined: the node is not there, or reaches no such address. */
  fromNode(
    networkInterfaceId: NetworkInterfaceId,
    address: Ipv4,
  ): { readonly from: Ipv4; readonly to: Ipv4 } | undefined;
  /** Addresses on the AWS side where the front door must listen: resolver (udp and tcp 53) and metadata (tcp 80). Services listen on every address. */
  readonly listen: { readonly resolver: Ipv4; readonly metadata: Ipv4 };
  /** What interfaces with `loggedTraffic` carried since the last call, in the order of applies; each packet is told once. */
  flowCounts(): Promise<FlowCounts>;
  close(): Promise<void>;
}

/** What DHCP tells a machine beside its addresses. */
export interface Lease {
  readonly nameServers: readonly string[];
  /** Domains that a short name is looked up in, separated by spaces. */
  readonly domainName?: string;
  readonly timeServers: readonly string[];
}

export interface MachineSpec {
  readonly instanceId: InstanceId;
  /** `ip-10-0-0-4` */
  readonly hostname: string;
  /** The instance's own disk: a directory that only this machine writes; made when missing, kept over stop and start. */
  readonly disk: string;
  /** PEM of Postern's CA, to be trusted inside. */
  readonly caCertificate: string;
  /** `ec2-user`'s public keys in OpenSSH form. */
  readonly authorizedKeys: readonly string[];
  /** What DHCP gives out at the start. */
  readonly lease: Lease;
  /** Decoded user data; run once per instance, at its first boot, as cloud-init does with `#!` scripts. */
  readonly userData?: Buffer;
  readonly region: string;
}

export interface Machines {
  /** Settles when the machine's namespaces exist; its init waits for `release`, so that user data finds a network. Fails with the reason and leaves nothing. */
  start(spec: MachineSpec): Promise<void>;
  /** The network is there: boot goes on. */
  release(instanceId: InstanceId): void;
  /** Gives a running machine another lease; settles when the machine has taken it. Not running: resolves. */
  renewLease(instanceId: InstanceId, lease: Lease): Promise<void>;
  /** Asks init to shut down, then ends every process of it. Resolves when nothing of it is left but its disk. Not running: resolves. */
  stop(instanceId: InstanceId, options?: { graceMs?: number }): Promise<void>;
  /** Removes the disk of a machine that is not running. */
  destroy(instanceId: InstanceId, disk: string): Promise<void>;
  running(): readonly InstanceId[];
  /** A process id inside whose namespaces the fabric configures the machine's interfaces. */
  processId(instanceId: InstanceId): number | undefined;
  /** The machine ended by itself (`shutdown` or `poweroff` inside, or a crash). */
  onExit(listener: (instanceId: InstanceId, reason: 'shutdown' | 'reboot' | 'crash') => void): void;
  /** Starts a process inside, as its root, with the machine's environment. */
  exec(
    instanceId: InstanceId,
    argv: readonly string[],
    options: { stdio: StdioOptions; env?: Record<string, string>; cwd?: string },
  ): ChildProcess;
  /** What the machine's console printed since its last start, at most the last 64 KiB. */
  consoleOutput(instanceId: InstanceId): Buffer;
}
