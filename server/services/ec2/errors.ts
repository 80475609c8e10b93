// Which error does EC2 answer, in which words? One table of resource kinds for the errors that every kind has (malformed id, not found), and a
// named constructor for each other mistake. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html (read 2026-11-21).
// Wordings that AWS's pages do not give were seen in answers of real AWS; where none was seen the wording follows its neighbours.

import { AwsError } from '../../errors.ts';

/** How each kind of resource is named in ids and errors. `noun` is what AWS prints before `ID '…' does not exist`. */
export const resourceKinds = {
  vpc: { prefix: 'vpc', noun: 'vpc', notFound: 'InvalidVpcID.NotFound', malformed: 'InvalidVpcID.Malformed' },
  subnet: { prefix: 'subnet', noun: 'subnet', notFound: 'InvalidSubnetID.NotFound', malformed: 'InvalidSubnetID.Malformed' },
  'subnet-cidr-reservation': { prefix: 'scr', noun: 'subnet-cidr-reservation', notFound: 'InvalidSubnetCidrReservationID.NotFound', malformed: 'InvalidSubnetCidrReservationID.Malformed' },
  'route-table': { prefix: 'rtb', noun: 'routeTable', notFound: 'InvalidRouteTableID.NotFound', malformed: 'InvalidRouteTableId.Malformed' },
  'internet-gateway': { prefix: 'igw', noun: 'internetGateway', notFound: 'InvalidInternetGatewayID.NotFound', malformed: 'InvalidInternetGatewayId.Malformed' },
  'egress-only-internet-gateway': { prefix: 'eigw', noun: 'egressOnlyInternetGateway', notFound: 'InvalidEgressOnlyInternetGatewayId.NotFound', malformed: 'InvalidEgressOnlyInternetGatewayId.Malformed' },
  'security-group': { prefix: 'sg', noun: 'security group', notFound: 'InvalidGroup.NotFound', malformed: 'InvalidGroupId.Malformed' },
  'security-group-rule': { prefix: 'sgr', noun: 'security group rule', notFound: 'InvalidSecurityGroupRuleId.NotFound', malformed: 'InvalidSecurityGroupRuleId.Malformed' },
  'network-acl': { prefix: 'acl', noun: 'networkAcl', notFound: 'InvalidNetworkAclID.NotFound', malformed: 'InvalidNetworkAclId.Malformed' },
  address: { prefix: 'eipalloc', noun: 'allocation', notFound: 'InvalidAllocationID.NotFound', malformed: 'InvalidAllocationID.Malformed' },
  'network-interface': { prefix: 'eni', noun: 'networkInterface', notFound: 'InvalidNetworkInterfaceID.NotFound', malformed: 'InvalidNetworkInterfaceId.Malformed' },
  'vpc-peering-connection': { prefix: 'pcx', noun: 'vpcPeeringConnection', notFound: 'InvalidVpcPeeringConnectionID.NotFound', malformed: 'InvalidVpcPeeringConnectionId.Malformed' },
  'vpc-endpoint': { prefix: 'vpce', noun: 'VpcEndpoint', notFound: 'InvalidVpcEndpointId.NotFound', malformed: 'InvalidVpcEndpointId.Malformed' },
  'vpc-endpoint-service': { prefix: 'vpce-svc', noun: 'VpcEndpointService', notFound: 'InvalidVpcEndpointServiceId.NotFound', malformed: 'InvalidVpcEndpointServiceId.Malformed' },
  'instance-connect-endpoint': { prefix: 'eice', noun: 'instance connect endpoint', notFound: 'InvalidInstanceConnectEndpointId.NotFound', malformed: 'InvalidInstanceConnectEndpointId.Malformed' },
  'vpc-block-public-access-exclusion': { prefix: 'vpcbpa-exclude', noun: 'exclusion', notFound: 'InvalidVpcBlockPublicAccessExclusionId.NotFound', malformed: 'InvalidVpcBlockPublicAccessExclusionId.Malformed' },
  'nat-gateway': { prefix: 'nat', noun: 'natGateway', notFound: 'NatGatewayNotFound', malformed: 'NatGatewayMalformed' },
  'transit-gateway-attachment': { prefix: 'tgw-attach', noun: 'transitGatewayAttachment', notFound: 'InvalidTransitGatewayAttachmentID.NotFound', malformed: 'InvalidTransitGatewayAttachmentID.Malformed' },
  'transit-gateway-route-table': { prefix: 'tgw-rtb', noun: 'transitGatewayRouteTable', notFound: 'InvalidRouteTableID.NotFound', malformed: 'InvalidRouteTableId.Malformed' },
  'transit-gateway': { prefix: 'tgw', noun: 'transitGateway', notFound: 'InvalidTransitGatewayID.NotFound', malformed: 'InvalidTransitGatewayID.Malformed' },
  'prefix-list': { prefix: 'pl', noun: 'prefix list', notFound: 'InvalidPrefixListID.NotFound', malformed: 'InvalidPrefixListId.Malformed' },
  'dhcp-options': { prefix: 'dopt', noun: 'dhcpOption', notFound: 'InvalidDhcpOptionID.NotFound', malformed: 'InvalidDhcpOptionsId.Malformed' },
  'key-pair': { prefix: 'key', noun: 'key pair', notFound: 'InvalidKeyPair.NotFound', malformed: 'InvalidKeyPair.Malformed' },
  'flow-log': { prefix: 'fl', noun: 'flowLog', notFound: 'InvalidFlowLogId.NotFound', malformed: 'InvalidFlowLogId.Malformed' },
  'network-insights-path': { prefix: 'nip', noun: 'networkInsightsPath', notFound: 'InvalidNetworkInsightsPathId.NotFound', malformed: 'InvalidNetworkInsightsPathId.Malformed' },
  'network-insights-analysis': { prefix: 'nia', noun: 'networkInsightsAnalysis', notFound: 'InvalidNetworkInsightsAnalysisId.NotFound', malformed: 'InvalidNetworkInsightsAnalysisId.Malformed' },
  'network-insights-access-scope': { prefix: 'nis', noun: 'networkInsightsAccessScope', notFound: 'InvalidNetworkInsightsAccessScopeId.NotFound', malformed: 'InvalidNetworkInsightsAccessScopeId.Malformed' },
  'network-insights-access-scope-analysis': { prefix: 'nisa', noun: 'networkInsightsAccessScopeAnalysis', notFound: 'InvalidNetworkInsightsAccessScopeAnalysisId.NotFound', malformed: 'InvalidNetworkInsightsAccessScopeAnalysisId.Malformed' },
  instance: { prefix: 'i', noun: 'instance', notFound: 'InvalidInstanceID.NotFound', malformed: 'InvalidInstanceID.Malformed' },
} as const satisfies Record<string, { prefix: string; noun: string; notFound: string; malformed: string }>; // biome-ignore format: a table

