// A soak: random changes by the API on a real cloud of its own, with traffic from its instances all the time. In the end
//   1. what the kernel holds after all of them is what a cloud makes that starts anew with the same rows (nothing left over, nothing forgotten);
//   2. the server's memory has not grown since the first third, beyond a bound;
//   3. no call was answered with an error of the 500s, and the server has said nothing of a bug.
// `node --import tsx tests/soak/soak.ts --seconds 60 --seed 1`, as root, after a build. The seed decides the changes; how they meet the clock it cannot.

import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { EC2 } from '@aws-sdk/client-ec2';
import { bringUp, command, familyOf, newDirectory, type Own } from '../e2e/own-cloud.ts';
import { seeded } from '../wire/generate.ts';
import { changes } from './changes.ts';
import { difference, kernelState } from './kernel-state.ts';

export interface SoakResult {
  readonly changes: number;
  /** By AWS's code. */
  readonly refusals: Readonly<Record<string, number>>;
  /** What must be empty. */
  readonly bugs: readonly string[];
  readonly difference: readonly string[];
  /** Of the server: after each sixth of the time. */
  readonly memoryMegabytes: readonly number[];
}

/** How much of what the collector leaves may grow in the last two thirds, in megabytes: the trail's ring of 10,000 requests fills. */
export const growthBound = 60;

export const growth = ({ memoryMegabytes }: SoakResult): number =>
  (memoryMegabytes.at(-1) ?? Number.NaN) - (memoryMegabytes[1] ?? Number.NaN);

/** The collector waits until it must, which is at no time that a test can know; here it collects when it is told to. */
const collecting = {
  POSTERN_NODE_OPTIONS: `--expose-gc --import=${new URL('./collect-on-signal.mjs', import.meta.url).href}`,
};

export async function soak(seconds: number, seed: number, say: (text: string) => void = () => {}): Promise<SoakResult> {
  const directory = newDirectory();
  let own = await bringUp({ directory, environment: collecting });
  try {
    const random = seeded(seed);
    const ec2 = client(own);
    const site = { ec2, random };
    const names = Object.keys(changes);
    const refusals: Record<string, number> = {};
    const bugs: string[] = [];
    const server = serverOf(own);
    const startedAt = Date.now();
    let done = 0;
    const memoryMegabytes: number[] = [];
    while (Date.now() - startedAt < seconds * 1000) {
      const name = names[Math.floor(random() * names.length)] ?? '';
      try {
        await changes[name]?.(site);
      } catch (error) {
        const { name: code, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
        refusals[code] = (refusals[code] ?? 0) + 1;
        if (($metadata?.httpStatusCode ?? 500) >= 500) bugs.push(`${name}: ${code}: ${message}`);
      }
      done++;
      if (Date.now() - startedAt > ((memoryMegabytes.length + 1) * seconds * 1000) / 6)
        memoryMegabytes.push(await memoryOf(server));
    }
    await settled(ec2, own);
    say(`${done} changes; the server had ${memoryMegabytes.join(', ')} MB`);
    const after = kernelState(server);
    ec2.destroy();
    bugs.push(
      ...own
        .complaints()
        .split('\n')
        .filter((line) => /\bat .*:\d+:\d+|Error/.test(line)),
    );
    await own.end({ keep: true });
    own = await bringUp({ directory });
    const again = client(own);
    await settled(again, own);
    const anew = kernelState(serverOf(own));
    again.destroy();
    say(`${after.length} lines of kernel state, ${anew.length} made anew`);
    return { changes: done, refusals, bugs, difference: difference(after, anew), memoryMegabytes };
  } finally {
    await own.end();
    rmSync(directory, { recursive: true, force: true });
  }
}

function client(own: Own): EC2 {
  const accessKeyId = own.environment['AWS_ACCESS_KEY_ID'] ?? '';
  const secretAccessKey = own.environment['AWS_SECRET_ACCESS_KEY'] ?? '';
  return new EC2({
    endpoint: own.endpoint,
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey },
  });
}

/** What is left when all is collected; without the pages of files, the program's own first, which the kernel takes and brings back as it likes. */
async function memoryOf(server: number): Promise<number> {
  process.kill(server, 'SIGUSR2');
  await delay(700);
  const kilobytes = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${server}/status`, 'utf8'))?.[1];
  return Math.round(Number(kilobytes) / 1024);
}

function serverOf(own: Own): number {
  const found = familyOf(own.launcher.pid ?? 0).find((one) => /^\S*node .*\/server\.mjs/.test(one.commandLine));
  if (!found) throw new Error('the server was not found');
  return found.id;
}

/** The kernel has everything, and no instance is on its way. */
async function settled(ec2: EC2, { directory }: Own): Promise<void> {
  const moving = ['pending', 'stopping', 'shutting-down'];
  for (;;) {
    const { Reservations } = await ec2.describeInstances({
      Filters: [{ Name: 'instance-state-name', Values: moving }],
    });
    if ((Reservations ?? []).length === 0) break;
    await delay(50);
  }
  const waited = spawnSync(process.execPath, [command, 'wait'], {
    encoding: 'utf8',
    env: { ...process.env, POSTERN_DATA: directory },
  });
  if (waited.status !== 0) throw new Error(`postern wait ended with ${waited.status}: ${waited.stderr}`);
}

if (process.argv[1]?.endsWith('soak.ts')) {
  const { values } = parseArgs({ options: { seconds: { type: 'string' }, seed: { type: 'string' } } });
  const seconds = Number(values.seconds ?? 60);
  const seed = Number(values.seed ?? Date.now() % 100_000);
  process.stdout.write(`soak of ${seconds} s, seed ${seed}\n`);
  const result = await soak(seconds, seed, (text) => process.stdout.write(`${text}\n`));
  const wrong = [...result.bugs, ...result.difference, ...(growth(result) > growthBound ? ['memory has grown'] : [])];
  process.stdout.write(
    `${JSON.stringify(result.refusals)}\n${wrong.join('\n')}\n${wrong.length === 0 ? 'good' : 'NOT good'}\n`,
  );
  process.exit(wrong.length === 0 ? 0 : 1);
}
