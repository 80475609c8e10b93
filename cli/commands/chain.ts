// How a chain of links and what would have to change are printed: for `why` and `trace`.

import type { ChainLink, Cure } from '@postern/server/operator/api.ts';
import { spell } from '../spelling.ts';
import { answer, paint, wrap } from '../terminal.ts';

const marks = { pass: '✓', drop: '✗', none: '·' } as const;
const styles = { pass: 'green', drop: 'red', none: 'dim' } as const;
const stageWidth = 24;
const indent = 4 + stageWidth;

export function printChain(chain: readonly ChainLink[]): void {
  const width = process.stdout.columns ?? 80;
  let leg: ChainLink['leg'];
  for (const link of chain) {
    if (link.leg !== undefined && link.leg !== leg) answer(`  ${link.leg === 'forward' ? 'there' : 'and back'}`);
    else if (link.leg === undefined && leg !== undefined) answer('  at the service');
    leg = link.leg;
    const mark = paint(process.stdout, styles[link.verdict], marks[link.verdict]);
    const component = link.component === undefined || link.component === '' ? '' : `${link.component}: `;
    const code = link.code === undefined ? '' : ` (${link.code})`;
    const words = wrap(`${component}${link.because}${code}`, width - indent, indent);
    answer(`  ${mark} ${link.stage.padEnd(stageWidth - 1)} ${words}`);
    for (const statement of link.statements ?? [])
      answer(`${' '.repeat(indent)}${wrap(spaced(statement), width - indent, indent)}`);
  }
}

/** JSON on one line, with blanks to break it at. */
function spaced(value: unknown): string {
  return JSON.stringify(value, null, 1).replace(/\n\s*/g, ' ');
}

/** @param command `postern` as this person types it */
export function printCure({ plans, unsolved }: Cure, command: string): void {
  const width = process.stdout.columns ?? 80;
  if (plans.length > 0) answer(`\n${plans.length === 1 ? 'What would open it' : 'What would open it, one of'}:`);
  for (const [place, { title, steps }] of plans.entries()) {
    answer(`\n  ${plans.length === 1 ? '' : `${place + 1}. `}${paint(process.stdout, 'bold', title)}`);
    for (const { what, commands, guard, or } of steps) {
      answer(`     ${wrap(what, width - 5, 5)}`);
      if (guard !== undefined)
        answer(`     ${wrap(`(it looks like a guard, which demands ${guard}: perhaps it should stay)`, width - 5, 5)}`);
      for (const one of commands) answer(`       ${spell(one, command)}`);
      for (const other of or) {
        answer(`     ${wrap(`or ${other.what}`, width - 5, 5)}`);
        for (const one of other.commands) answer(`       ${spell(one, command)}`);
      }
    }
  }
  if (plans.length === 0 && unsolved.length > 0) {
    answer('\nNo change that is known opens it:');
    for (const because of unsolved) answer(`  ${wrap(because, width - 2, 2)}`);
  }
}
