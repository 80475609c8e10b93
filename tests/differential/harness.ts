// One random network after another in the kernel, each applied over the one before, and its flows walked and sent.

import { createNetworkFabric } from '@postern/fabric/network-fabric.ts';
import type { NetworkFabric } from '@postern/fabric/types.ts';
import { addressPlan } from '@postern/network/addresses.ts';
import { embeddedIpv4 } from '@postern/network/nat64.ts';
import { emptySnapshot, type Snapshot } from '@postern/network/snapshot.ts';
import { indexNetwork } from '@postern/network/walk/network-index.ts';
import type { Trace } from '@postern/network/walk/trace.ts';
import { walk } from '@postern/network/walk/walk.ts';
import { differences, isOpen } from './comparison.ts';
import { machineNames } from './draft.ts';
import { type TriedFlow, walkedFlow } from './flows-of.ts';
import { Packets, type Seen, type Sending } from './packets.ts';

/** A dropped packet costs nothing, for its drop is seen; one that should be answered and is not, this much. */
const patienceMs = 3000;

export interface Compared {
  readonly flow: TriedFlow;
  readonly trace: Trace;
  readonly seen: Seen;
  /** Empty: the walk and the kernel agree. */
  readonly differences: readonly string[];
}

const nothing: Seen = { answer: 'nothing', passages: [] };

export class Differential {
  readonly #packets: Packets;
  readonly #fabric: NetworkFabric;
  /** Batches whose traces the kernel did not keep whole. */
  lostTraces = 0;

  private constructor(packets: Packets) {
    this.#packets = packets;
    this.#fabric = createNetworkFabric({ machines: packets });
  }

  static async start(): Promise<Differential> {
    const differential = new Differential(await Packets.start(machineNames));
    await differential.apply(emptySnapshot);
    return differential;
  }

  /** The kernel is this network from now on. */
  async apply(snapshot: Snapshot): Promise<void> {
    const { failures } = await this.#fabric.apply(snapshot);
    if (failures.length > 0) throw new Error(`the network could not be applied: ${JSON.stringify(failures)}`);
    const gateways = snapshot.vpcs.flatMap((vpc) => vpc.natGateways.map((each) => each.natGatewayId));
    const transit = snapshot.transitGateways.map((each) => each.transitGatewayId);
    await this.#packets.observe([...snapshot.vpcs.map((vpc) => vpc.vpcId), ...gateways, ...transit]);
  }

  /** Walks and sends the flows of the network that was applied last. */
  async compare(snapshot: Snapshot, flows: readonly TriedFlow[]): Promise<Compared[]> {
    const network = indexNetwork(snapshot);
    const walked = flows.flatMap((flow) => {
      const trace = walk(network, walkedFlow(flow));
      const sending = this.#sending(snapshot, flow, trace);
      return sending === undefined ? [] : [{ flow, trace, sending }];
    });
    const { seen, isWhole } = await this.#packets.send(
      walked.map((each) => each.sending),
      patienceMs,
    );
    if (!isWhole) this.lostTraces += 1;
    const compared: Compared[] = [];
    for (const [index, { flow, trace, sending }] of walked.entries()) {
      let mapped = this.#inVpcAddresses(seen[index] ?? nothing);
      let found = differences(network, flow, trace, mapped, isWhole);
      // Once more, alone and with patience: a busy machine is no disagreement.
      if (found.length > 0) {
        const again = await this.#packets.send([{ ...sending, expect: 'answer' }], patienceMs / 3);
        mapped = this.#inVpcAddresses(again.seen[0] ?? nothing);
        found = differences(network, flow, trace, mapped, again.isWhole);
      }
      compared.push({ flow, trace, seen: mapped, differences: found });
    }
    return compared;
  }

  async stop(): Promise<void> {
    await this.#fabric.close();
    await this.#packets.stop();
  }

  /** Undefined: nothing can be sent, because the endpoint reaches no such address. */
  #sending(snapshot: Snapshot, flow: TriedFlow, trace: Trace): Sending | undefined {
    const { sender, protocol, port = 0, destination: to, sourcePorts } = flow;
    const expect = isOpen(flow, trace) ? 'answer' : 'silence';
    const answerFrom = answeringAddress(snapshot, embeddedIpv4(to) ?? to, this.#fabric.listen.resolver, flow, trace);
    const plain = { protocol, port, to, answerFrom, expect, sourcePorts } as const;
    switch (sender.kind) {
      case 'machine':
        return { ...plain, place: sender.name, from: flow.source };
      case 'laptop':
        return { ...plain, place: 'core', from: flow.source };
      case 'connect-endpoint': {
        const way = this.#fabric.through(sender.instanceConnectEndpointId, to, addressPlan.laptop);
        return way && { ...plain, place: 'core', from: way.from, to: way.to };
      }
    }
  }

  /** On AWS's side a source is in the addresses of the path. */
  #inVpcAddresses(seen: Seen): Seen {
    if (seen.source === undefined || seen.at === undefined) return seen;
    const origin = this.#fabric.origin(seen.source, seen.at);
    return origin === undefined ? seen : { ...seen, source: origin.sourceIp };
  }
}

/** A machine answers UDP from the address that it was asked at; the resolver from its own. */
function answeringAddress(snapshot: Snapshot, to: string, resolver: string, { port }: TriedFlow, trace: Trace): string {
  if (trace.arrival?.kind === 'vpc-service' && port === 53) return to.includes(':') ? to : resolver;
  for (const vpc of snapshot.vpcs)
    for (const card of vpc.networkInterfaces)
      for (const { address, publicAddress } of card.privateAddresses) if (publicAddress === to) return address;
  return to;
}
