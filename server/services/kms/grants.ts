// Grants: permissions on one key for one principal, beside the key's policy. https://docs.aws.amazon.com/kms/latest/developerguide/grants.html and
// https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html (read 2026-11-21). What a grant allows is grant-statements.ts.
// A grant is in force when it is answered: a grant token is checked and changes nothing. Wordings without a recorded source are marked.

import type * as SDK from '@aws-sdk/client-kms';
import { AwsError } from '../../errors.ts';
import { rootArn } from '../../identities.ts';
import { checkUsable, keyContext, specOf } from '../../kms-keys.ts';
import { arnOf, uniqueIdOf } from '../../principal-names.ts';
import { type Call, type Operation, operation, type Permission } from '../../service.ts';
import type { KmsGrantRow, KmsKeyRow } from '../../store/rows/kms.ts';
import { dryRunnable, isAlias, onAll, onThisKey, requireKey } from './access.ts';
import { invalid, type Paged, pageOf, validationError } from './errors.ts';
import { grantableOn, grantOperations, isService, retirement } from './grant-statements.ts';
import { checkGrantTokens, grantIdOf, newGrantId, tokenOf } from './grant-tokens.ts';

const mostGrants = 50_000;
const mostPairs = 8;
const mostCharacters = 384;

const notAllowed = (what: string, values: readonly string[]) =>
  validationError(
    `Value '[${values.join(', ')}]' at '${what}' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [${grantOperations.join(', ')}]]`,
  );

/** @throws InvalidArnException: an alias (recorded by a user of boto, 2015), or another key's errors */
function keyOf(call: Call, input: { readonly KeyId?: string | undefined }): KmsKeyRow {
  if (isAlias(input.KeyId))
    throw new AwsError('InvalidArnException', 400, 'Key Aliases are not supported for this operation.');
  return requireKey(call, input);
}

/**
 * As it is kept: a user or a role of an account that is here by its unique id, so that a later one of the same name is somebody else.
 * @throws ValidationException, InvalidArnException; the wordings are without a source
 */
function principalOf(call: Call, arn: string, member: string): string {
  if (arn.length > 256 || !/^[\w+=,.@:/-]+$/.test(arn))
    throw validationError(
      `Value '${arn}' at '${member}' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[\\w+=,.@:/-]+$`,
    );
  const [, accountId = '', isEntity] = principalArn.exec(arn) ?? [];
  const uniqueId = uniqueIdOf(call.tx, arn);
  if (accountId === '' || (isEntity !== undefined && uniqueId === undefined && call.tx.get('account', accountId)))
    throw new AwsError('InvalidArnException', 400, `ARN does not refer to a valid principal: ${arn}`);
  return uniqueId ?? arn;
}

const principalArn =
  /^arn:[\w-]+:(?=iam::\d+:(?:root$|user\/|role\/)|sts::\d+:(?:assumed-role|federated-user)\/)(?:iam|sts)::(\d{12}):(?:root$|((?:user|role)\/)|[^/]+\/)/;

type Principals = Partial<
  Pick<
    SDK.CreateGrantRequest,
    'GranteePrincipal' | 'GranteeServicePrincipal' | 'RetiringPrincipal' | 'RetiringServicePrincipal'
  >
>;

/** One of a pair of members, or none. @throws ValidationException, InvalidArnException; the wordings are without a source */
function onePrincipal(call: Call, role: 'Grantee' | 'Retiring', input: Principals): string | undefined {
  const arn = input[`${role}Principal`];
  const service = input[`${role}ServicePrincipal`];
  if (arn !== undefined && service !== undefined)
    throw invalid(`Specify either ${role}Principal or ${role}ServicePrincipal, but not both.`);
  if (arn !== undefined) return principalOf(call, arn, `${role.toLowerCase()}Principal`);
  if (service !== undefined && !isService(service)) throw invalid(`${service} is not a service principal.`);
  return service;
}

