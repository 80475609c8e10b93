// What a grant allows, as statements of a policy: they stand beside those of the key's own policy and are evaluated with them.
// https://docs.aws.amazon.com/kms/latest/developerguide/grants.html, create-grant-overview.html and grant-delete.html (read 2026-11-21).
// A caller of another account needs no policy of its own for what a grant allows: AWS's service-linked roles use keys of other accounts by grants alone.
// Who may retire a grant is said by the grant, and not by the key's policy.

import type { Principal } from '@postern/policy/types.ts';
import { keyContext, specOf, usageOf } from '../../kms-keys.ts';
import type { Call, Permission, ResourcePolicy } from '../../service.ts';
import type { KmsGrantRow, KmsKeyRow } from '../../store/rows/kms.ts';
import type { Transaction } from '../../store/store.ts';
import { substanceOf } from './key-specs.ts';

const sealing = ['Decrypt', 'Encrypt', 'ReEncryptFrom', 'ReEncryptTo'];
const dataKeys = [
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
];

/** What keys do, by what they are for; GetPublicKey is of pairs. */
const usesOf: Readonly<Record<string, readonly string[]>> = {
  ENCRYPT_DECRYPT: sealing,
  SIGN_VERIFY: ['Sign', 'Verify'],
  GENERATE_VERIFY_MAC: ['GenerateMac', 'VerifyMac'],
  KEY_AGREEMENT: ['DeriveSharedSecret'],
};
const cryptographic = [...Object.values(usesOf).flat(), ...dataKeys];
const onAnyKey = ['CreateGrant', 'RetireGrant', 'DescribeKey'];
export const grantOperations: readonly string[] = [...cryptographic, 'GetPublicKey', ...onAnyKey];

/** Those that a grant on this key may name. https://docs.aws.amazon.com/kms/latest/developerguide/grants.html#terms-grant-operations (read 2026-11-21) */
export function grantableOn(key: KmsKeyRow): readonly string[] {
  const isPair = substanceOf(key).kind !== 'secret';
  const isSymmetric = specOf(key) === 'SYMMETRIC_DEFAULT';
  return [
    ...(usesOf[usageOf(key)] ?? []),
    ...(isSymmetric ? dataKeys : []),
    ...(isPair ? ['GetPublicKey'] : []),
    ...onAnyKey,
  ];
}

/** A name with dots, and no ARN. */
export function isService(principal: string): boolean {
  return /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(principal);
}

type Condition = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Principal: Readonly<Record<string, string>>;
  readonly Action: string | readonly string[];
  readonly Resource: '*';
  readonly Condition?: Condition;
}

function statement(grant: KmsGrantRow, principal: string, actions: readonly string[], condition: Condition): Statement {
  return {
    Sid: `grant ${grant.id}`,
    Effect: 'Allow',
    Principal: isService(principal) ? { Service: principal } : { AWS: principal },
    Action: actions.map((name) => `kms:${name}`),
    Resource: '*',
    ...(Object.keys(condition).length > 0 && { Condition: condition }),
  };
}

/** A dollar sign begins a variable in a policy, and in a grant it is text. */
const dollar = ['$', '{$}'].join('');
const asText = (value: string) => value.replaceAll('$', () => dollar);

/** Of a request's encryption context; of CreateGrant, that of the grant which is to be made, so that it is as strict. Names are compared without case. */
function contextCondition({ constraints }: KmsGrantRow): Condition {
  const { subset, equals } = constraints ?? {};
  const pairs = Object.entries(equals ?? subset ?? {});
  const values = Object.fromEntries(pairs.map(([name, value]) => [`kms:EncryptionContext:${name}`, asText(value)]));
  const names = pairs.map(([name]) => name);
  return {
    ...(pairs.length > 0 && { StringEquals: values }),
    ...(equals &&
      names.length > 0 && { 'ForAllValues:StringEqualsIgnoreCase': { 'kms:EncryptionContextKeys': names } }),
    ...(equals && names.length === 0 && { Null: { 'kms:EncryptionContextKeys': 'true' } }),
  };
}

function onlyFor({ constraints }: KmsGrantRow): Condition {
  return constraints?.sourceArn === undefined ? {} : { ArnEquals: { 'aws:SourceArn': constraints.sourceArn } };
}

