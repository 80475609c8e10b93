// The account's own row. An account that `--auth open` lets in has none until something is to be kept.

import type { Call } from '../../service.ts';
import type { AccountRow } from '../../store/rows/iam.ts';

export function accountOf(call: Call): AccountRow {
  const { accountId } = call;
  const made: AccountRow = { id: accountId, accountId, region: 'global', createdAt: call.now.toISOString() };
  return call.tx.get('account', accountId) ?? made;
}
