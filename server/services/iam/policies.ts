// Managed policies: the account's own, with up to five versions, beside those that AWS manages and nobody may change.
// A policy's ARN is its key; AWS-managed ones have `aws` for an account and are the same in all accounts.

import type {
  CreatePolicyRequest,
  CreatePolicyResponse,
  CreatePolicyVersionRequest,
  CreatePolicyVersionResponse,
  DeletePolicyRequest,
  DeletePolicyVersionRequest,
  GetPolicyRequest,
  GetPolicyResponse,
  GetPolicyVersionRequest,
  GetPolicyVersionResponse,
  ListPoliciesRequest,
  ListPoliciesResponse,
  ListPolicyVersionsRequest,
  ListPolicyVersionsResponse,
  Policy,
  PolicyVersion,
  SetDefaultPolicyVersionRequest,
} from '@aws-sdk/client-iam';
import { AwsError } from '../../errors.ts';
import { newUniqueId, policyArn, timestamp } from '../../identities.ts';
import { type AwsManagedPolicy, awsManagedPolicies, awsManagedPolicy } from '../../managed-policies.ts';
import { type Call, operation } from '../../service.ts';
import type { ManagedPolicyRow, PolicyVersion as VersionRow } from '../../store/rows/iam.ts';
import {
  checkedName,
  checkedPath,
  checkedPathPrefix,
  checkedPolicyArn,
  checkedTags,
  constraints,
  page,
  required,
  tagList,
} from './checks.ts';
import { checkIdentityDocument, encodeDocument } from './documents.ts';
import {
  deleteConflict,
  entityAlreadyExists,
  policyNotFound,
  policyVersionNotFound,
  tooManyVersions,
} from './errors.ts';
import { allHolders } from './holders.ts';
import { onList, onNewPolicy, onPolicy } from './permissions.ts';

const maxVersions = 5;

/** A policy of either kind. */
export interface FoundPolicy {
  readonly arn: string;
  readonly policyName: string;
  readonly policyId: string;
  readonly path: string;
  readonly description?: string;
  readonly createDate: string;
  readonly updateDate: string;
  readonly defaultVersionId: string;
  readonly versions: readonly VersionRow[];
  readonly tags: Readonly<Record<string, string>>;
  readonly managedBy: 'account' | 'aws';
}

function ofAccount(row: ManagedPolicyRow): FoundPolicy {
  return { ...row, arn: row.id, managedBy: 'account' };
}

function ofAws(arn: string, policy: AwsManagedPolicy): FoundPolicy {
  const { policyName, policyId, path, versionId, createDate, date } = policy;
  const version: VersionRow = {
    versionId,
    createDate: date,
    // Read when somebody looks at it: a list of all of them asks for none.
    get document() {
      return policy.document;
    },
  };
  return {
    arn,
    policyName,
    policyId,
    path,
    createDate,
    updateDate: date,
    defaultVersionId: versionId,
    versions: [version],
    tags: {},
    managedBy: 'aws',
  };
}

/** The policy that the caller's account may see under this ARN. */
export function lookUpPolicy(call: Call, arn: string): FoundPolicy | undefined {
  const aws = awsManagedPolicy(arn);
  if (aws) return ofAws(arn, aws);
  const row = call.tx.get('managed-policy', arn);
  return row?.accountId === call.accountId ? ofAccount(row) : undefined;
}

export function findPolicy(call: Call, policyArn: string | undefined): FoundPolicy {
  const arn = checkedPolicyArn(policyArn);
  const policy = lookUpPolicy(call, arn);
  if (!policy) throw policyNotFound(arn);
  return policy;
}

/** The row of a policy that this account may change. */
export function findOwnPolicy(call: Call, policyArn: string | undefined): ManagedPolicyRow {
  const arn = checkedPolicyArn(policyArn);
  if (awsManagedPolicy(arn)) {
    throw new AwsError('AccessDenied', 403, `Cannot perform the operation on the protected resource: policy ${arn}`);
  }
  const row = call.tx.get('managed-policy', arn);
  if (!row || row.accountId !== call.accountId) throw policyNotFound(arn);
  return row;
}

function findVersion(policy: FoundPolicy, versionId: string | undefined): VersionRow {
  const id = required('versionId', versionId);
  constraints()
    .pattern('versionId', id, /^v[1-9][0-9]*(\.[A-Za-z0-9-]*)?$/, 'v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?')
    .done();
  const version = policy.versions.find((one) => one.versionId === id);
  if (!version) throw policyVersionNotFound(policy.arn, id);
  return version;
}

