// A Snapshot as the API calls that build it, in order. commands.ts writes them for the AWS CLI; a test runs the same list against a cloud and compares what it built.
//
// What AWS chooses itself differs: ids, public addresses, IPv6 blocks, the address of an instance connect endpoint. What has no life of its own is built so that it does
// the same: a blackhole is a route to an interface that nothing has (R8), and a group that is gone or out of reach is one that nobody carries (S7, S17).

import { containsAddress } from '@postern/network/cidr.ts';
import type {
  Cidr,
  NetworkInterface,
  NetworkLoadBalancer,
  Route,
  RulePeer,
  SecurityGroupRule,
  Snapshot,
  Vpc,
} from '@postern/network/snapshot.ts';

/** In an input, `«name»` stands for what an earlier call answered under that name. */
export interface ApiCall {
  /** As the CLI calls it; `ec2` unless it says another. */
  readonly service?: 'ec2' | 'elbv2';
  readonly operation: string;
  readonly region: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** Name → where it is in the answer, as a JMESPath of members and indexes. */
  readonly answers?: Readonly<Record<string, string>>;
}

const nobody = (vpc: Vpc) => `sg-nobody-${vpc.vpcId}`;
const dead = (vpc: Vpc) => `eni-dead-${vpc.vpcId}`;
const ref = (name: string) => `«${name}»`;

export function callsOf(snapshot: Snapshot): ApiCall[] {
  return new Building(snapshot).calls();
}

