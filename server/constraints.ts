// How does a query service say that a parameter breaks its model's constraint? IAM and STS collect every violation into one ValidationError:
// `2 validation errors detected: Value at 'userName' failed to satisfy constraint: Member must …; Value …` (recorded on AWS 2025-03: IAM leaves the value out, STS
// prints it).

import { AwsError } from './errors.ts';

export class Constraints {
  readonly #showValues: boolean;
  readonly #violations: string[] = [];

  constructor(options: { showValues: boolean }) {
    this.#showValues = options.showValues;
  }

  required(member: string, value: unknown): this {
    if (value === undefined) {
      this.#add(member, null, 'Member must not be null');
    }
    return this;
  }

  length(member: string, value: string | undefined, least: number, most: number): this {
    if (value === undefined) return this;
    if (value.length < least) {
      this.#add(member, value, `Member must have length greater than or equal to ${least}`);
    }
    if (value.length > most) this.#add(member, value, `Member must have length less than or equal to ${most}`);
    return this;
  }

  /** The same for a list, whose value AWS prints as `[a, b]`. */
  count(member: string, values: readonly unknown[] | undefined, most: number): this {
    if (values && values.length > most) {
      this.#add(member, undefined, `Member must have length less than or equal to ${most}`);
    }
    return this;
  }

  range(member: string, value: number | undefined, least: number, most: number): this {
    if (value === undefined) return this;
    if (value < least) this.#add(member, String(value), `Member must have value greater than or equal to ${least}`);
    if (value > most) this.#add(member, String(value), `Member must have value less than or equal to ${most}`);
    return this;
  }

  /** @param shown the pattern as AWS's message writes it */
  pattern(member: string, value: string | undefined, pattern: RegExp, shown: string): this {
    if (value !== undefined && !pattern.test(value)) {
      this.#add(member, value, `Member must satisfy regular expression pattern: ${shown}`);
    }
    return this;
  }

  oneOf(member: string, value: string | undefined, allowed: readonly string[]): this {
    if (value !== undefined && !allowed.includes(value)) {
      // Recorded: IAM does not list the values, STS and older models do.
      const list = this.#showValues ? `: [${allowed.join(', ')}]` : '';
      this.#add(member, value, `Member must satisfy enum value set${list}`);
    }
    return this;
  }

  /** @throws AwsError ValidationError, 400, when anything was violated */
  done(): void {
    const count = this.#violations.length;
    if (count === 0) return;
    const errors = count === 1 ? 'error' : 'errors';
    throw new AwsError(
      'ValidationError',
      400,
      `${count} validation ${errors} detected: ${this.#violations.join('; ')}`,
    );
  }

  #add(member: string, value: string | null | undefined, constraint: string): void {
    const shown = value === undefined || !this.#showValues ? '' : value === null ? 'null ' : `'${value}' `;
    this.#violations.push(`Value ${shown}at '${member}' failed to satisfy constraint: ${constraint}`);
  }
}
