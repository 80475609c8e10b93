// `postern requests`: what was asked of the cloud: who, which action, by which road, and which policy decided.

import type { RequestEvent } from '@postern/server/operator/api.ts';
import { Cloud, dataDirectory } from '../cloud.ts';
import { answer, paint, wrap } from '../terminal.ts';

export interface RequestsOptions {
  readonly data?: string;
  readonly follow?: boolean;
  readonly json?: boolean;
  readonly limit: string;
  readonly denied?: boolean;
}

export async function requests(options: RequestsOptions): Promise<number> {
  const cloud = Cloud.find(dataDirectory(options.data));
  const query = new URLSearchParams({ limit: options.limit });
  if (options.follow) query.set('follow', '1');
  for await (const event of cloud.lines<RequestEvent>(`/requests?${query}`)) {
    if (options.denied && event.decision?.allowed !== false) continue;
    if (options.json) answer(JSON.stringify(event));
    else print(event);
  }
  return 0;
}

/** `assumed-role/app/i-0ab` rather than the whole ARN: the account is in the ARN, and one account is the usual case. */
function who(arn: string): string {
  return arn.split(':').slice(5).join(':') || arn;
}

/** The road in words: the source address, then what it came through. */
export function road(path: RequestEvent['path']): string {
  return path.kind === 'internet'
    ? `${path.sourceIp} over the internet`
    : `${path.sourceIp} in ${path.vpcId} through ${path.vpcEndpointId}`;
}

export function decisionWords(event: RequestEvent): string {
  const decision = event.decision;
  if (!decision) return event.errorCode ? 'refused before any policy was asked' : 'no permission needed';
  const policy = decision.policyId
    ? ` (${decision.policyId}${decision.statement ? `, ${decision.statement}` : ''})`
    : '';
  if (decision.layer === 'root') return 'allowed: the account’s root';
  if (decision.allowed) return `allowed by the ${decision.layer} policy${policy}`;
  return decision.explicit
    ? `denied by the ${decision.layer} policy${policy}`
    : `denied: no ${decision.layer} policy allows it`;
}

function print(event: RequestEvent): void {
  const ok = event.status < 400;
  const mark = ok ? paint(process.stdout, 'green', '✓') : paint(process.stdout, 'red', '✗');
  const time = event.time.slice(11, 19);
  const call = paint(process.stdout, 'bold', `${event.service}:${event.operation}`);
  const outcome = ok ? `${event.status}` : `${event.status} ${event.errorCode ?? ''}`;
  const width = process.stdout.columns ?? 80;
  answer(`${time} ${mark} ${call}  ${outcome}  ${Math.round(event.durationMs)} ms`);
  const lines = [
    `${who(event.principalArn)}${event.resource && event.resource !== '*' ? ` on ${event.resource}` : ''}`,
    `from ${road(event.path)}`,
    decisionWords(event),
    ...(event.explanation === undefined ? [] : [event.explanation]),
  ];
  for (const line of lines) answer(`           ${wrap(line, width - 11, 11)}`);
}
