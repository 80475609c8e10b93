// RunInstances: request → rows. Order of checks, as callers see it: unsupported parameters, counts, image, instance type, network, key pair, user data,
// metadata options, block devices, tags, instance profile (which asks for iam:PassRole). The machines are `control/`'s work: rows start as `pending`.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html (read 2026-11-21).
// Accepted without effect (docs/gaps.md): those of instance-options.ts, Monitoring, EbsOptimized, AdditionalInfo.

import type { BlockDeviceMapping, RunInstancesRequest } from '@aws-sdk/client-ec2';
import type { InstanceId } from '@postern/network/snapshot.ts';
import { findImage, type ImageFacts, unknownImage } from '../../images.ts';
import type { Call } from '../../service.ts';
import type { InstanceRow } from '../../store/rows/ec2.ts';
import {
  ec2Error,
  invalidCombination,
  invalidParameterValue,
  missingParameter,
  refuseUnsupported,
  unsupportedOperation,
} from './errors.ts';
import { optionsOf } from './instance-options.ts';
import { requireInstanceProfile } from './instance-profiles.ts';
import { defaultInstanceType, type InstanceTypeFacts, instanceTypes } from './instance-type-table.ts';
import { makeInterfaces, planNetwork } from './launch-network.ts';
import { changeMetadataOptions, defaultMetadataOptions } from './metadata-options.ts';
import { scopeOf } from './rows.ts';
import { tagsFromSpecifications } from './tags.ts';
import { checkUserData } from './user-data.ts';

type Shared = Omit<InstanceRow, 'id' | 'launchIndex' | 'rootVolumeId'>;

const taggable = ['instance', 'volume', 'network-interface', 'spot-instances-request', 'elastic-gpu'];

/** Writes the rows of a launch. @returns the new ids, in launch order */
export function launch(call: Call, input: RunInstancesRequest): InstanceId[] {
  refuse(input);
  const [minCount, maxCount] = countsOf(input);
  const image = imageOf(call, input.ImageId);
  const type = typeOf(input.InstanceType, image);
  const network = planNetwork(call, input, type);
  const keyName = keyNameOf(call, input.KeyName);
  const userData = checkUserData(input.UserData);
  const imageFacts = image ?? unknownImage;
  const metadataOptions = changeMetadataOptions(defaultMetadataOptions(imageFacts.imdsV2), input.MetadataOptions ?? {});
  const [instanceTags, volumeTags, interfaceTags] = (['instance', 'volume', 'network-interface'] as const).map(
    (resource) => tagsFromSpecifications(input.TagSpecifications, resource, taggable),
  );
  const rootVolume = rootVolumeOf(input.BlockDeviceMappings, imageFacts, volumeTags ?? {});
  const profile = input.IamInstanceProfile && requireInstanceProfile(call, input.IamInstanceProfile);
  const count = Math.max(minCount, Math.min(maxCount, network.room));
  checkPrivateAddress(input, maxCount);
  const shutdown = input.InstanceInitiatedShutdownBehavior ?? 'stop';
  if (shutdown !== 'stop' && shutdown !== 'terminate')
    throw invalidParameterValue(
      `Value (${shutdown}) for parameter instanceInitiatedShutdownBehavior is invalid. Expected one of: stop, terminate.`,
    );
  const now = call.now.toISOString();
  const hostnameType = input.PrivateDnsNameOptions?.HostnameType ?? network.subnet.privateDnsHostnameType;
  const aaaaRecord =
    input.PrivateDnsNameOptions?.EnableResourceNameDnsAAAARecord ??
    network.subnet.enableResourceNameDnsAAAARecord ??
    false;
  const shared: Shared = {
    ...scopeOf(call),
    reservationId: call.tx.newId('r'),
    imageId: input.ImageId ?? '',
    instanceType: type.instanceType,
    ...(keyName && { keyName }),
    launchTime: now,
    ...(input.ClientToken && { clientToken: input.ClientToken }),
    vpcId: network.subnet.vpcId,
    subnetId: network.subnet.id,
    availabilityZone: network.subnet.availabilityZone,
    state: 'pending',
    stateReason: { code: 'pending', message: 'pending' },
    stateTransitionReason: '',
    bootGeneration: 0,
    ...(userData !== undefined && { userData }),
    metadataOptions,
    disableApiTermination: input.DisableApiTermination ?? false,
    disableApiStop: input.DisableApiStop ?? false,
    instanceInitiatedShutdownBehavior: shutdown,
    monitoring: input.Monitoring?.Enabled ? 'enabled' : 'disabled',
    ebsOptimized: input.EbsOptimized ?? false,
    rootVolume,
    assignsPublicIp: network.interfaces.some((one) => one.kind === 'new' && one.publicIp),
    ...optionsOf(input, type),
    ...(hostnameType === 'resource-name' && { hostnameType }),
    ...(aaaaRecord && { enableResourceNameDnsAAAARecord: true }),
    tags: instanceTags ?? {},
  };
  return Array.from({ length: count }, (_, launchIndex) => {
    const id: InstanceId = call.tx.newId('i');
    call.tx.put('instance', {
      ...shared,
      id,
      launchIndex,
      rootVolumeId: call.tx.newId('vol'),
      ...(profile && {
        iamInstanceProfile: {
          ...profile,
          associationId: call.tx.newId('iip-assoc'),
          state: 'associated',
          timestamp: now,
        },
      }),
    });
    makeInterfaces(call, network, { id }, interfaceTags ?? {});
    return id;
  });
}

