// The AWS CLI at the person's terminal, as `postern aws` runs it (cli.test.ts tries that), loaded once for all commands of a test file.

import { AwsCli, type Ran } from '@postern/labs/aws-cli.ts';
import { postern } from './inside.ts';
import type { Own } from './own-cloud.ts';

export const awsCommand = '/usr/bin/aws';

let cli: AwsCli | undefined;
const environments = new Map<string, Promise<NodeJS.ProcessEnv>>();

/** Endpoint and root key of one of the cloud's accounts. */
async function environmentOf(own: Own, account: string): Promise<NodeJS.ProcessEnv> {
  const { status, out } = await postern(own.directory, 'env', '--json', '--account', account);
  if (status !== 0) throw new Error(out);
  return JSON.parse(out) as NodeJS.ProcessEnv;
}

/** @param account whose root asks; the cloud's first one unless told otherwise */
export async function aws(own: Own, args: readonly string[], account?: string): Promise<Ran> {
  cli ??= new AwsCli(awsCommand);
  let environment: NodeJS.ProcessEnv = own.environment;
  if (account !== undefined) {
    const known = environments.get(account) ?? environmentOf(own, account);
    environments.set(account, known);
    environment = await known;
  }
  // As `postern aws` does, for names in front of the endpoint's.
  const asProxy = { HTTP_PROXY: own.endpoint, NO_PROXY: '' };
  const quiet = { ...asProxy, AWS_PAGER: '', AWS_EC2_METADATA_DISABLED: 'true', AWS_DEFAULT_REGION: 'us-east-1' };
  return cli.run(['--endpoint-url', own.endpoint, ...args], { PATH: process.env['PATH'], ...quiet, ...environment });
}
