// KMS as far as encryption needs it: symmetric keys, aliases, key policies, grants, data keys. A key is KMS's resource and its policy must itself allow (E1).
// Not here, and refused: asymmetric and HMAC keys, imported material, custom key stores, multi-Region keys (docs/gaps.md).

import type { Operation, Service } from '../../service.ts';
import { denied } from './access.ts';
import { aliasOperations } from './aliases.ts';
import { cryptographicOperations } from './cryptography.ts';
import { keyAccess } from './grant-statements.ts';
import { grantOperationsTable } from './grants.ts';
import { keyPolicyOperations } from './key-policies.ts';
import { keyOperations } from './keys.ts';
import { rotationOperations } from './rotation.ts';
import { tagOperations } from './tags.ts';

const operations: Readonly<Record<string, Operation>> = {
  ...keyOperations,
  ...aliasOperations,
  ...keyPolicyOperations,
  ...tagOperations,
  ...cryptographicOperations,
  ...rotationOperations,
  ...grantOperationsTable,
};

export const kms: Service = {
  name: 'kms',
  operations,
  denied,
  resourcePolicy: keyAccess,
};
