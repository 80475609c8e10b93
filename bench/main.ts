// `npm run bench`: one command, one table, with machine and date. Goals are the issue's; a figure that misses its goal is marked, not hidden.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { apiCases, furnishApi } from './api.ts';
import { measureCheck } from './check.ts';
import { bringUp, memoryOf, serverProcess } from './cloud.ts';
import { measureDifferential } from './differential.ts';
import { measureDurable } from './durable.ts';
import { measureFabric } from './fabric.ts';
import { type Case, measureCases, type Row, type Target } from './measure.ts';
import { measureNetwork } from './network.ts';
import { type Design, measureReachApart, measureWalk } from './reach.ts';
import { measureRoads, measureScale } from './roads.ts';
import { furnishS3, s3Cases } from './s3.ts';
import { mark, number, tableHead, tableRow, tableText } from './table.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: 'start,check,durable,api,s3,network,fabric,reach,differential,roads,scale' },
    call: { type: 'string', default: '' },
    'no-moto': { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const wanted = new Set(values.only.split(','));
const quick = values.quick;
const progress = (text: string) => process.stderr.write(`bench: ${text}\n`);

const lines: string[] = [];
const put = (line = '') => {
  lines.push(line);
  process.stdout.write(`${line}\n`);
};
const middle = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const spread = (values: readonly number[]) =>
  `${number(middle(values))} (${number(Math.min(...values))}–${number(Math.max(...values))})`;

function machine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const kernel = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
  return `${cpus().length} × ${model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${kernel}, Node ${process.versions.node}`;
}

const date = new Date().toISOString().slice(0, 10);
put(`# Benchmark, ${date}`);
put();
put(machine());

if (wanted.has('start')) {
  const first: number[] = [];
  const idle: number[] = [];
  for (let round = 0; round < (quick ? 2 : 5); round += 1) {
    progress(`start ${round + 1}`);
    const cloud = await bringUp();
    first.push(cloud.firstAnswerMs);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    idle.push(memoryOf(cloud.directory).reduce((sum, one) => sum + one.bytes, 0) / 1e6);
    await cloud.end();
  }
  put('\n## Start\n\n| figure | middle (least–most) | goal | |\n|---|---|---|---|');
  put(`| start to first answered request, ms | ${spread(first)} | < 1,000 | ${mark(middle(first) < 1000)} |`);
  put(`| idle memory of all processes (PSS), MB | ${spread(idle)} | < 150 | ${mark(middle(idle) < 150)} |`);
}

if (wanted.has('check')) {
  progress('check');
  const sizes = quick ? [1000] : [1000, 4000];
  put('\n## Check\n\nTen assertions over a snapshot of AWS’s answers, from the start of the process to its end.\n');
  put('| interfaces | ms, middle (least–most) | memory, MB | goal | |\n|---|---|---|---|---|');
  for (const interfaces of sizes) {
    const { elapsedMs, memoryBytes } = measureCheck({ interfaces, repeats: quick ? 1 : 3 });
    const isGoal = interfaces === 1000;
    put(
      `| ${number(interfaces)} | ${spread(elapsedMs)} | ${number(memoryBytes / 1e6)} | ${isGoal ? '< 10,000' : ''} | ${isGoal ? mark(middle(elapsedMs) < 10_000) : ''} |`,
    );
  }
}

if (wanted.has('durable')) {
  progress('durable');
  put('\n## What a durable answer costs\n\nOne after the other, with nothing else to do, the ways in turn; µs.\n');
  put('| way | best tenth | middle | event loop | all threads |\n|---|---|---|---|---|');
  for (const { name, ...us } of await measureDurable(quick ? 5 : 40))
    put(`| ${name} | ${[us.bestUs, us.middleUs, us.mainUs, us.allUs].map(number).join(' | ')} |`);
}

