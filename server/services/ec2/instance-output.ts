// How does DescribeInstances show an instance? https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html (read 2026-11-21).
// A terminated instance has lost its addresses, interfaces, subnet and VPC, as on AWS.

import type { Instance, InstanceState, Reservation } from '@aws-sdk/client-ec2';
import { findImage, unknownImage } from '../../images.ts';
import type { InstanceRow } from '../../store/rows/ec2.ts';
import { instanceDnsName, publicDnsName } from './instance-names.ts';
import { cpuOptionsShown } from './instance-options.ts';
import { instanceTypes } from './instance-type-table.ts';
import { toMetadataOptions } from './metadata-options.ts';
import {
  type InterfaceView,
  primaryAddress,
  publicAddressOf,
  toGroups,
  toInstanceNetworkInterface,
} from './network-interface-output.ts';
import { toTags } from './tags.ts';

/** The low byte of the state's code; the high byte is AWS's own and always zero here. */
export const stateCodes = {
  pending: 0, running: 16, 'shutting-down': 32, terminated: 48, stopping: 64, stopped: 80,
} as const satisfies Record<InstanceRow['state'], number>; // biome-ignore format: a table

export function toState(state: InstanceRow['state']): InstanceState {
  return { Code: stateCodes[state], Name: state };
}

export function rootDeviceName(row: InstanceRow): string {
  return (findImage(row.region, row.imageId) ?? unknownImage).rootDeviceName;
}

export function architectureOf(row: InstanceRow): 'x86_64' | 'arm64' {
  return instanceTypes.get(row.instanceType)?.architecture ?? 'x86_64';
}

/** The volume is gone with the instance. */
export function hasRootVolume(row: InstanceRow): boolean {
  return row.state !== 'terminated';
}

export function toInstance(view: InterfaceView, row: InstanceRow): Instance {
  const facts = instanceTypes.get(row.instanceType);
  return {
    InstanceId: row.id,
    ImageId: row.imageId,
    State: toState(row.state),
    ...(row.stateReason && { StateReason: { Code: row.stateReason.code, Message: row.stateReason.message } }),
    StateTransitionReason: row.stateTransitionReason,
    ...(row.keyName && { KeyName: row.keyName }),
    AmiLaunchIndex: row.launchIndex,
    ProductCodes: [],
    InstanceType: row.instanceType as 't3.micro',
    LaunchTime: new Date(row.launchTime),
    Placement: { AvailabilityZone: row.availabilityZone, GroupName: '', Tenancy: 'default' },
    Monitoring: { State: row.monitoring },
    Architecture: architectureOf(row),
    ...(row.clientToken && { ClientToken: row.clientToken }),
    EbsOptimized: row.ebsOptimized,
    EnaSupport: true,
    Hypervisor: 'xen',
    ...(row.iamInstanceProfile && {
      IamInstanceProfile: { Arn: row.iamInstanceProfile.arn, Id: row.iamInstanceProfile.id },
    }),
    RootDeviceName: rootDeviceName(row),
    RootDeviceType: 'ebs',
    VirtualizationType: 'hvm',
    PlatformDetails: 'Linux/UNIX',
    UsageOperation: 'RunInstances',
    UsageOperationUpdateTime: new Date(row.launchTime),
    CpuOptions: cpuOptionsShown(row),
    CapacityReservationSpecification: { CapacityReservationPreference: 'open' },
    HibernationOptions: { Configured: false },
    EnclaveOptions: { Enabled: false },
    MetadataOptions: toMetadataOptions(row.metadataOptions),
    MaintenanceOptions: { AutoRecovery: row.autoRecovery ?? 'default' },
    BootMode: 'uefi-preferred',
    CurrentInstanceBootMode: facts?.hypervisor === 'nitro' ? 'uefi' : 'legacy-bios',
    BlockDeviceMappings: hasRootVolume(row)
      ? [
          {
            DeviceName: rootDeviceName(row),
            Ebs: {
              VolumeId: row.rootVolumeId,
              Status: 'attached',
              AttachTime: new Date(row.launchTime),
              DeleteOnTermination: row.rootVolume?.deleteOnTermination ?? true,
            },
          },
        ]
      : [],
    Tags: toTags(row.tags),
    ...networkOf(view, row),
  };
}

function networkOf(view: InterfaceView, row: InstanceRow): Instance {
  const interfaces = view.byInstance.get(row.id) ?? [];
  const [primary] = interfaces;
  if (row.state === 'terminated' || !primary)
    return { PrivateDnsName: '', PublicDnsName: '', NetworkInterfaces: [], SecurityGroups: [] };
  const address = primaryAddress(primary);
  const publicIp = publicAddressOf(view, primary, address)?.publicIp;
  return {
    VpcId: row.vpcId,
    SubnetId: row.subnetId,
    PrivateIpAddress: address,
    PrivateDnsName: instanceDnsName(row, address),
    ...(publicIp && { PublicIpAddress: publicIp }),
    ...(primary.ipv6Addresses?.[0] && { Ipv6Address: primary.ipv6Addresses[0] }),
    PublicDnsName: publicDnsName(view.vpcs.get(row.vpcId), publicIp),
    SourceDestCheck: primary.sourceDestCheck,
    SecurityGroups: toGroups(view, primary),
    NetworkInterfaces: interfaces.map((one) => toInstanceNetworkInterface(view, one)),
    PrivateDnsNameOptions: {
      HostnameType: row.hostnameType ?? 'ip-name',
      EnableResourceNameDnsARecord: false,
      EnableResourceNameDnsAAAARecord: row.enableResourceNameDnsAAAARecord ?? false,
    },
  };
}

/** Instances that were launched together are one reservation; the order is that of the rows. */
export function toReservations(view: InterfaceView, rows: readonly InstanceRow[]): Reservation[] {
  const reservations = new Map<string, InstanceRow[]>();
  for (const row of rows) {
    const list = reservations.get(row.reservationId);
    if (list) list.push(row);
    else reservations.set(row.reservationId, [row]);
  }
  return [...reservations].map(([reservationId, list]) => ({
    ReservationId: reservationId,
    OwnerId: list[0]?.accountId ?? '',
    Groups: [],
    Instances: list.map((row) => toInstance(view, row)),
  }));
}
