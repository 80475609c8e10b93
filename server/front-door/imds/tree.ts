// What the metadata service shows of an instance, as a tree of texts; pure from the rows that are given in (H5, H6).
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-metadata.html (categories; read 2026-11-21).
// Gaps: pkcs7 and rsa2048 (they need AWS's own certificate), identity-credentials, spot, events, managed-ssh-keys/signer-cert.

import { privateDnsName, publicDnsName } from '@postern/network/names.ts';
import type { InstanceRow, NetworkInterfaceRow, SecurityGroupRow, SubnetRow, VpcRow } from '../../store/rows/ec2.ts';

/** A directory; a function is a value that is fetched only when it is asked for. */
export interface Directory {
  readonly [name: string]: Entry;
}
export interface Value {
  readonly text: string;
  readonly contentType?: string;
}
/** Asked of the caller: role credentials by role name, or the signature of the identity document. */
export interface Deferred {
  readonly deferred: 'credentials' | 'signature';
}
export type Entry = string | Directory | Value | Deferred | Listed;
/** A directory whose listing isn't the names of its entries, e.g. `public-keys/` lists `0=my-key`. */
export interface Listed {
  readonly listing: string;
  readonly entries: Directory;
}

export interface InterfaceFacts {
  readonly row: NetworkInterfaceRow;
  readonly subnet: SubnetRow;
  readonly groups: readonly SecurityGroupRow[];
  /** Private address → public or Elastic IP. */
  readonly publicAddresses: ReadonlyMap<string, string>;
}

export interface InstanceFacts {
  readonly instance: InstanceRow;
  readonly vpc: VpcRow;
  /** By device index; the primary one first. */
  readonly interfaces: readonly InterfaceFacts[];
  readonly publicKey?: string;
  /** The role of its instance profile. */
  readonly roleName?: string;
  /** EC2 Instance Connect's keys that are alive now. */
  readonly activeKeys: readonly { readonly user: string; readonly publicKey: string }[];
  readonly userData?: Buffer;
  readonly availabilityZoneId: string;
  readonly domain: string;
  /** What DHCP gives out as the domain, if anything. */
  readonly domainName?: string;
  readonly partition: string;
  readonly now: Date;
}

const seconds = (date: Date | string) => `${new Date(date).toISOString().slice(0, 19)}Z`;

/** The identity document as AWS lays it out; its text is what is signed. */
export function identityDocument(facts: InstanceFacts): string {
  const { instance } = facts;
  return JSON.stringify(
    {
      accountId: instance.accountId,
      architecture: 'x86_64',
      availabilityZone: instance.availabilityZone,
      billingProducts: null,
      devpayProductCodes: null,
      marketplaceProductCodes: null,
      imageId: instance.imageId,
      instanceId: instance.id,
      instanceType: instance.instanceType,
      kernelId: null,
      pendingTime: seconds(instance.launchTime),
      privateIp: facts.interfaces[0]?.row.privateAddresses[0]?.address ?? '',
      ramdiskId: null,
      region: instance.region,
      version: '2017-09-30',
    },
    null,
    2,
  );
}

function interfaceDirectory(facts: InstanceFacts, one: InterfaceFacts): Directory {
  const { row, subnet, groups, publicAddresses } = one;
  const addresses = row.privateAddresses.map(({ address }) => address);
  const publicOnes = [...publicAddresses.values()];
  const associations: Record<string, string> = {};
  for (const [privateIp, publicIp] of publicAddresses) associations[publicIp] = privateIp;
  const ipv6 = row.ipv6Addresses ?? [];
  const vpcIpv6 = facts.vpc.ipv6CidrBlocks ?? [];
  const named = facts.vpc.enableDnsHostnames && publicOnes[0] !== undefined;
  return {
    'device-number': String(row.attachment?.deviceIndex ?? 0),
    'interface-id': row.id,
    ...(publicOnes.length > 0 && { 'ipv4-associations': associations }),
    'local-hostname': privateDnsName(addresses[0] ?? '', row.region),
    'local-ipv4s': addresses.join('\n'),
    ...(ipv6.length > 0 && { ipv6s: ipv6.join('\n') }),
    mac: row.macAddress,
    'network-card': '0',
    'owner-id': row.accountId,
    ...(named && { 'public-hostname': publicDnsName(publicOnes[0] ?? '', row.region) }),
    ...(publicOnes.length > 0 && { 'public-ipv4s': publicOnes.join('\n') }),
    'security-group-ids': groups.map(({ id }) => id).join('\n'),
    'security-groups': groups.map(({ groupName }) => groupName).join('\n'),
    'subnet-id': subnet.id,
    'subnet-ipv4-cidr-block': subnet.cidrBlock,
    ...(subnet.ipv6CidrBlock && { 'subnet-ipv6-cidr-blocks': subnet.ipv6CidrBlock.cidr }),
    'vpc-id': facts.vpc.id,
    'vpc-ipv4-cidr-block': facts.vpc.cidrBlocks[0]?.cidr ?? '',
    'vpc-ipv4-cidr-blocks': facts.vpc.cidrBlocks.map(({ cidr }) => cidr).join('\n'),
    ...(vpcIpv6.length > 0 && { 'vpc-ipv6-cidr-blocks': vpcIpv6.map(({ cidr }) => cidr).join('\n') }),
  };
}

