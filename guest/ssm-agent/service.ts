// Calls to AWS: signed, over TLS, by the names that the VPC's resolver knows.

import { request } from 'node:https';
import { signedHeaders } from '../wire/signature.ts';
import { credentials, type Identity } from './instance.ts';

const timeoutMs = 15_000;

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** One signed request. @throws Error when nobody answers */
export async function send(
  identity: Identity,
  service: string,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: string | Buffer,
): Promise<Answer> {
  const url = new URL(`https://${service}.${identity.region}.${identity.domain}${path}`);
  const signed = signedHeaders({ method, url, service, region: identity.region, headers, body }, await credentials());
  return new Promise((resolve, reject) => {
    // No pool: the next request is minutes away, and by then another road may be the right one.
    const outgoing = request(url, { method, agent: false, timeout: timeoutMs, headers: signed }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
      response.on('error', reject);
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`connecting to ${url.host} timed out`)));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** A call of the JSON 1.1 protocol. @throws Error with the service's own words */
export async function callService(identity: Identity, service: string, target: string, input: object): Promise<string> {
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };
  const answer = await send(identity, service, 'POST', '/', headers, JSON.stringify(input));
  if (answer.status !== 200) throw new Error(`${target}: ${answer.status} ${answer.body}`);
  return answer.body;
}

/** A token for a channel of the message gateway. */
export async function createChannel(identity: Identity, path: string, input: object): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const answer = await send(identity, 'ssmmessages', 'POST', path, headers, JSON.stringify(input));
  const [, token] = /<TokenValue>([^<]+)<\/TokenValue>/.exec(answer.body) ?? [];
  if (answer.status !== 201 || token === undefined) throw new Error(`${path}: ${answer.status} ${answer.body}`);
  return token;
}
