// How does the API show a network interface: on its own (DescribeNetworkInterfaces) and inside an instance (DescribeInstances)?
// A view holds what both need of other kinds, indexed once per call, so that a page of a thousand costs one scan of each kind.

import type {
  GroupIdentifier,
  InstanceNetworkInterface,
  InstanceNetworkInterfaceAssociation,
  NetworkInterface,
  NetworkInterfaceAssociation,
  NetworkInterfaceAttachment,
  NetworkInterfaceIpv6Address,
} from '@aws-sdk/client-ec2';
import { derivedId } from '../../derived-id.ts';
import type { Call } from '../../service.ts';
import type { AddressRow, NetworkInterfaceRow, SecurityGroupRow, VpcRow } from '../../store/rows/ec2.ts';
import { privateDnsName, publicDnsName } from './instance-names.ts';
import { scopeOf } from './rows.ts';
import { toTags } from './tags.ts';
import { zonesOf } from './zones.ts';

export interface InterfaceView {
  readonly call: Call;
  /** Elastic IP by `ENI PRIVATE-ADDRESS`. */
  readonly elasticIps: ReadonlyMap<string, AddressRow>;
  /** Attached interfaces by instance, in order of device index. */
  readonly byInstance: ReadonlyMap<string, readonly NetworkInterfaceRow[]>;
  readonly vpcs: ReadonlyMap<string, VpcRow>;
  readonly groups: ReadonlyMap<string, SecurityGroupRow>;
}

export function interfaceView(call: Call): InterfaceView {
  const scope = scopeOf(call);
  const byInstance = new Map<string, NetworkInterfaceRow[]>();
  for (const row of call.tx.list('network-interface', scope)) {
    if (!row.attachment) continue;
    const list = byInstance.get(row.attachment.instanceId);
    if (list) list.push(row);
    else byInstance.set(row.attachment.instanceId, [row]);
  }
  for (const list of byInstance.values())
    list.sort((a, b) => (a.attachment?.deviceIndex ?? 0) - (b.attachment?.deviceIndex ?? 0));
  return {
    call,
    elasticIps: new Map(
      call.tx.list('address', scope).map((row) => [`${row.networkInterfaceId} ${row.privateIp}`, row]),
    ),
    byInstance,
    vpcs: new Map(call.tx.list('vpc', scope).map((row) => [row.id, row])),
    groups: new Map(call.tx.list('security-group', scope).map((row) => [row.id, row])),
  };
}

export interface PublicAddress {
  readonly publicIp: string;
  readonly associationId?: string;
  readonly allocationId?: string;
  /** The account for an Elastic IP, `amazon` for one of the pool. */
  readonly ownerId: string;
}

/** The Elastic IP of a private address, else the one that was assigned at launch. */
export function publicAddressOf(
  view: InterfaceView,
  row: NetworkInterfaceRow,
  address: string,
): PublicAddress | undefined {
  const elastic = view.elasticIps.get(`${row.id} ${address}`);
  if (elastic)
    return {
      publicIp: elastic.publicIp,
      ...(elastic.associationId && { associationId: elastic.associationId }),
      allocationId: elastic.id,
      ownerId: elastic.accountId,
    };
  const auto = row.privateAddresses.find((one) => one.address === address)?.autoPublicIp;
  return auto && { publicIp: auto.publicIp, associationId: auto.associationId, ownerId: 'amazon' };
}

export function primaryAddress(row: NetworkInterfaceRow): string {
  return row.privateAddresses[0]?.address ?? '';
}

export function toGroups(view: InterfaceView, row: NetworkInterfaceRow): GroupIdentifier[] {
  return row.groupIds.map((id) => ({ GroupId: id, GroupName: view.groups.get(id)?.groupName ?? '' }));
}

/** `pending` and `detaching` are never seen: an attachment is made in one step. */
export function statusOf(row: NetworkInterfaceRow): 'available' | 'in-use' {
  return row.attachment || row.service ? 'in-use' : 'available';
}

/** What AWS's own interfaces are attached to is nothing that a caller can name. */
export function toAttachment(row: NetworkInterfaceRow): NetworkInterfaceAttachment | undefined {
  const { attachment, service } = row;
  if (service)
    return {
      AttachmentId: derivedId('ela-attach', row.id),
      InstanceOwnerId: 'amazon-aws',
      DeviceIndex: 1,
      DeleteOnTermination: false,
      Status: 'attached',
    };
  return (
    attachment && {
      AttachmentId: attachment.attachmentId,
      InstanceId: attachment.instanceId,
      InstanceOwnerId: attachment.instanceOwnerId,
      DeviceIndex: attachment.deviceIndex,
      NetworkCardIndex: 0,
      DeleteOnTermination: attachment.deleteOnTermination,
      Status: attachment.status,
      AttachTime: new Date(attachment.attachTime),
    }
  );
}

