// The proof of the policies' remedies: an instance's request to S3 under random policies in every layer; the AWS CLI commands that a trace prints are
// carried out, and the same request passes: asked again, and made.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createAuthorizer } from '@postern/server/authorize/authorize.ts';
import { buildSnapshot } from '@postern/server/control/snapshot.ts';
import { managedPolicyDocument } from '@postern/server/managed-policies.ts';
import type { RequestPath } from '@postern/server/path.ts';
import { ec2 } from '@postern/server/services/ec2/index.ts';
import {
  makeGateway,
  makeRouteTable,
  makeSubnet,
  makeVpc,
  makeWorld,
  putInterface,
  type World,
} from '@postern/server/services/ec2/testing.ts';
import { iam } from '@postern/server/services/iam/index.ts';
import { createS3 } from '@postern/server/services/s3/index.ts';
import { testAccountId as account, runAs, testNow } from '@postern/server/testing.ts';
import { Trail } from '@postern/server/trail/trail.ts';
import { EvidenceLog } from '@postern/server/why/evidence.ts';
import { createWhy, type Why } from '@postern/server/why/why.ts';
import { carryOut } from './command-line.ts';

const runs = Number(process.env['POSTERN_ROUND_TRIP_RUNS'] ?? 40);
const firstSeed = Number(process.env['POSTERN_ROUND_TRIP_SEED'] ?? 20261121);
const directory = mkdtempSync(join(tmpdir(), 'postern-round-trip-'));
const ends: (() => void)[] = [() => rmSync(directory, { recursive: true, force: true })];
after(() => {
  for (const end of ends.toReversed()) end();
});

const roleArn = `arn:aws:iam::${account}:role/app`;
const actions = [
  's3:GetObject',
  's3:*',
  '*',
  's3:Get*',
  ['s3:PutObject', 's3:GetObject'],
  's3:GetBucketAcl',
  's3:ListBucket',
];
const resources = [
  'arn:aws:s3:::lab/*',
  '*',
  'arn:aws:s3:::lab',
  ['arn:aws:s3:::lab', 'arn:aws:s3:::lab/*'],
  'arn:aws:s3:::other/*',
];
const asked = [
  { to: 's3://lab/a.txt', action: 's3:GetObject' },
  { to: 's3://lab/a.txt', action: 's3:PutObject' },
  { to: 's3://lab', action: 's3:ListBucket' },
  { to: 's3://lab', action: 's3:GetBucketAcl' },
] as const;

function chance(seed: number) {
  let state = seed;
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * below);
  };
  return { next, pick: <T>(list: readonly T[]): T => list[next(list.length)] as T };
}

interface Cloud {
  readonly world: World;
  readonly why: Why;
  readonly instanceId: string;
  readonly services: ReadonlyMap<string, typeof ec2>;
  readonly question: (typeof asked)[number];
}

