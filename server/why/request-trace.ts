// What would become of a request that somebody makes: from the name that its client resolves to the last policy, without a packet.

import { evaluate } from '@postern/policy/evaluate.ts';
import type { PolicyQuestion } from '../authorize/authorize.ts';
import { EVERYTHING } from '../authorize/policies.ts';
import type { ChainLink, RequestTraceAnswer, TraceQuestion } from '../operator/api.ts';
import { OperatorFailure } from '../operator/operator.ts';
import type { RequestPath } from '../path.ts';
import type { Transaction } from '../store/store.ts';
import { hypothetical, type WhyParts } from './asking.ts';
import { type Caller, callerNamed, callerOnInstance } from './caller.ts';
import { type Place, placeOf } from './ends.ts';
import { cureOf } from './plans.ts';
import { policyLinks } from './policy-links.ts';
import { ownLinks } from './service-links.ts';
import { targetOf } from './target.ts';
import { hostOf, roadWords, terminalWay, wayFrom, waysFrom } from './ways.ts';

export function traceRequest(parts: WhyParts, tx: Transaction, question: TraceQuestion): RequestTraceAnswer {
  const snapshot = parts.snapshots();
  const from = question.from === 'internet' ? undefined : placeOf(snapshot, question.from);
  const target = targetOf(tx, parts.services, question.to, question.action, from?.vpc.region ?? 'us-east-1');
  const host = hostOf(target.service.name, target.region);
  const way = from === undefined ? terminalWay : wayFrom(snapshot, from, host);
  const { permission } = target;
  const found = from === undefined ? { ways: [], unsolved: [] } : waysFrom(snapshot, from, host);
  const road = way.path === undefined ? `no way to ${host}` : `from ${roadWords(way.path, from)}`;
  if (permission === undefined) {
    const ways = found.ways.filter((one) => !way.isOpen || one.steps.length === 0);
    const nothing: PolicyQuestion = {
      request: {
        principal: callerNamed(tx, parts.defaultAccountId).principal,
        action: '',
        resource: '*',
        context: new Map(),
      },
      policies: { identity: [{ id: 'none asked', document: EVERYTHING }] },
    };
    const cure = way.isOpen
      ? {}
      : { cure: cureOf({ tx, snapshot, ways, unsolved: found.unsolved, question: () => nothing }) };
    return { road, verdict: way.isOpen ? 'open' : 'dropped', chain: way.links, ...cure };
  }
  const caller = callerOf(parts, tx, question, from);
  const head = { action: permission.action, resource: permission.resource, road };
  if (caller.principal === undefined)
    return {
      ...head,
      verdict: 'dropped',
      chain: [caller.link, ...way.links],
      cure: { plans: [], unsolved: [caller.link.because] },
    };
  const named = { ...head, principalArn: caller.principal.arn };
  const ask = (path: RequestPath) => hypothetical(parts, tx, target, permission, caller, path);
  // Without a way the policies are asked as they would be by the first one that can be opened.
  const path = way.path ?? found.ways[0]?.path;
  const asked = path && ask(path);
  const own = asked?.failure === undefined ? [] : ownLinks(asked.failure);
  const policies = asked ? policyLinks(asked.question) : [];
  const isAllowed =
    asked !== undefined && own.length === 0 && evaluate(asked.question.request, asked.question.policies).allowed;
  const chain = [caller.link, ...way.links, ...own, ...policies];
  if (way.isOpen && isAllowed) return { ...named, verdict: 'open', chain };
  if (own.length > 0)
    return { ...named, verdict: 'dropped', chain, cure: { plans: [], unsolved: own.map(({ because }) => because) } };
  const ways = from === undefined && path ? [{ title: 'on the way it takes now', steps: [], path }] : found.ways;
  const cure = cureOf({ tx, snapshot, ways, unsolved: found.unsolved, question: (other) => ask(other).question });
  return { ...named, verdict: 'dropped', chain, cure };
}

function callerOf(
  parts: WhyParts,
  tx: Transaction,
  { as }: TraceQuestion,
  from: Place | undefined,
): Caller | { readonly principal?: undefined; readonly link: ChainLink } {
  const instanceId = from?.card.attachment?.instanceId;
  const instance = instanceId === undefined ? undefined : tx.get('instance', instanceId);
  const privateIp = from?.card.privateAddresses[0]?.address ?? '';
  if (as !== undefined) return callerNamed(tx, as, instance, privateIp);
  if (from === undefined) return callerNamed(tx, parts.defaultAccountId);
  if (instance) return callerOnInstance(tx, instance, privateIp);
  throw new OperatorFailure(400, `${from.card.networkInterfaceId} belongs to no instance: say who asks, --as ARN.`);
}
