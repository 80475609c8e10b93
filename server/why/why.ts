// Why was this request denied, and what would become of that one? One chain through the network and the policies, and what would have to change.
// Of a request that was made: as it was decided then, from what was recorded with it (evidence.ts), and as it would be decided now.

import type { Snapshot } from '@postern/network/snapshot.ts';
import { evaluate } from '@postern/policy/evaluate.ts';
import type { PolicyQuestion } from '../authorize/authorize.ts';
import type {
  ChainLink,
  RequestEvent,
  RequestTraceAnswer,
  TraceQuestion,
  WhyAnswer,
  WhyQuestion,
} from '../operator/api.ts';
import { OperatorFailure } from '../operator/operator.ts';
import type { RequestPath } from '../path.ts';
import type { Transaction } from '../store/store.ts';
import { changedLayers, nowQuestion, type WhyParts } from './asking.ts';
import type { Place } from './ends.ts';
import { cureOf } from './plans.ts';
import { policyLinks } from './policy-links.ts';
import { traceRequest } from './request-trace.ts';
import { ownLinks, signatureLink } from './service-links.ts';
import { hostOf, originOf, roadWords, terminalWay, type Way, wayFrom, waysFrom } from './ways.ts';

export interface Why {
  /** @throws OperatorFailure when there is no such request */
  why(question: WhyQuestion): WhyAnswer;
  /** @throws OperatorFailure when an end does not exist */
  request(question: TraceQuestion): RequestTraceAnswer;
}

export function createWhy(parts: WhyParts): Why {
  return {
    why: (question) => parts.store.read((tx) => explainRequest(parts, tx, requestOf(parts, question))),
    request: (question) => parts.store.read((tx) => traceRequest(parts, tx, question)),
  };
}

// ---- a request that was made

function requestOf({ trail }: WhyParts, { requestId }: WhyQuestion): RequestEvent {
  const found =
    requestId === undefined ? trail.list({ failed: true, limit: 1 })[0] : trail.list({ requestId, limit: 1 })[0];
  if (found) return found;
  throw requestId === undefined
    ? new OperatorFailure(404, 'No request was answered with an error.', 'postern requests')
    : new OperatorFailure(404, `No request ${requestId} is known.`, 'postern requests');
}

function explainRequest(parts: WhyParts, tx: Transaction, event: RequestEvent): WhyAnswer {
  const evidence = parts.evidence.of(event.requestId);
  const then = evidence && questionThatDecided(evidence.questions, event);
  const snapshot = parts.snapshots();
  const instanceId = /:assumed-role\/[^/]+\/(i-[0-9a-f]+)$/.exec(event.principalArn)?.[1];
  const path = event.path as RequestPath;
  const origin = originOf(snapshot, path, instanceId);
  const way = origin && wayOfRequest(snapshot, origin, event, path);
  const refused = event.status >= 400;
  const isDenied = event.decision?.allowed === false && refused;
  const notes: string[] = [];
  const signature = signatureLink(event);
  const chain: ChainLink[] = [
    signature,
    ...(way?.links ?? roadLinks(path)),
    ...(then ? policyLinks(then) : []),
    ...(refused && !isDenied && signature.verdict !== 'drop' ? ownLinks(event) : []),
  ];
  if (origin) notes.push('The way through the network is shown as it is now.');
  if (event.decision && !then && event.decision.layer !== 'root')
    notes.push(
      'What the policies were asked is not kept any more: the newest thousand requests are, and refused ones for longer.',
    );
  if (then && isUnlisted(event, then))
    notes.push(
      'The object does not exist: whoever may list the bucket is told so with 404, everybody else gets 403 (T5).',
    );
  const verdict = isDenied || event.status === 403 || event.status === 401 ? 'denied' : refused ? 'failed' : 'allowed';
  const answer = { request: event, verdict, road: roadWords(path, origin), chain, notes } as const;
  if (!then) return answer;
  const ask = (other: RequestPath) => nowQuestion(parts, tx, event, then, other);
  const now = ask(path);
  const isAllowed = evaluate(now.request, now.policies).allowed;
  const changed = changedLayers(then.policies, now.policies);
  const told = { ...answer, now: { verdict: isAllowed ? 'allowed' : 'denied', changed } } as const;
  if (isAllowed) return told;
  const found = origin ? waysFrom(snapshot, origin, hostOf(event.service, event.region)) : { ways: [], unsolved: [] };
  // It came, so the way that it took is open, whatever else there is.
  const own = { title: 'on the way it takes now', steps: [], path };
  const ways = [own, ...found.ways.filter((one) => one.steps.length > 0)];
  return { ...told, cure: cureOf({ tx, snapshot, ways, unsolved: [], question: ask }) };
}

/** The last that said no; of a request that was not denied the first, which is the operation's own. */
function questionThatDecided(questions: readonly PolicyQuestion[], event: RequestEvent): PolicyQuestion | undefined {
  const denied =
    event.decision?.allowed === false && event.status >= 400
      ? questions.findLast(({ request }) => request.action === event.action && request.resource === event.resource)
      : undefined;
  return denied ?? questions[0];
}

function isUnlisted(event: RequestEvent, { request }: PolicyQuestion): boolean {
  return request.action === 's3:ListBucket' && /^(Get|Head)Object/.test(event.operation) && event.status === 403;
}

/** By the service's name; or by the endpoint's own where that is how it came. */
function wayOfRequest(snapshot: Snapshot, origin: Place, event: RequestEvent, path: RequestPath): Way {
  const host = hostOf(event.service, event.region);
  const usual = wayFrom(snapshot, origin, host);
  if (path.kind === 'internet' || (usual.path?.kind === 'endpoint' && usual.path.vpcEndpointId === path.vpcEndpointId))
    return usual;
  const endpoint = snapshot.vpcs
    .flatMap((vpc) => vpc.interfaceEndpoints.map((each) => ({ vpc, each })))
    .find(({ each }) => each.vpcEndpointId === path.vpcEndpointId);
  const card = endpoint?.vpc.networkInterfaces.find(
    (one) => one.networkInterfaceId === endpoint.each.networkInterfaceIds[0],
  );
  const address = card?.privateAddresses[0]?.address;
  return address === undefined ? usual : wayFrom(snapshot, origin, host, address);
}

function roadLinks(path: RequestPath): readonly ChainLink[] {
  if (path.kind === 'internet' && path.sourceIp === terminalWay.path?.sourceIp) return terminalWay.links;
  return [{ stage: 'road', verdict: 'pass', because: roadWords(path, undefined) }];
}
