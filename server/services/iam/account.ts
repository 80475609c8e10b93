// The account as a whole: its alias, how much of everything there is, and one answer with all of it.

import type {
  CreateAccountAliasRequest,
  DeleteAccountAliasRequest,
  EntityType,
  GetAccountAuthorizationDetailsRequest,
  GetAccountAuthorizationDetailsResponse,
  GetAccountSummaryResponse,
  ListAccountAliasesRequest,
  ListAccountAliasesResponse,
  SetSecurityTokenServicePreferencesRequest,
} from '@aws-sdk/client-iam';
import { awsManagedPolicy } from '../../managed-policies.ts';
import { type Call, operation } from '../../service.ts';
import type { InlinePolicies } from '../../store/rows/iam.ts';
import { accountOf } from './account-row.ts';
import { describeAttached } from './attachments.ts';
import { constraints, keyOfMarker, page, required } from './checks.ts';
import { encodeDocument } from './documents.ts';
import {
  boundary,
  describeGroup,
  describeInstanceProfile,
  describeRole,
  describeUser,
  groupsOf,
  tags,
} from './entities.ts';
import { entityAlreadyExists, noSuchMember, validationError } from './errors.ts';
import { allHolders, type Holder, holderName } from './holders.ts';
import { onEverything } from './permissions.ts';
import { describeVersion, type FoundPolicy, lookUpPolicy } from './policies.ts';

/** Sessions here are good in every region anyway, so the version is kept and shown. */
function setTokenPreferences(call: Call, input: SetSecurityTokenServicePreferencesRequest): void {
  const version = required('globalEndpointTokenVersion', input.GlobalEndpointTokenVersion);
  constraints().oneOf('globalEndpointTokenVersion', version, ['v1Token', 'v2Token']).done();
  call.tx.put('account', { ...accountOf(call), globalTokenVersion: version });
}

function createAccountAlias(call: Call, input: CreateAccountAliasRequest): void {
  const alias = required('accountAlias', input.AccountAlias);
  constraints().length('accountAlias', alias, 3, 63).done();
  if (!/^[a-z0-9]([a-z0-9]|-(?!-))*[a-z0-9]$/.test(alias)) {
    throw validationError(
      "1 validation error detected: Value at 'accountAlias' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$",
    );
  }
  const taken = call.tx.list('account').some((account) => account.alias === alias && account.id !== call.accountId);
  if (taken) throw entityAlreadyExists('alias', alias);
  call.tx.put('account', { ...accountOf(call), alias });
}

function deleteAccountAlias(call: Call, input: DeleteAccountAliasRequest): void {
  const alias = required('accountAlias', input.AccountAlias);
  const { alias: current, ...rest } = accountOf(call);
  if (current !== alias) throw noSuchMember(`The account alias ${alias} does not exist.`);
  call.tx.put('account', rest);
}

function listAccountAliases(call: Call, input: ListAccountAliasesRequest): ListAccountAliasesResponse {
  const { alias } = accountOf(call);
  const { items, end } = page(alias === undefined ? [] : [alias], input, (one) => one);
  return { AccountAliases: [...items], ...end };
}

