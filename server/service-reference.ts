// What is there at AWS, whether Postern serves it or not: the names of services, and which of them resource control policies reach.
// AWS's Service Authorization Reference, by scripts/extract-authorization-facts.mjs. Read with the first question.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface ServiceReference {
  /** By namespace, the prefix of the service's actions: `s3` → `Amazon S3`. */
  readonly names: ReadonlyMap<string, string>;
  readonly withRcps: ReadonlySet<string>;
}

let loaded: ServiceReference | undefined;

export function serviceReference(): ServiceReference {
  if (loaded) return loaded;
  const here = dirname(fileURLToPath(import.meta.url));
  // Beside the bundle (dist/server.mjs), or in dist/ seen from the source.
  const places = [here, join(here, '..', 'dist')].map((place) => join(place, 'authorization', 'all-services.json'));
  const file = places.find((place) => existsSync(place));
  if (file === undefined) {
    throw new Error(`the list of services is missing; run: node scripts/extract-authorization-facts.mjs`);
  }
  const { names, withRcps } = JSON.parse(readFileSync(file, 'utf8')) as {
    names: Record<string, string>;
    withRcps: string[];
  };
  loaded = { names: new Map(Object.entries(names)), withRcps: new Set(withRcps) };
  return loaded;
}
