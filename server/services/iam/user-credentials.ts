// What else a user may be known by: SSH keys and passwords for CodeCommit and the like, and certificates for old SOAP requests. Nothing here lets
// them in anywhere; they are records with AWS's limits and errors. Each belongs to a user by its unique id, and is active or not.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (read 2026-11-21)

import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import type {
  CreateServiceSpecificCredentialRequest,
  CreateServiceSpecificCredentialResponse,
  DeleteServiceSpecificCredentialRequest,
  DeleteSigningCertificateRequest,
  DeleteSSHPublicKeyRequest,
  GetSSHPublicKeyRequest,
  GetSSHPublicKeyResponse,
  ListServiceSpecificCredentialsRequest,
  ListServiceSpecificCredentialsResponse,
  ListSigningCertificatesRequest,
  ListSigningCertificatesResponse,
  ListSSHPublicKeysRequest,
  ListSSHPublicKeysResponse,
  ResetServiceSpecificCredentialRequest,
  ResetServiceSpecificCredentialResponse,
  ServiceSpecificCredentialMetadata,
  SigningCertificate,
  SSHPublicKey,
  UpdateServiceSpecificCredentialRequest,
  UpdateSigningCertificateRequest,
  UpdateSSHPublicKeyRequest,
  UploadSigningCertificateRequest,
  UploadSigningCertificateResponse,
  UploadSSHPublicKeyRequest,
  UploadSSHPublicKeyResponse,
} from '@aws-sdk/client-iam';
import { AwsError } from '../../errors.ts';
import { newUniqueId, randomBase32, timestamp } from '../../identities.ts';
import { type Call, operation } from '../../service.ts';
import type { ServiceCredentialRow, SigningCertificateRow, SshPublicKeyRow, UserRow } from '../../store/rows/iam.ts';
import { constraints, page, required } from './checks.ts';
import { findUser, userOfId } from './entities.ts';
import { noSuchMember, quotaExceeded } from './errors.ts';
import { onUserOrSelf, subjectUserName } from './permissions.ts';
import { readSshKey, sshToPem } from './ssh-key-format.ts';

interface CredentialRows {
  'ssh-public-key': SshPublicKeyRow;
  'signing-certificate': SigningCertificateRow;
  'service-credential': ServiceCredentialRow;
}
export type CredentialKind = keyof CredentialRows;

const perUser = {
  'ssh-public-key': { most: 5, quota: 'SSHPublicKeysPerUser', member: 'sshPublicKeyId' },
  'signing-certificate': { most: 2, quota: 'CertificatesPerUser', member: 'certificateId' },
  'service-credential': {
    most: 2,
    quota: 'ServiceSpecificCredentialsPerUser',
    member: 'serviceSpecificCredentialId',
  },
} as const satisfies Record<CredentialKind, { most: number; quota: string; member: string }>;

const notFound = {
  'ssh-public-key': (id: string) => `The Public Key with id ${id} cannot be found.`,
  'signing-certificate': (id: string) => `The Certificate with id ${id} cannot be found.`,
  'service-credential': (id: string) => `No such credential ${id} exists`,
} as const satisfies Record<CredentialKind, (id: string) => string>;

function subject(call: Call, userName: string | undefined): UserRow {
  return findUser(call, required('userName', subjectUserName(call, userName)));
}

export function credentialsOf<K extends CredentialKind>(call: Call, kind: K, userId: string): CredentialRows[K][] {
  const rows = call.tx.list(kind, { accountId: call.accountId }) as CredentialRows[K][];
  return rows.filter((row) => row.userId === userId);
}

function find<K extends CredentialKind>(call: Call, kind: K, userName: string | undefined, id: string | undefined) {
  const { member } = perUser[kind];
  const given = required(member, id);
  constraints().length(member, given, 20, 128).pattern(member, given, /^\w+$/, '[\\w]+').done();
  const user = subject(call, userName);
  const row = credentialsOf(call, kind, user.userId).find((one) => one.id === given);
  if (!row) throw noSuchMember(notFound[kind](given));
  return { user, row };
}

function checkRoom(kind: CredentialKind, count: number): void {
  const { most, quota } = perUser[kind];
  if (count >= most) throw quotaExceeded(quota, most);
}

