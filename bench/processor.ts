// How much processor time has a process used? On a machine that others use too, this per request says more than requests per second do.
// The kernel counts per thread, in nanoseconds: https://docs.kernel.org/scheduler/sched-stats.html (schedstat, read 2026-11-21).

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

export interface ProcessorTime {
  /** Of the thread that runs the event loop: at full load it is what limits the requests per second. */
  readonly mainUs: number;
  /** Of all threads: also the collector's, the thread pool's and the workers'. */
  readonly allUs: number;
}

export function processorTime(processId: number): ProcessorTime {
  let allUs = 0;
  let mainUs = 0;
  for (const thread of readdirSync(`/proc/${processId}/task`)) {
    try {
      const [ranNs = '0'] = readFileSync(`/proc/${processId}/task/${thread}/schedstat`, 'utf8').split(' ');
      const us = Number(ranNs) / 1000;
      allUs += us;
      if (thread === String(processId)) mainUs = us;
    } catch {
      // a thread that ended meanwhile
    }
  }
  return { mainUs, allUs };
}

/** The most memory that a process had, in bytes, since `forgetPeak`. */
export function peakBytes(processId: number): number {
  const peak = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${processId}/status`, 'utf8'))?.[1];
  return Number(peak) * 1024;
}

/** https://docs.kernel.org/filesystems/proc.html: 5 resets the peak (read 2026-11-21). */
export function forgetPeak(processId: number): void {
  writeFileSync(`/proc/${processId}/clear_refs`, '5');
}
