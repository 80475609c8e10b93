// What is there at AWS, whether Postern serves it or not: the names of services and their actions, and which of them resource control policies reach.
// AWS's Service Authorization Reference, by scripts/extract-authorization-facts.mjs. Read with the first question.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { factsOf } from './authorize/facts.ts';

export interface ServiceReference {
  /** By namespace, the prefix of the service's actions: `s3` → `Amazon S3`. */
  readonly names: ReadonlyMap<string, string>;
  readonly withRcps: ReadonlySet<string>;
}

let loaded: ServiceReference | undefined;

export function serviceReference(): ServiceReference {
  if (loaded) return loaded;
  const { names, withRcps } = read('all-services') as { names: Record<string, string>; withRcps: string[] };
  loaded = { names: new Map(Object.entries(names)), withRcps: new Set(withRcps) };
  return loaded;
}

/** Whether a condition may ask for the key, on whatever resource the action is. Of served services alone. */
export function hasConditionKey(action: string, key: string): boolean {
  const [namespace = '', name = ''] = action.split(':');
  const facts = factsOf(namespace.toLowerCase())?.action(name);
  // Keys of tags are known by what is before the tag's name: `s3:existingobjecttag/`.
  const known = key.toLowerCase().replace(/\/.*$/, '/');
  return facts !== undefined && [facts, ...facts.resources.values()].some(({ keys }) => keys.has(known));
}

/**
 * The form of an action's resource that an ARN has, with the names of its parts: `arn:aws:s3:::${BucketName}/${ObjectName}` for `s3:GetObject` of an object.
 * Of served services alone.
 */
export function resourceForm(action: string, arn: string, partition: string): string | undefined {
  const [namespace = '', name = ''] = action.split(':');
  const facts = factsOf(namespace.toLowerCase());
  const types = [...(facts?.action(name)?.resources.keys() ?? [])];
  const forms = types.flatMap((type) => facts?.resourceTypes[type] ?? []);
  return forms.find((form) => hasForm(arn, form))?.replace(/\$\{Partition\}/, partition);
}

/** Are the action's resources of the service that the ARN names? Of what is not known here, yes. */
export function takesResource(action: string, arn: string): boolean {
  const [namespace = '', name = ''] = action.split(':');
  const facts = factsOf(namespace.toLowerCase());
  const forms = [...(facts?.action(name)?.resources.keys() ?? [])].flatMap((type) => facts?.resourceTypes[type] ?? []);
  const serviceOf = (text: string) => text.split(':')[2];
  return forms.length === 0 || forms.some((form) => serviceOf(form) === serviceOf(arn));
}

/** The last part of a form takes everything that is left. */
function hasForm(arn: string, form: string): boolean {
  const fixed = form.split(/\$\{\w+\}/).map((text) => text.replace(/[.*+?^$|()[\]\\/]/g, '\\$&'));
  const last = fixed.pop() ?? '';
  return new RegExp(`^${fixed.join('[^:/]*')}.*${last}$`).test(arn);
}

function read(name: string): unknown {
  const here = dirname(fileURLToPath(import.meta.url));
  // Beside the bundle (dist/server.mjs), or in dist/ seen from the source.
  const places = [here, join(here, '..', 'dist')].map((place) => join(place, 'authorization', `${name}.json`));
  const file = places.find((place) => existsSync(place));
  if (file === undefined) {
    throw new Error(`${name}.json is missing; run: node scripts/extract-authorization-facts.mjs`);
  }
  return JSON.parse(readFileSync(file, 'utf8'));
}
