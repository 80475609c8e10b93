// From JSON text to a checked document: does AWS take this policy, and if not, what does it answer?
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html (read 2026-11-21)
// Order: size, JSON, then the form of the document and of every statement, then the names in them: IAM's own policies as a whole
// (identity-elements.ts), others statement by statement (elements.ts). As at AWS, any text may stand for a condition key in IAM's policies:
// only Access Analyzer warns of those that there are not. A resource policy's keys must at least look like keys.

import { parseOperator } from './conditions.ts';
import { type PolicyFailure, type PolicyKind, type Problem, policyFailure } from './document-errors.ts';
import { hasDuplicateKeys } from './duplicate-keys.ts';
import { checkActions, checkPrincipal, checkResources } from './elements.ts';
import { checkIdentityElements } from './identity-elements.ts';
import type { Condition, PolicyDocument, PrincipalElement, Statement } from './types.ts';

export type { PolicyFailure, PolicyKind } from './document-errors.ts';

/** AWS's limits. IAM counts without white space, the others every byte. Inline limits are sums over one user, group or role. */
export const POLICY_SIZE = {
  managedPolicy: 6144,
  userInline: 2048,
  groupInline: 5120,
  roleInline: 10240,
  trustPolicy: 2048,
  sessionPolicy: 2048,
  bucketPolicy: 20480,
  endpointPolicy: 20480,
  serviceControlPolicy: 5120,
} as const;

export interface ParseOptions {
  readonly kind: PolicyKind;
  /** A customer managed policy: must have version 2012-10-17 and has a size of its own. */
  readonly managed?: boolean;
  /** Instead of the kind's own limit, in characters as the kind counts them; IAM's quota for trust policies can be raised. */
  readonly maxSize?: number;
  /** The text was taken when it was written: only its form is read. What AWS refuses today must not lock out what was kept yesterday. */
  readonly stored?: boolean;
  /** Resource policies: is this resource under the policy's own one? (`Policy has invalid resource`) */
  readonly resourceFits?: (resource: string) => boolean;
  /** Is there such an action? A pattern with wildcards is asked too. */
  readonly actionExists?: (pattern: string) => boolean;
  /** Does any of the actions work on any of the resources? (T4) */
  readonly actionsApply?: (actions: readonly string[], resources: readonly string[]) => boolean;
  /** What S3 finds wrong with a condition, beside the actions of its statement (undefined: NotAction). */
  readonly conditionFault?: (actions: readonly string[] | undefined, condition: Condition) => Problem | undefined;
  /** Is there such a user, role or account? Asked with what the policy names. */
  readonly principalExists?: (name: string) => boolean;
}

export type ParsedPolicy = { readonly ok: true; readonly document: PolicyDocument } | PolicyFailure;

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** How IAM counts a policy's size: characters without white space. */
export function policyLength(text: string): number {
  return text.replace(/[\t\n\r ]/g, '').length;
}

/**
 * Parses and checks a policy.
 * @returns the document, or the failure with AWS's code and words for this kind of policy
 */
export function parsePolicy(text: string, options: ParseOptions): ParsedPolicy {
  const fail: Fail = (problem, detail) => policyFailure(options.kind, problem, detail);
  const oversize = checkSize(text, options, fail);
  if (oversize) return oversize;
  // S3 looks at the first byte, so that not even white space may stand before it.
  if (options.kind === 'resource' && !text.startsWith('{')) return fail('json');
  const parsed = parseJson(text);
  if (parsed === undefined || !isObject(parsed)) return fail('json');
  // Recorded: what is no JSON at all is told so, white space before it or not.
  if (/^\s/.test(text)) {
    const refusing = options.kind === 'identity' || options.kind === 'trust';
    if (refusing) return fail('leading-space');
  }
  if (hasDuplicateKeys(text)) return fail('json');
  for (const key of Object.keys(parsed)) {
    if (key !== 'Version' && key !== 'Id' && key !== 'Statement') return fail('unknown-field', key);
  }
  const version = parsed.Version ?? '2008-10-17';
  if (version !== '2012-10-17' && version !== '2008-10-17') return fail('version');
  if (parsed.Id !== undefined && typeof parsed.Id !== 'string') return fail('shape');
  if (parsed.Statement === undefined) return fail('missing-statement');
  const items = Array.isArray(parsed.Statement) ? parsed.Statement : [parsed.Statement];
  if (items.length === 0) return fail('empty-statement');

  const statements: Statement[] = [];
  for (const [index, item] of items.entries()) {
    if (!isObject(item)) return fail('shape');
    const statement = parseStatement(item, index, options, fail);
    if ('ok' in statement) return statement;
    statements.push(statement);
  }
  if (options.managed === true && version !== '2012-10-17') return fail('old-version');
  if (options.stored === true) return taken(version, parsed.Id, statements);
  const bad = IAMS_OWN.has(options.kind)
    ? checkIdentityElements(items, statements, options.kind, fail)
    : (checkEach(statements, options, fail) ?? checkSidsDiffer(statements, fail));
  return bad ?? taken(version, parsed.Id, statements);
}

