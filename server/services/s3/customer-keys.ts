// Keys that the customer brings with each request (SSE-C): which one a request has, and whether it is the object's.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html (read 2026-11-21). The bytes are encrypted with the key itself
// (blobs.ts); what is kept of it is its MD5, which is told anyway. Gap: S3 refuses such requests over plain HTTP.

import { createHash } from 'node:crypto';
import { AwsError } from '../../errors.ts';
import { invalidArgument, invalidRequest } from './errors.ts';

export interface CustomerKey {
  readonly key: Buffer;
  /** Base64. */
  readonly md5: string;
}

export interface CustomerKeyInput {
  readonly SSECustomerAlgorithm?: string | undefined;
  readonly SSECustomerKey?: string | undefined;
  readonly SSECustomerKeyMD5?: string | undefined;
  readonly ServerSideEncryption?: string | undefined;
}

/**
 * The key of a request, checked. Of one that reads, the length is not: it is another key than the object's, whatever it is (recorded).
 * @throws InvalidArgument, InvalidEncryptionAlgorithmError
 */
export function customerKeyOf(input: CustomerKeyInput, use: 'reads' | 'writes' = 'writes'): CustomerKey | undefined {
  const { SSECustomerAlgorithm: algorithm, SSECustomerKey: encoded, SSECustomerKeyMD5: md5 } = input;
  if (algorithm === undefined && encoded === undefined && md5 === undefined) return undefined;
  if (input.ServerSideEncryption !== undefined)
    throw invalidArgument(
      'Server Side Encryption with Customer provided key is incompatible with the encryption method specified',
      'x-amz-server-side-encryption',
      input.ServerSideEncryption,
    );
  if (algorithm === undefined)
    throw invalidArgument(
      'Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.',
      'x-amz-server-side-encryption',
    );
  if (algorithm !== 'AES256')
    throw new AwsError(
      'InvalidEncryptionAlgorithmError',
      400,
      'The Encryption request you specified is not valid. Supported value: AES256.',
      { fields: { ArgumentName: 'x-amz-server-side-encryption', ArgumentValue: algorithm } },
    );
  if (encoded === undefined || md5 === undefined)
    throw invalidArgument(
      'Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.',
      'x-amz-server-side-encryption',
    );
  const key = Buffer.from(encoded, 'base64');
  if (key.length !== 32 && use === 'writes')
    throw invalidArgument('The secret key was invalid for the specified algorithm.', 'x-amz-server-side-encryption');
  if (createHash('md5').update(key).digest('base64') !== md5)
    throw invalidArgument(
      'The calculated MD5 hash of the key did not match the hash that was provided.',
      'x-amz-server-side-encryption',
    );
  return { key, md5 };
}

/** The key of a copy's source, by its own names. */
export function sourceKeyOf(input: {
  readonly CopySourceSSECustomerAlgorithm?: string | undefined;
  readonly CopySourceSSECustomerKey?: string | undefined;
  readonly CopySourceSSECustomerKeyMD5?: string | undefined;
}): CustomerKey | undefined {
  const given = {
    SSECustomerAlgorithm: input.CopySourceSSECustomerAlgorithm,
    SSECustomerKey: input.CopySourceSSECustomerKey,
    SSECustomerKeyMD5: input.CopySourceSSECustomerKeyMD5,
  };
  return customerKeyOf(given, 'reads');
}

/** Whether a key opens an object. @throws InvalidRequest, AccessDenied */
export function checkOpens(object: { readonly customerKeyMd5?: string }, key: CustomerKey | undefined): void {
  if (object.customerKeyMd5 === undefined) {
    if (key) throw invalidRequest('The encryption parameters are not applicable to this object.');
    return;
  }
  if (!key)
    throw invalidRequest(
      'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.',
    );
  if (key.md5 !== object.customerKeyMd5)
    throw new AwsError(
      'AccessDenied',
      403,
      'Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.',
    );
}

/** Whether a part brings what its upload was begun with. @throws InvalidRequest */
export function checkContinues(upload: { readonly customerKeyMd5?: string }, key: CustomerKey | undefined): void {
  if (upload.customerKeyMd5 === key?.md5) return;
  // The same words where the upload asked for none and the part does (recorded).
  if (upload.customerKeyMd5 === undefined || !key)
    throw invalidRequest(
      'The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.',
    );
  throw invalidRequest('The provided encryption parameters did not match the ones used originally.');
}
