// `postern tunnel INSTANCE`: TCP to an instance's port, over the network, for ssh's ProxyCommand (--stdio) or for any program (--listen PORT).
// The road is the one that `connect` takes: over the internet to the public address, or through an instance connect endpoint (--via eice-…).

import { createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Cloud } from '../cloud.ts';
import { dataDirectory } from '../spelling.ts';
import { answer, exitCodes, OperatorError, say } from '../terminal.ts';

export interface TunnelOptions {
  readonly data?: string;
  readonly port: string;
  readonly listen?: string;
  readonly stdio?: boolean;
  readonly via?: string;
}

export async function tunnel(instanceId: string, options: TunnelOptions): Promise<number> {
  const port = portOf('--port', options.port, 1);
  const path = tunnelPath(instanceId, port, options.via);
  const cloud = Cloud.find(dataDirectory(options.data));
  if (options.listen !== undefined) return listen(cloud, path, portOf('--listen', options.listen, 0));
  if (options.stdio !== true)
    throw new OperatorError('Say where the other end of the tunnel is: --listen PORT, or --stdio.', {
      exitCode: exitCodes.usage,
      cure: `postern tunnel ${instanceId} --listen 2222`,
    });
  const far = await cloud.open(path);
  return new Promise((resolve) => {
    far.on('error', () => resolve(exitCodes.failed));
    far.on('close', () => resolve(exitCodes.ok));
    process.stdin.on('error', () => far.destroy());
    process.stdin.pipe(far);
    far.pipe(process.stdout, { end: false });
  }).then((code) => {
    process.stdin.destroy();
    return code as number;
  });
}

/** The operator's stream for a tunnel. */
export function tunnelPath(instanceId: string, port: number, via: string | undefined): string {
  const road = via === undefined ? '' : `&via=${encodeURIComponent(via)}`;
  return `/tunnel?instance=${encodeURIComponent(instanceId)}&port=${port}${road}`;
}

function portOf(option: string, text: string, least: number): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= least && port <= 65_535) return port;
  throw new OperatorError(`${option} is a port, ${least} to 65535, not '${text}'.`, { exitCode: exitCodes.usage });
}

/** Serves until it is interrupted; each connection is a tunnel of its own. */
function listen(cloud: Cloud, path: string, port: number): Promise<number> {
  const server = createServer((near) => {
    near.on('error', () => near.destroy());
    near.pause();
    cloud.open(path).then(
      (far) => join(near, far),
      (error: Error) => {
        say(`postern: ${error.message}`);
        near.destroy();
      },
    );
  });
  return new Promise((resolve, reject) => {
    server.on('error', (error: NodeJS.ErrnoException) =>
      reject(new OperatorError(`Cannot listen on 127.0.0.1 port ${port}: ${error.code ?? error.message}.`)),
    );
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      answer(`listening on 127.0.0.1 port ${typeof address === 'object' ? address?.port : port}`);
    });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(exitCodes.ok));
  }).then((code) => {
    // Connections that are open end with the process.
    setImmediate(() => process.exit(code as number));
    return code as number;
  });
}

function join(near: Socket, far: Duplex): void {
  far.on('error', () => near.destroy());
  far.on('close', () => near.destroy());
  near.on('close', () => far.destroy());
  near.pipe(far).pipe(near);
}
