// Which EC2 resources does an operation touch, and what is true of them? From the members of the input and the rows that they name.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html and
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-policies-ec2-resources.html (read 2026-11-21)
// Tags on create ask for ec2:CreateTags too, with ec2:CreateAction (supported-iam-actions-tagging).
// Gap: ec2:Attribute and ec2:Attribute/NAME of the Modify…Attribute actions are not set.

import type { Permission } from '../service.ts';
import type { Transaction } from '../store/store.ts';
import type { CallFacts } from './context.ts';
import { type Ec2Context, rowContext } from './ec2-context.ts';
import { withIds } from './ec2-names.ts';
import { type ActionFacts, type ActionResource, factsOf, fillArn, type ServiceFacts } from './facts.ts';
import type { Input } from './permissions.ts';

/** An id's prefix → the resource type, by which a member of any name is understood. */
const TYPE_BY_PREFIX: Readonly<Record<string, string>> = {
  vpc: 'vpc',
  subnet: 'subnet',
  scr: 'subnet-cidr-reservation',
  sg: 'security-group',
  sgr: 'security-group-rule',
  rtb: 'route-table',
  igw: 'internet-gateway',
  acl: 'network-acl',
  eni: 'network-interface',
  eipalloc: 'elastic-ip',
  vpce: 'vpc-endpoint',
  ami: 'image',
  i: 'instance',
  pl: 'prefix-list',
  dopt: 'dhcp-options',
  key: 'key-pair',
  vol: 'volume',
  snap: 'snapshot',
  nat: 'natgateway',
  'vpcbpa-exclude': 'vpc-block-public-access-exclusion',
  pcx: 'vpc-peering-connection',
  tgw: 'transit-gateway',
  'tgw-attach': 'transit-gateway-attachment',
  'tgw-rtb': 'transit-gateway-route-table',
  eigw: 'egress-only-internet-gateway',
  fl: 'vpc-flow-log',
  vgw: 'vpn-gateway',
  cgw: 'customer-gateway',
  vpn: 'vpn-connection',
  lt: 'launch-template',
  eice: 'instance-connect-endpoint',
  'vpce-svc': 'vpc-endpoint-service',
  nip: 'network-insights-path',
  nia: 'network-insights-analysis',
  nis: 'network-insights-access-scope',
  nisa: 'network-insights-access-scope-analysis',
};

/** Members that carry ids of what the operation is about. Peers in rules, of peerings, filters and tag values are not. */
const ID_MEMBERS = [
  'VpcId',
  'SubnetId',
  'SubnetIds',
  'SubnetCidrReservationId',
  'GroupId',
  'GroupIds',
  'Groups',
  'SecurityGroupIds',
  'SecurityGroupRuleIds',
  'InstanceId',
  'InstanceIds',
  'RouteTableId',
  'RouteTableIds',
  'AddRouteTableIds',
  'RemoveRouteTableIds',
  'AddSubnetIds',
  'RemoveSubnetIds',
  'AddSecurityGroupIds',
  'RemoveSecurityGroupIds',
  'NetworkInterfaceId',
  'NetworkInterfaceIds',
  'AllocationId',
  'AllocationIds',
  'SecondaryAllocationIds',
  'VpcEndpointId',
  'VpcEndpointIds',
  'InstanceConnectEndpointId',
  'ImageId',
  'ImageIds',
  'InternetGatewayId',
  'GatewayId',
  'NetworkAclId',
  'DhcpOptionsId',
  'PrefixListId',
  'PrefixListIds',
  'DestinationPrefixListId',
  'KeyPairId',
  'VolumeId',
  'VolumeIds',
  'SnapshotId',
  'NatGatewayId',
  'ExclusionId',
  'NatGatewayIds',
  'VpcPeeringConnectionId',
  'TransitGatewayId',
  'TransitGatewayAttachmentId',
  'TransitGatewayRouteTableId',
  'EgressOnlyInternetGatewayId',
  'FlowLogIds',
  'ResourceIds',
  'LaunchTemplateId',
  'Resources',
  'SourceId',
  'ServiceIds',
  'ServiceId',
  'NetworkInsightsPathId',
  'NetworkInsightsAnalysisId',
  'NetworkInsightsAccessScopeId',
  'NetworkInsightsAccessScopeAnalysisId',
] as const;

