// A real account's network and policies, out of what `aws ec2 describe-…` printed, as rows: so that the Snapshot, the names and the policies are read off
// them by the same code as for a cloud of our own (docs/decisions). Nothing is asked of AWS and nothing is started.
// What AWS has and Postern does not model is told in `findings`, each with the answers that it could change.

import type { Unmodelled } from '@postern/check/estate.ts';
import { awsPrefixLists } from '@postern/network/aws-prefix-lists.ts';
import type { Cidr, InterfaceService, PrefixList, PrefixListId, Snapshot } from '@postern/network/snapshot.ts';
import { buildSnapshot } from '../control/snapshot.ts';
import { required } from './answers.ts';
import { readBlockPublicAccess } from './block-public-access.ts';
import { Building } from './building.ts';
import { readAnswers } from './files.ts';
import { holdAgainstTold, readTheRest } from './findings.ts';
import { readSecurityGroups } from './group-rows.ts';
import { readBuckets, readIdentities } from './iam-rows.ts';
import {
  instanceItems,
  readEndpoints,
  readGateways,
  readInstanceConnectEndpoints,
  readInstances,
  readInterfaces,
  readNatGateways,
  readPeerings,
} from './interface-rows.ts';
import { ImportError } from './item.ts';
import type { RowSet } from './row-set.ts';
import {
  type ReadPrefixList,
  readDhcpOptions,
  readNetworkAcls,
  readPrefixLists,
  readRouteTables,
  readSubnets,
  readVpcs,
} from './vpc-rows.ts';

export interface Imported {
  readonly rows: RowSet;
  readonly snapshot: Snapshot;
  readonly findings: readonly Unmodelled[];
  /** Addresses of S3 and DynamoDB by `SERVICE REGION`, where the snapshot tells them. */
  readonly serviceBlocks: ReadonlyMap<string, readonly Cidr[]>;
}

/**
 * @param directory with JSON files, each an answer of AWS's
 * @throws ImportError when it cannot be read or lacks what there can be no network without
 */
export function importAccount(directory: string): Imported {
  const building = new Building(readAnswers(directory));
  for (const [list, call] of Object.entries(required))
    if (!building.has(list))
      throw new ImportError(`${directory} has no ${list}: aws ec2 ${call} > ${directory}/${list.toLowerCase()}.json`);
  readVpcs(building);
  readSubnets(building);
  readDhcpOptions(building);
  readSecurityGroups(building);
  readNetworkAcls(building);
  readInstances(building);
  readGateways(building);
  const told = readRouteTables(building);
  const lists = readPrefixLists(building);
  const services = new Map<string, InterfaceService>();
  readNatGateways(building, services);
  readEndpoints(building, services, (serviceName, id) => listOfEndpoint(building, lists, serviceName, id));
  readInstanceConnectEndpoints(building, services);
  readInterfaces(building, services);
  readPeerings(building);
  readBlockPublicAccess(building);
  readIdentities(building);
  readBuckets(building);
  putPrefixLists(building, lists);
  checkInstances(building);
  checkVpcs(building);
  const built = withPrefixLists(buildSnapshot(building.rows, 0), lists);
  const snapshot = holdAgainstTold(building, built, told);
  readTheRest(building, lists);
  return {
    rows: building.rows,
    snapshot,
    findings: building.findings,
    serviceBlocks: blocksOf(lists),
  };
}

/** By the service's name; where AWS's lists are not told, by the route that leads to the endpoint. */
function listOfEndpoint(
  { rows }: Building,
  lists: ReadonlyMap<PrefixListId, ReadPrefixList>,
  serviceName: string,
  id: string,
): PrefixListId | undefined {
  for (const [prefixListId, { name }] of lists) if (name === serviceName) return prefixListId;
  for (const { routes } of rows.list('route-table'))
    for (const { destination, target } of routes)
      if (destination.kind === 'prefix-list' && target.kind === 'gateway-endpoint' && target.vpcEndpointId === id)
        return destination.prefixListId;
  return undefined;
}

const isAwsOwn = ({ name }: ReadPrefixList) => name.startsWith('com.amazonaws.');

