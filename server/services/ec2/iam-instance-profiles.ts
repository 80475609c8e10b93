// The association of an instance with an instance profile: kept in the instance's row, one at most.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateIamInstanceProfile.html (read 2026-11-21). Passing the role asks for iam:PassRole.

import type {
  AssociateIamInstanceProfileRequest,
  AssociateIamInstanceProfileResult,
  DescribeIamInstanceProfileAssociationsRequest,
  DescribeIamInstanceProfileAssociationsResult,
  DisassociateIamInstanceProfileRequest,
  DisassociateIamInstanceProfileResult,
  IamInstanceProfileAssociation,
  IamInstanceProfileSpecification,
  ReplaceIamInstanceProfileAssociationRequest,
  ReplaceIamInstanceProfileAssociationResult,
} from '@aws-sdk/client-ec2';
import { type Call, type Operation, operation } from '../../service.ts';
import type { InstanceRow } from '../../store/rows/ec2.ts';
import { ec2Error, missingParameter } from './errors.ts';
import { applyFilters } from './filters.ts';
import { requireInstanceProfile } from './instance-profiles.ts';
import { paginate } from './pagination.ts';
import { requireRow, scopeOf } from './rows.ts';

type Associated = InstanceRow & { iamInstanceProfile: NonNullable<InstanceRow['iamInstanceProfile']> };

function associated(call: Call): Associated[] {
  const rows = call.tx.list('instance', scopeOf(call));
  return rows.filter((row): row is Associated => row.iamInstanceProfile !== undefined && row.state !== 'terminated');
}

function requireAssociation(call: Call, associationId: string | undefined): Associated {
  if (!associationId) throw missingParameter('AssociationId');
  const row = associated(call).find((one) => one.iamInstanceProfile.associationId === associationId);
  if (!row)
    throw ec2Error('InvalidAssociationID.NotFound', `An invalid association-id of '${associationId}' was given`);
  return row;
}

function toAssociation(row: Associated, state: IamInstanceProfileAssociation['State']): IamInstanceProfileAssociation {
  const { associationId, arn, id, timestamp } = row.iamInstanceProfile;
  return {
    AssociationId: associationId,
    InstanceId: row.id,
    IamInstanceProfile: { Arn: arn, Id: id },
    ...(state && { State: state }),
    Timestamp: new Date(timestamp),
  };
}

function associate(
  call: Call,
  instance: InstanceRow,
  spec: IamInstanceProfileSpecification,
): IamInstanceProfileAssociation {
  const profile = requireInstanceProfile(call, spec);
  const row: Associated = {
    ...instance,
    iamInstanceProfile: {
      ...profile,
      associationId: call.tx.newId('iip-assoc'),
      state: 'associated',
      timestamp: call.now.toISOString(),
    },
  };
  call.tx.put('instance', row);
  return toAssociation(row, 'associating');
}

export const iamInstanceProfiles = {
  AssociateIamInstanceProfile: operation<AssociateIamInstanceProfileRequest, AssociateIamInstanceProfileResult>({
    authorize: 'auto',
    run: (call, input) => {
      const instance = requireRow(call, 'instance', input.InstanceId, 'InstanceId');
      if (!input.IamInstanceProfile) throw missingParameter('IamInstanceProfile');
      if (instance.state !== 'running' && instance.state !== 'stopped')
        throw ec2Error(
          'IncorrectInstanceState',
          `The instance '${instance.id}' is not in the 'running' or 'stopped' states.`,
        );
      if (instance.iamInstanceProfile)
        throw ec2Error('IncorrectState', `There is an existing association for instance ${instance.id}`);
      return { IamInstanceProfileAssociation: associate(call, instance, input.IamInstanceProfile) };
    },
  }),

  ReplaceIamInstanceProfileAssociation: operation<
    ReplaceIamInstanceProfileAssociationRequest,
    ReplaceIamInstanceProfileAssociationResult
  >({
    authorize: 'auto',
    run: (call, input) => {
      const instance = requireAssociation(call, input.AssociationId);
      if (!input.IamInstanceProfile) throw missingParameter('IamInstanceProfile');
      return { IamInstanceProfileAssociation: associate(call, instance, input.IamInstanceProfile) };
    },
  }),

  DisassociateIamInstanceProfile: operation<
    DisassociateIamInstanceProfileRequest,
    DisassociateIamInstanceProfileResult
  >({
    authorize: 'auto',
    run: (call, input) => {
      const row = requireAssociation(call, input.AssociationId);
      const { iamInstanceProfile: _profile, ...rest } = row;
      call.tx.put('instance', rest);
      return { IamInstanceProfileAssociation: toAssociation(row, 'disassociating') };
    },
  }),

  DescribeIamInstanceProfileAssociations: operation<
    DescribeIamInstanceProfileAssociationsRequest,
    DescribeIamInstanceProfileAssociationsResult
  >({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const ids = input.AssociationIds ?? [];
      const rows = ids.length > 0 ? ids.map((id) => requireAssociation(call, id)) : associated(call);
      const filtered = applyFilters(rows, input.Filters, { 'instance-id': (row) => row.id, state: () => 'associated' });
      const { page, ...next } = paginate(filtered, input, { min: 5, max: 1000 }, (row) => row.id);
      return { IamInstanceProfileAssociations: page.map((row) => toAssociation(row, 'associated')), ...next };
    },
  }),
} satisfies Record<string, Operation>;
