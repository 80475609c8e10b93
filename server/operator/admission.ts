// Who may use `/_postern/…`? The operator: whoever can read the token file. And no web page: a page that the operator visits can make the
// browser send requests to loopback, but cannot forge Host or Origin (DNS rebinding changes the name, so Host shows it).

import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export interface Refusal {
  readonly status: 401 | 403;
  readonly message: string;
}

export interface AdmissionRules {
  readonly token: string;
  readonly auth: 'strict' | 'open';
  /** Names, without port, under which the listener may be addressed. */
  readonly hosts: readonly string[];
}

export const loopbackHosts = ['127.0.0.1', 'localhost', '[::1]'] as const;

/** @returns why the request is refused, or undefined when it may pass */
export function refuse(headers: IncomingHttpHeaders, rules: AdmissionRules): Refusal | undefined {
  const host = (headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
  if (!rules.hosts.includes(host)) {
    return { status: 403, message: `This is not addressed to Postern: the Host is '${headers.host ?? ''}'.` };
  }
  if (headers.origin !== undefined && !isOwnOrigin(headers.origin, headers.host ?? '')) {
    return { status: 403, message: `A page of ${headers.origin} may not ask Postern anything.` };
  }
  if (rules.auth === 'open') return undefined;
  const given = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
  if (sameText(given, rules.token)) return undefined;
  return {
    status: 401,
    message: 'The operator’s token is missing or wrong; it is in the file operator-token of the data directory.',
  };
}

function isOwnOrigin(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}

function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
