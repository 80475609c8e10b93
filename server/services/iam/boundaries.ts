// Permissions boundaries: the most that a user or role may do, whatever else is attached. A boundary is a managed policy's ARN (E4).

import type {
  DeleteRolePermissionsBoundaryRequest,
  DeleteUserPermissionsBoundaryRequest,
  PutRolePermissionsBoundaryRequest,
  PutUserPermissionsBoundaryRequest,
} from '@aws-sdk/client-iam';
import { awsManagedPolicy } from '../../managed-policies.ts';
import { type Call, operation } from '../../service.ts';
import { constraints, required } from './checks.ts';
import { findRole, findUser } from './entities.ts';
import { invalidInput, noSuchMember } from './errors.ts';
import { onRole, onUser } from './permissions.ts';
import { checkModifiable } from './protected-roles.ts';

/**
 * The ARN of a boundary that exists.
 * @returns undefined when none was given
 */
export function checkBoundary(call: Call, arn: string | undefined): string | undefined {
  if (arn === undefined) return undefined;
  constraints().length('permissionsBoundary', arn, 20, 2048).done();
  if (!/^arn:[\w-]+:iam::(\d{12}|aws):policy\/[\u0021-\u007f]+$/.test(arn)) {
    throw invalidInput(`Value (${arn}) for parameter PermissionsBoundary is invalid.`);
  }
  const exists = awsManagedPolicy(arn) ?? call.tx.get('managed-policy', arn);
  if (!exists || ('accountId' in exists && exists.accountId !== call.accountId)) {
    throw noSuchMember(`Scope ARN: ${arn} does not exist or is not attachable.`);
  }
  return arn;
}

/** The code is recorded, the words are not. */
function noBoundary(whose: string) {
  return noSuchMember(`The permissions boundary of ${whose} cannot be found.`);
}

function putUserBoundary(call: Call, input: PutUserPermissionsBoundaryRequest): void {
  const arn = checkBoundary(call, required('permissionsBoundary', input.PermissionsBoundary));
  const row = findUser(call, input.UserName);
  if (arn !== undefined) call.tx.put('user', { ...row, permissionsBoundaryArn: arn });
}

function deleteUserBoundary(call: Call, input: DeleteUserPermissionsBoundaryRequest): void {
  const { permissionsBoundaryArn, ...rest } = findUser(call, input.UserName);
  if (permissionsBoundaryArn === undefined) throw noBoundary(`user ${rest.userName}`);
  call.tx.put('user', rest);
}

function putRoleBoundary(call: Call, input: PutRolePermissionsBoundaryRequest): void {
  const arn = checkBoundary(call, required('permissionsBoundary', input.PermissionsBoundary));
  const row = findRole(call, input.RoleName);
  checkModifiable(row);
  if (arn !== undefined) call.tx.put('role', { ...row, permissionsBoundaryArn: arn });
}

function deleteRoleBoundary(call: Call, input: DeleteRolePermissionsBoundaryRequest): void {
  const { permissionsBoundaryArn, ...rest } = findRole(call, input.RoleName);
  checkModifiable(rest);
  if (permissionsBoundaryArn === undefined) throw noBoundary(`role ${rest.roleName}`);
  call.tx.put('role', rest);
}

export const boundaries = {
  PutUserPermissionsBoundary: operation<PutUserPermissionsBoundaryRequest, void>({
    authorize: onUser,
    run: putUserBoundary,
  }),
  DeleteUserPermissionsBoundary: operation<DeleteUserPermissionsBoundaryRequest, void>({
    authorize: onUser,
    run: deleteUserBoundary,
  }),
  PutRolePermissionsBoundary: operation<PutRolePermissionsBoundaryRequest, void>({
    authorize: onRole,
    run: putRoleBoundary,
  }),
  DeleteRolePermissionsBoundary: operation<DeleteRolePermissionsBoundaryRequest, void>({
    authorize: onRole,
    run: deleteRoleBoundary,
  }),
};
