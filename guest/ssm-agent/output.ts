// A command's output to a bucket, with the role's own permissions and by the instance's own road to S3.

import type { Identity } from './instance.ts';
import { log } from './log.ts';
import type { ScriptResult } from './script.ts';
import { send } from './service.ts';

/** Puts what the command said; AWS's agent too goes on when it may not. */
export async function putOutput(
  identity: Identity,
  bucket: string,
  prefix: string,
  { stdout, stderr }: ScriptResult,
): Promise<void> {
  for (const [name, text] of [
    ['stdout', stdout],
    ['stderr', stderr],
  ] as const) {
    if (text === '') continue;
    const path = `/${bucket}/${prefix}/${name}`.split('/').map(encodeURIComponent).join('/');
    try {
      const answer = await send(identity, 's3', 'PUT', path, { 'content-type': 'text/plain' }, text);
      if (answer.status !== 200) log(`s3://${bucket}/${prefix}/${name}: ${answer.status} ${answer.body}`);
    } catch (error) {
      log(`s3://${bucket}/${prefix}/${name}: ${(error as Error).message}`);
    }
  }
}
