// A Snapshot as the AWS CLI commands that would build it, for whoever wants to see a disagreement with their own eyes.

import type { NetworkAclEntry, Route, RulePeer, SecurityGroupRule, Snapshot, Vpc } from '@postern/network/snapshot.ts';

/** Ids stand for themselves: `vpc-0` is what create-vpc answered. */
export function asCommands(snapshot: Snapshot): string {
  const lines = snapshot.vpcs.flatMap(vpcCommands);
  for (const { vpcPeeringConnectionId, requester, accepter } of snapshot.peeringConnections) {
    lines.push(
      `create-vpc-peering-connection --vpc-id ${requester.vpcId} --peer-vpc-id ${accepter.vpcId}  # ${vpcPeeringConnectionId}`,
      `accept-vpc-peering-connection --vpc-peering-connection-id ${vpcPeeringConnectionId}`,
    );
  }
  lines.push(...snapshot.vpcs.flatMap(routeCommands), ...snapshot.vpcs.flatMap(interfaceCommands));
  return lines.map((line) => `aws ec2 ${line}`).join('\n');
}

function vpcCommands(vpc: Vpc): string[] {
  const lines = [`create-vpc --cidr-block ${vpc.cidrBlocks[0]}  # ${vpc.vpcId}`];
  if (vpc.internetGatewayId !== undefined)
    lines.push(`attach-internet-gateway --vpc-id ${vpc.vpcId} --internet-gateway-id ${vpc.internetGatewayId}`);
  for (const each of vpc.subnets) {
    lines.push(
      `create-subnet --vpc-id ${vpc.vpcId} --cidr-block ${each.cidrBlock}  # ${each.subnetId}, of ${each.routeTableId} and ${each.networkAclId}`,
    );
  }
  for (const acl of vpc.networkAcls) {
    lines.push(`create-network-acl --vpc-id ${vpc.vpcId}  # ${acl.networkAclId}`);
    for (const direction of ['ingress', 'egress'] as const)
      for (const entry of acl[direction]) lines.push(entryCommand(acl.networkAclId, direction, entry));
  }
  for (const group of vpc.securityGroups) {
    lines.push(
      `create-security-group --vpc-id ${vpc.vpcId} --group-name ${group.groupId.replace('sg-', '')}  # ${group.groupId}`,
    );
    for (const direction of ['ingress', 'egress'] as const)
      for (const rule of group[direction])
        lines.push(`authorize-security-group-${direction} --group-id ${group.groupId} ${permission(rule)}`);
  }
  return lines;
}

function entryCommand(acl: string, direction: string, entry: NetworkAclEntry): string {
  const ports = entry.ports === undefined ? '' : ` --port-range From=${entry.ports.from},To=${entry.ports.to}`;
  return `create-network-acl-entry --network-acl-id ${acl} --${direction} --rule-number ${entry.ruleNumber} --protocol ${entry.protocol}${ports} --cidr-block ${entry.cidr} --rule-action ${entry.action}`;
}

function permission({ protocol, ports, icmp, peer }: SecurityGroupRule): string {
  const range = ports ?? (icmp === undefined ? undefined : { from: icmp.type, to: icmp.code });
  const where = range === undefined ? '' : `,FromPort=${range.from},ToPort=${range.to}`;
  return `--ip-permissions '${`IpProtocol=${protocol}${where},${peerOf(peer)}`}'`;
}

function peerOf(peer: RulePeer): string {
  switch (peer.kind) {
    case 'cidr':
      return `IpRanges=[{CidrIp=${peer.cidr}}]`;
    case 'prefix-list':
      return `PrefixListIds=[{PrefixListId=${peer.prefixListId}}]`;
    case 'security-group':
      return `UserIdGroupPairs=[{GroupId=${peer.groupId}}]`;
  }
}

function routeCommands(vpc: Vpc): string[] {
  return vpc.routeTables.flatMap((each) => [
    `create-route-table --vpc-id ${vpc.vpcId}  # ${each.routeTableId}`,
    ...each.routes
      .filter(({ target }) => target.kind !== 'local')
      .map((route) => routeCommand(each.routeTableId, route)),
  ]);
}

function routeCommand(routeTableId: string, { destination, target, state }: Route): string {
  const where =
    destination.kind === 'cidr' ? `--destination-cidr-block ${destination.cidr}` : `# ${destination.prefixListId}`;
  const { kind, ...ids } = target;
  return `create-route --route-table-id ${routeTableId} ${where} --target ${Object.values(ids).join()}  # ${kind}, ${state}`;
}

function interfaceCommands(vpc: Vpc): string[] {
  return vpc.networkInterfaces.map((each) => {
    const addresses = each.privateAddresses.map((own) => [own.address, own.publicAddress].filter(Boolean).join('/'));
    const what =
      each.service === undefined ? `of ${each.attachment?.instanceId}` : `of ${JSON.stringify(each.service)}`;
    const check = each.sourceDestCheck ? '' : ', without source/destination check';
    return `create-network-interface --subnet-id ${each.subnetId} --private-ip-address ${addresses.join()} --groups ${each.groupIds.join(' ')}  # ${each.networkInterfaceId} ${what}${check}`;
  });
}