function taken(
  version: PolicyDocument['version'],
  id: Json | undefined,
  statements: readonly Statement[],
): ParsedPolicy {
  return { ok: true, document: { version, ...(typeof id === 'string' && { id }), statements } };
}

/** Documents of IAM's own form: without a principal, read as a whole. */
const IAMS_OWN: ReadonlySet<PolicyKind> = new Set(['identity', 'session', 'scp']);

function checkEach(statements: readonly Statement[], options: ParseOptions, fail: Fail): PolicyFailure | undefined {
  for (const statement of statements) {
    const { principal, notPrincipal, actions, notActions, resources, notResources, conditions } = statement;
    const element = principal ?? notPrincipal;
    const action: ElementPair = { ...(actions && { listed: actions }), ...(notActions && { excluded: notActions }) };
    const resource: ElementPair = {
      ...(resources && { listed: resources }),
      ...(notResources && { excluded: notResources }),
    };
    const bad =
      (element && checkPrincipal(element, options, fail)) ??
      checkActions(action, options, fail) ??
      checkResources(resource, action, options, fail);
    if (bad) return bad;
    for (const condition of conditions) {
      const fault = options.conditionFault?.(actions, condition);
      if (fault) return fail(fault, condition.key);
    }
  }
  return undefined;
}

export function checkSidsDiffer(statements: readonly Statement[], fail: Fail): PolicyFailure | undefined {
  const sids = statements.flatMap(({ sid }) => (sid === undefined || sid === '' ? [] : [sid]));
  return new Set(sids).size < sids.length ? fail('sid-duplicate') : undefined;
}

export type Fail = (problem: Parameters<typeof policyFailure>[1], detail?: string) => PolicyFailure;

