// The default VPC of an account in a region: 172.31.0.0/16, a /20 subnet per zone that gives public addresses, an attached internet gateway and the
// route to it. https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html (read 2026-11-21).
// It is made on the first call in a region and, once deleted, only by CreateDefaultVpc.

import type {
  CreateDefaultSubnetRequest,
  CreateDefaultSubnetResult,
  CreateDefaultVpcRequest,
  CreateDefaultVpcResult,
} from '@aws-sdk/client-ec2';
import { addressAt, overlaps } from '@postern/network/cidr.ts';
import type { Cidr, InternetGatewayId } from '@postern/network/snapshot.ts';
import { derivedId } from '../../derived-id.ts';
import { type Operation, operation } from '../../service.ts';
import type { SubnetRow, VpcRow } from '../../store/rows/ec2.ts';
import type { Transaction } from '../../store/store.ts';
import { ec2Error, invalidParameterValue, missingParameter, refuseUnsupported } from './errors.ts';
import { type Maker, makerOf, makeSubnet, makeVpc } from './new-vpc.ts';
import { scopeOf } from './rows.ts';
import { toSubnet } from './subnets.ts';
import { toVpc } from './vpcs.ts';
import { type Zone, zonesOf } from './zones.ts';

const vpcCidr: Cidr = '172.31.0.0/16';
const subnetSize = 4096;

/**
 * Makes the region's default VPC when the account was never seen there. Every id follows from account and region.
 * @returns true when something was made   @param tx a transaction that will be kept
 */
export function ensureRegion(tx: Transaction, accountId: string, region: string, _now: Date): boolean {
  const id = `${accountId}/${region}`;
  if (tx.get('ec2-region', id) || zonesOf(region).length === 0) return false;
  let count = 0;
  makeDefaultVpc({
    tx,
    accountId,
    region,
    newId: (prefix) => {
      count += 1;
      return derivedId(prefix, accountId, region, 'default-vpc', String(count));
    },
  });
  tx.put('ec2-region', { id, accountId, region, defaultVpcCreated: true });
  return true;
}

/** The region's default VPC, unless it was deleted. */
export function defaultVpcOf(tx: Transaction, accountId: string, region: string): VpcRow | undefined {
  return tx.list('vpc', { accountId, region }).find((row) => row.isDefault);
}

/** The default subnets in the order of their zones. */
export function defaultSubnetsOf(tx: Transaction, accountId: string, region: string): SubnetRow[] {
  return tx.list('subnet', { accountId, region }).filter((row) => row.defaultForAz);
}

function makeDefaultVpc(maker: Maker): VpcRow {
  const { tx, accountId, region, newId } = maker;
  const { vpc, routeTableId } = makeVpc(maker, {
    cidr: vpcCidr,
    isDefault: true,
    instanceTenancy: 'default',
    tags: {},
  });
  for (const [index, zone] of zonesOf(region).entries())
    makeSubnet(maker, { vpcId: vpc.id, cidr: subnetCidr(index), zone, defaultForAz: true, tags: {} });
  const internetGatewayId: InternetGatewayId = newId('igw');
  tx.put('internet-gateway', { id: internetGatewayId, accountId, region, vpcId: vpc.id, tags: {} });
  const main = tx.get('route-table', routeTableId);
  if (main)
    tx.put('route-table', {
      ...main,
      routes: [
        ...main.routes,
        {
          destination: { kind: 'cidr', cidr: '0.0.0.0/0' },
          target: { kind: 'internet-gateway', internetGatewayId },
          origin: 'CreateRoute',
        },
      ],
    });
  return vpc;
}

function subnetCidr(index: number): Cidr {
  return `${addressAt(vpcCidr, index * subnetSize)}/20`;
}

/** The first /20 of the default VPC that no subnet overlaps. */
function freeSubnetCidr(tx: Transaction, vpc: VpcRow): Cidr | undefined {
  const taken = tx
    .list('subnet', { accountId: vpc.accountId, region: vpc.region })
    .filter((row) => row.vpcId === vpc.id);
  for (let index = 0; index < 65536 / subnetSize; index += 1) {
    const cidr = subnetCidr(index);
    if (!taken.some((row) => overlaps(row.cidrBlock, cidr))) return cidr;
  }
  return undefined;
}

function zoneNamed(region: string, name: string | undefined, id: string | undefined): Zone {
  if (!name && !id) throw missingParameter('availabilityZone');
  const zone = zonesOf(region).find((one) => (name ? one.name === name : one.id === id));
  if (!zone)
    throw invalidParameterValue(
      `Value (${name ?? id}) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: ${zonesOf(
        region,
      )
        .map((one) => one.name)
        .join(', ')}.`,
    );
  return zone;
}

export const defaultVpc = {
  CreateDefaultVpc: operation<CreateDefaultVpcRequest, CreateDefaultVpcResult>({
    authorize: 'auto',
    run: (call) => {
      if (defaultVpcOf(call.tx, call.accountId, call.region))
        throw ec2Error('DefaultVpcAlreadyExists', 'A Default VPC already exists for this account in this region.');
      return { Vpc: toVpc(call, makeDefaultVpc(makerOf(call)), 'pending') };
    },
  }),

  CreateDefaultSubnet: operation<CreateDefaultSubnetRequest, CreateDefaultSubnetResult>({
    authorize: 'auto',
    run: (call, input) => {
      refuseUnsupported('CreateDefaultSubnet', input, ['Ipv6Native']);
      const vpc = defaultVpcOf(call.tx, call.accountId, call.region);
      if (!vpc) throw ec2Error('DefaultVpcDoesNotExist', 'No default VPC exists for this account in this region.');
      const zone = zoneNamed(call.region, input.AvailabilityZone, input.AvailabilityZoneId);
      const existing = call.tx
        .list('subnet', scopeOf(call))
        .find((row) => row.defaultForAz && row.availabilityZone === zone.name);
      if (existing)
        throw ec2Error(
          'DefaultSubnetAlreadyExistsInAvailabilityZone',
          `'${existing.id}' is already the default subnet in ${zone.name}.`,
        );
      const cidr = freeSubnetCidr(call.tx, vpc);
      if (!cidr) throw ec2Error('InsufficientFreeAddressesInVpc', `There is no free /20 block in '${vpc.id}'.`);
      const subnet = makeSubnet(makerOf(call), { vpcId: vpc.id, cidr, zone, defaultForAz: true, tags: {} });
      return { Subnet: toSubnet(call, subnet, undefined) };
    },
  }),
} satisfies Record<string, Operation>;
