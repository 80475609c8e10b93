// Console passwords: the account's policy, and each user's login profile. There is no console to sign in to; the records, limits and errors are AWS's.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html (read 2026-11-21)
// A password is kept as a salted hash, with those before it as long as the policy forbids to use them again. Texts of violations are unsourced.

import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import type {
  ChangePasswordRequest,
  CreateLoginProfileRequest,
  CreateLoginProfileResponse,
  DeleteLoginProfileRequest,
  GetAccountPasswordPolicyResponse,
  GetLoginProfileRequest,
  GetLoginProfileResponse,
  LoginProfile,
  PasswordPolicy,
  UpdateAccountPasswordPolicyRequest,
  UpdateLoginProfileRequest,
} from '@aws-sdk/client-iam';
import { AwsError } from '../../errors.ts';
import { timestamp } from '../../identities.ts';
import { type Call, operation, type Permission } from '../../service.ts';
import type { KeptPassword, LoginProfileRow, PasswordPolicyRow, UserRow } from '../../store/rows/iam.ts';
import { accountOf } from './account-row.ts';
import { constraints, required } from './checks.ts';
import { findUser } from './entities.ts';
import { noSuchMember, validationError } from './errors.ts';
import { onEverything, onUserOrSelf, subjectUserName } from './permissions.ts';

/** AWS's own, where the account has none; it also wants three of the four kinds of characters. */
const shortestByDefault = 8;
/** As many as a policy can forbid to use again. */
const mostKept = 24;

