// Target groups: instances or addresses of a VPC that take TCP connections, and how their health is seen (B5–B8).
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html (read 2026-11-22)

import type * as SDK from '@aws-sdk/client-elastic-load-balancing-v2';
import { type Call, type Operation, operation } from '../../service.ts';
import type { TargetGroupRow } from '../../store/rows/load-balancing.ts';
import { requestTagKeys } from '../../tag-keys.ts';
import { arnPrefix, listenersTo, newSuffix, on, pageOf, requireTargetGroup, scopeOf } from './arns.ts';
import { attributeList, changedAttributes, preservesClientIp, targetGroupAttributes } from './attributes.ts';
import { elbError, inRange, refuseMembers, unsupported, validationError } from './errors.ts';
import { checkedTags } from './tags.ts';

function toTargetGroup(call: Call, row: TargetGroupRow): SDK.TargetGroup {
  const { healthCheck } = row;
  const isHttp = healthCheck.protocol === 'HTTP';
  return {
    TargetGroupArn: row.id,
    TargetGroupName: row.name,
    Protocol: 'TCP',
    Port: row.port,
    VpcId: row.vpcId,
    HealthCheckProtocol: healthCheck.protocol,
    HealthCheckPort: healthCheck.port,
    HealthCheckEnabled: true,
    HealthCheckIntervalSeconds: healthCheck.intervalSeconds,
    HealthCheckTimeoutSeconds: healthCheck.timeoutSeconds,
    HealthyThresholdCount: healthCheck.healthyThreshold,
    UnhealthyThresholdCount: healthCheck.unhealthyThreshold,
    ...(isHttp && { HealthCheckPath: healthCheck.path, Matcher: { HttpCode: healthCheck.matcher } }),
    LoadBalancerArns: [...new Set(listenersTo(call, row.id).map((each) => each.loadBalancerArn))],
    TargetType: row.targetType,
    IpAddressType: 'ipv4',
  };
}

type HealthInput = Pick<
  SDK.CreateTargetGroupInput,
  | 'HealthCheckEnabled' | 'HealthCheckIntervalSeconds' | 'HealthCheckPath' | 'HealthCheckPort' | 'HealthCheckProtocol'
  | 'HealthCheckTimeoutSeconds' | 'HealthyThresholdCount' | 'Matcher' | 'UnhealthyThresholdCount'
>; // biome-ignore format: a list

const matcher = /^\d{3}(-\d{3})?(,\d{3}(-\d{3})?)*$/;

/** @param before what it was; at creation AWS's defaults */
function healthCheckOf(
  before: TargetGroupRow['healthCheck'] | undefined,
  input: HealthInput,
): TargetGroupRow['healthCheck'] {
  if (input.HealthCheckEnabled === false)
    throw validationError('Health check enabled must be true for target groups with target type instance or ip');
  const protocol = input.HealthCheckProtocol ?? before?.protocol ?? 'TCP';
  if (protocol !== 'TCP' && protocol !== 'HTTP') {
    if (protocol !== 'HTTPS')
      throw validationError(`Health check protocol '${protocol}' must be one of: 'TCP', 'HTTP', 'HTTPS'`);
    throw unsupported('health checks by HTTPS');
  }
  if (protocol === 'TCP' && (input.HealthCheckPath || input.Matcher))
    throw validationError('Health check path and matcher are not supported for health checks with protocol TCP');
  const port = input.HealthCheckPort ?? before?.port ?? 'traffic-port';
  if (port !== 'traffic-port') inRange(Number(port), 'Health check port', 1, 65_535);
  const path = input.HealthCheckPath ?? before?.path ?? '/';
  if (!path.startsWith('/') || path.length > 1024)
    throw validationError(`Health check path '${path}' must begin with a '/' character`);
  const codes = input.Matcher?.HttpCode ?? before?.matcher ?? '200-399';
  if (input.Matcher?.GrpcCode || !matcher.test(codes))
    throw validationError(`Health check matcher '${codes}' is not valid`);
  return {
    protocol,
    port,
    path,
    matcher: codes,
    intervalSeconds:
      inRange(input.HealthCheckIntervalSeconds, 'Health check interval', 5, 300) ?? before?.intervalSeconds ?? 30,
    timeoutSeconds:
      inRange(input.HealthCheckTimeoutSeconds, 'Health check timeout', 2, 120) ??
      before?.timeoutSeconds ??
      (protocol === 'HTTP' ? 6 : 10),
    healthyThreshold:
      inRange(input.HealthyThresholdCount, 'Healthy threshold count', 2, 10) ?? before?.healthyThreshold ?? 5,
    unhealthyThreshold:
      inRange(input.UnhealthyThresholdCount, 'Unhealthy threshold count', 2, 10) ?? before?.unhealthyThreshold ?? 2,
  };
}

