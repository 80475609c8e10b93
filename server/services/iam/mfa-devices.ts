// Virtual MFA devices: made with a secret, assigned to a user by two codes in a row, taken away again. STS asks them when it is given a code.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_EnableMFADevice.html (read 2026-11-21). Eight per user, names unique with their path. Messages were
// recorded on AWS 2026-09.
// Gaps: hardware devices are not known (their serial numbers are not found), and root's device is not assigned by the API.

import { randomBytes } from 'node:crypto';
import type {
  CreateVirtualMFADeviceRequest,
  CreateVirtualMFADeviceResponse,
  DeactivateMFADeviceRequest,
  DeleteVirtualMFADeviceRequest,
  EnableMFADeviceRequest,
  GetMFADeviceRequest,
  GetMFADeviceResponse,
  ListMFADevicesRequest,
  ListMFADevicesResponse,
  ListVirtualMFADevicesRequest,
  ListVirtualMFADevicesResponse,
  ResyncMFADeviceRequest,
} from '@aws-sdk/client-iam';
import { AwsError } from '../../errors.ts';
import { base32, timestamp } from '../../identities.ts';
import { acceptedPair, stepAt } from '../../mfa.ts';
import { type Call, operation } from '../../service.ts';
import type { MfaDeviceRow, UserRow } from '../../store/rows/iam.ts';
import { checkedName, checkedPath, checkedTags, constraints, page, required } from './checks.ts';
import { describeUser, findUser, tags, userOfId } from './entities.ts';
import { deleteConflict, noSuchMember, quotaExceeded, validationError } from './errors.ts';
import { onList, onMfaDevice, onNewMfaDevice, onUser, onUserOrSelf, subjectUserName } from './permissions.ts';
import { qrPng } from './qr-code.ts';

const devicesPerUser = 8;

/** @throws AwsError NoSuchEntity, in the words of the device's kind */
export function findMfaDevice(call: Call, serialNumber: string | undefined): MfaDeviceRow {
  const serial = checkedSerial(serialNumber);
  const row = call.tx.get('mfa-device', serial);
  if (!row || row.accountId !== call.accountId) {
    throw noSuchMember(`VirtualMFADevice with serial number ${serial} doesn't exist.`);
  }
  return row;
}

function checkedSerial(value: string | undefined): string {
  const serial = required('serialNumber', value);
  constraints()
    .length('serialNumber', serial, 9, 256)
    .pattern('serialNumber', serial, /^[\w+=/:,.@-]+$/, '[\\w+=/:,.@-]+')
    .done();
  return serial;
}

export function mfaDevicesOf(call: Call, userId: string): MfaDeviceRow[] {
  return call.tx
    .list('mfa-device', { accountId: call.accountId })
    .filter((device) => device.assigned?.userId === userId);
}

function createVirtualMfaDevice(call: Call, input: CreateVirtualMFADeviceRequest): CreateVirtualMFADeviceResponse {
  const name = checkedName('virtualMFADeviceName', input.VirtualMFADeviceName, 226);
  const path = checkedPath(input.Path);
  const given = checkedTags(input.Tags, 'kept');
  const id = `arn:${call.partition}:iam::${call.accountId}:mfa${path}${name}`;
  if (call.tx.get('mfa-device', id)) {
    throw new AwsError('EntityAlreadyExists', 409, 'MFA device already exists.');
  }
  const seed = randomBytes(40);
  const row: MfaDeviceRow = {
    id,
    accountId: call.accountId,
    region: 'global',
    path,
    seedHex: seed.toString('hex'),
    createDate: timestamp(call.now),
    tags: given,
  };
  call.tx.put('mfa-device', row);
  const secret = base32(seed);
  return {
    VirtualMFADevice: {
      SerialNumber: id,
      Base32StringSeed: Buffer.from(secret),
      // The form is the API reference's; a new device is nobody's yet, so the account stands for the user.
      QRCodePNG: qrPng(`otpauth://totp/${name}@${call.accountId}?secret=${secret}`),
      ...tags(given),
    },
  };
}

function checkedCodes(input: EnableMFADeviceRequest | ResyncMFADeviceRequest): [string, string] {
  const codes = [input.AuthenticationCode1, input.AuthenticationCode2].map((code, place) => {
    const member = `authenticationCode${place + 1}`;
    const given = required(member, code);
    constraints().length(member, given, 6, 6).pattern(member, given, /^\d+$/, '[\\d]+').done();
    return given;
  });
  return codes as [string, string];
}

function wrongCodes(): AwsError {
  return new AwsError('InvalidAuthenticationCode', 403, 'Authentication code for device is not valid.');
}

/**
 * Who has a device must have used one to add or remove devices of their own, whatever their policies say (recorded 2026-09; https://aws.amazon.com/security/security-bulletins/AWS-2023-001/).
 */
function checkOwnMfa(call: Call, user: UserRow): void {
  const own = call.principal.userId === user.userId;
  if (!own || call.accessKey?.mfaDate !== undefined || mfaDevicesOf(call, user.userId).length === 0) return;
  throw new AwsError(
    'AccessDenied',
    403,
    'To complete this action, please ensure that you are authenticated with an MFA device that is enabled for this user.',
  );
}

