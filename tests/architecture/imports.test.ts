// The law of imports: what each room may know. A row per room with the reason; a file that imports anything else fails here.
// A room is a folder; the longest matching row speaks for a file. Tests may import what they prove, so they are left out.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

interface Law {
  /** Path prefixes in the repo that the room may import, besides itself. */
  readonly may: readonly string[];
  /** Whether it may use Node's own modules (or packages) at all. */
  readonly node: boolean;
  readonly because: string;
}

const contract = [
  'server/errors.ts',
  'server/service.ts',
  'server/path.ts',
  'server/tag-keys.ts',
  'server/store',
  'network',
  'policy',
];
const identity = [
  'server/accounts.ts',
  'server/identities.ts',
  'server/constraints.ts',
  'server/managed-policies.ts',
  'server/mfa.ts',
  'server/principal-names.ts',
  'server/sessions.ts',
  'server/service-reference.ts',
];

const laws: Readonly<Record<string, Law>> = {
  network: {
    may: [],
    node: false,
    because: 'pure: the walk must run in a browser and must not share a decision with the kernel side',
  },
  policy: { may: [], node: false, because: 'pure: a decision is a value, and the console shows it too' },
  check: {
    may: ['network', 'policy'],
    node: true,
    because:
      'assertions are held against an estate, whoever has one: a running cloud or what was read from an account; its one package reads YAML',
  },
  fabric: {
    may: ['network'],
    node: true,
    because: 'it sees the Snapshot only, so that another fabric can take its place',
  },
  guest: { may: [], node: true, because: 'it runs inside an instance, where nothing of Postern is to be known' },
  'guest/wire': {
    may: [],
    node: true,
    because:
      'what the agent inside an instance says to AWS’s side, and how: both ends and the command read and write it',
  },
  labs: { may: [], node: true, because: 'a lab uses the public surface only: the AWS CLI and the postern command' },
  cli: {
    may: ['labs', 'check', 'guest/wire', 'server/operator/api.ts', 'server/operator/operator-error.ts'],
    node: true,
    because: 'the command asks over HTTP',
  },
  'cli/commands/cloud.ts': {
    may: ['cli', 'server/operator/api.ts', 'server/launcher.ts'],
    node: true,
    because: '`up` is the one command that starts the cloud',
  },
  'cli/commands/check.ts': {
    may: ['cli', 'check', 'server/operator/api.ts', 'server/estate/check-snapshot.ts'],
    node: true,
    because: 'with --snapshot no server runs: the command reads the rows and asks the policies itself',
  },
  bench: {
    may: ['cli', 'labs', 'network', 'fabric', 'server', 'policy'],
    node: true,
    because: 'it measures every room',
  },
  'server/catalogue': { may: [], node: true, because: 'shapes are data; they know no service and no protocol' },
  'server/edge': {
    may: ['server/catalogue', 'server/errors.ts', 'server/service.ts', 'server/path.ts'],
    node: true,
    because: 'it knows protocols and no services',
  },
  'server/store': { may: ['network'], node: true, because: 'rows carry the network’s id types and nothing else' },
  'server/authorize': {
    may: [
      ...contract,
      'server/catalogue',
      'server/accounts.ts',
      'server/identities.ts',
      'server/iso-time.ts',
      'server/organizations.ts',
      'server/service-reference.ts',
    ],
    node: true,
    because: 'it asks the policy engine about rows and the path',
  },
  'server/services/ec2': {
    may: [
      ...contract,
      ...identity,
      'server/authorize/encoded-message.ts',
      'server/control/snapshot.ts',
      'server/control/transit-gateways.ts',
      'server/derived-id.ts',
      'server/flow-log-format.ts',
      'server/flow-log-role.ts',
      'server/images.ts',
      'server/log-delivery.ts',
    ],
    node: true,
    because:
      'services do not import each other: they meet in the store; an analysis is of the Snapshot that the kernel gets',
  },
  'server/services/s3': {
    may: [
      ...contract,
      'server/kms-keys.ts',
      'server/mfa.ts',
      'server/edge/checksums.ts',
      'server/edge/decipher.ts',
      'server/edge/hashes.ts',
      'server/edge/intake.ts',
      'server/edge/soon.ts',
      'server/iso-time.ts',
      'server/service-reference.ts',
    ],
    node: true,
    because: 'services do not import each other; the same digests are verified by the edge and kept by S3, in one pass',
  },
  'server/services/logs': {
    may: [...contract],
    node: true,
    because: 'services do not import each other: they meet in the store',
  },
  'server/services/kms': {
    may: [
      ...contract,
      'server/kms-keys.ts',
      'server/identities.ts',
      'server/principal-names.ts',
      'server/front-door/der.ts',
    ],
    node: true,
    because: 'services do not import each other: they meet in the store',
  },
  'server/services/dynamodb': {
    may: [...contract, 'server/principal-names.ts'],
    node: true,
    because: 'services do not import each other: they meet in the store',
  },
  'server/services/dynamodb/engine': {
    may: [],
    node: true,
    because: 'it runs in a process of its own, where nothing of the server is to be loaded',
  },
  'server/services/iam': {
    may: [
      ...contract,
      ...identity,
      'server/organizations.ts',
      'server/tracked-actions.ts',
      'server/authorize/control-policies.ts',
    ],
    node: true,
    because: 'services do not import each other: they meet in the store',
  },
  'server/services/sts': {
    may: [
      ...contract,
      ...identity,
      'server/authorize/context.ts',
      'server/authorize/encoded-message.ts',
      'server/authorize/control-policies.ts',
      'server/organizations.ts',
    ],
    node: true,
    because: 'services do not import each other: they meet in the store',
  },
  'server/services/organizations': {
    may: [...contract, ...identity, 'server/organizations.ts'],
    node: true,
    because: 'services do not import each other: they meet in the store',
  },
  'server/services/account': {
    may: [...contract, ...identity],
    node: true,
    because: 'services do not import each other: they meet in the store',
  },
  'server/services/ec2-instance-connect': {
    may: [...contract, ...identity],
    node: true,
    because: 'services do not import each other: they meet in the store',
  },
  'server/services/ssm': {
    may: [...contract, ...identity, 'server/images.ts', 'server/open-channels.ts'],
    node: true,
    because:
      'services do not import each other: its public parameters name the images that EC2 has, and the gateway says whose agent is connected',
  },
  'server/services/cloudtrail': {
    may: [...contract, 'server/trail'],
    node: true,
    because: 'services do not import each other: it reads the records that the trail keeps',
  },
  'server/services/elastic-load-balancing': {
    may: [
      ...contract,
      'server/services/ec2/nat-gateway-addresses.ts',
      'server/services/ec2/new-network-interface.ts',
      'server/services/ec2/subnet-addresses.ts',
    ],
    node: true,
    because:
      'services do not import each other; but a load balancer stands in subnets, and its interfaces and addresses are made as EC2 makes them',
  },
  'server/import': {
    may: ['network', 'check/estate.ts', 'server/store', 'server/identities.ts', 'server/control/snapshot.ts'],
    node: true,
    because:
      'a real account becomes rows, and its Snapshot is read off them as a cloud of our own has it; no service and no socket',
  },
  'server/control': {
    may: ['network', 'fabric/types.ts', 'server/store', 'server/service.ts'],
    node: true,
    because: 'it turns rows into a Snapshot and hands it to whatever fabric there is',
  },
  'server/flow-logs': {
    may: [
      ...contract,
      'fabric/types.ts',
      'server/as-service.ts',
      'server/authorize/principal.ts',
      'server/control',
      'server/flow-log-format.ts',
      'server/flow-log-role.ts',
      'server/log-delivery.ts',
      'server/services/ec2/instance-type-table.ts',
      'server/services/ec2/zones.ts',
    ],
    node: true,
    because:
      'it turns counts and rows into records, and calls services as AWS’s delivery does, with their policies asked',
  },
  'server/front-door': {
    may: ['network', 'fabric/types.ts', 'guest/wire', 'server/store', 'server/path.ts'],
    node: true,
    because: 'it owns sockets; the API behind them is given in',
  },
  'server/trail': {
    may: ['server/operator/api.ts', 'server/catalogue', 'server/store', 'policy'],
    node: true,
    because: 'it keeps events, whoever writes them, and tells them as records: of any operation, by its model',
  },
  'server/why': {
    may: [
      ...contract,
      'server/authorize',
      'server/trail',
      'server/operator/api.ts',
      'server/operator/operator.ts',
      'server/accounts.ts',
      'server/identities.ts',
      'server/sessions.ts',
    ],
    node: true,
    because: 'it asks the walk and the policy engine, and knows no service but by what it is given',
  },
  'server/operator': { may: [], node: true, because: 'the command line and the console import its types' },
  server: {
    may: ['network', 'policy', 'check', 'fabric', 'guest/wire', 'server'],
    node: true,
    because: 'main, pipeline and launcher put the rooms together',
  },
};