function checkedStatus(value: string | undefined): 'Active' | 'Inactive' {
  const status = required('status', value);
  constraints().oneOf('status', status, ['Active', 'Inactive', 'Expired']).done();
  return status === 'Active' ? 'Active' : 'Inactive';
}

const common = (call: Call, id: string, user: UserRow) =>
  ({
    id,
    accountId: call.accountId,
    region: 'global',
    userId: user.userId,
    status: 'Active',
    createDate: timestamp(call.now),
  }) as const;

// SSH public keys. The fingerprint is the MD5 of the key in its SSH form.

function describeSshKey(user: UserRow, row: SshPublicKeyRow, body = row.body): SSHPublicKey {
  return {
    UserName: user.userName,
    SSHPublicKeyId: row.id,
    Fingerprint: row.fingerprint,
    SSHPublicKeyBody: body,
    Status: row.status,
    UploadDate: new Date(row.createDate),
  };
}

function uploadSshKey(call: Call, input: UploadSSHPublicKeyRequest): UploadSSHPublicKeyResponse {
  const user = findUser(call, input.UserName);
  const body = required('sshPublicKeyBody', input.SSHPublicKeyBody);
  constraints().length('sshPublicKeyBody', body, 1, 16384).done();
  const key = readSshKey(body);
  // The wording is unsourced; a key of fewer than 2,048 bits is refused by CodeCommit's guide.
  if (!key || key.bits < 2048) throw new AwsError('InvalidPublicKey', 400, 'The specified public key is not valid.');
  const others = credentialsOf(call, 'ssh-public-key', user.userId);
  const digest = createHash('md5').update(key.blob).digest('hex');
  const fingerprint = (digest.match(/../g) ?? []).join(':');
  if (others.some((one) => one.fingerprint === fingerprint)) {
    throw new AwsError('DuplicateSSHPublicKey', 400, 'The SSH public key is already associated with the user.');
  }
  checkRoom('ssh-public-key', others.length);
  const row: SshPublicKeyRow = { ...common(call, newUniqueId('APKA'), user), body, fingerprint };
  call.tx.put('ssh-public-key', row);
  return { SSHPublicKey: describeSshKey(user, row) };
}

function getSshKey(call: Call, input: GetSSHPublicKeyRequest): GetSSHPublicKeyResponse {
  const encoding = required('encoding', input.Encoding);
  if (encoding !== 'SSH' && encoding !== 'PEM') {
    throw new AwsError('UnrecognizedPublicKeyEncoding', 400, `Unrecognized public key encoding: ${String(encoding)}`);
  }
  const { user, row } = find(call, 'ssh-public-key', required('userName', input.UserName), input.SSHPublicKeyId);
  const blob = readSshKey(row.body)?.blob ?? Buffer.alloc(0);
  const body = encoding === 'SSH' ? `ssh-rsa ${blob.toString('base64')}` : sshToPem(blob);
  return { SSHPublicKey: describeSshKey(user, row, body) };
}

function listSshKeys(call: Call, input: ListSSHPublicKeysRequest): ListSSHPublicKeysResponse {
  const user = subject(call, input.UserName);
  const { items, end } = page(credentialsOf(call, 'ssh-public-key', user.userId), input, (row) => row.id);
  const shown = items.map((row) => {
    const { Fingerprint: _none, SSHPublicKeyBody: _nor, ...metadata } = describeSshKey(user, row);
    return { ...metadata, UploadDate: new Date(row.createDate) };
  });
  return { SSHPublicKeys: shown, ...end };
}

// Signing certificates.

function describeCertificate(user: UserRow, row: SigningCertificateRow): SigningCertificate {
  return {
    UserName: user.userName,
    CertificateId: row.id,
    CertificateBody: row.body,
    Status: row.status,
    UploadDate: new Date(row.createDate),
  };
}

