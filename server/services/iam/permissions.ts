// Which permission does an IAM operation need? The action is the operation's name; the resource is the entity that the input names, with its path, and the
// keys are those of https://docs.aws.amazon.com/service-authorization/latest/reference/list_identityandaccessmanagementiam.html (read 2026-11-20).
// What the model itself forbids (a missing name) is refused before anybody asks for permission, as AWS does.

import { nameKey, policyArn, rootArn } from '../../identities.ts';
import type { Authorization, Call, Permission } from '../../service.ts';
import { requestTagKeys } from '../../tag-keys.ts';
import { checkedPolicyArn, required } from './checks.ts';
import { rowNamed } from './entities.ts';
import { validationError } from './errors.ts';

/** The members of any input that say something about the entity or to the policy. */
interface AnyInput {
  readonly UserName?: string | undefined;
  readonly GroupName?: string | undefined;
  readonly RoleName?: string | undefined;
  readonly InstanceProfileName?: string | undefined;
  readonly PolicyArn?: string | undefined;
  readonly PolicyName?: string | undefined;
  readonly ServerCertificateName?: string | undefined;
  readonly SerialNumber?: string | undefined;
  readonly OpenIDConnectProviderArn?: string | undefined;
  readonly SAMLProviderArn?: string | undefined;
  readonly Url?: string | undefined;
  readonly Name?: string | undefined;
  readonly VirtualMFADeviceName?: string | undefined;
  readonly Path?: string | undefined;
  readonly PathPrefix?: string | undefined;
  readonly PermissionsBoundary?: string | undefined;
  readonly Tags?: readonly { Key?: string | undefined; Value?: string | undefined }[] | undefined;
  readonly TagKeys?: readonly string[] | undefined;
}

interface Existing {
  readonly path?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly permissionsBoundaryArn?: string;
}

function contextOf(input: AnyInput, existing: Existing | undefined): Record<string, readonly string[]> {
  const context: Record<string, readonly string[]> = {};
  const boundary = input.PermissionsBoundary ?? existing?.permissionsBoundaryArn;
  if (boundary !== undefined) context['iam:PermissionsBoundary'] = [boundary];
  if (input.PolicyArn !== undefined) context['iam:PolicyARN'] = [input.PolicyArn];
  for (const [key, value] of Object.entries(existing?.tags ?? {})) {
    context[`aws:ResourceTag/${key}`] = [value];
    context[`iam:ResourceTag/${key}`] = [value];
  }
  return Object.assign(context, requestTagKeys(input.Tags, input.TagKeys));
}

function permission(
  call: Call,
  input: AnyInput,
  type: 'user' | 'group' | 'role' | 'instance-profile' | 'server-certificate' | 'mfa',
  name: string,
  existing: Existing | undefined,
): Permission[] {
  const path = existing?.path ?? input.Path ?? '/';
  return [
    {
      action: `iam:${call.operation}`,
      resource: `arn:${call.partition}:iam::${call.accountId}:${type}${path}${name}`,
      context: contextOf(input, existing),
    },
  ];
}

/**
 * The user that an operation is about: the one named, else the caller itself.
 * @returns undefined for the account's root
 * @throws AwsError for a caller that is no user: a role session must name one
 */
export function subjectUserName(call: Call, userName: string | undefined): string | undefined {
  if (userName !== undefined) return userName;
  if (call.principal.type === 'root') return undefined;
  if (call.principal.userName === undefined) {
    throw validationError('Must specify userName when calling with non-User credentials');
  }
  return call.principal.userName;
}

/** On the user that is named. */
export const onUser: Authorization<AnyInput> = (call, input) => {
  const name = required('userName', input.UserName);
  const row = rowNamed(call.tx, 'user', call.accountId, name);
  return permission(call, input, 'user', row?.userName ?? name, row);
};

/** On the user that is named, or the caller; root may, unless its organization or the task of its session says no. */
export const onUserOrSelf = ((call: Call, input: AnyInput): readonly Permission[] => {
  const name = subjectUserName(call, input.UserName);
  if (name !== undefined) return onUserOf(call, { ...input, UserName: name });
  return [{ action: `iam:${call.operation}`, resource: rootArn(call.partition, call.accountId) }];
}) satisfies Authorization<AnyInput>;

function onUserOf(call: Call, input: AnyInput): readonly Permission[] {
  const name = input.UserName ?? '';
  const row = rowNamed(call.tx, 'user', call.accountId, name);
  return permission(call, input, 'user', row?.userName ?? name, row);
}

