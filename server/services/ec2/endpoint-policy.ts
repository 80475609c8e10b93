// The policy of an endpoint as it is kept: checked when it is written, as given. Rules W10, X7.

import { parsePolicy } from '@postern/policy/document.ts';
import { ec2Error, invalidCombination } from './errors.ts';

/** W10, X7: what an endpoint allows when nobody said otherwise, in the words of its kind; an interface endpoint's has no version (recorded 2025-07). */
export const defaultPolicies = {
  gateway: '{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}',
  interface: '{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}',
} as const;

/** @throws InvalidPolicyDocument */
export function checkPolicy(text: string): string {
  const parsed = parsePolicy(text, { kind: 'endpoint' });
  if (!parsed.ok) throw ec2Error(parsed.code, parsed.message);
  return text;
}

/** @throws InvalidParameterCombination, InvalidPolicyDocument */
export function changedPolicy(
  kind: keyof typeof defaultPolicies,
  before: string | undefined,
  { PolicyDocument, ResetPolicy }: { PolicyDocument?: string | undefined; ResetPolicy?: boolean | undefined },
): string {
  if (ResetPolicy && PolicyDocument)
    throw invalidCombination('The parameter policyDocument cannot be used with the parameter resetPolicy');
  if (PolicyDocument) return checkPolicy(PolicyDocument);
  return (ResetPolicy ? undefined : before) ?? defaultPolicies[kind];
}
