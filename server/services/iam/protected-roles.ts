// Which roles may only AWS change? Those on the path of service-linked roles.

import type { RoleRow } from '../../store/rows/iam.ts';
import { invalidInput, unmodifiableEntity } from './errors.ts';

export const serviceLinkedPath = '/aws-service-role/';

export function isServiceLinked(row: Pick<RoleRow, 'path'>): boolean {
  return row.path.startsWith(serviceLinkedPath);
}

/** @throws AwsError UnmodifiableEntity, in the words of public logs */
export function checkModifiable(row: RoleRow): void {
  if (!isServiceLinked(row)) return;
  throw unmodifiableEntity(
    `Cannot perform the operation on the protected role '${row.roleName}' - this role is only modifiable by AWS`,
  );
}

/** Nobody makes a role of their own there. The wording is unsourced. */
export function checkRolePath(path: string): void {
  if (isServiceLinked({ path }))
    throw invalidInput(`The path ${serviceLinkedPath} is reserved for service-linked roles.`);
}
