// Listeners: a TCP port of a Network Load Balancer, which forwards to one target group (B2).
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html (read 2026-11-22)

import type * as SDK from '@aws-sdk/client-elastic-load-balancing-v2';
import { type Call, type Operation, operation } from '../../service.ts';
import type { ListenerRow, LoadBalancerRow, TargetGroupRow } from '../../store/rows/load-balancing.ts';
import { requestTagKeys } from '../../tag-keys.ts';
import {
  arnPrefix,
  listenersOf,
  listenersTo,
  newSuffix,
  on,
  pageOf,
  requireListener,
  requireLoadBalancer,
  requireTargetGroup,
  scopeOf,
} from './arns.ts';
import { attributeList, changedAttributes, listenerAttributes } from './attributes.ts';
import { elbError, inRange, invalidConfiguration, refuseMembers, unsupported, validationError } from './errors.ts';
import { checkedTags } from './tags.ts';
import { refusePreserving } from './target-groups.ts';

function toListener(row: ListenerRow): SDK.Listener {
  const forward = { TargetGroups: [{ TargetGroupArn: row.targetGroupArn }] };
  return {
    ListenerArn: row.id,
    LoadBalancerArn: row.loadBalancerArn,
    Port: row.port,
    Protocol: 'TCP',
    DefaultActions: [{ Type: 'forward', TargetGroupArn: row.targetGroupArn, Order: 1, ForwardConfig: forward }],
  };
}

function requireTcp(protocol: string | undefined): void {
  if (protocol === undefined) throw validationError('A listener protocol must be specified');
  if (['HTTP', 'HTTPS', 'GENEVE'].includes(protocol))
    throw elbError(
      'UnsupportedProtocol',
      `Listener protocol '${protocol}' is not supported with a load balancer of type 'NETWORK'`,
    );
  if (protocol !== 'TCP') throw unsupported(`listeners with the protocol ${protocol}`);
}

/** The target group that the actions forward to. @throws InvalidLoadBalancerAction, TargetGroupNotFound */
function forwardedTo(
  call: Call,
  actions: readonly SDK.Action[] | undefined,
  balancer: LoadBalancerRow,
): TargetGroupRow {
  const [action, ...others] = actions ?? [];
  if (action === undefined || others.length > 0) throw validationError('Exactly one default action must be specified');
  if (action.Type !== 'forward')
    throw elbError(
      'InvalidLoadBalancerAction',
      `Action type '${action.Type}' is not supported with a load balancer of type 'NETWORK'`,
    );
  const tuples = action.ForwardConfig?.TargetGroups ?? [];
  if (tuples.length > 1) throw unsupported('listeners that forward to several target groups');
  if (action.ForwardConfig?.TargetGroupStickinessConfig?.Enabled) throw unsupported('stickiness of target groups');
  const [tuple] = tuples;
  if (tuple?.TargetGroupArn && action.TargetGroupArn && tuple.TargetGroupArn !== action.TargetGroupArn)
    throw validationError('TargetGroupArn and ForwardConfig name different target groups');
  const group = requireTargetGroup(call, action.TargetGroupArn ?? tuple?.TargetGroupArn);
  if (group.vpcId !== balancer.vpcId)
    throw invalidConfiguration(`The target group '${group.id}' and the load balancer are in different VPCs`);
  if (listenersTo(call, group.id).some((each) => each.loadBalancerArn !== balancer.id))
    throw elbError(
      'TargetGroupAssociationLimit',
      `The following target groups cannot be associated with more than one load balancer: ${group.id}`,
    );
  refusePreserving(group);
  return group;
}

/** What comes into use begins with its first health checks. */
function use(call: Call, group: TargetGroupRow): void {
  if (listenersTo(call, group.id).length > 0) return;
  const targets = group.targets.map((each) =>
    each.state === 'draining' ? each : { ...each, state: 'initial' as const },
  );
  call.tx.put('target-group', { ...group, targets });
}

function requireFreePort(call: Call, balancer: LoadBalancerRow, port: number, own?: string): void {
  if (listenersOf(call, balancer.id).some((each) => each.port === port && each.id !== own))
    throw elbError(
      'DuplicateListener',
      `A listener already exists on this port for this load balancer '${balancer.id}'`,
    );
}

const tlsMembers = ['SslPolicy', 'Certificates', 'AlpnPolicy', 'MutualAuthentication'];

