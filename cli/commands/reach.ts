// `postern reach`: who can reach whom at all, on which ports and by which road. Worked out from the network's description for all packets at once; none is sent.

import type { ReachAnswer, ReachQuestion, ReachRow } from '@postern/server/operator/api.ts';
import { Cloud } from '../cloud.ts';
import { dataDirectory } from '../spelling.ts';
import { answer, answerJson, exitCodes, OperatorError, paint, say, wrap } from '../terminal.ts';

export interface ReachOptions {
  readonly data?: string;
  readonly json?: boolean;
  readonly from?: string;
  readonly to?: string;
  readonly port?: string;
  readonly protocol?: string;
}

export async function reach(options: ReachOptions): Promise<number> {
  const question = questionOf(options);
  const found = await Cloud.find(dataDirectory(options.data)).ask<ReachAnswer>('POST', '/reach', question);
  if (options.json) answerJson(found);
  else {
    answer(render(question, found, process.stdout.columns ?? 80));
    if (!found.isComplete) say('postern: there are more; --from, --to or --port ask for less.');
  }
  return found.rows.length > 0 ? exitCodes.ok : exitCodes.failed;
}

export function questionOf({ from, to, port: portText, protocol }: ReachOptions): ReachQuestion {
  const ends = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
  const usage = (message: string) => new OperatorError(message, { exitCode: exitCodes.usage });
  if (protocol !== undefined && protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'icmp')
    throw usage(`--protocol is tcp, udp or icmp, not '${protocol}'.`);
  if (portText === undefined) return { ...ends, ...(protocol !== undefined && { protocol }) };
  if (protocol === 'icmp') throw usage('icmp has no ports.');
  const port = Number(portText);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw usage(`--port is 1 to 65535, not '${portText}'.`);
  return { ...ends, protocol: protocol ?? 'tcp', port };
}

/** Who, by which road, what; a side that the question names once is in the heading and not in every row. */
export function render(question: ReachQuestion, { rows }: ReachAnswer, width: number): string {
  const lines = [paint(process.stdout, 'bold', heading(question)), ''];
  if (rows.length === 0) return [...lines, paint(process.stdout, 'red', '✗ nothing does')].join('\n');
  const hasOneTo = question.to !== undefined && isOne(rows, 'to');
  const hasOneFrom = question.from !== undefined && isOne(rows, 'from');
  const whoOf = (row: ReachRow) => {
    if (hasOneTo) return row.fromInstance ?? row.from;
    const to = row.toInstance ?? row.to;
    return hasOneFrom ? to : `${row.fromInstance ?? row.from} → ${to}`;
  };
  const roadOf = ({ via }: ReachRow) => (via.length === 0 ? 'inside the VPC' : via.map(({ id }) => id).join(' '));
  const table = rows.map((row) => ({ who: whoOf(row), road: roadOf(row), traffic: row.traffic }));
  const widest = (texts: readonly string[], most: number) =>
    Math.min(most, Math.max(...texts.map((each) => each.length)));
  // Ids are 21 characters, or 22; two of them stand one below the other.
  const whoWidth = widest(
    table.map(({ who }) => who),
    22,
  );
  const roadWidth = widest(
    table.flatMap(({ road }) => (road.startsWith('inside') ? [road] : road.split(' '))),
    22,
  );
  const trafficWidth = Math.max(20, width - whoWidth - roadWidth - 6);
  const columns = [whoWidth, roadWidth, trafficWidth];
  const row = (cells: readonly string[]) => {
    const wrapped = cells.map((cell, index) =>
      wrap(cell, columns[index] ?? 20)
        .split('\n')
        .map((each) => each.trim()),
    );
    const height = Math.max(...wrapped.map((cell) => cell.length));
    return Array.from({ length: height }, (_, line) =>
      `  ${wrapped.map((cell, index) => (cell[line] ?? '').padEnd(columns[index] ?? 20)).join('  ')}`.trimEnd(),
    );
  };
  lines.push(
    ...row([hasOneTo ? 'from' : hasOneFrom ? 'to' : 'from → to', 'by', 'traffic']).map((each) =>
      paint(process.stdout, 'dim', each),
    ),
  );
  for (const { who, road, traffic } of table) lines.push(...row([who, road, traffic]));
  const assumptions = [...new Set(rows.flatMap((each) => each.assumptions))];
  if (assumptions.length > 0)
    lines.push('', ...assumptions.map((each) => wrap(`Provided that ${each}.`, width - 2, 2)));
  return lines.join('\n');
}

function isOne(rows: readonly ReachRow[], side: 'from' | 'to'): boolean {
  return new Set(rows.map((row) => row[side])).size === 1;
}

function heading({ from, to, protocol, port }: ReachQuestion): string {
  const what = protocol === undefined ? '' : `, ${protocol}${port === undefined ? '' : ` ${port}`}`;
  if (from === undefined && to === undefined) return `Who reaches whom${what}`;
  if (from === undefined) return `Who reaches ${to}${what}`;
  return to === undefined
    ? `What ${from === 'internet' ? 'the internet' : from} reaches${what}`
    : `${from} → ${to}${what}`;
}
