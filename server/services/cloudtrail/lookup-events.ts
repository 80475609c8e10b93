// Who did what in this account and Region in the last 90 days? Management events, the newest first (L5); data events are never here.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html (read 2026-11-22). AWS shows an event some five minutes later; here
// it is there with the answer of the call. Gap: two requests a second are the most at AWS, here nobody counts.

import { createHash } from 'node:crypto';
import type { Event, LookupAttribute, LookupEventsRequest, LookupEventsResponse } from '@aws-sdk/client-cloudtrail';
import type { StreamCall } from '../../service.ts';
import type { EventHistory, HistoryQuestion } from '../../trail/event-history.ts';
import {
  invalidEventCategory,
  invalidLookupAttributes,
  invalidMaxResults,
  invalidNextToken,
  invalidTimeRange,
} from './errors.ts';
import { type EventFields, summaryOf } from './event-summary.ts';

const mostResults = 50;

interface Attribute {
  /** A piece of text that the record has then. */
  readonly containing: (value: string) => string;
  readonly fits: (event: Event, value: string) => boolean;
}

const inJson = (value: string) => JSON.stringify(value).slice(1, -1);

const attributes: Readonly<Record<string, Attribute>> = {
  AccessKeyId: { containing: inJson, fits: (event, value) => event.AccessKeyId === value },
  EventId: { containing: inJson, fits: (event, value) => event.EventId === value },
  EventName: {
    containing: (value) => `"eventName":"${inJson(value)}"`,
    fits: (event, value) => event.EventName === value,
  },
  EventSource: { containing: inJson, fits: (event, value) => event.EventSource === value },
  ReadOnly: { containing: () => '', fits: (event, value) => event.ReadOnly === value },
  ResourceName: {
    containing: inJson,
    fits: (event, value) => event.Resources?.some((one) => one.ResourceName === value) === true,
  },
  ResourceType: {
    containing: () => '',
    fits: (event, value) => event.Resources?.some((one) => one.ResourceType === value) === true,
  },
  Username: {
    containing: (value) => (value === 'root' ? '' : inJson(value)),
    fits: (event, value) => event.Username === value,
  },
};

export function lookupEvents(history: EventHistory) {
  return async (call: StreamCall, input: LookupEventsRequest): Promise<LookupEventsResponse> => {
    const most = input.MaxResults ?? mostResults;
    if (most < 1 || most > mostResults) throw invalidMaxResults(mostResults);
    const { StartTime: start, EndTime: end } = input;
    if (start && end && start > end) throw invalidTimeRange();
    const wanted = attributeOf(input.LookupAttributes);
    if (input.EventCategory !== undefined && input.EventCategory !== 'insight')
      throw invalidEventCategory(input.EventCategory);
    const before = placeOf(input);
    // Insights are not to be had here, so nobody has any.
    if (input.EventCategory === 'insight') return { Events: [] };
    const question: HistoryQuestion = {
      accountId: call.accountId,
      region: call.region,
      now: call.now,
      ...(before !== undefined && { before }),
      ...(wanted?.key === 'ReadOnly' && { readOnly: wanted.value === 'true' }),
      ...(wanted && { containing: wanted.attribute.containing(wanted.value) }),
      ...(start && { since: start }),
    };
    const Events: Event[] = [];
    let last = 0;
    for await (const { place, text } of history.find(question)) {
      const event = summaryOf(JSON.parse(text) as EventFields, text);
      const time = event.EventTime ?? call.now;
      const isInRange = (!start || time >= start) && (!end || time <= end);
      if (!isInRange || (wanted && !wanted.attribute.fits(event, wanted.value))) continue;
      // One more than is wanted: then there is a next page.
      if (Events.length === most) return { Events, NextToken: tokenOf(last, input) };
      Events.push(event);
      last = place;
    }
    return { Events };
  };
}

function attributeOf(given: readonly LookupAttribute[] = []) {
  if (given.length > 1) throw invalidLookupAttributes('You can specify only one lookup attribute.');
  const [one] = given;
  if (!one) return undefined;
  const { AttributeKey: key = '', AttributeValue: value } = one;
  const attribute = Object.hasOwn(attributes, key) ? attributes[key] : undefined;
  if (!attribute || !value) throw invalidLookupAttributes(`The lookup attribute ${key} is not valid.`);
  return { key, value, attribute };
}

/** A token is a place, good for the question that it was given for. */
function tokenOf(place: number, input: LookupEventsRequest): string {
  return Buffer.from(`${place} ${digestOf(input)}`).toString('base64');
}

function digestOf({ LookupAttributes, StartTime, EndTime, EventCategory }: LookupEventsRequest): string {
  const asked = JSON.stringify([LookupAttributes, StartTime, EndTime, EventCategory]);
  return createHash('sha256').update(asked).digest('hex').slice(0, 16);
}

function placeOf(input: LookupEventsRequest): number | undefined {
  if (input.NextToken === undefined) return undefined;
  const [place, digest] = Buffer.from(input.NextToken, 'base64').toString().split(' ');
  if (place === undefined || !/^\d{1,16}$/.test(place) || digest !== digestOf(input)) throw invalidNextToken();
  return Number(place);
}
