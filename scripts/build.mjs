// Builds dist/: the command, the server, the guest's files, and the tables extracted from the SDK's schemas and AWS's authorization reference.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from './setup.mjs';

const dist = join(root, 'dist');
mkdirSync(join(dist, 'guest'), { recursive: true });

for (const script of ['extract-catalogue.mjs', 'extract-authorization-facts.mjs', 'extract-managed-policies.mjs']) {
  const result = spawnSync(process.execPath, [join(root, 'scripts', script)], { cwd: root, stdio: ['ignore', 2, 2] });
  if (result.status !== 0) process.exit(1);
}

const common = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: 'linked',
  legalComments: 'none',
  logLevel: 'warning',
  absWorkingDir: root,
  // A bundle in ESM form still holds CommonJS packages, and those call require; ssh2 reads __dirname as it loads.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url); globalThis.__dirname = import.meta.dirname;",
  },
  // libsql loads a binary by its own path.
  external: ['libsql'],
};

// The command: the little that `exec` needs in one file, and the rest in parts, each loaded when it is used. All lie beside one another, for what they
// start is found by their own place.
for (const name of readdirSync(dist)) if (name.startsWith('part-')) rmSync(join(dist, name));
const command = { ...common, outdir: dist, outExtension: { '.js': '.mjs' } };
const programApart = {
  name: 'program-apart',
  setup: (build) => build.onResolve({ filter: /^\.\/program\.ts$/ }, () => ({ path: './program.mjs', external: true })),
};
await build({ ...command, entryPoints: { postern: 'cli/main.ts' }, plugins: [programApart] });
await build({
  ...command,
  entryPoints: { program: 'cli/program.ts' },
  splitting: true,
  chunkNames: 'part-[name]-[hash]',
});
await build({
  ...common,
  entryPoints: {
    launcher: 'server/launcher.ts',
    server: 'server/main.ts',
    'body-worker': 'server/edge/body-worker.ts',
    'dynamodb-engine': 'server/services/dynamodb/engine/main.ts',
    'fold-thread': 'server/store/fold-thread.ts',
  },
  outdir: dist,
  outExtension: { '.js': '.mjs' },
});
if (existsSync(join(root, 'guest', 'ssh.ts')))
  await build({
    ...common,
    entryPoints: { ssh: 'guest/ssh.ts', 'ssm-agent': 'guest/ssm-agent/main.ts' },
    outdir: join(dist, 'guest'),
    outExtension: { '.js': '.mjs' },
  });
for (const file of ['init.pl'])
  if (existsSync(join(root, 'guest', file))) copyFileSync(join(root, 'guest', file), join(dist, 'guest', file));
copyFileSync(join(root, 'fabric', 'nat64.pl'), join(dist, 'nat64.pl'));
copyFileSync(join(root, 'labs', 'aws-cli-server.py'), join(dist, 'aws-cli-server.py'));
chmodSync(join(dist, 'postern.mjs'), 0o755);
// What the AWS CLI looks for on the path (cli/commands/session-plugin.ts).
mkdirSync(join(dist, 'plugin'), { recursive: true });
const plugin = join(dist, 'plugin', 'session-manager-plugin');
const stand = `#!/bin/sh\nexec "\${POSTERN_NODE:-node}" "\${0%/*}/../postern.mjs" session-plugin "$@"\n`;
writeFileSync(plugin, stand);
chmodSync(plugin, 0o755);
writeFileSync(join(dist, '.built'), `${new Date().toISOString()}\n`);
