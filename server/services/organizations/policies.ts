// Service control policies and resource control policies, and what they are attached to. Enabling a type attaches AWS's own policy, which allows
// everything, to the root, every unit and every account; disabling it takes all of the type off.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_syntax.html, …_rcps_syntax.html (read 2026-11-21)

import type {
  AttachPolicyRequest,
  CreatePolicyRequest,
  CreatePolicyResponse,
  DeletePolicyRequest,
  DescribePolicyRequest,
  DescribePolicyResponse,
  DetachPolicyRequest,
  DisablePolicyTypeRequest,
  DisablePolicyTypeResponse,
  EnablePolicyTypeRequest,
  EnablePolicyTypeResponse,
  ListPoliciesForTargetRequest,
  ListPoliciesForTargetResponse,
  ListPoliciesRequest,
  ListPoliciesResponse,
  ListTargetsForPolicyRequest,
  ListTargetsForPolicyResponse,
  Policy,
  PolicySummary,
  PolicyTargetSummary,
  PolicyType,
  Root,
  UpdatePolicyRequest,
  UpdatePolicyResponse,
} from '@aws-sdk/client-organizations';
import { parsePolicy } from '@postern/policy/document.ts';
import { AwsError } from '../../errors.ts';
import { controlPolicyTypes, defaultPolicies, defaultPolicyOf, type Place } from '../../organizations.ts';
import { type Call, operation } from '../../service.ts';
import type { ControlPolicyType, OrganizationPolicyRow, OrganizationRow } from '../../store/rows/organizations.ts';
import { constraintViolation, inputRequired, invalidInput, organizationsError } from './errors.ts';
import { checkedTags, requireTagging } from './tagging.ts';
import {
  allPlaces,
  checked,
  checkedText,
  delegated,
  findPolicy,
  findRoot,
  findTarget,
  type KnownPolicy,
  newOrganizationsId,
  onNamed,
  page,
  patterns,
  placeArn,
  policyArn,
  putPlace,
  typeOfPolicy,
} from './tree.ts';

const attachmentsPerType = 5;

function isControlPolicy(type: PolicyType | undefined): type is ControlPolicyType {
  return controlPolicyTypes.some((one) => one === type);
}

/** @throws AwsError for types that are not of authorization: they are about tags, backups and the like, which nobody here would follow */
function checkedType(type: PolicyType | undefined): ControlPolicyType {
  if (isControlPolicy(type)) return type;
  throw new AwsError(
    'PolicyTypeNotAvailableForOrganizationException',
    400,
    `Postern has SERVICE_CONTROL_POLICY and RESOURCE_CONTROL_POLICY only, not ${type ?? ''}.`,
  );
}

function summary(call: Call, organization: OrganizationRow, policy: KnownPolicy): PolicySummary {
  return {
    Id: policy.id,
    Arn: policyArn(call, organization, policy),
    Name: policy.name,
    Description: policy.description,
    Type: policy.type,
    AwsManaged: defaultPolicyOf(policy.id) !== undefined,
  };
}

function full(call: Call, organization: OrganizationRow, policy: KnownPolicy): Policy {
  return { PolicySummary: summary(call, organization, policy), Content: policy.content };
}

/** @throws AwsError MalformedPolicyDocumentException, whatever is wrong; ConstraintViolationException for one that is too long */
function checkContent(content: string | undefined, type: ControlPolicyType): string {
  if (content === undefined) throw inputRequired('CONTENT');
  const parsed = parsePolicy(content, { kind: type === 'SERVICE_CONTROL_POLICY' ? 'scp' : 'rcp' });
  if (!parsed.ok) {
    throw parsed.problem === 'size'
      ? constraintViolation('POLICY_CONTENT_LIMIT_EXCEEDED')
      : organizationsError('MalformedPolicyDocumentException');
  }
  const { statements } = parsed.document;
  // An RCP of one's own only denies, names services, and has no NotAction. Recorded: both kinds are taken without a Version.
  const onlyDenies = statements.every(
    ({ effect, actions, notActions }) => effect === 'Deny' && !notActions && actions?.every((action) => action !== '*'),
  );
  if (type === 'RESOURCE_CONTROL_POLICY' && !onlyDenies) {
    throw organizationsError('MalformedPolicyDocumentException');
  }
  return content;
}