export const onGroup: Authorization<AnyInput> = (call, input) => {
  const name = required('groupName', input.GroupName);
  const row = rowNamed(call.tx, 'group', call.accountId, name);
  return permission(call, input, 'group', row?.groupName ?? name, row);
};

export const onRole: Authorization<AnyInput> = (call, input) => {
  const name = required('roleName', input.RoleName);
  const row = rowNamed(call.tx, 'role', call.accountId, name);
  return permission(call, input, 'role', row?.roleName ?? name, row);
};

export const onInstanceProfile: Authorization<AnyInput> = (call, input) => {
  const name = required('instanceProfileName', input.InstanceProfileName);
  const row = rowNamed(call.tx, 'instance-profile', call.accountId, name);
  return permission(call, input, 'instance-profile', row?.instanceProfileName ?? name, row);
};

export const onServerCertificate: Authorization<AnyInput> = (call, input) => {
  const name = required('serverCertificateName', input.ServerCertificateName);
  const row = call.tx.get('server-certificate', nameKey(call.accountId, name));
  return permission(call, input, 'server-certificate', name, row);
};

/** On the MFA device that is to be made. */
export const onNewMfaDevice: Authorization<AnyInput> = (call, input) =>
  permission(call, input, 'mfa', required('virtualMFADeviceName', input.VirtualMFADeviceName), undefined);

/** On an MFA device that exists already: its serial number is its ARN. */
export const onMfaDevice: Authorization<AnyInput> = (call, input) => {
  const serial = required('serialNumber', input.SerialNumber);
  const context = contextOf(input, call.tx.get('mfa-device', serial));
  return [{ action: `iam:${call.operation}`, resource: serial, context }];
};

const onNewProvider = (call: Call, input: AnyInput, resource: string): Permission[] => [
  {
    action: `iam:${call.operation}`,
    resource: `arn:${call.partition}:iam::${call.accountId}:${resource}`,
    context: contextOf(input, undefined),
  },
];

export const onNewOidcProvider: Authorization<AnyInput> = (call, input) =>
  onNewProvider(call, input, `oidc-provider/${required('url', input.Url).replace(/^https:\/\/|\/$/g, '')}`);

export const onNewSamlProvider: Authorization<AnyInput> = (call, input) =>
  onNewProvider(call, input, `saml-provider/${required('name', input.Name)}`);

export const onOidcProvider: Authorization<AnyInput> = (call, input) => {
  const arn = required('openIDConnectProviderArn', input.OpenIDConnectProviderArn);
  const context = contextOf(input, call.tx.get('oidc-provider', arn));
  return [{ action: `iam:${call.operation}`, resource: arn, context }];
};

export const onSamlProvider: Authorization<AnyInput> = (call, input) => {
  const arn = required('samlProviderArn', input.SAMLProviderArn);
  const context = contextOf(input, call.tx.get('saml-provider', arn));
  return [{ action: `iam:${call.operation}`, resource: arn, context }];
};

/** On a managed policy that exists already. */
export const onPolicy: Authorization<AnyInput> = (call, input) => {
  const arn = checkedPolicyArn(input.PolicyArn);
  const row = call.tx.get('managed-policy', arn);
  return [
    { action: `iam:${call.operation}`, resource: arn, context: contextOf({ ...input, PolicyArn: undefined }, row) },
  ];
};

/** On the managed policy that is to be made. */
export const onNewPolicy: Authorization<AnyInput> = (call, input) => {
  const policyName = required('policyName', input.PolicyName);
  const resource = policyArn(call.partition, { accountId: call.accountId, path: input.Path ?? '/', policyName });
  return [{ action: `iam:${call.operation}`, resource, context: contextOf(input, undefined) }];
};

/** Lists are asked for by the path that they list: `arn:aws:iam::…:user/`. */
export function onList(
  type: 'user' | 'group' | 'role' | 'instance-profile' | 'policy' | 'server-certificate' | 'mfa',
): (call: Call, input: AnyInput) => readonly Permission[] {
  return (call, input) => [
    {
      action: `iam:${call.operation}`,
      resource: `arn:${call.partition}:iam::${call.accountId}:${type}${input.PathPrefix ?? '/'}`,
    },
  ];
}

export const onEverything: Authorization<unknown> = (call) => [{ action: `iam:${call.operation}`, resource: '*' }];
