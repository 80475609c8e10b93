// NAT gateways: create, describe, delete, and their further addresses. Rules G1–G6, G11, G12. https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html
// (read 2026-11-21). Order of CreateNatGateway's checks: what is not carried, the kind, the subnet, parameters of the other kind, quota; what is wrong with
// gateway and addresses then makes a gateway that is `failed`, as AWS does, for its creation goes on after the answer (G3).
// Gap: MaxDrainDurationSeconds is accepted, and flows on a removed address end at once.

import type {
  AssignPrivateNatGatewayAddressRequest,
  AssignPrivateNatGatewayAddressResult,
  AssociateNatGatewayAddressRequest,
  AssociateNatGatewayAddressResult,
  CreateNatGatewayRequest,
  CreateNatGatewayResult,
  DeleteNatGatewayRequest,
  DeleteNatGatewayResult,
  DescribeNatGatewaysRequest,
  DescribeNatGatewaysResult,
  DisassociateNatGatewayAddressRequest,
  DisassociateNatGatewayAddressResult,
  NatGateway,
  NatGatewayState,
  UnassignPrivateNatGatewayAddressRequest,
  UnassignPrivateNatGatewayAddressResult,
} from '@aws-sdk/client-ec2';
import type { NatGatewayId } from '@postern/network/snapshot.ts';
import { AwsError } from '../../errors.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { AddressRow, NatGatewayRow, SubnetRow } from '../../store/rows/ec2.ts';
import { ec2Error, invalidCombination, invalidParameter, invalidParameterValue, invalidValue, isWellFormedId, malformedId, missingParameter, notFound, refuseUnsupported, unsupportedOperation } from './errors.ts'; // biome-ignore format: many words
import { applyFilters, type FilterTable } from './filters.ts';
import { oncePerToken } from './idempotency.ts';
import {
  assignAddresses,
  associateAddresses,
  disassociateAddresses,
  freeElasticIps,
  giveElasticIp,
  mostAddresses,
  toNatGatewayAddress,
  unassignAddresses,
} from './nat-gateway-addresses.ts';
import { choosePrivateAddresses, makeNetworkInterface, type PrivateAddresses } from './new-network-interface.ts';
import { paginate } from './pagination.ts';
import { enforceQuota } from './quotas.ts';
import { findRow, requireRow, scopeOf, selectRows } from './rows.ts';
import { tagsFromSpecifications, toTags } from './tags.ts';

type Kind = NatGatewayRow['connectivityType'];

/** As the interface's owner sees who asked for it. */
const requesterId = 'amazon-nat-gateway';
/** G1: a failed or deleted one can be described for an hour. */
const visibleMs = 3_600_000;

function toNatGateway(row: NatGatewayRow, state: NatGatewayState = row.state): NatGateway {
  return {
    NatGatewayId: row.id,
    VpcId: row.vpcId,
    SubnetId: row.subnetId,
    State: state,
    ConnectivityType: row.connectivityType,
    AvailabilityMode: 'zonal',
    CreateTime: new Date(row.createTime),
    ...(row.deleteTime && { DeleteTime: new Date(row.deleteTime) }),
    ...(row.failure && state === 'failed' && { FailureCode: row.failure.code, FailureMessage: row.failure.message }),
    NatGatewayAddresses: row.addresses.map((one) => toNatGatewayAddress(row, one)),
    Tags: toTags(row.tags),
  };
}

const filters: FilterTable<NatGatewayRow> = {
  'nat-gateway-id': (row) => row.id,
  state: (row) => row.state,
  'subnet-id': (row) => row.subnetId,
  'vpc-id': (row) => row.vpcId,
};

function isVisible(call: Call, row: NatGatewayRow): boolean {
  if (row.state === 'available') return true;
  return call.now.getTime() - Date.parse(row.deleteTime ?? row.createTime) < visibleMs;
}

/** One that is not deleted. @throws NatGatewayNotFound */
function requireNatGateway(call: Call, id: string | undefined): NatGatewayRow {
  const row = requireRow(call, 'nat-gateway', id, 'natGatewayId');
  if (row.state === 'deleted' || !isVisible(call, row)) throw notFound('nat-gateway', [row.id]);
  return row;
}

