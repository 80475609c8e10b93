// By which road does the person reach an instance? Over the internet to its public address, or through an instance connect endpoint of its VPC to
// the private one. The packets decide whether it works; what stands in their way is told beforehand, for AWS would show a time-out only.

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { NetworkFabric } from '@postern/fabric/types.ts';
import { addressPlan } from '@postern/network/addresses.ts';
import type { InstanceConnectEndpointId, Snapshot } from '@postern/network/snapshot.ts';
import { asOwner } from './accounts.ts';
import { diagnoseConnect } from './front-door/connect-diagnosis.ts';
import { diagnoseVia, endpointFor } from './front-door/connect-via.ts';
import { connectFrom, connectFromLaptop } from './front-door/tunnel.ts';
import { type DialThrough, tunnelPorts } from './open-tunnel.ts';
import type { ConnectTarget } from './operator/api.ts';
import { OperatorFailure } from './operator/operator.ts';
import type { InstanceRow } from './store/rows/ec2.ts';
import type { Store } from './store/store.ts';

export interface Roads {
  /** @param via an instance connect endpoint's id; without one the public address, else the endpoint of the instance's VPC */
  target(instanceId: string, via: string | undefined): ConnectTarget;
  tunnel(instanceId: string, port: number, via: string | undefined): Promise<Duplex>;
  readonly dialThrough: DialThrough;
}

const sshPort = 22;
/** A connection that packets cannot make is given up after this. */
const timeoutMs = 5000;

export function instanceOf(store: Store, instanceId: string): InstanceRow {
  const row = store.read((tx) => tx.get('instance', instanceId));
  if (!row || row.state === 'terminated')
    throw new OperatorFailure(404, `There is no instance ${instanceId}.`, 'aws ec2 describe-instances');
  return row;
}

export function createRoads({
  fabric,
  store,
  snapshots,
}: {
  readonly fabric: Pick<NetworkFabric, 'through'>;
  readonly store: Store;
  readonly snapshots: () => Snapshot;
}): Roads {
  const open = new Map<string, Set<Socket>>();
  const dialThrough: DialThrough = async (endpointId, address, port, clientIp) => {
    const way = fabric.through(endpointId, address, clientIp);
    if (!way) throw new Error(`${endpointId} reaches no ${address}`);
    const socket = await connectFrom({ ...way, port, name: address }, { timeoutMs });
    const own = open.get(endpointId) ?? new Set();
    open.set(endpointId, own.add(socket));
    socket.once('close', () => own.delete(socket));
    return socket;
  };
  // Its link is gone, so nobody would hear of the end before TCP gives up.
  store.onChange((changes) => {
    for (const { kind, id, after } of changes) {
      if (kind !== 'instance-connect-endpoint' || after) continue;
      for (const socket of open.get(id) ?? []) socket.destroy();
      open.delete(id);
    }
  });
  const target = (instanceId: string, via: string | undefined): ConnectTarget => {
    const { id, state, region, accountId } = instanceOf(store, instanceId);
    const question = { instanceId: id, port: sshPort, state, region };
    const overInternet = diagnoseConnect(snapshots(), question);
    const forOwner = <T extends Pick<ConnectTarget, 'findings'>>(diagnosis: T): T => ({
      ...diagnosis,
      findings: diagnosis.findings.map((each) => ({
        ...each,
        ...(each.cure && { cure: asOwner(each.cure, accountId) }),
      })),
    });
    // An IPv6 address is public wherever it is: many a subnet that has them lets nothing in, and an endpoint there was made for this.
    const isPublic = overInternet.publicIp !== undefined && !overInternet.publicIp.includes(':');
    const endpointId = via ?? (isPublic ? undefined : automatic(id));
    if (endpointId === undefined) return { instanceId, ...forOwner(overInternet) };
    return {
      instanceId,
      via: endpointId,
      ...forOwner(diagnoseVia(snapshots(), question, endpointId as InstanceConnectEndpointId)),
    };
  };
  const automatic = (instanceId: string) => endpointFor(snapshots(), instanceId)?.instanceConnectEndpointId;
  return {
    target,
    dialThrough,
    tunnel: async (instanceId, port, asked) => {
      const { via, privateIp, publicIp } = target(instanceId, asked);
      if (via !== undefined && !tunnelPorts.includes(port))
        throw new OperatorFailure(
          400,
          `An instance connect endpoint reaches ports ${tunnelPorts.join(' and ')}, not ${port}.`,
        );
      const address = via === undefined ? publicIp : privateIp;
      if (address === undefined)
        throw new OperatorFailure(409, 'The instance has no public address, and its VPC no instance connect endpoint.');
      try {
        return via === undefined
          ? await connectFromLaptop(address, port, { timeoutMs })
          : await dialThrough(via as InstanceConnectEndpointId, address, port, addressPlan.laptop);
      } catch (error) {
        const road = via === undefined ? '' : ` through ${via}`;
        throw new OperatorFailure(
          504,
          `${address} port ${port} cannot be reached${road}: ${(error as Error).message}.`,
        );
      }
    },
  };
}
