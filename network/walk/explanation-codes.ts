// Every explanation code of Reachability Analyzer (semantics, 10.1), and where it comes from here: a step of the walk that drops, or the analysis that
// asks whether any packet gets through (network/insights). Those that cannot arise say why: what they speak of does not exist in a Postern.
// https://docs.aws.amazon.com/vpc/latest/reachability/explanation-codes.html (read 2026-11-21)

interface Arising {
  readonly from: 'walk' | 'analysis';
}
interface Never {
  readonly never: string;
}

const walk = { from: 'walk' } as const;
const analysis = { from: 'analysis' } as const;
const noClassicLoadBalancers = { never: 'there are no Classic Load Balancers' } as const;
const noGatewayLoadBalancers = { never: 'there are no Gateway Load Balancers' } as const;
const transitTableAnswers = { never: 'a transit gateway’s table is shown by the route that counts' } as const;
const noVpn = { never: 'there are no virtual private gateways and no VPN connections' } as const;
const oneProtocol = {
  never: 'a path has one protocol, which its ends cannot filter, and nothing changes a packet’s',
} as const;

export const explanationCodes = {
  BAD_STATE: analysis,
  BAD_STATE_ATTACHMENT: walk,
  BAD_STATE_ROUTE: walk,
  BAD_STATE_VPN: noVpn,
  CANNOT_ROUTE: analysis,
  COMPONENT_FILTER_RESTRICTION: analysis,
  COMPONENT_FILTER_RESTRICTION_REMOVED_COMPONENT: analysis,
  DISCONNECTED_VPCS: analysis,
  ELB_ACL_RESTRICTION: noClassicLoadBalancers,
  ELB_INSTALLED_AZ_RESTRICTION: noClassicLoadBalancers,
  ELB_LISTENER_PORT_RESTRICTION: noClassicLoadBalancers,
  ELB_LISTENERS_MISMATCH: noClassicLoadBalancers,
  ELB_NOT_CROSSZONE: noClassicLoadBalancers,
  ELBV2_LISTENER_HAS_NO_TG: walk,
  ELBV2_LISTENER_PORT_RESTRICTION: { never: 'ELBV2_LISTENERS_MISMATCH says it' },
  ELBV2_LISTENER_REQUIRES_TG_ACCEPT: { never: 'a listener has one target group, which takes what the listener does' },
  ELBV2_LISTENERS_MISMATCH: walk,
  ELBV2_NO_TARGETS_IN_AZ: { never: 'ELBV2_LISTENER_HAS_NO_TG says it' },
  ELBV2_SOURCE_ADDRESS_PRESERVATION: { never: 'no target group preserves the client’s address' },
  ENI_ADDRESS_RESTRICTION: walk,
  ENI_SG_RULES_MISMATCH: walk,
  ENI_SOURCE_DEST_CHECK_RESTRICTION: walk,
  FILTER_AT_DESTINATION_DESTINATION_ADDRESS: analysis,
  FILTER_AT_DESTINATION_DESTINATION_PORT_RANGE: analysis,
  FILTER_AT_DESTINATION_PROTOCOL: oneProtocol,
  FILTER_AT_DESTINATION_SOURCE_ADDRESS: analysis,
  FILTER_AT_DESTINATION_SOURCE_PORT_RANGE: analysis,
  FILTER_AT_SOURCE_DESTINATION_ADDRESS: analysis,
  FILTER_AT_SOURCE_DESTINATION_PORT_RANGE: analysis,
  FILTER_AT_SOURCE_PROTOCOL: oneProtocol,
  FILTER_AT_SOURCE_SOURCE_ADDRESS: analysis,
  FILTER_AT_SOURCE_SOURCE_PORT_RANGE: analysis,
  FIREWALL_RULES_RESTRICTION: { never: 'there is no Network Firewall' },
  GATEWAY_REJECTS_SPOOFED_TRAFFIC: walk,
  GWLB_DESTINATION_PORT_RESTRICTION: noGatewayLoadBalancers,
  GWLB_PROTOCOL_RESTRICTION: noGatewayLoadBalancers,
  HIGHER_PRIORITY_ROUTE: analysis,
  IGW_DESTINATION_ADDRESS_IN_VPC_CIDRS: walk,
  IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS: walk,
  IGW_DESTINATION_ADDRESS_NOT_IN_RFC6598_EGRESS: walk,
  IGW_EXPECTS_PUBLIC_ADDRESS: analysis,
  IGW_NAT_REFLECTION: analysis,
  IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS: walk,
  IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS: walk,
  IGW_SOURCE_ADDRESS_NOT_IN_RFC1918_INGRESS: walk,
  IGW_SOURCE_ADDRESS_NOT_IN_RFC6598_INGRESS: walk,
  INGRESS_RTB_NO_PUBLIC_IP: walk,
  INGRESS_RTB_TRAFFIC_REDIRECTION: analysis,
  MORE_SPECIFIC_ROUTE: analysis,
  NGW_DEST_ADDRESS_PRESERVATION: analysis,
  NGW_REQUIRES_SOURCE_IN_VPC: walk,
  NGW_SOURCE_ADDRESS_REASSIGN: analysis,
  NO_PATH: analysis,
  NO_POSSIBLE_DESTINATION: walk,
  NO_ROUTE_TO_DESTINATION: walk,
  NO_SOURCE_OR_DESTINATION: analysis,
  PCX_REQUIRES_ADDRESS_IN_VPC_CIDR: walk,
  PROTOCOL_RESTRICTION: walk,
  REGIONAL_NGW_ROUTE_AZ_RESTRICTION: { never: 'regional NAT gateways are refused' },
  REMAP_EPHEMERAL_PORT: analysis,
  SG_HAS_NO_RULES: walk,
  SG_REFERENCES_NOT_PRESERVED: walk,
  SG_REFERENCING_SUPPORT: { never: 'that a transit gateway supports group references is refused' },
  SUBNET_ACL_RESTRICTION: walk,
  TARGET_ADDRESS_RESTRICTION: { never: 'a load balancer sends nowhere but to its targets' },
  TARGET_PORT_RESTRICTION: { never: 'a load balancer sends nowhere but to its targets’ ports' },
  TGW_ATTACH_MISSING_TGW_RTB_ASSOCIATION: walk,
  TGW_ATTACH_VPC_AZ_RESTRICTION: { never: 'from an attachment’s interface every zone of its VPC is reached' },
  TGW_BAD_STATE_VPN: noVpn,
  TGW_ROUTE_AZ_RESTRICTION: walk,
  TGW_RTB_BAD_STATE_ROUTE: walk,
  TGW_RTB_CANNOT_ROUTE: transitTableAnswers,
  TGW_RTB_HIGHER_PRIORITY_ROUTE: transitTableAnswers,
  TGW_RTB_MORE_SPECIFIC_ROUTE: transitTableAnswers,
  TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT: walk,
  TGW_RTB_ROUTES_ARE_UNKNOWN: { never: 'transit gateways are not shared' },
  UNASSOCIATED_COMPONENT: analysis,
  UNKNOWN_DESTINATION: analysis,
  UNKNOWN_PEERED_SGS: walk,
  UNKNOWN_RESOURCE: analysis,
  UNSUPPORTED_COMPONENT: { never: 'a path to or from a component that is not supported is refused when it is created' },
  VGW_PRIVATE_IP_ASSOCIATION_FOR_EGRESS: noVpn,
  VGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS: noVpn,
  VPC_BLOCK_PUBLIC_ACCESS_ENABLED: walk,
  VPC_LOCAL_ROUTE_CIDR_RESTRICTION: analysis,
  VPCE_GATEWAY_EGRESS_SOURCE_ADDRESS_RESTRICTION: analysis,
  VPCE_GATEWAY_PROTOCOL_RESTRICTION: walk,
  VPCE_INTRA_VPC_TRAFFIC: analysis,
  VPCE_SERVICE_NOT_INSTALLED_IN_AZ: { never: 'every service is offered in every zone' },
} as const satisfies Record<string, Arising | Never>;

type Codes = typeof explanationCodes;

/** A code that a step of a walk can have. */
export type ExplanationCode = {
  [Code in keyof Codes]: Codes[Code] extends { readonly from: 'walk' } ? Code : never;
}[keyof Codes];

/** Any code that an analysis can answer: the walk's and its own. */
export type AnalysisCode = {
  [Code in keyof Codes]: Codes[Code] extends Arising ? Code : never;
}[keyof Codes];
