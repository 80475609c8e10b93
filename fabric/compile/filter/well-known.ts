// Addresses that every VPC's filter knows, and the comment that leads from a dropped packet to its cause.

import type { StageName } from '@postern/network/stages.ts';
import type { NftRule, NftSet } from '../host-state.ts';
import type { VpcContext } from '../vpc-context.ts';

export const metadata = '169.254.169.254';
export const linkLocalResolver = '169.254.169.253';
export const timeSync = '169.254.169.123';
/** What an internet gateway neither takes in nor lets out (I4): RFC 1918 and RFC 6598. */
export const privateBlocks = '{ 10.0.0.0/8, 100.64.0.0/10, 172.16.0.0/12, 192.168.0.0/16 }';
/** "This network", loopback, multicast, the underlay and broadcast: nothing a guest may send to. */
export const reserved = ['0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/3'] as const;
export const reservedBlocks = `{ ${reserved.join(', ')} }`;
/** No router hands on what is for it (RFC 3927); the services in it are told apart before. */
export const linkLocalBlock = '169.254.0.0/16';

/** A reply on a way that its request did not take is of no flow there (a way is a conntrack zone). */
export function strayReply({ vpc }: VpcContext): NftRule {
  return { match: 'ct state invalid drop', comment: stage('route', `${vpc.vpcId} not the way back`) };
}

export function verdictMap(name: string, elements: readonly string[]): NftSet {
  return { name, kind: 'map', type: 'ifname : verdict', elements };
}

/** `stage AWS-id`: the comment that leads from a dropped packet to the API call. The kernel keeps 127 characters. */
export function stage(name: StageName, id: string): string {
  return `${name} ${id}`.slice(0, 127);
}
