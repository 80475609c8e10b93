// The other end of the wire tests: a real edge on a loopback port, and real SDK clients that call it.

import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import type { OperationModel } from '@postern/server/catalogue/shapes.ts';
import {
  type Admission,
  type Admitted,
  type Answer,
  admit,
  contextOf,
  createEdge,
  type Lookup,
  newRequestId,
  type Refused,
  renderError,
} from '@postern/server/edge/edge.ts';

export const accessKeyId = 'AKIAIOSFODNN7EXAMPLE';
export const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
export const lookup: Lookup = (id) => (id === accessKeyId ? { secretAccessKey } : undefined);

export interface Edge {
  readonly port: number;
  readonly endpoint: string;
  close(): Promise<void>;
}

export interface EdgeBehaviour {
  /** Answers what was admitted; by default nothing is refused that the edge lets in. */
  answer(admission: Admitted, requestId: string): Promise<Answer> | Answer;
  readonly lookup?: Lookup;
  readonly now?: () => Date;
  readonly onFailure?: (error: unknown) => void;
}

export async function startEdge(behaviour: EdgeBehaviour): Promise<Edge> {
  const server = createEdge({
    pathOf: () => ({ kind: 'internet', sourceIp: '127.0.0.1' as never, secure: false }),
    onBug: (error) => behaviour.onFailure?.(error),
    async handle(exchange) {
      const admission = await admit(exchange, {
        lookup: behaviour.lookup ?? lookup,
        isRegion: (name) => /^[a-z]{2}-[a-z]+-\d$/.test(name),
        now: behaviour.now?.() ?? new Date(),
      });
      const requestId = newRequestId(admission.identified.protocol);
      try {
        if (isRefused(admission)) throw admission.failure;
        return await behaviour.answer(admission, requestId);
      } catch (error) {
        behaviour.onFailure?.(error);
        return renderError(contextOf(admission), error, requestId);
      }
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    endpoint: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function isRefused(admission: Admission): admission is Refused {
  return admission.failure !== undefined;
}

/** A value as both sides can be compared: bytes as hex, times as text, streams read, absent members left out. */
export async function comparable(value: unknown): Promise<unknown> {
  if (value instanceof Date) return `Date ${value.toISOString()}`;
  if (value instanceof Readable) {
    const pieces: Buffer[] = [];
    for await (const piece of value) pieces.push(piece as Buffer);
    return `Bytes ${Buffer.concat(pieces).toString('hex')}`;
  }
  if (value instanceof Uint8Array) return `Bytes ${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value)) return Promise.all(value.map(comparable));
  if (typeof value === 'object' && value !== null) {
    const entries: [string, unknown][] = [];
    for (const [name, field] of Object.entries(value)) {
      if (field !== undefined && field !== null && name !== '$metadata') entries.push([name, await comparable(field)]);
    }
    return Object.fromEntries(entries.sort((a, b) => (a[0] < b[0] ? -1 : 1)));
  }
  return value;
}

export interface Client {
  send(command: object): Promise<Record<string, unknown>>;
  destroy(): void;
}

type Constructor<T> = new (input: object) => T;

/** A real client of a service and its commands, by the catalogue's name. */
export async function makeClient(
  service: string,
  endpoint: string,
  extra: object = {},
): Promise<{ client: Client; command(operation: OperationModel, input: object): object }> {
  const module = (await import(`@aws-sdk/client-${service === 'logs' ? 'cloudwatch-logs' : service}`)) as Record<
    string,
    unknown
  >;
  const name = Object.keys(module).find((one) => /^[A-Za-z0-9]+Client$/.test(one) && one !== '__Client');
  const make = module[name ?? ''] as Constructor<Client>;
  const client = new make({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
    forcePathStyle: true,
    disableHostPrefix: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // It would put the account in front of the address, which no resolver knows.
    ...(service === 's3-control' && { endpointProvider: () => ({ url: new URL(endpoint) }) }),
    ...extra,
  });
  return {
    client,
    command(operation, input) {
      const command = module[`${operation.name}Command`] as Constructor<object>;
      return new command(input);
    },
  };
}
