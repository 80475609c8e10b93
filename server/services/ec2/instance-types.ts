// DescribeInstanceTypes and DescribeInstanceTypeOfferings over instance-type-table.ts; every type is offered in every zone.

import type {
  DescribeInstanceTypeOfferingsRequest,
  DescribeInstanceTypeOfferingsResult,
  DescribeInstanceTypesRequest,
  DescribeInstanceTypesResult,
  InstanceTypeInfo,
  InstanceTypeOffering,
} from '@aws-sdk/client-ec2';
import { type Operation, operation } from '../../service.ts';
import { ec2Error, invalidParameterValue } from './errors.ts';
import { applyFilters, type FilterTable } from './filters.ts';
import { type InstanceTypeFacts, instanceTypes as table, threadsPerCore } from './instance-type-table.ts';
import { paginate } from './pagination.ts';
import { zonesOf } from './zones.ts';

function toInfo(row: InstanceTypeFacts): InstanceTypeInfo {
  const threads = threadsPerCore(row);
  return {
    InstanceType: row.instanceType as 't3.micro',
    CurrentGeneration: row.currentGeneration,
    FreeTierEligible: row.freeTier,
    SupportedUsageClasses: ['on-demand'],
    SupportedRootDeviceTypes: ['ebs'],
    SupportedVirtualizationTypes: ['hvm'],
    BareMetal: false,
    Hypervisor: row.hypervisor,
    ProcessorInfo: { SupportedArchitectures: [row.architecture], SustainedClockSpeedInGhz: row.clockGhz },
    VCpuInfo: { DefaultVCpus: row.vCpus, DefaultCores: row.vCpus / threads, DefaultThreadsPerCore: threads },
    MemoryInfo: { SizeInMiB: row.memoryMiB },
    InstanceStorageSupported: false,
    EbsInfo: {
      EbsOptimizedSupport: row.hypervisor === 'nitro' ? 'default' : 'unsupported',
      EncryptionSupport: 'supported',
      NvmeSupport: row.hypervisor === 'nitro' ? 'required' : 'unsupported',
    },
    NetworkInfo: {
      NetworkPerformance: row.networkPerformance,
      MaximumNetworkInterfaces: row.maxInterfaces,
      MaximumNetworkCards: 1,
      DefaultNetworkCardIndex: 0,
      NetworkCards: [
        {
          NetworkCardIndex: 0,
          NetworkPerformance: row.networkPerformance,
          MaximumNetworkInterfaces: row.maxInterfaces,
        },
      ],
      Ipv4AddressesPerInterface: row.addressesPerInterface,
      Ipv6AddressesPerInterface: row.addressesPerInterface,
      Ipv6Supported: true,
      EnaSupport: row.hypervisor === 'nitro' ? 'required' : 'unsupported',
      EfaSupported: false,
    },
    PlacementGroupInfo: {
      SupportedStrategies: row.burstable ? ['partition', 'spread'] : ['cluster', 'partition', 'spread'],
    },
    HibernationSupported: false,
    BurstablePerformanceSupported: row.burstable,
    DedicatedHostsSupported: false,
    AutoRecoverySupported: true,
    SupportedBootModes: row.architecture === 'arm64' ? ['uefi'] : ['legacy-bios', 'uefi'],
    NitroEnclavesSupport: 'unsupported',
  };
}

const filters: FilterTable<InstanceTypeFacts> = {
  'auto-recovery-supported': () => true,
  'bare-metal': () => false,
  'burstable-performance-supported': (row) => row.burstable,
  'current-generation': (row) => row.currentGeneration,
  'dedicated-hosts-supported': () => false,
  'free-tier-eligible': (row) => row.freeTier,
  'hibernation-supported': () => false,
  hypervisor: (row) => row.hypervisor,
  'instance-storage-supported': () => false,
  'instance-type': (row) => row.instanceType,
  'memory-info.size-in-mib': (row) => row.memoryMiB,
  'network-info.ipv4-addresses-per-interface': (row) => row.addressesPerInterface,
  'network-info.maximum-network-interfaces': (row) => row.maxInterfaces,
  'network-info.network-performance': (row) => row.networkPerformance,
  'processor-info.supported-architecture': (row) => row.architecture,
  'processor-info.sustained-clock-speed-in-ghz': (row) => row.clockGhz,
  'supported-root-device-type': () => 'ebs',
  'supported-usage-class': () => 'on-demand',
  'supported-virtualization-type': () => 'hvm',
  'vcpu-info.default-cores': (row) => row.vCpus / threadsPerCore(row),
  'vcpu-info.default-threads-per-core': threadsPerCore,
  'vcpu-info.default-vcpus': (row) => row.vCpus,
};

const offeringFilters: FilterTable<InstanceTypeOffering> = {
  'instance-type': (row) => row.InstanceType,
  location: (row) => row.Location,
};

export const instanceTypeOperations = {
  DescribeInstanceTypes: operation<DescribeInstanceTypesRequest, DescribeInstanceTypesResult>({
    authorize: 'auto',
    readOnly: true,
    run: (_call, input) => {
      const names = input.InstanceTypes ?? [];
      const missing = names.filter((name) => !table.has(name));
      if (missing.length > 0)
        throw ec2Error(
          'InvalidInstanceType',
          `The following supplied instance types do not exist: [${missing.join(', ')}]`,
        );
      const rows = names.length > 0 ? names.flatMap((name) => table.get(name) ?? []) : [...table.values()];
      const bounds = { min: 5, max: 100, ids: { values: names, parameter: 'instanceTypes' } };
      const { page, ...next } = paginate(
        applyFilters(rows, input.Filters, filters, () => ({})),
        input,
        bounds,
        (row) => row.instanceType,
      );
      return { InstanceTypes: page.map(toInfo), ...next };
    },
  }),

  DescribeInstanceTypeOfferings: operation<DescribeInstanceTypeOfferingsRequest, DescribeInstanceTypeOfferingsResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const locationType = input.LocationType ?? 'region';
      const locations = locationsOf(call.region, locationType);
      if (!locations) throw invalidParameterValue(`Value (${locationType}) for parameter locationType is invalid.`);
      const rows = locations.flatMap((location) =>
        [...table.keys()].map(
          (name): InstanceTypeOffering => ({
            InstanceType: name as 't3.micro',
            LocationType: locationType,
            Location: location,
          }),
        ),
      );
      const kept = applyFilters(rows, input.Filters, offeringFilters, () => ({}));
      const { page, ...next } = paginate(
        kept,
        input,
        { min: 5, max: 1000 },
        (row) => `${row.Location} ${row.InstanceType}`,
      );
      return { InstanceTypeOfferings: [...page], ...next };
    },
  }),
} satisfies Record<string, Operation>;

function locationsOf(region: string, type: string): string[] | undefined {
  if (type === 'region') return [region];
  if (type === 'availability-zone') return zonesOf(region).map((zone) => zone.name);
  if (type === 'availability-zone-id') return zonesOf(region).map((zone) => zone.id);
  return undefined;
}
