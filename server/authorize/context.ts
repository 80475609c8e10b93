// What is true of a request whatever it asks for? The global condition keys, table 6.5.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html (read 2026-11-21)
// Where it came from is read from `call.path` alone, which is the socket's; only the user agent and the referer are the client's word, as in AWS.
// Keys are in lower case (O4). A key that is not in the map is absent, which decides as much as a value does (O2).

import { isoTime } from '../iso-time.ts';
import type { BaseCall } from '../service.ts';
import type { AccessKeyRow } from '../store/rows/iam.ts';
import type { Transaction } from '../store/store.ts';
import { addOrganization } from './control-policies.ts';

export type MutableContext = Map<string, readonly string[]>;
export type CallFacts = Omit<BaseCall, 'require' | 'allows'>;

/** Services that know the account of the endpoint's owner (6.5: "only some services"). */
const KNOWS_ENDPOINT_OWNER: ReadonlySet<string> = new Set(['s3', 'sts', 'iam', 'dynamodb']);

/**
 * @param accessKey the key that signed the request; undefined for an anonymous one, and for a key that `--auth open` made up
 */
export function globalContext(tx: Transaction, call: CallFacts, accessKey?: AccessKeyRow): MutableContext {
  const context = requestContext(tx, call);
  const set = setter(context);
  addPrincipal(call, set);
  addOrganization(tx, context, 'aws:principalorg', call.principal.accountId);
  if (accessKey) addCredentials(tx, call, accessKey, context);
  return context;
}

function setter(context: MutableContext): Set {
  return (key, value) => {
    if (value !== undefined) context.set(key, [value]);
  };
}

/** What is true of the request whoever makes it. */
export function requestContext(tx: Transaction, call: CallFacts): MutableContext {
  const context: MutableContext = new Map();
  const set = setter(context);
  set('aws:currenttime', isoTime(call.now));
  set('aws:epochtime', String(Math.floor(call.now.getTime() / 1000)));
  set('aws:requestedregion', call.region);
  set('aws:securetransport', String(call.path.secure));
  set('aws:useragent', call.headers['user-agent']);
  set('aws:referer', call.headers.referer);
  set('aws:viaawsservice', 'false');
  set('aws:principalisawsservice', String(call.principal.type === 'service'));
  set('aws:principalservicename', call.principal.serviceName);
  set('aws:sourceaccount', call.source?.accountId);
  set('aws:sourcearn', call.source?.arn);
  addPath(tx, call, set, context);
  return context;
}

type Set = (key: string, value: string | undefined) => void;

function addPath(tx: Transaction, call: CallFacts, set: Set, context: MutableContext): void {
  const { path } = call;
  if (path.kind === 'internet') {
    set('aws:sourceip', path.sourceIp);
    return;
  }
  const owner = tx.get('vpc-endpoint', path.vpcEndpointId)?.accountId;
  const vpc = tx.get('vpc', path.vpcId);
  set('aws:vpcsourceip', path.sourceIp);
  set('aws:sourcevpc', path.vpcId);
  set('aws:sourcevpce', path.vpcEndpointId);
  set(
    'aws:sourcevpcarn',
    `arn:${call.partition}:ec2:${vpc?.region ?? call.region}:${vpc?.accountId ?? owner ?? call.accountId}:vpc/${path.vpcId}`,
  );
  if (!KNOWS_ENDPOINT_OWNER.has(call.service) || owner === undefined) return;
  set('aws:vpceaccount', owner);
  addOrganization(tx, context, 'aws:vpceorg', owner);
}

const PRINCIPAL_TYPES = {
  root: 'Account',
  user: 'User',
  'role-session': 'AssumedRole',
  'federated-user': 'FederatedUser',
  service: 'AWSService',
  anonymous: 'Anonymous',
} as const;

function addPrincipal(call: CallFacts, set: Set): void {
  const { principal } = call;
  set('aws:principaltype', PRINCIPAL_TYPES[principal.type]);
  set('aws:principalaccount', principal.accountId);
  if (principal.type === 'anonymous') return;
  // A session is known by its role here (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn).
  set('aws:principalarn', principal.roleArn ?? principal.arn);
  set('aws:userid', principal.userId);
  set('aws:username', principal.userName);
  for (const [key, value] of Object.entries(principal.tags ?? {})) set(`aws:principaltag/${key.toLowerCase()}`, value);
}

function addCredentials(tx: Transaction, call: CallFacts, accessKey: AccessKeyRow, context: MutableContext): void {
  const { owner } = accessKey;
  const set = setter(context);
  if (accessKey.sessionToken === undefined) return;
  set('aws:tokenissuetime', accessKey.createDate);
  // Long-term keys have no such key at all; temporary ones without MFA say false.
  set('aws:multifactorauthpresent', String(accessKey.mfaDate !== undefined));
  if (accessKey.mfaDate !== undefined) {
    const ageMs = call.now.getTime() - Date.parse(accessKey.mfaDate);
    set('aws:multifactorauthage', String(Math.floor(ageMs / 1000)));
  }
  if (owner.kind === 'root-session') {
    set('sts:taskpolicyarn', owner.taskPolicyArn);
    set('aws:sourceidentity', owner.sourceIdentity);
  }
  if (owner.kind !== 'role-session') return;
  set('aws:sourceidentity', owner.sourceIdentity);
  set('aws:federatedprovider', owner.federatedProvider);
  for (const [key, values] of Object.entries(owner.claims ?? {})) context.set(key, values);
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#ck_transitivetagkeys (read 2026-11-21)
  if (owner.transitiveTagKeys) context.set('sts:transitivetagkeys', owner.transitiveTagKeys);
  if (!owner.instance) return;
  const { instanceId, vpcId, privateIp, delivery } = owner.instance;
  const instance = tx.get('instance', instanceId as `i-${string}`);
  set('aws:ec2instancesourcevpc', vpcId);
  set('aws:ec2instancesourceprivateipv4', privateIp);
  set('ec2:roledelivery', delivery);
  set(
    'ec2:sourceinstancearn',
    `arn:${call.partition}:ec2:${instance?.region ?? call.region}:${accessKey.accountId}:instance/${instanceId}`,
  );
}
