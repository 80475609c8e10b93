// Attributes: strings by name. Every one that AWS lists for Network Load Balancers has a row: its default, and which values are taken. What would change where a
// packet goes and cannot be done is refused by name.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-load-balancer-attributes.html, edit-target-group-attributes.html (read 2026-11-22)

import { unsupported, validationError } from './errors.ts';

interface Attribute {
  readonly byDefault: string;
  /** Values that AWS takes. */
  readonly takes: RegExp;
  /** Those of them that are served; absent: all. */
  readonly serves?: RegExp;
}

export type AttributeTable = Readonly<Record<string, Attribute>>;

const boolean = /^(true|false)$/;
const off = { byDefault: 'false', takes: boolean, serves: /^false$/ };

export const loadBalancerAttributes: AttributeTable = {
  'access_logs.s3.enabled': off,
  'access_logs.s3.bucket': { byDefault: '', takes: /^.*$/ },
  'access_logs.s3.prefix': { byDefault: '', takes: /^.*$/ },
  'deletion_protection.enabled': { byDefault: 'false', takes: boolean },
  'dns_record.client_routing_policy': {
    byDefault: 'any_availability_zone',
    takes: /^(any_availability_zone|availability_zone_affinity|partial_availability_zone_affinity)$/,
    serves: /^any_availability_zone$/,
  },
  'ipv6.deny_all_igw_traffic': { byDefault: 'false', takes: boolean },
  'load_balancing.cross_zone.enabled': { byDefault: 'false', takes: boolean },
  'secondary_ips.auto_assigned.per_subnet': { byDefault: '0', takes: /^[0-7]$/, serves: /^0$/ },
  'zonal_shift.config.enabled': off,
};

const minimum = { byDefault: '1', takes: /^\d+$/, serves: /^1$/ };
const percentage = { byDefault: 'off', takes: /^(off|\d+)$/, serves: /^off$/ };

/** What `preserve_client_ip.enabled` is by default depends on the type: see there. */
export const preservesClientIp = 'preserve_client_ip.enabled';

export const targetGroupAttributes: AttributeTable = {
  'deregistration_delay.connection_termination.enabled': off,
  'deregistration_delay.timeout_seconds': { byDefault: '300', takes: /^\d{1,4}$/ },
  'load_balancing.cross_zone.enabled': {
    byDefault: 'use_load_balancer_configuration',
    takes: /^(true|false|use_load_balancer_configuration)$/,
  },
  [preservesClientIp]: { byDefault: 'false', takes: boolean },
  'proxy_protocol_v2.enabled': off,
  'stickiness.enabled': off,
  'stickiness.type': { byDefault: 'source_ip', takes: /^source_ip$/ },
  'target_group_health.dns_failover.minimum_healthy_targets.count': minimum,
  'target_group_health.dns_failover.minimum_healthy_targets.percentage': percentage,
  'target_group_health.unhealthy_state_routing.minimum_healthy_targets.count': minimum,
  'target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage': percentage,
  'target_health_state.unhealthy.connection_termination.enabled': { byDefault: 'true', takes: boolean },
  'target_health_state.unhealthy.draining_interval_seconds': { byDefault: '0', takes: /^\d{1,6}$/ },
};

export const listenerAttributes: AttributeTable = {
  'tcp.idle_timeout.seconds': { byDefault: '350', takes: /^([6-9]\d|[1-9]\d{2}|[1-5]\d{3}|6000)$/ },
};

export function attributeList(
  table: AttributeTable,
  own: Readonly<Record<string, string>>,
): { Key: string; Value: string }[] {
  return Object.entries(table).map(([Key, { byDefault }]) => ({ Key, Value: own[Key] ?? byDefault }));
}

/** @throws ValidationError for what AWS does not know, OperationNotPermitted for what is not served */
export function changedAttributes(
  table: AttributeTable,
  own: Readonly<Record<string, string>>,
  given: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined,
): Record<string, string> {
  const changed: Record<string, string> = { ...own };
  for (const { Key = '', Value = '' } of given ?? []) {
    const attribute = Object.hasOwn(table, Key) ? table[Key] : undefined;
    if (attribute === undefined) throw validationError(`Attribute key '${Key}' is not recognized`);
    if (!attribute.takes.test(Value)) throw validationError(`Attribute value '${Value}' is not valid for '${Key}'`);
    if (attribute.serves?.test(Value) === false) throw unsupported(`the attribute ${Key} with the value ${Value}`);
    changed[Key] = Value;
  }
  return changed;
}