if (wanted.has('network')) {
  const cloud = await bringUp();
  try {
    const figures = await measureNetwork(cloud, { repeats: quick ? 2 : 5, seconds: quick ? 2 : 5, progress });
    put('\n## Network\n\n| figure | middle (least–most) | goal | |\n|---|---|---|---|');
    put(
      `| RunInstances to a shell that answers, ms | ${spread(figures.runToShellMs)} | < 300 | ${mark(middle(figures.runToShellMs) < 300)} |`,
    );
    put(
      `| security-group change to effect on packets, ms | ${spread(figures.groupChangeMs)} | < 50 | ${mark(middle(figures.groupChangeMs) < 50)} |`,
    );
    if (figures.throughput) {
      const { instanceGbits, bareGbits } = figures.throughput;
      const ratios = instanceGbits.map((value, index) => value / (bareGbits[index] ?? Number.NaN));
      put(`| instance to instance through the router, Gbit/s | ${spread(instanceGbits)} | | |`);
      put(`| one bare veth pair, Gbit/s | ${spread(bareGbits)} | | |`);
      put(`| the ratio of the two | ${spread(ratios)} | ≥ 0.5 | ${mark(middle(ratios) >= 0.5)} |`);
    } else put(`| throughput | not measured: ${figures.withoutThroughput} | ≥ 0.5 | |`);
  } finally {
    await cloud.end();
  }
}

if (wanted.has('fabric')) {
  const rows = measureFabric(quick ? [10, 100] : [10, 100, 1000], progress);
  put(
    '\n## Compile and apply\n\n| interfaces | compile, ms | first apply, ms | one rule changed: compile + apply, ms |\n|---|---|---|---|',
  );
  for (const row of rows)
    put(`| ${row.interfaces} | ${number(row.compileMs)} | ${number(row.firstApplyMs)} | ${number(row.changeMs)} |`);
}

if (wanted.has('reach')) {
  progress('reach');
  put('\n## Walk and reach\n');
  put(
    `The walk follows ${number(measureWalk(quick ? 1 : 5))} flows a second, there and back, among 1,000 interfaces.\n`,
  );
  put('All pairs of interfaces and the internet, with 200 groups; by role, or with two groups each at random.\n');
  put(
    '| interfaces | groups | classes | open pairs | all pairs, s | of the processors, s | who reaches one, ms | memory, MB | goal | |',
  );
  put('|---|---|---|---|---|---|---|---|---|---|');
  const sizes: readonly (readonly [number, Design])[] = [[10, 'roles'], [100, 'roles'], [1000, 'roles'], [1000, 'random'], [10_000, 'roles']]; // biome-ignore format: a table
  for (const [interfaces, design] of quick ? sizes.slice(0, 3) : sizes) {
    const row = measureReachApart(interfaces, design);
    const hasGoal = interfaces === 1000;
    const isMet = row.allPairsMs < 10_000 && row.memoryBytes < 1e9;
    put(
      `| ${interfaces.toLocaleString('en')} | ${design} | ${row.classes} | ${row.openPairs.toLocaleString('en')} | ${number(row.allPairsMs / 1000)} | ${number(row.processorMs / 1000)} | ${number(row.oneTargetMs)} | ${number(row.memoryBytes / 1e6)} | ${hasGoal ? `< 10 s, < 1 GB | ${mark(isMet)}` : '|'} |`,
    );
  }
}

if (wanted.has('differential')) {
  const { networks, flows, applyMs, flowsMs } = measureDifferential(quick ? 10 : 60, progress);
  put('\n## Differential\n');
  put(
    `${number((flows * 1000) / flowsMs)} flows a second are walked, sent as packets, traced and compared; with the networks they need, ${number((flows * 1000) / (flowsMs + applyMs))}. ${flows} flows in ${networks} random networks, of which one is applied over the other in ${number(applyMs / networks)} ms.`,
  );
}

