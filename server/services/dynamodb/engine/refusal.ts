// A refusal in AWS's words, as dynalite throws or answers it: an error with `statusCode` and `body`. Anything else that is thrown is a bug.

import type { EngineRefusal } from './protocol.ts';

interface DynaliteError {
  readonly statusCode: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export class Refusal extends Error {
  readonly refusal: EngineRefusal;

  constructor(code: string, message: string, fields: Record<string, unknown> = {}) {
    super(message);
    this.refusal = { code, status: 400, message, fields };
  }
}

export const validation = (message: string) => new Refusal('ValidationException', message);

/** What Postern has not, named. */
export const notServed = (operation: string, path: string) =>
  validation(`Postern does not serve the parameter ${path} of dynamodb:${operation}.`);

/** @returns undefined when the error is no refusal */
export function refusalOf(error: unknown): EngineRefusal | undefined {
  if (error instanceof Refusal) return error.refusal;
  if (!isDynaliteError(error)) return undefined;
  const { __type, message, Message, ...fields } = error.body;
  const type = String(__type);
  return {
    code: type.slice(type.indexOf('#') + 1),
    status: error.statusCode,
    message: String(message ?? Message ?? ''),
    fields,
  };
}

function isDynaliteError(error: unknown): error is DynaliteError {
  return error instanceof Error && 'statusCode' in error && 'body' in error;
}
