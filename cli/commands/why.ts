// `postern why REQUEST-ID`: why a request was answered as it was, stage by stage, and what would have to change. As it was decided then, and now.

import type { WhyAnswer, WhyQuestion } from '@postern/server/operator/api.ts';
import { Cloud } from '../cloud.ts';
import { commandName, dataDirectory } from '../spelling.ts';
import { answer, answerJson, exitCodes, OperatorError, paint, wrap } from '../terminal.ts';
import { printChain, printCure } from './chain.ts';
import { who } from './requests.ts';

export interface WhyOptions {
  readonly data?: string;
  readonly json?: boolean;
  readonly last?: boolean;
}

export async function why(requestId: string | undefined, options: WhyOptions): Promise<number> {
  if ((requestId === undefined) === (options.last !== true))
    throw new OperatorError('Which request: its id, as clients print it, or --last.', {
      exitCode: exitCodes.usage,
      cure: 'postern requests',
    });
  const directory = dataDirectory(options.data);
  const question: WhyQuestion = requestId === undefined ? {} : { requestId };
  const found = await Cloud.find(directory).ask<WhyAnswer>('POST', '/why', question);
  if (options.json) answerJson(found);
  else print(found, commandName(directory));
  return found.verdict === 'allowed' ? exitCodes.ok : exitCodes.failed;
}

function print({ request, verdict, road, chain, notes, now, cure }: WhyAnswer, command: string): void {
  const width = process.stdout.columns ?? 80;
  const isAllowed = verdict === 'allowed';
  const mark = paint(process.stdout, isAllowed ? 'green' : 'red', isAllowed ? '✓' : '✗');
  const outcome = request.errorCode === undefined ? `${request.status}` : `${request.status} ${request.errorCode}`;
  const call = paint(process.stdout, 'bold', `${request.service}:${request.operation}`);
  answer(`${mark} ${call} ${verdict}, ${outcome}`);
  const action =
    request.action === undefined
      ? ''
      : ` asked for ${request.action}${request.resource === undefined || request.resource === '*' ? '' : ` on ${request.resource}`}`;
  answer(`  ${wrap(`${who(request)}${action}`, width - 2, 2)}`);
  answer(`  ${wrap(`from ${road}`, width - 2, 2)}`);
  answer(`  ${request.requestId}, ${request.time}\n`);
  printChain(chain);
  for (const note of notes) answer(`\n  ${wrap(note, width - 2, 2)}`);
  if (
    now !== undefined &&
    (now.changed.length > 0 || (now.verdict === 'allowed') !== (request.decision?.allowed ?? isAllowed))
  ) {
    const changed = now.changed.length === 0 ? '' : ` (changed since: ${now.changed.join(', ')})`;
    answer(
      `\n  ${wrap(`That is as it was decided then. It would be decided now: ${now.verdict}${changed}.`, width - 2, 2)}`,
    );
  }
  if (cure !== undefined && !isAllowed) printCure(cure, command);
}
