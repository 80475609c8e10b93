// What belongs to a user, and a server certificate: recorded answers of AWS where there are some, real keys and certificates, real codes.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { beforeEach, describe, it } from 'node:test';
import { ensureFirstState } from '../../accounts.ts';
import { acceptedPair, stepAt, totp } from '../../mfa.ts';
import type { BaseCall } from '../../service.ts';
import type { AccessKeyRow, MfaDeviceRow } from '../../store/rows/iam.ts';
import type { Store } from '../../store/store.ts';
import { awsError, makeStore, runAs, runOperation, testNow } from '../../testing.ts';
import { iam } from './index.ts';
import { codes, type Device, selfSigned } from './testing.ts';

const accountId = '123456789012';
type Output = Record<string, unknown>;
let store: Store;

const run = <O = Output>(name: string, input: object = {}, overrides: Partial<BaseCall> = {}) =>
  runOperation<O>(store, iam, name, input, overrides);
const rejects = (promise: Promise<unknown>, code: string, message?: string | RegExp) =>
  assert.rejects(promise, awsError(code, message));
const asUser = (userName: string): Partial<BaseCall> => ({
  principal: {
    type: 'user',
    accountId,
    arn: `arn:aws:iam::${accountId}:user/${userName}`,
    userId: 'AIDAEXAMPLE',
    userName,
  },
});
const ana = { UserName: 'ana' };

beforeEach(async () => {
  store = makeStore((tx) => ensureFirstState(tx, testNow));
  await run('CreateUser', ana);
});

describe('passwords', () => {
  it('follow AWS’s own policy, and the account’s when there is one', async () => {
    const create = (Password: string) => run('CreateLoginProfile', { ...ana, Password });
    await rejects(create('Short1!'), 'PasswordPolicyViolation', 'Password should have a minimum length of 8');
    await rejects(create('onlyletters'), 'PasswordPolicyViolation');
    await run('UpdateAccountPasswordPolicy', { MinimumPasswordLength: 12, RequireSymbols: true });
    await rejects(create('Longer1234567'), 'PasswordPolicyViolation', 'Password should have at least one symbol');
    const { LoginProfile } = await create('Longer1234567!');
    assert.deepEqual(LoginProfile, { UserName: 'ana', CreateDate: testNow, PasswordResetRequired: false });
    await rejects(create('Longer1234567!'), 'EntityAlreadyExists');
    assert.deepEqual(await run('GetLoginProfile', ana), { LoginProfile });
  });

  it('are changed by their owner, who knows the old one and may not go back to it', async () => {
    await run('CreateLoginProfile', { ...ana, Password: 'First1234!', PasswordResetRequired: true });
    await run('UpdateAccountPasswordPolicy', { PasswordReusePrevention: 1 });
    const change = (OldPassword: string, NewPassword: string) =>
      run('ChangePassword', { OldPassword, NewPassword }, asUser('ana'));
    await rejects(change('wrong', 'Second123!'), 'AccessDenied', 'The old password was incorrect.');
    await rejects(change('First1234!', 'First1234!'), 'PasswordPolicyViolation');
    await change('First1234!', 'Second123!');
    await rejects(change('First1234!', 'Third1234!'), 'AccessDenied');
    const { LoginProfile } = await run<{ LoginProfile: Output }>('GetLoginProfile', ana);
    assert.equal(LoginProfile.PasswordResetRequired, false);
    await rejects(run('ChangePassword', { OldPassword: 'a', NewPassword: 'b' }), 'InvalidUserType');
    await run('UpdateLoginProfile', { ...ana, PasswordResetRequired: true });
    await run('DeleteLoginProfile', ana);
    await rejects(run('DeleteLoginProfile', ana), 'NoSuchEntity', 'Login Profile for User ana cannot be found.');
    await rejects(run('GetLoginProfile', ana), 'NoSuchEntity');
  });

  it('are changed by every user where the account allows it, without a policy and against none', async () => {
    const { AccessKey } = await run<{ AccessKey: { AccessKeyId: string } }>('CreateAccessKey', ana);
    await run('CreateLoginProfile', { ...ana, Password: 'First1234!' });
    const asAna = (name: string, input: object = {}) => runAs(store, AccessKey.AccessKeyId, iam, name, input);
    const passwords = { OldPassword: 'First1234!', NewPassword: 'Second123!' };
    await run('UpdateAccountPasswordPolicy', { MinimumPasswordLength: 9 });
    await rejects(asAna('ChangePassword', passwords), 'AccessDenied', /no identity-based policy allows/);
    await run('UpdateAccountPasswordPolicy', { AllowUsersToChangePassword: true });
    await asAna('GetAccountPasswordPolicy');
    const statement = { Effect: 'Deny', Action: 'iam:ChangePassword', Resource: '*' };
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: statement });
    await run('PutUserPolicy', { ...ana, PolicyName: 'no', PolicyDocument });
    await rejects(asAna('ChangePassword', passwords), 'AccessDenied', /explicit deny in an identity-based policy/);
    await run('DeleteUserPolicy', { ...ana, PolicyName: 'no' });
    await asAna('ChangePassword', passwords);
  });

  it('have a policy that is read back whole, and every value out of range is named at once', async () => {
    const none = 'The Password Policy with domain name 123456789012 cannot be found.';
    await rejects(run('GetAccountPasswordPolicy'), 'NoSuchEntity', none);
    const far = { MinimumPasswordLength: 129, PasswordReusePrevention: 25, MaxPasswordAge: 1096 };
    await rejects(run('UpdateAccountPasswordPolicy', far), 'ValidationError', /^3 validation errors detected/);
    await run('UpdateAccountPasswordPolicy', { MaxPasswordAge: 90 });
    assert.deepEqual(await run('GetAccountPasswordPolicy'), {
      PasswordPolicy: {
        MinimumPasswordLength: 6,
        RequireSymbols: false,
        RequireNumbers: false,
        RequireUppercaseCharacters: false,
        RequireLowercaseCharacters: false,
        AllowUsersToChangePassword: false,
        ExpirePasswords: true,
        MaxPasswordAge: 90,
      },
    });
    await run('DeleteAccountPasswordPolicy');
    const gone = 'The account policy with name PasswordPolicy cannot be found.';
    await rejects(run('DeleteAccountPasswordPolicy'), 'NoSuchEntity', gone);
  });
});

