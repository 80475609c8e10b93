// CreateTags, DeleteTags and DescribeTags over every kind of resource. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html
// (read 2026-11-21). A call with several resources changes all of them or none: the transaction sees to that.

import type {
  CreateTagsRequest,
  DeleteTagsRequest,
  DescribeTagsRequest,
  DescribeTagsResult,
  ResourceType,
} from '@aws-sdk/client-ec2';
import { type Call, type Operation, operation } from '../../service.ts';
import type { Tags } from '../../store/rows/ec2.ts';
import type { Kind, Rows } from '../../store/store.ts';
import { ec2Error, missingParameter, type ResourceKind, resourceKinds } from './errors.ts';
import { applyFilters } from './filters.ts';
import { paginate } from './pagination.ts';
import { requireRow, scopeOf } from './rows.ts';
import { addTags } from './tags.ts';
import { instanceOfVolume, instancesWithVolume, rootVolumeOf } from './volumes.ts';
import { requirePeering, shownPeerings, tagsSeenBy, withTags } from './vpc-peering-rows.ts';

/** Kind of row → what the API calls its type. */
export const resourceTypes = {
  vpc: 'vpc',
  subnet: 'subnet',
  'subnet-cidr-reservation': 'subnet-cidr-reservation',
  'route-table': 'route-table',
  'internet-gateway': 'internet-gateway',
  'egress-only-internet-gateway': 'egress-only-internet-gateway',
  'security-group': 'security-group',
  'security-group-rule': 'security-group-rule',
  'network-acl': 'network-acl',
  address: 'elastic-ip',
  'network-interface': 'network-interface',
  'nat-gateway': 'natgateway',
  'vpc-block-public-access-exclusion': 'vpc-block-public-access-exclusion',
  // Before the endpoints, whose ids begin as its do.
  'vpc-endpoint-service': 'vpc-endpoint-service',
  'vpc-endpoint': 'vpc-endpoint',
  'vpc-peering-connection': 'vpc-peering-connection',
  'instance-connect-endpoint': 'instance-connect-endpoint',
  // Before the gateway, whose prefix theirs begin with.
  'transit-gateway-attachment': 'transit-gateway-attachment',
  'transit-gateway-route-table': 'transit-gateway-route-table',
  'transit-gateway': 'transit-gateway',
  'prefix-list': 'prefix-list',
  'dhcp-options': 'dhcp-options',
  'key-pair': 'key-pair',
  instance: 'instance',
  'flow-log': 'vpc-flow-log',
  'network-insights-path': 'network-insights-path',
  'network-insights-analysis': 'network-insights-analysis',
  'network-insights-access-scope': 'network-insights-access-scope',
  'network-insights-access-scope-analysis': 'network-insights-access-scope-analysis',
} as const satisfies Record<ResourceKind & Kind, ResourceType>;

/** The one kind of two owners, each with tags of its own. */
const peering = 'vpc-peering-connection';
const kinds = Object.keys(resourceTypes) as (keyof typeof resourceTypes)[];

function kindOf(id: string): keyof typeof resourceTypes {
  const kind = kinds.find((one) => id.startsWith(`${resourceKinds[one].prefix}-`));
  if (!kind) throw ec2Error('InvalidID', `The ID '${id}' is not valid`);
  return kind;
}

/** Rewrites the tags of each resource. */
function retag(call: Call, ids: readonly string[] | undefined, change: (tags: Tags) => Tags): void {
  if (!ids || ids.length === 0) throw missingParameter('resourceIdSet');
  for (const id of new Set(ids)) {
    if (id.startsWith('vol-')) {
      const row = instanceOfVolume(call, id);
      const rootVolume = rootVolumeOf(row);
      call.tx.put('instance', { ...row, rootVolume: { ...rootVolume, tags: change(rootVolume.tags) } });
      continue;
    }
    const kind = kindOf(id);
    if (kind === peering) {
      const row = requirePeering(call, id);
      call.tx.put(kind, withTags(row, scopeOf(call), change(tagsSeenBy(row, scopeOf(call)))));
      continue;
    }
    const row = requireRow(call, kind, id);
    call.tx.put(kind, { ...row, tags: change(row.tags) } as Rows[typeof kind]);
  }
}

interface TagRow {
  readonly id: string;
  readonly type: ResourceType;
  readonly key: string;
  readonly value: string;
}

/** As this side sees them. */
function seenPeerings(call: Call): { id: string; tags: Tags }[] {
  return shownPeerings(call).map((row) => ({ id: row.id, tags: tagsSeenBy(row, scopeOf(call)) }));
}

function everyTag(call: Call): TagRow[] {
  const rows: TagRow[] = [];
  for (const kind of kinds)
    for (const { id, tags } of kind === peering ? seenPeerings(call) : call.tx.list(kind, scopeOf(call)))
      for (const [key, value] of Object.entries(tags)) rows.push({ id, type: resourceTypes[kind], key, value });
  // A root volume is no row of its own.
  for (const row of instancesWithVolume(call))
    for (const [key, value] of Object.entries(rootVolumeOf(row).tags))
      rows.push({ id: row.rootVolumeId, type: 'volume', key, value });
  return rows;
}

export const tagging = {
  CreateTags: operation<CreateTagsRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      const added = input.Tags ?? [];
      if (added.length === 0) throw missingParameter('tagSet');
      retag(call, input.Resources, (tags) => addTags(tags, added));
      return {};
    },
  }),

  /** A tag with a value goes only when it has that value; without tags all of them go. */
  DeleteTags: operation<DeleteTagsRequest, Record<string, never>>({
    authorize: 'auto',
    run: (call, input) => {
      const { Tags: removed } = input;
      retag(call, input.Resources, (tags) =>
        Object.fromEntries(
          Object.entries(tags).filter(
            ([key, value]) =>
              removed !== undefined &&
              removed.length > 0 &&
              !removed.some((one) => one.Key === key && (one.Value === undefined || one.Value === value)),
          ),
        ),
      );
      return {};
    },
  }),

  DescribeTags: operation<DescribeTagsRequest, DescribeTagsResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const rows = applyFilters(
        everyTag(call),
        input.Filters,
        {
          key: (row) => row.key,
          'resource-id': (row) => row.id,
          'resource-type': (row) => row.type,
          value: (row) => row.value,
        },
        (row) => ({ [row.key]: row.value }),
      );
      const { page, ...next } = paginate(rows, input, { min: 5, max: 1000 }, (row) => `${row.id} ${row.key}`);
      return {
        Tags: page.map((row) => ({ ResourceId: row.id, ResourceType: row.type, Key: row.key, Value: row.value })),
        ...next,
      };
    },
  }),
} satisfies Record<string, Operation>;
