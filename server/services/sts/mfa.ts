// Is whoever asks for a session holding their MFA device? Messages as public logs show them.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html (read 2026-11-21)

import { acceptedStep, usedUp } from '../../mfa.ts';
import type { Call } from '../../service.ts';
import type { MfaDeviceRow } from '../../store/rows/iam.ts';
import { accessDenied } from './errors.ts';
import { constraints } from './session-inputs.ts';

interface MfaInput {
  readonly SerialNumber?: string | undefined;
  readonly TokenCode?: string | undefined;
}

/**
 * The device that the input names, with the code used up: keep it in the same transaction.
 * @returns undefined when no MFA was asked for
 * @throws AwsError AccessDenied, when the device is not the caller's or the code is not the one it shows
 */
export function checkedMfa(call: Call, input: MfaInput): MfaDeviceRow | undefined {
  const { SerialNumber: serial, TokenCode: code } = input;
  if (serial === undefined && code === undefined) return undefined;
  constraints()
    .length('serialNumber', serial, 9, 256)
    .length('tokenCode', code, 6, 6)
    .pattern('tokenCode', code, /^\d*$/, '[\\d]*')
    .done();
  if (serial === undefined || code === undefined) {
    throw accessDenied('MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.');
  }
  const device = call.tx.get('mfa-device', serial);
  const { userName, userId, accountId } = call.principal;
  if (
    !device?.assigned ||
    userName === undefined ||
    device.accountId !== accountId ||
    device.assigned.userId !== userId
  ) {
    throw accessDenied(
      'MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.',
    );
  }
  const step = acceptedStep(device, code, call.now);
  if (step === undefined) throw accessDenied('MultiFactorAuthentication failed with invalid MFA one time pass code. ');
  return usedUp(device, step);
}
