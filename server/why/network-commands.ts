// A change of the network as the AWS CLI commands that make it, for the account and Region where the thing is. A row per kind of change.
// Ids that do not exist yet are the shell's to fill in: `$(aws …)` for one command, a variable where a later one needs it too.

import { type Change, newElasticIp, newEndpointId, newInternetGatewayId } from '@postern/network/remedy/changes.ts';
import type { NetworkRemedies, NetworkStep } from '@postern/network/remedy/remedies.ts';
import type {
  NetworkAclEntry,
  PortRange,
  RouteTarget,
  SecurityGroupRule,
  Snapshot,
  Vpc,
} from '@postern/network/snapshot.ts';
import { explainStep, targetName } from '@postern/network/walk/explain.ts';
import type { NetworkIndex } from '@postern/network/walk/network-index.ts';
import { asOwner } from '../accounts.ts';
import type { Cure, Remedy, RemedyPlan, RemedyStep } from '../operator/api.ts';

const defaultRegion = 'us-east-1';

/** @param snapshot before the change */
export function commandsOf(snapshot: Snapshot, change: Change): Remedy {
  const vpc = vpcOf(snapshot, change);
  const region = vpc === undefined || vpc.region === defaultRegion ? '' : ` --region ${vpc.region}`;
  const { what, commands } = writers[change.kind](change as never, region, vpc?.region ?? defaultRegion);
  return { what, commands: commands.map((command) => asOwner(command, vpc?.ownerId ?? '')) };
}

type Writers = {
  readonly [Kind in Change['kind']]: (change: Extract<Change, { kind: Kind }>, region: string, name: string) => Remedy;
};

const writers: Writers = {
  'group-rule': ({ groupId, direction, rule }, region) => ({
    what: `${groupId}: let ${direction === 'ingress' ? 'in' : 'out'} ${traffic(rule)} ${direction === 'ingress' ? 'from' : 'to'} ${peerName(rule)}`,
    commands: [
      `aws ec2 authorize-security-group-${direction}${region} --group-id ${groupId} --ip-permissions ${quoted(JSON.stringify([permission(rule)]))}`,
    ],
  }),
  'acl-entry': ({ networkAclId, direction, entry }, region) => ({
    what: `${networkAclId}: ${direction === 'ingress' ? 'inbound' : 'outbound'} rule ${entry.ruleNumber} allows ${traffic(entry)} ${direction === 'ingress' ? 'from' : 'to'} ${entry.cidr}`,
    commands: [entryCommand('create', region, networkAclId, direction, entry)],
  }),
  'acl-shift': ({ networkAclId, direction, entries }, region) => ({
    what: `${networkAclId}: no number is free in front of rule ${entries[0]?.ruleNumber}, so it and what follows move back by one`,
    // From the last one forward: at no time is there less than before.
    commands: entries
      .toReversed()
      .map((entry, place) => entryCommand(place === 0 ? 'create' : 'replace', region, networkAclId, direction, entry)),
  }),
  route: ({ routeTableId, destination, target, replaces }, region) => ({
    what: `${routeTableId}: ${destination} → ${nameOf(target)}`,
    commands: [
      `aws ec2 ${replaces ? 'replace' : 'create'}-route${region} --route-table-id ${routeTableId} --destination-${destination.includes(':') ? 'ipv6-' : ''}cidr-block ${destination} ${targetOption(target)}`,
    ],
  }),
  'endpoint-route-table': ({ vpcEndpointId, routeTableId }, region) => ({
    what: `${routeTableId}: use the gateway endpoint ${vpcEndpointId}`,
    commands: [
      `aws ec2 modify-vpc-endpoint${region} --vpc-endpoint-id ${vpcEndpointId} --add-route-table-ids ${routeTableId}`,
    ],
  }),
  'new-gateway-endpoint': ({ vpcId, service, routeTableId }, region, name) => ({
    what: `${routeTableId}: a new gateway endpoint for ${service} (no cost)`,
    commands: [
      `aws ec2 create-vpc-endpoint${region} --vpc-id ${vpcId} --service-name com.amazonaws.${name}.${service} --route-table-ids ${routeTableId}`,
    ],
  }),
  'transit-gateway-route': (
    { transitGatewayRouteTableId: id, destination, transitGatewayAttachmentId, replaces },
    region,
  ) => ({
    what: `${id}: ${destination} → ${transitGatewayAttachmentId}`,
    commands: [
      `aws ec2 ${replaces ? 'replace' : 'create'}-transit-gateway-route${region} --transit-gateway-route-table-id ${id} --destination-cidr-block ${destination} --transit-gateway-attachment-id ${transitGatewayAttachmentId}`,
    ],
  }),
  'transit-gateway-association': ({ transitGatewayRouteTableId, transitGatewayAttachmentId }, region) => ({
    what: `${transitGatewayAttachmentId}: associated with ${transitGatewayRouteTableId}`,
    commands: [
      `aws ec2 associate-transit-gateway-route-table${region} --transit-gateway-route-table-id ${transitGatewayRouteTableId} --transit-gateway-attachment-id ${transitGatewayAttachmentId}`,
    ],
  }),
  'new-internet-gateway': ({ vpcId }, region) => ({
    what: `${vpcId}: a new internet gateway`,
    commands: [
      `IGW=$(aws ec2 create-internet-gateway${region} --query InternetGateway.InternetGatewayId --output text)`,
      `aws ec2 attach-internet-gateway${region} --vpc-id ${vpcId} --internet-gateway-id "$IGW"`,
    ],
  }),
  'elastic-ip': ({ networkInterfaceId, address }, region) => ({
    what: `${networkInterfaceId}: a new Elastic IP for ${address} (costs by the hour)`,
    commands: [
      `aws ec2 associate-address${region} --network-interface-id ${networkInterfaceId} --private-ip-address ${address} --allocation-id $(aws ec2 allocate-address${region} --query AllocationId --output text)`,
    ],
  }),
  'no-source-dest-check': ({ networkInterfaceId }, region) => ({
    what: `${networkInterfaceId}: no source/destination check`,
    commands: [
      `aws ec2 modify-network-interface-attribute${region} --network-interface-id ${networkInterfaceId} --no-source-dest-check`,
    ],
  }),
  'public-access-exclusion': ({ subnetId, mode, exclusionId }, region) => ({
    what: `${subnetId}: excluded from block public access (${mode})`,
    commands: [
      `aws ec2 ${exclusionId === undefined ? 'create' : 'modify'}-vpc-block-public-access-exclusion${region} ${exclusionId === undefined ? `--subnet-id ${subnetId}` : `--exclusion-id ${exclusionId}`} --internet-gateway-exclusion-mode ${mode}`,
    ],
  }),
  'dns-support': ({ vpcId }, region) => ({
    what: `${vpcId}: DNS support`,
    commands: [`aws ec2 modify-vpc-attribute${region} --vpc-id ${vpcId} --enable-dns-support`],
  }),
};

