// Inline policies of users, groups and roles: put, get, list and delete are the same for all three, so there is one of each.
// Order of checks: the name, the holder, the document, the sum of sizes.

import type {
  DeleteGroupPolicyRequest,
  DeleteRolePolicyRequest,
  DeleteUserPolicyRequest,
  GetGroupPolicyRequest,
  GetGroupPolicyResponse,
  GetRolePolicyRequest,
  GetRolePolicyResponse,
  GetUserPolicyRequest,
  GetUserPolicyResponse,
  ListGroupPoliciesRequest,
  ListGroupPoliciesResponse,
  ListRolePoliciesRequest,
  ListRolePoliciesResponse,
  ListUserPoliciesRequest,
  ListUserPoliciesResponse,
  PutGroupPolicyRequest,
  PutRolePolicyRequest,
  PutUserPolicyRequest,
} from '@aws-sdk/client-iam';
import { type Call, operation } from '../../service.ts';
import type { InlinePolicies } from '../../store/rows/iam.ts';
import { checkedName, page, required } from './checks.ts';
import { checkIdentityDocument, checkInlineSize, encodeDocument } from './documents.ts';
import { noSuchEntity } from './errors.ts';
import { findHolder, type HolderKind, holderName, onHolder, saveHolder } from './holders.ts';

interface PolicyInput {
  readonly UserName?: string | undefined;
  readonly GroupName?: string | undefined;
  readonly RoleName?: string | undefined;
  readonly PolicyName?: string | undefined;
  readonly PolicyDocument?: string | undefined;
  readonly Marker?: string | undefined;
  readonly MaxItems?: number | undefined;
}

/** Recorded: a name is the same in any case, and stays as it was written first. */
function writtenName(policies: InlinePolicies, name: string): string {
  return Object.keys(policies).find((one) => one.toLowerCase() === name.toLowerCase()) ?? name;
}

function put(kind: HolderKind): (call: Call, input: PolicyInput) => void {
  return (call, input) => {
    const name = checkedName('policyName', input.PolicyName, 128);
    const document = required('policyDocument', input.PolicyDocument);
    const holder = findHolder(call, kind, input);
    checkIdentityDocument(document);
    const inlinePolicies = { ...holder.row.inlinePolicies, [writtenName(holder.row.inlinePolicies, name)]: document };
    checkInlineSize(kind, holderName(holder), Object.values(inlinePolicies));
    saveHolder(call, holder, { inlinePolicies });
  };
}

function get(kind: HolderKind): (call: Call, input: PolicyInput) => { PolicyName: string; PolicyDocument: string } {
  return (call, input) => {
    const name = checkedName('policyName', input.PolicyName, 128);
    const { inlinePolicies } = findHolder(call, kind, input).row;
    const document = inlinePolicies[writtenName(inlinePolicies, name)];
    if (document === undefined) throw noSuchEntity(`${kind}-policy`, name);
    return { PolicyName: name, PolicyDocument: encodeDocument(document) };
  };
}

function list(
  kind: HolderKind,
): (call: Call, input: PolicyInput) => { PolicyNames: string[]; IsTruncated: boolean; Marker?: string } {
  return (call, input) => {
    const names = Object.keys(findHolder(call, kind, input).row.inlinePolicies);
    const { items, end } = page(names, input, (name) => name);
    return { PolicyNames: [...items], ...end };
  };
}

function remove(kind: HolderKind): (call: Call, input: PolicyInput) => void {
  return (call, input) => {
    const name = checkedName('policyName', input.PolicyName, 128);
    const holder = findHolder(call, kind, input);
    const { [writtenName(holder.row.inlinePolicies, name)]: gone, ...inlinePolicies } = holder.row.inlinePolicies;
    if (gone === undefined) throw noSuchEntity(`${kind}-policy`, name);
    saveHolder(call, holder, { inlinePolicies });
  };
}

export const inlinePolicies = {
  PutUserPolicy: operation<PutUserPolicyRequest, void>({ authorize: onHolder.user, run: put('user') }),
  PutGroupPolicy: operation<PutGroupPolicyRequest, void>({ authorize: onHolder.group, run: put('group') }),
  PutRolePolicy: operation<PutRolePolicyRequest, void>({ authorize: onHolder.role, run: put('role') }),
  GetUserPolicy: operation<GetUserPolicyRequest, GetUserPolicyResponse>({
    authorize: onHolder.user,
    run: (call, input) => ({ UserName: input.UserName, ...get('user')(call, input) }),
    readOnly: true,
  }),
  GetGroupPolicy: operation<GetGroupPolicyRequest, GetGroupPolicyResponse>({
    authorize: onHolder.group,
    run: (call, input) => ({ GroupName: input.GroupName, ...get('group')(call, input) }),
    readOnly: true,
  }),
  GetRolePolicy: operation<GetRolePolicyRequest, GetRolePolicyResponse>({
    authorize: onHolder.role,
    run: (call, input) => ({ RoleName: input.RoleName, ...get('role')(call, input) }),
    readOnly: true,
  }),
  ListUserPolicies: operation<ListUserPoliciesRequest, ListUserPoliciesResponse>({
    authorize: onHolder.user,
    run: list('user'),
    readOnly: true,
  }),
  ListGroupPolicies: operation<ListGroupPoliciesRequest, ListGroupPoliciesResponse>({
    authorize: onHolder.group,
    run: list('group'),
    readOnly: true,
  }),
  ListRolePolicies: operation<ListRolePoliciesRequest, ListRolePoliciesResponse>({
    authorize: onHolder.role,
    run: list('role'),
    readOnly: true,
  }),
  DeleteUserPolicy: operation<DeleteUserPolicyRequest, void>({ authorize: onHolder.user, run: remove('user') }),
  DeleteGroupPolicy: operation<DeleteGroupPolicyRequest, void>({ authorize: onHolder.group, run: remove('group') }),
  DeleteRolePolicy: operation<DeleteRolePolicyRequest, void>({ authorize: onHolder.role, run: remove('role') }),
};