if (wanted.has('roads')) {
  const cloud = await bringUp();
  try {
    const figures = await measureRoads(cloud, { repeats: quick ? 1 : 3, seconds: quick ? 1 : 4, progress });
    put('\n## Roads\n');
    if (typeof figures === 'string') put(`not measured: ${figures}`);
    else {
      const { bare, rows, natConnectionsPerSecond } = figures;
      put(
        'Throughput of one flow, and the round trip of a ping; the ratio is to one bare veth pair in the same run. S3 by TLS.\n',
      );
      put('| road | Gbit/s | ratio | round trip, ms | added, ms |\n|---|---|---|---|---|');
      put(`| one bare veth pair | ${spread(bare.gbits)} | 1 | ${bare.roundTripMs.toFixed(3)} | |`);
      for (const { road, gbits, roundTripMs } of rows) {
        const trip =
          roundTripMs === undefined
            ? ' | '
            : `${roundTripMs.toFixed(3)} | ${(roundTripMs - bare.roundTripMs).toFixed(3)}`;
        put(`| ${road} | ${spread(gbits)} | ${(middle(gbits) / middle(bare.gbits)).toFixed(2)} | ${trip} |`);
      }
      put(
        `\nNew TCP connections through a NAT gateway, one after another: ${number(natConnectionsPerSecond)} a second.`,
      );
    }
  } finally {
    await cloud.end();
  }
}

if (wanted.has('scale')) {
  const cloud = await bringUp();
  try {
    const figures = await measureScale(cloud, { vpcs: quick ? 4 : 20, instancesPerVpc: quick ? 10 : 50, progress });
    put(
      `\n## ${figures.instances.toLocaleString('en')} instances in ${figures.vpcs} VPCs with ${figures.groups} groups\n`,
    );
    put('| figure | middle (least–most) |\n|---|---|');
    put(`| first RunInstances to all of them running, s | ${number(figures.upSeconds)} |`);
    put(
      `| memory of all processes (PSS), MB | ${number(figures.memoryBytes / 1e6)} (${number(figures.memoryBytes / 1e6 / figures.instances)} each) |`,
    );
    put(`| DescribeInstances of all, ms | ${spread(figures.describeMs)} |`);
    put(`| one rule changed, answered and carried, ms | ${spread(figures.changeMs)} |`);
    put(`| 1,000 rules at once: all answered, ms | ${number(figures.burst.answeredMs)} |`);
    put(`| and all carried by the kernel, ms | ${number(figures.burst.carriedMs)} |`);
  } finally {
    await cloud.end();
  }
}

async function measureTable<Ids>(
  title: string,
  cases: readonly Case<Ids>[],
  furnish: (target: Target) => Promise<Ids>,
) {
  const cloud = await bringUp();
  try {
    const credentials = {
      accessKeyId: cloud.environment['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: cloud.environment['AWS_SECRET_ACCESS_KEY'] ?? '',
    };
    put(`\n## ${title}\n\n${tableText}\n\n${tableHead}`);
    const failed: Row[] = [];
    await measureCases(
      { name: 'postern', port: cloud.port, processId: serverProcess(cloud.directory), credentials },
      {
        cases,
        furnish,
        durationMs: quick ? 700 : 1500,
        rounds: quick ? 1 : 3,
        only: values.call.split('|'),
        withMoto: !values['no-moto'],
        progress,
        onRow: (row) => {
          put(tableRow(row));
          if (row.postern.failures > 0) failed.push(row);
        },
      },
    );
    for (const row of failed) put(`\n${row.name}: ${row.postern.failures} answers failed: ${row.postern.firstFailure}`);
  } finally {
    await cloud.end();
  }
}

if (wanted.has('api')) await measureTable('API calls', apiCases, furnishApi);
if (wanted.has('s3')) await measureTable('S3, IAM and STS', s3Cases(quick), furnishS3(quick));

if (values.write) {
  const directory = join('bench', 'results');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${date}.md`), `${lines.join('\n')}\n`);
  progress(`written to bench/results/${date}.md`);
}