/** Ids of an association or attachment stand for what they join. */
type Joined = (tx: Transaction, call: CallFacts, id: string) => readonly (string | undefined)[];

const JOINED_BY_PREFIX: Readonly<Record<string, Joined>> = {
  rtbassoc: (tx, call, id) => {
    const table = tx
      .list('route-table', scope(call))
      .find((row) => row.associations.some((one) => one.associationId === id));
    const association = table?.associations.find((one) => one.associationId === id);
    return [table?.id, association?.subnetId, association?.gatewayId];
  },
  aclassoc: (tx, call, id) => {
    const acl = tx
      .list('network-acl', scope(call))
      .find((row) => row.associations.some((one) => one.associationId === id));
    return [acl?.id, acl?.associations.find((one) => one.associationId === id)?.subnetId];
  },
  eipassoc: (tx, call, id) => {
    const address = tx.list('address', scope(call)).find((row) => row.associationId === id);
    return [address?.id, address?.networkInterfaceId];
  },
  'eni-attach': (tx, call, id) => {
    const card = tx.list('network-interface', scope(call)).find((row) => row.attachment?.attachmentId === id);
    return [card?.id, card?.attachment?.instanceId];
  },
  'iip-assoc': (tx, call, id) => [
    tx.list('instance', scope(call)).find((row) => row.iamInstanceProfile?.associationId === id)?.id,
  ],
  'vpc-cidr-assoc': (tx, call, id) => [
    tx
      .list('vpc', scope(call))
      .find((row) => [...row.cidrBlocks, ...(row.ipv6CidrBlocks ?? [])].some((block) => block.associationId === id))
      ?.id,
  ],
  'subnet-cidr-assoc': (tx, call, id) => [
    tx.list('subnet', scope(call)).find((row) => row.ipv6CidrBlock?.associationId === id)?.id,
  ],
};

function scope(call: CallFacts): { accountId: string; region: string } {
  return { accountId: call.accountId, region: call.region };
}

/** Types that an operation always creates though the reference calls them optional. */
const ALSO_CREATED: Readonly<Record<string, readonly string[]>> = { RunInstances: ['volume'] };

export function ec2Permissions(
  tx: Transaction,
  call: CallFacts,
  given: Input,
  asked: string,
  action: ActionFacts,
  facts: ServiceFacts,
): readonly Permission[] {
  const everywhere: Permission = { action: asked, resource: '*', context: { 'ec2:region': [call.region] } };
  // Every Describe: nothing of the input can change what is asked.
  if (action.resources.size === 0 && given.TagSpecifications === undefined) return [everywhere];
  const input = withIds(tx, call, action.name, given);
  const requestTags = tagsByType(action.name, input);
  const named = namedResources(tx, call, input);
  const permissions: Permission[] = [];
  const ask = (resource: ActionResource, id: string | undefined) => {
    const template = facts.resourceTypes[resource.type];
    if (template === undefined) return;
    const row = rowContext(tx, call, action.name, resource.type, id, input);
    const context = keep({ ...row.context, ...requestContext(requestTags.get(resource.type)) }, action, resource, call);
    const arn = fillArn(template, { ...call, accountId: row.accountId ?? call.accountId }, row.name ?? id ?? '*');
    permissions.push({ action: asked, resource: arn, context });
  };
  for (const resource of action.resources.values()) {
    const ids = named.get(resource.type);
    if (ids) for (const id of ids) ask(resource, id);
    else if (resource.required || ALSO_CREATED[action.name]?.includes(resource.type)) ask(resource, undefined);
  }
  if (permissions.length === 0) {
    permissions.push(everywhere);
  }
  return [...permissions, ...taggingPermissions(call, action, facts, requestTags)];
}

/** Keeps the keys that AWS sets for this action and resource: a key that AWS leaves absent must be absent here too (O2). */
function keep(context: Ec2Context, action: ActionFacts, resource: ActionResource, call: CallFacts): Ec2Context {
  const kept: Record<string, readonly string[]> = { 'ec2:region': [call.region] };
  for (const [name, values] of Object.entries(context)) {
    const key = name.toLowerCase();
    const slash = key.indexOf('/');
    const family = slash < 0 ? key : key.slice(0, slash + 1);
    if (resource.keys.has(family) || action.keys.has(family)) kept[key] = values;
  }
  return kept;
}

