// Does an instance's primary interface have a public address of its own now? It gets one at launch when the subnet or the request says so, another at
// each start, another when its Elastic IP goes, and none while it has an Elastic IP or is stopped. What was decided at launch does not count once
// there is a second interface; what ModifyNetworkInterfaceAttribute says always counts.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html#concepts-public-addresses (read 2026-11-21).

import type { Call } from '../../service.ts';
import type { InstanceRow, NetworkInterfaceRow } from '../../store/rows/ec2.ts';
import { withAutoPublicIp } from './new-network-interface.ts';
import { scopeOf } from './rows.ts';

/** Draws a public address for the primary interface of an instance that should have one and has none. */
export function assignPublicIp(call: Call, instance: InstanceRow): void {
  const attached = call.tx
    .list('network-interface', scopeOf(call))
    .filter((row) => row.attachment?.instanceId === instance.id);
  const primary = attached.find((row) => row.attachment?.deviceIndex === 0);
  if (!primary) return;
  const wanted = primary.associatePublicIpAddress ?? (instance.assignsPublicIp === true && attached.length === 1);
  const address = primary.privateAddresses[0];
  if (!wanted || !address || address.autoPublicIp) return;
  const hasElastic = call.tx
    .list('address', scopeOf(call))
    .some((row) => row.networkInterfaceId === primary.id && row.privateIp === address.address);
  if (!hasElastic) withAutoPublicIp(call, primary);
}

/** After a private address lost its Elastic IP, or the interface's own setting changed: a running instance has its public address at once. */
export function restorePublicIp(call: Call, networkInterfaceId: string | undefined): void {
  const row = networkInterfaceId === undefined ? undefined : call.tx.get('network-interface', networkInterfaceId);
  const instance = row?.attachment?.deviceIndex === 0 && call.tx.get('instance', row.attachment.instanceId);
  if (instance && (instance.state === 'running' || instance.state === 'pending')) assignPublicIp(call, instance);
}

/** The row without its auto-assigned public address. */
export function withoutAutoPublicIp(row: NetworkInterfaceRow, privateIp: string): NetworkInterfaceRow {
  const privateAddresses = row.privateAddresses.map((one) =>
    one.address === privateIp ? { address: one.address, primary: one.primary } : one,
  );
  return { ...row, privateAddresses };
}
