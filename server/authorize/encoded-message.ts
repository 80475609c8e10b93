// The encoded message in EC2's UnauthorizedOperation: what was asked and which statements said no. sts:DecodeAuthorizationMessage reads it back.
// AWS encrypts it so that only an allowed caller learns the policy; here the form is opaque (deflate, base64url), not secret: the operator owns both sides.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html (read 2026-11-21)

import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { AuthorizationRequest, Decision } from '@postern/policy/types.ts';

const maxDecodedBytes = 1 << 20;

/** @returns text for an error message */
export function encodeAuthorizationMessage(request: AuthorizationRequest, decision: Decision): string {
  const message = {
    allowed: decision.allowed,
    explicitDeny: decision.explicit,
    matchedStatements: {
      items: decision.citations.map(({ layer, policyId, statement }) => ({
        statementId: statement.sid ?? '',
        effect: statement.effect.toUpperCase(),
        policyType: layer,
        policyId,
      })),
    },
    failures: { items: [] },
    context: {
      principal: { id: request.principal.userId, arn: request.principal.arn },
      action: request.action,
      resource: request.resource,
      conditions: {
        items: [...request.context].map(([key, values]) => ({
          key,
          values: { items: values.map((value) => ({ value })) },
        })),
      },
    },
  };
  return deflateRawSync(JSON.stringify(message)).toString('base64url');
}

/** @returns the message's JSON, or undefined when the text is no message of ours */
export function decodeAuthorizationMessage(encoded: string): string | undefined {
  try {
    const text = inflateRawSync(Buffer.from(encoded, 'base64url'), { maxOutputLength: maxDecodedBytes }).toString();
    JSON.parse(text);
    return text;
  } catch {
    return undefined;
  }
}
