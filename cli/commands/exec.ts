// `postern exec INSTANCE -- CMD`: a process inside an instance, from outside its network: the operator's own door, which AWS does not have.

import { encodeFrame, FrameReader, frameKinds } from '@postern/server/operator/api.ts';
import { Cloud, dataDirectory } from '../cloud.ts';

export interface ExecOptions {
  readonly data?: string;
  readonly tty?: boolean;
  readonly user?: string;
}

/** @returns the command's own exit status */
export async function exec(instanceId: string, command: readonly string[], options: ExecOptions): Promise<number> {
  const cloud = Cloud.find(dataDirectory(options.data));
  const argv = command.length > 0 ? command : ['bash', '-l'];
  const tty = options.tty ?? (command.length === 0 && process.stdin.isTTY === true);
  const query = new URLSearchParams({ instance: instanceId, argv: JSON.stringify(argv), tty: tty ? '1' : '0' });
  if (tty) query.set('size', `${process.stdout.columns ?? 80}x${process.stdout.rows ?? 24}`);
  const stream = await cloud.open(`/exec?${query}`);

  if (tty && process.stdin.isTTY) process.stdin.setRawMode(true);
  const resize = () => {
    const size = JSON.stringify({ columns: process.stdout.columns, rows: process.stdout.rows });
    stream.write(encodeFrame(frameKinds.resize, Buffer.from(size)));
  };
  if (tty) process.stdout.on('resize', resize);
  process.stdin.on('data', (chunk: Buffer) => stream.write(encodeFrame(frameKinds.stdin, chunk)));
  process.stdin.on('end', () => stream.write(encodeFrame(frameKinds.stdinEnd, new Uint8Array())));

  const frames = new FrameReader();
  return new Promise((resolve, reject) => {
    let status = 1;
    stream.on('data', (chunk: Buffer) => {
      for (const { kind, payload } of frames.push(chunk)) {
        if (kind === frameKinds.stdout) process.stdout.write(payload);
        else if (kind === frameKinds.stderr) process.stderr.write(payload);
        else if (kind === frameKinds.exit) status = Number(payload.toString('utf8'));
      }
    });
    stream.on('error', reject);
    stream.on('close', () => {
      if (tty && process.stdin.isTTY) process.stdin.setRawMode(false);
      process.stdin.destroy();
      resolve(status);
    });
  });
}
