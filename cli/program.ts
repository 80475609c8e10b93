// The command line of `postern`. Each subcommand is a row here and a function in commands/; docs/commands.md describes them.
// Exit codes: terminal.ts. With --json a failure is JSON too, on stdout, `{ "error": { message, cure, exitCode } }`; its words are on stderr as ever.

import { Command, CommanderError } from 'commander';
import type { CheckOptions } from './commands/check.ts';
import type { ConnectOptions } from './commands/connect.ts';
import type { LabOptions } from './commands/lab.ts';
import type { ReachOptions } from './commands/reach.ts';
import type { SessionOptions } from './commands/session.ts';
import type { TraceOptions } from './commands/trace.ts';
import type { TunnelOptions } from './commands/tunnel.ts';
import type { WhyOptions } from './commands/why.ts';
import { optionsAfter } from './options.ts';
import { report } from './report.ts';
import { exitCodes, OperatorError } from './terminal.ts';

// A subcommand is loaded when it is called: the whole of them costs as much as the start of Node itself, and `exec` is called in loops.
const lazily =
  <A extends unknown[]>(load: () => Promise<(...args: A) => Promise<number>>) =>
  async (...args: A): Promise<number> =>
    (await load())(...args);
const cloud = () => import('./commands/cloud.ts');
const accountCommands = () => import('./commands/account.ts');
const up = lazily(async () => (await cloud()).up);
const down = lazily(async () => (await cloud()).down);
const status = lazily(async () => (await cloud()).status);
const env = lazily(async () => (await cloud()).env);
const reset = lazily(async () => (await cloud()).reset);
const wait = lazily(async () => (await cloud()).wait);
const flowLogs = lazily(async () => (await cloud()).flowLogs);
const createAccount = lazily(async () => (await accountCommands()).createAccount);
const providerKeys = async (arn: string, file: string, options: { data?: string; json?: boolean }): Promise<number> =>
  (await import('./commands/provider-keys.ts')).providerKeys(arn, file, options);
const listAccounts = lazily(async () => (await accountCommands()).listAccounts);
const aws = lazily(async () => (await import('./commands/aws.ts')).aws);
const exec = lazily(async () => (await import('./commands/exec.ts')).exec);
const connect = lazily(async () => (await import('./commands/connect.ts')).connect);
const session = lazily(async () => (await import('./commands/session.ts')).session);
const sessionPlugin = lazily(async () => (await import('./commands/session-plugin.ts')).sessionPlugin);
const tunnel = lazily(async () => (await import('./commands/tunnel.ts')).tunnel);
const reach = lazily(async () => (await import('./commands/reach.ts')).reach);
const trace = lazily(async () => (await import('./commands/trace.ts')).trace);
const why = lazily(async () => (await import('./commands/why.ts')).why);
const requests = lazily(async () => (await import('./commands/requests.ts')).requests);
const check = lazily(async () => (await import('./commands/check.ts')).check);
const lab = lazily(async () => (await import('./commands/lab.ts')).lab);
/** For the help of `lab`, which is the one that shows them. */
const labs = process.argv.includes('lab') ? (await import('@postern/labs/labs.ts')).labs : [];

const version = '0.1.0';

/** Runs a subcommand with its options, those before its name included, and ends with the code that it returns. */
function run<O extends { data?: string; json?: boolean }>(
  command: Command,
  work: (options: O) => Promise<number>,
): Promise<void> {
  // Said twice, the one nearer to the subcommand's name counts.
  const options = { ...command.optsWithGlobals<O>(), ...command.opts<O>() };
  return work(options).then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      process.exitCode = report(error, options);
    },
  );
}

const data = ['--data <directory>', 'where the cloud is kept (default: POSTERN_DATA, or your data directory)'] as const;
const account = ['--account <id>', 'an account of this cloud, as its root'] as const;
const json = ['--json', 'answer in JSON, errors too'] as const;

const program = new Command('postern')
  .description('An AWS VPC on your own machine whose network really decides.')
  .version(version)
  .enablePositionalOptions()
  .configureOutput({ outputError: () => {} })
  .exitOverride()
  .option(...data)
  .option(...json)
  .addHelpText(
    'after',
    `
Exit codes: 0 done
            1 the answer is no
            2 wrong usage
            3 no cloud is running
            4 this machine cannot run one
            5 check: something is unknown, and nothing fails
exec, connect and aws end with the status of what they ran.`,
  );

/** A subcommand that has nothing but the common options. */
function simple(name: string, description: string, work: typeof status): void {
  program
    .command(name)
    .description(description)
    .option(...data)
    .option(...json)
    .action((_options, command: Command) => run(command, work));
}

