// The filter of a rule that is kept about a bucket's objects (replication, analytics, metrics, tiering): one condition, or a conjunction of several.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_AnalyticsFilter.html and neighbours (read 2026-11-21)

import type { Tag } from '@aws-sdk/client-s3';
import { invalidRequest, malformedXml } from './errors.ts';

interface Conditions {
  readonly Prefix?: string | undefined;
  readonly AccessPointArn?: string | undefined;
}

/** As the SDK types them: of each member there is at most one. */
export type RuleFilter = Conditions & {
  readonly Tag?: Tag | undefined;
  readonly And?: (Conditions & { readonly Tags?: Tag[] | undefined }) | undefined;
  readonly $unknown?: unknown;
};

export function tagsOf(filter: RuleFilter | undefined): readonly Tag[] {
  return [...(filter?.Tag ? [filter.Tag] : []), ...(filter?.And?.Tags ?? [])];
}

/** @throws MalformedXML, InvalidRequest */
export function checkFilter(filter: RuleFilter): void {
  const { And: all, ...one } = filter;
  const given = Object.values(one).filter((value) => value !== undefined).length + (all ? 1 : 0);
  if (given !== 1) throw malformedXml();
  if (all) {
    const { Tags = [], ...others } = all;
    if (Object.values(others).filter((value) => value !== undefined).length + Tags.length < 2) throw malformedXml();
  }
  const keys = tagsOf(filter).map(({ Key }) => Key);
  if (keys.some((key) => !key)) throw malformedXml();
  if (new Set(keys).size < keys.length) throw invalidRequest('Duplicate Tag Keys are not allowed.');
}
