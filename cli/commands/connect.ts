// `postern connect INSTANCE`: a shell over the network, as the person at home would get it: to the public address, port 22, through internet
// gateway, route, network ACL and security group; or, where there is no public address or `--via` says so, through an instance connect endpoint. When it does not get through, it says which of them is missing. The key is made for this one
// connection and put where EC2 Instance Connect puts it, for 60 seconds (J1).

import type { Duplex } from 'node:stream';
import type { ConnectTarget } from '@postern/server/operator/api.ts';
import type { ClientChannel } from 'ssh2';
import { Cloud } from '../cloud.ts';
import { commandName, dataDirectory, spell } from '../spelling.ts';
import { answerJson, exitCodes, OperatorError, paint, say, wrap } from '../terminal.ts';
import { tunnelPath } from './tunnel.ts';

export interface ConnectOptions {
  readonly data?: string;
  readonly user: string;
  /** An instance connect endpoint. */
  readonly via?: string;
  readonly json?: boolean;
}

export async function connect(
  instanceId: string,
  command: readonly string[],
  options: ConnectOptions,
): Promise<number> {
  const directory = dataDirectory(options.data);
  const cloud = Cloud.find(directory);
  const ssh2 = (await import('ssh2')).default;
  const { newSshKey } = await import('@postern/guest/wire/ssh-key.ts');
  const key = newSshKey();
  const target = await cloud.ask<ConnectTarget>('POST', '/connect', {
    instanceId,
    user: options.user,
    publicKey: key.public,
    ...(options.via !== undefined && { via: options.via }),
  });
  if (target.findings.length > 0) return explain(target, commandName(directory), options.json === true);
  const road =
    target.via === undefined
      ? `${target.publicIp} port 22, over the internet`
      : `${target.privateIp} port 22, through ${target.via}`;
  say(`postern: connecting to ${road} …`);
  let socket: Duplex;
  try {
    socket = await cloud.open(tunnelPath(instanceId, 22, target.via));
  } catch (error) {
    // Nothing in the API explains it: what is left is inside the instance, where Postern does not look.
    if (!(error instanceof OperatorError)) throw error;
    throw new OperatorError(
      `${error.message} Route, gateway, network ACL and security group all let it pass, so look inside the instance.`,
      { cure: `postern exec ${instanceId} -- ss -ltn` },
    );
  }
  return session(ssh2, socket, key.private, command, options.user);
}

function explain(found: ConnectTarget, command: string, json: boolean): number {
  const findings = found.findings.map(({ problem, cure }) => ({
    problem,
    ...(cure && { cure: spell(cure, command) }),
  }));
  if (json) {
    answerJson({ ...found, findings });
    return exitCodes.failed;
  }
  const width = process.stderr.columns ?? 80;
  say(
    `${paint(process.stderr, 'red', '✗')} ${found.instanceId} cannot be reached on port 22 ${found.via === undefined ? 'from the internet' : `through ${found.via}`}:\n`,
  );
  for (const { problem, cure } of findings) {
    say(`  - ${wrap(problem, width - 4, 4)}`);
    // Not wrapped: it is there to be copied.
    if (cure) say(`\n${paint(process.stderr, 'bold', cure)}\n`);
  }
  // Without an address it does not run, and there is nothing to look into.
  if (found.privateIp === undefined) return exitCodes.failed;
  say(wrap('On AWS this would be a time-out with no explanation. To look inside anyway, past the network:', width));
  say(`\n    ${command} exec ${found.instanceId}\n`);
  return exitCodes.failed;
}

/** What ssh answers for a command that a signal ended, and for a connection that was lost. */
const lost = 255;

function session(
  ssh2: typeof import('ssh2'),
  socket: Duplex,
  privateKey: string,
  command: readonly string[],
  user: string,
): Promise<number> {
  const client = new ssh2.Client();
  const tty = process.stdin.isTTY === true;
  return new Promise((resolve, reject) => {
    let status: number | undefined;
    let failed = false;
    const open = (error: Error | undefined, channel: ClientChannel) => {
      if (error) {
        reject(error);
        return;
      }
      channel.on('exit', (code: number | null) => {
        status = code ?? lost;
      });
      channel.on('close', () => client.end());
      if (tty && command.length === 0) process.stdin.setRawMode(true);
      process.stdin.pipe(channel);
      channel.pipe(process.stdout, { end: false });
      channel.stderr.pipe(process.stderr, { end: false });
      process.stdout.on('resize', () => channel.setWindow(process.stdout.rows, process.stdout.columns, 0, 0));
    };
    client.on('ready', () => {
      const window = {
        term: process.env['TERM'] ?? 'xterm',
        cols: process.stdout.columns ?? 80,
        rows: process.stdout.rows ?? 24,
      };
      if (command.length === 0) client.shell(tty ? window : false, open);
      else client.exec(command.join(' '), open); // one line for the remote shell, as `ssh HOST a b` sends it
    });
    client.on('error', (error) => {
      failed = true;
      reject(new OperatorError(`The connection was made, but SSH failed: ${error.message}.`));
    });
    client.on('close', () => {
      if (tty && command.length === 0) process.stdin.setRawMode(false);
      process.stdin.destroy();
      if (status === undefined && !failed) say('postern: the connection was lost.');
      resolve(status ?? lost);
    });
    client.connect({ sock: socket, username: user, privateKey, readyTimeout: 20_000 });
  });
}
