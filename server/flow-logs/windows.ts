// Which flow log is told what, and when: the aggregation intervals (L13) of each interface that a log speaks of.

import type { FlowCount, FlowCounts } from '@postern/fabric/types.ts';
import { readFlowLogFormat } from '../flow-log-format.ts';
import type { FlowLogRow } from '../store/rows/flow-logs.ts';
import { type FlowRecord, flowLine, flowStartMs, type LoggedInterface, mergeFlows, statusLine } from './records.ts';

/** An interface and the flow logs that it has now. */
export interface Logged {
  readonly eni: LoggedInterface;
  readonly logs: readonly FlowLogRow[];
  /** False: it went since the last reading, and only what it carried until then is told. */
  readonly isThere: boolean;
}

/** What one log says of one interface when a window ends. */
export interface Lines {
  readonly log: FlowLogRow;
  readonly networkInterfaceId: string;
  readonly records: readonly FlowRecord[];
  readonly endMs: number;
}

interface OpenWindow {
  readonly startMs: number;
  flows: FlowCount[];
  isSkipping: boolean;
}

/** A timer may come early by so much. */
const slackMs = 500;

export class Windows {
  readonly #open = new Map<string, OpenWindow>();

  /**
   * Adds what was counted until `nowMs`.
   * @param isForced every window ends now, not only those that have lasted
   * @returns what the windows that end have to say
   */
  add(counts: FlowCounts, logged: readonly Logged[], nowMs: number, isForced: boolean): Lines[] {
    const flows = groupBy(counts.flows);
    const skipping = new Set<string>(counts.skipped.map(({ networkInterfaceId }) => networkInterfaceId));
    const ended: Lines[] = [];
    const known = new Set<string>();
    for (const { eni, logs, isThere } of logged) {
      for (const log of logs) {
        const key = `${log.id} ${eni.networkInterfaceId}`;
        known.add(key);
        const window = this.#open.get(key) ?? { startMs: Math.min(Date.parse(log.createdAt), nowMs), flows: [], isSkipping: false }; // biome-ignore format: few words
        this.#open.set(key, window);
        const wanted = (flows.get(eni.networkInterfaceId) ?? []).filter(
          ({ action }) => log.trafficType === 'ALL' || log.trafficType === action,
        );
        if (wanted.length > 0) window.flows = mergeFlows([...window.flows, ...wanted]);
        window.isSkipping ||= skipping.has(eni.networkInterfaceId);
        const intervalMs = (eni.isNitro ? 60 : log.maxAggregationInterval) * 1000;
        if (!isForced && isThere && nowMs - window.startMs < intervalMs - slackMs) continue;
        const records = recordsOf(log, eni, window, nowMs, isThere);
        if (records.length > 0) ended.push({ log, networkInterfaceId: eni.networkInterfaceId, records, endMs: nowMs });
        this.#open.set(key, { startMs: nowMs, flows: [], isSkipping: false });
      }
    }
    for (const key of this.#open.keys()) if (!known.has(key)) this.#open.delete(key);
    return ended;
  }
}

function recordsOf(
  log: FlowLogRow,
  eni: LoggedInterface,
  open: OpenWindow,
  endMs: number,
  isThere: boolean,
): FlowRecord[] {
  const format = readFlowLogFormat(log.logFormat);
  const window = { startMs: open.startMs, endMs };
  const status = (word: 'NODATA' | 'SKIPDATA') => ({ atMs: open.startMs, line: statusLine(format, eni, window, word) });
  const records = open.flows.map((flow) => ({
    atMs: flowStartMs(flow, window),
    line: flowLine(format, eni, window, flow),
  }));
  if (open.isSkipping) records.push(status('SKIPDATA'));
  if (records.length === 0 && isThere) records.push(status('NODATA'));
  return records;
}

function groupBy(flows: readonly FlowCount[]): Map<string, FlowCount[]> {
  const groups = new Map<string, FlowCount[]>();
  for (const flow of flows) {
    const group = groups.get(flow.networkInterfaceId);
    if (group) group.push(flow);
    else groups.set(flow.networkInterfaceId, [flow]);
  }
  return groups;
}
