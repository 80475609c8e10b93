// A service of AWS's calls another one for somebody's resource: a log delivery writes into a bucket. Nothing is signed and no socket is involved, but
// the resource's own policy is asked as for everybody, with aws:SourceAccount and aws:SourceArn (https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html).

import type { Principal } from '@postern/policy/types.ts';
import type { Authorizer } from './authorize/authorize.ts';
import type { BaseCall, Call, Service, Settings, StreamCall } from './service.ts';
import type { AccessKeyRow } from './store/rows/iam.ts';
import type { Store } from './store/store.ts';

export interface ServiceCallerParts {
  readonly store: Store;
  readonly services: ReadonlyMap<string, Service>;
  readonly authorizer: Authorizer;
  readonly settings: Settings;
}

export interface ServiceRequest {
  readonly principal: Principal;
  /** Of a session of a role that the service has assumed. */
  readonly accessKey?: AccessKeyRow;
  readonly source?: NonNullable<BaseCall['source']>;
  readonly service: string;
  readonly operation: string;
  readonly region: string;
  readonly partition: string;
  readonly requestId: string;
  readonly now: Date;
}

export type ServiceCaller = <O = Record<string, unknown>>(request: ServiceRequest, input: object) => Promise<O>;

/** AWS's own machines; no condition on an address is meant for them. */
const path = { kind: 'internet', sourceIp: '198.18.0.1', secure: true } as const;

/** The returned function resolves when what was done is durable, and rejects as the operation answers: AccessDenied, NoSuchBucket … */
export function createServiceCaller({ store, services, authorizer, settings }: ServiceCallerParts): ServiceCaller {
  return async <O>(request: ServiceRequest, input: object): Promise<O> => {
    const { accessKey, source, ...named } = request;
    const service = services.get(request.service);
    const row = service?.operations[request.operation];
    if (!service || !row) throw new Error(`there is no operation ${request.service}:${request.operation}`);
    const facts = {
      ...named,
      accountId: request.principal.accountId,
      path,
      settings,
      host: '',
      headers: {},
      url: '',
      ...(source && { source }),
      ...(accessKey && { accessKey }),
    };
    const asked = authorizer.open(facts, service, accessKey);
    const call: BaseCall = { ...facts, require: asked.require, allows: asked.allows };
    if (row.kind === 'transaction') {
      const { value, durable } = store.transact((tx) => {
        const inside: Call = { ...call, tx };
        asked.authorize(inside, input, row.authorize);
        return row.run(inside, input) as O;
      });
      await durable;
      return value;
    }
    store.read((tx) => asked.authorize({ ...call, tx }, input, row.authorize));
    const stream: StreamCall = {
      ...call,
      transact: async (work) => {
        const { value, durable } = store.transact(work);
        await durable;
        return value;
      },
      read: (work) => store.read(work),
    };
    return (await row.run(stream, input)) as O;
  };
}
