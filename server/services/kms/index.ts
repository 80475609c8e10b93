// KMS: keys of all kinds that node:crypto has, aliases, key policies, grants, and what keys do. A key is KMS's resource and its policy must itself allow (E1).
// Not here, and refused: custom key stores (docs/gaps.md).

import type { Operation, Service } from '../../service.ts';
import { denied } from './access.ts';
import { aliasOperations } from './aliases.ts';
import { cryptographicOperations } from './cryptography.ts';
import { dataKeyOperations } from './data-keys.ts';
import { deletionOperations } from './deletion.ts';
import { keyAccess } from './grant-statements.ts';
import { grantOperationsTable } from './grants.ts';
import { importOperations } from './imports.ts';
import { keyPolicyOperations } from './key-policies.ts';
import { keyOperations } from './keys.ts';
import { macOperations } from './macs.ts';
import { multiRegionOperations } from './multi-region.ts';
import { publicKeyOperations } from './public-keys.ts';
import { rotationOperations } from './rotation.ts';
import { signingOperations } from './signing.ts';
import { tagOperations } from './tags.ts';

const operations: Readonly<Record<string, Operation>> = {
  ...keyOperations,
  ...deletionOperations,
  ...multiRegionOperations,
  ...aliasOperations,
  ...keyPolicyOperations,
  ...tagOperations,
  ...cryptographicOperations,
  ...dataKeyOperations,
  ...signingOperations,
  ...macOperations,
  ...importOperations,
  ...publicKeyOperations,
  ...rotationOperations,
  ...grantOperationsTable,
};

export const kms: Service = {
  name: 'kms',
  operations,
  denied,
  resourcePolicy: keyAccess,
};
