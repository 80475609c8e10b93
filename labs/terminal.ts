// The two places where a lab's commands are typed: the laptop (the AWS CLI with the cloud's endpoint) and the inside of an instance.

import { AwsCli, type Ran, run } from './aws-cli.ts';
import { StepFailed } from './lab.ts';

/** What stands in a command for one word, or for several. */
type Value = string | readonly string[];

/** Splits a command as a shell would, except that a value is never split: JSON with spaces stays one word. */
function argumentsOf(words: TemplateStringsArray, values: readonly Value[]): string[] {
  const args: string[] = [];
  let open = false;
  const append = (text: string) => {
    if (open) args.push(`${args.pop() ?? ''}${text}`);
    else args.push(text);
    open = true;
  };
  words.forEach((text, index) => {
    for (const [piece] of text.matchAll(/\s+|\S+/g)) {
      if (/^\s/.test(piece)) open = false;
      else append(piece);
    }
    const value = values[index];
    if (typeof value === 'string') append(value);
    else if (value) args.push(...value);
  });
  return args;
}

export interface LaptopOptions {
  /** The AWS CLI to use. */
  readonly aws: string;
  /** `[node, postern.mjs]` */
  readonly postern: readonly [string, ...string[]];
  readonly dataDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
}

export class Laptop {
  readonly #options: LaptopOptions;
  readonly #env: NodeJS.ProcessEnv;
  readonly #cli: AwsCli;

  constructor(
    options: LaptopOptions,
    credentials: Readonly<Record<string, string>> = {},
    cli: AwsCli = new AwsCli(options.aws),
  ) {
    this.#options = options;
    this.#cli = cli;
    // The person's own profile, session token and region must not reach the lab.
    const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_')));
    this.#env = {
      ...inherited,
      ...options.environment,
      ...credentials,
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_PAGER: '',
      AWS_MAX_ATTEMPTS: '1',
      POSTERN_DATA: options.dataDirectory,
    };
  }

  /** The same terminal with other credentials. */
  as(accessKeyId: string, secretAccessKey: string): Laptop {
    return new Laptop(
      this.#options,
      { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
      this.#cli,
    );
  }

  /** One AWS CLI command, whatever its outcome; typed as it is in a shell: laptop.try`ec2 create-vpc --cidr-block ${cidr}` */
  try(words: TemplateStringsArray, ...values: readonly Value[]): Promise<Ran> {
    return this.#aws(argumentsOf(words, values));
  }

  /** One AWS CLI command that must work. @returns its JSON, or its text when that is no JSON */
  // biome-ignore lint/suspicious/noExplicitAny: the CLI's JSON has as many shapes as AWS has operations
  async aws(words: TemplateStringsArray, ...values: readonly Value[]): Promise<any> {
    const args = argumentsOf(words, values);
    const ran = await this.#aws(args);
    if (ran.code !== 0) throw new StepFailed(`aws ${args.join(' ')}\n${ran.output.trim()}`);
    try {
      return JSON.parse(ran.stdout === '' ? '{}' : ran.stdout);
    } catch {
      return ran.stdout;
    }
  }

  /** One AWS CLI command that must fail with AWS's words: laptop.refused('DependencyViolation')`ec2 delete-vpc …`. @returns the message */
  refused(expected: string): (words: TemplateStringsArray, ...values: readonly Value[]) => Promise<string> {
    return async (words, ...values) => {
      const args = argumentsOf(words, values);
      const ran = await this.#aws(args);
      if (ran.code !== 0 && ran.output.includes(expected)) return ran.output.trim();
      const seen = ran.code === 0 ? 'it worked' : `it said ${ran.output.trim()}`;
      throw new StepFailed(`aws ${args.join(' ')} should fail with ${expected}; ${seen}`);
    };
  }

  #aws(args: readonly string[]): Promise<Ran> {
    const endpoint = this.#options.environment['AWS_ENDPOINT_URL'] ?? '';
    return this.#cli.run(['--endpoint-url', endpoint, '--output', 'json', ...args], this.#env);
  }

  postern(args: readonly string[], timeoutMs?: number): Promise<Ran> {
    const [command, ...first] = this.#options.postern;
    return run(command, [...first, ...args], this.#env, timeoutMs);
  }

  /** A shell command inside an instance, as its user at a login shell would type it. */
  inside(instanceId: string, script: string, timeoutMs?: number): Promise<Ran> {
    return this.postern(['exec', instanceId, '--', 'bash', '-lc', script], timeoutMs);
  }

  /** Waits until packets see everything that was answered so far. */
  async settle(): Promise<void> {
    const ran = await this.postern(['wait']);
    if (ran.code !== 0) throw new StepFailed(ran.output);
  }
}
