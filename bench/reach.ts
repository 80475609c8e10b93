// How fast the walk and reach are, by the size of the network: `npm run bench -- --only reach`. Nothing is started; the networks are made here.

import { spawnSync } from 'node:child_process';
import { numberToIp } from '@postern/network/cidr.ts';
import { prepareReach } from '@postern/network/reach/reach.ts';
import {
  type NetworkAcl,
  type NetworkInterface,
  noGateways,
  type SecurityGroup,
  type SecurityGroupRule,
  type Snapshot,
  type Subnet,
} from '@postern/network/snapshot.ts';
import { indexNetwork } from '@postern/network/walk/network-index.ts';
import { walk } from '@postern/network/walk/walk.ts';

/** How interfaces get their groups: by what they are for, as people do it, or each one at random, which leaves no two alike. */
export type Design = 'roles' | 'random';

const subnetCount = 20;
const groupCount = 200;

/**
 * One VPC with 20 subnets of which a quarter is public, an internet gateway, a NAT gateway, an S3 endpoint, three ACLs and 200 groups that name blocks and one another.
 * @param interfaces how many
 */
export function manyInterfaces(interfaces: number, design: Design): Snapshot {
  let state = 1;
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const any = { kind: 'cidr', cidr: '0.0.0.0/0' } as const;
  let rules = 0;
  const rule = (port: number, peer: SecurityGroupRule['peer']): SecurityGroupRule => ({
    ruleId: `sgr-${rules++}`,
    protocol: 6,
    ports: { from: port, to: port + (port % 3) },
    peer,
  });
  const groupId = (index: number) => `sg-${index % groupCount}` as const;
  const groups: SecurityGroup[] = Array.from({ length: groupCount }, (_, index) => ({
    groupId: groupId(index),
    ingress: [
      ...(index % 5 === 0 ? [rule(443, any)] : []),
      rule(8000 + (index % 50), { kind: 'security-group', groupId: groupId(index + 1) }),
      rule(5432, { kind: 'security-group', groupId: groupId(index + 7 + random(20)) }),
      rule(22, { kind: 'cidr', cidr: `10.0.${random(subnetCount) * 8}.0/21` }),
      ...(index % 10 === 3 ? [rule(3306, { kind: 'cidr', cidr: `10.0.${random(160)}.${random(256)}/32` })] : []),
    ],
    egress: index % 4 === 0 ? [rule(443, any), rule(5432, { kind: 'cidr', cidr: '10.0.0.0/16' })] : [{ ruleId: `sgr-e${index}`, protocol: -1, peer: any }],
  })); // biome-ignore format: a table
  const entry = (ruleNumber: number, from: number, to: number, action: 'allow' | 'deny' = 'allow') =>
    ({ ruleNumber, action, protocol: 6, cidr: '0.0.0.0/0', ports: { from, to } }) as const;
  const all = { ruleNumber: 1000, action: 'allow', protocol: -1, cidr: '0.0.0.0/0' } as const;
  const acls: NetworkAcl[] = [
    { networkAclId: 'acl-0', ingress: [all], egress: [all] },
    { networkAclId: 'acl-1', ingress: [entry(90, 23, 23, 'deny'), all], egress: [entry(100, 1, 65_535)] },
    { networkAclId: 'acl-2', ingress: [entry(100, 443, 9000), entry(110, 1024, 65_535)], egress: [entry(100, 443, 65_535)] },
  ]; // biome-ignore format: a table
  const subnets: Subnet[] = Array.from({ length: subnetCount }, (_, index) => ({
    subnetId: `subnet-${index}`,
    cidrBlock: `10.0.${index * 8}.0/21`,
    availabilityZone: 'us-east-1a',
    routeTableId: index % 4 === 0 ? 'rtb-public' : 'rtb-private',
    networkAclId: `acl-${index % 3}`,
  }));
  const natAddress = { address: '10.0.0.4', primary: true, publicAddress: '198.19.255.1' };
  const cards: NetworkInterface[] = Array.from({ length: interfaces }, (_, index) => {
    // A hundred roles, each in two subnets.
    const role = index % 100;
    const place = (role + (design === 'roles' ? Math.floor(index / 100) % 2 : index)) % subnetCount;
    const own = design === 'roles' ? [role * 2, role * 2 + 1 + (role % 3)] : [random(groupCount), random(groupCount)];
    const isPublic = place % 4 === 0 && index % 2 === 0;
    return {
      networkInterfaceId: `eni-${index}`,
      subnetId: `subnet-${place}`,
      macAddress: '0a:00:00:00:00:01',
      privateAddresses: [
        {
          address: numberToIp(0x0a00_0000 + place * 2048 + 10 + Math.floor(index / subnetCount)),
          primary: true,
          ...(isPublic && { publicAddress: numberToIp(0xc613_0000 + index) }),
        },
      ],
      ipv6Addresses: [],
      groupIds: [...new Set(own.map(groupId))],
      sourceDestCheck: true,
      attachment: { instanceId: `i-${index}`, deviceIndex: 0 },
    };
  });
  const nat: NetworkInterface = {
    networkInterfaceId: 'eni-nat',
    subnetId: 'subnet-0',
    macAddress: '0a:00:00:00:00:02',
    privateAddresses: [natAddress],
    ipv6Addresses: [],
    groupIds: [],
    sourceDestCheck: false,
    service: { kind: 'nat-gateway', natGatewayId: 'nat-1' },
  };
  const to = (
    cidr: `${string}/${number}`,
    target: Snapshot['vpcs'][number]['routeTables'][number]['routes'][number]['target'],
  ) => ({ destination: { kind: 'cidr', cidr }, target, state: 'active' }) as const;
  const local = to('10.0.0.0/16', { kind: 'local' });
  const s3 = {
    destination: { kind: 'prefix-list', prefixListId: 'pl-s3' },
    target: { kind: 'gateway-endpoint', vpcEndpointId: 'vpce-s3' },
    state: 'active',
  } as const;
  return {
    revision: 1,
    peeringConnections: [],
    transitGateways: [],
    prefixLists: [{ prefixListId: 'pl-s3', cidrs: ['198.18.1.0/26'] }],
    vpcs: [
      {
        ...noGateways,
        vpcId: 'vpc-1',
        ownerId: '123456789012',
        region: 'us-east-1',
        cidrBlocks: ['10.0.0.0/16'],
        enableDnsSupport: true,
        enableDnsHostnames: true,
        internetGatewayId: 'igw-1',
        subnets,
        routeTables: [
          { routeTableId: 'rtb-public', routes: [local, to('0.0.0.0/0', { kind: 'internet-gateway', internetGatewayId: 'igw-1' })] },
          { routeTableId: 'rtb-private', routes: [local, s3, to('0.0.0.0/0', { kind: 'nat-gateway', natGatewayId: 'nat-1' })] },
        ], // biome-ignore format: a table
        networkAcls: acls,
        securityGroups: groups,
        networkInterfaces: [...cards, nat],
        instances: [],
        gatewayEndpoints: [{ vpcEndpointId: 'vpce-s3', service: 's3', prefixListId: 'pl-s3' }],
        natGateways: [{ natGatewayId: 'nat-1', connectivityType: 'public', networkInterfaceId: 'eni-nat' }],
      },
    ],
  };
}