/** An empty context beside a full one is none: Terraform's aws_kms_grant sends both, and works on AWS. */
function contextsOf(given: SDK.GrantConstraints | undefined): NonNullable<KmsGrantRow['constraints']> {
  const { EncryptionContextSubset: subset, EncryptionContextEquals: equals } = given ?? {};
  const isBeside = (one: object | undefined, other: object | undefined): boolean =>
    Object.keys(one ?? {}).length === 0 && Object.keys(other ?? {}).length > 0;
  return {
    ...(subset && !isBeside(subset, equals) && { subset }),
    ...(equals && !isBeside(equals, subset) && { equals }),
  };
}

/** @throws ValidationException; the numbers are the API reference's, the wordings without a source */
function checkedConstraints(given: SDK.GrantConstraints | undefined): KmsGrantRow['constraints'] {
  const { subset, equals } = contextsOf(given);
  const sourceArn = given?.SourceArn;
  if (subset && equals)
    throw invalid('Specify either EncryptionContextSubset or EncryptionContextEquals, but not both.');
  for (const pairs of [subset, equals]) {
    if (!pairs) continue;
    if (Object.keys(pairs).length > mostPairs)
      throw invalid(`A grant constraint can have at most ${mostPairs} encryption context pairs.`);
    if (JSON.stringify(pairs).length > mostCharacters)
      throw invalid(`The encryption context of a grant constraint can have at most ${mostCharacters} characters.`);
  }
  if (!subset && !equals && sourceArn === undefined) return undefined;
  return { ...(subset && { subset }), ...(equals && { equals }), ...(sourceArn !== undefined && { sourceArn }) };
}

/** @throws ValidationException: what this kind of key does not do, or a context that it does not know; the wordings are without a source */
function checkGrantable(
  key: KmsKeyRow,
  operations: readonly string[],
  constraints: SDK.GrantConstraints | undefined,
): void {
  const known = grantableOn(key);
  const wrong = operations.filter((name) => !known.includes(name));
  if (wrong.length > 0)
    throw invalid(`${key.id} key spec is ${specOf(key)} which is not valid for grants of ${wrong.join(', ')}.`);
  const { subset, equals } = contextsOf(constraints);
  if ((subset ?? equals) && specOf(key) !== 'SYMMETRIC_DEFAULT')
    throw invalid('Encryption context constraints are for symmetric encryption KMS keys only.');
}

type Wanted = Pick<
  KmsGrantRow,
  'name' | 'grantee' | 'retiring' | 'operations' | 'constraints' | 'keyArn' | 'issuingAccount'
>;

/** What a request asks for, checked. @throws ValidationException, InvalidArnException */
function wantedGrant(call: Call, key: KmsKeyRow, input: SDK.CreateGrantRequest): Wanted {
  const operations = input.Operations ?? [];
  if (operations.length === 0)
    throw validationError("Value null at 'operations' failed to satisfy constraint: Member must not be null");
  if (operations.some((name) => !grantOperations.includes(name))) throw notAllowed('operations', operations);
  checkGrantable(key, operations, input.Constraints);
  const { Name: name } = input;
  if (name !== undefined && !/^[a-zA-Z0-9:/_-]{1,256}$/.test(name))
    throw validationError(
      `Value '${name}' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$`,
    );
  const grantee = onePrincipal(call, 'Grantee', input);
  if (!grantee)
    throw validationError("Value null at 'granteePrincipal' failed to satisfy constraint: Member must not be null");
  const retiring = onePrincipal(call, 'Retiring', input);
  const constraints = checkedConstraints(input.Constraints);
  if (isService(grantee) && (constraints?.sourceArn === undefined || !retiring))
    throw invalid('A GranteeServicePrincipal needs a SourceArn grant constraint and a retiring principal.');
  return {
    keyArn: key.id,
    issuingAccount: rootArn(call.partition, call.accountId),
    grantee,
    operations: [...new Set(operations)],
    ...(name !== undefined && { name }),
    ...(retiring && { retiring }),
    ...(constraints && { constraints }),
  };
}

function grantsOf(call: Call, key: KmsKeyRow): KmsGrantRow[] {
  const { accountId, region } = key;
  return call.tx
    .list('kms-grant', { accountId, region })
    .filter((grant) => grant.keyArn === key.id)
    .sort((a, b) => (a.creationDate + a.id < b.creationDate + b.id ? -1 : 1));
}

