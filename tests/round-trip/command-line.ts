// Carries out AWS CLI commands as they are printed, in one process: a small shell for words, quotes, `$(…)` and `VAR=$(…)`, and the CLI's own names for
// operations and members. The real CLI does the same with a few of them in tests/e2e/why.test.ts.

import { loadService } from '@postern/server/catalogue/catalogue.ts';
import type { Service } from '@postern/server/service.ts';
import type { Store } from '@postern/server/store/store.ts';
import { rootPrincipal, runOperation } from '@postern/server/testing.ts';

export interface CommandLine {
  readonly store: Store;
  readonly services: ReadonlyMap<string, Service>;
  readonly accountId: string;
}

/** Runs the commands one after the other. Throws what an operation throws, and on a command that the CLI would not take. */
export async function carryOut(cli: CommandLine, commands: readonly string[]): Promise<void> {
  const variables = new Map<string, string>();
  for (const command of commands) {
    const assignment = /^([A-Z]+)=\$\((.*)\)$/.exec(command);
    if (assignment) variables.set(assignment[1] ?? '', await run(cli, assignment[2] ?? '', variables));
    else await run(cli, command, variables);
  }
}

/** @returns what `--query … --output text` prints */
async function run(cli: CommandLine, command: string, variables: ReadonlyMap<string, string>): Promise<string> {
  const [program, ...words] = await split(cli, command, variables);
  if (program !== 'aws') throw new Error(`not the AWS CLI: ${command}`);
  const account = words[0] === '--account' ? words.splice(0, 2)[1] : undefined;
  const [serviceName = '', verb = '', ...options] = words;
  const service = cli.services.get(serviceName.replace(/^s3api$/, 's3'));
  const model = service && loadService(service.name);
  const name = model?.operations.find((one) => kebab(one) === verb);
  if (service === undefined || name === undefined) throw new Error(`there is no ${serviceName} ${verb}: ${command}`);
  const members = new Map<string, { readonly name: string; readonly type: string }>();
  const shape = model?.operation(name)?.input;
  for (const member of shape?.members ?? [])
    members.set(squeezed(member.name), { name: member.name, type: member.shape.kind });
  const input: Record<string, unknown> = {};
  let query: string | undefined;
  let region = 'us-east-1';
  while (options.length > 0) {
    const option = options.shift() ?? '';
    if (!option.startsWith('--')) throw new Error(`${option} is no option: ${command}`);
    const key = squeezed(option.slice(2));
    if (key === 'query') query = options.shift();
    else if (key === 'output') options.shift();
    else if (key === 'region') region = options.shift() ?? '';
    else if (key === 'ingress' || key === 'egress') input['Egress'] = key === 'egress';
    else if (key === 'nosourcedestcheck') input['SourceDestCheck'] = { Value: false };
    else if (key === 'enablednssupport') input['EnableDnsSupport'] = { Value: true };
    else if (key === 'setasdefault') input['SetAsDefault'] = true;
    else {
      const member = members.get(key);
      if (member === undefined) throw new Error(`${verb} has no ${option}`);
      input[member.name] = optionValue(member.type, options);
    }
  }
  const accountId = account ?? cli.accountId;
  const output = await runOperation(cli.store, service, name, input, {
    region,
    accountId,
    principal: rootPrincipal(accountId),
  });
  if (query === undefined) return '';
  return String(
    query.split(/[.[\]]+/).reduce<unknown>((value, part) => (value as Record<string, unknown>)[part], output),
  );
}

function optionValue(type: string, options: string[]): unknown {
  const word = options.shift() ?? '';
  if (type === 'list') {
    if (word.startsWith('[')) return JSON.parse(word);
    const all = [word];
    while (options[0] !== undefined && !options[0].startsWith('--')) all.push(options.shift() ?? '');
    return all;
  }
  if (type === 'structure') {
    if (word.startsWith('{')) return JSON.parse(word);
    // The shorthand `From=80,To=80`: here always numbers.
    return Object.fromEntries(word.split(',').map((part) => [part.split('=')[0], Number(part.split('=')[1])]));
  }
  return type === 'string' ? word : JSON.parse(word);
}

async function split(cli: CommandLine, command: string, variables: ReadonlyMap<string, string>): Promise<string[]> {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < command.length; at += 1) {
    const character = command[at] ?? '';
    if (character === ' ') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === "'") {
      const end = command.indexOf("'", at + 1);
      word = (word ?? '') + command.slice(at + 1, end);
      at = end;
    } else if (character === '\\') {
      word = (word ?? '') + (command[++at] ?? '');
    } else if (command.startsWith('$(', at)) {
      const end = command.indexOf(')', at);
      word = (word ?? '') + (await run(cli, command.slice(at + 2, end), variables));
      at = end;
    } else if (character === '"') {
      const end = command.indexOf('"', at + 1);
      const name = command.slice(at + 2, end);
      const value = variables.get(name);
      if (command[at + 1] !== '$' || value === undefined) throw new Error(`what is ${command.slice(at, end + 1)}?`);
      word = (word ?? '') + value;
      at = end;
    } else word = (word ?? '') + character;
  }
  if (word !== undefined) words.push(word);
  return words;
}

const kebab = (name: string) =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();
const squeezed = (name: string) => name.replaceAll('-', '').toLowerCase();
