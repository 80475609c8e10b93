// A statement back into the JSON that a policy is written in. What is read again by `parsePolicy` means the same; the form is the shortest.

import type { Condition, PrincipalElement, Statement } from '../types.ts';

export type JsonStatement = Readonly<Record<string, unknown>>;

export function renderStatement(statement: Statement): JsonStatement {
  const { sid, effect, principal, notPrincipal, actions, notActions, resources, notResources, conditions } = statement;
  return {
    ...(sid !== undefined && { Sid: sid }),
    Effect: effect,
    ...(principal && { Principal: renderPrincipal(principal) }),
    ...(notPrincipal && { NotPrincipal: renderPrincipal(notPrincipal) }),
    ...(actions && { Action: oneOrMany(actions) }),
    ...(notActions && { NotAction: oneOrMany(notActions) }),
    ...(resources && { Resource: oneOrMany(resources) }),
    ...(notResources && { NotResource: oneOrMany(notResources) }),
    ...(conditions.length > 0 && { Condition: renderConditions(conditions) }),
  };
}

function renderPrincipal({ any, aws, service, federated, canonicalUser }: PrincipalElement): unknown {
  const named = {
    ...(aws.length > 0 && { AWS: oneOrMany(aws) }),
    ...(service.length > 0 && { Service: oneOrMany(service) }),
    ...(federated.length > 0 && { Federated: oneOrMany(federated) }),
    ...(canonicalUser.length > 0 && { CanonicalUser: oneOrMany(canonicalUser) }),
  };
  const isStar = any && aws.every((name) => name === '*') && Object.keys(named).length <= 1;
  return isStar ? '*' : named;
}

function renderConditions(conditions: readonly Condition[]): Record<string, Record<string, unknown>> {
  const rendered: Record<string, Record<string, unknown>> = {};
  for (const { operator, key, values } of conditions) {
    const keys = rendered[operator] ?? {};
    keys[key] = oneOrMany(values);
    rendered[operator] = keys;
  }
  return rendered;
}

function oneOrMany(values: readonly string[]): unknown {
  return values.length === 1 ? values[0] : values;
}

/** A resource as a pattern that matches it alone: a key may hold a star. `*` alone is how an action without a resource is asked. */
export function literal(resource: string): string {
  // `…:instance/*` is how what has no id yet is asked for; in S3 a star is a letter of a key.
  const unborn = /^arn:[\w-]+:(?!s3:)[^*?$]*\/(?=\*$)/.exec(resource)?.[0];
  if (unborn !== undefined) return `${unborn}*`;
  return resource === '*' ? resource : resource.replace(/[*?$]/g, (character) => `\${${character}}`);
}
