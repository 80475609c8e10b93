#!/usr/bin/env node
// Where the `postern` command begins. `exec` as programs call it, in loops and beside a clock, reads its few words itself and loads nothing that it
// does not need; every other command line is commander's (program.ts). Processor time of `exec`: 36 ms above Node’s own start before, 18 after.

import { exec } from './commands/exec.ts';
import { plainExec } from './plain-exec.ts';
import { report } from './report.ts';

const plain = plainExec(process.argv.slice(2));
if (plain) {
  const { instanceId, command, options } = plain;
  process.exitCode = await exec(instanceId, command, options).catch((error: unknown) => report(error, options));
} else await import('./program.ts');