function requireAvailable(call: Call, id: string | undefined, kind: Kind): NatGatewayRow {
  const row = requireNatGateway(call, id);
  // The wording is Postern's: none was seen.
  if (row.state !== 'available') throw ec2Error('IncorrectState', `NAT gateway ${row.id} is ${row.state}.`);
  if (row.connectivityType !== kind)
    throw invalidParameter(`This operation is for ${kind} NAT gateways; ${row.id} is ${row.connectivityType}.`);
  return row;
}

/** Parameters that only the other kind has; @returns how many secondary addresses are asked for */
function checkKind(input: CreateNatGatewayRequest, kind: Kind): number {
  const secondaries = input.SecondaryPrivateIpAddresses?.length ?? 0;
  const count = input.SecondaryPrivateIpAddressCount ?? 0;
  const allocations = input.SecondaryAllocationIds ?? [];
  if (kind === 'private') {
    if (input.AllocationId || allocations.length > 0)
      throw invalidParameter('You cannot specify an Elastic IP address with a private NAT gateway.');
    if (secondaries > 0 && count > 0)
      throw invalidCombination(
        'Only one of secondaryPrivateIpAddresses and secondaryPrivateIpAddressCount can be specified',
      );
    if (count < 0) throw invalidValue(count, 'secondaryPrivateIpAddressCount', 'It must not be negative.');
    return secondaries + count;
  }
  if (!input.AllocationId)
    throw ec2Error(
      'MissingParameter',
      'The request must include the AllocationId parameter. Add the required parameter and retry the request.',
    );
  if (count > 0)
    throw invalidParameter('SecondaryPrivateIpAddressCount can be specified for private NAT gateways only.');
  if (secondaries > 0 && secondaries !== allocations.length)
    throw invalidParameterValue(
      'The number of secondary private IP addresses must equal the number of secondary allocation IDs.',
    );
  if (new Set([input.AllocationId, ...allocations]).size <= allocations.length)
    throw invalidParameterValue('Duplicate allocation IDs specified.');
  for (const id of [input.AllocationId, ...allocations])
    if (!isWellFormedId('address', id)) throw malformedId('address', id);
  return allocations.length;
}

type Outcome<T> = { readonly ok: T } | { readonly failure: { code: string; message: string } };

const failed = (code: string, message: string) => ({ failure: { code, message } });

/** G3: the gateway's Elastic IPs in the order of its addresses. */
function elasticIps(call: Call, subnet: SubnetRow, ids: readonly string[]): Outcome<AddressRow[]> {
  if (!call.tx.list('internet-gateway', scopeOf(call)).some((row) => row.vpcId === subnet.vpcId))
    return failed('Gateway.NotAttached', `Network ${subnet.vpcId} has no Internet gateway attached`);
  const rows: AddressRow[] = [];
  for (const id of ids) {
    const row = findRow(call, 'address', id);
    if (!row)
      return failed(
        'InvalidAllocationID.NotFound',
        `Elastic IP address ${id} could not be associated with this NAT gateway`,
      );
    if (row.associationId)
      return failed('Resource.AlreadyAssociated', `Elastic IP address ${id} is already associated`);
    rows.push(row);
  }
  return { ok: rows };
}

function privateAddresses(
  call: Call,
  subnet: SubnetRow,
  input: CreateNatGatewayRequest,
  secondaries: number,
): Outcome<PrivateAddresses> {
  const listed = input.SecondaryPrivateIpAddresses ?? [];
  try {
    return {
      ok: choosePrivateAddresses(call, subnet, {
        PrivateIpAddress: input.PrivateIpAddress,
        PrivateIpAddresses: listed.map((PrivateIpAddress) => ({ PrivateIpAddress })),
        ...(listed.length === 0 && { SecondaryPrivateIpAddressCount: secondaries }),
      }),
    };
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== 'InsufficientFreeAddressesInSubnet') throw error;
    return failed(error.code, 'Subnet has insufficient free addresses to create this NAT gateway');
  }
}

