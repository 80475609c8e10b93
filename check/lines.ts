// What a result says beyond its first sentence, line by line and without colours: for JUnit and SARIF; the command's own table is in its own width.

import type { Result, Step } from './report.ts';

export function stepWords({ stage, component, because, code }: Step): string {
  return `${stage} ${component}: ${because}${code === undefined ? '' : ` (${code})`}`;
}

export function evidenceLines({ evidence, dependsOn, assumptions, live }: Result): string[] {
  const lines: string[] = [];
  if (evidence !== undefined) {
    lines.push(`${evidence.flow}${evidence.between === '' ? '' : ` (${evidence.between})`}`);
    if (evidence.deciding !== undefined) lines.push(`decided at ${stepWords(evidence.deciding)}`);
    lines.push(...evidence.mend.map((command) => `to mend it: ${command}`));
  }
  lines.push(...dependsOn.map(({ what, because }) => `depends on ${what}: ${because}`));
  lines.push(...assumptions.map((each) => `takes for granted: ${each}`));
  for (const { expected, seen, protocol, port, to } of live?.probed ?? [])
    if (seen !== 'not tried' && seen !== expected)
      lines.push(
        `packets disagree: ${protocol}${port === undefined ? '' : ` ${port}`} to ${to.address} is ${seen}, and the model says ${expected}`,
      );
  return lines;
}
