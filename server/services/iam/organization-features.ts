// What may an organization's management account do about the roots of its members? IAM keeps it for Organizations; STS's AssumeRoot asks for it.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-enable-root-access.html (read 2026-11-21). Texts are the API reference's descriptions.

import type { ListOrganizationsFeaturesResponse } from '@aws-sdk/client-iam';
import { AwsError } from '../../errors.ts';
import { membershipOf } from '../../organizations.ts';
import { type Call, operation } from '../../service.ts';
import type { OrganizationRow } from '../../store/rows/organizations.ts';
import { onEverything } from './permissions.ts';

type Feature = NonNullable<OrganizationRow['rootFeatures']>[number];

function refusal(code: string, message: string): AwsError {
  return new AwsError(code, 400, message);
}

/** The caller's organization, which it must manage and have opened to IAM. */
function managed(call: Call): OrganizationRow {
  const membership = membershipOf(call.tx, call.accountId);
  if (!membership) {
    throw refusal(
      'OrganizationNotFoundException',
      'The request was rejected because no organization is associated with your account.',
    );
  }
  const { organization, isManagement } = membership;
  if (!isManagement) {
    throw refusal(
      'CallerIsNotManagementAccountException',
      'The request was rejected because the account making the request is not the management account for the organization.',
    );
  }
  if (organization.featureSet !== 'ALL') {
    throw refusal(
      'OrganizationNotInAllFeaturesModeException',
      'The request was rejected because your organization does not have All features enabled.',
    );
  }
  if (organization.serviceAccess['iam.amazonaws.com'] === undefined) {
    throw refusal(
      'ServiceAccessNotEnabledException',
      // Recorded on AWS 2026-09.
      `Trusted Access for IAM not enabled by organization of input account ${call.accountId}.`,
    );
  }
  return organization;
}

function describe(organization: OrganizationRow): ListOrganizationsFeaturesResponse {
  return { OrganizationId: organization.id, EnabledFeatures: [...(organization.rootFeatures ?? [])] };
}

function set(feature: Feature, enabled: boolean): (call: Call) => ListOrganizationsFeaturesResponse {
  return (call) => {
    const organization = managed(call);
    const others = (organization.rootFeatures ?? []).filter((one) => one !== feature);
    const changed: OrganizationRow = { ...organization, rootFeatures: enabled ? [...others, feature].sort() : others };
    call.tx.put('organization', changed);
    return describe(changed);
  };
}

const change = (feature: Feature, enabled: boolean) =>
  operation<Record<string, never>, ListOrganizationsFeaturesResponse>({
    authorize: onEverything,
    run: set(feature, enabled),
  });

export const organizationFeatures = {
  EnableOrganizationsRootSessions: change('RootSessions', true),
  DisableOrganizationsRootSessions: change('RootSessions', false),
  EnableOrganizationsRootCredentialsManagement: change('RootCredentialsManagement', true),
  DisableOrganizationsRootCredentialsManagement: change('RootCredentialsManagement', false),
  ListOrganizationsFeatures: operation<Record<string, never>, ListOrganizationsFeaturesResponse>({
    authorize: onEverything,
    run: (call) => describe(managed(call)),
    readOnly: true,
  }),
};
