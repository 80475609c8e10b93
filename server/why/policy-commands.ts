// A change of a policy as the AWS CLI command that writes it: the whole document as it would be, for AWS has no call that changes a statement.
// Where a policy is kept, its text now and who may write it: a row per layer.

import { type Edit, editedList } from '@postern/policy/remedy/edits.ts';
import { renderStatement } from '@postern/policy/remedy/render.ts';
import type { AuthorizationRequest, PolicySet, PolicySource, Principal } from '@postern/policy/types.ts';
import { asOwner } from '../accounts.ts';
import { nameKey, parseRoleArn } from '../identities.ts';
import type { InlinePolicies } from '../store/rows/iam.ts';
import type { Transaction } from '../store/store.ts';
import { quoted } from './network-commands.ts';

/** AWS keeps five versions of a managed policy; the sixth needs a place. */
const mostVersions = 5;

export interface PolicyWriting {
  readonly tx: Transaction;
  readonly request: AuthorizationRequest;
  readonly policies: PolicySet;
}

/** Where a policy is written: its text now, and the commands that put another one there. */
interface Desk {
  readonly text: string | undefined;
  readonly accountId: string;
  readonly write: (document: string) => readonly string[];
  /** Where nothing is left of it. */
  readonly remove?: readonly string[];
}

/** @param edits all of one policy   @returns undefined where nobody can write it by a command */
export function policyCommands(writing: PolicyWriting, edits: readonly Edit[]): readonly string[] | undefined {
  const [first] = edits;
  const desk = first && desks[first.layer](writing, first);
  if (desk === undefined) return undefined;
  const text = editedText(desk.text, edits);
  const commands = text === undefined ? desk.remove : desk.write(quoted(text));
  return commands?.map((command) => asOwner(command, desk.accountId));
}

/** @returns undefined when no statement is left: AWS takes no such policy */
function editedText(text: string | undefined, edits: readonly Edit[]): string | undefined {
  const document = (text === undefined ? { Version: '2012-10-17' } : JSON.parse(text)) as Record<string, unknown>;
  const { Statement: given, ...head } = document;
  const statements = given === undefined ? [] : [given].flat();
  const edited = editedList<unknown>(statements, edits, renderStatement);
  return edited.length === 0 ? undefined : JSON.stringify({ ...head, Statement: edited });
}

const inRegion = (name: string) => (name === '' || name === 'us-east-1' ? '' : ` --region ${name}`);

type DeskOf = (writing: PolicyWriting, edit: Edit) => Desk | undefined;

const desks: Readonly<Record<Edit['layer'], DeskOf>> = {
  identity: (writing, { policyId }) =>
    policyId === undefined
      ? newInlinePolicy(writing)
      : policyId.startsWith('inline:')
        ? inlinePolicy(writing, policyId.slice('inline:'.length))
        : managedPolicy(writing, policyId),
  boundary: (writing, { policyId }) => (policyId === undefined ? undefined : managedPolicy(writing, policyId)),
  session: () => undefined,
  resource: resourcePolicy,
  trust: ({ tx, request }) => {
    const key = tx.get('kms-key', request.resource);
    if (key !== undefined)
      return {
        text: key.policy,
        accountId: key.accountId,
        write: (document) => [
          `aws kms put-key-policy${inRegion(key.region)} --key-id ${key.keyId} --policy-name default --policy ${document}`,
        ],
      };
    const named = parseRoleArn(request.resource);
    const role = named && tx.get('role', nameKey(named.accountId, named.roleName));
    return (
      role && {
        text: role.assumeRolePolicyDocument,
        accountId: role.accountId,
        write: (document) => [
          `aws iam update-assume-role-policy --role-name ${role.roleName} --policy-document ${document}`,
        ],
      }
    );
  },
  endpoint: ({ tx }, { policyId = '' }) => {
    const row = tx.get('vpc-endpoint', policyId as `vpce-${string}`);
    const region = inRegion(row?.region ?? '');
    return (
      row && {
        text: row.policyDocument,
        accountId: row.accountId,
        write: (document) => [
          `aws ec2 modify-vpc-endpoint${region} --vpc-endpoint-id ${row.id} --policy-document ${document}`,
        ],
      }
    );
  },
  scp: controlPolicy,
  rcp: controlPolicy,
};

function controlPolicy({ tx }: PolicyWriting, { policyId = '' }: Edit): Desk | undefined {
  const row = tx.get('organization-policy', policyId);
  return (
    row && {
      text: row.content,
      accountId: row.accountId,
      write: (document) => [`aws organizations update-policy --policy-id ${row.id} --content ${document}`],
    }
  );
}

