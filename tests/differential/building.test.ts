// What a disagreement prints builds the network that disagreed: the same calls against a cloud, and the Snapshot that comes of them. And the text is a shell's.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import type { NetworkInterface, Route, SecurityGroupRule, Snapshot, Vpc } from '@postern/network/snapshot.ts';
import fc from 'fast-check';
import { build } from './built.ts';
import { asCommands } from './commands.ts';
import { topologies } from './topology.ts';

const networks = fc.sample(topologies(), { numRuns: 25, seed: 20261121 });

/** The cloud's Snapshot, in the words of the one that was asked for. */
async function built(snapshot: Snapshot): Promise<Snapshot> {
  const { names, snapshot: ofCloud } = await build(snapshot);
  let text = JSON.stringify(ofCloud());
  const byLength = [...names].sort(([, a], [, b]) => b.length - a.length);
  for (const [name, id] of byLength) if (!name.endsWith('-ipv6')) text = text.replaceAll(`"${id}"`, `"${name}"`);
  const cloud = JSON.parse(text) as Snapshot;
  const wanted = new Set(snapshot.vpcs.map((vpc) => vpc.vpcId));
  return {
    ...cloud,
    vpcs: cloud.vpcs.filter((vpc) => wanted.has(vpc.vpcId)).sort((a, b) => (a.vpcId < b.vpcId ? -1 : 1)),
  };
}

