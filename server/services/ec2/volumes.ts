// Volumes: the root volumes of the instances there are, so that tools find what DescribeInstances names. There are no other volumes: creating or attaching
// one is answered as not implemented. ModifyVolume changes what is told, at once, for disks are not limited here (docs/gaps.md).
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVolume.html (read 2026-11-21); no source was found for the wordings.

import type {
  DescribeVolumesModificationsRequest,
  DescribeVolumesModificationsResult,
  DescribeVolumesRequest,
  DescribeVolumesResult,
  ModifyVolumeRequest,
  ModifyVolumeResult,
  Volume,
  VolumeModification,
} from '@aws-sdk/client-ec2';
import { findImage, unknownImage } from '../../images.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { InstanceRow } from '../../store/rows/ec2.ts';
import { ec2Error, invalidParameterValue, missingParameter, refuseUnsupported } from './errors.ts';
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

type Size = Pick<NonNullable<InstanceRow['rootVolume']>, 'sizeGiB' | 'volumeType' | 'iops' | 'throughput'>;

/** gp2's follow from the size; gp3 has a baseline. */
function performanceOf({ sizeGiB, volumeType, iops, throughput }: Size): { Iops?: number; Throughput?: number } {
  if (volumeType === 'gp2') return { Iops: Math.min(16_000, Math.max(100, sizeGiB * 3)) };
  if (volumeType === 'gp3') return { Iops: iops ?? 3000, Throughput: throughput ?? 125 };
  return iops === undefined ? {} : { Iops: iops };
}

function toVolume(row: InstanceRow): Volume {
  const volume = rootVolumeOf(row);
  const { sizeGiB, volumeType, deleteOnTermination, encrypted, tags } = volume;
  return {
    VolumeId: row.rootVolumeId,
    Size: sizeGiB,
    VolumeType: volumeType as 'gp3',
    AvailabilityZone: row.availabilityZone,
    State: 'in-use',
    CreateTime: new Date(row.launchTime),
    Encrypted: encrypted,
    SnapshotId: `snap-${row.imageId.slice('ami-'.length)}`,
    ...performanceOf(volume),
    ...(volume.kmsKeyId !== undefined && { KmsKeyId: volume.kmsKeyId }),
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

const modificationFilters: FilterTable<InstanceRow> = {
  'modification-state': () => 'completed',
  'original-size': (row) => rootVolumeOf(row).modification?.original.sizeGiB,
  'original-volume-type': (row) => rootVolumeOf(row).modification?.original.volumeType,
  'start-time': (row) => rootVolumeOf(row).modification?.startTime,
  'target-size': (row) => rootVolumeOf(row).sizeGiB,
  'target-volume-type': (row) => rootVolumeOf(row).volumeType,
  'volume-id': (row) => row.rootVolumeId,
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

function toModification(row: InstanceRow): VolumeModification | undefined {
  const volume = rootVolumeOf(row);
  if (!volume.modification) return undefined;
  const { startTime, original } = volume.modification;
  const [before, after] = [performanceOf(original), performanceOf(volume)];
  return {
    VolumeId: row.rootVolumeId,
    ModificationState: 'completed',
    Progress: 100,
    StartTime: new Date(startTime),
    EndTime: new Date(startTime),
    OriginalSize: original.sizeGiB,
    OriginalVolumeType: original.volumeType as 'gp3',
    ...(before.Iops !== undefined && { OriginalIops: before.Iops }),
    ...(before.Throughput !== undefined && { OriginalThroughput: before.Throughput }),
    OriginalMultiAttachEnabled: false,
    TargetSize: volume.sizeGiB,
    TargetVolumeType: volume.volumeType as 'gp3',
    ...(after.Iops !== undefined && { TargetIops: after.Iops }),
    ...(after.Throughput !== undefined && { TargetThroughput: after.Throughput }),
    TargetMultiAttachEnabled: false,
  };
}

/** Performance that is not asked for again goes with the type that had it. */
function modified(volume: NonNullable<InstanceRow['rootVolume']>, input: ModifyVolumeRequest, now: Date) {
  const { iops, throughput, modification: _before, ...rest } = volume;
  const { sizeGiB, volumeType } = rest;
  if (input.Size !== undefined && input.Size < sizeGiB)
    throw invalidParameterValue('New size cannot be smaller than existing size');
  const type = input.VolumeType ?? volumeType;
  if (type !== 'gp3' && input.Throughput !== undefined)
    throw invalidParameterValue(`The parameter throughput is not supported for ${type} volumes.`);
  const kept = type === volumeType ? { iops, throughput } : {};
  const [newIops, newThroughput] = [input.Iops ?? kept.iops, input.Throughput ?? kept.throughput];
  const original = {
    sizeGiB,
    volumeType,
    ...(iops !== undefined && { iops }),
    ...(throughput !== undefined && { throughput }),
  };
  return {
    ...rest,
    sizeGiB: input.Size ?? sizeGiB,
    volumeType: type,
    ...(newIops !== undefined && { iops: newIops }),
    ...(newThroughput !== undefined && { throughput: newThroughput }),
    modification: { startTime: now.toISOString(), original },
  };
}

export const volumes = {
  ModifyVolume: operation<ModifyVolumeRequest, ModifyVolumeResult>({
    authorize: 'auto',
    run: (call, input) => {
      if (input.VolumeId === undefined) throw missingParameter('VolumeId');
      if (input.MultiAttachEnabled) refuseUnsupported('ModifyVolume', input, ['MultiAttachEnabled']);
      const row = instanceOfVolume(call, input.VolumeId);
      const after = { ...row, rootVolume: modified(rootVolumeOf(row), input, call.now) };
      call.tx.put('instance', after);
      const told = toModification(after);
      return { ...(told && { VolumeModification: { ...told, ModificationState: 'modifying', Progress: 0 } }) };
    },
  }),

  DescribeVolumesModifications: operation<DescribeVolumesModificationsRequest, DescribeVolumesModificationsResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const ids = input.VolumeIds ?? [];
      const rows = ids.length > 0 ? ids.map((id) => instanceOfVolume(call, id)) : instancesWithVolume(call);
      const changed = rows.filter((row) => rootVolumeOf(row).modification !== undefined);
      if (ids.length > 0 && changed.length < rows.length) {
        const missing = rows.find((row) => !changed.includes(row))?.rootVolumeId;
        throw ec2Error('InvalidVolumeModification.NotFound', `Modification for volume '${missing}' does not exist.`);
      }
      const kept = applyFilters(changed, input.Filters, modificationFilters, () => ({}));
      const bounds = { min: 5, max: 1000, ids: { values: input.VolumeIds, parameter: 'volumeSet' } };
      const { page, ...next } = paginate(kept, input, bounds, (row) => row.rootVolumeId);
      return { VolumesModifications: page.flatMap((row) => toModification(row) ?? []), ...next };
    },
  }),

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