class Building {
  readonly #snapshot: Snapshot;
  readonly #calls: ApiCall[] = [];
  #region = 'us-east-1';

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  calls(): ApiCall[] {
    const { vpcs } = this.#snapshot;
    const each = (step: (vpc: Vpc) => void) => {
      for (const vpc of vpcs) {
        this.#region = vpc.region;
        step(vpc);
      }
    };
    each((vpc) => this.#vpc(vpc));
    this.#region = 'us-east-1';
    this.#prefixLists();
    each((vpc) => this.#peerings(vpc));
    each((vpc) => this.#groups(vpc));
    each((vpc) => this.#subnets(vpc));
    each((vpc) => this.#rules(vpc));
    each((vpc) => this.#interfaces(vpc));
    each((vpc) => this.#services(vpc));
    this.#region = 'us-east-1';
    this.#transitGateways();
    each((vpc) => this.#routes(vpc));
    each((vpc) => this.#attributes(vpc));
    this.#blockPublicAccess();
    return this.#calls;
  }

  #add(
    operation: string,
    input: Readonly<Record<string, unknown>>,
    answers?: Readonly<Record<string, string>>,
    service?: ApiCall['service'],
  ): void {
    const region = this.#region;
    const call = { operation, region, input: this.#withIpv6(input) };
    this.#calls.push({ ...(service && { service }), ...call, ...(answers && { answers }) });
  }

  /** AWS chooses the IPv6 block of a VPC: `2001:db8:1010:1` + `01::a` becomes what it chose + `01::a`. */
  #withIpv6<T>(value: T): T {
    let text = JSON.stringify(value);
    for (const { vpcId, ipv6CidrBlocks } of this.#snapshot.vpcs)
      for (const block of ipv6CidrBlocks)
        text = text.replaceAll(block.slice(0, -'00::/56'.length), ref(`${vpcId}-ipv6`));
    return JSON.parse(text) as T;
  }

  #prefixLists(): void {
    const used = JSON.stringify(this.#snapshot.vpcs);
    for (const { prefixListId, cidrs } of this.#snapshot.prefixLists) {
      if (!used.includes(`"${prefixListId}"`)) continue;
      const service = /^pl-(s3|dynamodb)$/.exec(prefixListId)?.[1];
      if (service !== undefined) {
        const Filters = [{ Name: 'prefix-list-name', Values: [`com.amazonaws.us-east-1.${service}`] }];
        this.#add('DescribeManagedPrefixLists', { Filters }, { [prefixListId]: 'PrefixLists[0].PrefixListId' });
        continue;
      }
      const AddressFamily = cidrs.some((cidr) => cidr.includes(':')) ? 'IPv6' : 'IPv4';
      this.#add(
        'CreateManagedPrefixList',
        {
          PrefixListName: prefixListId.slice(3),
          AddressFamily,
          MaxEntries: cidrs.length,
          Entries: cidrs.map((Cidr) => ({ Cidr })),
        },
        { [prefixListId]: 'PrefixList.PrefixListId' },
      );
    }
  }

  #vpc(vpc: Vpc): void {
    const { vpcId, cidrBlocks, ipv6CidrBlocks } = vpc;
    const hasIpv6 = ipv6CidrBlocks.length > 0;
    this.#add(
      'CreateVpc',
      { CidrBlock: cidrBlocks[0], ...(hasIpv6 && { AmazonProvidedIpv6CidrBlock: true }) },
      { [vpcId]: 'Vpc.VpcId' },
    );
    if (hasIpv6)
      this.#add(
        'DescribeVpcs',
        { VpcIds: [ref(vpcId)] },
        { [`${vpcId}-ipv6`]: 'Vpcs[0].Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock' },
      );
    for (const CidrBlock of cidrBlocks.slice(1)) this.#add('AssociateVpcCidrBlock', { VpcId: ref(vpcId), CidrBlock });
    if (vpc.internetGatewayId !== undefined) {
      this.#add('CreateInternetGateway', {}, { [vpc.internetGatewayId]: 'InternetGateway.InternetGatewayId' });
      this.#add('AttachInternetGateway', { VpcId: ref(vpcId), InternetGatewayId: ref(vpc.internetGatewayId) });
    }
    for (const id of vpc.egressOnlyInternetGatewayIds)
      this.#add(
        'CreateEgressOnlyInternetGateway',
        { VpcId: ref(vpcId) },
        { [id]: 'EgressOnlyInternetGateway.EgressOnlyInternetGatewayId' },
      );
  }

  #peerings({ vpcId, region }: Vpc): void {
    for (const { vpcPeeringConnectionId: id, requester, accepter } of this.#snapshot.peeringConnections) {
      if (accepter.vpcId !== vpcId) continue;
      const from = this.#snapshot.vpcs.find((each) => each.vpcId === requester.vpcId);
      if (from === undefined) continue;
      this.#region = from.region;
      const input = {
        VpcId: ref(requester.vpcId),
        PeerVpcId: ref(accepter.vpcId),
        ...(region !== from.region && { PeerRegion: region }),
      };
      this.#add('CreateVpcPeeringConnection', input, { [id]: 'VpcPeeringConnection.VpcPeeringConnectionId' });
      this.#region = region;
      this.#add('AcceptVpcPeeringConnection', { VpcPeeringConnectionId: ref(id) });
    }
  }

  #groups(vpc: Vpc): void {
    const create = (groupId: string) => {
      const input = { VpcId: ref(vpc.vpcId), GroupName: groupId.slice(3), Description: 'differential' };
      this.#add('CreateSecurityGroup', input, { [groupId]: 'GroupId' });
    };
    for (const { groupId } of vpc.securityGroups) {
      const owner = this.#ownerOf(groupId);
      if (owner !== vpc) {
        this.#add('AssociateSecurityGroupVpc', { GroupId: ref(groupId), VpcId: ref(vpc.vpcId) });
        continue;
      }
      create(groupId);
      const everywhere = [
        { IpRanges: [{ CidrIp: '0.0.0.0/0' }] },
        ...(vpc.ipv6CidrBlocks.length > 0 ? [{ Ipv6Ranges: [{ CidrIpv6: '::/0' }] }] : []),
      ];
      for (const peer of everywhere)
        this.#add('RevokeSecurityGroupEgress', {
          GroupId: ref(groupId),
          IpPermissions: [{ IpProtocol: '-1', ...peer }],
        });
    }
    if (this.#namesOutOfReach(vpc)) create(nobody(vpc));
  }

  /** A group that several VPCs have belongs to the first. */
  #ownerOf(groupId: string): Vpc | undefined {
    return this.#snapshot.vpcs.find((vpc) => vpc.securityGroups.some((each) => each.groupId === groupId));
  }

