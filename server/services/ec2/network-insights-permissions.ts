// What may the caller of an analysis see? AWS's analyzers look at the network with the caller's own permissions: `tiros:CreateQuery` to begin at all, and to
// describe each kind of resource, without which the analysis fails.
// https://docs.aws.amazon.com/vpc/latest/reachability/security_iam_required-API-permissions.html (read 2026-11-21). Asked for are those of EC2's resources
// that Postern has; AWS asks for load balancers', firewalls' and others' too.

import type { Call } from '../../service.ts';

const describing = [
  'ec2:DescribeInstances',
  'ec2:DescribeInternetGateways',
  'ec2:DescribeManagedPrefixLists',
  'ec2:DescribeNatGateways',
  'ec2:DescribeNetworkAcls',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribePrefixLists',
  'ec2:DescribeRouteTables',
  'ec2:DescribeSecurityGroups',
  'ec2:DescribeSubnets',
  'ec2:DescribeVpcEndpoints',
  'ec2:DescribeVpcPeeringConnections',
  'ec2:DescribeVpcs',
] as const;

/**
 * Why an analysis of the caller fails, if it does. AWS's wording was not seen.
 * @throws UnauthorizedOperation without `tiros:CreateQuery`
 */
export function unseenByCaller(call: Call): string | undefined {
  call.require(call.tx, 'tiros:CreateQuery', '*');
  const missing = describing.filter((action) => !call.allows(call.tx, action, '*'));
  return missing.length === 0 ? undefined : `The analysis has insufficient permissions: ${missing.join(', ')}.`;
}
