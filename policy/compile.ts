// A document made ready to be asked many times: each element becomes a matcher, once per document.
// The order inside a statement is by cost: action, resource, principal, conditions.

import { type CompiledCondition, compileCondition } from './conditions.ts';
import {
  compileActions,
  compileResources,
  matchPrincipal,
  notPrincipalSpares,
  type PrincipalMatch,
  type PrincipalReading,
} from './match.ts';
import type { Lookup } from './pattern.ts';
import type { ConditionContext, PolicyDocument, Principal, PrincipalElement, Statement } from './types.ts';

export interface Question {
  readonly principal: Principal;
  readonly lowerCaseAction: string;
  readonly resource: string;
  readonly lookup: Lookup;
  readonly hasBoundary: boolean;
}

export interface CompiledStatement {
  readonly statement: Statement;
  /** @returns how the statement's principal named the caller (`any` when it has no such element), or undefined when it does not apply */
  readonly applies: (question: Question, reading: PrincipalReading) => PrincipalMatch | undefined;
}

const compiledDocuments = new WeakMap<PolicyDocument, readonly CompiledStatement[]>();

export function compileDocument(document: PolicyDocument): readonly CompiledStatement[] {
  let compiled = compiledDocuments.get(document);
  if (!compiled) {
    const variables = document.version === '2012-10-17';
    compiled = document.statements.map((statement) => compileStatement(statement, variables));
    compiledDocuments.set(document, compiled);
  }
  return compiled;
}

function compileStatement(statement: Statement, variables: boolean): CompiledStatement {
  const action = compileActionElement(statement);
  const resource = compileResourceElement(statement, variables);
  const principal = compilePrincipalElement(statement);
  const conditions: readonly CompiledCondition[] = statement.conditions.map((one) =>
    compileCondition(one, variables, statement.effect),
  );
  return {
    statement,
    applies(question, reading) {
      if (!action(question.lowerCaseAction) || !resource(question.resource, question.lookup)) return undefined;
      const match = principal(question, reading);
      if (match === undefined) return undefined;
      for (const condition of conditions) if (!condition(question.lookup)) return undefined;
      return match;
    },
  };
}

function compileActionElement(statement: Statement): (lowerCaseAction: string) => boolean {
  if (statement.actions) return compileActions(statement.actions);
  if (!statement.notActions) return () => false;
  const listed = compileActions(statement.notActions);
  return (action) => !listed(action);
}

/** A trust policy has no Resource: it is about the role that carries it. */
function compileResourceElement(
  statement: Statement,
  variables: boolean,
): (resource: string, lookup: Lookup) => boolean {
  if (statement.resources) return compileResources(statement.resources, variables);
  if (!statement.notResources) return () => true;
  const listed = compileResources(statement.notResources, variables);
  return (resource, lookup) => !listed(resource, lookup);
}

function compilePrincipalElement(
  statement: Statement,
): (question: Question, reading: PrincipalReading) => PrincipalMatch | undefined {
  const named: PrincipalElement | undefined = statement.principal;
  if (named) return (question, reading) => matchPrincipal(named, question.principal, reading);
  const spared = statement.notPrincipal;
  if (!spared) return () => 'any';
  return (question) => (notPrincipalSpares(spared, question.principal, question.hasBoundary) ? undefined : 'any');
}

/** A mark on the map itself: a WeakSet of contexts, one per decision, costs the collector more than the decision. */
const lowerCase = Symbol('every key is in lower case');

/** Says that every key of a context is in lower case, so that it is not looked through again on each decision. @returns the context */
export function lowerCaseContext<C extends ConditionContext>(context: C): C {
  (context as C & { [lowerCase]?: boolean })[lowerCase] = true;
  return context;
}

/** Reads a context by lower-case key, whatever case its own keys have (O4). */
export function lookupOf(context: ConditionContext): Lookup {
  if ((context as ConditionContext & { [lowerCase]?: boolean })[lowerCase]) return (key) => context.get(key);
  let lowered: ReadonlyMap<string, readonly string[]> | undefined;
  return (key) => {
    lowered ??= lowerCaseKeys(context);
    return lowered.get(key);
  };
}

function lowerCaseKeys(context: ConditionContext): ReadonlyMap<string, readonly string[]> {
  let mixed = false;
  for (const key of context.keys()) {
    if (key !== key.toLowerCase()) {
      mixed = true;
      break;
    }
  }
  if (!mixed) return context;
  const lowered = new Map<string, readonly string[]>();
  for (const [key, values] of context) lowered.set(key.toLowerCase(), values);
  return lowered;
}