const kinds = [
  { member: 'requireUppercaseCharacters', pattern: /[A-Z]/, name: 'uppercase letter' },
  { member: 'requireLowercaseCharacters', pattern: /[a-z]/, name: 'lowercase letter' },
  { member: 'requireNumbers', pattern: /[0-9]/, name: 'number' },
  { member: 'requireSymbols', pattern: /[!@#$%^&*()_+\-=[\]{}|']/, name: 'symbol' },
] as const;

function violation(message: string): AwsError {
  return new AwsError('PasswordPolicyViolation', 400, message);
}

function checkPassword(call: Call, password: string, kept: readonly KeptPassword[]): void {
  constraints().length('password', password, 1, 128).done();
  const policy = call.tx.get('account', call.accountId)?.passwordPolicy;
  const shortest = policy?.minimumPasswordLength ?? shortestByDefault;
  if (password.length < shortest) throw violation(`Password should have a minimum length of ${shortest}`);
  for (const { member, pattern, name } of kinds) {
    if (policy?.[member] === true && !pattern.test(password)) {
      throw violation(`Password should have at least one ${name}`);
    }
  }
  if (!policy && kinds.filter(({ pattern }) => pattern.test(password)).length < 3) {
    throw violation('Password should have at least three of: uppercase letters, lowercase letters, numbers, symbols');
  }
  const forbidden = kept.slice(0, policy?.passwordReusePrevention ?? 0);
  if (forbidden.some((one) => isPassword(one, password))) {
    throw violation('Policy constraint violation with password reuse prevention');
  }
}

// Nothing signs in with these, so the cost is low: a call must not hold up the others.
const hash = (password: string, salt: string) => scryptSync(password, Buffer.from(salt, 'hex'), 32, { N: 1024 });

function keep(call: Call, password: string): KeptPassword {
  const salt = randomBytes(16).toString('hex');
  return { salt, hash: hash(password, salt).toString('hex'), setAt: timestamp(call.now) };
}

function isPassword(kept: KeptPassword, password: string): boolean {
  return timingSafeEqual(Buffer.from(kept.hash, 'hex'), hash(password, kept.salt));
}

/** The user that the input names, or the caller; root has no login profile of this kind. */
function subject(call: Call, userName: string | undefined): UserRow {
  return findUser(call, required('userName', subjectUserName(call, userName)));
}

function findProfile(call: Call, user: UserRow): LoginProfileRow {
  const row = call.tx.get('login-profile', user.userId);
  if (!row) throw noSuchMember(`Login Profile for User ${user.userName} cannot be found.`);
  return row;
}

function describe(user: UserRow, row: LoginProfileRow): LoginProfile {
  return {
    UserName: user.userName,
    CreateDate: new Date(row.createDate),
    PasswordResetRequired: row.passwordResetRequired,
  };
}

function createLoginProfile(call: Call, input: CreateLoginProfileRequest): CreateLoginProfileResponse {
  const user = subject(call, input.UserName);
  const password = required('password', input.Password);
  if (call.tx.get('login-profile', user.userId)) {
    throw new AwsError('EntityAlreadyExists', 409, `Login Profile for user ${user.userName} already exists.`);
  }
  checkPassword(call, password, []);
  const row: LoginProfileRow = {
    id: user.userId,
    accountId: call.accountId,
    region: 'global',
    createDate: timestamp(call.now),
    passwordResetRequired: input.PasswordResetRequired ?? false,
    passwords: [keep(call, password)],
  };
  call.tx.put('login-profile', row);
  return { LoginProfile: describe(user, row) };
}

function getLoginProfile(call: Call, input: GetLoginProfileRequest): GetLoginProfileResponse {
  const name = subjectUserName(call, input.UserName);
  if (name === undefined) throw noSuchMember(`Login Profile for User ${call.accountId} cannot be found.`);
  const user = findUser(call, name);
  return { LoginProfile: describe(user, findProfile(call, user)) };
}

function withPassword(call: Call, row: LoginProfileRow, password: string): LoginProfileRow {
  checkPassword(call, password, row.passwords);
  return { ...row, passwords: [keep(call, password), ...row.passwords].slice(0, mostKept) };
}

function updateLoginProfile(call: Call, input: UpdateLoginProfileRequest): void {
  const user = findUser(call, input.UserName);
  const row = findProfile(call, user);
  const changed = input.Password === undefined ? row : withPassword(call, row, input.Password);
  call.tx.put('login-profile', {
    ...changed,
    passwordResetRequired: input.PasswordResetRequired ?? row.passwordResetRequired,
  });
}

function deleteLoginProfile(call: Call, input: DeleteLoginProfileRequest): void {
  call.tx.delete('login-profile', findProfile(call, subject(call, input.UserName)).id);
}

/** A user's own doing, with the password that is in force. */
function changePassword(call: Call, input: ChangePasswordRequest): void {
  const oldPassword = required('oldPassword', input.OldPassword);
  const newPassword = required('newPassword', input.NewPassword);
  const { userName } = call.principal;
  if (userName === undefined) {
    throw new AwsError('InvalidUserType', 400, 'Only IAM Users can change their own password');
  }
  const row = findProfile(call, findUser(call, userName));
  const [current] = row.passwords;
  if (!current || !isPassword(current, oldPassword)) {
    throw new AwsError('AccessDenied', 403, 'The old password was incorrect.');
  }
  call.tx.put('login-profile', { ...withPassword(call, row, newPassword), passwordResetRequired: false });
}

/** What is left out goes back to its default: AWS knows no partial change. */
function updatePasswordPolicy(call: Call, input: UpdateAccountPasswordPolicyRequest): void {
  constraints()
    .range('minimumPasswordLength', input.MinimumPasswordLength, 6, 128)
    .range('maxPasswordAge', input.MaxPasswordAge, 1, 1095)
    .range('passwordReusePrevention', input.PasswordReusePrevention, 1, 24)
    .done();
  if (input.HardExpiry === true && input.MaxPasswordAge === undefined) {
    throw validationError('HardExpiry can only be set together with MaxPasswordAge.');
  }
  const passwordPolicy: PasswordPolicyRow = {
    minimumPasswordLength: input.MinimumPasswordLength ?? 6,
    requireSymbols: input.RequireSymbols ?? false,
    requireNumbers: input.RequireNumbers ?? false,
    requireUppercaseCharacters: input.RequireUppercaseCharacters ?? false,
    requireLowercaseCharacters: input.RequireLowercaseCharacters ?? false,
    allowUsersToChangePassword: input.AllowUsersToChangePassword ?? false,
    ...(input.MaxPasswordAge !== undefined && { maxPasswordAge: input.MaxPasswordAge }),
    ...(input.PasswordReusePrevention !== undefined && { passwordReusePrevention: input.PasswordReusePrevention }),
    ...(input.HardExpiry !== undefined && { hardExpiry: input.HardExpiry }),
  };
  call.tx.put('account', { ...accountOf(call), passwordPolicy });
}

/**
 * AllowUsersToChangePassword lets every user change the own password and see what it must be, by no policy of anybody.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html (read 2026-11-21)
 */
function grantedToUsers(call: Call, permissions: readonly Permission[]): readonly Permission[] {
  const granted = call.principal.type === 'user' && accountOf(call).passwordPolicy?.allowUsersToChangePassword === true;
  return granted ? permissions.map((one) => ({ ...one, grantedBy: 'AllowUsersToChangePassword' })) : permissions;
}

function getPasswordPolicy(call: Call): GetAccountPasswordPolicyResponse {
  const policy = accountOf(call).passwordPolicy;
  if (!policy) throw noSuchMember(`The Password Policy with domain name ${call.accountId} cannot be found.`);
  const shown: PasswordPolicy = {
    MinimumPasswordLength: policy.minimumPasswordLength,
    RequireSymbols: policy.requireSymbols,
    RequireNumbers: policy.requireNumbers,
    RequireUppercaseCharacters: policy.requireUppercaseCharacters,
    RequireLowercaseCharacters: policy.requireLowercaseCharacters,
    AllowUsersToChangePassword: policy.allowUsersToChangePassword,
    ExpirePasswords: policy.maxPasswordAge !== undefined,
    ...(policy.maxPasswordAge !== undefined && { MaxPasswordAge: policy.maxPasswordAge }),
    ...(policy.passwordReusePrevention !== undefined && { PasswordReusePrevention: policy.passwordReusePrevention }),
    ...(policy.hardExpiry !== undefined && { HardExpiry: policy.hardExpiry }),
  };
  return { PasswordPolicy: shown };
}

function deletePasswordPolicy(call: Call): void {
  const { passwordPolicy, ...rest } = accountOf(call);
  if (!passwordPolicy) throw noSuchMember('The account policy with name PasswordPolicy cannot be found.');
  call.tx.put('account', rest);
}

export const passwords = {
  CreateLoginProfile: operation<CreateLoginProfileRequest, CreateLoginProfileResponse>({
    authorize: onUserOrSelf,
    run: createLoginProfile,
  }),
  GetLoginProfile: operation<GetLoginProfileRequest, GetLoginProfileResponse>({
    authorize: onUserOrSelf,
    run: getLoginProfile,
    readOnly: true,
  }),
  UpdateLoginProfile: operation<UpdateLoginProfileRequest, void>({ authorize: onUserOrSelf, run: updateLoginProfile }),
  DeleteLoginProfile: operation<DeleteLoginProfileRequest, void>({ authorize: onUserOrSelf, run: deleteLoginProfile }),
  // Its permission is on the caller's own user; a role session has none and is told so by the operation itself.
  ChangePassword: operation<ChangePasswordRequest, void>({
    authorize: (call) => (call.principal.userName === undefined ? [] : grantedToUsers(call, onUserOrSelf(call, {}))),
    run: changePassword,
  }),
  UpdateAccountPasswordPolicy: operation<UpdateAccountPasswordPolicyRequest, void>({
    authorize: onEverything,
    run: updatePasswordPolicy,
  }),
  GetAccountPasswordPolicy: operation<Record<string, never>, GetAccountPasswordPolicyResponse>({
    authorize: (call) => grantedToUsers(call, [{ action: 'iam:GetAccountPasswordPolicy', resource: '*' }]),
    run: getPasswordPolicy,
    readOnly: true,
  }),
  DeleteAccountPasswordPolicy: operation<Record<string, never>, void>({
    authorize: onEverything,
    run: deletePasswordPolicy,
  }),
};