/** Who is given the permission may hand on no more than it has. */
function furtherGrants(grant: KmsGrantRow): Condition {
  const { StringEquals: pairs, ...context } = contextCondition(grant);
  const isExact = grant.constraints?.equals !== undefined;
  return {
    ...context,
    ...onlyFor(grant),
    'ForAllValues:StringEquals': { 'kms:GrantOperations': grant.operations },
    ...((pairs || isExact) && {
      StringEquals: { ...pairs, ...(isExact && { 'kms:GrantConstraintType': 'EncryptionContextEquals' }) },
    }),
  };
}

function statementsOf(grant: KmsGrantRow): readonly Statement[] {
  const { grantee, operations } = grant;
  const uses = cryptographic.filter((name) => operations.includes(name));
  const told = ['DescribeKey', 'GetPublicKey'].filter((name) => operations.includes(name));
  return [
    ...(uses.length > 0 ? [statement(grant, grantee, uses, { ...contextCondition(grant), ...onlyFor(grant) })] : []),
    ...(told.length > 0 ? [statement(grant, grantee, told, onlyFor(grant))] : []),
    ...(operations.includes('CreateGrant') ? [statement(grant, grantee, ['CreateGrant'], furtherGrants(grant))] : []),
  ];
}

/** Says which grant is meant to the statements below; no policy of AWS's knows it. */
const grantKey = 'postern:GrantId';

/** The retiring principal, a grantee that may, and the account that made the grant or has the key; in an account, whoever IAM lets. */
function retirementStatements(grant: KmsGrantRow, key: KmsKeyRow): readonly Statement[] {
  return [
    ...(grant.retiring === undefined ? [] : [grant.retiring]),
    ...(grant.operations.includes('RetireGrant') ? [grant.grantee] : []),
    grant.issuingAccount,
    key.accountId,
  ].map((principal) => statement(grant, principal, ['RetireGrant'], { StringEquals: { [grantKey]: grant.id } }));
}

/** The permission to retire one grant. */
export function retirement(call: Call, grant: KmsGrantRow): Permission {
  const key = call.tx.get('kms-key', grant.keyArn);
  const context = { ...(key && keyContext(call.tx, key, call.accountId)), [grantKey]: [grant.id] };
  const isNamed =
    names(call.principal, grant.retiring) ||
    (grant.operations.includes('RetireGrant') && names(call.principal, grant.grantee));
  return {
    action: 'kms:RetireGrant',
    resource: grant.keyArn,
    context,
    ...(isNamed && { grantedBy: `grant ${grant.id}` }),
  };
}

function names(principal: Principal, kept: string | undefined): boolean {
  const { arn, roleArn, userId } = principal;
  return kept !== undefined && (kept === arn || kept === roleArn || kept === userId || userId.startsWith(`${kept}:`));
}

/** What is asked about a key: its policy and its grants, as one document. */
export function keyAccess(tx: Transaction, resource: string, action: string | undefined): ResourcePolicy | undefined {
  const key = tx.get('kms-key', resource);
  if (!key) return undefined;
  const { accountId, region, keyId } = key;
  const policy = { id: `key policy of ${keyId}`, ownerAccountId: accountId, trust: true, kind: 'resource' } as const;
  const grants = tx.list('kms-grant', { accountId, region }).filter((grant) => grant.keyArn === key.id);
  if (action === 'kms:RetireGrant') {
    const statements = grants.flatMap((grant) => retirementStatements(grant, key));
    return { ...policy, id: `grants on ${keyId}`, policyText: textOf(statements) };
  }
  if (grants.length === 0) return { ...policy, policyText: key.policy };
  const statements = grants.flatMap(statementsOf);
  return { ...policy, policyText: withStatements(key.policy, statements), granted: textOf(statements) };
}

function textOf(statements: readonly Statement[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

/** The policy's own statements keep their places. */
function withStatements(policyText: string, statements: readonly Statement[]): string {
  const { Statement: own, ...head } = JSON.parse(policyText) as {
    readonly Version?: string;
    readonly Statement: unknown;
  };
  // A policy of before has no variables.
  const text = JSON.stringify(statements);
  const added = head.Version === '2012-10-17' ? text : text.replaceAll(dollar, () => '$');
  return JSON.stringify({ ...head, Statement: [own, JSON.parse(added)].flat(2) });
}
