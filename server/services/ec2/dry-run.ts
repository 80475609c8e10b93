// What does DryRun answer? The pipeline has authorized the call already (a denial is UnauthorizedOperation, as without DryRun). Then the handler runs as
// always, so that its own errors are seen, and its work is thrown away with the error DryRunOperation, HTTP 412 (F5): a transaction that throws keeps nothing.

import type { Call, Operation } from '../../service.ts';
import { dryRunOperation } from './errors.ts';

/** The same operation, answering DryRunOperation when the input has DryRun and nothing else was wrong. */
export function withDryRun(row: Operation): Operation {
  if (row.kind === 'stream') return row;
  return {
    ...row,
    run: (call: Call, input: { DryRun?: boolean }) => {
      const output: unknown = row.run(call, input);
      if (input.DryRun === true) throw dryRunOperation();
      return output;
    },
  };
}
