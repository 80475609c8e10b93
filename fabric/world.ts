// The world: the namespaces that a whole cloud lives in, so that nothing of it touches the host and nothing of it outlives its first process.
// One path for root and for an ordinary user: always a user namespace, root only having the wider id map (design, facts).
//
//   launcher (host) ── sh in a new user namespace, waits for its id map ── setpriv --pdeathsig ── unshare ── COMMAND, process 1
//
// Three things end it: the launcher's death (pdeathsig; also kill -9), the launcher closing the lifeline, the death of process 1 (the kernel
// then kills the rest of the PID namespace and frees every network namespace in it).

import { type ChildProcess, execFile, type StdioOptions, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import type { Duplex } from 'node:stream';
import { promisify } from 'node:util';

export interface WorldSpec {
  readonly command: string;
  readonly args?: readonly string[];
  /** Become fd 3, 4, … of the command, in this order; at most 6. */
  readonly extraFds?: readonly (number | 'pipe' | Duplex)[];
  readonly env?: NodeJS.ProcessEnv;
  /** Defaults to a pipe as stdin, the other two are this process's own. */
  readonly stdio?: readonly ['ignore' | 'inherit' | 'pipe', 'inherit' | 'pipe', 'inherit' | 'pipe'];
  readonly cwd?: string;
}

/** `inside outside count` per line, as /proc/PID/uid_map wants it. */
export interface IdMap {
  readonly uid: readonly (readonly [inside: number, outside: number, count: number])[];
  readonly gid: readonly (readonly [inside: number, outside: number, count: number])[];
  /** Who writes it: this process itself, or the set-uid tools of package uidmap. */
  readonly writer: 'self' | 'newuidmap';
}

// $1 is the fd of the handshake. The shell holds no capability until the map is there: exec by a mapped root gives them all back.
const waitForIdMap = `
fd=$1; shift
eval "echo ready >&$fd; read -r go <&$fd" || exit 125
[ "$go" = go ] || exit 125
eval "exec $fd>&-"
exec setpriv --pdeathsig KILL unshare --net --mount --pid --fork --kill-child=KILL --propagation private -- sh -c "$@"
`;

// /run holds the handles of network namespaces and must be the world's own; /proc must show the new PID namespace.
const furnish = `
mount -t proc proc /proc && mount -t tmpfs -o mode=755 run /run && ip link set lo up || exit 125
exec "$@"
`;

/**
 * Starts a command as process 1 of a new world. Its exit status is the command's own.
 * SIGTERM to the returned process is ignored by `unshare`; end the world by closing a lifeline the command watches, or with SIGKILL.
 * Rejects when the namespaces cannot be made; `preflight` says why in the person's words.
 */
export async function enterWorld(spec: WorldSpec): Promise<ChildProcess> {
  const extraFds = spec.extraFds ?? [];
  const handshakeFd = 3 + extraFds.length;
  if (handshakeFd > 9) throw new RangeError('a world takes at most 6 extra file descriptors');
  const stdio: StdioOptions = [...(spec.stdio ?? ['pipe', 'inherit', 'inherit']), ...extraFds, 'pipe'];
  const child = spawn(
    'unshare',
    [
      '--user',
      '--',
      'sh',
      '-c',
      waitForIdMap,
      'postern-world',
      String(handshakeFd),
      furnish,
      'postern-world',
      spec.command,
      ...(spec.args ?? []),
    ],
    { stdio, env: spec.env ?? process.env, ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }) },
  );
  const handshake = child.stdio[handshakeFd] as unknown as Duplex;
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`user namespaces cannot be made here (unshare ended with ${code})`)));
    handshake.once('error', reject);
    handshake.once('data', () => resolve());
  });
  child.removeAllListeners('exit');
  if (child.pid === undefined) throw new Error('the world has no process id');
  try {
    await writeIdMap(child.pid, idMapFor());
  } catch (error) {
    handshake.destroy();
    throw error;
  }
  handshake.end('go\n');
  return child;
}

/** The map this user can have: all ids for root, a subordinate range where one is granted, else the own id alone. Pure but for its defaults. */
export function idMapFor(
  user = userInfo(),
  files = { subuid: readIfThere('/etc/subuid'), subgid: readIfThere('/etc/subgid') },
): IdMap {
  if (user.uid === 0) return { uid: identityMap('uid'), gid: identityMap('gid'), writer: 'self' };
  const uidRange = subordinateRange(files.subuid, user.username, user.uid);
  const gidRange = subordinateRange(files.subgid, user.username, user.uid);
  if (uidRange === undefined || gidRange === undefined || !existsSync('/usr/bin/newuidmap')) {
    return { uid: [[0, user.uid, 1]], gid: [[0, user.gid, 1]], writer: 'self' };
  }
  return {
    uid: [
      [0, user.uid, 1],
      [1, ...uidRange],
    ],
    gid: [
      [0, user.gid, 1],
      [1, ...gidRange],
    ],
    writer: 'newuidmap',
  };
}

/** Every id that exists here, mapped to itself; in a container that is less than all. */
function identityMap(kind: 'uid' | 'gid'): IdMap['uid'] {
  const lines = readIfThere(`/proc/self/${kind}_map`).trim().split('\n');
  return lines.map((line) => {
    const [inside = 0, , count = 1] = line.trim().split(/\s+/).map(Number);
    return [inside, inside, count] as const;
  });
}

async function writeIdMap(pid: number, map: IdMap): Promise<void> {
  if (map.writer === 'newuidmap') {
    const run = promisify(execFile);
    await run('newuidmap', [String(pid), ...map.uid.flat().map(String)]);
    await run('newgidmap', [String(pid), ...map.gid.flat().map(String)]);
    return;
  }
  // Without privilege over the groups, the kernel wants setgroups denied before it takes a gid map.
  if (process.getuid?.() !== 0) writeFileSync(`/proc/${pid}/setgroups`, 'deny');
  writeFileSync(`/proc/${pid}/uid_map`, map.uid.map((line) => line.join(' ')).join('\n'));
  writeFileSync(`/proc/${pid}/gid_map`, map.gid.map((line) => line.join(' ')).join('\n'));
}

/** The first range that /etc/subuid grants: `[first, count]`. */
function subordinateRange(text: string, name: string, id: number): readonly [number, number] | undefined {
  for (const line of text.split('\n')) {
    const [who, first, count] = line.split(':');
    if ((who === name || who === String(id)) && Number(count) > 0) return [Number(first), Number(count)];
  }
  return undefined;
}

function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
