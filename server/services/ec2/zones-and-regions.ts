// DescribeRegions and DescribeAvailabilityZones. Every region of the caller's partition is there and enabled: an account of one's own machine has
// nothing to opt in to. Long names: https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html (read 2026-11-21).

import type {
  AvailabilityZone,
  DescribeAvailabilityZonesRequest,
  DescribeAvailabilityZonesResult,
  DescribeRegionsRequest,
  DescribeRegionsResult,
  Region,
} from '@aws-sdk/client-ec2';
import { type Region as RegionName, regions } from '@postern/network/addresses.ts';
import { type Operation, operation } from '../../service.ts';
import { invalidParameterValue } from './errors.ts';
import { applyFilters, type FilterTable } from './filters.ts';
import { type Zone, zonesOf } from './zones.ts';

const longNames: Readonly<Record<RegionName, string>> = {
  'us-east-1': 'US East (N. Virginia)', 'us-east-2': 'US East (Ohio)', 'us-west-1': 'US West (N. California)', 'us-west-2': 'US West (Oregon)',
  'eu-west-1': 'Europe (Ireland)', 'eu-west-2': 'Europe (London)', 'eu-west-3': 'Europe (Paris)', 'eu-central-1': 'Europe (Frankfurt)',
  'eu-central-2': 'Europe (Zurich)', 'eu-north-1': 'Europe (Stockholm)', 'eu-south-1': 'Europe (Milan)', 'eu-south-2': 'Europe (Spain)',
  'ap-northeast-1': 'Asia Pacific (Tokyo)', 'ap-northeast-2': 'Asia Pacific (Seoul)', 'ap-northeast-3': 'Asia Pacific (Osaka)',
  'ap-southeast-1': 'Asia Pacific (Singapore)', 'ap-southeast-2': 'Asia Pacific (Sydney)', 'ap-southeast-3': 'Asia Pacific (Jakarta)',
  'ap-southeast-4': 'Asia Pacific (Melbourne)', 'ap-southeast-5': 'Asia Pacific (Malaysia)', 'ap-southeast-6': 'Asia Pacific (New Zealand)',
  'ap-southeast-7': 'Asia Pacific (Thailand)', 'ap-south-1': 'Asia Pacific (Mumbai)', 'ap-south-2': 'Asia Pacific (Hyderabad)',
  'ap-east-1': 'Asia Pacific (Hong Kong)', 'ap-east-2': 'Asia Pacific (Taipei)', 'ca-central-1': 'Canada (Central)', 'ca-west-1': 'Canada West (Calgary)',
  'sa-east-1': 'South America (Sao Paulo)', 'me-south-1': 'Middle East (Bahrain)', 'me-central-1': 'Middle East (UAE)', 'il-central-1': 'Israel (Tel Aviv)',
  'af-south-1': 'Africa (Cape Town)', 'cn-north-1': 'China (Beijing)', 'cn-northwest-1': 'China (Ningxia)', 'us-gov-east-1': 'AWS GovCloud (US-East)',
  'us-gov-west-1': 'AWS GovCloud (US-West)', 'mx-central-1': 'Mexico (Central)',
}; // biome-ignore format: a table

/** Regions that AWS enables for everybody. */
const enabledForAll = new Set<string>([
  'us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'eu-west-1', 'eu-west-2', 'eu-west-3', 'eu-central-1', 'eu-north-1', 'ap-northeast-1', 'ap-northeast-2',
  'ap-northeast-3', 'ap-southeast-1', 'ap-southeast-2', 'ap-south-1', 'ca-central-1', 'sa-east-1', 'cn-north-1', 'cn-northwest-1', 'us-gov-east-1', 'us-gov-west-1',
]); // biome-ignore format: a list

function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}

function toRegion(name: string): Region {
  return {
    RegionName: name,
    Endpoint: `ec2.${name}.amazonaws.com${name.startsWith('cn-') ? '.cn' : ''}`,
    OptInStatus: enabledForAll.has(name) ? 'opt-in-not-required' : 'opted-in',
  };
}

const regionFilters: FilterTable<Region> = {
  endpoint: (row) => row.Endpoint,
  'opt-in-status': (row) => row.OptInStatus,
  'region-name': (row) => row.RegionName,
};

function toZone(region: string, zone: Zone): AvailabilityZone {
  return {
    ZoneName: zone.name,
    ZoneId: zone.id,
    RegionName: region,
    State: 'available',
    OptInStatus: 'opt-in-not-required',
    Messages: [],
    GroupName: `${region}-zg-1`,
    GroupLongName: `${longNames[region as RegionName]} 1`,
    NetworkBorderGroup: region,
    ZoneType: 'availability-zone',
  };
}

const zoneFilters: FilterTable<AvailabilityZone> = {
  'group-long-name': (row) => row.GroupLongName,
  'group-name': (row) => row.GroupName,
  message: () => undefined,
  'opt-in-status': (row) => row.OptInStatus,
  'parent-zone-id': () => undefined,
  'parent-zone-name': () => undefined,
  'region-name': (row) => row.RegionName,
  state: (row) => row.State,
  'zone-id': (row) => row.ZoneId,
  'zone-name': (row) => row.ZoneName,
  'zone-type': (row) => row.ZoneType,
};

export const zonesAndRegions = {
  DescribeRegions: operation<DescribeRegionsRequest, DescribeRegionsResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const all: string[] = regions.filter((name) => partitionOf(name) === call.partition);
      const names = input.RegionNames ?? [];
      const unknown = names.find((name) => !all.includes(name));
      if (unknown !== undefined) throw invalidParameterValue(`Invalid value '${unknown}' for region name.`);
      const chosen = names.length > 0 ? all.filter((name) => names.includes(name)) : all;
      return { Regions: applyFilters(chosen.map(toRegion), input.Filters, regionFilters, () => ({})) };
    },
  }),

  DescribeAvailabilityZones: operation<DescribeAvailabilityZonesRequest, DescribeAvailabilityZonesResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const zones = zonesOf(call.region);
      const [names, ids] = [input.ZoneNames ?? [], input.ZoneIds ?? []];
      const unknown =
        names.find((name) => !zones.some((zone) => zone.name === name)) ??
        ids.find((id) => !zones.some((zone) => zone.id === id));
      if (unknown !== undefined) throw invalidParameterValue(`Invalid availability zone: [${unknown}]`);
      const chosen = zones.filter((zone) =>
        names.length + ids.length === 0 ? true : names.includes(zone.name) || ids.includes(zone.id),
      );
      const rows = chosen.map((zone) => toZone(call.region, zone));
      return { AvailabilityZones: applyFilters(rows, input.Filters, zoneFilters, () => ({})) };
    },
  }),
} satisfies Record<string, Operation>;
