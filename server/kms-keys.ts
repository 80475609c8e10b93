// Which KMS key does a name mean, and may it be used now? For KMS itself, and for S3, which asks in its caller's name and prints the same errors as `KMS.…`.
// Wordings: recorded on AWS (2023-04, 2023-07). https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id (read 2026-11-21)
// Gap: automatic rotation is remembered and not done; S3's objects stay under a key's first material.

import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { denialMessage, denialReason } from '@postern/policy/messages.ts';
import type { AuthorizationRequest, Decision } from '@postern/policy/types.ts';
import { AwsError } from './errors.ts';
import type { ImportedMaterial, KmsKeyRow } from './store/rows/kms.ts';
import type { Index, Transaction } from './store/store.ts';
import { tagKeys } from './tag-keys.ts';

/** Where a name without an account and a region is looked for. */
export interface KeyScope {
  readonly partition: string;
  readonly region: string;
  readonly accountId: string;
}

/** What S3 puts before KMS's own codes. */
export type CodePrefix = '' | 'KMS.';

const keyIdForm = /^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})$/;

export function keyArn({ partition, region, accountId }: KeyScope, keyId: string): string {
  return `arn:${partition}:kms:${region}:${accountId}:key/${keyId}`;
}

export function aliasArn({ partition, region, accountId }: KeyScope, name: string): string {
  return `arn:${partition}:kms:${region}:${accountId}:${name}`;
}

/**
 * @param named a key id, `alias/NAME`, or the ARN of either
 * @throws NotFoundException
 */
export function findKey(
  tx: Transaction,
  scope: KeyScope,
  named: string,
  now: Date,
  prefix: CodePrefix = '',
): KmsKeyRow {
  const missing = (message: string) => new AwsError(`${prefix}NotFoundException`, 400, message);
  const arn = /^arn:[\w-]+:kms:([^:]*):\d{12}:(key|alias)\/(.+)$/.exec(named);
  if (arn && arn[1] !== scope.region) throw missing(`Invalid arn ${arn[1]}`);
  const isAlias = arn ? arn[2] === 'alias' : named.startsWith('alias/');
  if (isAlias) {
    const id = arn ? named : aliasArn(scope, named);
    const alias = tx.get('kms-alias', id);
    const key = alias && presentKey(tx, alias.keyArn, now);
    if (!key) throw missing(`Alias ${id} is not found.`);
    return key;
  }
  if (!keyIdForm.test(arn?.[3] ?? named)) throw missing(`Invalid keyId '${named}'`);
  const id = arn ? named : keyArn(scope, named);
  const key = presentKey(tx, id, now);
  if (!key) throw missing(`Key '${id}' does not exist`);
  return key;
}

/** A key whose day has come is gone, whoever removes the row. */
export function presentKey(tx: Transaction, arn: string, now: Date): KmsKeyRow | undefined {
  const key = tx.get('kms-key', arn);
  return key && !isGone(key, now) ? key : undefined;
}

export function isGone(key: KmsKeyRow, now: Date): boolean {
  return key.deletionDate !== undefined && new Date(key.deletionDate) <= now;
}

/** @throws DisabledException, KMSInvalidStateException */
export function checkUsable(key: KmsKeyRow, now: Date, prefix: CodePrefix = ''): void {
  if (isPendingDeletion(key)) throw pendingDeletion(key, prefix);
  if (isPendingImport(key, now)) throw pendingImport(key, prefix);
  if (!key.enabled) throw new AwsError(`${prefix}DisabledException`, 400, `${key.id} is disabled.`);
}

/** In whose place another must be imported again: a key needs all that it was ever used with. */
export function isPendingImport({ imported }: Pick<KmsKeyRow, 'imported'>, now: Date): boolean {
  if (!imported) return false;
  const used = imported.materials.filter(({ pending }) => !pending);
  return used.length === 0 || used.some((material) => !isThere(material, now));
}

export function isThere({ bytes, validTo }: ImportedMaterial, now: Date): boolean {
  return bytes !== undefined && (validTo === undefined || new Date(validTo) > now);
}

export function pendingImport(key: KmsKeyRow, prefix: CodePrefix = ''): AwsError {
  return new AwsError(`${prefix}KMSInvalidStateException`, 400, `${key.id} is pending import.`);
}

/** Of a primary key also while it waits for its replicas. */
export function isPendingDeletion({
  deletionDate,
  replicaWindowDays,
}: Pick<KmsKeyRow, 'deletionDate' | 'replicaWindowDays'>): boolean {
  return deletionDate !== undefined || replicaWindowDays !== undefined;
}

