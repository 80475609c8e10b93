// The answer of a whole file: every assertion held against an estate, in the order of the file.

import type { Assertion } from './document.ts';
import type { Estate } from './estate.ts';
import { checkNetwork, type Ground, groundOf } from './network.ts';
import { checkPolicy } from './policy.ts';
import type { CheckReport, Result } from './report.ts';
import { Resolver } from './resolve.ts';

/** Throws nothing: what an assertion cannot be asked about is its outcome. */
export function check(estate: Estate, assertions: readonly Assertion[]): CheckReport {
  const ground = groundOf(estate, new Resolver(estate));
  return {
    results: assertions.map((assertion) => resultOf(ground, assertion)),
    unmodelled: estate.unmodelled.map(({ what, because }) => ({ what, because })),
  };
}

function resultOf(ground: Ground, assertion: Assertion): Result {
  const { name, place } = assertion;
  const { evidence, ...answer } =
    assertion.kind === 'network' ? checkNetwork(ground, assertion) : checkPolicy(ground, assertion);
  return {
    name,
    line: place.line,
    column: place.column,
    ...(place.end && { endLine: place.end.line, endColumn: place.end.column }),
    ...answer,
    ...(evidence && {
      evidence: {
        flow: evidence.flow,
        between: evidence.between,
        steps: evidence.steps,
        ...(evidence.deciding && { deciding: evidence.deciding }),
        mend: evidence.mend,
      },
    }),
  };
}
