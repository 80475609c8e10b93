// Which policies does AWS itself manage, and what do they say? Their latest versions as of 2026-09-16, out of the npm package that collects them
// (scripts/extract-managed-policies.mjs); the list is https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html.
// The index is read with the first question, a document when it is first asked for: most clouds use five of the 1,600.
// Gaps: earlier versions; policies that AWS has retired can still be attached.

import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface AwsManagedPolicy {
  readonly policyName: string;
  readonly policyId: string;
  readonly path: string;
  readonly versionId: string;
  /** When the policy was first published. */
  readonly createDate: string;
  /** When this version was. */
  readonly date: string;
  /** The text, read on demand. */
  readonly document: string;
}

/** version, first published, published, offset and length in bytes */
type Entry = readonly [string, string, string, number, number];

class ShippedPolicy implements AwsManagedPolicy {
  readonly policyName: string;
  readonly path: string;
  readonly #entry: Entry;
  #document: string | undefined;

  constructor(name: string, entry: Entry) {
    const slash = name.lastIndexOf('/');
    this.policyName = name.slice(slash + 1);
    this.path = name.slice(0, slash + 1);
    this.#entry = entry;
  }

  /** AWS's own id is not published for all of them; this one is stable at least. */
  get policyId(): string {
    return `ANPA${createHash('sha256').update(this.policyName).digest('hex').toUpperCase().slice(0, 17)}`;
  }

  get versionId(): string {
    return this.#entry[0];
  }

  get createDate(): string {
    return this.#entry[1];
  }

  get date(): string {
    return this.#entry[2];
  }

  get document(): string {
    this.#document ??= readDocument(this.#entry[3], this.#entry[4]);
    return this.#document;
  }
}

function readDocument(offset: number, length: number): string {
  const bytes = Buffer.alloc(length);
  const file = openSync(join(directory(), 'documents.txt'), 'r');
  try {
    readSync(file, bytes, 0, length, offset);
  } finally {
    closeSync(file);
  }
  return bytes.toString();
}

/** Beside the bundle (dist/server.mjs), or in dist/ seen from the source. */
function directory(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const places = [join(here, 'managed-policies'), join(here, '..', 'dist', 'managed-policies')];
  const found = places.find((place) => existsSync(join(place, 'index.json')));
  if (found !== undefined) return found;
  throw new Error(
    `AWS's managed policies are missing (looked in ${places.join(' and ')}); run: node scripts/extract-managed-policies.mjs`,
  );
}

let loaded: ReadonlyMap<string, AwsManagedPolicy> | undefined;

/** By path and name, in the order of the alphabet. */
function byPath(): ReadonlyMap<string, AwsManagedPolicy> {
  if (!loaded) {
    const index = JSON.parse(readFileSync(join(directory(), 'index.json'), 'utf8')) as Record<string, Entry>;
    loaded = new Map(Object.entries(index).map(([name, entry]) => [name, new ShippedPolicy(name, entry)]));
  }
  return loaded;
}

export function awsManagedPolicies(): readonly AwsManagedPolicy[] {
  return [...byPath().values()];
}

/** The policy that AWS manages under this ARN, in any partition; undefined when there is none. */
export function awsManagedPolicy(arn: string): AwsManagedPolicy | undefined {
  const match = /^arn:[\w-]+:iam::aws:policy(\/.+)$/.exec(arn);
  return match?.[1] === undefined ? undefined : byPath().get(match[1]);
}

/** The text of an AWS-managed policy's default version. */
export function managedPolicyDocument(arn: string): string | undefined {
  return awsManagedPolicy(arn)?.document;
}