function refuse(input: RunInstancesRequest): void {
  refuseUnsupported('RunInstances', input, [
    'KernelId', 'RamdiskId', 'ElasticGpuSpecification', 'ElasticInferenceAccelerators',
    'LaunchTemplate', 'InstanceMarketOptions', 'LicenseSpecifications', 'SecondaryInterfaces', 'Operator', 'NetworkPerformanceOptions',
  ]); // biome-ignore format: a list
  if (input.HibernationOptions?.Configured) throw unsupportedOperation('Hibernation');
  if (input.EnclaveOptions?.Enabled) throw unsupportedOperation('Nitro Enclaves');
  if (input.CapacityReservationSpecification?.CapacityReservationTarget)
    throw unsupportedOperation('A capacity reservation');
  const {
    Tenancy: tenancy,
    HostId: hostId,
    HostResourceGroupArn: hostGroup,
    GroupName: groupName,
    GroupId: groupId,
  } = input.Placement ?? {};
  if (tenancy === 'host' || tenancy === 'dedicated' || hostId || hostGroup)
    throw unsupportedOperation('Dedicated tenancy');
  if (groupName || groupId) throw unsupportedOperation('A placement group');
}

/** The largest number of instances in one request; AWS's own limit is the account's quota of vCPUs. */
const mostInstances = 1000;

function countsOf({ MinCount: min, MaxCount: max }: RunInstancesRequest): [number, number] {
  if (min === undefined) throw missingParameter('MinCount');
  if (max === undefined) throw missingParameter('MaxCount');
  for (const [name, value] of [['minCount', min], ['maxCount', max]] as const) // biome-ignore format: pairs
    if (value < 1)
      throw invalidParameterValue(`Value (${value}) for parameter ${name} is invalid. Value must be greater than 0.`);
  if (min > max)
    throw invalidParameterValue(
      `Value (${min}) for parameter minCount is invalid. It must not be greater than maxCount (${max}).`,
    );
  if (min > mostInstances)
    throw ec2Error(
      'InstanceLimitExceeded',
      `You have requested more instances (${min}) than Postern starts in one request (${mostInstances}).`,
    );
  return [min, Math.min(max, mostInstances)];
}

