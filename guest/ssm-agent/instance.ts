// Who and where the instance is, and its role's credentials: all from the metadata service, by IMDSv2.

import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { hostname } from 'node:os';
import type { SigningKey } from '../wire/signature.ts';

export interface Identity {
  readonly instanceId: string;
  readonly region: string;
  readonly availabilityZone: string;
  /** `amazonaws.com` and its like. */
  readonly domain: string;
  readonly ipAddress: string;
  readonly computerName: string;
  readonly platformName: string;
  readonly platformVersion: string;
  readonly agentVersion: string;
}

/** The one whose protocol this is; clients ask which features an agent has by it. */
const agentVersion = '3.3.0.0';

function ask(method: string, path: string, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '169.254.169.254', port: 80, method, path, headers, timeout: 10_000, agent: false };
    const outgoing = request(options, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => {
        if (response.statusCode === 200) resolve(body);
        else reject(new Error(`the metadata service answers ${response.statusCode} to ${path}`));
      });
      response.on('error', reject);
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('the metadata service does not answer')));
    outgoing.on('error', reject);
    outgoing.end();
  });
}

let token: { readonly value: string; readonly untilMs: number } | undefined;
const tokenSeconds = 21_600;

async function metadata(path: string): Promise<string> {
  if (!token || token.untilMs < Date.now()) {
    const value = await ask('PUT', '/latest/api/token', {
      'X-aws-ec2-metadata-token-ttl-seconds': String(tokenSeconds),
    });
    token = { value, untilMs: Date.now() + (tokenSeconds - 60) * 1000 };
  }
  return ask('GET', `/latest/${path}`, { 'X-aws-ec2-metadata-token': token.value });
}

/** Of /etc/os-release. */
function release(name: string): string {
  try {
    const line = new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(readFileSync('/etc/os-release', 'utf8'));
    return line?.[1] ?? '';
  } catch {
    return '';
  }
}

export async function readIdentity(): Promise<Identity> {
  return {
    instanceId: await metadata('meta-data/instance-id'),
    region: await metadata('meta-data/placement/region'),
    availabilityZone: await metadata('meta-data/placement/availability-zone'),
    domain: await metadata('meta-data/services/domain'),
    ipAddress: await metadata('meta-data/local-ipv4'),
    computerName: await metadata('meta-data/local-hostname').catch(() => hostname()),
    platformName: release('NAME'),
    platformVersion: release('VERSION_ID'),
    agentVersion,
  };
}

let known: { readonly key: SigningKey; readonly untilMs: number } | undefined;
/** A role may be taken away or replaced: what was read is not trusted for long. */
const trustedMs = 60_000;

/** @throws Error when there is no role */
export async function credentials(): Promise<SigningKey> {
  if (known && known.untilMs > Date.now()) return known.key;
  const [role = ''] = (await metadata('meta-data/iam/security-credentials/')).split('\n');
  const answer = JSON.parse(await metadata(`meta-data/iam/security-credentials/${role}`)) as Record<string, string>;
  const { AccessKeyId, SecretAccessKey, Token, Code } = answer;
  if (Code !== 'Success' || AccessKeyId === undefined || SecretAccessKey === undefined || Token === undefined)
    throw new Error(`the metadata service has no credentials of ${role}: ${Code}`);
  const key = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: Token };
  known = { key, untilMs: Date.now() + trustedMs };
  return key;
}
