// The policy of an endpoint as it is kept: checked when it is written, as given. Rules W10, X7.

import { parsePolicy } from '@postern/policy/document.ts';
import { ec2Error, invalidCombination } from './errors.ts';

/** W10: what an endpoint allows when nobody said otherwise. */
export const defaultEndpointPolicy =
  '{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}';

/** @throws InvalidPolicyDocument */
export function checkPolicy(text: string): string {
  const parsed = parsePolicy(text, { kind: 'endpoint' });
  if (!parsed.ok) throw ec2Error(parsed.code, parsed.message);
  return text;
}

/** @throws InvalidParameterCombination, InvalidPolicyDocument */
export function changedPolicy(
  before: string,
  { PolicyDocument, ResetPolicy }: { PolicyDocument?: string | undefined; ResetPolicy?: boolean | undefined },
): string {
  if (ResetPolicy && PolicyDocument)
    throw invalidCombination('The parameter policyDocument cannot be used with the parameter resetPolicy');
  if (ResetPolicy) return defaultEndpointPolicy;
  return PolicyDocument ? checkPolicy(PolicyDocument) : before;
}
