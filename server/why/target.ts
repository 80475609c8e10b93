// What would be asked of which service? `s3://bucket/key`, an ARN, or a service's name, with an action or the one that goes without saying.

import { factsOf } from '../authorize/facts.ts';
import { OperatorFailure } from '../operator/operator.ts';
import type { Service } from '../service.ts';
import type { Transaction } from '../store/store.ts';

export interface Target {
  readonly service: Service;
  /** Of the service's endpoint. */
  readonly region: string;
  /** Absent: only the way is asked about. */
  readonly permission?: { readonly action: string; readonly resource: string };
  /** The operation's input, as far as the target says it. */
  readonly input: Readonly<Record<string, string>>;
}

/** Whether `to` names a request to a service rather than an end of a flow. */
export function isServiceTarget(
  services: ReadonlyMap<string, Service>,
  to: string,
  action: string | undefined,
): boolean {
  return action !== undefined || to.startsWith('s3://') || to.startsWith('arn:') || services.has(to);
}

/** @param home the Region where the asking is done   @throws OperatorFailure for what is no target */
export function targetOf(
  tx: Transaction,
  services: ReadonlyMap<string, Service>,
  to: string,
  action: string | undefined,
  home: string,
): Target {
  if (action !== undefined && !/^[a-z0-9-]+:[A-Za-z]+$/.test(action))
    throw new OperatorFailure(400, `An action is SERVICE:Action, s3:GetObject say, not '${action}'.`);
  const [prefix = '', name = ''] = action?.split(':') ?? [];
  const facts = factsOf(prefix);
  if (facts && facts.action(name) === undefined) throw new OperatorFailure(400, `AWS has no action ${action}.`);
  const serviceNamed = (name: string): Service => {
    const service = services.get(name);
    if (service) return service;
    throw new OperatorFailure(404, `There is no service '${name}' here; there are ${[...services.keys()].join(', ')}.`);
  };
  const uri = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(to) ?? /^arn:[\w-]+:s3:::([^/]+)(?:\/(.*))?$/.exec(to);
  if (uri) {
    const [, bucket = '', key = ''] = uri;
    const row = tx.get('bucket', bucket);
    if (row === undefined && action !== 's3:CreateBucket')
      throw new OperatorFailure(404, `There is no bucket ${bucket}.`, 'aws s3 ls');
    const region = row?.region ?? home;
    const resource = key === '' ? `arn:aws:s3:::${bucket}` : `arn:aws:s3:::${bucket}/${key}`;
    const asked = action ?? (key === '' ? 's3:ListBucket' : 's3:GetObject');
    return {
      service: serviceNamed('s3'),
      region,
      permission: { action: asked, resource },
      input: { Bucket: bucket, ...(key !== '' && { Key: key }) },
    };
  }
  const arn = /^arn:[\w-]+:([a-z0-9-]+):([a-z0-9-]*):(\d{12}|):(.+)$/.exec(to);
  if (arn) {
    const [, name = '', region = ''] = arn;
    // A role is STS's resource when it is assumed.
    const service = serviceNamed(action === undefined ? name : prefix);
    const permission = action === undefined ? {} : { permission: { action, resource: to } };
    return { service, region: region || home, ...permission, input: {} };
  }
  if (services.has(to) && (action === undefined || prefix === to)) {
    const permission = action === undefined ? {} : { permission: { action, resource: '*' } };
    return { service: serviceNamed(to), region: home, ...permission, input: {} };
  }
  throw new OperatorFailure(
    400,
    `${to} is nothing that ${action ?? 'a request'} could be about: s3://BUCKET/KEY, an ARN, or one of ${[...services.keys()].join(', ')}.`,
  );
}

/** Operations whose permission has another name. */
const operationNames: Readonly<Record<string, string>> = {
  's3:ListBucket': 'ListObjectsV2',
  's3:ListAllMyBuckets': 'ListBuckets',
};

export function operationOf(action: string): string {
  return operationNames[action] ?? action.slice(action.indexOf(':') + 1);
}
