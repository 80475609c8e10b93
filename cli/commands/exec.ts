// `postern exec INSTANCE -- CMD`: a process inside an instance, from outside its network: the operator's own door, which AWS does not have.

import { encodeFrame, FrameReader, frameKinds } from '@postern/server/operator/api.ts';
import { Cloud, ended } from '../cloud.ts';
import { dataDirectory } from '../spelling.ts';

export interface ExecOptions {
  readonly data?: string;
  readonly tty?: boolean;
}

/** @returns the command's own exit status; 128 + n when signal n ended it */
export async function exec(instanceId: string, command: readonly string[], options: ExecOptions): Promise<number> {
  const cloud = Cloud.find(dataDirectory(options.data));
  const argv = command.length > 0 ? command : ['bash', '-l'];
  const { stdin, stdout, stderr } = process;
  const tty = options.tty ?? (command.length === 0 && stdin.isTTY === true);
  const query = new URLSearchParams({ instance: instanceId, argv: JSON.stringify(argv), tty: tty ? '1' : '0' });
  if (tty) {
    query.set('size', `${stdout.columns ?? 80}x${stdout.rows ?? 24}`);
    query.set('term', process.env['TERM'] ?? 'xterm');
  }
  const stream = await cloud.open(`/exec?${query}`);

  const raw = tty && stdin.isTTY === true;
  if (raw) stdin.setRawMode(true);
  const resize = () => {
    const size = JSON.stringify({ columns: stdout.columns, rows: stdout.rows });
    stream.write(encodeFrame(frameKinds.resize, Buffer.from(size)));
  };
  if (tty) stdout.on('resize', resize);
  stdin.on('data', (chunk: Buffer) => {
    if (stream.write(encodeFrame(frameKinds.stdin, chunk))) return;
    stdin.pause();
    stream.once('drain', () => stdin.resume());
  });
  stdin.on('end', () => stream.write(encodeFrame(frameKinds.stdinEnd, new Uint8Array())));
  stdin.on('error', () => stream.write(encodeFrame(frameKinds.stdinEnd, new Uint8Array())));

  const frames = new FrameReader();
  return new Promise((resolve, reject) => {
    let status: number | undefined;
    const show = (to: NodeJS.WriteStream, payload: Buffer) => {
      if (to.write(payload)) return;
      stream.pause();
      to.once('drain', () => stream.resume());
    };
    stream.on('data', (chunk: Buffer) => {
      for (const { kind, payload } of frames.push(chunk)) {
        if (kind === frameKinds.stdout) show(stdout, payload);
        else if (kind === frameKinds.stderr) show(stderr, payload);
        else if (kind === frameKinds.exit) status = Number(payload.toString('utf8'));
      }
    });
    stream.on('error', () => stream.destroy());
    stream.on('close', () => {
      if (raw) stdin.setRawMode(false);
      stdin.destroy();
      if (status === undefined) reject(ended());
      else resolve(status);
    });
  });
}
