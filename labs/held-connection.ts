// A client inside an instance that is in the middle of a connection to S3 while the way there changes: the connection is opened, and asked for
// something when it is told to.

import { expect } from './lab.ts';
import { inside, type LabRun, mustWork } from './steps.ts';

/** It waits for a minute at most: so long S3 waits for a request. */
const client = [
  "trap '' PIPE",
  ': > /tmp/held-answer',
  'exec 3<>/dev/tcp/s3.us-east-1.amazonaws.com/80 && echo open > /tmp/held',
  'for i in $(seq 600); do [ -e /tmp/go ] && break; sleep 0.1; done',
  "printf 'GET / HTTP/1.1\\r\\nHost: s3.us-east-1.amazonaws.com\\r\\nConnection: close\\r\\n\\r\\n' >&3",
  'timeout 5 cat <&3 > /tmp/held-answer 2>/tmp/held-error',
  'echo done >> /tmp/held',
].join('; ');

export async function holdConnection(lab: LabRun): Promise<void> {
  const start = `rm -f /tmp/go /tmp/held*; setsid bash -c ${JSON.stringify(client).replaceAll('$', '\\$')} >/dev/null 2>&1 &`;
  const isOpen = 'for i in $(seq 300); do [ -e /tmp/held ] && exit 0; sleep 0.1; done; exit 1';
  mustWork(await inside(lab, `${start} ${isOpen}`), 'opening a connection to S3');
}

/** Asks over the connection that is held. @throws StepFailed when something was answered */
export async function heldIsDropped(lab: LabRun): Promise<void> {
  const ask = 'touch /tmp/go; for i in $(seq 300); do grep -q done /tmp/held && break; sleep 0.1; done';
  const held = await inside(lab, `${ask}; wc -c < /tmp/held-answer`);
  expect(held.stdout.trim() === '0', 'the open connection to be dropped', held.output);
}
