// The filters of DescribeInstances and DescribeInstanceStatus.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html (read 2026-11-21).

import type { InstanceRow, NetworkInterfaceRow } from '../../store/rows/ec2.ts';
import type { FilterTable } from './filters.ts';
import { instanceDnsName, publicDnsName } from './instance-names.ts';
import { architectureOf, hasRootVolume, rootDeviceName, stateCodes } from './instance-output.ts';
import { type InterfaceView, primaryAddress, publicAddressOf, toGroups } from './network-interface-output.ts';

export function instanceFilters(view: InterfaceView): FilterTable<InstanceRow> {
  const interfaces = (row: InstanceRow): readonly NetworkInterfaceRow[] =>
    row.state === 'terminated' ? [] : (view.byInstance.get(row.id) ?? []);
  const primary = (row: InstanceRow) => interfaces(row)[0];
  const address = (row: InstanceRow) => {
    const first = primary(row);
    return first && primaryAddress(first);
  };
  const publicIp = (row: InstanceRow) => {
    const first = primary(row);
    return first && publicAddressOf(view, first, primaryAddress(first))?.publicIp;
  };
  const each =
    (read: (one: NetworkInterfaceRow) => readonly (string | number | boolean | undefined)[]) => (row: InstanceRow) =>
      interfaces(row).flatMap((one) => [...read(one)]);
  const publics = (one: NetworkInterfaceRow) =>
    one.privateAddresses.flatMap(({ address: it }) => publicAddressOf(view, one, it) ?? []);
  const groups = (row: InstanceRow) => {
    const first = primary(row);
    return first ? toGroups(view, first) : [];
  };
  const present = (row: InstanceRow) => row.state !== 'terminated';
  const volume =
    <T>(read: (row: InstanceRow) => T) =>
    (row: InstanceRow) =>
      hasRootVolume(row) ? read(row) : undefined;
  return {
    affinity: () => undefined,
    architecture: architectureOf,
    'availability-zone': (row) => row.availabilityZone,
    'block-device-mapping.attach-time': volume((row) => row.launchTime),
    'block-device-mapping.delete-on-termination': volume((row) => row.rootVolume?.deleteOnTermination ?? true),
    'block-device-mapping.device-name': volume(rootDeviceName),
    'block-device-mapping.status': volume(() => 'attached'),
    'block-device-mapping.volume-id': volume((row) => row.rootVolumeId),
    'boot-mode': () => 'uefi-preferred',
    'client-token': (row) => row.clientToken,
    'dns-name': (row) => publicDnsName(view.vpcs.get(row.vpcId), publicIp(row)),
    'ebs-optimized': (row) => row.ebsOptimized,
    'ena-support': () => true,
    'hibernation-options.configured': () => false,
    hypervisor: () => 'xen',
    'iam-instance-profile.arn': (row) => row.iamInstanceProfile?.arn,
    'iam-instance-profile.id': (row) => row.iamInstanceProfile?.id,
    'image-id': (row) => row.imageId,
    'instance-id': (row) => row.id,
    'instance-lifecycle': () => undefined,
    'instance-state-code': (row) => stateCodes[row.state],
    'instance-state-name': (row) => row.state,
    'instance-type': (row) => row.instanceType,
    'instance.group-id': (row) => groups(row).map((one) => one.GroupId),
    'instance.group-name': (row) => groups(row).map((one) => one.GroupName),
    'group-id': (row) => groups(row).map((one) => one.GroupId),
    'group-name': (row) => groups(row).map((one) => one.GroupName),
    'ip-address': publicIp,
    'ipv6-address': (row) => interfaces(row).flatMap((one) => one.ipv6Addresses ?? []),
    'kernel-id': () => undefined,
    'key-name': (row) => row.keyName,
    'launch-index': (row) => row.launchIndex,
    'launch-time': (row) => row.launchTime,
    'maintenance-options.auto-recovery': () => 'default',
    'metadata-options.http-endpoint': (row) => row.metadataOptions.httpEndpoint,
    'metadata-options.http-protocol-ipv4': (row) => row.metadataOptions.httpEndpoint,
    'metadata-options.http-protocol-ipv6': (row) => row.metadataOptions.httpProtocolIpv6,
    'metadata-options.http-put-response-hop-limit': (row) => row.metadataOptions.httpPutResponseHopLimit,
    'metadata-options.http-tokens': (row) => row.metadataOptions.httpTokens,
    'metadata-options.instance-metadata-tags': (row) => row.metadataOptions.instanceMetadataTags,
    'metadata-options.state': () => 'applied',
    'monitoring-state': (row) => row.monitoring,
    'network-interface.addresses.association.allocation-id': each((one) => publics(one).map((it) => it.allocationId)),
    'network-interface.addresses.association.association-id': each((one) => publics(one).map((it) => it.associationId)),
    'network-interface.addresses.association.ip-owner-id': each((one) => publics(one).map((it) => it.ownerId)),
    'network-interface.addresses.association.public-ip': each((one) => publics(one).map((it) => it.publicIp)),
    'network-interface.addresses.primary': each((one) => one.privateAddresses.map((it) => it.primary)),
    'network-interface.addresses.private-ip-address': each((one) => one.privateAddresses.map((it) => it.address)),
    'network-interface.association.allocation-id': each((one) => publics(one).map((it) => it.allocationId)),
    'network-interface.association.association-id': each((one) => publics(one).map((it) => it.associationId)),
    'network-interface.association.ip-owner-id': each((one) => publics(one).map((it) => it.ownerId)),
    'network-interface.association.public-ip': each((one) => publics(one).map((it) => it.publicIp)),
    'network-interface.attachment.attach-time': each((one) => [one.attachment?.attachTime]),
    'network-interface.attachment.attachment-id': each((one) => [one.attachment?.attachmentId]),
    'network-interface.attachment.delete-on-termination': each((one) => [one.attachment?.deleteOnTermination]),
    'network-interface.attachment.device-index': each((one) => [one.attachment?.deviceIndex]),
    'network-interface.attachment.instance-id': each((one) => [one.attachment?.instanceId]),
    'network-interface.attachment.instance-owner-id': each((one) => [one.attachment?.instanceOwnerId]),
    'network-interface.attachment.status': each((one) => [one.attachment?.status]),
    'network-interface.availability-zone': each((one) => [one.availabilityZone]),
    'network-interface.description': each((one) => [one.description]),
    'network-interface.group-id': each((one) => one.groupIds),
    'network-interface.group-name': each((one) => toGroups(view, one).map((group) => group.GroupName)),
    'network-interface.ipv6-addresses.ipv6-address': each((one) => one.ipv6Addresses ?? []),
    'network-interface.mac-address': each((one) => [one.macAddress]),
    'network-interface.network-interface-id': each((one) => [one.id]),
    'network-interface.owner-id': each((one) => [one.accountId]),
    'network-interface.private-dns-name': (row) =>
      interfaces(row).map((one) => instanceDnsName({ ...row, hostnameType: 'ip-name' }, primaryAddress(one))),
    'network-interface.private-ip-address': each((one) => [one.privateAddresses[0]?.address]),
    'network-interface.requester-id': each((one) => [one.requesterId]),
    'network-interface.requester-managed': each((one) => [one.requesterManaged]),
    'network-interface.source-dest-check': each((one) => [one.sourceDestCheck]),
    'network-interface.status': each(() => ['in-use']),
    'network-interface.subnet-id': each((one) => [one.subnetId]),
    'network-interface.vpc-id': each((one) => [one.vpcId]),
    'owner-id': (row) => row.accountId,
    'placement-group-name': () => undefined,
    'placement-partition-number': () => undefined,
    platform: () => undefined,
    'platform-details': () => 'Linux/UNIX',
    'private-dns-name': (row) => {
      const it = address(row);
      return it === undefined ? '' : instanceDnsName(row, it);
    },
    'private-dns-name-options.hostname-type': (row) => row.hostnameType ?? 'ip-name',
    'private-dns-name-options.enable-resource-name-dns-a-record': () => false,
    'private-dns-name-options.enable-resource-name-dns-aaaa-record': (row) =>
      row.enableResourceNameDnsAAAARecord ?? false,
    'private-ip-address': address,
    'product-code': () => undefined,
    'product-code.type': () => undefined,
    'ramdisk-id': () => undefined,
    reason: (row) => row.stateTransitionReason,
    'requester-id': () => undefined,
    'reservation-id': (row) => row.reservationId,
    'root-device-name': rootDeviceName,
    'root-device-type': () => 'ebs',
    'source-dest-check': (row) => primary(row)?.sourceDestCheck,
    'spot-instance-request-id': () => undefined,
    'state-reason-code': (row) => row.stateReason?.code,
    'state-reason-message': (row) => row.stateReason?.message,
    'subnet-id': (row) => (present(row) ? row.subnetId : undefined),
    tenancy: () => 'default',
    'tpm-support': () => undefined,
    'usage-operation': () => 'RunInstances',
    'usage-operation-update-time': (row) => row.launchTime,
    'virtualization-type': () => 'hvm',
    'vpc-id': (row) => (present(row) ? row.vpcId : undefined),
  };
}

export const statusFilters: FilterTable<InstanceRow> = {
  'availability-zone': (row) => row.availabilityZone,
  'availability-zone-id': () => undefined,
  'attached-ebs-status.status': () => 'ok',
  'event.code': () => undefined,
  'event.description': () => undefined,
  'event.instance-event-id': () => undefined,
  'event.not-after': () => undefined,
  'event.not-before': () => undefined,
  'event.not-before-deadline': () => undefined,
  'instance-state-code': (row) => stateCodes[row.state],
  'instance-state-name': (row) => row.state,
  'instance-status.reachability': (row) => (row.state === 'running' ? 'passed' : undefined),
  'instance-status.status': (row) => (row.state === 'running' ? 'ok' : 'not-applicable'),
  'system-status.reachability': (row) => (row.state === 'running' ? 'passed' : undefined),
  'system-status.status': (row) => (row.state === 'running' ? 'ok' : 'not-applicable'),
};
