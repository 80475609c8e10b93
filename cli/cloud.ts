// Finds the running cloud and talks to its operator endpoints (`/_postern/…`). The data directory holds `run.json` (where it listens)
// and `operator-token` (who may ask); both have owner-only modes.

import { readFileSync } from 'node:fs';
import http from 'node:http';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
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

/** `--data`, POSTERN_DATA, or the XDG data directory. */
export function dataDirectory(option?: string): string {
  if (option) return resolve(option);
  const fromEnvironment = process.env['POSTERN_DATA'];
  if (fromEnvironment) return resolve(fromEnvironment);
  return join(process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'postern');
}

/** How the person started this command, for messages that tell them what to type next. */
export function commandName(): string {
  const script = process.argv[1] ?? 'postern';
  if (!script.endsWith('.mjs')) return 'postern';
  const here = `${process.cwd()}/`;
  return script.startsWith(here) ? `./${script.slice(here.length)}` : script;
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
    let run: RunFile;
    let token: string;
    try {
      run = JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8')) as RunFile;
      token = readFileSync(join(directory, 'operator-token'), 'utf8').trim();
    } catch (error) {
      const denied = (error as NodeJS.ErrnoException).code === 'EACCES';
      throw new OperatorError(
        denied
          ? `The cloud in ${directory} belongs to another user.`
          : `No cloud is running (nothing in ${directory}).`,
        { exitCode: exitCodes.notRunning, cure: `${commandName()} up` },
      );
    }
    return new Cloud(new URL(run.endpoint), token);
  }

  /**
   * One request to an operator endpoint.
   * @param path below `/_postern`, e.g. `/status`   @returns the parsed JSON
   * @throws OperatorError when the cloud does not answer, or answers with an error
   */
  async ask<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
    const response = await this.#send(method, path, body);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const value: unknown = text === '' ? {} : JSON.parse(text);
    if ((response.statusCode ?? 500) >= 400) {
      const failure = value as { message?: string; cure?: string };
      throw new OperatorError(
        failure.message ?? `The cloud answered ${response.statusCode}.`,
        failure.cure ? { cure: failure.cure } : {},
      );
    }
    return value as T;
  }

  /** Lines of JSON as they come, until the cloud ends or the caller stops reading. */
  async *lines<T>(path: string): AsyncGenerator<T> {
    const response = await this.#send('GET', path);
    let rest = '';
    response.setEncoding('utf8');
    for await (const chunk of response) {
      const parts = (rest + String(chunk)).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) if (line !== '') yield JSON.parse(line) as T;
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
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const failure = JSON.parse(Buffer.concat(chunks).toString('utf8') || '{}') as {
            message?: string;
            cure?: string;
          };
          reject(
            new OperatorError(
              failure.message ?? `The cloud answered ${response.statusCode}.`,
              failure.cure ? { cure: failure.cure } : {},
            ),
          );
        });
      });
      request.on('error', (error) => reject(this.#unreachable(error)));
      request.end();
    });
  }

  environment(): Promise<Environment> {
    return this.ask<Environment>('GET', '/env');
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

  #unreachable(error: Error): OperatorError {
    return new OperatorError(`No cloud answers at ${this.endpoint.origin} (${error.message}).`, {
      exitCode: exitCodes.notRunning,
      cure: `${commandName()} up`,
    });
  }
}
