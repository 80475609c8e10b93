// KMS as far as encryption needs it: symmetric keys, aliases, key policies, data keys. A key is KMS's resource and its policy must itself allow (E1).
// Not here, and refused: grants, asymmetric and HMAC keys, imported material, custom key stores, multi-Region keys (docs/gaps.md).

import type { Operation, Service } from '../../service.ts';
import { denied } from './access.ts';
import { aliasOperations } from './aliases.ts';
import { cryptographicOperations } from './cryptography.ts';
import { keyPolicyOperations } from './key-policies.ts';
import { keyOperations } from './keys.ts';
import { tagOperations } from './tags.ts';

const operations: Readonly<Record<string, Operation>> = {
  ...keyOperations,
  ...aliasOperations,
  ...keyPolicyOperations,
  ...tagOperations,
  ...cryptographicOperations,
};

export const kms: Service = {
  name: 'kms',
  operations,
  denied,
  resourcePolicy: (tx, resource) => {
    const key = tx.get('kms-key', resource);
    if (!key) return undefined;
    const id = `key policy of ${key.keyId}`;
    return { policyText: key.policy, id, ownerAccountId: key.accountId, trust: true, kind: 'resource' };
  },
};
