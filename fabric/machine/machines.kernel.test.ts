// Machines against the real kernel: they come up, keep their disks, end as asked, and are root of nothing but themselves (point 11 of the issue).
// Runs in a world (fabric/in-world.ts); the links to a machine are made by the test itself.

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { newSshKey } from '@postern/guest/wire/ssh-key.ts';
import type { InstanceId } from '@postern/network/snapshot.ts';
import { build } from 'esbuild';
import ssh2 from 'ssh2';
import type { MachineSpec } from '../types.ts';
import { LinuxMachines } from './machines.ts';

const guest = join(dirname(fileURLToPath(import.meta.url)), '../../guest');
const certificate = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const key = newSshKey();

let directory: string;
let machines: LinuxMachines;
const exits: string[] = [];

function specOf(id: InstanceId, more: Partial<MachineSpec> = {}): MachineSpec {
  return {
    instanceId: id,
    hostname: 'ip-10-0-0-4',
    disk: join(directory, 'disks', id),
    caCertificate: certificate,
    authorizedKeys: [key.public],
    lease: { nameServers: ['10.0.0.2'], domainName: 'ec2.internal', timeServers: [] },
    region: 'us-east-1',
    ...more,
  };
}

interface Ran {
  readonly status: number | null;
  readonly out: string;
}

async function run(id: InstanceId, ...argv: string[]): Promise<Ran> {
  const child = machines.exec(id, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk));
  child.stderr?.on('data', (chunk: Buffer) => (out += chunk));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, out };
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'postern-machines-'));
  // As the operator's data directory is: nobody else may go through it.
  chmodSync(directory, 0o700);
  mkdirSync(join(directory, 'disks'));
  writeFileSync(join(directory, 'secret'), 'the operator alone', { mode: 0o600 });
  const sshBundle = join(directory, 'ssh.mjs');
  const banner =
    "import { createRequire as __r } from 'node:module'; const require = __r(import.meta.url); globalThis.__dirname = import.meta.dirname;";
  await build({
    entryPoints: [join(guest, 'ssh.ts')],
    outfile: sshBundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: { js: banner },
    logLevel: 'error',
  });
  machines = new LinuxMachines({ imageDirectory: join(directory, 'image'), guestDirectory: guest, sshBundle });
  machines.onExit((id, reason) => exits.push(`${id} ${reason}`));
});

after(async () => {
  await machines.close();
  rmSync(directory, { recursive: true, force: true });
});

