// What the compiler and the renderer make of one network, as the kernel is told it. Reviewed like code: `UPDATE_GOLDEN=1` writes it anew.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  type NetworkInterface,
  noGateways,
  type PeeringConnection,
  type Route,
  type Snapshot,
  type Vpc,
  type VpcId,
} from '@postern/network/snapshot.ts';
import { allocate, emptyAllocation } from './compile/allocation.ts';
import { compile, nothingCompiled } from './compile/compile.ts';
import { namespaceText } from './golden/text.ts';
import { renderGuest, renderPeeringLink } from './render/ip.ts';
import { renderTableChange } from './render/nft.ts';

const network: Snapshot = {
  revision: 1,
  peeringConnections: [], transitGateways: [],
  prefixLists: [{ prefixListId: 'pl-s3', cidrs: ['198.18.1.0/26'] }],
  vpcs: [{
    vpcId: 'vpc-1', ownerId: '123456789012', region: 'us-east-1', cidrBlocks: ['10.0.0.0/16'], enableDnsSupport: true, enableDnsHostnames: true, internetGatewayId: 'igw-1',
    subnets: [{ subnetId: 'subnet-1', cidrBlock: '10.0.0.0/24', availabilityZone: 'us-east-1a', routeTableId: 'rtb-1', networkAclId: 'acl-1' }],
    routeTables: [{ routeTableId: 'rtb-1', routes: [
      { destination: { kind: 'cidr', cidr: '10.0.0.0/16' }, target: { kind: 'local' }, state: 'active' },
      { destination: { kind: 'cidr', cidr: '0.0.0.0/0' }, target: { kind: 'internet-gateway', internetGatewayId: 'igw-1' }, state: 'active' },
      { destination: { kind: 'prefix-list', prefixListId: 'pl-s3' }, target: { kind: 'gateway-endpoint', vpcEndpointId: 'vpce-1' }, state: 'active' },
      { destination: { kind: 'cidr', cidr: '192.0.2.0/24' }, target: { kind: 'network-interface', networkInterfaceId: 'eni-gone' }, state: 'blackhole' },
    ] }],
    networkAcls: [{ networkAclId: 'acl-1', egress: [{ ruleNumber: 100, protocol: -1, action: 'allow', cidr: '0.0.0.0/0' }], ingress: [
      { ruleNumber: 90, protocol: 6, action: 'deny', cidr: '203.0.113.0/24', ports: { from: 22, to: 22 } }, { ruleNumber: 100, protocol: -1, action: 'allow', cidr: '0.0.0.0/0' },
    ] }],
    securityGroups: [{ groupId: 'sg-1', egress: [{ ruleId: 'sgr-9', protocol: -1, peer: { kind: 'cidr', cidr: '0.0.0.0/0' } }], ingress: [
      { ruleId: 'sgr-1', protocol: 6, ports: { from: 22, to: 22 }, peer: { kind: 'cidr', cidr: '0.0.0.0/0' } },
      { ruleId: 'sgr-2', protocol: -1, peer: { kind: 'security-group', groupId: 'sg-1' } },
      { ruleId: 'sgr-3', protocol: 17, ports: { from: 53, to: 60 }, peer: { kind: 'prefix-list', prefixListId: 'pl-s3' } },
      { ruleId: 'sgr-4', protocol: 1, icmp: { type: 8, code: -1 }, peer: { kind: 'cidr', cidr: '10.0.0.0/8' } },
    ] }],
    networkInterfaces: [{
      networkInterfaceId: 'eni-1', subnetId: 'subnet-1', macAddress: '0a:00:00:00:00:01', ipv6Addresses: [], groupIds: ['sg-1'], sourceDestCheck: true, attachment: { instanceId: 'i-1', deviceIndex: 0 },
      privateAddresses: [{ address: '10.0.0.4', primary: true, publicAddress: '198.19.0.1' }, { address: '10.0.0.5', primary: false }],
    }, {
      networkInterfaceId: 'eni-2', subnetId: 'subnet-1', macAddress: '0a:00:00:00:00:02', ipv6Addresses: [], groupIds: ['sg-1'], sourceDestCheck: true,
      privateAddresses: [{ address: '10.0.0.9', primary: true }], service: { kind: 'vpc-endpoint', vpcEndpointId: 'vpce-2' },
    }, {
      networkInterfaceId: 'eni-3', subnetId: 'subnet-1', macAddress: '0a:00:00:00:00:03', ipv6Addresses: [], groupIds: ['sg-1'], sourceDestCheck: true,
      privateAddresses: [{ address: '10.0.0.11', primary: true }], service: { kind: 'instance-connect-endpoint', instanceConnectEndpointId: 'eice-1' },
    }],
    instances: [{ instanceId: 'i-1', metadata: { enabled: true, hopLimit: 2 } }],
    ...noGateways,
    gatewayEndpoints: [{ vpcEndpointId: 'vpce-1', service: 's3', prefixListId: 'pl-s3' }],
    interfaceEndpoints: [{ vpcEndpointId: 'vpce-2', service: 'sts', serviceRegion: 'us-east-1', networkInterfaceIds: ['eni-2'], dnsNames: [], privateDnsNames: [] }],
    instanceConnectEndpoints: [{ instanceConnectEndpointId: 'eice-1', networkInterfaceId: 'eni-3', preserveClientIp: false }],
  }],
}; // biome-ignore format: a table

