// Elastic Load Balancing's errors: 400 all of them. https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/CommonErrors.html (read 2026-11-22)
// Codes are those of the API reference. Wordings that were seen in public: names that are taken, several subnets in one zone, what is in use, deletion
// protection, and `… not found`; the others have no source.

import { AwsError } from '../../errors.ts';

export function elbError(code: string, message: string): AwsError {
  return new AwsError(code, 400, message);
}

export function validationError(message: string): AwsError {
  return elbError('ValidationError', message);
}

export function invalidConfiguration(message: string): AwsError {
  return elbError('InvalidConfigurationRequest', message);
}

/** What is not served, by its name. */
export function unsupported(what: string): AwsError {
  return elbError('OperationNotPermitted', `Postern's Elastic Load Balancing does not serve ${what}.`);
}

/** @throws OperationNotPermitted for the first of these members that is given */
export function refuseMembers(operation: string, input: object, names: readonly string[]): void {
  for (const name of names) {
    const value = (input as Record<string, unknown>)[name];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    throw unsupported(`the parameter ${name} of ${operation}`);
  }
}

export function inRange(value: number | undefined, name: string, least: number, most: number): number | undefined {
  if (value === undefined) return undefined;
  if (!Number.isInteger(value) || value < least || value > most)
    throw validationError(`${name} must be between ${least} and ${most}`);
  return value;
}
