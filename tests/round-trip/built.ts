// A random network as a cloud that EC2's own operations have built: what a Snapshot of topology.ts says, asked for call by call.

import type { RouteTarget, SecurityGroupRule, Snapshot, Vpc } from '@postern/network/snapshot.ts';
import { buildSnapshot } from '@postern/server/control/snapshot.ts';
import { makeWorld, putInterface, type World } from '@postern/server/services/ec2/testing.ts';

export interface Built {
  readonly world: World;
  snapshot(): Snapshot;
  /** Instances by the machines' names. */
  readonly instances: ReadonlyMap<string, string>;
}

type Output = Record<string, Record<string, unknown> & { readonly [key: string]: unknown }>;

/** Blackholes, middleboxes and interface endpoints are left out: AWS makes those by other ways. */
export async function build(drawn: Snapshot): Promise<Built> {
  const world = makeWorld();
  const ids = new Map<string, string>([['pl-s3', 'pl-63a5400a']]);
  const instances = new Map<string, string>();
  const id = (name: string) => ids.get(name) ?? name;
  const run = (name: string, input: object) => world.run<Output>(name, input);
  for (const vpc of drawn.vpcs) {
    const made = await run('CreateVpc', { CidrBlock: vpc.cidrBlocks[0] });
    ids.set(vpc.vpcId, String(made['Vpc']?.['VpcId']));
    if (vpc.internetGatewayId !== undefined) {
      const gateway = await run('CreateInternetGateway', {});
      ids.set(vpc.internetGatewayId, String(gateway['InternetGateway']?.['InternetGatewayId']));
      await run('AttachInternetGateway', { InternetGatewayId: id(vpc.internetGatewayId), VpcId: id(vpc.vpcId) });
    }
    await buildSubnets(vpc);
    await buildGroups(vpc);
  }
  for (const { vpcPeeringConnectionId, requester, accepter } of drawn.peeringConnections) {
    const made = await run('CreateVpcPeeringConnection', { VpcId: id(requester.vpcId), PeerVpcId: id(accepter.vpcId) });
    const own = String(made['VpcPeeringConnection']?.['VpcPeeringConnectionId']);
    ids.set(vpcPeeringConnectionId, own);
    await run('AcceptVpcPeeringConnection', { VpcPeeringConnectionId: own });
  }
  for (const vpc of drawn.vpcs) {
    await buildInterfaces(vpc);
    await buildRoutes(vpc);
    for (const group of vpc.securityGroups) {
      for (const direction of ['ingress', 'egress'] as const)
        await authorize(group.groupId, direction, group[direction]);
    }
  }
  return {
    world,
    instances,
    snapshot: () => world.store.read((tx) => buildSnapshot(tx, world.store.revision)),
  };

  async function buildSubnets(vpc: Vpc): Promise<void> {
    for (const table of vpc.routeTables) {
      const made = await run('CreateRouteTable', { VpcId: id(vpc.vpcId) });
      ids.set(table.routeTableId, String(made['RouteTable']?.['RouteTableId']));
    }
    for (const acl of vpc.networkAcls) {
      const made = await run('CreateNetworkAcl', { VpcId: id(vpc.vpcId) });
      ids.set(acl.networkAclId, String(made['NetworkAcl']?.['NetworkAclId']));
      for (const direction of ['ingress', 'egress'] as const) {
        for (const { ruleNumber, protocol, action, cidr, ports, icmp } of acl[direction])
          await run('CreateNetworkAclEntry', {
            NetworkAclId: id(acl.networkAclId),
            Egress: direction === 'egress',
            RuleNumber: ruleNumber,
            Protocol: String(protocol),
            RuleAction: action,
            CidrBlock: cidr,
            ...(ports && { PortRange: { From: ports.from, To: ports.to } }),
            ...(icmp && { IcmpTypeCode: { Type: icmp.type, Code: icmp.code } }),
          });
      }
    }
    for (const subnet of vpc.subnets) {
      const made = await run('CreateSubnet', { VpcId: id(vpc.vpcId), CidrBlock: subnet.cidrBlock });
      const own = String(made['Subnet']?.['SubnetId']);
      ids.set(subnet.subnetId, own);
      await run('AssociateRouteTable', { RouteTableId: id(subnet.routeTableId), SubnetId: own });
      const { NetworkAcls: acls } = (await run('DescribeNetworkAcls', {
        Filters: [{ Name: 'association.subnet-id', Values: [own] }],
      })) as unknown as {
        NetworkAcls: { Associations: { SubnetId: string; NetworkAclAssociationId: string }[] }[];
      };
      const association = acls[0]?.Associations.find((one) => one.SubnetId === own);
      await run('ReplaceNetworkAclAssociation', {
        AssociationId: association?.NetworkAclAssociationId,
        NetworkAclId: id(subnet.networkAclId),
      });
    }
  }

  async function buildGroups(vpc: Vpc): Promise<void> {
    for (const { groupId } of vpc.securityGroups) {
      const input = { VpcId: id(vpc.vpcId), GroupName: groupId.replace('sg-', 'group '), Description: 'drawn' };
      const { GroupId: own } = await world.run<{ GroupId: string }>('CreateSecurityGroup', input);
      ids.set(groupId, own);
      const everything = [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }];
      await run('RevokeSecurityGroupEgress', { GroupId: own, IpPermissions: everything });
    }
  }

  /** Rules that the API takes for one are drawn twice now and then. */
  async function authorize(
    groupId: string,
    direction: 'ingress' | 'egress',
    rules: readonly SecurityGroupRule[],
  ): Promise<void> {
    const seen = new Set<string>();
    for (const { protocol, ports, icmp, peer } of rules) {
      const range = ports ?? (icmp && { from: icmp.type, to: icmp.code });
      const permission = {
        IpProtocol: String(protocol),
        ...(range && { FromPort: range.from, ToPort: range.to }),
        ...(peer.kind === 'cidr' && { IpRanges: [{ CidrIp: peer.cidr }] }),
        ...(peer.kind === 'prefix-list' && { PrefixListIds: [{ PrefixListId: id(peer.prefixListId) }] }),
        ...(peer.kind === 'security-group' && { UserIdGroupPairs: [{ GroupId: id(peer.groupId) }] }),
      };
      const key = JSON.stringify(permission);
      if (seen.has(key)) continue;
      seen.add(key);
      const name = direction === 'ingress' ? 'AuthorizeSecurityGroupIngress' : 'AuthorizeSecurityGroupEgress';
      await run(name, { GroupId: id(groupId), IpPermissions: [permission] });
    }
  }

  async function buildInterfaces(vpc: Vpc): Promise<void> {
    for (const { natGatewayId, connectivityType, networkInterfaceId } of vpc.natGateways) {
      const subnet = vpc.networkInterfaces.find((one) => one.networkInterfaceId === networkInterfaceId)?.subnetId ?? '';
      const { AllocationId } = await world.run<{ AllocationId: string }>('AllocateAddress', { Domain: 'vpc' });
      const made = await run('CreateNatGateway', {
        SubnetId: id(subnet),
        ConnectivityType: connectivityType,
        ...(connectivityType === 'public' && { AllocationId }),
      });
      ids.set(natGatewayId, String(made['NatGateway']?.['NatGatewayId']));
    }
    for (const { attachment, subnetId, privateAddresses, groupIds } of vpc.networkInterfaces) {
      const [own] = privateAddresses;
      if (attachment === undefined || own === undefined) continue;
      const { instanceId } = putInterface(world, id(vpc.vpcId) as `vpc-${string}`, id(subnetId) as `subnet-${string}`, own.address, {
        groupIds: groupIds.map((one) => id(one) as `sg-${string}`),
        instance: 'running',
        ...(own.publicAddress !== undefined && vpc.internetGatewayId !== undefined && { autoPublicIp: own.publicAddress }),
      }); // biome-ignore format: one call
      instances.set(attachment.instanceId, instanceId);
    }
  }

  async function buildRoutes(vpc: Vpc): Promise<void> {
    for (const endpoint of vpc.gatewayEndpoints) {
      const tables = vpc.routeTables.filter((table) =>
        table.routes.some(({ target }) => target.kind === 'gateway-endpoint'),
      );
      const made = await run('CreateVpcEndpoint', {
        VpcId: id(vpc.vpcId),
        ServiceName: 'com.amazonaws.us-east-1.s3',
        RouteTableIds: tables.map((table) => id(table.routeTableId)),
      });
      ids.set(endpoint.vpcEndpointId, String(made['VpcEndpoint']?.['VpcEndpointId']));
    }
    for (const { routeTableId, routes } of vpc.routeTables) {
      for (const { destination, target, state } of routes) {
        const option = optionOf(target, id);
        if (state === 'blackhole' || destination.kind !== 'cidr' || option === undefined) continue;
        await run('CreateRoute', { RouteTableId: id(routeTableId), DestinationCidrBlock: destination.cidr, ...option });
      }
    }
  }
}

function optionOf(target: RouteTarget, id: (name: string) => string): Record<string, string> | undefined {
  switch (target.kind) {
    case 'internet-gateway':
      return { GatewayId: id(target.internetGatewayId) };
    case 'nat-gateway':
      return { NatGatewayId: id(target.natGatewayId) };
    case 'peering-connection':
      return { VpcPeeringConnectionId: id(target.vpcPeeringConnectionId) };
    default:
      return undefined;
  }
}
