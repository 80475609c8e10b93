// Situations that chance makes: policies in some layers, a caller, a request. Seeded, so that a failure comes again.

import { parsePolicy } from '../document.ts';
import type { AuthorizationRequest, PolicySet, PolicySource } from '../types.ts';
import { account, ana, anonymous, federated, other, roleArn, root, session } from './case.ts';

export type Raw = Record<string, unknown>;

export function generator(seed: number) {
  let state = seed;
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * below);
  };
  const pick = <T>(list: readonly T[]): T => list[next(list.length)] as T;
  return { next, pick };
}

export const actions = ['s3:GetObject', 's3:PutObject', 's3:*', '*', 's3:Get*', 'ec2:RunInstances'] as const;
export const resources = ['arn:aws:s3:::b/k', 'arn:aws:s3:::b/*', '*', 'arn:aws:s3:::b', 'arn:aws:s3:::c/*'] as const;
const principals = [
  '*',
  { AWS: account },
  { AWS: ana.arn },
  { AWS: roleArn },
  { AWS: session.arn },
  { AWS: other },
  { AWS: federated.arn },
] as const;
const conditions = [
  undefined,
  undefined,
  { StringEquals: { 'aws:SourceVpce': 'vpce-1' } },
  { StringNotEquals: { 'aws:SourceVpce': 'vpce-1' } },
  { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } },
  { Null: { 'aws:SourceIp': 'true' } },
] as const;

export function statement(
  { pick, next }: ReturnType<typeof generator>,
  withPrincipal: boolean,
  effect?: 'Allow' | 'Deny',
): Raw {
  const condition = pick(conditions);
  return {
    Effect: effect ?? (next(4) === 0 ? 'Deny' : 'Allow'),
    [next(5) === 0 ? 'NotAction' : 'Action']: pick(actions),
    [next(5) === 0 ? 'NotResource' : 'Resource']: pick(resources),
    ...(withPrincipal && { Principal: pick(principals) }),
    ...(condition && { Condition: condition }),
  };
}

export function source(statements: readonly Raw[], kind: 'identity' | 'resource' | 'endpoint'): PolicySource {
  const parsed = parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }), { kind });
  if (!parsed.ok) throw new Error(parsed.message);
  return { id: kind, document: parsed.document };
}

export interface RawSet {
  identity: Raw[];
  resource: Raw[];
  boundary?: Raw[];
  session?: Raw[];
  endpoint?: Raw[];
}

export function policySet(raw: RawSet): PolicySet {
  return {
    identity: [source(raw.identity, 'identity')],
    resource: source(raw.resource, 'resource'),
    ...(raw.boundary && { boundary: source(raw.boundary, 'identity') }),
    ...(raw.session && { session: [source(raw.session, 'identity')] }),
    ...(raw.endpoint && { endpoint: source(raw.endpoint, 'endpoint') }),
  };
}

export function situation(seed: number) {
  const chance = generator(seed);
  const { next, pick } = chance;
  const some = (withPrincipal: boolean) => Array.from({ length: 1 + next(3) }, () => statement(chance, withPrincipal));
  const raw: RawSet = {
    identity: some(false),
    resource: some(true),
    ...(next(3) === 0 && { boundary: some(false) }),
    ...(next(3) === 0 && { session: some(false) }),
    ...(next(3) === 0 && { endpoint: some(true) }),
  };
  const context = new Map<string, readonly string[]>();
  if (next(2) === 0) context.set('aws:sourcevpce', [pick(['vpce-1', 'vpce-2'])]);
  else context.set('aws:sourceip', [pick(['10.1.2.3', '198.51.100.7'])]);
  const owner = pick([undefined, account, other]);
  const request: AuthorizationRequest = {
    principal: pick([ana, session, root, federated, anonymous]),
    action: pick(['s3:GetObject', 's3:PutObject', 'ec2:RunInstances']),
    resource: pick(['arn:aws:s3:::b/k', 'arn:aws:s3:::b', 'arn:aws:s3:::c/x']),
    ...(owner !== undefined && { resourceAccountId: owner }),
    context,
  };
  return { chance, raw, request };
}
