// Machines for the flow tests: bare namespaces with the probe agent in them, made and asked from inside a world.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Machines } from '@postern/fabric/types.ts';
import type { InstanceId, Ipv4 } from '@postern/network/snapshot.ts';

export interface Target {
  readonly host: Ipv4;
  readonly port: number;
  readonly from?: Ipv4;
  readonly timeoutMs?: number;
}

const agent = fileURLToPath(new URL('agent.mjs', import.meta.url));
/** Long enough for a handshake through three namespaces; a dropped packet costs a test this much. */
const defaultTimeoutMs = 1500;
/** For what must be answered: on a busy machine a probe may have to wait for its turn. */
export const patientMs = 15_000;

export class Probe {
  readonly #child: ChildProcess;
  readonly #answers = new Map<number, (answer: string) => void>();
  #nextId = 1;

  private constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout === null) throw new Error('a probe has a stdout');
    child.once('exit', () => {
      for (const answer of this.#answers.values()) answer('the machine has ended');
      this.#answers.clear();
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { id, answer } = JSON.parse(line) as { id: number; answer: string };
      this.#answers.get(id)?.(answer);
      this.#answers.delete(id);
    });
  }

  /** A machine: user and network namespace of its own, as an instance has. */
  static async start(): Promise<Probe> {
    const child = spawn('unshare', ['--user', '--map-root-user', '--net', process.execPath, agent], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const probe = new Probe(child);
    await new Promise<string>((resolve, reject) => {
      probe.#answers.set(0, resolve);
      child.once('exit', (code) => reject(new Error(`a probe ended with ${code} before it was ready`)));
    });
    return probe;
  }

  get processId(): number | undefined {
    return this.#child.pid;
  }

  listen(protocol: 'tcp' | 'udp', port: number): Promise<string> {
    return this.#ask({ operation: 'listen', protocol, port });
  }

  /** `open CLIENT>SERVER` as the server sees it, `refused`, `timeout` or `error CODE`. */
  tcp(target: Target): Promise<string> {
    return this.#ask({ operation: 'tcp', timeoutMs: defaultTimeoutMs, ...target });
  }

  /** As `tcp`, and keeps the connection under a name. */
  hold(hold: string, target: Target): Promise<string> {
    return this.#ask({ operation: 'tcp', timeoutMs: defaultTimeoutMs, hold, ...target });
  }

  /** `echo hello` while the held connection lives, else how it ended. */
  say(hold: string, timeoutMs = defaultTimeoutMs): Promise<string> {
    return this.#ask({ operation: 'say', hold, timeoutMs });
  }

  udp(target: Target): Promise<string> {
    return this.#ask({ operation: 'udp', timeoutMs: defaultTimeoutMs, ...target });
  }

  async ping(host: Ipv4, timeoutMs = 1000): Promise<'open' | 'timeout'> {
    const answer = await this.run('ping', '-n', '-c', '1', '-W', String(timeoutMs / 1000), host);
    return answer.startsWith('0 ') ? 'open' : 'timeout';
  }

  /** Exit status and output. */
  run(command: string, ...args: readonly string[]): Promise<string> {
    return this.#ask({ operation: 'run', command, args });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await exited;
  }

  #ask(request: Record<string, unknown>): Promise<string> {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#answers.set(id, resolve);
      this.#child.stdin?.write(`${JSON.stringify({ id, ...request })}\n`);
    });
  }
}

/** Probes by instance, in the shape that the fabric asks for. */
export class ProbeMachines implements Pick<Machines, 'processId'> {
  readonly #probes = new Map<InstanceId, Probe>();

  async start(instanceId: InstanceId): Promise<Probe> {
    const probe = await Probe.start();
    this.#probes.set(instanceId, probe);
    return probe;
  }

  processId(instanceId: InstanceId): number | undefined {
    return this.#probes.get(instanceId)?.processId;
  }

  async stop(instanceId: InstanceId): Promise<void> {
    await this.#probes.get(instanceId)?.stop();
    this.#probes.delete(instanceId);
  }

  async stopAll(): Promise<void> {
    for (const instanceId of [...this.#probes.keys()]) await this.stop(instanceId);
  }
}