function createGrant(call: Call, input: SDK.CreateGrantRequest): SDK.CreateGrantResponse {
  const key = keyOf(call, input);
  const wanted = wantedGrant(call, key, input);
  checkUsable(key, call.now);
  const known = grantsOf(call, key);
  // With a name, a request that is made again finds the grant of the first time.
  const same = wanted.name === undefined ? undefined : known.find((grant) => isSame(grant, wanted));
  if (!same && known.length >= mostGrants)
    throw new AwsError('LimitExceededException', 400, `A key can have at most ${mostGrants} grants.`);
  const id = same?.id ?? newGrantId();
  if (!same) {
    const { accountId, region } = key;
    call.tx.put('kms-grant', { id, accountId, region, creationDate: call.now.toISOString(), ...wanted });
  }
  return { GrantId: id, GrantToken: tokenOf(id) };
}

function isSame(
  { id: _, accountId: __, region: ___, creationDate: ____, ...grant }: KmsGrantRow,
  wanted: Wanted,
): boolean {
  const plain = ({ operations, ...rest }: Wanted) =>
    JSON.stringify([Object.entries(rest).sort(), [...operations].sort()]);
  return plain(grant) === plain(wanted);
}

/** @throws InvalidGrantIdException, NotFoundException: not of this key; the wordings are without a source */
function requireGrant(call: Call, key: KmsKeyRow, grantId: string | undefined): KmsGrantRow {
  if (!/^[0-9a-f]{64}$/.test(grantId ?? ''))
    throw new AwsError('InvalidGrantIdException', 400, `Invalid grant id '${grantId ?? ''}'`);
  const grant = call.tx.get('kms-grant', grantId ?? '');
  if (grant?.keyArn !== key.id) throw new AwsError('NotFoundException', 400, `Grant '${grantId}' does not exist`);
  return grant;
}

/** By its token, or by key and id. @throws ValidationException, InvalidGrantTokenException, InvalidGrantIdException, NotFoundException */
function grantToRetire(call: Call, input: SDK.RetireGrantRequest): KmsGrantRow {
  const { GrantToken: token, KeyId: keyId, GrantId: grantId } = input;
  if ((token === undefined) === (keyId === undefined && grantId === undefined))
    throw invalid('Specify either a grant token, or a key and a grant id.');
  if (token === undefined) return requireGrant(call, keyOf(call, { KeyId: keyId }), grantId);
  const grant = call.tx.get('kms-grant', grantIdOf(token));
  if (!grant) throw new AwsError('NotFoundException', 400, 'The grant of this token does not exist');
  return grant;
}

function entryOf(call: Call, grant: KmsGrantRow): SDK.GrantListEntry {
  const { constraints, retiring } = grant;
  return {
    KeyId: grant.keyArn,
    GrantId: grant.id,
    Name: grant.name ?? '',
    CreationDate: new Date(grant.creationDate),
    ...principalMembers(call, 'Grantee', grant.grantee),
    ...(retiring && principalMembers(call, 'Retiring', retiring)),
    IssuingAccount: grant.issuingAccount,
    Operations: grant.operations as SDK.GrantOperation[],
    ...(constraints && {
      Constraints: {
        ...(constraints.subset && { EncryptionContextSubset: constraints.subset }),
        ...(constraints.equals && { EncryptionContextEquals: constraints.equals }),
        ...(constraints.sourceArn !== undefined && { SourceArn: constraints.sourceArn }),
      },
    }),
  };
}

/** A user or a role that is gone is told by its unique id, as AWS does. */
function principalMembers(call: Call, role: 'Grantee' | 'Retiring', principal: string): Record<string, string> {
  if (isService(principal)) return { [`${role}ServicePrincipal`]: principal };
  return { [`${role}Principal`]: arnOf(call.tx, call.partition, principal) ?? principal };
}