/** AWS's default quotas; the counts are the account's. */
function getAccountSummary(call: Call): GetAccountSummaryResponse {
  const scope = { accountId: call.accountId };
  const policies = call.tx.list('managed-policy', scope);
  const keys = call.tx.list('access-key', scope);
  const devices = call.tx.list('mfa-device', scope);
  const rootKeys = keys.filter((key) => key.owner.kind === 'root').length;
  const counts = {
    AccessKeysPerUserQuota: 2,
    AccountAccessKeysPresent: rootKeys > 0 ? 1 : 0,
    AccountMFAEnabled: 0,
    AccountPasswordPresent: 0,
    AccountSigningCertificatesPresent: 0,
    AssumeRolePolicySizeQuota: 2048,
    AttachedPoliciesPerGroupQuota: 10,
    AttachedPoliciesPerRoleQuota: 10,
    AttachedPoliciesPerUserQuota: 10,
    GlobalEndpointTokenVersion: call.tx.get('account', call.accountId)?.globalTokenVersion === 'v2Token' ? 2 : 1,
    GroupPolicySizeQuota: 5120,
    Groups: call.tx.list('group', scope).length,
    GroupsPerUserQuota: 10,
    GroupsQuota: 300,
    InstanceProfiles: call.tx.list('instance-profile', scope).length,
    InstanceProfilesQuota: 1000,
    MFADevices: devices.length,
    MFADevicesInUse: devices.filter((device) => device.assigned).length,
    Policies: policies.length,
    PoliciesQuota: 1500,
    PolicySizeQuota: 6144,
    PolicyVersionsInUse: policies.reduce((sum, policy) => sum + policy.versions.length, 0),
    PolicyVersionsInUseQuota: 10000,
    Providers: call.tx.list('oidc-provider', scope).length + call.tx.list('saml-provider', scope).length,
    RolePolicySizeQuota: 10240,
    Roles: call.tx.list('role', scope).length,
    RolesQuota: 1000,
    ServerCertificates: call.tx.list('server-certificate', scope).length,
    ServerCertificatesQuota: 20,
    SigningCertificatesPerUserQuota: 2,
    UserPolicySizeQuota: 2048,
    Users: call.tx.list('user', scope).length,
    UsersQuota: 5000,
    VersionsPerPolicyQuota: 5,
  };
  return { SummaryMap: counts };
}

type Entry =
  | { readonly type: EntityType; readonly key: string; readonly holder: Holder }
  | { readonly type: EntityType; readonly key: string; readonly policy: FoundPolicy };

/** Everything that the answer may hold: users, groups, roles, own policies, and AWS-managed ones that somebody uses. */
function entries(call: Call): Entry[] {
  const holders = allHolders(call);
  const typeOf = { user: 'User', group: 'Group', role: 'Role' } as const;
  const used = new Set(holders.flatMap(({ row }) => row.attachedPolicyArns));
  const own = call.tx.list('managed-policy', { accountId: call.accountId }).map((row) => row.id);
  const arns = [...own, ...[...used].filter((arn) => awsManagedPolicy(arn) !== undefined)];
  return [
    ...holders.map((holder) => ({
      type: typeOf[holder.kind],
      key: `${holder.kind} ${holderName(holder)}`,
      holder,
    })),
    ...arns.flatMap((arn): Entry[] => {
      const policy = lookUpPolicy(call, arn);
      const type = policy?.managedBy === 'aws' ? 'AWSManagedPolicy' : 'LocalManagedPolicy';
      return policy ? [{ type, key: `z ${arn}`, policy }] : [];
    }),
  ];
}

function inlineList(policies: InlinePolicies): { PolicyName: string; PolicyDocument: string }[] {
  return Object.entries(policies).map(([PolicyName, text]) => ({ PolicyName, PolicyDocument: encodeDocument(text) }));
}

type Details = Required<
  Pick<GetAccountAuthorizationDetailsResponse, 'UserDetailList' | 'GroupDetailList' | 'RoleDetailList' | 'Policies'>
>;

function addHolder(call: Call, details: Details, holder: Holder): void {
  const { row } = holder;
  const AttachedManagedPolicies = row.attachedPolicyArns.map(describeAttached);
  switch (holder.kind) {
    case 'user':
      details.UserDetailList?.push({
        ...describeUser(call, holder.row, 'listed'),
        GroupList: groupsOf(call, holder.row).map((group) => group.groupName),
        // Recorded: a user without any has no list, a group and a role have an empty one.
        ...(Object.keys(row.inlinePolicies).length > 0 && { UserPolicyList: inlineList(row.inlinePolicies) }),
        AttachedManagedPolicies,
        ...boundary(holder.row.permissionsBoundaryArn),
        ...tags(holder.row.tags),
      });
      return;
    case 'group':
      details.GroupDetailList?.push({
        ...describeGroup(call, holder.row),
        GroupPolicyList: inlineList(row.inlinePolicies),
        AttachedManagedPolicies,
      });
      return;
    case 'role': {
      const { Description: _none, MaxSessionDuration: _nor, ...shown } = describeRole(call, holder.row);
      const profiles = call.tx.list('instance-profile', { accountId: call.accountId });
      details.RoleDetailList?.push({
        ...shown,
        InstanceProfileList: profiles
          .filter((profile) => profile.roleNames.includes(holder.row.roleName))
          .map((profile) => describeInstanceProfile(call, profile, 'listed')),
        RolePolicyList: inlineList(row.inlinePolicies),
        AttachedManagedPolicies,
      });
    }
  }
}

