// Why can't the laptop reach an instance's port? Every reason at once, each with the AWS CLI command that mends it, because AWS shows a time-out only.
// Pure over the Snapshot; it explains and decides nothing: the packets do (design, invariant 1). Rules: I1–I3 (gateway and public address),
// R9 (blackhole), N2/N6–N8 (ACL, both ways, by number), S2–S3 (groups only allow).

import { addressPlan, ipv6Plan } from '@postern/network/addresses.ts';
import { containsAddress } from '@postern/network/cidr.ts';
import type {
  Cidr, InstanceId, Ipv4, Ipv6, NetworkAclEntry, NetworkInterface, PortRange, PrefixListId, Route, Snapshot, Subnet, Vpc,
} from '@postern/network/snapshot.ts'; // biome-ignore format: one line per source

export interface ConnectFinding {
  readonly problem: string;
  /** The AWS CLI command that mends it. */
  readonly cure?: string;
}

export interface ConnectDiagnosis {
  /** What the laptop calls it by: the public address, or where there is none an IPv6 one, which is public by itself (I7). */
  readonly publicIp?: Ipv4 | Ipv6;
  readonly privateIp?: Ipv4;
  /** Empty: the network lets the connection pass. */
  readonly findings: readonly ConnectFinding[];
}

export interface ConnectQuestion {
  readonly instanceId: InstanceId;
  readonly port: number;
  /** Where the connection comes from; the laptop by default. */
  readonly sourceIp?: Ipv4 | Ipv6;
  /** What the API says of the instance, e.g. `stopped`: the Snapshot has running ones only. */
  readonly state?: string;
  /** Where it is; the Snapshot knows it of running ones only. */
  readonly region?: string;
}

/** Ports that a Linux client's side of the connection may have (net.ipv4.ip_local_port_range). */
const ephemeral: PortRange = { from: 32_768, to: 60_999 };
const tcp = 6;

/** Finds everything that keeps `sourceIp` from `port` of an instance. */
export function diagnoseConnect(snapshot: Snapshot, question: ConnectQuestion): ConnectDiagnosis {
  const place = placeOf(snapshot, question.instanceId);
  if (!place) return { findings: [notRunning(question)] };
  const { vpc, subnet, networkInterface } = place;
  const primary = networkInterface.privateAddresses[0];
  const publicIp = primary?.publicAddress ?? networkInterface.ipv6Addresses[0];
  const sourceIp = question.sourceIp ?? (publicIp?.includes(':') ? ipv6Plan.laptop : addressPlan.laptop);
  const region = `--region ${vpc.region}`;
  const findings = [
    // The gateway first: no address is associated in a VPC without one (Gateway.NotAttached), and people run the cures from the top.
    routeFinding(snapshot, vpc, subnet, sourceIp, region),
    publicIp === undefined ? noPublicAddress(networkInterface, region) : undefined,
    ...aclFindings(vpc, subnet, question.port, sourceIp, region),
    groupFinding(snapshot, vpc, networkInterface, question.port, sourceIp, region),
  ].filter((finding) => finding !== undefined);
  return { ...(publicIp !== undefined && { publicIp }), ...(primary && { privateIp: primary.address }), findings };
}

interface Place {
  readonly vpc: Vpc;
  readonly subnet: Subnet;
  readonly networkInterface: NetworkInterface;
}

/** The primary interface, or the one that has a public address. */
function placeOf(snapshot: Snapshot, instanceId: InstanceId): Place | undefined {
  for (const vpc of snapshot.vpcs) {
    const own = vpc.networkInterfaces
      .filter((one) => one.attachment?.instanceId === instanceId)
      .sort((a, b) => (a.attachment?.deviceIndex ?? 0) - (b.attachment?.deviceIndex ?? 0));
    const networkInterface = own.find((one) => one.privateAddresses[0]?.publicAddress !== undefined) ?? own[0];
    const subnet = vpc.subnets.find(({ subnetId }) => subnetId === networkInterface?.subnetId);
    if (networkInterface && subnet) return { vpc, subnet, networkInterface };
  }
  return undefined;
}

function notRunning({ instanceId, state, region }: ConnectQuestion): ConnectFinding {
  const problem = `${instanceId} is ${state === undefined || state === 'running' ? 'not running' : state}.`;
  return state === 'terminated' || state === 'shutting-down'
    ? { problem }
    : { problem, cure: `aws ec2 start-instances${region ? ` --region ${region}` : ''} --instance-ids ${instanceId}` };
}

