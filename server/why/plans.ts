// Network and policies together: each way that leads to the service, with what the policies would say to a request by that way, and what of them would
// have to change. A plan is told only when all of it together was tried and opens the request.

import type { Snapshot } from '@postern/network/snapshot.ts';
import { evaluate } from '@postern/policy/evaluate.ts';
import { compileGlob } from '@postern/policy/pattern.ts';
import { applyEdits, byPlace, type Edit } from '@postern/policy/remedy/edits.ts';
import { type Choice, type PolicyRemedy, remediesOf } from '@postern/policy/remedy/remedies.ts';
import type { PolicyQuestion } from '../authorize/authorize.ts';
import { factsOf } from '../authorize/facts.ts';
import type { Cure, RemedyPlan, RemedyStep } from '../operator/api.ts';
import type { RequestPath } from '../path.ts';
import type { Transaction } from '../store/store.ts';
import { networkSteps, withNewAddress } from './network-commands.ts';
import { policyCommands, takesPolicy } from './policy-commands.ts';
import { mustAllowName } from './policy-links.ts';
import type { OtherWay } from './ways.ts';

const mostPlans = 4;

export interface Planning {
  readonly tx: Transaction;
  readonly snapshot: Snapshot;
  readonly ways: readonly OtherWay[];
  /** Why the network has no way, where it has none. */
  readonly unsolved: readonly string[];
  /** The request as it would be by another way. */
  readonly question: (path: RequestPath) => PolicyQuestion;
}

interface Weighed extends RemedyPlan {
  readonly weight: number;
  readonly policySteps: number;
  readonly networkSteps: number;
}

export function cureOf(planning: Planning): Cure {
  const { tx, snapshot, ways, question } = planning;
  const unsolved = new Set(planning.unsolved);
  const plans: Weighed[] = [];
  for (const way of ways) {
    const asked = question(way.path);
    const steps = policySteps(tx, asked);
    if (typeof steps === 'string') {
      unsolved.add(ways.length > 1 ? `${way.title}: ${steps}` : steps);
      continue;
    }
    const inNetwork = networkSteps(snapshot, way.steps);
    plans.push({
      title: way.steps.length > 0 ? way.title : 'on the way it takes now',
      steps: withNewAddress([...inNetwork, ...steps]),
      weight: inNetwork.length + steps.reduce((sum, step) => sum + (step.guard === undefined ? 1 : 2.5), 0),
      policySteps: steps.length,
      networkSteps: inNetwork.length,
    });
  }
  // Another way is worth telling where it spares changes of policies, or where the first is not open either.
  const told = plans
    .filter(
      (plan) =>
        !plans.some(
          (other) => other !== plan && other.networkSteps < plan.networkSteps && other.policySteps <= plan.policySteps,
        ),
    )
    .sort((one, other) => one.weight - other.weight)
    .slice(0, mostPlans);
  return {
    plans: told.map(({ title, steps }) => ({ title, steps })),
    unsolved: told.length > 0 ? [] : [...unsolved],
  };
}

/** @returns the steps; a text where something is in the way that no command opens */
export function policySteps(tx: Transaction, { request, policies }: PolicyQuestion): RemedyStep[] | string {
  if (evaluate(request, policies).allowed) return [];
  const remedy = remediesOf(request, policies, {
    resourceTakesPolicy: takesPolicy(tx, request.resource),
    isFixed: isAwsOwn,
    applies: worksOn,
  });
  const [blocked] = remedy.unsolved;
  if (blocked !== undefined) return blocked.because;
  const writing = { tx, request, policies };
  const steps: RemedyStep[] = [];
  for (const group of samePlace(remedy)) {
    const [first] = group;
    if (first === undefined) continue;
    const choices = group.length > 1 ? [] : first.choices.slice(1);
    const edits = group.flatMap((step) => step.choices[0]?.edits ?? []);
    const commands = policyCommands(writing, edits);
    if (commands === undefined)
      return `nobody can write ${edits[0]?.policyId ?? 'a policy for this caller'} by a command`;
    const guard = group.flatMap((step) => step.choices[0]?.guard ?? [])[0];
    const taken = remedy.steps.filter((step) => !group.includes(step)).flatMap((step) => step.choices[0]?.edits ?? []);
    steps.push({
      what: `${placeName(request, edits)}: ${group.map((step) => step.choices[0]?.what ?? '').join('; ')}`,
      commands,
      ...(guard !== undefined && { guard }),
      or: choices.flatMap((choice) => alternative(writing, choice, taken)),
    });
  }
  const all = remedy.steps.flatMap((step) => step.choices[0]?.edits ?? []);
  return evaluate(request, applyEdits(policies, all)).allowed
    ? steps
    : 'no change of the policies was found that opens it';
}

/** A policy is written whole, so what changes in one is one command. */
function samePlace({ steps }: PolicyRemedy): PolicyRemedy['steps'][number][][] {
  const groups = new Map<string, PolicyRemedy['steps'][number][]>();
  for (const step of steps) {
    const key = placeKey(step.choices[0]?.edits ?? []);
    groups.set(key, [...(groups.get(key) ?? []), step]);
  }
  return [...groups.values()];
}

const placeKey = ([edit]: readonly Edit[]) => `${edit?.layer} ${edit?.policyId ?? ''}`;

function placeName(request: PolicyQuestion['request'], [edit]: readonly Edit[]): string {
  const names = { identity: 'identity policy', resource: 'resource policy', boundary: 'permissions boundary', session: 'session policy', scp: 'service control policy', rcp: 'resource control policy', endpoint: 'endpoint policy', trust: mustAllowName(request) } as const; // biome-ignore format: a table
  return edit === undefined ? '' : `${names[edit.layer]}${edit.policyId === undefined ? '' : ` (${edit.policyId})`}`;
}

/** Not where another step writes the same policy: one command would undo the other's. */
function alternative(
  writing: Parameters<typeof policyCommands>[0],
  { what, edits }: Choice,
  taken: readonly Edit[],
): RemedyStep['or'] {
  if (taken.some((edit) => placeKey([edit]) === placeKey(edits))) return [];
  const commands = byPlace(edits).map((group) => policyCommands(writing, group));
  return commands.includes(undefined)
    ? []
    : [{ what: `${placeName(writing.request, edits)}: ${what}`, commands: commands.flatMap((one) => one ?? []) }];
}

function isAwsOwn(policyId: string): boolean {
  return /^arn:[\w-]+:iam::aws:/.test(policyId) || policyId === 'p-FullAWSAccess' || policyId === 'p-RCPFullAWSAccess';
}

/** T4: S3 refuses a statement whose actions work on none of its resources. Of other services nothing is known, and they do not look. */
function worksOn(actions: readonly string[], resources: readonly string[]): boolean {
  const facts = factsOf('s3');
  if (facts === undefined || !actions.every((action) => action.startsWith('s3:'))) return true;
  const types = new Set(
    resources.flatMap((arn) =>
      arn.endsWith('*') && !arn.includes('/') ? ['bucket', 'object'] : [arn.includes('/') ? 'object' : 'bucket'],
    ),
  );
  const works = (name: string) => [...(facts.action(name)?.resources.keys() ?? [])].some((type) => types.has(type));
  return actions.some((action) => {
    const fits = compileGlob(action.slice('s3:'.length).toLowerCase());
    return facts.actionNames.some((name) => fits(name.toLowerCase()) && works(name));
  });
}
