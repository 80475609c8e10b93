// What a check says of each assertion: one form for the table, JSON, JUnit and SARIF, and for the way from the server to the command.

import type { Problem } from './source.ts';

/** `error`: an end that means nothing. */
export type Outcome = 'holds' | 'fails' | 'unknown' | 'error';

export interface Step {
  readonly leg: 'forward' | 'return';
  readonly stage: string;
  readonly component: string;
  readonly verdict: 'pass' | 'drop';
  readonly because: string;
  /** Reachability Analyzer's. */
  readonly code?: string;
}

/** A flow to try with packets, and what the model says of it. */
export interface Probe {
  /** An instance that runs, or the internet: the person's terminal. */
  readonly from:
    | { readonly kind: 'instance'; readonly instanceId: string; readonly address: string }
    | { readonly kind: 'internet' };
  readonly to: { readonly address: string; readonly instanceId?: string };
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly port?: number;
  readonly sourcePort?: number;
  readonly expected: 'open' | 'dropped';
}

export interface Probed extends Probe {
  readonly seen: 'open' | 'dropped' | 'not tried';
  /** Why it was not tried, or what was seen, in a few words. */
  readonly words?: string;
}

/** What shows that an assertion fails. */
export interface Evidence {
  /** `tcp 5432 from 10.0.0.5 to 10.0.1.7` */
  readonly flow: string;
  /** Who sends and who gets it, by their names. */
  readonly between: string;
  readonly steps: readonly Step[];
  /** The step that decides: what drops a flow that should pass, what lets one pass that should not. */
  readonly deciding?: Step;
  /** Commands that would mend it. */
  readonly mend: readonly string[];
}

export interface Result {
  readonly name: string;
  readonly line: number;
  readonly column: number;
  readonly endLine?: number;
  readonly endColumn?: number;
  readonly outcome: Outcome;
  /** A sentence without its full stop: why it fails, or on what the answer depends. */
  readonly message: string;
  readonly evidence?: Evidence;
  /** What is not modelled and could change the answer. */
  readonly dependsOn: readonly { readonly what: string; readonly because: string }[];
  /** What the answer takes for granted. */
  readonly assumptions: readonly string[];
  readonly probes: readonly Probe[];
  /** With --live. */
  readonly live?: { readonly probed: readonly Probed[]; readonly disagreements: number };
}

export interface CheckReport {
  readonly results: readonly Result[];
  /** All that was found in a real account and is not modelled. */
  readonly unmodelled: readonly { readonly what: string; readonly because: string }[];
}

/** Of a file that cannot be read as one: nothing was checked. */
export interface BadFile {
  readonly problems: readonly Problem[];
}

export const exitCodes = { holds: 0, fails: 1, badFile: 2, unknown: 5 } as const;

/** A mistake in the file before a failure, a failure before what is unknown. */
export function exitCodeOf(results: readonly Pick<Result, 'outcome' | 'live'>[]): number {
  const has = (outcome: Outcome) => results.some((each) => each.outcome === outcome);
  if (has('error')) return exitCodes.badFile;
  if (has('fails') || results.some(({ live }) => (live?.disagreements ?? 0) > 0)) return exitCodes.fails;
  return has('unknown') ? exitCodes.unknown : exitCodes.holds;
}
