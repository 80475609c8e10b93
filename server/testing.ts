// How does a test run one operation of a service without sockets, signatures or policies?
// A fake call around the real store: everything a handler may know, with defaults that a test overrides one by one.
// Used by tests only. `runOperation` runs no authorization: `require` allows unless a test says otherwise. `runAs` asks the real policies first.

import type { Principal } from '@postern/policy/types.ts';
import { createAuthorizer } from './authorize/authorize.ts';
import { principalOf } from './authorize/principal.ts';
import { AwsError } from './errors.ts';
import { managedPolicyDocument } from './managed-policies.ts';
import type { BaseCall, Call, Service, StreamCall } from './service.ts';
import { keyNamed } from './sessions.ts';
import { Store, type Transaction } from './store/store.ts';

export const testAccountId = '123456789012';
export const testNow = new Date('2026-11-21T08:00:00.000Z');

/** A store in memory; `first` writes the rows that the test starts from. */
export function makeStore(first: (tx: Transaction) => void = () => {}): Store {
  const store = new Store(':memory:');
  store.transact(first);
  return store;
}

export function rootPrincipal(accountId: string = testAccountId): Principal {
  return { type: 'root', accountId, arn: `arn:aws:iam::${accountId}:root`, userId: accountId };
}

/** A call with defaults: the default account's root, us-east-1, from the internet, everything allowed. */
export function makeBaseCall(overrides: Partial<BaseCall> = {}): BaseCall {
  const accountId = overrides.accountId ?? overrides.principal?.accountId ?? testAccountId;
  return {
    service: 'ec2',
    operation: 'Test',
    requestId: '00000000-0000-4000-8000-000000000000',
    region: 'us-east-1',
    partition: 'aws',
    accountId,
    principal: rootPrincipal(accountId),
    path: { kind: 'internet', sourceIp: '198.51.100.10', secure: false },
    now: testNow,
    settings: { auth: 'strict', strictImages: false, quotas: 'off', dataDirectory: '/nonexistent' },
    host: '127.0.0.1:4566',
    headers: {},
    url: '/',
    require: () => {},
    allows: () => true,
    ...overrides,
  };
}

/** What an ordinary handler is given. */
export function makeCall(tx: Transaction, overrides: Partial<BaseCall> = {}): Call {
  return { ...makeBaseCall(overrides), tx };
}

/** What a streaming handler is given. */
export function makeStreamCall(store: Store, overrides: Partial<StreamCall> = {}): StreamCall {
  return {
    ...makeBaseCall(overrides),
    transact: async (work) => {
      const { value, durable } = store.transact(work);
      await durable;
      return value;
    },
    read: (work) => store.read(work),
    ...overrides,
  };
}

/**
 * Runs one operation of either kind as the pipeline would, without identifying or authorizing: one transaction that is kept when the
 * handler returns and thrown away when it throws.
 * @returns the output, after it is durable
 * @throws what the handler throws; a missing row of the operation table is a mistake of the test
 */
export async function runOperation<O = Record<string, unknown>>(
  store: Store,
  service: Service,
  name: string,
  input: unknown = {},
  overrides: Partial<BaseCall> = {},
): Promise<O> {
  const operation = service.operations[name];
  if (!operation) throw new Error(`${service.name} has no operation ${name}`);
  const common = { service: service.name, operation: name, ...overrides };
  if (operation.kind === 'stream') return (await operation.run(makeStreamCall(store, common), input)) as O;
  const { value, durable } = store.transact((tx) => operation.run(makeCall(tx, common), input) as O);
  await durable;
  return value;
}

/**
 * Runs one operation as whoever holds an access key, with every policy asked first, as the pipeline does.
 * @param services those whose resource policies count, besides the one that is called
 */
export async function runAs<O = Record<string, unknown>>(
  store: Store,
  accessKeyId: string,
  service: Service,
  name: string,
  input: unknown = {},
  overrides: Partial<BaseCall> = {},
  services: readonly Service[] = [],
): Promise<O> {
  const operation = service.operations[name];
  if (!operation) throw new Error(`${service.name} has no operation ${name}`);
  const accessKey = store.read((tx) => keyNamed(tx, accessKeyId));
  if (!accessKey) throw new Error(`there is no key ${accessKeyId}`);
  const principal = store.read((tx) => principalOf(tx, accessKey, overrides.partition ?? 'aws'));
  if (!principal) throw new Error(`nobody holds the key ${accessKeyId}`);
  const base = makeBaseCall({
    service: service.name,
    operation: name,
    principal,
    accessKeyId,
    accessKey,
    ...overrides,
  });
  const serviceOf = (prefix: string) => services.find((one) => one.name === prefix);
  const asked = createAuthorizer({ managedPolicyDocument, serviceOf }).open(base, service, accessKey);
  const { require, allows } = asked;
  if (operation.kind === 'stream') {
    store.read((tx) => asked.authorize({ ...base, require, allows, tx }, input, operation.authorize));
    return (await operation.run(makeStreamCall(store, { ...base, require, allows }), input)) as O;
  }
  const { value, durable } = store.transact((tx) => {
    const call: Call = { ...base, require, allows, tx };
    asked.authorize(call, input, operation.authorize);
    return operation.run(call, input) as O;
  });
  await durable;
  return value;
}

/** For `assert.rejects(promise, awsError('NoSuchEntity', …))`: an AwsError with this code and, when given, this message. */
export function awsError(code: string, message?: string | RegExp): (error: unknown) => boolean {
  return (error) => {
    if (!(error instanceof AwsError)) throw error;
    const fits =
      message === undefined || (typeof message === 'string' ? error.message === message : message.test(error.message));
    if (error.code !== code || !fits) {
      throw new Error(`expected ${code} ${message ?? ''}, got ${error.code} ${error.message}`);
    }
    return true;
  };
}
