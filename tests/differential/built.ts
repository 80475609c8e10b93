// A random network as a cloud that EC2's own operations have built: the calls of building.ts, carried out.

import assert from 'node:assert/strict';
import type { Snapshot } from '@postern/network/snapshot.ts';
import { buildSnapshot } from '@postern/server/control/snapshot.ts';
import { makeWorld, type World } from '@postern/server/services/ec2/testing.ts';
import { elasticLoadBalancing } from '@postern/server/services/elastic-load-balancing/index.ts';
import { runOperation } from '@postern/server/testing.ts';
import { callsOf } from './building.ts';

export interface Built {
  readonly world: World;
  /** What things are called in the network that was asked for → the cloud's own id. */
  readonly names: ReadonlyMap<string, string>;
  snapshot(): Snapshot;
}

/** What an answer holds at `Vpc.VpcId` or `A[0].Bs[?SubnetId=='x']|[0].C`. */
function at(answer: unknown, path: string): string {
  let value: unknown = answer;
  for (const part of path.match(/[A-Za-z0-9]+|\[\d+\]|\[\?.*?'\]\|\[0\]/g) ?? []) {
    const wanted = /^\[\?(\w+)=='(.*)'\]/.exec(part);
    if (wanted !== null)
      value = (value as Record<string, unknown>[]).find((each) => each[wanted[1] ?? ''] === wanted[2]);
    else value = (value as Record<string, unknown>)[part.replace(/[[\]]/g, '')];
  }
  return String(value);
}

/** Builds it in a cloud of its own. */
export async function build(snapshot: Snapshot): Promise<Built> {
  const world = makeWorld();
  const names = new Map<string, string>();
  const resolved = (text: string) => text.replaceAll(/«(.*?)»/g, (_, name: string) => names.get(name) ?? `no ${name}`);
  for (const { service, operation, region, input, answers = {} } of callsOf(snapshot)) {
    if (operation === 'WaitInstanceRunning') continue;
    const text = resolved(JSON.stringify(input));
    const call =
      service === 'elbv2'
        ? runOperation(world.store, elasticLoadBalancing, operation, JSON.parse(text), { region })
        : world.run(operation, JSON.parse(text), { region });
    const answer = await call.catch((error: unknown) => assert.fail(`${operation} ${text}: ${String(error)}`));
    for (const [name, path] of Object.entries(answers)) {
      const found = at(answer, resolved(path));
      // The first subnet of a VPC's block would be …00::/64: what they have in common.
      names.set(
        name,
        name.endsWith('-ipv6') ? found.replace(/(00)?::\/56$/, (_, zeros) => (zeros === undefined ? ':' : '')) : found,
      );
    }
  }
  return { world, names, snapshot: () => world.store.read((tx) => buildSnapshot(tx, world.store.revision)) };
}
