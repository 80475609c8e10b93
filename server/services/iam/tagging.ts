// Tags of everything in IAM that has them: three operations each, and one row here. A row says how the thing is found and what permission is asked.

import type { Tag } from '@aws-sdk/client-iam';
import { type Authorization, type Call, operation, type TransactionOperation } from '../../service.ts';
import type { IamRows } from '../../store/rows/iam.ts';
import type { Rows } from '../../store/store.ts';
import { checkedTagKeys, checkedTags, type KeyCase, mergeTags, page, tagList, withoutTags } from './checks.ts';
import { findInstanceProfile, findRole, findUser } from './entities.ts';
import { invalidInput } from './errors.ts';
import { findOidcProvider, findSamlProvider } from './identity-providers.ts';
import { findMfaDevice } from './mfa-devices.ts';
import {
  onInstanceProfile,
  onMfaDevice,
  onOidcProvider,
  onPolicy,
  onRole,
  onSamlProvider,
  onServerCertificate,
  onUser,
} from './permissions.ts';
import { findOwnPolicy, findPolicy } from './policies.ts';
import { findServerCertificate } from './server-certificates.ts';

/** What names the thing, in any of the inputs. */
interface Named {
  readonly UserName?: string | undefined;
  readonly RoleName?: string | undefined;
  readonly InstanceProfileName?: string | undefined;
  readonly PolicyArn?: string | undefined;
  readonly SerialNumber?: string | undefined;
  readonly ServerCertificateName?: string | undefined;
  readonly OpenIDConnectProviderArn?: string | undefined;
  readonly SAMLProviderArn?: string | undefined;
}

interface TagInput extends Named {
  readonly Tags?: Tag[] | undefined;
}

interface UntagInput extends Named {
  readonly TagKeys?: string[] | undefined;
}

interface ListInput extends Named {
  readonly Marker?: string | undefined;
  readonly MaxItems?: number | undefined;
}

interface Tags {
  readonly tags: Readonly<Record<string, string>>;
}

type TaggedKind = { [K in keyof IamRows]: IamRows[K] extends Tags ? K : never }[keyof IamRows];

interface Row<K extends TaggedKind> {
  readonly kind: K;
  readonly authorize: Authorization<Named>;
  /** The row that the account may change. */
  readonly find: (call: Call, input: Named) => IamRows[K];
  /** What is read, where more can be read than changed. */
  readonly read?: (call: Call, input: Named) => Tags;
  readonly keyCase: KeyCase;
  /** May no key be named for removal? Recorded: of a user, and not of a provider. */
  readonly emptyRemoval?: 'refused';
}

type TagOperations<N extends string> = Record<`Tag${N}`, TransactionOperation<TagInput, void>> &
  Record<`Untag${N}`, TransactionOperation<UntagInput, void>> &
  Record<`List${N}Tags`, TransactionOperation<ListInput, { Tags: Tag[]; IsTruncated: boolean; Marker?: string }>>;

function tagOperations<N extends string, K extends TaggedKind>(name: N, row: Row<K>): TagOperations<N> {
  const { kind, authorize, find, keyCase } = row;
  const keep = (call: Call, found: IamRows[K], tags: Record<string, string>) =>
    call.tx.put(kind, { ...found, tags } as Rows[K]);
  return {
    [`Tag${name}`]: operation<TagInput, void>({
      authorize,
      run: (call, input) => {
        const added = checkedTags(input.Tags, keyCase);
        if (input.Tags?.length === 0) throw emptyList();
        const found = find(call, input);
        keep(call, found, mergeTags((found as Tags).tags, added, keyCase, `TagsPer${name}`));
      },
    }),
    [`Untag${name}`]: operation<UntagInput, void>({
      authorize,
      run: (call, input) => {
        const keys = checkedTagKeys(input.TagKeys);
        if (keys.length === 0 && row.emptyRemoval === 'refused') throw emptyList();
        const found = find(call, input);
        keep(call, found, withoutTags((found as Tags).tags, keys, keyCase));
      },
    }),
    [`List${name}Tags`]: operation<ListInput, { Tags: Tag[]; IsTruncated: boolean; Marker?: string }>({
      authorize,
      readOnly: true,
      run: (call, input) => {
        const { tags } = row.read?.(call, input) ?? (find(call, input) as Tags);
        const { items, end } = page(tagList(tags), input, (tag) => tag.Key);
        return { Tags: [...items], ...end };
      },
    }),
  } as TagOperations<N>;
}

/** The space at the end is AWS's. */
function emptyList() {
  return invalidInput('Error occurred while validating input. ');
}

export const tagging = {
  ...tagOperations('User', {
    kind: 'user',
    authorize: onUser,
    find: (call, input) => findUser(call, input.UserName),
    keyCase: 'ignored',
  }),
  ...tagOperations('Role', {
    kind: 'role',
    authorize: onRole,
    find: (call, input) => findRole(call, input.RoleName),
    keyCase: 'ignored',
  }),
  ...tagOperations('InstanceProfile', {
    kind: 'instance-profile',
    authorize: onInstanceProfile,
    find: (call, input) => findInstanceProfile(call, input.InstanceProfileName),
    keyCase: 'kept',
  }),
  ...tagOperations('Policy', {
    kind: 'managed-policy',
    authorize: onPolicy,
    find: (call, input) => findOwnPolicy(call, input.PolicyArn),
    read: (call, input) => findPolicy(call, input.PolicyArn),
    keyCase: 'kept',
  }),
  ...tagOperations('MFADevice', {
    kind: 'mfa-device',
    authorize: onMfaDevice,
    find: (call, input) => findMfaDevice(call, input.SerialNumber),
    keyCase: 'kept',
  }),
  ...tagOperations('ServerCertificate', {
    kind: 'server-certificate',
    authorize: onServerCertificate,
    find: (call, input) => findServerCertificate(call, input.ServerCertificateName),
    keyCase: 'kept',
  }),
  ...tagOperations('OpenIDConnectProvider', {
    kind: 'oidc-provider',
    authorize: onOidcProvider,
    find: (call, input) => findOidcProvider(call, input.OpenIDConnectProviderArn),
    keyCase: 'kept',
    emptyRemoval: 'refused',
  }),
  ...tagOperations('SAMLProvider', {
    kind: 'saml-provider',
    authorize: onSamlProvider,
    find: (call, input) => findSamlProvider(call, input.SAMLProviderArn),
    keyCase: 'kept',
    emptyRemoval: 'refused',
  }),
};