function create(call: Call, input: SDK.CreateTargetGroupInput): TargetGroupRow {
  const targetType = input.TargetType ?? 'instance';
  if (targetType !== 'instance' && targetType !== 'ip') throw unsupported(`target groups of the type ${targetType}`);
  const name = input.Name ?? '';
  if (!/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/i.test(name))
    throw validationError(`Target group name '${name}' must be 1 to 32 alphanumeric characters and hyphens(-)`);
  if (!input.Protocol) throw validationError('A protocol must be specified');
  if (input.Protocol !== 'TCP') throw unsupported(`target groups with the protocol ${input.Protocol}`);
  if (input.IpAddressType && input.IpAddressType !== 'ipv4')
    throw unsupported(`the IpAddressType ${input.IpAddressType} of CreateTargetGroup`);
  refuseMembers('CreateTargetGroup', input, ['ProtocolVersion', 'TargetControlPort']);
  const port = inRange(input.Port, 'Port', 1, 65_535);
  if (port === undefined) throw validationError('A port must be specified');
  const vpc = input.VpcId === undefined ? undefined : call.tx.get('vpc', input.VpcId as TargetGroupRow['vpcId']);
  if (!input.VpcId) throw validationError('A VPC ID must be specified');
  if (!vpc || vpc.accountId !== call.accountId || vpc.region !== call.region)
    throw validationError(`The VPC ID '${input.VpcId}' is not found`);
  const healthCheck = healthCheckOf(undefined, input);
  const same = call.tx.list('target-group', scopeOf(call)).find((row) => row.name === name);
  if (same) {
    const settings = (row: Pick<TargetGroupRow, 'targetType' | 'port' | 'vpcId' | 'healthCheck'>) =>
      JSON.stringify([row.targetType, row.port, row.vpcId, row.healthCheck]);
    if (settings(same) === settings({ targetType, port, vpcId: vpc.id, healthCheck })) return same;
    throw elbError(
      'DuplicateTargetGroupName',
      `A target group with the same name '${name}' exists, but with different settings`,
    );
  }
  const row: TargetGroupRow = {
    id: `${arnPrefix(call)}targetgroup/${name}/${newSuffix(call)}`,
    ...scopeOf(call),
    name,
    vpcId: vpc.id,
    targetType,
    port,
    healthCheck,
    // B8: instances see the client's address unless they are told not to.
    attributes: { [preservesClientIp]: String(targetType === 'instance') },
    targets: [],
    createdTime: call.now.toISOString(),
    tags: checkedTags(input.Tags),
  };
  call.tx.put('target-group', row);
  return row;
}

/** B8: no listener can forward to one whose targets are to see the client's address. @throws OperationNotPermitted */
export function refusePreserving(row: TargetGroupRow): void {
  if (row.attributes[preservesClientIp] === 'true')
    throw unsupported(
      `listeners that forward to a target group which preserves the client's address; set ${preservesClientIp} of ${row.id} to false`,
    );
}

