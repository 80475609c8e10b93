// Makes a fresh clone able to run: Node's version, npm packages, system tools, build. Plain JavaScript with no imports but node's,
// because it runs before anything is installed. Every step says what it does, and every failure says the one command that cures it.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
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
  { command: 'nsenter', package: 'util-linux', why: 'reaches into an instance' },
  { command: 'mount', package: 'mount', why: 'builds the file system of an instance' },
  { command: 'script', package: 'bsdutils', why: 'gives a shell its terminal' },
  { command: 'perl', package: 'perl-base', why: 'is the first process of an instance' },
  { command: 'ping', package: 'iputils-ping', why: 'is what people try first' },
  { command: 'curl', package: 'curl', why: 'is what people try next' },
  { command: 'aws', package: 'awscli', why: 'is the client, here and inside instances' },
];

const say = (text) => process.stderr.write(`${text}\n`);

function fail(what, cure) {
  say(`\npostern: ${what}\n\n    ${cure}\n`);
  process.exit(1);
}

export function ensureNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  fail(
    `Node ${process.versions.node} is too old; Postern needs 20.19 or newer. Install a newer one, for example with`,
    'nvm install 22',
  );
}

function run(command, args, options = {}) {
  return spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
}

/** Runs `npm ci` when what is installed is not what the lock file says. */
export function ensurePackages() {
  const stamp = join(root, 'node_modules', '.postern-installed');
  const lock = join(root, 'package-lock.json');
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= statSync(lock).mtimeMs) return;
  say('postern: installing npm packages (once) …');
  const npm = run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  if (npm.status !== 0)
    fail('npm could not install the packages; its words are above. When the cause is mended, run', 'npm ci');
  writeFileSync(stamp, '');
}

function missingTools() {
  return tools.filter((tool) => !systemDirectories.some((directory) => existsSync(join(directory, tool.command))));
}

/** As root on Debian or Ubuntu installs what is missing; elsewhere prints the command and stops. */
export function ensureTools() {
  const missing = missingTools();
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((tool) => tool.package))];
  for (const tool of missing) say(`postern: '${tool.command}' is missing; it ${tool.why}.`);
  const debian = existsSync('/usr/bin/apt-get');
  const install = `apt-get install -y ${packages.join(' ')}`;
  if (!debian)
    fail(
      'these tools must be installed with your system’s package manager. Their Debian packages are',
      packages.join(' '),
    );
  if (process.getuid?.() !== 0) fail('installing needs root, and this is not root. Run', `sudo ${install}`);
  say(`postern: installing with the system's package manager: ${install}`);
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  let result = run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env: environment });
  if (result.status !== 0) {
    run('apt-get', ['update', '-qq'], { env: environment });
    result = run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env: environment });
  }
  if (result.status !== 0 || missingTools().length > 0)
    fail('the installation failed; its words are above. Mend it and run', install);
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
  if (build.status !== 0) fail('the build failed; its words are above. To see it again, run', 'npm run build');
}

export function ensureAll() {
  ensureNode();
  ensurePackages();
  ensureTools();
  ensureBuild();
}
