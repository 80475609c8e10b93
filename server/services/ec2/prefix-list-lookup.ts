// Which prefix list does an id name: a customer's row, or one of AWS's own (network/aws-prefix-lists.ts), which are shown as if they were rows?
// https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html (read 2026-11-21).

import { type AwsPrefixList, awsPrefixLists } from '@postern/network/aws-prefix-lists.ts';
import type { PrefixListId } from '@postern/network/snapshot.ts';
import type { Call } from '../../service.ts';
import type { PrefixListRow } from '../../store/rows/ec2.ts';
import { invalidParameterValue } from './errors.ts';
import { requireRow } from './rows.ts';

/** Owner of AWS's own lists, as the API shows it. */
const awsOwner = 'AWS';

function toRow(list: AwsPrefixList): PrefixListRow {
  return {
    id: list.prefixListId,
    accountId: awsOwner,
    region: list.region,
    prefixListName: list.prefixListName,
    addressFamily: 'IPv4',
    maxEntries: list.weight,
    version: 1,
    state: 'create-complete',
    entries: list.cidrs.map((cidr) => ({ cidr })),
    history: [],
    tags: {},
  };
}

/** AWS's own lists of the caller's region. */
export function awsManagedRows(call: Call): PrefixListRow[] {
  return awsPrefixLists(call.region).map(toRow);
}

export function isAwsManaged(list: PrefixListRow): boolean {
  return list.accountId === awsOwner;
}

/**
 * A customer's list or one of AWS's own.
 * @throws InvalidPrefixListId.Malformed, InvalidPrefixListID.NotFound
 */
export function requirePrefixList(call: Call, id: string | undefined): PrefixListRow {
  const own = awsPrefixLists(call.region).find((list) => list.prefixListId === id);
  return own ? toRow(own) : requireRow(call, 'prefix-list', id, 'prefixListId');
}

/** A list that its customer may change. */
export function requireCustomerPrefixList(call: Call, id: string | undefined): PrefixListRow {
  const list = requirePrefixList(call, id);
  if (isAwsManaged(list))
    throw invalidParameterValue(
      `The prefix list ID '${list.id}' is managed by AWS and cannot be used in this operation.`,
    );
  return list;
}

/** How many rules a list counts as in a security group (S9): a customer's its maximum, AWS's S3 and DynamoDB lists one each. */
export function prefixListWeight(call: Call, id: PrefixListId): number {
  return call.tx.get('prefix-list', id)?.maxEntries ?? 1;
}
