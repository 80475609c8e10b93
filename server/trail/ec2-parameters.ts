// EC2's requests and answers in CloudTrail's records. They are its XML told as JSON: a list is `{"items": [{"vpcId": "vpc-…"}]}`, times are milliseconds.
// The calls of newer constructs have one member named after the request, with the names of the query in it.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitor-with-cloudtrail.html (read 2026-11-22). Names of lists in requests follow a rule
// where AWS's follow none; those that are known to differ are in the table.

import type { Member, OperationModel, Shape, StructureShape } from '../catalogue/shapes.ts';
import { isSecret, lowerFirst, scalar, type Values } from './record-values.ts';

const removed = '<sensitiveDataRemoved>';
const wrapped =
  /VpcEndpoint|NatGateway|TransitGateway|FlowLog|ManagedPrefixList|VpcEncryption|NetworkInsights|InstanceConnect/;

/** Lists of a request: the name of the list, and that of an element's one member where it is no structure. */
const listNames: Readonly<Record<string, readonly [list: string, element: string]>> = {
  Filters: ['filterSet', ''],
  Values: ['valueSet', 'value'],
  Tags: ['tags', ''],
  TagSpecifications: ['tagSpecificationSet', ''],
  Resources: ['resourcesSet', 'resourceId'],
  InstanceIds: ['instancesSet', 'instanceId'],
  VpcIds: ['vpcSet', 'vpcId'],
  SubnetIds: ['subnetSet', 'subnetId'],
  GroupIds: ['securityGroupIdSet', 'groupId'],
  SecurityGroupIds: ['groupSet', 'groupId'],
  IpPermissions: ['ipPermissions', ''],
  UserIdGroupPairs: ['groups', ''],
  IpRanges: ['ipRanges', ''],
  Ipv6Ranges: ['ipv6Ranges', ''],
  PrefixListIds: ['prefixListIds', ''],
};
/** Of RunInstances, which instances at all. */
const launched = ['imageId', 'minCount', 'maxCount', 'keyName'];

export function ec2Request(operation: OperationModel, input: Values): unknown {
  if (!operation.input) return {};
  const { name } = operation;
  if (wrapped.test(name)) return { [`${name}Request`]: queryMembers(operation.input, input) };
  const told = requestMembers(operation.input, input);
  if (name === 'CreateTags' || name === 'DeleteTags') return renamed(told, 'tags', 'tagSet');
  if (name !== 'RunInstances') return told;
  const item: Record<string, unknown> = {};
  for (const member of launched) {
    if (member in told) item[member] = told[member];
    delete told[member];
  }
  return { instancesSet: { items: [item] }, ...told };
}

function renamed(values: Record<string, unknown>, from: string, to: string): Values {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name === from ? to : name, value]));
}

function requestMembers(shape: StructureShape, values: Values): Record<string, unknown> {
  const told: Record<string, unknown> = {};
  for (const member of shape.members) {
    const value = values[member.name];
    if (value === undefined || value === null || member.name === 'DryRun') continue;
    if (member.shape.kind === 'list') {
      const [list, element] = listNames[member.name] ?? ruledNames(member.name);
      const items = (value as readonly unknown[]).map((one) => {
        const inner = member.shape.kind === 'list' ? requestValue(member.shape.member, one) : undefined;
        return typeof inner === 'object' ? inner : { [element]: inner };
      });
      told[list] = items.length === 0 ? {} : { items };
    } else told[lowerFirst(member.name)] = requestValue(member, value);
  }
  return told;
}

/** `RouteTableIds` → `routeTableIdSet` of `routeTableId`. */
function ruledNames(name: string): readonly [string, string] {
  const one = lowerFirst(name.endsWith('s') ? name.slice(0, -1) : name);
  return [`${one}Set`, one];
}

function requestValue(member: Member, value: unknown): unknown {
  if (isSecret(member)) return removed;
  const { shape } = member;
  return shape.kind === 'structure' || shape.kind === 'union' ? requestMembers(shape, value as Values) : told(value);
}

function told(value: unknown): unknown {
  return value instanceof Date ? value.getTime() : scalar(value);
}

/** As the query has it: `"RouteTableId": {"tag": 1, "content": "rtb-…"}`, several in an array. */
function queryMembers(shape: StructureShape, values: Values): Record<string, unknown> {
  const written: Record<string, unknown> = {};
  for (const member of shape.members) {
    const value = values[member.name];
    if (value === undefined || value === null) continue;
    const { ec2QueryName, xmlName } = member.traits;
    const name = ec2QueryName ?? upperFirst(xmlName ?? member.name);
    written[name] = queryValue(member, value);
  }
  return written;
}

function queryValue(member: Member, value: unknown): unknown {
  if (isSecret(member)) return removed;
  const { shape } = member;
  if (shape.kind === 'structure' || shape.kind === 'union') return queryMembers(shape, value as Values);
  if (shape.kind !== 'list') return told(value);
  const all = (value as readonly unknown[]).map((one, index) => {
    const inner = queryValue(shape.member, one);
    return typeof inner === 'object' ? { tag: index + 1, ...inner } : { tag: index + 1, content: inner };
  });
  return all.length === 1 ? all[0] : all;
}

const upperFirst = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);

export function ec2Response(operation: OperationModel, output: Values, requestId: string): unknown {
  if (!operation.output) return { requestId, _return: true };
  const answered = responseMembers(operation.output, output);
  if ('return' in answered) {
    const { return: result, ...rest } = answered;
    return { requestId, _return: result, ...rest };
  }
  // What answers nothing else says that it was done.
  if (Object.keys(answered).length === 0) return { requestId, _return: true };
  return wrapped.test(operation.name)
    ? { [`${operation.name}Response`]: { ...answered, requestId } }
    : { requestId, ...answered };
}

function responseMembers(shape: StructureShape, values: Values): Record<string, unknown> {
  const answered: Record<string, unknown> = {};
  for (const member of shape.members) {
    const value = values[member.name];
    if (value === undefined || value === null) continue;
    answered[member.ownTraits.xmlName ?? lowerFirst(member.name)] = isSecret(member)
      ? removed
      : responseValue(member.shape, value);
  }
  return answered;
}

function responseValue(shape: Shape, value: unknown): unknown {
  switch (shape.kind) {
    case 'structure':
    case 'union':
      return responseMembers(shape, value as Values);
    case 'list': {
      const items = (value as readonly unknown[]).map((one) => responseValue(shape.member.shape, one));
      return items.length === 0 ? {} : { items };
    }
    default:
      return told(value);
  }
}
