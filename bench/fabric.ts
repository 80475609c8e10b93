// How long the kernel takes to look like the Snapshot: compile, first apply, and one changed security-group rule, for 10, 100 and 1,000 interfaces.
// Each size runs in a world of its own, with one namespace per instance that does nothing but be there.

import { spawnSync } from 'node:child_process';

export interface FabricRow {
  readonly interfaces: number;
  readonly compileMs: number;
  readonly firstApplyMs: number;
  /** Compile and apply of a Snapshot in which one rule is new; the middle of five. */
  readonly changeMs: number;
}

export function measureFabric(sizes: readonly number[], progress: (text: string) => void): FabricRow[] {
  return sizes.map((interfaces) => {
    progress(`compile and apply, ${interfaces} interfaces`);
    const args = [
      '--import',
      'tsx',
      'fabric/in-world.ts',
      '--',
      process.execPath,
      '--import',
      'tsx',
      'bench/fabric-in-world.ts',
      String(interfaces),
    ];
    const result = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (result.status !== 0) throw new Error(`${interfaces} interfaces: ${result.stderr}`);
    return JSON.parse(result.stdout) as FabricRow;
  });
}