export type ResourceKind = keyof typeof resourceKinds;

const bad = (code: string, message: string): AwsError => new AwsError(code, 400, message);

/** The ids do not exist, in the caller's account and region. */
export function notFound(kind: ResourceKind, ids: readonly string[]): AwsError {
  const { notFound: code, noun } = resourceKinds[kind];
  const [first = ''] = ids;
  if (kind === 'security-group-rule') return bad(code, `The security group rule ID '${first}' does not exist`);
  if (kind === 'security-group') return bad(code, `The security group '${first}' does not exist`);
  if (kind === 'prefix-list') return bad(code, `The prefix list ID '${first}' does not exist`);
  if (kind === 'vpc-endpoint') return bad(code, `The Vpc Endpoint Id '${first}' does not exist`);
  if (kind === 'vpc-endpoint-service') return bad(code, `The VpcEndpointService Id '${first}' does not exist`);
  if (kind === 'key-pair') return bad(code, `The key pair '${first}' does not exist`);
  if (kind === 'nat-gateway') return bad(code, `NatGateway ${ids.join(', ')} was not found`);
  return bad(
    code,
    ids.length > 1 ? `The ${noun} IDs '${ids.join(', ')}' do not exist` : `The ${noun} ID '${first}' does not exist`,
  );
}

