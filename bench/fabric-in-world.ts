// The part of fabric.ts that runs inside a world. Prints one JSON line.

import { type ChildProcess, spawn } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { compile, nothingCompiled } from '@postern/fabric/compile/compile.ts';
import { createNetworkFabric } from '@postern/fabric/network-fabric.ts';
import {
  type InstanceId,
  type NetworkInterface,
  noGateways,
  type SecurityGroupRule,
  type Snapshot,
} from '@postern/network/snapshot.ts';

const count = Number(process.argv[2]);
const perVpc = 100;

const instanceId = (index: number): InstanceId => `i-${String(index).padStart(17, '0')}`;

/** VPCs of a hundred interfaces each, in two subnets and ten groups that refer to one another. */
function topology(extra: number): Snapshot {
  const vpcs = Array.from({ length: Math.ceil(count / perVpc) }, (_, vpc) => {
    const number = String(vpc).padStart(17, '0');
    const interfaces: NetworkInterface[] = Array.from(
      { length: Math.min(perVpc, count - vpc * perVpc) },
      (_unused, index) => {
        const serial = vpc * perVpc + index;
        return {
          networkInterfaceId: `eni-${String(serial).padStart(17, '0')}`,
          subnetId: `subnet-${index % 2}${number.slice(1)}`,
          macAddress: `02:00:00:${[serial >> 16, (serial >> 8) & 255, serial & 255].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`,
          privateAddresses: [{ address: `10.0.${index % 2}.${10 + Math.floor(index / 2)}`, primary: true }],
          groupIds: [`sg-${index % 10}${number.slice(1)}`],
          ipv6Addresses: [],
          sourceDestCheck: true,
          attachment: { instanceId: instanceId(serial), deviceIndex: 0 },
        };
      },
    );
    const groups = Array.from({ length: 10 }, (_unused, group) => {
      const ingress: SecurityGroupRule[] = [
        {
          ruleId: `sgr-${group}0`,
          protocol: 6,
          ports: { from: 22, to: 22 },
          peer: { kind: 'cidr', cidr: '0.0.0.0/0' },
        },
        {
          ruleId: `sgr-${group}1`,
          protocol: 6,
          ports: { from: 8000, to: 8100 },
          peer: { kind: 'security-group', groupId: `sg-${(group + 1) % 10}${number.slice(1)}` },
        },
      ];
      for (let rule = 0; vpc === 0 && group === 0 && rule < extra; rule += 1) {
        ingress.push({
          ruleId: `sgr-x${rule}`,
          protocol: 6,
          ports: { from: 9000 + rule, to: 9000 + rule },
          peer: { kind: 'cidr', cidr: '10.0.0.0/16' },
        });
      }
      const egress: SecurityGroupRule[] = [
        { ruleId: `sgr-${group}2`, protocol: -1, peer: { kind: 'cidr', cidr: '0.0.0.0/0' } },
      ];
      return { groupId: `sg-${group}${number.slice(1)}` as const, ingress, egress };
    });
    const all = [{ ruleNumber: 100, protocol: -1, action: 'allow' as const, cidr: '0.0.0.0/0' as const }];
    return {
      vpcId: `vpc-${number}` as const,
      ownerId: '123456789012',
      region: 'us-east-1',
      cidrBlocks: ['10.0.0.0/16' as const],
      enableDnsSupport: true,
      enableDnsHostnames: false,
      subnets: [0, 1].map((subnet) => ({
        subnetId: `subnet-${subnet}${number.slice(1)}` as const,
        cidrBlock: `10.0.${subnet}.0/24` as const,
        availabilityZone: 'us-east-1a',
        routeTableId: `rtb-${number}` as const,
        networkAclId: `acl-${number}` as const,
      })),
      routeTables: [
        {
          routeTableId: `rtb-${number}` as const,
          routes: [
            {
              destination: { kind: 'cidr' as const, cidr: '10.0.0.0/16' as const },
              target: { kind: 'local' as const },
              state: 'active' as const,
            },
          ],
        },
      ],
      networkAcls: [{ networkAclId: `acl-${number}` as const, ingress: all, egress: all }],
      securityGroups: groups,
      networkInterfaces: interfaces,
      instances: interfaces.map((one) => ({
        instanceId: one.attachment?.instanceId ?? 'i-0',
        metadata: { enabled: true, hopLimit: 1 },
      })),
      ...noGateways,
    };
  });
  return { revision: extra + 1, vpcs, peeringConnections: [], transitGateways: [], prefixLists: [] };
}

const namespaceOf = (id: number | 'self') => readlinkSync(`/proc/${id}/ns/net`);

const children: ChildProcess[] = [];
const processIds = new Map<InstanceId, number>();
for (let index = 0; index < count; index += 1) {
  const child = spawn('unshare', ['--user', '--map-root-user', '--net', 'sleep', '1000'], { stdio: 'ignore' });
  children.push(child);
  processIds.set(instanceId(index), child.pid ?? 0);
}
for (const child of children) {
  while (namespaceOf(child.pid ?? 0) === namespaceOf('self')) await delay(1);
}

const compileStartedAt = performance.now();
compile(topology(0), nothingCompiled, processIds);
const compileMs = performance.now() - compileStartedAt;

const fabric = createNetworkFabric({ machines: { processId: (id) => processIds.get(id) } });
const first = await fabric.apply(topology(0));
const changes: number[] = [];
let failures = first.failures;
for (let extra = 1; extra <= 5; extra += 1) {
  const snapshot = topology(extra);
  const startedAt = performance.now();
  const applied = await fabric.apply(snapshot);
  changes.push(performance.now() - startedAt);
  failures = [...failures, ...applied.failures];
}
if (failures.length > 0) throw new Error(`the kernel refused: ${JSON.stringify(failures.slice(0, 3))}`);
if (first.interfaces.length !== count)
  throw new Error(`${first.interfaces.length} of ${count} interfaces carry packets`);
changes.sort((a, b) => a - b);
process.stdout.write(
  `${JSON.stringify({ interfaces: count, compileMs, firstApplyMs: first.elapsedMs, changeMs: changes[2] })}\n`,
  () => {
    for (const child of children) child.kill('SIGKILL');
    process.exit(0);
  },
);
