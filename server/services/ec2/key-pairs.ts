// Key pairs: create, import, describe, delete. The private half is given out once and never kept.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-key-pairs.html (read 2026-11-21). Gap: PuTTY's format (ppk) is refused.

import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type {
  CreateKeyPairRequest,
  DeleteKeyPairRequest,
  DeleteKeyPairResult,
  DescribeKeyPairsRequest,
  DescribeKeyPairsResult,
  ImportKeyPairRequest,
  ImportKeyPairResult,
  KeyPair,
  KeyPairInfo,
} from '@aws-sdk/client-ec2';
import { type Call, type Operation, operation, streamOperation } from '../../service.ts';
import type { KeyPairRow, Tags } from '../../store/rows/ec2.ts';
import { dryRunOperation, ec2Error, invalidParameterValue, missingParameter, unsupportedOperation } from './errors.ts';
import { applyFilters } from './filters.ts';
import {
  describePublicKey,
  fingerprint,
  openSshPublicKey,
  type PublicKey,
  parsePublicKey,
  privateKeyPem,
} from './key-pair-formats.ts';
import { findRow, scopeOf } from './rows.ts';
import { tagsFromSpecifications, toTags } from './tags.ts';

const generate = promisify(generateKeyPair);
const longestName = 255;
const notFound = (name: string) => ec2Error('InvalidKeyPair.NotFound', `The key pair '${name}' does not exist`);

function checkNewName(call: Call, name: string | undefined): string {
  if (!name) throw missingParameter('KeyName');
  if (name.length > longestName || name.trim() !== name || !/^[\x20-\x7e]+$/.test(name))
    throw invalidParameterValue(
      `Value (${name}) for parameter KeyName is invalid. It may have up to ${longestName} ASCII characters, and no space at its ends.`,
    );
  if (named(call, name)) throw ec2Error('InvalidKeyPair.Duplicate', `The keypair already exists`);
  return name;
}

function named(call: Call, name: string): KeyPairRow | undefined {
  return call.tx.list('key-pair', scopeOf(call)).find((row) => row.keyName === name);
}

function makeRow(call: Call, keyName: string, key: PublicKey, print: string, tags: Tags): KeyPairRow {
  const row: KeyPairRow = {
    ...scopeOf(call),
    id: call.tx.newId('key'),
    keyName,
    keyType: key.keyType,
    publicKey: openSshPublicKey(key, keyName),
    fingerprint: print,
    createTime: call.now.toISOString(),
    tags,
  };
  call.tx.put('key-pair', row);
  return row;
}

function toInfo(row: KeyPairRow, withPublicKey: boolean): KeyPairInfo {
  return {
    KeyPairId: row.id,
    KeyName: row.keyName,
    KeyType: row.keyType,
    KeyFingerprint: row.fingerprint,
    CreateTime: new Date(row.createTime),
    ...(withPublicKey && { PublicKey: row.publicKey }),
    Tags: toTags(row.tags),
  };
}

async function newKey(keyType: string): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  if (keyType === 'ed25519') return generate('ed25519');
  if (keyType === 'rsa') return generate('rsa', { modulusLength: 2048 });
  throw invalidParameterValue(`Value (${keyType}) for parameter KeyType is invalid. Expected one of: rsa, ed25519.`);
}

export const keyPairs = {
  // Not an ordinary handler, because an RSA key takes some 100 ms, in which nothing else could be answered.
  CreateKeyPair: streamOperation<CreateKeyPairRequest, KeyPair>({
    authorize: 'auto',
    run: async (call, input) => {
      if (input.KeyFormat === 'ppk') throw unsupportedOperation('The key format ppk');
      const check = (tx: Call['tx']) => checkNewName({ ...call, tx }, input.KeyName);
      const keyName = call.read(check);
      const tags = tagsFromSpecifications(input.TagSpecifications, 'key-pair');
      if (input.DryRun) throw dryRunOperation();
      const { publicKey, privateKey } = await newKey(input.KeyType ?? 'rsa');
      const key = describePublicKey(publicKey);
      if (!key) throw new Error('a new key has no OpenSSH form');
      const row = await call.transact((tx) => {
        check(tx);
        return makeRow({ ...call, tx }, keyName, key, fingerprint(key, privateKey), tags);
      });
      return {
        KeyPairId: row.id,
        KeyName: row.keyName,
        KeyFingerprint: row.fingerprint,
        KeyMaterial: privateKeyPem(privateKey, key, keyName),
        Tags: toTags(tags),
      };
    },
  }),

  ImportKeyPair: operation<ImportKeyPairRequest, ImportKeyPairResult>({
    authorize: 'auto',
    run: (call, input) => {
      const keyName = checkNewName(call, input.KeyName);
      if (!input.PublicKeyMaterial) throw missingParameter('PublicKeyMaterial');
      const key = parsePublicKey(Buffer.from(input.PublicKeyMaterial).toString('utf8'));
      if (!key) throw ec2Error('InvalidKey.Format', 'Key is not in valid OpenSSH public key format');
      const bits = key.key.asymmetricKeyDetails?.modulusLength;
      if (bits !== undefined && ![1024, 2048, 4096].includes(bits))
        throw ec2Error('InvalidKey.Format', 'The RSA key must have 1024, 2048 or 4096 bits.');
      const row = makeRow(
        call,
        keyName,
        key,
        fingerprint(key),
        tagsFromSpecifications(input.TagSpecifications, 'key-pair'),
      );
      return { KeyPairId: row.id, KeyName: keyName, KeyFingerprint: row.fingerprint, Tags: toTags(row.tags) };
    },
  }),

  DescribeKeyPairs: operation<DescribeKeyPairsRequest, DescribeKeyPairsResult>({
    authorize: 'auto',
    readOnly: true,
    run: (call, input) => {
      let rows = call.tx.list('key-pair', scopeOf(call));
      for (const name of input.KeyNames ?? []) if (!rows.some((row) => row.keyName === name)) throw notFound(name);
      for (const id of input.KeyPairIds ?? []) if (!rows.some((row) => row.id === id)) throw notFound(id);
      if (input.KeyNames?.length) rows = rows.filter((row) => input.KeyNames?.includes(row.keyName));
      if (input.KeyPairIds?.length) rows = rows.filter((row) => input.KeyPairIds?.includes(row.id));
      const kept = applyFilters(rows, input.Filters, {
        'key-pair-id': (row) => row.id,
        'key-name': (row) => row.keyName,
        fingerprint: (row) => row.fingerprint,
      });
      return { KeyPairs: kept.map((row) => toInfo(row, input.IncludePublicKey ?? false)) };
    },
  }),

  DeleteKeyPair: operation<DeleteKeyPairRequest, DeleteKeyPairResult>({
    authorize: 'auto',
    run: (call, input) => {
      if (!input.KeyName && !input.KeyPairId) throw missingParameter('KeyName or KeyPairId');
      const row = input.KeyPairId ? findRow(call, 'key-pair', input.KeyPairId) : named(call, input.KeyName ?? '');
      // Deleting what is not there succeeds, as on AWS.
      if (row) call.tx.delete('key-pair', row.id);
      return { Return: true, ...(row && { KeyPairId: row.id }) };
    },
  }),
} satisfies Record<string, Operation>;
