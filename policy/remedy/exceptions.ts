// How can a Deny let one request pass and go on denying everything else? The statement is split by what its lists say: the entries of Action and
// Resource that do not match the request stay as they are; of those that do, a part is made that does not apply to this caller.

import { compileGlob } from '../pattern.ts';
import type {
  AuthorizationRequest,
  Citation,
  Condition,
  PolicySet,
  PolicySource,
  PrincipalElement,
  Statement,
} from '../types.ts';
import { fitOf } from './fit.ts';
import type { Choice } from './remedies.ts';
import { literal } from './render.ts';

/** Conditions on these are put into a Deny to keep something out: the way, the encryption, the organization, a second factor. */
const guardKeys: ReadonlySet<string> = new Set([
  'aws:sourcevpce',
  'aws:sourcevpc',
  'aws:sourceip',
  'aws:vpcsourceip',
  'aws:securetransport',
  'aws:multifactorauthpresent',
  'aws:multifactorauthage',
  'aws:principalorgid',
  'aws:principalorgpaths',
  'aws:principalaccount',
  'aws:resourceaccount',
  'aws:requestedregion',
  's3:x-amz-server-side-encryption',
  's3:tlsversion',
]);

/** Whether any of the actions works on any of the resources: a part of a statement that means nothing is refused by services, and nobody misses it. */
export type Applies = (actions: readonly string[], resources: readonly string[]) => boolean;

/** The narrowest first. Empty where the language has no exception. */
export function exceptions(
  citation: Citation,
  request: AuthorizationRequest,
  policies: PolicySet,
  applies: Applies = () => true,
): Choice[] {
  const { layer, policyId, statement } = citation;
  const guard = guardWords(statement);
  const replace = (what: string, statements: readonly Statement[]): Choice => ({
    what,
    edits: [{ kind: 'replace', layer, policyId, index: statement.index, statements: named(statement, statements) }],
    ...(guard !== undefined && { guard }),
  });
  const { rest: parts, core } = split(statement, request);
  const rest = parts.filter(
    ({ actions = [], resources = [] }) => actions.length === 0 || resources.length === 0 || applies(actions, resources),
  );
  const choices: Choice[] = [];
  if (statement.notPrincipal) {
    const spared = sparedBy(statement.notPrincipal, request, policies);
    if (spared) choices.push(replace('name the caller in NotPrincipal', [{ ...statement, notPrincipal: spared }]));
  }
  // A policy that is one caller's own needs no exception by name.
  const isOwn = layer === 'identity' || layer === 'boundary';
  const isWholeCore = core.actions?.length === 1 && core.actions[0] === request.action && isLiteral(core, request);
  // The last statement of a policy is not taken out: nothing would be left of it.
  const isLast =
    rest.length === 0 &&
    sourcesOf(layer, policies).some(({ id, document }) => id === policyId && document.statements.length === 1);
  if (isWholeCore && isOwn && !isLast)
    choices.push(replace('leave this action on this resource out of the statement', rest));
  const isOnAll = isOwn && core.resources?.length === 1 && core.resources[0] === '*';
  if (isOnAll && core.actions?.length === 1 && core.actions[0] === request.action && request.resource !== '*') {
    const { resources: _all, ...elsewhere } = core;
    choices.push(
      replace('except this resource', [...rest, { ...elsewhere, notResources: [literal(request.resource)] }]),
    );
  }
  const arn = request.context.get('aws:principalarn')?.[0];
  if (arn !== undefined) {
    const condition: Condition = { operator: 'ArnNotEquals', key: 'aws:PrincipalArn', values: [arn] };
    choices.push(replace(`except ${arn}`, [...rest, withCondition(core, condition)]));
  }
  for (const { condition, value } of openValues(statement, request)) {
    const wider = { ...condition, values: [...condition.values, value] };
    const conditions = core.conditions.map((one) => (one === condition ? wider : one));
    choices.push(replace(`also take ${condition.key} = ${value}`, [...rest, { ...core, conditions }]));
  }
  if (arn === undefined) {
    const [ip] = request.context.get('aws:sourceip') ?? [];
    const condition: Condition = { operator: 'NotIpAddress', key: 'aws:SourceIp', values: [`${ip}/32`] };
    if (ip !== undefined && !ip.includes(':'))
      choices.push(replace(`except what comes from ${ip}`, [...rest, withCondition(core, condition)]));
  }
  return choices.filter(
    ({ edits: [edit] }) => edit?.kind === 'replace' && edit.statements.every(isApart(request, policies, citation)),
  );
}