/** How often each ARN is attached, and used as a boundary, in this account. */
function usage(call: Call): { attached: Map<string, number>; boundary: Map<string, number> } {
  const attached = new Map<string, number>();
  const boundary = new Map<string, number>();
  const count = (map: Map<string, number>, arn: string) => map.set(arn, (map.get(arn) ?? 0) + 1);
  for (const { kind, row } of allHolders(call)) {
    for (const arn of row.attachedPolicyArns) count(attached, arn);
    if (kind !== 'group' && row.permissionsBoundaryArn !== undefined) count(boundary, row.permissionsBoundaryArn);
  }
  return { attached, boundary };
}

/** @param detail lists leave the description and the tags out */
function describePolicy(policy: FoundPolicy, used: ReturnType<typeof usage>, detail: 'full' | 'listed'): Policy {
  return {
    PolicyName: policy.policyName,
    PolicyId: policy.policyId,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: policy.defaultVersionId,
    AttachmentCount: used.attached.get(policy.arn) ?? 0,
    PermissionsBoundaryUsageCount: used.boundary.get(policy.arn) ?? 0,
    IsAttachable: true,
    ...(detail === 'full' && policy.description !== undefined && { Description: policy.description }),
    CreateDate: new Date(policy.createDate),
    UpdateDate: new Date(policy.updateDate),
    ...(detail === 'full' && { Tags: tagList(policy.tags) }),
  };
}

/** @param document lists of versions leave it out */
export function describeVersion(policy: FoundPolicy, version: VersionRow, document = true): PolicyVersion {
  return {
    ...(document && { Document: encodeDocument(version.document) }),
    VersionId: version.versionId,
    IsDefaultVersion: version.versionId === policy.defaultVersionId,
    CreateDate: new Date(version.createDate),
  };
}

function createPolicy(call: Call, input: CreatePolicyRequest): CreatePolicyResponse {
  const policyName = checkedName('policyName', input.PolicyName, 128);
  const path = checkedPath(input.Path);
  const document = required('policyDocument', input.PolicyDocument);
  constraints().length('description', input.Description, 0, 1000).done();
  const tags = checkedTags(input.Tags, 'kept');
  checkIdentityDocument(document, true);
  const taken = call.tx
    .list('managed-policy', { accountId: call.accountId })
    .some((row) => row.policyName.toLowerCase() === policyName.toLowerCase());
  if (taken) throw entityAlreadyExists('policy', policyName);
  const now = timestamp(call.now);
  const row: ManagedPolicyRow = {
    id: policyArn(call.partition, { accountId: call.accountId, path, policyName }),
    accountId: call.accountId,
    region: 'global',
    policyName,
    policyId: newUniqueId('ANPA'),
    path,
    ...(input.Description !== undefined && { description: input.Description }),
    createDate: now,
    updateDate: now,
    defaultVersionId: 'v1',
    versions: [{ versionId: 'v1', document, createDate: now }],
    nextVersion: 2,
    tags,
  };
  call.tx.put('managed-policy', row);
  const { Description: _notShown, Tags, ...shown } = describePolicy(ofAccount(row), usage(call), 'full');
  return { Policy: { ...shown, ...(Tags && Tags.length > 0 && { Tags }) } };
}

function getPolicy(call: Call, input: GetPolicyRequest): GetPolicyResponse {
  return { Policy: describePolicy(findPolicy(call, input.PolicyArn), usage(call), 'full') };
}

function listPolicies(call: Call, input: ListPoliciesRequest): ListPoliciesResponse {
  constraints()
    .oneOf('scope', input.Scope, ['All', 'AWS', 'Local'])
    .oneOf('policyUsageFilter', input.PolicyUsageFilter, ['PermissionsPolicy', 'PermissionsBoundary'])
    .done();
  const prefix = checkedPathPrefix(input.PathPrefix);
  const scope = input.Scope ?? 'All';
  const own = call.tx.list('managed-policy', { accountId: call.accountId }).map(ofAccount);
  const aws = awsManagedPolicies().map((policy) =>
    ofAws(`arn:${call.partition}:iam::aws:policy${policy.path}${policy.policyName}`, policy),
  );
  const used = usage(call);
  const counted = {
    PermissionsPolicy: [used.attached],
    PermissionsBoundary: [used.boundary],
    any: [used.attached, used.boundary],
  }[input.PolicyUsageFilter ?? 'any'];
  // Recorded: how a policy is used is asked of attached ones alone.
  const onlyUsed = input.OnlyAttached === true;
  const policies = [...(scope === 'AWS' ? [] : own), ...(scope === 'Local' ? [] : aws)]
    .filter((policy) => policy.path.startsWith(prefix))
    .filter((policy) => !onlyUsed || counted.some((counts) => counts.has(policy.arn)));
  // The account's own come first: their ARNs sort so (digits before letters).
  const { items, end } = page(policies, input, (policy) => policy.arn);
  return { Policies: items.map((policy) => describePolicy(policy, used, 'listed')), ...end };
}

