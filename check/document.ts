// The check file: YAML in, assertions out, each part with its line and column. Strict: a key that is not known, a word that means nothing, a value of
// another type is a problem with its place, and no assertion of a file that has one is looked at. docs/check.md tells the form; check.schema.json the same.

import { isAlias, isMap, isScalar, isSeq, type Node, type YAMLMap } from 'yaml';
import { type End, parseEnd, parseRoad, type Road } from './ends.ts';
import { meant } from './nearest.ts';
import { type Place, type Problem, Source } from './source.ts';
import { parseTraffic, type Traffic } from './traffic.ts';

/** A thing as the person wrote it, and where. */
export interface Written<T> {
  readonly text: string;
  readonly place: Place;
  readonly means: T;
}

export type Verb = 'reaches' | 'does-not-reach' | 'may-reach';

interface Common {
  readonly name: string;
  readonly place: Place;
  /** An end that exists and has nobody in it, or does not exist, is no failure. */
  readonly allowEmpty: boolean;
}

/** Who can send packets to whom. */
export interface NetworkAssertion extends Common {
  readonly kind: 'network';
  readonly from: readonly Written<End>[];
  readonly verb: Verb;
  readonly to: readonly Written<End>[];
  /** Empty: not said. */
  readonly traffic: readonly Traffic[];
  readonly onlyThrough?: readonly Written<Road>[];
}

export interface Who {
  readonly kind: 'role' | 'user' | 'anonymous';
  readonly name: string;
}

/** Who may do what, as all policies together decide. */
export interface PolicyAssertion extends Common {
  readonly kind: 'policy';
  readonly who: Written<Who>;
  readonly can: readonly Written<string>[];
  readonly cannot: readonly Written<string>[];
  /** ARNs, or `bucket NAME[/KEY]`; `*` when none is said. */
  readonly resources: readonly Written<string>[];
  /** Whose road the request takes; empty: over the internet, from the person's terminal. */
  readonly from: readonly Written<End>[];
  /** Condition keys of the request, besides those that follow from caller and road. */
  readonly when: Readonly<Record<string, readonly string[]>>;
}

export type Assertion = NetworkAssertion | PolicyAssertion;

