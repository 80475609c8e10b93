// A cloud of the benchmark's own: the built command on a free port, in a temporary directory.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
export const command = join(root, 'dist', 'postern.mjs');

export interface BenchCloud {
  readonly directory: string;
  readonly endpoint: string;
  readonly port: number;
  readonly environment: Readonly<Record<string, string>>;
  /** From the start of the process to the first answered request. */
  readonly firstAnswerMs: number;
  end(): Promise<void>;
}

export async function bringUp(): Promise<BenchCloud> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-bench-'));
  const startedAt = performance.now();
  const child = spawn(process.execPath, [command, 'up', '--data', directory, '--port', '0', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const greeting = await greetingOf(child);
  await answered(greeting.endpoint);
  const firstAnswerMs = performance.now() - startedAt;
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  return {
    directory,
    endpoint: greeting.endpoint,
    port: Number(new URL(greeting.endpoint).port),
    environment: greeting.environment,
    firstAnswerMs,
    end: async () => {
      child.kill('SIGTERM');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function greetingOf(child: ChildProcess): Promise<{ endpoint: string; environment: Record<string, string> }> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      try {
        resolve(JSON.parse(text) as { endpoint: string; environment: Record<string, string> });
      } catch {
        // half of it; the rest is coming
      }
    });
    child.on('exit', (code) => reject(new Error(`the cloud ended with ${code} before it answered`)));
  });
}

function answered(endpoint: string): Promise<void> {
  return new Promise((resolve, reject) => {
    http
      .get(endpoint, (response) => {
        response.resume();
        response.on('end', resolve);
      })
      .on('error', reject);
  });
}

/** Memory of every process of the cloud, instances too, in bytes, by its command: the launcher and all that descend from it. */
export function memoryOf(directory: string): { command: string; bytes: number }[] {
  const parents = new Map<number, number>();
  const found = new Set<number>();
  for (const id of readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)) {
    try {
      parents.set(id, Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1]));
      const line = readFileSync(`/proc/${id}/cmdline`, 'utf8');
      if (line.includes(directory) && line.includes(command)) found.add(id);
    } catch {
      // it ended meanwhile
    }
  }
  const belongs = (id: number): boolean => {
    const parent = parents.get(id);
    return found.has(id) || (parent !== undefined && parent > 1 && belongs(parent));
  };
  return [...parents.keys()].filter(belongs).flatMap((id) => {
    try {
      const line = readFileSync(`/proc/${id}/cmdline`, 'utf8').replaceAll('\0', ' ');
      // Proportional: a page that two processes share counts once.
      const pss = /^Pss: +(\d+) kB/m.exec(readFileSync(`/proc/${id}/smaps_rollup`, 'utf8'))?.[1];
      return [{ command: line.slice(0, 80), bytes: Number(pss ?? 0) * 1024 }];
    } catch {
      return [];
    }
  });
}

/** The server, which runs in a world of its own below the command. */
export function serverProcess(directory: string): number | undefined {
  for (const id of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const [program = '', ...words] = readFileSync(`/proc/${id}/cmdline`, 'utf8').split('\0');
      if (!program.endsWith('node') || !words.some((word) => word.endsWith('/server.mjs'))) continue;
      if (readFileSync(`/proc/${id}/environ`, 'utf8').includes(directory)) return Number(id);
    } catch {
      // it ended meanwhile
    }
  }
  return undefined;
}