/** The part of a Deny that a request is caught by, and the parts that it is not. Several statements may not carry one Sid. */
function split(
  statement: Statement,
  { action, resource }: AuthorizationRequest,
): { rest: Statement[]; core: Statement } {
  const lowered = action.toLowerCase();
  const [actions, otherActions] = parted(statement.actions, (one) => compileGlob(one.toLowerCase())(lowered));
  // A pattern with a variable is not taken apart: what it stands for depends on the request.
  const [resources, otherResources] = parted(
    statement.resources,
    (one) => one.includes('${') || !one.startsWith('arn:') || compileGlob(one)(resource),
  );
  const rest: Statement[] = [];
  if (otherActions.length > 0) rest.push({ ...statement, actions: otherActions });
  if (otherResources.length > 0)
    rest.push({ ...statement, ...(actions.length > 0 && { actions }), resources: otherResources });
  const core = {
    ...statement,
    ...(actions.length > 0 && { actions }),
    ...(resources.length > 0 && { resources }),
  };
  return { rest, core };
}

function parted(list: readonly string[] | undefined, fits: (one: string) => boolean): [string[], string[]] {
  const all = list ?? [];
  const matching = all.filter(fits);
  return matching.length === 0 ? [[...all], []] : [matching, all.filter((one) => !matching.includes(one))];
}

function isLiteral({ resources }: Statement, { resource }: AuthorizationRequest): boolean {
  return resources?.length === 1 && resources[0] === resource;
}

function withCondition(statement: Statement, added: Condition): Statement {
  const same = statement.conditions.find(
    ({ operator, key }) => operator === added.operator && key.toLowerCase() === added.key.toLowerCase(),
  );
  const conditions =
    same === undefined
      ? [...statement.conditions, added]
      : // One operator has one list per key; of a negated one none may match.
        statement.conditions.map((one) => (one === same ? { ...one, values: [...one.values, ...added.values] } : one));
  return { ...statement, conditions };
}

const negated =
  /^(StringNotEquals|StringNotLike|StringNotEqualsIgnoreCase|NotIpAddress|ArnNotEquals|ArnNotLike)(IfExists)?$/;

/** Conditions that name what is let through, where the request has another value: it can be named too. The caller's own name is an exception already. */
function openValues(
  { conditions }: Statement,
  { context }: AuthorizationRequest,
): { readonly condition: Condition; readonly value: string }[] {
  return conditions.flatMap((condition) => {
    const actual = context.get(condition.key.toLowerCase());
    if (!negated.test(condition.operator) || actual?.length !== 1 || condition.key.toLowerCase() === 'aws:principalarn')
      return [];
    const [value = ''] = actual;
    if (/[*?$]/.test(value)) return [];
    const isAddress = condition.operator.startsWith('NotIpAddress');
    return [{ condition, value: isAddress ? `${value}/${value.includes(':') ? 128 : 32}` : value }];
  });
}

/** M4: the account, and for a role the role and its session, must all be there; a caller with a boundary is never spared. */
function sparedBy(
  element: PrincipalElement,
  { principal }: AuthorizationRequest,
  { boundary }: PolicySet,
): PrincipalElement | undefined {
  if (boundary !== undefined || principal.type === 'anonymous' || principal.type === 'service') return undefined;
  const partition = principal.arn.split(':')[1] ?? 'aws';
  const forms = [
    `arn:${partition}:iam::${principal.accountId}:root`,
    ...(principal.roleArn ? [principal.roleArn] : []),
    principal.arn,
  ];
  return { ...element, aws: [...new Set([...element.aws, ...forms])] };
}

/** Whether a statement no longer touches the request. */
function isApart(request: AuthorizationRequest, policies: PolicySet, { layer }: Citation) {
  return (statement: Statement): boolean => {
    const hasBoundary = policies.boundary !== undefined;
    const fit = fitOf(statement, '2012-10-17', { request, layer, hasBoundary });
    return !(fit.principal && fit.action && fit.resource && fit.failed.length === 0);
  };
}

/** Sids must differ within a document: the part that changed keeps it. */
function named({ sid }: Statement, statements: readonly Statement[]): Statement[] {
  return statements.map((statement, place) => {
    const { sid: _old, ...bare } = statement;
    return sid === undefined || sid === '' || place < statements.length - 1 ? bare : { ...bare, sid };
  });
}

/** What a guarding Deny demands of requests, in words; undefined when it does not look like a guard. */
export function guardWords({ conditions }: Statement): string | undefined {
  const guarding = conditions.filter(({ key }) => guardKeys.has(key.toLowerCase()));
  return guarding.length === 0 ? undefined : guarding.map(demandOf).join(' or ');
}

function demandOf({ operator, key, values }: Condition): string {
  const list = values.join(' or ');
  if (negated.test(operator)) return `${key} = ${list}`;
  if (operator.startsWith('Null')) return `${key} ${values[0] === 'true' ? 'present' : 'absent'}`;
  if (operator.startsWith('Bool')) return `${key} = ${values[0] === 'false' ? 'true' : 'false'}`;
  return `not ${key} ${operator} ${list}`;
}

function sourcesOf(layer: Citation['layer'], { identity, boundary }: PolicySet): readonly PolicySource[] {
  return layer === 'identity' ? identity : layer === 'boundary' && boundary ? [boundary] : [];
}