export interface ReachRow {
  readonly interfaces: number;
  readonly design: Design;
  readonly classes: number;
  /** Pairs of ends that reach each other, of interfaces and the internet. */
  readonly openPairs: number;
  readonly allPairsMs: number;
  /** Of the processors; on a machine that has other work, this is what it costs. */
  readonly processorMs: number;
  /** All that one question costs on a network just read: who reaches this interface? */
  readonly oneTargetMs: number;
  /** The most that the process had. */
  readonly memoryBytes: number;
}

/** In this process: its memory is what is told, so each size has a process of its own. */
export function measureReach(interfaces: number, design: Design): ReachRow {
  const snapshot = manyInterfaces(interfaces, design);
  const network = indexNetwork(snapshot);
  let startedAt = performance.now();
  const before = process.cpuUsage();
  const pairs = prepareReach(network).allPairs();
  const allPairsMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(before);
  startedAt = performance.now();
  prepareReach(network).to({ kind: 'network-interface', networkInterfaceId: 'eni-0' });
  const oneTargetMs = performance.now() - startedAt;
  return {
    interfaces,
    design,
    classes: pairs.classes.length,
    openPairs: pairs.count,
    allPairsMs,
    processorMs: (user + system) / 1000,
    oneTargetMs,
    memoryBytes: process.resourceUsage().maxRSS * 1024,
  };
}

export function measureReachApart(interfaces: number, design: Design): ReachRow {
  const script = `const { measureReach } = await import(${JSON.stringify(import.meta.url)}); process.stdout.write(JSON.stringify(measureReach(${interfaces}, '${design}')));`;
  const child = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  if (child.status !== 0) throw new Error(`reach with ${interfaces} interfaces: ${child.stderr}`);
  return JSON.parse(child.stdout) as ReachRow;
}

/** Flows that the walk follows in a second, there and back, on a network of 1,000 interfaces. */
export function measureWalk(seconds: number): number {
  const network = indexNetwork(manyInterfaces(1000, 'roles'));
  const cards = network.snapshot.vpcs.flatMap((vpc) => vpc.networkInterfaces);
  const until = performance.now() + seconds * 1000;
  const startedAt = performance.now();
  let flows = 0;
  while (performance.now() < until) {
    for (let count = 0; count < 100; count += 1) {
      const from = cards[(flows * 7) % cards.length];
      const to = cards[(flows * 13 + 5) % cards.length];
      flows += 1;
      if (from === undefined || to === undefined) continue;
      walk(network, {
        from: { kind: 'network-interface', networkInterfaceId: from.networkInterfaceId },
        packet: {
          protocol: 6,
          source: from.privateAddresses[0]?.address ?? '',
          destination: to.privateAddresses[0]?.address ?? '',
          sourcePort: 40_000,
          destinationPort: 5432,
        },
      });
    }
  }
  return flows / ((performance.now() - startedAt) / 1000);
}
