// What an account of Postern never has: sign-in profiles, a password policy, MFA devices, certificates, SSH keys, service credentials, identity
// providers. Making one is answered as not implemented; to read that there is none is the truth, and tools ask before they delete a user
// (Terraform's force_destroy) or plan an account. https://docs.aws.amazon.com/IAM/latest/APIReference/ (read 2026-11-21)

import type { GetLoginProfileRequest, ListMFADevicesRequest } from '@aws-sdk/client-iam';
import { type Call, operation } from '../../service.ts';
import { findUser } from './entities.ts';
import { noSuchMember } from './errors.ts';
import { onEverything, onUserOrSelf, subjectUserName } from './permissions.ts';

/** An empty list about a user, who must be there; without a name it is about the caller. */
const noneOfUser = <M extends string>(member: M) =>
  operation<ListMFADevicesRequest, Record<M, never[]> & { IsTruncated: false }>({
    authorize: onUserOrSelf,
    readOnly: true,
    run: (call, input) => {
      const name = subjectUserName(call, input.UserName);
      if (name !== undefined) findUser(call, name);
      return { [member]: [], IsTruncated: false } as Record<M, never[]> & { IsTruncated: false };
    },
  });

/** An empty list of the account. */
const noneOfAccount = <M extends string>(member: M) =>
  operation<object, Record<M, never[]>>({
    authorize: onEverything,
    readOnly: true,
    run: () => ({ [member]: [] }) as unknown as Record<M, never[]>,
  });

function noLoginProfile(call: Call, input: GetLoginProfileRequest): never {
  const name = subjectUserName(call, input.UserName) ?? call.accountId;
  if (name !== call.accountId) findUser(call, name);
  throw noSuchMember(`Login Profile for User ${name} cannot be found.`);
}

function noPasswordPolicy(call: Call): never {
  throw noSuchMember(`The Password Policy with domain name ${call.accountId} cannot be found.`);
}

export const absent = {
  ListMFADevices: noneOfUser('MFADevices'),
  ListSSHPublicKeys: noneOfUser('SSHPublicKeys'),
  ListSigningCertificates: noneOfUser('Certificates'),
  ListServiceSpecificCredentials: noneOfUser('ServiceSpecificCredentials'),
  ListVirtualMFADevices: noneOfAccount('VirtualMFADevices'),
  ListServerCertificates: noneOfAccount('ServerCertificateMetadataList'),
  ListSAMLProviders: noneOfAccount('SAMLProviderList'),
  ListOpenIDConnectProviders: noneOfAccount('OpenIDConnectProviderList'),
  GetLoginProfile: operation<GetLoginProfileRequest, never>({
    authorize: onUserOrSelf,
    run: noLoginProfile,
    readOnly: true,
  }),
  DeleteLoginProfile: operation<GetLoginProfileRequest, never>({ authorize: onUserOrSelf, run: noLoginProfile }),
  GetAccountPasswordPolicy: operation<object, never>({
    authorize: onEverything,
    run: noPasswordPolicy,
    readOnly: true,
  }),
};
