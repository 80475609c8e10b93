// The DHCP options set that a region starts with and that new VPCs get: Amazon's resolver and the region's own domain.
// https://docs.aws.amazon.com/vpc/latest/userguide/DHCPOptionSetConcepts.html (read 2026-11-21). Its id is derived, so it is the same after a reset.

import { derivedId } from '../../derived-id.ts';
import type { Transaction } from '../../store/store.ts';

const ids = new Map<string, string>();

export function defaultDhcpOptionsId(accountId: string, region: string): string {
  const key = `${accountId} ${region}`;
  const id = ids.get(key) ?? derivedId('dopt', accountId, region, 'default');
  // Every new VPC asks, and there are few accounts and regions.
  ids.set(key, id);
  return id;
}

/** Makes the set when it is missing (deleted while no VPC used it, or first use of the region). */
export function ensureDefaultDhcpOptions(tx: Transaction, accountId: string, region: string): void {
  const id = defaultDhcpOptionsId(accountId, region);
  if (tx.get('dhcp-options', id)) return;
  tx.put('dhcp-options', {
    id,
    accountId,
    region,
    configurations: [
      { key: 'domain-name', values: [region === 'us-east-1' ? 'ec2.internal' : `${region}.compute.internal`] },
      { key: 'domain-name-servers', values: ['AmazonProvidedDNS'] },
    ],
    tags: {},
  });
}
