// May the log delivery service write into a bucket, and which statements of the bucket's policy let it? CreateFlowLogs asks before there is anything to
// deliver, and adds the statements where its caller could do so.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-V2-S3.html (read 2026-11-22)

import { parsePolicy } from '@postern/policy/document.ts';
import { evaluate } from '@postern/policy/evaluate.ts';
import type { Principal } from '@postern/policy/types.ts';
import type { BucketRow } from './store/rows/s3.ts';

export const deliveryService = 'delivery.logs.amazonaws.com';
/** What deliveries are written with, and what the statements ask for. */
export const deliveryAcl = 'bucket-owner-full-control';

/** Whose logs they are. */
export interface LogSource {
  readonly accountId: string;
  readonly region: string;
  readonly partition: string;
}

/** `aws:SourceArn` of a delivery: policies have it with a `*` at the end. */
export function deliverySourceArn({ partition, region, accountId }: LogSource): string {
  return `arn:${partition}:logs:${region}:${accountId}:*`;
}

/** A service as a caller: its name is all that there is of it. */
export function servicePrincipal(serviceName: string, accountId: string): Principal {
  return { type: 'service', accountId, arn: serviceName, userId: serviceName, serviceName };
}

/** `arn:aws:s3:::BUCKET/PREFIX/`; a prefix has a slash at its end or nothing to it. Undefined: it is no such ARN, or AWSLogs is a part of the prefix. */
export function bucketAndPrefix(arn: string): { readonly bucket: string; readonly prefix: string } | undefined {
  const [, bucket, rest = ''] = /^arn:[\w-]+:s3:::([a-z0-9.-]{3,63})(?:\/(.*))?$/.exec(arn) ?? [];
  if (bucket === undefined || rest.split('/').includes('AWSLogs')) return undefined;
  return { bucket, prefix: rest === '' || rest.endsWith('/') ? rest : `${rest}/` };
}

/** @param key any key that a delivery might write */
export function mayDeliver(bucket: BucketRow, key: string, source: LogSource): boolean {
  const parsed = bucket.policy === undefined ? undefined : parsePolicy(bucket.policy, { kind: 'resource' });
  if (!parsed?.ok) return false;
  const context = new Map([
    ['s3:x-amz-acl', [deliveryAcl]],
    ['aws:sourceaccount', [source.accountId]],
    ['aws:sourcearn', [deliverySourceArn(source)]],
    ['aws:securetransport', ['true']],
    ['aws:principalisawsservice', ['true']],
    ['aws:principalservicename', [deliveryService]],
  ]);
  const request = {
    principal: servicePrincipal(deliveryService, source.accountId),
    action: 's3:PutObject',
    resource: `arn:${source.partition}:s3:::${bucket.id}/${key}`,
    resourceAccountId: bucket.accountId,
    context,
  };
  return evaluate(request, { identity: [], resource: { id: 'bucket-policy', document: parsed.document } }).allowed;
}

/** @param folder of the bucket, with its slash, that every file of theirs is in   @returns the bucket's policy with the statements that AWS adds to it */
export function withDeliveryStatements(bucket: BucketRow, folder: string, source: LogSource): string {
  const before = bucket.policy === undefined ? undefined : (JSON.parse(bucket.policy) as Record<string, unknown>);
  const statements = before?.Statement;
  const kept = (Array.isArray(statements) ? statements : statements === undefined ? [] : [statements]) as object[];
  const arn = `arn:${source.partition}:s3:::${bucket.id}`;
  const from = { 'aws:SourceAccount': source.accountId };
  const ArnLike = { 'aws:SourceArn': deliverySourceArn(source) };
  const taken = new Set(kept.map((each) => (each as { Sid?: string }).Sid));
  const free = (name: string, number = 1): string => {
    const sid = number === 1 ? name : `${name}${number - 1}`;
    return taken.has(sid) ? free(name, number + 1) : sid;
  };
  const statement = (name: string, Action: string, Resource: string, asked: object) => ({
    ...{ Sid: free(name), Effect: 'Allow', Principal: { Service: deliveryService }, Action, Resource },
    Condition: { StringEquals: asked, ArnLike },
  });
  return JSON.stringify({
    Version: '2012-10-17',
    Id: 'AWSLogDeliveryWrite20150319',
    ...before,
    Statement: [
      ...kept,
      statement('AWSLogDeliveryWrite', 's3:PutObject', `${arn}/${folder}*`, {
        ...from,
        's3:x-amz-acl': deliveryAcl,
      }),
      statement('AWSLogDeliveryAclCheck', 's3:GetBucketAcl', arn, from),
    ],
  });
}