async function build(seed: number): Promise<Cloud> {
  const { next, pick } = chance(seed);
  const world = makeWorld();
  ends.push(() => world.store.close());
  const s3 = createS3(world.store, directory);
  ends.push(() => s3.close());
  const vpcId = await makeVpc(world);
  const gateway = await makeGateway(world, vpcId);
  const table = await makeRouteTable(world, vpcId);
  const subnetId = await makeSubnet(world, vpcId);
  await world.run('AssociateRouteTable', { RouteTableId: table, SubnetId: subnetId });
  await world.run('CreateRoute', { RouteTableId: table, DestinationCidrBlock: '0.0.0.0/0', GatewayId: gateway });
  const input = { VpcId: vpcId, GroupName: 'open', Description: 'open' };
  const { GroupId } = await world.run<{ GroupId: `sg-${string}` }>('CreateSecurityGroup', input);
  const endpoint = await world.run<{ VpcEndpoint: { VpcEndpointId: string } }>('CreateVpcEndpoint', {
    VpcId: vpcId,
    ServiceName: 'com.amazonaws.us-east-1.s3',
    ...(next(2) === 0 && { RouteTableIds: [table] }),
  });
  const { VpcEndpointId } = endpoint.VpcEndpoint;
  const { instanceId } = putInterface(world, vpcId, subnetId, '10.0.0.10', {
    groupIds: [GroupId],
    instance: 'running',
    autoPublicIp: '198.19.0.77',
  });
  const conditions = () =>
    pick([
      undefined,
      undefined,
      { StringEquals: { 'aws:SourceVpce': pick([VpcEndpointId, 'vpce-0123456789abcdef0']) } },
      { StringNotEquals: { 'aws:SourceVpce': pick([VpcEndpointId, 'vpce-0123456789abcdef0']) } },
      { NotIpAddress: { 'aws:SourceIp': pick(['198.19.0.0/16', '192.0.2.0/24']) } },
      { Bool: { 'aws:SecureTransport': 'false' } },
    ]);
  const statement = (withPrincipal: boolean) => {
    const condition = conditions();
    const effect = next(3) === 0 ? 'Deny' : 'Allow';
    return {
      Effect: effect,
      Action: pick(actions),
      Resource: withPrincipal ? ['arn:aws:s3:::lab', 'arn:aws:s3:::lab/*'] : pick(resources),
      ...(withPrincipal && { Principal: effect === 'Deny' ? '*' : pick([{ AWS: account }, { AWS: roleArn }]) }),
      ...(condition && { Condition: condition }),
    };
  };
  const document = (withPrincipal: boolean) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: Array.from({ length: 1 + next(3) }, () => statement(withPrincipal)),
    });
  const boundary = `arn:aws:iam::${account}:policy/limit`;
  const rolePolicy = document(false);
  const bucketPolicy = next(3) === 0 ? undefined : document(true);
  const [hasBoundary, boundaryText, hasEndpointPolicy, endpointText] = [
    next(3) === 0,
    document(false),
    next(3) === 0,
    document(true),
  ];
  world.store.transact((tx) => {
    tx.put('account', { id: account, accountId: account, region: 'global', createdAt: '' });
    tx.put('role', {
      ...{ id: `${account}/app`, accountId: account, region: 'global', roleName: 'app', roleId: 'AROAEXAMPLEAPP' },
      ...{ path: '/', createDate: '', maxSessionDuration: 3600, attachedPolicyArns: [], tags: {} },
      assumeRolePolicyDocument:
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}',
      inlinePolicies: { own: rolePolicy },
      ...(hasBoundary && { permissionsBoundaryArn: boundary }),
    });
    tx.put('managed-policy', {
      ...{
        id: boundary,
        accountId: account,
        region: 'global',
        policyName: 'limit',
        policyId: 'ANPAEXAMPLE',
        path: '/',
      },
      ...{ createDate: '', updateDate: '', defaultVersionId: 'v5', nextVersion: 6, tags: {} },
      versions: [1, 2, 3, 4, 5].map((number) => ({ versionId: `v${number}`, document: boundaryText, createDate: '' })),
    });
    tx.put('instance-profile', {
      ...{ id: `${account}/app`, accountId: account, region: 'global', instanceProfileName: 'app' },
      ...{ instanceProfileId: 'AIPAEXAMPLE', path: '/', createDate: '', roleNames: ['app'], tags: {} },
    });
    tx.put('bucket', {
      ...{
        id: 'lab',
        accountId: account,
        region: 'us-east-1',
        creationDate: '',
        ownership: 'BucketOwnerEnforced',
        settings: {},
      },
      ...(bucketPolicy !== undefined && { policy: bucketPolicy }),
    });
    const instance = tx.get('instance', instanceId);
    if (instance)
      tx.put('instance', {
        ...instance,
        iamInstanceProfile: {
          ...{ associationId: 'iip-assoc-1', arn: `arn:aws:iam::${account}:instance-profile/app`, id: 'AIPAEXAMPLE' },
          ...{ state: 'associated', timestamp: '' },
        },
      });
    const row = tx.get('vpc-endpoint', VpcEndpointId as `vpce-${string}`);
    if (row && hasEndpointPolicy) tx.put('vpc-endpoint', { ...row, policyDocument: endpointText });
  });
  const services = new Map([ec2, s3.service, iam].map((one) => [one.name, one]));
  const why = createWhy({
    ...{ store: world.store, services, clock: () => testNow, defaultAccountId: account },
    snapshots: () => world.store.read((tx) => buildSnapshot(tx, world.store.revision)),
    authorizer: createAuthorizer({ managedPolicyDocument, serviceOf: (prefix) => services.get(prefix) }),
    settings: { auth: 'strict', strictImages: false, quotas: 'off', dataDirectory: directory },
    ...{ trail: new Trail(), evidence: new EvidenceLog() },
  });
  return { world, why, instanceId, services, question: pick(asked) };
}

