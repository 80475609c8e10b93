// What the AWS CLI starts for `aws ssm start-session`, in the place of AWS's session-manager-plugin: `postern aws` puts a command of that name on the path
// where there is none. Arguments: the answer of StartSession, or the variable that has it, then region, operation, profile, input, endpoint.

import { joinSession, pluginVersion, type StartedSession } from '../session-client.ts';
import { answer, exitCodes, OperatorError } from '../terminal.ts';

export async function sessionPlugin(args: readonly string[]): Promise<number> {
  const [first = '', , operation] = args;
  if (first === '--version' || first === '') {
    answer(pluginVersion);
    return exitCodes.ok;
  }
  if (operation !== 'StartSession')
    throw new OperatorError(`session-manager-plugin: '${operation}' is not an operation that it knows.`, {
      exitCode: exitCodes.usage,
    });
  const text = first.startsWith('AWS_SSM_START_SESSION_RESPONSE') ? (process.env[first] ?? '') : first;
  const started = JSON.parse(text) as StartedSession;
  answer(`\nStarting session with SessionId: ${started.SessionId}`);
  const status = await joinSession(started);
  answer(`\n\nExiting session with sessionId: ${started.SessionId}.\n`);
  return status;
}
