// Subnet CIDR reservations: ranges of a subnet that AWS does not hand out by itself. https://docs.aws.amazon.com/vpc/latest/userguide/subnet-cidr-reservation.html
// (read 2026-11-21). Addresses in a reservation of either type go only to whoever names them; what is in use already stays where it is.
// Gaps: prefixes of network interfaces, which `prefix` reservations are for, are refused where they are asked for; IPv6 ranges.

import type {
  CreateSubnetCidrReservationRequest,
  CreateSubnetCidrReservationResult,
  DeleteSubnetCidrReservationRequest,
  DeleteSubnetCidrReservationResult,
  GetSubnetCidrReservationsRequest,
  GetSubnetCidrReservationsResult,
  SubnetCidrReservation,
} from '@aws-sdk/client-ec2';
import { contains, normalizeCidr, overlaps } from '@postern/network/cidr.ts';
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
  const cidr = normalizeCidr(input.Cidr);
  if (!cidr) throw notACidr(input.Cidr, 'cidr');
  if (!contains(subnet.cidrBlock, cidr))
    throw invalidParameterValue(`Reservation CIDR should be within subnet CIDR block (${subnet.cidrBlock})`);
  if (reservationsOf(call, subnet.id).some((other) => overlaps(other.cidr, cidr)))
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
      return { SubnetIpv4CidrReservations: page.map(toReservation), SubnetIpv6CidrReservations: [], ...next };
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
