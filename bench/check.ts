// `postern check --snapshot` on a large account: 1,000 interfaces in 20 subnets of two peered VPCs, 200 security groups that name one another and blocks, NAT, endpoints. The
// snapshot is written as AWS prints it, so that reading it is a part of the figure.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command } from './cloud.ts';

export interface CheckFigures {
  readonly interfaces: number;
  readonly assertions: number;
  readonly elapsedMs: readonly number[];
  readonly memoryBytes: number;
}

const owner = '123456789012';
const hex = (number: number) => number.toString(16).padStart(17, '0');

/** @param interfaces of both VPCs together */
export function writeSnapshot(directory: string, interfaces: number): void {
  mkdirSync(directory, { recursive: true });
  const groupsPerVpc = Math.max(2, Math.round(interfaces / 10));
  const write = (name: string, answer: unknown) =>
    writeFileSync(join(directory, `${name}.json`), JSON.stringify(answer));
  const sides = [0, 1] as const;
  const vpc = (side: number) => `vpc-${hex(side)}`;
  const subnet = (side: number, number: number) => `subnet-${hex(side * 100 + number)}`;
  const group = (side: number, number: number) => `sg-${hex(side * 10_000 + number)}`;
  const table = (side: number, isPublic: boolean) => `rtb-${hex(side * 10 + Number(isPublic))}`;
  const block = (side: number) => `10.${side}.0.0/16`;
  const everywhere = { IpRanges: [{ CidrIp: '0.0.0.0/0' }] };
  const all = <T>(make: (side: 0 | 1) => T[]) => sides.flatMap(make);
  write('vpcs', {
    Vpcs: sides.map((side) => ({
      VpcId: vpc(side),
      OwnerId: owner,
      CidrBlock: block(side),
      CidrBlockAssociationSet: [{ CidrBlock: block(side), CidrBlockState: { State: 'associated' } }],
      Tags: [{ Key: 'Name', Value: `vpc${side}` }],
    })),
  });
  write('subnets', {
    Subnets: all((side) =>
      Array.from({ length: 10 }, (_, number) => ({
        SubnetId: subnet(side, number),
        VpcId: vpc(side),
        CidrBlock: `10.${side}.${number * 16}.0/20`,
        AvailabilityZone: 'us-east-1a',
        Tags: [{ Key: 'Name', Value: number < 3 ? `public-${number}` : `private-${number}` }],
      })),
    ),
  });
  write('route-tables', {
    RouteTables: all((side) =>
      [true, false].map((isPublic) => ({
        RouteTableId: table(side, isPublic),
        VpcId: vpc(side),
        Routes: [
          { DestinationCidrBlock: block(side), GatewayId: 'local', State: 'active' },
          { DestinationCidrBlock: block(1 - side), VpcPeeringConnectionId: 'pcx-00000001', State: 'active' },
          {
            DestinationCidrBlock: '0.0.0.0/0',
            ...(isPublic ? { GatewayId: `igw-${hex(side)}` } : { NatGatewayId: `nat-${hex(side)}` }),
            State: 'active',
          },
          ...(isPublic
            ? []
            : [{ DestinationPrefixListId: 'pl-63a5400a', GatewayId: `vpce-${hex(side)}`, State: 'active' }]),
        ],
        Associations: [
          { Main: !isPublic, RouteTableAssociationId: `rtbassoc-main-${side}` },
          ...Array.from({ length: 3 }, (_, number) => ({ Main: false, SubnetId: subnet(side, number) })),
        ].slice(isPublic ? 1 : 0, isPublic ? 4 : 1),
      })),
    ),
  });
  write('network-acls', {
    NetworkAcls: sides.map((side) => ({
      NetworkAclId: `acl-${hex(side)}`,
      VpcId: vpc(side),
      IsDefault: true,
      Associations: [],
      Entries: [
        {
          RuleNumber: 90,
          Egress: false,
          Protocol: '6',
          RuleAction: 'deny',
          CidrBlock: '198.51.100.0/24',
          PortRange: { From: 22, To: 22 },
        },
        ...[true, false].map((Egress) => ({
          RuleNumber: 100,
          Egress,
          Protocol: '-1',
          RuleAction: 'allow',
          CidrBlock: '0.0.0.0/0',
        })),
      ],
    })),
  });
  write('security-groups', {
    SecurityGroups: all((side) =>
      Array.from({ length: groupsPerVpc }, (_, number) => ({
        GroupId: group(side, number),
        GroupName: `app-${number}`,
        OwnerId: owner,
        VpcId: vpc(side),
        Description: 'bench',
        IpPermissions: [
          {
            IpProtocol: 'tcp',
            FromPort: 8000 + number,
            ToPort: 8000 + number,
            UserIdGroupPairs: [{ GroupId: group(side, (number + 1) % groupsPerVpc), UserId: owner }],
          },
          {
            IpProtocol: 'tcp',
            FromPort: 22,
            ToPort: 22,
            IpRanges: [{ CidrIp: `10.${side}.${(number % 10) * 16}.0/24` }],
          },
          ...(number % 20 === 0 ? [{ IpProtocol: 'tcp', FromPort: 443, ToPort: 443, ...everywhere }] : []),
        ],
        IpPermissionsEgress: [{ IpProtocol: '-1', ...everywhere }],
      })),
    ),
  });
  const perSide = Math.round(interfaces / 2);
  const placed = all((side) =>
    Array.from({ length: perSide }, (_, number) => ({
      side,
      number,
      id: hex(side * 100_000 + number),
      address: `10.${side}.${(number % 10) * 16 + Math.floor(number / 2000)}.${10 + (Math.floor(number / 10) % 200)}`,
    })),
  );
  write('network-interfaces', {
    NetworkInterfaces: [
      ...placed.map(({ side, number, id, address }) => ({
        NetworkInterfaceId: `eni-${id}`,
        VpcId: vpc(side),
        SubnetId: subnet(side, number % 10),
        OwnerId: owner,
        Status: 'in-use',
        InterfaceType: 'interface',
        SourceDestCheck: true,
        MacAddress: '',
        Groups: [{ GroupId: group(side, number % groupsPerVpc) }],
        Attachment: { InstanceId: `i-${id}`, InstanceOwnerId: owner, DeviceIndex: 0, Status: 'attached' },
        PrivateIpAddresses: [
          {
            PrivateIpAddress: address,
            Primary: true,
            ...(number % 10 < 3 && {
              Association: { PublicIp: `52.${side}.${Math.floor(number / 250)}.${1 + (number % 250)}` },
            }),
          },
        ],
      })),
      ...sides.map((side) => ({
        NetworkInterfaceId: `eni-nat${side}`,
        VpcId: vpc(side),
        SubnetId: subnet(side, 0),
        Status: 'in-use',
        InterfaceType: 'nat_gateway',
        SourceDestCheck: false,
        PrivateIpAddresses: [
          { PrivateIpAddress: `10.${side}.15.250`, Primary: true, Association: { PublicIp: `54.0.0.${side + 1}` } },
        ],
      })),
    ],
  });
  write('instances', {
    Reservations: [
      {
        Instances: placed.map(({ side, number, id }) => ({
          InstanceId: `i-${id}`,
          VpcId: vpc(side),
          SubnetId: subnet(side, number % 10),
          State: { Name: 'running' },
          Tags: [{ Key: 'Name', Value: `app-${number % groupsPerVpc}` }],
        })),
      },
    ],
  });
  write('internet-gateways', {
    InternetGateways: sides.map((side) => ({
      InternetGatewayId: `igw-${hex(side)}`,
      Attachments: [{ State: 'available', VpcId: vpc(side) }],
    })),
  });
  write('nat-gateways', {
    NatGateways: sides.map((side) => ({
      NatGatewayId: `nat-${hex(side)}`,
      VpcId: vpc(side),
      SubnetId: subnet(side, 0),
      State: 'available',
      ConnectivityType: 'public',
      NatGatewayAddresses: [{ NetworkInterfaceId: `eni-nat${side}`, PrivateIp: `10.${side}.15.250`, IsPrimary: true }],
    })),
  });
  write('vpc-endpoints', {
    VpcEndpoints: sides.map((side) => ({
      VpcEndpointId: `vpce-${hex(side)}`,
      VpcEndpointType: 'Gateway',
      VpcId: vpc(side),
      ServiceName: 'com.amazonaws.us-east-1.s3',
      State: 'available',
      RouteTableIds: [table(side, false)],
    })),
  });
  write('prefix-lists', {
    PrefixLists: [
      {
        PrefixListId: 'pl-63a5400a',
        PrefixListName: 'com.amazonaws.us-east-1.s3',
        Cidrs: ['52.216.0.0/15', '3.5.0.0/19', '54.231.0.0/16', '16.182.0.0/16'],
      },
    ],
  });
  write('vpc-peering-connections', {
    VpcPeeringConnections: [
      {
        VpcPeeringConnectionId: 'pcx-00000001',
        Status: { Code: 'active' },
        RequesterVpcInfo: { VpcId: vpc(0), OwnerId: owner, Region: 'us-east-1' },
        AccepterVpcInfo: { VpcId: vpc(1), OwnerId: owner, Region: 'us-east-1' },
      },
    ],
  });
}

