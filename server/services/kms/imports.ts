// Keys whose material is the customer's (origin EXTERNAL): a public key and a token to wrap it with, its import, its end.
// https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys.html and https://docs.aws.amazon.com/kms/latest/APIReference/API_ImportKeyMaterial.html (read 2026-11-21).
// Recorded (2025-11): the states, a second material that waits for rotation, and the errors' words where nothing else is said.
// A token is the private half of its public key, sealed under a secret of the KMS key: what nobody imports leaves nothing behind.

import { createPrivateKey, type KeyObject, randomBytes } from 'node:crypto';
import type * as SDK from '@aws-sdk/client-kms';
import { AwsError } from '../../errors.ts';
import {
  checkUsable,
  isPendingDeletion,
  isPendingImport,
  isThere,
  materialId,
  originOf,
  pendingDeletion,
  specOf,
} from '../../kms-keys.ts';
import {
  type Call,
  type Operation,
  operation,
  type Permission,
  type StreamCall,
  streamOperation,
} from '../../service.ts';
import type { ImportedMaterial, KmsKeyRow } from '../../store/rows/kms.ts';
import { changeableKey, type KeyInput, onKey } from './access.ts';
import { open, readSealed, type Sealer, seal } from './ciphertexts.ts';
import { checkedBytes, invalid, notInEnum } from './errors.ts';
import { newPrivateKey, privateBytes, publicBytes } from './key-pairs.ts';
import { substanceOf } from './key-specs.ts';
import { checkWrapping, unwrapped, wrappingAlgorithm, wrappingKey } from './wrapping.ts';

const hourMs = 3600 * 1000;
const tokenMs = 24 * hourMs;
const longestMs = 365 * 24 * hourMs;
const maxBlobBytes = 6144;
const maxDescription = 256;
const expirationModels = ['KEY_MATERIAL_EXPIRES', 'KEY_MATERIAL_DOES_NOT_EXPIRE'];
const importTypes = ['NEW_KEY_MATERIAL', 'EXISTING_KEY_MATERIAL'];

type Imported = NonNullable<KmsKeyRow['imported']>;
type ExternalKey = KmsKeyRow & { readonly imported: Imported };

/** What a key has before its first import. */
export function toBeImported(): Pick<KmsKeyRow, 'material' | 'imported'> {
  return { material: '', imported: { tokenSecret: randomBytes(32).toString('base64'), materials: [] } };
}