const machines = new Map([['i-1' as const, 4711]]);

test('the kernel is told what the golden file says', () => {
  const { state } = compile(network, nothingCompiled, machines);
  const actual = [
    namespaceText('core', state.core),
    ...state.vpcs.flatMap((vpc) => [
      namespaceText(vpc.vpcId, vpc),
      ...vpc.guests.map((guest) =>
        [`# ${guest.networkInterfaceId} inside its machine: ip -batch`, ...renderGuest(guest), ''].join('\n'),
      ),
    ]),
  ].join('\n');
  const path = new URL('golden/one-vpc.txt', import.meta.url);
  if (process.env.UPDATE_GOLDEN !== undefined || !existsSync(path)) writeFileSync(path, actual);
  assert.equal(actual, readFileSync(path, 'utf8'));
});

test('a peering adds what the golden file says', () => {
  const [first] = network.vpcs;
  assert.ok(first !== undefined);
  const toPeer = {
    destination: { kind: 'cidr', cidr: '10.1.0.0/16' },
    target: { kind: 'peering-connection', vpcPeeringConnectionId: 'pcx-1' },
    state: 'active',
  } as const;
  const near = {
    ...first,
    routeTables: first.routeTables.map((each) => ({ ...each, routes: [...each.routes, toPeer] })),
    securityGroups: first.securityGroups.map((group) => ({
      ...group,
      ingress: [{ ruleId: 'sgr-5', protocol: -1, peer: { kind: 'security-group', groupId: 'sg-2' } } as const],
    })),
  };
  const far = {
    ...first, vpcId: 'vpc-2', region: 'eu-west-1', cidrBlocks: ['10.1.0.0/16', '10.3.0.0/24'], internetGatewayId: 'igw-2', gatewayEndpoints: [], routeTables: [],
    subnets: first.subnets.map((each) => ({ ...each, cidrBlock: '10.1.0.0/24' })), networkAcls: [], instances: [],
    networkInterfaces: [{ ...first.networkInterfaces[0], networkInterfaceId: 'eni-2', groupIds: ['sg-2'], attachment: { instanceId: 'i-2', deviceIndex: 0 }, privateAddresses: [{ address: '10.1.0.4', primary: true }] }],
  } as Vpc; // biome-ignore format: a table
  const side = (vpcId: VpcId) => ({ vpcId, allowDnsResolutionFromRemoteVpc: false });
  const connection = { vpcPeeringConnectionId: 'pcx-1', requester: side('vpc-1'), accepter: side('vpc-2') } as const;
  const both = new Map([...machines, ['i-2', 4712] as const]);
  const lines = (regionOfPeer: string, peeringConnections: readonly PeeringConnection[]) => {
    const vpcs = [near, { ...far, region: regionOfPeer }];
    const { state } = compile({ ...network, vpcs, peeringConnections }, nothingCompiled, both);
    const made = state.peerings.map((link) => `${renderPeeringLink(link).add}\n${renderPeeringLink(link).up}`);
    return [...state.vpcs.flatMap((vpc) => namespaceText(vpc.vpcId, vpc).split('\n').map((line) => `${vpc.vpcId} ${line.trim()}`)), ...made.join('\n').split('\n')]; // biome-ignore format: one list
  };
  const actual = ['us-east-1', 'eu-west-1'].flatMap((region) => {
    const without = new Set(lines(region, []));
    return [`# the peer is in ${region}`, ...lines(region, [connection]).filter((line) => !without.has(line)), ''];
  });
  const path = new URL('golden/peering.txt', import.meta.url);
  if (process.env.UPDATE_GOLDEN !== undefined || !existsSync(path)) writeFileSync(path, actual.join('\n'));
  assert.equal(actual.join('\n'), readFileSync(path, 'utf8'));
});