function select(call: Call, input: SDK.DescribeTargetGroupsInput): TargetGroupRow[] {
  const { LoadBalancerArn, TargetGroupArns: arns = [], Names: names = [] } = input;
  const all = call.tx.list('target-group', scopeOf(call));
  if (LoadBalancerArn) {
    if (!call.tx.get('load-balancer', LoadBalancerArn))
      throw elbError('LoadBalancerNotFound', `Load balancer '${LoadBalancerArn}' not found`);
    return all.filter((row) => listenersTo(call, row.id).some((each) => each.loadBalancerArn === LoadBalancerArn));
  }
  if (arns.length + names.length === 0) return all;
  const found = all.filter((row) => arns.includes(row.id) || names.includes(row.name));
  if (found.length < new Set([...arns, ...names]).size)
    throw elbError('TargetGroupNotFound', 'One or more target groups not found');
  return found;
}

const onArn = (call: Call, input: { readonly TargetGroupArn?: string | undefined }) => [on(call, input.TargetGroupArn)];

export const targetGroupOperations = {
  CreateTargetGroup: operation<SDK.CreateTargetGroupInput, SDK.CreateTargetGroupOutput>({
    authorize: (call, input) => [
      on(call, `${arnPrefix(call)}targetgroup/${input.Name ?? '*'}/*`, requestTagKeys(input.Tags)),
    ],
    run: (call, input) => ({ TargetGroups: [toTargetGroup(call, create(call, input))] }),
  }),
  DescribeTargetGroups: operation<SDK.DescribeTargetGroupsInput, SDK.DescribeTargetGroupsOutput>({
    authorize: (call) => [on(call)],
    readOnly: true,
    run: (call, input) => {
      const { page, next } = pageOf(select(call, input), input);
      return { TargetGroups: page.map((row) => toTargetGroup(call, row)), ...next };
    },
  }),
  ModifyTargetGroup: operation<SDK.ModifyTargetGroupInput, SDK.ModifyTargetGroupOutput>({
    authorize: onArn,
    run: (call, input) => {
      const row = requireTargetGroup(call, input.TargetGroupArn);
      const changed = { ...row, healthCheck: healthCheckOf(row.healthCheck, input) };
      call.tx.put('target-group', changed);
      return { TargetGroups: [toTargetGroup(call, changed)] };
    },
  }),
  DeleteTargetGroup: operation<SDK.DeleteTargetGroupInput, SDK.DeleteTargetGroupOutput>({
    authorize: onArn,
    run: (call, input) => {
      const arn = input.TargetGroupArn ?? '';
      const row = call.tx.get('target-group', arn);
      // One that is not there is deleted already.
      if (!row || row.accountId !== call.accountId) return {};
      if (listenersTo(call, arn).length > 0)
        throw elbError('ResourceInUse', `Target group '${arn}' is currently in use by a listener or a rule`);
      call.tx.delete('target-group', arn);
      return {};
    },
  }),
  DescribeTargetGroupAttributes: operation<
    SDK.DescribeTargetGroupAttributesInput,
    SDK.DescribeTargetGroupAttributesOutput
  >({
    authorize: (call) => [on(call)],
    readOnly: true,
    run: (call, input) => ({
      Attributes: attributeList(targetGroupAttributes, requireTargetGroup(call, input.TargetGroupArn).attributes),
    }),
  }),
  ModifyTargetGroupAttributes: operation<SDK.ModifyTargetGroupAttributesInput, SDK.ModifyTargetGroupAttributesOutput>({
    authorize: onArn,
    run: (call, input) => {
      const row = requireTargetGroup(call, input.TargetGroupArn);
      const attributes = changedAttributes(targetGroupAttributes, row.attributes, input.Attributes);
      const changed = { ...row, attributes };
      if (listenersTo(call, row.id).length > 0) refusePreserving(changed);
      call.tx.put('target-group', changed);
      return { Attributes: attributeList(targetGroupAttributes, attributes) };
    },
  }),
} satisfies Record<string, Operation>;
