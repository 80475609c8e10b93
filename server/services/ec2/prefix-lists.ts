// Managed prefix lists: a customer's own, with versions, and AWS's. https://docs.aws.amazon.com/vpc/latest/userguide/managed-prefix-lists.html
// (read 2026-11-21). A change is complete at once; `create-in-progress` and `modify-in-progress` are answered once, as AWS does.

import type {
  CreateManagedPrefixListRequest,
  CreateManagedPrefixListResult,
  DeleteManagedPrefixListRequest,
  DeleteManagedPrefixListResult,
  DescribeManagedPrefixListsRequest,
  DescribeManagedPrefixListsResult,
  DescribePrefixListsRequest,
  DescribePrefixListsResult,
  GetManagedPrefixListAssociationsRequest,
  GetManagedPrefixListAssociationsResult,
  GetManagedPrefixListEntriesRequest,
  GetManagedPrefixListEntriesResult,
  ManagedPrefixList,
  ModifyManagedPrefixListRequest,
  ModifyManagedPrefixListResult,
  PrefixListState,
  RestoreManagedPrefixListVersionRequest,
  RestoreManagedPrefixListVersionResult,
} from '@aws-sdk/client-ec2';
import { normalizeCidr } from '@postern/network/cidr.ts';
import { normalizeIpv6Cidr } from '@postern/network/ipv6.ts';
import type { PrefixListId } from '@postern/network/snapshot.ts';
import { type Call, type Operation, operation } from '../../service.ts';
import type { PrefixListRow } from '../../store/rows/ec2.ts';
import {
  dependencyViolation,
  ec2Error,
  invalidCombination,
  invalidParameterValue,
  invalidValue,
  missingParameter,
  notACidr,
  refuseUnsupported,
} from './errors.ts';
import { applyFilters, type FilterTable } from './filters.ts';
import { oncePerToken } from './idempotency.ts';
import { paginate } from './pagination.ts';
import { awsManagedRows, isAwsManaged, requireCustomerPrefixList, requirePrefixList } from './prefix-list-lookup.ts';
import { findRow, requireRow, scopeOf } from './rows.ts';
import { tagsFromSpecifications, toTags } from './tags.ts';

const maxEntries = 1000;
/** Entries of one ModifyManagedPrefixList. */
const maxChanges = 100;

type Entry = PrefixListRow['entries'][number];
type EntryInput = { readonly Cidr?: string | undefined; readonly Description?: string | undefined };

function arnOf(call: Call, row: PrefixListRow): string {
  const owner = isAwsManaged(row) ? 'aws' : row.accountId;
  return `arn:${call.partition}:ec2:${row.region}:${owner}:prefix-list/${row.id}`;
}

function toManagedPrefixList(call: Call, row: PrefixListRow, state: PrefixListState = row.state): ManagedPrefixList {
  const managed = isAwsManaged(row);
  return {
    PrefixListId: row.id,
    PrefixListName: row.prefixListName,
    PrefixListArn: arnOf(call, row),
    AddressFamily: row.addressFamily,
    State: state,
    OwnerId: row.accountId,
    // AWS's own lists show neither.
    ...(!managed && { MaxEntries: row.maxEntries, Version: row.version }),
    Tags: toTags(row.tags),
  };
}

const filters: FilterTable<PrefixListRow> = {
  'owner-id': (row) => row.accountId,
  'prefix-list-id': (row) => row.id,
  'prefix-list-name': (row) => row.prefixListName,
};

function selectLists(call: Call, ids: readonly string[] | undefined): PrefixListRow[] {
  if (ids && ids.length > 0) return [...new Set(ids)].map((id) => requirePrefixList(call, id));
  return [...awsManagedRows(call), ...call.tx.list('prefix-list', scopeOf(call))];
}

function checkName(name: string | undefined): string {
  if (!name) throw missingParameter('PrefixListName');
  if (name.length > 255) throw invalidValue(name, 'PrefixListName', 'It may have at most 255 characters.');
  if (name.toLowerCase().startsWith('com.amazonaws'))
    throw invalidValue(name, 'PrefixListName', "Prefix list names starting with 'com.amazonaws' are reserved.");
  return name;
}

function checkMaxEntries(value: number | undefined): number {
  if (value === undefined) throw missingParameter('MaxEntries');
  if (!Number.isInteger(value) || value < 1 || value > maxEntries)
    throw invalidValue(value, 'MaxEntries', `It must be between 1 and ${maxEntries}.`);
  return value;
}

function readCidr(text: string | undefined, family: PrefixListRow['addressFamily']): string {
  if (!text) throw missingParameter('Cidr');
  const cidr = family === 'IPv4' ? normalizeCidr(text) : normalizeIpv6Cidr(text);
  if (!cidr) throw notACidr(text, 'Cidr');
  return cidr;
}

