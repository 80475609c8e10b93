// `postern trace`: what becomes of a flow, and why. The question names things as a person does (an instance, a host name); here they become addresses, and the
// walk says the rest. No packet is sent.

import { networkRemedies } from '@postern/network/remedy/remedies.ts';
import type { Snapshot } from '@postern/network/snapshot.ts';
import { arrivalWords, explainStep } from '@postern/network/walk/explain.ts';
import { indexNetwork, type NetworkIndex } from '@postern/network/walk/network-index.ts';
import { echoRequest, echoRequest6, type Flow, isIpv6, protocols } from '@postern/network/walk/packet.ts';
import type { Step } from '@postern/network/walk/trace.ts';
import { walk } from '@postern/network/walk/walk.ts';
import type { ChainLink, TraceAnswer, TraceQuestion } from '../operator/api.ts';
import { destinationOf, placeOf, sourceOf } from './ends.ts';
import { networkCure } from './network-commands.ts';

/** A port that a client would have: ACLs look at it on the way back. */
const ephemeralPort = 40_000;

/** @throws OperatorFailure when an end does not exist or has no address */
export function traceFlow(snapshot: Snapshot, question: TraceQuestion): TraceAnswer {
  const from = question.from === 'internet' ? undefined : placeOf(snapshot, question.from);
  const destination = destinationOf(snapshot, question.to, from);
  const source = sourceOf(from, destination.address);
  const isIcmp = question.protocol === 'icmp';
  const packet = {
    protocol: isIcmp && isIpv6(destination.address) ? protocols.icmpv6 : protocols[question.protocol],
    source,
    destination: destination.address,
    ...(isIcmp
      ? { icmp: isIpv6(destination.address) ? echoRequest6 : echoRequest }
      : { sourcePort: ephemeralPort, destinationPort: question.port ?? 0 }),
  };
  const network = indexNetwork(snapshot);
  const origin = from
    ? ({ kind: 'network-interface', networkInterfaceId: from.card.networkInterfaceId } as const)
    : ({ kind: 'internet' } as const);
  const flow: Flow = { from: origin, packet };
  const trace = walk(network, flow);
  return {
    source,
    ...destination,
    verdict: trace.verdict,
    ...(trace.arrival && { arrival: arrivalWords(trace.arrival) }),
    ...(trace.seenAs !== undefined && { seenAs: trace.seenAs }),
    steps: trace.steps.map((step) => networkLink(network, step)),
    ...(trace.verdict === 'dropped' && { cure: networkCure(snapshot, networkRemedies(snapshot, flow), network) }),
  };
}

/** A step of the walk as a link of a chain. */
export function networkLink(network: NetworkIndex, step: Step): TraceAnswer['steps'][number] & ChainLink {
  return {
    leg: step.leg,
    stage: step.stage,
    component: step.component,
    verdict: step.verdict,
    because: explainStep(network, step),
    ...(step.code && { code: step.code }),
  };
}
