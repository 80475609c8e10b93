// Machines and packets of the differential test: one Perl process (packets.pl) that has a network namespace for each machine, sends flows from them and from
// the internet, and reads the kernel's own trace of what its rules did to them. To be used from inside a world.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Machines } from '@postern/fabric/types.ts';
import type { InstanceId } from '@postern/network/snapshot.ts';

const program = fileURLToPath(new URL('packets.pl', import.meta.url));

/** A flow as it is sent. */
export interface Sending {
  /** A machine, or `core` for the internet and AWS's side. */
  readonly place: string;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly from: string;
  readonly to: string;
  /** 0 for icmp. */
  readonly port: number;
  /** The address that a machine with several answers UDP from. */
  readonly answerFrom: string;
  /** How long to wait: for an answer to the end of the patience, unless a rule drops it; for silence some milliseconds. */
  readonly expect: 'answer' | 'silence';
  /** The number of a flow is its source port or echo identifier: below 32768 or above. */
  readonly sourcePorts: 'low' | 'high';
}

/** One packet's way through one namespace. */
export interface Passage {
  readonly leg: 'forward' | 'return';
  /** A VPC, a NAT gateway or `core`. */
  readonly place: string;
  /** The rules that matched, in order, by their comments; `@CHAIN` is a policy, `#CHAIN` a rule without a comment. */
  readonly rules: readonly { readonly rule: string; readonly verdict: 'next' | 'accept' | 'drop' }[];
}

export interface Seen {
  /** `open`, `nothing` or `error WORDS`. */
  readonly answer: string;
  /** The source address at the other end; absent: nothing arrived. */
  readonly source?: string;
  /** The destination address there. */
  readonly at?: string;
  readonly passages: readonly Passage[];
}

/** Above every service's port. A number comes again only after thousands of flows, when no connection tracking remembers the last. */
const numberRanges = { low: [20_000, 32_767], high: [32_768, 60_999] } as const;

export class Packets implements Pick<Machines, 'processId'> {
  readonly #child: ChildProcess;
  readonly #processIds = new Map<InstanceId, number>();
  readonly #lines: string[] = [];
  #waiting: (() => void) | undefined;
  readonly #nextNumbers = { low: numberRanges.low[0] as number, high: numberRanges.high[0] as number };
  #hasEnded = false;

  private constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout === null) throw new Error('packets.pl has a stdout');
    child.once('exit', () => {
      this.#hasEnded = true;
      this.#waiting?.();
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#lines.push(line);
      this.#waiting?.();
    });
  }

  /** @param names of machines; `a` is instance `i-a` */
  static async start(names: readonly string[]): Promise<Packets> {
    const child = spawn('perl', [program, process.arch, ...names], { stdio: ['pipe', 'pipe', 'inherit'] });
    const packets = new Packets(child);
    for (const pair of (await packets.#next('ready')).slice(1)) {
      const [name, processId] = pair.split('=');
      packets.#processIds.set(`i-${name}`, Number(processId));
    }
    return packets;
  }

  processId(instanceId: InstanceId): number | undefined {
    return this.#processIds.get(instanceId);
  }

  /** After each apply: traces what passes these namespaces by the rules that they have now. */
  async observe(places: readonly string[]): Promise<void> {
    this.#write('observe', ...places);
    await this.#next('observed');
  }

  /** Sends all at once. @returns in the same order; `isWhole` is false when the kernel threw traces away */
  async send(
    sendings: readonly Sending[],
    patienceMs: number,
  ): Promise<{ readonly seen: readonly Seen[]; readonly isWhole: boolean }> {
    const numbers = sendings.map((each) => {
      const { place, protocol, from, to, port, answerFrom, expect, sourcePorts } = each;
      const number = this.#nextNumbers[sourcePorts];
      const [first, last] = numberRanges[sourcePorts];
      this.#nextNumbers[sourcePorts] = number >= last ? first : number + 1;
      this.#write('flow', number, place, protocol, from, to, port, answerFrom, expect);
      return number;
    });
    this.#write('go', patienceMs);
    const found = new Map<number, Seen>();
    for (;;) {
      const [kind, number, answer = '', ends = '', path = ''] = await this.#next();
      if (kind === 'done') return { seen: numbers.map((each) => found.get(each) ?? nothing), isWhole: number === '0' };
      const [source, at] = ends.split('>');
      found.set(Number(number), { answer, ...(source && { source }), ...(at && { at }), passages: passagesOf(path) });
    }
  }

  async stop(): Promise<void> {
    if (this.#hasEnded) return;
    this.#child.stdin?.end();
    await new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
  }

  #write(...words: readonly (string | number)[]): void {
    this.#child.stdin?.write(`${words.join('\t')}\n`);
  }

  async #next(wanted?: string): Promise<string[]> {
    while (this.#lines.length === 0) {
      if (this.#hasEnded) throw new Error('packets.pl has ended');
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
      this.#waiting = undefined;
    }
    const words = (this.#lines.shift() ?? '').split('\t');
    if (wanted !== undefined && words[0] !== wanted) throw new Error(`packets.pl said ${words.join(' ')}`);
    return words;
  }
}

const nothing: Seen = { answer: 'nothing', passages: [] };

function passagesOf(path: string): Passage[] {
  if (path === '') return [];
  return path.split('|').map((each) => {
    const [leg, place = '', ...entries] = each.split(';');
    const rules = entries.map((entry) => {
      const at = entry.lastIndexOf('=');
      return { rule: entry.slice(0, at), verdict: entry.slice(at + 1) as Passage['rules'][number]['verdict'] };
    });
    return { leg: leg === 'return' ? 'return' : 'forward', place, rules };
  });
}
