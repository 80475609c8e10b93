// What of a call's values may be in a record, and how single ones are told.

import type { Member } from '../catalogue/shapes.ts';

export type Values = Readonly<Record<string, unknown>>;

/** AWS's records have the session token of AssumeRole; here a record is for more eyes than the token. */
const secretNames: ReadonlySet<string> = new Set([
  ...['SessionToken', 'KeyMaterial', 'UserData', 'PasswordData', 'AuthenticationCode1', 'AuthenticationCode2'],
  ...['TokenCode', 'TokenValue', 'SAMLAssertion', 'WebIdentityToken', 'AddPrivateKey', 'GrantToken', 'GrantTokens'],
  ...['SSECustomerKeyMD5', 'CopySourceSSECustomerKeyMD5', 'SecretAccessKey', 'PrivateKey', 'SecretString'],
]);
/** The name of a key is none, whatever S3's model says. */
const notSecret: ReadonlySet<string> = new Set(['SSEKMSKeyId', 'KMSMasterKeyID', 'KeyId']);

export function isSecret({ name, traits }: Member): boolean {
  return secretNames.has(name) || (traits.sensitive === 1 && !notSecret.has(name));
}

/** A number, a word or a time; bytes are left out. */
export function scalar(value: unknown): unknown {
  if (value instanceof Date) return timeInWords(value);
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'object' ? undefined : value;
}

export function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Nov 22, 2026, 8:05:09 AM` */
function timeInWords(time: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = time.getUTCHours();
  const clock = `${hours % 12 || 12}:${two(time.getUTCMinutes())}:${two(time.getUTCSeconds())} ${hours < 12 ? 'AM' : 'PM'}`;
  return `${months[time.getUTCMonth()]} ${time.getUTCDate()}, ${time.getUTCFullYear()}, ${clock}`;
}
