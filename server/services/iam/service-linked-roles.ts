// Service-linked roles: AWS's services make them for themselves, and nobody but the service may change them. Here no service acts with one; they are
// records, so that programs which make one first find it made. https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html
// (read 2026-11-21). Recorded on AWS: the messages about suffixes, the shape of the role, the id of a deletion. Deletions are done at once.

import { randomUUID } from 'node:crypto';
import type {
  CreateServiceLinkedRoleRequest,
  CreateServiceLinkedRoleResponse,
  DeleteServiceLinkedRoleRequest,
  DeleteServiceLinkedRoleResponse,
  GetServiceLinkedRoleDeletionStatusRequest,
  GetServiceLinkedRoleDeletionStatusResponse,
} from '@aws-sdk/client-iam';
import { nameKey, newUniqueId, timestamp } from '../../identities.ts';
import { type Authorization, type Call, operation } from '../../service.ts';
import type { RoleRow } from '../../store/rows/iam.ts';
import { constraints, required } from './checks.ts';
import { describeRole, findRole, isNameTaken } from './entities.ts';
import { invalidInput, noSuchMember } from './errors.ts';
import { type LinkedService, linkedService } from './linked-services.ts';
import { onEverything, onRole } from './permissions.ts';
import { forgetPrincipal } from './principals-in-policies.ts';
import { isServiceLinked, serviceLinkedPath } from './protected-roles.ts';

interface Wanted {
  readonly serviceName: string;
  readonly service: LinkedService;
  readonly roleName: string;
}

function wantedRole(input: CreateServiceLinkedRoleRequest): Wanted {
  const serviceName = required('aWSServiceName', input.AWSServiceName);
  constraints()
    .length('aWSServiceName', serviceName, 1, 128)
    .length('customSuffix', input.CustomSuffix, 1, 64)
    .length('description', input.Description, 0, 1000)
    .done();
  const service = linkedService(serviceName);
  if (!service)
    throw invalidInput(`Postern has no service-linked role for ${serviceName}, and its services need none.`);
  if (input.CustomSuffix !== undefined && !service.suffix) {
    throw invalidInput(`Custom suffix is not allowed for ${serviceName}`);
  }
  const suffix = input.CustomSuffix === undefined ? '' : `_${input.CustomSuffix}`;
  return { serviceName, service, roleName: `AWSServiceRoleFor${service.name}${suffix}` };
}

function create(call: Call, input: CreateServiceLinkedRoleRequest): CreateServiceLinkedRoleResponse {
  const { serviceName, service, roleName } = wantedRole(input);
  if (isNameTaken(call.tx, 'role', call.accountId, roleName)) {
    throw invalidInput(`Service role name ${roleName} has been taken in this account, please try a different suffix.`);
  }
  const trust = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: serviceName }, Action: 'sts:AssumeRole' }],
  };
  const row: RoleRow = {
    id: nameKey(call.accountId, roleName),
    accountId: call.accountId,
    region: 'global',
    roleName,
    roleId: newUniqueId('AROA'),
    path: `${serviceLinkedPath}${serviceName}/`,
    createDate: timestamp(call.now),
    ...(input.Description !== undefined && { description: input.Description }),
    maxSessionDuration: 3600,
    assumeRolePolicyDocument: JSON.stringify(trust),
    attachedPolicyArns: [`arn:${call.partition}:iam::aws:policy${serviceLinkedPath}${service.policy}`],
    inlinePolicies: {},
    tags: {},
  };
  call.tx.put('role', row);
  return { Role: describeRole(call, row, 'created') };
}

function remove(call: Call, input: DeleteServiceLinkedRoleRequest): DeleteServiceLinkedRoleResponse {
  const row = findRole(call, input.RoleName);
  if (!isServiceLinked(row)) throw invalidInput(`Role ${row.roleName} is not a service-linked role.`);
  const serviceName = row.path.slice(serviceLinkedPath.length, -1);
  const id = `task${serviceLinkedPath}${serviceName}/${row.roleName}/${randomUUID()}`;
  call.tx.delete('role', row.id);
  forgetPrincipal(call.tx, { kind: 'role', row });
  call.tx.put('role-deletion', { id, accountId: call.accountId, region: 'global', status: 'SUCCEEDED' });
  return { DeletionTaskId: id };
}

function deletionStatus(
  call: Call,
  input: GetServiceLinkedRoleDeletionStatusRequest,
): GetServiceLinkedRoleDeletionStatusResponse {
  const id = required('deletionTaskId', input.DeletionTaskId);
  constraints().length('deletionTaskId', id, 1, 1000).done();
  const task = call.tx.get('role-deletion', id);
  if (task?.accountId !== call.accountId) throw noSuchMember(`Deletion task ${id} cannot be found.`);
  return { Status: task.status };
}

/** On the role that will be made, with the service's name as a key. */
const onNewRole: Authorization<CreateServiceLinkedRoleRequest> = (call, input) => {
  const { serviceName, roleName } = wantedRole(input);
  return [
    {
      action: `iam:${call.operation}`,
      resource: `arn:${call.partition}:iam::${call.accountId}:role${serviceLinkedPath}${serviceName}/${roleName}`,
      context: { 'iam:AWSServiceName': [serviceName] },
    },
  ];
};

export const serviceLinkedRoles = {
  CreateServiceLinkedRole: operation<CreateServiceLinkedRoleRequest, CreateServiceLinkedRoleResponse>({
    authorize: onNewRole,
    run: create,
  }),
  DeleteServiceLinkedRole: operation<DeleteServiceLinkedRoleRequest, DeleteServiceLinkedRoleResponse>({
    authorize: onRole,
    run: remove,
  }),
  GetServiceLinkedRoleDeletionStatus: operation<
    GetServiceLinkedRoleDeletionStatusRequest,
    GetServiceLinkedRoleDeletionStatusResponse
  >({ authorize: onEverything, run: deletionStatus, readOnly: true }),
};
