// Writes dist/catalogue/SERVICE.json and index.json: the operations and shapes of the services we serve, out of the SDK's own schemas.
// Importing client-ec2 costs 0.2–0.4 s and 116 MB, so this is done once, at build time. Skips when the SDK and this file are unchanged.
// Source: node_modules/@aws-sdk/client-*/dist-es/schemas/schemas_0.js; the tuples are those of @smithy/core/schema (NormalizedSchema, 3.x, read 2026-11-21).
//
// A reference is a number: 0..255 a plain type as smithy numbers them (64 + n a list of n, 128 + n a map of n), 1000 + i the i-th of `shapes`, -1 nothing (unit).
// Traits are a number (smithy's bit set) or an object. Shapes: [0, name, traits, type] simple; [1, name, traits, reference, memberTraits] list;
// [2, name, traits, keyReference, keyTraits, valueReference, valueTraits] map; [3 | -3 | 4, name, traits, members, requiredCount] structure, error, union
// with members as [name, reference, traits]; the first `requiredCount` of them are required.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, 'dist', 'catalogue');

// What the schemas do not carry: the names a request is signed and addressed with, and two traits that the SDK keeps in code.
const services = [
  { name: 'ec2', signingNames: ['ec2'], hosts: ['ec2'] },
  // The path, or the host, begins with a bucket.
  { name: 's3', signingNames: ['s3', 's3express', 's3-object-lambda'], hosts: ['s3'], bucketPaths: true },
  // Signed as S3, and behind S3's endpoints; the version in the path tells the two apart.
  { name: 's3-control', signingNames: ['s3'], hosts: ['s3-control', 's3'] },
  { name: 'iam', signingNames: ['iam'], hosts: ['iam'] },
  {
    name: 'sts',
    signingNames: ['sts'],
    hosts: ['sts'],
    // auth/httpAuthSchemeProvider.js: these are called by those who have no key yet.
    unsigned: ['AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity'],
  },
  {
    name: 'dynamodb',
    signingNames: ['dynamodb'],
    hosts: ['dynamodb', 'streams.dynamodb'],
    // Every answer of it has x-amz-crc32, which clients check.
    crc32: true,
  },
  { name: 'kms', signingNames: ['kms'], hosts: ['kms'] },
  {
    name: 'ssm',
    signingNames: ['ssm'],
    hosts: ['ssm'],
    // Agents call it, and no SDK has it (aws/amazon-ssm-agent, agent/ssm/service.go): members, all of them text.
    further: {
      UpdateInstanceInformation: [
        'InstanceId',
        'AgentName',
        'AgentVersion',
        'AgentStatus',
        'PlatformType',
        'PlatformName',
        'PlatformVersion',
        'IPAddress',
        'ComputerName',
        'AvailabilityZone',
        'AvailabilityZoneId',
        'SSMConnectionChannel',
      ],
    },
  },
  { name: 'ec2-instance-connect', signingNames: ['ec2-instance-connect'], hosts: ['ec2-instance-connect'] },
  // Its client is called otherwise than the service is signed, addressed and written in policies.
  { name: 'logs', client: 'cloudwatch-logs', signingNames: ['logs'], hosts: ['logs'] },
  { name: 'cloudtrail', signingNames: ['cloudtrail'], hosts: ['cloudtrail'] },
  { name: 'organizations', signingNames: ['organizations'], hosts: ['organizations'] },
  { name: 'account', signingNames: ['account'], hosts: ['account'] },
  { name: 'elastic-load-balancing-v2', signingNames: ['elasticloadbalancing'], hosts: ['elasticloadbalancing'] },
];

const protocols = {
  AwsEc2QueryProtocol: 'ec2-query',
  AwsQueryProtocol: 'aws-query',
  AwsJson1_0Protocol: 'aws-json-1.0',
  AwsJson1_1Protocol: 'aws-json-1.1',
  AwsRestJsonProtocol: 'rest-json',
  AwsRestXmlProtocol: 'rest-xml',
  S3RestXmlProtocol: 'rest-xml',
};

const clientOf = ({ name, client = name }) => join(root, 'node_modules', '@aws-sdk', `client-${client}`);
const versions = services.map(
  (service) => `${service.name} ${JSON.parse(readFileSync(join(clientOf(service), 'package.json'), 'utf8')).version}`,
);
const stamp = createHash('sha256')
  .update(readFileSync(fileURLToPath(import.meta.url)))
  .update(versions.join('\n'))
  .digest('hex');
const stampFile = join(target, '.stamp');
if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) process.exit(0);

