// Nothing outlives a world: not its launcher's violent death, not its first process's.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const inWorld = fileURLToPath(new URL('in-world.ts', import.meta.url));
const start = (...command: string[]) =>
  spawn(process.execPath, ['--import', 'tsx', inWorld, '--', ...command], { stdio: ['pipe', 'pipe', 'inherit'] });

test('the exit status of the command passes through', async () => {
  const [code] = await once(start('sh', '-c', 'exit 7'), 'exit');
  assert.equal(code, 7);
});

test('kill -9 of the launcher ends every process of the world', { timeout: 120_000 }, async () => {
  // The world's stdout is held open by its processes alone, so its end says that all of them are gone.
  const launcher = start('sh', '-c', 'sleep 1000 & ip netns add x && echo ready; sleep 1000');
  const lines = createInterface({ input: launcher.stdout });
  const [first] = await once(lines, 'line');
  assert.equal(first, 'ready');
  launcher.kill('SIGKILL');
  await once(lines, 'close');
});

test('a world has its own processes, network and handles', async () => {
  const world = start('sh', '-c', 'echo $$; ip -o link | wc -l; ls /run | wc -l');
  const lines: string[] = [];
  for await (const line of createInterface({ input: world.stdout })) lines.push(line);
  assert.deepEqual(lines, ['1', '1', '0']);
  assert.ok(existsSync('/proc/1'));
});
