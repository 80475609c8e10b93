import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Assertion, readDocument } from './document.ts';

function read(text: string): readonly Assertion[] {
  const found = readDocument(text);
  assert.ok(found.ok, JSON.stringify(found));
  return found.assertions;
}

/** `LINE:COLUMN message` of each. */
function problems(text: string): string[] {
  const found = readDocument(text);
  assert.ok(!found.ok, 'the file should have been refused');
  return found.problems.map(({ message, place }) => `${place.line}:${place.column} ${message}`);
}

test('the three examples of the issue read as they are meant', () => {
  const [one, two, three] = read(`
checks:
  - from: subnet private
    reaches: s3
    only-through: vpce
  - from: internet
    does-not-reach: sg db
    traffic: tcp 5432, 5433
  - who: role app
    can: s3:GetObject
    cannot: [s3:DeleteObject, s3:PutObject]
    resource: bucket media/photos/1.jpg
`);
  assert.equal(one?.name, 'subnet private reaches s3 only through vpce');
  assert.equal(two?.name, 'nothing from the internet reaches sg db on tcp 5432, 5433');
  assert.equal(
    three?.name,
    'role app can s3:GetObject but cannot s3:DeleteObject or s3:PutObject on bucket media/photos/1.jpg',
  );
  assert.ok(one?.kind === 'network' && two?.kind === 'network' && three?.kind === 'policy');
  assert.deepEqual(one.from[0]?.means, { kind: 'resource', selector: { kind: 'subnet', name: 'private' } });
  assert.deepEqual(one.to[0]?.means, { kind: 'service', service: 's3' });
  assert.deepEqual(one.onlyThrough?.[0]?.means, { kind: 'hop', hop: 'vpc-endpoint' });
  assert.deepEqual(two.traffic[0]?.ports, [{ from: 5432, to: 5432 }, { from: 5433, to: 5433 }]); // biome-ignore format: pairs
  assert.deepEqual(two.place, { line: 6, column: 5, end: { line: 9, column: 1 } });
  assert.deepEqual(three.who.means, { kind: 'role', name: 'app' });
});

test('names of the file stand for ends; ids, tags, addresses and the VPC of a name are ends too', () => {
  const [one] = read(`
names:
  office: 203.0.113.0/24
  web: [sg web in prod, i-0abc, tag Tier=web, 2001:db8::1, subnet Private Subnet 1]
checks:
  - { from: office, reaches: web, traffic: [icmp, udp 53, tcp 8000-8080] }
`);
  assert.ok(one?.kind === 'network');
  assert.deepEqual(one.from[0]?.means, { kind: 'cidr', cidr: '203.0.113.0/24' });
  assert.deepEqual(one.to.map(({ means }) => means), [
    { kind: 'resource', selector: { kind: 'security-group', name: 'web', vpc: 'prod' } },
    { kind: 'resource', selector: { kind: 'instance', name: 'i-0abc' } },
    { kind: 'resource', selector: { name: { tag: 'Tier', value: 'web' } } },
    { kind: 'cidr', cidr: '2001:db8::1/128' },
    { kind: 'resource', selector: { kind: 'subnet', name: 'Private Subnet 1' } },
  ]); // biome-ignore format: a table
  assert.deepEqual(
    one.traffic.map(({ text }) => text),
    ['icmp', 'udp 53', 'tcp 8000-8080'],
  );
});

test('what is wrong has its line and column, and the word that was meant', () => {
  assert.deepEqual(problems('checks:\n  - from: internet\n    does-not-reech: sg db\n'), [
    "3:5 unknown key 'does-not-reech'; did you mean 'does-not-reach'? (an assertion about flows has name, from, reaches, does-not-reach, may-reach, traffic, only-through, allow-empty)",
    '2:5 an assertion says one of reaches, does-not-reach, may-reach',
  ]);
  assert.deepEqual(problems('checks:\n  - { from: internet, reaches: subnt private }\n'), [
    "2:32 'subnt' is no kind of end; did you mean 'subnet'? (instance, interface, eni, subnet, sg, security-group, vpc, vpce, endpoint, tag, service, bucket, internet, or a Name alone)",
  ]);
  assert.deepEqual(problems('check: []\n').slice(0, 1), [
    "1:1 unknown key 'check'; did you mean 'checks'? (the file has names, checks)",
  ]);
  assert.deepEqual(
    problems('checks: [{ from: 10.0.0.4/16, reaches: service s33 }]').map((each) => each.slice(0, 60)),
    [
      '1:18 10.0.0.4/16 has host bits set; write 10.0.0.0/16',
      "1:40 AWS has no service 's33' that endpoints are for; did yo",
    ],
  );
});

test('nothing said, said twice, of the wrong type or not YAML at all is refused', () => {
  for (const [text, message] of [
    ['', /1:1 the file is a mapping/],
    ['checks: []', /'checks' is empty/],
    ['checks:\n  - from: sg a\n    from: sg b\n    reaches: s3', /3:5 Map keys must be unique/],
    ['checks:\n  - from:\n    reaches: s3', /2:5 'from' says nothing/],
    ['checks:\n  - { from: sg a, reaches: s3, allow-empty: yes }', /'allow-empty' is true or false/],
    ['checks:\n  - { from: sg a, reaches: s3, traffic: tcp 70000 }', /70000 is no port/],
    ['checks:\n  - { from: sg a, reaches: s3, traffic: 443 }', /names a port without its protocol: 'tcp 443'/],
    ['checks:\n  - { from: s3, reaches: sg a }', /a service sends nothing/],
    ['checks:\n  - { from: sg a, may-reach: s3 }', /'may-reach' says something only with 'only-through'/],
    ['checks:\n  - { from: sg a, does-not-reach: s3, only-through: nat }', /'only-through' goes with/],
    ['checks:\n  - { who: role a, can: "s3:*", resource: bucket b12/k }', /is a pattern; name one action/],
    [
      'checks:\n  - { who: role a, can: s3:GetObject, resource: bucket b12/* }',
      /policies are asked about one resource/,
    ],
    ['checks:\n  - { who: role a, can: s3:GetObject }', /asked about a 'resource'/],
    ['checks:\n  - { who: rolle a, can: sts:AssumeRole }', /'rolle a' is nobody/],
    ['checks:\n  - { from: *a, reaches: s3 }', /2:13 there is no anchor '&a' before this/],
    ['checks: {', /Flow map/],
    ['checks:\n  - {from: sg a, reaches: sg b}\n---\nchecks: []', /Source contains multiple documents/],
  ] as const) {
    assert.match(problems(text).join('\n'), message, text);
  }
});
