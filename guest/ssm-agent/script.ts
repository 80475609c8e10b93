// Runs a script as root, as AWS's agent does: written to a file of its own, by sh, in a process group that a time-out or a cancellation ends whole.

import { spawn } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';

export interface Script {
  /** A directory for it, below the agent's own. */
  readonly name: string;
  readonly instanceId: string;
  readonly lines: readonly string[];
  readonly workingDirectory: string;
  readonly timeoutSeconds: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface ScriptResult {
  readonly status: 'Success' | 'Failed' | 'TimedOut' | 'Cancelled';
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly startedAt: Date;
  readonly endedAt: Date;
}

/** Where AWS's agent runs, and so its scripts. */
const defaultDirectory = '/usr/bin';
/** Ended by a time-out or a cancellation. */
const stoppedCode = 137;
const stoppedMs = 2000;
/** What goes to S3 at most; the rest of a script that never stops talking is not kept. */
const mostBytes = 16 << 20;

export function runScript(script: Script): Promise<ScriptResult> {
  const startedAt = new Date();
  const directory = `/var/lib/amazon/ssm/${script.instanceId}/document/orchestration/${script.name}`;
  mkdirSync(directory, { recursive: true });
  const file = `${directory}/_script.sh`;
  writeFileSync(file, `${script.lines.join('\n')}\n`, { mode: 0o700 });
  const given = script.workingDirectory;
  const isThere = given.startsWith('/') && statSync(given, { throwIfNoEntry: false })?.isDirectory() === true;
  return new Promise((resolve) => {
    const child = spawn('sh', ['-c', file], {
      cwd: isThere ? given : defaultDirectory,
      env: { ...process.env, ...script.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let stopped: 'TimedOut' | 'Cancelled' | undefined;
    const stop = (why: 'TimedOut' | 'Cancelled') => {
      stopped ??= why;
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has just ended by itself.
      }
      // A grandchild in a group of its own may hold the streams on.
      setTimeout(() => end(why, stoppedCode), stoppedMs).unref();
    };
    const timer = setTimeout(() => stop('TimedOut'), script.timeoutSeconds * 1000);
    const cancel = () => stop('Cancelled');
    script.signal.addEventListener('abort', cancel);
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    const end = (status: ScriptResult['status'], code: number, words = '') => {
      clearTimeout(timer);
      script.signal.removeEventListener('abort', cancel);
      const told = { stdout: stdout(), stderr: `${stderr()}${words}` };
      resolve({ status, code, ...told, startedAt, endedAt: new Date() });
    };
    child.on('error', (error) => end('Failed', 1, error.message));
    // After the last byte of both streams, also of a child that the script left behind with them: AWS's agent waits for it too.
    child.on('close', (code, signal) => {
      if (stopped) return end(stopped, stoppedCode);
      if (code === 0) return end('Success', 0);
      end('Failed', code ?? 1, `failed to run commands: ${signal ? `signal: ${signal}` : `exit status ${code}`}`);
    });
  });
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  const decoder = new StringDecoder('utf8');
  let text = '';
  stream?.on('data', (chunk: Buffer) => {
    if (text.length < mostBytes) text += decoder.write(chunk);
  });
  stream?.on('error', () => {});
  return () => text;
}
