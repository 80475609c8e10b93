// The operations of instances and what belongs to them, merged into one table for index.ts.

import type { Operation } from '../../service.ts';
import { accountAttributes } from './account-attributes.ts';
import { consoleOutput } from './console.ts';
import { iamInstanceProfiles } from './iam-instance-profiles.ts';
import { images } from './images.ts';
import { instanceAttributes } from './instance-attributes.ts';
import { instanceLifecycle } from './instance-lifecycle.ts';
import { instanceOptions } from './instance-options.ts';
import { instanceTypeOperations } from './instance-types.ts';
import { instances } from './instances.ts';
import { interfaceIpv6Addresses } from './interface-ipv6-addresses.ts';
import { keyPairs } from './key-pairs.ts';
import { networkInterfaces } from './network-interfaces.ts';
import { volumes } from './volumes.ts';
import { zonesAndRegions } from './zones-and-regions.ts';

export const instanceOperations = {
  ...accountAttributes,
  ...consoleOutput,
  ...iamInstanceProfiles,
  ...images,
  ...instanceAttributes,
  ...instanceOptions,
  ...instanceLifecycle,
  ...instanceTypeOperations,
  ...instances,
  ...interfaceIpv6Addresses,
  ...keyPairs,
  ...networkInterfaces,
  ...volumes,
  ...zonesAndRegions,
} satisfies Record<string, Operation>;
