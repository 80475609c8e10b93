// A program at a terminal of its own, by util-linux's `script`: Node has no pseudo-terminals.

import { type ChildProcess, spawn } from 'node:child_process';

export interface Terminal {
  readonly process: ChildProcess;
  resize(rows: number, cols: number): void;
  /** Takes the terminal away: what runs at it in the foreground gets SIGHUP from the kernel. */
  hangUp(): void;
}

/** @param command for /bin/sh, in whose place the program is */
export function openTerminal(
  command: string,
  { cwd, env, rows, cols }: { cwd: string; env: NodeJS.ProcessEnv; rows: number; cols: number },
): Terminal {
  let path = '';
  // The terminal's name comes on the fourth stream, once the program is about to begin.
  const inner = `stty rows ${rows} cols ${cols}; tty >&3; exec 3>&-; exec ${command}`;
  const child = spawn('script', ['-qefc', inner, '/dev/null'], { cwd, env, stdio: ['pipe', 'pipe', 'pipe', 'pipe'] });
  let wanted: { rows: number; cols: number } | undefined;
  const set = () => {
    if (path === '' || !wanted) return;
    const { rows: high, cols: wide } = wanted;
    spawn('stty', ['-F', path, 'rows', String(high), 'cols', String(wide)], { stdio: 'ignore' }).on('error', () => {});
  };
  (child.stdio[3] as NodeJS.ReadableStream | null)?.once('data', (chunk: Buffer) => {
    path = chunk.toString().trim();
    set();
  });
  return {
    process: child,
    resize(high, wide) {
      wanted = { rows: high, cols: wide };
      set();
    },
    // script blocks SIGHUP (util-linux 2.38); when it is gone, so is the terminal's other end.
    hangUp: () => child.kill('SIGKILL'),
  };
}
