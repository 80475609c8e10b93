// DescribeImages and DescribeImageAttribute over ../../images.ts. An id that is not in the table can be run (unless images are strict) and, because an
// IaC tool looks it up first, then also be described by that id.

import type {
  DescribeImageAttributeRequest,
  DescribeImagesRequest,
  DescribeImagesResult,
  Image,
  ImageAttribute,
} from '@aws-sdk/client-ec2';
import { findImage, type ImageFacts, imagesOf, unknownImage } from '../../images.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import { ec2Error, invalidParameterValue } from './errors.ts';
import { applyFilters, type FilterTable } from './filters.ts';
import { paginate } from './pagination.ts';

function requireImages(call: Call, ids: readonly string[]): ImageFacts[] {
  // What runs can be described too: any `ami-…` unless images are strict.
  const wellFormed = call.settings.strictImages ? /^ami-([0-9a-f]{8}|[0-9a-f]{17})$/ : /^ami-/;
  const malformed = ids.find((id) => !wellFormed.test(id));
  if (malformed !== undefined)
    throw ec2Error('InvalidAMIID.Malformed', `Invalid id: "${malformed}" (expecting "ami-...")`);
  const missing: string[] = [];
  const images = ids.flatMap((id) => {
    const image = findImage(call.region, id);
    if (image) return image;
    if (!call.settings.strictImages) return asUnknown(id);
    missing.push(id);
    return [];
  });
  if (missing.length === 1) throw ec2Error('InvalidAMIID.NotFound', `The image id '[${missing[0]}]' does not exist`);
  if (missing.length > 1)
    throw ec2Error('InvalidAMIID.NotFound', `The image ids '[${missing.join(', ')}]' do not exist`);
  return images;
}

function asUnknown(id: string): ImageFacts {
  return {
    ...unknownImage,
    imageId: id as `ami-${string}`,
    name: id,
    description: 'Not in the table: runs the default image',
    parameters: [],
    ownerId: '137112412989',
    architecture: 'x86_64',
    creationDate: '2026-01-01T00:00:00.000Z',
    deprecationTime: '2028-01-01T00:00:00.000Z',
  };
}

function toImage(row: ImageFacts): Image {
  return {
    ImageId: row.imageId,
    Name: row.name,
    Description: row.description,
    ImageLocation: `${row.ownerAlias ?? row.ownerId}/${row.name}`,
    OwnerId: row.ownerId,
    ...(row.ownerAlias && { ImageOwnerAlias: row.ownerAlias }),
    Public: true,
    State: 'available',
    ImageType: 'machine',
    Architecture: row.architecture,
    CreationDate: row.creationDate,
    DeprecationTime: row.deprecationTime,
    Hypervisor: 'xen',
    VirtualizationType: 'hvm',
    EnaSupport: true,
    SriovNetSupport: 'simple',
    BootMode: row.architecture === 'arm64' ? 'uefi' : 'uefi-preferred',
    ...(row.imdsV2 && { ImdsSupport: 'v2.0' as const }),
    PlatformDetails: 'Linux/UNIX',
    UsageOperation: 'RunInstances',
    RootDeviceName: row.rootDeviceName,
    RootDeviceType: 'ebs',
    BlockDeviceMappings: [
      {
        DeviceName: row.rootDeviceName,
        Ebs: {
          DeleteOnTermination: true,
          SnapshotId: `snap-${row.imageId.slice('ami-'.length)}`,
          VolumeSize: row.rootVolumeGiB,
          VolumeType: row.rootVolumeType as 'gp3',
          Encrypted: false,
        },
      },
    ],
  };
}

const filters: FilterTable<ImageFacts> = {
  architecture: (row) => row.architecture,
  'block-device-mapping.delete-on-termination': () => true,
  'block-device-mapping.device-name': (row) => row.rootDeviceName,
  'block-device-mapping.encrypted': () => false,
  'block-device-mapping.volume-size': (row) => row.rootVolumeGiB,
  'block-device-mapping.volume-type': (row) => row.rootVolumeType,
  'creation-date': (row) => row.creationDate,
  description: (row) => row.description,
  'ena-support': () => true,
  hypervisor: () => 'xen',
  'image-id': (row) => row.imageId,
  'image-type': () => 'machine',
  'is-public': () => true,
  name: (row) => row.name,
  'owner-alias': (row) => row.ownerAlias,
  'owner-id': (row) => row.ownerId,
  platform: () => undefined,
  'root-device-name': (row) => row.rootDeviceName,
  'root-device-type': () => 'ebs',
  state: () => 'available',
  'virtualization-type': () => 'hvm',
};

export const images = {
  DescribeImages: operation<DescribeImagesRequest, DescribeImagesResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const ids = input.ImageIds ?? [];
      const all = ids.length > 0 ? requireImages(call, ids) : imagesOf(call.region);
      const owners = input.Owners ?? [];
      // Every image belongs to somebody else: `self` has none.
      const owned =
        owners.length === 0
          ? all
          : all.filter((row) => owners.some((owner) => owner === row.ownerId || owner === row.ownerAlias));
      const kept = applyFilters(owned, input.Filters, filters, () => ({}));
      const bounds = { min: 1, max: 1000, ids: { values: input.ImageIds, parameter: 'imageIdsSet' } };
      const { page, ...next } = paginate(kept, input, bounds, (row) => row.imageId);
      return { Images: page.map(toImage), ...next };
    },
  }),

  DescribeImageAttribute: operation<DescribeImageAttributeRequest, ImageAttribute>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const [row] = requireImages(call, [input.ImageId ?? '']);
      if (!row) throw new Error('one image was asked for');
      const image = toImage(row);
      if (input.Attribute === 'description') return { ImageId: row.imageId, Description: { Value: row.description } };
      if (input.Attribute === 'bootMode') return { ImageId: row.imageId, BootMode: { Value: image.BootMode } };
      if (input.Attribute === 'imdsSupport')
        return { ImageId: row.imageId, ImdsSupport: row.imdsV2 ? { Value: 'v2.0' } : {} };
      // What else there is can be read by its owner alone.
      if (
        input.Attribute === 'launchPermission' ||
        input.Attribute === 'blockDeviceMapping' ||
        input.Attribute === 'productCodes'
      )
        throw ec2Error('AuthFailure', 'Unauthorized attempt to access restricted resource');
      throw invalidParameterValue(`Value (${input.Attribute}) for parameter attribute is invalid. Unknown attribute.`);
    },
  }),
} satisfies Record<string, Operation>;
