// `postern aws ARGS…`: the person's own AWS CLI with endpoint, credentials and region set. Debian's v2 is 2.9, which does not read
// AWS_ENDPOINT_URL (2.13 does), so the endpoint is given as an argument as well. Everything else passes through untouched.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { Cloud, type Environment } from '../cloud.ts';
import { dataDirectory } from '../spelling.ts';
import { exitCodes, OperatorError } from '../terminal.ts';

/** @returns the AWS CLI's own exit status   @throws OperatorError when it failed because the cloud ended meanwhile */
export async function aws(args: readonly string[], options: { data?: string; account?: string }): Promise<number> {
  const directory = dataDirectory(options.data);
  const cloud = Cloud.find(directory);
  const environment = await cloud.environment(options.account);
  const child = spawn('aws', ['--endpoint-url', environment.AWS_ENDPOINT_URL, ...args], {
    stdio: 'inherit',
    env: withPlugin(environmentFor(process.env, environment, options.account !== undefined)),
  });
  // Ctrl-C reaches both from the terminal: the CLI has things to undo, and the prompt comes back when it has ended.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  const status = await new Promise<number>((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'ENOENT'
          ? new OperatorError('The AWS CLI is not installed.', {
              exitCode: exitCodes.cannotStart,
              cure: 'sudo apt-get install -y awscli',
            })
          : error,
      );
    });
    child.on('exit', (code, signal) => resolve(signal ? 128 + (constants.signals[signal] ?? 0) : (code ?? 1)));
  });
  if (status !== 0 && !(await cloud.answers())) {
    // The CLI's own words are of a proxy, which nobody knows to have.
    const words = `The cloud on ${directory} ended before the AWS CLI had its answer: nobody is at ${environment.AWS_ENDPOINT_URL} any more.`;
    throw new OperatorError(words, { exitCode: exitCodes.notRunning, cure: 'postern up' });
  }
  return status;
}

/** `ssm start-session` starts a program of AWS's that few have; ours stands in where there is none. */
function withPlugin(own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    ...own,
    PATH: `${own['PATH'] ?? ''}:${join(import.meta.dirname, 'plugin')}`,
    POSTERN_NODE: process.execPath,
  };
}

/**
 * A key in the person's environment is used, since they may be trying out a user of this cloud; a profile there is not, since it is the real AWS's,
 * and may ask the real AWS for its keys. `--profile` says that it is wanted.
 * @param isChosen the account was named: its root's key, whatever else is there
 */
export function environmentFor(own: NodeJS.ProcessEnv, cloud: Environment, isChosen = false): NodeJS.ProcessEnv {
  const { AWS_PROFILE: _profile, AWS_DEFAULT_PROFILE: _defaultProfile, ...rest } = own;
  const pointed = {
    ...rest,
    // Some calls have an account or an access point in front of the endpoint's name, `123456789012.127.0.0.1`, which no resolver knows: the endpoint
    // takes them as a proxy would.
    http_proxy: cloud.AWS_ENDPOINT_URL,
    HTTP_PROXY: cloud.AWS_ENDPOINT_URL,
    no_proxy: '',
    NO_PROXY: '',
    AWS_ENDPOINT_URL: cloud.AWS_ENDPOINT_URL,
    AWS_DEFAULT_REGION: own['AWS_DEFAULT_REGION'] || own['AWS_REGION'] || cloud.AWS_DEFAULT_REGION,
  };
  if (own['AWS_ACCESS_KEY_ID'] && !isChosen) return pointed;
  // A session token that belongs to no key would go with ours and spoil it.
  const { AWS_SESSION_TOKEN: _sessionToken, ...withoutToken } = pointed as NodeJS.ProcessEnv;
  return {
    ...withoutToken,
    AWS_ACCESS_KEY_ID: cloud.AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY: cloud.AWS_SECRET_ACCESS_KEY,
  };
}
