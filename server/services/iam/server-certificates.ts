// Server certificates: a certificate with its private key, for load balancers. Records only; the key is checked against the certificate and not shown again.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UploadServerCertificate.html (read 2026-11-21). Names are unique without case.

import { createPrivateKey, type KeyObject } from 'node:crypto';
import type {
  DeleteServerCertificateRequest,
  GetServerCertificateRequest,
  GetServerCertificateResponse,
  ListServerCertificatesRequest,
  ListServerCertificatesResponse,
  ServerCertificateMetadata,
  UpdateServerCertificateRequest,
  UploadServerCertificateRequest,
  UploadServerCertificateResponse,
} from '@aws-sdk/client-iam';
import { AwsError } from '../../errors.ts';
import { nameKey, newUniqueId, timestamp } from '../../identities.ts';
import { type Call, operation } from '../../service.ts';
import type { ServerCertificateRow } from '../../store/rows/iam.ts';
import {
  checkedName,
  checkedPath,
  checkedPathPrefix,
  checkedTags,
  constraints,
  page,
  required,
  tagList,
} from './checks.ts';
import { isNameTaken, tags } from './entities.ts';
import { entityAlreadyExists, noSuchEntity, quotaExceeded } from './errors.ts';
import { onList, onServerCertificate } from './permissions.ts';
import { readCertificate } from './user-credentials.ts';

const certificatesPerAccount = 20;

export function findServerCertificate(call: Call, value: string | undefined): ServerCertificateRow {
  const name = checkedName('serverCertificateName', value, 128);
  const row = call.tx.get('server-certificate', nameKey(call.accountId, name));
  if (!row) throw noSuchEntity('server-certificate', name);
  return row;
}

function describe(call: Call, row: ServerCertificateRow): ServerCertificateMetadata {
  return {
    Path: row.path,
    ServerCertificateName: row.serverCertificateName,
    ServerCertificateId: row.serverCertificateId,
    Arn: `arn:${call.partition}:iam::${row.accountId}:server-certificate${row.path}${row.serverCertificateName}`,
    UploadDate: new Date(row.uploadDate),
    Expiration: new Date(row.expiration),
  };
}

function readPrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // Unsourced wording. A key under a passphrase is refused too.
    throw new AwsError(
      'MalformedCertificate',
      400,
      'Unable to parse private key. Please ensure the private key is in PEM format.',
    );
  }
}

function upload(call: Call, input: UploadServerCertificateRequest): UploadServerCertificateResponse {
  const serverCertificateName = checkedName('serverCertificateName', input.ServerCertificateName, 128);
  const path = checkedPath(input.Path);
  const body = required('certificateBody', input.CertificateBody);
  const privateKey = required('privateKey', input.PrivateKey);
  const given = checkedTags(input.Tags, 'kept');
  constraints()
    .length('certificateBody', body, 1, 16384)
    .length('privateKey', privateKey, 1, 16384)
    .length('certificateChain', input.CertificateChain, 1, 2097152)
    .done();
  const certificate = readCertificate(body);
  if (input.CertificateChain !== undefined) readCertificate(input.CertificateChain);
  if (!certificate.checkPrivateKey(readPrivateKey(privateKey))) {
    throw new AwsError('KeyPairMismatch', 400, 'The public key certificate and the private key do not match.');
  }
  if (isNameTaken(call.tx, 'server-certificate', call.accountId, serverCertificateName)) {
    throw entityAlreadyExists('server-certificate', serverCertificateName);
  }
  const others = call.tx.list('server-certificate', { accountId: call.accountId });
  if (call.settings.quotas === 'aws' && others.length >= certificatesPerAccount) {
    throw quotaExceeded('ServerCertificatesPerAccount', certificatesPerAccount);
  }
  const row: ServerCertificateRow = {
    id: nameKey(call.accountId, serverCertificateName),
    accountId: call.accountId,
    region: 'global',
    serverCertificateName,
    serverCertificateId: newUniqueId('ASCA'),
    path,
    body: body.trim(),
    ...(input.CertificateChain !== undefined && { chain: input.CertificateChain.trim() }),
    uploadDate: timestamp(call.now),
    expiration: timestamp(new Date(certificate.validTo)),
    tags: given,
  };
  call.tx.put('server-certificate', row);
  return { ServerCertificateMetadata: describe(call, row), ...tags(given) };
}

function get(call: Call, input: GetServerCertificateRequest): GetServerCertificateResponse {
  const row = findServerCertificate(call, input.ServerCertificateName);
  return {
    ServerCertificate: {
      ServerCertificateMetadata: describe(call, row),
      CertificateBody: row.body,
      ...(row.chain !== undefined && { CertificateChain: row.chain }),
      Tags: tagList(row.tags),
    },
  };
}

function list(call: Call, input: ListServerCertificatesRequest): ListServerCertificatesResponse {
  const prefix = checkedPathPrefix(input.PathPrefix);
  const all = call.tx.list('server-certificate', { accountId: call.accountId });
  const rows = all.filter((row) => row.path.startsWith(prefix));
  const { items, end } = page(rows, input, (row) => row.serverCertificateName);
  return { ServerCertificateMetadataList: items.map((row) => describe(call, row)), ...end };
}

function update(call: Call, input: UpdateServerCertificateRequest): void {
  const row = findServerCertificate(call, input.ServerCertificateName);
  const path = input.NewPath === undefined ? row.path : checkedPath(input.NewPath, 'newPath');
  const name =
    input.NewServerCertificateName === undefined
      ? row.serverCertificateName
      : checkedName('newServerCertificateName', input.NewServerCertificateName, 128);
  const sameName = name.toLowerCase() === row.serverCertificateName.toLowerCase();
  if (!sameName && isNameTaken(call.tx, 'server-certificate', call.accountId, name)) {
    throw entityAlreadyExists('server-certificate', name);
  }
  if (name !== row.serverCertificateName) call.tx.delete('server-certificate', row.id);
  call.tx.put('server-certificate', {
    ...row,
    id: nameKey(call.accountId, name),
    serverCertificateName: name,
    path,
  });
}

export const serverCertificates = {
  UploadServerCertificate: operation<UploadServerCertificateRequest, UploadServerCertificateResponse>({
    authorize: onServerCertificate,
    run: upload,
  }),
  GetServerCertificate: operation<GetServerCertificateRequest, GetServerCertificateResponse>({
    authorize: onServerCertificate,
    run: get,
    readOnly: true,
  }),
  ListServerCertificates: operation<ListServerCertificatesRequest, ListServerCertificatesResponse>({
    authorize: onList('server-certificate'),
    run: list,
    readOnly: true,
  }),
  UpdateServerCertificate: operation<UpdateServerCertificateRequest, void>({
    authorize: onServerCertificate,
    run: update,
  }),
  DeleteServerCertificate: operation<DeleteServerCertificateRequest, void>({
    authorize: onServerCertificate,
    run: (call, input) =>
      call.tx.delete('server-certificate', findServerCertificate(call, input.ServerCertificateName).id),
  }),
};
