// Rows → what assertions are held against (check/): the Snapshot, the names that people gave, the policies. A running cloud and a real account that was read
// from files both come as rows, so both are read here.

import type { Estate, Resource, Unmodelled } from '@postern/check/estate.ts';
import { networkRemedies } from '@postern/network/remedy/remedies.ts';
import type { Cidr, Snapshot, VpcId } from '@postern/network/snapshot.ts';
import type { Flow } from '@postern/network/walk/packet.ts';
import { defaultAccountId } from '../accounts.ts';
import type { Imported } from '../import/import.ts';
import type { Tags } from '../store/rows/ec2.ts';
import type { Transaction } from '../store/store.ts';
import { commandsOf } from '../why/network-commands.ts';
import { askPermission, type Facts } from './permission.ts';

/** @param snapshot of the same rows   @param now for policies that ask for the time */
export function estateOf(tx: Transaction, snapshot: Snapshot, now: Date): Estate {
  return makeEstate(tx, snapshot, { now, isImported: false }, () => 'plan', []);
}

export function importedEstate({ rows, snapshot, findings, serviceBlocks }: Imported, now: Date): Estate {
  const blocks = (service: string, region: string) => serviceBlocks.get(`${service} ${region}`);
  return makeEstate(rows, snapshot, { now, isImported: true }, blocks, findings);
}

function makeEstate(
  tx: Transaction,
  snapshot: Snapshot,
  facts: Facts,
  serviceBlocks: (service: string, region: string) => 'plan' | readonly Cidr[] | undefined,
  unmodelled: readonly Unmodelled[],
): Estate {
  return {
    snapshot,
    resources: resourcesOf(tx),
    serviceBlocks,
    bucketRegion: (bucket) => tx.get('bucket', bucket)?.region,
    buckets: tx.list('bucket').map((row) => row.id),
    unmodelled,
    permission: (question) => askPermission(tx, question, facts),
    opening: (flow) => openingOf(snapshot, flow, facts),
  };
}

/** Remedies are tried on copies of the whole network, hundreds of them: in larger ones a failure is told without. */
const mostInterfaces = 3000;

/** The commands of the smallest change that opens a flow. Those for a real account are the plain `aws`, whoever owns what. */
function openingOf(snapshot: Snapshot, flow: Flow, { isImported }: Facts): readonly string[] {
  const count = snapshot.vpcs.reduce((sum, vpc) => sum + vpc.networkInterfaces.length, 0);
  if (count > mostInterfaces) return [];
  const [remedy] = networkRemedies(snapshot, flow).remedies;
  const named = isImported
    ? { ...snapshot, vpcs: snapshot.vpcs.map((vpc) => ({ ...vpc, ownerId: defaultAccountId })) }
    : snapshot;
  return remedy?.steps.flatMap(({ change }) => commandsOf(named, change).commands) ?? [];
}

function resourcesOf(tx: Transaction): Resource[] {
  const named = (
    kind: Resource['kind'],
    row: { id: string; tags: Tags },
    vpcId: VpcId,
    ...more: string[]
  ): Resource => ({
    kind,
    id: row.id,
    vpcId,
    names: [...(row.tags['Name'] ? [row.tags['Name']] : []), ...more],
    tags: row.tags,
  });
  return [
    ...tx.list('instance').map((row) => named('instance', row, row.vpcId)),
    ...tx.list('network-interface').map((row) => named('network-interface', row, row.vpcId)),
    ...tx.list('subnet').map((row) => named('subnet', row, row.vpcId)),
    ...tx.list('security-group').map((row) => named('security-group', row, row.vpcId, row.groupName)),
    ...tx.list('vpc').map((row) => named('vpc', row, row.id)),
    ...tx.list('vpc-endpoint').map((row) => named('vpc-endpoint', row, row.vpcId)),
  ];
}
