// The table of `measure.ts`: what each column says, and a row of it.

import type { Measured, Row } from './measure.ts';

export const number = (value: number) => (value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3));
export const mark = (met: boolean) => (met ? '✓' : '✗');

export const tableText =
  'Requests per second, each signed, verified, authorized and, when it writes, durable. Ratios are taken in one run: to a bare `node:http` server that sends as many bytes, to a floor, and to moto_server. The floor is the bare server that also does the least which the promises ask for: for small calls it verifies the signature, and for small writes puts one row into SQLite and answers when it is on disk; for large objects it does the hashing (SHA-256, MD5, CRC-64/NVME), the cipher and the disk. CPU is processor time per request, in µs: of the event loop, and of all threads. Memory is the most that the server had meanwhile. A goal is met (✓) or missed (✗); ⊘ is one that the floor misses too, or the bare server itself where there is no floor.';

const columns = [
  ...['call', 'at once', 'answer', 'per second', 'p50 ms', 'p99 ms', 'goal', '', 'CPU', 'memory'],
  ...['bare', 'its p99 ms', 'its CPU', 'ratio', 'goal', '', 'floor', 'its CPU', 'ratio', 'moto', 'ratio', 'goal', ''],
];

export const tableHead = `| ${columns.join(' | ')} |\n|${'---|'.repeat(columns.length)}`;

export function tableRow(row: Row): string {
  const { postern, bare, floor, moto } = row;
  const cells = [
    row.name,
    String(row.concurrency),
    size(row.answerBytes),
    number(postern.perSecond),
    postern.p50Ms.toFixed(2),
    postern.p99Ms.toFixed(2),
    row.p50GoalMs === undefined ? '' : `p50 < ${row.p50GoalMs}`,
    row.p50GoalMs === undefined ? '' : mark(postern.p50Ms < row.p50GoalMs),
    processor(postern),
    postern.peakBytes === undefined ? '' : `${Math.round(postern.peakBytes / 1e6)} MB`,
    number(bare.perSecond),
    bare.p99Ms.toFixed(2),
    processor(bare),
    ...ratio(row, bare, row.bareGoal, 2),
    floor ? number(floor.perSecond) : '',
    floor ? processor(floor) : '',
    floor ? (postern.perSecond / floor.perSecond).toFixed(2) : '',
    moto ? number(moto.perSecond) : 'not measured',
    ...(moto ? ratio(row, moto, row.motoGoal, 1) : ['', '', '']),
  ];
  return `| ${cells.join(' | ')} |`;
}

function ratio(
  { postern, bare, floor = bare }: Row,
  other: Measured,
  goal: number | undefined,
  digits: number,
): string[] {
  const value = postern.perSecond / other.perSecond;
  if (goal === undefined) return [value.toFixed(digits), '', ''];
  const isOpen = floor.perSecond / other.perSecond >= goal;
  return [value.toFixed(digits), `≥ ${goal}`, value >= goal || isOpen ? mark(value >= goal) : '⊘'];
}

function processor({ processor: used }: Measured): string {
  return used ? `${number(used.mainUs)} / ${number(used.allUs)}` : '';
}

function size(bytes: number): string {
  return bytes >= 1e6
    ? `${(bytes / 2 ** 20).toFixed(1)} MiB`
    : bytes >= 1e3
      ? `${(bytes / 1e3).toFixed(1)} kB`
      : `${bytes} B`;
}
