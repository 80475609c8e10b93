// The server, first process of its world: puts the rooms together, serves, and ends in order. Everything it starts lies in this world's
// namespaces, so its death, however it comes, leaves nothing behind (fabric/world.ts).

import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { type CloudParts, startCloud } from './cloud.ts';
import { configurationVariable, inherited, type ReadyMessage, type ServerConfiguration } from './configuration.ts';

const configuration = JSON.parse(process.env[configurationVariable] ?? '') as ServerConfiguration;
const log = (text: string) => process.stderr.write(`postern: ${text}\n`);

function tell(message: ReadyMessage): void {
  writeSync(inherited.ready, `${JSON.stringify(message)}\n`);
}

/** The operator's token: made once, readable by the operator alone. */
function operatorToken(directory: string): string {
  const file = join(directory, 'operator-token');
  if (!existsSync(file)) writeFileSync(file, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 });
  chmodSync(file, 0o600);
  return readFileSync(file, 'utf8').trim();
}

// The operator's own mask may be stricter than what an instance's file system needs. The data directory is closed to others as a whole.
process.umask(0o022);
mkdirSync(configuration.dataDirectory, { recursive: true, mode: 0o700 });

// A bug must not be answered with a half-true cloud: the process ends, the kernel takes the world down, and the next start reads the disk.
process.on('uncaughtException', (error) => {
  log(`ended by a bug: ${error.stack ?? error.message}`);
  process.exit(70);
});

// Before anything is answered from memory that the disk has not: a client whose change was not kept must not hear that it was.
function endUnkept(error: Error): never {
  log(
    `${error.message}. The cloud ends here; every change that was answered is kept, and the next \`up\` brings it back.`,
  );
  process.exit(4);
}

try {
  const { dataDirectory } = configuration;
  const parts: CloudParts = { configuration, token: operatorToken(dataDirectory), log, onBroken: endUnkept };
  const cloud = await startCloud(parts);
  const listener = net.createServer((socket) => cloud.accept(socket));
  const end = () => {
    listener.close(); // who comes now is told at once that nobody is here
    void cloud.close().finally(() => process.exit(0));
  };
  // The launcher holds the other end of standard input as long as it lives.
  process.stdin.resume().on('end', end).on('error', end);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, signal === 'SIGINT' ? () => {} : end);
  cloud.onShutdown(end);
  listener.listen({ fd: inherited.listener }, () => tell({ ready: true, environment: cloud.environment() }));
  listener.on('error', (error) => {
    throw error;
  });
} catch (error) {
  if (process.env['POSTERN_DEBUG']) log(`cannot start: ${(error as Error).stack ?? String(error)}`);
  tell({ ready: false, message: `The cloud cannot start: ${(error as Error).message}` });
  process.exit(1);
}
