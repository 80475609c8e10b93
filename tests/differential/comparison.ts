// Do the walk and the kernel say the same of a flow? The verdict, the source address that is seen, and what decided: of a dropped packet the leg, the stage and the
// thing (entry, groups, gateway) whose rule dropped it; of every packet the ACL entries that it met and the groups' rules that let it pass.
// The kernel's word is nft's trace: rules carry stage and AWS id as their comments (design, invariant 2). Pure.

import type { StageName } from '@postern/network/stages.ts';
import { allowingRule } from '@postern/network/walk/matching.ts';
import type { NetworkIndex, PlacedInterface } from '@postern/network/walk/network-index.ts';
import type { Step, Trace } from '@postern/network/walk/trace.ts';
import { isAnswered, type TriedFlow } from './flows-of.ts';
import type { Passage, Seen } from './packets.ts';

/** What the kernel decided with. */
export type Decision =
  | { readonly kind: 'open' }
  /** A rule or a policy dropped it. */
  | { readonly kind: 'rule'; readonly leg: Step['leg']; readonly place: string; readonly rule: string }
  /** No route, or a blackhole; `table` is the rule that chose the route table. */
  | { readonly kind: 'route'; readonly leg: Step['leg']; readonly place: string; readonly table: string }
  /** It left the last namespace that was traced and came nowhere. */
  | { readonly kind: 'lost' };

export function decisionOf(seen: Seen): Decision {
  if (seen.answer === 'open') return { kind: 'open' };
  for (const { leg, place, rules } of seen.passages) {
    const drop = rules.find((each) => each.verdict === 'drop');
    if (drop !== undefined) return { kind: 'rule', leg, place, rule: drop.rule };
  }
  const stuck = seen.passages.findLast((each) => !hasLeft(each));
  if (stuck === undefined) return { kind: 'lost' };
  const table = stuck.rules.findLast((each) => each.rule.startsWith('route '))?.rule ?? '';
  return { kind: 'route', leg: stuck.leg, place: stuck.place, table };
}

/** Forwarded, or taken in by the core itself. */
function hasLeft({ rules }: Passage): boolean {
  return rules.some(({ rule }) => rule === '>' || rule === '@to-server');
}

/** The walk's verdict, with what listens at its end. */
export function isOpen(flow: TriedFlow, trace: Trace): boolean {
  return trace.verdict === 'open' && isAnswered(flow, trace);
}

/** @returns what differs, in words; empty when they agree */
export function differences(
  network: NetworkIndex,
  flow: TriedFlow,
  trace: Trace,
  seen: Seen,
  isWhole: boolean,
): readonly string[] {
  const open = isOpen(flow, trace);
  const decision = decisionOf(seen);
  if (open !== (decision.kind === 'open'))
    return [
      `the walk says ${open ? 'open' : `dropped at ${trace.blockers.map(nameOfStep).join('; ')}`}, the kernel ${words(decision)}`,
    ];
  const found: string[] = [];
  if (
    open &&
    trace.seenAs !== undefined &&
    seen.source !== undefined &&
    !isSameSource(network, seen.source, trace.seenAs)
  )
    found.push(`the walk says that ${trace.seenAs} is seen, the other end saw ${seen.source}`);
  // Traces that are not whole show nothing of what they lack.
  if (!isWhole) return found;
  if (!open) found.push(...decisionDifferences(network, trace, seen, decision));
  return [...found, ...aclDifferences(network, trace, seen), ...groupDifferences(network, trace, seen)];
}

/** A NAT gateway with several addresses takes any of them; the walk names the first. */
function isSameSource(network: NetworkIndex, a: string, b: string): boolean {
  if (a === b) return true;
  const cards = network.snapshot.vpcs.flatMap((vpc) => vpc.networkInterfaces);
  const isOf = (address: string) =>
    cards.find((card) =>
      card.privateAddresses.some((each) => each.address === address || each.publicAddress === address),
    );
  const owner = isOf(a);
  return owner?.service?.kind === 'nat-gateway' && owner === isOf(b);
}

