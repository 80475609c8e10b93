// Are the names in a statement of a policy with principals well formed? The checks of M1–M4 that AWS makes when a resource, trust or endpoint policy or an
// RCP is written; documents of IAM's own form have theirs in identity-elements.ts.

import type { ElementPair, Fail, ParseOptions } from './document.ts';
import type { PolicyFailure } from './document-errors.ts';
import { accountOf } from './match.ts';
import type { PrincipalElement } from './types.ts';

const PRINCIPAL_ARN =
  /^arn:[a-z0-9-]+:(?:iam::\d{12}:(?:root|user\/.+|role\/.+)|sts::\d{12}:(?:assumed-role\/[^/]+\/.+|federated-user\/.+)|iam::cloudfront:user\/.+)$/;
/** The names of services end in a partition's domain. Which names there are under it is AWS's to know, and not checked. */
const SERVICE_NAME =
  /^[a-z0-9-]+(\.[a-z0-9-]+)*\.(amazonaws\.(com(\.cn)?|eu)|aws\.internal|c2s\.ic\.gov|sc2s\.sgov\.gov|csp\.hci\.ic\.gov|cloud\.adc-e\.uk)$/;
/** A domain, with or without a path, or a provider's ARN (public logs; which of them there are is not checked). */
const FEDERATED =
  /^(?:[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:[/:].*)?|arn:[a-z0-9-]+:iam::\d{12}:(?:saml|oidc)-provider\/.+|\*)$/i;
const UNIQUE_ID = /^(?:AIDA|AROA)[A-Z0-9]{10,}$/;

/** No partial wildcards in a principal (M3). */
export function checkPrincipal(
  element: PrincipalElement,
  options: ParseOptions,
  fail: Fail,
): PolicyFailure | undefined {
  for (const name of element.aws) {
    if (name === '*') continue;
    const wellFormed =
      accountOf(name) !== undefined || (PRINCIPAL_ARN.test(name) && !/[*?]/.test(name)) || UNIQUE_ID.test(name);
    if (!wellFormed || options.principalExists?.(name) === false) return fail('principal', `"AWS":"${name}"`);
  }
  for (const name of element.service) {
    if (!SERVICE_NAME.test(name)) return fail('principal', `"SERVICE":"${name}"`);
  }
  if (options.kind === 'trust' && !element.federated.every((name) => FEDERATED.test(name))) return fail('federated');
  for (const name of element.canonicalUser) {
    if (!/^[0-9a-f]{64}$/.test(name)) return fail('principal', `"CanonicalUser":"${name}"`);
  }
  return undefined;
}

const TRUST_ACTIONS: readonly RegExp[] = [
  /^sts:(assumerole|assumerolewithsaml|assumerolewithwebidentity|tagsession|setsourceidentity|setcontext)$/i,
  /^sts:(\*|assumerole\*)$/i,
];

/** `*`, or a service's prefix without wildcards, a colon and a name (M1). */
export function checkActions(actions: ElementPair, options: ParseOptions, fail: Fail): PolicyFailure | undefined {
  const list = actions.listed ?? actions.excluded;
  if (!list || list.length === 0) return fail('missing-action');
  for (const action of list) {
    if (action === '*') {
      if (options.kind === 'trust') return fail('trust-action');
      continue;
    }
    const match = /^([^:]*):([A-Za-z0-9*?]+)$/.exec(action);
    if (!match) return fail('action', action);
    if (!/^[A-Za-z0-9-]+$/.test(match[1] ?? '')) return fail('action-vendor', match[1]);
    if (options.kind === 'trust' && !TRUST_ACTIONS.some((allowed) => allowed.test(action))) return fail('trust-action');
    if (options.actionExists?.(action) === false) return fail('action', action);
  }
  return undefined;
}

export function checkResources(
  resources: ElementPair,
  actions: ElementPair,
  options: ParseOptions,
  fail: Fail,
): PolicyFailure | undefined {
  const list = resources.listed ?? resources.excluded;
  if (options.kind === 'trust') {
    return list ? fail('prohibited-resource', resources.listed ? 'Resource' : 'NotResource') : undefined;
  }
  if (!list || list.length === 0) return fail('missing-resource');
  for (const resource of list) {
    if (resource === '*') {
      // A bucket policy must name its bucket, also in an Allow to everything.
      if (options.resourceFits?.(resource) === false) return fail('resource', resource);
      continue;
    }
    const parts = resource.split(':');
    if (parts[0] !== 'arn' || parts.length < 3) {
      // `arn*` and the like; a resource of stars alone is `*`.
      if (/^\*+$/.test(resource)) continue;
      return fail('resource', resource);
    }
    if (/[*?]/.test(parts[2] ?? '') && parts.length > 3) return fail('resource-vendor', resource);
    if (options.resourceFits?.(resource) === false) return fail('resource', resource);
  }
  if (actions.listed && resources.listed && options.actionsApply?.(actions.listed, resources.listed) === false) {
    return fail('not-applicable');
  }
  return undefined;
}