function noPublicAddress(networkInterface: NetworkInterface, region: string): ConnectFinding {
  return {
    problem: `${networkInterface.networkInterfaceId} has no public address, so nothing on the internet can name it.`,
    cure: `aws ec2 associate-address ${region} --network-interface-id ${networkInterface.networkInterfaceId} --allocation-id $(aws ec2 allocate-address ${region} --query AllocationId --output text)`,
  };
}

function prefixListHolds(snapshot: Snapshot, id: PrefixListId, address: Ipv4 | Ipv6): number | undefined {
  const list = snapshot.prefixLists.find(({ prefixListId }) => prefixListId === id);
  const lengths = (list?.cidrs ?? []).filter((cidr) => containsAddress(cidr, address)).map(prefixLengthOf);
  return lengths.length === 0 ? undefined : Math.max(...lengths);
}

function prefixLengthOf(cidr: Cidr): number {
  return Number(cidr.split('/')[1]);
}

/** One address as a block. */
function single(address: Ipv4 | Ipv6): string {
  return address.includes(':') ? `${address}/128` : `${address}/32`;
}

function routeFinding(
  snapshot: Snapshot,
  vpc: Vpc,
  subnet: Subnet,
  address: Ipv4 | Ipv6,
  region: string,
): ConnectFinding | undefined {
  const { internetGatewayId } = vpc;
  if (internetGatewayId === undefined) {
    return {
      problem: `${vpc.vpcId} has no internet gateway attached.`,
      cure: `aws ec2 attach-internet-gateway ${region} --vpc-id ${vpc.vpcId} --internet-gateway-id $(aws ec2 create-internet-gateway ${region} --query InternetGateway.InternetGatewayId --output text)`,
    };
  }
  const table = vpc.routeTables.find(({ routeTableId }) => routeTableId === subnet.routeTableId);
  let best: { route: Route; length: number } | undefined;
  for (const route of table?.routes ?? []) {
    const { destination } = route;
    const length =
      destination.kind === 'prefix-list'
        ? prefixListHolds(snapshot, destination.prefixListId, address)
        : containsAddress(destination.cidr, address)
          ? prefixLengthOf(destination.cidr)
          : undefined;
    if (length !== undefined && (!best || length > best.length)) best = { route, length };
  }
  const where = `${subnet.routeTableId}, the route table of ${subnet.subnetId},`;
  const everywhere = address.includes(':')
    ? '--destination-ipv6-cidr-block ::/0'
    : '--destination-cidr-block 0.0.0.0/0';
  const cure = (verb: string) =>
    `aws ec2 ${verb} ${region} --route-table-id ${subnet.routeTableId} ${everywhere} --gateway-id ${internetGatewayId}`;
  if (!best)
    return {
      problem: `${where} has no route to an internet gateway: answers cannot leave.`,
      cure: cure('create-route'),
    };
  if (best.route.state === 'blackhole')
    return { problem: `${where} sends ${address} into a blackhole.`, cure: cure('replace-route') };
  if (best.route.target.kind === 'internet-gateway') return undefined;
  const replaceable = best.length === 0;
  return {
    problem: `${where} sends ${address} to ${targetName(best.route)}, not to an internet gateway.`,
    ...(replaceable && { cure: cure('replace-route') }),
  };
}

function targetName({ target }: Route): string {
  switch (target.kind) {
    case 'local':
      return 'the VPC itself';
    case 'internet-gateway':
      return target.internetGatewayId;
    case 'gateway-endpoint':
      return target.vpcEndpointId;
    case 'network-interface':
      return target.networkInterfaceId;
    case 'nat-gateway':
      return target.natGatewayId;
    case 'peering-connection':
      return target.vpcPeeringConnectionId;
    case 'transit-gateway':
      return target.transitGatewayId;
    case 'egress-only-internet-gateway':
      return target.egressOnlyInternetGatewayId;
  }
}

/** The entry that decides, or undefined: the final deny. */
function deciding(
  entries: readonly NetworkAclEntry[],
  address: Ipv4 | Ipv6,
  port: number,
): NetworkAclEntry | undefined {
  return entries.find(
    ({ protocol, ports, cidr }) =>
      (protocol === -1 || (protocol === tcp && (!ports || (ports.from <= port && port <= ports.to)))) &&
      containsAddress(cidr, address),
  );
}