function words(decision: Decision): string {
  switch (decision.kind) {
    case 'open':
      return 'open';
    case 'rule':
      return `dropped by “${decision.rule}” in ${decision.place} (${decision.leg})`;
    case 'route':
      return `dropped by a route in ${decision.place} (${decision.leg}${decision.table && `, ${decision.table}`})`;
    case 'lost':
      return 'dropped by nothing that was traced';
  }
}

export function nameOfStep({ leg, stage, component, cause }: Step): string {
  const detail =
    cause.kind === 'acl-entry' ? `/${cause.ruleNumber}` : cause.kind === 'component' ? ` (${cause.because})` : '';
  return `${stage} ${component}${detail} (${leg})`;
}

// ---- what dropped it

/** Chains of the kernel whose policy or last rule is a stage of its own. */
const chains: Readonly<Record<string, StageName>> = { '@to-itself': 'nat-gateway' };
/** In the core, and in rules that are for both gateways of a VPC, the kernel has one rule for what the walk tells apart. */
const gatewayStages: readonly StageName[] = ['igw-egress', 'igw-ingress', 'egress-only-gateway'];

function decisionDifferences(network: NetworkIndex, trace: Trace, seen: Seen, decision: Decision): string[] {
  if (trace.blockers.length === 0 && trace.verdict === 'open') return [];
  const told = trace.blockers.map(nameOfStep).join('; ');
  if (decision.kind === 'open') return [];
  const [first] = trace.blockers;
  const candidates = trace.blockers.filter((step) => step.leg === first?.leg);
  // A guest finds nobody of that address in its own subnet, and sends nothing.
  if (seen.passages.length === 0 && candidates.some((step) => step.stage === 'route' || isForNobody(step))) return [];
  if (decision.kind === 'lost')
    return candidates.some(isSilent) ? [] : [`the walk says ${told}, and no rule of the kernel dropped it`];
  const agrees = candidates.some((step) => isDecider(network, step, decision));
  return agrees ? [] : [`the walk says ${told}, and the packet was ${words(decision)}`];
}

/** A reply that comes to somebody else is dropped by the machine that gets it. */
function isSilent({ stage, cause }: Step): boolean {
  return stage === 'route' && cause.kind === 'component';
}

/** To an interface that takes nothing in, or to nobody: for the kernel no way at all. */
function isForNobody({ stage, code }: Step): boolean {
  return stage === 'source-dest-check' || code === 'NO_POSSIBLE_DESTINATION';
}

function isDecider(network: NetworkIndex, step: Step, decision: Decision & { readonly leg: Step['leg'] }): boolean {
  if (step.leg !== decision.leg) return false;
  if (decision.kind === 'route')
    return (
      step.stage === 'transit-gateway' ||
      (!decision.place.startsWith('tgw-') && step.stage === 'route') ||
      isForNobody(step)
    );
  if (decision.kind !== 'rule') return false;
  const { rule } = decision;
  const at = rule.indexOf(' ');
  const [stage, ids] = [chains[rule] ?? rule.slice(0, at), rule.slice(at + 1).split(' ')];
  // The router's own addresses answer nothing, wherever the routes lead.
  if (rule === '@to-router') return step.packet.destination.endsWith('.1');
  if (decision.place === 'core' && isForNobody(step)) return true;
  // A reset tells the sender what others are only denied: the reply of a flow that did not come this way.
  const isStray = rule.endsWith('route moved') || rule.endsWith('not the way back');
  if (isStray && step.stage === 'route' && step.cause.kind === 'component') return true;
  const isShared = gatewayStages.includes(stage as StageName) && gatewayStages.includes(step.stage);
  if (stage !== step.stage && !isShared) return false;
  const { cause, component, vpcId } = step;
  switch (cause.kind) {
    case 'acl-entry':
      return ids[0] === `${cause.networkAclId}/${cause.ruleNumber}`;
    case 'security-groups':
      return isSameSet(
        ids.filter((id) => id !== ''),
        cause.groupIds,
      );
    default: {
      const subnet = network.networkInterface(component as `eni-${string}`)?.subnet.subnetId;
      // A VPC without an internet gateway is told of in its stead.
      return (
        chains[rule] !== undefined ||
        (isShared && component === vpcId) ||
        decision.place === 'core' ||
        // A gateway's namespace has one rule for all of its tables.
        decision.place.startsWith('tgw-') ||
        [component, vpcId, subnet].some((id) => id !== undefined && ids.includes(id))
      );
    }
  }
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  const [left, right] = [new Set(a), new Set(b)];
  return left.size === right.size && [...left].every((each) => right.has(each));
}

