// The encoded message in EC2's UnauthorizedOperation: what was asked and which statements said no. sts:DecodeAuthorizationMessage reads it back.
// It tells what a policy says, so only who may decode it shall read it: it is encrypted (AES-256-GCM) with a key of this cloud, for the account of the
// caller that was denied. https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html (read 2026-11-21)

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { AuthorizationRequest, Decision } from '@postern/policy/types.ts';

const maxDecodedBytes = 1 << 20;
const nonceBytes = 12;
const tagBytes = 16;

const keys = new Map<string, Buffer>();

/** Kept beside the database, so that a message is still read after a restart; where there is no such place, it is good for this process. */
function keyOf(dataDirectory: string): Buffer {
  let key = keys.get(dataDirectory);
  if (!key) {
    key = keptKey(join(dataDirectory, 'authorization-messages.key'));
    keys.set(dataDirectory, key);
  }
  return key;
}

function keptKey(file: string): Buffer {
  const made = randomBytes(32);
  try {
    writeFileSync(file, made, { mode: 0o600, flag: 'wx' });
    return made;
  } catch {
    // It is there already, or it cannot be.
  }
  try {
    const kept = readFileSync(file);
    return kept.length === made.length ? kept : made;
  } catch {
    return made;
  }
}

/** Whose messages: the cloud's directory, and the account that may decode them. */
export interface MessageScope {
  readonly dataDirectory: string;
  readonly accountId: string;
}

/** @returns text for an error message */
export function encodeAuthorizationMessage(
  scope: MessageScope,
  request: AuthorizationRequest,
  decision: Decision,
): string {
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
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', keyOf(scope.dataDirectory), nonce);
  cipher.setAAD(Buffer.from(scope.accountId));
  const body = Buffer.concat([cipher.update(deflateRawSync(JSON.stringify(message))), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
}

/** @returns the message's JSON, or undefined when the text is no message of this cloud and account */
export function decodeAuthorizationMessage(scope: MessageScope, encoded: string): string | undefined {
  try {
    const bytes = Buffer.from(encoded, 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', keyOf(scope.dataDirectory), bytes.subarray(0, nonceBytes));
    decipher.setAAD(Buffer.from(scope.accountId));
    decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
    const body = Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]);
    return inflateRawSync(body, { maxOutputLength: maxDecodedBytes }).toString();
  } catch {
    return undefined;
  }
}

/** A call's own scope. */
export function messageScope(call: {
  readonly settings: { readonly dataDirectory: string };
  readonly accountId: string;
}): MessageScope {
  return { dataDirectory: call.settings.dataDirectory, accountId: call.accountId };
}