test('a transit gateway adds what the golden file says', () => {
  const [first] = network.vpcs;
  const [card] = first?.networkInterfaces ?? [];
  const [subnet] = first?.subnets ?? [];
  assert.ok(first !== undefined && card !== undefined && subnet !== undefined);
  const toTransit = {
    destination: { kind: 'cidr', cidr: '10.1.0.0/16' },
    target: { kind: 'transit-gateway', transitGatewayId: 'tgw-1' },
    state: 'active',
  } as const;
  const door = (name: string, address: string): NetworkInterface => {
    const { attachment: _none, ...bare } = card;
    const service = { kind: 'transit-gateway', transitGatewayId: 'tgw-1', transitGatewayAttachmentId: `tgw-attach-${name}` } as const;
    return { ...bare, networkInterfaceId: `eni-door-${name}`, groupIds: [], sourceDestCheck: true, privateAddresses: [{ address, primary: true }], service };
  }; // biome-ignore format: two small objects
  const near = {
    ...first,
    routeTables: first.routeTables.map((each) => ({ ...each, routes: [...each.routes, toTransit] })),
    networkInterfaces: [...first.networkInterfaces, door('1', '10.0.0.200')],
  };
  const far = {
    ...first, vpcId: 'vpc-2', cidrBlocks: ['10.1.0.0/16'], internetGatewayId: 'igw-2', gatewayEndpoints: [], routeTables: [],
    subnets: [{ ...subnet, cidrBlock: '10.1.0.0/24' }], networkInterfaces: [door('2', '10.1.0.200')], interfaceEndpoints: [], instanceConnectEndpoints: [],
  } as const satisfies Snapshot['vpcs'][number]; // biome-ignore format: one line each
  const attachment = (name: string, vpcId: `vpc-${string}`) =>
    ({ transitGatewayAttachmentId: `tgw-attach-${name}`, vpcId, networkInterfaceIds: [`eni-door-${name}`], applianceMode: false, dnsSupport: true, routeTableId: 'tgw-rtb-1' }) as const; // biome-ignore format: one line
  const transitGateways: Snapshot['transitGateways'] = [
    {
      transitGatewayId: 'tgw-1',
      attachments: [attachment('1', 'vpc-1'), attachment('2', 'vpc-2')],
      routeTables: [
        {
          transitGatewayRouteTableId: 'tgw-rtb-1',
          routes: [
            { cidr: '10.1.0.0/16', transitGatewayAttachmentId: 'tgw-attach-2' },
            { cidr: '10.0.0.0/16', transitGatewayAttachmentId: 'tgw-attach-1' },
            { cidr: '192.168.0.0/16' },
          ],
        },
      ],
    },
  ];
  const lines = (snapshot: Snapshot) => {
    const { state } = compile(snapshot, nothingCompiled, machines);
    const places = [...state.vpcs.map((vpc) => [vpc.vpcId, vpc] as const), ...state.transitGateways.map((each) => [each.transitGatewayId, each] as const)];
    return places.flatMap(([name, place]) => namespaceText(name, place).split('\n').map((line) => `${name} ${line.trim()}`));
  }; // biome-ignore format: one list
  const without = new Set(lines(network));
  const actual = lines({ ...network, vpcs: [near, far], transitGateways }).filter((line) => !without.has(line));
  const path = new URL('golden/transit-gateway.txt', import.meta.url);
  if (process.env.UPDATE_GOLDEN !== undefined || !existsSync(path)) writeFileSync(path, actual.join('\n'));
  assert.equal(actual.join('\n'), readFileSync(path, 'utf8'));
});