// ---- what let it pass

/** Each ACL entry that the kernel met must be one the walk met, and the other way round up to where the kernel dropped the packet. */
function aclDifferences(network: NetworkIndex, trace: Trace, seen: Seen): string[] {
  const told = new Set<string>();
  for (const { leg, stage, cause } of trace.steps)
    if (cause.kind === 'acl-entry') told.add(`${leg} ${stage} ${cause.networkAclId}/${cause.ruleNumber}`);
  const met = new Set<string>();
  for (const { leg, rules } of seen.passages)
    for (const { rule } of rules) if (rule.startsWith('acl-')) met.add(`${leg} ${rule}`);
  const found = [...met].filter((each) => !told.has(each)).map((each) => `the packet met ${each}, the walk did not`);
  if (seen.answer !== 'open') return found;
  for (const { leg, stage, cause, packet } of trace.steps) {
    if (cause.kind !== 'acl-entry') continue;
    const name = `${leg} ${stage} ${cause.networkAclId}/${cause.ruleNumber}`;
    if (!met.has(name) && !letsAllPass(network, cause.networkAclId, stage, packet.destination.includes(':')))
      found.push(`the walk met ${name}, the packet did not`);
  }
  return found;
}

/** An ACL that begins with letting everything pass costs its packets nothing: the kernel has no chain for it (network-acls.ts). */
function letsAllPass(network: NetworkIndex, id: string, stage: StageName, isIpv6: boolean): boolean {
  const acl = network.snapshot.vpcs.flatMap((vpc) => vpc.networkAcls).find((each) => each.networkAclId === id);
  const entries = acl?.[stage === 'acl-ingress' ? 'ingress' : 'egress'] ?? [];
  const other = isIpv6 ? 1 : 58;
  const first = entries.find((each) => each.cidr.includes(':') === isIpv6 && each.protocol !== other);
  return first?.action === 'allow' && first.protocol === -1 && first.cidr.endsWith('/0');
}

/** Every rule of a group that let the first packet pass must be one that allows it, for an interface that the walk came by. Which of several is a matter of order. */
function groupDifferences(network: NetworkIndex, trace: Trace, seen: Seen): string[] {
  const found: string[] = [];
  for (const { leg, rules } of seen.passages) {
    if (leg === 'return') continue;
    for (const { rule, verdict } of rules) {
      const [stage, id = ''] = rule.split(' ');
      if ((stage !== 'sg-ingress' && stage !== 'sg-egress') || verdict === 'drop' || !id.includes('/')) continue;
      const steps = trace.steps.filter((step) => step.leg === leg && step.stage === stage);
      if (!steps.some((step) => allows(network, step, id)))
        found.push(`${rule} let the packet pass; for the walk it allows nothing here`);
    }
  }
  return found;
}

function allows(network: NetworkIndex, { component, stage, packet }: Step, id: string): boolean {
  const placed: PlacedInterface | undefined = network.networkInterface(component as `eni-${string}`);
  if (placed === undefined) return false;
  const [groupId, ruleId] = id.split('/');
  const direction = stage === 'sg-ingress' ? 'ingress' : 'egress';
  const groups = placed.groups
    .filter((group) => group.groupId === groupId)
    .map((group) => ({ ...group, [direction]: group[direction].filter((each) => each.ruleId === ruleId) }));
  const ways = [undefined, ...network.snapshot.peeringConnections.map((each) => each.vpcPeeringConnectionId)];
  return ways.some((by) => allowingRule(network, { vpc: placed.vpc, groups }, direction, packet, by) !== undefined);
}
