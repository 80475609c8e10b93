// Rows of IAM and STS. `region` is `global` for all of them. Policy texts are kept as given; they were checked when written.

import type { Row } from '../store.ts';

export interface InlinePolicies {
  [policyName: string]: string;
}

export interface AccountRow extends Row {
  /** 12 digits, the same as `id` and `accountId`. */
  alias?: string;
  /** What the operator calls it. */
  name?: string;
  createdAt: string;
  /** When its organization closed it: from then on none of its keys is good. */
  closedAt?: string;
  /** What the account was made or invited with; organizations show it. */
  email?: string;
  passwordPolicy?: PasswordPolicyRow;
  /** For sessions of the global endpoint; kept and told. */
  globalTokenVersion?: 'v1Token' | 'v2Token';
  credentialReport?: { generatedAt: string; content: string };
}

export interface PasswordPolicyRow {
  minimumPasswordLength: number;
  requireSymbols: boolean;
  requireNumbers: boolean;
  requireUppercaseCharacters: boolean;
  requireLowercaseCharacters: boolean;
  allowUsersToChangePassword: boolean;
  /** Days. */
  maxPasswordAge?: number;
  passwordReusePrevention?: number;
  hardExpiry?: boolean;
}

export interface UserRow extends Row {
  /** `ACCOUNT/NAME` */
  userName: string;
  userId: string;
  path: string;
  createDate: string;
  attachedPolicyArns: string[];
  inlinePolicies: InlinePolicies;
  permissionsBoundaryArn?: string;
  tags: Record<string, string>;
}

export interface GroupRow extends Row {
  groupName: string;
  groupId: string;
  path: string;
  createDate: string;
  userNames: string[];
  attachedPolicyArns: string[];
  inlinePolicies: InlinePolicies;
}

export interface RoleRow extends Row {
  roleName: string;
  roleId: string;
  path: string;
  createDate: string;
  description?: string;
  maxSessionDuration: number;
  assumeRolePolicyDocument: string;
  attachedPolicyArns: string[];
  inlinePolicies: InlinePolicies;
  permissionsBoundaryArn?: string;
  lastUsed?: { date: string; region: string };
  tags: Record<string, string>;
}

export interface InstanceProfileRow extends Row {
  instanceProfileName: string;
  instanceProfileId: string;
  path: string;
  createDate: string;
  /** At most one (AWS's quota, not adjustable). */
  roleNames: string[];
  tags: Record<string, string>;
}

export interface PolicyVersion {
  versionId: string;
  document: string;
  createDate: string;
}

export interface ManagedPolicyRow extends Row {
  /** The ARN. AWS-managed ones are not rows: they ship with the program. */
  policyName: string;
  policyId: string;
  path: string;
  description?: string;
  createDate: string;
  updateDate: string;
  defaultVersionId: string;
  versions: PolicyVersion[];
  nextVersion: number;
  tags: Record<string, string>;
}

export interface KeptPassword {
  /** Hex. */
  salt: string;
  hash: string;
  setAt: string;
}

/** `id` is the user's unique id: what belongs to a user names it so, and a new name changes nothing here. */
export interface LoginProfileRow extends Row {
  createDate: string;
  passwordResetRequired: boolean;
  /** The first is in force; those before it follow. */
  passwords: KeptPassword[];
}

/** `id` is the serial number, an ARN. */
export interface MfaDeviceRow extends Row {
  path: string;
  seedHex: string;
  createDate: string;
  /** `usedSteps`: of the codes that were taken lately; `driftSteps`: how far the device's clock is ahead. */
  assigned?: { userId: string; date: string; usedSteps?: number[]; driftSteps: number };
  /** Of the second of the last two codes that enabled it or brought it back into step. */
  pairStep?: number;
  tags: Record<string, string>;
}

interface UserCredential extends Row {
  userId: string;
  status: 'Active' | 'Inactive';
  createDate: string;
}

export interface SshPublicKeyRow extends UserCredential {
  body: string;
  fingerprint: string;
}

export interface SigningCertificateRow extends UserCredential {
  body: string;
}

export interface ServiceCredentialRow extends UserCredential {
  serviceName: string;
  serviceUserName: string;
}

export interface ServerCertificateRow extends Row {
  serverCertificateName: string;
  serverCertificateId: string;
  path: string;
  body: string;
  chain?: string;
  uploadDate: string;
  expiration: string;
  tags: Record<string, string>;
}