/** What policies may ask about a grant that is to be made. */
function grantContext(call: Call, key: KmsKeyRow, input: SDK.CreateGrantRequest): Permission['context'] {
  const { subset, equals } = contextsOf(input.Constraints);
  const grantee = input.GranteePrincipal ?? input.GranteeServicePrincipal;
  const retiring = input.RetiringPrincipal ?? input.RetiringServicePrincipal;
  return {
    ...keyContext(call.tx, key, call.accountId, equals ?? subset),
    'kms:GrantOperations': input.Operations ?? [],
    'kms:GrantIsForAWSResource': ['false'],
    ...(grantee !== undefined && { 'kms:GranteePrincipal': [grantee] }),
    ...(retiring !== undefined && { 'kms:RetiringPrincipal': [retiring] }),
    ...((equals ?? subset) && {
      'kms:GrantConstraintType': [equals ? 'EncryptionContextEquals' : 'EncryptionContextSubset'],
    }),
  };
}

const notForService = { 'kms:GrantIsForAWSResource': ['false'] };

function onGrants(action: string) {
  return (call: Call, input: { readonly KeyId: string | undefined }): Permission[] => {
    const permission = onThisKey(call, keyOf(call, input), action);
    return [{ ...permission, context: { ...permission.context, ...notForService } }];
  };
}

export const grantOperationsTable = {
  CreateGrant: dryRunnable(
    operation<SDK.CreateGrantRequest, SDK.CreateGrantResponse>({
      authorize: (call, input) => {
        const key = keyOf(call, input);
        checkGrantTokens(input.GrantTokens);
        return [{ action: 'kms:CreateGrant', resource: key.id, context: grantContext(call, key, input) ?? {} }];
      },
      run: createGrant,
    }),
  ),
  ListGrants: operation<Paged & SDK.ListGrantsRequest, SDK.ListGrantsResponse>({
    authorize: onGrants('kms:ListGrants'),
    readOnly: true,
    run: (call, input) => {
      const key = keyOf(call, input);
      const grantee = onePrincipal(call, 'Grantee', input);
      if (input.GrantId !== undefined) requireGrant(call, key, input.GrantId);
      const rows = grantsOf(call, key).filter(
        (grant) =>
          (input.GrantId === undefined || grant.id === input.GrantId) &&
          (grantee === undefined || grant.grantee === grantee),
      );
      return pageOfGrants(call, rows, input);
    },
  }),
  ListRetirableGrants: operation<Paged & SDK.ListRetirableGrantsRequest, SDK.ListGrantsResponse>({
    authorize: onAll('kms:ListRetirableGrants'),
    readOnly: true,
    run: (call, input) => {
      if (input.RetiringServicePrincipal !== undefined)
        throw invalid('RetiringServicePrincipal can be given by a service principal only.');
      const { RetiringPrincipal: retiring } = input;
      if (retiring === undefined)
        throw validationError(
          "Value null at 'retiringPrincipal' failed to satisfy constraint: Member must not be null",
        );
      const kept = principalOf(call, retiring, 'retiringPrincipal');
      const rows = call.tx.list('kms-grant').filter((grant) => grant.region === call.region && grant.retiring === kept);
      return pageOfGrants(call, rows, input);
    },
  }),
  RetireGrant: dryRunnable(
    operation<SDK.RetireGrantRequest, Record<string, never>>({
      authorize: (call, input) => [retirement(call, grantToRetire(call, input))],
      run: (call, input) => {
        call.tx.delete('kms-grant', grantToRetire(call, input).id);
        return {};
      },
    }),
  ),
  RevokeGrant: dryRunnable(
    operation<SDK.RevokeGrantRequest, Record<string, never>>({
      authorize: onGrants('kms:RevokeGrant'),
      run: (call, input) => {
        call.tx.delete('kms-grant', requireGrant(call, keyOf(call, input), input.GrantId).id);
        return {};
      },
    }),
  ),
} satisfies Record<string, Operation>;

function pageOfGrants(call: Call, rows: readonly KmsGrantRow[], input: Paged): SDK.ListGrantsResponse {
  const { items, ...page } = pageOf(rows, { ...input, Limit: input.Limit ?? 50 }, 100);
  return { Grants: items.map((grant) => entryOf(call, grant)), ...page };
}