export type Read =
  | { readonly ok: true; readonly assertions: readonly Assertion[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const verbs = ['reaches', 'does-not-reach', 'may-reach'] as const satisfies readonly Verb[];
const networkKeys = ['name', 'from', ...verbs, 'traffic', 'only-through', 'allow-empty'];
const policyKeys = ['name', 'who', 'can', 'cannot', 'resource', 'from', 'when', 'allow-empty'];
const topKeys = ['names', 'checks'];

/** Reads a file's text. Throws nothing: what is wrong with it is in the answer. */
export function readDocument(text: string): Read {
  const source = new Source(text);
  const assertions = source.problems.length === 0 ? new Reader(source).read() : [];
  return source.problems.length === 0 ? { ok: true, assertions } : { ok: false, problems: source.problems };
}

class Reader {
  readonly #source: Source;
  /** Ends with names of the file's own. */
  readonly #names = new Map<string, readonly Written<End>[]>();

  constructor(source: Source) {
    this.#source = source;
  }

  read(): Assertion[] {
    const top = this.#source.top();
    if (!isMap(top)) return this.#none(top, "the file is a mapping with the list 'checks'");
    this.#onlyKeys(top, topKeys, 'the file');
    const names = this.#value(top, 'names');
    if (names !== undefined) this.#readNames(names);
    const checks = this.#value(top, 'checks');
    if (!isSeq(checks)) return this.#none(checks ?? top, "'checks' is a list of assertions");
    if (checks.items.length === 0) return this.#none(checks, "'checks' is empty, so nothing is checked");
    return checks.items.flatMap((item) => this.#assertion(this.#source.resolve(item)));
  }

  #none(node: Node | undefined, message: string): [] {
    this.#source.problem(node, message);
    return [];
  }

  #readNames(node: Node): void {
    if (!isMap(node)) return void this.#source.problem(node, "'names' is a mapping from a name to an end");
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : '';
      if (typeof parseEnd(name) === 'object' && /^(internet|[\d.:a-f]+(\/\d+)?)$/.test(name))
        this.#source.problem(key, `'${name}' means something already`);
      else this.#names.set(name, this.#ends(this.#source.resolve(value), `the end '${name}'`));
    }
  }

  #assertion(node: Node | undefined): Assertion[] {
    if (!isMap(node))
      return this.#none(node, 'an assertion is a mapping, e.g. { from: internet, does-not-reach: sg db }');
    if (node.has('who')) return this.#policy(node);
    if (node.has('from')) return this.#network(node);
    const known = [...new Set([...networkKeys, ...policyKeys])];
    for (const { key } of node.items) {
      const word = isScalar(key) ? String(key.value) : '';
      if (!known.includes(word)) this.#source.problem(key, `unknown key '${word}'${meant(word, known)}`);
    }
    return this.#none(node, "an assertion begins with 'from' (who sends) or 'who' (who asks)");
  }

  #network(node: YAMLMap): NetworkAssertion[] {
    this.#onlyKeys(node, networkKeys, 'an assertion about flows');
    const said = verbs.filter((verb) => node.has(verb));
    const [verb] = said;
    if (verb === undefined || said.length > 1) return this.#none(node, `an assertion says one of ${verbs.join(', ')}`);
    const from = this.#ends(this.#value(node, 'from'), "'from'");
    const to = this.#ends(this.#value(node, verb), `'${verb}'`);
    for (const { means, place } of from)
      if (means.kind === 'service' || means.kind === 'bucket')
        this.#source.problemAt(place, 'a service sends nothing of its own accord; it can only be reached');
    const traffic = this.#texts(this.#value(node, 'traffic'), "'traffic'").flatMap(({ text, place }) => {
      const parsed = parseTraffic(text);
      if (typeof parsed !== 'string') return parsed;
      this.#source.problemAt(place, parsed);
      return [];
    });
    const roadsNode = this.#value(node, 'only-through');
    const onlyThrough = roadsNode && this.#roads(roadsNode);
    if (onlyThrough !== undefined && verb === 'does-not-reach')
      this.#source.problem(roadsNode, "'only-through' goes with 'reaches' or 'may-reach'");
    if (onlyThrough === undefined && verb === 'may-reach')
      this.#source.problem(node, "'may-reach' says something only with 'only-through'");
    return [
      {
        kind: 'network',
        ...this.#common(node, () => sentence(from, verb, to, traffic, onlyThrough)),
        from,
        verb,
        to,
        traffic,
        ...(onlyThrough && { onlyThrough }),
      },
    ];
  }

  #policy(node: YAMLMap): PolicyAssertion[] {
    this.#onlyKeys(node, policyKeys, 'an assertion about permissions');
    const [who] = this.#texts(this.#value(node, 'who'), "'who'").flatMap((written) => this.#who(written));
    const can = this.#actions(node, 'can');
    const cannot = this.#actions(node, 'cannot');
    if (!node.has('can') && !node.has('cannot'))
      this.#source.problem(node, "an assertion about permissions says 'can', 'cannot' or both");
    const given = this.#texts(this.#value(node, 'resource'), "'resource'").flatMap((one) => this.#resource(one));
    if (!node.has('resource') && [...can, ...cannot].some(({ text }) => text.toLowerCase().startsWith('s3:')))
      if (![...can, ...cannot].every(({ text }) => /^s3:ListAllMyBuckets$/i.test(text)))
        this.#source.problem(node, "S3's actions are asked about a 'resource', e.g. bucket media/photos/1.jpg");
    const from = node.has('from') ? this.#ends(this.#value(node, 'from'), "'from'") : [];
    if (who === undefined) return [];
    const everywhere: Written<string> = { text: '*', place: who.place, means: '*' };
    const resources = given.length > 0 ? given : [everywhere];
    return [
      {
        kind: 'policy',
        ...this.#common(node, () => permissionSentence(who.text, can, cannot, given)),
        who,
        can,
        cannot,
        resources,
        from,
        when: this.#when(this.#value(node, 'when')),
      },
    ];
  }

  #common(node: YAMLMap, otherwise: () => string): Common {
    const nameNode = this.#value(node, 'name');
    const emptyNode = this.#value(node, 'allow-empty');
    let name: string | undefined;
    if (isScalar(nameNode) && typeof nameNode.value === 'string' && nameNode.value.trim() !== '') name = nameNode.value;
    else if (nameNode !== undefined) this.#source.problem(nameNode, "'name' is a text");
    if (emptyNode !== undefined && !(isScalar(emptyNode) && typeof emptyNode.value === 'boolean'))
      this.#source.problem(emptyNode, "'allow-empty' is true or false");
    const allowEmpty = isScalar(emptyNode) && emptyNode.value === true;
    return { name: name ?? otherwise(), place: this.#source.placeOf(node), allowEmpty };
  }

  #onlyKeys(node: YAMLMap, known: readonly string[], where: string): void {
    for (const { key } of node.items) {
      const word = isScalar(key) ? String(key.value) : '';
      if (!known.includes(word))
        this.#source.problem(key, `unknown key '${word}'${meant(word, known)} (${where} has ${known.join(', ')})`);
    }
  }

  #value(node: YAMLMap, key: string): Node | undefined {
    const pair = node.items.find((each) => isScalar(each.key) && each.key.value === key);
    if (pair === undefined) return undefined;
    const value = this.#source.resolve(pair.value);
    // `from:` with nothing after it: the place is the key's.
    if (isAlias(pair.value) && value === undefined) return undefined;
    if (value === undefined || (isScalar(value) && value.value === null)) {
      this.#source.problem(pair.key, `'${key}' says nothing`);
      return undefined;
    }
    return value;
  }

  /** A text, or a list of them. */
  #texts(node: Node | undefined, what: string): Written<undefined>[] {
    if (node === undefined) return [];
    if (isSeq(node)) {
      if (node.items.length === 0) this.#source.problem(node, `${what} is an empty list`);
      return node.items.flatMap((item) => this.#text(this.#source.resolve(item), what));
    }
    return this.#text(node, what);
  }

  #text(node: Node | undefined, what: string): Written<undefined>[] {
    // A port alone is a number, and so may a name be.
    if (isScalar(node) && (typeof node.value === 'string' || typeof node.value === 'number'))
      return [{ text: String(node.source ?? node.value), place: this.#source.placeOf(node), means: undefined }];
    return this.#none(node, `${what} is a text or a list of texts`);
  }

  #ends(node: Node | undefined, what: string): Written<End>[] {
    return this.#texts(node, what).flatMap(({ text, place }): readonly Written<End>[] => {
      const named = this.#names.get(text);
      if (named !== undefined) return named.map((each) => ({ ...each, text, place }));
      const means = parseEnd(text);
      if (typeof means !== 'string') return [{ text, place, means }];
      this.#source.problemAt(place, means);
      return [];
    });
  }

  #roads(node: Node): Written<Road>[] {
    return this.#texts(node, "'only-through'").flatMap(({ text, place }) => {
      const means = parseRoad(text);
      if (typeof means !== 'string') return [{ text, place, means }];
      this.#source.problemAt(place, means);
      return [];
    });
  }

  #who({ text, place }: Written<undefined>): Written<Who>[] {
    const [, kind, name = ''] = /^(role|user) (\S+)$/.exec(text) ?? [];
    if (kind === 'role' || kind === 'user') return [{ text, place, means: { kind, name } }];
    if (text === 'anonymous') return [{ text, place, means: { kind: 'anonymous', name: text } }];
    this.#source.problemAt(place, `'${text}' is nobody: 'role NAME', 'user NAME' or 'anonymous'`);
    return [];
  }

  #actions(node: YAMLMap, key: 'can' | 'cannot'): Written<string>[] {
    return this.#texts(this.#value(node, key), `'${key}'`).flatMap(({ text, place }) => {
      if (/^[a-z0-9-]+:[A-Za-z0-9]+$/.test(text)) return [{ text, place, means: text }];
      const why = text.includes('*') ? 'is a pattern; name one action, so that the answer is one' : 'is no action';
      this.#source.problemAt(place, `'${text}' ${why} (s3:GetObject)`);
      return [];
    });
  }

  /** A pattern would be compared as a text with the policies' own patterns, and what denies a part of it would not be seen. */
  #resource({ text, place }: Written<undefined>): Written<string>[] {
    if (/[*?]/.test(text)) {
      this.#source.problemAt(place, `'${text}' is a pattern; policies are asked about one resource, so name one`);
      return [];
    }
    if (/^bucket \S+/.test(text) || /^arn:[^:]+:[^:]+:[^:]*:[^:]*:.+$/.test(text))
      return [{ text, place, means: text }];
    this.#source.problemAt(place, `'${text}' is no resource: 'bucket NAME', 'bucket NAME/KEY' or an ARN`);
    return [];
  }

  #when(node: Node | undefined): Record<string, readonly string[]> {
    if (node === undefined) return {};
    if (!isMap(node)) {
      this.#source.problem(node, "'when' is a mapping from condition keys to their values");
      return {};
    }
    const pairs = node.items.map(({ key, value }) => {
      const values = this.#source.resolve(value);
      const texts = isSeq(values) ? values.items.map((item) => this.#source.resolve(item)) : [values];
      const said = texts.flatMap((each) =>
        isScalar(each) && each.value !== null
          ? [String(each.value)]
          : this.#none(each, 'a condition key has texts as values'),
      );
      return [isScalar(key) ? String(key.value) : '', said] as const;
    });
    return Object.fromEntries(pairs);
  }
}

