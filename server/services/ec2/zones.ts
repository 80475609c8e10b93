// Which Availability Zones does a region have? Names and ids in the order of their letters. Real accounts see ids shuffled; here they go up.
// https://docs.aws.amazon.com/ram/latest/userguide/working-with-az-ids.html and the global infrastructure page (read 2026-11-21).

import type { Region } from '@postern/network/addresses.ts';

/** Region → the short form in zone ids, and the letters of its zones. */
export const zoneTable = {
  'us-east-1': ['use1', 'abcdef'], 'us-east-2': ['use2', 'abc'], 'us-west-1': ['usw1', 'ab'], 'us-west-2': ['usw2', 'abcd'],
  'eu-west-1': ['euw1', 'abc'], 'eu-west-2': ['euw2', 'abc'], 'eu-west-3': ['euw3', 'abc'], 'eu-central-1': ['euc1', 'abc'],
  'eu-central-2': ['euc2', 'abc'], 'eu-north-1': ['eun1', 'abc'], 'eu-south-1': ['eus1', 'abc'], 'eu-south-2': ['eus2', 'abc'],
  'ap-northeast-1': ['apne1', 'acd'], 'ap-northeast-2': ['apne2', 'abcd'], 'ap-northeast-3': ['apne3', 'abc'],
  'ap-southeast-1': ['apse1', 'abc'], 'ap-southeast-2': ['apse2', 'abc'], 'ap-southeast-3': ['apse3', 'abc'], 'ap-southeast-4': ['apse4', 'abc'],
  'ap-southeast-5': ['apse5', 'abc'], 'ap-southeast-6': ['apse6', 'abc'], 'ap-southeast-7': ['apse7', 'abc'], 'ap-south-1': ['aps1', 'abc'],
  'ap-south-2': ['aps2', 'abc'], 'ap-east-1': ['ape1', 'abc'], 'ap-east-2': ['ape2', 'abc'], 'ca-central-1': ['cac1', 'abd'],
  'ca-west-1': ['caw1', 'abc'], 'sa-east-1': ['sae1', 'abc'], 'me-south-1': ['mes1', 'abc'], 'me-central-1': ['mec1', 'abc'],
  'il-central-1': ['ilc1', 'abc'], 'af-south-1': ['afs1', 'abc'], 'cn-north-1': ['cnn1', 'abd'], 'cn-northwest-1': ['cnnw1', 'abc'],
  'us-gov-east-1': ['usge1', 'abc'], 'us-gov-west-1': ['usgw1', 'abc'], 'mx-central-1': ['mxc1', 'abc'],
} as const satisfies Record<Region, readonly [string, string]>; // biome-ignore format: a table

export interface Zone {
  /** `us-east-1a` */
  readonly name: string;
  /** `use1-az1` */
  readonly id: string;
}

/** The zones of a region in order; none for a name that is no region. */
export function zonesOf(region: string): readonly Zone[] {
  const row = Object.hasOwn(zoneTable, region) ? zoneTable[region as Region] : undefined;
  if (!row) return [];
  const [short, letters] = row;
  return [...letters].map((letter, index) => ({ name: `${region}${letter}`, id: `${short}-az${index + 1}` }));
}
