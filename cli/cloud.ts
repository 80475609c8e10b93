// Finds the running cloud and talks to its operator endpoints (`/_postern/…`). The data directory holds `run.json` (where it listens)
// and `operator-token` (who may ask); both have owner-only modes.

import { readFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { exitCodes, OperatorError } from './terminal.ts';

export interface RunFile {
  readonly endpoint: string;
  readonly processId: number;
  readonly startedAt: string;
}

export interface Environment {
  readonly AWS_ENDPOINT_URL: string;
  readonly AWS_ACCESS_KEY_ID: string;
  readonly AWS_SECRET_ACCESS_KEY: string;
  readonly AWS_DEFAULT_REGION: string;
}

export class Cloud {
  readonly endpoint: URL;
  readonly #token: string;

  constructor(endpoint: URL, token: string) {
    this.endpoint = endpoint;
    this.#token = token;
  }

  /** @throws OperatorError when no cloud runs on this data directory */
  static find(directory: string): Cloud {
    try {
      const run = JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8')) as RunFile;
      const token = readFileSync(join(directory, 'operator-token'), 'utf8').trim();
      // After kill -9 the file is still there, and another program may have the port: it must not be given the token.
      if (lives(run.processId)) return new Cloud(new URL(run.endpoint), token);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EACCES') {
        throw new OperatorError(`The cloud in ${directory} belongs to another user, and only that user may ask it.`, {
          exitCode: exitCodes.notRunning,
        });
      }
    }
    throw new OperatorError(`No cloud is running on ${directory}.`, {
      exitCode: exitCodes.notRunning,
      cure: 'postern up',
    });
  }

  /**
   * One request to an operator endpoint.
   * @param path below `/_postern`, e.g. `/status`   @returns the parsed JSON
   * @throws OperatorError when the cloud does not answer, or answers with an error
   */
  async ask<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
    const response = await this.#send(method, path, body);
    const { value, failure } = await this.#read(response);
    if (failure) throw failure;
    return value as T;
  }

  /** Is it still there? */
  answers(): Promise<boolean> {
    return this.ask('GET', '/status').then(
      () => true,
      (error: unknown) => !(error instanceof OperatorError && error.exitCode === exitCodes.notRunning),
    );
  }

  /** Lines of JSON as they come, until the cloud ends or the caller stops reading. */
  async *lines<T>(path: string): AsyncGenerator<T> {
    const response = await this.#send('GET', path);
    if (response.statusCode !== 200) throw (await this.#read(response)).failure ?? this.#stranger();
    let rest = '';
    response.setEncoding('utf8');
    try {
      for await (const chunk of response) {
        const parts = (rest + String(chunk)).split('\n');
        rest = parts.pop() ?? '';
        for (const line of parts) if (line !== '') yield JSON.parse(line) as T;
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') throw ended();
      throw error;
    }
  }

  /** A raw two-way stream, by HTTP Upgrade. */
  open(path: string): Promise<Duplex> {
    return new Promise((resolvePromise, reject) => {
      const request = http.request(this.#options('GET', path, { Connection: 'Upgrade', Upgrade: 'postern' }));
      request.on('upgrade', (_response, socket, head) => {
        if (head.length > 0) socket.unshift(head);
        resolvePromise(socket);
      });
      request.on('response', (response) => {
        this.#read(response).then(({ failure }) => reject(failure ?? this.#stranger()), reject);
      });
      request.on('error', (error) => reject(this.#unreachable(error)));
      request.end();
    });
  }

  /** @param accountId the default account when absent */
  environment(accountId?: string): Promise<Environment> {
    const of = accountId === undefined ? '' : `?account=${encodeURIComponent(accountId)}`;
    return this.ask<Environment>('GET', `/env${of}`);
  }

  #options(method: string, path: string, headers: Record<string, string>): http.RequestOptions {
    return {
      method,
      host: this.endpoint.hostname,
      port: this.endpoint.port,
      path: `/_postern${path}`,
      headers: { Authorization: `Bearer ${this.#token}`, ...headers },
    };
  }

  #send(method: 'GET' | 'POST', path: string, body?: unknown): Promise<http.IncomingMessage> {
    return new Promise((resolvePromise, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body);
      const headers: Record<string, string> = text === '' ? {} : { 'Content-Type': 'application/json' };
      const request = http.request(this.#options(method, path, headers), resolvePromise);
      request.on('error', (error) => reject(this.#unreachable(error)));
      request.end(text);
    });
  }

  /** The whole answer: its value, or the failure that it tells. */
  async #read(response: http.IncomingMessage): Promise<{ value: unknown; failure?: OperatorError }> {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    let value: unknown;
    try {
      value = text === '' ? {} : JSON.parse(text);
    } catch {
      throw this.#stranger();
    }
    if ((response.statusCode ?? 500) < 400) return { value };
    const { message, cure } = value as { message?: string; cure?: string };
    const words = message ?? `The cloud answered ${response.statusCode}.`;
    return { value, failure: new OperatorError(words, cure ? { cure } : {}) };
  }

  #unreachable(error: Error): OperatorError {
    return new OperatorError(`No cloud answers at ${this.endpoint.origin} (${error.message}).`, {
      exitCode: exitCodes.notRunning,
      cure: 'postern up',
    });
  }

  #stranger(): OperatorError {
    return new OperatorError(`What answers at ${this.endpoint.origin} is not Postern.`, {
      exitCode: exitCodes.notRunning,
    });
  }
}

/** The cloud went away in the middle of an answer. */
export function ended(): OperatorError {
  return new OperatorError('The cloud has ended.', { exitCode: exitCodes.notRunning, cure: 'postern up' });
}

function lives(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
