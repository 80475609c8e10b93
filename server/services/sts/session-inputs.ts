// What may a caller ask of a session? Its name, length, policies and tags, in STS's words.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html (read 2026-11-20).

import { parsePolicy, policyLength } from '@postern/policy/document.ts';
import { Constraints } from '../../constraints.ts';
import { AwsError } from '../../errors.ts';
import type { Transaction } from '../../store/store.ts';
import { invalidParameterValue, packedPolicyTooLarge, validationError } from './errors.ts';

/** STS prints the offending value (recorded 2025: `Value 'Session1:2' at 'roleSessionName'`). */
export function constraints(): Constraints {
  return new Constraints({ showValues: true });
}

const arnPattern = /^[\t\n\r -~\u0085\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]+$/u;
const shownArnPattern =
  '[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u0085\\u00A0-\\uD7FF\\uE000-\\uFFFD\\u10000-\\u10FFFF]+';

/** The ARN of a role or provider: the pattern comes before the length, so that an empty one breaks both (public logs). */
export function arnConstraints(checks: Constraints, member: string, arn: string | undefined): Constraints {
  return checks.required(member, arn).pattern(member, arn, arnPattern, shownArnPattern).length(member, arn, 20, 2048);
}

interface InputTag {
  readonly Key?: string | undefined;
  readonly Value?: string | undefined;
}

const tagPattern = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
const shownTagPattern = '[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*';

/** Session tags as a record; keys are unique without case. */
export function checkedSessionTags(tags: readonly InputTag[] | undefined): Record<string, string> {
  const checks = constraints().count('tags', tags, 50);
  for (const [index, { Key, Value }] of (tags ?? []).entries()) {
    const member = `tags.${index + 1}.member`;
    checks.required(`${member}.key`, Key).length(`${member}.key`, Key, 1, 128);
    checks.pattern(`${member}.key`, Key, tagPattern, shownTagPattern);
    checks.required(`${member}.value`, Value).length(`${member}.value`, Value, 0, 256);
    checks.pattern(`${member}.value`, Value, tagPattern, shownTagPattern);
  }
  checks.done();
  const record: Record<string, string> = {};
  for (const { Key = '', Value = '' } of tags ?? []) {
    if (hasKey(record, Key)) {
      throw invalidParameterValue('Duplicate tag keys found. Please note that Tag keys are case insensitive.');
    }
    record[Key] = Value;
  }
  return record;
}

function hasKey(record: Readonly<Record<string, string>>, key: string): boolean {
  return Object.keys(record).some((one) => one.toLowerCase() === key.toLowerCase());
}

/**
 * The tags of a new session: those asked for, on top of those that the calling session hands down.
 * @throws AwsError InvalidParameterValue when a tag that is handed down would be changed, or a transitive key has no tag
 */
export function mergeSessionTags(
  asked: Readonly<Record<string, string>>,
  transitiveTagKeys: readonly string[] | undefined,
  inherited: Readonly<Record<string, string>>,
): { tags: Record<string, string>; transitiveTagKeys: string[] } {
  for (const key of transitiveTagKeys ?? []) {
    if (!hasKey(asked, key)) {
      throw invalidParameterValue('The specified transitive tag key must be included in the requested tags.');
    }
  }
  if (Object.keys(asked).some((key) => hasKey(inherited, key))) {
    throw invalidParameterValue(
      "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
    );
  }
  const wanted = new Set(transitiveTagKeys?.map((key) => key.toLowerCase()));
  return {
    tags: { ...inherited, ...asked },
    // As the tags themselves are written: a key may be asked for in another case.
    transitiveTagKeys: [
      ...Object.keys(inherited),
      ...Object.keys(asked).filter((key) => wanted.has(key.toLowerCase())),
    ],
  };
}

export interface SessionPolicies {
  readonly texts: string[];
  readonly arns: string[];
  /** How much of the packed size AWS allows is used, in percent; undefined without policies and tags. */
  readonly packedPolicySize?: number;
}

/**
 * The policies that narrow a session: one document, and up to ten managed policies of the account.
 * @param documentOfManaged the text behind an ARN of the account or of AWS; undefined when there is none
 * @param tags the session's, which share the packed size
 */
export function checkedSessionPolicies(
  input: {
    readonly Policy?: string | undefined;
    readonly PolicyArns?: readonly { arn?: string | undefined }[] | undefined;
  },
  documentOfManaged: (arn: string) => string | undefined,
  tags: Readonly<Record<string, string>>,
): SessionPolicies {
  const arns = (input.PolicyArns ?? []).map((descriptor) => descriptor.arn ?? '');
  const checks = constraints().length('policy', input.Policy, 1, 2048).count('policyArns', input.PolicyArns, 10);
  for (const [index, arn] of arns.entries()) checks.length(`policyArns.${index + 1}.member.arn`, arn, 20, 2048);
  checks.done();
  for (const arn of arns) {
    // Unsourced wording; AWS refuses ARNs of other accounts and of policies that do not exist.
    if (documentOfManaged(arn) === undefined) throw validationError(`PolicyArn ${arn} is not valid.`);
  }
  const texts = input.Policy === undefined ? [] : [input.Policy];
  for (const text of texts) {
    const parsed = parsePolicy(text, { kind: 'session' });
    if (!parsed.ok) throw new AwsError(parsed.code, 400, parsed.message);
  }
  const packedPolicySize = packedSize([...texts.map(policyLength), ...arns.map((arn) => arn.length)], tags);
  return { texts, arns, ...(packedPolicySize > 0 && { packedPolicySize }) };
}

const packedCharacters = 2048;

/**
 * AWS packs policies and tags, and does not say how: what it would say is more for tags and can be more for policies. Here each is held against the 2,048
 * characters that their plain text may have, so what is refused would be at AWS too. Messages: public logs.
 * @throws AwsError PackedPolicyTooLarge
 */
function packedSize(policies: readonly number[], tags: Readonly<Record<string, string>>): number {
  const percent = (lengths: readonly number[]) =>
    Math.ceil((lengths.reduce((sum, length) => sum + length, 0) / packedCharacters) * 100);
  const ofPolicies = percent(policies);
  if (ofPolicies > 100) {
    throw packedPolicyTooLarge(`Packed policy consumes ${ofPolicies}% of allotted space, please use smaller policy.`);
  }
  const ofTags = percent(Object.entries(tags).map(([key, value]) => key.length + value.length));
  if (ofTags > 100) throw packedPolicyTooLarge(`Packed size of session tags consumes ${ofTags}% of allotted space.`);
  return Math.min(100, ofPolicies + ofTags);
}

/** The text of a managed policy that sessions of `accountId` may use. */
export function managedDocument(
  tx: Transaction,
  accountId: string,
  awsManaged: (arn: string) => string | undefined,
): (arn: string) => string | undefined {
  return (arn) => {
    const row = tx.get('managed-policy', arn);
    if (!row) return awsManaged(arn);
    if (row.accountId !== accountId) return undefined;
    return row.versions.find((version) => version.versionId === row.defaultVersionId)?.document;
  };
}