/** The id does not look like one of its kind. */
export function malformedId(kind: ResourceKind, id: string): AwsError {
  const { malformed: code, prefix } = resourceKinds[kind];
  if (kind === 'security-group-rule') return bad(code, `The security group rule ID '${id}' is malformed`);
  return bad(code, `Invalid id: "${id}" (expecting "${prefix}-...")`);
}

/** Old ids have 8 hex digits, new ones 17. */
export function isWellFormedId(kind: ResourceKind, id: string): boolean {
  const { prefix } = resourceKinds[kind];
  return id.startsWith(`${prefix}-`) && /^[0-9a-f]{8,17}$/.test(id.slice(prefix.length + 1));
}

export const missingParameter = (name: string): AwsError =>
  bad('MissingParameter', `The request must contain the parameter ${name}`);

/** @param parameter as the wire spells it, e.g. `cidrBlock` */
export const invalidValue = (value: unknown, parameter: string, why: string): AwsError =>
  bad('InvalidParameterValue', `Value (${String(value)}) for parameter ${parameter} is invalid. ${why}`);

export const invalidParameterValue = (message: string): AwsError => bad('InvalidParameterValue', message);
export const invalidParameter = (message: string): AwsError => bad('InvalidParameter', message);
export const invalidCombination = (message: string): AwsError => bad('InvalidParameterCombination', message);

export const notACidr = (value: string, parameter: string): AwsError =>
  invalidValue(value, parameter, 'This is not a valid CIDR block.');

/** The resource is still used. AWS does not say by what; the request log does. @param dependents ids */
export const dependencyViolation = (message: string, dependents: readonly string[]): AwsError =>
  new AwsError('DependencyViolation', 400, message, { explanation: `still used by ${dependents.join(', ')}` });

/** `The vpc 'vpc-x' has dependencies and cannot be deleted.` */
export const hasDependencies = (noun: string, id: string, dependents: readonly string[]): AwsError =>
  dependencyViolation(`The ${noun} '${id}' has dependencies and cannot be deleted.`, dependents);

export const operationNotPermitted = (message: string): AwsError => bad('OperationNotPermitted', message);

/** What Postern does not carry yet is refused by name, never accepted and ignored (design, invariant 5). */
export const unsupportedOperation = (what: string): AwsError =>
  bad('UnsupportedOperation', `${what} is not supported by Postern.`);

/**
 * Refuses parameters that Postern does not carry, by name; false, empty and absent ones ask for nothing.
 * @throws UnsupportedOperation naming the first
 */
export function refuseUnsupported<I extends object>(
  operation: string,
  input: I,
  names: readonly (keyof I & string)[],
): void {
  for (const name of names) {
    const value: unknown = input[name];
    const asksNothing =
      value === undefined || value === false || value === '' || (Array.isArray(value) && value.length === 0);
    if (!asksNothing) throw unsupportedOperation(`The parameter ${name} of ${operation}`);
  }
}

export const alreadyAssociated = (message: string): AwsError => bad('Resource.AlreadyAssociated', message);

export const dryRunOperation = (): AwsError =>
  new AwsError('DryRunOperation', 412, 'Request would have succeeded, but DryRun flag is set.');

export const idempotentParameterMismatch = (): AwsError =>
  bad(
    'IdempotentParameterMismatch',
    'The request uses the same client token as a previous, but non-identical request. Do not reuse a client token with different requests, unless the requests are identical.',
  );

/** An error that only one file throws: code and wording are still written beside the service. */
export const ec2Error = bad;