export function pendingDeletion(key: KmsKeyRow, prefix: CodePrefix = ''): AwsError {
  return new AwsError(`${prefix}KMSInvalidStateException`, 400, `${key.id} is pending deletion.`);
}

export function specOf(key: Pick<KmsKeyRow, 'spec'>): string {
  return key.spec ?? 'SYMMETRIC_DEFAULT';
}

export function usageOf(key: Pick<KmsKeyRow, 'usage'>): string {
  return key.usage ?? 'ENCRYPT_DECRYPT';
}

/** The words of a key that is for something else (recorded on AWS, 2024-04). */
export function wrongUsage(key: KmsKeyRow, operation: string, prefix: CodePrefix = ''): AwsError {
  return new AwsError(
    `${prefix}InvalidKeyUsageException`,
    400,
    `${key.id} key usage is ${usageOf(key)} which is not valid for ${operation}.`,
  );
}

/** The words of a key that knows another algorithm (recorded on AWS, 2024-04). */
export function wrongAlgorithm(key: KmsKeyRow, algorithm: string, prefix: CodePrefix = ''): AwsError {
  return new AwsError(
    `${prefix}InvalidKeyUsageException`,
    400,
    `Algorithm ${algorithm} is incompatible with key spec ${specOf(key)}.`,
  );
}

/** Data keys, and what services encrypt, are under symmetric keys alone. @throws InvalidKeyUsageException */
export function checkSymmetric(key: KmsKeyRow, operation: string, prefix: CodePrefix = ''): void {
  if (usageOf(key) !== 'ENCRYPT_DECRYPT') throw wrongUsage(key, operation, prefix);
  if (specOf(key) !== 'SYMMETRIC_DEFAULT') throw wrongAlgorithm(key, 'SYMMETRIC_DEFAULT', prefix);
}

export function originOf({ imported }: Pick<KmsKeyRow, 'imported'>): 'AWS_KMS' | 'EXTERNAL' {
  return imported ? 'EXTERNAL' : 'AWS_KMS';
}

/** A key's materials, base64, that which is sealed with first. Of a key that can be used they are all there. */
export function materialsOf(
  key: Pick<KmsKeyRow, 'material' | 'rotations' | 'imported'>,
): readonly [string, ...string[]] {
  const later = key.imported
    ? key.imported.materials.filter(({ pending }) => !pending).map(({ bytes }) => bytes ?? '')
    : (key.rotations ?? []).map(({ material }) => material);
  const first = key.imported ? (later.shift() ?? '') : key.material;
  const [newest, ...others] = later.reverse();
  return newest === undefined ? [first] : [newest, ...others, first];
}

/** That under which S3's objects stay. */
export function firstMaterial(key: KmsKeyRow): string {
  return materialsOf(key).at(-1) ?? '';
}

/** What names a material from outside: 64 hexadecimal digits, of which nothing of it can be read. Related keys of several regions say the same. */
export function materialId(key: Pick<KmsKeyRow, 'id' | 'keyId' | 'multiRegion'>, material: string): string {
  return createHash('sha256')
    .update(key.multiRegion ? key.keyId : key.id)
    .update(material)
    .digest('hex');
}

/** Absent: none was imported yet. */
export function currentMaterialId(key: KmsKeyRow): string | undefined {
  if (!key.imported) return materialId(key, materialsOf(key)[0]);
  return key.imported.materials.findLast(({ pending }) => !pending)?.id;
}

/** Of a symmetric key. */
export function newMaterial(): string {
  return randomBytes(32).toString('base64');
}

/** A new key with its material; the caller puts it. */
export function newKey(
  scope: KeyScope,
  now: Date,
  given: Pick<KmsKeyRow, 'description' | 'manager' | 'policy' | 'tags'> &
    Partial<Pick<KmsKeyRow, 'spec' | 'usage' | 'material' | 'imported' | 'multiRegion'>>,
): KmsKeyRow {
  const keyId = given.multiRegion ? `mrk-${randomUUID().replaceAll('-', '')}` : randomUUID();
  return {
    id: keyArn(scope, keyId),
    accountId: scope.accountId,
    region: scope.region,
    keyId,
    material: newMaterial(),
    creationDate: now.toISOString(),
    enabled: true,
    ...given,
  };
}

/** The predefined alias: told from the beginning, and of a key from its first use on. */
export const s3Alias = 'alias/aws/s3';

