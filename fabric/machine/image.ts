// The image that all machines share, below their own disks: a layer over the host's /usr, and whole /etc, /var and /opt of its own.
// The host's /etc, /var and /opt are never shown: a copy is made of the parts of /etc that programs need to run (`etcAllowed`), and of those only
// what everyone may read. Built anew at each start of the server, for the host's packages may have changed; guests see it read-only.

import {
  chmodSync,
  copyFileSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { caBundle, machineEnvironment } from './boot-files.ts';
import type { IdPlan } from './id-plan.ts';
import { standIns } from './stand-ins.ts';

/** Names under /etc that make programs work and tell nothing of the operator. Debian's and Fedora's. */
const etcAllowed = [
  'alternatives', 'bash.bashrc', 'bash_completion.d', 'bashrc', 'bindresvport.blacklist', 'ca-certificates', 'ca-certificates.conf', 'crypto-policies',
  'debian_version', 'ethertypes', 'fonts', 'gai.conf', 'groff', 'host.conf', 'inputrc', 'iproute2', 'issue', 'issue.net', 'ld.so.cache', 'ld.so.conf', 'ld.so.conf.d',
  'locale.alias', 'locale.conf', 'localtime', 'login.defs', 'lsb-release', 'magic', 'magic.mime', 'mailcap', 'manpath.config', 'mime.types', 'mke2fs.conf',
  'nanorc', 'netconfig', 'networks', 'nsswitch.conf', 'os-release', 'perl', 'pki', 'profile', 'protocols', 'python3', 'python3.9', 'python3.10', 'python3.11', 'python3.12', 'python3.13',
  'redhat-release', 'rpc', 'services', 'shells', 'skel', 'ssl', 'system-release', 'terminfo', 'timezone', 'vim', 'xattr.conf',
]; // biome-ignore format: a list

const accounts = {
  passwd: [
    // ec2-user is uid 0 under another name: set-uid programs gain nothing where the host's ids aren't mapped, so `sudo` could not lift a user up.
    'ec2-user:x:0:0:EC2 Default User:/home/ec2-user:/bin/bash',
    'root:x:0:0:root:/root:/bin/bash',
    'daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin',
    'bin:x:2:2:bin:/bin:/usr/sbin/nologin',
    'sys:x:3:3:sys:/dev:/usr/sbin/nologin',
    'mail:x:8:8:mail:/var/mail:/usr/sbin/nologin',
    'www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin',
    'sshd:x:74:65534::/run/sshd:/usr/sbin/nologin',
    'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin',
  ],
  group: [
    'root:x:0:', 'daemon:x:1:', 'bin:x:2:', 'sys:x:3:', 'adm:x:4:ec2-user', 'tty:x:5:', 'disk:x:6:', 'mail:x:8:', 'wheel:x:10:ec2-user', 'www-data:x:33:',
    'utmp:x:43:', 'staff:x:50:', 'users:x:100:', 'nogroup:x:65534:',
  ], // biome-ignore format: a list
  shadow: ['ec2-user:!:19000:0:99999:7:::', 'root:*:19000:0:99999:7:::'],
};

/** Directories that the layer owns, so that they are the machine's root's and new files can be made in them. */
const usrDirectories = [
  'bin', 'sbin', 'lib', 'share', 'include', 'src', 'games', 'local', 'local/bin', 'local/sbin', 'local/lib', 'local/share', 'local/etc', 'local/include', 'local/src', 'local/games',
]; // biome-ignore format: a list
const varDirectories = [
  'backups', 'cache', 'lib', 'lib/cloud', 'lib/misc', 'local', 'log', 'mail', 'opt', 'spool', 'spool/cron', 'tmp', 'www',
]; // biome-ignore format: a list

export interface ImageSource {
  /** PEM. */
  readonly caCertificate: string;
  /** The bundled ssh server, `guest/ssh.mjs`; without it a machine has no ssh. */
  readonly sshBundle?: string;
  /** Systems Manager's agent, `guest/ssm-agent.mjs`; without it no machine registers. */
  readonly agentBundle?: string;
  /** The host's root; another one in tests. */
  readonly hostRoot?: string;
}

/** Builds the image at `directory`, which it owns whole: what was there is removed. Made anew in about 50 ms. */
export function buildImage(directory: string, ids: IdPlan, source: ImageSource): void {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const maker = new Maker(directory, ids.base);
  const hostRoot = source.hostRoot ?? '/';
  for (const top of ['usr', 'etc', 'var', 'opt']) maker.directory(top);

  for (const name of usrDirectories) maker.directory(`usr/${name}`);
  for (const [name, text] of Object.entries(standIns)) maker.file(`usr/${name}`, text, 0o755);

  for (const name of etcAllowed) maker.copy(join(hostRoot, 'etc', name), `etc/${name}`);
  for (const [name, lines] of Object.entries(accounts))
    maker.file(`etc/${name}`, `${lines.join('\n')}\n`, name === 'shadow' ? 0o600 : 0o644);
  maker.link('etc/mtab', '/proc/self/mounts');
  maker.file('etc/fstab', '', 0o644);
  maker.file('etc/motd', '', 0o644);
  for (const name of ['etc/profile.d', 'etc/opt', 'etc/sudoers.d']) maker.directory(name);
  const environment = Object.entries(machineEnvironment()).filter(([name]) => /CA|CERT|LANG/.test(name));
  maker.file('etc/environment', environment.map(([name, value]) => `${name}=${value}\n`).join(''), 0o644);
  maker.file(
    'etc/profile.d/postern.sh',
    environment.map(([name, value]) => `export ${name}=${value}\n`).join(''),
    0o644,
  );
  const hostBundle = ['etc/ssl/certs/ca-certificates.crt', 'etc/pki/tls/certs/ca-bundle.crt']
    .map((name) => join(hostRoot, name))
    .find((path) => existsSync(path));
  const bundle = `${hostBundle ? `${readFileSync(hostBundle, 'utf8').trimEnd()}\n` : ''}${source.caCertificate.trim()}\n`;
  maker.directory('etc/ssl');
  maker.directory('etc/ssl/certs');
  maker.file(caBundle.slice(1), bundle, 0o644);
  maker.file('etc/ssl/certs/postern-ca.pem', `${source.caCertificate.trim()}\n`, 0o644);
  if (existsSync(join(directory, 'etc/pki'))) for (const name of fedoraBundles) maker.replace(name, bundle);

  for (const name of varDirectories) maker.directory(`var/${name}`);
  chmodSync(join(directory, 'var/tmp'), 0o1777);
  maker.link('var/run', '/run');
  maker.link('var/lock', '/run/lock');
  for (const name of ['opt/postern', 'opt/postern/bin']) maker.directory(name);
  maker.file('opt/postern/bin/node', '', 0o755);
  if (source.sshBundle) maker.file('opt/postern/ssh.mjs', readFileSync(source.sshBundle), 0o644);
  if (source.agentBundle) maker.file('opt/postern/ssm-agent.mjs', readFileSync(source.agentBundle), 0o644);
}

const fedoraBundles = ['etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem', 'etc/pki/tls/certs/ca-bundle.crt'];

class Maker {
  readonly #root: string;
  readonly #owner: number;

  constructor(root: string, owner: number) {
    this.#root = root;
    this.#owner = owner;
  }

  directory(name: string): void {
    const path = join(this.#root, name);
    mkdirSync(path, { recursive: true, mode: 0o755 });
    this.#own(path);
  }

  file(name: string, text: string | Buffer, mode: number): void {
    const path = join(this.#root, name);
    rmSync(path, { force: true });
    writeFileSync(path, text, { mode });
    // The mode given at creation is cut by our umask.
    chmodSync(path, mode);
    this.#own(path);
  }

  /** Only over a real file: a link leads to one that is replaced itself. */
  replace(name: string, text: string): void {
    const path = join(this.#root, name);
    if (existsSync(path) && lstatSync(path).isFile()) this.file(name, text, 0o644);
  }

  link(name: string, target: string): void {
    const path = join(this.#root, name);
    rmSync(path, { force: true });
    symlinkSync(target, path);
    this.#own(path);
  }

  /** A tree of the host, without anything that not everyone may read: private keys, shadow files. */
  copy(from: string, name: string): void {
    const found = lstatSync(from, { throwIfNoEntry: false });
    if (!found) return;
    const path = join(this.#root, name);
    if (found.isSymbolicLink()) {
      mkdirSync(dirname(path), { recursive: true });
      this.link(name, readlinkSync(from));
    } else if ((found.mode & 0o004) === 0) {
      return;
    } else if (found.isDirectory()) {
      if ((found.mode & 0o001) === 0) return;
      this.directory(name);
      for (const entry of readdirSync(from)) this.copy(join(from, entry), join(name, entry));
    } else if (found.isFile()) {
      copyFileSync(from, path);
      this.#own(path);
    }
  }

  #own(path: string): void {
    if (this.#owner !== 0) lchownSync(path, this.#owner, this.#owner);
  }
}