function* sources(directory: string): Generator<string> {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.name === 'node_modules' || entry.name === 'dist') continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* sources(path);
    else if (
      entry.name.endsWith('.ts') &&
      !entry.name.endsWith('.test.ts') &&
      !/(^|\/)(testing|.*\.cases)\.ts$/.test(path)
    )
      yield relative(root, path);
  }
}

const importPattern = /^\s*(?:import|export)\s[^;]*?from\s+'([^']+)'|import\('([^']+)'\)|^\s*import\s+'([^']+)'/gm;

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(importPattern)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

/** A path in the repo, or undefined for a package or one of Node's own modules. */
function target(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('@postern/')) return specifier.slice('@postern/'.length);
  if (specifier.startsWith('.')) return normalize(join(dirname(file), specifier));
  return undefined;
}

function under(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`);
}

function roomOf(file: string): string | undefined {
  return Object.keys(laws)
    .filter((room) => under(file, room))
    .sort((a, b) => b.length - a.length)[0];
}

const files = ['network', 'policy', 'check', 'fabric', 'server', 'guest', 'cli', 'labs', 'bench'].flatMap((room) => [
  ...sources(join(root, room)),
]);

test('every source file lies in a room with a law', () => {
  assert.ok(files.length > 50, `only ${files.length} files were found`);
  assert.deepEqual(
    files.filter((file) => roomOf(file) === undefined),
    [],
  );
});

test('each room imports only what it may know', () => {
  const broken: string[] = [];
  for (const file of files) {
    const room = roomOf(file);
    const law = room === undefined ? undefined : laws[room];
    if (!room || !law) continue;
    for (const specifier of importsOf(file)) {
      const path = target(file, specifier);
      if (path === undefined) {
        if (!law.node) broken.push(`${file} imports ${specifier}; ${room} is pure (${law.because})`);
      } else if (!under(path, room) && !law.may.some((allowed) => under(path, allowed))) {
        broken.push(`${file} imports ${path}; ${room}: ${law.because}`);
      }
    }
  }
  assert.deepEqual(broken, []);
});

test('only the files that must start processes can', () => {
  const starters = files.filter((file) => importsOf(file).includes('node:child_process'));
  const allowed = [
    /^fabric\//, // host.ts, world.ts and the machines: where kernel state is made
    /^guest\//, // a shell for each ssh session
    /^labs\/aws-cli\.ts$/,
    /^cli\/commands\/(aws|lab)\.ts$/,
    /^server\/services\/dynamodb\/engine\.ts$/, // the process that holds the tables
    /^bench\//,
  ];
  const typeOnly = (file: string) =>
    !/^import (?!type)[^;]*from 'node:child_process'/m.test(readFileSync(join(root, file), 'utf8'));
  assert.deepEqual(
    starters.filter((file) => !allowed.some((pattern) => pattern.test(file)) && !typeOnly(file)),
    [],
  );
});
