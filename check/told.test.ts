// The forms in which a report is told to machines, and that the schema for editors says what the reader reads.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readDocument } from './document.ts';
import { toJunit } from './junit.ts';
import { exitCodeOf, type Result } from './report.ts';
import { toSarif } from './sarif.ts';

const common = { column: 5, dependsOn: [], assumptions: [], probes: [], message: '' } as const;
const results: readonly Result[] = [
  { ...common, name: 'fine', line: 2, outcome: 'holds' },
  {
    ...common,
    name: 'a <b> & "c"\u0007',
    line: 3,
    endLine: 5,
    endColumn: 1,
    outcome: 'fails',
    message: 'tcp 22 gets through',
    evidence: {
      flow: 'tcp 22 from 203.0.113.50 to 198.19.0.1',
      between: 'the internet to web',
      steps: [],
      deciding: { leg: 'forward', stage: 'sg-ingress', component: 'eni-1', verdict: 'pass', because: 'sg-1, rule sgr-1, allows tcp 22' },
      mend: ['aws ec2 revoke-security-group-ingress --group-id sg-1 --security-group-rule-ids sgr-1'],
    },
  },
  { ...common, name: 'who knows', line: 6, outcome: 'unknown', message: 'tgw-1 could carry it', dependsOn: [{ what: 'tgw-1', because: 'it is not modelled' }] },
  { ...common, name: 'typo', line: 7, outcome: 'error', message: "there is no subnet privat; did you mean 'private'?" },
]; // biome-ignore format: a table

test('JUnit: a failure fails, what is unknown is an error and no skip, and nothing breaks the XML', () => {
  const xml = toJunit('net/check.yaml', results);
  assert.match(xml, /<testsuite name="net\/check\.yaml" tests="4" failures="1" errors="2" skipped="0">/);
  assert.match(xml, /<testcase name="fine" classname="net\/check\.yaml" file="net\/check\.yaml" line="2"\/>/);
  assert.match(xml, /name="a &lt;b&gt; &amp; &quot;c&quot;"/);
  assert.match(
    xml,
    /<failure type="fails" message="tcp 22 gets through">tcp 22 from 203\.0\.113\.50 to 198\.19\.0\.1 \(the internet to web\)\n/,
  );
  assert.match(xml, /to mend it: aws ec2 revoke-security-group-ingress/);
  assert.match(xml, /<error type="unknown" message="tgw-1 could carry it">depends on tgw-1: it is not modelled</);
  assert.equal(xml.includes('\u0007'), false);
});

test('SARIF: a place for each, `fail` with a level, `open` and `pass` with none', () => {
  const log = toSarif('net/my check.yaml', '0.1.0', results, () => 'reachability') as {
    runs: {
      tool: { driver: { rules: { id: string }[] } };
      results: { ruleId: string; ruleIndex: number; kind: string; level: string; locations: object[] }[];
    }[];
  };
  const [run] = log.runs;
  assert.deepEqual(run?.results.map(({ kind, level, ruleId }) => [kind, level, ruleId]), [
    ['pass', 'none', 'reachability'], ['fail', 'error', 'reachability'], ['open', 'none', 'reachability'], ['fail', 'error', 'check-file'],
  ]); // biome-ignore format: a table
  for (const { ruleId, ruleIndex } of run?.results ?? []) assert.equal(run?.tool.driver.rules[ruleIndex]?.id, ruleId);
  assert.deepEqual(run?.results[1]?.locations, [
    {
      physicalLocation: {
        artifactLocation: { uri: 'net/my%20check.yaml' },
        region: { startLine: 3, startColumn: 5, endLine: 5, endColumn: 1 },
      },
    },
  ]);
});

test('exit codes: a mistake before a failure, a failure before what is unknown; packets that disagree are a failure', () => {
  const [holds, fails, unknown, error] = results;
  assert.ok(holds && fails && unknown && error);
  assert.equal(exitCodeOf([holds]), 0);
  assert.equal(exitCodeOf([holds, unknown, fails]), 1);
  assert.equal(exitCodeOf([fails, error]), 2);
  assert.equal(exitCodeOf([unknown, holds]), 5);
  assert.equal(exitCodeOf([{ ...holds, live: { probed: [], disagreements: 1 } }]), 1);
});

test('the schema for editors has the keys that the reader takes, and the example is a check file', () => {
  const schema = JSON.parse(readFileSync(new URL('../docs/check.schema.json', import.meta.url), 'utf8')) as {
    properties: object;
    definitions: Record<'flows' | 'permissions', { properties: object }>;
  };
  const keys = (text: string) => {
    const read = readDocument(text);
    assert.ok(!read.ok);
    const [, list = ''] = / has ([^)]*)\)/.exec(read.problems[0]?.message ?? '') ?? [];
    return list.split(', ').sort();
  };
  assert.deepEqual(Object.keys(schema.properties).sort(), keys('zzzzzzzz: 1'));
  assert.deepEqual(
    Object.keys(schema.definitions.flows.properties).sort(),
    keys('checks: [{ from: sg a, zzzzzzzz: 1 }]'),
  );
  assert.deepEqual(
    Object.keys(schema.definitions.permissions.properties).sort(),
    keys('checks: [{ who: role a, zzzzzzzz: 1 }]'),
  );
  const example = readFileSync(new URL('../examples/private-subnets.check.yaml', import.meta.url), 'utf8');
  assert.ok(readDocument(example).ok);
});
