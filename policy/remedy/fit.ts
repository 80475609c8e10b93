// Which elements of a statement fit a request, one by one? A statement that nearly allowed is what a person wants to see: the action fits, the
// resource does not (T4), or one condition failed because of the way the request came.
// Each element is asked as a statement of its own, by the engine itself; off the way of requests, so cost does not matter.

import { compileDocument, lookupOf } from '../compile.ts';
import type { PrincipalReading } from '../match.ts';
import type { AuthorizationRequest, Condition, PolicyLayer, PolicySource, Statement } from '../types.ts';

export interface Fit {
  readonly statement: Statement;
  readonly principal: boolean;
  readonly action: boolean;
  readonly resource: boolean;
  /** The conditions that were not true, with the values that the request had; undefined: the key was absent. */
  readonly failed: readonly { readonly condition: Condition; readonly actual: readonly string[] | undefined }[];
}

export interface FitQuestion {
  readonly request: AuthorizationRequest;
  readonly layer: PolicyLayer;
  readonly hasBoundary: boolean;
}

/** How each statement of a source fits. @param question the request, and how the source's layer reads principals */
export function fitsOf(source: PolicySource, question: FitQuestion): Fit[] {
  return source.document.statements.map((statement) => fitOf(statement, source.document.version, question));
}

export function fitOf(
  statement: Statement,
  version: PolicySource['document']['version'],
  { request, layer, hasBoundary }: FitQuestion,
): Fit {
  const lookup = lookupOf(request.context);
  const reading: PrincipalReading = layer === 'endpoint' && statement.effect === 'Allow' ? 'endpoint' : 'resource';
  const everything = { index: 0, effect: statement.effect, actions: ['*'], conditions: [] } as const;
  const applies = (part: Statement) => {
    const [compiled] = compileDocument({ version, statements: [part] });
    const question = {
      principal: request.principal,
      lowerCaseAction: request.action.toLowerCase(),
      resource: request.resource,
      lookup,
      hasBoundary,
    };
    return compiled?.applies(question, reading) !== undefined;
  };
  const { principal, notPrincipal, actions, notActions, resources, notResources } = statement;
  const who = { ...(principal && { principal }), ...(notPrincipal && { notPrincipal }) };
  const what = actions ? { actions } : { ...(notActions && { notActions }) };
  const which = { ...(resources && { resources }), ...(notResources && { notResources }) };
  return {
    statement,
    principal: applies({ ...everything, ...who }),
    action: applies({ index: 0, effect: statement.effect, conditions: [], ...what }),
    resource: applies({ ...everything, ...which }),
    failed: statement.conditions
      .filter((condition) => !applies({ ...everything, conditions: [condition] }))
      .map((condition) => ({ condition, actual: lookup(condition.key.toLowerCase()) })),
  };
}

/** The Allow that came nearest: its action fits and one other element does not; fewer misses first. */
export function nearestAllow(fits: readonly Fit[]): Fit | undefined {
  const misses = (fit: Fit) => Number(!fit.principal) + Number(!fit.resource) + fit.failed.length;
  return fits
    .filter((fit) => fit.statement.effect === 'Allow' && fit.action && misses(fit) > 0)
    .sort((one, other) => misses(one) - misses(other))[0];
}