function iamDirectory(facts: InstanceFacts): Directory | undefined {
  const profile = facts.instance.iamInstanceProfile;
  if (!profile) return undefined;
  const info = {
    Code: 'Success',
    LastUpdated: seconds(facts.now),
    InstanceProfileArn: profile.arn,
    InstanceProfileId: profile.id,
  };
  return {
    info: JSON.stringify(info, null, 2),
    ...(facts.roleName !== undefined && { 'security-credentials': { [facts.roleName]: { deferred: 'credentials' } } }),
  };
}

/** By the address, or by the id where the subnet said so; in the domain that DHCP gives out, else the region's own. */
function hostName({ instance, domainName }: InstanceFacts, address: string): string {
  const byAddress = privateDnsName(address, instance.region);
  const own = byAddress.indexOf('.');
  const host = instance.hostnameType === 'resource-name' ? instance.id : byAddress.slice(0, own);
  return `${host}.${domainName ?? byAddress.slice(own + 1)}`;
}

function metadata(facts: InstanceFacts): Directory {
  const { instance, interfaces } = facts;
  const primary = interfaces[0];
  const address = primary?.row.privateAddresses[0]?.address ?? '';
  const publicIp = primary?.publicAddresses.get(address);
  const name = hostName(facts, address);
  const iam = iamDirectory(facts);
  const macs: Record<string, Directory> = {};
  for (const one of interfaces) macs[one.row.macAddress] = interfaceDirectory(facts, one);
  const byUser: Record<string, string> = {};
  for (const { user, publicKey } of facts.activeKeys)
    byUser[user] = byUser[user] === undefined ? publicKey : `${byUser[user]}\n${publicKey}`;
  return {
    'ami-id': instance.imageId,
    'ami-launch-index': String(instance.launchIndex),
    'ami-manifest-path': '(unknown)',
    'block-device-mapping': { ami: '/dev/xvda', root: '/dev/xvda' },
    hostname: name,
    ...(iam && { iam }),
    'instance-action': 'none',
    'instance-id': instance.id,
    'instance-life-cycle': 'on-demand',
    'instance-type': instance.instanceType,
    'local-hostname': name,
    'local-ipv4': address,
    ...(primary?.row.ipv6Addresses?.[0] && { ipv6: primary.row.ipv6Addresses[0] }),
    mac: primary?.row.macAddress ?? '',
    ...(facts.activeKeys.length > 0 && { 'managed-ssh-keys': { 'active-keys': byUser } }),
    network: { interfaces: { macs } },
    placement: {
      'availability-zone': instance.availabilityZone,
      'availability-zone-id': facts.availabilityZoneId,
      region: instance.region,
    },
    profile: 'default-hvm',
    ...(publicIp !== undefined &&
      facts.vpc.enableDnsHostnames && { 'public-hostname': publicDnsName(publicIp, instance.region) }),
    ...(publicIp !== undefined && { 'public-ipv4': publicIp }),
    ...(facts.publicKey !== undefined && {
      'public-keys': {
        listing: `0=${instance.keyName ?? 'key'}`,
        entries: { '0': { 'openssh-key': facts.publicKey } },
      },
    }),
    'reservation-id': instance.reservationId,
    'security-groups': primary?.groups.map(({ groupName }) => groupName).join('\n') ?? '',
    services: { domain: facts.domain, partition: facts.partition },
    ...(instance.metadataOptions.instanceMetadataTags === 'enabled' && { tags: { instance: instance.tags } }),
  };
}

/** Everything below a version. */
export function metadataTree(facts: InstanceFacts): Directory {
  const document = identityDocument(facts);
  return {
    dynamic: {
      'instance-identity': {
        document: { text: document, contentType: 'application/json' },
        signature: { deferred: 'signature' },
      },
    },
    'meta-data': metadata(facts),
    ...(facts.userData &&
      facts.userData.length > 0 && {
        'user-data': { text: facts.userData.toString('latin1'), contentType: 'application/octet-stream' },
      }),
  };
}

export type Found =
  | { readonly kind: 'text'; readonly text: string; readonly contentType: string }
  | { readonly kind: 'deferred'; readonly what: Deferred['deferred']; readonly name: string }
  | { readonly kind: 'missing' };

const isDirectory = (entry: Entry): entry is Directory =>
  typeof entry === 'object' && !('text' in entry) && !('deferred' in entry) && !('listing' in entry);

function listing(directory: Directory): string {
  const lines = Object.entries(directory).map(([name, entry]) =>
    isDirectory(entry) || (typeof entry === 'object' && 'listing' in entry) ? `${name}/` : name,
  );
  return lines.sort().join('\n');
}

/** Follows a path's parts through the tree; a directory is its listing (H3). */
export function lookUp(tree: Directory, parts: readonly string[]): Found {
  let entry: Entry = tree;
  let last = '';
  for (const part of parts) {
    const directory: Directory | undefined =
      typeof entry === 'object' && 'listing' in entry
        ? (entry as Listed).entries
        : typeof entry === 'object' && isDirectory(entry)
          ? entry
          : undefined;
    const next: Entry | undefined = directory && Object.hasOwn(directory, part) ? directory[part] : undefined;
    if (next === undefined) return { kind: 'missing' };
    entry = next;
    last = part;
  }
  if (typeof entry === 'string') return { kind: 'text', text: entry, contentType: 'text/plain' };
  if ('listing' in entry) return { kind: 'text', text: (entry as Listed).listing, contentType: 'text/plain' };
  if ('deferred' in entry) return { kind: 'deferred', what: (entry as Deferred).deferred, name: last };
  if (!isDirectory(entry))
    return { kind: 'text', text: (entry as Value).text, contentType: (entry as Value).contentType ?? 'text/plain' };
  return { kind: 'text', text: listing(entry), contentType: 'text/plain' };
}