const list = (all: readonly { readonly text: string }[], word: string) =>
  all.map(({ text }) => (text === 'internet' ? 'the internet' : text)).join(all.length > 2 ? ', ' : ` ${word} `);

/** `nothing from the internet reaches sg db on tcp 5432` */
function sentence(
  from: readonly Written<End>[],
  verb: Verb,
  to: readonly Written<End>[],
  traffic: readonly Traffic[],
  roads: readonly Written<Road>[] | undefined,
): string {
  const whom = `${list(to, 'and')}${traffic.length > 0 ? ` on ${list(traffic, 'and')}` : ''}`;
  if (verb === 'does-not-reach') return `nothing from ${list(from, 'or')} reaches ${whom}`;
  const how = roads === undefined ? '' : ` only through ${list(roads, 'or')}`;
  return `${list(from, 'and')} ${verb === 'reaches' ? 'reaches' : 'may reach'} ${whom}${how}`;
}

function permissionSentence(
  who: string,
  can: readonly Written<string>[],
  cannot: readonly Written<string>[],
  resources: readonly Written<string>[],
): string {
  const parts = [
    ...(can.length > 0 ? [`can ${list(can, 'and')}`] : []),
    ...(cannot.length > 0 ? [`cannot ${list(cannot, 'or')}`] : []),
  ];
  return `${who} ${parts.join(' but ')}${resources.length > 0 ? ` on ${list(resources, 'and')}` : ''}`;
}
