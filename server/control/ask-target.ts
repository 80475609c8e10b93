// One health check: a TCP connection that is made, or an HTTP request that is answered with one of the codes that are meant, in time.

import { request } from 'node:http';
import { createConnection } from 'node:net';
import type { HealthCheck } from './load-balancers.ts';

export type Answer = 'success' | 'failure';

/** @param way where to dial from and to, so that the packets leave by the node's interface */
export function askTarget(
  way: { readonly from: string; readonly to: string },
  { port, address, settings }: HealthCheck,
  signal: AbortSignal,
): Promise<Answer> {
  const timeoutMs = settings.timeoutSeconds * 1000;
  return settings.protocol === 'TCP'
    ? connects(way, port, timeoutMs, signal)
    : answers(way, port, `${address}:${port}`, settings, timeoutMs, signal);
}

function connects(
  { from, to }: { readonly from: string; readonly to: string },
  port: number,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: to, port, localAddress: from, signal });
    const done = (answer: Answer) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => done('failure'), timeoutMs).unref();
    socket.once('connect', () => done('success'));
    socket.on('error', () => done('failure'));
  });
}

function answers(
  { from, to }: { readonly from: string; readonly to: string },
  port: number,
  host: string,
  { path, matcher }: HealthCheck['settings'],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve) => {
    const headers = { host, 'user-agent': 'ELB-HealthChecker/2.0', connection: 'close' };
    const asked = request({ host: to, port, localAddress: from, path, headers, agent: false, signal });
    const done = (answer: Answer) => {
      clearTimeout(timer);
      asked.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => done('failure'), timeoutMs).unref();
    asked.once('response', ({ statusCode = 0 }) => done(isMeant(matcher, statusCode) ? 'success' : 'failure'));
    asked.on('error', () => done('failure'));
    asked.end();
  });
}

/** `200,301` and `200-399`. */
export function isMeant(matcher: string, status: number): boolean {
  return matcher.split(',').some((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return status >= first && status <= last;
  });
}
