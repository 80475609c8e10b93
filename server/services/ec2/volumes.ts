// DescribeVolumes: the root volumes of the instances there are, so that tools find what DescribeInstances names. There are no other volumes: creating,
// attaching or modifying one is answered as not implemented.

import type { DescribeVolumesRequest, DescribeVolumesResult, Volume } from '@aws-sdk/client-ec2';
import { findImage, unknownImage } from '../../images.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { InstanceRow } from '../../store/rows/ec2.ts';
import { ec2Error } from './errors.ts';
import { applyFilters, type FilterTable } from './filters.ts';
import { hasRootVolume, rootDeviceName } from './instance-output.ts';
import { paginate } from './pagination.ts';
import { scopeOf } from './rows.ts';
import { toTags } from './tags.ts';

/** Size, type and tags of an instance's root volume: what was asked for, or else its image's own. */
export function rootVolumeOf(row: InstanceRow): NonNullable<InstanceRow['rootVolume']> {
  const image = findImage(row.region, row.imageId) ?? unknownImage;
  return (
    row.rootVolume ?? {
      sizeGiB: image.rootVolumeGiB,
      volumeType: image.rootVolumeType,
      deleteOnTermination: true,
      encrypted: false,
      tags: {},
    }
  );
}

function toVolume(row: InstanceRow): Volume {
  const { sizeGiB, volumeType, deleteOnTermination, encrypted, tags } = rootVolumeOf(row);
  return {
    VolumeId: row.rootVolumeId,
    Size: sizeGiB,
    VolumeType: volumeType as 'gp3',
    AvailabilityZone: row.availabilityZone,
    State: 'in-use',
    CreateTime: new Date(row.launchTime),
    Encrypted: encrypted,
    SnapshotId: `snap-${row.imageId.slice('ami-'.length)}`,
    ...(volumeType === 'gp3' && { Iops: 3000, Throughput: 125 }),
    ...(volumeType === 'gp2' && { Iops: Math.max(100, sizeGiB * 3) }),
    MultiAttachEnabled: false,
    Attachments: [
      {
        VolumeId: row.rootVolumeId,
        InstanceId: row.id,
        Device: rootDeviceName(row),
        State: 'attached',
        AttachTime: new Date(row.launchTime),
        DeleteOnTermination: deleteOnTermination,
      },
    ],
    Tags: toTags(tags),
  };
}

const filters: FilterTable<InstanceRow> = {
  'attachment.attach-time': (row) => row.launchTime,
  'attachment.delete-on-termination': (row) => rootVolumeOf(row).deleteOnTermination,
  'attachment.device': rootDeviceName,
  'attachment.instance-id': (row) => row.id,
  'attachment.status': () => 'attached',
  'availability-zone': (row) => row.availabilityZone,
  'create-time': (row) => row.launchTime,
  encrypted: (row) => rootVolumeOf(row).encrypted,
  'multi-attach-enabled': () => false,
  size: (row) => rootVolumeOf(row).sizeGiB,
  'snapshot-id': (row) => `snap-${row.imageId.slice('ami-'.length)}`,
  status: () => 'in-use',
  'volume-id': (row) => row.rootVolumeId,
  'volume-type': (row) => rootVolumeOf(row).volumeType,
};

/** The instances whose root volumes there are. */
export function instancesWithVolume(call: Call): InstanceRow[] {
  return call.tx.list('instance', scopeOf(call)).filter(hasRootVolume);
}

/** @throws InvalidVolume.NotFound */
export function instanceOfVolume(call: Call, volumeId: string): InstanceRow {
  const row = instancesWithVolume(call).find((one) => one.rootVolumeId === volumeId);
  if (!row) throw ec2Error('InvalidVolume.NotFound', `The volume '${volumeId}' does not exist.`);
  return row;
}

export const volumes = {
  DescribeVolumes: operation<DescribeVolumesRequest, DescribeVolumesResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const all = instancesWithVolume(call);
      const ids = input.VolumeIds ?? [];
      for (const id of ids) instanceOfVolume(call, id);
      const chosen = ids.length > 0 ? all.filter((row) => ids.includes(row.rootVolumeId)) : all;
      const kept = applyFilters(chosen, input.Filters, filters, (row) => rootVolumeOf(row).tags);
      const bounds = { min: 5, max: 1000, ids: { values: input.VolumeIds, parameter: 'volumeSet' } };
      const { page, ...next } = paginate(kept, input, bounds, (row) => row.rootVolumeId);
      return { Volumes: page.map(toVolume), ...next };
    },
  }),
} satisfies Record<string, Operation>;
