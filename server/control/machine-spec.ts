// What does an instance's machine look like from inside: name, keys, resolver, user data? Read off the rows at each start.

import type { Lease, MachineSpec } from '@postern/fabric/types.ts';
import { addressAt } from '@postern/network/cidr.ts';
import { instanceDisk } from '../service.ts';
import type { InstanceRow } from '../store/rows/ec2.ts';
import type { Transaction } from '../store/store.ts';
import { toDhcpOptions } from './snapshot.ts';
import { interfacesOf } from './transitions.ts';

/** What does not depend on the instance. */
export interface MachineHome {
  readonly dataDirectory: string;
  readonly caCertificate: string;
}

/** @throws Error when the rows cannot be a machine (no primary interface, no VPC): a bug, or a database changed by hand */
export function machineSpec(tx: Transaction, row: InstanceRow, home: MachineHome): MachineSpec {
  const [primary] = interfacesOf(tx, row);
  const address = primary?.privateAddresses[0]?.address;
  if (address === undefined) throw new Error(`${row.id} has no network interface`);
  const keys = row.keyName
    ? tx.list('key-pair', { accountId: row.accountId, region: row.region }).filter((key) => key.keyName === row.keyName)
    : [];
  return {
    instanceId: row.id,
    hostname: row.hostnameType === 'resource-name' ? row.id : `ip-${address.replaceAll('.', '-')}`,
    disk: instanceDisk(home.dataDirectory, row.id),
    caCertificate: home.caCertificate,
    authorizedKeys: keys.map((key) => key.publicKey),
    lease: leaseOf(tx, row),
    ...(row.userData !== undefined && { userData: Buffer.from(row.userData, 'base64') }),
    region: row.region,
  };
}

/** What the VPC's DHCP options say; the `default` set (no options) gives no resolver at all. */
export function leaseOf(tx: Transaction, row: InstanceRow): Lease {
  const vpc = tx.get('vpc', row.vpcId);
  const block = vpc?.cidrBlocks[0]?.cidr;
  if (!vpc || !block) throw new Error(`${row.id} is in ${row.vpcId}, which does not exist`);
  const options = tx.get('dhcp-options', vpc.dhcpOptionsId);
  if (!options) return { nameServers: [], timeServers: [] };
  const { domainName, domainNameServers } = toDhcpOptions(options);
  return {
    nameServers: domainNameServers.map((server) => (server === 'AmazonProvidedDNS' ? addressAt(block, 2) : server)),
    ...(domainName && { domainName }),
    timeServers: options.configurations.find((one) => one.key === 'ntp-servers')?.values ?? [],
  };
}
