// The parts of dynalite 4 that the engine calls. It ships no types; these say what its files take and give.
// https://github.com/architect/dynalite (Apache-2.0, read 2026-11-21)

declare module 'dynalite/actions/*.js' {
  type Callback = (error: unknown, output?: unknown) => void;
  const action: (store: unknown, input: Record<string, unknown>, callback: Callback) => void;
  export default action;
}

declare module 'dynalite/validations/index.js' {
  /** A copy with the known members only. @throws an error with `statusCode` and `body` */
  export function checkTypes(input: Record<string, unknown>, types: Record<string, unknown>): Record<string, unknown>;
  /** Adds what it has parsed (`_condition` …) to the input. @throws an error with `statusCode` and `body` */
  export function checkValidations(
    input: Record<string, unknown>,
    types: Record<string, unknown>,
    custom: unknown,
    store: unknown,
  ): void;
}

declare module 'dynalite/validations/*.js' {
  export const types: Record<string, unknown>;
  export const custom: unknown;
}

declare module 'dynalite/db/index.js' {
  type Refusal = Error & { statusCode: number; body: Record<string, unknown> };
  export function lazy(stream: unknown, onError?: (error: Error) => void): unknown;
  export function validateKey(key: unknown, table: unknown): Refusal | undefined;
  export function validateItem(item: unknown, table: unknown): Refusal | undefined;
  export function createKey(key: unknown, table: unknown): string;
  export function checkConditional(input: Record<string, unknown>, item: unknown): Refusal | null | undefined;
  export function getIndexActions(
    indexes: unknown,
    before: unknown,
    item: unknown,
    table: unknown,
  ): { puts: { index: string; key: string; item: unknown }[]; deletes: { index: string; key: string }[] };
  export function validationError(message: string): Refusal;
}
