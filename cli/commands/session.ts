// `postern session INSTANCE`: a shell by Session Manager, for those who have neither the AWS CLI nor its plugin. It is a client of the public API: it signs
// StartSession as whoever the environment says, else as the account's root, and speaks to the data channel that it is given.

import { signedHeaders } from '@postern/guest/wire/signature.ts';
import { Cloud } from '../cloud.ts';
import { joinSession, type StartedSession } from '../session-client.ts';
import { dataDirectory } from '../spelling.ts';
import { exitCodes, OperatorError, say } from '../terminal.ts';
import { environmentFor } from './aws.ts';

export interface SessionOptions {
  readonly data?: string;
  readonly region?: string;
}

export async function session(
  instanceId: string,
  command: readonly string[],
  options: SessionOptions,
): Promise<number> {
  const cloud = Cloud.find(dataDirectory(options.data));
  const environment = environmentFor(process.env, await cloud.environment());
  const input = {
    Target: instanceId,
    ...(command.length > 0 && {
      DocumentName: 'AWS-StartInteractiveCommand',
      // One line for the remote shell, as `ssh HOST a b` sends it.
      Parameters: { command: [command.join(' ')] },
    }),
  };
  const started = await startSession(cloud.endpoint, environment, options.region, input);
  say(`postern: session ${started.SessionId} begins`);
  return joinSession(started);
}

async function startSession(
  endpoint: URL,
  environment: NodeJS.ProcessEnv,
  given: string | undefined,
  input: object,
): Promise<StartedSession> {
  const region = given ?? environment['AWS_DEFAULT_REGION'] ?? 'us-east-1';
  const url = new URL('/', endpoint);
  const body = JSON.stringify(input);
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AmazonSSM.StartSession' };
  const sessionToken = environment['AWS_SESSION_TOKEN'];
  const key = {
    accessKeyId: environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'] ?? '',
    ...(sessionToken && { sessionToken }),
  };
  const { host: _host, ...signed } = signedHeaders({ method: 'POST', url, service: 'ssm', region, headers, body }, key);
  const response = await fetch(url, { method: 'POST', headers: signed, body });
  const answer = (await response.json()) as Partial<StartedSession> & Record<string, string>;
  if (response.ok) return answer as StartedSession;
  const code = (answer['__type'] ?? '').replace(/^.*#/, '');
  throw new OperatorError(`${code}: ${answer['message'] ?? answer['Message'] ?? ''}`, {
    exitCode: exitCodes.failed,
    ...(code === 'TargetNotConnected' && {
      cure: 'aws ssm describe-instance-information',
    }),
  });
}