/** The key that a service uses where its caller names none (`aws/s3`); made when it is first asked for in a transaction that is kept. */
export function managedKey(tx: Transaction, scope: KeyScope, service: 's3', now: Date): KmsKeyRow {
  const id = aliasArn(scope, `alias/aws/${service}`);
  const known = tx.get('kms-alias', id);
  const key = known && tx.get('kms-key', known.keyArn);
  if (key) return key;
  const made = newKey(scope, now, {
    description: 'Default key that protects my S3 objects when no other key is defined',
    manager: 'AWS',
    policy: managedPolicy(scope, service),
    tags: {},
  });
  tx.put('kms-key', made);
  tx.put('kms-alias', {
    id,
    accountId: scope.accountId,
    region: scope.region,
    name: `alias/aws/${service}`,
    keyArn: made.id,
    creationDate: made.creationDate,
    lastUpdatedDate: made.creationDate,
  });
  return made;
}

/** Everybody in the account, through the service, as AWS's own keys have it. */
function managedPolicy({ partition, region, accountId }: KeyScope, service: string): string {
  const name = service.toUpperCase();
  return JSON.stringify({
    Version: '2012-10-17',
    Id: `auto-${service}-2`,
    Statement: [
      {
        Sid: `Allow access through ${name} for all principals in the account that are authorized to use ${name}`,
        Effect: 'Allow',
        Principal: { AWS: '*' },
        Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
        Resource: '*',
        Condition: {
          StringEquals: { 'kms:CallerAccount': accountId, 'kms:ViaService': `${service}.${region}.amazonaws.com` },
        },
      },
      {
        Sid: 'Allow direct access to key metadata to the account',
        Effect: 'Allow',
        Principal: { AWS: `arn:${partition}:iam::${accountId}:root` },
        Action: ['kms:Describe*', 'kms:Get*', 'kms:List*'],
        Resource: '*',
      },
    ],
  });
}

/** KMS's words for a denial: a key's policy must itself allow, as a role's, and is a resource's policy by its name. */
export function keyDenial(request: AuthorizationRequest, decision: Decision): string {
  const reason =
    decision.layer === 'trust' ? denialReason('resource', decision.explicit, request.action) : decision.reason;
  return denialMessage(request, { ...decision, reason });
}

const aliasesOf: Index<'kms-alias'> = { kind: 'kms-alias', keyOf: (row) => row.keyArn };

/** Of the keys that share an id, that which the others follow. */
export function isPrimary({ multiRegion, region }: Pick<KmsKeyRow, 'multiRegion' | 'region'>): boolean {
  return multiRegion?.primaryRegion === region;
}

/** What kind of key it is, or shall be. */
export function kindKeys(
  key: Pick<KmsKeyRow, 'spec' | 'usage' | 'imported' | 'multiRegion' | 'region'>,
): Record<string, readonly string[]> {
  return {
    'kms:KeySpec': [specOf(key)],
    'kms:KeyUsage': [usageOf(key)],
    'kms:KeyOrigin': [originOf(key)],
    'kms:MultiRegion': [String(key.multiRegion !== undefined)],
    ...(key.multiRegion && { 'kms:MultiRegionKeyType': [isPrimary(key) ? 'PRIMARY' : 'REPLICA'] }),
  };
}

/** What policies may ask about bytes that a service has sealed or opened: it is done with the one algorithm of symmetric keys. */
export const algorithmKey = { 'kms:EncryptionAlgorithm': ['SYMMETRIC_DEFAULT'] };

/**
 * What policies may ask about a use of a key. @param via the service that asks in its caller's name
 * https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html (read 2026-11-21)
 */
export function keyContext(
  tx: Transaction,
  key: KmsKeyRow,
  callerAccountId: string,
  encryptionContext: Readonly<Record<string, string>> = {},
  via?: string,
): Record<string, readonly string[]> {
  const names = Object.keys(encryptionContext);
  const aliases = tx.find(aliasesOf, key.id).map(({ name }) => name);
  return {
    'kms:CallerAccount': [callerAccountId],
    ...kindKeys(key),
    ...(aliases.length > 0 && { 'kms:ResourceAliases': aliases }),
    ...(via !== undefined && { 'kms:ViaService': [via], 'aws:ViaAWSService': ['true'] }),
    ...(names.length > 0 && { 'kms:EncryptionContextKeys': names }),
    ...Object.fromEntries(names.map((name) => [`kms:EncryptionContext:${name}`, [encryptionContext[name] ?? '']])),
    ...tagKeys('aws:ResourceTag', key.tags),
  };
}