const entityTypes: readonly EntityType[] = ['LocalManagedPolicy', 'User', 'AWSManagedPolicy', 'Role', 'Group'];

function getAccountAuthorizationDetails(
  call: Call,
  input: GetAccountAuthorizationDetailsRequest,
): GetAccountAuthorizationDetailsResponse {
  const wanted = input.Filter ?? [];
  if (wanted.some((type) => !entityTypes.includes(type))) {
    // Recorded.
    throw validationError(
      `1 validation error detected: Value at 'filter' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [${entityTypes.join(', ')}]]`,
    );
  }
  const shown = entityTypes.filter((type) => wanted.length === 0 || wanted.includes(type));
  const prefix = `${shown.join()} `;
  // Recorded: a text that is no marker at all is told in these words too.
  if (input.Marker !== undefined && keyOfMarker(input.Marker)?.startsWith(prefix) !== true)
    throw validationError('Marker and Filter do not match');
  const { items, end } = page(
    entries(call).filter((entry) => shown.includes(entry.type)),
    input,
    (entry) => prefix + entry.key,
  );
  const details: Details = { UserDetailList: [], GroupDetailList: [], RoleDetailList: [], Policies: [] };
  for (const entry of items) {
    if ('holder' in entry) {
      addHolder(call, details, entry.holder);
      continue;
    }
    const { policy } = entry;
    const holders = allHolders(call);
    details.Policies?.push({
      PolicyName: policy.policyName,
      PolicyId: policy.policyId,
      Arn: policy.arn,
      Path: policy.path,
      DefaultVersionId: policy.defaultVersionId,
      AttachmentCount: holders.filter(({ row }) => row.attachedPolicyArns.includes(policy.arn)).length,
      PermissionsBoundaryUsageCount: holders.filter(
        ({ kind, row }) => kind !== 'group' && row.permissionsBoundaryArn === policy.arn,
      ).length,
      IsAttachable: true,
      CreateDate: new Date(policy.createDate),
      UpdateDate: new Date(policy.updateDate),
      PolicyVersionList: policy.versions.map((version) => describeVersion(policy, version)),
    });
  }
  return { ...details, ...end };
}

export const account = {
  SetSecurityTokenServicePreferences: operation<SetSecurityTokenServicePreferencesRequest, void>({
    authorize: onEverything,
    run: setTokenPreferences,
  }),
  CreateAccountAlias: operation<CreateAccountAliasRequest, void>({ authorize: onEverything, run: createAccountAlias }),
  DeleteAccountAlias: operation<DeleteAccountAliasRequest, void>({ authorize: onEverything, run: deleteAccountAlias }),
  ListAccountAliases: operation<ListAccountAliasesRequest, ListAccountAliasesResponse>({
    authorize: onEverything,
    run: listAccountAliases,
    readOnly: true,
  }),
  GetAccountSummary: operation<Record<string, never>, GetAccountSummaryResponse>({
    authorize: onEverything,
    run: getAccountSummary,
    readOnly: true,
  }),
  GetAccountAuthorizationDetails: operation<
    GetAccountAuthorizationDetailsRequest,
    GetAccountAuthorizationDetailsResponse
  >({ authorize: onEverything, run: getAccountAuthorizationDetails, readOnly: true }),
};
