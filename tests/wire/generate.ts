// Random values for a shape of the catalogue, from a seed: the inputs and outputs of the wire test. Only values that both sides can carry:
// a query protocol has no empty list or structure, a header no line end, and HTTP dates no milliseconds.

import type { Member, OperationModel, Protocol, Shape, StructureShape } from '@postern/server/catalogue/shapes.ts';

export type Random = () => number;

/** mulberry32: small, and the same everywhere. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The seed of an operation, so that one failing operation can be run alone. */
export function seedOf(text: string): number {
  let hash = 2166136261;
  for (const character of text) hash = Math.imul(hash ^ character.charCodeAt(0), 16777619);
  return hash >>> 0;
}

interface Context {
  readonly random: Random;
  readonly protocol: Protocol;
  /** Members that the SDK or the edge gives a meaning of their own. */
  readonly skip: (member: Member, path: string) => boolean;
}

/** Below this only what is required, one of each; some inputs of SSM need ten levels. */
const optionalDepth = 5;
const maxDepth = 16;

export function generateInput(
  operation: OperationModel,
  random: Random,
  skip: Context['skip'],
): Record<string, unknown> {
  return operation.input
    ? structure({ random, protocol: operation.service.protocol, skip }, operation.input, 0, '')
    : {};
}

export function generateOutput(
  operation: OperationModel,
  random: Random,
  skip: Context['skip'],
): Record<string, unknown> {
  return operation.output
    ? structure({ random, protocol: operation.service.protocol, skip }, operation.output, 0, '')
    : {};
}

export function generateStructure(shape: StructureShape, protocol: Protocol, random: Random): Record<string, unknown> {
  return structure({ random, protocol, skip: () => false }, shape, 0, '');
}

function structure(context: Context, shape: StructureShape, depth: number, path: string): Record<string, unknown> {
  const output: Record<string, unknown> = {};
  const members = shape.members.filter(
    (member) => !context.skip(member, path) && possible(context, member.shape, depth),
  );
  const chosen =
    shape.kind === 'union'
      ? pick(context, members)
      : members.filter(
          (member) =>
            member.required ||
            always(member) ||
            always(member) ||
            (depth < optionalDepth && context.random() < (depth === 0 ? 0.8 : 0.6)),
        );
  // An empty structure is nothing on some wires.
  if (chosen.length === 0 && members[0]) chosen.push(members[0]);
  for (const member of chosen) output[member.name] = value(context, member, depth + 1, `${path}/${member.name}`);
  return output;
}

/** A client makes up a token that is absent, and a message with a payload always has one. */
function always(member: Member): boolean {
  return member.traits.idempotencyToken === 1 || member.ownTraits.httpPayload === 1 || isAccount(member);
}

/** S3 Control's client looks at it before it sends anything. */
function isAccount(member: Member): boolean {
  return member.ownTraits.httpHeader === 'x-amz-account-id';
}

function pick(context: Context, members: readonly Member[]): Member[] {
  const one = members[Math.floor(context.random() * members.length)];
  return one ? [one] : [];
}

/** False for what has no plain value within the depth. */
function possible(context: Context, shape: Shape, depth: number): boolean {
  switch (shape.kind) {
    case 'list':
      return depth < maxDepth && possible(context, shape.member.shape, depth + 1);
    case 'map':
      return depth < maxDepth && possible(context, shape.value.shape, depth + 1);
    case 'structure':
    case 'union':
      return depth < maxDepth && shape.members.some((member) => possible(context, member.shape, depth + 1));
    default:
      return true;
  }
}

function value(context: Context, member: Member, depth: number, path: string): unknown {
  const { random } = context;
  const { shape } = member;
  const { httpHeader, httpPrefixHeaders, httpQuery, httpLabel } = member.ownTraits;
  switch (shape.kind) {
    case 'string':
      if (isAccount(member)) return '123456789012';
      if (member.name === 'Bucket' && httpLabel) return `bucket-${Math.floor(random() * 1e6)}`;
      return httpHeader === undefined ? text(random) : headerText(random);
    case 'number':
      return member.ownTraits.httpResponseCode ? 200 : Math.floor(random() * 100_000);
    case 'boolean':
      return random() < 0.5;
    case 'timestamp':
      return new Date(Math.floor(1.6e9 + random() * 3e8) * 1000);
    case 'blob':
      return Buffer.from(Array.from({ length: 1 + Math.floor(random() * 30) }, () => Math.floor(random() * 256)));
    case 'document':
    case 'big-integer':
    case 'big-decimal':
      throw new Error(`no value for ${shape.kind}`);
    case 'list': {
      const inHead = httpHeader !== undefined || httpQuery !== undefined;
      const element = inHead
        ? { ...shape.member, ownTraits: { ...shape.member.ownTraits, httpHeader: 'x' } }
        : shape.member;
      return Array.from({ length: depth < optionalDepth ? 1 + Math.floor(random() * 3) : 1 }, () =>
        value(context, element, depth + 1, path),
      );
    }
    case 'map': {
      const entries = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, at): [string, unknown] => {
        const key = httpPrefixHeaders === undefined ? `${text(random)}${at}` : `key-${at}`;
        const element =
          httpPrefixHeaders === undefined ? shape.value : { ...shape.value, ownTraits: { httpHeader: 'x' } };
        return [key, value(context, element, depth + 1, path)];
      });
      return Object.fromEntries(entries);
    }
    case 'structure':
    case 'union':
      return structure(context, shape, depth, path);
  }
}

const words = [
  'vpc-0a1b2c3d4e5f60718',
  'a',
  'two words',
  '<&>"\'',
  'é日本𝒳',
  'line\nend',
  '1',
  'true',
  '{"a": [1]}',
  'a+b=c&d',
  '%2F',
  'x/y//z',
  ']]>',
  '&amp;',
];

function text(random: Random): string {
  const count = 1 + Math.floor(random() * 2);
  return Array.from({ length: count }, () => words[Math.floor(random() * words.length)]).join('-');
}

const headerWords = ['AES256', 'a-b', 'two words', 'k="v"', 'semi;colon', '100', 'text/plain'];

function headerText(random: Random): string {
  return headerWords[Math.floor(random() * headerWords.length)] ?? '';
}
