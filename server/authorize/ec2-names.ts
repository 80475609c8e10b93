// What does an EC2 input name without an id? Security groups and addresses by name, and what AWS takes when nothing is given:
// the default subnet and the default group of RunInstances, the default VPC of CreateSecurityGroup; and the VPC that accepts a peering.

import type { Transaction } from '../store/store.ts';
import type { CallFacts } from './context.ts';
import type { Input } from './permissions.ts';

/** @returns the input with ids in place of names and omissions; what cannot be resolved stays as it is */
export function withIds(tx: Transaction, call: CallFacts, action: string, input: Input): Input {
  const scope = { accountId: call.accountId, region: call.region };
  const defaultVpcId = () => tx.list('vpc', scope).find((vpc) => vpc.isDefault)?.id;
  const groupNamed = (name: unknown, vpcId: string | undefined) =>
    tx.list('security-group', scope).find((group) => group.groupName === name && group.vpcId === vpcId)?.id;

  if (action === 'AcceptVpcPeeringConnection' && typeof input.VpcPeeringConnectionId === 'string') {
    return present(input, { VpcId: tx.get('vpc-peering-connection', input.VpcPeeringConnectionId)?.accepter.vpcId });
  }
  if (action === 'RunInstances') return { ...input, ...launchTarget() };
  if (action === 'CreateSecurityGroup')
    return input.VpcId === undefined ? present(input, { VpcId: defaultVpcId() }) : input;
  // CreateSecurityGroup’s GroupName is new; everywhere else it is a group of the default VPC.
  if (input.GroupId === undefined && typeof input.GroupName === 'string') {
    return present(input, { GroupId: groupNamed(input.GroupName, defaultVpcId()) });
  }
  if (input.AllocationId === undefined && typeof input.PublicIp === 'string') {
    return present(input, {
      AllocationId: tx.list('address', scope).find((address) => address.publicIp === input.PublicIp)?.id,
    });
  }
  return input;

  function launchTarget(): Input {
    // Network interfaces in the input carry their own subnets and groups.
    if (Array.isArray(input.NetworkInterfaces) && input.NetworkInterfaces.length > 0) return {};
    const zone = (input.Placement as { AvailabilityZone?: unknown } | undefined)?.AvailabilityZone;
    const subnet =
      typeof input.SubnetId === 'string'
        ? tx.get('subnet', input.SubnetId)
        : tx
            .list('subnet', scope)
            .find((one) => one.defaultForAz && (zone === undefined || one.availabilityZone === zone));
    const names: readonly unknown[] = Array.isArray(input.SecurityGroups) ? input.SecurityGroups : [];
    const given: readonly unknown[] = Array.isArray(input.SecurityGroupIds) ? input.SecurityGroupIds : [];
    const groups = [...given, ...names.map((name) => groupNamed(name, subnet?.vpcId))];
    if (groups.length === 0) groups.push(groupNamed('default', subnet?.vpcId));
    const ids = groups.filter((id) => id !== undefined);
    return { ...(subnet && { SubnetId: subnet.id }), ...(ids.length > 0 && { SecurityGroupIds: ids }) };
  }
}

function present(input: Input, more: Readonly<Record<string, string | undefined>>): Input {
  const found = Object.entries(more).filter(([, id]) => id !== undefined);
  return found.length === 0 ? input : { ...input, ...Object.fromEntries(found) };
}
