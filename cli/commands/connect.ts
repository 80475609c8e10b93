// `postern connect INSTANCE`: a shell over the network, as the person at home would get it: to the public address, port 22, through internet
// gateway, route, network ACL and security group. When it does not get through, it says which of them is missing. The key is made for this one
// connection and put where EC2 Instance Connect puts it, for 60 seconds (J1).

import type { Duplex } from 'node:stream';
import type { ConnectTarget } from '@postern/server/operator/api.ts';
import type { ClientChannel } from 'ssh2';
import { Cloud, commandName, dataDirectory } from '../cloud.ts';
import { answerJson, exitCodes, OperatorError, paint, say } from '../terminal.ts';

export interface ConnectOptions {
  readonly data?: string;
  readonly user: string;
  readonly json?: boolean;
}

export async function connect(
  instanceId: string,
  command: readonly string[],
  options: ConnectOptions,
): Promise<number> {
  const cloud = Cloud.find(dataDirectory(options.data));
  const ssh2 = (await import('ssh2')).default;
  const key = ssh2.utils.generateKeyPairSync('ed25519');
  const target = await cloud.ask<ConnectTarget>('POST', '/connect', {
    instanceId,
    user: options.user,
    publicKey: key.public,
  });
  if (target.findings.length > 0) return explain(target, options);
  say(`postern: connecting to ${target.publicIp} port 22, over the internet …`);
  let socket: Duplex;
  try {
    socket = await cloud.open(`/tunnel?instance=${encodeURIComponent(instanceId)}&port=22`);
  } catch (error) {
    // Nothing in the API explains it: what is left is inside the instance, where Postern does not look.
    if (!(error instanceof OperatorError)) throw error;
    throw new OperatorError(
      `${error.message} Route, gateway, network ACL and security group all let it pass, so look inside the instance.`,
      { cure: `${commandName()} exec ${instanceId} -- ss -ltn` },
    );
  }
  return session(ssh2, socket, key.private, command, options.user);
}

function explain(target: ConnectTarget, options: ConnectOptions): number {
  if (options.json) {
    answerJson(target);
    return exitCodes.failed;
  }
  say(`${paint(process.stderr, 'red', '✗')} ${target.instanceId} cannot be reached on port 22 from the internet:\n`);
  for (const finding of target.findings) {
    say(`  - ${finding.problem}`);
    if (finding.cure) say(`      ${paint(process.stderr, 'bold', finding.cure)}`);
  }
  say(
    `\nOn AWS this would be a time-out with no explanation. To look inside anyway: ${commandName()} exec ${target.instanceId}`,
  );
  return exitCodes.failed;
}

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
    let status = 255;
    const open = (error: Error | undefined, channel: ClientChannel) => {
      if (error) {
        reject(error);
        return;
      }
      channel.on('exit', (code: number | null) => {
        status = code ?? 255;
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
      if (command.length === 0) client.shell(window, open);
      else client.exec(command.join(' '), open); // one line for the remote shell, as `ssh HOST a b` sends it
    });
    client.on('error', (error) =>
      reject(new OperatorError(`The connection was made, but SSH failed: ${error.message}.`)),
    );
    client.on('close', () => {
      if (tty && command.length === 0) process.stdin.setRawMode(false);
      process.stdin.destroy();
      resolve(status);
    });
    client.connect({ sock: socket, username: user, privateKey, readyTimeout: 20_000 });
  });
}
