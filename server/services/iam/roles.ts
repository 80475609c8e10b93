// Roles: permissions that whoever the trust policy names may take on for a while (STS hands out the sessions).

import type {
  CreateRoleRequest,
  CreateRoleResponse,
  DeleteRoleRequest,
  GetRoleRequest,
  GetRoleResponse,
  ListRolesRequest,
  ListRolesResponse,
  UpdateAssumeRolePolicyRequest,
  UpdateRoleDescriptionRequest,
  UpdateRoleDescriptionResponse,
  UpdateRoleRequest,
} from '@aws-sdk/client-iam';
import { nameKey, newUniqueId, timestamp } from '../../identities.ts';
import { type Call, operation } from '../../service.ts';
import type { RoleRow } from '../../store/rows/iam.ts';
import { checkBoundary } from './boundaries.ts';
import { checkedName, checkedPath, checkedPathPrefix, checkedTags, constraints, page, required } from './checks.ts';
import { checkTrustDocument } from './documents.ts';
import { describeRole, findRole, isNameTaken, placeOf } from './entities.ts';
import { deleteConflict, entityAlreadyExists } from './errors.ts';
import { onList, onRole } from './permissions.ts';
import { forgetPrincipal } from './principals-in-policies.ts';
import { checkModifiable, checkRolePath } from './protected-roles.ts';

function checkDetails(input: { Description?: string | undefined; MaxSessionDuration?: number | undefined }): void {
  constraints()
    .length('description', input.Description, 0, 1000)
    .range('maxSessionDuration', input.MaxSessionDuration, 3600, 43200)
    .done();
}

function createRole(call: Call, input: CreateRoleRequest): CreateRoleResponse {
  const roleName = checkedName('roleName', input.RoleName, 64);
  const path = checkedPath(input.Path);
  checkRolePath(path);
  const document = required('assumeRolePolicyDocument', input.AssumeRolePolicyDocument);
  checkDetails(input);
  const tags = checkedTags(input.Tags, 'ignored');
  checkTrustDocument(call.tx, document, call.settings.quotas);
  if (isNameTaken(call.tx, 'role', call.accountId, roleName)) throw entityAlreadyExists('role', roleName);
  const permissionsBoundaryArn = checkBoundary(call, input.PermissionsBoundary);
  const row: RoleRow = {
    id: nameKey(call.accountId, roleName),
    accountId: call.accountId,
    region: 'global',
    roleName,
    roleId: newUniqueId('AROA'),
    path,
    createDate: timestamp(call.now),
    ...(input.Description !== undefined && { description: input.Description }),
    maxSessionDuration: input.MaxSessionDuration ?? 3600,
    assumeRolePolicyDocument: document,
    attachedPolicyArns: [],
    inlinePolicies: {},
    ...(permissionsBoundaryArn !== undefined && { permissionsBoundaryArn }),
    tags,
  };
  call.tx.put('role', row);
  return { Role: describeRole(call, row, 'created') };
}

function getRole(call: Call, input: GetRoleRequest): GetRoleResponse {
  return { Role: describeRole(call, findRole(call, input.RoleName)) };
}

function listRoles(call: Call, input: ListRolesRequest): ListRolesResponse {
  const prefix = checkedPathPrefix(input.PathPrefix);
  const rows = call.tx.list('role', { accountId: call.accountId }).filter((row) => row.path.startsWith(prefix));
  const { items, end } = page(rows, input, (row) => placeOf(row.roleName));
  return { Roles: items.map((row) => describeRole(call, row, 'listed')), ...end };
}

/** What is absent stays: the duration too (recorded, 2026-09), which the reference has fall back to an hour. */
function updateRole(call: Call, input: UpdateRoleRequest): Record<string, never> {
  checkDetails(input);
  const row = findRole(call, input.RoleName);
  call.tx.put('role', {
    ...row,
    ...(input.Description !== undefined && { description: input.Description }),
    ...(input.MaxSessionDuration !== undefined && { maxSessionDuration: input.MaxSessionDuration }),
  });
  return {};
}

function updateRoleDescription(call: Call, input: UpdateRoleDescriptionRequest): UpdateRoleDescriptionResponse {
  const description = required('description', input.Description);
  checkDetails({ Description: description });
  const row = { ...findRole(call, input.RoleName), description };
  call.tx.put('role', row);
  return { Role: describeRole(call, row) };
}

function updateAssumeRolePolicy(call: Call, input: UpdateAssumeRolePolicyRequest): void {
  const document = required('policyDocument', input.PolicyDocument);
  const row = findRole(call, input.RoleName);
  checkModifiable(row);
  checkTrustDocument(call.tx, document, call.settings.quotas);
  call.tx.put('role', { ...row, assumeRolePolicyDocument: document });
}

function deleteRole(call: Call, input: DeleteRoleRequest): void {
  const row = findRole(call, input.RoleName);
  checkModifiable(row);
  const profiles = call.tx.list('instance-profile', { accountId: row.accountId });
  if (profiles.some((profile) => profile.roleNames.includes(row.roleName))) throw deleteConflict('instance-profiles');
  if (row.attachedPolicyArns.length > 0) throw deleteConflict('attached-policies');
  if (Object.keys(row.inlinePolicies).length > 0) throw deleteConflict('inline-policies');
  call.tx.delete('role', row.id);
  forgetPrincipal(call.tx, { kind: 'role', row });
}

export const roles = {
  CreateRole: operation<CreateRoleRequest, CreateRoleResponse>({ authorize: onRole, run: createRole }),
  GetRole: operation<GetRoleRequest, GetRoleResponse>({ authorize: onRole, run: getRole, readOnly: true }),
  ListRoles: operation<ListRolesRequest, ListRolesResponse>({
    authorize: onList('role'),
    run: listRoles,
    readOnly: true,
  }),
  UpdateRole: operation<UpdateRoleRequest, Record<string, never>>({ authorize: onRole, run: updateRole }),
  UpdateRoleDescription: operation<UpdateRoleDescriptionRequest, UpdateRoleDescriptionResponse>({
    authorize: onRole,
    run: updateRoleDescription,
  }),
  UpdateAssumeRolePolicy: operation<UpdateAssumeRolePolicyRequest, void>({
    authorize: onRole,
    run: updateAssumeRolePolicy,
  }),
  DeleteRole: operation<DeleteRoleRequest, void>({ authorize: onRole, run: deleteRole }),
};
