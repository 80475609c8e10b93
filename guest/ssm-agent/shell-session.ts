// A shell at a terminal, or the command of AWS-StartInteractiveCommand at one. As with AWS's agent it is `sh`, in /usr/bin, as ssm-user: here that is another
// name of root, as every user is.

import { openTerminal } from '../pty.ts';
import { payloadTypes } from '../wire/agent-message.ts';
import { type SessionLink, type SessionProgram, type Task, withParameters } from './sessions.ts';

export function startShell(task: Task, link: SessionLink): SessionProgram {
  const { linux } = withParameters(task.DocumentContent.properties ?? {}, task) as { linux?: { commands?: string } };
  const command = linux?.commands ?? '';
  const quoted = command === '' ? '' : ` -c '${command.replaceAll("'", `'\\''`)}'`;
  const user = { HOME: '/home/ssm-user', USER: 'ssm-user', LOGNAME: 'ssm-user', SHELL: '/bin/sh' };
  const terminal = openTerminal(`/bin/sh${quoted}`, {
    cwd: '/usr/bin',
    env: { ...process.env, ...user, TERM: 'xterm-256color', LANG: 'C.UTF-8' },
    rows: 24,
    cols: 80,
  });
  const { process: child } = terminal;
  child.stdout?.on('data', (chunk: Buffer) => {
    if (!link.write(payloadTypes.output, chunk)) child.stdout?.pause();
  });
  child.stderr?.on('data', (chunk: Buffer) => link.write(payloadTypes.output, chunk));
  child.stdin?.on('error', () => {});
  child.on('error', (error) => {
    link.write(payloadTypes.output, `${error.message}\r\n`);
    link.over();
  });
  child.on('close', () => link.over());
  return {
    take(payloadType, payload) {
      if (payloadType === payloadTypes.output) child.stdin?.write(payload);
      else if (payloadType === payloadTypes.size) {
        const { rows, cols } = JSON.parse(payload.toString()) as { rows: number; cols: number };
        if (rows > 0 && cols > 0) terminal.resize(rows, cols);
      }
    },
    drained: () => child.stdout?.resume(),
    end: () => terminal.hangUp(),
  };
}