const ask = ({ why, instanceId, question }: Cloud) =>
  why.request({ from: instanceId, ...question, protocol: 'tcp', port: 443 });

/** GetBucketAcl by the instance's role, as it would come: the pipeline's own authorization decides. */
async function request({ world, services, instanceId }: Cloud, path: RequestPath): Promise<void> {
  const s3 = services.get('s3');
  assert.ok(s3);
  world.store.transact((tx) =>
    tx.put('access-key', {
      ...{ id: 'ASIAEXAMPLE', accountId: account, region: 'global', secretAccessKey: '', status: 'Active' },
      ...{ createDate: '2026-11-21T07:00:00.000Z', sessionToken: 'token' },
      owner: {
        ...{ kind: 'role-session', roleName: 'app', roleId: 'AROAEXAMPLEAPP', sessionName: instanceId },
        ...{ sessionPolicies: [], sessionPolicyArns: [], tags: {} },
      },
    }),
  );
  await runAs(world.store, 'ASIAEXAMPLE', s3, 'GetBucketAcl', { Bucket: 'lab' }, { path });
}

test('what a trace of a request prints lets it pass, plan by plan', async () => {
  let carried = 0;
  let made = 0;
  const kinds = new Set<string>();
  for (let seed = firstSeed; seed < firstSeed + runs; seed += 1) {
    const first = await build(seed);
    const before = ask(first);
    if (before.verdict === 'open') continue;
    const { plans = [], unsolved = [] } = before.cure ?? {};
    const name = `seed ${seed}: ${first.question.action}`;
    assert.ok(plans.length > 0, `${name}: no plan, because ${unsolved.join('; ')}`);
    for (const place of plans.keys()) {
      for (const alternative of [undefined, 0]) {
        const cloud = place === 0 && alternative === undefined ? first : await build(seed);
        const plan = ask(cloud).cure?.plans[place];
        assert.ok(plan, name);
        // The first form of every step; then of the first step that has one, another.
        const other = alternative === undefined ? undefined : plan.steps.find((step) => step.or.length > 0);
        if (alternative !== undefined && other === undefined) continue;
        const commands = plan.steps.flatMap((step) => (step === other ? (step.or[0]?.commands ?? []) : step.commands));
        const { world, services } = cloud;
        await carryOut({ store: world.store, services, accountId: account }, commands).catch((error: Error) =>
          assert.fail(`${name}: ${error.message}\n${commands.join('\n')}`),
        );
        const after = ask(cloud);
        const links = after.chain.filter((link) => link.verdict === 'drop');
        assert.equal(
          after.verdict,
          'open',
          `${name}, ${plan.title}\n${commands.join('\n')}\n${JSON.stringify(links, null, 1)}`,
        );
        for (const command of commands) kinds.add(command.split(' ').slice(1, 3).join(' '));
        carried += 1;
        if (cloud.question.action !== 's3:GetBucketAcl') continue;
        const vpcEndpointId = /through (vpce-[0-9a-f]+) of (vpc-[0-9a-f]+)/.exec(after.road);
        await request(
          cloud,
          vpcEndpointId
            ? {
                kind: 'endpoint',
                vpcEndpointId: vpcEndpointId[1] as 'vpce-',
                vpcId: vpcEndpointId[2] as 'vpc-',
                sourceIp: '10.0.0.10',
                secure: true,
              }
            : { kind: 'internet', sourceIp: '198.19.0.77', secure: true },
        );
        made += 1;
      }
    }
  }
  assert.ok(carried > runs / 2 && made > 0, `${carried} plans were carried out, ${made} requests made`);
  for (const kind of [
    'iam put-role-policy',
    's3api put-bucket-policy',
    'ec2 modify-vpc-endpoint',
    'iam create-policy-version',
  ])
    assert.ok(kinds.has(kind), `${kind} is not among ${[...kinds].join(', ')}`);
});
