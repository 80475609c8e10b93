// Which operations does a service have, and what do they take and give? Read from dist/catalogue, which scripts/extract-catalogue.mjs writes
// out of the SDK's schemas. The index is read at once; a service's shapes when it is first asked for, an operation's when it is first called.
// The numbers in the files are explained at the top of that script.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type {
  ErrorModel,
  HttpBinding,
  Member,
  OperationModel,
  RouteRow,
  ServiceModel,
  ServiceSummary,
  Shape,
  SimpleShape,
  StructureShape,
  Traits,
} from './shapes.ts';

type RawTraits = number | Traits;
type RawMember = [name: string, reference: number, traits: RawTraits];
type RawShape =
  | [0, string, RawTraits, number]
  | [1, string, RawTraits, number, RawTraits]
  | [2, string, RawTraits, number, RawTraits, number, RawTraits]
  | [3 | -3 | 4, string, RawTraits, RawMember[], number];

interface RawOperation {
  readonly input: number;
  readonly output: number;
  readonly http?: readonly [string, string, number];
  readonly unwrapped?: true;
  readonly checksummed?: true;
}

interface RawService {
  readonly operations: Readonly<Record<string, RawOperation>>;
  readonly errors: Readonly<Record<string, number>>;
  readonly shapes: readonly RawShape[];
}

/** Answered with 204, as recorded at AWS (S3 in 2026, S3 Control in 2024), where the models say 200. */
const answeredWithoutContent: Readonly<Record<string, readonly string[]>> = {
  s3: [
    'PutBucketTagging',
    'PutBucketPolicy',
    'PutBucketAnalyticsConfiguration',
    'PutBucketIntelligentTieringConfiguration',
    'PutBucketInventoryConfiguration',
    'PutBucketMetricsConfiguration',
  ],
  's3-control': ['DeletePublicAccessBlock', 'DeleteAccessPoint'],
};

const firstShape = 1000;
const unit = -1;

/**
 * The directory of the extracted files: `catalogue/` beside the bundle, or `dist/catalogue` when run from source.
 * @throws Error naming the command that makes it
 */
export function catalogueDirectory(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  for (const directory of [join(here, 'catalogue'), join(here, '..', '..', 'dist', 'catalogue')]) {
    if (existsSync(join(directory, 'index.json'))) return directory;
  }
  throw new Error('The service catalogue is missing. Run: npm run build');
}

let index: readonly ServiceSummary[] | undefined;
const loaded = new Map<string, ServiceModel>();

/** Every service that is served, without its shapes. */
export function services(): readonly ServiceSummary[] {
  index ??= JSON.parse(readFileSync(join(catalogueDirectory(), 'index.json'), 'utf8')) as ServiceSummary[];
  return index;
}

/**
 * A service with its operations and shapes, read from disk on first use.
 * @throws Error when the catalogue has no such service: a bug, since names come from `services()`
 */
export function loadService(name: string): ServiceModel {
  const known = loaded.get(name);
  if (known) return known;
  const summary = services().find((service) => service.name === name);
  if (!summary) throw new Error(`no service ${name} in the catalogue`);
  const raw = JSON.parse(readFileSync(join(catalogueDirectory(), `${name}.json`), 'utf8')) as RawService;
  const model = buildService(summary, raw);
  loaded.set(name, model);
  return model;
}

function buildService(summary: ServiceSummary, raw: RawService): ServiceModel {
  const shapeOf = shapeBuilder(raw.shapes);
  const operations = new Map<string, OperationModel>();
  const structure = (reference: number): StructureShape | undefined => {
    if (reference === unit) return undefined;
    const shape = shapeOf(reference);
    return shape.kind === 'structure' || shape.kind === 'union' ? shape : undefined;
  };
  const model: ServiceModel = {
    ...summary,
    routes: Object.entries(raw.operations).flatMap(([name, row]) => routeRow(summary.name, name, row, raw.shapes)),
    operation(name) {
      const known = operations.get(name);
      if (known) return known;
      const row = Object.hasOwn(raw.operations, name) ? raw.operations[name] : undefined;
      if (!row) return undefined;
      const input = structure(row.input);
      const output = structure(row.output);
      const operation: OperationModel = {
        service: model,
        name,
        input,
        output,
        http: httpBinding(row, summary.name, name),
        unwrapped: row.unwrapped === true,
        checksummed: row.checksummed === true,
        streamingInput: streamingMember(input),
        streamingOutput: streamingMember(output),
      };
      operations.set(name, operation);
      return operation;
    },
    error(nameOrCode) {
      const name = Object.hasOwn(raw.errors, nameOrCode) ? nameOrCode : errorNameByCode().get(nameOrCode);
      const shape = name === undefined ? undefined : structure(raw.errors[name] ?? unit);
      return name === undefined || !shape ? undefined : errorModel(name, shape);
    },
  };
  let byCode: Map<string, string> | undefined;
  function errorNameByCode(): Map<string, string> {
    byCode ??= new Map(
      Object.entries(raw.errors).flatMap(([name, reference]) => {
        const traits = raw.shapes[reference - firstShape]?.[2];
        return typeof traits === 'object' && traits.awsQueryError ? [[traits.awsQueryError[0], name] as const] : [];
      }),
    );
    return byCode;
  }
  return model;
}

function httpBinding(row: RawOperation, service: string, name: string): HttpBinding | undefined {
  if (!row.http) return undefined;
  const [method, uri, status] = row.http;
  return { method, uri, status: answeredWithoutContent[service]?.includes(name) ? 204 : status };
}

