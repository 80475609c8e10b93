// When was a key or a role last used, where, and for which service? GetAccessKeyLastUsed and GetRole answer it from the row; the access advisor's reports
// ask when a user or a role last used each service.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKeyLastUsed.html (read 2026-11-21). A use counts when the signature was good,
// whatever became of the request. AWS is minutes late as well; here a row is written at most once a minute, and no answer waits for it.

import { actionPrefix } from './authorize/permissions.ts';
import { nameKey, timestamp } from './identities.ts';
import type { AccessKeyRow, RoleRow } from './store/rows/iam.ts';
import type { Store, Transaction } from './store/store.ts';
import { trackedAction } from './tracked-actions.ts';

const writeEveryMs = 60_000;

interface Use {
  readonly service: string;
  readonly region: string;
  /** Undefined for a request whose operation there is not. */
  readonly operation?: string | undefined;
  readonly now: Date;
}

/** @param accessKey the key whose signature was good; a role's session counts for its role, other temporary keys for nothing */
export function noteUse(store: Store, accessKey: AccessKeyRow, use: Use): void {
  const { service, region, now } = use;
  const { owner } = accessKey;
  noteAccess(store, accessKey, use);
  if (owner.kind === 'role-session') {
    const find = (tx: Transaction) => roleOf(tx, accessKey.accountId, owner);
    const role = store.read(find);
    if (!role || isRecent(role.lastUsed, now)) return;
    write(store, (tx) => {
      const row = find(tx);
      if (row) tx.put('role', { ...row, lastUsed: { date: timestamp(now), region } });
    });
    return;
  }
  if (accessKey.sessionToken !== undefined || isRecent(accessKey.lastUsed, now)) return;
  write(store, (tx) => {
    const row = tx.get('access-key', accessKey.id);
    if (row) tx.put('access-key', { ...row, lastUsed: { date: timestamp(now), region, service } });
  });
}

/** What was noted within the minute, `KEY SERVICE ACTION` → when: so that a request costs one look-up. */
const noted = new Map<string, number>();
const mostNoted = 4096;

function noteAccess(store: Store, { id, accountId, owner }: AccessKeyRow, use: Use): void {
  if (owner.kind !== 'user' && owner.kind !== 'role-session') return;
  const { service, region, now } = use;
  const namespace = actionPrefix(service);
  const action = trackedAction(namespace, use.operation);
  const key = `${owner.kind === 'user' ? id : owner.roleId} ${service} ${action ?? ''}`;
  const before = noted.get(key);
  if (before !== undefined && now.getTime() - before < writeEveryMs) return;
  if (noted.size >= mostNoted) noted.clear();
  noted.set(key, now.getTime());
  write(store, (tx) => {
    const user = owner.kind === 'user' ? tx.get('user', nameKey(accountId, owner.userName)) : undefined;
    const entityId = owner.kind === 'user' ? user?.userId : roleOf(tx, accountId, owner)?.roleId;
    if (entityId === undefined) return;
    const accessId = `${entityId}/${namespace}`;
    const date = timestamp(now);
    const actions = tx.get('service-access', accessId)?.actions;
    tx.put('service-access', {
      id: accessId,
      accountId,
      region: 'global',
      entityId,
      namespace,
      date,
      lastRegion: region,
      ...(action === undefined ? actions && { actions } : { actions: { ...actions, [action]: { date, region } } }),
    });
  });
}

/** A role that was deleted and made again is another role. */
function roleOf(
  tx: Transaction,
  accountId: string,
  { roleName, roleId }: { roleName: string; roleId: string },
): RoleRow | undefined {
  const role = tx.get('role', nameKey(accountId, roleName));
  return role?.roleId === roleId ? role : undefined;
}

/** Every request asks; a text that is a minute old is read once. */
let lastText = '';
let lastMs = 0;

function isRecent(lastUsed: { date: string } | undefined, now: Date): boolean {
  if (lastUsed === undefined) return false;
  if (lastUsed.date !== lastText) {
    lastText = lastUsed.date;
    lastMs = Date.parse(lastText);
  }
  return now.getTime() - lastMs < writeEveryMs;
}

function write(store: Store, work: (tx: Transaction) => void): void {
  // A commit that fails ends the process; nobody waits for this one in particular.
  store.transact(work).durable?.catch(() => {});
}