function imageOf(call: Call, imageId: string | undefined): ImageFacts | undefined {
  if (!imageId) throw missingParameter('ImageId');
  if (!/^ami-([0-9a-f]{8}|[0-9a-f]{17})$/.test(imageId) && call.settings.strictImages)
    throw ec2Error('InvalidAMIID.Malformed', `Invalid id: "${imageId}" (expecting "ami-...")`);
  if (imageId.startsWith('resolve:')) throw unsupportedOperation('An image id that is an SSM parameter');
  if (!imageId.startsWith('ami-'))
    throw ec2Error('InvalidAMIID.Malformed', `Invalid id: "${imageId}" (expecting "ami-...")`);
  const image = findImage(call.region, imageId);
  if (!image && call.settings.strictImages)
    throw ec2Error('InvalidAMIID.NotFound', `The image id '[${imageId}]' does not exist`);
  return image;
}

function typeOf(name: string | undefined, image: ImageFacts | undefined): InstanceTypeFacts {
  const type = instanceTypes.get(name ?? defaultInstanceType);
  if (!type) throw invalidParameterValue(`Invalid value '${name}' for InstanceType.`);
  if (image && image.architecture !== type.architecture)
    throw invalidParameterValue(
      `The architecture '${type.architecture}' of the specified instance type does not match the architecture '${image.architecture}' of the specified AMI. Specify an instance type and an AMI that have matching architectures, and try again. You can use 'describe-instance-types' or 'describe-images' to discover the architecture of the instance type or AMI.`,
    );
  return type;
}

function keyNameOf(call: Call, keyName: string | undefined): string | undefined {
  if (!keyName) return undefined;
  if (call.tx.list('key-pair', scopeOf(call)).some((row) => row.keyName === keyName)) return keyName;
  throw ec2Error('InvalidKeyPair.NotFound', `The key pair '${keyName}' does not exist`);
}

function checkPrivateAddress(input: RunInstancesRequest, maxCount: number): void {
  const chosen =
    input.PrivateIpAddress ??
    input.NetworkInterfaces?.some((one) => one.PrivateIpAddress || one.PrivateIpAddresses?.length);
  if (chosen && maxCount > 1)
    throw invalidCombination('A private IP address cannot be specified when launching multiple instances.');
  const chosen6 = [input, ...(input.NetworkInterfaces ?? [])].some((one) => one.Ipv6Addresses?.length);
  if (chosen6 && maxCount > 1)
    throw invalidCombination('An IPv6 address cannot be specified when launching multiple instances.');
}

/** The root volume's own settings; any other device would be a disk that the machine does not have. */
function rootVolumeOf(
  mappings: readonly BlockDeviceMapping[] | undefined,
  image: Pick<ImageFacts, 'rootDeviceName' | 'rootVolumeGiB' | 'rootVolumeType'>,
  tags: InstanceRow['tags'],
): NonNullable<InstanceRow['rootVolume']> {
  const volume: NonNullable<InstanceRow['rootVolume']> = {
    sizeGiB: image.rootVolumeGiB,
    volumeType: image.rootVolumeType,
    deleteOnTermination: true,
    encrypted: false,
    tags,
  };
  for (const mapping of mappings ?? []) {
    if (mapping.NoDevice !== undefined) continue;
    if (!['/dev/xvda', '/dev/sda1', image.rootDeviceName].includes(mapping.DeviceName ?? ''))
      throw unsupportedOperation(`A block device besides the root device (${mapping.DeviceName})`);
    const { Ebs: ebs } = mapping;
    if (!ebs) throw missingParameter('ebs');
    if (ebs.VolumeSize !== undefined && ebs.VolumeSize < image.rootVolumeGiB)
      throw ec2Error(
        'InvalidBlockDeviceMapping',
        `Volume of size ${ebs.VolumeSize}GB is smaller than snapshot, expect size >= ${image.rootVolumeGiB}GB`,
      );
    volume.sizeGiB = ebs.VolumeSize ?? volume.sizeGiB;
    volume.volumeType = ebs.VolumeType ?? volume.volumeType;
    volume.deleteOnTermination = ebs.DeleteOnTermination ?? true;
    volume.encrypted = ebs.Encrypted ?? false;
    if (ebs.Iops !== undefined) volume.iops = ebs.Iops;
    if (ebs.Throughput !== undefined) volume.throughput = ebs.Throughput;
    if (ebs.KmsKeyId !== undefined) volume.kmsKeyId = ebs.KmsKeyId;
  }
  return volume;
}
