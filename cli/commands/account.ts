// `postern account create` and `postern account list`: AWS accounts of this cloud. Each has a root, users, roles and a default VPC in every region of its own; its
// root's key is what `postern env --account ID` prints.

import type { AccountSummary } from '@postern/server/operator/api.ts';
import { Cloud } from '../cloud.ts';
import { commandName, dataDirectory } from '../spelling.ts';
import { answer, answerJson, exitCodes, say, table } from '../terminal.ts';

interface AccountOptions {
  readonly data?: string;
  readonly json?: boolean;
}

export async function createAccount(options: AccountOptions & { readonly name?: string }): Promise<number> {
  const directory = dataDirectory(options.data);
  const body = options.name === undefined ? {} : { name: options.name };
  const made = await Cloud.find(directory).ask<AccountSummary>('POST', '/accounts', body);
  if (options.json) answerJson(made);
  else {
    answer(made.accountId);
    say(`postern: its root: eval "$(${commandName(directory)} env --account ${made.accountId})"`);
  }
  return exitCodes.ok;
}

export async function listAccounts(options: AccountOptions): Promise<number> {
  const accounts = await Cloud.find(dataDirectory(options.data)).ask<AccountSummary[]>('GET', '/accounts');
  if (options.json) answerJson(accounts);
  else answer(table(accounts.map(({ accountId, name, createdAt }) => [accountId, name ?? '', createdAt])));
  return exitCodes.ok;
}
