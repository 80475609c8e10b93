// The one list of stages that a packet passes, in order, as the person should read it (design, invariant 2).
// Each stage has one place in the kernel (docs/packet-path.md), one name in rule comments and one row in an explanation. `codes` are the explanation
// codes of Reachability Analyzer (semantics, 10.1) that a drop at this stage means; `direction` is seen from the interface or gateway concerned.

export const stages = [
  { name: 'eni-address', direction: 'out', codes: ['ENI_ADDRESS_RESTRICTION'], rules: ['R15'] },
  { name: 'link-local', direction: 'out', codes: [], rules: ['D2', 'D4', 'H1', 'H7'] },
  { name: 'sg-egress', direction: 'out', codes: ['ENI_SG_RULES_MISMATCH', 'SG_HAS_NO_RULES'], rules: ['S1', 'S6', 'S11', 'S12'] },
  { name: 'route', direction: 'out', codes: ['NO_ROUTE_TO_DESTINATION', 'BAD_STATE_ROUTE'], rules: ['R1', 'R3', 'R9', 'R11'] },
  { name: 'acl-egress', direction: 'out', codes: ['SUBNET_ACL_RESTRICTION'], rules: ['N1', 'N4', 'N6', 'N7'] },
  { name: 'igw-egress', direction: 'out', codes: ['IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS', 'IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS', 'IGW_DESTINATION_ADDRESS_NOT_IN_RFC6598_EGRESS'], rules: ['I2', 'I4'] },
  { name: 'gateway-endpoint', direction: 'out', codes: ['VPCE_GATEWAY_PROTOCOL_RESTRICTION', 'VPCE_INTRA_VPC_TRAFFIC'], rules: ['W5', 'W6', 'W7'] },
  { name: 'nat-gateway', direction: 'out', codes: ['NGW_REQUIRES_SOURCE_IN_VPC', 'PROTOCOL_RESTRICTION'], rules: ['G4', 'G5', 'G7', 'G9'] },
  { name: 'peering', direction: 'out', codes: ['PCX_REQUIRES_ADDRESS_IN_VPC_CIDR'], rules: ['P4', 'P5', 'P6'] },
  { name: 'egress-only-gateway', direction: 'out', codes: [], rules: ['I7'] },
  { name: 'igw-ingress', direction: 'in', codes: ['IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS', 'IGW_SOURCE_ADDRESS_NOT_IN_RFC1918_INGRESS', 'IGW_SOURCE_ADDRESS_NOT_IN_RFC6598_INGRESS', 'GATEWAY_REJECTS_SPOOFED_TRAFFIC'], rules: ['I2', 'I4'] },
  { name: 'source-dest-check', direction: 'in', codes: ['ENI_SOURCE_DEST_CHECK_RESTRICTION'], rules: ['R15'] },
  { name: 'acl-ingress', direction: 'in', codes: ['SUBNET_ACL_RESTRICTION'], rules: ['N1', 'N4', 'N6', 'N7'] },
  { name: 'interface-endpoint', direction: 'in', codes: ['PROTOCOL_RESTRICTION', 'VPCE_INTRA_VPC_TRAFFIC'], rules: ['X2', 'X3', 'X6', 'S13'] },
  { name: 'instance-connect', direction: 'in', codes: [], rules: ['J4'] },
  { name: 'sg-ingress', direction: 'in', codes: ['ENI_SG_RULES_MISMATCH', 'SG_HAS_NO_RULES'], rules: ['S1', 'S6', 'S11', 'S12'] },
] as const; // biome-ignore format: a table

export type StageName = (typeof stages)[number]['name'];

/** The section of docs/packet-path.md that tells of a stage. */
export function stageAnchor(name: StageName): string {
  return `docs/packet-path.md#${name}`;
}