/** A private DNS name shows when the VPC gives host names. */
function privateName(view: InterfaceView, row: NetworkInterfaceRow, address: string): { PrivateDnsName?: string } {
  return view.vpcs.get(row.vpcId)?.enableDnsHostnames ? { PrivateDnsName: privateDnsName(row.region, address) } : {};
}

export function toNetworkInterface(view: InterfaceView, row: NetworkInterfaceRow): NetworkInterface {
  const attachment = toAttachment(row);
  const primary = primaryAddress(row);
  const association = associationOf(view, row, primary);
  const zoneId = zonesOf(row.region).find((zone) => zone.name === row.availabilityZone)?.id;
  return {
    NetworkInterfaceId: row.id,
    SubnetId: row.subnetId,
    VpcId: row.vpcId,
    AvailabilityZone: row.availabilityZone,
    ...(zoneId && { AvailabilityZoneId: zoneId }),
    Description: row.description,
    OwnerId: row.accountId,
    ...(row.requesterId && { RequesterId: row.requesterId }),
    RequesterManaged: row.requesterManaged,
    Status: statusOf(row),
    MacAddress: row.macAddress,
    PrivateIpAddress: primary,
    ...privateName(view, row, primary),
    SourceDestCheck: row.sourceDestCheck,
    Groups: toGroups(view, row),
    InterfaceType: row.interfaceType as 'interface',
    ...(attachment && { Attachment: attachment }),
    ...(association && { Association: association }),
    PrivateIpAddresses: row.privateAddresses.map(({ address, primary: isPrimary }) => {
      const one = associationOf(view, row, address);
      return {
        PrivateIpAddress: address,
        Primary: isPrimary,
        ...privateName(view, row, address),
        ...(one && { Association: one }),
      };
    }),
    ...(row.ipv6Addresses?.[0] && { Ipv6Address: row.ipv6Addresses[0] }),
    Ipv6Addresses: toIpv6Addresses(row),
    TagSet: toTags(row.tags),
  };
}

function toIpv6Addresses(row: NetworkInterfaceRow): NetworkInterfaceIpv6Address[] {
  return (row.ipv6Addresses ?? []).map((Ipv6Address, index) => ({
    Ipv6Address,
    IsPrimaryIpv6: index === 0 && row.primaryIpv6 === true,
  }));
}

function associationOf(
  view: InterfaceView,
  row: NetworkInterfaceRow,
  address: string,
): NetworkInterfaceAssociation | undefined {
  const found = publicAddressOf(view, row, address);
  return (
    found && {
      PublicIp: found.publicIp,
      IpOwnerId: found.ownerId,
      PublicDnsName: publicDnsName(view.vpcs.get(row.vpcId), found.publicIp),
      ...(found.associationId && { AssociationId: found.associationId }),
      ...(found.allocationId && { AllocationId: found.allocationId }),
    }
  );
}

/** The shorter form inside an instance: an association without its ids. */
export function toInstanceNetworkInterface(view: InterfaceView, row: NetworkInterfaceRow): InstanceNetworkInterface {
  const full = toNetworkInterface(view, row);
  const short = (association: NetworkInterfaceAssociation): InstanceNetworkInterfaceAssociation => ({
    PublicIp: association.PublicIp,
    PublicDnsName: association.PublicDnsName,
    IpOwnerId: association.IpOwnerId,
  });
  const { attachment } = row;
  return {
    NetworkInterfaceId: full.NetworkInterfaceId,
    SubnetId: full.SubnetId,
    VpcId: full.VpcId,
    OwnerId: full.OwnerId,
    Status: 'in-use',
    Description: full.Description,
    MacAddress: full.MacAddress,
    PrivateIpAddress: full.PrivateIpAddress,
    PrivateDnsName: full.PrivateDnsName,
    SourceDestCheck: full.SourceDestCheck,
    InterfaceType: row.interfaceType,
    Groups: full.Groups,
    Ipv6Addresses: full.Ipv6Addresses ?? [],
    ...(full.Association && { Association: short(full.Association) }),
    ...(attachment && {
      Attachment: {
        AttachmentId: attachment.attachmentId,
        AttachTime: new Date(attachment.attachTime),
        DeleteOnTermination: attachment.deleteOnTermination,
        DeviceIndex: attachment.deviceIndex,
        NetworkCardIndex: 0,
        Status: attachment.status,
      },
    }),
    PrivateIpAddresses: (full.PrivateIpAddresses ?? []).map(({ Association: association, ...rest }) => ({
      ...rest,
      ...(association && { Association: short(association) }),
    })),
  };
}