function checkSize(text: string, options: ParseOptions, fail: Fail): PolicyFailure | undefined {
  const limit = (max: number, size: number) => {
    const allowed = options.maxSize ?? max;
    return size > allowed ? fail('size', String(allowed)) : undefined;
  };
  switch (options.kind) {
    case 'identity':
      return options.managed === true ? limit(POLICY_SIZE.managedPolicy, policyLength(text)) : undefined;
    case 'trust':
      return limit(POLICY_SIZE.trustPolicy, policyLength(text));
    case 'resource':
      return limit(POLICY_SIZE.bucketPolicy, text.length);
    case 'endpoint':
      return limit(POLICY_SIZE.endpointPolicy, text.length);
    case 'scp':
    case 'rcp':
      return limit(POLICY_SIZE.serviceControlPolicy, text.length);
    case 'session':
      // STS answers a too large session policy itself (PackedPolicyTooLarge, with a percentage).
      return undefined;
  }
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const STATEMENT_FIELDS: ReadonlySet<string> = new Set([
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
]);

/** Bucket and endpoint policies take any text as Sid; IAM takes letters and digits. */
const FREE_SID: ReadonlySet<PolicyKind> = new Set(['resource', 'endpoint']);

function parseStatement(
  item: { [key: string]: Json },
  index: number,
  options: ParseOptions,
  fail: Fail,
): Statement | PolicyFailure {
  for (const key of Object.keys(item)) if (!STATEMENT_FIELDS.has(key)) return fail('unknown-field', key);
  const { Sid: sid, Effect: effect } = item;
  if (sid !== undefined && typeof sid !== 'string') return fail('shape');
  if (sid !== undefined && !FREE_SID.has(options.kind) && !/^[0-9A-Za-z]*$/.test(sid)) return fail('sid-format');
  if (effect === undefined) return fail('missing-effect');
  const known = EFFECTS.find((one) => one === effect || (IAMS_OWN.has(options.kind) && sameText(one, effect)));
  if (!known) return fail('effect', typeof effect === 'string' ? effect : '');

  const principals = parsePrincipals(item, known, options, fail);
  if ('ok' in principals) return principals;
  const actions = parsePair(item, 'Action', 'NotAction', fail);
  if ('ok' in actions) return actions;
  const resources = parsePair(item, 'Resource', 'NotResource', fail);
  if ('ok' in resources) return resources;
  const conditions = parseConditions(item.Condition, options.kind, fail);
  if ('ok' in conditions) return conditions;

  return {
    index,
    ...(sid !== undefined && { sid }),
    effect: known,
    ...principals,
    ...(actions.listed && { actions: actions.listed }),
    ...(actions.excluded && { notActions: actions.excluded }),
    ...(resources.listed && { resources: resources.listed }),
    ...(resources.excluded && { notResources: resources.excluded }),
    conditions: conditions.list,
  };
}

const EFFECTS = ['Allow', 'Deny'] as const;

function sameText(text: string, value: Json): boolean {
  return typeof value === 'string' && value.toLowerCase() === text.toLowerCase();
}

/** An element and its complement; never both. */
export interface ElementPair {
  readonly listed?: readonly string[];
  readonly excluded?: readonly string[];
}

function parsePair(
  item: { [key: string]: Json },
  name: string,
  complement: string,
  fail: Fail,
): ElementPair | PolicyFailure {
  if (item[name] !== undefined && item[complement] !== undefined) return fail('shape');
  const listed = stringsOf(item[name]);
  const excluded = stringsOf(item[complement]);
  if (listed === 'wrong' || excluded === 'wrong') return fail('shape');
  return { ...(listed && { listed }), ...(excluded && { excluded }) };
}

function stringsOf(value: Json | undefined): string[] | undefined | 'wrong' {
  if (value === undefined) return undefined;
  const list = Array.isArray(value) ? value : [value];
  return list.every((one): one is string => typeof one === 'string') ? list : 'wrong';
}

const WITH_PRINCIPAL: ReadonlySet<PolicyKind> = new Set(['resource', 'trust', 'endpoint', 'rcp']);

function parsePrincipals(
  item: { [key: string]: Json },
  effect: 'Allow' | 'Deny',
  options: ParseOptions,
  fail: Fail,
): Pick<Statement, 'principal' | 'notPrincipal'> | PolicyFailure {
  const { Principal: named, NotPrincipal: spared } = item;
  if (named !== undefined && spared !== undefined) return fail('shape');
  if (!WITH_PRINCIPAL.has(options.kind))
    return named !== undefined || spared !== undefined ? fail('prohibited-principal') : {};
  if (named === undefined && spared === undefined) return fail('missing-principal');
  // NotPrincipal is for Deny (M4), and not for control policies.
  if (spared !== undefined && (effect === 'Allow' || options.kind === 'rcp')) return fail('not-principal-allow');
  const element = parsePrincipalElement(named ?? spared, fail);
  if ('ok' in element) return element;
  if (options.kind === 'rcp' && !element.any) return fail('principal', '');
  return named !== undefined ? { principal: element } : { notPrincipal: element };
}

const PRINCIPAL_FIELDS: Readonly<Record<string, 'aws' | 'service' | 'federated' | 'canonicalUser'>> = {
  AWS: 'aws',
  Service: 'service',
  Federated: 'federated',
  CanonicalUser: 'canonicalUser',
};

function parsePrincipalElement(value: Json | undefined, fail: Fail): PrincipalElement | PolicyFailure {
  if (value === '*') return { any: true, aws: ['*'], service: [], federated: [], canonicalUser: [] };
  if (!isObject(value)) return fail('principal', typeof value === 'string' ? `"AWS":"${value}"` : '');
  const lists: Record<'aws' | 'service' | 'federated' | 'canonicalUser', string[]> = {
    aws: [],
    service: [],
    federated: [],
    canonicalUser: [],
  };
  for (const [key, names] of Object.entries(value)) {
    const list = Object.hasOwn(PRINCIPAL_FIELDS, key) ? PRINCIPAL_FIELDS[key] : undefined;
    const texts = stringsOf(names);
    if (!list || texts === undefined || texts === 'wrong')
      return fail('principal', `"${key}":"${typeof names === 'string' ? names : ''}"`);
    lists[list].push(...texts);
  }
  if (Object.values(lists).every((list) => list.length === 0)) return fail('principal', '');
  return { any: lists.aws.includes('*'), ...lists };
}

function parseConditions(value: Json | undefined, kind: PolicyKind, fail: Fail): { list: Condition[] } | PolicyFailure {
  if (value === undefined) return { list: [] };
  if (!isObject(value)) return fail('shape');
  const list: Condition[] = [];
  for (const [operator, keys] of Object.entries(value)) {
    if (!isObject(keys)) return fail('shape');
    // Without a key under it, nothing is asked, and IAM takes any word.
    if (IAMS_OWN.has(kind) && Object.keys(keys).length === 0) continue;
    const parsed = parseOperator(operator);
    if (!parsed) return fail('condition-operator', operator);
    for (const [key, given] of Object.entries(keys)) {
      // An identity provider's keys begin with its host and path: `oidc.example.com/id/1:sub`.
      if (!IAMS_OWN.has(kind) && !/^[\w./-]+:[^\s].*$/.test(key)) return fail('condition', key);
      const values = conditionValues(given);
      if (!values) return fail('shape');
      if (!IAMS_OWN.has(kind) && parsed.base === 'Null' && !values.every((one) => /^(true|false)$/i.test(one)))
        return fail('shape');
      list.push({ operator, key, values });
    }
  }
  return { list };
}

/** Numbers and truth values may be written without quotes. */
function conditionValues(value: Json): string[] | undefined {
  const list = Array.isArray(value) ? value : [value];
  const values: string[] = [];
  for (const one of list) {
    if (typeof one !== 'string' && typeof one !== 'number' && typeof one !== 'boolean') return undefined;
    values.push(String(one));
  }
  return values;
}