function readEntries(list: readonly EntryInput[] | undefined, family: PrefixListRow['addressFamily']): Entry[] {
  const seen = new Set<string>();
  return (list ?? []).map(({ Cidr, Description: description }) => {
    const cidr = readCidr(Cidr, family);
    if (seen.has(cidr)) throw invalidParameterValue(`The prefix list entry ${cidr} is specified more than once.`);
    seen.add(cidr);
    return { cidr, ...(description && { description }) };
  });
}

function checkFits(entries: readonly Entry[], max: number): void {
  if (entries.length > max)
    throw ec2Error(
      'PrefixListMaxEntriesExceeded',
      `You've reached the maximum number of entries for the prefix list (${max}).`,
    );
}

function makeList(call: Call, input: CreateManagedPrefixListRequest): PrefixListId {
  const prefixListName = checkName(input.PrefixListName);
  const max = checkMaxEntries(input.MaxEntries);
  const family = input.AddressFamily;
  if (!family) throw missingParameter('AddressFamily');
  if (family !== 'IPv4' && family !== 'IPv6')
    throw invalidValue(family, 'AddressFamily', 'Valid values are IPv4 and IPv6.');
  const entries = readEntries(input.Entries, family);
  checkFits(entries, max);
  const id: PrefixListId = call.tx.newId('pl');
  call.tx.put('prefix-list', {
    ...scopeOf(call),
    id,
    prefixListName,
    addressFamily: family,
    maxEntries: max,
    version: 1,
    state: 'create-complete',
    entries,
    history: [{ version: 1, entries }],
    tags: tagsFromSpecifications(input.TagSpecifications, 'prefix-list'),
  });
  return id;
}

function checkVersion(row: PrefixListRow, current: number | undefined): void {
  if (current !== undefined && current !== row.version)
    throw ec2Error('PrefixListVersionMismatch', 'The prefix list has the incorrect version number.');
}

/** The entries after removals and then additions; adding a block that is there changes its description. */
function changedEntries(row: PrefixListRow, input: ModifyManagedPrefixListRequest): Entry[] {
  const add = readEntries(input.AddEntries, row.addressFamily);
  const remove = readEntries(input.RemoveEntries, row.addressFamily);
  if (add.length > maxChanges || remove.length > maxChanges)
    throw ec2Error('InvalidParameterValue', `A request can add and remove at most ${maxChanges} entries each.`);
  const byCidr = new Map(row.entries.map((entry) => [entry.cidr, entry]));
  for (const { cidr } of remove) {
    if (add.some((entry) => entry.cidr === cidr))
      throw invalidParameterValue(`The entry ${cidr} cannot be both added and removed in one request.`);
    if (!byCidr.delete(cidr))
      throw invalidParameterValue(`The entry ${cidr} does not exist in the prefix list '${row.id}'.`);
  }
  for (const entry of add) byCidr.set(entry.cidr, entry);
  return [...byCidr.values()];
}

function withEntries(row: PrefixListRow, entries: Entry[]): PrefixListRow {
  const version = row.version + 1;
  return { ...row, entries, version, state: 'modify-complete', history: [...row.history, { version, entries }] };
}

function modifyList(call: Call, input: ModifyManagedPrefixListRequest): PrefixListRow {
  const row = requireCustomerPrefixList(call, input.PrefixListId);
  refuseUnsupported('ModifyManagedPrefixList', input, ['IpamPrefixListResolverSyncEnabled']);
  const changesEntries = (input.AddEntries?.length ?? 0) + (input.RemoveEntries?.length ?? 0) > 0;
  if (input.MaxEntries !== undefined && changesEntries)
    throw invalidCombination('The parameter maxEntries cannot be used with a change of entries');
  if (changesEntries && input.CurrentVersion === undefined) throw missingParameter('CurrentVersion');
  checkVersion(row, input.CurrentVersion);
  let changed: PrefixListRow = row;
  if (input.PrefixListName !== undefined) changed = { ...changed, prefixListName: checkName(input.PrefixListName) };
  if (input.MaxEntries !== undefined) {
    changed = { ...changed, maxEntries: checkMaxEntries(input.MaxEntries), state: 'modify-complete' };
    checkFits(changed.entries, changed.maxEntries);
  }
  if (changesEntries) {
    const entries = changedEntries(row, input);
    checkFits(entries, changed.maxEntries);
    changed = withEntries(changed, entries);
  }
  call.tx.put('prefix-list', changed);
  return changed;
}

function entriesAt(row: PrefixListRow, version: number | undefined): readonly Entry[] {
  if (version === undefined || version === row.version) return row.entries;
  const old = row.history.find((one) => one.version === version);
  if (!old) throw ec2Error('InvalidPrefixListVersion', `The prefix list '${row.id}' has no version ${version}.`);
  return old.entries;
}