function make(call: Call, input: CreateNatGatewayRequest): NatGatewayId {
  const kind = input.ConnectivityType ?? 'public';
  if (kind !== 'public' && kind !== 'private') throw invalidValue(kind, 'connectivityType', 'Use public or private.');
  const subnet = requireRow(call, 'subnet', input.SubnetId, 'subnetId');
  const secondaries = checkKind(input, kind);
  if (secondaries + 1 > mostAddresses)
    throw invalidParameterValue(`A NAT gateway can have at most ${mostAddresses} IPv4 addresses.`);
  enforceQuota(call, 'natGatewaysPerZone', () => countInZone(call, subnet.availabilityZone));
  if (kind === 'public') enforceQuota(call, 'addressesPerNatGateway', () => secondaries);
  const allocationIds = kind === 'public' ? [input.AllocationId ?? '', ...(input.SecondaryAllocationIds ?? [])] : [];
  const id: NatGatewayId = call.tx.newId('nat');
  const row: NatGatewayRow = {
    ...scopeOf(call),
    id,
    vpcId: subnet.vpcId,
    subnetId: subnet.id,
    connectivityType: kind,
    state: 'failed',
    addresses: allocationIds.map((allocationId, index) => ({ primary: index === 0, elastic: { allocationId } })),
    createTime: call.now.toISOString(),
    tags: tagsFromSpecifications(input.TagSpecifications, 'natgateway'),
  };
  const chosen = privateAddresses(call, subnet, input, secondaries);
  const elastics = kind === 'public' ? elasticIps(call, subnet, allocationIds) : { ok: [] };
  if ('failure' in elastics) call.tx.put('nat-gateway', { ...row, ...elastics });
  else if ('failure' in chosen) call.tx.put('nat-gateway', { ...row, ...chosen });
  else call.tx.put('nat-gateway', furnish(call, row, subnet, chosen.ok, elastics.ok));
  return id;
}

function furnish(
  call: Call,
  row: NatGatewayRow,
  subnet: SubnetRow,
  chosen: PrivateAddresses,
  elastics: readonly AddressRow[],
): NatGatewayRow {
  const made = makeNetworkInterface(call, {
    subnet,
    privateAddresses: chosen,
    groupIds: [],
    description: `Interface for NAT Gateway ${row.id}`,
    interfaceType: 'nat_gateway',
    tags: {},
    managed: { service: { kind: 'nat-gateway', natGatewayId: row.id }, requesterId },
  });
  call.tx.put('network-interface', { ...made, sourceDestCheck: false });
  const addresses = chosen.map(({ address, primary }, index) => {
    const elastic = elastics[index];
    return { privateIp: address, primary, ...(elastic && { elastic: giveElasticIp(call, elastic, made, address) }) };
  });
  return { ...row, state: 'available', networkInterfaceId: made.id, addresses };
}

function countInZone(call: Call, zone: string): number {
  const isThere = (row: NatGatewayRow) =>
    row.state === 'available' && call.tx.get('subnet', row.subnetId)?.availabilityZone === zone;
  return call.tx.list('nat-gateway', scopeOf(call)).filter(isThere).length;
}

/** Its addresses are free, its interface is gone, routes to it stay and are blackholes (R8). */
function remove(call: Call, row: NatGatewayRow): void {
  freeElasticIps(call, row.addresses);
  if (row.networkInterfaceId) call.tx.delete('network-interface', row.networkInterfaceId);
  call.tx.put('nat-gateway', { ...row, state: 'deleted', deleteTime: call.now.toISOString() });
}

/** Rows that nobody can see any more, of every account. */
function forgetOld(call: Call): void {
  for (const row of call.tx.list('nat-gateway')) if (!isVisible(call, row)) call.tx.delete('nat-gateway', row.id);
}

function select(call: Call, ids: readonly string[] | undefined): NatGatewayRow[] {
  const rows = selectRows(call, 'nat-gateway', ids);
  const visible = rows.filter((row) => isVisible(call, row));
  const gone = rows.filter((row) => !visible.includes(row));
  if (ids && ids.length > 0 && gone.length > 0)
    throw notFound(
      'nat-gateway',
      gone.map((row) => row.id),
    );
  return visible;
}

function checkDrain(seconds: number | undefined): void {
  if (seconds !== undefined && (seconds < 1 || seconds > 4000))
    throw invalidValue(seconds, 'maxDrainDurationSeconds', 'It must be between 1 and 4000.');
}

