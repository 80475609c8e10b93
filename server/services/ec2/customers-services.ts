// Endpoint services that customers make (Y1–Y6): which row does a name mean, who may use it, in which zones is it, and who is connected to it?

import type { VpcEndpointServiceId } from '@postern/network/snapshot.ts';
import type { Principal } from '@postern/policy/types.ts';
import type { Call } from '../../service.ts';
import type { InterfaceEndpointRow, VpcEndpointServiceRow } from '../../store/rows/ec2.ts';
import type { Transaction } from '../../store/store.ts';

export function nameOfService({ id, region }: Pick<VpcEndpointServiceRow, 'id' | 'region'>): string {
  return `com.amazonaws.vpce.${region}.${id}`;
}

const ownName = /^com\.amazonaws\.vpce\.[a-z0-9-]+\.(vpce-svc-[0-9a-z]+)$/;

/** Whether a name is one that a customer's service would have, whether or not it is there. */
export function isCustomersName(name: string): boolean {
  return ownName.test(name);
}

/** The service behind a name, of whatever account, when the caller may use it (Y2). */
export function permittedService(call: Call, name: string): VpcEndpointServiceRow | undefined {
  const row = serviceCalled(call.tx, name);
  return row && row.region === call.region && isPermitted(row, call.principal) ? row : undefined;
}

export function serviceCalled(tx: Transaction, name: string): VpcEndpointServiceRow | undefined {
  const id = ownName.exec(name)?.[1];
  return id === undefined ? undefined : tx.get('vpc-endpoint-service', id as VpcEndpointServiceId);
}

/** Its own account; everybody; an account as its root; or one user or role (Y2). */
export function isPermitted({ accountId, principals }: VpcEndpointServiceRow, principal: Principal): boolean {
  if (accountId === principal.accountId) return true;
  return principals.some(
    ({ arn }) =>
      arn === '*' ||
      arn.endsWith(`:iam::${principal.accountId}:root`) ||
      arn === principal.arn ||
      arn === principal.roleArn,
  );
}

/** Zones that one of its balancers is enabled in (Y6). */
export function zonesOfService(tx: Transaction, row: VpcEndpointServiceRow): string[] {
  const subnets = row.loadBalancerArns.flatMap((arn) => tx.get('load-balancer', arn)?.nodes ?? []);
  return [...new Set(subnets.flatMap(({ subnetId }) => tx.get('subnet', subnetId)?.availabilityZone ?? []))].sort();
}

/** Endpoints of every account that are for the service. */
export function endpointsOf(tx: Transaction, row: VpcEndpointServiceRow): InterfaceEndpointRow[] {
  const name = nameOfService(row);
  return tx
    .list('vpc-endpoint')
    .filter((each): each is InterfaceEndpointRow => each.endpointType === 'Interface' && each.serviceName === name);
}

/** Y4. */
export function hasConnections(tx: Transaction, row: VpcEndpointServiceRow): boolean {
  return endpointsOf(tx, row).some((each) => each.connection !== 'rejected');
}
