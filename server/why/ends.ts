// The ends of a flow as a person names them, an instance, an interface, a host name, an address, and which addresses they are from where.

import { addressPlan, ipv6Plan } from '@postern/network/addresses.ts';
import { ipToNumber } from '@postern/network/cidr.ts';
import { normalizeIpv6 } from '@postern/network/ipv6.ts';
import { joinedVpcs } from '@postern/network/joins.ts';
import { resolve } from '@postern/network/names.ts';
import type { NetworkInterface, Snapshot, Vpc } from '@postern/network/snapshot.ts';
import { isIpv6 } from '@postern/network/walk/packet.ts';
import { OperatorFailure } from '../operator/operator.ts';

export interface Place {
  readonly vpc: Vpc;
  readonly card: NetworkInterface;
}

/** @throws OperatorFailure when there is no such one, or it does not run */
export function placeOf(snapshot: Snapshot, id: string): Place {
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
    isInstance
      ? `No instance ${id} runs, so nothing comes from it or to it.`
      : `There is no instance or interface ${id}.`,
    isInstance ? `aws ec2 describe-instances --instance-ids ${id}` : 'aws ec2 describe-network-interfaces',
  );
}

export function sourceOf(from: Place | undefined, destination: string): string {
  if (from === undefined) return isIpv6(destination) ? ipv6Plan.laptop : addressPlan.laptop;
  const own = isIpv6(destination) ? from.card.ipv6Addresses[0] : from.card.privateAddresses[0]?.address;
  if (own !== undefined) return own;
  throw new OperatorFailure(409, `${from.card.networkInterfaceId} has no IPv6 address to reach ${destination} from.`);
}

export function destinationOf(
  snapshot: Snapshot,
  to: string,
  from: Place | undefined,
): { address: string; name?: string } {
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

/** Private where the two can see private addresses: in one VPC, or in VPCs that are joined. */
function addressOf({ vpc, card }: Place, snapshot: Snapshot, from: Place | undefined): string {
  const own = card.privateAddresses[0];
  const isNear =
    from !== undefined && (from.vpc.vpcId === vpc.vpcId || joinedVpcs(snapshot, vpc.vpcId).includes(from.vpc.vpcId));
  const address = isNear ? own?.address : own?.publicAddress;
  if (address !== undefined) return address;
  throw new OperatorFailure(
    409,
    `${card.networkInterfaceId} has no public address, and ${from === undefined ? 'the internet' : from.vpc.vpcId} cannot see private ones of ${vpc.vpcId}.`,
  );
}
