// The EC2 service: every operation of every file in this folder, in one table. The two halves are network-operations.ts and instance-operations.ts.
//
// How a resource file is written (one file per resource, plural, kebab-case):
//   export const vpcs = { CreateVpc: operation<CreateVpcRequest, CreateVpcResult>({ authorize: 'auto', run }) , … } satisfies Record<string, Operation>;
//   and is spread into its half's table. Describe/Get rows say `readOnly: true`. DryRun is handled here for all of them: no handler reads it.
// What handlers share:
//   rows.ts          requireRow(call, 'vpc', input.VpcId, 'vpcId') → row or Malformed/NotFound; selectRows(call, 'vpc', input.VpcIds) for a Describe;
//                    findRow; scopeOf(call) for tx.list
//   errors.ts        resourceKinds (prefix, noun, codes), named constructors, `ec2Error(code, message)` for an error of one file only
//   filters.ts       applyFilters(rows, input.Filters, table): name → (row) => value(s); tag filters come by themselves when rows have `tags`
//   pagination.ts    paginate(rows, input, { min: 5, max: 1000, ids: { values: input.VpcIds, parameter: 'vpcSet' } }, (row) => row.id) → { page, NextToken? }
//   tags.ts          tagsFromSpecifications(input.TagSpecifications, 'vpc') → row.tags;  toTags(row.tags) → output
//   idempotency.ts   oncePerToken(call, input.ClientToken, input, stillThere, make) → ids, old or new
//   quotas.ts        enforceQuota(call, 'vpcsPerRegion', () => count)
//   zones.ts         zonesOf(region) → { name, id }[]
//   IPv4 arithmetic  @postern/network/cidr.ts
//   addresses-pool.ts freePublicAddress(tx);   subnet-addresses.ts freePrivateAddress, requireFreePrivateAddress, availableIpAddressCount
//   default-vpc.ts   ensureRegion(tx, accountId, region, now): the pipeline calls it before the first EC2 call of an account in a region

import type { Operation, Service } from '../../service.ts';
import { unauthorizedOperation } from './denied.ts';
import { withDryRun } from './dry-run.ts';
import { instanceOperations } from './instance-operations.ts';
import { networkOperations } from './network-operations.ts';

const operations: Readonly<Record<string, Operation>> = { ...networkOperations, ...instanceOperations };

export const ec2: Service = {
  name: 'ec2',
  operations: Object.fromEntries(Object.entries(operations).map(([name, row]) => [name, withDryRun(row)])),
  denied: unauthorizedOperation,
};