function policiesOf(call: Call, organization: OrganizationRow): OrganizationPolicyRow[] {
  return call.tx
    .list('organization-policy', { accountId: organization.accountId })
    .filter((row) => row.organizationId === organization.id);
}

function checkNameIsFree(call: Call, organization: OrganizationRow, type: ControlPolicyType, name: string): void {
  const shipped = Object.values(defaultPolicies).filter((one) => one.type === type);
  const taken = [...policiesOf(call, organization), ...shipped].some((one) => one.type === type && one.name === name);
  if (taken) throw organizationsError('DuplicatePolicyException');
}

function createPolicy(call: Call, input: CreatePolicyRequest): CreatePolicyResponse {
  const organization = delegated(call);
  const type = checkedType(input.Type);
  const name = checkedText(input.Name, 1, 128, 'NAME');
  const description = checkedText(input.Description, 0, 512, 'DESCRIPTION');
  if (organization.featureSet !== 'ALL') throw constraintViolation('ORGANIZATION_NOT_IN_ALL_FEATURES_MODE');
  const row: OrganizationPolicyRow = {
    id: newOrganizationsId('p-', 8),
    accountId: organization.accountId,
    region: 'global',
    organizationId: organization.id,
    type,
    name,
    description,
    content: checkContent(input.Content, type),
    tags: checkedTags(input.Tags),
  };
  requireTagging(call, policyArn(call, organization, row), row.tags);
  checkNameIsFree(call, organization, type, name);
  call.tx.put('organization-policy', row);
  return { Policy: full(call, organization, row) };
}

/** The organization's own one. @throws AwsError InvalidInputException for one that AWS ships */
function findOwnPolicy(call: Call, organization: OrganizationRow, id: string | undefined): OrganizationPolicyRow {
  const policy = findPolicy(call, organization, id);
  const row = call.tx.get('organization-policy', policy.id);
  if (row) return row;
  throw invalidInput(
    'IMMUTABLE_POLICY',
    "You specified a policy that is managed by Amazon Web Services and can't be modified.",
  );
}

function updatePolicy(call: Call, input: UpdatePolicyRequest): UpdatePolicyResponse {
  const organization = delegated(call);
  const row = findOwnPolicy(call, organization, input.PolicyId);
  const name = input.Name === undefined ? row.name : checkedText(input.Name, 1, 128, 'NAME');
  if (name !== row.name) checkNameIsFree(call, organization, row.type, name);
  const updated: OrganizationPolicyRow = {
    ...row,
    name,
    // Recorded: an empty one is taken, and changes nothing.
    description: checkedText(input.Description ?? '', 0, 512, 'DESCRIPTION') || row.description,
    content: input.Content === undefined ? row.content : checkContent(input.Content, row.type),
  };
  call.tx.put('organization-policy', updated);
  // Recorded: of name and description the answer has those that were asked for, as they were.
  const { Name: _name, Description: _description, ...rest } = summary(call, organization, updated);
  const asked = {
    ...(input.Name !== undefined && { Name: input.Name }),
    ...(input.Description !== undefined && { Description: input.Description }),
  };
  return { Policy: { PolicySummary: { ...rest, ...asked }, Content: updated.content } };
}

function deletePolicy(call: Call, input: DeletePolicyRequest): void {
  const organization = delegated(call);
  const row = findOwnPolicy(call, organization, input.PolicyId);
  const attached = allPlaces(call, organization).some(({ policyIds }) => policyIds.includes(row.id));
  if (attached) throw organizationsError('PolicyInUseException');
  call.tx.delete('organization-policy', row.id);
}