/** The user or role whose inline policies are the caller's own. */
function ownerOf(
  tx: Transaction,
  { type, accountId, userName, roleArn, parentArn }: Principal,
): { readonly kind: 'user' | 'role'; readonly name: string; readonly policies: InlinePolicies } | undefined {
  const role = roleArn === undefined ? undefined : parseRoleArn(roleArn);
  const name = type === 'federated-user' ? parentArn?.split('/').at(-1) : userName;
  const row = role
    ? tx.get('role', nameKey(accountId, role.roleName))
    : name === undefined
      ? undefined
      : tx.get('user', nameKey(accountId, name));
  if (row === undefined) return undefined;
  return 'roleName' in row
    ? { kind: 'role', name: row.roleName, policies: row.inlinePolicies }
    : { kind: 'user', name: row.userName, policies: row.inlinePolicies };
}

function newInlinePolicy({ tx, request }: PolicyWriting): Desk | undefined {
  const owner = ownerOf(tx, request.principal);
  if (owner === undefined) return undefined;
  const wanted = `allow-${request.action.replace(/[^\w]/g, '-')}`;
  const names = [wanted, ...Array.from({ length: 100 }, (_, index) => `${wanted}-${index + 2}`)];
  const name = names.find((one) => owner.policies[one] === undefined) ?? wanted;
  return inlineDesk(owner.kind, owner.name, name, undefined, request.principal.accountId);
}

/** Of the caller, or of one of the groups that the caller is in. */
function inlinePolicy({ tx, request }: PolicyWriting, policyName: string): Desk | undefined {
  const { principal } = request;
  const owner = ownerOf(tx, principal);
  const own = owner?.policies[policyName];
  if (owner !== undefined && own !== undefined)
    return inlineDesk(owner.kind, owner.name, policyName, own, principal.accountId);
  const group = tx
    .list('group', { accountId: principal.accountId, region: 'global' })
    .find((one) => one.userNames.includes(owner?.name ?? '') && one.inlinePolicies[policyName] !== undefined);
  return (
    group && inlineDesk('group', group.groupName, policyName, group.inlinePolicies[policyName], principal.accountId)
  );
}

function inlineDesk(
  kind: 'user' | 'role' | 'group',
  name: string,
  policyName: string,
  text: string | undefined,
  accountId: string,
): Desk {
  return {
    text,
    accountId,
    write: (document) => [
      `aws iam put-${kind}-policy --${kind}-name ${quoted(name)} --policy-name ${quoted(policyName)} --policy-document ${document}`,
    ],
    remove: [`aws iam delete-${kind}-policy --${kind}-name ${quoted(name)} --policy-name ${quoted(policyName)}`],
  };
}

function managedPolicy({ tx }: PolicyWriting, arn: string): Desk | undefined {
  const row = tx.get('managed-policy', arn);
  if (row === undefined) return undefined;
  const oldest = row.versions.find(({ versionId }) => versionId !== row.defaultVersionId);
  const isFull = row.versions.length >= mostVersions;
  return {
    text: row.versions.find(({ versionId }) => versionId === row.defaultVersionId)?.document,
    accountId: row.accountId,
    write: (document) => [
      ...(isFull && oldest
        ? [`aws iam delete-policy-version --policy-arn ${arn} --version-id ${oldest.versionId}`]
        : []),
      `aws iam create-policy-version --policy-arn ${arn} --set-as-default --policy-document ${document}`,
    ],
  };
}

/** Services whose resources have policies. */
function resourcePolicy({ tx, request, policies }: PolicyWriting): Desk | undefined {
  const { resource } = request;
  const [, , service = '', region = ''] = resource.split(':');
  if (service === 's3') {
    const bucket = tx.get('bucket', resource.split(':').slice(5).join(':').split('/')[0] ?? '');
    return (
      bucket && {
        // Without what its access control lists add to it for the engine.
        text: bucket.policy,
        accountId: bucket.accountId,
        write: (document) => [
          `aws s3api put-bucket-policy${inRegion(bucket.region)} --bucket ${bucket.id} --policy ${document}`,
        ],
      }
    );
  }
  if (service !== 'dynamodb') return undefined;
  const own = resource.split('/').slice(0, 2).join('/');
  return {
    // Tables keep their policies in a process of their own: what is known is what the engine was asked with.
    text: policies.resource && rendered(policies.resource),
    accountId: resource.split(':')[4] ?? '',
    write: (document) => [
      `aws dynamodb put-resource-policy${inRegion(region)} --resource-arn ${own} --policy ${document}`,
    ],
  };
}

function rendered({ document: { version, id, statements } }: PolicySource): string {
  return JSON.stringify({
    Version: version,
    ...(id !== undefined && { Id: id }),
    Statement: statements.map(renderStatement),
  });
}

/** Whether a resource can have a policy where it has none. */
export function takesPolicy(tx: Transaction, resource: string): boolean {
  const [, , service = ''] = resource.split(':');
  if (service === 'dynamodb') return /:table\/[^*]/.test(resource);
  return service === 's3' && tx.get('bucket', resource.split(':').slice(5).join(':').split('/')[0] ?? '') !== undefined;
}
