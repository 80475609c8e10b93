// STS: temporary credentials. AssumeRoleWithSAML is not there, because nothing here checks an assertion's signature; AssumeRoot waits for organizations (gaps).
// A role is STS's resource and its trust policy the resource's policy, which must itself allow (E1).

import { nameKey, parseRoleArn } from '../../identities.ts';
import type { Service } from '../../service.ts';
import { assumeRoles } from './assume-role.ts';
import { stsDenied } from './errors.ts';
import { tokens } from './tokens.ts';
import { webIdentity } from './web-identity.ts';

export const sts: Service = {
  name: 'sts',
  operations: { ...assumeRoles, ...webIdentity, ...tokens },
  denied: stsDenied,
  resourcePolicy: (tx, resource) => {
    const parsed = parseRoleArn(resource);
    const role = parsed && tx.get('role', nameKey(parsed.accountId, parsed.roleName));
    if (!role) return undefined;
    return {
      policyText: role.assumeRolePolicyDocument,
      id: `trust policy of ${role.roleName}`,
      ownerAccountId: role.accountId,
      trust: true,
    };
  },
};
