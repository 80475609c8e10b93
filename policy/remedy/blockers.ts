// Which layers, each by itself, stand in a request's way? `evaluate` reports one (F1); a person who wants it open needs all of them.
// A layer is asked alone, with everything else permitting, by the engine itself: so this can say nothing that the engine would not.

import { evaluate } from '../evaluate.ts';
import type {
  AuthorizationRequest,
  Citation,
  Decision,
  PolicyDocument,
  PolicyLayer,
  PolicySet,
  PolicySource,
} from '../types.ts';

export interface Blocker {
  readonly layer: PolicyLayer;
  readonly explicit: boolean;
  /** The statements that deny; none of an implicit denial. */
  readonly citations: readonly Citation[];
  /** Of SCPs and RCPs: the level (root first) that does not allow. */
  readonly level?: number;
}

const EVERYTHING: PolicyDocument = {
  version: '2012-10-17',
  statements: [{ index: 0, effect: 'Allow', actions: ['*'], resources: ['*'], conditions: [] }],
};
const everything: PolicySource = { id: 'everything', document: EVERYTHING };

/** All that stands in the way, in the order in which layers are asked. Empty when the request is allowed. */
export function blockersOf(request: AuthorizationRequest, policies: PolicySet): Blocker[] {
  const decision = evaluate(request, policies);
  if (decision.allowed) return [];
  const explicit = decision.layers
    .filter(({ layer, outcome }) => outcome === 'explicit-deny' && stillDenied(request, policies, layer))
    .map(({ layer, citations }): Blocker => ({ layer, explicit: true, citations }));
  const permitting = withoutDenials(policies);
  const silent = implicitProbes.flatMap((probe) => probe(request, permitting));
  const order = decision.layers.map((one) => one.layer);
  return [...explicit, ...silent].sort((one, other) => order.indexOf(one.layer) - order.indexOf(other.layer));
}

/** The owner's root may always change the bucket's policy (T1): then the resource's denial is none. */
function stillDenied(request: AuthorizationRequest, policies: PolicySet, layer: PolicyLayer): boolean {
  if (layer !== 'resource' || policies.resource === undefined) return true;
  const alone = evaluate(request, { identity: [everything], resource: policies.resource });
  return !alone.allowed;
}

type Probe = (request: AuthorizationRequest, policies: PolicySet) => Blocker[];

function probeOf(layer: PolicyLayer, alone: (policies: PolicySet) => PolicySet | undefined): Probe {
  return (request, policies) => {
    const set = alone(policies);
    if (set === undefined) return [];
    const decision: Decision = evaluate(request, set);
    return !decision.allowed && decision.layer === layer ? [{ layer, explicit: false, citations: [] }] : [];
  };
}

/** A row per layer: the policies that leave the question to this layer alone. */
const implicitProbes: readonly Probe[] = [
  probeOf('endpoint', ({ endpoint }) => endpoint && { identity: [everything], resource: everyone, endpoint }),
  levelProbe('scp'),
  levelProbe('rcp'),
  // What the resource permits by itself needs no identity policy, boundary or session (7.1), so it is left in.
  probeOf('identity', ({ identity, resource, trust }) => ({
    identity,
    ...(resource && { resource }),
    ...(trust && { trust }),
  })),
  probeOf('trust', ({ trust }) => trust && { identity: [everything], trust }),
  probeOf('resource', ({ resource, trust }) =>
    trust === undefined ? { identity: [everything], ...(resource && { resource }) } : undefined,
  ),
  probeOf(
    'boundary',
    ({ boundary, resource, trust }) =>
      boundary && { identity: [everything], boundary, ...(resource && { resource }), ...(trust && { trust }) },
  ),
  probeOf(
    'session',
    ({ session, resource, trust }) =>
      session && { identity: [everything], session, ...(resource && { resource }), ...(trust && { trust }) },
  ),
];

const everyone: PolicySource = {
  id: 'everyone',
  document: {
    version: '2012-10-17',
    statements: [
      {
        index: 0,
        effect: 'Allow',
        principal: { any: true, aws: ['*'], service: [], federated: [], canonicalUser: [] },
        actions: ['*'],
        resources: ['*'],
        conditions: [],
      },
    ],
  },
};

function levelProbe(layer: 'scp' | 'rcp'): Probe {
  return (request, policies) => {
    const levels = (layer === 'scp' ? policies.scps : policies.rcps) ?? [];
    return levels.flatMap((level, place): Blocker[] => {
      const alone = layer === 'scp' ? { scps: [level] } : { rcps: [level] };
      const decision = evaluate(request, { identity: [everything], resource: everyone, ...alone });
      return decision.allowed ? [] : [{ layer, explicit: false, citations: [], level: place }];
    });
  };
}

const permits = ({ id, document }: PolicySource): PolicySource => ({
  id,
  document: { ...document, statements: document.statements.filter(({ effect }) => effect === 'Allow') },
});

function withoutDenials(policies: PolicySet): PolicySet {
  const { resource, boundary, session, scps, rcps, endpoint, trust } = policies;
  return {
    identity: policies.identity.map(permits),
    ...(resource && { resource: permits(resource) }),
    ...(boundary && { boundary: permits(boundary) }),
    ...(session && { session: session.map(permits) }),
    ...(scps && { scps: scps.map(({ at, policies: own }) => ({ at, policies: own.map(permits) })) }),
    ...(rcps && { rcps: rcps.map(({ at, policies: own }) => ({ at, policies: own.map(permits) })) }),
    ...(endpoint && { endpoint: permits(endpoint) }),
    ...(trust && { trust: permits(trust) }),
  };
}
