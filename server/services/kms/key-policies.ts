// Key policies. There is one of each key, named `default`. https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html (read 2026-11-21)
// A policy that would lock its own writer out is refused unless the writer says that it knows.

import type * as SDK from '@aws-sdk/client-kms';
import { parsePolicy } from '@postern/policy/document.ts';
import { AwsError } from '../../errors.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { KmsKeyRow } from '../../store/rows/kms.ts';
import { changeableKey, onKey, ownKey } from './access.ts';

const maxPolicyCharacters = 32_768;

const malformed = (message: string) => new AwsError('MalformedPolicyDocumentException', 400, message);

/** Everything to the account, so that IAM decides. Recorded on AWS. */
export function defaultKeyPolicy(call: Call): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Id: 'key-default-1',
    Statement: [
      {
        Sid: 'Enable IAM User Permissions',
        Effect: 'Allow',
        Principal: { AWS: `arn:${call.partition}:iam::${call.accountId}:root` },
        Action: 'kms:*',
        Resource: '*',
      },
    ],
  });
}

/**
 * Asked after the key is written with its policy, in the same transaction.
 * @throws MalformedPolicyDocumentException; the wordings of what the parser finds are without a source
 */
export function checkKeyPolicy(
  call: Call,
  key: KmsKeyRow,
  input: { readonly BypassPolicyLockoutSafetyCheck?: boolean | undefined },
): void {
  const parsed = parsePolicy(key.policy, {
    kind: 'resource',
    maxSize: maxPolicyCharacters,
    resourceFits: (resource) => resource === '*' || resource === key.id,
    principalExists: (name) => principalExists(call, name),
  });
  if (!parsed.ok)
    throw malformed(
      parsed.problem === 'principal'
        ? 'Policy contains a statement with one or more invalid principals.'
        : parsed.message,
    );
  if (input.BypassPolicyLockoutSafetyCheck !== true && !call.allows(call.tx, 'kms:PutKeyPolicy', key.id))
    throw malformed('The new key policy will not allow you to update the key policy in the future.');
}

/** Users and roles of accounts that are here must exist; other accounts are not known and taken as they are. */
function principalExists(call: Call, name: string): boolean {
  const match = /^arn:[\w-]+:iam::(\d{12}):(user|role)\/(?:.*\/)?([^/]+)$/.exec(name);
  if (!match) return true;
  const [, accountId = '', kind, principalName = ''] = match;
  if (!call.tx.get('account', accountId)) return true;
  return call.tx.get(kind === 'user' ? 'user' : 'role', `${accountId}/${principalName}`) !== undefined;
}

/** @throws NotFoundException. The wording is without a source */
function checkName(name: string | undefined): void {
  if (name !== undefined && name !== 'default') throw new AwsError('NotFoundException', 400, 'No such policy exists');
}

export const keyPolicyOperations = {
  GetKeyPolicy: operation<SDK.GetKeyPolicyRequest, SDK.GetKeyPolicyResponse>({
    authorize: onKey('kms:GetKeyPolicy'),
    readOnly: true,
    run: (call, input) => {
      checkName(input.PolicyName);
      return { Policy: ownKey(call, input).policy, PolicyName: 'default' };
    },
  }),
  PutKeyPolicy: operation<SDK.PutKeyPolicyRequest, Record<string, never>>({
    authorize: onKey('kms:PutKeyPolicy'),
    run: (call, input) => {
      checkName(input.PolicyName);
      const key = { ...changeableKey(call, input), policy: input.Policy ?? '' };
      call.tx.put('kms-key', key);
      checkKeyPolicy(call, key, input);
      return {};
    },
  }),
  ListKeyPolicies: operation<SDK.ListKeyPoliciesRequest, SDK.ListKeyPoliciesResponse>({
    authorize: onKey('kms:ListKeyPolicies'),
    readOnly: true,
    run: (call, input) => {
      ownKey(call, input);
      return { PolicyNames: ['default'], Truncated: false };
    },
  }),
} satisfies Record<string, Operation>;
