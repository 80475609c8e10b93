// What do stored policies say of a user or role that is gone, or has another name? M3: AWS keeps a principal by its unique id and shows its ARN as long
// as there is one. So a deleted one's ARN turns into its id, which a new one of that name does not have, and a renamed one's into its new ARN.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html (read 2026-11-21)
// Policies of DynamoDB's tables are kept by a process of their own, which has the ids from the start (server/principal-names.ts).

import { respellPrincipals } from '../../principal-names.ts';
import type { RoleRow, UserRow } from '../../store/rows/iam.ts';
import type { Kind, Transaction } from '../../store/store.ts';

type Named = { readonly kind: 'user'; readonly row: UserRow } | { readonly kind: 'role'; readonly row: RoleRow };

/** The ARN after its partition: `:iam::123456789012:user/ana`. */
function tail({ kind, row }: Named): string {
  return `:iam::${row.accountId}:${kind}${row.path}${'userName' in row ? row.userName : row.roleName}`;
}

/** After a user or role was deleted. */
export function forgetPrincipal(tx: Transaction, named: Named): void {
  const id = named.kind === 'user' ? named.row.userId : named.row.roleId;
  rewrite(tx, tail(named), () => id);
  for (const row of tx.list('service-access', { accountId: named.row.accountId })) {
    if (row.entityId === id) tx.delete('service-access', row.id);
  }
}

/** After a user got another name or path. */
export function renamePrincipal(tx: Transaction, before: UserRow, after: UserRow): void {
  const renamed = tail({ kind: 'user', row: after });
  rewrite(tx, tail({ kind: 'user', row: before }), (partition) => `arn:${partition}${renamed}`);
}

type Spelling = (partition: string) => string;

/** Where rows keep policies with principals. */
const holders = [
  { kind: 'role', member: 'assumeRolePolicyDocument' },
  { kind: 'bucket', member: 'policy' },
  { kind: 'vpc-endpoint', member: 'policyDocument' },
  { kind: 'kms-key', member: 'policy' },
] as const satisfies readonly { readonly kind: Kind; readonly member: string }[];

function rewrite(tx: Transaction, from: string, to: Spelling): void {
  for (const { kind, member } of holders) {
    for (const row of tx.list(kind)) {
      const before = (row as unknown as Readonly<Record<string, unknown>>)[member];
      const after = typeof before === 'string' ? rewritten(before, from, to) : undefined;
      if (after !== undefined) tx.put(kind, { ...row, [member]: after });
    }
  }
}

/** @returns the document with the other name, or undefined when it does not name the principal */
function rewritten(document: string, from: string, to: Spelling): string | undefined {
  // Most documents name somebody else; only one that may be meant is parsed.
  if (!document.includes(from) && !document.includes('\\')) return undefined;
  return respellPrincipals(document, (name) => {
    const partition = name.endsWith(from) ? /^arn:([\w-]+)$/.exec(name.slice(0, -from.length))?.[1] : undefined;
    return partition === undefined ? undefined : to(partition);
  });
}
