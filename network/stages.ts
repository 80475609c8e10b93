// The one list of stages that a packet passes, in order, as the person should read it (design, invariant 2).
// Each stage has one place in the kernel (docs/packet-path.md), one name in rule comments and one row in an explanation. `codes` are the explanation
// codes of Reachability Analyzer (semantics, 10.1) that a drop at this stage means; `direction` is seen from the interface or gateway concerned.

export const stages = [
  { name: 'eni-address', direction: 'out', codes: ['ENI_ADDRESS_RESTRICTION', 'BAD_STATE_ATTACHMENT'], rules: ['R15'] },
  { name: 'link-local', direction: 'out', codes: [], rules: ['D2', 'D4', 'H1', 'H7'] },
  { name: 'sg-egress', direction: 'out', codes: ['ENI_SG_RULES_MISMATCH', 'SG_HAS_NO_RULES', 'SG_REFERENCES_NOT_PRESERVED', 'UNKNOWN_PEERED_SGS'], rules: ['S1', 'S6', 'S11', 'S12'] },
  { name: 'route', direction: 'out', codes: ['NO_ROUTE_TO_DESTINATION', 'BAD_STATE_ROUTE', 'NO_POSSIBLE_DESTINATION'], rules: ['R1', 'R3', 'R9', 'R11'] },
  { name: 'acl-egress', direction: 'out', codes: ['SUBNET_ACL_RESTRICTION'], rules: ['N1', 'N4', 'N6', 'N7'] },
  { name: 'igw-egress', direction: 'out', codes: ['IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS', 'IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS', 'IGW_DESTINATION_ADDRESS_NOT_IN_RFC6598_EGRESS', 'GATEWAY_REJECTS_SPOOFED_TRAFFIC', 'VPC_BLOCK_PUBLIC_ACCESS_ENABLED', 'NO_POSSIBLE_DESTINATION'], rules: ['I2', 'I4'] },
  { name: 'gateway-endpoint', direction: 'out', codes: ['VPCE_GATEWAY_PROTOCOL_RESTRICTION'], rules: ['W5', 'W6', 'W7'] },
  { name: 'nat-gateway', direction: 'out', codes: ['NGW_REQUIRES_SOURCE_IN_VPC', 'PROTOCOL_RESTRICTION', 'NO_POSSIBLE_DESTINATION'], rules: ['G4', 'G5', 'G7', 'G9'] },
  { name: 'peering', direction: 'out', codes: ['PCX_REQUIRES_ADDRESS_IN_VPC_CIDR', 'NO_POSSIBLE_DESTINATION'], rules: ['P4', 'P5', 'P6'] },
  { name: 'transit-gateway', direction: 'out', codes: ['TGW_ROUTE_AZ_RESTRICTION', 'TGW_ATTACH_MISSING_TGW_RTB_ASSOCIATION', 'TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT', 'TGW_RTB_BAD_STATE_ROUTE', 'NO_POSSIBLE_DESTINATION'], rules: ['Z2', 'Z3', 'Z4', 'Z5', 'Z9'] },
  { name: 'egress-only-gateway', direction: 'out', codes: ['VPC_BLOCK_PUBLIC_ACCESS_ENABLED'], rules: ['I7'] },
  { name: 'igw-ingress', direction: 'in', codes: ['IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS', 'IGW_SOURCE_ADDRESS_NOT_IN_RFC1918_INGRESS', 'IGW_SOURCE_ADDRESS_NOT_IN_RFC6598_INGRESS', 'GATEWAY_REJECTS_SPOOFED_TRAFFIC', 'IGW_DESTINATION_ADDRESS_IN_VPC_CIDRS', 'INGRESS_RTB_NO_PUBLIC_IP', 'NO_ROUTE_TO_DESTINATION', 'VPC_BLOCK_PUBLIC_ACCESS_ENABLED'], rules: ['I2', 'I4'] },
  { name: 'source-dest-check', direction: 'in', codes: ['ENI_SOURCE_DEST_CHECK_RESTRICTION', 'BAD_STATE_ATTACHMENT'], rules: ['R15'] },
  { name: 'acl-ingress', direction: 'in', codes: ['SUBNET_ACL_RESTRICTION'], rules: ['N1', 'N4', 'N6', 'N7'] },
  { name: 'interface-endpoint', direction: 'in', codes: ['PROTOCOL_RESTRICTION'], rules: ['X2', 'X3', 'X6', 'S13'] },
  { name: 'instance-connect', direction: 'in', codes: [], rules: ['J4'] },
  { name: 'load-balancer', direction: 'in', codes: ['ELBV2_LISTENERS_MISMATCH', 'ELBV2_LISTENER_HAS_NO_TG'], rules: ['B1', 'B2', 'B3'] },
  { name: 'sg-ingress', direction: 'in', codes: ['ENI_SG_RULES_MISMATCH', 'SG_HAS_NO_RULES', 'SG_REFERENCES_NOT_PRESERVED', 'UNKNOWN_PEERED_SGS'], rules: ['S1', 'S6', 'S11', 'S12'] },
] as const; // biome-ignore format: a table

export type StageName = (typeof stages)[number]['name'];

/** The section of docs/packet-path.md that tells of a stage. */
export function stageAnchor(name: StageName): string {
  return `docs/packet-path.md#${name}`;
}