program
  .command('up')
  .description('bring the cloud up in the foreground')
  .option(...data)
  .option('--host <address>', 'address to listen on', '127.0.0.1')
  .option('--port <number>', 'port to listen on; 0 takes a free one', '4566')
  .option('--auth <mode>', 'strict, or open: accept unknown keys as their account’s root', 'strict')
  .option('--strict-images', 'refuse unknown AMI ids instead of running the default image')
  .option('--quotas <mode>', 'off, or aws: enforce AWS’s default quotas', 'off')
  .option('--nat-idle-timeout <seconds>', 'after so long a NAT gateway forgets an idle flow (default: 350)')
  .option(...json)
  .action((_options, command: Command) => run(command, up));

simple('down', 'end the running cloud; its state is kept', down);
simple('status', 'what is running', status);
program
  .command('env')
  .description('print the export lines for AWS tools')
  .option(...data)
  .option(...account)
  .option(...json)
  .action((_options, command: Command) => run(command, env));

const accounts = program.command('account').description('AWS accounts of this cloud');
accounts
  .command('create')
  .description('a further account, with a root and default VPCs of its own')
  .option('--name <name>', 'what to call it')
  .option(...data)
  .option(...json)
  .action((_options, command: Command) => run(command, createAccount));
accounts
  .command('list')
  .description('every account: id, name, since when')
  .option(...data)
  .option(...json)
  .action((_options, command: Command) => run(command, listAccounts));

program
  .command('provider-keys <provider-arn> <file>')
  .description('what tokens of an OpenID Connect provider are checked with: the JSON of its jwks_uri')
  .option(...data)
  .option(...json)
  .action((providerArn: string, file: string, _options, command: Command) =>
    run(command, (options: { data?: string; json?: boolean }) => providerKeys(providerArn, file, options)),
  );

simple('reset', 'back to the first state; everything in the cloud is lost', reset);
simple('wait', 'wait until packets see every change made so far', wait);
simple('flow-logs', 'deliver the records of VPC flow logs now, not when their interval ends', flowLogs);

program
  .command('aws')
  .description('run the AWS CLI against the cloud')
  .usage('[--account ID] ARGS…')
  .argument('[args...]')
  .option(...account)
  .helpOption(false)
  .allowUnknownOption()
  .passThroughOptions()
  .action((args: string[], _options, command: Command) =>
    run(command, (options: { data?: string; account?: string }) => aws(args, options)),
  );

program
  .command('exec')
  .description('run a command inside an instance, past the network')
  .usage('[options] INSTANCE [--] [COMMAND…]')
  .argument('<instance>')
  .argument('[command...]')
  .option(...data)
  .option('-t, --tty', 'give it a terminal')
  .passThroughOptions()
  .action((instance: string, words: string[], _options, command: Command) => {
    const argv = optionsAfter(command, words);
    return run(command, (options) => exec(instance, argv, options));
  });

program
  .command('connect')
  .description('a shell over the network, port 22; says what is in the way')
  .usage('[options] INSTANCE [--] [COMMAND…]')
  .argument('<instance>')
  .argument('[command...]')
  .option(...data)
  .option('--user <name>', 'the user to log in as', 'ec2-user')
  .option('--via <endpoint>', 'through an instance connect endpoint, eice-…')
  .option(...json)
  .passThroughOptions()
  .action((instance: string, words: string[], _options, command: Command) => {
    const argv = optionsAfter(command, words);
    return run(command, (options: ConnectOptions) => connect(instance, argv, options));
  });

program
  .command('session')
  .description('a shell by Session Manager, with no port open and no public address')
  .usage('[options] INSTANCE [--] [COMMAND…]')
  .argument('<instance>')
  .argument('[command...]')
  .option(...data)
  .option('--region <name>', 'the instance’s region')
  .passThroughOptions()
  .action((instance: string, words: string[], _options, command: Command) => {
    const argv = optionsAfter(command, words);
    return run(command, (options: SessionOptions) => session(instance, argv, options));
  });

program
  .command('session-plugin', { hidden: true })
  .description('what `aws ssm start-session` starts under `postern aws`')
  .argument('[args...]')
  .helpOption(false)
  .allowUnknownOption()
  .passThroughOptions()
  .action((args: string[], _options, command: Command) => run(command, () => sessionPlugin(args)));

