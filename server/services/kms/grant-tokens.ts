// Tokens of grants. AWS's let a grantee use a grant before all of KMS knows it; here all of it does at once, so a token is checked and changes nothing.

import { randomBytes } from 'node:crypto';
import { invalidGrantToken } from './errors.ts';

const version = 1;
const idBytes = 32;
const randomPart = 16;

export function newGrantId(): string {
  return randomBytes(idBytes).toString('hex');
}

/** Another one each time. */
export function tokenOf(grantId: string): string {
  return Buffer.concat([Buffer.from([version]), Buffer.from(grantId, 'hex'), randomBytes(randomPart)]).toString(
    'base64',
  );
}

/** The grant that a token was made for, which may be gone. @throws InvalidGrantTokenException */
export function grantIdOf(token: string): string {
  const bytes = Buffer.from(token, 'base64');
  if (bytes[0] !== version || bytes.length !== 1 + idBytes + randomPart) throw invalidGrantToken();
  return bytes.toString('hex', 1, 1 + idBytes);
}

/** @throws InvalidGrantTokenException */
export function checkGrantTokens(tokens: readonly string[] | undefined): void {
  for (const token of tokens ?? []) grantIdOf(token);
}
