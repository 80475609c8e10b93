// VPC Block Public Access: what is in force for a subnet or VPC, from the Region's mode and the exclusion that covers it.
// https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa-basics.html and its example (read 2026-11-21).

export type BlockMode = 'off' | 'block-bidirectional' | 'block-ingress';
export type ExclusionMode = 'allow-bidirectional' | 'allow-egress';

/**
 * An exclusion that allows egress counts when everything is blocked, and leaves what ingress-only mode leaves; in that mode it changes nothing.
 * @param exclusions those of the subnet and of its VPC; the widest decides
 */
export function effectiveBlockMode(mode: BlockMode, exclusions: readonly ExclusionMode[]): BlockMode {
  if (exclusions.includes('allow-bidirectional')) return 'off';
  return mode === 'block-bidirectional' && exclusions.includes('allow-egress') ? 'block-ingress' : mode;
}
