// Organizational units, and the tree as a whole: who is above and who is below. Five levels of units under the root.

import type {
  Child,
  CreateOrganizationalUnitRequest,
  CreateOrganizationalUnitResponse,
  DeleteOrganizationalUnitRequest,
  DescribeOrganizationalUnitRequest,
  DescribeOrganizationalUnitResponse,
  ListChildrenRequest,
  ListChildrenResponse,
  ListOrganizationalUnitsForParentRequest,
  ListOrganizationalUnitsForParentResponse,
  ListParentsRequest,
  ListParentsResponse,
  OrganizationalUnit,
  UpdateOrganizationalUnitRequest,
  UpdateOrganizationalUnitResponse,
} from '@aws-sdk/client-organizations';
import { placesDownTo } from '../../organizations.ts';
import { type Call, operation } from '../../service.ts';
import type { OrganizationalUnitRow, OrganizationRow } from '../../store/rows/organizations.ts';
import { constraintViolation, invalidInput, organizationsError } from './errors.ts';
import { checkedTags, requireTagging } from './tagging.ts';
import {
  checked,
  checkedText,
  delegated,
  findParent,
  findUnit,
  firstPolicyIds,
  managed,
  membersOf,
  newOrganizationsId,
  onNamed,
  page,
  pathOf,
  patterns,
  placeArn,
  unitsOf,
} from './tree.ts';

const deepestLevel = 5;

function describe(call: Call, organization: OrganizationRow, unit: OrganizationalUnitRow): OrganizationalUnit {
  return {
    Id: unit.id,
    Arn: placeArn(call, organization, unit),
    Name: unit.name,
    Path: pathOf(call, organization, unit),
  };
}

function checkNameIsFree(call: Call, organization: OrganizationRow, parentId: string, name: string): void {
  const taken = unitsOf(call, organization).some((unit) => unit.parentId === parentId && unit.name === name);
  if (taken) throw organizationsError('DuplicateOrganizationalUnitException');
}

function createUnit(call: Call, input: CreateOrganizationalUnitRequest): CreateOrganizationalUnitResponse {
  const organization = managed(call);
  const name = checkedText(input.Name, 1, 128, 'NAME');
  const parent = findParent(call, organization, input.ParentId);
  const tags = checkedTags(input.Tags);
  if (placesDownTo(call.tx, parent).length > deepestLevel) throw constraintViolation('OU_DEPTH_LIMIT_EXCEEDED');
  checkNameIsFree(call, organization, parent.id, name);
  requireTagging(call, placeArn(call, organization, parent), tags);
  const unit: OrganizationalUnitRow = {
    id: newOrganizationsId(`ou-${organization.rootId.slice('r-'.length)}-`, 8),
    accountId: organization.accountId,
    region: 'global',
    organizationId: organization.id,
    parentId: parent.id,
    name,
    policyIds: firstPolicyIds(organization),
    tags,
  };
  call.tx.put('organizational-unit', unit);
  return { OrganizationalUnit: describe(call, organization, unit) };
}

function describeUnit(call: Call, input: DescribeOrganizationalUnitRequest): DescribeOrganizationalUnitResponse {
  const organization = delegated(call);
  return { OrganizationalUnit: describe(call, organization, findUnit(call, organization, input.OrganizationalUnitId)) };
}

function updateUnit(call: Call, input: UpdateOrganizationalUnitRequest): UpdateOrganizationalUnitResponse {
  const organization = managed(call);
  const unit = findUnit(call, organization, input.OrganizationalUnitId);
  // Recorded: white space alone is taken, and changes nothing.
  const asked = input.Name === undefined ? '' : checkedText(input.Name, 1, 128, 'NAME');
  const name = asked.trim() === '' ? unit.name : asked;
  if (name !== unit.name) checkNameIsFree(call, organization, unit.parentId, name);
  const renamed = { ...unit, name };
  call.tx.put('organizational-unit', renamed);
  return { OrganizationalUnit: describe(call, organization, renamed) };
}

function deleteUnit(call: Call, input: DeleteOrganizationalUnitRequest): void {
  const organization = managed(call);
  const unit = findUnit(call, organization, input.OrganizationalUnitId);
  const below = [...unitsOf(call, organization), ...membersOf(call, organization)];
  if (below.some(({ parentId }) => parentId === unit.id))
    throw organizationsError('OrganizationalUnitNotEmptyException');
  call.tx.delete('organizational-unit', unit.id);
}

function listUnits(
  call: Call,
  input: ListOrganizationalUnitsForParentRequest,
): ListOrganizationalUnitsForParentResponse {
  const organization = delegated(call);
  const parent = findParent(call, organization, input.ParentId);
  const below = unitsOf(call, organization).filter(({ parentId }) => parentId === parent.id);
  const { items, end } = page(below, input, ({ id }) => id);
  return { OrganizationalUnits: items.map((unit) => describe(call, organization, unit)), ...end };
}

function listParents(call: Call, input: ListParentsRequest): ListParentsResponse {
  const organization = delegated(call);
  const childId = checked(input.ChildId, patterns.child, 'CHILD_ID');
  const child = patterns.account.test(childId)
    ? call.tx.get('organization-member', childId)
    : call.tx.get('organizational-unit', childId);
  if (child?.organizationId !== organization.id) throw organizationsError('ChildNotFoundException');
  const Type = child.parentId.startsWith('r-') ? 'ROOT' : 'ORGANIZATIONAL_UNIT';
  const { items, end } = page([child.parentId], input, (id) => id);
  return { Parents: items.map((Id) => ({ Id, Type })), ...end };
}

function listChildren(call: Call, input: ListChildrenRequest): ListChildrenResponse {
  const organization = delegated(call);
  const parent = findParent(call, organization, input.ParentId);
  const Type = input.ChildType;
  if (Type !== 'ACCOUNT' && Type !== 'ORGANIZATIONAL_UNIT')
    throw invalidInput('INVALID_ENUM', 'You specified an invalid value.');
  const all = Type === 'ACCOUNT' ? membersOf(call, organization) : unitsOf(call, organization);
  const below = all.filter(({ parentId }) => parentId === parent.id);
  const { items, end } = page<{ id: string }>(below, input, ({ id }) => id);
  return { Children: items.map(({ id }): Child => ({ Id: id, Type })), ...end };
}

export const units = {
  CreateOrganizationalUnit: operation<CreateOrganizationalUnitRequest, CreateOrganizationalUnitResponse>({
    authorize: onNamed,
    run: createUnit,
  }),
  DescribeOrganizationalUnit: operation<DescribeOrganizationalUnitRequest, DescribeOrganizationalUnitResponse>({
    authorize: onNamed,
    run: describeUnit,
    readOnly: true,
  }),
  UpdateOrganizationalUnit: operation<UpdateOrganizationalUnitRequest, UpdateOrganizationalUnitResponse>({
    authorize: onNamed,
    run: updateUnit,
  }),
  DeleteOrganizationalUnit: operation<DeleteOrganizationalUnitRequest, void>({ authorize: onNamed, run: deleteUnit }),
  ListOrganizationalUnitsForParent: operation<
    ListOrganizationalUnitsForParentRequest,
    ListOrganizationalUnitsForParentResponse
  >({ authorize: onNamed, run: listUnits, readOnly: true }),
  ListParents: operation<ListParentsRequest, ListParentsResponse>({
    authorize: onNamed,
    run: listParents,
    readOnly: true,
  }),
  ListChildren: operation<ListChildrenRequest, ListChildrenResponse>({
    authorize: onNamed,
    run: listChildren,
    readOnly: true,
  }),
};
