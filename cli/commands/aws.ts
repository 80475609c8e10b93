// `postern aws ARGS…`: the person's own AWS CLI with endpoint, credentials and region set. Debian's v2 is 2.9, which does not read
// AWS_ENDPOINT_URL (2.13 does), so the endpoint is given as an argument as well.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { Cloud, dataDirectory } from '../cloud.ts';
import { exitCodes, OperatorError } from '../terminal.ts';

export async function aws(args: readonly string[], options: { data?: string }): Promise<number> {
  const environment = await Cloud.find(dataDirectory(options.data)).environment();
  const own = process.env['AWS_ACCESS_KEY_ID'] || process.env['AWS_PROFILE'];
  const region = process.env['AWS_DEFAULT_REGION'] ?? process.env['AWS_REGION'] ?? environment.AWS_DEFAULT_REGION;
  const credentials = own
    ? {}
    : { AWS_ACCESS_KEY_ID: environment.AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: environment.AWS_SECRET_ACCESS_KEY };
  const endpoint = args.includes('--endpoint-url') ? [] : ['--endpoint-url', environment.AWS_ENDPOINT_URL];
  const child = spawn('aws', [...endpoint, ...args], {
    stdio: 'inherit',
    env: { ...process.env, AWS_ENDPOINT_URL: environment.AWS_ENDPOINT_URL, AWS_DEFAULT_REGION: region, ...credentials },
  });
  return new Promise((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'ENOENT'
          ? new OperatorError('The AWS CLI is not installed.', {
              exitCode: exitCodes.usage,
              cure: 'sudo apt-get install awscli',
            })
          : error,
      );
    });
    child.on('exit', (code, signal) => resolve(signal ? 128 + (constants.signals[signal] ?? 0) : (code ?? 1)));
  });
}
