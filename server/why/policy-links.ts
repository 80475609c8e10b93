// What each layer of policies said to a request, as links of the chain. A row per layer, in the order in which they are asked: a further layer is a row more.

import { evaluate } from '@postern/policy/evaluate.ts';
import { type Blocker, blockersOf } from '@postern/policy/remedy/blockers.ts';
import { type Fit, fitsOf, nearestAllow } from '@postern/policy/remedy/fit.ts';
import { renderStatement } from '@postern/policy/remedy/render.ts';
import type {
  AuthorizationRequest,
  Citation,
  Decision,
  PolicyLayer,
  PolicySet,
  PolicySource,
} from '@postern/policy/types.ts';
import type { PolicyQuestion } from '../authorize/authorize.ts';
import type { ChainLink } from '../operator/api.ts';

interface Row {
  readonly layer: PolicyLayer;
  readonly stage: string | ((request: AuthorizationRequest) => string);
  /** Said where there is none. Absent: then there is no link. */
  readonly absent?: string;
  readonly sources: (policies: PolicySet) => readonly PolicySource[];
}

/** What a person calls the policy that must itself allow (E1): a key's or a role's. */
export function mustAllowName({ action }: AuthorizationRequest): 'key policy' | 'trust policy' {
  return action.startsWith('kms:') ? 'key policy' : 'trust policy';
}

const stageOf = ({ stage }: Row, request: AuthorizationRequest) => (typeof stage === 'string' ? stage : stage(request));

const rows: readonly Row[] = [
  {
    layer: 'endpoint',
    stage: 'endpoint policy',
    absent: 'the request comes through no VPC endpoint',
    sources: ({ endpoint }) => list(endpoint),
  },
  {
    layer: 'scp',
    stage: 'service control policies',
    sources: ({ scps }) => (scps ?? []).flatMap(({ policies }) => policies),
  },
  {
    layer: 'rcp',
    stage: 'resource control policies',
    sources: ({ rcps }) => (rcps ?? []).flatMap(({ policies }) => policies),
  },
  {
    layer: 'resource',
    stage: 'resource policy',
    absent: 'the resource has none',
    sources: ({ resource }) => list(resource),
  },
  { layer: 'trust', stage: mustAllowName, sources: ({ trust }) => list(trust) },
  {
    layer: 'identity',
    stage: 'identity policy',
    absent: 'the caller has none',
    sources: ({ identity }) => identity,
  },
  { layer: 'boundary', stage: 'permissions boundary', sources: ({ boundary }) => list(boundary) },
  { layer: 'session', stage: 'session policy', sources: ({ session }) => session ?? [] },
];

const list = (source: PolicySource | undefined) => (source === undefined ? [] : [source]);

export function policyLinks({ request, policies }: PolicyQuestion): ChainLink[] {
  const decision = evaluate(request, policies);
  const blockers = blockersOf(request, policies);
  return rows.flatMap((row) => {
    const answer = decision.layers.find((one) => one.layer === row.layer);
    const own = blockers.filter((one) => one.layer === row.layer);
    if (answer === undefined || row.sources(policies).length === 0) return absentLink(row, request, own, policies);
    return [layerLink(row, request, policies, answer, own)];
  });
}

function absentLink(
  row: Row,
  request: AuthorizationRequest,
  blockers: readonly Blocker[],
  policies: PolicySet,
): ChainLink[] {
  const { layer, absent } = row;
  const stage = stageOf(row, request);
  const isRoot = layer === 'identity' && request.principal.type === 'root';
  if (isRoot) return [{ stage, verdict: 'pass', because: 'the account’s root needs none (E3)' }];
  if (layer === 'resource' && policies.trust) return [];
  if (layer === 'identity' && (request.principal.type === 'anonymous' || request.principal.type === 'service'))
    return [
      {
        stage,
        verdict: 'none',
        because: 'a caller without an identity has none: only the resource’s policy can allow',
      },
    ];
  if (blockers.length > 0)
    return [{ stage, verdict: 'drop', because: `${absent}, and it would have to allow ${request.action}` }];
  return absent === undefined ? [] : [{ stage, verdict: 'none', because: absent }];
}

type Answer = Decision['layers'][number];

function layerLink(
  row: Row,
  request: AuthorizationRequest,
  policies: PolicySet,
  { outcome, citations, at }: Answer,
  blockers: readonly Blocker[],
): ChainLink {
  const stage = stageOf(row, request);
  const sources = row.sources(policies);
  const where = at === undefined ? '' : ` at ${at}`;
  if (outcome === 'allow')
    return { stage, verdict: 'pass', ...cited(citations), because: `${sidWords(citations)} allows ${request.action}` };
  const isBlocking = blockers.length > 0;
  if (outcome === 'explicit-deny') {
    const verdict = isBlocking ? 'drop' : 'none';
    const more = isBlocking ? '' : ', which does not hold for the owner’s root (T1)';
    const demands = demandWords(request, citations);
    return {
      stage,
      verdict,
      ...cited(citations),
      because: `${sidWords(citations)}${where} denies it${demands}${more}`,
    };
  }
  const fits = sources.flatMap((source) =>
    fitsOf(source, { request, layer: row.layer, hasBoundary: policies.boundary !== undefined }),
  );
  const near = nearestAllow(fits);
  const component = sources.length === 1 ? sources[0]?.id : undefined;
  return {
    stage,
    verdict: isBlocking ? 'drop' : 'none',
    ...(component !== undefined && { component }),
    because: `no statement${where} allows ${request.action} on ${request.resource}${isBlocking ? '' : ', and none has to'}${isBlocking && near ? `; ${nearWords(near, request)}` : ''}`,
    ...(isBlocking && near && { statements: [renderStatement(near.statement)] }),
  };
}

function cited(citations: readonly Citation[]): Pick<ChainLink, 'component' | 'statements'> {
  const ids = [...new Set(citations.map((one) => one.policyId))];
  return { component: ids.join(', '), statements: citations.map(({ statement }) => renderStatement(statement)) };
}

function sidWords(citations: readonly Citation[]): string {
  const names = citations.map(({ statement }) => statement.sid || `statement ${statement.index + 1}`);
  return [...new Set(names)].join(', ');
}

/** The conditions of a Deny that were true, with what the request had: that is what it would have had to be. */
function demandWords(request: AuthorizationRequest, citations: readonly Citation[]): string {
  const words = citations.flatMap(({ statement }) =>
    statement.conditions.map(({ operator, key, values }) => {
      const actual = request.context.get(key.toLowerCase());
      return `${key} is ${actual === undefined ? 'absent' : actual.join(', ')}, and ${operator} ${values.join(', ')} holds`;
    }),
  );
  return words.length === 0 ? '' : `: ${[...new Set(words)].join('; ')}`;
}

function nearWords({ statement, principal, resource, failed }: Fit, request: AuthorizationRequest): string {
  const name = statement.sid || `statement ${statement.index + 1}`;
  const misses = [
    ...(principal ? [] : [`its Principal is not ${request.principal.roleArn ?? request.principal.arn}`]),
    ...(resource ? [] : [`its Resource is ${(statement.resources ?? statement.notResources ?? []).join(', ')}`]),
    ...failed.map(
      ({ condition: { operator, key, values }, actual }) =>
        `${operator} ${key} ${values.join(', ')} does not hold: it is ${actual === undefined ? 'absent' : actual.join(', ')}`,
    ),
  ];
  return `nearest is ${name}, but ${misses.join(', and ')}`;
}
