// Reads, in one transaction, the rows that the metadata tree is made of. The asker is known by its VPC and private address only.

import type { Ipv4, Ipv6, VpcId } from '@postern/network/snapshot.ts';
import type { InstanceRow, NetworkInterfaceRow } from '../../store/rows/ec2.ts';
import type { Transaction } from '../../store/store.ts';
import type { InstanceFacts, InterfaceFacts } from './tree.ts';

/** The instance that holds a private address of a VPC, if one does that is not gone. */
export function instanceAt(tx: Transaction, vpcId: VpcId, address: Ipv4 | Ipv6): InstanceRow | undefined {
  const row = tx
    .list('network-interface')
    .find(
      (one) =>
        one.vpcId === vpcId &&
        one.attachment &&
        (one.privateAddresses.some((own) => own.address === address) || one.ipv6Addresses?.includes(address)),
    );
  const instance = row?.attachment && tx.get('instance', row.attachment.instanceId);
  return instance && instance.state !== 'terminated' ? instance : undefined;
}

function publicAddresses(tx: Transaction, row: NetworkInterfaceRow): Map<string, string> {
  const found = new Map<string, string>();
  for (const { address, autoPublicIp } of row.privateAddresses)
    if (autoPublicIp) found.set(address, autoPublicIp.publicIp);
  for (const elastic of tx.list('address', { accountId: row.accountId, region: row.region })) {
    if (elastic.networkInterfaceId === row.id && elastic.privateIp !== undefined)
      found.set(elastic.privateIp, elastic.publicIp);
  }
  return found;
}

function roleOf(tx: Transaction, instance: InstanceRow): string | undefined {
  const profile = instance.iamInstanceProfile;
  if (!profile) return undefined;
  return tx
    .list('instance-profile', { accountId: instance.accountId })
    .find(({ instanceProfileId }) => instanceProfileId === profile.id)?.roleNames[0];
}

const partitionOf = (region: string) =>
  region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';

/** Undefined when the rows that an instance lives by are not there (any more). */
export function instanceFacts(tx: Transaction, instance: InstanceRow, now: Date): InstanceFacts | undefined {
  const vpc = tx.get('vpc', instance.vpcId);
  const primarySubnet = tx.get('subnet', instance.subnetId);
  if (!vpc || !primarySubnet) return undefined;
  const interfaces: InterfaceFacts[] = [];
  for (const row of tx.list('network-interface', { accountId: instance.accountId, region: instance.region })) {
    const subnet = tx.get('subnet', row.subnetId);
    if (row.attachment?.instanceId !== instance.id || !subnet) continue;
    const groups = row.groupIds.flatMap((id) => tx.get('security-group', id) ?? []);
    interfaces.push({ row, subnet, groups, publicAddresses: publicAddresses(tx, row) });
  }
  interfaces.sort((a, b) => (a.row.attachment?.deviceIndex ?? 0) - (b.row.attachment?.deviceIndex ?? 0));
  const key = tx
    .list('key-pair', { accountId: instance.accountId, region: instance.region })
    .find(({ keyName }) => keyName === instance.keyName);
  const roleName = roleOf(tx, instance);
  const dhcp = tx.get('dhcp-options', vpc.dhcpOptionsId)?.configurations;
  const domainName = dhcp?.find((one) => one.key === 'domain-name')?.values[0]?.split(' ')[0];
  const partition = partitionOf(instance.region);
  const instant = now.toISOString();
  return {
    instance,
    vpc,
    interfaces,
    ...(key && { publicKey: key.publicKey }),
    ...(roleName !== undefined && { roleName }),
    activeKeys: tx
      .list('instance-connect-key')
      .filter(({ instanceId, expiresAt }) => instanceId === instance.id && expiresAt > instant),
    ...(instance.userData !== undefined && { userData: Buffer.from(instance.userData, 'base64') }),
    availabilityZoneId: primarySubnet.availabilityZoneId,
    ...(domainName !== undefined && { domainName }),
    domain: partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com',
    partition,
    now,
  };
}
