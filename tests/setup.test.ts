// What a fresh clone decides before anything is installed: scripts/setup.mjs and scripts/test-clients.mjs, their pure parts.

import assert from 'node:assert/strict';
import { test } from 'node:test';

interface Stop {
  readonly what: string;
  readonly cure: string;
}

interface Setup {
  nodeProblem(version: string): Stop | undefined;
  toolsPlan(
    missing: readonly { command: string; package: string }[],
    machine: { root: boolean; exists(path: string): boolean },
  ): { install?: string; stop?: Stop };
}

const { nodeProblem, toolsPlan } = (await import(new URL('../scripts/setup.mjs', import.meta.url).href)) as Setup;

interface TestClients {
  clientPackages(files: readonly string[], machine: { root: boolean; exists(path: string): boolean }): string[];
}

const { clientPackages } = (await import(new URL('../scripts/test-clients.mjs', import.meta.url).href)) as TestClients;

const missing = [
  { command: 'nft', package: 'nftables' },
  { command: 'unshare', package: 'util-linux' },
  { command: 'nsenter', package: 'util-linux' },
  { command: 'aws', package: 'awscli' },
];
const having = (...paths: string[]) => ({ exists: (path: string) => paths.includes(path) });

test('Node older than 20.19 is refused with what mends it', () => {
  for (const version of ['18.20.1', '20.18.3', '16.0.0']) assert.match(nodeProblem(version)?.what ?? '', /too old/);
  for (const version of ['20.19.0', '20.20.2', '22.0.0', '24.1.0']) assert.equal(nodeProblem(version), undefined);
});

test('nothing missing, nothing to do', () => {
  assert.deepEqual(toolsPlan([], { root: true, ...having('/usr/bin/apt-get') }), {});
});

test('root on Debian installs, each package once', () => {
  assert.deepEqual(toolsPlan(missing, { root: true, ...having('/usr/bin/apt-get') }), {
    install: 'apt-get install -y --no-install-recommends nftables util-linux awscli',
  });
});

test('an ordinary user on Debian is told the one command', () => {
  const { install, stop } = toolsPlan(missing, { root: false, ...having('/usr/bin/apt-get') });
  assert.equal(install, undefined);
  assert.equal(stop?.cure, 'sudo apt-get install -y --no-install-recommends nftables util-linux awscli');
});

test('other systems are told their own command, and root is never surprised by an installation', () => {
  const cure = (path: string, root: boolean) => toolsPlan(missing, { root, ...having(path) }).stop?.cure;
  assert.equal(cure('/usr/bin/dnf', false), 'sudo dnf install -y nftables util-linux awscli2');
  assert.equal(cure('/usr/bin/pacman', true), 'pacman -S --noconfirm nftables util-linux aws-cli-v2');
  assert.equal(cure('/sbin/apk', true), 'apk add nftables util-linux aws-cli');
  assert.equal(cure('/nothing', true), 'nftables util-linux awscli');
});

test('programs that only tests drive are installed for those tests, by root on Debian and by nobody else', () => {
  const files = ['network/cidr.test.ts', 'tests/e2e/s3-browser.test.ts'];
  const debian = having('/usr/bin/apt-get');
  assert.deepEqual(clientPackages(files, { root: true, ...debian }), ['chromium-headless-shell']);
  assert.deepEqual(clientPackages(files, { root: true, ...having('/usr/bin/apt-get', '/usr/bin/chromium') }), []);
  assert.deepEqual(clientPackages(['network/cidr.test.ts'], { root: true, ...debian }), []);
  assert.deepEqual(clientPackages(files, { root: false, ...debian }), []);
  assert.deepEqual(clientPackages(files, { root: true, ...having() }), []);
});
