#!/usr/bin/env node
// The `postern` command. Each subcommand is a row here and a function in commands/. Exit codes: 0 done, 1 the answer is no, 2 wrong usage,
// 3 no cloud running, 4 this machine cannot run one.

import { Command, CommanderError } from 'commander';
import { aws } from './commands/aws.ts';
import { down, env, reset, status, up, wait } from './commands/cloud.ts';
import { connect } from './commands/connect.ts';
import { exec } from './commands/exec.ts';
import { lab } from './commands/lab.ts';
import { requests } from './commands/requests.ts';
import { exitCodes, OperatorError, paint, say } from './terminal.ts';

const version = '0.1.0';

/** Ends the process with the command's own code; every subcommand returns one. */
function finish(work: Promise<number>): void {
  work.then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      process.exitCode = report(error);
    },
  );
}

function report(error: unknown): number {
  if (error instanceof OperatorError) {
    say(`${paint(process.stderr, 'red', 'postern:')} ${error.message}`);
    if (error.cure) say(`\n    ${error.cure}\n`);
    return error.exitCode;
  }
  if ((error as NodeJS.ErrnoException).code === 'EPIPE') return 0;
  say(`postern: ${(error as Error).stack ?? String(error)}`);
  return exitCodes.failed;
}

/** `exec i-… -- CMD`: the dashes end the options and are no part of the command. */
function afterDashes(command: string[]): string[] {
  return command[0] === '--' ? command.slice(1) : command;
}

const program = new Command('postern')
  .description('An AWS VPC on your own machine whose network really decides.')
  .version(version)
  .enablePositionalOptions()
  .showHelpAfterError('(postern help shows every command)')
  .exitOverride()
  .addHelpText(
    'after',
    '\nExit codes: 0 done, 1 the answer is no, 2 wrong usage, 3 no cloud running, 4 this machine cannot run one.',
  );

const data = ['--data <directory>', 'where the cloud is kept (POSTERN_DATA)'] as const;
const json = ['--json', 'answer in JSON'] as const;

program
  .command('up')
  .description('bring the cloud up in the foreground')
  .option(...data)
  .option('--host <address>', 'address to listen on', '127.0.0.1')
  .option('--port <number>', 'port to listen on; 0 takes a free one', '4566')
  .option('--auth <mode>', 'strict, or open: accept unknown keys as their account’s root', 'strict')
  .option('--strict-images', 'refuse unknown AMI ids instead of running the default image')
  .option('--quotas <mode>', 'off, or aws: enforce AWS’s default quotas', 'off')
  .option(...json)
  .action((options) => finish(up(options)));

program
  .command('down')
  .description('end the running cloud; its state is kept')
  .option(...data)
  .option(...json)
  .action((options) => finish(down(options)));
program
  .command('status')
  .description('what is running')
  .option(...data)
  .option(...json)
  .action((options) => finish(status(options)));
program
  .command('env')
  .description('print the export lines for AWS tools')
  .option(...data)
  .option(...json)
  .action((options) => finish(env(options)));
program
  .command('reset')
  .description('back to the first state; everything in the cloud is lost')
  .option(...data)
  .option(...json)
  .action((options) => finish(reset(options)));
program
  .command('wait')
  .description('wait until packets see every change made so far')
  .option(...data)
  .option(...json)
  .action((options) => finish(wait(options)));

program
  .command('aws')
  .description('run the AWS CLI against the cloud')
  .argument('[args...]')
  .helpOption(false)
  .allowUnknownOption()
  .passThroughOptions()
  .action((args: string[]) => finish(aws(args, {})));

program
  .command('exec')
  .description('run a command inside an instance, past the network')
  .argument('<instance>')
  .argument('[command...]')
  .option(...data)
  .option('-t, --tty', 'give it a terminal')
  .passThroughOptions()
  .action((instance: string, command: string[], options) => finish(exec(instance, afterDashes(command), options)));

program
  .command('connect')
  .description('a shell over the network, port 22; says what is in the way')
  .argument('<instance>')
  .argument('[command...]')
  .option(...data)
  .option('--user <name>', 'the user to log in as', 'ec2-user')
  .option(...json)
  .passThroughOptions()
  .action((instance: string, command: string[], options) => finish(connect(instance, afterDashes(command), options)));

program
  .command('requests')
  .description('API calls: who, which road, and which policy decided')
  .option('-f, --follow', 'go on as they come')
  .option('-n, --limit <number>', 'how many of the latest', '20')
  .option('--denied', 'only those that a policy denied')
  .option(...data)
  .option(...json)
  .action((options) => finish(requests(options)));

program
  .command('lab')
  .description('run the main lab on a cloud of its own and check every step')
  .option('--only <steps>', 'up to this step, e.g. E12')
  .option('--keep', 'leave the lab’s cloud running afterwards')
  .option(...json)
  .action((options) => finish(lab(options)));

try {
  program.parse();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
}
