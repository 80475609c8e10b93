// How fast the differential test is with real packets: `npm run bench -- --only differential`. It runs in a world of its own (tests/differential/speed.ts).

import { spawnSync } from 'node:child_process';

export interface DifferentialRow {
  readonly networks: number;
  readonly flows: number;
  /** Applying each network over the one before. */
  readonly applyMs: number;
  /** Walking, sending, tracing and comparing the flows. */
  readonly flowsMs: number;
}

export function measureDifferential(networks: number, progress: (text: string) => void): DifferentialRow {
  progress(`differential, ${networks} random networks`);
  const node = [process.execPath, '--import', 'tsx'];
  const [command = 'node', ...args] = [...node, 'fabric/in-world.ts', '--', ...node, 'tests/differential/speed.ts'];
  const result = spawnSync(command, [...args, String(networks)], { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`differential: ${result.stderr}`);
  return JSON.parse(result.stdout) as DifferentialRow;
}
