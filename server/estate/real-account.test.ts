// Check files held against a real account's answers: what is certain is said, and what rests on things that are not modelled is unknown.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readDocument } from '@postern/check/document.ts';
import type { CheckReport } from '@postern/check/report.ts';
import { ImportError } from '../import/item.ts';
import { realAccount } from '../import/real-account.cases.ts';
import { checkSnapshot } from './check-snapshot.ts';

type Answers = Readonly<Record<string, unknown>>;

function ask(yaml: string, answers: Answers = realAccount): CheckReport {
  const directory = mkdtempSync(join(tmpdir(), 'postern-real-'));
  try {
    for (const [name, answer] of Object.entries(answers)) {
      mkdirSync(join(directory, name, '..'), { recursive: true });
      writeFileSync(join(directory, `${name}.json`), typeof answer === 'string' ? answer : JSON.stringify(answer));
    }
    const read = readDocument(yaml);
    assert.ok(read.ok, JSON.stringify(read));
    return checkSnapshot(directory, read.assertions);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const outcomes = (yaml: string, answers?: Answers) => ask(yaml, answers).results.map(({ outcome }) => outcome);
const one = (assertion: string, answers?: Answers) => {
  const [result] = ask(`checks:\n  - ${assertion}\n`, answers).results;
  assert.ok(result);
  return result;
};

test('what the snapshot shows is certain: private interfaces of AWS’s, S3 by its real addresses, NAT, ports', () => {
  assert.deepEqual(
    outcomes(`
checks:
  - { from: sg app, reaches: sg db, traffic: tcp 5432 }
  - { from: sg fn, does-not-reach: sg db }
  - { from: internet, reaches: interface eni-0alb, traffic: tcp 443 }
  - { from: subnet app-a, reaches: s3, only-through: vpce }
  - { from: subnet app-a, reaches: bucket media, only-through: vpce-0gateway }
  - { from: subnet data-a, does-not-reach: s3 }
  - { from: subnet data-a, does-not-reach: sts }
  - { from: subnet data-a, does-not-reach: internet }
  - { from: subnet app-a, reaches: internet, traffic: tcp 443, only-through: nat }
  - { from: subnet app-a, reaches: sts }
  - { from: instance bastion, does-not-reach: sg db }
`),
    Array.from({ length: 11 }, () => 'holds'),
  );
  assert.equal(one('{ from: sg fn, reaches: sg db, traffic: tcp 5432 }').outcome, 'fails');
  const ssh = one('{ from: internet, does-not-reach: eni-0alb, traffic: tcp 443 }');
  assert.equal(ssh.outcome, 'fails');
  assert.match(
    ssh.evidence?.mend[0] ?? '',
    /^aws ec2 revoke-security-group-ingress --region eu-west-1 --group-id sg-alb --ip-permissions '\[\{"IpProtocol":"tcp","FromPort":443/,
  );
});

test('a transit gateway: flows that its routes catch, both ways, are unknown; those inside the VPC are not', () => {
  for (const [sentence, outcome] of [
    ['{ from: subnet app-a, does-not-reach: 10.99.0.0/16 }', 'unknown'],
    ['{ from: subnet app-a, reaches: 10.99.0.0/16, traffic: tcp 443 }', 'unknown'],
    ['{ from: 10.99.0.0/16, does-not-reach: subnet app-a }', 'unknown'],
    ['{ from: subnet data-a, does-not-reach: 10.99.0.0/16 }', 'holds'],
    ['{ from: subnet app-a, does-not-reach: 192.168.0.0/16 }', 'fails'],
  ] as const)
    assert.equal(one(sentence).outcome, outcome, sentence);
  const outside = one('{ from: subnet app-a, does-not-reach: internet }');
  assert.equal(outside.outcome, 'fails', 'by the NAT gateway it is certain');
  const inward = one('{ from: internet, does-not-reach: sg app }');
  assert.equal(inward.outcome, 'unknown');
  assert.deepEqual(inward.dependsOn.map(({ what }) => what.replace(/,.*/, '')).sort(), [
    'eni-0alb (load balancer',
    'pl-0customer (prefix list offices)',
  ]); // biome-ignore format: a table
  const db = one('{ from: internet, does-not-reach: sg db }');
  assert.equal(db.outcome, 'holds', 'its subnet has no road, and the load balancer cannot reach it');
  const told = { ...realAccount, 'pl-0customer': { Entries: [{ Cidr: '203.0.113.0/24' }] } };
  assert.equal(one('{ from: internet, does-not-reach: sg app }', told).dependsOn.length, 1);
});

/** The account with one more route in a table. */
function withRoute(table: string, more: object): Answers {
  const { RouteTables } = realAccount['route-tables'] as { RouteTables: { RouteTableId: string; Routes: object[] }[] };
  const tables = RouteTables.map((each) =>
    each.RouteTableId === table
      ? { ...each, Routes: [...each.Routes, { Origin: 'CreateRoute', State: 'active', ...more }] }
      : each,
  );
  return { ...realAccount, 'route-tables': { RouteTables: tables } };
}

test('a firewall between two subnets makes what passes between them unknown, and nothing else inside the VPC', () => {
  const answers = withRoute('rtb-0main', { DestinationCidrBlock: '10.20.2.0/24', GatewayId: 'vpce-0firewall' });
  const toDb = one('{ from: sg app, reaches: sg db, traffic: tcp 5432 }', answers);
  assert.equal(toDb.outcome, 'unknown');
  assert.match(toDb.message, /^vpce-0firewall \(Gateway Load Balancer endpoint\) could carry it/);
  assert.match(toDb.evidence?.deciding?.because ?? '', /^the route leads to vpce-0firewall, which is not modelled/);
  assert.equal(one('{ from: sg fn, does-not-reach: sg db }', answers).outcome, 'unknown');
  assert.equal(one('{ from: instance bastion, does-not-reach: sg fn }', answers).outcome, 'holds');
});

test('regional NAT gateways and a peering whose other side is not there are roads of their own; NAT64 is modelled', () => {
  const nat64 = withRoute('rtb-0data', {
    DestinationIpv6CidrBlock: '64:ff9b::/96',
    NatGatewayId: 'nat-0aaaaaaaaaaaaaaaa',
  });
  assert.equal(one('{ from: subnet data-a, does-not-reach: internet }', nat64).outcome, 'holds', 'it has no IPv6');
  const [nat] = (realAccount['nat-gateways'] as { NatGateways: object[] }).NatGateways;
  const regional = { ...realAccount, 'nat-gateways': { NatGateways: [{ ...nat, AvailabilityMode: 'regional' }] } };
  assert.equal(one('{ from: subnet app-a, does-not-reach: 8.8.8.8 }', regional).outcome, 'unknown');
  const peered = {
    ...withRoute('rtb-0data', { DestinationCidrBlock: '10.50.0.0/16', VpcPeeringConnectionId: 'pcx-0far' }),
    peerings: {
      VpcPeeringConnections: [
        {
          VpcPeeringConnectionId: 'pcx-0far',
          Status: { Code: 'active' },
          RequesterVpcInfo: { VpcId: 'vpc-0a1b2c3d4e5f60718' },
          AccepterVpcInfo: { VpcId: 'vpc-0far' },
        },
      ],
    },
  };
  const far = one('{ from: 10.50.0.0/16, does-not-reach: sg db }', peered);
  assert.equal(far.outcome, 'unknown');
  assert.match(far.message, /pcx-0far \(peering connection\) could carry it: what is on the other side is not known/);
});

test('a place means its hosts: no NAT gateway has to be reached; and between two ends outside there is nothing to say', () => {
  assert.equal(
    one('{ from: subnet app-a, reaches: subnet data-a, traffic: tcp 5432 }').outcome,
    'fails',
    'the function has no way in',
  );
  assert.equal(one('{ from: i-0app, reaches: 10.20.0.10/31, traffic: tcp 443 }').message.includes('eni-0nat'), false);
  assert.equal(one('{ from: internet, does-not-reach: s3 }').outcome, 'error');
  assert.equal(one('{ from: 8.8.8.0/24, does-not-reach: internet }').outcome, 'error');
});

test('what is not modelled is listed with why', () => {
  const { unmodelled } = ask('checks:\n  - { from: sg app, reaches: sg db }\n');
  const said = unmodelled.map(({ what, because }) => `${what}: ${because}`).join('\n');
  assert.match(said, /^tgw-0123456789abcdef0 \(transit gateway\): where it leads is not modelled$/m);
  assert.match(said, /^vgw-0a1b2c3d \(virtual private gateway\)/m);
  assert.match(said, /^eni-0alb \(load balancer, ELB app\/front/m);
  assert.match(said, /^pl-0customer \(prefix list offices\): its entries are not in the snapshot/m);
});

test('an answer that is missing, cut short or unknown makes what rests on it unknown; a snapshot without a network is refused', () => {
  const sentence = '{ from: subnet data-a, does-not-reach: internet }';
  const { 'nat-gateways': _nat, ...noNat } = realAccount;
  const nat = one('{ from: subnet app-a, does-not-reach: 8.8.8.8 }', noNat);
  assert.equal(nat.outcome, 'unknown');
  assert.match(
    nat.message,
    /nat-0aaaaaaaaaaaaaaaa \(NAT gateway\) could carry it: AWS says that the route to it is active/,
  );
  const cut = { ...realAccount, instances: { ...realAccount['instances'], NextToken: 'abc' } };
  assert.match(one(sentence, cut).message, /Reservations in instances\.json could carry it: its last page is missing/);
  const strange = { ...realAccount, other: { QuantumTunnels: [{ Id: 'qt-1' }] } };
  assert.match(one(sentence, strange).message, /QuantumTunnels in other\.json could carry it/);
  assert.equal(
    one(sentence, { ...realAccount, volumes: { Volumes: [{}] }, empty: { QuantumTunnels: [] } }).outcome,
    'holds',
  );
  const [, ...tables] = (realAccount['route-tables'] as { RouteTables: object[] }).RouteTables;
  assert.throws(
    () => one(sentence, { ...realAccount, 'route-tables': { RouteTables: tables } }),
    /the main route table of vpc-0a1b2c3d4e5f60718/,
  );
  const { subnets: _subnets, ...noSubnets } = realAccount;
  assert.throws(
    () => one(sentence, noSubnets),
    (error: Error) => error instanceof ImportError && /has no Subnets: aws ec2 describe-subnets >/.test(error.message),
  );
  assert.throws(() => one(sentence, { ...realAccount, bad: '{"Vpcs": [' }), /bad\.json is no JSON/);
  assert.throws(() => one(sentence, { ...realAccount, bad: '[]' }), /bad\.json is no answer of AWS's/);
  assert.throws(
    () => one(sentence, { ...realAccount, vpcs: { Vpcs: [{ VpcId: 7 }] } }),
    /vpcs\.json, Vpcs\[0\]\.VpcId is not a text/,
  );
  assert.throws(() => one(sentence, { vpcs: { Vpcs: {} } }), /Vpcs is no list|has no Subnets/);
});

test('pages, several answers in one file, the same one twice, directories: all one snapshot', () => {
  const { subnets, ...rest } = realAccount;
  const [first, ...others] = (subnets as { Subnets: object[] }).Subnets;
  const pages = `${JSON.stringify({ Subnets: [first], NextToken: 'more' })}\n${JSON.stringify({ Subnets: others })}\n`;
  const answers = { ...rest, 'eu-west-1/ec2/pages': pages, 'eu-west-1/again': subnets };
  assert.equal(one('{ from: sg app, reaches: sg db, traffic: tcp 5432 }', answers).outcome, 'holds');
  assert.deepEqual(
    ask('checks: [{ from: sg app, reaches: sg db }]', answers).unmodelled.filter(({ what }) =>
      what.includes('Subnets'),
    ),
    [],
  );
});

test('permissions: identity, bucket and endpoint policies, by the road that the request takes', () => {
  const can = (rest: string) => one(`{ who: role app, ${rest}, resource: bucket media/photos/1.jpg }`);
  assert.equal(can('can: s3:GetObject, cannot: [s3:PutObject, s3:DeleteObject], from: sg app').outcome, 'holds');
  const put = can('can: s3:PutObject, from: sg app');
  assert.equal(put.outcome, 'fails');
  assert.match(put.message, /through vpce-0gateway: because no VPC endpoint policy allows the s3:PutObject action/);
  assert.match(
    put.evidence?.mend[0] ?? '',
    /^aws ec2 modify-vpc-endpoint --region eu-west-1 --vpc-endpoint-id vpce-0gateway --policy-document /,
  );
  assert.deepEqual(can('can: s3:GetObject').evidence?.mend, [], 'a guard stays');
  const outside = can('can: s3:GetObject');
  assert.match(
    outside.message,
    /explicit deny in a resource-based policy \(bucket-policy of media, statement 1 "OnlyOurDoor"\)/,
  );
  assert.match(
    can('can: s3:GetObject, from: subnet data-a').message,
    /cannot s3:GetObject .*its packets do not arrive|no role|has no interface/,
  );
  const list = one('{ who: role app, can: s3:ListBucket, resource: bucket media, from: sg app }');
  // The endpoint lets Get* through alone.
  assert.equal(list.outcome, 'fails');
  const { 'bucket-policy.media': _policy, ...open } = realAccount;
  const unknown = one('{ who: role app, can: s3:ListBucket, resource: bucket media }', open);
  assert.equal(unknown.outcome, 'unknown');
  assert.match(unknown.message, /depends on s3:prefix, which only the request tells/);
  assert.equal(
    one("{ who: role app, can: s3:ListBucket, resource: bucket media, when: { 's3:prefix': photos/2026 } }", open)
      .outcome,
    'holds',
  );
  assert.match(
    one('{ who: role ap, can: s3:GetObject, resource: bucket media/x }').message,
    /there is no role ap; did you mean 'app'\?/,
  );
  assert.match(
    one('{ who: role app, can: s3:GetObject, resource: bucket medio/x }').message,
    /there is no bucket medio; did you mean 'media'\?/,
  );
});

test('a policy that cannot be read makes what rests on it unknown', () => {
  const result = one('{ who: role app, can: s3:GetObject, resource: bucket media/x }', {
    ...realAccount,
    'bucket-policy.media': { Policy: '{"Version":"2031-01-01","Statement":[{"Resource":"arn:aws:s3:::media/*"}]}' },
  });
  assert.equal(result.outcome, 'unknown');
  assert.match(result.message, /policy cannot be read/);
});

test('in another partition the names of resources are that partition’s', () => {
  const text = JSON.stringify(realAccount)
    .replaceAll('eu-west-1', 'us-gov-west-1')
    .replaceAll('arn:aws:', 'arn:aws-us-gov:');
  const answers = JSON.parse(text) as Answers;
  const get =
    '{ who: role app, can: s3:GetObject, cannot: s3:DeleteObject, resource: bucket media/photos/1.jpg, from: sg app }';
  assert.equal(one(get, answers).outcome, 'holds');
});
