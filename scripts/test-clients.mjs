// Other people's programs that only tests drive, and what brings them on Debian. `npm test` installs those that the chosen files want, as root on Debian alone; nothing else does,
// and a test whose program is not there is skipped and says so. Nothing here fails: without a network the tests are just fewer.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const clients = [
  { package: 'rclone', paths: ['/usr/bin/rclone'], test: 'tests/e2e/s3-clients' },
  { package: 's3cmd', paths: ['/usr/bin/s3cmd'], test: 'tests/e2e/s3-clients' },
  { package: 'python3-boto3', paths: ['/usr/lib/python3/dist-packages/boto3'], test: 'tests/e2e/s3-clients' },
  {
    package: 'chromium-headless-shell',
    paths: ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium', '/usr/bin/google-chrome'],
    test: 'tests/e2e/s3-browser',
  },
];

const longestMs = 180_000;

/**
 * The packages to install for these test files.
 * @param machine { root, exists(path) }
 */
export function clientPackages(files, machine) {
  if (!machine.root || !machine.exists('/usr/bin/apt-get')) return [];
  return clients
    .filter(({ test }) => files.some((file) => file.startsWith(test)))
    .filter(({ paths }) => !paths.some((path) => machine.exists(path)))
    .map((client) => client.package);
}

/** Each by itself: Ubuntu has not all of them. */
export function ensureTestClients(files) {
  const packages = clientPackages(files, { root: process.getuid?.() === 0, exists: existsSync });
  if (packages.length === 0) return;
  const apt = (...args) => {
    process.stderr.write(`postern: for the tests: apt-get ${args.join(' ')}\n`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    return spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 2], env, timeout: longestMs }).status === 0;
  };
  const install = (name) => apt('install', '-y', '--no-install-recommends', name);
  const left = packages.filter((name) => !install(name));
  if (left.length === 0 || !apt('update')) return;
  for (const name of left)
    if (!install(name)) process.stderr.write(`postern: ${name} cannot be had here: its tests are skipped.\n`);
}
