// Users, groups and roles hold policies alike: inline ones by name, managed ones by ARN. Who is the holder that an input names, and how is it kept?

import type { Authorization, Call } from '../../service.ts';
import type { GroupRow, RoleRow, UserRow } from '../../store/rows/iam.ts';
import { findGroup, findRole, findUser } from './entities.ts';
import { onGroup, onRole, onUser } from './permissions.ts';
import { checkModifiable } from './protected-roles.ts';

export type Holder =
  | { readonly kind: 'user'; readonly row: UserRow }
  | { readonly kind: 'group'; readonly row: GroupRow }
  | { readonly kind: 'role'; readonly row: RoleRow };
export type HolderKind = Holder['kind'];

interface HolderInput {
  readonly UserName?: string | undefined;
  readonly GroupName?: string | undefined;
  readonly RoleName?: string | undefined;
}

/** The permission of an operation on a holder of this kind. */
export const onHolder = { user: onUser, group: onGroup, role: onRole } as const satisfies Record<
  HolderKind,
  Authorization<Record<string, never>>
>;

/** @throws AwsError NoSuchEntity */
export function findHolder(call: Call, kind: HolderKind, input: HolderInput): Holder {
  switch (kind) {
    case 'user':
      return { kind, row: findUser(call, input.UserName) };
    case 'group':
      return { kind, row: findGroup(call, input.GroupName) };
    case 'role':
      return { kind, row: findRole(call, input.RoleName) };
  }
}

export function holderName(holder: Holder): string {
  switch (holder.kind) {
    case 'user':
      return holder.row.userName;
    case 'group':
      return holder.row.groupName;
    case 'role':
      return holder.row.roleName;
  }
}

/** Keeps the holder with other policies. */
export function saveHolder(
  call: Call,
  holder: Holder,
  change: Partial<Pick<UserRow, 'attachedPolicyArns' | 'inlinePolicies'>>,
): void {
  switch (holder.kind) {
    case 'user':
      call.tx.put('user', { ...holder.row, ...change });
      return;
    case 'group':
      call.tx.put('group', { ...holder.row, ...change });
      return;
    case 'role':
      checkModifiable(holder.row);
      call.tx.put('role', { ...holder.row, ...change });
      return;
  }
}

/** Every holder of an account. */
export function allHolders(call: Call): Holder[] {
  const scope = { accountId: call.accountId };
  return [
    ...call.tx.list('user', scope).map((row): Holder => ({ kind: 'user', row })),
    ...call.tx.list('group', scope).map((row): Holder => ({ kind: 'group', row })),
    ...call.tx.list('role', scope).map((row): Holder => ({ kind: 'role', row })),
  ];
}
