// Which policies speak about a caller? From the rows of IAM to the layers that `evaluate` asks.
// Documents are parsed once per text; a stored text that is no policy is a bug of the service that kept it, and is thrown as one.

import { type PolicyKind, parsePolicy } from '@postern/policy/document.ts';
import type { PolicyDocument, PolicySet, PolicySource, Principal } from '@postern/policy/types.ts';
import { nameKey } from '../identities.ts';
import type { AccessKeyRow, InlinePolicies } from '../store/rows/iam.ts';
import type { Transaction } from '../store/store.ts';

/** The document of a policy that AWS ships (`arn:aws:iam::aws:policy/…`), or undefined when there is no such one. */
export type ManagedPolicyDocument = (arn: string) => string | undefined;

const maxCachedDocuments = 2048;
/** By kind, then by text: a row's own string keeps its hash, a joined key would be hashed anew each time. */
const cache = new Map<PolicyKind, Map<string, PolicyDocument>>();

/** @throws Error when the text is not a policy of that kind */
export function documentOf(kind: PolicyKind, text: string): PolicyDocument {
  let documents = cache.get(kind);
  if (!documents) {
    documents = new Map();
    cache.set(kind, documents);
  }
  const known = documents.get(text);
  if (known) return known;
  const parsed = parsePolicy(text, { kind, maxSize: Number.POSITIVE_INFINITY, stored: true });
  if (!parsed.ok) throw new Error(`a stored ${kind} policy cannot be read: ${parsed.message}`);
  if (documents.size >= maxCachedDocuments) {
    // The oldest goes first: a Map keeps the order of insertion.
    const oldest = documents.keys().next();
    if (!oldest.done) documents.delete(oldest.value);
  }
  documents.set(text, parsed.document);
  return parsed.document;
}

const NOTHING: PolicyDocument = { version: '2012-10-17', statements: [] };
export const EVERYTHING: PolicyDocument = {
  version: '2012-10-17',
  statements: [{ index: 0, effect: 'Allow', actions: ['*'], resources: ['*'], conditions: [] }],
};

/**
 * The caller's own side: identity policies, boundary, session policies.
 * @param accessKey the key that signed; without one there are no session policies
 */
export function callerPolicies(
  tx: Transaction,
  principal: Principal,
  accessKey: AccessKeyRow | undefined,
  managed: ManagedPolicyDocument,
): Pick<PolicySet, 'identity' | 'boundary' | 'session'> {
  const read = (arn: string) => managedSource(tx, arn, managed);
  switch (principal.type) {
    case 'root': {
      if (accessKey?.owner.kind !== 'root-session') return { identity: [] };
      // A task's policy only denies: everything but the task, of what root may do anyway.
      const task = read(accessKey.owner.taskPolicyArn)[0] ?? nothing(accessKey.owner.taskPolicyArn);
      return { identity: [], session: [task, { id: 'root', document: EVERYTHING }] };
    }
    case 'service':
    case 'anonymous':
      return { identity: [] };
    case 'user':
      return userPolicies(tx, principal.accountId, principal.userName ?? '', read);
    case 'role-session': {
      if (accessKey?.owner.kind !== 'role-session') return { identity: [] };
      const { owner } = accessKey;
      const role = tx.get('role', nameKey(principal.accountId, owner.roleName));
      // A role that was deleted and made again is another role; the old sessions have nothing.
      const own = role?.roleId === owner.roleId ? role : undefined;
      const boundary =
        own?.permissionsBoundaryArn === undefined ? undefined : boundarySource(own.permissionsBoundaryArn, read);
      const session = [
        ...owner.sessionPolicies.map((text, place) => ({
          id: `session-policy:${place}`,
          document: documentOf('session', text),
        })),
        ...owner.sessionPolicyArns.flatMap(read),
      ];
      const limited = owner.sessionPolicies.length + owner.sessionPolicyArns.length > 0;
      return {
        identity: own ? [...inlineSources(own.inlinePolicies), ...own.attachedPolicyArns.flatMap(read)] : [],
        ...(boundary && { boundary }),
        ...(limited && { session: session.length > 0 ? session : [nothing('session-policy')] }),
      };
    }
    case 'federated-user': {
      if (accessKey?.owner.kind !== 'federated-user') return { identity: [] };
      const { owner } = accessKey;
      const session = owner.sessionPolicies.map((text, place) => ({
        id: `session-policy:${place}`,
        document: documentOf('session', text),
      }));
      return {
        ...parentPolicies(tx, principal.accountId, owner.parent, read),
        // Without a session policy a federated user has no permissions but those that a resource's policy gives it.
        session: session.length > 0 ? session : [nothing('session-policy')],
      };
    }
  }
}

function nothing(id: string): PolicySource {
  return { id, document: NOTHING };
}

/** A boundary whose policy is gone still limits: to nothing. */
function boundarySource(arn: string, read: (arn: string) => PolicySource[]): PolicySource {
  return read(arn)[0] ?? nothing(arn);
}

/** @param parent the ARN of who asked for the federation token; root lends everything that the session policy leaves */
function parentPolicies(
  tx: Transaction,
  accountId: string,
  parent: string,
  read: (arn: string) => PolicySource[],
): Pick<PolicySet, 'identity' | 'boundary'> {
  if (parent.endsWith(':root')) return { identity: [{ id: parent, document: EVERYTHING }] };
  return userPolicies(tx, accountId, parent.slice(parent.lastIndexOf('/') + 1), read);
}

function userPolicies(
  tx: Transaction,
  accountId: string,
  userName: string,
  read: (arn: string) => PolicySource[],
): Pick<PolicySet, 'identity' | 'boundary'> {
  const user = tx.get('user', nameKey(accountId, userName));
  if (!user) return { identity: [] };
  const identity = [...inlineSources(user.inlinePolicies), ...user.attachedPolicyArns.flatMap(read)];
  for (const group of tx.list('group', { accountId, region: 'global' })) {
    if (!group.userNames.includes(userName)) continue;
    identity.push(...inlineSources(group.inlinePolicies), ...group.attachedPolicyArns.flatMap(read));
  }
  if (user.permissionsBoundaryArn === undefined) return { identity };
  return { identity, boundary: boundarySource(user.permissionsBoundaryArn, read) };
}

function inlineSources(policies: InlinePolicies): PolicySource[] {
  return Object.entries(policies).map(([name, text]) => ({
    id: `inline:${name}`,
    document: documentOf('identity', text),
  }));
}

function managedSource(tx: Transaction, arn: string, managed: ManagedPolicyDocument): PolicySource[] {
  const row = tx.get('managed-policy', arn);
  const text = row
    ? row.versions.find((version) => version.versionId === row.defaultVersionId)?.document
    : managed(arn);
  return text === undefined ? [] : [{ id: arn, document: documentOf('identity', text) }];
}
