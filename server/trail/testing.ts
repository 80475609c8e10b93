// How does a test make calls that were served, without a pipeline? Used by tests only.

import { loadService } from '../catalogue/catalogue.ts';
import type { RequestEvent } from '../operator/api.ts';
import type { RequestPath } from '../path.ts';
import { rootPrincipal, testAccountId, testNow } from '../testing.ts';
import type { ServedCall } from './api-event.ts';

export type Served = readonly [event: RequestEvent, call: ServedCall];

export interface Given {
  readonly event?: Partial<Omit<RequestEvent, 'path'>> & { readonly path?: RequestPath };
  readonly call?: Partial<ServedCall>;
}

/** `ec2:CreateVpc`, asked by the default account's root from the internet and answered. */
export function served(name: string, { event = {}, call = {} }: Given = {}): Served {
  const [service = '', operationName = ''] = name.split(':');
  const operation = loadService(service).operation(operationName);
  if (!operation) throw new Error(`there is no operation ${name}`);
  return [
    {
      time: testNow.toISOString(),
      requestId: '11111111-2222-4333-8444-555555555555',
      principalArn: 'arn:aws:iam::123456789012:root',
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      accountId: testAccountId,
      service,
      operation: operationName,
      region: 'us-east-1',
      path: { kind: 'internet', sourceIp: '198.51.100.10', secure: false },
      status: 200,
      durationMs: 1,
      userAgent: 'aws-cli/2',
      ...event,
    },
    {
      identified: {
        operation,
        partition: 'aws',
        head: { headers: { host: 'there.example', authorization: 'signed' } },
      },
      principal: rootPrincipal(),
      input: {},
      output: {},
      ...call,
    },
  ];
}