/** Remedies of the network as plans that a person can carry out. */
export function networkCure(snapshot: Snapshot, { remedies, unsolved }: NetworkRemedies, network: NetworkIndex): Cure {
  return {
    plans: remedies.map(({ steps }) => ({
      title: roadTitle(steps),
      steps: withNewAddress(networkSteps(snapshot, steps)),
    })),
    unsolved: [...new Set(unsolved.map((step) => `${step.component}: ${explainStep(network, step)}`))],
  };
}

export function networkSteps(snapshot: Snapshot, steps: readonly NetworkStep[]): RemedyPlan['steps'] {
  return steps.map(({ change, forms }) => ({
    ...commandsOf(snapshot, change),
    or: forms.map((form) => commandsOf(snapshot, form)),
  }));
}

/**
 * Which Elastic IP AWS will give is not known before. Where a later step names it, the first one keeps it in a variable.
 * @param steps all of a plan
 */
export function withNewAddress(steps: readonly RemedyStep[]): RemedyStep[] {
  const isNamed = (remedy: Remedy) => remedy.commands.some((command) => command.includes(newElasticIp));
  if (!steps.some((step) => isNamed(step) || step.or.some(isNamed))) return [...steps];
  const rewritten = <T extends Remedy>(remedy: T): T => ({
    ...remedy,
    what: remedy.what.replaceAll(newElasticIp, 'the new Elastic IP '),
    commands: remedy.commands.flatMap(keepingAddress).map(namingAddress),
  });
  return steps.map((step) => ({ ...rewritten(step), or: step.or.map(rewritten) }));
}

/** One command in two, so that the address can be asked for. */
function keepingAddress(command: string): string[] {
  const inline = /^(aws .*ec2 associate-address) (.*)--allocation-id \$\((aws .*ec2 allocate-address)(.*)\)$/.exec(
    command,
  );
  if (inline === null) return [command];
  const [, associate = '', options = '', allocate = '', rest = ''] = inline;
  const region = /--region \S+ /.exec(options)?.[0] ?? '';
  return [
    `ALLOCATION=$(${allocate}${rest})`,
    `EIP=$(${allocate.replace(/allocate-address$/, 'describe-addresses')} ${region}--allocation-ids "$ALLOCATION" --query 'Addresses[0].PublicIp' --output text)`,
    `${associate} ${options}--allocation-id "$ALLOCATION"`,
  ];
}