program
  .command('tunnel')
  .description('TCP to a port of an instance, over the network')
  .argument('<instance>')
  .option('--port <number>', 'the port of the instance', '22')
  .option('--listen <port>', 'take connections on this port of 127.0.0.1; 0 takes a free one')
  .option('--stdio', 'standard input and output are the connection, for ssh’s ProxyCommand')
  .option('--via <endpoint>', 'through an instance connect endpoint, eice-…')
  .option(...data)
  .action((instance: string, _options, command: Command) =>
    run(command, (options: TunnelOptions) => tunnel(instance, options)),
  );

program
  .command('trace')
  .description('what becomes of a packet or of a request, what decides each step, what would open it')
  .argument('[from]', 'an instance, an interface, or `internet`')
  .argument('[to]', 'an instance, an interface, an address or a name, with :PORT; s3://BUCKET/KEY, an ARN, a service')
  .option('--from <end>', 'instead of the first word')
  .option('--to <end>', 'instead of the second word')
  .option('--action <action>', 'what is asked of a service, s3:GetObject say')
  .option('--as <arn>', 'a role, user or account that asks (default: the instance’s role)')
  .option('--port <number>', 'the port')
  .option('--protocol <name>', 'tcp, udp or icmp (default: tcp with a port, else icmp)')
  .option(...data)
  .option(...json)
  .action((from: string | undefined, to: string | undefined, _options, command: Command) =>
    run(command, (options: TraceOptions) => trace(from, to, options)),
  );

program
  .command('why')
  .description('why a request was denied, by which stage, and what would have to change')
  .argument('[request-id]', 'as clients print it')
  .option('--last', 'the latest request that was answered with an error')
  .option(...data)
  .option(...json)
  .action((requestId: string | undefined, _options, command: Command) =>
    run(command, (options: WhyOptions) => why(requestId, options)),
  );

program
  .command('reach')
  .description('who can reach whom at all, on which ports and by which road')
  .option('--from <end>', 'an instance, subnet, group, VPC or interface, `internet`, or a block outside')
  .option('--to <end>', 'the same, or a service: s3, sts …')
  .option('--port <number>', 'only this port')
  .option('--protocol <name>', 'only tcp, udp or icmp (default: tcp with a port, else all)')
  .option(...data)
  .option(...json)
  .action((_options, command: Command) => run(command, (options: ReachOptions) => reach(options)));

program
  .command('requests')
  .description('API calls: who, which road, and which policy decided')
  .option('-f, --follow', 'go on as they come')
  .option('-n, --limit <number>', 'how many of the latest', '20')
  .option('--denied', 'only those that a policy denied')
  .option(...data)
  .option(...json)
  .action((_options, command: Command) => run(command, requests));

program
  .command('check')
  .description('assertions about who reaches whom and who may do what, for CI')
  .argument('<file>', 'YAML, as docs/check.md describes it')
  .option(
    '--snapshot <directory>',
    'against what `aws ec2 describe-…` printed from a real account, in JSON files; no cloud is needed',
  )
  .option('--live', 'send packets too, and say where they disagree')
  .option('--junit <file>', 'write the report as JUnit XML')
  .option('--sarif <file>', 'write the report as SARIF 2.1.0')
  .option(...data)
  .option(...json)
  .action((file: string, _options, command: Command) => run(command, (options: CheckOptions) => check(file, options)));

program
  .command('lab')
  .description('do a lab on a cloud of its own and check every step')
  .argument('[lab]', `${labs.map(({ id, title }) => `${id}: ${title}`).join('; ')}`, 'e')
  .option('--only <steps>', 'up to this step, e.g. E12')
  .option('--keep', 'leave the lab’s cloud running afterwards')
  .option(...json)
  .action((name: string, _options, command: Command) => run(command, (options: LabOptions) => lab(name, options)));

/** What commander says of a wrong command line, in this command's own voice. Help and version are answers. */
function reportUsage(error: CommanderError, words: readonly string[]): number {
  if (error.exitCode === 0) return exitCodes.ok;
  if (error.code === 'commander.help') return exitCodes.usage; // `postern` alone: the help was the answer
  const [what = '', suggestion = ''] = error.message.replace(/^error: /, '').split('\n');
  const sentence = `${what.charAt(0).toUpperCase()}${what.slice(1)}`.replace(/\.?$/, '.');
  const meant = suggestion.replace(/^\((.*)\)$/, ' $1');
  const subcommand = program.commands.find((one) => words.includes(one.name()));
  return report(
    new OperatorError(`${sentence}${meant}`, {
      exitCode: exitCodes.usage,
      cure: `postern help${subcommand ? ` ${subcommand.name()}` : ''}`,
    }),
    { json: words.includes('--json') },
  );
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = reportUsage(error, process.argv.slice(2));
  else process.exitCode = report(error, { json: process.argv.includes('--json') });
}
