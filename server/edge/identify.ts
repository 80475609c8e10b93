// Which service, operation, protocol, region and partition is this request for? Read from the head; a query protocol's action may be in the body.
// Order: the signature's scope, the host, X-Amz-Target, the query's Action; what names nothing is S3, path style, without a signature.

import { loadService, services } from '../catalogue/catalogue.ts';
import type { OperationModel, Protocol, ServiceModel, ServiceSummary } from '../catalogue/shapes.ts';
import type { AwsError } from '../errors.ts';
import {
  type HostAddress,
  parseForm,
  partitionOf,
  type QueryPair,
  queryValue,
  type RequestHead,
  readHost,
} from './head.ts';
import {
  duplicateParameter,
  invalidUri,
  malformedQuery,
  methodNotAllowed,
  notAForm,
  serviceNotServed,
  unknownOperation,
} from './refusals.ts';
import { remember } from './remember.ts';
import { findRoute } from './routes.ts';

/** The scope of a version 4 signature: `KEY/20261121/us-east-1/ec2/aws4_request`. */
export interface SignatureScope {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

export interface Identified {
  readonly head: RequestHead;
  readonly protocol: Protocol;
  /** Undefined only when nothing says which service; then `failure` is set, or the body says it. */
  readonly service: ServiceModel | undefined;
  /** Undefined until the body is read in a query protocol, and when `failure` is set. */
  readonly operation: OperationModel | undefined;
  readonly region: string;
  readonly partition: string;
  readonly scope: SignatureScope | undefined;
  /** Path labels of a REST operation: Bucket, Key … */
  readonly labels: Readonly<Record<string, string>>;
  /** The form of a query protocol, once known. */
  readonly form: readonly QueryPair[] | undefined;
  /** Why the request cannot be served, to be answered after the signature was checked. */
  readonly failure: AwsError | undefined;
}

/** The scope in the Authorization header or the presigned query; undefined when there is none or it is malformed. */
export function readScope(head: RequestHead): SignatureScope | undefined {
  const authorization = head.headers.authorization;
  const credential =
    authorization === undefined
      ? queryValue(head, 'X-Amz-Credential')
      : authorizationPart(authorization, 'Credential=');
  return credential === undefined ? undefined : rememberedScope(credential);
}

/** One part of `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`. */
export function authorizationPart(authorization: string, name: string): string | undefined {
  const at = authorization.indexOf(name);
  if (at < 0) return undefined;
  const comma = authorization.indexOf(',', at);
  return authorization.slice(at + name.length, comma < 0 ? undefined : comma).trim();
}

const rememberedScope = remember(parseScope);

function parseScope(credential: string): SignatureScope | undefined {
  const parts = credential.split('/');
  const [accessKeyId, date, region, service, end] = parts;
  if (
    parts.length !== 5 ||
    !accessKeyId ||
    !date ||
    !/^\d{8}$/.test(date) ||
    !region ||
    !service ||
    end !== 'aws4_request'
  )
    return undefined;
  return { accessKeyId, date, region, service };
}

/** Never throws: what is wrong is in `failure`, so that it can be answered in the right protocol. */
export function identify(head: RequestHead): Identified {
  const scope = readScope(head);
  const host = readHost(head.headers.host);
  const target = head.headers['x-amz-target'];
  const region = scope?.region ?? host.region ?? 'us-east-1';
  // One object, filled in: copies of it by spread were a tenth of a small request.
  const found: Mutable<Identified> = {
    head,
    protocol: 'aws-query',
    service: undefined,
    operation: undefined,
    region,
    partition: rememberedPartition(region),
    scope,
    labels: noLabels,
    form: undefined,
    failure: undefined,
  };
  const summary = findService(head, scope, host, target);
  if (summary === 'in-body') return found;
  if (!summary) {
    found.protocol = target !== undefined ? 'aws-json-1.1' : isForm(head) ? 'aws-query' : 'rest-json';
    found.failure = serviceNotServed(found.protocol, scope?.service ?? target ?? host.service ?? '');
    return found;
  }
  const service = loadService(summary.name);
  found.service = service;
  found.protocol = service.protocol;
  switch (service.protocol) {
    case 'aws-json-1.0':
    case 'aws-json-1.1': {
      const name = target?.slice(target.lastIndexOf('.') + 1) ?? '';
      found.operation = target !== undefined && isOf(service, target) ? service.operation(name) : undefined;
      if (!found.operation) found.failure = unknownOperation(service, name);
      return found;
    }
    case 'ec2-query':
    case 'aws-query':
      return head.method === 'POST' ? found : withForm(found, service, head.query);
    case 'rest-json':
    case 'rest-xml': {
      const route = findRoute(service, head, service.bucketPaths ? host.bucket : undefined);
      if (route === 'bad-encoding') found.failure = invalidUri(service.protocol);
      else if (route === 'no-such-operation')
        found.failure =
          service.name === 's3' && isBucketPost(head, host.bucket)
            ? notAForm()
            : service.protocol === 'rest-xml'
              ? methodNotAllowed(head)
              : unknownOperation(service, head.path);
      else {
        found.operation = service.operation(route.operation);
        found.labels = route.labels;
      }
      return found;
    }
  }
}

/** While it is filled in. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const noLabels: Identified['labels'] = {};
const rememberedPartition = remember(partitionOf);

/** True when the operation is known only from the body, or the signature covers it: then it must be read before `verify`. */
export function needsBodyFirst(identified: Identified): boolean {
  return identified.protocol !== 'rest-xml' || identified.service === undefined;
}

/** Completes `identify` for a query protocol with the form in the body. */
export function identifyBody(identified: Identified, body: Uint8Array): Identified {
  if (identified.operation || identified.failure) return identified;
  if (identified.service && identified.protocol !== 'ec2-query' && identified.protocol !== 'aws-query')
    return identified;
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  const inBody = parseForm(text.trimEnd());
  const form = inBody && identified.head.query?.length ? [...identified.head.query, ...inBody] : inBody;
  if (identified.service) return withForm(identified, identified.service, form);
  const summary = serviceOfForm(form ?? []);
  if (!summary) return { ...identified, form, failure: serviceNotServed('aws-query', formValue(form, 'Action') ?? '') };
  return withForm(identified, loadService(summary.name), form);
}

function withForm(
  { head, region, partition, scope, labels }: Identified,
  service: ServiceModel,
  form: readonly QueryPair[] | undefined,
): Identified {
  const { protocol } = service;
  const known: Mutable<Identified> = {
    head,
    protocol,
    service,
    operation: undefined,
    region,
    partition,
    scope,
    labels,
    form,
    failure: undefined,
  };
  if (!form) {
    known.failure = malformedQuery(service);
    return known;
  }
  const actions = form.filter(isAction);
  const action = actions[0]?.[1] ?? '';
  if (actions.length > 1) known.failure = duplicateParameter(protocol, 'Action');
  else {
    known.operation = service.operation(action);
    if (!known.operation) known.failure = unknownOperation(service, action, formValue(form, 'Version'));
  }
  return known;
}

const isAction = ([name]: QueryPair) => name === 'Action';

function formValue(form: readonly QueryPair[] | undefined, name: string): string | undefined {
  return form?.find((pair) => pair[0] === name)?.[1];
}

/** A POST on a bucket without a sub-resource can only be a form. */
function isBucketPost(head: RequestHead, hostBucket: string | undefined): boolean {
  const path = hostBucket === undefined ? /^\/[^/]+\/?$/ : /^\/$/;
  return head.method === 'POST' && !head.query?.length && path.test(head.path);
}

function isForm(head: RequestHead): boolean {
  return head.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
}

const bySigningName = remember((name): ServiceSummary | undefined =>
  services().find((one) => one.signingNames.includes(name)),
);

function findService(
  head: RequestHead,
  scope: SignatureScope | undefined,
  host: HostAddress,
  target: string | undefined,
): ServiceSummary | 'in-body' | undefined {
  const all = services();
  if (isControl(head, host)) return all.find((one) => one.name === 's3-control');
  if (scope) return bySigningName(scope.service);
  if (host.service !== undefined) return all.find((one) => one.name === host.service);
  if (target !== undefined) return all.find((one) => isOf(one, target));
  const named = head.query && serviceOfForm(head.query);
  if (named) return named;
  if (head.method === 'POST' && head.path === '/' && isForm(head)) return 'in-body';
  return all.find((one) => one.name === 's3');
}

/** Before the prefix there may be the names of a package: botocore's is `com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101`. */
function isOf({ targetPrefix }: ServiceSummary, target: string): boolean {
  const prefix = target.slice(0, Math.max(0, target.lastIndexOf('.')));
  return prefix === targetPrefix || prefix.endsWith(`.${targetPrefix}`);
}

/** S3 Control is signed as S3 and may come to any of its hosts: its paths begin with a version, and all that is not about Outposts says whose account it is about. */
function isControl(head: RequestHead, host: HostAddress): boolean {
  return (
    head.path.startsWith('/v20180820/') &&
    (host.service === 's3-control' || head.headers['x-amz-account-id'] !== undefined)
  );
}

function serviceOfForm(form: readonly QueryPair[]): ServiceSummary | undefined {
  const action = formValue(form, 'Action');
  if (action === undefined) return undefined;
  const version = formValue(form, 'Version');
  const query = services().filter((one) => one.protocol === 'ec2-query' || one.protocol === 'aws-query');
  return query.find((one) => one.apiVersion === version) ?? query.find((one) => one.operations.includes(action));
}
