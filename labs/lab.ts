// What a lab is: steps that are done in order with the AWS CLI and `postern exec`, each of which says what it saw or why it failed.
// A step asserts nothing about Postern's insides: only what a person at the terminal would see.

export interface Step<C> {
  /** Named so in docs and tests, e.g. `E12`. */
  readonly id: string;
  readonly title: string;
  /** @returns the evidence, one line each   @throws StepFailed, or any error of a command that should have worked */
  readonly run: (context: C) => Promise<readonly string[]>;
}

export interface StepResult {
  readonly id: string;
  readonly title: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly evidence: readonly string[];
  readonly elapsedMs: number;
}

export class StepFailed extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StepFailed';
  }
}

/** Fails the step with what was seen instead. */
export function expect(condition: boolean, expected: string, seen: string): void {
  if (!condition) throw new StepFailed(`expected ${expected}; saw: ${seen.trim() || '(nothing)'}`);
}

/** Runs the steps in order; after the first failure the rest are skipped, for they build on one another. */
export async function runLab<C>(
  steps: readonly Step<C>[],
  context: C,
  options: { until?: string; onStart?: (step: Step<C>) => void; onEnd?: (result: StepResult) => void } = {},
): Promise<StepResult[]> {
  const results: StepResult[] = [];
  let failed = false;
  for (const step of steps) {
    const startedAt = performance.now();
    let result: StepResult;
    if (failed) {
      result = {
        id: step.id,
        title: step.title,
        outcome: 'skipped',
        evidence: ['an earlier step failed'],
        elapsedMs: 0,
      };
    } else {
      options.onStart?.(step);
      try {
        const evidence = await step.run(context);
        result = {
          id: step.id,
          title: step.title,
          outcome: 'passed',
          evidence,
          elapsedMs: performance.now() - startedAt,
        };
      } catch (error) {
        failed = true;
        const message = error instanceof Error ? error.message : String(error);
        result = {
          id: step.id,
          title: step.title,
          outcome: 'failed',
          evidence: message.split('\n'),
          elapsedMs: performance.now() - startedAt,
        };
      }
    }
    results.push(result);
    options.onEnd?.(result);
    if (step.id === options.until) break;
  }
  return results;
}
