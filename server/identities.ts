// How are the people and machines of an account named? Unique ids, access keys and ARNs in AWS's forms.
// Prefixes: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html (read 2026-11-20). The ARN's partition is the
// request's, because IAM's rows are one per account while the same cloud serves several partitions.

import { sha256Hex } from './edge/edge.ts';
import { fewRandomBytes } from './store/randomness.ts';

const base32Letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** RFC 4648, for a number of bytes that needs no padding. */
export function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let width = 0;
  for (const byte of bytes) {
    bits = ((bits << 8) | byte) & 0xfff;
    width += 8;
    for (; width >= 5; width -= 5) text += base32Letters.charAt((bits >> (width - 5)) & 31);
  }
  return text;
}

export function randomBase32(length: number): string {
  let text = '';
  // 256 is a multiple of 32, so the remainder is even over the alphabet.
  for (const byte of fewRandomBytes(length)) text += base32Letters.charAt(byte % 32);
  return text;
}

/**
 * `AKIA…` for long-term keys, `ASIA…` for temporary ones: 20 characters. The last six follow from the others, so that a key of ours is known
 * as such when its row is gone: `--auth open` lets unknown keys in, and a deleted or expired one is not unknown but dead.
 */
export function newAccessKeyId(prefix: 'AKIA' | 'ASIA'): string {
  const body = prefix + randomBase32(10);
  return body + checkLetters(body);
}

/** Was this access key id given out by a Postern, now or ever? One in 2^30 foreign ids is taken for one. */
export function isIssuedKeyId(accessKeyId: string): boolean {
  return /^A[KS]IA[A-Z2-7]{16}$/.test(accessKeyId) && checkLetters(accessKeyId.slice(0, 14)) === accessKeyId.slice(14);
}

function checkLetters(body: string): string {
  const hash = sha256Hex(`postern access key ${body}`).slice(0, 12);
  let text = '';
  for (const byte of Buffer.from(hash, 'hex')) text += base32Letters.charAt(byte % 32);
  return text;
}

/** 40 characters of base64's alphabet, like AWS's. */
export function newSecretAccessKey(): string {
  return fewRandomBytes(30).toString('base64');
}

/** Opaque to the client. AWS's begin with this too, and are about as long. */
export function newSessionToken(): string {
  return `IQoJb3JpZ2luX2Vj${fewRandomBytes(258).toString('base64')}`;
}

export type UniqueIdPrefix = 'AIDA' | 'AROA' | 'AGPA' | 'AIPA' | 'ANPA' | 'APKA' | 'ASCA' | 'ACCA';

/**
 * A user's (AIDA), role's (AROA), group's (AGPA), instance profile's (AIPA), managed policy's (ANPA), SSH key's (APKA), server certificate's
 * (ASCA) or service credential's (ACCA) id: 21 characters.
 */
export function newUniqueId(prefix: UniqueIdPrefix): string {
  return prefix + randomBase32(17);
}

/** The key of an IAM row that has a name. */
export function nameKey(accountId: string, name: string): string {
  return `${accountId}/${name}`;
}

interface Named {
  readonly accountId: string;
  readonly path: string;
}

export function rootArn(partition: string, accountId: string): string {
  return `arn:${partition}:iam::${accountId}:root`;
}

export function userArn(partition: string, user: Named & { userName: string }): string {
  return `arn:${partition}:iam::${user.accountId}:user${user.path}${user.userName}`;
}

export function groupArn(partition: string, group: Named & { groupName: string }): string {
  return `arn:${partition}:iam::${group.accountId}:group${group.path}${group.groupName}`;
}

export function roleArn(partition: string, role: Named & { roleName: string }): string {
  return `arn:${partition}:iam::${role.accountId}:role${role.path}${role.roleName}`;
}

export function instanceProfileArn(partition: string, profile: Named & { instanceProfileName: string }): string {
  return `arn:${partition}:iam::${profile.accountId}:instance-profile${profile.path}${profile.instanceProfileName}`;
}

export function policyArn(partition: string, policy: Named & { policyName: string }): string {
  return `arn:${partition}:iam::${policy.accountId}:policy${policy.path}${policy.policyName}`;
}

/** A role session's ARN has no path: AWS leaves it out. */
export function assumedRoleArn(partition: string, accountId: string, roleName: string, sessionName: string): string {
  return `arn:${partition}:sts::${accountId}:assumed-role/${roleName}/${sessionName}`;
}

export function federatedUserArn(partition: string, accountId: string, name: string): string {
  return `arn:${partition}:sts::${accountId}:federated-user/${name}`;
}

/** Account and name out of a role's ARN (`…:role/path/name`); undefined when it is no role ARN. */
export function parseRoleArn(
  arn: string,
): { partition: string; accountId: string; path: string; roleName: string } | undefined {
  const match = /^arn:([\w-]+):iam::(\d{12}):role(\/|\/[\u0021-\u007f]+\/)([\w+=,.@-]+)$/.exec(arn);
  if (!match) return undefined;
  const [, partition = '', accountId = '', path = '', roleName = ''] = match;
  return { partition, accountId, path, roleName };
}

/** The ISO time that IAM and STS keep: AWS's are whole seconds. */
export function timestamp(now: Date): string {
  return new Date(Math.floor(now.getTime() / 1000) * 1000).toISOString();
}
