// A failure that the person can do something about: what happened and why, the exit status that scripts see, and the command that mends it.

export class OperatorError extends Error {
  readonly exitCode: number;
  readonly cure: string | undefined;

  constructor(message: string, options: { exitCode?: number; cure?: string } = {}) {
    super(message);
    this.name = 'OperatorError';
    this.exitCode = options.exitCode ?? 1;
    this.cure = options.cure;
  }
}
