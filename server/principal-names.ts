// Whom does a policy name? AWS keeps a principal by its unique id and shows its ARN as long as there is one (M3).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html (read 2026-11-21)
// For policies in rows the ids come in when the principal goes (iam/principals-in-policies.ts). DynamoDB's are kept by another process, so there they are
// put in when a policy is written, and turned back when it is read.

import { nameKey, roleArn, userArn } from './identities.ts';
import type { Transaction } from './store/store.ts';

interface Statement {
  Principal?: unknown;
  NotPrincipal?: unknown;
}

/**
 * Spells the principals under `AWS` of every statement anew.
 * @param spell the other spelling; undefined leaves a name as it is
 * @returns the document, or undefined when nothing changed
 */
export function respellPrincipals(document: string, spell: (name: string) => string | undefined): string | undefined {
  const policy = JSON.parse(document) as { Statement?: Statement | Statement[] };
  let changed = false;
  const spelled = (name: unknown): unknown => {
    const other = typeof name === 'string' ? spell(name) : undefined;
    if (other === undefined) return name;
    changed = true;
    return other;
  };
  for (const statement of [policy.Statement ?? []].flat()) {
    for (const element of [statement.Principal, statement.NotPrincipal]) {
      if (typeof element !== 'object' || element === null || !('AWS' in element)) continue;
      const named: { AWS: unknown } = element;
      named.AWS = Array.isArray(named.AWS) ? named.AWS.map(spelled) : spelled(named.AWS);
    }
  }
  return changed ? JSON.stringify(policy) : undefined;
}

/** The id of the user or role of this cloud that an ARN names; undefined for everybody else. */
export function uniqueIdOf(tx: Transaction, name: string): string | undefined {
  const match = /^arn:[\w-]+:iam::(\d{12}):(user|role)(\/|\/.+\/)([\w+=,.@-]+)$/.exec(name);
  if (!match) return undefined;
  const [, accountId = '', kind, path, named = ''] = match;
  const key = nameKey(accountId, named);
  if (kind === 'role') {
    const role = tx.get('role', key);
    return role && role.path === path ? role.roleId : undefined;
  }
  const user = tx.get('user', key);
  return user && user.path === path ? user.userId : undefined;
}

/** The ARN of a user or role by its id; undefined when there is none any more, and for what is no id. */
export function arnOf(tx: Transaction, partition: string, uniqueId: string): string | undefined {
  if (uniqueId.startsWith('AROA')) {
    const role = tx.list('role').find((row) => row.roleId === uniqueId);
    return role && roleArn(partition, role);
  }
  const user = uniqueId.startsWith('AIDA') ? tx.list('user').find((row) => row.userId === uniqueId) : undefined;
  return user && userArn(partition, user);
}

/** Users and roles of this cloud by their ids; others keep their ARNs. */
export function withUniqueIds(tx: Transaction, document: string): string {
  return respellPrincipals(document, (name) => uniqueIdOf(tx, name)) ?? document;
}

/** The ARNs of those who are still there; an id whose owner is gone stays. */
export function withArns(tx: Transaction, partition: string, document: string): string {
  return respellPrincipals(document, (name) => arnOf(tx, partition, name)) ?? document;
}
