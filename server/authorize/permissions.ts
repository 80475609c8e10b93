// What must the caller be allowed to do for this operation? For `'auto'`: action and resources out of AWS's own tables and the input.
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html (read 2026-11-21)
// An action is asked once per resource. A resource type that the action requires and the input does not name is asked as `type/*`:
// what is created has no id yet. An action without resources is asked with `*`.

import type { Permission } from '../service.ts';
import type { Transaction } from '../store/store.ts';
import type { CallFacts } from './context.ts';
import { ec2Permissions } from './ec2-permissions.ts';
import { factsOf } from './facts.ts';

export type Input = Readonly<Record<string, unknown>>;

/** The prefix of a service's actions in policies, where it is not the service's own name. */
const ACTION_PREFIX: Readonly<Record<string, string>> = { 'dynamodb-streams': 'dynamodb', 's3-control': 's3' };

export function actionPrefix(service: string): string {
  return Object.hasOwn(ACTION_PREFIX, service) ? (ACTION_PREFIX[service] ?? service) : service;
}

/** The permissions of an operation whose row says `'auto'`. Never empty. */
export function automaticPermissions(tx: Transaction, call: CallFacts, input: Input): readonly Permission[] {
  const prefix = actionPrefix(call.service);
  const facts = factsOf(prefix);
  const action = facts?.action(call.operation);
  const asked = `${prefix}:${action?.name ?? call.operation}`;
  if (!facts || !action) return [{ action: asked, resource: '*' }];
  // Every other service says in its own rows what it asks about.
  return prefix === 'ec2' ? ec2Permissions(tx, call, input, asked, action, facts) : [{ action: asked, resource: '*' }];
}
