// A cloud's KMS for tests of what keys do. Used by tests only.

import { createPublicKey, type KeyObject } from 'node:crypto';
import type * as SDK from '@aws-sdk/client-kms';
import type { BaseCall } from '../../service.ts';
import type { Store } from '../../store/store.ts';
import { makeStore, runOperation } from '../../testing.ts';
import { kms } from './index.ts';

export type Made = SDK.KeyMetadata & { KeyId: string; Arn: string };

interface TestKms {
  readonly store: Store;
  run<O = Record<string, unknown>>(name: string, input?: object, overrides?: Partial<BaseCall>): Promise<O>;
  create(KeySpec: string, KeyUsage: string): Promise<Made>;
  /** One key for all tests of its kind: RSA takes its time. */
  keyFor(KeySpec: string, KeyUsage: string): Promise<Made>;
  publicKeyOf(KeyId: string): Promise<KeyObject>;
}

export function makeKms(): TestKms {
  const store = makeStore();
  const run: TestKms['run'] = (name, input = {}, overrides = {}) => runOperation(store, kms, name, input, overrides);
  const create = async (KeySpec: string, KeyUsage: string) =>
    (await run<SDK.CreateKeyResponse>('CreateKey', { KeySpec, KeyUsage })).KeyMetadata as Made;
  const made = new Map<string, Promise<Made>>();
  return {
    ...{ store, run, create },
    keyFor: (spec, usage) => {
      const known = made.get(spec + usage) ?? create(spec, usage);
      made.set(spec + usage, known);
      return known;
    },
    publicKeyOf: async (KeyId) => {
      const { PublicKey } = await run<SDK.GetPublicKeyResponse>('GetPublicKey', { KeyId });
      return createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' });
    },
  };
}