function streamingMember(shape: StructureShape | undefined): string | undefined {
  return shape?.members.find((member) => member.traits.streaming && member.traits.httpPayload)?.name;
}

function errorModel(name: string, shape: StructureShape): ErrorModel {
  const { awsQueryError, httpError } = shape.traits;
  return { name, shape, queryCode: awsQueryError?.[0] ?? name, status: awsQueryError?.[1] ?? httpError ?? 400 };
}

function routeRow(service: string, name: string, row: RawOperation, shapes: readonly RawShape[]): RouteRow[] {
  const http = httpBinding(row, service, name);
  if (!http) return [];
  const input = shapes[row.input - firstShape];
  const members = input && (input[0] === 3 || input[0] === 4) ? input[3] : [];
  const required = members
    .slice(0, input && (input[0] === 3 || input[0] === 4) ? input[4] : 0)
    .map((member) => unpack(member[2]));
  return [
    {
      name,
      http,
      onBucket: members.some((member) => member[0] === 'Bucket' && unpack(member[2]).httpLabel),
      requiredQueries: required.flatMap((traits) => traits.httpQuery ?? []),
      requiredHeaders: required.flatMap((traits) => traits.httpHeader?.toLowerCase() ?? []),
    },
  ];
}

// The bits of a numeric trait set, in smithy's order; `idempotent` means nothing to a server.
const traitBits = [
  'httpLabel',
  '',
  'idempotencyToken',
  'sensitive',
  'httpPayload',
  'httpResponseCode',
  'httpQueryParams',
] as const;
const unpacked = new Map<number, Traits>();

function unpack(traits: RawTraits): Traits {
  if (typeof traits === 'object') return traits;
  let known = unpacked.get(traits);
  if (!known) {
    known = Object.fromEntries(
      traitBits.flatMap((name, bit) => (name !== '' && (traits >> bit) & 1 ? [[name, 1]] : [])),
    );
    unpacked.set(traits, known as Traits);
  }
  return known as Traits;
}

const none: Traits = {};
const simpleKinds: Readonly<Record<number, SimpleShape>> = {
  0: { kind: 'string', traits: none },
  1: { kind: 'number', traits: none },
  2: { kind: 'boolean', traits: none },
  4: { kind: 'timestamp', format: undefined, traits: none },
  5: { kind: 'timestamp', format: 'date-time', traits: none },
  6: { kind: 'timestamp', format: 'http-date', traits: none },
  7: { kind: 'timestamp', format: 'epoch-seconds', traits: none },
  15: { kind: 'document', traits: none },
  17: { kind: 'big-integer', traits: none },
  19: { kind: 'big-decimal', traits: none },
  21: { kind: 'blob', traits: none },
  // A streaming blob; the member says so too.
  42: { kind: 'blob', traits: none },
};

function shapeBuilder(raw: readonly RawShape[]): (reference: number) => Shape {
  const built = new Map<number, Shape>();

  function member(name: string, reference: number, rawTraits: RawTraits, required: boolean): Member {
    const shape = shapeOf(reference);
    const ownTraits = unpack(rawTraits);
    const inherited = shape.traits;
    const traits = inherited === none ? ownTraits : ownTraits === none ? inherited : { ...inherited, ...ownTraits };
    return { name, shape, traits, ownTraits, required };
  }

  function plain(reference: number): Shape {
    const simple = simpleKinds[reference & 63];
    if (reference < 64 && simple) return simple;
    if (reference < 128)
      return { kind: 'list', name: '', traits: none, member: member('member', reference & 63, 0, false) };
    return {
      kind: 'map',
      name: '',
      traits: none,
      key: member('key', 0, 0, false),
      value: member('value', reference & 63, 0, false),
    };
  }

  /** Shapes may hold themselves (an attribute value of DynamoDB), so a shape is known before its members are. */
  function shapeOf(reference: number): Shape {
    const known = built.get(reference);
    if (known) return known;
    if (reference < firstShape) {
      const shape = plain(reference);
      built.set(reference, shape);
      return shape;
    }
    const row = raw[reference - firstShape];
    if (!row) throw new Error(`the catalogue has no shape ${reference}`);
    const traits = row[2] === 0 ? none : unpack(row[2]);
    if (row[0] === 0) {
      const shape = { ...shapeOf(row[3]), traits } as SimpleShape;
      built.set(reference, shape);
      return shape;
    }
    if (row[0] === 1) {
      const shape = { kind: 'list' as const, name: row[1], traits, member: undefined as unknown as Member };
      built.set(reference, shape);
      shape.member = member('member', row[3], row[4], false);
      return shape;
    }
    if (row[0] === 2) {
      const shape = {
        kind: 'map' as const,
        name: row[1],
        traits,
        key: undefined as unknown as Member,
        value: undefined as unknown as Member,
      };
      built.set(reference, shape);
      shape.key = member('key', row[3], row[4], true);
      shape.value = member('value', row[5], row[6], false);
      return shape;
    }
    const members: Member[] = [];
    const shape: StructureShape = { kind: row[0] === 4 ? 'union' : 'structure', name: row[1], traits, members };
    built.set(reference, shape);
    for (const [at, [name, of, own]] of row[3].entries()) members.push(member(name, of, own, at < row[4]));
    return shape;
  }
  return shapeOf;
}
