// IAM: who there is, and what they may do. Issue 2 point 3: what the labs and the CLI's everyday use need.
// Not here, and answered as not implemented: reports of organizations, delegation (gaps).

import { AwsError } from '../../errors.ts';
import type { Authorization, Call, Operation, Service } from '../../service.ts';
import { accessAdvisor } from './access-advisor.ts';
import { accessKeys } from './access-keys.ts';
import { account } from './account.ts';
import { attachments } from './attachments.ts';
import { boundaries } from './boundaries.ts';
import { credentialReport } from './credential-report.ts';
import { iamDenied } from './errors.ts';
import { groups } from './groups.ts';
import { identityProviders } from './identity-providers.ts';
import { inlinePolicies } from './inline-policies.ts';
import { instanceProfiles } from './instance-profiles.ts';
import { mfaDevices } from './mfa-devices.ts';
import { organizationFeatures } from './organization-features.ts';
import { passwords } from './passwords.ts';
import { managedPolicies } from './policies.ts';
import { roles } from './roles.ts';
import { serverCertificates } from './server-certificates.ts';
import { serviceLinkedRoles } from './service-linked-roles.ts';
import { simulator } from './simulator.ts';
import { tagging } from './tagging.ts';
import { userCredentials } from './user-credentials.ts';
import { users } from './users.ts';

/**
 * Sessions of GetSessionToken without MFA and of GetFederationToken may not call IAM at all.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html (read 2026-11-20)
 */
function refuseBareSessions(call: Call): void {
  const key = call.accessKey;
  const kind = key?.owner.kind;
  if (kind !== 'federated-user' && (kind !== 'session-token' || key?.mfaDate !== undefined)) return;
  throw new AwsError('InvalidClientTokenId', 403, 'The security token included in the request is invalid');
}

function guarded(operations: Readonly<Record<string, Operation>>): Record<string, Operation> {
  const guard = ([name, row]: [string, Operation]): [string, Operation] => {
    const inner: Authorization<unknown> = row.authorize;
    if (typeof inner !== 'function') throw new Error(`iam:${name} must name its permissions`);
    const authorize: Authorization<unknown> = (call, input) => {
      refuseBareSessions(call);
      return inner(call, input);
    };
    return [name, { ...row, authorize }];
  };
  return Object.fromEntries(Object.entries(operations).map(guard));
}

export const iam: Service = {
  name: 'iam',
  operations: guarded({
    ...users,
    ...accessKeys,
    ...groups,
    ...roles,
    ...instanceProfiles,
    ...inlinePolicies,
    ...managedPolicies,
    ...attachments,
    ...boundaries,
    ...account,
    ...passwords,
    ...mfaDevices,
    ...userCredentials,
    ...serverCertificates,
    ...tagging,
    ...simulator,
    ...identityProviders,
    ...serviceLinkedRoles,
    ...credentialReport,
    ...accessAdvisor,
    ...organizationFeatures,
  }),
  denied: iamDenied,
};
