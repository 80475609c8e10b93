// Which instance profile does a caller name, and may the caller hand its role to an instance (iam:PassRole)?
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html (read 2026-11-21).

import type { IamInstanceProfileSpecification } from '@aws-sdk/client-ec2';
import { instanceProfileArn, nameKey, roleArn } from '../../identities.ts';
import type { Call } from '../../service.ts';
import type { InstanceProfileRow } from '../../store/rows/iam.ts';
import { invalidCombination, invalidParameterValue, missingParameter } from './errors.ts';

export interface ChosenProfile {
  readonly arn: string;
  readonly id: string;
}

/**
 * The profile that a request names by name or ARN, after asking whether its role may be passed.
 * @throws InvalidParameterValue, and UnauthorizedOperation for iam:PassRole
 */
export function requireInstanceProfile(call: Call, spec: IamInstanceProfileSpecification): ChosenProfile {
  const row = findProfile(call, spec);
  const passedTo = call.partition === 'aws-cn' ? 'ec2.amazonaws.com.cn' : 'ec2.amazonaws.com';
  for (const roleName of row.roleNames) {
    const role = call.tx.get('role', nameKey(call.accountId, roleName));
    if (role)
      call.require(call.tx, 'iam:PassRole', roleArn(call.partition, role), { 'iam:PassedToService': [passedTo] });
  }
  return { arn: instanceProfileArn(call.partition, row), id: row.instanceProfileId };
}

function findProfile(call: Call, spec: IamInstanceProfileSpecification): InstanceProfileRow {
  const { Name: name, Arn: arn } = spec;
  if (name && arn)
    throw invalidCombination(
      "The parameter 'iamInstanceProfile.name' may not be used in combination with 'iamInstanceProfile.arn'",
    );
  if (name) {
    const row = call.tx.get('instance-profile', nameKey(call.accountId, name));
    if (row) return row;
    throw invalidParameterValue(
      `Value (${name}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name`,
    );
  }
  if (!arn) throw missingParameter('iamInstanceProfile.name');
  const lastPart = arn.split('/').at(-1) ?? '';
  const row = call.tx.get('instance-profile', nameKey(call.accountId, lastPart));
  if (row && instanceProfileArn(call.partition, row) === arn) return row;
  throw invalidParameterValue(
    `Value (${arn}) for parameter iamInstanceProfile.arn is invalid. Invalid IAM Instance Profile ARN`,
  );
}