/** Evaluates a schema module without what it imports: only the tuples are wanted, not the SDK's classes. */
function evaluate(source) {
  const imported = [];
  const body = source
    .replace(/import\s*\{([^}]*)\}\s*from\s*"[^"]*";/g, (_, names) => {
      for (const name of names.split(','))
        if (name.trim())
          imported.push(
            name
              .trim()
              .split(/\s+as\s+/)
              .pop(),
          );
      return '';
    })
    .replace(/^export (var|const) /gm, '$1 ');
  const operations = [...body.matchAll(/^var (\S+) = \[9,/gm)].map((match) => match[1]);
  const errors = [...body.matchAll(/^(?:var|const) (\S+) = \[-3, n0/gm)].map((match) => match[1]);
  const stubs = imported.map((name) => `class ${name} { static for() { return new this(); } registerError() {} }`);
  return new Function(`${stubs.join('\n')}\n${body}\nreturn { operations: [${operations}], errors: [${errors}] };`)();
}

function extract(service) {
  const client = clientOf(service);
  const { operations, errors } = evaluate(readFileSync(join(client, 'dist-es', 'schemas', 'schemas_0.js'), 'utf8'));
  const config = readFileSync(join(client, 'dist-es', 'runtimeConfig.shared.js'), 'utf8');
  const setting = (pattern) => pattern.exec(config)?.[1];
  const protocol = protocols[setting(/protocol: config\?\.protocol \?\? (\w+)/)];
  if (!protocol) throw new Error(`client-${service.name}: unknown protocol`);

  const shapes = [];
  const numbers = new Map();
  const resolve = (reference) => (typeof reference === 'function' ? resolve(reference()) : reference);
  /** A member is a reference, or [reference, traits]. Traits of nested members add up, the outer one wins. */
  const member = (schema) => {
    let traits = 0;
    let at = schema;
    while (Array.isArray(at) && at.length === 2) {
      traits = typeof at[1] === 'object' && typeof traits === 'object' ? { ...at[1], ...traits } : traits || at[1];
      at = resolve(at[0]);
    }
    return [number(at), traits];
  };
  function number(schema) {
    const at = resolve(schema);
    if (at === 'unit') return -1;
    if (typeof at === 'number') return at;
    const known = numbers.get(at);
    if (known !== undefined) return known;
    const reference = 1000 + shapes.length;
    numbers.set(at, reference);
    const shape = [at[0], at[2], at[3]];
    shapes.push(shape);
    if (at[0] === 0) shape.push(at[4]);
    else if (at[0] === 1) shape.push(...member(at[4]));
    else if (at[0] === 2) shape.push(...member(at[4]), ...member(at[5]));
    else
      shape.push(
        at[4].map((name, index) => [name, ...member(at[5][index])]),
        at[6] ?? 0,
      );
    return reference;
  }

  const model = {
    name: service.name,
    signingNames: service.signingNames,
    hosts: service.hosts,
    protocol,
    apiVersion: setting(/apiVersion: "([^"]+)"/),
    targetPrefix: setting(/serviceTarget: "([^"]+)"/),
    xmlNamespace: setting(/xmlNamespace: "([^"]+)"/) ?? '',
    unsigned: service.unsigned ?? [],
    crc32: service.crc32 === true,
    bucketPaths: service.bucketPaths === true,
  };
  const table = {};
  for (const [, , name, traits, input, output] of operations) {
    const row = { input: number(input), output: number(output) };
    const http = typeof traits === 'object' ? traits.http : undefined;
    if (http) row.http = http;
    // The x-amz-checksum-… headers of these are of the body; CompleteMultipartUpload's is of the object.
    if (typeof traits === 'object' && traits.httpChecksum) row.checksummed = true;
    // s3UnwrappedXmlOutput: the body is the one member itself.
    if (service.name === 's3' && name === 'GetBucketLocation') row.unwrapped = true;
    table[name] = row;
  }
  for (const [name, members] of Object.entries(service.further ?? {})) {
    shapes.push([3, `${name}Request`, 0, members.map((one) => [one, 0, 0]), 1], [3, `${name}Result`, 0, [], 0]);
    table[name] = { input: 998 + shapes.length, output: 999 + shapes.length };
  }
  const errorTable = {};
  for (const error of errors) errorTable[error[2]] = number(error);
  return { model, operations: table, errors: errorTable, shapes };
}

mkdirSync(target, { recursive: true });
/** Another process may be reading: a file appears whole or not at all. */
function write(name, text) {
  const temporary = join(target, `${name}.${process.pid}`);
  writeFileSync(temporary, text);
  renameSync(temporary, join(target, name));
}
const index = [];
for (const service of services) {
  const extracted = extract(service);
  write(`${service.name}.json`, JSON.stringify(extracted));
  index.push({ ...extracted.model, operations: Object.keys(extracted.operations) });
}
write('index.json', JSON.stringify(index));
write('.stamp', stamp);