describe('a machine', () => {
  const id = 'i-0a' as const;

  before(async () => {
    await machines.start(specOf(id));
    machines.release(id);
  });

  test('has its name, its resolver and the CA, for a shell and for exec alike', async () => {
    assert.equal((await run(id, 'hostname')).out, 'ip-10-0-0-4\n');
    assert.match((await run(id, 'cat', '/etc/resolv.conf')).out, /^search ec2\.internal\nnameserver 10\.0\.0\.2\n/);
    assert.match((await run(id, 'tail', '-n', '3', '/etc/ssl/certs/ca-certificates.crt')).out, /MIIB/);
    const bundle = '/etc/ssl/certs/ca-certificates.crt\n';
    assert.equal((await run(id, 'printenv', 'AWS_CA_BUNDLE')).out, bundle);
    assert.equal((await run(id, 'env', '-i', 'bash', '-lc', 'echo $AWS_CA_BUNDLE')).out, bundle);
    assert.equal((await run(id, 'sh', '-c', 'sudo touch x.txt && ls')).out, 'x.txt\n');
  });

  test('shows the prompt of Amazon Linux', async () => {
    const child = machines.exec(id, ['script', '-qec', 'bash -li', '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] });
    let out = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      out += chunk;
      if (out.includes('$ ')) child.stdin?.end('exit\n');
    });
    await once(child, 'close');
    assert.match(out, /\[ec2-user@ip-10-0-0-4 ~\]\$ /);
  });

  test('passes exit status and signals of what is run in it', async () => {
    assert.equal((await run(id, 'sh', '-c', 'exit 7')).status, 7);
    assert.equal((await run(id, 'nothing-of-this-name')).status, 127);
  });

  test('reads no secret of the host and no file of the operator', async () => {
    // What the file says inside is the machine's own: not a line of the host's.
    const shadow = (await run(id, 'cat', '/etc/shadow')).out;
    for (const line of readIfAllowed('/etc/shadow').split('\n').filter(Boolean))
      assert.ok(!shadow.includes(line), 'a line of the host’s shadow file');
    for (const path of [
      join(directory, 'secret'),
      directory,
      '/work',
      '/etc/ssh/ssh_host_rsa_key',
      '/etc/ssl/private',
      '/var/lib/dpkg',
    ]) {
      assert.notEqual((await run(id, 'ls', path)).status, 0, path);
    }
    const homes = (await run(id, 'sh', '-c', 'ls /home; ls -A /tmp')).out;
    assert.equal(homes, 'ec2-user\n');
    // The whole tree, from its root and from that of each process it sees.
    const found = await run(id, 'sh', '-c', `cat /proc/[0-9]*/root${directory}/secret 2>/dev/null`);
    assert.equal(found.out, '');
  });

  test('sees and signals its own processes only', async () => {
    const pids = (await run(id, 'sh', '-c', 'ls /proc | grep -c "^[0-9]*$"')).out;
    assert.ok(Number(pids) <= 6, `${pids} processes`);
    assert.equal((await run(id, 'cat', '/proc/1/comm')).out.trim(), 'init');
    for (const pid of [process.pid, process.ppid, 99_999]) {
      if (pid > 10) assert.notEqual((await run(id, 'kill', '-0', String(pid))).status, 0, `pid ${pid}`);
    }
  });

  test('mounts and makes no device, and loads nothing into the kernel', async () => {
    const device =
      readFileSync('/proc/self/mounts', 'utf8')
        .split('\n')
        .map((line) => line.split(' ')[0] ?? '')
        .find((name) => name.startsWith('/dev/')) ?? '/dev/vda';
    assert.notEqual((await run(id, 'sh', '-c', `mkdir -p /mnt/x; mount ${device} /mnt/x`)).status, 0);
    assert.notEqual((await run(id, 'sh', '-c', 'mknod /tmp/disk b 254 0 && cat /tmp/disk')).status, 0);
    assert.notEqual((await run(id, 'sh', '-c', 'echo 1 > /proc/sys/kernel/panic')).status, 0);
    assert.notEqual((await run(id, 'sh', '-c', 'echo b > /proc/sysrq-trigger')).status, 0);
    assert.notEqual(
      (await run(id, 'sh', '-c', 'mount -o remount,rw /sys && echo 1 > /sys/kernel/profiling')).status,
      0,
    );
    assert.equal((await run(id, 'sh', '-c', 'ls /dev | grep -E "^(sd|vd|nvme|mem|kmsg|kvm|loop)"')).out, '');
  });

  test('changes nothing outside: /usr is its own copy, the shared image and the Node binary stay', async () => {
    assert.equal((await run(id, 'sh', '-c', 'echo x > /usr/bin/postern-was-here && rm /usr/bin/sudo')).status, 0);
    assert.notEqual(spawnSync('ls', ['/usr/bin/postern-was-here'], { stdio: 'ignore' }).status, 0);
    assert.ok(readFileSync(join(directory, 'image/usr/bin/sudo'), 'utf8').startsWith('#!/bin/sh'));
    assert.notEqual((await run(id, 'sh', '-c', 'echo x >> /opt/postern/bin/node')).status, 0);
    // The refusal must be the mount's, not the file's: where the operator owns the binary and has a single id, its mode would let us write.
    assert.notEqual((await run(id, 'mount', '-o', 'remount,bind,rw', '/opt/postern/bin/node')).status, 0);
  });

  test('has a network of its own: the loopback of the world is not its loopback', async () => {
    const names = (await run(id, 'ls', '/sys/class/net')).out;
    assert.equal(names, 'lo\n');
    const server = await import('node:net').then((net) => net.createServer().listen(0, '127.0.0.1'));
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    assert.notEqual((await run(id, 'bash', '-c', `echo > /dev/tcp/127.0.0.1/${port}`)).status, 0);
    server.close();
  });

  test('cannot exhaust the process ids', async () => {
    assert.equal((await run(id, 'bash', '-c', 'ulimit -Hu')).out, '4096\n');
    assert.notEqual((await run(id, 'bash', '-c', 'ulimit -Hu 5000')).status, 0);
  });

  test('other machines are out of its sight', async () => {
    const other = 'i-0b' as const;
    await machines.start(specOf(other));
    machines.release(other);
    assert.equal((await run(other, 'sh', '-c', 'echo mine > /root/file; ls /tmp')).status, 0);
    assert.notEqual((await run(id, 'cat', '/root/file')).status, 0);
    assert.equal((await run(id, 'sh', '-c', 'ls /proc/1/fd 2>/dev/null | wc -l')).out.trim() > '20', false);
    await machines.stop(other);
    assert.deepEqual(machines.running(), [id]);
  });
});

