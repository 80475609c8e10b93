// Into which accounts may an analysis look? Its own, and from an organization's management account those of its members once Reachability Analyzer was let in:
// by EnableReachabilityAnalyzerOrganizationSharing here or organizations:EnableAWSServiceAccess, and no longer after DisableAWSServiceAccess.
// https://docs.aws.amazon.com/vpc/latest/reachability/multi-account.html (read 2026-11-21). Delegated administrators are refused by Organizations.

import type {
  EnableReachabilityAnalyzerOrganizationSharingRequest,
  EnableReachabilityAnalyzerOrganizationSharingResult,
} from '@aws-sdk/client-ec2';
import { type Call, type Operation, operation } from '../../service.ts';
import type { OrganizationRow } from '../../store/rows/organizations.ts';
import { operationNotPermitted } from './errors.ts';

/** The name of Reachability Analyzer in Organizations. */
const servicePrincipal = 'reachabilityanalyzer.networkinsights.amazonaws.com';

/** The organization that the caller's account manages. */
function managedOrganization({ tx, accountId }: Call): OrganizationRow | undefined {
  const member = tx.get('organization-member', accountId);
  const organization = member && tx.get('organization', member.organizationId);
  return organization?.accountId === accountId ? organization : undefined;
}

/** Whether an analysis of the caller may look into an account. */
export function mayLookInto(call: Call, accountId: string): boolean {
  if (accountId === call.accountId) return true;
  const organization = managedOrganization(call);
  if (organization?.serviceAccess[servicePrincipal] === undefined) return false;
  return call.tx.get('organization-member', accountId)?.organizationId === organization.id;
}

export const networkInsightsSharing = {
  EnableReachabilityAnalyzerOrganizationSharing: operation<
    EnableReachabilityAnalyzerOrganizationSharingRequest,
    EnableReachabilityAnalyzerOrganizationSharingResult
  >({
    authorize: 'auto',
    run: (call) => {
      const organization = managedOrganization(call);
      // AWS's wording was not seen.
      if (organization === undefined)
        throw operationNotPermitted(
          'This operation can only be performed by the management account of an organization.',
        );
      const since = organization.serviceAccess[servicePrincipal] ?? call.now.toISOString();
      const serviceAccess = { ...organization.serviceAccess, [servicePrincipal]: since };
      call.tx.put('organization', { ...organization, serviceAccess });
      return { ReturnValue: true };
    },
  }),
} satisfies Record<string, Operation>;