async function makeDevice(name = 'phone'): Promise<Device> {
  const answer = await run<{ VirtualMFADevice: Device }>('CreateVirtualMFADevice', { VirtualMFADeviceName: name });
  return answer.VirtualMFADevice;
}

describe('MFA devices', () => {
  it('show the codes of RFC 6238', () => {
    const seed = Buffer.from('12345678901234567890').toString('hex');
    assert.equal(totp(seed, stepAt(new Date(59_000))), '287082');
    assert.equal(totp(seed, stepAt(new Date(1_111_111_109_000))), '081804');
    const now = new Date(1_111_111_109_000);
    const next = totp(seed, stepAt(now) + 1);
    const device = { seedHex: seed } as MfaDeviceRow;
    assert.equal(acceptedPair(device, '081804', next, now), stepAt(now) + 1);
    assert.equal(acceptedPair(device, next, '081804', now), undefined);
  });

  it('are found in step from 998 steps behind to 1,000 ahead, and by later codes than before', () => {
    const device = { seedHex: '00'.repeat(20) } as MfaDeviceRow;
    const pair = (offset: number, more: Partial<MfaDeviceRow> = {}) => {
      const step = stepAt(testNow) + offset;
      const found = acceptedPair(
        { ...device, ...more },
        totp(device.seedHex, step - 1),
        totp(device.seedHex, step),
        testNow,
      );
      return found === undefined ? undefined : found - stepAt(testNow);
    };
    assert.deepEqual(
      [-999, -998, 0, 1000, 1001].map((offset) => pair(offset)),
      [undefined, -998, 0, 1000, undefined],
    );
    const pairStep = stepAt(testNow);
    assert.deepEqual(
      [0, 1, 2].map((offset) => pair(offset, { pairStep })),
      [undefined, undefined, 2],
    );
  });

  it('are enabled by two codes in a row, brought back into step, and deactivated', async () => {
    const device = await makeDevice();
    assert.equal(device.SerialNumber, `arn:aws:iam::${accountId}:mfa/phone`);
    await rejects(run('CreateVirtualMFADevice', { VirtualMFADeviceName: 'phone' }), 'EntityAlreadyExists');
    const input = { ...ana, SerialNumber: device.SerialNumber };
    const same = { AuthenticationCode1: '000000', AuthenticationCode2: '000000' };
    await rejects(run('EnableMFADevice', { ...input, ...same }), 'InvalidAuthenticationCode');
    await rejects(run('EnableMFADevice', { ...input, ...codes(device, 1001) }), 'InvalidAuthenticationCode');
    await run('EnableMFADevice', { ...input, ...codes(device) });
    const again = 'MFA Device for user ana already exists.';
    await rejects(run('EnableMFADevice', { ...input, ...codes(device) }), 'EntityAlreadyExists', again);
    await run('CreateUser', { UserName: 'bob' });
    const taken = run('EnableMFADevice', { ...input, UserName: 'bob', ...codes(device) });
    await rejects(taken, 'EntityAlreadyExists', 'MFA Device is already in use.');
    const MFADevices = [{ UserName: 'ana', SerialNumber: device.SerialNumber, EnableDate: testNow }];
    assert.deepEqual(await run('ListMFADevices', ana), { MFADevices, IsTruncated: false });
    assert.deepEqual(await run('ListMFADevices', {}, asUser('ana')), { MFADevices, IsTruncated: false });
    await run('ResyncMFADevice', { ...input, ...codes(device, 30) });
    const assigned = await run<{ VirtualMFADevices: { User?: Output }[] }>('ListVirtualMFADevices', {
      AssignmentStatus: 'Assigned',
    });
    assert.equal(assigned.VirtualMFADevices[0]?.User?.UserName, 'ana');
    await rejects(run('DeleteVirtualMFADevice', { SerialNumber: device.SerialNumber }), 'DeleteConflict');
    await run('DeactivateMFADevice', input);
    await rejects(run('DeactivateMFADevice', input), 'NoSuchEntity');
    await run('DeleteVirtualMFADevice', { SerialNumber: device.SerialNumber });
    await rejects(
      run('TagMFADevice', { SerialNumber: device.SerialNumber, Tags: [{ Key: 'a', Value: '1' }] }),
      'NoSuchEntity',
      `VirtualMFADevice with serial number ${device.SerialNumber} doesn't exist.`,
    );
  });

  it('are added and removed by who has one only in a session with one of them', async () => {
    const [first, second] = [await makeDevice('phone'), await makeDevice('tablet')];
    const user = await run<{ User: { UserId: string } }>('GetUser', ana);
    const principal = { ...asUser('ana').principal, userId: user.User.UserId } as BaseCall['principal'];
    const key = { id: 'AKIA', mfaDate: testNow.toISOString() } as AccessKeyRow;
    const withKey = { principal };
    const withMfa = { principal, accessKey: key };
    const refused = [
      'AccessDenied',
      'To complete this action, please ensure that you are authenticated with an MFA device that is enabled for this user.',
    ] as const;
    const enable = (device: Device) => ({ ...ana, SerialNumber: device.SerialNumber, ...codes(device) });
    await run('EnableMFADevice', enable(first), withKey);
    await rejects(run('EnableMFADevice', enable(second), withKey), ...refused);
    await rejects(run('DeactivateMFADevice', { SerialNumber: `${first.SerialNumber}x` }, withKey), ...refused);
    await run('ResyncMFADevice', { ...ana, SerialNumber: first.SerialNumber, ...codes(first, 30) }, withKey);
    await run('EnableMFADevice', enable(second), withMfa);
    await run('DeactivateMFADevice', { SerialNumber: first.SerialNumber }, withMfa);
    // Others may, by their policies alone.
    await run('DeactivateMFADevice', { ...ana, SerialNumber: second.SerialNumber });
  });

  it('are tagged, and follow a user to a new name', async () => {
    const device = await makeDevice();
    await run('EnableMFADevice', { ...ana, SerialNumber: device.SerialNumber, ...codes(device) });
    await run('TagMFADevice', { SerialNumber: device.SerialNumber, Tags: [{ Key: 'a', Value: '1' }] });
    const tags = await run('ListMFADeviceTags', { SerialNumber: device.SerialNumber });
    assert.deepEqual(tags, { Tags: [{ Key: 'a', Value: '1' }], IsTruncated: false });
    await run('UpdateUser', { ...ana, NewUserName: 'anna' });
    const { MFADevices } = await run<{ MFADevices: Output[] }>('ListMFADevices', { UserName: 'anna' });
    assert.equal(MFADevices[0]?.SerialNumber, device.SerialNumber);
    const keysAlone = /^The MFA device serial number sent in the request is invalid or not supported by this API\./;
    await rejects(run('GetMFADevice', { SerialNumber: device.SerialNumber }), 'ValidationError', keysAlone);
  });
});

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();