describe('the life of a machine', () => {
  test('user data runs once, at the first boot and after the network is there, and its output is on the console', async () => {
    const id = 'i-0c' as const;
    const userData = Buffer.from(
      '#!/bin/bash\necho hello from $HOME\necho more > /dev/console\necho ran >> /root/count\nexit 3\n',
    );
    await machines.start(specOf(id, { userData }));
    assert.equal((await run(id, 'ls', '/root')).out, '', 'nothing ran before the release');
    machines.release(id);
    await until('the user data ends', () => machines.consoleOutput(id).includes('user data ended with status 3'));
    const text = machines.consoleOutput(id).toString();
    assert.match(text, /hello from \/root\r?\n/);
    assert.match(text, /more\r?\n/);
    await machines.stop(id);
    assert.deepEqual(
      machines.running().filter((one) => one === id),
      [],
    );
    assert.equal(machines.consoleOutput(id).toString(), text, 'the console is still known after the stop');
    await machines.start(specOf(id, { userData }));
    machines.release(id);
    await until('it is up again', () => machines.consoleOutput(id).includes('login:'));
    assert.equal((await run(id, 'cat', '/root/count')).out, 'ran\n', 'the disk was kept and the script ran once');
    await machines.stop(id);
    await machines.destroy(id, specOf(id).disk);
    assert.throws(() => readFileSync(join(specOf(id).disk, 'console.log')));
  });

  test('user data that is not a script is refused loudly', async () => {
    const id = 'i-0d' as const;
    await machines.start(specOf(id, { userData: Buffer.from('#cloud-config\npackages: [httpd]\n') }));
    machines.release(id);
    await until('the word on the console', () =>
      machines.consoleOutput(id).includes('USER DATA WAS NOT RUN: it is a #cloud-config document'),
    );
    await machines.stop(id);
  });

  for (const [command, reason] of [
    ['sudo shutdown -h now', 'shutdown'],
    ['sudo reboot', 'reboot'],
    ['kill -9 -1; sudo poweroff', 'shutdown'],
  ] as const) {
    test(`${command} inside ends it as ${reason}`, async () => {
      const id = 'i-0e' as const;
      await machines.start(specOf(id));
      machines.release(id);
      exits.length = 0;
      await run(id, 'sh', '-c', command);
      // The shell may have killed itself, and where it has not the machine may have ended by now.
      if (command.startsWith('kill') && machines.processId(id) !== undefined)
        await run(id, 'sh', '-c', 'sudo poweroff');
      await until('its exit', () => exits.length > 0);
      assert.deepEqual(exits, [`${id} ${reason}`]);
    });
  }

  test('a machine that ignores SIGTERM is gone when its grace is over', async () => {
    const id = 'i-0f' as const;
    await machines.start(specOf(id));
    machines.release(id);
    const deaf = machines.exec(id, ['bash', '-c', 'trap "" TERM HUP; echo up; while :; do sleep 1; done'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(deaf.stdout ?? deaf, 'data');
    const pid = machines.processId(id);
    await machines.stop(id, { graceMs: 200 });
    assert.equal(machines.processId(id), undefined);
    assert.throws(() => process.kill(pid ?? 0, 0));
  });

  test('many at once all come up: the end of one maker is no end of another', async () => {
    const ids = Array.from({ length: 16 }, (_, index): InstanceId => `i-many${index}`);
    const started = await Promise.allSettled(ids.map((id) => machines.start(specOf(id))));
    await Promise.all(ids.map((id) => machines.stop(id, { graceMs: 0 })));
    assert.deepEqual(
      started.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : [])),
      [],
    );
  });

  test('a machine that cannot be made says why and leaves nothing', async () => {
    const id = 'i-10' as const;
    const disk = join(directory, 'disks', 'a-file');
    writeFileSync(disk, '');
    await assert.rejects(machines.start(specOf(id, { disk })), /EEXIST|ENOTDIR/);
    assert.deepEqual(machines.running().includes(id), false);
  });
});

