// How does an instance move from state to state? `decide` is the one place that says what its machine needs; the functions below write what became
// of it. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html (read 2026-11-21).
// Handlers write wishes (pending, stopping, shutting-down, a higher bootGeneration); only `control/` writes running, stopped and terminated.

import type { InstanceId } from '@postern/network/snapshot.ts';
import type { InstanceRow, NetworkInterfaceRow } from '../store/rows/ec2.ts';
import type { Transaction } from '../store/store.ts';

/** What is known of an instance's machine. */
export interface Machine {
  /** It has namespaces. */
  readonly up: boolean;
  /** The row's bootGeneration that it was started for. */
  readonly generation: number;
}

/**
 * What to do next:
 * `start` (then the network, release and `running`), `restart` (end it, then `start`), `stop` (then `stopped`),
 * `terminate` (end it, remove its disk, then `terminated`), `discard` (there is no row: end it, remove its disk), or nothing.
 */
export type Step = 'start' | 'restart' | 'stop' | 'terminate' | 'discard' | 'none';

export function decide(row: InstanceRow | undefined, machine: Machine): Step {
  if (!row) return machine.up ? 'discard' : 'none';
  switch (row.state) {
    case 'pending':
      return machine.up && machine.generation !== row.bootGeneration ? 'restart' : 'start';
    case 'running':
      if (!machine.up) return 'start';
      return machine.generation === row.bootGeneration ? 'none' : 'restart';
    case 'stopping':
      return 'stop';
    case 'shutting-down':
      return 'terminate';
    case 'stopped':
      return machine.up ? 'stop' : 'none';
    case 'terminated':
      return machine.up ? 'terminate' : 'none';
  }
}

/** pending → running; any other state stays. */
export function markRunning(tx: Transaction, id: InstanceId): void {
  const row = tx.get('instance', id);
  if (row?.state !== 'pending') return;
  const { stateReason: _reason, ...rest } = row;
  tx.put('instance', { ...rest, state: 'running', stateTransitionReason: '' });
}

/** stopping → stopped: the public address of the launch goes back to the pool, Elastic IPs stay (G4 of the labs). */
export function markStopped(tx: Transaction, id: InstanceId): void {
  const row = tx.get('instance', id);
  if (row?.state !== 'stopping') return;
  tx.put('instance', { ...row, state: 'stopped' });
  for (const one of interfacesOf(tx, row)) {
    if (!one.privateAddresses.some((address) => address.autoPublicIp)) continue;
    tx.put('network-interface', { ...one, privateAddresses: one.privateAddresses.map(withoutAutoPublicIp) });
  }
}

/** shutting-down → terminated: interfaces with deleteOnTermination go, the others are free again. */
export function markTerminated(tx: Transaction, id: InstanceId, now: Date): void {
  const row = tx.get('instance', id);
  if (row?.state !== 'shutting-down') return;
  tx.put('instance', { ...row, state: 'terminated', terminatedAt: now.toISOString() });
  for (const one of interfacesOf(tx, row)) {
    const { attachment, ...rest } = one;
    const goes = attachment?.deleteOnTermination === true;
    if (goes) tx.delete('network-interface', one.id);
    else tx.put('network-interface', { ...rest, privateAddresses: one.privateAddresses.map(withoutAutoPublicIp) });
    for (const address of tx.list('address', { accountId: row.accountId, region: row.region })) {
      if (address.networkInterfaceId !== one.id) continue;
      const { instanceId: _instance, ...kept } = address;
      const { associationId: _association, networkInterfaceId: _interface, privateIp: _private, ...free } = kept;
      tx.put('address', goes ? free : kept);
    }
  }
}

/**
 * The machine ended by itself. A shutdown inside does what the instance's shutdown behaviour says; a crash stops it, and a person may start it again.
 * A reboot inside changes no row: the machine is started again.
 */
export function markEnded(tx: Transaction, id: InstanceId, reason: 'shutdown' | 'reboot' | 'crash', now: Date): void {
  const row = tx.get('instance', id);
  if (!row || (row.state !== 'pending' && row.state !== 'running') || reason === 'reboot') return;
  if (reason === 'crash') {
    tx.put('instance', { ...row, state: 'stopping', ...internalError('The machine ended unexpectedly') });
    return;
  }
  tx.put('instance', {
    ...row,
    state: row.instanceInitiatedShutdownBehavior === 'terminate' ? 'shutting-down' : 'stopping',
    stateReason: {
      code: 'Client.InstanceInitiatedShutdown',
      message: 'Client.InstanceInitiatedShutdown: Instance initiated shutdown',
    },
    stateTransitionReason: `User initiated (${now.toISOString().slice(0, 19).replace('T', ' ')} GMT)`,
  });
}

/** The machine could not be started: a first launch is terminated, as AWS does; an instance that ran before is stopped and keeps its disk. */
export function markFailed(tx: Transaction, id: InstanceId): void {
  const row = tx.get('instance', id);
  if (row?.state !== 'pending' && row?.state !== 'running') return;
  const isLaunch = row.state === 'pending' && row.bootGeneration === 0;
  tx.put('instance', {
    ...row,
    state: isLaunch ? 'shutting-down' : 'stopping',
    ...internalError(isLaunch ? 'Internal error on launch' : 'Internal error on start'),
  });
}

function internalError(what: string): Pick<InstanceRow, 'stateReason' | 'stateTransitionReason'> {
  return {
    stateReason: { code: 'Server.InternalError', message: `Server.InternalError: ${what}` },
    stateTransitionReason: 'Server.InternalError',
  };
}

/** A terminated instance can be described for an hour. */
export const terminatedVisibleMs = 3_600_000;

/** Deletes what was terminated an hour ago. @returns when the next one is due, in ms since 1970 */
export function forgetTerminated(tx: Transaction, now: Date): number | undefined {
  let next: number | undefined;
  for (const row of tx.list('instance')) {
    if (row.state !== 'terminated' || !row.terminatedAt) continue;
    const due = Date.parse(row.terminatedAt) + terminatedVisibleMs;
    if (due <= now.getTime()) tx.delete('instance', row.id);
    else next = Math.min(next ?? due, due);
  }
  return next;
}

/** An instance's interfaces in order of device index. */
export function interfacesOf(tx: Transaction, instance: InstanceRow): NetworkInterfaceRow[] {
  return tx
    .list('network-interface', { accountId: instance.accountId, region: instance.region })
    .filter((row) => row.attachment?.instanceId === instance.id)
    .sort((a, b) => (a.attachment?.deviceIndex ?? 0) - (b.attachment?.deviceIndex ?? 0));
}

function withoutAutoPublicIp({ address, primary }: NetworkInterfaceRow['privateAddresses'][number]) {
  return { address, primary };
}