test('IPv6 adds what the golden file says', () => {
  const [first] = network.vpcs;
  const [card] = first?.networkInterfaces ?? [];
  assert.ok(first !== undefined && card !== undefined);
  const block = '2001:db8:1010:100::/56';
  const toward = (cidr: `${string}/${number}`, target: Route['target']): Route => ({
    destination: { kind: 'cidr', cidr },
    target,
    state: 'active',
  });
  const entry = { ruleNumber: 101, protocol: -1, action: 'allow', cidr: '::/0' } as const;
  const dual: Vpc = {
    ...first, ipv6CidrBlocks: [block], egressOnlyInternetGatewayIds: ['eigw-1'],
    subnets: first.subnets.map((each) => ({ ...each, ipv6CidrBlock: '2001:db8:1010:101::/64' })),
    routeTables: first.routeTables.map((each) => ({ ...each, routes: [
      ...each.routes, toward(block, { kind: 'local' }), toward('::/0', { kind: 'egress-only-internet-gateway', egressOnlyInternetGatewayId: 'eigw-1' }),
      toward('2001:db8:f000::/48', { kind: 'internet-gateway', internetGatewayId: 'igw-1' }),
    ] })),
    networkAcls: first.networkAcls.map((acl) => ({ ...acl, ingress: [...acl.ingress, { ...entry, protocol: 58, icmp: { type: 128, code: 0 } }], egress: [...acl.egress, entry] })),
    securityGroups: first.securityGroups.map((group) => ({ ...group, ingress: [...group.ingress, { ruleId: 'sgr-5', protocol: 6, ports: { from: 22, to: 22 }, peer: { kind: 'cidr', cidr: '2001:db8:f000::10/128' } }] })),
    networkInterfaces: [{ ...card, ipv6Addresses: ['2001:db8:1010:101::a'] }, ...first.networkInterfaces.slice(1)],
  }; // biome-ignore format: a table
  const lines = (vpc: Vpc) => {
    const { state } = compile({ ...network, vpcs: [vpc] }, nothingCompiled, machines);
    const guests = state.vpcs.flatMap(({ guests: all }) => all.flatMap((each) => renderGuest(each).map((line) => `guest ${line}`))); // biome-ignore format: one list
    return [namespaceText('core', state.core), ...state.vpcs.map((each) => namespaceText(each.vpcId, each))].flatMap((each) => each.split('\n')).concat(guests); // biome-ignore format: one list
  };
  const without = new Set(lines(first));
  const actual = [...lines(dual).filter((line) => !without.has(line)), ''].join('\n');
  const path = new URL('golden/ipv6.txt', import.meta.url);
  if (process.env.UPDATE_GOLDEN !== undefined || !existsSync(path)) writeFileSync(path, actual);
  assert.equal(actual, readFileSync(path, 'utf8'));
});

test('compiling the same again asks nothing of nft, and a new rule touches its own chain only', () => {
  const first = compile(network, nothingCompiled, machines);
  const again = compile(network, { ...nothingCompiled, allocation: first.allocation }, machines);
  const before = first.state.vpcs[0]?.table;
  const after = again.state.vpcs[0]?.table;
  assert.ok(before !== undefined && after !== undefined);
  assert.equal(renderTableChange(before, after), '');
  const [vpc] = network.vpcs;
  assert.ok(vpc !== undefined);
  const changed: Snapshot = {
    ...network,
    vpcs: [
      { ...vpc, securityGroups: vpc.securityGroups.map((group) => ({ ...group, ingress: group.ingress.slice(1) })) },
    ],
  };
  const result = compile(changed, first, machines).state.vpcs[0]?.table;
  assert.ok(result !== undefined);
  const commands = renderTableChange(before, result).trim().split('\n');
  assert.ok(
    commands.every((line) => line.includes('sg-ingress-1')),
    commands.join('\n'),
  );
});

test('numbers stay with what lives and come back late', () => {
  const first = allocate(emptyAllocation, network);
  const empty = allocate(first, { ...network, vpcs: [] });
  assert.equal(empty.blocks.of.size, 0);
  const second = allocate(empty, network);
  for (const [key, number] of first.blocks.of) assert.notEqual(second.blocks.of.get(key), number, key);
  assert.deepEqual(allocate(second, network), second);
});
