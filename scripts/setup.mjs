// Makes a fresh clone able to run: Node's version, npm packages, system tools, build. Plain JavaScript with no imports but node's,
// because it runs before anything is installed. Every step says what it does, and every failure says the one command that cures it.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Where instances look too: a tool under the operator's home is invisible inside an instance, whose home is its own. */
const systemDirectories = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** What Postern starts on this machine, and the Debian package that brings it. */
const tools = [
  { command: 'ip', package: 'iproute2', why: 'makes namespaces and links' },
  { command: 'nft', package: 'nftables', why: 'carries security groups and network ACLs' },
  { command: 'unshare', package: 'util-linux', why: 'makes the world apart from this machine' },
  { command: 'setpriv', package: 'util-linux', why: 'ends the world with its launcher' },
  { command: 'nsenter', package: 'util-linux', why: 'reaches into an instance' },
  { command: 'mount', package: 'mount', why: 'builds the file system of an instance' },
  { command: 'script', package: 'bsdutils', why: 'gives a shell its terminal' },
  { command: 'perl', package: 'perl-base', why: 'is the first process of an instance' },
  { command: 'ping', package: 'iputils-ping', why: 'is what people try first' },
  { command: 'curl', package: 'curl', why: 'is what people try next' },
  { command: 'aws', package: 'awscli', why: 'is the client, here and inside instances' },
];

/** How other systems install, and their names where they differ from Debian's. */
const packageManagers = [
  {
    path: '/usr/bin/dnf',
    install: 'dnf install -y',
    names: {
      iproute2: 'iproute',
      mount: 'util-linux',
      bsdutils: '/usr/bin/script',
      awscli: 'awscli2',
      'perl-base': 'perl-interpreter',
    },
  },
  {
    path: '/usr/bin/pacman',
    install: 'pacman -S --noconfirm',
    names: { mount: 'util-linux', bsdutils: 'util-linux', awscli: 'aws-cli-v2' },
  },
  {
    path: '/usr/bin/zypper',
    install: 'zypper install -y',
    names: { mount: 'util-linux', bsdutils: 'util-linux', awscli: 'aws-cli' },
  },
  {
    path: '/sbin/apk',
    install: 'apk add',
    names: { mount: 'util-linux', bsdutils: 'util-linux-misc', awscli: 'aws-cli' },
  },
];

const say = (text) => process.stderr.write(`${text}\n`);

/** As `postern` itself: this machine cannot run a cloud (yet). */
const cannotStart = 4;

function fail({ what, cure }) {
  say(`\npostern: ${what}\n\n    ${cure}\n`);
  process.exit(cannotStart);
}

/** @returns what is wrong with this version of Node and what mends it, or undefined */
export function nodeProblem(version) {
  const [major, minor] = version.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return undefined;
  return {
    what: `Node ${version} is too old; Postern needs 20.19 or newer. Install a newer one, for example with`,
    cure: 'nvm install 22',
  };
}

export function ensureNode() {
  const problem = nodeProblem(process.versions.node);
  if (problem) fail(problem);
}

/**
 * What to do about missing tools: install them here and now (`install`, a command line), or stop and say what the person must do.
 * @param missing rows of `tools`   @param machine { root, exists(path) }
 */
export function toolsPlan(missing, machine) {
  if (missing.length === 0) return {};
  const packages = [...new Set(missing.map((tool) => tool.package))];
  const prefix = machine.root ? '' : 'sudo ';
  if (machine.exists('/usr/bin/apt-get')) {
    const command = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
    if (machine.root) return { install: command };
    return { stop: { what: 'installing needs root, and this is not root. Run', cure: `sudo ${command}` } };
  }
  const manager = packageManagers.find(({ path }) => machine.exists(path));
  if (manager === undefined)
    return {
      stop: {
        what: 'these tools must be installed with your system’s package manager. Their Debian packages are',
        cure: packages.join(' '),
      },
    };
  const names = { 'iputils-ping': 'iputils', 'perl-base': 'perl', ...manager.names };
  const theirs = [...new Set(packages.map((name) => names[name] ?? name))];
  return {
    stop: {
      what: 'Postern installs by itself on Debian and Ubuntu only. Run',
      cure: `${prefix}${manager.install} ${theirs.join(' ')}`,
    },
  };
}

function run(command, args, options = {}) {
  return spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
}

/** Runs `npm ci` when what is installed is not what the lock file says. npm writes its own list last, so a broken installation has none. */
export function ensurePackages() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  const lock = join(root, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  say('postern: installing npm packages (once; about half a minute) …');
  const npm = run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  if (npm.status !== 0)
    fail({
      what: 'npm could not install the packages; its words are above. When the cause is mended, run',
      cure: 'npm ci',
    });
  utimesSync(installed, new Date(), new Date());
}

function missingTools() {
  return tools.filter((tool) => !systemDirectories.some((directory) => existsSync(join(directory, tool.command))));
}

/** As root on Debian or Ubuntu installs what is missing; elsewhere prints the command and stops. */
export function ensureTools() {
  const missing = missingTools();
  for (const tool of missing) say(`postern: '${tool.command}' is missing; it ${tool.why}.`);
  const { install, stop } = toolsPlan(missing, { root: process.getuid?.() === 0, exists: existsSync });
  if (stop) fail(stop);
  if (!install) return;
  say(`postern: installing with the system's package manager: ${install}`);
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const [command, ...args] = install.split(' ');
  let result = run(command, args, { env: environment });
  if (result.status !== 0) {
    say('postern: that failed; once more with fresh package lists …');
    run('apt-get', ['update'], { env: environment });
    result = run(command, args, { env: environment });
  }
  if (result.status !== 0)
    fail({ what: 'the installation failed; its words are above. Mend it and run', cure: install });
  const still = missingTools().map((tool) => tool.command);
  if (still.length > 0)
    fail({
      what: `apt-get was content, and ${still.join(', ')} is missing still: a package has lost files. Run`,
      cure: install.replace('install', 'install --reinstall'),
    });
}

function newest(directory) {
  let latest = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (
      entry.name === 'node_modules' ||
      entry.name === 'dist' ||
      entry.name === 'generated' ||
      entry.name.startsWith('.')
    )
      continue;
    const path = join(directory, entry.name);
    latest = Math.max(latest, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs);
  }
  return latest;
}

const sources = ['network', 'policy', 'fabric', 'server', 'guest', 'cli', 'labs', 'scripts'];

/** Builds when a source file is newer than the last build. */
export function ensureBuild() {
  const stamp = join(root, 'dist', '.built');
  const latest = Math.max(
    statSync(join(root, 'package-lock.json')).mtimeMs,
    ...sources.map((name) => newest(join(root, name))),
  );
  if (existsSync(stamp) && statSync(stamp).mtimeMs > latest) return;
  say('postern: building …');
  mkdirSync(join(root, 'dist'), { recursive: true });
  const build = run(process.execPath, ['scripts/build.mjs']);
  if (build.status !== 0)
    fail({ what: 'the build failed; its words are above. To see it again, run', cure: 'npm run build' });
}

export function ensureAll() {
  // Debian leaves the sbin directories out of an ordinary user's PATH, and nft is there.
  process.env.PATH = [process.env.PATH, ...systemDirectories].filter(Boolean).join(':');
  ensureNode();
  // Before the packages: who must install a tool first is told at once.
  ensureTools();
  ensurePackages();
  ensureBuild();
}
