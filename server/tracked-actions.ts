// Which actions does the access advisor tell of, besides the services? AWS names EC2, IAM, Lambda and S3, of these what creates, deletes or changes something,
// and no data: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_access-advisor.html#access_policies_access-advisor-know (read 2026-11-21).
// Its list is longer by now and no source has all of it. iam:PassRole is not tracked (the same page).

import { type ActionFacts, factsOf } from './authorize/facts.ts';

const services: ReadonlySet<string> = new Set(['ec2', 'iam', 's3']);
const changes = /Write|Permissions management|Tagging/;

function isTracked(namespace: string, { name, level, resources }: ActionFacts): boolean {
  const ofData = namespace === 's3' && [...resources.keys()].some((type) => type.includes('object'));
  return changes.test(level) && !ofData && name !== 'PassRole';
}

/** Every request asks. */
const asked = new Map<string, Map<string, string | undefined>>();

/** @returns the tracked action's own name, where an operation is one */
export function trackedAction(namespace: string, operation: string | undefined): string | undefined {
  if (operation === undefined || !services.has(namespace)) return undefined;
  const names = asked.get(namespace) ?? new Map<string, string | undefined>();
  asked.set(namespace, names);
  if (!names.has(operation)) {
    const facts = factsOf(namespace)?.action(operation);
    names.set(operation, facts && isTracked(namespace, facts) ? facts.name : undefined);
  }
  return names.get(operation);
}

export function trackedActionsOf(namespace: string): string[] {
  const names = services.has(namespace) ? (factsOf(namespace)?.actionNames ?? []) : [];
  return names.filter((name) => trackedAction(namespace, name) !== undefined).sort();
}
