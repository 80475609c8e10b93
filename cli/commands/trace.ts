// `postern trace FROM TO`: what becomes of a packet, there and back, and which rule, route or gateway decides each step. No packet is sent.

import type { TraceAnswer, TraceQuestion } from '@postern/server/operator/api.ts';
import { Cloud } from '../cloud.ts';
import { dataDirectory } from '../spelling.ts';
import { answer, answerJson, exitCodes, OperatorError, paint, wrap } from '../terminal.ts';

export interface TraceOptions {
  readonly data?: string;
  readonly json?: boolean;
  readonly port?: string;
  readonly protocol?: string;
}

export async function trace(from: string, to: string, options: TraceOptions): Promise<number> {
  const question = questionOf(from, to, options);
  const found = await Cloud.find(dataDirectory(options.data)).ask<TraceAnswer>('POST', '/trace', question);
  if (options.json) answerJson(found);
  else print(question, found);
  return found.verdict === 'open' ? exitCodes.ok : exitCodes.failed;
}

/** `HOST:443` and `--port 443` say the same; with neither it is a ping. */
export function questionOf(from: string, to: string, options: Pick<TraceOptions, 'port' | 'protocol'>): TraceQuestion {
  const [, host = to, portInName] = /^([^:]+):(\d+)$/.exec(to) ?? [];
  const portText = options.port ?? portInName;
  const protocol = options.protocol ?? (portText === undefined ? 'icmp' : 'tcp');
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'icmp')
    throw new OperatorError(`--protocol is tcp, udp or icmp, not '${protocol}'.`, { exitCode: exitCodes.usage });
  if (protocol === 'icmp') return { from, to: host, protocol };
  const port = Number(portText);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new OperatorError(`${protocol} needs a port, 1 to 65535: HOST:443, or --port 443.`, { exitCode: exitCodes.usage }); // biome-ignore format: one sentence
  return { from, to: host, protocol, port };
}

function print(question: TraceQuestion, found: TraceAnswer): void {
  const width = process.stdout.columns ?? 80;
  const what = question.protocol === 'icmp' ? 'ping' : `${question.protocol} ${question.port}`;
  answer(paint(process.stdout, 'bold', `${question.from} → ${question.to}, ${what}`));
  if (found.name !== undefined) answer(`  ${found.name} is ${found.address} from there`);
  for (const leg of ['forward', 'return'] as const) {
    const steps = found.steps.filter((step) => step.leg === leg);
    if (steps.length > 0) answer(`\n  ${leg === 'forward' ? 'there' : 'and back'}`);
    for (const step of steps) {
      const isDrop = step.verdict === 'drop';
      const mark = paint(process.stdout, isDrop ? 'red' : 'green', isDrop ? '✗' : '✓');
      const code = step.code === undefined ? '' : ` (${step.code})`;
      const words = wrap(`${step.component}: ${step.because}${code}`, width - 25, 25);
      answer(`  ${mark} ${step.stage.padEnd(19)}  ${words}`);
    }
  }
  const seen = found.seenAs === undefined || found.seenAs === found.source ? '' : `, seen as ${found.seenAs}`;
  const obstacles = found.steps.filter((step) => step.verdict === 'drop').length;
  const verdict =
    found.verdict === 'open'
      ? paint(process.stdout, 'green', `✓ open: it reaches ${found.arrival}${seen}`)
      : paint(process.stdout, 'red', `✗ dropped: ${obstacles} ${obstacles === 1 ? 'obstacle' : 'obstacles'}`);
  answer(`\n${verdict}`);
}
