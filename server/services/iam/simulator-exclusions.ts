// Which of a principal's policies does a simulation leave out? By type, by the ARN of a managed one, or inline by name and holder.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PolicyIdentifier.html (read 2026-11-21). Recorded on AWS (2026-09): a managed policy is met by the ARN that it
// would have without a path, and its ARN takes no boundary away. The words of refusals are unsourced.

import type { PolicyIdentifier } from '@aws-sdk/client-iam';
import { invalidInput } from './errors.ts';
import type { Holder } from './holders.ts';

type PolicyType = 'inline' | 'aws-managed' | 'user-managed' | 'permission-boundary' | 'scp' | 'rcp';

export interface Exclusions {
  readonly type: (type: PolicyType) => boolean;
  readonly managed: (policyArn: string) => boolean;
  readonly inline: (kind: Holder['kind'], holderName: string, policyName: string) => boolean;
}

const types: ReadonlySet<string> = new Set<PolicyType>([
  'inline',
  'aws-managed',
  'user-managed',
  'permission-boundary',
  'scp',
  'rcp',
]);

/** `*` at most once, `?` any number of times. @throws AwsError InvalidInput */
function asPattern(text: string): RegExp {
  if (text === '' || text.split('*').length > 2) throw invalidInput(`Invalid policy identifier: ${text}`);
  const escaped = text.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`);
}

const managedForm = /^arn:[\w-]+:iam::(aws|\d{12}):policy\/[\w+=,.@*?/-]+$/;
const withoutPath = (arn: string): string => arn.replace(/:policy\/.*\//, ':policy/');

/** @throws AwsError InvalidInput for what identifies no policy */
export function checkedExclusions(identifiers: readonly PolicyIdentifier[] | undefined): Exclusions {
  const left = new Set<string>();
  const arns: RegExp[] = [];
  const inline: { kind: string; holder: RegExp; policyName: string }[] = [];
  for (const identifier of identifiers ?? []) {
    const { PolicyType: type, PolicyArn: arn, InlinePolicyIdentifier: named } = identifier;
    if ([type, arn, named].filter((one) => one !== undefined).length !== 1)
      throw invalidInput('A policy identifier has exactly one of PolicyType, PolicyArn and InlinePolicyIdentifier.');
    if (type !== undefined) {
      if (!types.has(type)) throw invalidInput(`Invalid policy type: ${type}`);
      left.add(type);
    }
    if (arn !== undefined) {
      if (!managedForm.test(arn)) throw invalidInput(`Invalid policy ARN: ${arn}`);
      arns.push(asPattern(arn));
    }
    if (named !== undefined) {
      const { AttachmentType: kind = '', AttachmentName: holder = '', PolicyName: policyName = '' } = named;
      if (!/^(user|group|role)$/.test(kind) || !/^[\w+=,.@-]+$/.test(policyName))
        throw invalidInput('An inline policy identifier names one policy of a user, group or role.');
      inline.push({ kind, holder: asPattern(holder), policyName });
    }
  }
  return {
    type: (type) => left.has(type),
    managed: (policyArn) =>
      left.has(policyArn.includes(':iam::aws:') ? 'aws-managed' : 'user-managed') ||
      arns.some((pattern) => pattern.test(withoutPath(policyArn))),
    inline: (kind, holderName, policyName) =>
      left.has('inline') ||
      inline.some((one) => one.kind === kind && one.policyName === policyName && one.holder.test(holderName)),
  };
}
