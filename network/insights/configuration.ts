// What can be said of a question before any packet is tried: ends that begin nothing, ends that nothing joins, addresses that an end cannot have.

import { isInside } from '../walk/matching.ts';
import type { NetworkIndex } from '../walk/network-index.ts';
import { nonPublicBlocks } from '../walk/special-blocks.ts';
import { walk } from '../walk/walk.ts';
import { publicAddresses } from './candidates.ts';
import { sampleAddress } from './classes.ts';
import type { Explanation } from './explanation.ts';
import { type Question, vpcsOf } from './question.ts';
import { areJoined } from './routing.ts';

/** @returns why there can be no path; empty: look for one */
export function beforeSearching(network: NetworkIndex, question: Question): Explanation[] {
  const { source, through, without } = question;
  if (source.kind === 'vpc-endpoint') return endpointBegins(network, question);
  const both = through.filter((id) => without.includes(id));
  if (both.length > 0)
    return both.map((component) => ({ code: 'COMPONENT_FILTER_RESTRICTION_REMOVED_COMPONENT', component }));
  return areJoined(network, question) ? [] : [disconnected(network, question)];
}

function endpointBegins(network: NetworkIndex, { source, atSource }: Question): Explanation[] {
  if (source.kind !== 'vpc-endpoint') return [];
  const explanations: Explanation[] = [{ code: 'VPCE_INTRA_VPC_TRAFFIC', vpcEndpoint: source.id, vpc: source.vpcId }];
  const gateway = network.vpc(source.vpcId)?.gatewayEndpoints.find((each) => each.vpcEndpointId === source.id);
  const { sourceAddress } = atSource;
  if (gateway === undefined || sourceAddress === undefined) return explanations;
  const cidrs = network.prefixList(gateway.prefixListId);
  if (!cidrs.some((cidr) => isInside(cidr, sourceAddress)))
    explanations.push({
      code: 'VPCE_GATEWAY_EGRESS_SOURCE_ADDRESS_RESTRICTION',
      vpcEndpoint: source.id,
      prefixList: gateway.prefixListId,
      address: sourceAddress,
      cidrs,
      vpc: source.vpcId,
    });
  return explanations;
}

/** The header on the internet's side of a gateway has public addresses only. */
export function notPublic({ source, destination, atSource, atDestination }: Question): Explanation[] {
  const asked: [string, string | undefined][] = [];
  if (source.kind === 'internet-gateway')
    asked.push([source.id, atSource.sourceAddress], [source.id, atSource.destinationAddress]);
  if (destination.kind === 'internet-gateway')
    for (const address of [atDestination.sourceAddress, atDestination.destinationAddress, atSource.destinationAddress])
      asked.push([destination.id, address]);
  return asked.flatMap(([internetGateway, address]) =>
    address !== undefined && nonPublicBlocks.some((block) => isInside(block, address))
      ? [{ code: 'IGW_EXPECTS_PUBLIC_ADDRESS', internetGateway, address } as const]
      : [],
  );
}

/** By their public addresses two VPCs may still reach each other: over their gateways, where an analysis does not look. */
function disconnected(network: NetworkIndex, question: Question): Explanation {
  const { source, destination, protocol } = question;
  const [sourceVpc, destinationVpc] = [vpcsOf(source)[0], vpcsOf(destination)[0]];
  if (source.kind === 'interfaces' && destination.kind === 'interfaces')
    for (const networkInterfaceId of source.networkInterfaceIds)
      for (const each of publicAddresses(network, destination.networkInterfaceIds)) {
        const sender = network.networkInterface(networkInterfaceId)?.eni.privateAddresses[0]?.address ?? '';
        const packet = { protocol, source: sender, destination: sampleAddress(each), sourcePort: 40_000 };
        const destinationPort = question.atSource.destinationPorts?.from ?? 443;
        const trace = walk(network, {
          from: { kind: 'network-interface', networkInterfaceId },
          packet: { ...packet, destinationPort },
        });
        const gateway = trace.steps.find((step) => step.stage === 'igw-egress' && step.verdict === 'pass');
        if (trace.arrival?.kind === 'network-interface' && gateway !== undefined)
          return { code: 'IGW_NAT_REFLECTION', internetGateway: gateway.component, vpc: gateway.vpcId };
      }
  return { code: 'DISCONNECTED_VPCS', sourceVpc, destinationVpc };
}
