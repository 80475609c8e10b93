// `postern provider-keys ARN FILE`: what tokens of an OpenID Connect provider are checked with. AWS fetches the keys from the provider; no packet
// leaves this machine, so the person brings them: the JSON that the provider's jwks_uri answers.

import { readFileSync } from 'node:fs';
import { Cloud } from '../cloud.ts';
import { dataDirectory } from '../spelling.ts';
import { answer, answerJson, exitCodes, OperatorError } from '../terminal.ts';

export async function providerKeys(
  providerArn: string,
  file: string,
  options: { readonly data?: string; readonly json?: boolean },
): Promise<number> {
  let keys: unknown;
  try {
    ({ keys } = JSON.parse(readFileSync(file, 'utf8')) as { keys?: unknown });
  } catch (error) {
    throw new OperatorError(`${file} is no JSON Web Key Set: ${(error as Error).message}`);
  }
  const body = { providerArn, keys };
  const kept = await Cloud.find(dataDirectory(options.data)).ask<{ keys: number }>('POST', '/provider-keys', body);
  if (options.json) answerJson(kept);
  else answer(kept.keys === 1 ? '1 key' : `${kept.keys} keys`);
  return exitCodes.ok;
}
