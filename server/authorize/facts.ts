// Which resources and condition keys does an action have? AWS's Service Authorization Reference, extracted at build time to
// dist/authorization/SERVICE.json by scripts/extract-authorization-facts.mjs, read on a service's first use.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface FactsFile {
  readonly conditionKeys: readonly string[];
  readonly resourceTypes: Readonly<Record<string, string>>;
  readonly actions: Readonly<
    Record<string, { level: string; keys: readonly number[]; resources: Readonly<Record<string, readonly number[]>> }>
  >;
}

export interface ActionFacts {
  /** With AWS's own capitals. */
  readonly name: string;
  /** `Write`, `Read`, `List`, `Tagging`, `Permissions management`; several with commas. */
  readonly level: string;
  /** Condition keys in lower case that hold for the action whatever the resource; a tag key ends in `/`. */
  readonly keys: ReadonlySet<string>;
  readonly resources: ReadonlyMap<string, ActionResource>;
}

export interface ActionResource {
  readonly type: string;
  readonly required: boolean;
  readonly keys: ReadonlySet<string>;
}

export interface ServiceFacts {
  /** Type → ARN with `${Partition}` and the like. */
  readonly resourceTypes: Readonly<Record<string, string>>;
  /** By the action's name in any case. */
  readonly action: (name: string) => ActionFacts | undefined;
  readonly actionNames: readonly string[];
}

const loaded = new Map<string, ServiceFacts | undefined>();

/** @returns the facts of a service, or undefined when none are shipped for it */
export function factsOf(service: string): ServiceFacts | undefined {
  if (!loaded.has(service)) loaded.set(service, load(service));
  return loaded.get(service);
}

function load(service: string): ServiceFacts | undefined {
  if (!/^[a-z0-9-]+$/.test(service)) return undefined;
  const directory = factsDirectory();
  const file = join(directory, `${service}.json`);
  if (!existsSync(file)) return undefined;
  const raw = JSON.parse(readFileSync(file, 'utf8')) as FactsFile;
  const names = new Map(Object.keys(raw.actions).map((name) => [name.toLowerCase(), name]));
  const made = new Map<string, ActionFacts>();
  return {
    resourceTypes: raw.resourceTypes,
    actionNames: Object.keys(raw.actions),
    action(asked) {
      const name = names.get(asked.toLowerCase());
      if (name === undefined) return undefined;
      let facts = made.get(name);
      if (!facts) {
        facts = makeAction(raw, name);
        made.set(name, facts);
      }
      return facts;
    },
  };
}

function makeAction(raw: FactsFile, name: string): ActionFacts {
  const action = raw.actions[name];
  const keysOf = (places: readonly number[]) =>
    new Set(
      places.map((place) => (raw.conditionKeys[place] ?? '').replace(/(\$\{[^}]*\}|<[^>]*>)$/, '').toLowerCase()),
    );
  const resources = new Map<string, ActionResource>();
  for (const [type, [required, ...keys]] of Object.entries(action?.resources ?? {})) {
    resources.set(type, { type, required: required === 1, keys: keysOf(keys) });
  }
  return { name, level: action?.level ?? '', keys: keysOf(action?.keys ?? []), resources };
}

/** Beside the bundle (dist/server.mjs), or in dist/ seen from the source (server/authorize/facts.ts). */
function factsDirectory(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const places = [join(here, 'authorization'), join(here, '..', '..', 'dist', 'authorization')];
  const found = places.find((place) => existsSync(join(place, 'ec2.json')));
  if (found === undefined) {
    throw new Error(
      `the authorization facts are missing (looked in ${places.join(' and ')}); run: node scripts/extract-authorization-facts.mjs`,
    );
  }
  return found;
}

/** `${Partition}` and the like filled in; every other placeholder takes `name`. */
export function fillArn(
  template: string,
  scope: { partition: string; region: string; accountId: string },
  name: string,
): string {
  return template.replace(/\$\{(\w+)\}/g, (_all, placeholder: string) =>
    placeholder === 'Partition'
      ? scope.partition
      : placeholder === 'Region'
        ? scope.region
        : placeholder === 'Account'
          ? scope.accountId
          : name,
  );
}