/** Each of a kind that looks at many pairs. */
export const assertions = `
checks:
  - { from: internet, does-not-reach: subnet private-* }
  - { from: subnet private-*, reaches: s3, only-through: vpce }
  - { from: subnet private-*, reaches: internet, traffic: tcp 443, only-through: nat }
  - { from: vpc vpc0, does-not-reach: vpc vpc1, traffic: tcp 3306 }
  - { from: sg app-2 in vpc0, reaches: sg app-1 in vpc0, traffic: tcp 8001 }
  - { from: sg app-3 in vpc0, does-not-reach: sg app-1 in vpc0, traffic: tcp 8001 }
  - { from: internet, reaches: sg app-20 in vpc0, traffic: tcp 443 }
  - { from: vpc vpc0, does-not-reach: vpc vpc0, traffic: udp }
  - { from: 198.51.100.0/24, does-not-reach: vpc vpc1, traffic: tcp 22 }
  - { from: subnet public-*, reaches: internet, traffic: tcp 443, only-through: igw }
`;

export function measureCheck({ interfaces = 1000, repeats }: { interfaces?: number; repeats: number }): CheckFigures {
  const directory = mkdtempSync(join(tmpdir(), 'postern-bench-check-'));
  try {
    writeSnapshot(join(directory, 'snapshot'), interfaces);
    const file = join(directory, 'check.yaml');
    writeFileSync(file, assertions);
    const elapsedMs: number[] = [];
    let memoryBytes = 0;
    let count = 0;
    for (let round = 0; round < repeats; round += 1) {
      const begunAt = performance.now();
      const tell =
        "data:text/javascript,process.on('exit',()=>process.stderr.write('RSS '+process.resourceUsage().maxRSS))";
      const ran = spawnSync(
        process.execPath,
        ['--import', tell, command, 'check', file, '--snapshot', join(directory, 'snapshot'), '--json'],
        { encoding: 'utf8', maxBuffer: 2 ** 28 },
      );
      elapsedMs.push(performance.now() - begunAt);
      memoryBytes = Math.max(memoryBytes, Number(/RSS (\d+)/.exec(ran.stderr)?.[1] ?? 0) * 1024);
      const { results } = JSON.parse(ran.stdout) as { results: { outcome: string; name: string; message: string }[] };
      count = results.length;
      const wrong = results.filter(({ outcome }) => outcome !== 'holds');
      if (wrong.length > 0) throw new Error(wrong.map(({ name, message }) => `${name}: ${message}`).join('\n'));
    }
    return { interfaces, assertions: count, elapsedMs, memoryBytes };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