describe('the death of the server', () => {
  /** Processes of this world, and of the PID namespaces below it, whose command line holds a text. */
  function alive(marker: string): string[] {
    const holds = (pid: string) => readIfAllowed(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').includes(marker);
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && holds(name));
  }

  test('kill -9 of the server leaves no process of its machines', async () => {
    const script = join(directory, 'server.mts');
    const options = { imageDirectory: join(directory, 'image-2'), guestDirectory: guest };
    const spec = specOf('i-12', { disk: join(directory, 'disks', 'i-12') });
    writeFileSync(
      script,
      `import { LinuxMachines } from ${JSON.stringify(join(guest, '../fabric/machine/machines.ts'))};
       const machines = new LinuxMachines(${JSON.stringify(options)});
       void machines.start(${JSON.stringify(spec)}).then(() => machines.exec('i-12', ['sleep', '98765.4'], { stdio: 'ignore' }));
       setInterval(() => {}, 1000);`,
    );
    // As `postern up` does it: the server is process 1 of a PID namespace.
    const tsx = fileURLToPath(import.meta.resolve('tsx'));
    const server = spawn(
      'unshare',
      ['--pid', '--fork', '--mount-proc', '--kill-child=KILL', process.execPath, '--import', tsx, script],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    await until('the machine runs', () => alive('sleep 98765.4').length > 0);
    const [first = ''] = alive(script).filter((pid) => pid !== String(server.pid));
    process.kill(Number(first), 'SIGKILL');
    await until(
      'everything is gone',
      () => alive('98765.4').length === 0 && alive('postern-machines').length === 0 + launchers,
    );
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
  });

  // Our own launcher bears the same name.
  const launchers = 1;
});

describe('ssh', () => {
  const id = 'i-11' as const;

  before(async () => {
    await machines.start(specOf(id));
    machines.release(id);
    const pid = String(machines.processId(id));
    execFileSync('ip', ['link', 'add', 'ssh0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pid]);
    execFileSync('ip', ['addr', 'add', '10.99.0.1/24', 'dev', 'ssh0']);
    execFileSync('ip', ['link', 'set', 'ssh0', 'up']);
    for (const words of ['addr add 10.99.0.2/24 dev eth0', 'link set eth0 up'])
      execFileSync('nsenter', ['-t', pid, '-n', 'ip', ...words.split(' ')]);
  });

  function login(privateKey: string, username = 'ec2-user'): Promise<ssh2.Client> {
    const client = new ssh2.Client();
    return new Promise((resolve, reject) => {
      client.once('ready', () => resolve(client));
      client.once('error', reject);
      client.connect({ host: '10.99.0.2', username, privateKey });
    });
  }

  test('a key of authorized_keys gets in, and exec gives output and status', async () => {
    const client = await login(key.private);
    const result = await new Promise((resolve, reject) => {
      client.exec('echo out; echo err >&2; pwd; exit 5', (error, channel) => {
        if (error) return reject(error);
        let out = '';
        let err = '';
        let status: unknown;
        channel.on('data', (chunk: Buffer) => (out += chunk));
        channel.stderr.on('data', (chunk: Buffer) => (err += chunk));
        channel.on('exit', (code: number) => {
          status = code;
        });
        channel.on('close', () => resolve({ out, err, status }));
      });
    });
    assert.deepEqual(result, { out: 'out\n/home/ec2-user\n', err: 'err\n', status: 5 });
    client.end();
  });

  test('another key does not, nor does another user', async () => {
    await assert.rejects(login(newSshKey().private), /authentication/i);
    await assert.rejects(login(key.private, 'daemon'), /authentication/i);
  });

  test('a shell has a terminal of the size that was asked, and follows it', async () => {
    const client = await login(key.private);
    const text = await new Promise<string>((resolve, reject) => {
      client.shell({ term: 'xterm', cols: 101, rows: 33 }, (error, channel) => {
        if (error) return reject(error);
        let out = '';
        let asked = false;
        channel.on('data', (chunk: Buffer) => {
          out += chunk;
          if (!asked && out.includes('$ ')) {
            asked = true;
            channel.write('stty size; exit\n');
          }
        });
        channel.on('close', () => resolve(out));
      });
    });
    assert.match(text, /\[ec2-user@ip-10-0-0-4 ~\]\$ /);
    assert.match(text, /33 101/);
    client.end();
  });
});

function readIfAllowed(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