function describePolicy(call: Call, input: DescribePolicyRequest): DescribePolicyResponse {
  const organization = delegated(call);
  return { Policy: full(call, organization, findPolicy(call, organization, input.PolicyId)) };
}

function listPolicies(call: Call, input: ListPoliciesRequest): ListPoliciesResponse {
  const organization = delegated(call);
  const type = input.Filter;
  const own = policiesOf(call, organization).filter((row) => row.type === type);
  const all = isControlPolicy(type) ? [...own, defaultPolicies[type]] : [];
  const { items, end } = page<KnownPolicy>(all, input, ({ id }) => id);
  return { Policies: items.map((policy) => summary(call, organization, policy)), ...end };
}

// ---- attachments

/** The attached policies of one type. */
function attachedTo(call: Call, place: Place, type: PolicyType | undefined): string[] {
  return place.policyIds.filter((id) => typeOfPolicy(call, id) === type);
}

function attachPolicy(call: Call, input: AttachPolicyRequest): void {
  const organization = delegated(call);
  const policy = findPolicy(call, organization, input.PolicyId);
  const target = findTarget(call, organization, input.TargetId);
  if (!organization.enabledPolicyTypes.includes(policy.type)) throw organizationsError('PolicyTypeNotEnabledException');
  if (target.policyIds.includes(policy.id)) throw organizationsError('DuplicatePolicyAttachmentException');
  if (attachedTo(call, target, policy.type).length >= attachmentsPerType) {
    throw constraintViolation('MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED');
  }
  putPlace(call, { ...target, policyIds: [...target.policyIds, policy.id] });
}

function detachPolicy(call: Call, input: DetachPolicyRequest): void {
  const organization = delegated(call);
  const policy = findPolicy(call, organization, input.PolicyId);
  const target = findTarget(call, organization, input.TargetId);
  if (policy.id === defaultPolicies.RESOURCE_CONTROL_POLICY.id) {
    throw invalidInput('NON_DETACHABLE_POLICY', "You can't detach this Amazon Web Services Managed Policy.");
  }
  if (!target.policyIds.includes(policy.id)) throw organizationsError('PolicyNotAttachedException');
  if (attachedTo(call, target, policy.type).length === 1) {
    throw constraintViolation('MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED');
  }
  putPlace(call, { ...target, policyIds: target.policyIds.filter((id) => id !== policy.id) });
}

function listPoliciesForTarget(call: Call, input: ListPoliciesForTargetRequest): ListPoliciesForTargetResponse {
  const organization = delegated(call);
  const attached = attachedTo(call, findTarget(call, organization, input.TargetId), input.Filter);
  const { items, end } = page(attached, input, (id) => id);
  return { Policies: items.map((id) => summary(call, organization, findPolicy(call, organization, id))), ...end };
}

function describeTarget(call: Call, organization: OrganizationRow, place: Place): PolicyTargetSummary {
  const [Type, Name] = !('parentId' in place)
    ? (['ROOT', 'Root'] as const)
    : ([
        ('joinedAt' in place ? 'ACCOUNT' : 'ORGANIZATIONAL_UNIT') as 'ACCOUNT' | 'ORGANIZATIONAL_UNIT',
        place.name,
      ] as const);
  return { TargetId: place.id, Arn: placeArn(call, organization, place), Name, Type };
}

function listTargetsForPolicy(call: Call, input: ListTargetsForPolicyRequest): ListTargetsForPolicyResponse {
  const organization = delegated(call);
  const policy = findPolicy(call, organization, input.PolicyId);
  const attached = allPlaces(call, organization).filter(({ policyIds }) => policyIds.includes(policy.id));
  const { items, end } = page(attached, input, ({ id }) => id);
  return { Targets: items.map((place) => describeTarget(call, organization, place)), ...end };
}

// ---- types

