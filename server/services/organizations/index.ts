// AWS Organizations as far as evaluation needs it: which account is where, and which control policies are above it. The policies are asked by
// server/authorize/control-policies.ts. Not here (gaps): policies of other types, billing.

import type { Service } from '../../service.ts';
import { accounts } from './accounts.ts';
import { delegatedAdministrators } from './delegated-administrators.ts';
import { organizationOwner, organizationPolicy } from './delegation.ts';
import { organizationsDenied } from './errors.ts';
import { handshakes } from './handshakes.ts';
import { organizationOperations } from './organizations.ts';
import { controlPolicies } from './policies.ts';
import { resourcePolicyOperations } from './resource-policy.ts';
import { tagging } from './tagging.ts';
import { units } from './units.ts';

export const organizations: Service = {
  name: 'organizations',
  operations: {
    ...organizationOperations,
    ...units,
    ...accounts,
    ...delegatedAdministrators,
    ...controlPolicies,
    ...resourcePolicyOperations,
    ...handshakes,
    ...tagging,
  },
  denied: organizationsDenied,
  resourcePolicy: organizationPolicy,
  resourceOwner: organizationOwner,
};
