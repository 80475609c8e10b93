// An assertion about permissions, held against an estate: each action on each resource is put to the policy engine with all the policies that would be asked, by
// the road that the request takes: over the internet, or through the endpoint that its sender's packets go through.

import { endpointServiceCalled } from '@postern/network/endpoint-services.ts';
import { walk } from '@postern/network/walk/walk.ts';
import type { PolicyAssertion, Written } from './document.ts';
import type { PermissionAnswer, PermissionQuestion } from './estate.ts';
import { candidateFlow, nameOfSide } from './evidence.ts';
import { meant } from './nearest.ts';
import type { Ground } from './network.ts';
import type { Result, Step } from './report.ts';
import type { Side } from './resolve.ts';

type Answer = Pick<Result, 'outcome' | 'message' | 'dependsOn' | 'assumptions' | 'probes' | 'evidence'>;
type Path = PermissionQuestion['path'];

const plain = (outcome: Result['outcome'], message: string): Answer => ({
  outcome,
  message,
  dependsOn: [],
  assumptions: [],
  probes: [],
});
/** The person's terminal. */
const terminal: Path = { kind: 'internet', sourceIp: '203.0.113.10' };

export function checkPolicy(ground: Ground, assertion: PolicyAssertion): Answer {
  let unknown: Answer | undefined;
  const assumptions = new Set<string>();
  for (const [expected, actions] of [['allowed', assertion.can], ['denied', assertion.cannot]] as const) // biome-ignore format: pairs
    for (const action of actions)
      for (const resource of assertion.resources) {
        const answer = ask(ground, assertion, action, resource, expected === 'allowed', assumptions);
        if (answer.outcome === 'unknown') unknown ??= answer;
        else if (answer.outcome !== 'holds') return answer;
      }
  return unknown ?? { ...plain('holds', ''), assumptions: [...assumptions] };
}

function ask(
  ground: Ground,
  assertion: PolicyAssertion,
  action: Written<string>,
  resource: Written<string>,
  isWanted: boolean,
  assumptions: Set<string>,
): Answer {
  const service = action.means.split(':')[0] ?? '';
  const paths = pathsOf(ground, assertion, service);
  if (!Array.isArray(paths)) return paths;
  const what = `${action.means}${resource.means === '*' ? '' : ` on ${resource.text}`}`;
  for (const { path, sender, blocked } of paths) {
    const by = sender === undefined ? '' : ` from ${sender}`;
    if (path === undefined) {
      // A request that does not arrive is not allowed by anybody.
      if (isWanted) return plain('fails', `${assertion.who.text} cannot ${what}${by}: ${blocked}`);
      continue;
    }
    const question: PermissionQuestion = {
      who: assertion.who.means,
      action: action.means,
      resource: resource.means,
      path,
      when: assertion.when,
    };
    const answer = ground.estate.permission(question);
    if (answer.kind === 'missing') {
      const near = answer.near === undefined ? '' : meant(answer.what.split(' ').at(-1) ?? '', [answer.near]);
      if (assertion.allowEmpty) continue;
      return plain('error', `there is no ${answer.what}${near}`);
    }
    if (answer.unknown !== undefined)
      return plain('unknown', `whether ${assertion.who.text} can ${what}${by} is not certain: ${answer.unknown}`);
    for (const each of answer.assumptions) assumptions.add(each);
    if (answer.allowed === isWanted) continue;
    return {
      ...plain(
        'fails',
        `${assertion.who.text} ${answer.allowed ? 'can' : 'cannot'} ${what}${by}${wayOf(path)}: ${words(answer)}`,
      ),
      evidence: evidenceOf(answer, what, by),
    };
  }
  return plain('holds', '');
}

const wayOf = (path: Path) => (path.kind === 'endpoint' ? ` through ${path.vpcEndpointId}` : '');

function words(answer: Extract<PermissionAnswer, { kind: 'decided' }>): string {
  const by = answer.statements.length > 0 ? ` (${answer.statements.join(', ')})` : '';
  if (answer.allowed)
    return `${answer.layer === 'root' ? 'as the root of the account' : `the ${answer.layer} policy allows it`}${by}`;
  return `${answer.reason || 'it is denied'}${by}`;
}

function evidenceOf(
  answer: Extract<PermissionAnswer, { kind: 'decided' }>,
  what: string,
  by: string,
): NonNullable<Result['evidence']> {
  const step: Step = {
    leg: 'forward',
    stage: `${answer.layer} policy`,
    component: answer.statements[0] ?? answer.layer,
    verdict: answer.allowed ? 'pass' : 'drop',
    because: answer.allowed ? 'allows it' : answer.reason,
  };
  return { flow: what, between: by.trim(), steps: [step], deciding: step, mend: answer.mend };
}

interface Way {
  /** Undefined: the packets do not arrive. */
  readonly path?: Path;
  readonly sender?: string;
  readonly blocked?: string;
}

/** Where the service sees the request come from, of each sender. @returns an answer when an end means nothing or nobody */
function pathsOf(ground: Ground, { from, allowEmpty }: PolicyAssertion, service: string): Way[] | Answer {
  if (from.length === 0) return [{ path: terminal }];
  const ways: Way[] = [];
  for (const end of from) {
    const resolved = ground.resolver.resolve(end, 'from');
    if (resolved.kind === 'sides') ways.push(...resolved.sides.flatMap((side) => waysOf(ground, side, service)));
    else if (!allowEmpty) return plain(resolved.kind === 'missing' ? 'error' : 'fails', `from: ${resolved.message}`);
  }
  return ways;
}

function waysOf(ground: Ground, side: Side, service: string): Way[] {
  if (side.kind !== 'interfaces') return [{ path: terminal }];
  return side.places.map((place): Way => {
    const from: Side = { kind: 'interfaces', places: [place] };
    const sender = nameOfSide(ground, from);
    const to: Side = { kind: 'service', service: endpointServiceCalled(service, place.vpc.region) ? service : 's3' };
    const flow = candidateFlow(ground, from, to, { text: 'tcp 443', protocol: 6, ports: [{ from: 443, to: 443 }] });
    if (typeof flow === 'string') return { sender, blocked: flow };
    const trace = walk(ground.network, flow);
    const [blocker] = trace.blockers;
    if (trace.verdict !== 'open' || trace.arrival === undefined)
      return {
        sender,
        blocked: `its packets do not arrive at ${service} (${blocker?.stage ?? 'route'} ${blocker?.component ?? ''})`,
      };
    if (trace.arrival.kind === 'vpc-endpoint')
      return {
        sender,
        path: {
          kind: 'endpoint',
          vpcEndpointId: trace.arrival.vpcEndpointId,
          vpcId: place.vpc.vpcId,
          sourceIp: trace.seenAs ?? flow.packet.source,
        },
      };
    return { sender, path: { kind: 'internet', sourceIp: trace.seenAs ?? flow.packet.source } };
  });
}
