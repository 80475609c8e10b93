// The filters of DescribeNetworkInterfaces.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html (read 2026-11-21).

import type { NetworkInterfaceRow } from '../../store/rows/ec2.ts';
import type { FilterTable } from './filters.ts';
import { privateDnsName, publicDnsName } from './instance-names.ts';
import {
  type InterfaceView,
  primaryAddress,
  publicAddressOf,
  statusOf,
  toAttachment,
  toGroups,
} from './network-interface-output.ts';

export function networkInterfaceFilters(view: InterfaceView): FilterTable<NetworkInterfaceRow> {
  const publics = (row: NetworkInterfaceRow) =>
    row.privateAddresses.flatMap(({ address }) => publicAddressOf(view, row, address) ?? []);
  const dnsNames = (row: NetworkInterfaceRow) =>
    publics(row).map((one) => publicDnsName(view.vpcs.get(row.vpcId), one.publicIp));
  const publicIps = (row: NetworkInterfaceRow) => publics(row).map((one) => one.publicIp);
  const owners = (row: NetworkInterfaceRow) => publics(row).map((one) => one.ownerId);
  return {
    'addresses.association.owner-id': owners,
    'addresses.association.public-ip': publicIps,
    'addresses.primary': (row) => row.privateAddresses.map((one) => one.primary),
    'addresses.private-ip-address': (row) => row.privateAddresses.map((one) => one.address),
    'association.allocation-id': (row) => publics(row).map((one) => one.allocationId),
    'association.association-id': (row) => publics(row).map((one) => one.associationId),
    'association.ip-owner-id': owners,
    'association.public-dns-name': dnsNames,
    'association.public-ip': publicIps,
    'attachment.attach-time': (row) => toAttachment(row)?.AttachTime?.toISOString(),
    'attachment.attachment-id': (row) => toAttachment(row)?.AttachmentId,
    'attachment.delete-on-termination': (row) => toAttachment(row)?.DeleteOnTermination,
    'attachment.device-index': (row) => toAttachment(row)?.DeviceIndex,
    'attachment.instance-id': (row) => toAttachment(row)?.InstanceId,
    'attachment.instance-owner-id': (row) => toAttachment(row)?.InstanceOwnerId,
    'attachment.status': (row) => toAttachment(row)?.Status,
    'availability-zone': (row) => row.availabilityZone,
    description: (row) => row.description,
    'group-id': (row) => row.groupIds,
    'group-name': (row) => toGroups(view, row).map((group) => group.GroupName),
    'interface-type': (row) => row.interfaceType,
    'ipv6-addresses.ipv6-address': (row) => row.ipv6Addresses ?? [],
    'mac-address': (row) => row.macAddress,
    'network-interface-id': (row) => row.id,
    'operator.managed': () => false,
    'operator.principal': () => undefined,
    'owner-id': (row) => row.accountId,
    'private-dns-name': (row) => privateDnsName(row.region, primaryAddress(row)),
    'private-ip-address': primaryAddress,
    'requester-id': (row) => row.requesterId,
    'requester-managed': (row) => row.requesterManaged,
    'source-dest-check': (row) => row.sourceDestCheck,
    status: statusOf,
    'subnet-id': (row) => row.subnetId,
    'vpc-id': (row) => row.vpcId,
  };
}
