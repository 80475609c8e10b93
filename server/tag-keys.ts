// The condition keys of tags: those that a request brings or takes away, and those that a resource has.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html (read 2026-11-21)

type Context = Record<string, readonly string[]>;

interface GivenTag {
  readonly Key?: string | undefined;
  readonly Value?: string | undefined;
}

/**
 * `aws:RequestTag/KEY`, and `aws:TagKeys` unless there are no tags at all.
 * @param taken the keys of tags that the request removes
 */
export function requestTagKeys(given: readonly GivenTag[] | undefined, taken?: readonly string[]): Context {
  const keys = [...(given ?? []).map(({ Key = '' }) => Key), ...(taken ?? [])];
  return {
    ...Object.fromEntries((given ?? []).map(({ Key = '', Value = '' }) => [`aws:RequestTag/${Key}`, [Value]])),
    ...(keys.length > 0 && { 'aws:TagKeys': keys }),
  };
}

/** A key for each tag. @param prefix `aws:ResourceTag`, or a service's own name for it */
export function tagKeys(prefix: string, tags: Readonly<Record<string, string>> | undefined): Context {
  return Object.fromEntries(Object.entries(tags ?? {}).map(([key, value]) => [`${prefix}/${key}`, [value]]));
}
