// `postern trace`: what becomes of a flow, and why. The question names things as a person does (an instance, a host name); here they become addresses, and the
// walk says the rest. No packet is sent.

import { addressPlan } from '@postern/network/addresses.ts';
import { ipToNumber } from '@postern/network/cidr.ts';
import { normalizeIpv6 } from '@postern/network/ipv6.ts';
import { resolve } from '@postern/network/names.ts';
import type { NetworkInterface, Snapshot, Vpc } from '@postern/network/snapshot.ts';
import { arrivalWords, explainStep } from '@postern/network/walk/explain.ts';
import { indexNetwork } from '@postern/network/walk/network-index.ts';
import { echoRequest, echoRequest6, isIpv6, protocols } from '@postern/network/walk/packet.ts';
import { walk } from '@postern/network/walk/walk.ts';
import type { TraceAnswer, TraceQuestion } from './operator/api.ts';
import { OperatorFailure } from './operator/operator.ts';

/** A port that a client would have: ACLs look at it on the way back. */
const ephemeralPort = 40_000;

interface Place {
  readonly vpc: Vpc;
  readonly card: NetworkInterface;
}

/** @throws OperatorFailure when an end does not exist or has no address */
export function traceFlow(snapshot: Snapshot, question: TraceQuestion): TraceAnswer {
  const from = question.from === 'internet' ? undefined : placeOf(snapshot, question.from);
  const destination = destinationOf(snapshot, question.to, from);
  const source = sourceOf(from, destination.address);
  const isIcmp = question.protocol === 'icmp';
  const packet = {
    protocol: isIcmp && isIpv6(destination.address) ? protocols.icmpv6 : protocols[question.protocol],
    source,
    destination: destination.address,
    ...(isIcmp
      ? { icmp: isIpv6(destination.address) ? echoRequest6 : echoRequest }
      : { sourcePort: ephemeralPort, destinationPort: question.port ?? 0 }),
  };
  const network = indexNetwork(snapshot);
  const origin = from
    ? ({ kind: 'network-interface', networkInterfaceId: from.card.networkInterfaceId } as const)
    : ({ kind: 'internet' } as const);
  const trace = walk(network, { from: origin, packet });
  return {
    source,
    ...destination,
    verdict: trace.verdict,
    ...(trace.arrival && { arrival: arrivalWords(trace.arrival) }),
    ...(trace.seenAs !== undefined && { seenAs: trace.seenAs }),
    steps: trace.steps.map((step) => ({
      leg: step.leg,
      stage: step.stage,
      component: step.component,
      verdict: step.verdict,
      because: explainStep(network, step),
      ...(step.code && { code: step.code }),
    })),
  };
}

function placeOf(snapshot: Snapshot, id: string): Place {
  for (const vpc of snapshot.vpcs) {
    const card = vpc.networkInterfaces.find(
      (each) =>
        each.networkInterfaceId === id || (each.attachment?.instanceId === id && each.attachment.deviceIndex === 0),
    );
    if (card !== undefined) return { vpc, card };
  }
  const isInstance = id.startsWith('i-');
  throw new OperatorFailure(
    404,
    isInstance ? `${id} does not run, so nothing comes from it or to it.` : `There is no instance or interface ${id}.`,
    isInstance ? 'aws ec2 describe-instances' : 'aws ec2 describe-network-interfaces',
  );
}

function sourceOf(from: Place | undefined, destination: string): string {
  if (from === undefined) return addressPlan.laptop;
  const own = isIpv6(destination) ? from.card.ipv6Addresses[0] : from.card.privateAddresses[0]?.address;
  if (own !== undefined) return own;
  throw new OperatorFailure(409, `${from.card.networkInterfaceId} has no IPv6 address to reach ${destination} from.`);
}

function destinationOf(snapshot: Snapshot, to: string, from: Place | undefined): { address: string; name?: string } {
  if (/^(i|eni)-/.test(to)) return { address: addressOf(placeOf(snapshot, to), snapshot, from), name: to };
  if (/^[\d.]+$/.test(to) || isIpv6(to)) {
    const address = isIpv6(to) ? normalizeIpv6(to) : ipToNumber(to) === undefined ? undefined : to;
    if (address === undefined) throw new OperatorFailure(400, `${to} is no address.`);
    return { address };
  }
  const answers = resolve(snapshot, from?.vpc.vpcId ?? 'internet', to, 'A');
  if (answers === undefined)
    throw new OperatorFailure(
      409,
      `${from?.vpc.vpcId} has enableDnsSupport=false, so ${to} is not resolved there.`,
      `aws ec2 modify-vpc-attribute --vpc-id ${from?.vpc.vpcId} --enable-dns-support`,
    );
  const address = answers.answers[0]?.data;
  if (address === undefined) throw new OperatorFailure(404, `The name ${to} has no address there (${answers.rcode}).`);
  return { address, name: to };
}

/** Private where the two can see private addresses: in one VPC, or in VPCs that are peered. */
function addressOf({ vpc, card }: Place, { peeringConnections }: Snapshot, from: Place | undefined): string {
  const own = card.privateAddresses[0];
  const isNear =
    from !== undefined &&
    (from.vpc.vpcId === vpc.vpcId ||
      peeringConnections.some(({ requester, accepter }) => {
        const both = [requester.vpcId, accepter.vpcId];
        return both.includes(vpc.vpcId) && both.includes(from.vpc.vpcId);
      }));
  const address = isNear ? own?.address : own?.publicAddress;
  if (address !== undefined) return address;
  throw new OperatorFailure(
    409,
    `${card.networkInterfaceId} has no public address, and ${from === undefined ? 'the internet' : from.vpc.vpcId} cannot see private ones of ${vpc.vpcId}.`,
  );
}
