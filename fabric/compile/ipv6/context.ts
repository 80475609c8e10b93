// What a VPC's IPv6 half is compiled from: the interfaces that have such addresses, and the links by which they reach the internet.
// Nothing is translated (I7), so there is one address for an interface everywhere, and it needs no place in the underlay.

import { egressOnlyDevice, igwDevice } from '../names.ts';
import type { CompiledPeering } from '../peering.ts';
import { middleboxesOf, type PluggedInterface, type VpcContext } from '../vpc-context.ts';
import { nat64GatewaysOf } from './nat64.ts';

export interface Ipv6Context {
  readonly context: VpcContext;
  /** Interfaces with an IPv6 address, and those that hand on packets of others. */
  readonly plugged: readonly PluggedInterface[];
  readonly boxes: readonly PluggedInterface[];
  /** NAT gateways that some route leads IPv6 to. */
  readonly natGateways: readonly PluggedInterface[];
  /** Devices towards the internet, that of the internet gateway first. */
  readonly outside: readonly string[];
  readonly hasEgressOnly: boolean;
  /** Those whose other side has IPv6 too. */
  readonly peerings: readonly CompiledPeering[];
}

/** Undefined: no packet of IPv6 can be in this VPC. */
export function ipv6Context(context: VpcContext): Ipv6Context | undefined {
  const { vpc } = context;
  const hasAddress = ({ eni }: PluggedInterface) => eni.ipv6Addresses.length > 0;
  if (vpc.ipv6CidrBlocks.length === 0 || !context.plugged.some(hasAddress)) return undefined;
  const boxes = middleboxesOf(context);
  const natGateways = nat64GatewaysOf(context);
  const hasEgressOnly = vpc.egressOnlyInternetGatewayIds.length > 0;
  return {
    context,
    plugged: context.plugged.filter((each) => hasAddress(each) || boxes.includes(each) || natGateways.includes(each)),
    boxes,
    natGateways,
    outside: [
      ...(vpc.internetGatewayId === undefined ? [] : [igwDevice]),
      ...(hasEgressOnly ? [egressOnlyDevice] : []),
    ],
    hasEgressOnly,
    peerings: context.peerings.filter(({ peerBlocks }) => peerBlocks.ip6.length > 0),
  };
}
