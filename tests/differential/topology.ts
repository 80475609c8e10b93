// Random networks for the differential test, as fast-check arbitraries, so that a disagreement shrinks to the smallest network that still shows it: first to
// fewer deviations from the plain network, then to fewer things that are there at all. Pure: no kernel, nothing but the Snapshot.

import type { Snapshot } from '@postern/network/snapshot.ts';
import fc from 'fast-check';
import { type Deviation, deviation } from './deviations.ts';
import { type Draft, draftOf, type Features } from './draft.ts';

const usually = <T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 1, arbitrary: fc.constantFrom(...others) }, { weight: 3, arbitrary: fc.constant(usual) });

const features: fc.Arbitrary<Features> = fc.record({
  ipv6: usually(true, false),
  secondBlocks: fc.boolean(),
  isPeered: usually(true, false),
  isPeeredAcrossRegions: fc.boolean(),
  internetGateway: usually(true, false),
  nat: usually<Features['nat']>('public', 'none', 'private'),
  gatewayEndpoints: fc.constantFrom<Features['gatewayEndpoints'][]>('none', 's3', 'dynamodb', 'both'),
  transit: fc.constantFrom<Features['transit'][]>('none', 'one-zone', 'two-zones'),
  interfaceEndpoint: fc.constantFrom<Features['interfaceEndpoint'][]>('none', 'one', 'two'),
  connectEndpoint: fc.constantFrom<Features['connectEndpoint'][]>('none', 'own-address', 'client-address'),
  loadBalancer: fc.constantFrom<Features['loadBalancer'][]>('none', 'internal', 'internet-facing'),
  privateLink: usually<Features['privateLink']>('accepted', 'none', 'pending'),
  secondInterface: fc.boolean(),
  subnetOfD: fc.constantFrom<Features['subnetOfD'][]>(0, 1, 3),
  subnetOfF: fc.constantFrom<Features['subnetOfF'][]>(1, 0),
});

export interface Topology {
  readonly snapshot: Snapshot;
  /** What was drawn, in words. */
  readonly deviations: readonly string[];
  /** Which flows are tried. */
  readonly salt: number;
}

let revision = 0;

/** More deviations, and flows have several obstacles, which show less. */
const [fewestDeviations, mostDeviations] = [3, 9];

export function topologies(): fc.Arbitrary<Topology> {
  return fc
    .record({
      deviations: fc.array(deviation, { minLength: fewestDeviations, maxLength: mostDeviations, size: 'max' }),
      features,
      salt: fc.nat(0xffff_ffff),
    })
    .map(topologyOf);
}

function topologyOf(drawn: {
  readonly deviations: readonly Deviation[];
  readonly features: Features;
  readonly salt: number;
}): Topology {
  const draft: Draft = draftOf(drawn.features);
  for (const each of drawn.deviations) each.apply(draft);
  revision += 1;
  return {
    snapshot: { ...draft, revision } as Snapshot,
    deviations: drawn.deviations.map(({ name, values }) => `${name} ${JSON.stringify(values)}`),
    salt: drawn.salt,
  };
}
