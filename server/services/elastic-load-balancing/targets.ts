// Targets: who is registered, and how they are (B5–B7). https://docs.aws.amazon.com/elasticloadbalancing/latest/network/check-target-health.html (read 2026-11-22)
// Descriptions of states are as the console and the CLI show them; they have no page of their own.

import type * as SDK from '@aws-sdk/client-elastic-load-balancing-v2';
import { containsAddress, ipToNumber } from '@postern/network/cidr.ts';
import type { InstanceId } from '@postern/network/snapshot.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { TargetGroupRow, TargetRow } from '../../store/rows/load-balancing.ts';
import { listenersTo, on, requireTargetGroup } from './arns.ts';
import { elbError, inRange, unsupported, validationError } from './errors.ts';

/** Whom an address may belong to that is not the VPC's own: RFC 1918 and RFC 6598. */
const privateBlocks = ['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16'] as const;

function isThere(target: TargetRow, now: Date): boolean {
  return target.goneAt === undefined || Date.parse(target.goneAt) > now.getTime();
}

/** @throws InvalidTarget, ValidationError */
function registered(call: Call, row: TargetGroupRow, given: SDK.TargetDescription): TargetRow {
  const { Id = '', AvailabilityZone } = given;
  if (given.QuicServerId) throw unsupported('the QuicServerId of a target');
  const port = inRange(given.Port, 'Port', 1, 65_535) ?? row.port;
  const target = { id: Id, port, state: 'initial' } as const;
  if (row.targetType === 'instance') {
    const instance = call.tx.get('instance', Id as InstanceId);
    if (
      !instance ||
      instance.accountId !== call.accountId ||
      instance.region !== call.region ||
      instance.state === 'terminated'
    )
      throw elbError('InvalidTarget', `The following targets are not valid instances: '${Id}'`);
    if (instance.vpcId !== row.vpcId)
      throw elbError('InvalidTarget', `The following targets are not in the target group VPC '${row.vpcId}': '${Id}'`);
    return { ...target, availabilityZone: call.tx.get('subnet', instance.subnetId)?.availabilityZone ?? '' };
  }
  if (ipToNumber(Id) === undefined) throw validationError(`The IP address '${Id}' is not a valid IPv4 address`);
  const subnet = call.tx.list('subnet').find((each) => each.vpcId === row.vpcId && containsAddress(each.cidrBlock, Id));
  const vpc = call.tx.get('vpc', row.vpcId);
  if (vpc?.cidrBlocks.some((block) => containsAddress(block.cidr, Id))) {
    const isBalancer = call.tx
      .list('network-interface')
      .some(
        (card) =>
          card.vpcId === row.vpcId &&
          card.service?.kind === 'network-load-balancer' &&
          card.privateAddresses.some(({ address }) => address === Id),
      );
    if (isBalancer)
      throw elbError('InvalidTarget', `The IP address '${Id}' belongs to a load balancer of the same VPC`);
    return { ...target, ...(subnet && { availabilityZone: subnet.availabilityZone }) };
  }
  if (!privateBlocks.some((block) => containsAddress(block, Id)))
    throw elbError(
      'InvalidTarget',
      `The IP address '${Id}' is not within the CIDR blocks of the VPC, nor a private address`,
    );
  if (AvailabilityZone !== 'all')
    throw validationError(
      `You must specify an Availability Zone of 'all' for the IP address '${Id}', which is outside the VPC`,
    );
  return target;
}

const isSame = (one: Pick<TargetRow, 'id' | 'port'>, other: Pick<TargetRow, 'id' | 'port'>) =>
  one.id === other.id && one.port === other.port;

function register(call: Call, input: SDK.RegisterTargetsInput): void {
  const row = requireTargetGroup(call, input.TargetGroupArn);
  if (!input.Targets?.length) throw validationError('At least one target must be specified');
  const targets = row.targets.filter((each) => isThere(each, call.now));
  for (const given of input.Targets) {
    const target = registered(call, row, given);
    const at = targets.findIndex((each) => isSame(each, target));
    if (at < 0) targets.push(target);
    else if (targets[at]?.state === 'draining') targets[at] = target;
  }
  call.tx.put('target-group', { ...row, targets });
}

