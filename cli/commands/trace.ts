// `postern trace FROM TO`: what becomes of a packet, there and back, and which rule, route or gateway decides each step; or what becomes of a request to a
// service, which the policies decide too. Nothing is sent.

import type { RequestTraceAnswer, TraceAnswer, TraceQuestion } from '@postern/server/operator/api.ts';
import { Cloud } from '../cloud.ts';
import { commandName, dataDirectory } from '../spelling.ts';
import { answer, answerJson, exitCodes, OperatorError, paint, wrap } from '../terminal.ts';
import { printChain, printCure } from './chain.ts';

export interface TraceOptions {
  readonly data?: string;
  readonly json?: boolean;
  readonly from?: string;
  readonly to?: string;
  readonly port?: string;
  readonly protocol?: string;
  readonly action?: string;
  readonly as?: string;
}

export async function trace(
  fromWord: string | undefined,
  toWord: string | undefined,
  options: TraceOptions,
): Promise<number> {
  const [from, to] = endsOf(fromWord, toWord, options);
  const question = questionOf(from, to, options);
  const directory = dataDirectory(options.data);
  const found = await Cloud.find(directory).ask<TraceAnswer | RequestTraceAnswer>('POST', '/trace', question);
  if (options.json) answerJson(found);
  else if ('chain' in found) printRequest(question, found, commandName(directory));
  else print(question, found, commandName(directory));
  return found.verdict === 'open' ? exitCodes.ok : exitCodes.failed;
}

/** Two words, or one of them as an option. */
export function endsOf(
  fromWord: string | undefined,
  toWord: string | undefined,
  options: Pick<TraceOptions, 'from' | 'to'>,
): [string, string] {
  const words = [fromWord, toWord].filter((word) => word !== undefined);
  const from = options.from ?? words.shift();
  const to = options.to ?? words.shift();
  if (from === undefined || to === undefined || words.length > 0)
    throw new OperatorError('A trace has two ends: FROM TO, or --from FROM --to TO.', {
      exitCode: exitCodes.usage,
      cure: 'postern help trace',
    });
  return [from, to];
}

/** What policies decide, besides packets: there is no port to say. */
const isService = (to: string) =>
  to.startsWith('s3://') ||
  to.startsWith('arn:') ||
  (/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(to) && !/^(i|eni)-[0-9a-f]+$/.test(to));

/** `HOST:443` and `--port 443` say the same; with neither it is a ping. */
export function questionOf(
  from: string,
  to: string,
  options: Pick<TraceOptions, 'port' | 'protocol' | 'action' | 'as'>,
): TraceQuestion {
  const { action, as } = options;
  const isRequest =
    action !== undefined || (isService(to) && options.port === undefined && options.protocol === undefined);
  if (as !== undefined && !isRequest)
    throw new OperatorError('--as is about a request: say which, --action s3:GetObject.', {
      exitCode: exitCodes.usage,
    });
  if (isRequest)
    return {
      from,
      to,
      protocol: 'tcp',
      port: 443,
      ...(action !== undefined && { action }),
      ...(as !== undefined && { as }),
    };
  const [, host = to, portInName] = /^([^:]+):(\d+)$/.exec(to) ?? [];
  const portText = options.port ?? portInName;
  const protocol = options.protocol ?? (portText === undefined ? 'icmp' : 'tcp');
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'icmp')
    throw new OperatorError(`--protocol is tcp, udp or icmp, not '${protocol}'.`, { exitCode: exitCodes.usage });
  if (protocol === 'icmp') return { from, to: host, protocol };
  const port = Number(portText);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new OperatorError(`${protocol} needs a port, 1 to 65535: HOST:443, or --port 443.`, {
      exitCode: exitCodes.usage,
    });
  return { from, to: host, protocol, port };
}

function print(question: TraceQuestion, found: TraceAnswer, command: string): void {
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
  if (found.cure !== undefined) printCure(found.cure, command);
}

function printRequest({ from }: TraceQuestion, found: RequestTraceAnswer, command: string): void {
  const width = process.stdout.columns ?? 80;
  const what = found.action === undefined ? 'a request' : `${found.action} on ${found.resource}`;
  answer(paint(process.stdout, 'bold', wrap(`${from}: ${what}`, width)));
  answer(`  ${wrap(found.road, width - 2, 2)}\n`);
  printChain(found.chain);
  const obstacles = found.chain.filter((link) => link.verdict === 'drop').length;
  const isOpen = found.verdict === 'open';
  const words = isOpen
    ? found.action === undefined
      ? '✓ open'
      : '✓ allowed'
    : `✗ ${obstacles} ${obstacles === 1 ? 'obstacle' : 'obstacles'}`;
  answer(`\n${paint(process.stdout, isOpen ? 'green' : 'red', words)}`);
  if (found.cure !== undefined) printCure(found.cure, command);
}
