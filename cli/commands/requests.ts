// `postern requests`: what was asked of the cloud: who, which action, by which road, and which policy decided.

import type { RequestEvent } from '@postern/server/operator/api.ts';
import { Cloud } from '../cloud.ts';
import { dataDirectory } from '../spelling.ts';
import { answer, exitCodes, OperatorError, paint, wrap } from '../terminal.ts';

export interface RequestsOptions {
  readonly data?: string;
  readonly follow?: boolean;
  readonly json?: boolean;
  readonly limit: string;
  readonly denied?: boolean;
}

export async function requests(options: RequestsOptions): Promise<number> {
  if (!/^\d+$/.test(options.limit)) {
    throw new OperatorError(`--limit is a whole number, not '${options.limit}'.`, { exitCode: exitCodes.usage });
  }
  const cloud = Cloud.find(dataDirectory(options.data));
  const query = new URLSearchParams({ limit: options.limit });
  if (options.denied) query.set('denied', '1');
  if (options.follow) query.set('follow', '1');
  for await (const event of cloud.lines<RequestEvent>(`/requests?${query}`)) {
    if (options.json) answer(JSON.stringify(event));
    else print(event);
  }
  return 0;
}

/** `assumed-role/app/i-0ab` rather than the whole ARN: the account is in the ARN, and one account is the usual case. */
export function who({ principalArn, accessKeyId }: Pick<RequestEvent, 'principalArn' | 'accessKeyId'>): string {
  if (principalArn === 'anonymous' && accessKeyId !== undefined) return `somebody who claims the key ${accessKeyId}`;
  return principalArn.split(':').slice(5).join(':') || principalArn;
}

/** The road in words: the source address, then what it came through. */
export function road(path: RequestEvent['path']): string {
  const tls = path.secure ? ', TLS' : '';
  return path.kind === 'internet'
    ? `${path.sourceIp} over the internet${tls}`
    : `${path.sourceIp} in ${path.vpcId} through ${path.vpcEndpointId}${tls}`;
}

const controlPolicies: Readonly<Record<string, string>> = {
  scp: 'service control policy',
  rcp: 'resource control policy',
};

export function decisionWords(event: RequestEvent): string {
  const decision = event.decision;
  if (!decision) {
    return event.errorCode
      ? `refused before any policy was asked: ${event.errorMessage ?? event.errorCode}`
      : 'no permission needed';
  }
  const policy = decision.policyId
    ? ` (${decision.policyId}${decision.statement ? `, ${decision.statement}` : ''})`
    : '';
  if (decision.layer === 'root') return 'allowed: the account’s root';
  if (decision.allowed) return `allowed by the ${decision.layer} policy${policy}`;
  const at = decision.at === undefined ? '' : ` at ${decision.at}`;
  const kind = controlPolicies[decision.layer] ?? `${decision.layer} policy`;
  return decision.explicit ? `denied by the ${kind}${at}${policy}` : `denied: no ${kind}${at} allows it`;
}

/** The wall clock of the person who reads it, to the second. */
function clockTime(time: string): string {
  const at = new Date(time);
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

/** The action where it is not the operation's own name (HeadObject asks for s3:GetObject), and what it is on. */
function permission({ service, operation, action, resource }: RequestEvent): string {
  const asked = action === undefined || action === `${service}:${operation}` ? '' : `: ${action}`;
  return `${asked}${resource && resource !== '*' ? ` on ${resource}` : ''}`;
}

/** What is said about one request below its first line. */
export function lines(event: RequestEvent): string[] {
  return [
    `${who(event)}${permission(event)}`,
    `from ${road(event.path)}`,
    decisionWords(event),
    ...(event.explanation === undefined ? [] : [event.explanation]),
  ];
}

function print(event: RequestEvent): void {
  const ok = event.status < 400;
  const mark = ok ? paint(process.stdout, 'green', '✓') : paint(process.stdout, 'red', '✗');
  const time = clockTime(event.time);
  const call = paint(process.stdout, 'bold', `${event.service}:${event.operation}`);
  const outcome = event.errorCode === undefined ? `${event.status}` : `${event.status} ${event.errorCode}`;
  const width = process.stdout.columns ?? 80;
  answer(`${time} ${mark} ${call}  ${outcome}  ${Math.round(event.durationMs)} ms`);
  for (const line of lines(event)) answer(`           ${wrap(line, width - 11, 11)}`);
}
