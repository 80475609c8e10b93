// Which events does a trail log? https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html,
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html (read 2026-11-22). What a selector means is server/trail/selectors.ts.
// Gaps: data events of S3's objects and DynamoDB's items alone; those of what is not here (Lambda) are taken, for there can be none.

import type {
  AdvancedEventSelector,
  AdvancedFieldSelector,
  EventSelector,
  GetEventSelectorsRequest,
  GetEventSelectorsResponse,
  PutEventSelectorsRequest,
  PutEventSelectorsResponse,
} from '@aws-sdk/client-cloudtrail';
import { type BaseCall, type Call, operation, type Permission } from '../../service.ts';
import {
  type AdvancedTrailSelector,
  fieldOperators,
  type TrailRow,
  type TrailSelector,
} from '../../store/rows/cloudtrail.ts';
import { everyManagementEvent, selectableFields } from '../../trail/selectors.ts';
import { invalidSelectors, unsupported } from './errors.ts';
import { findOwnTrail, findTrail, trailArn } from './trail-names.ts';

const mostSelectors = 5;
const mostResources = 250;
const mostValues = 500;
const dataTypes: ReadonlySet<string> = new Set(['AWS::S3::Object', 'AWS::DynamoDB::Table', 'AWS::Lambda::Function']);
const categories: ReadonlySet<string> = new Set(['Management', 'Data']);

function basic(selector: EventSelector): TrailSelector {
  const { ReadWriteType = 'All', IncludeManagementEvents = true, DataResources = [] } = selector;
  if (!['All', 'ReadOnly', 'WriteOnly'].includes(ReadWriteType))
    throw invalidSelectors(`${ReadWriteType} is not a valid value of ReadWriteType.`);
  return {
    readWriteType: ReadWriteType,
    includeManagementEvents: IncludeManagementEvents,
    dataResources: DataResources.map(({ Type = '', Values = [] }) => {
      if (!dataTypes.has(Type)) throw invalidSelectors(`${Type} is not a valid type of a data resource.`);
      const wrong = Values.find((value) => !/^arn:[\w-]+:(s3|dynamodb|lambda)(:|$)/.test(value));
      if (wrong !== undefined) throw invalidSelectors(`${wrong} is not a valid value of a data resource.`);
      return { type: Type, values: [...Values] };
    }),
    excludedSources: [...(selector.ExcludeManagementEventSources ?? [])],
  };
}

function advanced(selector: AdvancedEventSelector): AdvancedTrailSelector {
  const fields = (selector.FieldSelectors ?? []).map(advancedField);
  const only = (name: string) => fields.find(({ field }) => field === name)?.Equals;
  const category = only('eventCategory');
  if (category?.length !== 1) throw invalidSelectors('A selector needs eventCategory with one value that it equals.');
  if (category[0] === 'NetworkActivity') throw unsupported('network activity events');
  if (!categories.has(category[0] ?? '')) throw invalidSelectors(`${category[0]} is not a valid eventCategory.`);
  if (category[0] === 'Data') {
    const types = only('resources.type');
    if (types?.length !== 1) throw invalidSelectors('Data events need resources.type with one value that it equals.');
    if (!dataTypes.has(types[0] ?? '')) throw unsupported(`data events of ${types[0]}`);
  }
  return { ...(selector.Name !== undefined && { name: selector.Name }), fields };
}

function advancedField(given: AdvancedFieldSelector): AdvancedTrailSelector['fields'][number] {
  const { Field = '' } = given;
  if (!selectableFields.has(Field)) throw invalidSelectors(`${Field} is not a field that can be selected by.`);
  const conditions = fieldOperators.flatMap((name) => {
    const values = given[name];
    return values?.length ? [[name, [...values]] as const] : [];
  });
  if (conditions.length === 0) throw invalidSelectors(`The field ${Field} needs a condition.`);
  return { field: Field, ...Object.fromEntries(conditions) };
}

function putEventSelectors(call: Call, input: PutEventSelectorsRequest): PutEventSelectorsResponse {
  const { selectors: _, advancedSelectors: __, ...rest } = findOwnTrail(call, input.TrailName ?? '');
  const { EventSelectors = [], AdvancedEventSelectors = [] } = input;
  if ((EventSelectors.length === 0) === (AdvancedEventSelectors.length === 0))
    throw invalidSelectors('Either event selectors or advanced event selectors are needed, and not both.');
  if (EventSelectors.length > mostSelectors)
    throw invalidSelectors(`A trail has ${mostSelectors} event selectors at most.`);
  const row: TrailRow =
    EventSelectors.length > 0
      ? { ...rest, selectors: EventSelectors.map(basic) }
      : { ...rest, advancedSelectors: AdvancedEventSelectors.map(advanced) };
  const resources = row.selectors?.flatMap((one) => one.dataResources.flatMap(({ values }) => values)) ?? [];
  if (resources.length > mostResources) throw invalidSelectors(`A trail has ${mostResources} data resources at most.`);
  const conditions = row.advancedSelectors?.flatMap((one) =>
    one.fields.flatMap((field) => Object.values(field).slice(1).flat()),
  );
  if ((conditions ?? []).length > mostValues)
    throw invalidSelectors(`A trail has ${mostValues} values of conditions at most.`);
  call.tx.put('trail', row);
  return told(row);
}

function told(row: TrailRow): PutEventSelectorsResponse {
  if (row.advancedSelectors) {
    const AdvancedEventSelectors = row.advancedSelectors.map(({ name, fields }) => ({
      ...(name !== undefined && { Name: name }),
      FieldSelectors: fields.map(({ field, ...conditions }) => ({ Field: field, ...conditions })),
    }));
    return { TrailARN: row.id, AdvancedEventSelectors };
  }
  const EventSelectors = (row.selectors ?? [everyManagementEvent]).map((one) => ({
    ReadWriteType: one.readWriteType,
    IncludeManagementEvents: one.includeManagementEvents,
    DataResources: one.dataResources.map(({ type, values }) => ({ Type: type, Values: values })),
    ExcludeManagementEventSources: one.excludedSources,
  }));
  return { TrailARN: row.id, EventSelectors };
}

const on = (call: BaseCall, input: { TrailName?: string | undefined }): Permission[] => [
  { action: `cloudtrail:${call.operation}`, resource: trailArn(call, input.TrailName ?? '') },
];

export const eventSelectorOperations = {
  PutEventSelectors: operation<PutEventSelectorsRequest, PutEventSelectorsResponse>({
    authorize: on,
    run: putEventSelectors,
  }),
  GetEventSelectors: operation<GetEventSelectorsRequest, GetEventSelectorsResponse>({
    authorize: on,
    run: (call, input) => told(findTrail(call, input.TrailName ?? '')),
    readOnly: true,
  }),
};
