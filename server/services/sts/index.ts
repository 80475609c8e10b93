// STS: temporary credentials.
// A role is STS's resource and its trust policy the resource's policy, which must itself allow (E1).

import { nameKey, parseRoleArn } from '../../identities.ts';
import type { Authorization, Call, Operation, Service } from '../../service.ts';
import { assumeRoles } from './assume-role.ts';
import { assumeRoots, rootSessionPolicy } from './assume-root.ts';
import { accessDenied, stsDenied } from './errors.ts';
import { saml } from './saml.ts';
import { tokens } from './tokens.ts';
import { webIdentity } from './web-identity.ts';

/** What sessions may ask of STS; those of roles may ask everything, and are refused what they may not by the operation itself. */
const askedBySessions: Readonly<Record<string, readonly string[]>> = {
  'session-token': ['AssumeRole', 'GetCallerIdentity'],
  'federated-user': ['GetCallerIdentity'],
};

/**
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html (read 2026-11-21). GetSessionToken's words are recorded, those for the
 * other operations are taken from it.
 */
function refuseSessions(call: Call): void {
  const key = call.accessKey;
  const allowed = key && askedBySessions[key.owner.kind];
  if (allowed && !allowed.includes(call.operation)) {
    throw accessDenied(`Cannot call ${call.operation} with session credentials`);
  }
}

/** What needs no permission is left as it is: everybody may ask GetCallerIdentity, and GetSessionToken refuses every session itself. */
function guarded(operations: Readonly<Record<string, Operation>>): Record<string, Operation> {
  const guard = ([name, row]: [string, Operation]): [string, Operation] => {
    const inner: Authorization<unknown> = row.authorize;
    if (typeof inner !== 'function') return [name, row];
    const authorize: Authorization<unknown> = (call, input) => {
      refuseSessions(call);
      return inner(call, input);
    };
    return [name, { ...row, authorize }];
  };
  return Object.fromEntries(Object.entries(operations).map(guard));
}

export const sts: Service = {
  name: 'sts',
  operations: guarded({ ...assumeRoles, ...assumeRoots, ...webIdentity, ...saml, ...tokens }),
  denied: stsDenied,
  resourcePolicy: (tx, resource) => {
    const parsed = parseRoleArn(resource);
    const role = parsed && tx.get('role', nameKey(parsed.accountId, parsed.roleName));
    if (!role) return rootSessionPolicy(tx, resource);
    return {
      policyText: role.assumeRolePolicyDocument,
      id: `trust policy of ${role.roleName}`,
      ownerAccountId: role.accountId,
      trust: true,
    };
  },
};
