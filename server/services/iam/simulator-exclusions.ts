// Which of a principal's policies does a simulation leave out? https://docs.aws.amazon.com/IAM/latest/APIReference/API_PolicyIdentifier.html (read 2026-11-21)
// Each identifier of the input is a question that every policy is asked. Others report (2026-09) that AWS meets a managed policy by the ARN that it would have
// without a path, and that an ARN takes no boundary away. The words of refusals are unsourced.

import type { InlinePolicyIdentifierType, PolicyIdentifier } from '@aws-sdk/client-iam';
import { compileGlob } from '@postern/policy/pattern.ts';
import { invalidInput } from './errors.ts';
import type { Holder } from './holders.ts';

/** A policy that a simulation would ask. */
export type Candidate =
  | { readonly type: 'permission-boundary' | 'scp' }
  | { readonly type: 'aws-managed' | 'user-managed'; readonly arn: string }
  | {
      readonly type: 'inline';
      readonly holderKind: Holder['kind'];
      readonly holderName: string;
      readonly policyName: string;
    };

export type Excludes = (policy: Candidate) => boolean;

export function managedPolicy(arn: string): Candidate {
  return { type: arn.includes(':iam::aws:') ? 'aws-managed' : 'user-managed', arn };
}

/** @throws AwsError InvalidInput for what identifies no policy */
export function exclusionsOf(identifiers: readonly PolicyIdentifier[] = []): Excludes {
  const questions = identifiers.map(questionOf);
  return (policy) => questions.some((excludes) => excludes(policy));
}

function questionOf({ PolicyType, PolicyArn, InlinePolicyIdentifier, ...others }: PolicyIdentifier): Excludes {
  const questions = [
    ...(PolicyType === undefined ? [] : [ofType(PolicyType)]),
    ...(PolicyArn === undefined ? [] : [byArn(PolicyArn)]),
    ...(InlinePolicyIdentifier === undefined ? [] : [byHolder(InlinePolicyIdentifier)]),
  ];
  const [question] = questions;
  if (question === undefined || questions.length > 1 || Object.keys(others).length > 0)
    throw invalidInput('A policy identifier has exactly one of PolicyType, PolicyArn and InlinePolicyIdentifier.');
  return question;
}

function ofType(type: string): Excludes {
  if (!/^(inline|aws-managed|user-managed|permission-boundary|scp|rcp)$/.test(type))
    throw invalidInput(`Invalid policy type: ${type}`);
  return (policy) => policy.type === type;
}

function byArn(arn: string): Excludes {
  if (!/^arn:[\w-]+:iam::(aws|\d{12}):policy\/[\w+=,.@*?/-]+$/.test(arn))
    throw invalidInput(`Invalid policy ARN: ${arn}`);
  const meets = wildcards(arn);
  return (policy) => 'arn' in policy && meets(policy.arn.replace(/(?<=:policy\/).*\//, ''));
}

function byHolder(named: InlinePolicyIdentifierType): Excludes {
  const { AttachmentType, AttachmentName = '', PolicyName = '' } = named;
  if (!/^(user|group|role)$/.test(AttachmentType ?? '') || !/^[\w+=,.@-]+$/.test(PolicyName))
    throw invalidInput('An inline policy identifier names one policy of a user, group or role.');
  const meets = wildcards(AttachmentName);
  return (policy) =>
    policy.type === 'inline' &&
    policy.holderKind === AttachmentType &&
    policy.policyName === PolicyName &&
    meets(policy.holderName);
}

/** `*` at most once, `?` any number of times. @throws AwsError InvalidInput */
function wildcards(pattern: string): (text: string) => boolean {
  if (pattern === '' || pattern.indexOf('*') !== pattern.lastIndexOf('*'))
    throw invalidInput(`Invalid policy identifier: ${pattern}`);
  return compileGlob(pattern);
}