export function expirationMembers(validTo: string | undefined): Pick<SDK.KeyMetadata, 'ExpirationModel' | 'ValidTo'> {
  return validTo === undefined
    ? { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' }
    : { ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo: new Date(validTo) };
}

/** Recorded (2025-11) of GetParametersForImport. */
export function wrongOrigin(key: KmsKeyRow): AwsError {
  return new AwsError(
    'UnsupportedOperationException',
    400,
    `${key.id} origin is ${originOf(key)} which is not valid for this operation.`,
  );
}

/** The bytes of expired material go at the next call that writes: nothing uses them since their day. */
export function forgetExpired(call: Call, key: KmsKeyRow): void {
  const { imported } = key;
  if (!imported?.materials.some((one) => one.bytes !== undefined && !isThere(one, call.now))) return;
  const materials = imported.materials.map((one) => (isThere(one, call.now) ? one : withoutBytes(one)));
  call.tx.put('kms-key', { ...key, imported: { ...imported, materials } });
}

function withoutBytes({ bytes: _, validTo: __, ...rest }: ImportedMaterial): ImportedMaterial {
  return rest;
}

/** @throws UnsupportedOperationException, KMSInvalidStateException, and what `changeableKey` throws */
function externalKey(call: Call, input: KeyInput): ExternalKey {
  const key = changeableKey(call, input);
  const { imported } = key;
  if (!imported) throw wrongOrigin(key);
  return { ...key, imported };
}

/** @throws KMSInvalidStateException, and what `externalKey` throws */
function importableKey(call: Call, input: KeyInput): ExternalKey {
  const key = externalKey(call, input);
  if (isPendingDeletion(key)) throw pendingDeletion(key);
  return key;
}

/** What seals a key's tokens; they are ciphertexts of no other use. */
function tokenSealer({ id, keyId, imported }: ExternalKey): Sealer {
  return { id, keyId, material: imported.tokenSecret };
}

interface TokenContent {
  readonly algorithm: string;
  readonly validTo: string;
  /** PKCS #8, base64. */
  readonly privateKey: string;
}

const tokenContext = { purpose: 'import' };

async function parametersForImport(
  call: StreamCall,
  input: SDK.GetParametersForImportRequest,
): Promise<SDK.GetParametersForImportResponse> {
  const algorithm = wrappingAlgorithm(input.WrappingAlgorithm);
  const substance = wrappingKey(input.WrappingKeySpec);
  const key = call.read((tx) => importableKey({ ...call, tx }, input));
  checkWrapping(algorithm, input.WrappingKeySpec, key);
  const made = await newPrivateKey(substance);
  const ParametersValidTo = new Date(call.now.getTime() + tokenMs);
  const privateKey = privateBytes(made).toString('base64');
  const content: TokenContent = { algorithm, validTo: ParametersValidTo.toISOString(), privateKey };
  return {
    KeyId: key.id,
    ImportToken: seal(tokenSealer(key), Buffer.from(JSON.stringify(content)), tokenContext),
    PublicKey: publicBytes(made),
    ParametersValidTo,
  };
}

/** @throws InvalidImportTokenException, ExpiredImportTokenException, InvalidCiphertextException; the first two wordings are without a source */
function materialIn(call: Call, key: ExternalKey, input: SDK.ImportKeyMaterialRequest): Buffer {
  const token = checkedBytes(input.ImportToken, 'importToken', maxBlobBytes);
  const wrapped = checkedBytes(input.EncryptedKeyMaterial, 'encryptedKeyMaterial', maxBlobBytes);
  const { algorithm, validTo, privateKey } = tokenContent(key, token);
  if (new Date(validTo) <= call.now)
    throw new AwsError('ExpiredImportTokenException', 400, 'The import token is expired.');
  return unwrapped(algorithm, readPrivateKey(Buffer.from(privateKey, 'base64')), wrapped);
}

function tokenContent(key: ExternalKey, token: Uint8Array): TokenContent {
  try {
    return JSON.parse(String(open(tokenSealer(key), readSealed(token), tokenContext).plaintext)) as TokenContent;
  } catch {
    throw new AwsError('InvalidImportTokenException', 400, 'The import token is invalid or is for another KMS key.');
  }
}

function readPrivateKey(bytes: Buffer): KeyObject {
  return createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' });
}

const incorrectMaterial = (message: string) => new AwsError('IncorrectKeyMaterialException', 400, message);

/** @returns base64 in the one form that it is kept in   @throws IncorrectKeyMaterialException: not what the spec is made of; the wording is without a source */
function checkedMaterial(key: KmsKeyRow, bytes: Buffer): string {
  const substance = substanceOf(key);
  if (substance.kind === 'secret') {
    if (bytes.length === substance.sizeBytes) return bytes.toString('base64');
  } else {
    const read = readOrNothing(bytes);
    const { modulusLength, namedCurve } = read?.asymmetricKeyDetails ?? {};
    const fits =
      read?.asymmetricKeyType === substance.kind &&
      (substance.kind !== 'rsa' || modulusLength === substance.bits) &&
      (substance.kind !== 'ec' || namedCurve === substance.curve);
    if (read && fits) return privateBytes(read).toString('base64');
  }
  throw incorrectMaterial(`The key material is not that of a key of the spec ${specOf(key)}.`);
}

function readOrNothing(bytes: Buffer): KeyObject | undefined {
  try {
    return readPrivateKey(bytes);
  } catch {
    return undefined;
  }
}

/** @returns the day on which the material ends   @throws ValidationException; the first wording is recorded, the others not */
function checkedExpiration(call: Call, { ExpirationModel, ValidTo }: SDK.ImportKeyMaterialRequest): string | undefined {
  const model = ExpirationModel ?? 'KEY_MATERIAL_EXPIRES';
  if (!expirationModels.includes(model)) throw notInEnum(model, 'expirationModel', expirationModels);
  if (model === 'KEY_MATERIAL_DOES_NOT_EXPIRE') {
    if (ValidTo) throw invalid('A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE');
    return undefined;
  }
  if (!ValidTo) throw invalid('A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES');
  const restMs = ValidTo.getTime() - call.now.getTime();
  if (restMs <= 0 || restMs > longestMs) throw invalid('The validTo date must be in the future, and within 365 days');
  return ValidTo.toISOString();
}

/** Whether what is imported shall be new to the key. @throws ValidationException, UnsupportedOperationException; the wordings are without a source */
function wantsNew(key: ExternalKey, { ImportType, KeyMaterialId }: SDK.ImportKeyMaterialRequest): boolean {
  const isFirst = key.imported.materials.length === 0;
  const type = ImportType ?? (isFirst ? 'NEW_KEY_MATERIAL' : 'EXISTING_KEY_MATERIAL');
  if (!importTypes.includes(type)) throw notInEnum(type, 'importType', importTypes);
  const isNew = type === 'NEW_KEY_MATERIAL';
  if (isNew && KeyMaterialId !== undefined)
    throw invalid('A KeyMaterialId can be given for the ImportType EXISTING_KEY_MATERIAL only.');
  if (isNew && !isFirst && specOf(key) !== 'SYMMETRIC_DEFAULT')
    throw new AwsError(
      'UnsupportedOperationException',
      400,
      `${key.id} key spec is ${specOf(key)} which has one key material only.`,
    );
  return isNew;
}

/** @throws IncorrectKeyMaterialException, KMSInvalidStateException, whose wording is recorded (2025-11) */
function withMaterial(key: ExternalKey, material: ImportedMaterial, isNew: boolean): ImportedMaterial[] {
  const { materials } = key.imported;
  if (!isNew) {
    if (!materials.some(({ id }) => id === material.id))
      throw incorrectMaterial('The key material was not imported into this KMS key before.');
    return materials.map((known) => (known.id === material.id ? again(known, material) : known));
  }
  if (materials.some(({ id }) => id === material.id))
    throw incorrectMaterial('The key material is that of this KMS key already.');
  const waiting = materials.find(({ pending }) => pending);
  if (waiting)
    throw new AwsError(
      'KMSInvalidStateException',
      400,
      `New key material (id: ${material.id}) cannot be imported into KMS key ${key.id}, because another key material (id: ${waiting.id}) is pending rotation.`,
    );
  return [...materials, materials.length === 0 ? material : { ...material, pending: true }];
}

/** Imported again: in its place, with a new day of its end. */
function again(known: ImportedMaterial, { bytes, validTo, description }: ImportedMaterial): ImportedMaterial {
  return {
    ...withoutBytes(known),
    ...(bytes !== undefined && { bytes }),
    ...(validTo !== undefined && { validTo }),
    ...(description !== undefined && { description }),
  };
}

function importKeyMaterial(call: Call, input: SDK.ImportKeyMaterialRequest): SDK.ImportKeyMaterialResponse {
  const key = importableKey(call, input);
  if (!isPendingImport(key, call.now)) checkUsable(key, call.now);
  const validTo = checkedExpiration(call, input);
  const { KeyMaterialDescription: description } = input;
  if (description !== undefined && description.length > maxDescription)
    throw invalid(`A KeyMaterialDescription has at most ${maxDescription} characters.`);
  const isNew = wantsNew(key, input);
  const bytes = checkedMaterial(key, materialIn(call, key, input));
  const id = materialId(key, bytes);
  if (input.KeyMaterialId !== undefined && input.KeyMaterialId !== id)
    throw incorrectMaterial(`The key material is not that of the id ${input.KeyMaterialId}.`);
  const material = {
    ...{ id, bytes },
    ...(validTo !== undefined && { validTo }),
    ...(description !== undefined && { description }),
  };
  const materials = withMaterial(key, material, isNew);
  const made = { ...key, imported: { ...key.imported, materials } };
  // Who waited for its import is switched on by it.
  const isReady = isPendingImport(key, call.now) && !isPendingImport(made, call.now);
  call.tx.put('kms-key', isReady ? { ...made, enabled: true } : made);
  return { KeyId: key.id, ...materialMember(key, id) };
}

/** Only symmetric keys tell the ids of their materials. */
function materialMember(key: KmsKeyRow, id: string): { KeyMaterialId?: string } {
  return specOf(key) === 'SYMMETRIC_DEFAULT' ? { KeyMaterialId: id } : {};
}

/** The current one, or that which is named; one that waits for rotation is gone with its place. @throws ValidationException, whose wording is without a source */
function deleteImportedMaterial(
  call: Call,
  input: SDK.DeleteImportedKeyMaterialRequest,
): SDK.DeleteImportedKeyMaterialResponse {
  const key = externalKey(call, input);
  const { materials } = key.imported;
  const named = input.KeyMaterialId;
  const target =
    named === undefined ? materials.findLast(({ pending }) => !pending) : materials.find(({ id }) => id === named);
  if (named !== undefined && !target) throw invalid(`${named} is not the id of a key material of ${key.id}.`);
  if (!target) return { KeyId: key.id };
  const left = target.pending
    ? materials.filter((one) => one !== target)
    : materials.map((one) => (one === target ? withoutBytes(one) : one));
  call.tx.put('kms-key', { ...key, imported: { ...key.imported, materials: left } });
  return { KeyId: key.id, ...materialMember(key, target.id) };
}

/** What policies may ask about an import. */
function onImport(call: Call, input: SDK.ImportKeyMaterialRequest): readonly Permission[] {
  const { ExpirationModel: model = 'KEY_MATERIAL_EXPIRES', ValidTo } = input;
  const context = {
    'kms:ExpirationModel': [model],
    ...(ValidTo && { 'kms:ValidTo': [ValidTo.toISOString()] }),
  };
  return onKey('kms:ImportKeyMaterial')(call, { KeyId: input.KeyId }).map((one) => ({
    ...one,
    context: { ...one.context, ...context },
  }));
}

export const importOperations = {
  GetParametersForImport: streamOperation<SDK.GetParametersForImportRequest, SDK.GetParametersForImportResponse>({
    authorize: onKey('kms:GetParametersForImport'),
    readOnly: true,
    run: parametersForImport,
  }),
  ImportKeyMaterial: operation<SDK.ImportKeyMaterialRequest, SDK.ImportKeyMaterialResponse>({
    authorize: onImport,
    run: importKeyMaterial,
  }),
  DeleteImportedKeyMaterial: operation<SDK.DeleteImportedKeyMaterialRequest, SDK.DeleteImportedKeyMaterialResponse>({
    authorize: onKey('kms:DeleteImportedKeyMaterial'),
    run: deleteImportedMaterial,
  }),
} satisfies Record<string, Operation>;
