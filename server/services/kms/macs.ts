// Message authentication codes under HMAC keys. https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateMac.html (read 2026-11-21)
// Recorded (2024-04): the errors of another key's algorithm and of a code that does not fit.

import { createHmac, timingSafeEqual } from 'node:crypto';
import type * as SDK from '@aws-sdk/client-kms';
import { AwsError } from '../../errors.ts';
import { materialsOf } from '../../kms-keys.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { KmsKeyRow } from '../../store/rows/kms.ts';
import { dryRunnable, onKey, usableKey } from './access.ts';
import { checkedBytes } from './errors.ts';
import { checkAlgorithmName, checkUse } from './key-specs.ts';

const maxMessageBytes = 4096;
const maxMacBytes = 6144;

interface Computed {
  readonly key: KmsKeyRow;
  readonly mac: Buffer;
  readonly algorithm: SDK.MacAlgorithmSpec;
}

/** @throws ValidationException, InvalidKeyUsageException, and what `usableKey` throws */
function macOf(call: Call, input: SDK.GenerateMacRequest): Computed {
  const algorithm = checkAlgorithmName('GENERATE_VERIFY_MAC', input.MacAlgorithm, 'macAlgorithm');
  const message = checkedBytes(input.Message, 'message', maxMessageBytes);
  const key = usableKey(call, input);
  checkUse(key, 'GENERATE_VERIFY_MAC', call.operation, algorithm);
  const hash = algorithm.replace('HMAC_SHA_', 'sha');
  const mac = createHmac(hash, Buffer.from(materialsOf(key)[0], 'base64'))
    .update(message)
    .digest();
  return { key, mac, algorithm: algorithm as SDK.MacAlgorithmSpec };
}

export const macOperations = {
  GenerateMac: dryRunnable(
    operation<SDK.GenerateMacRequest, SDK.GenerateMacResponse>({
      authorize: onKey('kms:GenerateMac'),
      readOnly: true,
      run: (call, input) => {
        const { key, mac, algorithm } = macOf(call, input);
        return { KeyId: key.id, Mac: mac, MacAlgorithm: algorithm };
      },
    }),
  ),
  VerifyMac: dryRunnable(
    operation<SDK.VerifyMacRequest, SDK.VerifyMacResponse>({
      authorize: onKey('kms:VerifyMac'),
      readOnly: true,
      run: (call, input) => {
        const given = checkedBytes(input.Mac, 'mac', maxMacBytes);
        const { key, mac, algorithm } = macOf(call, input);
        if (given.length !== mac.length || !timingSafeEqual(given, mac))
          throw new AwsError('KMSInvalidMacException', 400, '');
        return { KeyId: key.id, MacValid: true, MacAlgorithm: algorithm };
      },
    }),
  ),
} satisfies Record<string, Operation>;