/** Members by name, so that the same value is the same text. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, one]) => [key, inOrder(one)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** What decides about packets, without what AWS chooses. */
function essence(snapshot: Snapshot): unknown {
  const lists = new Map(snapshot.prefixLists.map((list) => [list.prefixListId, [...list.cidrs].sort()]));
  const idsOf = ({ securityGroups }: Vpc) => securityGroups.map((each) => each.groupId);
  /** Groups that rules of a VPC can name: its own and those of its peers in the Region (S7). */
  const inReach = (vpc: Vpc) => {
    const pairs = snapshot.peeringConnections.map(({ requester, accepter }): string[] => [
      requester.vpcId,
      accepter.vpcId,
    ]);
    const peers = snapshot.vpcs.filter(
      (each) =>
        each.region === vpc.region && pairs.some((pair) => pair.includes(vpc.vpcId) && pair.includes(each.vpcId)),
    );
    return new Set([vpc, ...peers].flatMap(idsOf));
  };
  const blocks = snapshot.vpcs.flatMap((vpc) =>
    vpc.ipv6CidrBlocks.map((block, index) => ({ block, name: `${vpc.vpcId}-ipv6-${index}` })),
  );
  const route = ({ destination, target, state }: Route) => [
    destination.kind === 'cidr' ? destination.cidr : lists.get(destination.prefixListId),
    state === 'blackhole' ? 'blackhole' : target,
  ];
  const rule =
    (groups: ReadonlySet<string>) =>
    ({ ruleId: _id, peer, ...rest }: SecurityGroupRule) => ({
      ...rest,
      peer:
        peer.kind === 'prefix-list'
          ? lists.get(peer.prefixListId)
          : peer.kind === 'security-group' && (!groups.has(peer.groupId) || peer.groupId.includes('nobody'))
            ? 'nobody'
            : peer,
    });
  const card = ({
    macAddress: _mac,
    networkInterfaceId,
    privateAddresses,
    service,
    groupIds,
    ...rest
  }: NetworkInterface) => ({
    ...rest,
    ...(service ? { service: service.kind } : { networkInterfaceId }),
    groupIds: [...groupIds].sort(),
    addresses:
      service?.kind === 'instance-connect-endpoint' ||
      service?.kind === 'network-load-balancer' ||
      service?.kind === 'transit-gateway'
        ? 'any'
        : privateAddresses.map(({ address, primary, publicAddress }) => [
            address,
            primary,
            publicAddress !== undefined,
          ]),
    // A service's interface is checked or not as AWS has it.
    ...(service && { sourceDestCheck: 'any' }),
  });
  const sorted = (all: readonly unknown[]) => [...new Set(all.map((each) => JSON.stringify(inOrder(each))))].sort();
  const subnet = (vpc: Vpc, each: Vpc['subnets'][number]) => {
    const table = vpc.routeTables.find((one) => one.routeTableId === each.routeTableId);
    const acl = vpc.networkAcls.find((one) => one.networkAclId === each.networkAclId);
    const { publicAccessExclusionId: _id, ...rest } = each;
    return { ...rest, routes: sorted(table?.routes.map(route) ?? []), ingress: acl?.ingress, egress: acl?.egress };
  };
  const { vpcs, peeringConnections } = snapshot;
  /** A shared group's rules name what its own VPC's can. */
  const reachOf = (groupId: string, vpc: Vpc) =>
    inReach(vpcs.find((each) => idsOf(each).some((id) => id === groupId)) ?? vpc);
  const shape = {
    vpcs: vpcs.map((vpc) => ({
      vpcId: vpc.vpcId,
      region: vpc.region,
      cidrBlocks: vpc.cidrBlocks,
      ipv6CidrBlocks: vpc.ipv6CidrBlocks,
      enableDnsSupport: vpc.enableDnsSupport,
      gateways: [vpc.internetGatewayId, ...vpc.egressOnlyInternetGatewayIds],
      edge: sorted(
        vpc.routeTables.find((each) => each.routeTableId === vpc.gatewayRouteTableId)?.routes.map(route) ?? [],
      ),
      subnets: sorted(vpc.subnets.map((each) => subnet(vpc, each))),
      groups: sorted(
        vpc.securityGroups
          .filter(({ groupId }) => /^sg-(?!nobody)[a-z]+$/.test(groupId))
          .map(({ groupId, ingress, egress }) => ({
            groupId,
            ingress: sorted(ingress.map(rule(reachOf(groupId, vpc)))),
            egress: sorted(egress.map(rule(reachOf(groupId, vpc)))),
          })),
      ),
      interfaces: sorted(
        vpc.networkInterfaces.filter(({ networkInterfaceId }) => !networkInterfaceId.includes('dead')).map(card),
      ),
      endpoints: sorted([
        ...vpc.gatewayEndpoints.map(({ vpcEndpointId, service }) => ({ vpcEndpointId, service })),
        ...vpc.interfaceEndpoints.map(({ vpcEndpointId, service, behind }) => ({
          vpcEndpointId,
          service,
          isOpen: behind?.length,
        })),
        ...vpc.natGateways.map(({ natGatewayId, connectivityType }) => ({ natGatewayId, connectivityType })),
        ...vpc.instanceConnectEndpoints.map(({ preserveClientIp }) => ({ preserveClientIp })),
        // Whether a target is healthy, packets would say.
        ...vpc.networkLoadBalancers.map(({ scheme, nodes }) => ({
          scheme,
          nodes: nodes.map(({ listeners, checks }) => [listeners.map(({ port }) => port), sorted(checks)]),
        })),
      ]),
    })),
    transit: snapshot.transitGateways.map(({ attachments, routeTables }) => ({
      attachments: sorted(
        attachments.map(({ networkInterfaceIds, dnsSupport: _dns, ...rest }) => ({
          ...rest,
          doors: networkInterfaceIds.length,
        })),
      ),
      tables: sorted(routeTables.map(({ routes, ...rest }) => ({ ...rest, routes: sorted(routes) }))),
    })),
    peerings: sorted(peeringConnections.map(({ requester, accepter }) => [requester.vpcId, accepter.vpcId])),
  };
  // Whatever its block is, an IPv6 address is at its place in it.
  let text = JSON.stringify(shape);
  for (const { block, name } of blocks) text = text.replaceAll(block, name);
  for (const { block, name } of blocks)
    text = text.replaceAll(new RegExp(`${common(block)}0?(\\w{1,2}::)`, 'g'), `${name} $1`);
  return JSON.parse(text);
}

/** One for each value, with the way to it. */
function lines(value: unknown, way = ''): string[] {
  if (value === null || typeof value !== 'object') return [`${way} ${String(value)}`];
  return Object.entries(value).flatMap(([key, one]) => lines(one, `${way} ${Array.isArray(value) ? '·' : key}`));
}

function common(block: string): string {
  return block.endsWith('00::/56') ? block.slice(0, -'00::/56'.length) : block.slice(0, -':/56'.length);
}

for (const [number, { snapshot, deviations }] of networks.entries()) {
  test(`network ${number}: its calls build it`, async () => {
    const [made, wanted] = [new Set(lines(essence(await built(snapshot)))), new Set(lines(essence(snapshot)))];
    const differing = [...[...made].filter((each) => !wanted.has(each)).map((each) => `+ ${each}`), ...[...wanted].filter((each) => !made.has(each)).map((each) => `- ${each}`)]; // biome-ignore format: one list
    assert.deepEqual(differing, [], deviations.join('\n'));
  });
}

test('the commands are a shell script', () => {
  for (const { snapshot } of networks) {
    const checked = spawnSync('sh', ['-n'], { input: asCommands(snapshot), encoding: 'utf8' });
    assert.equal(checked.status, 0, checked.stderr);
  }
});