function deletePolicy(call: Call, input: DeletePolicyRequest): void {
  const row = findOwnPolicy(call, input.PolicyArn);
  const used = usage(call);
  if (used.attached.has(row.id) || used.boundary.has(row.id)) throw deleteConflict('policy-attached');
  if (row.versions.length > 1) throw deleteConflict('policy-versions');
  call.tx.delete('managed-policy', row.id);
}

function createPolicyVersion(call: Call, input: CreatePolicyVersionRequest): CreatePolicyVersionResponse {
  const document = required('policyDocument', input.PolicyDocument);
  const row = findOwnPolicy(call, input.PolicyArn);
  checkIdentityDocument(document, true);
  if (row.versions.length >= maxVersions) throw tooManyVersions();
  const now = timestamp(call.now);
  const version = { versionId: `v${row.nextVersion}`, document, createDate: now };
  const changed: ManagedPolicyRow = {
    ...row,
    // The newest first, as ListPolicyVersions shows them.
    versions: [version, ...row.versions],
    nextVersion: row.nextVersion + 1,
    ...(input.SetAsDefault === true && { defaultVersionId: version.versionId, updateDate: now }),
  };
  call.tx.put('managed-policy', changed);
  return { PolicyVersion: describeVersion(ofAccount(changed), version, false) };
}

function getPolicyVersion(call: Call, input: GetPolicyVersionRequest): GetPolicyVersionResponse {
  const policy = findPolicy(call, input.PolicyArn);
  return { PolicyVersion: describeVersion(policy, findVersion(policy, input.VersionId)) };
}

function listPolicyVersions(call: Call, input: ListPolicyVersionsRequest): ListPolicyVersionsResponse {
  const policy = findPolicy(call, input.PolicyArn);
  const newestFirst = (version: VersionRow) => String(1e9 - Number(version.versionId.slice(1)));
  const { items, end } = page(policy.versions, input, newestFirst);
  return { Versions: items.map((version) => describeVersion(policy, version, false)), ...end };
}

function setDefaultPolicyVersion(call: Call, input: SetDefaultPolicyVersionRequest): void {
  const row = findOwnPolicy(call, input.PolicyArn);
  const { versionId } = findVersion(ofAccount(row), input.VersionId);
  call.tx.put('managed-policy', { ...row, defaultVersionId: versionId, updateDate: timestamp(call.now) });
}

function deletePolicyVersion(call: Call, input: DeletePolicyVersionRequest): void {
  const row = findOwnPolicy(call, input.PolicyArn);
  const { versionId } = findVersion(ofAccount(row), input.VersionId);
  if (versionId === row.defaultVersionId) throw deleteConflict('default-version');
  call.tx.put('managed-policy', { ...row, versions: row.versions.filter((one) => one.versionId !== versionId) });
}

export const managedPolicies = {
  CreatePolicy: operation<CreatePolicyRequest, CreatePolicyResponse>({ authorize: onNewPolicy, run: createPolicy }),
  GetPolicy: operation<GetPolicyRequest, GetPolicyResponse>({ authorize: onPolicy, run: getPolicy, readOnly: true }),
  ListPolicies: operation<ListPoliciesRequest, ListPoliciesResponse>({
    authorize: onList('policy'),
    run: listPolicies,
    readOnly: true,
  }),
  DeletePolicy: operation<DeletePolicyRequest, void>({ authorize: onPolicy, run: deletePolicy }),
  CreatePolicyVersion: operation<CreatePolicyVersionRequest, CreatePolicyVersionResponse>({
    authorize: onPolicy,
    run: createPolicyVersion,
  }),
  GetPolicyVersion: operation<GetPolicyVersionRequest, GetPolicyVersionResponse>({
    authorize: onPolicy,
    run: getPolicyVersion,
    readOnly: true,
  }),
  ListPolicyVersions: operation<ListPolicyVersionsRequest, ListPolicyVersionsResponse>({
    authorize: onPolicy,
    run: listPolicyVersions,
    readOnly: true,
  }),
  SetDefaultPolicyVersion: operation<SetDefaultPolicyVersionRequest, void>({
    authorize: onPolicy,
    run: setDefaultPolicyVersion,
  }),
  DeletePolicyVersion: operation<DeletePolicyVersionRequest, void>({ authorize: onPolicy, run: deletePolicyVersion }),
};