export function describeRoot(call: Call, organization: OrganizationRow): Root {
  const root = findRoot(call, organization);
  return {
    Id: root.id,
    Arn: placeArn(call, organization, root),
    Name: 'Root',
    PolicyTypes: organization.enabledPolicyTypes.map((Type) => ({ Type, Status: 'ENABLED' })),
  };
}

function checkedRoot(organization: OrganizationRow, rootId: string | undefined): void {
  if (checked(rootId, patterns.root, 'ROOT_ID') !== organization.rootId)
    throw organizationsError('RootNotFoundException');
}

function enablePolicyType(call: Call, input: EnablePolicyTypeRequest): EnablePolicyTypeResponse {
  const organization = delegated(call);
  checkedRoot(organization, input.RootId);
  const type = checkedType(input.PolicyType);
  if (organization.featureSet !== 'ALL') throw constraintViolation('ORGANIZATION_NOT_IN_ALL_FEATURES_MODE');
  if (organization.enabledPolicyTypes.includes(type)) throw organizationsError('PolicyTypeAlreadyEnabledException');
  const enabled = { ...organization, enabledPolicyTypes: [...organization.enabledPolicyTypes, type] };
  call.tx.put('organization', enabled);
  for (const place of allPlaces(call, enabled)) {
    putPlace(call, { ...place, policyIds: [...place.policyIds, defaultPolicies[type].id] });
  }
  return { Root: describeRoot(call, enabled) };
}

function disablePolicyType(call: Call, input: DisablePolicyTypeRequest): DisablePolicyTypeResponse {
  const organization = delegated(call);
  checkedRoot(organization, input.RootId);
  const type = checkedType(input.PolicyType);
  if (!organization.enabledPolicyTypes.includes(type)) throw organizationsError('PolicyTypeNotEnabledException');
  for (const place of allPlaces(call, organization)) {
    putPlace(call, { ...place, policyIds: place.policyIds.filter((id) => typeOfPolicy(call, id) !== type) });
  }
  const left = organization.enabledPolicyTypes.filter((one) => one !== type);
  const disabled = { ...organization, enabledPolicyTypes: left };
  call.tx.put('organization', disabled);
  return { Root: describeRoot(call, disabled) };
}

export const controlPolicies = {
  CreatePolicy: operation<CreatePolicyRequest, CreatePolicyResponse>({ authorize: onNamed, run: createPolicy }),
  UpdatePolicy: operation<UpdatePolicyRequest, UpdatePolicyResponse>({ authorize: onNamed, run: updatePolicy }),
  DeletePolicy: operation<DeletePolicyRequest, void>({ authorize: onNamed, run: deletePolicy }),
  DescribePolicy: operation<DescribePolicyRequest, DescribePolicyResponse>({
    authorize: onNamed,
    run: describePolicy,
    readOnly: true,
  }),
  ListPolicies: operation<ListPoliciesRequest, ListPoliciesResponse>({
    authorize: onNamed,
    run: listPolicies,
    readOnly: true,
  }),
  AttachPolicy: operation<AttachPolicyRequest, void>({ authorize: onNamed, run: attachPolicy }),
  DetachPolicy: operation<DetachPolicyRequest, void>({ authorize: onNamed, run: detachPolicy }),
  ListPoliciesForTarget: operation<ListPoliciesForTargetRequest, ListPoliciesForTargetResponse>({
    authorize: onNamed,
    run: listPoliciesForTarget,
    readOnly: true,
  }),
  ListTargetsForPolicy: operation<ListTargetsForPolicyRequest, ListTargetsForPolicyResponse>({
    authorize: onNamed,
    run: listTargetsForPolicy,
    readOnly: true,
  }),
  EnablePolicyType: operation<EnablePolicyTypeRequest, EnablePolicyTypeResponse>({
    authorize: onNamed,
    run: enablePolicyType,
  }),
  DisablePolicyType: operation<DisablePolicyTypeRequest, DisablePolicyTypeResponse>({
    authorize: onNamed,
    run: disablePolicyType,
  }),
};
