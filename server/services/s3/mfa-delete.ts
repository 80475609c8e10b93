// MFA delete: in a bucket that has it, versions are deleted for good, and versioning is changed, only with a code of an MFA device.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiFactorAuthenticationDelete.html (read 2026-11-21). At AWS the device is the root user's, which can have none here:
// so it is a device of the caller's own, of the account that owns the bucket.

import { AwsError } from '../../errors.ts';
import { acceptedStep, usedUp } from '../../mfa.ts';
import type { Call } from '../../service.ts';
import type { BucketRow } from '../../store/rows/s3.ts';
import { bareAccessDenied } from './errors.ts';

/** What a request says in `x-amz-mfa`: the device's serial number, a space, and the code that it shows. */
export interface MfaInput {
  readonly MFA?: string | undefined;
}

/**
 * Uses the code up, so ask once per request.
 * @throws AccessDenied; the words for a wrong code are without a source
 */
export function requireMfa(call: Call, bucket: BucketRow, { MFA: header }: MfaInput): void {
  if (!header) throw new AwsError('AccessDenied', 403, 'Mfa Authentication must be used for this request');
  if (call.accountId !== bucket.accountId)
    throw bareAccessDenied(`MFA delete is for the account of ${bucket.id} alone`);
  const [, serial = '', code = ''] = /^(\S+) +(\d{6})$/.exec(header.trim()) ?? [];
  const device = call.tx.get('mfa-device', serial);
  const own = device?.assigned !== undefined && device.assigned.userId === call.principal.userId;
  const step = own ? acceptedStep(device, code, call.now) : undefined;
  if (!device?.assigned || step === undefined) throw new AwsError('AccessDenied', 403, 'Invalid Mfa Authentication');
  call.tx.put('mfa-device', usedUp(device, step));
}