function create(call: Call, input: SDK.CreateListenerInput): ListenerRow {
  const balancer = requireLoadBalancer(call, input.LoadBalancerArn);
  requireTcp(input.Protocol);
  refuseMembers('CreateListener', input, tlsMembers);
  const port = inRange(input.Port, 'Port', 1, 65_535);
  if (port === undefined) throw validationError('A listener port must be specified');
  const group = forwardedTo(call, input.DefaultActions, balancer);
  requireFreePort(call, balancer, port);
  use(call, group);
  const row: ListenerRow = {
    id: `${arnPrefix(call)}listener/${balancer.loadBalancerId}/${newSuffix(call)}`,
    ...scopeOf(call),
    loadBalancerArn: balancer.id,
    vpcId: balancer.vpcId,
    port,
    targetGroupArn: group.id,
    attributes: {},
    tags: checkedTags(input.Tags),
  };
  call.tx.put('listener', row);
  return row;
}

function modify(call: Call, input: SDK.ModifyListenerInput): ListenerRow {
  const row = requireListener(call, input.ListenerArn);
  const balancer = requireLoadBalancer(call, row.loadBalancerArn);
  if (input.Protocol !== undefined) requireTcp(input.Protocol);
  refuseMembers('ModifyListener', input, tlsMembers);
  const port = inRange(input.Port, 'Port', 1, 65_535) ?? row.port;
  requireFreePort(call, balancer, port, row.id);
  const group = input.DefaultActions === undefined ? undefined : forwardedTo(call, input.DefaultActions, balancer);
  if (group) use(call, group);
  const changed = { ...row, port, targetGroupArn: group?.id ?? row.targetGroupArn };
  call.tx.put('listener', changed);
  return changed;
}

function select(call: Call, { LoadBalancerArn, ListenerArns }: SDK.DescribeListenersInput): ListenerRow[] {
  if (LoadBalancerArn) return listenersOf(call, requireLoadBalancer(call, LoadBalancerArn).id);
  if (!ListenerArns?.length) throw validationError('You must specify either listener ARNs or a load balancer ARN');
  const found = call.tx.list('listener', scopeOf(call)).filter((row) => ListenerArns.includes(row.id));
  if (found.length < new Set(ListenerArns).size) throw elbError('ListenerNotFound', 'One or more listeners not found');
  return found;
}

const onArn = (call: Call, input: { readonly ListenerArn?: string | undefined }) => [on(call, input.ListenerArn)];

export const listenerOperations = {
  CreateListener: operation<SDK.CreateListenerInput, SDK.CreateListenerOutput>({
    authorize: (call, input) => [on(call, input.LoadBalancerArn, requestTagKeys(input.Tags))],
    run: (call, input) => ({ Listeners: [toListener(create(call, input))] }),
  }),
  DescribeListeners: operation<SDK.DescribeListenersInput, SDK.DescribeListenersOutput>({
    authorize: (call) => [on(call)],
    readOnly: true,
    run: (call, input) => {
      const { page, next } = pageOf(select(call, input), input);
      return { Listeners: page.map(toListener), ...next };
    },
  }),
  ModifyListener: operation<SDK.ModifyListenerInput, SDK.ModifyListenerOutput>({
    authorize: onArn,
    run: (call, input) => ({ Listeners: [toListener(modify(call, input))] }),
  }),
  DeleteListener: operation<SDK.DeleteListenerInput, SDK.DeleteListenerOutput>({
    authorize: onArn,
    run: (call, input) => {
      call.tx.delete('listener', requireListener(call, input.ListenerArn).id);
      return {};
    },
  }),
  DescribeListenerAttributes: operation<SDK.DescribeListenerAttributesInput, SDK.DescribeListenerAttributesOutput>({
    authorize: (call) => [on(call)],
    readOnly: true,
    run: (call, input) => ({
      Attributes: attributeList(listenerAttributes, requireListener(call, input.ListenerArn).attributes),
    }),
  }),
  ModifyListenerAttributes: operation<SDK.ModifyListenerAttributesInput, SDK.ModifyListenerAttributesOutput>({
    authorize: onArn,
    run: (call, input) => {
      const row = requireListener(call, input.ListenerArn);
      const attributes = changedAttributes(listenerAttributes, row.attributes, input.Attributes);
      call.tx.put('listener', { ...row, attributes });
      return { Attributes: attributeList(listenerAttributes, attributes) };
    },
  }),
} satisfies Record<string, Operation>;