/** `id` is the ARN. */
export interface OidcProviderRow extends Row {
  /** Without scheme: the name in ARNs and condition keys. */
  url: string;
  clientIds: string[];
  thumbprints: string[];
  createDate: string;
  /** JSON Web Keys that the operator registered; without any, no token of the provider is taken. */
  keys?: Readonly<Record<string, unknown>>[];
  tags: Record<string, string>;
}

/** `id` is the ARN. */
export interface SamlProviderRow extends Row {
  uuid: string;
  document: string;
  encryptionMode?: 'Required' | 'Allowed';
  /** For assertions that the provider encrypts; PEM. */
  privateKeys?: { readonly keyId: string; readonly pem: string; readonly uploadedAt: string }[];
  createDate: string;
  tags: Record<string, string>;
}

/** `id` is the deletion task's. */
export interface RoleDeletionRow extends Row {
  status: 'SUCCEEDED';
}

/** What the tokens of sessions are signed with, in hex (server/sessions.ts). There is one. */
export interface SessionKeyRow extends Row {
  key: string;
}

/** `id` is the access key id. One form serves root, user and session keys, though most sessions are no rows; the pipeline identifies a caller by it. */
export interface AccessKeyRow extends Row {
  secretAccessKey: string;
  status: 'Active' | 'Inactive';
  createDate: string;
  owner:
    | { kind: 'root' }
    | { kind: 'user'; userName: string }
    | {
        kind: 'role-session';
        roleName: string;
        roleId: string;
        sessionName: string;
        sessionPolicies: string[];
        sessionPolicyArns: string[];
        /** The session's own tags, not its role's. */
        tags: Record<string, string>;
        /** Tags that sessions started from this one inherit; they cannot be changed there. */
        transitiveTagKeys?: string[];
        sourceIdentity?: string;
        /** The ARN of the provider whose token began the session. */
        federatedProvider?: string;
        /** What of the provider's claims stays true of the session's requests, by condition key in lower case (`saml:sub`). */
        claims?: Readonly<Record<string, readonly string[]>>;
        /** Set for credentials that the metadata service gave out: where they were issued (aws:Ec2InstanceSourceVpc …). */
        instance?: { instanceId: string; vpcId: string; privateIp: string; delivery: '1.0' | '2.0' };
      }
    | {
        kind: 'federated-user';
        name: string;
        sessionPolicies: string[];
        parent: string;
        tags?: Record<string, string>;
      }
    | { kind: 'session-token'; of: 'root' | { userName: string } }
    /** A member account's root for one task (sts:AssumeRoot). */
    | { kind: 'root-session'; taskPolicyArn: string; sourceIdentity?: string };
  /** When a code of an MFA device was given for it, ISO; GetSessionToken's keys only. */
  mfaDate?: string;
  /** Temporary keys only. */
  sessionToken?: string;
  /** ISO time; temporary keys only. */
  expiration?: string;
  lastUsed?: { date: string; region: string; service: string };
}

/** When somebody last asked a service; `id` is `UNIQUE-ID/NAMESPACE`. */
export interface ServiceAccessRow extends Row {
  /** The user's or role's unique id. */
  entityId: string;
  namespace: string;
  date: string;
  lastRegion: string;
  /** The tracked actions that were asked for, by name. */
  actions?: Readonly<Record<string, { readonly date: string; readonly region: string }>>;
}

/** A report of who used which service; `id` is the job's. */
export interface AccessReportRow extends Row {
  entityArn: string;
  createdAt: string;
  services: {
    namespace: string;
    /** The latest first. */
    entities: { arn: string; date: string; region: string }[];
    /** Everybody whose access the report is about. */
    total: number;
    /** Those that the policies allow, in a report of actions. */
    actions?: { name: string; last?: { arn: string; date: string; region: string } }[];
  }[];
  granularity?: 'ACTION_LEVEL';
}

export interface IamRows {
  account: AccountRow;
  user: UserRow;
  group: GroupRow;
  role: RoleRow;
  'instance-profile': InstanceProfileRow;
  'managed-policy': ManagedPolicyRow;
  'access-key': AccessKeyRow;
  'session-key': SessionKeyRow;
  'login-profile': LoginProfileRow;
  'mfa-device': MfaDeviceRow;
  'ssh-public-key': SshPublicKeyRow;
  'signing-certificate': SigningCertificateRow;
  'service-credential': ServiceCredentialRow;
  'server-certificate': ServerCertificateRow;
  'role-deletion': RoleDeletionRow;
  'oidc-provider': OidcProviderRow;
  'saml-provider': SamlProviderRow;
  'service-access': ServiceAccessRow;
  'access-report': AccessReportRow;
}