function enableMfaDevice(call: Call, input: EnableMFADeviceRequest): void {
  const user = findUser(call, input.UserName);
  const [first, second] = checkedCodes(input);
  checkOwnMfa(call, user);
  const device = findMfaDevice(call, input.SerialNumber);
  if (device.assigned) {
    const own = device.assigned.userId === user.userId;
    const message = own ? `MFA Device for user ${user.userName} already exists.` : 'MFA Device is already in use.';
    throw new AwsError('EntityAlreadyExists', 409, message);
  }
  if (mfaDevicesOf(call, user.userId).length >= devicesPerUser) {
    throw quotaExceeded('MFADevicesPerUser', devicesPerUser);
  }
  const step = acceptedPair(device, first, second, call.now);
  if (step === undefined) throw wrongCodes();
  const driftSteps = step - stepAt(call.now);
  const assigned = { userId: user.userId, date: timestamp(call.now), usedSteps: [], driftSteps };
  call.tx.put('mfa-device', { ...device, assigned, pairStep: step });
}

/** A device that is that user's. */
function findAssigned(call: Call, user: UserRow, serialNumber: string | undefined): MfaDeviceRow {
  const serial = checkedSerial(serialNumber);
  const device = mfaDevicesOf(call, user.userId).find((one) => one.id === serial);
  if (!device) throw noSuchMember(`MFA Device invalid for user.`);
  return device;
}

function resyncMfaDevice(call: Call, input: ResyncMFADeviceRequest): void {
  const user = findUser(call, input.UserName);
  const [first, second] = checkedCodes(input);
  const device = findAssigned(call, user, input.SerialNumber);
  const step = acceptedPair(device, first, second, call.now);
  if (step === undefined || !device.assigned) throw wrongCodes();
  // The second code is the one that the device shows now. Recorded: STS still takes either of the two, unless it did before.
  const assigned = { ...device.assigned, driftSteps: step - stepAt(call.now) };
  call.tx.put('mfa-device', { ...device, assigned, pairStep: step });
}

function deactivateMfaDevice(call: Call, input: DeactivateMFADeviceRequest): void {
  const user = findUser(call, required('userName', subjectUserName(call, input.UserName)));
  checkOwnMfa(call, user);
  const { assigned: _gone, ...device } = findAssigned(call, user, input.SerialNumber);
  call.tx.put('mfa-device', device);
}

function deleteVirtualMfaDevice(call: Call, input: DeleteVirtualMFADeviceRequest): void {
  const device = findMfaDevice(call, input.SerialNumber);
  if (device.assigned) throw deleteConflict('mfa-assigned');
  call.tx.delete('mfa-device', device.id);
}

/** Recorded: of security keys alone, which nobody can have here. */
function getMfaDevice(call: Call, input: GetMFADeviceRequest): never {
  findMfaDevice(call, input.SerialNumber);
  throw validationError(
    'The MFA device serial number sent in the request is invalid or not supported by this API. Currently, only hardware FIDO security keys are supported. Please use the compatible device or API.',
  );
}

function listMfaDevices(call: Call, input: ListMFADevicesRequest): ListMFADevicesResponse {
  const name = subjectUserName(call, input.UserName);
  const user = name === undefined ? undefined : findUser(call, name);
  const devices = user ? mfaDevicesOf(call, user.userId) : [];
  const { items, end } = page(devices, input, (device) => device.id);
  const described = items.map((device) => ({
    UserName: user?.userName,
    SerialNumber: device.id,
    EnableDate: device.assigned && new Date(device.assigned.date),
  }));
  return { MFADevices: described, ...end };
}

function listVirtualMfaDevices(call: Call, input: ListVirtualMFADevicesRequest): ListVirtualMFADevicesResponse {
  constraints().oneOf('assignmentStatus', input.AssignmentStatus, ['Assigned', 'Unassigned', 'Any']).done();
  const wanted = input.AssignmentStatus ?? 'Any';
  const devices = call.tx
    .list('mfa-device', { accountId: call.accountId })
    .filter((device) => wanted === 'Any' || (wanted === 'Assigned') === (device.assigned !== undefined));
  const { items, end } = page(devices, input, (device) => device.id);
  const described = items.map((device) => {
    const user = device.assigned && userOfId(call, device.assigned.userId);
    return {
      SerialNumber: device.id,
      ...(user && { User: describeUser(call, user, 'listed') }),
      ...(device.assigned && { EnableDate: new Date(device.assigned.date) }),
    };
  });
  return { VirtualMFADevices: described, ...end };
}

export const mfaDevices = {
  CreateVirtualMFADevice: operation<CreateVirtualMFADeviceRequest, CreateVirtualMFADeviceResponse>({
    authorize: onNewMfaDevice,
    run: createVirtualMfaDevice,
  }),
  DeleteVirtualMFADevice: operation<DeleteVirtualMFADeviceRequest, void>({
    authorize: onMfaDevice,
    run: deleteVirtualMfaDevice,
  }),
  EnableMFADevice: operation<EnableMFADeviceRequest, void>({ authorize: onUser, run: enableMfaDevice }),
  ResyncMFADevice: operation<ResyncMFADeviceRequest, void>({ authorize: onUser, run: resyncMfaDevice }),
  DeactivateMFADevice: operation<DeactivateMFADeviceRequest, void>({
    authorize: onUserOrSelf,
    run: deactivateMfaDevice,
  }),
  GetMFADevice: operation<GetMFADeviceRequest, GetMFADeviceResponse>({
    authorize: onUserOrSelf,
    run: getMfaDevice,
    readOnly: true,
  }),
  ListMFADevices: operation<ListMFADevicesRequest, ListMFADevicesResponse>({
    authorize: onUserOrSelf,
    run: listMfaDevices,
    readOnly: true,
  }),
  ListVirtualMFADevices: operation<ListVirtualMFADevicesRequest, ListVirtualMFADevicesResponse>({
    authorize: (call) => onList('mfa')(call, {}),
    run: listVirtualMfaDevices,
    readOnly: true,
  }),
};