function putPrefixLists(building: Building, lists: ReadonlyMap<PrefixListId, ReadPrefixList>): void {
  for (const [id, list] of lists) {
    if (isAwsOwn(list)) continue;
    building.rows.putKnown('prefix-list', {
      ...building.ownerOf(undefined),
      id,
      prefixListName: list.name,
      entries: (list.cidrs ?? []).map((cidr) => ({ cidr })),
      tags: {},
    });
  }
}

/** AWS's own lists with the addresses that AWS told, in the place of the sealed internet's. */
function withPrefixLists(snapshot: Snapshot, lists: ReadonlyMap<PrefixListId, ReadPrefixList>): Snapshot {
  const own = new Map<PrefixListId, PrefixList>(snapshot.prefixLists.map((each) => [each.prefixListId, each]));
  for (const [prefixListId, list] of lists)
    if (isAwsOwn(list) && list.cidrs !== undefined) own.set(prefixListId, { prefixListId, cidrs: list.cidrs });
  const told = new Set([...lists.values()].map(({ name }) => name));
  // Ours stands for a list of the same name under another id: outside us-east-1 our ids are made up.
  for (const vpc of snapshot.vpcs)
    for (const { prefixListId, prefixListName } of awsPrefixLists(vpc.region))
      if (told.has(prefixListName) && !lists.has(prefixListId)) own.delete(prefixListId);
  return { ...snapshot, prefixLists: [...own.values()] };
}

function blocksOf(lists: ReadonlyMap<PrefixListId, ReadPrefixList>): Map<string, readonly Cidr[]> {
  const blocks = new Map<string, readonly Cidr[]>();
  for (const { name, cidrs } of lists.values()) {
    const [, region, service] = /^com\.amazonaws\.([a-z0-9-]+)\.(s3|dynamodb)$/.exec(name) ?? [];
    if (region !== undefined && service !== undefined && cidrs !== undefined) blocks.set(`${service} ${region}`, cidrs);
  }
  return blocks;
}

/** Every subnet has a route table and an ACL, its own or the VPC's (R11, N3). */
function checkVpcs({ rows }: Building): void {
  const vpcs = new Set(rows.list('vpc').map((row) => row.id));
  const withMain = new Set(
    rows.list('route-table').flatMap((row) => (row.associations.some(({ main }) => main) ? [row.vpcId] : [])),
  );
  const withAcl = new Set(rows.list('network-acl').flatMap((row) => (row.isDefault ? [row.vpcId] : [])));
  for (const { id, vpcId } of rows.list('subnet')) {
    if (!vpcs.has(vpcId)) continue;
    if (!withMain.has(vpcId))
      throw new ImportError(`the main route table of ${vpcId}, which ${id} is in, is not in the snapshot`);
    if (!withAcl.has(vpcId))
      throw new ImportError(`the default network ACL of ${vpcId}, which ${id} is in, is not in the snapshot`);
  }
}

/** An interface of an instance that the snapshot does not have: of another account in a shared VPC it is a host; of our own an answer is missing. */
function checkInstances(building: Building): void {
  const { rows } = building;
  const accounts = new Set(rows.list('vpc').map((row) => row.accountId));
  // A terminated one is told, and has no row.
  const told = new Set(instanceItems(building).map((item) => item.text('InstanceId')));
  for (const row of rows.list('network-interface')) {
    const { attachment, ...rest } = row;
    if (attachment === undefined || told.has(attachment.instanceId)) continue;
    if (accounts.has(attachment.instanceOwnerId)) {
      if (!building.has('Reservations') && !building.has('Instances'))
        throw new ImportError(
          `${row.id} is attached to ${attachment.instanceId}, and there is no answer of describe-instances`,
        );
      building.part(
        `${attachment.instanceId} (instance)`,
        'describe-instances does not have it, though an interface is attached to it',
        'may-open',
        [row.vpcId],
      );
      continue;
    }
    rows.put('network-interface', {
      ...rest,
      service: { kind: 'aws-managed', requesterId: attachment.instanceOwnerId },
    });
  }
}