function uploadCertificate(call: Call, input: UploadSigningCertificateRequest): UploadSigningCertificateResponse {
  const user = subject(call, input.UserName);
  const body = required('certificateBody', input.CertificateBody);
  constraints().length('certificateBody', body, 1, 16384).done();
  readCertificate(body);
  const others = credentialsOf(call, 'signing-certificate', user.userId);
  if (others.some((one) => one.body.trim() === body.trim())) {
    throw new AwsError('DuplicateCertificate', 409, 'The certificate is already associated with the user.');
  }
  checkRoom('signing-certificate', others.length);
  const row: SigningCertificateRow = { ...common(call, randomBase32(32), user), body };
  call.tx.put('signing-certificate', row);
  return { Certificate: describeCertificate(user, row) };
}

/** @throws AwsError MalformedCertificate; its wording is unsourced */
export function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new AwsError(
      'MalformedCertificate',
      400,
      'Unable to parse certificate. Please ensure the certificate is in PEM format.',
    );
  }
}

function listCertificates(call: Call, input: ListSigningCertificatesRequest): ListSigningCertificatesResponse {
  const user = subject(call, input.UserName);
  const { items, end } = page(credentialsOf(call, 'signing-certificate', user.userId), input, (row) => row.id);
  return { Certificates: items.map((row) => describeCertificate(user, row)), ...end };
}

// Service-specific credentials: recorded on AWS, also their messages.

const withCredentials = ['codecommit.amazonaws.com', 'cassandra.amazonaws.com'];

function checkedService(serviceName: string): string {
  if (!withCredentials.includes(serviceName)) {
    throw noSuchMember(`No such service ${serviceName} is supported for Service Specific Credentials`);
  }
  return serviceName;
}