/** What names the list: rules of security groups and routes. */
function usersOf(call: Call, id: PrefixListId): { resourceId: string; ownerId: string }[] {
  const scope = scopeOf(call);
  const users = new Set<string>();
  for (const { peer, groupId } of call.tx.list('security-group-rule', scope))
    if (peer.kind === 'prefix-list' && peer.prefixListId === id) users.add(groupId);
  for (const table of call.tx.list('route-table', scope))
    if (table.routes.some(({ destination }) => destination.kind === 'prefix-list' && destination.prefixListId === id))
      users.add(table.id);
  return [...users].map((resourceId) => ({ resourceId, ownerId: call.accountId }));
}

export const prefixLists = {
  CreateManagedPrefixList: operation<CreateManagedPrefixListRequest, CreateManagedPrefixListResult>({
    authorize: 'auto',
    run: (call, input) => {
      const known = (ids: readonly string[]) => ids.every((id) => findRow(call, 'prefix-list', id));
      const [id] = oncePerToken(call, input.ClientToken, input, known, () => [makeList(call, input)]);
      return { PrefixList: toManagedPrefixList(call, requireRow(call, 'prefix-list', id), 'create-in-progress') };
    },
  }),

  DescribeManagedPrefixLists: operation<DescribeManagedPrefixListsRequest, DescribeManagedPrefixListsResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const rows = applyFilters(selectLists(call, input.PrefixListIds), input.Filters, filters);
      const { page, ...next } = paginate(rows, input, { min: 1, max: 100 }, (row) => row.id);
      return { PrefixLists: page.map((row) => toManagedPrefixList(call, row)), ...next };
    },
  }),

  GetManagedPrefixListEntries: operation<GetManagedPrefixListEntriesRequest, GetManagedPrefixListEntriesResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const entries = entriesAt(requirePrefixList(call, input.PrefixListId), input.TargetVersion);
      const { page, ...next } = paginate(entries, input, { min: 1, max: 100 }, (entry) => entry.cidr);
      return {
        Entries: page.map(({ cidr, description }) => ({
          Cidr: cidr,
          ...(description && { Description: description }),
        })),
        ...next,
      };
    },
  }),

  GetManagedPrefixListAssociations: operation<
    GetManagedPrefixListAssociationsRequest,
    GetManagedPrefixListAssociationsResult
  >({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const list = requireCustomerPrefixList(call, input.PrefixListId);
      const { page, ...next } = paginate(usersOf(call, list.id), input, { min: 5, max: 255 }, (one) => one.resourceId);
      return {
        PrefixListAssociations: page.map(({ resourceId, ownerId }) => ({
          ResourceId: resourceId,
          ResourceOwner: ownerId,
        })),
        ...next,
      };
    },
  }),

  ModifyManagedPrefixList: operation<ModifyManagedPrefixListRequest, ModifyManagedPrefixListResult>({
    authorize: 'auto',
    run: (call, input) => ({ PrefixList: toManagedPrefixList(call, modifyList(call, input), 'modify-in-progress') }),
  }),

  RestoreManagedPrefixListVersion: operation<
    RestoreManagedPrefixListVersionRequest,
    RestoreManagedPrefixListVersionResult
  >({
    authorize: 'auto',
    run: (call, input) => {
      const row = requireCustomerPrefixList(call, input.PrefixListId);
      if (input.PreviousVersion === undefined) throw missingParameter('PreviousVersion');
      if (input.CurrentVersion === undefined) throw missingParameter('CurrentVersion');
      checkVersion(row, input.CurrentVersion);
      const entries = [...entriesAt(row, input.PreviousVersion)];
      checkFits(entries, row.maxEntries);
      const restored = withEntries(row, entries);
      call.tx.put('prefix-list', restored);
      return { PrefixList: toManagedPrefixList(call, restored, 'restore-in-progress') };
    },
  }),

  DeleteManagedPrefixList: operation<DeleteManagedPrefixListRequest, DeleteManagedPrefixListResult>({
    authorize: 'auto',
    run: (call, input) => {
      const row = requireCustomerPrefixList(call, input.PrefixListId);
      const users = usersOf(call, row.id).map(({ resourceId }) => resourceId);
      if (users.length > 0) throw dependencyViolation(`resource ${row.id} has a dependent object`, users);
      call.tx.delete('prefix-list', row.id);
      return { PrefixList: toManagedPrefixList(call, row, 'delete-in-progress') };
    },
  }),

  /** AWS's services only, with their blocks. */
  DescribePrefixLists: operation<DescribePrefixListsRequest, DescribePrefixListsResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      const wanted = (input.PrefixListIds ?? []).map((id) => requirePrefixList(call, id));
      const chosen = wanted.length > 0 ? wanted : awsManagedRows(call);
      const { page, ...next } = paginate(
        applyFilters(chosen, input.Filters, filters),
        input,
        { min: 5, max: 1000 },
        (row) => row.id,
      );
      return {
        PrefixLists: page.map((row) => ({
          PrefixListId: row.id,
          PrefixListName: row.prefixListName,
          Cidrs: row.entries.map((entry) => entry.cidr),
        })),
        ...next,
      };
    },
  }),
} satisfies Record<string, Operation>;