describe('SSH keys and certificates of users', () => {
  it('are taken as PEM or as SSH writes them, once, and given back in both forms', async () => {
    const first = await run<{ SSHPublicKey: Output }>('UploadSSHPublicKey', { ...ana, SSHPublicKeyBody: pem });
    const { SSHPublicKeyId, Fingerprint } = first.SSHPublicKey;
    assert.match(String(SSHPublicKeyId), /^APKA[A-Z2-7]{17}$/);
    assert.match(String(Fingerprint), /^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
    const get = (Encoding: string) =>
      run<{ SSHPublicKey: { SSHPublicKeyBody: string } }>('GetSSHPublicKey', { ...ana, SSHPublicKeyId, Encoding });
    const ssh = (await get('SSH')).SSHPublicKey.SSHPublicKeyBody;
    assert.match(ssh, /^ssh-rsa AAAAB3NzaC1yc2E/);
    assert.equal((await get('PEM')).SSHPublicKey.SSHPublicKeyBody, pem);
    await rejects(run('UploadSSHPublicKey', { ...ana, SSHPublicKeyBody: ssh }), 'DuplicateSSHPublicKey');
    await rejects(run('UploadSSHPublicKey', { ...ana, SSHPublicKeyBody: 'ssh-rsa AAAA' }), 'InvalidPublicKey');
    await rejects(get('DER'), 'UnrecognizedPublicKeyEncoding');
    await run('UpdateSSHPublicKey', { ...ana, SSHPublicKeyId, Status: 'Inactive' });
    const { SSHPublicKeys } = await run<{ SSHPublicKeys: Output[] }>('ListSSHPublicKeys', ana);
    assert.equal(SSHPublicKeys[0]?.Status, 'Inactive');
    await rejects(run('DeleteUser', ana), 'DeleteConflict', /referenced objects/);
    await run('DeleteSSHPublicKey', { ...ana, SSHPublicKeyId });
    await run('DeleteUser', ana);
  });

  it('two signing certificates at most, as asserted on AWS', async () => {
    const upload = (CertificateBody: string) => run('UploadSigningCertificate', { ...ana, CertificateBody });
    const certificate = () => selfSigned().certificate;
    const first = await run<{ Certificate: Output }>('UploadSigningCertificate', {
      ...ana,
      CertificateBody: certificate(),
    });
    await upload(certificate());
    await rejects(upload(certificate()), 'LimitExceeded', 'Cannot exceed quota for CertificatesPerUser: 2');
    await rejects(upload('nothing'), 'MalformedCertificate');
    const input = { ...ana, CertificateId: 'x'.repeat(32), Status: 'Inactive' };
    const missing = `The Certificate with id ${input.CertificateId} cannot be found.`;
    await rejects(run('UpdateSigningCertificate', input), 'NoSuchEntity', missing);
    await rejects(
      run('ListSigningCertificates', { UserName: 'notauser' }),
      'NoSuchEntity',
      'The user with name notauser cannot be found.',
    );
    await rejects(run('DeleteUser', ana), 'DeleteConflict');
    await run('DeleteSigningCertificate', { ...ana, CertificateId: first.Certificate.CertificateId });
  });
});

describe('service-specific credentials', () => {
  const create = (more: object = {}) =>
    run<{ ServiceSpecificCredential: Output }>('CreateServiceSpecificCredential', {
      ...ana,
      ServiceName: 'codecommit.amazonaws.com',
      ...more,
    });

  it('live as recorded on AWS', async () => {
    const { ServiceSpecificCredential } = await create();
    const { ServicePassword, ...shown } = ServiceSpecificCredential;
    const ServiceSpecificCredentialId = shown.ServiceSpecificCredentialId;
    assert.deepEqual(shown, {
      CreateDate: testNow,
      ServiceName: 'codecommit.amazonaws.com',
      ServiceSpecificCredentialId,
      ServiceUserName: `ana-at-${accountId}`,
      Status: 'Active',
      UserName: 'ana',
    });
    assert.deepEqual(await run('ListServiceSpecificCredentials', ana), { ServiceSpecificCredentials: [shown] });
    await run('UpdateServiceSpecificCredential', { ...ana, ServiceSpecificCredentialId, Status: 'Inactive' });
    const reset = await run<{ ServiceSpecificCredential: Output }>('ResetServiceSpecificCredential', {
      ServiceSpecificCredentialId,
      ...ana,
    });
    assert.equal(reset.ServiceSpecificCredential.Status, 'Inactive');
    assert.notEqual(reset.ServiceSpecificCredential.ServicePassword, ServicePassword);
    await rejects(
      run('DeleteUser', ana),
      'DeleteConflict',
      'Cannot delete entity, must remove referenced objects first.',
    );
    await run('DeleteServiceSpecificCredential', { ...ana, ServiceSpecificCredentialId });
    await run('DeleteUser', ana);
  });

  it('are refused in the words recorded on AWS', async () => {
    const unsupported = (name: string) => `No such service ${name} is supported for Service Specific Credentials`;
    await rejects(create({ ServiceName: 'lambda.amazonaws.com' }), 'NoSuchEntity', unsupported('lambda.amazonaws.com'));
    await rejects(create({ UserName: 'nobody' }), 'NoSuchEntity', 'The user with name nobody cannot be found.');
    const update = (ServiceSpecificCredentialId: string, Status = 'Inactive', UserName = 'ana') =>
      run('UpdateServiceSpecificCredential', { UserName, ServiceSpecificCredentialId, Status });
    await rejects(
      update('invalid-credential-id-'),
      'ValidationError',
      "1 validation error detected: Value at 'serviceSpecificCredentialId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w]+",
    );
    const unknown = 'satisfiesregexbutstillinvalid';
    await rejects(update(unknown), 'NoSuchEntity', `No such credential ${unknown} exists`);
    await rejects(update(unknown, 'Inactive', 'wrong-user-name'), 'NoSuchEntity', /wrong-user-name/);
    await rejects(
      update(unknown, 'Invalid'),
      'ValidationError',
      "1 validation error detected: Value at 'status' failed to satisfy constraint: Member must satisfy enum value set",
    );
    await create();
    await create();
    await rejects(create(), 'LimitExceeded');
  });
});

describe('server certificates', () => {
  it('are a certificate and its key; renamed, moved, tagged and listed by path', async () => {
    const authority = selfSigned();
    const own = { CertificateBody: authority.certificate, PrivateKey: authority.privateKey };
    const name = { ServerCertificateName: 'web' };
    const none = 'The Server Certificate with name web cannot be found.';
    await rejects(run('GetServerCertificate', name), 'NoSuchEntity', none);
    const foreign = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    await rejects(run('UploadServerCertificate', { ...name, ...own, PrivateKey: foreign }), 'KeyPairMismatch');
    await rejects(run('UploadServerCertificate', { ...name, ...own, PrivateKey: 'x' }), 'MalformedCertificate');
    const uploaded = await run<{ ServerCertificateMetadata: Output }>('UploadServerCertificate', { ...name, ...own });
    assert.match(String(uploaded.ServerCertificateMetadata.ServerCertificateId), /^ASCA/);
    await rejects(run('UploadServerCertificate', { ServerCertificateName: 'WEB', ...own }), 'EntityAlreadyExists');
    const { ServerCertificate } = await run<{ ServerCertificate: Output }>('GetServerCertificate', name);
    assert.deepEqual(ServerCertificate, {
      ServerCertificateMetadata: uploaded.ServerCertificateMetadata,
      CertificateBody: authority.certificate.trim(),
      Tags: [],
    });
    const renamed = { NewServerCertificateName: 'site', NewPath: '/edge/' };
    await run('UpdateServerCertificate', { ...name, ...renamed });
    const listed = await run<{ ServerCertificateMetadataList: Output[] }>('ListServerCertificates', {
      PathPrefix: '/edge/',
    });
    assert.equal(
      listed.ServerCertificateMetadataList[0]?.Arn,
      `arn:aws:iam::${accountId}:server-certificate/edge/site`,
    );
    await run('TagServerCertificate', { ServerCertificateName: 'site', Tags: [{ Key: 'a', Value: '1' }] });
    await run('UntagServerCertificate', { ServerCertificateName: 'site', TagKeys: ['A'] });
    await run('DeleteServerCertificate', { ServerCertificateName: 'site' });
    await rejects(run('GetServerCertificate', name), 'NoSuchEntity');
  });
});

describe('a user with everything', () => {
  it('is deleted only when each thing is gone, whatever the order', async () => {
    const remove = () => run('DeleteUser', ana);
    await run('CreateLoginProfile', { ...ana, Password: 'First1234!' });
    const device = await makeDevice();
    await run('EnableMFADevice', { ...ana, SerialNumber: device.SerialNumber, ...codes(device) });
    await rejects(remove(), 'DeleteConflict', 'Cannot delete entity, must remove tokens from principal first.');
    await run('DeactivateMFADevice', { ...ana, SerialNumber: device.SerialNumber });
    await rejects(remove(), 'DeleteConflict', 'Cannot delete entity, must delete login profile first.');
    await run('DeleteLoginProfile', ana);
    await remove();
    const left = await run<{ VirtualMFADevices: Output[] }>('ListVirtualMFADevices');
    assert.equal(left.VirtualMFADevices.length, 1);
  });
});
