// What are an instance and its interfaces called in DNS? https://docs.aws.amazon.com/vpc/latest/userguide/vpc-dns.html (read 2026-11-21). Rule D3.

import type { Ipv4 } from '@postern/network/snapshot.ts';
import type { InstanceRow, VpcRow } from '../../store/rows/ec2.ts';

/** `ec2.internal`, elsewhere `REGION.compute.internal`. */
export function privateDomain(region: string): string {
  return region === 'us-east-1' ? 'ec2.internal' : `${region}.compute.internal`;
}

/** `ip-10-0-0-4.ec2.internal` */
export function privateDnsName(region: string, address: Ipv4): string {
  return `ip-${address.replaceAll('.', '-')}.${privateDomain(region)}`;
}

/** An instance's own name: by its address, or by its id where its subnet said so. */
export function instanceDnsName(row: InstanceRow, address: Ipv4): string {
  return row.hostnameType === 'resource-name'
    ? `${row.id}.${privateDomain(row.region)}`
    : privateDnsName(row.region, address);
}

/** `ec2-198-19-0-10.compute-1.amazonaws.com`; empty unless both DNS attributes of the VPC are on (D3). */
export function publicDnsName(vpc: VpcRow | undefined, address: Ipv4 | undefined): string {
  if (!vpc?.enableDnsHostnames || !vpc.enableDnsSupport || address === undefined) return '';
  const zone = vpc.region === 'us-east-1' ? 'compute-1' : `${vpc.region}.compute`;
  const suffix = vpc.region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return `ec2-${address.replaceAll('.', '-')}.${zone}.${suffix}`;
}
