// VPC Block Public Access: AWS tells what is in force for each subnet, after exclusions. Rows keep a mode and its exclusions, so they are made of that.
// Accounts that answer without it (older CLIs) have the options and exclusions of their own.

import type { ExclusionMode } from '@postern/network/block-public-access.ts';
import type { SubnetId, VpcId } from '@postern/network/snapshot.ts';
import type { Building } from './building.ts';
import { Item } from './item.ts';

const exclusionOf: Readonly<Record<string, ExclusionMode>> = {
  off: 'allow-bidirectional',
  'block-ingress': 'allow-egress',
};

export function readBlockPublicAccess(building: Building): void {
  const told = building.list('Subnets', 'SubnetId').flatMap(({ item }) => {
    const mode = item.item('BlockPublicAccessStates')?.optionalText('InternetGatewayBlockMode');
    return mode === undefined
      ? []
      : [{ subnetId: item.text('SubnetId') as SubnetId, vpcId: item.text('VpcId') as VpcId, mode }];
  });
  if (told.length > 0) fromSubnets(building, told);
  else fromOptions(building);
}

function fromSubnets(building: Building, told: readonly { subnetId: SubnetId; vpcId: VpcId; mode: string }[]): void {
  const places = new Map<string, (typeof told)[number][]>();
  const known = new Map(exclusions(building).map(({ id, exclusionId }): [string, string] => [id, exclusionId]));
  for (const each of told) {
    const { accountId, region } = building.ownerOf(each.vpcId);
    const place = `${accountId}/${region}`;
    places.set(place, [...(places.get(place) ?? []), each]);
  }
  for (const [id, subnets] of places) {
    const modes = new Set(subnets.map(({ mode }) => mode));
    const mode = modes.has('block-bidirectional')
      ? 'block-bidirectional'
      : modes.has('block-ingress')
        ? 'block-ingress'
        : undefined;
    if (mode === undefined) continue;
    const [accountId = '', region = ''] = id.split('/');
    building.rows.put('vpc-block-public-access', { accountId, region, id, mode, updatedAt: '' });
    for (const subnet of subnets) {
      const exclusion = exclusionOf[subnet.mode];
      if (subnet.mode !== mode && exclusion !== undefined)
        putExclusion(
          building,
          { accountId, region },
          known.get(subnet.subnetId) ?? `of ${subnet.subnetId}`,
          exclusion,
          {
            subnetId: subnet.subnetId,
          },
        );
    }
  }
}

function putExclusion(
  { rows }: Building,
  owner: { accountId: string; region: string },
  id: string,
  mode: ExclusionMode,
  what: { subnetId: SubnetId } | { vpcId: VpcId },
): void {
  rows.putKnown('vpc-block-public-access-exclusion', { ...owner, id, mode, ...what, tags: {} });
}

function fromOptions(building: Building): void {
  for (const { file, fields } of building.answers) {
    const options = fields['VpcBlockPublicAccessOptions'];
    if (options === undefined) continue;
    const item = new Item(options, `${file}, VpcBlockPublicAccessOptions`);
    const accountId = item.text('AwsAccountId');
    const region = item.text('AwsRegion');
    const mode = item.optionalText('InternetGatewayBlockMode') ?? 'off';
    if (mode !== 'block-bidirectional' && mode !== 'block-ingress') continue;
    building.rows.put('vpc-block-public-access', {
      accountId,
      region,
      id: `${accountId}/${region}`,
      mode,
      updatedAt: '',
    });
  }
  for (const { item, kind, id, exclusionId } of exclusions(building)) {
    const vpcId = kind === 'vpc' ? (id as VpcId) : building.rows.get('subnet', id)?.vpcId;
    const mode: ExclusionMode =
      item.text('InternetGatewayExclusionMode') === 'allow-egress' ? 'allow-egress' : 'allow-bidirectional';
    const what = kind === 'vpc' ? { vpcId: id as VpcId } : { subnetId: id as SubnetId };
    putExclusion(building, building.ownerOf(vpcId), exclusionId, mode, what);
  }
}

/** Those in force, with the VPC or subnet that each is for. */
function exclusions(building: Building): { item: Item; kind: string; id: string; exclusionId: string }[] {
  return building.list('VpcBlockPublicAccessExclusions', 'ExclusionId').flatMap(({ item }) => {
    if (!/^(create|update)-complete$/.test(item.optionalText('State') ?? '')) return [];
    const [, kind, id] = /:(vpc|subnet)\/(.+)$/.exec(item.text('ResourceArn')) ?? [];
    return kind === undefined || id === undefined ? [] : [{ item, kind, id, exclusionId: item.text('ExclusionId') }];
  });
}
