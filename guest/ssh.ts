// The ssh server of an instance: one process per connection, started by init with the connection as its standard input, as inetd did.
// A key is good when it is in ~ec2-user/.ssh/authorized_keys, or when the metadata service shows it as one of EC2 Instance Connect's (J1, J2).
// Offers shell, exec, pty, window size, environment (LANG, LC_*), and scp and sftp by the instance's own programs.
// Gaps: port and agent forwarding, subsystems other than sftp, the signature over Instance Connect's keys.

import { type ChildProcess, spawn } from 'node:child_process';
import { timingSafeEqual } from 'node:crypto';
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { Socket } from 'node:net';
import ssh2, { type AuthContext, type Connection, type ParsedKey, type ServerChannel, type Session } from 'ssh2';
import { openTerminal, type Terminal } from './pty.ts';
import { isReadableKey, newSshKey } from './wire/ssh-key.ts';

const hostKeyFile = '/etc/ssh/ssh_host_ed25519_key';
const users: Readonly<Record<string, { home: string }>> = {
  'ec2-user': { home: '/home/ec2-user' },
  root: { home: '/root' },
};
const sftpServers = ['/usr/lib/openssh/sftp-server', '/usr/libexec/openssh/sftp-server', '/usr/lib/ssh/sftp-server'];

function log(text: string): void {
  try {
    appendFileSync('/var/log/secure', `${new Date().toISOString()} sshd[${process.pid}]: ${text}\n`, { mode: 0o600 });
  } catch {
    // A full or odd disk must not keep anybody out.
  }
}

/** The instance's own host key, made at its first connection and kept on its disk; one that nobody can read is made anew. */
function hostKey(): string {
  const kept = existsSync(hostKeyFile) ? readFileSync(hostKeyFile, 'utf8') : '';
  if (isReadableKey(kept)) return kept;
  mkdirSync('/etc/ssh', { recursive: true });
  const made = newSshKey('postern-instance');
  // Two first connections at once: each writes a whole file, the later name wins for both from then on.
  const draft = `${hostKeyFile}.${process.pid}`;
  writeFileSync(draft, made.private, { mode: 0o600 });
  writeFileSync(`${hostKeyFile}.pub`, `${made.public}\n`);
  renameSync(draft, hostKeyFile);
  chmodSync(hostKeyFile, 0o600);
  return readFileSync(hostKeyFile, 'utf8');
}

function ask(method: string, path: string, headers: Record<string, string>): Promise<{ status: number; body: string }> {
  return new Promise((resolve) => {
    const failed = () => resolve({ status: 0, body: '' });
    const outgoing = request(
      { host: '169.254.169.254', port: 80, method, path, headers, timeout: 2000 },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        response.on('error', failed);
      },
    );
    outgoing.on('timeout', () => outgoing.destroy());
    outgoing.on('error', failed);
    outgoing.end();
  });
}

/** Instance Connect's keys of a user, by IMDSv2. */
async function instanceConnectKeys(user: string): Promise<string> {
  const token = await ask('PUT', '/latest/api/token', { 'X-aws-ec2-metadata-token-ttl-seconds': '60' });
  if (token.status !== 200) return '';
  const keys = await ask('GET', `/latest/meta-data/managed-ssh-keys/active-keys/${encodeURIComponent(user)}`, {
    'X-aws-ec2-metadata-token': token.body,
  });
  return keys.status === 200 ? keys.body : '';
}

function readKeys(text: string): ParsedKey[] {
  const keys: ParsedKey[] = [];
  for (const line of text.split('\n')) {
    // Options before the key type (`from=…`) are restrictions that we would not keep: such a line gives no access.
    if (!/^(ssh-|ecdsa-)/.test(line.trim())) continue;
    const parsed = ssh2.utils.parseKey(line.trim());
    if (!(parsed instanceof Error)) keys.push(...(Array.isArray(parsed) ? parsed : [parsed]));
  }
  return keys;
}

async function allowedKeys(user: string): Promise<ParsedKey[]> {
  const home = users[user]?.home;
  if (home === undefined) return [];
  const file = `${home}/.ssh/authorized_keys`;
  const own = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return readKeys(`${own}\n${await instanceConnectKeys(user)}`);
}

