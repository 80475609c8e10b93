// Aliases: names for keys, of one account and region. https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html (read 2026-11-21)

import type * as SDK from '@aws-sdk/client-kms';
import { AwsError } from '../../errors.ts';
import { aliasArn, isPendingDeletion, pendingDeletion, presentKey, s3Alias, usageOf } from '../../kms-keys.ts';
import { type Call, type Operation, operation, type Permission } from '../../service.ts';
import type { KmsAliasRow, KmsKeyRow } from '../../store/rows/kms.ts';
import { onAll, onThisKey, requireKey, scopeOf } from './access.ts';
import { invalid, type Paged, pageOf, validationError } from './errors.ts';
import { substanceOf } from './key-specs.ts';

/** @throws ValidationException, NotAuthorizedException */
function checkedName(name: string | undefined): string {
  if (!name?.startsWith('alias/'))
    throw invalid(
      'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
    );
  if (!/^[a-zA-Z0-9/_-]{1,256}$/.test(name) || name === 'alias/')
    throw validationError(
      `Value '${name}' at 'aliasName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9/_-]+$`,
    );
  // Recorded by others; AWS keeps these names.
  if (/^alias\/aws\//.test(name)) throw new AwsError('NotAuthorizedException', 400, '');
  return name;
}

/** The key that an alias shall stand for. @throws NotFoundException, ValidationException, KMSInvalidStateException */
function targetKey(call: Call, named: string | undefined): KmsKeyRow {
  if (named !== undefined && /^(alias\/|arn:.*:alias\/)/.test(named))
    throw invalid('Aliases must refer to keys. Not aliases');
  const key = requireKey(call, { KeyId: named });
  if (key.accountId !== call.accountId || key.manager === 'AWS')
    throw new AwsError('NotFoundException', 400, `Key '${key.id}' does not exist`);
  if (isPendingDeletion(key)) throw pendingDeletion(key);
  return key;
}

/** @throws NotFoundException */
function requireAlias(call: Call, name: string | undefined): KmsAliasRow {
  const id = aliasArn(scopeOf(call), checkedName(name));
  const alias = call.tx.get('kms-alias', id);
  if (!alias) throw new AwsError('NotFoundException', 400, `Alias ${id} is not found.`);
  return alias;
}

/**
 * An alias moves between keys that are used alike: both symmetric, both pairs or both HMAC, and for one usage.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateAlias.html (read 2026-11-21)
 * @throws ValidationException, whose wording is without a source
 */
function checkAlike(from: KmsKeyRow | undefined, to: KmsKeyRow): void {
  const isPair = (key: KmsKeyRow) => substanceOf(key).kind !== 'secret';
  if (from && (usageOf(from) !== usageOf(to) || isPair(from) !== isPair(to)))
    throw invalid('The current and the new KMS key of an alias must be of the same type and have the same key usage.');
}

/** The alias itself, and each key that it stands for or shall stand for. */
function permissions(call: Call, action: string, name: string | undefined, keys: readonly KmsKeyRow[]): Permission[] {
  return [
    { action, resource: aliasArn(scopeOf(call), name ?? ''), context: { 'kms:CallerAccount': [call.accountId] } },
    ...keys.map((key) => onThisKey(call, key, action)),
  ];
}

function keyBehind(call: Call, alias: KmsAliasRow): KmsKeyRow[] {
  const key = presentKey(call.tx, alias.keyArn, call.now);
  return key ? [key] : [];
}

function described(alias: KmsAliasRow): SDK.AliasListEntry {
  return {
    AliasName: alias.name,
    AliasArn: alias.id,
    TargetKeyId: alias.keyArn.slice(alias.keyArn.lastIndexOf('/') + 1),
    CreationDate: new Date(alias.creationDate),
    LastUpdatedDate: new Date(alias.lastUpdatedDate),
  };
}

export const aliasOperations = {
  CreateAlias: operation<SDK.CreateAliasRequest, Record<string, never>>({
    authorize: (call, input) => {
      checkedName(input.AliasName);
      return permissions(call, 'kms:CreateAlias', input.AliasName, [targetKey(call, input.TargetKeyId)]);
    },
    run: (call, input) => {
      const name = checkedName(input.AliasName);
      const key = targetKey(call, input.TargetKeyId);
      const id = aliasArn(scopeOf(call), name);
      if (call.tx.get('kms-alias', id))
        throw new AwsError('AlreadyExistsException', 400, `An alias with the name ${id} already exists`);
      const now = call.now.toISOString();
      const { accountId, region } = key;
      call.tx.put('kms-alias', {
        id,
        accountId,
        region,
        name,
        keyArn: key.id,
        creationDate: now,
        lastUpdatedDate: now,
      });
      return {};
    },
  }),
  UpdateAlias: operation<SDK.UpdateAliasRequest, Record<string, never>>({
    authorize: (call, input) => {
      const keys = [...keyBehind(call, requireAlias(call, input.AliasName)), targetKey(call, input.TargetKeyId)];
      return permissions(call, 'kms:UpdateAlias', input.AliasName, keys);
    },
    run: (call, input) => {
      const alias = requireAlias(call, input.AliasName);
      const key = targetKey(call, input.TargetKeyId);
      checkAlike(keyBehind(call, alias)[0], key);
      call.tx.put('kms-alias', { ...alias, keyArn: key.id, lastUpdatedDate: call.now.toISOString() });
      return {};
    },
  }),
  DeleteAlias: operation<SDK.DeleteAliasRequest, Record<string, never>>({
    authorize: (call, input) =>
      permissions(call, 'kms:DeleteAlias', input.AliasName, keyBehind(call, requireAlias(call, input.AliasName))),
    run: (call, input) => {
      call.tx.delete('kms-alias', requireAlias(call, input.AliasName).id);
      return {};
    },
  }),
  ListAliases: operation<Paged & SDK.ListAliasesRequest, SDK.ListAliasesResponse>({
    authorize: onAll('kms:ListAliases'),
    readOnly: true,
    run: (call, input) => {
      const { accountId, region } = call;
      const key = input.KeyId === undefined ? undefined : requireKey(call, input);
      const told = call.tx
        .list('kms-alias', { accountId, region })
        .filter((alias) => key === undefined || alias.keyArn === key.id)
        .map(described);
      // Predefined, and of no key before the first use.
      const s3 = { AliasName: s3Alias, AliasArn: aliasArn(scopeOf(call), s3Alias) };
      if (key === undefined && !told.some(({ AliasName }) => AliasName === s3Alias)) told.push(s3);
      const sorted = told.sort((a, b) => ((a.AliasName ?? '') < (b.AliasName ?? '') ? -1 : 1));
      const { items, ...page } = pageOf(sorted, input, 100);
      return { Aliases: items, ...page };
    },
  }),
} satisfies Record<string, Operation>;