/** No new connections at once; what there is goes on for the deregistration delay. */
function deregister(call: Call, input: SDK.DeregisterTargetsInput): void {
  const row = requireTargetGroup(call, input.TargetGroupArn);
  if (!input.Targets?.length) throw validationError('At least one target must be specified');
  const isMeant = (each: TargetRow) =>
    input.Targets?.some(({ Id, Port }) => Id === each.id && (Port === undefined || Port === each.port));
  const delaySeconds = Number(row.attributes['deregistration_delay.timeout_seconds'] ?? 300);
  const isUsed = listenersTo(call, row.id).length > 0;
  const goneAt = new Date(call.now.getTime() + delaySeconds * 1000).toISOString();
  const targets = row.targets
    .filter((each) => isThere(each, call.now))
    .flatMap((each): TargetRow[] => {
      if (!isMeant(each) || each.state === 'draining') return [each];
      return isUsed && delaySeconds > 0 ? [{ ...each, state: 'draining', goneAt }] : [];
    });
  call.tx.put('target-group', { ...row, targets });
}

const words = {
  initial: { State: 'initial', Reason: 'Elb.InitialHealthChecking', Description: 'Initial health checks in progress' },
  healthy: { State: 'healthy' },
  unhealthy: { State: 'unhealthy', Reason: 'Target.FailedHealthChecks', Description: 'Health checks failed' },
  draining: {
    State: 'draining',
    Reason: 'Target.DeregistrationInProgress',
    Description: 'Target deregistration is in progress',
  },
  unknown: {
    State: 'unused',
    Reason: 'Target.NotRegistered',
    Description: 'Target is not registered to the target group',
  },
  unused: {
    State: 'unused',
    Reason: 'Target.NotInUse',
    Description: 'Target group is not configured to receive traffic from the load balancer',
  },
  elsewhere: {
    State: 'unused',
    Reason: 'Target.NotInUse',
    Description: 'Target is in an Availability Zone that is not enabled for the load balancer',
  },
} as const satisfies Record<string, SDK.TargetHealth>;

function healthOf(call: Call, row: TargetGroupRow, target: TargetRow): SDK.TargetHealth {
  if (target.state === 'draining') return words.draining;
  const [listener] = listenersTo(call, row.id);
  const balancer = listener && call.tx.get('load-balancer', listener.loadBalancerArn);
  if (!balancer) return words.unused;
  if (row.targetType === 'instance') {
    const state = call.tx.get('instance', target.id as InstanceId)?.state;
    if (state !== 'running' && state !== 'pending')
      return {
        State: 'unused',
        Reason: 'Target.InvalidState',
        Description: `Target is in the ${state ?? 'terminated'} state`,
      };
  }
  const zones = balancer.nodes.map((node) => call.tx.get('subnet', node.subnetId)?.availabilityZone);
  if (target.availabilityZone !== undefined && !zones.includes(target.availabilityZone)) return words.elsewhere;
  return words[target.state];
}

function describe(call: Call, input: SDK.DescribeTargetHealthInput): SDK.DescribeTargetHealthOutput {
  const row = requireTargetGroup(call, input.TargetGroupArn);
  const own = row.targets.filter((each) => isThere(each, call.now));
  const told = (target: TargetRow): SDK.TargetHealthDescription => ({
    Target: {
      Id: target.id,
      Port: target.port,
      ...(row.targetType === 'ip' && { AvailabilityZone: target.availabilityZone ?? 'all' }),
    },
    HealthCheckPort: row.healthCheck.port === 'traffic-port' ? String(target.port) : row.healthCheck.port,
    TargetHealth: healthOf(call, row, target),
  });
  if (!input.Targets?.length) return { TargetHealthDescriptions: own.map(told) };
  return {
    TargetHealthDescriptions: input.Targets.map(({ Id = '', Port = row.port }) => {
      const found = own.find((each) => isSame(each, { id: Id, port: Port }));
      return found ? told(found) : { Target: { Id, Port }, TargetHealth: words.unknown };
    }),
  };
}

const onArn = (call: Call, input: { readonly TargetGroupArn?: string | undefined }) => [on(call, input.TargetGroupArn)];

export const targetOperations = {
  RegisterTargets: operation<SDK.RegisterTargetsInput, SDK.RegisterTargetsOutput>({
    authorize: onArn,
    run: (call, input) => {
      register(call, input);
      return {};
    },
  }),
  DeregisterTargets: operation<SDK.DeregisterTargetsInput, SDK.DeregisterTargetsOutput>({
    authorize: onArn,
    run: (call, input) => {
      deregister(call, input);
      return {};
    },
  }),
  DescribeTargetHealth: operation<SDK.DescribeTargetHealthInput, SDK.DescribeTargetHealthOutput>({
    authorize: (call) => [on(call)],
    readOnly: true,
    run: describe,
  }),
} satisfies Record<string, Operation>;