async function authenticate(context: AuthContext): Promise<void> {
  if (context.method !== 'publickey') return context.reject(['publickey']);
  const offered = context.key.data;
  const keys = await allowedKeys(context.username);
  const key = keys.find((one) => {
    const known = one.getPublicSSH();
    return known.length === offered.length && timingSafeEqual(known, offered);
  });
  if (!key) return context.reject(['publickey']);
  // Without a signature the client only asks whether the key would do.
  if (context.signature && context.blob && key.verify(context.blob, context.signature, context.hashAlgo) !== true)
    return context.reject(['publickey']);
  if (context.signature) log(`Accepted publickey for ${context.username}`);
  context.accept();
}

interface Window {
  term: string;
  cols: number;
  rows: number;
}

function serveSession(session: Session, user: string): void {
  const home = users[user]?.home ?? '/';
  const environment: Record<string, string> = {};
  let window: Window | undefined;
  let process_: ChildProcess | undefined;
  let terminal: Terminal | undefined;
  session.on('pty', (accept, _reject, info) => {
    const { term } = info as unknown as { term?: string };
    window = { term: term ?? 'xterm', cols: info.cols || 80, rows: info.rows || 24 };
    accept?.();
  });
  session.on('env', (accept, reject, info) => {
    const harmless = /^(LANG|LC_\w+|TZ)$/.test(info.key);
    if (harmless) environment[info.key] = info.val;
    if (harmless) accept?.();
    else reject?.();
  });
  session.on('window-change', (accept, _reject, info) => {
    accept?.();
    terminal?.resize(info.rows, info.cols);
  });
  session.on('signal', (accept, _reject, info) => {
    accept?.();
    process_?.kill(`SIG${info.name}` as NodeJS.Signals);
  });
  const begin = (channel: ServerChannel, command: string | undefined) => {
    const env = {
      ...process.env,
      ...environment,
      HOME: home,
      USER: user,
      LOGNAME: user,
      SHELL: '/bin/bash',
      ...(window && { TERM: window.term }),
      SSH_CONNECTION: connectionText,
    };
    const shell = command === undefined ? ['-l'] : ['-c', command];
    if (window) {
      const quoted = shell.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
      terminal = openTerminal(`/bin/bash ${quoted}`, { cwd: home, env, rows: window.rows, cols: window.cols });
      process_ = terminal.process;
    } else process_ = spawn('/bin/bash', shell, { cwd: home, env, stdio: 'pipe' });
    const child = process_;
    bridge(channel, child, () => (terminal ? terminal.hangUp() : child.kill('SIGHUP')));
  };
  session.on('shell', (accept) => begin(accept(), undefined));
  session.on('exec', (accept, _reject, info) => begin(accept(), info.command));
  session.on('subsystem', (accept, reject, info) => {
    const server = sftpServers.find((path) => existsSync(path));
    if (info.name === 'sftp' && server !== undefined) begin(accept(), `exec ${server}`);
    else reject();
  });
}

/** Joins a process and a channel; the exit status goes out before the channel closes. @param hangUp the other end is gone */
function bridge(channel: ServerChannel, child: ChildProcess, hangUp: () => void): void {
  if (child.stdin) channel.pipe(child.stdin).on('error', () => {});
  child.stdout?.pipe(channel, { end: false });
  child.stderr?.pipe(channel.stderr, { end: false });
  child.on('error', (error) => {
    channel.stderr.write(`${error.message}\n`);
    channel.exit(127);
    channel.end();
  });
  child.on('close', (code, signal) => {
    if (signal) channel.exit(signal.replace(/^SIG/, ''));
    else channel.exit(code ?? 255);
    channel.end();
  });
  channel.on('close', hangUp);
}

const socket = new Socket({ fd: 0, readable: true, writable: true });
// A socket of both families shows IPv4 addresses as ::ffff:a.b.c.d.
const plain = (address = '') => address.replace(/^::ffff:/, '');
const connectionText = `${plain(socket.remoteAddress)} ${socket.remotePort} ${plain(socket.localAddress)} ${socket.localPort}`;
const server = new ssh2.Server({ hostKeys: [hostKey()], ident: 'Postern' }, (client: Connection) => {
  let user = '';
  let tries = 0;
  const tooSlow = setTimeout(() => client.end(), 60_000);
  client.on('authentication', (context) => {
    user = context.username;
    tries += 1;
    if (tries > 20) client.end();
    else authenticate(context).catch(() => context.reject());
  });
  client.on('ready', () => {
    clearTimeout(tooSlow);
    client.on('session', (accept) => serveSession(accept(), user));
  });
  client.on('error', (error) => log(error.message));
  client.on('close', () => process.exit(0));
});
socket.on('close', () => setTimeout(() => process.exit(0), 1000).unref());
server.injectSocket(socket);