  #namesOutOfReach(vpc: Vpc): boolean {
    return vpc.securityGroups.some(
      (group) =>
        this.#ownerOf(group.groupId) === vpc &&
        [...group.ingress, ...group.egress].some(
          ({ peer }) => peer.kind === 'security-group' && !this.#isInReach(vpc, peer.groupId),
        ),
    );
  }

  #isInReach(vpc: Vpc, groupId: string): boolean {
    if (vpc.securityGroups.some((each) => each.groupId === groupId)) return true;
    const owner = this.#ownerOf(groupId);
    return (
      owner?.region === vpc.region &&
      this.#snapshot.peeringConnections.some(({ requester, accepter }) => {
        const ends: string[] = [requester.vpcId, accepter.vpcId];
        return ends.includes(vpc.vpcId) && ends.includes(owner.vpcId);
      })
    );
  }

  #subnets({ vpcId, subnets, networkAcls }: Vpc): void {
    for (const { subnetId, cidrBlock, ipv6CidrBlock, availabilityZone } of subnets)
      this.#add(
        'CreateSubnet',
        {
          VpcId: ref(vpcId),
          CidrBlock: cidrBlock,
          ...(ipv6CidrBlock && { Ipv6CidrBlock: ipv6CidrBlock }),
          AvailabilityZone: availabilityZone,
        },
        { [subnetId]: 'Subnet.SubnetId' },
      );
    for (const { networkAclId, ingress, egress } of networkAcls) {
      this.#add('CreateNetworkAcl', { VpcId: ref(vpcId) }, { [networkAclId]: 'NetworkAcl.NetworkAclId' });
      for (const entry of [
        ...ingress.map((each) => ({ ...each, Egress: false })),
        ...egress.map((each) => ({ ...each, Egress: true })),
      ]) {
        const { ruleNumber, protocol, action, cidr, ports, icmp, Egress } = entry;
        this.#add('CreateNetworkAclEntry', {
          NetworkAclId: ref(networkAclId),
          Egress,
          RuleNumber: ruleNumber,
          Protocol: String(protocol),
          RuleAction: action,
          ...(cidr.includes(':') ? { Ipv6CidrBlock: cidr } : { CidrBlock: cidr }),
          ...(ports && { PortRange: { From: ports.from, To: ports.to } }),
          ...(icmp && { IcmpTypeCode: { Type: icmp.type, Code: icmp.code } }),
        });
      }
    }
    for (const { subnetId, networkAclId } of subnets) {
      const Filters = [{ Name: 'association.subnet-id', Values: [ref(subnetId)] }];
      const association = `NetworkAcls[0].Associations[?SubnetId=='${ref(subnetId)}']|[0].NetworkAclAssociationId`;
      this.#add('DescribeNetworkAcls', { Filters }, { [`association-${subnetId}`]: association });
      const AssociationId = ref(`association-${subnetId}`);
      this.#add('ReplaceNetworkAclAssociation', { AssociationId, NetworkAclId: ref(networkAclId) });
    }
  }

  #rules(vpc: Vpc): void {
    for (const group of vpc.securityGroups) {
      if (this.#ownerOf(group.groupId) !== vpc) continue;
      for (const [operation, rules] of [['AuthorizeSecurityGroupIngress', group.ingress], ['AuthorizeSecurityGroupEgress', group.egress]] as const) {
        const distinct = new Map(rules.map((each) => [JSON.stringify({ ...each, ruleId: '' }), each]));
        const IpPermissions = [...distinct.values()].map((each) => this.#permission(vpc, each));
        if (IpPermissions.length > 0) this.#add(operation, { GroupId: ref(group.groupId), IpPermissions });
      } // biome-ignore format: one list
    }
  }

  #permission(vpc: Vpc, { protocol, ports, icmp, peer }: SecurityGroupRule): object {
    const range = ports ?? (icmp && { from: icmp.type, to: icmp.code });
    const names: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmpv6' };
    return {
      IpProtocol: names[protocol] ?? String(protocol),
      ...(range && { FromPort: range.from, ToPort: range.to }),
      ...this.#peer(vpc, peer),
    };
  }

  #peer(vpc: Vpc, peer: RulePeer): object {
    switch (peer.kind) {
      case 'cidr':
        return peer.cidr.includes(':')
          ? { Ipv6Ranges: [{ CidrIpv6: peer.cidr }] }
          : { IpRanges: [{ CidrIp: peer.cidr }] };
      case 'prefix-list':
        return { PrefixListIds: [{ PrefixListId: ref(peer.prefixListId) }] };
      case 'security-group':
        return {
          UserIdGroupPairs: [{ GroupId: ref(this.#isInReach(vpc, peer.groupId) ? peer.groupId : nobody(vpc)) }],
        };
    }
  }

  #interfaces(vpc: Vpc): void {
    const cards = vpc.networkInterfaces.filter((each) => each.service === undefined);
    for (const card of cards) this.#interface(card);
    for (const { instanceId, metadata } of vpc.instances) {
      const own = cards.filter((each) => each.attachment?.instanceId === instanceId);
      const NetworkInterfaces = own.map((each) => ({
        DeviceIndex: each.attachment?.deviceIndex ?? 0,
        NetworkInterfaceId: ref(each.networkInterfaceId),
      }));
      this.#add(
        'RunInstances',
        {
          ...{
            ImageId: 'ami-0abcdef1234567890',
            InstanceType: 't3.micro',
            MinCount: 1,
            MaxCount: 1,
            NetworkInterfaces,
          },
          ...(metadata.hasIpv6 && { MetadataOptions: { HttpProtocolIpv6: 'enabled' } }),
        },
        { [instanceId]: 'Instances[0].InstanceId' },
      );
      this.#add('WaitInstanceRunning', { InstanceIds: [ref(instanceId)] });
    }
    for (const { networkInterfaceId: id, privateAddresses } of cards)
      for (const { address, publicAddress } of privateAddresses)
        if (publicAddress !== undefined) {
          this.#add('AllocateAddress', { Domain: 'vpc' }, { [publicAddress]: 'AllocationId' });
          this.#add('AssociateAddress', {
            AllocationId: ref(publicAddress),
            NetworkInterfaceId: ref(id),
            PrivateIpAddress: address,
          });
        }
  }

  #interface({
    networkInterfaceId,
    subnetId,
    privateAddresses,
    ipv6Addresses,
    groupIds,
    sourceDestCheck,
  }: NetworkInterface): void {
    this.#add(
      'CreateNetworkInterface',
      {
        SubnetId: ref(subnetId),
        PrivateIpAddresses: privateAddresses.map(({ address, primary }) => ({
          PrivateIpAddress: address,
          Primary: primary,
        })),
        ...(ipv6Addresses.length > 0 && { Ipv6Addresses: ipv6Addresses.map((Ipv6Address) => ({ Ipv6Address })) }),
        Groups: groupIds.map(ref),
      },
      { [networkInterfaceId]: 'NetworkInterface.NetworkInterfaceId' },
    );
    if (!sourceDestCheck)
      this.#add('ModifyNetworkInterfaceAttribute', {
        NetworkInterfaceId: ref(networkInterfaceId),
        SourceDestCheck: { Value: false },
      });
  }

  #services(vpc: Vpc): void {
    const VpcId = ref(vpc.vpcId);
    for (const { routeTableId } of vpc.routeTables)
      this.#add('CreateRouteTable', { VpcId }, { [routeTableId]: 'RouteTable.RouteTableId' });
    for (const { natGatewayId, networkInterfaceId, connectivityType } of vpc.natGateways) {
      const card = vpc.networkInterfaces.find((each) => each.networkInterfaceId === networkInterfaceId);
      const [first, ...others] = card?.privateAddresses ?? [];
      if (card === undefined || first === undefined) continue;
      for (const { publicAddress } of [first, ...others])
        if (publicAddress !== undefined)
          this.#add('AllocateAddress', { Domain: 'vpc' }, { [publicAddress]: 'AllocationId' });
      const isPublic = connectivityType === 'public';
      this.#add(
        'CreateNatGateway',
        {
          SubnetId: ref(card.subnetId),
          ConnectivityType: connectivityType,
          PrivateIpAddress: first.address,
          ...(isPublic && { AllocationId: ref(first.publicAddress ?? '') }),
          ...(others.length > 0 && { SecondaryPrivateIpAddresses: others.map((each) => each.address) }),
          ...(others.length > 0 &&
            isPublic && { SecondaryAllocationIds: others.map((each) => ref(each.publicAddress ?? '')) }),
        },
        { [natGatewayId]: 'NatGateway.NatGatewayId' },
      );
    }
    for (const { vpcEndpointId, service } of vpc.gatewayEndpoints) {
      const leads = (table: Vpc['routeTables'][number]) =>
        table.routes.some(
          ({ target, state }) =>
            target.kind === 'gateway-endpoint' && target.vpcEndpointId === vpcEndpointId && state === 'active',
        );
      const RouteTableIds = vpc.routeTables.filter(leads).map((each) => ref(each.routeTableId));
      this.#add(
        'CreateVpcEndpoint',
        {
          VpcId,
          VpcEndpointType: 'Gateway',
          ServiceName: `com.amazonaws.${vpc.region}.${service}`,
          ...(RouteTableIds.length > 0 && { RouteTableIds }),
        },
        { [vpcEndpointId]: 'VpcEndpoint.VpcEndpointId' },
      );
    }
    for (const { vpcEndpointId, service, networkInterfaceIds, behind } of vpc.interfaceEndpoints) {
      if (behind !== undefined) this.#endpointService(service);
      const cards = vpc.networkInterfaces.filter((each) => networkInterfaceIds.includes(each.networkInterfaceId));
      // One for each zone: AWS takes no second subnet of the same.
      this.#add(
        'CreateVpcEndpoint',
        {
          VpcId,
          VpcEndpointType: 'Interface',
          ServiceName:
            behind === undefined
              ? `com.amazonaws.${vpc.region}.${service}`
              : `com.amazonaws.vpce.${vpc.region}.${ref(service)}`,
          PrivateDnsEnabled: false,
          SubnetIds: cards.map((each) => ref(each.subnetId)),
          SubnetConfigurations: cards.map((each) => ({
            SubnetId: ref(each.subnetId),
            Ipv4: each.privateAddresses[0]?.address,
          })),
          SecurityGroupIds: (cards[0]?.groupIds ?? []).map(ref),
        },
        { [vpcEndpointId]: 'VpcEndpoint.VpcEndpointId' },
      );
      const isAccepted = behind !== undefined && behind.length > 0;
      if (isAccepted)
        this.#add('AcceptVpcEndpointConnections', { ServiceId: ref(service), VpcEndpointIds: [ref(vpcEndpointId)] });
    }
    for (const balancer of vpc.networkLoadBalancers) this.#loadBalancer(vpc, balancer);
    for (const { instanceConnectEndpointId, networkInterfaceId, preserveClientIp } of vpc.instanceConnectEndpoints) {
      const card = vpc.networkInterfaces.find((each) => each.networkInterfaceId === networkInterfaceId);
      if (card === undefined) continue;
      this.#add(
        'CreateInstanceConnectEndpoint',
        { SubnetId: ref(card.subnetId), SecurityGroupIds: card.groupIds.map(ref), PreserveClientIp: preserveClientIp },
        { [instanceConnectEndpointId]: 'InstanceConnectEndpoint.InstanceConnectEndpointId' },
      );
    }
  }

  /** In front of the one load balancer that there is. One whose groups decide about what comes through endpoints is refused, so they do not. */
  #endpointService(service: string): void {
    const balancers = this.#snapshot.vpcs.flatMap((vpc) => vpc.networkLoadBalancers.map((each) => ({ vpc, ...each })));
    for (const { vpc, loadBalancerId, nodes } of balancers) {
      const [node] = nodes;
      const card = vpc.networkInterfaces.find((each) => each.networkInterfaceId === node?.networkInterfaceId);
      const how = 'EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic';
      const groups = { LoadBalancerArn: ref(loadBalancerId), SecurityGroups: card?.groupIds.map(ref), [how]: 'off' };
      if (card !== undefined && card.groupIds.length > 0) this.#add('SetSecurityGroups', groups, undefined, 'elbv2');
      this.#add(
        'CreateVpcEndpointServiceConfiguration',
        { NetworkLoadBalancerArns: [ref(loadBalancerId)], AcceptanceRequired: true },
        { [service]: 'ServiceConfiguration.ServiceId' },
      );
    }
  }

  #loadBalancer(vpc: Vpc, { loadBalancerId: id, scheme, nodes }: NetworkLoadBalancer): void {
    const cards = nodes.flatMap(({ networkInterfaceId }) =>
      vpc.networkInterfaces.filter((each) => each.networkInterfaceId === networkInterfaceId),
    );
    const groups = (cards[0]?.groupIds ?? []).map(ref);
    const SubnetMappings = cards.map(({ subnetId, privateAddresses: [first] }) => {
      if (scheme === 'internal') return { SubnetId: ref(subnetId), PrivateIPv4Address: first?.address };
      if (first?.publicAddress === undefined) return { SubnetId: ref(subnetId) };
      this.#add('AllocateAddress', { Domain: 'vpc' }, { [first.publicAddress]: 'AllocationId' });
      return { SubnetId: ref(subnetId), AllocationId: ref(first.publicAddress) };
    });
    this.#add(
      'CreateLoadBalancer',
      {
        Name: id.split('/')[1],
        Type: 'network',
        Scheme: scheme,
        SubnetMappings,
        ...(groups.length > 0 && { SecurityGroups: groups }),
      },
      { [id]: 'LoadBalancers[0].LoadBalancerArn' },
      'elbv2',
    );
    for (const { port, targets } of nodes[0]?.listeners ?? []) {
      const name = `targets-${port}`;
      this.#add(
        'CreateTargetGroup',
        { Name: name, Protocol: 'TCP', Port: port, VpcId: ref(vpc.vpcId), TargetType: 'ip' },
        { [name]: 'TargetGroups[0].TargetGroupArn' },
        'elbv2',
      );
      const isOwn = (address: string) => vpc.cidrBlocks.some((block) => containsAddress(block, address));
      const Targets = targets.map(({ address, port: Port }) => ({
        Id: address,
        Port,
        ...(!isOwn(address) && { AvailabilityZone: 'all' }),
      }));
      if (Targets.length > 0) this.#add('RegisterTargets', { TargetGroupArn: ref(name), Targets }, undefined, 'elbv2');
      const DefaultActions = [{ Type: 'forward', TargetGroupArn: ref(name) }];
      const input = { LoadBalancerArn: ref(id), Protocol: 'TCP', Port: port, DefaultActions };
      this.#add('CreateListener', input, undefined, 'elbv2');
    }
  }

  /** Every route is static: what would be propagated is there by its block. */
  #transitGateways(): void {
    for (const { transitGatewayId, attachments, routeTables } of this.#snapshot.transitGateways) {
      const TransitGatewayId = ref(transitGatewayId);
      const Options = { DefaultRouteTableAssociation: 'disable', DefaultRouteTablePropagation: 'disable' };
      this.#add('CreateTransitGateway', { Options }, { [transitGatewayId]: 'TransitGateway.TransitGatewayId' });
      for (const { transitGatewayAttachmentId: id, vpcId, networkInterfaceIds, applianceMode } of attachments) {
        const cards = this.#snapshot.vpcs.flatMap((vpc) => vpc.networkInterfaces);
        const SubnetIds = networkInterfaceIds.flatMap((one) =>
          cards.flatMap((card) => (card.networkInterfaceId === one ? [ref(card.subnetId)] : [])),
        );
        const input = {
          TransitGatewayId,
          VpcId: ref(vpcId),
          SubnetIds,
          ...(applianceMode && { Options: { ApplianceModeSupport: 'enable' } }),
        };
        const answer = { [id]: 'TransitGatewayVpcAttachment.TransitGatewayAttachmentId' };
        this.#add('CreateTransitGatewayVpcAttachment', input, answer);
      }
      for (const { transitGatewayRouteTableId: id, routes } of routeTables) {
        const answer = { [id]: 'TransitGatewayRouteTable.TransitGatewayRouteTableId' };
        this.#add('CreateTransitGatewayRouteTable', { TransitGatewayId }, answer);
        for (const { cidr, transitGatewayAttachmentId: to } of routes)
          this.#add('CreateTransitGatewayRoute', {
            TransitGatewayRouteTableId: ref(id),
            DestinationCidrBlock: cidr,
            ...(to === undefined ? { Blackhole: true } : { TransitGatewayAttachmentId: ref(to) }),
          });
      }
      for (const { transitGatewayAttachmentId, routeTableId } of attachments)
        if (routeTableId !== undefined)
          this.#add('AssociateTransitGatewayRouteTable', {
            TransitGatewayRouteTableId: ref(routeTableId),
            TransitGatewayAttachmentId: ref(transitGatewayAttachmentId),
          });
    }
  }

  #routes(vpc: Vpc): void {
    const isDead = ({ state }: Route) => state === 'blackhole';
    const [first] = vpc.subnets;
    if (first !== undefined && vpc.routeTables.some((table) => table.routes.some(isDead)))
      this.#add(
        'CreateNetworkInterface',
        { SubnetId: ref(first.subnetId) },
        { [dead(vpc)]: 'NetworkInterface.NetworkInterfaceId' },
      );
    const blocks: readonly Cidr[] = [...vpc.cidrBlocks, ...vpc.ipv6CidrBlocks];
    for (const { routeTableId, routes } of vpc.routeTables) {
      for (const route of routes) {
        const { destination, target, state } = route;
        if (target.kind === 'local' || (target.kind === 'gateway-endpoint' && state === 'active')) continue;
        const isLocal = destination.kind === 'cidr' && blocks.includes(destination.cidr);
        this.#add(isLocal ? 'ReplaceRoute' : 'CreateRoute', {
          RouteTableId: ref(routeTableId),
          ...destinationOf(route),
          ...targetOf(vpc, route),
        });
      }
    }
    for (const { subnetId, routeTableId } of vpc.subnets)
      this.#add('AssociateRouteTable', { SubnetId: ref(subnetId), RouteTableId: ref(routeTableId) });
    if (vpc.gatewayRouteTableId !== undefined && vpc.internetGatewayId !== undefined)
      this.#add('AssociateRouteTable', {
        GatewayId: ref(vpc.internetGatewayId),
        RouteTableId: ref(vpc.gatewayRouteTableId),
      });
  }

  #attributes({ vpcId, enableDnsSupport }: Vpc): void {
    if (!enableDnsSupport) this.#add('ModifyVpcAttribute', { VpcId: ref(vpcId), EnableDnsSupport: { Value: false } });
  }

  /** A mode is the Region's; what a subnet has less of is an exclusion. */
  #blockPublicAccess(): void {
    for (const region of new Set(this.#snapshot.vpcs.map((vpc) => vpc.region))) {
      this.#region = region;
      const subnets = this.#snapshot.vpcs.filter((vpc) => vpc.region === region).flatMap((vpc) => vpc.subnets);
      const modes = new Set(subnets.map((each) => each.blockPublicAccess));
      const mode = (['block-bidirectional', 'block-ingress'] as const).find((each) => modes.has(each));
      if (mode === undefined) continue;
      this.#add('ModifyVpcBlockPublicAccessOptions', { InternetGatewayBlockMode: mode });
      for (const { subnetId, blockPublicAccess } of subnets) {
        if (blockPublicAccess === mode) continue;
        const InternetGatewayExclusionMode = blockPublicAccess === undefined ? 'allow-bidirectional' : 'allow-egress';
        this.#add('CreateVpcBlockPublicAccessExclusion', { SubnetId: ref(subnetId), InternetGatewayExclusionMode });
      }
    }
  }
}

