// Tags of load balancers, target groups and listeners.

import type {
  AddTagsInput,
  AddTagsOutput,
  DescribeTagsInput,
  DescribeTagsOutput,
  RemoveTagsInput,
  RemoveTagsOutput,
  Tag,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { type Call, type Operation, operation } from '../../service.ts';
import type { LoadBalancingRows } from '../../store/rows/load-balancing.ts';
import { requestTagKeys } from '../../tag-keys.ts';
import { on, requireListener, requireLoadBalancer, requireTargetGroup } from './arns.ts';
import { elbError, validationError } from './errors.ts';

const maxTags = 50;

/** @throws ValidationError, DuplicateTagKeys, TooManyTags */
export function checkedTags(
  tags: readonly Tag[] | undefined,
  before: Record<string, string> = {},
): Record<string, string> {
  const given = new Map<string, string>();
  for (const { Key = '', Value = '' } of tags ?? []) {
    if (Key === '' || Key.length > 128 || Value.length > 256) throw validationError(`The tag '${Key}' is not valid`);
    if (/^aws:/i.test(Key)) throw validationError('Tag keys that begin with aws: are reserved');
    if (given.has(Key)) throw elbError('DuplicateTagKeys', 'A tag key was specified more than once');
    given.set(Key, Value);
  }
  const all = { ...before, ...Object.fromEntries(given) };
  if (Object.keys(all).length > maxTags)
    throw elbError('TooManyTags', 'You have reached the limit on tags per resource');
  return all;
}

type Tagged = { [K in keyof LoadBalancingRows]: { kind: K; row: LoadBalancingRows[K] } }[keyof LoadBalancingRows];

function requireTagged(call: Call, arn: string): Tagged {
  if (arn.includes(':loadbalancer/')) return { kind: 'load-balancer', row: requireLoadBalancer(call, arn) };
  if (arn.includes(':targetgroup/')) return { kind: 'target-group', row: requireTargetGroup(call, arn) };
  if (arn.includes(':listener/')) return { kind: 'listener', row: requireListener(call, arn) };
  throw validationError(`'${arn}' is not a valid resource ARN`);
}

function change(
  call: Call,
  arns: readonly string[] | undefined,
  changed: (tags: Record<string, string>) => Record<string, string>,
): void {
  for (const { kind, row } of (arns ?? []).map((arn) => requireTagged(call, arn)))
    call.tx.put(kind, { ...row, tags: changed(row.tags) } as never);
}

export const tagOperations = {
  AddTags: operation<AddTagsInput, AddTagsOutput>({
    authorize: (call, input) => (input.ResourceArns ?? []).map((arn) => on(call, arn, requestTagKeys(input.Tags))),
    run: (call, input) => {
      change(call, input.ResourceArns, (tags) => checkedTags(input.Tags, tags));
      return {};
    },
  }),
  RemoveTags: operation<RemoveTagsInput, RemoveTagsOutput>({
    authorize: (call, input) =>
      (input.ResourceArns ?? []).map((arn) => on(call, arn, requestTagKeys([], input.TagKeys))),
    run: (call, input) => {
      const gone = new Set(input.TagKeys ?? []);
      change(call, input.ResourceArns, (tags) =>
        Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.has(key))),
      );
      return {};
    },
  }),
  DescribeTags: operation<DescribeTagsInput, DescribeTagsOutput>({
    authorize: (call) => [on(call)],
    readOnly: true,
    run: (call, input) => ({
      TagDescriptions: (input.ResourceArns ?? []).map((ResourceArn) => ({
        ResourceArn,
        Tags: Object.entries(requireTagged(call, ResourceArn).row.tags).map(([Key, Value]) => ({ Key, Value })),
      })),
    }),
  }),
} satisfies Record<string, Operation>;
