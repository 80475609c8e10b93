// Sub-resources of a bucket that are one document: put whole, got whole, deleted whole. Who reads what is kept is another file's affair.
// The document is kept as JSON keeps it, so times are text.

import { type Call, type Operation, operation } from '../../service.ts';
import type { BucketRow } from '../../store/rows/s3.ts';
import { type BucketInput, onBucket, requireBucket } from './access.ts';
import { noSuchConfiguration } from './errors.ts';

export type ConfigurationName =
  | 'abac'
  | 'accelerate'
  | 'analytics'
  | 'cors'
  | 'encryption'
  | 'inventory'
  | 'lifecycle'
  | 'logging'
  | 'metrics'
  | 'notification'
  | 'replication'
  | 'requestPayment'
  | 'tiering'
  | 'website';

export function configurationOf<T>(bucket: BucketRow, name: ConfigurationName): T | undefined {
  return bucket.configurations?.[name] as T | undefined;
}

/** @param value undefined: it goes */
export function keepConfiguration(call: Call, bucket: BucketRow, name: ConfigurationName, value: unknown): void {
  const { [name]: _, ...others } = bucket.configurations ?? {};
  const kept = value === undefined ? others : { ...others, [name]: JSON.parse(JSON.stringify(value)) as unknown };
  call.tx.put('bucket', { ...bucket, configurations: kept });
}

/** Answers with what is kept, or with `otherwise` when nothing is. */
export function getting<T, O extends object>(
  name: ConfigurationName,
  action: string,
  answer: (kept: T) => O,
  otherwise: NoInfer<O> | readonly [code: string, message: string],
) {
  return operation<BucketInput, O>({
    authorize: onBucket(action),
    readOnly: true,
    run: (call, input) => {
      const bucket = requireBucket(call, call.tx, input);
      const kept = configurationOf<T>(bucket, name);
      if (kept !== undefined) return answer(kept);
      if (Array.isArray(otherwise)) throw noSuchConfiguration(otherwise[0], otherwise[1], bucket.id);
      return otherwise as O;
    },
  });
}

/** @param take checks what was given and says what to keep; undefined keeps nothing */
export function putting<I extends BucketInput, O extends object = Record<string, never>>(
  name: ConfigurationName,
  action: string,
  take: (call: Call, bucket: BucketRow, input: I) => unknown,
  answer: (input: I) => O = () => ({}) as O,
) {
  return operation<I, O>({
    authorize: onBucket<I>(action),
    run: (call, input) => {
      const bucket = requireBucket(call, call.tx, input);
      keepConfiguration(call, bucket, name, take(call, bucket, input));
      return answer(input);
    },
  });
}

/** A delete of what is not there succeeds, as in S3. */
export function deleting(name: ConfigurationName, action: string): Operation {
  return operation<BucketInput, Record<string, never>>({
    authorize: onBucket(action),
    run: (call, input) => {
      const bucket = requireBucket(call, call.tx, input);
      if (configurationOf(bucket, name) !== undefined) keepConfiguration(call, bucket, name, undefined);
      return {};
    },
  });
}