function aclFindings(vpc: Vpc, subnet: Subnet, port: number, address: Ipv4 | Ipv6, region: string): ConnectFinding[] {
  const acl = vpc.networkAcls.find(({ networkAclId }) => networkAclId === subnet.networkAclId);
  if (!acl) return [];
  const findings: ConnectFinding[] = [];
  const block = address.includes(':') ? '--ipv6-cidr-block' : '--cidr-block';
  const cure = (direction: '--ingress' | '--egress', entry: NetworkAclEntry | undefined, ports: PortRange) => {
    const entries = direction === '--ingress' ? acl.ingress : acl.egress;
    const number = freeNumber(entries, entry);
    if (number === undefined) return undefined;
    return `aws ec2 create-network-acl-entry ${region} --network-acl-id ${acl.networkAclId} ${direction} --rule-number ${number} --protocol tcp --port-range From=${ports.from},To=${ports.to} ${block} ${single(address)} --rule-action allow`;
  };
  const said = (entry: NetworkAclEntry | undefined) => (entry ? `rule ${entry.ruleNumber}` : 'its last rule, *,');
  const inward = deciding(acl.ingress, address, port);
  if (inward?.action !== 'allow') {
    const mends = cure('--ingress', inward, { from: port, to: port });
    findings.push({
      problem: `${acl.networkAclId}, the network ACL of ${subnet.subnetId}, denies port ${port} inbound by ${said(inward)}.`,
      ...(mends && { cure: mends }),
    });
  }
  // Rules change only at their own ends, so those ports stand for all between.
  const ends = acl.egress.flatMap(({ ports }) => (ports ? [ports.from, ports.from - 1, ports.to, ports.to + 1] : []));
  const samples = [ephemeral.from, ephemeral.to, ...ends].filter((one) => one >= ephemeral.from && one <= ephemeral.to);
  const denied = samples.find((one) => deciding(acl.egress, address, one)?.action !== 'allow');
  if (denied !== undefined) {
    const outward = deciding(acl.egress, address, denied);
    const mends = cure('--egress', outward, ephemeral);
    findings.push({
      problem: `${acl.networkAclId}, the network ACL of ${subnet.subnetId}, denies answers to ephemeral ports (${denied}) outbound by ${said(outward)} (ACLs keep no state).`,
      ...(mends && { cure: mends }),
    });
  }
  return findings;
}

/** The largest free number before the entry that denies. */
function freeNumber(entries: readonly NetworkAclEntry[], before: NetworkAclEntry | undefined): number | undefined {
  const taken = new Set(entries.map(({ ruleNumber }) => ruleNumber));
  for (let number = (before?.ruleNumber ?? 32_767) - 1; number >= 1; number -= 1) if (!taken.has(number)) return number;
  return undefined;
}

/** Do the groups of an interface let an address in? */
export function groupFinding(
  snapshot: Snapshot,
  vpc: Vpc,
  networkInterface: NetworkInterface,
  port: number,
  address: Ipv4 | Ipv6,
  region: string,
): ConnectFinding | undefined {
  const groups = vpc.securityGroups.filter(({ groupId }) => networkInterface.groupIds.includes(groupId));
  const allowed = groups.some(({ ingress }) =>
    ingress.some(({ protocol, ports, peer }) => {
      if (protocol !== -1 && protocol !== tcp) return false;
      if (protocol === tcp && ports && (port < ports.from || port > ports.to)) return false;
      if (peer.kind === 'cidr') return containsAddress(peer.cidr, address);
      return peer.kind === 'prefix-list' && prefixListHolds(snapshot, peer.prefixListId, address) !== undefined;
    }),
  );
  if (allowed) return undefined;
  // The CLI's short options know IPv4 alone.
  const permission = address.includes(':')
    ? `--ip-permissions 'IpProtocol=tcp,FromPort=${port},ToPort=${port},Ipv6Ranges=[{CidrIpv6=${single(address)}}]'`
    : `--protocol tcp --port ${port} --cidr ${single(address)}`;
  const names = networkInterface.groupIds.join(', ');
  const which =
    networkInterface.groupIds.length === 1 ? `Security group ${names} has` : `None of the security groups ${names} has`;
  return {
    problem: `${which} ${networkInterface.groupIds.length === 1 ? 'no' : 'a'} rule that lets tcp port ${port} in from ${address}.`,
    ...(networkInterface.groupIds[0] && {
      cure: `aws ec2 authorize-security-group-ingress ${region} --group-id ${networkInterface.groupIds[0]} ${permission}`,
    }),
  };
}
