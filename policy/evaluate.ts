// May this caller do this? Rules E1–E5, T1, T6, F1, and the table of resource-policy principals in 7.1.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html and its pages
// evaluation-logic_policy-eval-denyallow, evaluation-logic-cross-account (read 2026-11-21).
// An explicit deny in any layer wins. Then each gate must allow: endpoint, SCP and RCP levels. Then the caller's own side (identity,
// boundary, session) and the resource's side, either of them in one account and both across accounts (E1, E2).
// When several layers deny, the outermost is reported (AWS reports one and does not say which, F1): the order of LAYER_ORDER.

import { type CompiledStatement, compileDocument, lookupOf, type Question } from './compile.ts';
import type { PrincipalMatch, PrincipalReading } from './match.ts';
import { denialReason } from './messages.ts';
import type {
  AuthorizationRequest,
  Citation,
  Decision,
  PolicyLayer,
  PolicyLevel,
  PolicySet,
  PolicySource,
} from './types.ts';

/** The order in which layers are asked and, among several denials, reported. */
const LAYER_ORDER = [
  'endpoint',
  'scp',
  'rcp',
  'resource',
  'trust',
  'identity',
  'boundary',
  'session',
] as const satisfies readonly PolicyLayer[];

/** The bucket owner's root may always do these, whatever the bucket policy says (T1). */
const OWNER_ALWAYS: ReadonlySet<string> = new Set([
  's3:getbucketpolicy',
  's3:putbucketpolicy',
  's3:deletebucketpolicy',
]);

type LayerOutcome = Decision['layers'][number]['outcome'];

interface LayerAnswer {
  readonly layer: PolicyLayer;
  readonly outcome: LayerOutcome;
  readonly citations: readonly Citation[];
  /** How the allowing statements of a resource or trust policy named the caller, the strongest of them. */
  readonly match?: PrincipalMatch;
  /** The place of the organization that said no. */
  readonly at?: string;
}

/**
 * Decides one request.
 * @param policies the layers that apply; one that is absent is not asked. SCPs are left out for a management account and for
 *   service-linked roles, by the caller
 * @returns the decision with the statements that made it; a pure function of its two arguments
 */
export function evaluate(request: AuthorizationRequest, policies: PolicySet): Decision {
  const question: Question = {
    principal: request.principal,
    lowerCaseAction: request.action.toLowerCase(),
    resource: request.resource,
    lookup: lookupOf(request.context),
    hasBoundary: policies.boundary !== undefined,
  };
  const answers = askLayers(question, policies);
  const { principal } = request;
  const sameAccount =
    principal.type !== 'anonymous' &&
    principal.type !== 'service' &&
    (request.resourceAccountId === undefined || request.resourceAccountId === principal.accountId);
  const owner = sameAccount && principal.type === 'root' && OWNER_ALWAYS.has(question.lowerCaseAction);

  const deny = (answer: LayerAnswer, explicit: boolean): Decision => ({
    allowed: false,
    layer: answer.layer,
    explicit,
    citations: explicit ? answer.citations : [],
    layers: answers.map(publicAnswer),
    reason: denialReason(answer.layer, explicit, request.action),
  });
  const allow = (layer: Decision['layer'], citations: readonly Citation[]): Decision => ({
    allowed: true,
    layer,
    explicit: false,
    citations,
    layers: answers.map(publicAnswer),
    reason: '',
  });

  for (const answer of answers) {
    if (answer.outcome === 'explicit-deny' && !(owner && answer.layer === 'resource')) return deny(answer, true);
  }
  const of = (layer: PolicyLayer) => answers.find((answer) => answer.layer === layer);
  for (const layer of ['endpoint', 'scp', 'rcp'] as const) {
    const gate = of(layer);
    if (gate?.outcome === 'implicit-deny') return deny(gate, false);
  }
  if (owner) return allow('owner', []);

  const trust = of('trust');
  const resource = trust ?? of('resource') ?? missing('resource');
  const resourceAllows = resource.outcome === 'allow';
  const boundary = of('boundary') ?? missing('boundary');
  const session = of('session') ?? missing('session');
  const identity = of('identity') ?? missing('identity');

  // Nobody's own policies speak for an anonymous caller or a service: only the resource's policy can (T6).
  if (principal.type === 'anonymous' || principal.type === 'service') {
    return resourceAllows ? allow(resource.layer, resource.citations) : deny(resource, false);
  }
  const identityAllows = principal.type === 'root' || identity.outcome === 'allow';
  const limited = (): LayerAnswer | undefined =>
    boundary.outcome === 'implicit-deny' ? boundary : session.outcome === 'implicit-deny' ? session : undefined;

  if (!sameAccount) {
    if (!identityAllows) return deny(identity, false);
    const limit = limited();
    if (limit) return deny(limit, false);
    return resourceAllows ? allow(resource.layer, resource.citations) : deny(resource, false);
  }
  const match = resourceAllows ? resource.match : undefined;
  if (match === 'exact' || match === 'any') return allow(resource.layer, resource.citations);
  // A trust policy must itself allow; an account in it only delegates (E1).
  if (trust && !resourceAllows) return deny(trust, false);
  const byRole = match === 'role';
  if (!byRole && !identityAllows) return deny(identity, false);
  const limit = limited();
  if (limit) return deny(limit, false);
  if (byRole) return allow(resource.layer, resource.citations);
  return principal.type === 'root' ? allow('root', []) : allow('identity', identity.citations);
}