const newPassword = () => randomBytes(33).toString('base64').replace(/\//g, '-');

function describeCredential(user: UserRow, row: ServiceCredentialRow): ServiceSpecificCredentialMetadata {
  return {
    UserName: user.userName,
    Status: row.status,
    ServiceUserName: row.serviceUserName,
    CreateDate: new Date(row.createDate),
    ServiceSpecificCredentialId: row.id,
    ServiceName: row.serviceName,
  };
}

function createCredential(
  call: Call,
  input: CreateServiceSpecificCredentialRequest,
): CreateServiceSpecificCredentialResponse {
  const user = findUser(call, input.UserName);
  const serviceName = checkedService(required('serviceName', input.ServiceName));
  if (input.CredentialAgeDays !== undefined) {
    throw new AwsError('NotSupportedService', 404, `CredentialAgeDays is not supported for ${serviceName}`);
  }
  const others = credentialsOf(call, 'service-credential', user.userId);
  const ofService = others.filter((one) => one.serviceName === serviceName).length;
  checkRoom('service-credential', ofService);
  const suffix = ofService === 0 ? '' : `+${ofService}`;
  const row: ServiceCredentialRow = {
    ...common(call, newUniqueId('ACCA'), user),
    serviceName,
    serviceUserName: `${user.userName}${suffix}-at-${call.accountId}`,
  };
  call.tx.put('service-credential', row);
  return { ServiceSpecificCredential: { ...describeCredential(user, row), ServicePassword: newPassword() } };
}

function listCredentials(
  call: Call,
  input: ListServiceSpecificCredentialsRequest,
): ListServiceSpecificCredentialsResponse {
  const user = input.AllUsers === true ? undefined : subject(call, input.UserName);
  if (input.ServiceName !== undefined) checkedService(input.ServiceName);
  const all = call.tx.list('service-credential', { accountId: call.accountId });
  const rows = all
    .filter((row) => user === undefined || row.userId === user.userId)
    .filter((row) => input.ServiceName === undefined || row.serviceName === input.ServiceName);
  const describe = (row: ServiceCredentialRow) => {
    const owner = user ?? userOfId(call, row.userId);
    return owner ? [describeCredential(owner, row)] : [];
  };
  // Recorded: a list of one user that fits says nothing about pages.
  const { items, end } = page(rows, input, (row) => row.id);
  return { ServiceSpecificCredentials: items.flatMap(describe), ...(end.IsTruncated && end) };
}

/** The password is shown once and nobody asks for it afterwards, so it is not kept. */
function resetCredential(
  call: Call,
  input: ResetServiceSpecificCredentialRequest,
): ResetServiceSpecificCredentialResponse {
  const { user, row } = find(call, 'service-credential', input.UserName, input.ServiceSpecificCredentialId);
  return { ServiceSpecificCredential: { ...describeCredential(user, row), ServicePassword: newPassword() } };
}

export const userCredentials = {
  UploadSSHPublicKey: operation<UploadSSHPublicKeyRequest, UploadSSHPublicKeyResponse>({
    authorize: onUserOrSelf,
    run: uploadSshKey,
  }),
  GetSSHPublicKey: operation<GetSSHPublicKeyRequest, GetSSHPublicKeyResponse>({
    authorize: onUserOrSelf,
    run: getSshKey,
    readOnly: true,
  }),
  ListSSHPublicKeys: operation<ListSSHPublicKeysRequest, ListSSHPublicKeysResponse>({
    authorize: onUserOrSelf,
    run: listSshKeys,
    readOnly: true,
  }),
  UpdateSSHPublicKey: operation<UpdateSSHPublicKeyRequest, void>({
    authorize: onUserOrSelf,
    run: (call, input) => {
      const status = checkedStatus(input.Status);
      const { row } = find(call, 'ssh-public-key', input.UserName, input.SSHPublicKeyId);
      call.tx.put('ssh-public-key', { ...row, status });
    },
  }),
  DeleteSSHPublicKey: operation<DeleteSSHPublicKeyRequest, void>({
    authorize: onUserOrSelf,
    run: (call, input) =>
      call.tx.delete('ssh-public-key', find(call, 'ssh-public-key', input.UserName, input.SSHPublicKeyId).row.id),
  }),
  UploadSigningCertificate: operation<UploadSigningCertificateRequest, UploadSigningCertificateResponse>({
    authorize: onUserOrSelf,
    run: uploadCertificate,
  }),
  ListSigningCertificates: operation<ListSigningCertificatesRequest, ListSigningCertificatesResponse>({
    authorize: onUserOrSelf,
    run: listCertificates,
    readOnly: true,
  }),
  UpdateSigningCertificate: operation<UpdateSigningCertificateRequest, void>({
    authorize: onUserOrSelf,
    run: (call, input) => {
      const status = checkedStatus(input.Status);
      const { row } = find(call, 'signing-certificate', input.UserName, input.CertificateId);
      call.tx.put('signing-certificate', { ...row, status });
    },
  }),
  DeleteSigningCertificate: operation<DeleteSigningCertificateRequest, void>({
    authorize: onUserOrSelf,
    run: (call, input) =>
      call.tx.delete(
        'signing-certificate',
        find(call, 'signing-certificate', input.UserName, input.CertificateId).row.id,
      ),
  }),
  CreateServiceSpecificCredential: operation<
    CreateServiceSpecificCredentialRequest,
    CreateServiceSpecificCredentialResponse
  >({ authorize: onUserOrSelf, run: createCredential }),
  ListServiceSpecificCredentials: operation<
    ListServiceSpecificCredentialsRequest,
    ListServiceSpecificCredentialsResponse
  >({
    // Of everybody: asked of no user in particular.
    authorize: (call, input) =>
      input.AllUsers === true ? [{ action: `iam:${call.operation}`, resource: '*' }] : onUserOrSelf(call, input),
    run: listCredentials,
    readOnly: true,
  }),
  UpdateServiceSpecificCredential: operation<UpdateServiceSpecificCredentialRequest, void>({
    authorize: onUserOrSelf,
    run: (call, input) => {
      const status = checkedStatus(input.Status);
      const { row } = find(call, 'service-credential', input.UserName, input.ServiceSpecificCredentialId);
      call.tx.put('service-credential', { ...row, status });
    },
  }),
  ResetServiceSpecificCredential: operation<
    ResetServiceSpecificCredentialRequest,
    ResetServiceSpecificCredentialResponse
  >({ authorize: onUserOrSelf, run: resetCredential }),
  DeleteServiceSpecificCredential: operation<DeleteServiceSpecificCredentialRequest, void>({
    authorize: onUserOrSelf,
    run: (call, input) =>
      call.tx.delete(
        'service-credential',
        find(call, 'service-credential', input.UserName, input.ServiceSpecificCredentialId).row.id,
      ),
  }),
};
