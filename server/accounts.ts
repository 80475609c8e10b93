// Which accounts are there and who is their root? Issue 2, point 3: account 123456789012 with a random root access key exists from the first start.
// With `--auth open` any key is some account's root: a 12-digit access key id is that account, anything else the default one,
// unless the key was once issued here.

import { randomInt } from 'node:crypto';
import { isIssuedKeyId, newAccessKeyId, newSecretAccessKey, timestamp } from './identities.ts';
import type { AccessKeyRow, AccountRow } from './store/rows/iam.ts';
import type { Transaction } from './store/store.ts';

export const defaultAccountId = '123456789012';

/**
 * Makes an account and its root access key.
 * @param accountId 12 digits
 * @param kept the root key that the account had before a reset: it stays what the person's terminals have exported
 * @throws Error when there is such an account already
 */
export function createAccount(
  tx: Transaction,
  accountId: string,
  now: Date,
  kept?: AccessKeyRow,
): { account: AccountRow; rootKey: AccessKeyRow } {
  if (!/^\d{12}$/.test(accountId)) throw new Error(`an account id is 12 digits, not ${accountId}`);
  if (tx.get('account', accountId)) throw new Error(`account ${accountId} exists already`);
  const scope = { accountId, region: 'global' };
  const account: AccountRow = { id: accountId, ...scope, createdAt: timestamp(now) };
  const rootKey = kept ?? newRootKey(accountId, now);
  tx.put('account', account);
  tx.put('access-key', rootKey);
  return { account, rootKey };
}

/**
 * The rows that a cloud starts with. Does nothing when they are there, so it may run at every start.
 * @returns the default account and a root access key of it, for `postern env`
 */
export function ensureFirstState(
  tx: Transaction,
  now: Date,
  kept?: AccessKeyRow,
): { account: AccountRow; rootKey: AccessKeyRow } {
  const account = tx.get('account', defaultAccountId);
  if (!account) return createAccount(tx, defaultAccountId, now, kept);
  return { account, rootKey: ensureRootKey(tx, defaultAccountId, now) };
}

/** Root may delete its own keys through IAM; the operator still needs a way in. */
export function ensureRootKey(tx: Transaction, accountId: string, now: Date): AccessKeyRow {
  const rootKey = rootKeyOf(tx, accountId);
  if (rootKey) return rootKey;
  const made = newRootKey(accountId, now);
  tx.put('access-key', made);
  return made;
}

/** A further account, with an id that AWS would give: 12 random digits. */
export function addAccount(tx: Transaction, name: string | undefined, now: Date): AccountRow {
  let id = randomAccountId();
  while (tx.get('account', id)) id = randomAccountId();
  const { account } = createAccount(tx, id, now);
  const named = name === undefined ? account : { ...account, name };
  tx.put('account', named);
  return named;
}

/** Never with a zero first: people lose it in spreadsheets and YAML. */
function randomAccountId(): string {
  return String(randomInt(100_000_000_000, 300_000_000_000));
}

function newRootKey(accountId: string, now: Date): AccessKeyRow {
  return {
    id: newAccessKeyId('AKIA'),
    accountId,
    region: 'global',
    secretAccessKey: newSecretAccessKey(),
    status: 'Active',
    createDate: timestamp(now),
    owner: { kind: 'root' },
  };
}

/** Closed by its organization: nobody of it is anybody any more. */
export function isClosed(tx: Transaction, accountId: string): boolean {
  return tx.get('account', accountId)?.closedAt !== undefined;
}

/** The oldest active long-term key of an account's root. */
export function rootKeyOf(tx: Transaction, accountId: string): AccessKeyRow | undefined {
  return tx
    .list('access-key', { accountId })
    .find((key) => key.owner.kind === 'root' && key.status === 'Active' && key.expiration === undefined);
}

/**
 * Which account's root an unknown access key id stands for when the operator chose `--auth open`.
 * @returns undefined for a key that IAM or STS once issued: it was deleted or has expired, and does not become root by that
 */
export function openAuthKey(accessKeyId: string): string | undefined {
  if (isIssuedKeyId(accessKeyId)) return undefined;
  return /^\d{12}$/.test(accessKeyId) ? accessKeyId : defaultAccountId;
}

/** A command that mends something, for the owner of it: `aws ec2 …` becomes `aws --account ID ec2 …` where that is not the default account. */
export function asOwner(cure: string, accountId: string): string {
  return accountId === defaultAccountId ? cure : cure.replaceAll(/(^|\$\()aws /g, `$1aws --account ${accountId} `);
}