function publicAnswer({ layer, outcome, citations, at }: LayerAnswer): Decision['layers'][number] {
  return at === undefined ? { layer, outcome, citations } : { layer, outcome, citations, at };
}

function missing(layer: PolicyLayer): LayerAnswer {
  // An absent boundary or session policy limits nothing; an absent identity or resource policy grants nothing.
  return { layer, outcome: 'not-applicable', citations: [] };
}

function askLayers(question: Question, policies: PolicySet): LayerAnswer[] {
  const answers: LayerAnswer[] = [];
  for (const layer of LAYER_ORDER) {
    const answer = askLayer(layer, question, policies);
    if (answer) answers.push(answer);
  }
  return answers;
}

function askLayer(layer: PolicyLayer, question: Question, policies: PolicySet): LayerAnswer | undefined {
  switch (layer) {
    case 'scp':
    case 'rcp': {
      const levels = layer === 'scp' ? policies.scps : policies.rcps;
      return levels && askLevels(layer, levels, question);
    }
    case 'identity':
      // Root and callers from outside have no identity policies; to ask them would report a denial that nobody made (E3).
      return question.principal.type === 'root' ||
        question.principal.type === 'anonymous' ||
        question.principal.type === 'service'
        ? undefined
        : askUnion(layer, policies.identity, question);
    case 'session':
      return policies.session && policies.session.length > 0 ? askUnion(layer, policies.session, question) : undefined;
    case 'resource':
    case 'boundary':
    case 'endpoint':
    case 'trust': {
      const source = policies[layer];
      return source && askUnion(layer, [source], question);
    }
  }
}

/** Every level must allow on its own, and none may deny. */
function askLevels(layer: 'scp' | 'rcp', levels: readonly PolicyLevel[], question: Question): LayerAnswer {
  const answers = levels.map(({ at, policies }) => ({ ...askUnion(layer, policies, question), at }));
  const denials = answers.filter((answer) => answer.outcome === 'explicit-deny');
  if (denials[0]) {
    const citations = denials.flatMap((answer) => answer.citations);
    return { layer, outcome: 'explicit-deny', citations, at: denials[0].at };
  }
  const silent = answers.find((answer) => answer.outcome === 'implicit-deny');
  if (silent) return { layer, outcome: 'implicit-deny', citations: [], at: silent.at };
  return { layer, outcome: 'allow', citations: answers.flatMap((answer) => answer.citations) };
}

function askUnion(layer: PolicyLayer, sources: readonly PolicySource[], question: Question): LayerAnswer {
  const allows: Citation[] = [];
  const denies: Citation[] = [];
  let match: PrincipalMatch | undefined;
  for (const source of sources) {
    for (const compiled of compileDocument(source.document)) {
      const denying = compiled.statement.effect === 'Deny';
      // W10 is about what an account in an endpoint policy grants; a Deny that names the account is for everyone in it.
      const reading: PrincipalReading = layer === 'endpoint' && !denying ? 'endpoint' : 'resource';
      const applied = compiled.applies(question, reading);
      if (applied === undefined) continue;
      (denying ? denies : allows).push(cite(layer, source, compiled));
      if (!denying) match = stronger(match, applied);
    }
  }
  if (denies.length > 0) return { layer, outcome: 'explicit-deny', citations: denies };
  if (allows.length === 0) return { layer, outcome: 'implicit-deny', citations: [] };
  return { layer, outcome: 'allow', citations: allows, ...(match && { match }) };
}

function cite(layer: PolicyLayer, source: PolicySource, compiled: CompiledStatement): Citation {
  return { layer, policyId: source.id, statement: compiled.statement };
}

const STRENGTH: Readonly<Record<PrincipalMatch, number>> = { account: 0, role: 1, any: 2, exact: 3 };

function stronger(one: PrincipalMatch | undefined, other: PrincipalMatch): PrincipalMatch {
  return one !== undefined && STRENGTH[one] >= STRENGTH[other] ? one : other;
}
