// Rows of Reachability Analyzer and Network Access Analyzer, which belong to EC2's API.

import type { Scope } from '@postern/network/insights/access-scope.ts';
import type { Analysis } from '@postern/network/insights/analyse.ts';
import type { Hop } from '@postern/network/insights/hops.ts';
import type { Ipv4 } from '@postern/network/snapshot.ts';
import type { Row } from '../store.ts';
import type { Tags } from './ec2.ts';

/** What the header of a path must be at one end. */
export interface PathFilterRow {
  sourceAddress?: Ipv4;
  sourcePorts?: { from: number; to: number };
  destinationAddress?: Ipv4;
  destinationPorts?: { from: number; to: number };
}

/** One end, as it was named. */
export interface PathEndRow {
  /** `i-…`, `eni-…`, `igw-…`, `vpce-…` or `pcx-…`. */
  id: string;
  /** Its account's, which need not be the path's. */
  arn: string;
  accountId: string;
}

export interface NetworkInsightsPathRow extends Row {
  /** `nip-…` */
  id: string;
  source: PathEndRow;
  /** Absent: the destination is an address. */
  destination?: PathEndRow;
  sourceIp?: Ipv4;
  destinationIp?: Ipv4;
  protocol: 'tcp' | 'udp';
  destinationPort?: number;
  filterAtSource?: PathFilterRow;
  filterAtDestination?: PathFilterRow;
  createdAt: string;
  tags: Tags;
}

/** Made and ended in one call; what it says is of the network at that moment. */
export interface NetworkInsightsAnalysisRow extends Row {
  /** `nia-…` */
  id: string;
  pathId: string;
  additionalAccounts: string[];
  filterInArns: string[];
  filterOutArns: string[];
  startedAt: string;
  /** Present when it failed: why. */
  failure?: string;
  /** Absent when it failed. */
  result?: Analysis;
  /** The components that the result names: whose they were, and their Name tags. */
  components: Readonly<Record<string, { arn: string; name?: string }>>;
  /** Accounts that the path might go on into. */
  suggestedAccounts: string[];
  tags: Tags;
}

export interface NetworkInsightsAccessScopeRow extends Row {
  /** `nis-…` */
  id: string;
  /** The conditions as they were given, JSON, to be shown again. */
  content: string;
  scope: Scope;
  createdAt: string;
  tags: Tags;
}

/** Made and ended in one call, as an analysis of a path. */
export interface NetworkInsightsAccessScopeAnalysisRow extends Row {
  /** `nisa-…` */
  id: string;
  scopeId: string;
  startedAt: string;
  /** Present when it failed: why. */
  failure?: string;
  findings: (readonly Hop[])[];
  /** There are more than were looked for. */
  isCut: boolean;
  interfaceCount: number;
  components: Readonly<Record<string, { arn: string; name?: string }>>;
  tags: Tags;
}
