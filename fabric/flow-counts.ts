// What logged interfaces carried: reads what the compiled rules counted (compile/flow-logs.ts), and empties it.
// The rules count into one pair of sets; to read is to turn them to the other pair first, so no packet is counted between the reading and the emptying.

import type { NetworkInterfaceId, VpcId } from '@postern/network/snapshot.ts';
import type { Family } from './compile/family.ts';
import { countMark, flowLogSets, type Path } from './compile/flow-log-marks.ts';
import { countedForSeconds, flowLogSwitch } from './compile/flow-logs.ts';
import type { VpcState } from './compile/host-state.ts';
import { nft, type Place, setsOf } from './host.ts';
import type { FlowCount, FlowCounts, SkippedFlows } from './types.ts';

type Generation = 0 | 1;

export const noFlowCounts: FlowCounts = { flows: [], skipped: [], failures: [] };

export function mergeFlowCounts(parts: readonly FlowCounts[]): FlowCounts {
  return {
    flows: parts.flatMap((part) => part.flows),
    skipped: parts.flatMap((part) => part.skipped),
    failures: parts.flatMap((part) => part.failures),
  };
}

export class FlowCountReader {
  /** Of each VPC, where its rules count now. */
  readonly #generations = new Map<VpcId, Generation>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** @param vpcs what the kernel holds; those without a logged interface cost nothing */
  async read(vpcs: Iterable<VpcState>): Promise<FlowCounts> {
    const logging = [...vpcs].filter((vpc) => vpc.loggedInterfaces !== undefined);
    const present = new Set(logging.map(({ vpcId }) => vpcId));
    for (const vpcId of this.#generations.keys()) if (!present.has(vpcId)) this.#generations.delete(vpcId);
    return mergeFlowCounts(await Promise.all(logging.map((vpc) => this.#readVpc(vpc))));
  }

  /** The router is gone, and what is made in its place counts from the beginning. */
  forget(vpcId: VpcId): void {
    this.#generations.delete(vpcId);
  }

  async #readVpc(vpc: VpcState): Promise<FlowCounts> {
    const { vpcId, table, ipv6Table, loggedInterfaces = new Map<number, NetworkInterfaceId>() } = vpc;
    const place: Place = { kind: 'vpc', name: vpcId };
    const full = this.#generations.get(vpcId) ?? 0;
    const empty: Generation = full === 0 ? 1 : 0;
    const families = [table, ipv6Table].flatMap(({ family = 'ip', chains }): Family[] =>
      chains.some(({ name }) => name === flowLogSwitch) ? [family] : [],
    );
    const turned = await nft(
      place,
      families
        .map(
          (family) =>
            `flush chain ${family} vpc ${flowLogSwitch}\nadd rule ${family} vpc ${flowLogSwitch} goto flow-log-into-${empty}\n`,
        )
        .join(''),
    );
    if (turned.code !== 0) return failed(vpcId, turned.stderr);
    this.#generations.set(vpcId, empty);
    const names = Object.values(flowLogSets(full));
    const sets = families.flatMap((family) => names.map((name) => ({ family, name })));
    const listed = await setsOf(place, sets);
    if (listed.code !== 0) return failed(vpcId, listed.stderr);
    const emptied = await nft(place, sets.map(({ family, name }) => `flush set ${family} vpc ${name}\n`).join(''));
    const counts = parseSets(listed.stdout, loggedInterfaces, this.#now());
    return emptied.code === 0 ? counts : mergeFlowCounts([counts, failed(vpcId, emptied.stderr)]);
  }
}

function failed(cause: VpcId, message: string): FlowCounts {
  return { ...noFlowCounts, failures: [{ cause, message: `flow logs: ${message.trim()}` }] };
}

const element =
  /0x([0-9a-f]{8})((?: \. [^\s,}]+)*) counter packets (\d+) bytes (\d+)(?: timeout \d+s)? expires (?:(\d+)s)?/g;

/** @param text what `nft --numeric` lists   @param interfaces by number */
export function parseSets(
  text: string,
  interfaces: ReadonlyMap<number, NetworkInterfaceId>,
  nowMs: number,
): FlowCounts {
  const flows: FlowCount[] = [];
  const skipped: SkippedFlows[] = [];
  for (const [, hex = '', key = '', packets, bytes, left] of text.matchAll(element)) {
    const value = Number.parseInt(hex, 16);
    const networkInterfaceId = interfaces.get(Math.floor(value / countMark.interface));
    if (networkInterfaceId === undefined) continue;
    const parts = key.split(' . ').slice(1);
    if (parts.length === 0) {
      skipped.push({ networkInterfaceId, packets: Number(packets) });
      continue;
    }
    const [sourceAddress = '', destinationAddress = '', third, fourth] = parts;
    const hasPorts = fourth !== undefined;
    flows.push({
      networkInterfaceId,
      direction: (value & countMark.egress) === 0 ? 'ingress' : 'egress',
      action: (value & countMark.rejected) === 0 ? 'ACCEPT' : 'REJECT',
      ...((value & countMark.blocked) === countMark.blocked && { isBlockedPublicAccess: true }),
      path: pathOf(value),
      protocol: hasPorts ? ((value & countMark.udp) === 0 ? 6 : 17) : Number(third),
      sourceAddress,
      destinationAddress,
      sourcePort: hasPorts ? Number(third) : 0,
      destinationPort: hasPorts ? Number(fourth) : 0,
      tcpFlags: value & countMark.tcpFlags,
      packets: Number(packets),
      bytes: Number(bytes),
      firstAtMs: nowMs - (countedForSeconds - Number(left ?? 0)) * 1000,
    });
  }
  return { flows, skipped, failures: [] };
}

function pathOf(value: number): Path {
  const bits = value & countMark.pathBits;
  const found = Object.entries(countMark.paths).find(([, path]) => path === bits);
  return (found?.[0] as Path | undefined) ?? 'none';
}
