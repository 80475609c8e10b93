// Terraform with HashiCorp's own AWS provider, as a person has them, pointed at a cloud by what `postern env` prints and nothing else. The provider is not
// downloaded: it is looked for where Terraform itself looks, and a test that finds none is skipped and says what to do.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ran } from './inside.ts';
import type { Own } from './own-cloud.ts';

const provider = join('registry.terraform.io', 'hashicorp', 'aws');

/**
 * Folders that can hold providers: the one that was named, then the implied mirrors of Terraform's CLI configuration
 * (https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories), plugin caches, and the folders of /opt.
 * Each has the layout of `terraform providers mirror`, packed or not.
 */
function places(): string[] {
  const { POSTERN_TF_PLUGINS, TF_PLUGIN_CACHE_DIR, XDG_DATA_HOME, XDG_DATA_DIRS } = process.env;
  const shared = (XDG_DATA_DIRS || '/usr/local/share:/usr/share').split(':');
  return [
    POSTERN_TF_PLUGINS ?? '',
    join(homedir(), '.terraform.d', 'plugins'),
    ...[XDG_DATA_HOME || join(homedir(), '.local', 'share'), ...shared].map((one) => join(one, 'terraform', 'plugins')),
    TF_PLUGIN_CACHE_DIR ?? '',
    join(homedir(), '.terraform.d', 'plugin-cache'),
    ...foldersOf('/opt'),
  ].filter((place) => place !== '');
}

function foldersOf(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory).map((name) => join(directory, name)) : [];
}

function hasProvider(place: string): boolean {
  const folder = join(place, provider);
  return existsSync(folder) && readdirSync(folder).some((version) => /^\d|\.zip$/.test(version));
}

const pluginDirectory = places().find(hasProvider);

function whyNot(): string | false {
  const env = { ...process.env, CHECKPOINT_DISABLE: '1' };
  if (spawnSync('terraform', ['version'], { stdio: 'ignore', env }).status !== 0) return 'terraform is not installed';
  if (pluginDirectory !== undefined) return false;
  return 'no hashicorp/aws provider on this machine: `terraform providers mirror DIR` brings it, POSTERN_TF_PLUGINS=DIR names it';
}

/** Why Terraform cannot be tried on this machine; false when it can. For `test(…, { skip })`. */
export const whyNoTerraform = whyNot();

export class Terraform {
  readonly directory = mkdtempSync(join(tmpdir(), 'postern-terraform-'));
  readonly #environment: NodeJS.ProcessEnv;

  /** A working directory of its own with this `main.tf`. A configuration needs no provider block. */
  constructor(own: Own, configuration: string) {
    const commandLine = join(this.directory, 'terraform.rc');
    writeFileSync(commandLine, '');
    this.write(configuration);
    this.#environment = {
      PATH: process.env['PATH'],
      // Nobody's own ~/.aws and ~/.terraform.d.
      HOME: this.directory,
      TF_CLI_CONFIG_FILE: commandLine,
      TF_IN_AUTOMATION: '1',
      CHECKPOINT_DISABLE: '1',
      // A third of the processor time of a command is its garbage collection of the provider's schemas.
      GOGC: '400',
      AWS_EC2_METADATA_DISABLED: 'true',
      ...own.environment,
    };
  }

  write(configuration: string): void {
    writeFileSync(join(this.directory, 'main.tf'), configuration);
  }

  async run(...args: readonly string[]): Promise<Ran> {
    const child = spawn('terraform', args, {
      cwd: this.directory,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: this.#environment,
    });
    let out = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        out += text;
      });
    return new Promise((resolve) => child.on('close', (status) => resolve({ status, out })));
  }

  async #succeed(...args: readonly string[]): Promise<string> {
    const { status, out } = await this.run(...args);
    if (status !== 0) throw new Error(`terraform ${args.join(' ')} ended with ${status}:\n${out}`);
    return out;
  }

  init(): Promise<string> {
    return this.#succeed('init', '-no-color', '-input=false', `-plugin-dir=${pluginDirectory}`);
  }

  /** Makes it so. @returns what Terraform said */
  apply(...args: readonly string[]): Promise<string> {
    return this.#succeed('apply', '-no-color', '-input=false', '-auto-approve', ...args);
  }

  /** What another `apply` would change: '' for nothing. */
  async drift(...args: readonly string[]): Promise<string> {
    const { status, out } = await this.run('plan', '-no-color', '-input=false', '-detailed-exitcode', ...args);
    if (status === 0) return '';
    if (status === 2) return out;
    throw new Error(`terraform plan ended with ${status}:\n${out}`);
  }

  async outputs(): Promise<Record<string, unknown>> {
    const printed = JSON.parse(await this.#succeed('output', '-json')) as Record<string, { value: unknown }>;
    return Object.fromEntries(Object.entries(printed).map(([name, { value }]) => [name, value]));
  }

  /** Addresses of everything that Terraform thinks it has. */
  async resources(): Promise<string[]> {
    return (await this.#succeed('state', 'list')).split('\n').filter((line) => line !== '');
  }

  destroy(...args: readonly string[]): Promise<string> {
    return this.#succeed('destroy', '-no-color', '-input=false', '-auto-approve', ...args);
  }

  /** Forgets the working directory. What was built stays. */
  end(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
