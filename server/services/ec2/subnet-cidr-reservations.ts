// Subnet CIDR reservations: ranges of a subnet that AWS does not hand out by itself. https://docs.aws.amazon.com/vpc/latest/userguide/subnet-cidr-reservation.html
// (read 2026-11-21). Addresses in a reservation of either type go only to whoever names them; what is in use already stays where it is.
// Gap: prefixes of network interfaces, which `prefix` reservations are for, are refused where they are asked for.

import type {
  CreateSubnetCidrReservationRequest,
  CreateSubnetCidrReservationResult,
  DeleteSubnetCidrReservationRequest,
  DeleteSubnetCidrReservationResult,
  GetSubnetCidrReservationsRequest,
  GetSubnetCidrReservationsResult,
  SubnetCidrReservation,
} from '@aws-sdk/client-ec2';
import { cidrRange, normalizeCidr } from '@postern/network/cidr.ts';
import { ipv6CidrRange, normalizeIpv6Cidr } from '@postern/network/ipv6.ts';
import type { Cidr } from '@postern/network/snapshot.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { SubnetCidrReservationRow } from '../../store/rows/ec2.ts';
import { invalidParameterValue, missingParameter, notACidr } from './errors.ts';
import { applyFilters } from './filters.ts';
import { paginate } from './pagination.ts';
import { requireRow, scopeOf } from './rows.ts';
import { tagsFromSpecifications, toTags } from './tags.ts';

/** The reservations of a subnet, in the order they were made. */
export function reservationsOf(call: Call, subnetId: string): SubnetCidrReservationRow[] {
  return call.tx.list('subnet-cidr-reservation', scopeOf(call)).filter((row) => row.subnetId === subnetId);
}

const isIpv6Cidr = (cidr: Cidr): boolean => cidr.includes(':');

/** The same words for both families. */
function addressRange(cidr: Cidr): { readonly first: bigint; readonly last: bigint } {
  if (isIpv6Cidr(cidr)) return ipv6CidrRange(cidr);
  const { first, last } = cidrRange(cidr);
  return { first: BigInt(first), last: BigInt(last) };
}

function toReservation(row: SubnetCidrReservationRow): SubnetCidrReservation {
  return {
    SubnetCidrReservationId: row.id,
    SubnetId: row.subnetId,
    Cidr: row.cidr,
    ReservationType: row.reservationType,
    OwnerId: row.accountId,
    ...(row.description !== undefined && { Description: row.description }),
    Tags: toTags(row.tags),
  };
}

function create(call: Call, input: CreateSubnetCidrReservationRequest): SubnetCidrReservationRow {
  const subnet = requireRow(call, 'subnet', input.SubnetId, 'subnetId');
  if (!input.Cidr) throw missingParameter('cidr');
  const type = input.ReservationType;
  if (!type) throw missingParameter('reservationType');
  if (type !== 'prefix' && type !== 'explicit')
    throw invalidParameterValue(`Value (${String(type)}) for parameter reservationType is invalid.`);
  const isIpv6 = input.Cidr.includes(':');
  const cidr = isIpv6 ? normalizeIpv6Cidr(input.Cidr) : normalizeCidr(input.Cidr);
  if (!cidr) throw notACidr(input.Cidr, 'cidr');
  const block = isIpv6 ? subnet.ipv6CidrBlock?.cidr : subnet.cidrBlock;
  const range = addressRange(cidr);
  const whole = block && addressRange(block);
  if (!whole || range.first < whole.first || range.last > whole.last)
    throw invalidParameterValue(
      `Reservation CIDR should be within subnet CIDR block (${block ?? 'the subnet has no IPv6 block'})`,
    );
  const taken = reservationsOf(call, subnet.id)
    .filter((other) => isIpv6Cidr(other.cidr) === isIpv6)
    .map((other) => addressRange(other.cidr));
  if (taken.some((other) => other.first <= range.last && range.first <= other.last))
    throw invalidParameterValue(`Reservation CIDR ${cidr} has overlap with existing reserved CIDR block`);
  const row: SubnetCidrReservationRow = {
    ...scopeOf(call),
    id: call.tx.newId('scr'),
    subnetId: subnet.id,
    vpcId: subnet.vpcId,
    cidr,
    reservationType: type,
    ...(input.Description !== undefined && { description: input.Description }),
    tags: tagsFromSpecifications(input.TagSpecifications, 'subnet-cidr-reservation'),
  };
  call.tx.put('subnet-cidr-reservation', row);
  return row;
}

export const subnetCidrReservations = {
  CreateSubnetCidrReservation: operation<CreateSubnetCidrReservationRequest, CreateSubnetCidrReservationResult>({
    authorize: 'auto',
    run: (call, input) => ({ SubnetCidrReservation: toReservation(create(call, input)) }),
  }),

  GetSubnetCidrReservations: operation<GetSubnetCidrReservationsRequest, GetSubnetCidrReservationsResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const subnet = requireRow(call, 'subnet', input.SubnetId, 'subnetId');
      const rows = applyFilters(reservationsOf(call, subnet.id), input.Filters, {
        reservationType: (row) => row.reservationType,
        'subnet-id': (row) => row.subnetId,
      });
      const { page, ...next } = paginate(rows, input, { min: 5, max: 1000 }, (row) => row.id);
      return {
        SubnetIpv4CidrReservations: page.filter((row) => !isIpv6Cidr(row.cidr)).map(toReservation),
        SubnetIpv6CidrReservations: page.filter((row) => isIpv6Cidr(row.cidr)).map(toReservation),
        ...next,
      };
    },
  }),

  DeleteSubnetCidrReservation: operation<DeleteSubnetCidrReservationRequest, DeleteSubnetCidrReservationResult>({
    authorize: 'auto',
    run: (call, input) => {
      const id = input.SubnetCidrReservationId;
      const row = requireRow(call, 'subnet-cidr-reservation', id, 'subnetCidrReservationId');
      call.tx.delete('subnet-cidr-reservation', row.id);
      return { DeletedSubnetCidrReservation: toReservation(row) };
    },
  }),
} satisfies Record<string, Operation>;