function namingAddress(command: string): string {
  return command.replaceAll(newElasticIp, (_address, at: number) => {
    const isQuoted = (command.slice(0, at).match(/'/g) ?? []).length % 2 === 1;
    return isQuoted ? `'"$EIP"'` : '"$EIP"';
  });
}

/** The road in a few words: what makes it another one than its neighbours. */
export function roadTitle(steps: readonly NetworkStep[]): string {
  for (const { change } of steps) {
    if (change.kind === 'endpoint-route-table') return `through ${change.vpcEndpointId}`;
    if (change.kind === 'new-gateway-endpoint') return `through a new gateway endpoint for ${change.service}`;
    if (change.kind === 'route') return roadName(change.target);
  }
  return steps.some(({ change }) => change.kind === 'elastic-ip') ? 'with a public address' : 'on the way it takes now';
}

/** A word for the shell. */
export function quoted(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The VPC that holds what changes. */
function vpcOf({ vpcs }: Snapshot, change: Change): Vpc | undefined {
  const ids = new Set<unknown>(Object.values(change));
  return vpcs.find(
    (vpc) =>
      ids.has(vpc.vpcId) ||
      vpc.routeTables.some((each) => ids.has(each.routeTableId)) ||
      vpc.securityGroups.some((each) => ids.has(each.groupId)) ||
      vpc.networkAcls.some((each) => ids.has(each.networkAclId)) ||
      vpc.subnets.some((each) => ids.has(each.subnetId)) ||
      vpc.networkInterfaces.some((each) => ids.has(each.networkInterfaceId)),
  );
}

const protocolNames: Readonly<Record<number, string>> = { [-1]: '-1', 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmpv6' };
const protocolName = (protocol: number) => protocolNames[protocol] ?? String(protocol);

type Match = Pick<SecurityGroupRule, 'protocol' | 'ports' | 'icmp'>;

function traffic({ protocol, ports, icmp }: Match): string {
  const range = (each: PortRange) => (each.from === each.to ? `${each.from}` : `${each.from}–${each.to}`);
  const more = ports ? ` ${range(ports)}` : icmp ? ` type ${icmp.type} code ${icmp.code}` : '';
  return `${protocolName(protocol)}${more}`;
}

function peerName({ peer }: Pick<SecurityGroupRule, 'peer'>): string {
  return peer.kind === 'cidr' ? peer.cidr : peer.kind === 'prefix-list' ? peer.prefixListId : peer.groupId;
}

function permission({ protocol, ports, icmp, peer }: Match & Pick<SecurityGroupRule, 'peer'>): Record<string, unknown> {
  const range = ports ?? (icmp && { from: icmp.type, to: icmp.code });
  return {
    IpProtocol: protocolName(protocol),
    ...(range && { FromPort: range.from, ToPort: range.to }),
    ...(peer.kind === 'cidr' &&
      (peer.cidr.includes(':') ? { Ipv6Ranges: [{ CidrIpv6: peer.cidr }] } : { IpRanges: [{ CidrIp: peer.cidr }] })),
    ...(peer.kind === 'prefix-list' && { PrefixListIds: [{ PrefixListId: peer.prefixListId }] }),
    ...(peer.kind === 'security-group' && { UserIdGroupPairs: [{ GroupId: peer.groupId }] }),
  };
}

function entryCommand(
  verb: 'create' | 'replace',
  region: string,
  networkAclId: string,
  direction: 'ingress' | 'egress',
  { ruleNumber, protocol, action, cidr, ports, icmp }: NetworkAclEntry,
): string {
  const range = ports === undefined ? '' : ` --port-range From=${ports.from},To=${ports.to}`;
  const types = icmp === undefined ? '' : ` --icmp-type-code Type=${icmp.type},Code=${icmp.code}`;
  const block = cidr.includes(':') ? '--ipv6-cidr-block' : '--cidr-block';
  return `aws ec2 ${verb}-network-acl-entry${region} --network-acl-id ${networkAclId} --${direction} --rule-number ${ruleNumber} --protocol ${protocol}${range}${types} ${block} ${cidr} --rule-action ${action}`;
}

function roadName(target: RouteTarget): string {
  const id = targetName(target);
  return id === newInternetGatewayId ? 'by a new internet gateway' : `by the ${target.kind.replaceAll('-', ' ')} ${id}`;
}

function nameOf(target: RouteTarget): string {
  const name = targetName(target);
  return name === newInternetGatewayId ? 'the new internet gateway' : name;
}

function targetOption(target: RouteTarget): string {
  const id = targetName(target);
  switch (target.kind) {
    case 'internet-gateway':
      return `--gateway-id ${id === newInternetGatewayId ? '"$IGW"' : id}`;
    case 'nat-gateway':
      return `--nat-gateway-id ${id}`;
    case 'peering-connection':
      return `--vpc-peering-connection-id ${id}`;
    case 'transit-gateway':
      return `--transit-gateway-id ${id}`;
    case 'egress-only-internet-gateway':
      return `--egress-only-internet-gateway-id ${id}`;
    case 'network-interface':
      return `--network-interface-id ${id}`;
    case 'gateway-endpoint':
      return `--gateway-id ${id === newEndpointId ? '"$ENDPOINT"' : id}`;
    case 'local':
      return '--local-target';
  }
}