function destinationOf({ destination }: Route): object {
  if (destination.kind === 'prefix-list') return { DestinationPrefixListId: ref(destination.prefixListId) };
  return destination.cidr.includes(':')
    ? { DestinationIpv6CidrBlock: destination.cidr }
    : { DestinationCidrBlock: destination.cidr };
}

function targetOf(vpc: Vpc, { target, state }: Route): object {
  if (state === 'blackhole') return { NetworkInterfaceId: ref(dead(vpc)) };
  switch (target.kind) {
    case 'local':
      return { LocalTarget: true };
    case 'internet-gateway':
      return { GatewayId: ref(target.internetGatewayId) };
    case 'egress-only-internet-gateway':
      return { EgressOnlyInternetGatewayId: ref(target.egressOnlyInternetGatewayId) };
    case 'nat-gateway':
      return { NatGatewayId: ref(target.natGatewayId) };
    case 'peering-connection':
      return { VpcPeeringConnectionId: ref(target.vpcPeeringConnectionId) };
    case 'transit-gateway':
      return { TransitGatewayId: ref(target.transitGatewayId) };
    case 'gateway-endpoint':
      return { VpcEndpointId: ref(target.vpcEndpointId) };
    case 'network-interface':
      return { NetworkInterfaceId: ref(target.networkInterfaceId) };
  }
}
