// Writes docs/coverage.md: which operations of each catalogued service are served, refused for a reason, or missing, and which tests name each rule of
// docs/rules 1–7. `npm run coverage`; tests/architecture/coverage.test.ts fails when the file is stale.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { services as catalogued } from '../server/catalogue/catalogue.ts';
import { createServices } from '../server/services.ts';
import { Store } from '../server/store/store.ts';
import { reasons } from './coverage-reasons.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const file = join(root, 'docs', 'coverage.md');

const code = (names) => names.map((name) => `\`${name}\``).join(' ');
const titled = (title, names) => `**${title}** (${names.length}): ${code(names)}\n`;

/** Of each service, in the catalogue's order: operations served, refused by class, missing. */
function serviceTable() {
  const store = new Store(':memory:');
  const parts = { store, dataDirectory: join(tmpdir(), 'postern-coverage'), log: () => {} };
  const { all, s3 } = createServices(parts);
  const rows = catalogued().map(({ name, operations }) => {
    const rows = all.get(name)?.operations ?? {};
    const served = operations.filter((operation) => Object.hasOwn(rows, operation)).sort();
    const classes = new Map();
    const missing = [];
    for (const operation of operations.filter((one) => !Object.hasOwn(rows, one)).sort()) {
      const found = reasons[name]?.find(([, pattern]) => pattern.test(operation));
      if (!found) missing.push(operation);
      else classes.set(found[0], [...(classes.get(found[0]) ?? []), operation]);
    }
    return { name, operations, served, classes: [...classes].sort(([a], [b]) => (a < b ? -1 : 1)), missing };
  });
  s3.close();
  store.close();
  return rows;
}

function* filesUnder(directory) {
  for (const entry of readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name === 'node_modules') continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* filesUnder(path);
    else yield path;
  }
}

/** Rule id → the test files that name it as `[ID]`. Lab steps have ids of the same form, so the labs' own tests are left out. */
function testsByRule() {
  const found = new Map();
  const rooms = ['network', 'policy', 'fabric', 'server', 'guest', 'cli', 'labs', 'tests'];
  for (const path of rooms.flatMap((room) => [...filesUnder(join(root, room))])) {
    const name = basename(path);
    if (!/\.test\.ts$|cases\.ts$/.test(name) && !path.includes('/cases/')) continue;
    if (/lab/.test(name)) continue;
    const short = name.replace(/(\.kernel)?(\.test)?\.ts$/, '');
    for (const [, id] of readFileSync(path, 'utf8').matchAll(/\[([A-Z]\d{1,2})\]/g))
      found.set(id, new Set([...(found.get(id) ?? []), short]));
  }
  return found;
}

function ruleTable() {
  const tests = testsByRule();
  return readdirSync(join(root, 'docs', 'rules'))
    .filter((name) => /^0[1-7]-/.test(name))
    .sort()
    .map((name) => {
      const text = readFileSync(join(root, 'docs', 'rules', name), 'utf8');
      const title = /^# (.*)$/m.exec(text)?.[1] ?? name;
      const rules = [...text.matchAll(/^- ([A-Z]\d{1,2})\./gm)].map(([, id]) => ({
        id,
        tests: [...(tests.get(id) ?? [])].sort(),
      }));
      return { name, title, rules };
    });
}

/** The whole document. */
export function coverage() {
  const services = serviceTable();
  const sections = ruleTable();
  const sum = (of) => services.reduce((total, service) => total + of(service), 0);
  const refused = ({ classes }) => classes.reduce((total, [, names]) => total + names.length, 0);
  const line = (...cells) => `| ${cells.join(' | ')} |`;
  const untested = ({ rules }) => rules.filter((rule) => rule.tests.length === 0);
  const lines = [
    '# Coverage',
    '',
    'Made by `npm run coverage`; not to be edited. *Refused* and *missing* operations answer an error that names them (`UnsupportedOperation`, `NotImplemented`,',
    '`UnknownOperationException`); refused ones have a reason (`scripts/coverage-reasons.mjs`), missing ones none. Limits within what is served: [gaps](gaps.md).',
    '',
    line('service', 'operations', 'served', 'refused', 'missing'),
    line('---', '---', '---', '---', '---'),
    ...services.map((one) =>
      line(one.name, one.operations.length, one.served.length, refused(one), one.missing.length),
    ),
    line(
      '**all**',
      sum((one) => one.operations.length),
      sum((one) => one.served.length),
      sum(refused),
      sum((one) => one.missing.length),
    ),
    '',
    line('rules', 'stated', 'named by a test', 'not'),
    line('---', '---', '---', '---'),
    ...sections.map((one) =>
      line(
        `[${one.title}](rules/${one.name})`,
        one.rules.length,
        one.rules.length - untested(one).length,
        untested(one).length,
      ),
    ),
    '',
    '## Operations',
    '',
    ...services.flatMap((one) => [
      `### ${one.name}`,
      '',
      ...(one.served.length > 0 ? [titled('Served', one.served)] : []),
      ...(one.missing.length > 0 ? [titled('Missing', one.missing)] : []),
      ...one.classes.map(([reason, names]) => titled(`Refused: ${reason}`, names)),
    ]),
    '## Rules',
    '',
    'A rule without a test may still be kept; nothing shows it. Test files are named without their endings.',
    '',
    ...sections.flatMap((one) => [
      `### ${one.title}`,
      '',
      ...(untested(one).length > 0
        ? [
            `**Not named by any test**: ${untested(one)
              .map(({ id }) => id)
              .join(' ')}`,
            '',
          ]
        : []),
      ...one.rules.filter((rule) => rule.tests.length > 0).map(({ id, tests }) => `- ${id}: ${tests.join(', ')}`),
      '',
    ]),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(file, coverage());
  process.stdout.write(`${file}\n`);
}
