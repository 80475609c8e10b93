// KMS's errors: 400 all of them. https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html (read 2026-11-21)

import { AwsError } from '../../errors.ts';

/** @param violation one, in the words of the model's constraint */
export function validationError(violation: string): AwsError {
  return new AwsError('ValidationException', 400, `1 validation error detected: ${violation}`);
}

export function invalid(message: string): AwsError {
  return new AwsError('ValidationException', 400, message);
}

/** What is no value of an enumeration, or is missing. */
export function notInEnum(value: string | undefined, member: string, values: readonly string[]): AwsError {
  return value === undefined
    ? missing(member)
    : validationError(
        `Value '${value}' at '${member}' failed to satisfy constraint: Member must satisfy enum value set: [${values.join(', ')}]`,
      );
}

export function missing(member: string): AwsError {
  return validationError(`Value null at '${member}' failed to satisfy constraint: Member must not be null`);
}

/** @returns the bytes   @throws ValidationException: none, or more than the model has */
export function checkedBytes(bytes: Uint8Array | undefined, member: string, most: number): Uint8Array {
  if (!bytes) throw missing(member);
  if (bytes.length >= 1 && bytes.length <= most) return bytes;
  const bound = bytes.length < 1 ? 'greater than or equal to 1' : `less than or equal to ${most}`;
  throw validationError(`Value at '${member}' failed to satisfy constraint: Member must have length ${bound}`);
}

/** Its message is empty at AWS too. */
export function invalidCiphertext(): AwsError {
  return new AwsError('InvalidCiphertextException', 400, '');
}

/** In the words of the API reference; what AWS prints is without a source. */
export function invalidGrantToken(): AwsError {
  return new AwsError('InvalidGrantTokenException', 400, 'The specified grant token is not valid.');
}

/** What this KMS has no machinery for, by its name. */
export function unsupported(what: string): AwsError {
  return new AwsError('UnsupportedOperationException', 400, `Postern's KMS does not serve ${what}.`);
}

/** @throws ValidationException for a list parameter outside its range */
export function checkLimit(limit: number | undefined, most: number): number {
  if (limit === undefined) return Math.min(100, most);
  if (limit < 1)
    throw validationError(
      `Value '${limit}' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1`,
    );
  if (limit > most)
    throw validationError(
      `Value '${limit}' at 'limit' failed to satisfy constraint: Member must have value less than or equal to ${most}`,
    );
  return limit;
}

export interface Paged {
  readonly Limit?: number | undefined;
  readonly Marker?: string | undefined;
}

/** One page; the marker is the place of the next. @throws InvalidMarkerException */
export function pageOf<T>(
  items: readonly T[],
  input: Paged,
  most: number,
): { readonly items: T[]; readonly Truncated: boolean; readonly NextMarker?: string } {
  const limit = checkLimit(input.Limit, most);
  const place = input.Marker === undefined ? '0' : Buffer.from(input.Marker, 'base64').toString();
  const start = Number(place);
  if (!/^\d+$/.test(place) || start > items.length)
    throw new AwsError('InvalidMarkerException', 400, 'The marker is invalid.');
  const end = start + limit;
  return end < items.length
    ? { items: items.slice(start, end), Truncated: true, NextMarker: Buffer.from(String(end)).toString('base64') }
    : { items: items.slice(start), Truncated: false };
}
