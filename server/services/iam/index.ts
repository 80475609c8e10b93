// IAM: who there is, and what they may do. Issue 2 point 3: what the labs and the CLI's everyday use need.
// Not here, and answered as not implemented: sign-in profiles, MFA, certificates, SSH keys, identity providers, the simulator, reports (gaps).

import type { Service } from '../../service.ts';
import { accessKeys } from './access-keys.ts';
import { account } from './account.ts';
import { attachments } from './attachments.ts';
import { boundaries } from './boundaries.ts';
import { iamDenied } from './errors.ts';
import { groups } from './groups.ts';
import { inlinePolicies } from './inline-policies.ts';
import { instanceProfiles } from './instance-profiles.ts';
import { managedPolicies } from './policies.ts';
import { roles } from './roles.ts';
import { users } from './users.ts';

export const iam: Service = {
  name: 'iam',
  operations: {
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
  },
  denied: iamDenied,
};