export const natGateways = {
  CreateNatGateway: operation<CreateNatGatewayRequest, CreateNatGatewayResult>({
    authorize: 'auto',
    run: (call, input) => {
      if (input.AvailabilityMode && input.AvailabilityMode !== 'zonal')
        throw unsupportedOperation(`The AvailabilityMode ${input.AvailabilityMode} of CreateNatGateway`);
      refuseUnsupported('CreateNatGateway', input, ['VpcId', 'AvailabilityZoneAddresses']);
      const known = (ids: readonly string[]) => ids.every((id) => findRow(call, 'nat-gateway', id));
      const [id] = oncePerToken(call, input.ClientToken, input, known, () => {
        forgetOld(call);
        return [make(call, input)];
      });
      const row = requireRow(call, 'nat-gateway', id);
      return {
        NatGateway: toNatGateway(row, row.state === 'deleted' ? 'deleted' : 'pending'),
        ...(input.ClientToken && { ClientToken: input.ClientToken }),
      };
    },
  }),

  DescribeNatGateways: operation<DescribeNatGatewaysRequest, DescribeNatGatewaysResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const rows = applyFilters(select(call, input.NatGatewayIds), input.Filter, filters);
      const bounds = { min: 5, max: 1000, ids: { values: input.NatGatewayIds, parameter: 'natGatewayId' } };
      const { page, ...next } = paginate(rows, input, bounds, (row) => row.id);
      return { NatGateways: page.map((row) => toNatGateway(row)), ...next };
    },
  }),

  DeleteNatGateway: operation<DeleteNatGatewayRequest, DeleteNatGatewayResult>({
    authorize: 'auto',
    run: (call, input) => {
      const row = requireNatGateway(call, input.NatGatewayId);
      remove(call, row);
      return { NatGatewayId: row.id };
    },
  }),

  AssociateNatGatewayAddress: operation<AssociateNatGatewayAddressRequest, AssociateNatGatewayAddressResult>({
    authorize: 'auto',
    run: (call, input) => {
      refuseUnsupported('AssociateNatGatewayAddress', input, ['AvailabilityZone', 'AvailabilityZoneId']);
      const row = requireAvailable(call, input.NatGatewayId, 'public');
      if (!input.AllocationIds?.length) throw missingParameter('allocationIds');
      const added = associateAddresses(call, row, input.AllocationIds, input.PrivateIpAddresses ?? []);
      return {
        NatGatewayId: row.id,
        NatGatewayAddresses: added.map((one) => toNatGatewayAddress(row, one, 'associating')),
      };
    },
  }),

  DisassociateNatGatewayAddress: operation<DisassociateNatGatewayAddressRequest, DisassociateNatGatewayAddressResult>({
    authorize: 'auto',
    run: (call, input) => {
      checkDrain(input.MaxDrainDurationSeconds);
      const row = requireAvailable(call, input.NatGatewayId, 'public');
      if (!input.AssociationIds?.length) throw missingParameter('associationIds');
      const gone = disassociateAddresses(call, row, input.AssociationIds);
      return {
        NatGatewayId: row.id,
        NatGatewayAddresses: gone.map((one) => toNatGatewayAddress(row, one, 'disassociating')),
      };
    },
  }),

  AssignPrivateNatGatewayAddress: operation<
    AssignPrivateNatGatewayAddressRequest,
    AssignPrivateNatGatewayAddressResult
  >({
    authorize: 'auto',
    run: (call, input) => {
      const row = requireAvailable(call, input.NatGatewayId, 'private');
      const { PrivateIpAddresses: wanted = [], PrivateIpAddressCount: count = 0 } = input;
      if (wanted.length > 0 && count > 0)
        throw invalidCombination('Only one of privateIpAddresses and privateIpAddressCount can be specified');
      if (wanted.length === 0 && count < 1) throw missingParameter('privateIpAddressCount or privateIpAddresses');
      const added = assignAddresses(call, row, wanted, count);
      return {
        NatGatewayId: row.id,
        NatGatewayAddresses: added.map((one) => toNatGatewayAddress(row, one, 'assigning')),
      };
    },
  }),

  UnassignPrivateNatGatewayAddress: operation<
    UnassignPrivateNatGatewayAddressRequest,
    UnassignPrivateNatGatewayAddressResult
  >({
    authorize: 'auto',
    run: (call, input) => {
      checkDrain(input.MaxDrainDurationSeconds);
      const row = requireAvailable(call, input.NatGatewayId, 'private');
      if (!input.PrivateIpAddresses?.length) throw missingParameter('privateIpAddresses');
      const gone = unassignAddresses(call, row, input.PrivateIpAddresses);
      return {
        NatGatewayId: row.id,
        NatGatewayAddresses: gone.map((one) => toNatGatewayAddress(row, one, 'unassigning')),
      };
    },
  }),
} satisfies Record<string, Operation>;