/** Resource type → ids, from the members of the input. */
function namedResources(tx: Transaction, call: CallFacts, input: Input): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  const add = (value: unknown): void => {
    if (Array.isArray(value)) for (const one of value) add(one);
    if (typeof value !== 'string') return;
    const prefix = value.slice(0, Math.max(0, value.lastIndexOf('-')));
    const joined = Object.hasOwn(JOINED_BY_PREFIX, prefix) ? JOINED_BY_PREFIX[prefix] : undefined;
    if (joined) {
      for (const id of joined(tx, call, value)) add(id);
      return;
    }
    const type = Object.hasOwn(TYPE_BY_PREFIX, prefix) ? TYPE_BY_PREFIX[prefix] : undefined;
    if (type !== undefined) addTo(found, type, value);
  };
  for (const member of ID_MEMBERS) add(input[member]);
  add(input.AssociationId);
  add(input.AssociationIds);
  add(input.AttachmentId);
  // KeyName is the key pair's name, which its ARN carries.
  if (typeof input.KeyName === 'string' && input.KeyName !== '') addTo(found, 'key-pair', input.KeyName);
  for (const card of listOf(input.NetworkInterfaces)) {
    add(card.SubnetId);
    add(card.Groups);
    add(card.NetworkInterfaceId);
  }
  for (const rule of listOf(input.SecurityGroupRules)) add(rule.SecurityGroupRuleId);
  for (const one of listOf(input.SubnetConfigurations)) add(one.SubnetId);
  return found;
}

function addTo(found: Map<string, Set<string>>, type: string, id: string): void {
  const ids = found.get(type);
  if (ids) ids.add(id);
  else found.set(type, new Set([id]));
}

function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'object' && one !== null) : [];
}

type Tags = ReadonlyMap<string, string>;

/** `*` stands for every type: CreateTags and DeleteTags name tags for all their resources. */
class RequestTags {
  readonly #byType = new Map<string, Map<string, string>>();
  every: Tags | undefined;

  add(type: string, tags: Tags): void {
    const known = this.#byType.get(type);
    if (known) for (const [key, value] of tags) known.set(key, value);
    else this.#byType.set(type, new Map(tags));
  }

  get(type: string): Tags | undefined {
    return this.every ?? this.#byType.get(type);
  }

  get created(): Iterable<[string, Tags]> {
    return this.#byType;
  }
}

function tagsByType(action: string, input: Input): RequestTags {
  const tags = new RequestTags();
  if (action === 'CreateTags' || action === 'DeleteTags') tags.every = tagsOf(input.Tags);
  for (const specification of listOf(input.TagSpecifications)) {
    if (typeof specification.ResourceType === 'string')
      tags.add(specification.ResourceType, tagsOf(specification.Tags));
  }
  return tags;
}

function tagsOf(value: unknown): Tags {
  const tags = new Map<string, string>();
  for (const tag of listOf(value)) {
    if (typeof tag.Key === 'string') tags.set(tag.Key, typeof tag.Value === 'string' ? tag.Value : '');
  }
  return tags;
}

function requestContext(tags: Tags | undefined): Ec2Context {
  if (!tags || tags.size === 0) return {};
  const context: Record<string, readonly string[]> = { 'aws:TagKeys': [...tags.keys()] };
  for (const [key, value] of tags) context[`aws:RequestTag/${key}`] = [value];
  return context;
}

function taggingPermissions(
  call: CallFacts,
  action: ActionFacts,
  facts: ServiceFacts,
  tags: RequestTags,
): Permission[] {
  const createTags = factsOf('ec2')?.action('CreateTags');
  const permissions: Permission[] = [];
  for (const [type, given] of tags.created) {
    const template = facts.resourceTypes[type];
    if (given.size === 0 || template === undefined || !createTags?.resources.has(type)) continue;
    permissions.push({
      action: 'ec2:CreateTags',
      resource: fillArn(template, call, '*'),
      context: { ...requestContext(given), 'ec2:createaction': [action.name], 'ec2:region': [call.region] },
    });
  }
  return permissions;
}
